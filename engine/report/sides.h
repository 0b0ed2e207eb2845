/* Two finished sweeps side by side, A and B, each from the text of its recommendation.json: the
 * last sweep's, or what an earlier preset's left in its report. Nothing is trained.
 *
 *     bl_sides sides = {0};
 *     BL_TRY(bl_sides_read(&sides, 0, "quadratic:tiny", json, n, err));
 *     BL_TRY(bl_sides_read(&sides, 1, "quadratic:sampled", ...));
 *     BL_TRY(bl_sides_join(&sides, err));
 *     ... text/sides_text.h and bl_sides_write read it ...
 *     bl_sides_free(&sides);
 *
 * Steps and times are held against each other where both sweeps asked for the same: data, metric
 * and target. The target is then the hardest that both have. Critical batch sizes are always
 * compared. All ratios are B over A. */
#ifndef BL_ENGINE_REPORT_SIDES_H
#define BL_ENGINE_REPORT_SIDES_H
#include "engine/base/json.h"
#include "engine/stats/critical.h"

typedef struct bl_side_size {
    double batch_size; /* NAN in a row of bl_sides: this sweep did not have the size */
    double learning_rate;
    bool bracketed;
    bl_stats_value steps, seconds;
} bl_side_size;

typedef struct bl_side {
    const char *name; /* the caller's, as it was asked for */
    bl_json_doc doc;  /* owns the texts below */
    const char *experiment, *preset, *series, *metric, *dataset, *variant; /* "": none */
    bool synthetic;
    double target;       /* NAN: none was asked for */
    bl_side_size *sizes; /* (count) ascending in batch size */
    size_t count;
    bl_stats_curve curve; /* of the steps; s_min is NAN where the answer rests on none */
    bl_stats_value critical[BL_STATS_DEFINITION_COUNT];
} bl_side;

/* One batch size that at least one of them has. */
typedef struct bl_sides_row {
    double batch_size;
    bl_side_size of[2];
    bl_stats_value steps, seconds; /* ratios; their intervals hold together (sides.c) */
} bl_sides_row;

typedef struct bl_sides {
    bl_side side[2];
    bool comparable;    /* data, metric and target are the same */
    const char *apart;  /* what differs: "data", "metric", "target"; NULL: nothing */
    bl_sides_row *rows; /* (row_count) ascending in batch size */
    size_t row_count;
    bl_stats_value critical[BL_STATS_DEFINITION_COUNT]; /* ratios */
} bl_sides;

/* BL_EFORMAT: the text is no recommendation. */
bl_status bl_sides_read(bl_sides *sides, int which, const char *name, const char *json, size_t n,
                        bl_err *err) BL_CHECKED;
/* Once both are read. */
bl_status bl_sides_join(bl_sides *sides, bl_err *err) BL_CHECKED;
void bl_sides_free(bl_sides *sides);

/* compare.dat, .gp, .svg, .png and .pdf into `dir`. BL_EUNSUPPORTED: gnuplot is not there; data and
 * script are. */
bl_status bl_sides_write(const bl_sides *sides, const char *dir, const char *template_dir,
                         bl_err *err) BL_CHECKED;
#endif
