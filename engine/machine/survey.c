#include "engine/machine/survey.h"
#include "engine/base/clock.h"
#include "engine/base/format.h"
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/base/seal.h"
#include "engine/machine/program_probe.h"
#include "engine/stats/pairs.h"
#include "engine/stats/summary.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FORMAT = 1, ROUNDS = 7, PIECE_LEAST = 256, PIECES_MOST = 4, GUESSES = 62 };

static void say(const bl_survey *s, const char *text) {
    if (s->say != NULL) s->say(s->say_ctx, text);
}

static bl_status check_stop(const bl_survey *s, bl_err *err) {
    if (s->stop != NULL && *s->stop) BL_FAIL(err, BL_EINTERRUPTED, "interrupted");
    return BL_OK;
}

/* ---- memory ---- */

/* As planned, without taking any. */
static bl_status planned(const bl_survey *s, int64_t batch_size, double *bytes, bl_err *err) {
    bl_config c = *s->place.config;
    size_t all;
    c.train.batch_size = batch_size;
    BL_TRY(bl_train_memory(&c, s->place.data, s->place.device_data, &all, err));
    *bytes = (double)all;
    return BL_OK;
}

static bool is_program(const bl_survey *s) {
    return s->place.program != NULL;
}

/* Bytes that a run may take. */
static double allowed(const bl_survey *s) {
    return s->limit.bytes - s->limit.kept_free;
}

/* What a process holds before its run, at least: data that are mapped count once they are read. */
static double base_bytes(const bl_survey *s) {
    return s->place.device_data != NULL ? 0 : bl_machine_use_now().held;
}

/* Opening, a step and an evaluation: at least what any smaller size took. The system hands out
 * new memory slower than a step uses it. */
static double expected(void *ctx, int64_t batch_size) {
    static const double fresh_bytes = 0x1p29; /* a second, with room for a busy machine */
    const bl_survey *s = ctx;
    double bytes = 0, seconds = 0;
    bl_err ignored;
    if (!is_program(s) && planned(s, batch_size, &bytes, &ignored) != BL_OK)
        return 0; /* refused at once */
    if (s->line.known) seconds = bl_stats_step_line_at(&s->line, (double)batch_size);
    for (size_t i = 0; i < s->search.count; i++)
        if (s->search.tried[i].batch_size <= batch_size)
            seconds = fmax(seconds, s->search.tried[i].result.seconds);
    return seconds + (base_bytes(s) + bytes > allowed(s) ? 0 : bytes / fresh_bytes);
}

/* A program that runs at a smaller size, and fails at this one, has an answer all the same. */
static bl_status probe_program(const bl_survey *s, int64_t batch_size, bl_probe_result *result,
                               bl_err *err) {
    char line[160];
    const bl_status status = bl_probe_program(result, &s->place, batch_size, s->stop, err);
    if (status != BL_EPROGRAM || s->search.largest == 0) return status;
    result->ending = BL_PROBE_FAILED;
    (void)snprintf(line, sizeof line, "%.*s", (int)strcspn(err->text, "\n"), err->text);
    say(s, line);
    return BL_OK;
}

/* A probe on a device cannot be held to a limit by the system, so the plan refuses for it. */
static bl_status probe(void *ctx, int64_t batch_size, bl_probe_result *result, bl_err *err) {
    const bl_survey *s = ctx;
    char line[96];
    double bytes = 0;
    BL_TRY(check_stop(s, err));
    /* A device has no process whose memory could be limited: there the plan keeps to the limit. */
    if (s->place.device_data != NULL) {
        const bl_status status = planned(s, batch_size, &bytes, err);
        if (status != BL_OK && status != BL_ENOMEM) return status;
        *result = (bl_probe_result){.ending = BL_PROBE_REFUSED, .bytes = (double)NAN};
        if (status == BL_ENOMEM || bytes > allowed(s)) return BL_OK;
    }
    (void)snprintf(line, sizeof line, "trying batch size %" PRId64, batch_size);
    say(s, line);
    if (is_program(s)) return probe_program(s, batch_size, result, err);
    return bl_probe_run(result, &s->place, batch_size, err);
}

