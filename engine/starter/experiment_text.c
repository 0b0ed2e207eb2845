/* The text of a new experiment, made of what the table and a short trial run have shown:
 *
 *     baseline.constant   1.00   the same answer for every row
 *     pilot.best          0.40   gain 0.60
 *     targets[0]          0.70   half of the gain: the easier one
 *     targets[1]          0.43   all but a twentieth: the harder one
 *     max_epochs                 six times the steps to the harder one, at the largest size
 *
 * Every number of it is a proposal that the user is told to change. */
#include "engine/starter/experiment_text.h"
#include "engine/base/mem.h"
#include "engine/config/value.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- choosing ---- */

/* Sizes from 4, 8 or 16 up: a quarter of a small table, a sixteenth of a large one; three at least,
 * none above the training rows. */
void bl_starter_sizes(bl_starter_plan *p) {
    enum { MOST_OF_TABLE = 8192, MOST_OF_PICTURES = 512 };
    const int64_t most = p->pictures ? MOST_OF_PICTURES : MOST_OF_TABLE;
    const int64_t rows = (int64_t)p->train_rows;
    p->smallest = rows < 256 ? 4 : rows < 1000 ? 8 : 16;
    p->largest = 4 * p->smallest;
    const int64_t room = rows < 4000 ? rows / 4 : rows / 16;
    while (2 * p->largest <= room && p->largest < most) p->largest *= 2;
    p->max_epochs = fmax(10, ceil(400.0 * (double)p->largest / (double)rows));
    p->lr_start = 0x1p-7;
    p->best = (double)NAN;
    p->targets[0] = 0.8 * p->baseline.constant;
    p->targets[1] = 0.6 * p->baseline.constant;
}

/* Targets that the pilot reached although the same answer for every row errs less: between its
 * first value and its best one at that rate, or little above the best. */
static void take_reached(bl_starter_plan *p, const bl_starter_pilot *pilot) {
    static const double least_fall = 0.04;
    double first = pilot->best;
    for (size_t i = 0; i < BL_STARTER_RATES; i++)
        if (pilot->run[i].evals > 0 && pilot->run[i].learning_rate == pilot->best_rate)
            first = pilot->run[i].best[0];
    const double fall = fmax(first - pilot->best, least_fall * fabs(pilot->best));
    p->targets[0] = pilot->best + 0.5 * fall;
    p->targets[1] = pilot->best + 0.25 * fall;
    p->lr_start = pilot->best_rate;
    p->steps = bl_starter_pilot_steps(pilot, p->targets[1]);
}

/* The harder target is what the pilot gained over the constant, less a part: a twentieth, or less
 * where that is reached within few steps. It stays above the best value by the standard error that
 * a root mean square of so many held-out rows has, 1 / sqrt(2 n) of it. The easier one is half of
 * what the pilot gained. */
bool bl_starter_targets(bl_starter_plan *p, const bl_starter_pilot *pilot) {
    enum { FEW_STEPS = 30 };
    static const double least_gain = 0.02;
    const double from = p->baseline.constant, gain = from - pilot->best;
    p->best = pilot->best;
    if (isfinite(pilot->best) && !(gain > 0)) take_reached(p, pilot);
    if (isfinite(pilot->best) && gain > 0 && !(gain > least_gain * fabs(from))) {
        p->targets[0] = pilot->best + 0.5 * gain; /* what can be reached, however little */
        p->targets[1] = pilot->best + 0.25 * gain;
    }
    if (!isfinite(pilot->best) || !(gain > least_gain * fabs(from))) return false;
    double left = 0.05;
    p->lr_start = pilot->best_rate;
    while (left > 0.004 && bl_starter_pilot_steps(pilot, pilot->best + left * gain) < FEW_STEPS)
        left /= 2;
    p->targets[0] = pilot->best + 0.5 * gain;
    const double error = fabs(pilot->best) / sqrt(2.0 * (double)p->valid_rows);
    p->targets[1] = pilot->best + fmin(fmax(left * gain, error), 0.25 * gain);
    p->steps = bl_starter_pilot_steps(pilot, p->targets[1]);
    p->settled = bl_starter_pilot_steps(pilot, pilot->best + 0.02 * fabs(pilot->best));
    const double epochs = 6.0 * (double)p->steps * (double)p->largest / (double)p->train_rows;
    p->max_epochs = fmin(fmax(10, ceil(epochs)), 2000);
    return true;
}

/* ---- writing ---- */

