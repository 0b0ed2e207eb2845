/* machine.json, which `batchlab machine` writes, into the model: what fits, how a step's time
 * divides, where it goes.
 *
 * Numbers that the file lacks are NAN, and texts are cut at their place's length: the file may be
 * of an older program. A file of another experiment or preset counts as none. */
#include "engine/report/machine_read.h"
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/base/seal.h"
#include "engine/report/timing_read.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FILE_LIMIT = 16 << 20, FORMAT = 1 };

const char *const bl_report_phase_names[] = {"gather", "forward", "backward", "optimizer"};
_Static_assert(BL_COUNT(bl_report_phase_names) == BL_REPORT_PHASE_KINDS, "a name for each");

static double number(const bl_json *object, const char *key) {
    return bl_json_number(object, key, (double)NAN);
}

#define TEXT(out, object, key)                                                                     \
    ((void)snprintf((out), sizeof(out), "%s", bl_json_text((object), (key), "")))

static int by_size(const void *pa, const void *pb) {
    const bl_report_probe *a = pa, *b = pb;
    return (a->batch_size > b->batch_size) - (a->batch_size < b->batch_size);
}

static void read_probes(bl_report_machine *m, const bl_json *probes) {
    if (probes == NULL || probes->count == 0) return;
    m->probe = bl_xalloc(probes->count * sizeof *m->probe);
    for (const bl_json *p = probes->first; p != NULL; p = p->next)
        m->probe[m->probes++] = (bl_report_probe){number(p, "batch_size"), number(p, "bytes"),
                                                  bl_json_bool(p, "ran", false)};
    qsort(m->probe, m->probes, sizeof *m->probe, by_size);
}

static void read_phases(bl_report_machine *m, const bl_json *phases) {
    const bl_json *p = phases != NULL ? phases->first : NULL;
    for (; p != NULL && m->phase_count < BL_REPORT_PHASES; p = p->next) {
        bl_report_phases *out = &m->phases[m->phase_count++];
        const bl_json *loops = bl_json_get(p, "loops");
        *out = (bl_report_phases){.batch_size = number(p, "batch_size"),
                                  .step = number(p, "step"),
                                  .evaluation = number(p, "evaluation"),
                                  .whole = number(loops, "whole"),
                                  .same_batch = number(loops, "same_batch"),
                                  .gather = number(loops, "gather"),
                                  .of_multiply_adds = number(p, "of_peak_multiply_adds"),
                                  .of_bytes = number(p, "of_peak_bytes"),
                                  .waits_for_data = number(p, "waits_for_data")};
        for (size_t k = 0; k < BL_REPORT_PHASE_KINDS; k++)
            out->phase[k] = number(p, bl_report_phase_names[k]);
        TEXT(out->bound, p, "bound");
        const bl_json *layers = bl_json_get(p, "dearest_layers");
        const bl_json *l = layers != NULL ? layers->first : NULL;
        for (; l != NULL && out->layers < BL_REPORT_LAYERS; l = l->next) {
            bl_report_layer_time *layer = &out->layer[out->layers++];
            TEXT(layer->name, l, "name");
            layer->seconds = number(l, "forward") + number(l, "backward");
        }
    }
}

static void read_all(bl_report_machine *m, const bl_json *root) {
    const bl_json *limit = bl_json_get(root, "limit");
    m->known = true;
    m->limit = number(limit, "bytes");
    m->kept_free = number(limit, "kept_free");
    TEXT(m->source, limit, "source");
    TEXT(m->note, limit, "note");
    read_probes(m, bl_json_get(root, "probes"));
    m->parameters = bl_json_number(root, "parameters", 0);
    m->largest = bl_json_number(root, "largest", 0);
    m->largest_bytes = number(root, "largest_bytes");
    m->failed = bl_json_number(root, "failed", 0);
    TEXT(m->because, root, "failed_because");
    m->most = number(root, "most");
    m->out_of_time = bl_json_bool(root, "out_of_time", false);
    m->peak_multiply_adds = number(root, "peak_multiply_adds");
    read_phases(m, bl_json_get(root, "phases"));
    m->piece = bl_json_number(root, "piece", 0);
    m->pieced = bl_json_number(root, "pieced_batch", 0);
    m->in_pieces = (bl_stats_value){.value = number(root, "in_pieces"),
                                    .low = number(root, "in_pieces_low"),
                                    .high = number(root, "in_pieces_high"),
                                    .known = m->piece > 0};
}

/* Each preset has sizes and a net of its own. */
static bool is_of(const bl_report_model *m, const bl_json *root) {
    return strcmp(bl_json_text(root, "experiment", ""), m->plan.head.experiment) == 0 &&
           strcmp(bl_json_text(root, "preset", ""), m->plan.head.preset) == 0;
}

bl_status bl_report_machine_read(bl_report_model *model, const char *run_dir, bl_err *err) {
    char path[BL_PATH];
    bl_buf text = {0};
    bl_json_doc doc = {0};
    bl_status status = BL_OK;
    BL_TRY(bl_path(path, err, "%s/machine.json", run_dir));
    BL_GOTO(bl_file_read(&text, path, FILE_LIMIT, err));
    if (!bl_seal_holds(bl_buf_text(&text), text.len))
        BL_GOTO(BL_ERR(err, BL_EDAMAGED,
                       "%s: its seal does not hold: something changed it after it was written; "
                       "`batchlab machine %s` makes it again",
                       path, model->plan.head.experiment));
    BL_GOTO(bl_json_parse(&doc, bl_buf_text(&text), text.len, path, 1, err));
    if (bl_json_int(doc.root, "format", 0) == FORMAT && is_of(model, doc.root))
        read_all(&model->machine, doc.root);
done:
    bl_json_free(&doc);
    bl_buf_free(&text);
    return status == BL_EMISSING ? BL_OK : status;
}

bool bl_report_is_too_large(const bl_report_model *m, double batch_size) {
    return m->machine.known && m->machine.failed > 0 && batch_size >= m->machine.failed;
}

bl_status bl_report_machine_model(bl_report_model *m, const char *run_dir, const bl_plan_head *head,
                                  bl_err *err) {
    *m = (bl_report_model){.main.target = (double)NAN, .main_series = BL_NO_SERIES, .threads = 1};
    m->plan.head = *head;
    bl_status status = bl_report_timing_read(m, run_dir, BL_REPORT_MACHINE_TIMES, err);
    if (status == BL_OK) status = bl_report_machine_read(m, run_dir, err);
    if (status != BL_OK) bl_report_model_free(m);
    return status;
}
