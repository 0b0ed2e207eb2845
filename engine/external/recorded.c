#include "engine/external/recorded.h"
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/base/sha256.h"
#include "engine/base/vec.h"
#include "engine/data/table/csv.h"
#include "engine/external/external_log.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FILE_LIMIT = 1 << 30, COLUMNS = 4 };
static const char *const k_columns[COLUMNS] = {"step", "value", "loss", "seconds"};

struct bl_recorded {
    bl_config config;
    bl_recorded_row *row;
    size_t rows, at; /* how many there are, how many were given out */
    bl_train_state now;
    bl_buf log;
};

/* ---- names and texts ---- */

void bl_recorded_name(char out[BL_RECORDED_NAME], const bl_config *config) {
    char rate[32], digest[BL_SHA256_HEX] = "";
    const char *settings = config->external.settings;
    bl_json_f64_text(rate, config->train.learning_rate);
    if (settings[0] != '\0') bl_sha256_of(settings, strlen(settings), digest);
    (void)snprintf(out, BL_RECORDED_NAME, "b%" PRId64 "-lr%s-s%" PRId64 "%s%.8s.csv",
                   config->train.batch_size, rate, config->train.seed,
                   settings[0] != '\0' ? "-" : "", digest);
}

/* What is not finite is an empty field. */
static void add_number(bl_buf *out, double x) {
    bl_buf_str(out, ",");
    if (isfinite(x)) bl_json_f64(out, x);
}

/* A value that is not finite is written out: an empty field is none. */
void bl_recorded_text(bl_buf *out, const bl_recorded_row *row, size_t count) {
    bl_buf_str(out, "step,value,loss,seconds\n");
    for (size_t i = 0; i < count; i++) {
        bl_buf_printf(out, "%" PRId64, row[i].step);
        add_number(out, row[i].value);
        if (!isfinite(row[i].value)) bl_buf_str(out, "nan");
        add_number(out, row[i].loss);
        add_number(out, row[i].seconds);
        bl_buf_str(out, "\n");
    }
}

/* ---- reading ---- */

static double number_of(const bl_csv *csv, size_t column) {
    double x;
    return bl_csv_number(csv->field[column], &x) ? x : (double)NAN;
}

static bl_status check_head(const bl_csv *csv, const char *path, bl_err *err) {
    bool same = csv->count == COLUMNS;
    for (size_t i = 0; i < COLUMNS && same; i++)
        same = csv->field[i].n == strlen(k_columns[i]) &&
               memcmp(csv->field[i].text, k_columns[i], csv->field[i].n) == 0;
    if (same) return BL_OK;
    BL_FAIL(err, BL_EFORMAT, "%s:1: the header has to be step,value,loss,seconds", path);
}

static bl_status take_row(bl_recorded *x, const bl_csv *csv, const char *path, bl_err *err) {
    const int64_t before = x->rows > 0 ? x->row[x->rows - 1].step : 0;
    if (csv->count != COLUMNS)
        BL_FAIL(err, BL_EFORMAT, "%s:%zu: %zu fields under %d columns", path, csv->line, csv->count,
                COLUMNS);
    const double step = number_of(csv, 0);
    if (!(step > (double)before) || step != floor(step) || step >= 0x1p53)
        BL_FAIL(err, BL_EFORMAT, "%s:%zu: steps are whole numbers that ascend from 1", path,
                csv->line);
    *BL_PUSH(x->row, x->rows, "evaluations") =
        (bl_recorded_row){(int64_t)step, number_of(csv, 1), number_of(csv, 2), number_of(csv, 3)};
    return BL_OK;
}

/* The rows of a file, into x->row. Without any it is BL_EFORMAT. */
static bl_status read_rows(bl_recorded *x, const char *path, bl_err *err) {
    bl_buf text = {0};
    bl_csv csv;
    bool more;
    BL_TRY(bl_file_read(&text, path, FILE_LIMIT, err));
    bl_csv_init(&csv, bl_buf_text(&text), text.len, path, ',');
    bl_status status = bl_csv_row(&csv, &more, err);
    if (status == BL_OK) status = check_head(&csv, path, err);
    while (status == BL_OK) {
        status = bl_csv_row(&csv, &more, err);
        if (status != BL_OK || !more) break;
        status = take_row(x, &csv, path, err);
    }
    if (status == BL_OK && x->rows == 0)
        status = BL_ERR(err, BL_EFORMAT, "%s has no evaluation", path);
    bl_csv_free(&csv);
    bl_buf_free(&text);
    return status;
}