static void write_sizes(bl_buf *out, int64_t from, int64_t to) {
    bl_buf_str(out, "batch_sizes = [");
    for (int64_t b = from; b <= to; b *= 2)
        bl_buf_printf(out, b > from ? ", %lld" : "%lld", (long long)b);
    bl_buf_str(out, "];");
}

/* Where the targets come from, as comments. */
static void write_origin(const bl_starter_plan *p, bl_buf *out) {
    bl_buf_printf(out, "# Held-out rows, %s: %.4g for always the same answer", p->metric,
                  p->baseline.constant);
    if (isfinite(p->baseline.least_squares))
        bl_buf_printf(out, ",\n# %.4g by least squares", p->baseline.least_squares);
    if (isfinite(p->best)) bl_buf_printf(out, ",\n# %.4g at best in a short trial run", p->best);
    if (isfinite(p->best) && !(p->best < p->baseline.constant))
        bl_buf_str(out, ".\n# The trial run did not beat the same answer, so these targets are "
                        "what it reached.\n"
                        "# An answer for them says nothing of use: look at the columns first.\n");
    else if (!isfinite(p->best))
        bl_buf_str(out, ".\n# No trial run had a value, so these targets are guesses that no run "
                        "may reach: set\n"
                        "# the errors that matter to you.\n");
    else
        bl_buf_str(out, ". Targets, easiest first: set\n# the errors that matter to you.\n");
}

/* The better one of what needs no net, as find and reports read it. */
static void write_baseline(const bl_starter_plan *p, bl_buf *out) {
    const double best = fmin(p->baseline.constant, p->baseline.least_squares); /* NAN: not known */
    if (!(best > 0 && best < 1e200)) return;
    bl_buf_str(out, "  baseline = ");
    bl_value_write_number(out, best, 4);
    bl_buf_str(out, "; # without a net: a target above it says nothing about batch sizes\n");
}

/* Convolutions of 5 x 5 with two halvings need some pixels. */
static bool is_convolved(const bl_starter_plan *p) {
    enum { LEAST_SIDE = 8 };
    return p->pictures && p->smallest_side >= LEAST_SIDE;
}

/* The groups `data` and `model` of a preset. */
static void write_tiny_net(const bl_starter_plan *p, bl_buf *out) {
    const size_t most = p->pictures ? 2000 : 20000;
    bl_buf_str(out, "    data: { ");
    if (p->train_rows > most) bl_buf_printf(out, "rows = %zu; ", most);
    bl_buf_printf(out, "eval_rows = %d; };\n    model: { %shidden = [16]; };\n",
                  p->pictures ? 500 : 1024, is_convolved(p) ? "filters = [4, 8]; " : "");
}

/* Evaluations of the preset `quick` look at a part of large data. */
static void write_quick_data(const bl_starter_plan *p, bl_buf *out) {
    const size_t seen = p->pictures ? 1000 : 8192;
    const bool cut = p->pictures && p->train_rows > 20000;
    if (p->valid_rows <= seen && !cut) return;
    bl_buf_printf(out, "    data: { %seval_rows = %zu; };\n", cut ? "rows = 20000; " : "", seen);
}

/*     tiny     1 seed,  two octaves of sizes from the smallest, a net cut down
 *     quick    3 seeds, from the smallest to the largest
 *     paper    5 seeds, to twice the largest where there are rows enough, a larger net
 *
 * Budgets are the pilot's: `steps` to the targets in tiny, `settled` in quick, twice that in paper,
 * and 500 where the pilot had none. */
static void write_presets(const bl_starter_plan *p, bl_buf *out) {
    const int64_t steps = p->steps > 0 ? p->steps : 500;
    const int64_t settled = p->settled > steps ? p->settled : steps;
    const int64_t most = (int64_t)p->train_rows;
    const double tiny_epochs =
        fmax(1, fmin(p->max_epochs,
                     2.0 * (double)steps * (double)(4 * p->smallest) / (double)p->train_rows));
    bl_buf_str(out, "presets: {\n  # Seconds: the whole path, no answer to rely on.\n  tiny: {\n");
    write_tiny_net(p, out);
    bl_buf_str(out, "    eval: { growth = 1.2; };\n    sweep: { ");
    write_sizes(out, p->smallest, 4 * p->smallest);
    bl_buf_printf(out,
                  " seeds = 1; max_epochs = %.1f;\n      budget_epochs = 1.0; budget_steps = %lld; "
                  "};\n    timing: { repeats = 3; seconds = 0.02; };\n  };\n\n",
                  tiny_epochs, (long long)steps);
    bl_buf_str(out, "  # Minutes.\n  quick: {\n");
    write_quick_data(p, out);
    bl_buf_str(out, "    sweep: {\n      ");
    write_sizes(out, p->smallest, p->largest);
    bl_buf_printf(out,
                  "\n      seeds = 3; max_epochs = %.1f; budget_epochs = 1.0; budget_steps = "
                  "%lld;\n    };\n  };\n\n",
                  p->max_epochs, (long long)settled);
    bl_buf_str(out, "  # A larger net, more repeats.\n  paper: {\n");
    bl_buf_str(out, is_convolved(p) ? "    model: { filters = [16, 32]; hidden = [128]; };\n"
                                    : "    model: { hidden = [256, 128]; };\n");
    bl_buf_str(out, "    sweep: {\n      ");
    write_sizes(out, p->smallest, 2 * p->largest <= most ? 2 * p->largest : p->largest);
    bl_buf_printf(out,
                  "\n      seeds = 5; max_epochs = %.1f; budget_epochs = 2.0; budget_steps = "
                  "%lld;\n    };\n  };\n};\n",
                  2 * p->max_epochs, (long long)(2 * settled));
}

