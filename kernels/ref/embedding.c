/* Embeddings, as specification: column c of codes (batch, columns) chooses a row of its own table,
 * (rows of c, width of c), which becomes features [offset, offset + width) of y. */
#include "kernels/ref/ref.h"

/* y[b][offset_c + d] = table_c[codes[b][c]][d]. */
BL_REF void bl_embedding_forward_ref(const bl_embedding_forward *a, const bl_part *part) {
    const bl_range rows = bl_part_range(part, a->batch, 1);
    for (size_t b = rows.begin; b < rows.end; b++)
        for (size_t c = 0; c < a->columns; c++) {
            const bl_embedding_column *col = &a->column[c];
            const size_t code = a->codes[b * a->columns + c];
            for (size_t d = 0; d < col->width; d++)
                a->y[b * a->y_stride + col->offset + d] =
                    a->table[col->base + code * col->width + d];
        }
}

/* dtable_c[code][d] = sum of dy[b][offset_c + d] over the examples b with codes[b][c] = code, by
 * rule B over all examples: those without the code add nothing, and keep their places. */
static BL_HD float row_gradient(const bl_embedding_backward *a, size_t c, size_t code, size_t d) {
    bl_ref_tree tree = {.blocks = 0};
    for (size_t begin = 0; begin < a->batch; begin += BL_BLOCK) {
        float acc = 0;
        for (size_t b = begin; b < bl_ref_block_end(begin, a->batch); b++)
            if (a->codes[b * a->columns + c] == code)
                acc = acc + a->dy[b * a->dy_stride + a->column[c].offset + d];
        bl_ref_tree_push(&tree, acc);
    }
    return bl_ref_tree_sum(&tree);
}

/* Every element of every table is written; a row that no example uses becomes +0. */
BL_REF void bl_embedding_backward_ref(const bl_embedding_backward *a, const bl_part *part) {
    const bl_range columns = bl_part_range(part, a->columns, 1);
    for (size_t c = columns.begin; c < columns.end; c++) {
        const bl_embedding_column *col = &a->column[c];
        for (size_t code = 0; code < col->rows; code++)
            for (size_t d = 0; d < col->width; d++)
                a->dtable[col->base + code * col->width + d] = row_gradient(a, c, code, d);
    }
}
