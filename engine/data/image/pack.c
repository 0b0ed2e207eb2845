/* Pictures in memory as a file in the form of CIFAR-10, and the declaration that reads it:
 *
 *     byte      0        1 ...                                       one record a picture
 *               label    all pixels of channel 0, then channel 1, ...
 *
 * Rows are sorted by a Philox number of a fixed seed and the row, so that the same pictures always
 * give the same file. Then those that are held out move to the end: the split of a data set of
 * pictures takes its last rows. */
#include "engine/data/image/pack.h"
#include "engine/base/mem.h"
#include "engine/base/philox.h"
#include "engine/config/doc.h"
#include "engine/data/table/split.h"
#include <string.h>

enum { SEED = 1 };

typedef struct drawn {
    uint64_t key;
    size_t row;
} drawn;

static int by_key(const void *a, const void *b) {
    const drawn *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Places of the file in order, each with its row. The caller frees it. */
static drawn *draw_order(size_t rows) {
    drawn *d = bl_xalloc((rows + 1) * sizeof *d);
    for (size_t i = 0; i < rows; i++) {
        const bl_u32x4 w = bl_random4(SEED, BL_STREAM_SYNTH, UINT32_MAX, i);
        d[i] = (drawn){(uint64_t)w.v[0] << 32 | w.v[1], i};
    }
    qsort(d, rows, sizeof *d, by_key);
    return d;
}

/* A record: the label, then the picture channel by channel. */
static void write_record(bl_buf *out, const bl_pack *p, size_t row, uint8_t *record) {
    const size_t area = (size_t)(p->shape.size.height * p->shape.size.width), c = p->shape.channels;
    const uint8_t *from = p->pixels + row * area * c;
    record[0] = p->label[row];
    for (size_t k = 0; k < c; k++)
        for (size_t i = 0; i < area; i++) record[1 + k * area + i] = from[i * c + k];
    bl_buf_add(out, record, 1 + area * c);
}

/* The first rows of each class in drawn order are held out. Their number follows
 * bl_split_shares. */
void bl_pack_write(bl_buf *out, bl_pack *p, double share) {
    size_t rows[BL_PACK_CLASSES] = {0}, held_out[BL_PACK_CLASSES] = {0};
    bool *last = bl_xalloc(p->rows + 1);
    drawn *order = draw_order(p->rows);
    uint8_t *record =
        bl_xalloc(1 + (size_t)(p->shape.size.height * p->shape.size.width) * p->shape.channels);
    for (size_t i = 0; i < p->rows; i++) rows[p->label[i]]++;
    p->valid = (size_t)(share * (double)p->rows);
    bl_split_shares(held_out, rows, p->classes, &p->valid);
    for (size_t i = 0; i < p->rows; i++) {
        const size_t k = p->label[order[i].row];
        last[i] = held_out[k] > 0;
        held_out[k] -= last[i];
    }
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < p->rows; i++)
            if (last[i] == (side == 1)) write_record(out, p, order[i].row, record);
    free(record);
    free(order);
    free(last);
}

/* Names of classes stand in comments: the format has only numbers. */
void bl_pack_declare(bl_buf *out, const bl_pack *p, const char *origin, const char *folder,
                     const char *file, const char *sha256) {
    bl_buf_printf(out,
                  "# %zu pictures, packed by `batchlab init`. docs/data.md explains each part.\n",
                  p->rows);
    for (size_t k = 0; k < p->classes; k++) {
        bl_buf_printf(out, "# class %zu: ", k);
        for (const char *c = p->class[k]; *c != '\0'; c++)
            bl_buf_add(out, (unsigned char)*c < 32 ? "?" : c, 1); /* one line */
        bl_buf_str(out, "\n");
    }
    bl_buf_str(out, "origin = ");
    bl_doc_quote(out, origin);
    bl_buf_str(out, ";\nfolder = ");
    bl_doc_quote(out, folder);
    bl_buf_printf(
        out,
        ";\nimage = { format = \"cifar\"; height = %lld; width = %lld; channels = %zu; "
        "classes = %zu; };\ntables = (\n  { name = \"pictures\";\n    files = ( { file = ",
        (long long)p->shape.size.height, (long long)p->shape.size.width, p->shape.channels,
        p->classes);
    bl_doc_quote(out, file);
    bl_buf_printf(
        out,
        "; sha256 = \"%s\"; } ); }\n);\n\n# The last rows: drawn at random, the same share "
        "of each class.\nsplit = { valid = %zu; };\n",
        sha256, p->valid);
}

void bl_pack_free(bl_pack *p) {
    for (size_t k = 0; k < p->classes; k++) free(p->class[k]);
    free(p->class);
    free(p->pixels);
    free(p->label);
    *p = (bl_pack){0};
}
