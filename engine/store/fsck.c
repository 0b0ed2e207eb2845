/* One table says how each file of a store is checked, and whether the whole run goes with it:
 * run.json by its digest, which the folder's name begins with; result.json by its seal; the log by
 * what the result says of it, or, alone, by its footer and by packing its text once more;
 * checkpoints by their trailers; the rest by being whole and well-formed. A folder or FIFO in a
 * file's place is damage, too.
 *
 * Repair deletes no result. It sets aside (NAME.corrupt-N) what is damaged, a run under its claim,
 * and removes leftovers as bl_store_remove_leftover does. Another process may be at work all the
 * while: what vanishes between listing and reading is no finding, and a file is judged by a second
 * look before it is called gone. */
#include "engine/store/fsck.h"
#include "engine/base/gzip.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/base/seal.h"
#include "engine/plan/plan.h"
#include "engine/store/noise_file.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_LIMIT = 1 << 30, WRITER_IS_GONE = 3600 };

typedef struct folder {
    const bl_store *store;
    bl_fsck *fsck;
    char dir[BL_PATH]; /* the run's folder, or the store's */
    const char *run;   /* NULL: the store's own files */
    bool aside;        /* the run's folder was set aside: there is nothing left to read */
} folder;

/* Counts a finding and tells it. */
static void found(folder *w, bl_finding_kind kind, const char *path, const char *what,
                  const char *done) {
    bl_fsck *f = w->fsck;
    *(kind == BL_FOUND_DAMAGE     ? &f->damage
      : kind == BL_FOUND_LEFTOVER ? &f->leftovers
                                  : &f->aside) += 1;
    f->mended += kind == BL_FOUND_DAMAGE && done[0] != '\0';
    if (f->found != NULL) f->found(f->ctx, &(bl_finding){kind, path, what, done});
}

/* ---- what may be wrong with one file ---- */

static bl_status no_more(void *ctx, const bl_jsonl_line *line, bl_err *err) {
    (void)ctx, (void)line, (void)err;
    return BL_OK;
}

/* Is each line JSON? */
static bl_status check_lines(const char *text, size_t n, const char *path, bl_err *err) {
    return bl_jsonl_each(text, n, path, no_more, NULL, err);
}

/* Timings: of format 2 with a seal, older ones without. */
static bl_status check_sealed(folder *w, const char *path, bl_err *err) {
    (void)w;
    bl_buf text = {0};
    bl_json_doc doc = {0};
    bl_status status = bl_file_read(&text, path, TEXT_LIMIT, err);
    if (status == BL_OK) status = bl_json_parse(&doc, bl_buf_text(&text), text.len, path, 1, err);
    const bool unsealed =
        bl_json_int(doc.root, "format", 0) == 1 && bl_json_get(doc.root, "sha256") == NULL;
    if (status == BL_OK && !unsealed && !bl_seal_holds(text.data, text.len))
        status = BL_ERR(err, BL_EFORMAT, "%s: its seal does not hold", path);
    bl_json_free(&doc);
    bl_buf_free(&text);
    return status;
}

/* What the plan says of its runs, as far as these are there and sound: their own damage is theirs.
 */
static bl_status check_trials(folder *w, const bl_plan_doc *plan, const char *path, bl_err *err) {
    for (size_t i = 0; i < plan->trial_count; i++) {
        const bl_plan_trial *t = &plan->trials[i];
        bl_stored run;
        bl_err ignored;
        if (bl_plan_first_trial(plan, t->run) != i) continue; /* all of a run with its first */
        bl_status status = bl_store_load(w->store, t->run, &run, &ignored);
        const bool there = status == BL_OK && run.done;
        status = BL_OK;
        for (size_t k = i; there && status == BL_OK && k != SIZE_MAX; k = plan->trials[k].next)
            status = bl_plan_check_trial(&plan->trials[k], &run.parsed, path, err);
        bl_stored_free(&run);
        BL_TRY(status);
    }
    return BL_OK;
}

