/* A disk that grows by 4 KiB from one run to the next: each run ends with 0, 74 or 75 and leaves
 * nothing half-written; in the end the sweep is complete and equal. */
#include "tests/crash/crash.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

enum { PAGE_KIB = 4, MOST_PAGES = 4096 };

static bool says_need(const ending *e) {
    return strstr(e->said, "disk full writing ") != NULL && strstr(e->said, "need ") != NULL;
}

void part_disk(lab *l) {
    char options[32] = "size=4k", what[64];
    lab_remove(l->work);
    if (mkdir(l->work, 0777) != 0 || mount("none", l->work, "tmpfs", 0, options) != 0) {
        (void)snprintf(l->skipped, sizeof l->skipped, "%s", strerror(errno));
        return;
    }
    ending e = {.exit = 74};
    for (int pages = 1; e.exit != l->undisturbed && l->failures <= LAB_MOST_FAILURES;
         pages += l->full ? 1 : 1 + (int)lab_random(l, 30)) {
        (void)snprintf(options, sizeof options, "size=%dk", pages * PAGE_KIB);
        (void)snprintf(what, sizeof what, "a disk of %d KiB", pages * PAGE_KIB);
        if (pages > MOST_PAGES || mount("none", l->work, "tmpfs", MS_REMOUNT, options) != 0) {
            lab_fail(l, "%s: the sweep never ends: %s", what, e.said);
            break;
        }
        e = lab_sweep(l, NULL);
        l->disks++;
        if (e.exit != l->undisturbed && e.exit != 74 && e.exit != 75)
            lab_fail(l, "%s: exit %d, signal %d: %s", what, e.exit, e.signal, e.said);
        if (e.exit == 74 && !says_need(&e)) lab_fail(l, "%s: no need named: %s", what, e.said);
        const char *left = lab_leftover(l);
        if (left != NULL) lab_fail(l, "%s: %s is left behind", what, left);
        lab_undamaged(l, what);
    }
    const char *difference = lab_difference(l, false);
    if (difference != NULL) lab_fail(l, "%s: %s", what, difference);
    /* Reports are written anew: that takes room, too. */
    if (mount("none", l->work, "tmpfs", MS_REMOUNT, "size=64m") != 0) lab_fail(l, "remount failed");
    (void)lab_recovers(l, "a disk that has grown", false);
    if (umount2(l->work, MNT_DETACH) != 0) lab_fail(l, "cannot unmount %s", l->work);
}