/* One example has to fit, with words that say why it does not. */
static bl_status check_limit(const bl_survey *s, bl_err *err) {
    double bytes;
    char one[BL_FORMAT_SIZE], program[BL_FORMAT_SIZE], may[BL_FORMAT_SIZE];
    if (is_program(s)) return BL_OK; /* nothing is known of it before it runs */
    BL_TRY(planned(s, 1, &bytes, err));
    if (base_bytes(s) + bytes <= allowed(s)) return BL_OK;
    BL_FAIL(err, BL_EINVAL,
            "the memory limit leaves %s (%s, %.3g %% kept free), but one example needs more: %s "
            "for the run and %s for program and data",
            bl_format_size(may, allowed(s)), s->limit.source,
            100 * s->limit.kept_free / s->limit.bytes, bl_format_size(one, bytes),
            bl_format_size(program, base_bytes(s)));
}

static size_t count_parameters(const bl_survey *s) {
    bl_net net = {0};
    bl_err ignored; /* a problem without a net has no parameters */
    size_t n = 0;
    if (bl_train_net(&net, s->place.config, s->place.data, &ignored) == BL_OK)
        for (size_t i = 0; i < net.params; i++) /* without the padding between them */
            if (!net.param[i].running) n += net.param[i].rows * net.param[i].cols;
    bl_net_free(&net);
    return n;
}

/* Which of the sizes run, each tried in a process of its own. Fills s->ran, in the order of the
 * search; BL_EINVAL where none ran. */
bl_status bl_survey_memory(bl_survey *s, const int64_t *sizes, size_t n, bl_err *err) {
    char may[BL_FORMAT_SIZE];
    BL_TRY(check_limit(s, err));
    if (!is_program(s)) s->parameters = count_parameters(s);
    s->place.bytes = allowed(s);
    s->asked = n;
    s->search = (bl_machine_search){.probe = probe,
                                    .expected = expected,
                                    .ctx = s,
                                    .most = bl_train_epoch_rows(s->place.config, s->place.data),
                                    .gap = 0.02};
    BL_TRY(bl_machine_try_sizes(&s->search, sizes, n, err));
    s->ran = bl_xalloc((n + 1) * sizeof *s->ran);
    for (size_t i = 0; i < s->search.count; i++)
        if (s->search.tried[i].result.ending == BL_PROBE_RAN)
            s->ran[s->ran_count++] = s->search.tried[i].batch_size;
    if (s->ran_count > 0) return BL_OK;
    const bl_probe_ending how = s->search.tried[0].result.ending;
    BL_FAIL(err, BL_EINVAL,
            "no batch size is left to measure: %" PRId64 ", the smallest of sweep.batch_sizes, %s "
            "(%s may be taken, %s)",
            sizes[0], bl_probe_ending_words(how), bl_format_size(may, allowed(s)), s->limit.source);
}

void bl_survey_times(bl_survey *s, const bl_stats_step_size *size, size_t n) {
    s->line = bl_stats_fit_processor_line(size, n);
    if (!s->line.known) s->line = bl_stats_fit_step_line(size, n);
}