/* One without a seal is older than seals: its lines are JSON, and that is all there is to know. */
static bl_status check_plan(folder *w, const char *path, bl_err *err) {
    bl_buf text = {0};
    bl_plan_doc plan = {0};
    bool sealed = false;
    bl_status status;
    BL_GOTO(bl_file_read(&text, path, TEXT_LIMIT, err));
    const size_t bytes = bl_plan_sealed_bytes(bl_buf_text(&text), text.len, &sealed);
    if (!sealed) {
        status = check_lines(bl_buf_text(&text), bytes, path, err);
        goto done;
    }
    BL_GOTO(bl_plan_read(&plan, w->dir, err));
    status = check_trials(w, &plan, path, err);
done:
    bl_plan_free(&plan);
    bl_buf_free(&text);
    return status == BL_EDAMAGED ? BL_EFORMAT : status;
}

/* A part that is cut off, or whose digest is not its text's, tells nothing to anybody. */
static bl_status check_part(folder *w, const char *path, bl_err *err) {
    (void)w;
    bl_buf text = {0};
    bl_runlog log = {0};
    bl_status status = bl_file_read(&text, path, TEXT_LIMIT, err);
    if (status == BL_OK) status = bl_runlog_parse(&log, bl_buf_text(&text), text.len, path, err);
    bl_runlog_free(&log);
    bl_buf_free(&text);
    return status;
}

static bl_status check_timing(folder *w, const char *path, bl_err *err) {
    (void)w;
    bl_buf text = {0};
    bl_status status = bl_runlog_read(&text, path, err);
    if (status == BL_OK) status = check_lines(bl_buf_text(&text), text.len, path, err);
    bl_buf_free(&text);
    return status;
}

static bl_status check_checkpoint(folder *w, const char *path, bl_err *err) {
    (void)w;
    return bl_store_check_checkpoint(path, err);
}

/* The text whose digest begins with the folder's name. */
static bl_status check_identity(folder *w, const char *path, bl_err *err) {
    bl_map map;
    char digest[BL_SHA256_HEX];
    BL_TRY(bl_file_map(&map, path, err));
    bl_sha256_of(map.data, map.size, digest);
    bl_file_unmap(&map);
    if (strncmp(digest, w->run + 1, BL_RUN_ID - 2) != 0)
        BL_FAIL(err, BL_EFORMAT, "%s: its digest is not the run's id", path);
    return BL_OK;
}

/* A log without a result, or one that goes on beyond it, has nobody who vouches for the packed
 * file: the same text packs to the same bytes with the zlib that wrote it. */
static bl_status check_alone(const char *path, const char *id, bl_err *err) {
    bl_map map;
    bl_buf text = {0}, packed = {0};
    bl_runlog log = {0};
    bl_status status;
    BL_TRY(bl_file_map(&map, path, err));
    BL_GOTO(bl_gunzip_one(&text, map.data, map.size, BL_RUNLOG_LIMIT, path, err));
    BL_GOTO(bl_runlog_parse(&log, bl_buf_text(&text), text.len, path, err));
    BL_GOTO(bl_gzip(&packed, text.data, text.len, err));
    if (!log.whole || strcmp(log.run, id) != 0)
        status = BL_ERR(err, BL_EFORMAT, "%s: not the whole log of run %s", path, id);
    else if (packed.len != map.size || memcmp(packed.data, map.data, map.size) != 0)
        status =
            BL_ERR(err, BL_EFORMAT, "%s: its text is whole, but packs to other bytes here", path);
done:
    bl_runlog_free(&log);
    bl_buf_free(&packed);
    bl_buf_free(&text);
    bl_file_unmap(&map);
    return status;
}