static void write_model(const bl_starter_plan *p, bl_buf *out) {
    if (is_convolved(p))
        bl_buf_str(out,
                   "# Two convolutions of 5 x 5, halved each time, and a hidden layer.\nmodel: "
                   "{ kind = \"simple_cnn\"; filters = [8, 16]; hidden = [64]; };\n");
    else if (p->pictures)
        bl_buf_str(out, "model: { kind = \"mlp\"; hidden = [64, 32]; };\n");
    else
        bl_buf_str(out,
                   "model: {\n  hidden = [64, 32];\n  linear = true; # a straight line, which the "
                   "hidden layers bend\n  batch_norm = false; embedding_dropout = 0.0; output = "
                   "\"linear\";\n};\n");
}

/* experiment.cfg in the order in which a user reads it: what is learnt, the model and how it
 * learns, targets and rates, presets. */
void bl_starter_config(const bl_starter_plan *p, bl_buf *out) {
    bl_buf_printf(out, "# Which batch size for '%s'?\ntitle = \"%s\";\ndataset = \"%s\";\n\n",
                  p->target, p->name, p->name);
    write_model(p, out);
    bl_buf_printf(out, "loss = \"%s\";\nmetric = \"%s\";\n",
                  p->classes > 0 ? "cross_entropy" : "mse", p->metric);
    bl_buf_str(out, "optimizer: { name = \"adamw\"; weight_decay = 0.01; };\n"
                    "schedule: { name = \"constant\"; };\n\n");
    write_origin(p, out);
    bl_buf_str(out, "sweep: {\n  targets = [");
    bl_value_write_number(out, p->targets[0], 4);
    bl_buf_str(out, ", ");
    bl_value_write_number(out, p->targets[1], 4);
    bl_buf_str(out, "];\n");
    write_baseline(p, out);
    bl_buf_printf(out,
                  "  lr_start = %.12g; lr_rule = \"sqrt\";\n  lr_min = 0.000244140625; lr_max "
                  "= 1.0; # 2^-12 to 1: the grid that each size's winner is held against\n};\n\n",
                  p->lr_start);
    write_presets(p, out);
}

// clang-format off
static const char k_sweep_lua[] =
    "-- The learning rate is retuned at every batch size; then what an epoch budget and a step budget\n"
    "-- would have chosen. Sizes, targets, seeds and limits are in experiment.cfg.\n"
    "local sweep = require \"sweep\"\n"
    "\n"
    "return function(exp)\n"
    "  local config = exp.config\n"
    "  local points = sweep.critical_batch(exp, {\n"
    "    batch = config[\"sweep.batch_sizes\"],\n"
    "    retune = { lr = sweep.log2grid { step = config[\"sweep.lr_step\"] }, rule = config[\"sweep.lr_rule\"] },\n"
    "    seeds = config[\"sweep.seeds\"],\n"
    "  })\n"
    "  sweep.budgets(exp, { from = points, epochs = config[\"sweep.budget_epochs\"], steps = config[\"sweep.budget_steps\"] })\n";
// clang-format on

/* The report repeats what the script notes: where the baselines are. */
void bl_starter_script(const bl_starter_plan *p, bl_buf *out) {
    bl_buf_str(out, k_sweep_lua);
    bl_buf_printf(out, "  exp:note(\"without a net: %s %.4g for always the same answer", p->metric,
                  p->baseline.constant);
    if (isfinite(p->baseline.least_squares))
        bl_buf_printf(out, ", %.4g by least squares", p->baseline.least_squares);
    bl_buf_str(out, "\")\nend\n");
}
