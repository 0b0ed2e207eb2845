/* Embeddings: every column of codes looks up rows of its own table; y is their concatenation. */
#include "engine/model/layer.h"
#include "kernels/shared/exact_math.h"
#include <stdio.h>

size_t bl_layer_embedding_width(uint32_t n) {
    const double width = 1.6 * bl_exp64(0.56 * bl_log64((double)n)) + 0.5;
    return width < 600.0 ? (size_t)width : 600;
}

/* Declares one table for each column, one after the other: node->column[c].base counts from the
 * first. The node's width is the sum of their widths. */
static bl_status shape(bl_net *net, bl_net_node *node, bl_err *err) {
    const bl_layer_settings *set = &node->set;
    node->column = bl_xalloc(set->columns * sizeof *node->column);
    size_t table = 0;
    for (size_t c = 0; c < set->columns; c++) {
        bl_param p = {.rows = set->cardinality[c],
                      .cols = bl_layer_embedding_width(set->cardinality[c]),
                      .init = BL_INIT_FOLDED_NORMAL,
                      .scale = 0.01f};
        if (set->column_name != NULL)
            (void)snprintf(p.name, sizeof p.name, "%s", set->column_name[c]);
        else
            (void)snprintf(p.name, sizeof p.name, "%zu", c);
        BL_TRY(bl_net_add_param(net, node, &p, err));
        const bl_param *added = &net->param[net->params - 1];
        if (c == 0) table = added->offset;
        node->column[c] = (bl_embedding_column){.base = added->offset - table,
                                                .rows = added->rows,
                                                .width = added->cols,
                                                .offset = node->width};
        node->width += added->cols;
    }
    return BL_OK;
}

static void forward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const bl_embedding_forward args = {.y = node->y,
                                       .table = node->param[0],
                                       .codes = pass->codes,
                                       .column = node->column,
                                       .columns = node->set.columns,
                                       .batch = pass->batch,
                                       .y_stride = node->width};
    pass->kernels->embedding_forward(&args, part);
}

static void backward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const bl_embedding_backward args = {.dtable = node->grad[0],
                                        .dy = node->dy,
                                        .codes = pass->codes,
                                        .column = node->column,
                                        .columns = node->set.columns,
                                        .batch = pass->batch,
                                        .dy_stride = node->width};
    pass->kernels->embedding_backward(&args, part);
}

const bl_layer bl_layer_embedding = {
    .name = "embedding", .inputs = 0, .shape = shape, .forward = forward, .backward = backward};
