/* The one figure of a comparison: steps against batch size of both sweeps, each with its curve and
 * a cross at its critical batch size. The template is that of several targets. */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/report/figures/figures.h"
#include "engine/report/sides.h"
#include "engine/report/text/labels.h"
#include <math.h>
#include <stdio.h>

enum { PER_OCTAVE = 16, TEMPLATE_LIMIT = 1 << 20 };

/* Where the sweep has an answer, not a bound. */
static bool is_measured(const bl_side_size *s) {
    return s->steps.known && s->steps.bound <= 0;
}

static void points(bl_buf *dat, const bl_side *side) {
    size_t rows = 0;
    for (size_t i = 0; i < side->count; i++) {
        const bl_side_size *s = &side->sizes[i];
        if (!is_measured(s)) continue;
        BL_DAT_ROW(dat, s->batch_size, s->steps.value, s->steps.low, s->steps.high);
        rows++;
    }
    if (rows == 0) bl_dat_nothing(dat, 4);
}

/* Over the batch sizes that arrived. */
static void curve(bl_buf *dat, const bl_side *side) {
    bl_axis x = {0};
    for (size_t i = 0; i < side->count; i++)
        if (is_measured(&side->sizes[i])) bl_axis_add(&x, side->sizes[i].batch_size);
    const bool known = !isnan(side->curve.s_min) && x.high > x.low;
    const int last = known ? (int)ceil(log2(x.high / x.low) * PER_OCTAVE) : 0;
    for (int k = 0; k <= last && known; k++) {
        const double b = fmin(x.low * exp2((double)k / PER_OCTAVE), x.high);
        BL_DAT_ROW(dat, b, bl_stats_curve_at(&side->curve, b));
    }
    if (!known) bl_dat_nothing(dat, 2);
}

static void cross(bl_buf *dat, const bl_side *side) {
    const bl_stats_value *v = &side->critical[BL_STATS_B_CRIT];
    const bool known = v->known && v->bound == 0 && !isnan(side->curve.s_min);
    BL_DAT_ROW(dat, v->value, v->low, v->high, v->bound,
               known ? bl_stats_curve_at(&side->curve, v->value) : (double)NAN);
}

static void data(bl_buf *dat, const bl_sides *sides) {
    char name[32];
    for (int i = 0; i < 2; i++) {
        (void)snprintf(name, sizeof name, "target_%d", i + 1);
        bl_dat_block(dat, name, "batch_size steps low high");
        points(dat, &sides->side[i]);
        (void)snprintf(name, sizeof name, "curve_%d", i + 1);
        bl_dat_block(dat, name, "batch_size steps");
        curve(dat, &sides->side[i]);
        (void)snprintf(name, sizeof name, "critical_%d", i + 1);
        bl_dat_block(dat, name, "batch_size low high bound steps");
        cross(dat, &sides->side[i]);
    }
}

static void axes(bl_buf *gp, const bl_sides *sides) {
    bl_axis x = {0}, y = {0};
    for (size_t i = 0; i < sides->row_count; i++) {
        bl_axis_add(&x, sides->rows[i].batch_size);
        for (int k = 0; k < 2; k++) {
            const bl_stats_value *v = &sides->rows[i].of[k].steps;
            if (!is_measured(&sides->rows[i].of[k])) continue;
            bl_axis_add(&y, v->value);
            bl_axis_add(&y, v->low);
            bl_axis_add(&y, v->high);
        }
    }
    bl_gp_axis(gp, "x", &x, 0.5, 0.5, BL_TICKS_PLAIN);
    bl_gp_axis(gp, "y", &y, 0.5, 0.5, BL_TICKS_PLAIN);
}

static void settings(bl_buf *gp, const bl_sides *sides) {
    const bl_side *a = &sides->side[0], *b = &sides->side[1];
    bl_buf text = {0};
    bl_buf_str(gp, "# Draws compare.dat: `gnuplot compare.gp` in this folder.\n");
    bl_gp_text(gp, "figure", "compare");
    bl_buf_printf(&text, "%s and %s", a->name, b->name);
    bl_gp_text(gp, "caption_text", bl_buf_text(&text));
    bl_gp_text(gp, "synthetic_text", a->synthetic || b->synthetic ? BL_SYNTHETIC_LABEL : "");
    bl_buf_clear(&text);
    if (sides->comparable)
        bl_buf_printf(&text, "Steps to %s ≤ %.4g", a->metric, a->target);
    else
        bl_buf_str(&text, "Steps to the target of each");
    bl_gp_text(gp, "title_text", bl_buf_text(&text));
    bl_gp_text(gp, "y_text", "steps");
    bl_buf_str(gp, "targets = 2\narray target_text[2]\n");
    bl_gp_text(gp, "target_text[1]", a->name);
    bl_gp_text(gp, "target_text[2]", b->name);
    bl_gp_text(gp, "cross_text", "critical");
    bl_buf_free(&text);
    axes(gp, sides);
}

static bl_status add_templates(bl_buf *gp, const char *dir, bl_err *err) {
    static const char *const names[] = {"style", "targets", "outputs"};
    for (size_t i = 0; i < BL_COUNT(names); i++) {
        char path[BL_PATH];
        BL_TRY(bl_path(path, err, "%s/%s.gp", dir, names[i]));
        BL_TRY(bl_file_read(gp, path, TEMPLATE_LIMIT, err));
    }
    return BL_OK;
}

static bl_status write_text(const char *dir, const char *file, const bl_buf *text, bl_err *err) {
    char path[BL_PATH];
    BL_TRY(bl_path(path, err, "%s/%s", dir, file));
    return bl_file_write(path, bl_buf_text(text), text->len, err);
}

bl_status bl_sides_write(const bl_sides *sides, const char *dir, const char *template_dir,
                         bl_err *err) {
    bl_buf dat = {0}, gp = {0};
    bl_status status = BL_OK;
    data(&dat, sides);
    settings(&gp, sides);
    BL_GOTO(add_templates(&gp, template_dir, err));
    BL_GOTO(bl_make_dirs(dir, err));
    BL_GOTO(write_text(dir, "compare.dat", &dat, err));
    BL_GOTO(write_text(dir, "compare.gp", &gp, err));
    BL_GOTO(bl_figure_draw(dir, "compare", err));
done:
    bl_buf_free(&dat);
    bl_buf_free(&gp);
    return status;
}