static bl_status check_log(folder *w, const char *path, bl_err *err) {
    bl_stored run;
    BL_TRY(bl_store_load(w->store, w->run, &run, err));
    const bool vouched = run.done && !run.log_ahead, damaged = run.damaged;
    bl_stored_free(&run);
    if (damaged) return BL_EFORMAT;
    return vouched ? BL_OK : check_alone(path, w->run, err);
}

static bl_status check_noise(folder *w, const char *path, bl_err *err) {
    (void)path;
    return bl_store_check_noise(w->store, w->run, err);
}

/* The result speaks of the log, and reading both is one check. It speaks of probes, too: where
 * their file lies beside it, that has its own row. */
static bl_status check_result(folder *w, const char *path, bl_err *err) {
    char other[BL_PATH];
    BL_TRY(bl_path(other, err, "%s/run.json", w->dir));
    if (!bl_file_exists(other)) BL_FAIL(err, BL_EFORMAT, "%s: run.json is not beside it", path);
    BL_TRY(bl_path(other, err, "%s/log.jsonl.gz", w->dir));
    if (!bl_file_exists(other) && !bl_file_is_other(other))
        BL_FAIL(err, BL_EFORMAT, "%s: its log is gone", path);
    BL_TRY(check_log(w, other, err));
    BL_TRY(bl_path(other, err, "%s/%s", w->dir, BL_STORE_NOISE_FILE));
    return bl_file_exists(other) || bl_file_is_other(other) ? BL_OK : check_noise(w, other, err);
}

/* One row a file that a store may hold. */
static const struct file_check {
    const char *name;
    bl_status (*check)(folder *w, const char *path, bl_err *err);
    bool whole_run; /* the run is set aside with it, and done again; else only the file */
} k_of_run[] =
    {
        {"run.json",          check_identity,   true },
        {"result.json",       check_result,     true },
        {"log.jsonl.gz",      check_log,        true },
        {"log.jsonl.part",    check_part,       false},
        {"checkpoint-A",      check_checkpoint, false},
        {"checkpoint-B",      check_checkpoint, false},
        {BL_STORE_NOISE_FILE, check_noise,      true },
        {"timing.jsonl.gz",   check_timing,     false},
},
  k_of_store[] = {
      {"plan.jsonl", check_plan, false},     {"timing.json", check_sealed, false},
      {"find.json", check_sealed, false},    {"machine_times.json", check_sealed, false},
      {"machine.json", check_sealed, false},
};

/* ---- one folder after another ---- */

/* Has the file or folder not changed for an hour, by the file server's clock? */
static bool is_old(const char *dir, const char *path) {
    bl_file_stamp stamp;
    double age;
    return bl_file_stat(&stamp, path) &&
           bl_claim_server_age(dir, 1e-9 * (double)stamp.mtime_ns, &age) && age > WRITER_IS_GONE;
}

bool bl_store_is_leftover(const char *dir, const char *name) {
    char path[BL_PATH];
    const bool temporary = strstr(name, BL_TEMPORARY) != NULL;
    if (strcmp(name, "claim.d") != 0 && !temporary) return false;
    const bl_claim_state claim = bl_claim_state_of(dir);
    if (!temporary) return claim == BL_CLAIM_STALE || claim == BL_CLAIM_EMPTY;
    if (bl_file_is_abandoned(name)) return true;
    return claim != BL_CLAIM_HELD && bl_path(path, NULL, "%s/%s", dir, name) == BL_OK &&
           is_old(dir, path);
}

bl_status bl_store_remove_leftover(const char *dir, const char *name, bl_err *err) {
    char path[BL_PATH];
    bool cleared;
    if (strcmp(name, "claim.d") == 0) return bl_claim_clear(dir, &cleared, err);
    BL_TRY(bl_path(path, err, "%s/%s", dir, name));
    return bl_remove_tree(path, err);
}

