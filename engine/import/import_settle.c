/* What the files said becomes what batchlab needs: whole numbers, steps in order, one run for each
 * set of parameters. */
#include "engine/base/mem.h"
#include "engine/base/run_id.h"
#include "engine/data/table/csv.h"
#include "engine/import/import_names.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_BATCH = 1 << 24 };
/* What experiment.cfg and the fits take (engine/config/schema.c). */
static const double k_largest_rate = 1e6, k_largest_value = 1e200;
static const int64_t k_most_steps = 1000000000000000;

/* ---- evaluations ---- */

static int by_step(const void *a, const void *b) {
    const bl_recorded_row *x = a, *y = b;
    return (x->step > y->step) - (x->step < y->step);
}

/* Of several evaluations at one step the last that was read counts: a run that was resumed writes
 * some steps again. Merging keeps their order. */
static void sort_rows(bl_import_run *run) {
    bool ascends = true;
    for (size_t i = 1; i < run->rows && ascends; i++)
        ascends = run->row[i - 1].step <= run->row[i].step;
    if (ascends) return;
    bl_recorded_row *row = run->row, *merged = bl_xalloc(run->rows * sizeof *merged);
    for (size_t width = 1; width < run->rows; width *= 2) {
        for (size_t low = 0; low < run->rows; low += 2 * width) {
            const size_t middle = bl_size_min(low + width, run->rows);
            const size_t high = bl_size_min(low + 2 * width, run->rows);
            size_t a = low, b = middle;
            for (size_t k = low; k < high; k++)
                merged[k] = b >= high || (a < middle && by_step(&row[a], &row[b]) <= 0) ? row[a++]
                                                                                        : row[b++];
        }
        memcpy(row, merged, run->rows * sizeof *row);
    }
    free(merged);
}

/* Steps from 1 on, each once, up to the first value that is not finite. One that is too large to
 * be a target counts as such. */
static void settle_rows(bl_import *in, bl_import_run *run) {
    size_t kept = 0;
    sort_rows(run);
    for (size_t i = 0; i < run->rows; i++) {
        bl_recorded_row row = run->row[i];
        if (!(fabs(row.value) <= k_largest_value)) row.value = (double)NAN;
        if (row.step < 1) {
            in->early++;
            continue;
        }
        const bool again = kept > 0 && run->row[kept - 1].step == row.step;
        in->again += again;
        if (!again && kept > 0 && isnan(run->row[kept - 1].value)) break;
        run->row[again ? kept - 1 : kept++] = row;
    }
    run->rows = kept;
}

static void drop_empty(bl_import *in) {
    size_t kept = 0;
    for (size_t i = 0; i < in->runs; i++) {
        if (in->run[i].rows > 0) {
            in->run[kept++] = in->run[i];
            continue;
        }
        in->empty++;
        free(in->run[i].row);
    }
    in->runs = kept;
}

/* Lower is better here: an accuracy becomes what it lacks. */
static bl_status turn(bl_import *in, bl_err *err) {
    double most = 0, least = 0;
    for (size_t i = 0; i < in->runs; i++)
        for (size_t k = 0; k < in->run[i].rows; k++) {
            most = fmax(most, in->run[i].row[k].value);
            least = fmin(least, in->run[i].row[k].value);
        }
    if (least < 0 || most > 100)
        BL_FAIL(err, BL_EINVAL,
                "--higher-is-better is for values from 0 to 1, or to 100; these go from %g to %g",
                least, most);
    const double from = most <= 1 ? 1 : 100;
    for (size_t i = 0; i < in->runs; i++)
        for (size_t k = 0; k < in->run[i].rows; k++)
            in->run[i].row[k].value = from - in->run[i].row[k].value;
    bl_buf name = {0};
    bl_buf_printf(&name, "%g - %s", from, in->metric != NULL ? in->metric : "value");
    in->metric = bl_chunks_text(&in->memory, bl_buf_text(&name));
    bl_buf_free(&name);
    return BL_OK;
}

