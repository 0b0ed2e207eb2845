/* Time per step, apart from the sweep: nothing else of ours runs, batch sizes take turns in an
 * order that changes from one repetition to the next, so that a slow spell of the machine meets all
 * of them. */
#include "engine/base/clock.h"
#include "engine/base/energy.h"
#include "engine/base/file.h"
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/base/philox.h"
#include "engine/base/seal.h"
#include "engine/external/external.h"
#include "engine/external/recorded.h"
#include "engine/stats/step_line.h"
#include "engine/sweep/sweep.h"
#include "engine/train/train.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FILE_LIMIT = 16 << 20, MOST_REPEATS = 1000, AGAIN_MOST = 3 };
static const double k_waits = 0.05; /* a repetition that waited for more is made again */

typedef struct point {
    int64_t batch_size;
    size_t memory_bytes; /* as planned */
    size_t device_bytes; /* as the device counted it, a queue's workspace included; 0: none */
    double seconds[MOST_REPEATS], joules; /* joules per step, NAN: not reported */
    double processor[MOST_REPEATS];       /* seconds of a step on the processor, NAN: on a device */
    double inference[MOST_REPEATS], inference_processor[MOST_REPEATS]; /* of a forward pass alone */
    bl_external *program; /* that waits between two repetitions; NULL: none */
} point;

void bl_timing_processor(char out[128]) {
    (void)snprintf(out, 128, "unknown");
    FILE *f = fopen("/proc/cpuinfo", "r");
    char line[256];
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || value == NULL) continue;
        value[strcspn(value, "\n")] = '\0';
        value++;
        (void)snprintf(out, 128, "%s", value + strspn(value, " "));
        break;
    }
    if (f != NULL) (void)fclose(f);
}

/* What a measurement is of: the run without its rate and seed, these batch sizes, and, unless
 * `anywhere`, this processor and these kernels. */
static void timing_key(const bl_timing_options *o, bool anywhere, char key[BL_SHA256_HEX]) {
    bl_config c = *o->config;
    char id[BL_RUN_ID], processor[128];
    c.train.batch_size = 1;
    c.train.learning_rate = 1.0;
    c.train.seed = 0;
    bl_buf text = {0};
    bl_store_run_identity(&c, o->data->sha256, id, &text);
    bl_timing_processor(processor);
    if (!anywhere)
        bl_buf_printf(&text, "%s|%s|%" PRId64, processor,
                      bl_computed_by(o->kernels, o->device_data), o->config->timing.repeats);
    for (size_t i = 0; i < o->count; i++) bl_buf_printf(&text, "|%" PRId64, o->batch_sizes[i]);
    if (c.train.micro_batch > 0) bl_buf_printf(&text, "|micro %" PRId64, c.train.micro_batch);
    bl_sha256_of(text.data, text.len, key);
    bl_buf_free(&text);
}

/* Format 1 had no seal, and no names of experiment and preset. */
enum { UNSEALED = 1, FORMAT = 2 };

/* A file that has one, and does not hold to it, was changed by something else. */
static bl_status check_seal(const bl_json *timing, const bl_buf *text, const char *path,
                            bl_err *err) {
    const int64_t format = bl_json_int(timing, "format", 0);
    const bool sealed = bl_json_get(timing, "sha256") != NULL;
    if (format == FORMAT ? bl_seal_holds(text->data, text->len) : format == UNSEALED && !sealed)
        return BL_OK;
    BL_FAIL(err, BL_EDAMAGED,
            "%s: its seal does not hold: something changed it after it was written", path);
}

/* A file without a seal counts as not there: it is measured again. So is one of another preset: its
 * key may be the same, but a report takes only the times of its own preset. */
static bool already_there(const char *path, const char *key, const char *preset) {
    bl_buf text = {0};
    bl_json_doc doc = {0};
    bl_err ignored;
    const bool there = bl_file_read(&text, path, FILE_LIMIT, &ignored) == BL_OK &&
                       bl_json_parse(&doc, text.data, text.len, path, 1, &ignored) == BL_OK &&
                       bl_json_int(doc.root, "format", 0) == FORMAT &&
                       check_seal(doc.root, &text, path, &ignored) == BL_OK &&
                       strcmp(bl_json_text(doc.root, "key", ""), key) == 0 &&
                       strcmp(bl_json_text(doc.root, "preset", ""), preset) == 0;
    bl_json_free(&doc);
    bl_buf_free(&text);
    return there;
}