/* "" when another process is at work on the run: it finds the damage itself. */
static bl_status set_run_aside(const folder *w, const char **done, bl_err *err) {
    bl_claims *claims = bl_claims_open();
    bl_claim *claim;
    bl_status status = bl_claim_acquire(claims, w->dir, &claim, err);
    if (status == BL_OK && claim != NULL) {
        status = bl_store_set_aside(w->store, claim, w->run, err);
        *done = "the run was set aside; the next run does it again";
    }
    bl_claims_close(claims);
    return status;
}

/* One row of the table. *err is filled only where the system refuses; damage is a finding. */
static bl_status check_file(folder *w, const struct file_check *c, bl_err *err) {
    char path[BL_PATH];
    bl_err why = {0};
    BL_TRY(bl_path(path, err, "%s/%s", w->dir, c->name));
    if (!bl_file_exists(path) && !bl_file_is_other(path)) return BL_OK;
    bl_status status = c->check(w, path, &why);
    status = bl_store_or_damage(status, path);
    /* Gone meanwhile: its writer is at work. */
    if (status == BL_OK || (status == BL_EMISSING && !bl_file_exists(path))) return BL_OK;
    if (status != BL_EFORMAT && status != BL_EMISSING) {
        *err = why;
        return status;
    }
    const char *done = "";
    if (w->fsck->repair && c->whole_run) {
        BL_TRY(set_run_aside(w, &done, err));
    } else if (w->fsck->repair && bl_claim_state_of(w->dir) != BL_CLAIM_HELD) {
        BL_TRY(bl_file_set_aside(path, err));
        done = "the file was set aside";
    }
    found(w, BL_FOUND_DAMAGE, path, why.text, done);
    /* The result and its log are one damage. */
    w->aside = w->aside || c->whole_run;
    return BL_OK;
}

/* All of one folder: what lies around in it, then the files of its table. */
static bl_status check_folder(folder *w, const struct file_check *table, size_t rows, bl_err *err) {
    bl_names names;
    bl_status status = bl_dir_list(&names, w->dir, err);
    /* Set aside or removed by another process meanwhile. */
    if (status == BL_EMISSING) return BL_OK;
    BL_TRY(status);
    for (size_t i = 0; status == BL_OK && i < names.count; i++) {
        char path[BL_PATH];
        status = bl_path(path, err, "%s/%s", w->dir, names.name[i]);
        if (status != BL_OK) break;
        if (strstr(names.name[i], ".corrupt-") != NULL)
            found(w, BL_FOUND_ASIDE, path, "set aside as damaged; `batchlab gc` removes it", "");
        if (!bl_store_is_leftover(w->dir, names.name[i])) continue;
        if (w->fsck->repair) status = bl_store_remove_leftover(w->dir, names.name[i], err);
        if (status != BL_OK) break;
        found(w, BL_FOUND_LEFTOVER, path, "left behind by a writer that is gone",
              w->fsck->repair ? "removed" : "");
    }
    bl_names_free(&names);
    for (size_t i = 0; status == BL_OK && i < rows && !w->aside; i++)
        status = check_file(w, &table[i], err);
    return status;
}

bl_status bl_store_fsck(const bl_store *store, bl_fsck *fsck, bl_err *err) {
    folder top = {.store = store, .fsck = fsck};
    bl_names names;
    BL_TRY(bl_path(top.dir, err, "%s", store->dir));
    BL_TRY(check_folder(&top, k_of_store, BL_COUNT(k_of_store), err));
    BL_TRY(bl_dir_list(&names, store->dir, err));
    bl_status status = BL_OK;
    for (size_t i = 0; status == BL_OK && i < names.count; i++) {
        if (!bl_store_is_run_id(names.name[i])) continue;
        folder w = {.store = store, .fsck = fsck, .run = names.name[i]};
        status = bl_path(w.dir, err, "%s/%s", store->dir, names.name[i]);
        if (status == BL_OK) status = check_folder(&w, k_of_run, BL_COUNT(k_of_run), err);
        fsck->runs++;
    }
    bl_names_free(&names);
    return status;
}