/* ---- parameters ---- */

static bl_status number_of(const bl_import *in, const bl_import_run *run, size_t p, double *out,
                           bl_err *err) {
    const char *text = run->param[p];
    if (text == NULL)
        BL_FAIL(err, BL_EINVAL,
                "run %s (%s) has no %s: --map %s=COLUMN, --pattern or --runs says where it is",
                run->name, run->source, in->param[p], in->param[p]);
    if (!bl_csv_number((bl_csv_field){text, strlen(text)}, out))
        BL_FAIL(err, BL_EINVAL, "run %s (%s): %s '%.40s' is no number", run->name, run->source,
                in->param[p], text);
    return BL_OK;
}

static bl_status refuse(const bl_import *in, const bl_import_run *run, size_t p, const char *what,
                        bl_err *err) {
    BL_FAIL(err, BL_EINVAL, "run %s (%s): %s %.40s is %s", run->name, run->source, in->param[p],
            run->param[p], what);
}

/* A run may lack its seed (number_seeds gives one) and nothing else. */
static bl_status settle_params(const bl_import *in, bl_import_run *run, bl_err *err) {
    double size, rate, seed = 0;
    BL_TRY(number_of(in, run, BL_IMPORT_SIZE, &size, err));
    BL_TRY(number_of(in, run, BL_IMPORT_RATE, &rate, err));
    if (run->param[BL_IMPORT_SEED] != NULL) BL_TRY(number_of(in, run, BL_IMPORT_SEED, &seed, err));
    if (size != floor(size) || size < 1 || size > LARGEST_BATCH)
        return refuse(in, run, BL_IMPORT_SIZE, "no whole number from 1 to 16777216", err);
    if (!(rate > 0)) return refuse(in, run, BL_IMPORT_RATE, "not above 0", err);
    if (rate > k_largest_rate)
        return refuse(in, run, BL_IMPORT_RATE, "above 1000000, the largest rate", err);
    if (seed != floor(seed) || seed < 0 || seed >= 0x1p53)
        return refuse(in, run, BL_IMPORT_SEED, "no whole number from 0", err);
    if (run->row[run->rows - 1].step > k_most_steps)
        BL_FAIL(err, BL_EINVAL, "run %s (%s): step %" PRId64 " is above %" PRId64, run->name,
                run->source, run->row[run->rows - 1].step, k_most_steps);
    for (size_t p = BL_IMPORT_FIXED; p < in->params; p++)
        if (run->param[p] == NULL)
            BL_FAIL(err, BL_EINVAL, "run %s (%s) has no %s", run->name, run->source, in->param[p]);
    run->batch_size = (int64_t)size;
    run->learning_rate = rate;
    run->seed = (int64_t)seed;
    return BL_OK;
}

/* By all parameters but the seed. */
static int by_params(const bl_import_run *a, const bl_import_run *b) {
    if (a->batch_size != b->batch_size) return a->batch_size < b->batch_size ? -1 : 1;
    if (a->learning_rate != b->learning_rate) return a->learning_rate < b->learning_rate ? -1 : 1;
    for (size_t p = BL_IMPORT_FIXED; p < BL_IMPORT_PARAMS; p++) {
        const int order = bl_csv_compare(a->param[p] != NULL ? a->param[p] : "",
                                         b->param[p] != NULL ? b->param[p] : "");
        if (order != 0) return order;
    }
    return 0;
}

static int by_params_and_seed(const void *p, const void *q) {
    const bl_import_run *a = p, *b = q;
    const int params = by_params(a, b);
    if (params != 0) return params;
    if (a->seed != b->seed) return a->seed < b->seed ? -1 : 1;
    return strcmp(a->name, b->name);
}

/* Of n runs with the same parameters, sorted: those that say no seed get the lowest numbers that no
 * other says, in the order of their names. */
