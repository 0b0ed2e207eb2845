/* Every kind of call, every k: the program ends with 0, 74 or 75, says which file, and the same
 * command afterwards leaves what an undisturbed sweep leaves. */
#include "engine/base/mem.h"
#include "tests/crash/crash.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

typedef struct fault_case {
    fault_kind kind;
    fault_action action;
    int error;
    const char *name;
} fault_case;

static const fault_case k_cases[] = {
    {FAULT_OPEN,   FAULT_FAIL,    EIO,    "open: EIO"                  },
    {FAULT_OPEN,   FAULT_FAIL,    EMFILE, "open: EMFILE"               },
    {FAULT_OPEN,   FAULT_FAIL_ON, ENOSPC, "open: disk full from here"  },
    {FAULT_READ,   FAULT_FAIL,    EIO,    "read: EIO"                  },
    {FAULT_WRITE,  FAULT_FAIL,    EIO,    "write: EIO"                 },
    {FAULT_WRITE,  FAULT_FAIL,    EINTR,  "write: interrupted"         },
    {FAULT_READ,   FAULT_FAIL,    EINTR,  "read: interrupted"          },
    {FAULT_WRITE,  FAULT_FAIL,    EFBIG,  "write: file too large"      },
    {FAULT_WRITE,  FAULT_FAIL_ON, ENOSPC, "write: disk full from here" },
    {FAULT_WRITE,  FAULT_FAIL,    ENOSPC, "write: disk full once"      },
    {FAULT_WRITE,  FAULT_PARTIAL, 0,      "write: half of it"          },
    {FAULT_SYNC,   FAULT_FAIL,    EIO,    "fsync: EIO"                 },
    {FAULT_SYNC,   FAULT_FAIL_ON, ENOSPC, "fsync: disk full from here" },
    {FAULT_SYNC,   FAULT_FAIL,    EINTR,  "fsync: interrupted"         },
    {FAULT_CLOSE,  FAULT_FAIL,    EIO,    "close: EIO"                 },
    {FAULT_RENAME, FAULT_FAIL,    EIO,    "rename: EIO"                },
    {FAULT_RENAME, FAULT_FAIL_ON, ENOSPC, "rename: disk full from here"},
    {FAULT_RENAME, FAULT_LATE,    EIO,    "rename: done, but EIO"      },
    {FAULT_LINK,   FAULT_FAIL,    EIO,    "link: EIO"                  },
    {FAULT_LINK,   FAULT_FAIL_ON, ENOSPC, "link: disk full from here"  },
    {FAULT_LINK,   FAULT_LATE,    EIO,    "link: done, but EIO"        },
    {FAULT_UNLINK, FAULT_FAIL,    EIO,    "unlink: EIO"                },
    {FAULT_UNLINK, FAULT_LATE,    EIO,    "unlink: done, but EIO"      },
    {FAULT_MKDIR,  FAULT_FAIL,    EIO,    "mkdir: EIO"                 },
    {FAULT_MKDIR,  FAULT_FAIL_ON, ENOSPC, "mkdir: disk full from here" },
    {FAULT_STAT,   FAULT_FAIL,    EIO,    "stat: EIO"                  },
    {FAULT_LIST,   FAULT_FAIL,    EIO,    "opendir: EIO"               },
    {FAULT_MAP,    FAULT_FAIL,    EIO,    "mmap: EIO"                  },
    {FAULT_TOUCH,  FAULT_FAIL,    EIO,    "time stamps: EIO"           },
};

/* Names a file of the store, the reports or the cache; a full disk with what is needed. */
static bool says_why(const lab *l, const fault_case *c, const ending *e) {
    if (strstr(e->said, l->work) == NULL) return false;
    const bool full = c->error == ENOSPC && c->kind == FAULT_WRITE;
    return !full ||
           (strstr(e->said, "disk full writing ") != NULL && strstr(e->said, "need ") != NULL);
}

static bool harmless(const fault_case *c) {
    return c->action == FAULT_PARTIAL || c->error == EINTR;
}

static bool is_cache(const char *path) {
    return strstr(path, "/cache") != NULL || strstr(path, "index.csv") != NULL;
}

/* reports/NAME itself, not reports/NAME.tmp-TOKEN where it is being drawn. */
static bool is_report_folder(const char *path) {
    const char *folder = strstr(path, "/reports/"), *last = strrchr(path, '/');
    return folder != NULL && last == folder + strlen("/reports") && strstr(last, ".tmp-") == NULL;
}

/* Was what failed the writing of something that is promised? Caches, claims that are being given
 * back and files that were only read may fail in silence. */
static bool has_to_tell(const lab *l, const fault_case *c) {
    const char *where = l->plan->where;
    const bool temporary = strstr(where, ".tmp-") != NULL;
    if (harmless(c) || is_cache(where) || strstr(where, ".gone") != NULL ||
        strcmp(where, l->runs) == 0)
        return false;
    if (c->kind == FAULT_SYNC && !temporary && is_cache(l->plan->placed)) return false;
    switch (c->kind) {
    case FAULT_WRITE:
    case FAULT_SYNC:
    case FAULT_LINK:
        return true;
    case FAULT_RENAME: /* into the claim goes what is to be removed: it stays as a leftover */
        return strstr(where, "/claim.d/") == NULL;
    case FAULT_OPEN:
        return temporary;
    case FAULT_CLOSE: /* a claim's beat is empty; what was only read or synced loses nothing */
        return temporary && strstr(where, "/beat") == NULL && !l->plan->read_only;
    default:
        return false;
    }
}