/* Of what computes the steps. */
static double joules_now(const bl_timing_options *o) {
    return o->device_data != NULL ? bl_energy_gpu_joules(o->device_data->device->pci_address)
                                  : bl_energy_joules();
}

/* A program of this batch size, in a folder of the claim. It lives until all is measured, or others
 * need its memory: starting one takes longer than measuring it. */
static bl_status open_program(const bl_timing_options *o, const bl_claim *claim, point *p,
                              bl_err *err) {
    char dir[BL_PATH], beat[BL_PATH], keep[BL_PATH];
    bl_config *c = bl_xalloc(sizeof *c);
    *c = *o->config;
    c->train.batch_size = p->batch_size;
    c->train.learning_rate = BL_TIMING_RATE;
    bl_status status = bl_path(dir, err, "%s/%" PRId64, bl_claim_own(claim), p->batch_size);
    if (status == BL_OK) status = bl_path(beat, err, "%s/beat", bl_claim_own(claim));
    if (status == BL_OK) status = bl_path(keep, err, "%s/failed", o->store->dir);
    const bl_external_options options = {.config = c,
                                         .run_id = "timing",
                                         .dir = dir,
                                         .beat = beat,
                                         .stale = bl_claim_stale_seconds(),
                                         .save_seconds = (double)INFINITY,
                                         .devices = o->devices,
                                         .keep = keep};
    if (status == BL_OK) status = bl_external_open(&p->program, &options, err);
    free(c);
    return status;
}

/* Programs that may wait at once: what they take is known from external.memory_mib alone. */
static size_t most_programs(const bl_timing_options *o) {
    const size_t one = (size_t)o->config->external.memory_mib << 20;
    return one > 0 && o->memory > 0 ? bl_size_max(1, o->memory / one) : SIZE_MAX;
}

/* Ends programs until this one of `n` may be started beside the others. */
static void make_room(const bl_timing_options *o, point *points, size_t n, const point *wanted) {
    size_t alive = 0;
    for (size_t i = 0; i < n; i++) alive += points[i].program != NULL;
    for (size_t i = 0; i < n && wanted->program == NULL && alive >= most_programs(o); i++) {
        alive -= points[i].program != NULL;
        bl_external_close(points[i].program);
        points[i].program = NULL;
    }
}

static bool is_stopped(void *ctx) {
    const volatile int *const *stop = ctx;
    return *stop != NULL && __atomic_load_n(*stop, __ATOMIC_RELAXED) != 0;
}

static bl_status measure_program(const bl_timing_options *o, const bl_claim *claim, point *p,
                                 size_t repeat, bl_err *err) {
    const volatile int *stop = o->stop;
    const bl_train_pause pause = {.due = is_stopped, .ctx = &stop};
    p->processor[repeat] = (double)NAN; /* it may be in other processes, or on a device */
    if (p->program == NULL) BL_TRY(open_program(o, claim, p, err));
    BL_TRY(
        bl_external_time(p->program, o->config->timing.seconds, &pause, &p->seconds[repeat], err));
    const double peak = bl_external_peak_bytes(p->program);
    if (peak > 0.0) p->memory_bytes = (size_t)peak;
    return BL_OK;
}

/* Of a run that was trained elsewhere: nothing is measured here. */
static bl_status look_up_time(const bl_timing_options *o, point *p, size_t repeat, bl_err *err) {
    bl_config c = *o->config;
    c.train.batch_size = p->batch_size;
    p->processor[repeat] = (double)NAN;
    return bl_recorded_time(&p->seconds[repeat], &c, repeat, err);
}

static bl_status measure_inference(bl_train *train, const bl_config *c, point *p, size_t repeat,
                                   bl_err *err) {
    const double cpu = bl_clock_cpu_seconds(), start = bl_clock_seconds();
    const bl_status status =
        bl_train_time_inference(train, c->timing.seconds, &p->inference[repeat], err);
    if (status == BL_EUNSUPPORTED) return BL_OK;
    const double passed = bl_clock_seconds() - start, batches = passed / p->inference[repeat];
    p->inference_processor[repeat] = fmin(passed, bl_clock_cpu_seconds() - cpu) / batches;
    return status;
}

