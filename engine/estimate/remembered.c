/* A measured time is kept under a name that holds everything it depends on:
 *
 *     estimate-<16 hex digits>.json    of the SHA-256 of: the run's identity without rate and
 *                                      seed, processor, kernels and device, the program's
 *                                      size and time, micro-batch
 *
 * A new build, another processor or another kernel choice so has a name of its own, and nothing has
 * to be thrown away by hand. A file that cannot be read, is damaged or of another format counts as
 * not there. */
#include "engine/estimate/remembered.h"
#include "engine/base/json.h"
#include "engine/base/json_writer.h"
#include "engine/base/seal.h"
#include "engine/base/sha256.h"
#include "engine/store/store.h"
#include "engine/sweep/sweep.h"
#include <inttypes.h>
#include <string.h>

enum { FORMAT = 1, FILE_LIMIT = 1 << 16 };

/* The rate and the seed are set to fixed values: a step takes as long with any. */
bool bl_estimate_memory_path(char out[BL_PATH], const bl_estimate_place *place,
                             const bl_config *config) {
    if (place->memory_dir == NULL) return false;
    bl_config c = *config;
    char id[BL_RUN_ID], key[BL_SHA256_HEX], processor[128];
    bl_file_stamp program = {0};
    bl_buf text = {0};
    c.train.learning_rate = 1.0;
    c.train.seed = 0;
    bl_store_run_identity(&c, place->data->sha256, id, &text);
    bl_timing_processor(processor);
    (void)bl_file_stat(&program, "/proc/self/exe");
    bl_buf_printf(&text, "|%s|%s|%" PRId64 "|%" PRId64 "|%" PRId64, processor,
                  bl_computed_by(place->kernels, place->device_data), program.size,
                  program.mtime_ns, c.train.micro_batch);
    bl_sha256_of(text.data, text.len, key);
    bl_buf_free(&text);
    return bl_path(out, NULL, "%s/estimate-%.16s.json", place->memory_dir, key) == BL_OK;
}

bool bl_estimate_recall(bl_estimate_times *out, const char *path) {
    bl_buf text = {0};
    bl_json_doc doc = {0};
    bl_err ignored;
    const bool there = bl_file_exists(path) &&
                       bl_file_read(&text, path, FILE_LIMIT, &ignored) == BL_OK &&
                       bl_seal_holds(bl_buf_text(&text), text.len) &&
                       bl_json_parse(&doc, text.data, text.len, path, 1, &ignored) == BL_OK &&
                       bl_json_int(doc.root, "format", 0) == FORMAT;
    if (there)
        *out = (bl_estimate_times){bl_json_number(doc.root, "step", 0),
                                   bl_json_number(doc.root, "eval", 0)};
    bl_json_free(&doc);
    bl_buf_free(&text);
    return there && out->step > 0;
}

void bl_estimate_remember(const bl_estimate_times *times, const char *path) {
    bl_buf text = {0};
    bl_err ignored;
    char folder[BL_PATH];
    bl_jw w = bl_jw_open(&text);
    bl_jw_object(&w, NULL);
    bl_jw_i64(&w, "format", FORMAT);
    bl_jw_f64(&w, "step", times->step);
    bl_jw_f64(&w, "eval", times->eval);
    bl_seal(&text);
    if (bl_path(folder, NULL, "%s", path) == BL_OK && strrchr(folder, '/') != NULL) {
        *strrchr(folder, '/') = '\0';
        if (bl_make_dirs(folder, &ignored) == BL_OK)
            (void)!bl_file_write(path, text.data, text.len, &ignored);
    }
    bl_buf_free(&text);
}