/* The largest size that the plan says fits; 0: none, or the plan cannot say. */
static int64_t guess_largest(const bl_survey *s) {
    int64_t low = 0, high = s->search.most + 1;
    for (int i = 0; i < GUESSES && high - low > 1; i++) {
        const int64_t middle = low + (high - low) / 2;
        double bytes;
        bl_err ignored;
        if (planned(s, middle, &bytes, &ignored) == BL_OK && base_bytes(s) + bytes <= allowed(s))
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* The time that the sizes asked for have taken does not count. */
bl_status bl_survey_largest(bl_survey *s, bl_err *err) {
    s->search.seconds = s->search.spent + s->seconds;
    s->place.seconds = s->seconds;
    return bl_machine_search_on(&s->search, is_program(s) ? 0 : guess_largest(s), err);
}

/* ---- where the time goes ---- */

static bl_status open_run(bl_train **out, const bl_survey *s, int64_t batch_size, int64_t piece,
                          bl_err *err) {
    bl_config c = *s->place.config;
    c.train.batch_size = batch_size;
    c.train.micro_batch = piece;
    c.train.learning_rate = BL_TIMING_RATE;
    const bl_train_options options = {.kernels = s->place.kernels,
                                      .device_data = s->place.device_data,
                                      .run_id = "machine",
                                      .threads = 1};
    return bl_train_open(out, &c, s->place.data, &options, err);
}

/* Of the turns that were measured: the one whose step is the median is kept, as its phases make up
 * that step. */
static void keep_median(bl_train_times turn[ROUNDS], bl_train_times *out) {
    double step[ROUNDS];
    for (int r = 0; r < ROUNDS; r++) step[r] = turn[r].step;
    const double middle = bl_stats_median(step, ROUNDS); /* one of them, as they are odd */
    int kept = 0;
    while (kept < ROUNDS - 1 && step[kept] != middle) kept++;
    *out = turn[kept];
    for (int r = 0; r < ROUNDS; r++)
        if (r != kept) bl_train_times_free(&turn[r]);
}

/* The clock of phases and the three loops take turns, so that a slow spell of the machine meets all
 * of them. Evaluations are few: one may take as long as thousands of steps. */
static bl_status measure_turns(bl_train *train, double seconds, bl_train_times turn[ROUNDS],
                               double loop[BL_TRAIN_LOOP_COUNT], double *evaluation, bl_err *err) {
    double loops[BL_TRAIN_LOOP_COUNT][ROUNDS], evaluations[ROUNDS], spent = 0;
    size_t evaluated = 0;
    for (int r = 0; r < ROUNDS; r++) {
        BL_TRY(bl_train_time_phases(train, seconds / ROUNDS, &turn[r], err));
        for (int k = 0; k < BL_TRAIN_LOOP_COUNT; k++)
            BL_TRY(
                bl_train_time_loop(train, (bl_train_loop)k, seconds / ROUNDS, &loops[k][r], err));
        if (spent > seconds) continue;
        evaluations[evaluated] = bl_train_time_evaluation(train);
        spent += evaluations[evaluated++];
    }
    for (int k = 0; k < BL_TRAIN_LOOP_COUNT; k++) loop[k] = bl_stats_median(loops[k], ROUNDS);
    *evaluation = bl_stats_median(evaluations, evaluated);
    return BL_OK;
}

static bl_status measure_phases(bl_train *train, double seconds, bl_train_times *times,
                                double loop[BL_TRAIN_LOOP_COUNT], bl_err *err) {
    bl_train_times turn[ROUNDS] = {0};
    double evaluation = 0;
    const bl_status status = measure_turns(train, seconds, turn, loop, &evaluation, err);
    if (status == BL_OK) {
        keep_median(turn, times);
        times->evaluation = evaluation;
    }
    for (int r = 0; status != BL_OK && r < ROUNDS; r++) bl_train_times_free(&turn[r]);
    return status;
}

/* How often a step uses an array: outputs are written, and read by the next layer forward and
 * backward; their gradients are written and read once; weights, gradients and states alike. */
static const double k_uses = 2.5;

/* The part of a step that does not depend on the batch; NAN: not known. */
static double fixed_share(const bl_survey *s, int64_t batch_size) {
    return s->line.known && !s->line.flat
               ? s->line.fixed.value / bl_stats_step_line_at(&s->line, (double)batch_size)
               : (double)NAN;
}

/* No phases are no fault: a problem without a net has none. */
static bl_status phases_at(bl_survey *s, int64_t batch_size, bl_err *err) {
    bl_train *train;
    BL_TRY(check_stop(s, err));
    BL_TRY(open_run(&train, s, batch_size, s->place.config->train.micro_batch, err));
    bl_train_times *t = &s->phase[s->phases].times;
    double *loop = s->phase[s->phases].loop;
    const bl_status status = measure_phases(train, s->place.config->timing.seconds, t, loop, err);
    bl_train_close(train);
    if (status == BL_EUNSUPPORTED) return BL_OK;
    BL_TRY(status);
    const double bandwidth = bl_machine_bandwidth(t->bytes / k_uses);
    s->phase[s->phases].bandwidth = bandwidth;
    s->phase[s->phases].batch_size = batch_size;
    s->phase[s->phases++].bound = bl_machine_bound_of(
        t->multiply_adds / t->step / s->peak, t->bytes / t->step / bandwidth,
        fixed_share(s, batch_size), 1 - loop[BL_TRAIN_LOOP_SAME_BATCH] / loop[BL_TRAIN_LOOP_WHOLE]);
    return BL_OK;
}

/* Whole and in pieces in turns; times by the processor. */
static bl_status time_pieces(bl_survey *s, bl_train *run[2], bl_err *err) {
    double seconds[2][ROUNDS];
    for (int r = 0; r < ROUNDS; r++)
        for (int k = 0; k < 2; k++) {
            const int which = (r + k) % 2;
            double by_clock;
            BL_TRY(check_stop(s, err));
            const double cpu = bl_clock_cpu_seconds(), start = bl_clock_seconds();
            BL_TRY(bl_train_time(run[which], s->place.config->timing.seconds, &by_clock, err));
            const double steps = (bl_clock_seconds() - start) / by_clock;
            seconds[which][r] =
                s->place.device_data != NULL ? by_clock : (bl_clock_cpu_seconds() - cpu) / steps;
        }
    s->in_pieces = bl_stats_pair_ratio(seconds[0], seconds[1], ROUNDS);
    return BL_OK;
}

/* The largest timed batch that is a few pieces of a power of two; runs of one piece are whole. */
static bl_status pieces(bl_survey *s, bl_err *err) {
    const int64_t batch = s->ran[s->ran_count - 1];
    int64_t piece = PIECE_LEAST;
    while (piece * PIECES_MOST < batch) piece *= 2;
    if (s->place.config->train.micro_batch > 0 || piece >= batch) return BL_OK;
    bl_train *run[2] = {NULL, NULL};
    bl_status status = BL_OK;
    BL_GOTO(open_run(&run[0], s, batch, 0, err));
    BL_GOTO(open_run(&run[1], s, batch, piece, err));
    BL_GOTO(time_pieces(s, run, err));
    s->piece = piece;
    s->pieced = batch;
done:
    bl_train_close(run[0]);
    bl_train_close(run[1]);
    return status == BL_ENOMEM ? BL_OK : status; /* both at once are too much here: not measured */
}

/* Of a program: the share that waits for data, as it says itself. */
static void program_phases(bl_survey *s) {
    const int64_t ends[BL_SURVEY_PHASES] = {s->ran[s->ran_count - 1], s->ran[0]};
    for (size_t k = 0; k < BL_SURVEY_PHASES && k < s->ran_count; k++)
        for (size_t i = 0; i < s->search.count; i++) {
            const bl_machine_try *t = &s->search.tried[i];
            if (t->batch_size != ends[k] || isnan(t->result.data)) continue;
            s->phase[s->phases].batch_size = ends[k];
            s->phase[s->phases].data = t->result.data;
            s->phase[s->phases++].bound = bl_machine_bound_of(
                (double)NAN, (double)NAN, fixed_share(s, ends[k]), t->result.data);
        }
}

/* The largest size comes first, since words show its layers. A device has no peak that is
 * measured here. */
bl_status bl_survey_phases(bl_survey *s, bl_err *err) {
    if (is_program(s)) {
        program_phases(s);
        return BL_OK;
    }
    if (s->place.device_data == NULL) {
        say(s, "measuring this processor's peak, and where the time of a step goes");
        s->peak = bl_machine_multiply_adds(s->place.kernels);
        BL_TRY(phases_at(s, s->ran[s->ran_count - 1], err));
        if (s->ran_count > 1) BL_TRY(phases_at(s, s->ran[0], err));
    }
    return pieces(s, err);
}

/* ---- machine.json ---- */

static void limit_json(bl_jw *w, const bl_survey *s) {
    bl_jw_object(w, "limit");
    bl_jw_f64(w, "bytes", s->limit.bytes);
    bl_jw_f64(w, "kept_free", s->limit.kept_free);
    bl_jw_str(w, "source", s->limit.source);
    if (s->limit.note[0] != '\0') bl_jw_str(w, "note", s->limit.note);
    bl_jw_end(w);
}

/* The sizes that were tried, in order, and what the search made of them; failed = 0: none
 * failed. */
static void probes_json(bl_jw *w, const bl_machine_search *search) {
    bl_jw_newline(w, 1);
    bl_jw_array(w, "probes");
    for (size_t i = 0; i < search->count; i++) {
        const bl_machine_try *t = &search->tried[i];
        bl_jw_newline(w, 2);
        bl_jw_object(w, NULL);
        bl_jw_i64(w, "batch_size", t->batch_size);
        bl_jw_bool(w, "ran", t->result.ending == BL_PROBE_RAN);
        bl_jw_str(w, "ending", bl_probe_ending_words(t->result.ending));
        bl_jw_f64(w, "bytes", t->result.bytes);
        bl_jw_f64(w, "seconds", t->result.seconds);
        bl_jw_end(w);
    }
    bl_jw_end(w);
    bl_jw_newline(w, 1);
    bl_jw_i64(w, "largest", search->largest);
    bl_jw_f64(w, "largest_bytes", search->bytes);
    bl_jw_i64(w, "failed", search->failed);
    bl_jw_str(w, "failed_because", search->failed > 0 ? bl_probe_ending_words(search->how) : "");
    bl_jw_i64(w, "most", search->most);
    bl_jw_bool(w, "out_of_time", search->out_of_time);
}

static void program_phase_json(bl_jw *w, const bl_survey *s, size_t i) {
    const bl_machine_bound bound = s->phase[i].bound;
    bl_jw_newline(w, 2);
    bl_jw_object(w, NULL);
    bl_jw_i64(w, "batch_size", s->phase[i].batch_size);
    bl_jw_f64(w, "waits_for_data", s->phase[i].data);
    /* Without a look inside, nothing is known of the rest. */
    bl_jw_str(w, "bound", bound == BL_MACHINE_BY_NEITHER ? "" : bl_machine_bound_words(bound));
    bl_jw_end(w);
}

/*     {"batch_size":512,"gather":0.0002,"forward":0.011,...,"step":0.034,"loops":{...},
 *      "evaluation":0.21,"multiply_adds":9.1e8,"bytes":3.2e7,"of_peak_multiply_adds":0.41,
 *      "bandwidth":1.1e10,"of_peak_bytes":0.09,"bound":"...","dearest_layers":[...]}
 *
 * Seconds of one step; shares are of what the machine reaches at best. */
static void phase_json(bl_jw *w, const bl_survey *s, size_t i) {
    const bl_train_times *t = &s->phase[i].times;
    bl_jw_newline(w, 2);
    bl_jw_object(w, NULL);
    bl_jw_i64(w, "batch_size", s->phase[i].batch_size);
    for (size_t p = 0; p < BL_TRAIN_PHASE_COUNT; p++)
        bl_jw_f64(w, bl_train_phase_names[p], t->phase[p]);
    bl_jw_f64(w, "step", t->step);
    bl_jw_object(w, "loops");
    for (size_t k = 0; k < BL_TRAIN_LOOP_COUNT; k++)
        bl_jw_f64(w, bl_train_loop_names[k], s->phase[i].loop[k]);
    bl_jw_end(w);
    bl_jw_f64(w, "evaluation", t->evaluation);
    bl_jw_f64(w, "multiply_adds", t->multiply_adds);
    bl_jw_f64(w, "bytes", t->bytes);
    bl_jw_f64(w, "of_peak_multiply_adds", t->multiply_adds / t->step / s->peak);
    bl_jw_f64(w, "bandwidth", s->phase[i].bandwidth);
    bl_jw_f64(w, "of_peak_bytes", t->bytes / t->step / s->phase[i].bandwidth);
    bl_jw_str(w, "bound", bl_machine_bound_words(s->phase[i].bound));
    bl_jw_array(w, "dearest_layers");
    for (size_t k = 0; k < t->layers && k < BL_SURVEY_LAYERS; k++) {
        bl_jw_object(w, NULL);
        bl_jw_str(w, "name", t->layer[k].name);
        bl_jw_f64(w, "forward", t->layer[k].forward);
        bl_jw_f64(w, "backward", t->layer[k].backward);
        bl_jw_end(w);
    }
    bl_jw_end(w);
    bl_jw_end(w);
}

void bl_survey_write(const bl_survey *s, bl_buf *out) {
    bl_jw w = bl_jw_open(out);
    bl_jw_object(&w, NULL);
    bl_jw_i64(&w, "format", FORMAT);
    bl_jw_str(&w, "experiment", s->place.config->name);
    bl_jw_str(&w, "preset", s->place.config->preset);
    limit_json(&w, s);
    bl_jw_i64(&w, "parameters", (int64_t)s->parameters);
    probes_json(&w, &s->search);
    bl_jw_newline(&w, 1);
    bl_jw_f64(&w, "peak_multiply_adds", s->peak > 0 ? s->peak : (double)NAN);
    bl_jw_array(&w, "phases");
    for (size_t i = 0; i < s->phases; i++) {
        if (is_program(s))
            program_phase_json(&w, s, i);
        else
            phase_json(&w, s, i);
    }
    bl_jw_end(&w);
    bl_jw_newline(&w, 1);
    bl_jw_i64(&w, "piece", s->piece);
    bl_jw_i64(&w, "pieced_batch", s->pieced);
    bl_jw_f64(&w, "in_pieces", s->piece > 0 ? s->in_pieces.value : (double)NAN);
    bl_jw_f64(&w, "in_pieces_low", s->piece > 0 ? s->in_pieces.low : (double)NAN);
    bl_jw_f64(&w, "in_pieces_high", s->piece > 0 ? s->in_pieces.high : (double)NAN);
    bl_seal(out);
}

void bl_survey_free(bl_survey *s) {
    bl_machine_search_free(&s->search);
    for (size_t i = 0; i < s->phases; i++) bl_train_times_free(&s->phase[i].times);
    free(s->ran);
}