/* One repetition of one batch size: seconds of a step and, where the machine reports it, joules. */
static bl_status measure_once(const bl_timing_options *o, point *p, size_t repeat, bl_err *err) {
    bl_config c = *o->config;
    c.train.batch_size = p->batch_size;
    c.train.learning_rate = BL_TIMING_RATE;
    bl_train *train = NULL;
    const bl_train_options options = {
        .kernels = o->kernels, .device_data = o->device_data, .run_id = "timing", .threads = 1};
    BL_TRY(bl_train_open(&train, &c, o->data, &options, err));
    const double joules = joules_now(o), cpu = bl_clock_cpu_seconds(), start = bl_clock_seconds();
    const bl_status status = bl_train_time(train, c.timing.seconds, &p->seconds[repeat], err);
    const double passed = bl_clock_seconds() - start, steps = passed / p->seconds[repeat];
    p->processor[repeat] =
        o->device_data != NULL ? (double)NAN : fmin(passed, bl_clock_cpu_seconds() - cpu) / steps;
    if (repeat == 0) p->joules = (joules_now(o) - joules) / steps;
    const bl_status forward = status == BL_OK && o->inference && o->device_data == NULL
                                  ? measure_inference(train, &c, p, repeat, err)
                                  : status;
    bl_train_close(train);
    return forward;
}

/* How much longer than on the processor it took. */
static double waited(const point *p, size_t repeat) {
    return p->seconds[repeat] / p->processor[repeat] - 1;
}

/* A repetition that other work disturbed is made again, after a pause that grows. The least
 * disturbed one counts. `*left`: seconds that the whole pass may still spend on this. */
static bl_status measure_one(const bl_timing_options *o, const bl_claim *claim, point *p,
                             size_t repeat, double *left, bl_err *err) {
    if (bl_config_is_imported(o->config)) return look_up_time(o, p, repeat, err);
    if (bl_config_is_external(o->config)) return measure_program(o, claim, p, repeat, err);
    BL_TRY(measure_once(o, p, repeat, err));
    for (int again = 0; again < AGAIN_MOST && waited(p, repeat) > k_waits && *left > 0; again++) {
        const struct timespec pause = {.tv_nsec = 50000000L << again};
        const double start = bl_clock_seconds(), seconds = p->seconds[repeat],
                     processor = p->processor[repeat], before = waited(p, repeat);
        (void)nanosleep(&pause, NULL);
        BL_TRY(measure_once(o, p, repeat, err));
        if (waited(p, repeat) > before) {
            p->seconds[repeat] = seconds;
            p->processor[repeat] = processor;
        }
        *left -= bl_clock_seconds() - start;
    }
    return BL_OK;
}

/* A different order for every repetition, the same at every start. */
static void shuffle(size_t *order, size_t n, size_t repeat) {
    for (size_t i = 0; i < n; i++) order[i] = i;
    for (size_t i = n; i > 1; i--) {
        const uint32_t word = bl_random_u32(0, BL_STREAM_SEARCH, (uint32_t)repeat, i);
        const size_t k = (size_t)(((uint64_t)word * i) >> 32), held = order[i - 1];
        order[i - 1] = order[k];
        order[k] = held;
    }
}

static void write_seconds(bl_jw *w, const char *key, const double *seconds, size_t repeats) {
    bl_jw_array(w, key);
    for (size_t r = 0; r < repeats; r++) bl_jw_f64(w, NULL, seconds[r]);
    bl_jw_end(w);
}

static void write_point(bl_jw *w, const point *p, size_t repeats) {
    bl_jw_newline(w, 2);
    bl_jw_object(w, NULL);
    bl_jw_i64(w, "batch_size", p->batch_size);
    write_seconds(w, "seconds_per_step", p->seconds, repeats);
    write_seconds(w, "processor_seconds_per_step", p->processor, repeats);
    if (p->inference[0] > 0) {
        write_seconds(w, "inference_seconds", p->inference, repeats);
        write_seconds(w, "inference_processor_seconds", p->inference_processor, repeats);
    }
    if (p->memory_bytes > 0)
        bl_jw_i64(w, "memory_bytes", (int64_t)p->memory_bytes);
    else
        bl_jw_f64(w, "memory_bytes", (double)NAN); /* a program that does not say */
    if (p->device_bytes > 0) bl_jw_i64(w, "device_bytes", (int64_t)p->device_bytes);
    bl_jw_f64(w, "joules_per_step", p->joules);
    bl_jw_end(w);
}