static void number_seeds(bl_import_run *run, size_t n) {
    int64_t next = 1;
    for (size_t i = 0, said = 0; i < n; i++) {
        if (run[i].param[BL_IMPORT_SEED] != NULL) continue;
        for (; said < n; said++) {
            if (run[said].param[BL_IMPORT_SEED] == NULL || run[said].seed < next) continue;
            if (run[said].seed > next) break;
            next++;
        }
        run[i].seed = next++;
    }
}

/* Sorts the runs, too: by batch size, rate, settings, seed. */
static bl_status settle_seeds(bl_import *in, bl_err *err) {
    qsort(in->run, in->runs, sizeof *in->run, by_params_and_seed);
    for (size_t i = 0, end; i < in->runs; i = end) {
        for (end = i + 1; end < in->runs && by_params(&in->run[i], &in->run[end]) == 0;) end++;
        number_seeds(&in->run[i], end - i);
    }
    qsort(in->run, in->runs, sizeof *in->run, by_params_and_seed);
    for (size_t i = 1; i < in->runs; i++) {
        const bl_import_run *run = &in->run[i], *before = run - 1;
        if (by_params(before, run) == 0 && before->seed == run->seed)
            BL_FAIL(err, BL_EINVAL,
                    "runs %s and %s have the same batch size %" PRId64
                    ", learning rate %g and seed "
                    "%" PRId64 ": --map NAME=COLUMN names a setting that tells them apart, and "
                    "--map seed= counts them as seeds",
                    before->name, run->name, run->batch_size, run->learning_rate, run->seed);
    }
    return BL_OK;
}

bl_status bl_import_settle(bl_import *in, bool higher, bl_err *err) {
    for (size_t i = 0; i < in->runs; i++) settle_rows(in, &in->run[i]);
    drop_empty(in);
    if (in->runs == 0)
        BL_FAIL(err, BL_EINVAL,
                "%zu files were read, and none has an evaluation: --metric names the column or tag",
                in->files);
    for (size_t i = 0; i < in->runs; i++) BL_TRY(settle_params(in, &in->run[i], err));
    BL_TRY(settle_seeds(in, err));
    if (in->metric == NULL) in->metric = "value";
    return higher ? turn(in, err) : BL_OK;
}

/* ---- targets ---- */

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* x in three digits, as the decimal number that is written so. */
static double three_digits(double x) {
    char text[32];
    (void)snprintf(text, sizeof text, "%.2e", x);
    return strtod(text, NULL);
}

/* Three digits, rounded up so that what was reached stays reached. */
static double round_up(double x) {
    if (x == 0 || !isfinite(x)) return x;
    const double near = three_digits(x);
    return near >= x ? near : three_digits(near + pow(10, floor(log10(fabs(x))) - 2));
}

/* The hardest value that some run of every batch size reached, less a part of what was gained since
 * the first evaluations: at the very end of a run its steps scatter most. */
void bl_import_targets(bl_import *in) {
    static const double harder = 0.05, easier = 0.3;
    double *first = bl_xalloc(in->runs * sizeof *first), level = -(double)INFINITY;
    size_t n = 0;
    for (size_t i = 0; i < in->runs;) {
        double best = (double)INFINITY;
        size_t k = i;
        for (; k < in->runs && in->run[k].batch_size == in->run[i].batch_size; k++) {
            if (!isnan(in->run[k].row[0].value)) first[n++] = in->run[k].row[0].value;
            for (size_t r = 0; r < in->run[k].rows; r++) best = fmin(best, in->run[k].row[r].value);
        }
        if (isfinite(best)) level = fmax(level, best);
        i = k;
    }
    qsort(first, n, sizeof *first, by_value);
    const double start = n > 0 ? fmax(first[n / 2], level) : level;
    in->targets[0] = round_up(level + easier * (start - level));
    in->targets[1] = round_up(level + harder * (start - level));
    free(first);
}
