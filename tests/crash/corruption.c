/* Every bit of a finished run's files turned over, and every truncation: fsck finds all of them.
 * What the next sweep then makes of damaged finished and interrupted runs equals what was there. */
#include "engine/base/mem.h"
#include "engine/store/fsck.h"
#include "tests/crash/crash.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void overwrite(const char *path, const char *bytes, size_t n) {
    FILE *f = fopen(path, "wb");
    if (f == NULL || (n > 0 && fwrite(bytes, 1, n, f) != n) || fclose(f) != 0) abort();
}

/* Does fsck see damage in the store? Any other fault is one of the test. */
static bool fsck_finds(lab *l, const bl_store *store) {
    bl_fsck fsck = {0};
    bl_err err = {0};
    if (bl_store_fsck(store, &fsck, &err) != BL_OK) lab_fail(l, "fsck: %s", err.text);
    return fsck.damage > 0;
}

static void tell(lab *l, const char *file, const char *how, size_t byte, bool found) {
    l->damages++;
    l->found += found;
    if (!found) lab_fail(l, "%s %s %zu: not found", file, how, byte);
}

/* All damage to one file, which is whole again afterwards. */
static void damage_file(lab *l, const bl_store *store, const char *file) {
    char path[BL_PATH];
    bl_buf bytes = {0};
    bl_err err;
    if (bl_path(path, &err, "%s/%s", store->dir, file) != BL_OK ||
        bl_file_read(&bytes, path, SIZE_MAX, &err) != BL_OK) {
        lab_fail(l, "%s", err.text);
        return;
    }
    for (size_t i = (size_t)l->lane; i < bytes.len && l->failures <= LAB_MOST_FAILURES;
         i += (size_t)l->lanes) {
        const unsigned from = l->full ? 0 : (unsigned)lab_random(l, 8), to = l->full ? 8 : from + 1;
        for (unsigned bit = from; bit < to; bit++) {
            bytes.data[i] = (char)(bytes.data[i] ^ (1 << bit));
            overwrite(path, bytes.data, bytes.len);
            tell(l, file, "with a bit flipped in byte", i, fsck_finds(l, store));
            bytes.data[i] = (char)(bytes.data[i] ^ (1 << bit));
        }
        overwrite(path, bytes.data, i);
        tell(l, file, "cut to bytes", i, fsck_finds(l, store));
    }
    overwrite(path, bytes.data, bytes.len);
    if (fsck_finds(l, store)) lab_fail(l, "%s: damage is found in a whole file", file);
    bl_buf_free(&bytes);
}

/* A store with one of the finished runs. */
static void one_run(lab *l, bl_store *store, char id[BL_RUN_ID]) {
    char from[BL_PATH + 32], to[BL_PATH + 32];
    bl_names names;
    bl_err err;
    lab_reset(l, NULL);
    if (bl_store_open(store, l->work, "one", true, &err) != BL_OK ||
        bl_path(from, &err, "%s/runs/%s", l->ref, lab_experiment) != BL_OK ||
        bl_dir_list(&names, from, &err) != BL_OK) {
        lab_fail(l, "%s", err.text);
        return;
    }
    for (size_t i = 0; i < names.count; i++)
        if (bl_store_is_run_id(names.name[i])) (void)snprintf(id, BL_RUN_ID, "%s", names.name[i]);
    bl_names_free(&names);
    (void)snprintf(from, sizeof from, "%s/runs/%s/%s", l->ref, lab_experiment, id);
    (void)snprintf(to, sizeof to, "%s/%s", store->dir, id);
    lab_copy(from, to);
}

/* A store of the experiment's name with its plan and its times alone: what fsck finds in these two
 * it finds by themselves, and a store of all runs would take minutes. */
static void plan_alone(lab *l, bl_store *store) {
    static const char *const names[] = {"plan.jsonl", "timing.json"};
    char from[BL_PATH + 32], to[BL_PATH + 32], root[BL_PATH];
    bl_err err;
    lab_reset(l, NULL);
    if (bl_path(root, &err, "%s/alone", l->work) != BL_OK ||
        bl_store_open(store, root, lab_experiment, true, &err) != BL_OK) {
        lab_fail(l, "%s", err.text);
        return;
    }
    for (size_t i = 0; i < BL_COUNT(names); i++) {
        (void)snprintf(from, sizeof from, "%s/runs/%s/%s", l->ref, lab_experiment, names[i]);
        (void)snprintf(to, sizeof to, "%s/%s", store->dir, names[i]);
        lab_copy(from, to);
    }
    if (fsck_finds(l, store)) lab_fail(l, "fsck finds damage in a whole plan");
    for (size_t i = 0; i < BL_COUNT(names); i++) damage_file(l, store, names[i]);
}