static void judge(lab *l, const fault_case *c, int64_t k, const ending *e, const char *start) {
    char what[128];
    (void)snprintf(what, sizeof what, "%s, call %d, %s store", c->name, (int)k, start);
    const bool done = e->exit == l->undisturbed;
    if ((!done && e->exit != 74 && e->exit != 75) || (done && has_to_tell(l, c)) ||
        (!done && harmless(c)))
        lab_fail(l, "%s: %s: exit %d, signal %d: %s", what, l->plan->where, e->exit, e->signal,
                 e->said);
    else if (e->exit == 74 && !says_why(l, c, e))
        lab_fail(l, "%s: no reason given: %s", what, e->said);
    /* Unless removing it was the fault, or a rename that lied: the next claim tidies up after both.
     */
    const bool excused = c->kind == FAULT_UNLINK || c->action == FAULT_LATE;
    const char *left = excused ? NULL : lab_leftover(l);
    if (left != NULL) lab_fail(l, "%s: %s is left behind", what, left);
    lab_undamaged(l, what);
    (void)lab_recovers(l, what, false);
}

/* Nothing can be removed, as in a store that this user may not write: `gc` and `fsck --repair` must
 * not say that they did. */
static void refuse_removal(lab *l) {
    static const char *const gc[] = {"gc", lab_experiment, NULL};
    static const char *const fsck[] = {"fsck", lab_experiment, "--repair", NULL};
    const char *const *const commands[] = {gc, fsck};
    for (size_t i = 0; i < BL_COUNT(commands); i++) {
        const fault_plan kill = {.kind = FAULT_RENAME, .action = FAULT_KILL, .at = 20};
        const fault_plan full = {
            .kind = FAULT_UNLINK, .action = FAULT_FAIL_ON, .error = EROFS, .at = 1};
        lab_reset(l, NULL);
        (void)lab_sweep(l, &kill); /* leaves a temporary file and a claim */
        const ending refused = lab_run(l, commands[i], &full);
        l->faults++;
        if (l->plan->hits == 0) lab_fail(l, "%s removes nothing", commands[i][0]);
        if (refused.exit != 74 || strstr(refused.said, l->work) == NULL)
            lab_fail(l, "%s without the right to write: exit %d: %s", commands[i][0], refused.exit,
                     refused.said);
        const ending allowed = lab_run(l, commands[i], NULL);
        if (allowed.exit != 0)
            lab_fail(l, "%s: exit %d: %s", commands[i][0], allowed.exit, allowed.said);
        if (lab_leftover(l) != NULL) lab_fail(l, "%s leaves %s", commands[i][0], lab_leftover(l));
        /* gc removes the checkpoints of finished runs, too. */
        (void)lab_recovers(l, commands[i][0], commands[i] == gc);
    }
}

/* A folder of reports with a file of the user's is filled file by file. It was filled only when the
 * disk knows the names in it. */
static void refuse_report_sync(lab *l) {
    static const char *const words[] = {"report", lab_experiment, NULL};
    const fault_case sync = {FAULT_SYNC, FAULT_FAIL, EIO, "report: fsync: EIO"};
    bool filled = false;
    for (int64_t k = 1;; k++) {
        char mine[BL_PATH];
        const fault_plan plan = {.kind = FAULT_SYNC, .action = FAULT_FAIL, .error = EIO, .at = k};
        lab_reset(l, l->ref);
        (void)snprintf(mine, sizeof mine, "%.900s/reports/%s/mine.txt", l->work, lab_experiment);
        bl_err err;
        if (bl_file_write(mine, "x", 1, &err) != BL_OK) lab_fail(l, "%s", err.text);
        const ending e = lab_run(l, words, &plan);
        if (l->plan->hits == 0) break;
        l->faults++;
        filled |= is_report_folder(l->plan->where);
        if (e.exit != (has_to_tell(l, &sync) ? 74 : 0))
            lab_fail(l, "%s, call %d: %s: exit %d, signal %d: %s", sync.name, (int)k,
                     l->plan->where, e.exit, e.signal, e.said);
    }
    if (!filled) lab_fail(l, "%s: the folder itself is not synced", sync.name);
}

void part_faults(lab *l) {
    char stopped[BL_PATH];
    if (l->lane == 0) refuse_removal(l);
    if (l->lane == 0) refuse_report_sync(l);
    lab_stop_midway(l, stopped);
    const char *const start[] = {NULL, stopped}, *const name[] = {"an empty", "a stopped"};
    for (size_t c = 0; c < BL_COUNT(k_cases); c++) {
        for (size_t s = 0; s < BL_COUNT(start); s++) {
            if (!l->full && s != c % BL_COUNT(start)) continue;
            /* The short selection: the first calls, then ever sparser ones, other ones each case.
             */
            for (int64_t k = 1 + l->lane;;
                 k += l->full ? l->lanes : k + (int64_t)lab_random(l, 3 * (uint64_t)k)) {
                const fault_case *f = &k_cases[c];
                const fault_plan plan = {.kind = (int32_t)f->kind,
                                         .action = (int32_t)f->action,
                                         .error = f->error,
                                         .at = k};
                lab_reset(l, start[s]);
                const ending e = lab_sweep(l, &plan);
                if (l->plan->hits == 0) break;
                l->faults++;
                judge(l, f, k, &e, name[s]);
                if (l->failures > LAB_MOST_FAILURES) return;
            }
        }
    }
}