/* `stolen`: the share of its processors that the host of this machine took. */
static void write_host(bl_jw *w, const bl_timing_options *o, double stolen) {
    char processor[128];
    bl_timing_processor(processor);
    if (bl_config_is_imported(o->config))
        (void)snprintf(processor, sizeof processor, "that of the imported runs");
    bl_jw_object(w, "host");
    bl_jw_str(w, "processor", processor);
    bl_jw_i64(w, "cores", sysconf(_SC_NPROCESSORS_ONLN));
    bl_jw_str(w, "impl", bl_computed_by(o->kernels, o->device_data));
    bl_jw_fixed(w, "stolen", stolen, 4);
    bl_jw_end(w);
}

static void write_timing(const bl_timing_options *o, const char *key, const point *points, size_t n,
                         size_t repeats, double stolen, bl_buf *out) {
    bl_jw w = bl_jw_open(out);
    bl_jw_object(&w, NULL);
    bl_jw_i64(&w, "format", FORMAT);
    bl_jw_str(&w, "experiment", o->config->name);
    bl_jw_str(&w, "preset", o->config->preset);
    bl_jw_str(&w, "key", key);
    write_host(&w, o, stolen);
    bl_jw_i64(&w, "threads", 1);
    bl_jw_newline(&w, 1);
    bl_jw_array(&w, "points");
    for (size_t i = 0; i < n; i++) write_point(&w, &points[i], repeats);
    bl_jw_end(&w);
    bl_seal(out);
}

/* Is what computes the steps not this process? */
static bool is_elsewhere(const bl_timing_options *o) {
    return o->device_data != NULL || bl_config_is_external(o->config);
}

/* Says so where the times rest on a busy machine. */
static void say_busy(const bl_timing_options *o, const point *points, size_t n, size_t repeats) {
    bl_stats_step_size *size = bl_xalloc((n + 1) * sizeof *size);
    char line[160];
    for (size_t i = 0; i < n; i++)
        size[i] = (bl_stats_step_size){(double)points[i].batch_size, points[i].seconds, repeats,
                                       is_elsewhere(o) ? NULL : points[i].processor};
    const bl_stats_disturbance d = bl_stats_step_disturbance(size, n);
    free(size);
    if (!(d.off > BL_STATS_DISTURBED) || o->say == NULL || bl_config_is_imported(o->config)) return;
    (void)snprintf(line, sizeof line,
                   "timing pass: the machine was busy, times may be up to %.0f %% too long",
                   100 * d.off);
    o->say(o->say_ctx, line);
}

/* Each repetition goes through all batch sizes once, in an order of its own: a slow spell of the
 * machine hits all of them. */
static bl_status measure_all(const bl_timing_options *o, const bl_claim *claim, point *points,
                             size_t n, size_t repeats, bl_err *err) {
    size_t *order = bl_xalloc(o->count * sizeof *order);
    bl_status status = BL_OK;
    double left = (double)(n * repeats) * o->config->timing.seconds; /* as long as the pass */
    char line[96];
    (void)snprintf(line, sizeof line,
                   "timing pass: %zu repetitions of %zu batch sizes, interleaved", repeats, n);
    if (o->say != NULL && !bl_config_is_imported(o->config)) o->say(o->say_ctx, line);
    for (size_t r = 0; r < repeats && status == BL_OK; r++) {
        shuffle(order, n, r);
        for (size_t i = 0; i < n && status == BL_OK; i++) {
            if (o->stop != NULL && *o->stop)
                status = BL_ERR(err, BL_EINTERRUPTED, "interrupted in the timing pass");
            else {
                make_room(o, points, n, &points[order[i]]);
                status = measure_one(o, claim, &points[order[i]], r, &left, err);
            }
        }
    }
    free(order);
    return status;
}

static size_t available(const bl_timing_options *o) {
    return o->device_data != NULL ? o->device_data->device->available(o->device_data->device) : 0;
}

