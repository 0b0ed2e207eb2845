/* recommendation.txt: what was asked, the table of batch sizes, and the answer in sentences.
 * From a run of `quadratic`:
 *
 *     quadratic, preset tiny, no data: training until expected_loss <= 0.1
 *
 *     batch   best lr   steps   examples       time     core-s        EUR     memory
 *         1    0.0625   1,792      1,792    13.5 ms     0.0135   1.51e-07   2.41 KiB
 *        16    0.7071     126      2,016    1.01 ms    0.00101   1.13e-08   2.41 KiB
 *
 *     Fewest steps: batch size 256 at learning rate 1.414, 41 steps.
 *     Critical batch size (fewest examples over fewest steps): batch size 45.8.
 *
 * Quality, machine and notes follow as paragraphs of their own, where there are any. */
#include "engine/report/text/recommendation.h"
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include "engine/report/machine_read.h"
#include "engine/report/text/cells.h"
#include "engine/report/text/labels.h"
#include "engine/report/text/machine_text.h"
#include "engine/report/text/quality_text.h"
#include "engine/report/text/sentences.h"
#include <math.h>
#include <string.h>

enum { CELL_GAP = 3 };

/* The widest cell of the column, its heading included. */
static size_t column_width(const bl_report_model *m, int column) {
    size_t widest = 0;
    bl_buf cell = {0};
    for (size_t row = 0; row <= m->main.size_count; row++) {
        bl_buf_clear(&cell);
        bl_cell_text(&cell, m, row, column);
        widest = bl_size_max(widest, cell.len);
    }
    bl_buf_free(&cell);
    return widest;
}

/* Which rows of the table are too large for this machine's memory. */
static void too_large(bl_buf *out, const bl_report_model *m) {
    const size_t n = m->main.size_count;
    if (n == 0 || !bl_report_is_too_large(m, m->main.sizes[n - 1].batch_size)) return;
    bl_buf_str(out, "Batch sizes from ");
    bl_format_count(out, m->machine.failed);
    bl_buf_str(out, " on do not fit into ");
    bl_format_bytes(out, m->machine.limit);
    bl_buf_printf(out, " (%s): batchlab machine tried.\n", m->machine.source);
}

/* Right-aligned columns; a star marks a best rate at the edge of those tried. */
static void size_table(bl_buf *out, const bl_report_model *m) {
    int columns[BL_CELL_COLUMNS];
    size_t width[BL_CELL_COLUMNS];
    const size_t n = bl_cell_columns(m, true, columns);
    for (size_t c = 0; c < n; c++) width[c] = column_width(m, columns[c]);
    bl_buf cell = {0};
    bool edge = false;
    for (size_t row = 0; row <= m->main.size_count; row++) {
        for (size_t c = 0; c < n; c++) {
            bl_buf_clear(&cell);
            bl_cell_text(&cell, m, row, columns[c]);
            bl_buf_printf(out, "%*s%*s", c > 0 ? CELL_GAP : 0, "", (int)width[c],
                          bl_buf_text(&cell));
        }
        bl_buf_str(out, "\n");
        edge = edge || (row > 0 && !m->main.sizes[row - 1].bracketed);
    }
    too_large(out, m);
    if (edge) bl_buf_str(out, "* at the edge of the rates tried: a better one may lie beyond\n");
    bl_buf_free(&cell);
}

/* What the sweep said besides, as far as it is not the answer itself. */
static void notes(bl_buf *out, const bl_report_model *m) {
    if (m->note_count == 0 || bl_notes_are_the_answer(m)) return;
    bl_buf_str(out, "\nNotes of the sweep:\n");
    for (size_t i = 0; i < m->note_count; i++) bl_buf_printf(out, "%s\n", m->notes[i]);
}

/* What is known of this machine, as a paragraph. */
static void machine(bl_buf *out, const bl_report_model *m) {
    bl_buf words = {0};
    bl_report_machine_words(&words, m);
    if (words.len > 0) bl_buf_printf(out, "\n%s", bl_buf_text(&words));
    bl_buf_free(&words);
}

/* What sweep.quality found, as paragraphs. */
static void quality(bl_buf *out, const bl_report_model *m) {
    if (m->quality_count == 0) return;
    bl_buf_str(out, "\n");
    bl_quality_words(out, m);
}

enum { COLUMNS = 80 };

/* Lines of sentences for a terminal: one that is wider than 80 columns goes on behind two blanks
 * with its next sentence. No sentence is cut, so that a command stays whole. */
static void sentences(bl_buf *out, const bl_report_model *m) {
    bl_buf text = {0};
    bl_sentences(&text, m);
    size_t column = 0;
    for (const char *at = bl_buf_text(&text); *at != '\0'; at++) {
        const size_t next = strcspn(at + 1, "\n");
        bl_buf_add(out, at, 1);
        column = *at == '\n' ? 0 : column + 1;
        if (at[0] != '.' || at[1] != ' ' || column + next <= COLUMNS) continue;
        bl_buf_str(out, "\n ");
        column = 1;
    }
    bl_buf_free(&text);
}

/* Whose numbers these are comes first (generated data, experiment, preset, data, target), then
 * the table, then what follows from it. Notes that weaken the answer stand last. */
void bl_recommendation_text(const bl_report_model *model, bl_buf *out) {
    if (model->plan.head.dataset.synthetic)
        bl_buf_str(out, BL_SYNTHETIC_LABEL ": made by a generator, these numbers say nothing about "
                                           "the real data set.\n\n");
    bl_buf_printf(out, "%s", model->plan.head.experiment);
    if (model->plan.head.preset[0] != '\0')
        bl_buf_printf(out, ", preset %s", model->plan.head.preset);
    bl_buf_str(out, ", ");
    bl_label_data(out, model);
    if (!isnan(model->main.target)) {
        bl_buf_str(out, bl_label_is_imported(model) ? ", until " : ": training until ");
        bl_label_target(out, model);
    }
    bl_buf_str(out, "\n\n");
    if (model->main.size_count > 0 && model->main_series != BL_NO_SERIES)
        bl_buf_printf(out, "Series %s:\n", model->series[model->main_series].name);
    if (model->main.size_count > 0) {
        size_table(out, model);
        bl_buf_str(out, "\n");
    }
    sentences(out, model);
    quality(out, model);
    machine(out, model);
    notes(out, model);
}
