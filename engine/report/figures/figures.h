/* One figure: the numbers it is drawn from and the gnuplot settings in front of its template.
 * Used inside this room only; docs/figures.md explains each. */
#ifndef BL_ENGINE_REPORT_FIGURES_FIGURES_H
#define BL_ENGINE_REPORT_FIGURES_FIGURES_H
#include "engine/report/report_model.h"

typedef struct bl_figure {
    const char *name;     /* of NAME.dat and NAME.gp */
    const char *template; /* NULL: of the same name */
    /* What is seen: "Steps to {target}", where {target} and {metric} are the sweep's. */
    const char *title;
    const char *caption;
    bool all_series; /* false: it shows the series of the table, and its title names that */
    bool (*has_data)(const bl_report_model *answer);
    void (*data)(bl_buf *dat, const bl_report_model *answer);
    void (*settings)(bl_buf *gp, const bl_report_model *answer);
    /* Lines under the caption that say what the figure shows; NULL: none. */
    void (*found)(bl_buf *out, const bl_report_model *answer);
} bl_figure;

/* In the order of the report. */
extern const bl_figure *const bl_figures[];
extern const size_t bl_figure_count;
extern const bl_figure bl_figure_scaling, bl_figure_time, bl_figure_resources,
    bl_figure_learning_rate, bl_figure_lr_sensitivity, bl_figure_lr_rules, bl_figure_budgets,
    bl_figure_pareto, bl_figure_targets, bl_figure_series, bl_figure_curves_steps,
    bl_figure_curves_examples, bl_figure_curves_time, bl_figure_noise, bl_figure_finder,
    bl_figure_throughput, bl_figure_step_time, bl_figure_memory, bl_figure_rate_budget,
    bl_figure_quality;

/* The figure's .gp: settings, then style.gp, NAME.gp and outputs.gp of template_dir. */
bl_status bl_figure_script(bl_buf *gp, const bl_figure *figure, const bl_report_model *answer,
                           const char *template_dir, bl_err *err) BL_CHECKED;
/* Runs gnuplot on NAME.gp in report_dir, under a clock that stands still. BL_EIO: it failed or
 * left a drawing that is not whole. */
bl_status bl_figure_draw(const char *report_dir, const char *name, bl_err *err) BL_CHECKED;

/* ---- data: blocks that gnuplot finds by name ---- */
void bl_dat_block(bl_buf *dat, const char *name, const char *columns);
void bl_dat_row(bl_buf *dat, const double *values, size_t n);
#define BL_DAT_ROW(dat, ...)                                                                       \
    bl_dat_row((dat), (const double[]){__VA_ARGS__},                                               \
               sizeof((const double[]){__VA_ARGS__}) / sizeof(double))
/* A row of NaN where a block has none: gnuplot wants every block to exist. */
void bl_dat_nothing(bl_buf *dat, size_t columns);

/* ---- settings ---- */
void bl_gp_text(bl_buf *gp, const char *name, const char *text); /* NAME = 'text', quoted */
/* array NAME[n] of dark to light colours that colour-blind readers, too, see in that order. */
void bl_gp_palette(bl_buf *gp, const char *name, size_t n);
/* "exp_rmspe ≤ 0.2" */
void bl_gp_target(bl_buf *out, const bl_report_model *answer);
/* The figure's title in words: "Steps to exp_rmspe ≤ 0.2" */
void bl_figure_title(bl_buf *out, const bl_figure *figure, const bl_report_model *answer);
void bl_gp_number(bl_buf *gp, const char *name, double value);

/* A unit in which the shortest of some times is a readable number. */
typedef struct bl_time_unit {
    double seconds;
    const char *name;
} bl_time_unit;
bl_time_unit bl_time_unit_of(double shortest);

/* Figures with a line for each batch size show at most so many, evenly chosen, both ends among
 * them: fills index[], returns how many. */
enum { BL_FIGURE_LINES = 10 };
size_t bl_figure_choose(size_t count, size_t index[BL_FIGURE_LINES]);
/* lines = n, and for each its colour and its legend: arrays `colours` and `size_text`. */
void bl_gp_lines(bl_buf *gp, const double *batch_sizes, size_t n);

/* The interval of an axis, grown by one value after another. {0} is empty. */
typedef struct bl_axis {
    double low, high;
} bl_axis;
void bl_axis_add(bl_axis *axis, double value); /* ignores what is not positive and finite */

typedef enum bl_ticks {
    BL_TICKS_PLAIN,  /* 512 1,024; 0.25 0.5 */
    BL_TICKS_POWERS, /* 2^-8 2^-7 */
    BL_TICKS_SHORT,  /* 0.1 1 10; 200k 500k 1M */
    BL_TICKS_DECIMAL /* 0.12 0.15 0.2: for a range of a few octaves */
} bl_ticks;
/* Sets NAME's range ("x", "y"), `below` and `above` octaves wider than the data, and its ticks;
 * and NAME_linear, the commands that set a linear range from 0 to the same end, with its ticks. */
void bl_gp_axis(bl_buf *gp, const char *name, const bl_axis *axis, double below, double above,
                bl_ticks ticks);
/* Marks the batch sizes that do not fit into memory, as far as the axis shows them. */
void bl_gp_too_large(bl_buf *gp, const bl_report_model *answer, const bl_axis *x);
/* The x axis of every figure, over all batch sizes. */
bl_axis bl_gp_batch_axis(bl_buf *gp, const bl_report_model *answer);
#endif