/* Memory of a run at this batch size; BL_ENOMEM when this machine cannot hold it. */
static bl_status memory_of(const bl_timing_options *o, point *p, bl_err *err) {
    const size_t before = available(o);
    p->memory_bytes = (size_t)o->config->external.memory_mib << 20;
    if (bl_config_is_external(o->config)) return BL_OK;
    bl_config c = *o->config;
    c.train.batch_size = p->batch_size;
    bl_train *train = NULL;
    const bl_train_options options = {
        .kernels = o->kernels, .device_data = o->device_data, .run_id = "timing", .threads = 1};
    BL_TRY(bl_train_memory(&c, o->data, o->device_data, &p->memory_bytes, err));
    BL_TRY(bl_train_open(&train, &c, o->data, &options, err));
    const size_t after = available(o);
    p->device_bytes = before > after ? before - after : 0;
    bl_train_close(train);
    return BL_OK;
}

/* Says so where the host took so much that even processor times are in doubt: some machines count
 * what was taken as their own work. */
static void say_stolen(const bl_timing_options *o, double stolen) {
    char line[160];
    if (!(stolen > BL_STATS_DISTURBED) || o->say == NULL) return;
    (void)snprintf(line, sizeof line,
                   "timing pass: this machine's host took %.0f %% of its processors; times may be "
                   "too long by as much",
                   100 * stolen);
    o->say(o->say_ctx, line);
}

/* Measures what fits and gives the file's text. */
static bl_status measure(const bl_timing_options *o, const bl_claim *claim, const char *key,
                         bl_buf *out, bl_err *err) {
    point *points = bl_xalloc(o->count * sizeof *points);
    size_t n = 0;
    bl_status status = BL_OK;
    /* Batch sizes that do not fit in memory are left out: they have no time. */
    for (size_t i = 0; i < o->count && status == BL_OK; i++) {
        points[n] = (point){.batch_size = o->batch_sizes[i], .joules = (double)NAN};
        status = memory_of(o, &points[n], err);
        if (status == BL_OK) n++;
        if (status == BL_ENOMEM) status = BL_OK;
    }
    const size_t repeats = bl_size_min((size_t)o->config->timing.repeats, MOST_REPEATS);
    const double start = bl_clock_seconds(), before = bl_clock_stolen_seconds();
    if (status == BL_OK) status = measure_all(o, claim, points, n, repeats, err);
    const double seconds = bl_clock_seconds() - start; /* its counter has a few ticks a second */
    const double stolen = seconds < 1 ? (double)NAN
                                      : (bl_clock_stolen_seconds() - before) / seconds /
                                            (double)sysconf(_SC_NPROCESSORS_ONLN);
    if (status == BL_OK) say_busy(o, points, n, repeats);
    if (status == BL_OK) say_stolen(o, stolen);
    for (size_t i = 0; i < n; i++) bl_external_close(points[i].program);
    if (status == BL_OK) write_timing(o, key, points, n, repeats, stolen, out);
    free(points);
    return status;
}

/* ---- one process at a time ---- */

typedef struct turn {
    const char *path, *key, *preset; /* key NULL: any file will do */
    bl_claims *claims;
    bl_claim *claim; /* NULL when the file came from another process */
} turn;

static bool is_measured(const turn *t) {
    return t->key != NULL ? already_there(t->path, t->key, t->preset) : bl_file_exists(t->path);
}

/* Two that measure at once would measure each other. Waits until the file is there or it is this
 * process's turn to make it. End with end_turn either way. */
static bl_status take_turn(const bl_timing_options *o, turn *t, bl_err *err) {
    const struct timespec a_little = {.tv_nsec = 200000000};
    char dir[BL_PATH];
    BL_TRY(bl_path(dir, err, "%s/measuring", o->store->dir));
    t->claims = bl_claims_open();
    while (!is_measured(t)) {
        BL_TRY(bl_claim_acquire(t->claims, dir, &t->claim, err));
        if (t->claim != NULL) break;
        if (o->stop != NULL && __atomic_load_n(o->stop, __ATOMIC_RELAXED) != 0)
            BL_FAIL(err, BL_EINTERRUPTED, "interrupted before the timing pass");
        (void)nanosleep(&a_little, NULL);
    }
    /* It may have come just before the claim was free. */
    if (t->claim != NULL && is_measured(t)) {
        bl_claim_release(t->claim);
        t->claim = NULL;
    }
    return BL_OK;
}