/* ---- what the next sweep makes of it ---- */

/* Removes what was set aside below the store; how many there were. */
static size_t forget_aside(const lab *l) {
    bl_names names;
    size_t n = 0;
    bl_err err;
    if (bl_dir_list(&names, l->runs, &err) != BL_OK) return 0;
    for (size_t i = 0; i < names.count; i++) {
        char path[BL_PATH];
        if (strstr(names.name[i], ".corrupt-") == NULL ||
            bl_path(path, &err, "%s/%s", l->runs, names.name[i]) != BL_OK)
            continue;
        lab_remove(path);
        n++;
    }
    bl_names_free(&names);
    return n;
}

/* Damages one byte of a file of the store `start`; the sweep then sets the run aside (if it has to)
 * and makes it anew. */
static void redo(lab *l, const char *start, const char *file, bool aside) {
    char path[BL_PATH], what[BL_PATH + 64];
    bl_buf bytes = {0};
    bl_err err;
    lab_reset(l, start);
    if (bl_path(path, &err, "%s/%s", l->runs, file) != BL_OK ||
        bl_file_read(&bytes, path, SIZE_MAX, &err) != BL_OK || bytes.len == 0) {
        lab_fail(l, "%s", err.text);
        return;
    }
    const size_t at = (size_t)lab_random(l, bytes.len);
    const unsigned bit = (unsigned)lab_random(l, 9); /* 8: cut */
    if (bit < 8) bytes.data[at] = (char)(bytes.data[at] ^ (1 << bit));
    overwrite(path, bytes.data, bit < 8 ? bytes.len : at);
    bl_buf_free(&bytes);
    (void)snprintf(what, sizeof what, "%s %s %zu", file,
                   bit < 8 ? "flipped in byte" : "cut to bytes", at);
    const ending e = lab_sweep(l, NULL);
    const size_t n = forget_aside(l);
    l->damages++;
    l->found += n == (aside ? 1 : 0);
    if (n != (aside ? 1 : 0)) lab_fail(l, "%s: %zu runs set aside: %s", what, n, e.said);
    (void)lab_recovers(l, what, false);
}

static bool ends_with(const char *text, const char *end) {
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Files of the store below `start` whose name ends so, each damaged a few times. */
static void redo_all(lab *l, const char *start, const char *end, bool aside, size_t most) {
    char runs[BL_PATH];
    (void)snprintf(runs, sizeof runs, "%.900s/runs/%s", start, lab_experiment);
    lab_files files = lab_list(runs);
    size_t done = 0;
    for (size_t i = 0; done < most && l->failures <= LAB_MOST_FAILURES; i++) {
        if (i >= files.count && done == 0) break;
        if (!ends_with(files.path[i % files.count], end)) continue;
        redo(l, start, files.path[i % files.count], aside);
        done++;
    }
    if (done == 0) lab_fail(l, "%s has no %s", start, end);
    free(files.path);
}

/* The one of the two that was kept. */
static const char *checkpoint_of(const bl_store *store, const char *id, char file[64]) {
    char path[BL_PATH + 64];
    (void)snprintf(file, 64, "%s/checkpoint-A", id);
    (void)snprintf(path, sizeof path, "%s/%s", store->dir, file);
    if (!bl_file_exists(path)) file[strlen(file) - 1] = 'B';
    return file;
}

void part_corruption(lab *l) {
    static const char *const names[] = {"result.json", "log.jsonl.gz", "run.json"};
    bl_store store;
    char id[BL_RUN_ID] = "", stopped[BL_PATH], file[64];
    one_run(l, &store, id);
    if (fsck_finds(l, &store)) lab_fail(l, "fsck finds damage in a whole store");
    for (size_t i = 0; i < BL_COUNT(names); i++) {
        (void)snprintf(file, sizeof file, "%s/%s", id, names[i]);
        damage_file(l, &store, file);
    }
    damage_file(l, &store, checkpoint_of(&store, id, file));
    plan_alone(l, &store);
    const size_t lanes = (size_t)l->lanes, most = l->full ? (200 + lanes - 1) / lanes : 3;
    redo_all(l, l->ref, "/result.json", true, most);
    redo_all(l, l->ref, "/log.jsonl.gz", true, most);
    /* Caches and what is written anew every time decide nothing. */
    redo_all(l, l->ref, "index.csv", false, most);
    redo_all(l, l->ref, "plan.jsonl", false, most);
    redo_all(l, l->ref, "timing.json", false, most);
    lab_stop_midway(l, stopped);
    redo_all(l, stopped, "/checkpoint-A", false, most);
    redo_all(l, stopped, "/log.jsonl.part", false, most);
}