/* A file of the imported runs: their folder is relative to the experiment's. */
static bl_status path_of(char out[BL_PATH], const bl_config *c, const char *name, bl_err *err) {
    const char *dir = c->external.imported;
    if (dir[0] == '/') return bl_path(out, err, "%s/%s", dir, name);
    return bl_path(out, err, "%s/%s/%s", c->external.folder, dir, name);
}

/* ---- the run ---- */

bl_status bl_recorded_open(bl_recorded **out, const bl_config *config, const char *run_id,
                           bl_err *err) {
    char name[BL_RECORDED_NAME], path[BL_PATH], rate[32];
    *out = NULL;
    bl_recorded_name(name, config);
    bl_json_f64_text(rate, config->train.learning_rate);
    BL_TRY(path_of(path, config, name, err));
    if (!bl_file_exists(path))
        BL_FAIL(err, BL_EMISSING,
                "none of the imported runs has batch size %" PRId64 ", learning rate %s, seed "
                "%" PRId64 " and these settings (%s), and nothing here can train it",
                config->train.batch_size, rate, config->train.seed, config->external.imported);
    bl_recorded *x = bl_xalloc(sizeof *x);
    x->config = *config;
    x->now.value = x->now.train_loss = x->now.batch_mean = (double)NAN;
    const bl_status status = read_rows(x, path, err);
    if (status != BL_OK) {
        bl_recorded_close(x);
        return status;
    }
    bl_external_log_header(&x->log, config, run_id);
    *out = x;
    return BL_OK;
}

void bl_recorded_close(bl_recorded *x) {
    if (x == NULL) return;
    free(x->row);
    bl_buf_free(&x->log);
    free(x);
}

void bl_recorded_advance(bl_recorded *x) {
    if (x->now.diverged || x->now.ended) return;
    const bl_recorded_row *row = &x->row[x->at++];
    bl_external_log_eval(&x->log, &x->now, &x->config, row->step, row->value, row->loss);
    if (x->at == x->rows && !x->now.diverged) bl_external_log_end(&x->log, &x->now);
}

const bl_train_state *bl_recorded_now(const bl_recorded *x) {
    return &x->now;
}

const bl_buf *bl_recorded_log(const bl_recorded *x) {
    return &x->log;
}

/* ---- time ---- */

/* NAN: fewer than two rows have seconds. */
static double seconds_per_step(const bl_recorded *x) {
    const bl_recorded_row *first = NULL, *last = NULL;
    for (size_t i = 0; i < x->rows; i++) {
        if (isnan(x->row[i].seconds)) continue;
        if (first == NULL) first = &x->row[i];
        last = &x->row[i];
    }
    if (first == NULL || last == first || !(last->seconds > first->seconds)) return (double)NAN;
    return (last->seconds - first->seconds) / (double)(last->step - first->step);
}

/* The files of a batch size begin with the same letters. NAN: the file has no times. */
static bl_status time_of(double *out, const bl_config *config, const char *name, bl_err *err) {
    char path[BL_PATH];
    bl_recorded x = {0};
    BL_TRY(path_of(path, config, name, err));
    const bl_status status = read_rows(&x, path, err);
    *out = seconds_per_step(&x);
    free(x.row);
    return status;
}

/* Seconds per step of one of the size's runs: repeats go round the runs that have times, in the
 * order of their files' names (b64-... for batch size 64). Files behind the one that is asked
 * for are not read. */
bl_status bl_recorded_time(double *out, const bl_config *config, size_t repeat, bl_err *err) {
    char dir[BL_PATH], begin[32];
    bl_names names;
    double *timed = NULL;
    size_t count = 0;
    const int n = snprintf(begin, sizeof begin, "b%" PRId64 "-", config->train.batch_size);
    BL_TRY(path_of(dir, config, "", err));
    BL_TRY(bl_dir_list(&names, dir, err));
    bl_status status = BL_OK;
    for (size_t i = 0; i < names.count && status == BL_OK && count <= repeat; i++) {
        double one;
        if (strncmp(names.name[i], begin, (size_t)n) != 0) continue;
        status = time_of(&one, config, names.name[i], err);
        if (status == BL_OK && !isnan(one)) *BL_PUSH(timed, count, "times") = one;
    }
    bl_names_free(&names);
    if (status == BL_OK && count == 0)
        status = BL_ERR(err, BL_EUNSUPPORTED, "the imported runs have no times");
    if (status == BL_OK) *out = timed[repeat % count];
    free(timed);
    return status;
}