static void end_turn(turn *t) {
    bl_claims_close(t->claims);
}

/* Times come after all that is trained: a program that fails now, or reports none, costs no answer.
 */
static bl_status forgive(const bl_timing_options *o, bl_status status, const bl_err *err) {
    char line[160];
    if (!bl_config_is_external(o->config) ||
        (status != BL_EPROGRAM && status != BL_ENOMEM && status != BL_EUNSUPPORTED))
        return status;
    (void)snprintf(line, sizeof line, "no times: %.*s", (int)strcspn(err->text, "\n"), err->text);
    if (o->say != NULL) o->say(o->say_ctx, line);
    return BL_OK;
}

bl_status bl_timing_run(const bl_timing_options *o, bl_err *err) {
    char path[BL_PATH], key[BL_SHA256_HEX];
    BL_TRY(bl_path(path, err, "%s/%s", o->store->dir, o->file != NULL ? o->file : "timing.json"));
    timing_key(o, false, key);
    if (o->again && unlink(path) != 0 && errno != ENOENT)
        BL_FAIL(err, BL_EIO, "cannot remove %s: %s", path, strerror(errno));
    if (o->count == 0 || already_there(path, key, o->config->preset)) return BL_OK;
    bl_buf text = {0};
    turn t = {.path = path, .key = key, .preset = o->config->preset};
    bl_status status = take_turn(o, &t, err);
    if (status == BL_OK && t.claim != NULL) {
        status = measure(o, t.claim, key, &text, err);
        if (status == BL_OK) status = bl_store_write(path, text.data, text.len, err);
    }
    end_turn(&t);
    bl_buf_free(&text);
    return forgive(o, status, err);
}

/* ---- recorded times ---- */

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(const bl_json *array) {
    double x[MOST_REPEATS];
    size_t n = 0;
    for (const bl_json *v = array != NULL ? array->first : NULL; v != NULL; v = v->next)
        if (v->type == BL_JSON_NUMBER && v->number > 0 && n < MOST_REPEATS) x[n++] = v->number;
    qsort(x, n, sizeof *x, by_value);
    return n > 0 ? x[(n - 1) / 2] : (double)NAN;
}

/* The median step of each batch size in a file of times; NAN where the file lacks it. */
static bl_status read_times(const bl_timing_options *o, const char *path, double *seconds,
                            bl_err *err) {
    bl_buf text = {0};
    bl_json_doc doc = {0};
    bl_status status = BL_OK;
    BL_GOTO(bl_file_read(&text, path, FILE_LIMIT, err));
    BL_GOTO(bl_json_parse(&doc, bl_buf_text(&text), text.len, path, 1, err));
    BL_GOTO(check_seal(doc.root, &text, path, err));
    for (size_t i = 0; i < o->count; i++) seconds[i] = (double)NAN;
    const bl_json *points = bl_json_get(doc.root, "points");
    for (const bl_json *p = points != NULL ? points->first : NULL; p != NULL; p = p->next)
        for (size_t i = 0; i < o->count; i++)
            if (bl_json_int(p, "batch_size", 0) == o->batch_sizes[i])
                seconds[i] = median_of(bl_json_get(p, "seconds_per_step"));
done:
    bl_json_free(&doc);
    bl_buf_free(&text);
    return status;
}

bl_status bl_timing_steps(const bl_timing_options *o, bool lookup_only, double *seconds,
                          bl_err *err) {
    char path[BL_PATH], key[BL_SHA256_HEX];
    timing_key(o, true, key);
    BL_TRY(bl_path(path, err, "%s/step_times-%.12s.json", o->store->dir, key));
    if (!bl_file_exists(path)) {
        if (lookup_only) BL_FAIL(err, BL_EMISSING, "the time per step is not measured yet");
        bl_buf text = {0};
        turn t = {.path = path};
        bool won; /* of several processes that measured, the first one's numbers hold */
        bl_status status = take_turn(o, &t, err);
        if (status == BL_OK && t.claim != NULL) {
            status = measure(o, t.claim, key, &text, err);
            if (status == BL_OK) status = bl_file_publish(path, text.data, text.len, &won, err);
        }
        end_turn(&t);
        bl_buf_free(&text);
        BL_TRY(status);
    }
    return read_times(o, path, seconds, err);
}
