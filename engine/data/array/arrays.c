/* Two arrays X and y as one data set. Pictures are tried first; whatever is none becomes a
 * table:
 *
 *     X (60000, 28, 28) of bytes, y (60000,) of 0 to 9     60000 grey pictures of 10 classes
 *     X (3, 2) = [[1, 2.5], [3, 4], [5, 6]], y = [0, 1, 0]  the table
 *
 *         x0,x1,y
 *         1,2.5,0
 *         3,4,1
 *         5,6,0
 *
 * A y of shape (n, k) with k > 1 marks one class a row with a 1 and the others with 0 ("one-hot").
 * Its classes are named 0 to k - 1. */
#include "engine/data/array/arrays.h"
#include "engine/base/mem.h"
#include "engine/data/dataset.h"
#include "engine/data/table/column.h"
#include "engine/data/table/csv.h"
#include <math.h>
#include <string.h>

static size_t rows_of(const bl_arrays *a) {
    return a->x.shape[0];
}

/* Indicators a row: 1 where y is the class or the number itself. */
static size_t width_of_y(const bl_arrays *a) {
    return a->y.count / rows_of(a);
}

/* The class that row's indicators say; the width where they say none, or two. */
static size_t indicated(const bl_arrays *a, size_t row) {
    const size_t width = width_of_y(a);
    size_t class = width;
    for (size_t k = 0; k < width; k++) {
        const double x = bl_npy_number(&a->y, row * width + k);
        if (x == 1 && class == width)
            class = k;
        else if (x != 0)
            return width;
    }
    return class;
}

bool bl_arrays_indicate(const bl_arrays *a) {
    return width_of_y(a) > 1;
}

bl_status bl_arrays_check(const bl_arrays *a, bl_err *err) {
    if (a->x.dimensions == 0 || a->y.dimensions == 0)
        BL_FAIL(err, BL_EFORMAT, "%s: a single number, no array of rows",
                a->x.dimensions == 0 ? a->x_name : a->y_name);
    if (rows_of(a) != a->y.shape[0])
        BL_FAIL(err, BL_EFORMAT, "%s has %zu rows, %s has %zu", a->x_name, rows_of(a), a->y_name,
                a->y.shape[0]);
    if (a->x.count == 0 || a->y.count == 0)
        BL_FAIL(err, BL_EFORMAT, "%s is empty", a->x.count == 0 ? a->x_name : a->y_name);
    for (size_t i = 0; i < rows_of(a) && width_of_y(a) > 1; i++)
        if (bl_npy_is_text(&a->y) || indicated(a, i) == width_of_y(a))
            BL_FAIL(err, BL_EFORMAT,
                    "%s has %zu values a row, and row %zu does not mark one class with 1 and the "
                    "others with 0: the target is one value a row",
                    a->y_name, width_of_y(a), i);
    return BL_OK;
}

/* The target of a row as a field, appended. */
static void add_target(bl_buf *out, const bl_arrays *a, size_t row) {
    if (width_of_y(a) == 1)
        bl_npy_text(out, &a->y, row);
    else
        bl_buf_printf(out, "%zu", indicated(a, row));
}

/* ---- a table ---- */

/* In quotes where a separator, a quote or a blank at an end would be misread. */
static void add_field(bl_buf *out, const bl_npy *array, size_t i) {
    if (!bl_npy_is_text(array)) {
        bl_npy_text(out, array, i);
        return;
    }
    bl_buf text = {0};
    bl_npy_text(&text, array, i);
    const bool plain = text.len > 0 && strpbrk(bl_buf_text(&text), "\" ,") == NULL;
    if (!plain && text.len > 0) bl_buf_str(out, "\"");
    for (const char *p = bl_buf_text(&text); *p != '\0'; p++)
        bl_buf_add(out, *p == '"' ? "\"\"" : p, *p == '"' ? 2 : 1);
    if (!plain && text.len > 0) bl_buf_str(out, "\"");
    bl_buf_free(&text);
}

void bl_arrays_table(bl_buf *out, const bl_arrays *a) {
    const size_t width = a->x.count / rows_of(a);
    for (size_t k = 0; k < width; k++) bl_buf_printf(out, "x%zu,", k);
    bl_buf_str(out, "y\n");
    for (size_t i = 0; i < rows_of(a); i++) {
        for (size_t k = 0; k < width; k++) {
            add_field(out, &a->x, i * width + k);
            bl_buf_str(out, ",");
        }
        if (width_of_y(a) == 1)
            add_field(out, &a->y, i);
        else
            add_target(out, a, i);
        bl_buf_str(out, "\n");
    }
}

/* ---- pictures ---- */

/* How X lies: (n, height, width, channels), or with `planes` (n, channels, height, width). */
static bool find_shape(bl_photo_shape *out, bool *planes, const bl_npy *x) {
    enum { LEAST = 5, MOST = 4096 };
    const size_t *s = x->shape;
    *planes = x->dimensions == 4 && s[3] > BL_PICTURE_CHANNELS && s[1] <= BL_PICTURE_CHANNELS;
    if (bl_npy_is_text(x) || x->dimensions < 3 || x->dimensions > 4) return false;
    const size_t height = s[1 + *planes], width = s[2 + *planes];
    const size_t channels = x->dimensions == 3 ? 1 : *planes ? s[1] : s[3];
    *out = (bl_photo_shape){
        {(int64_t)height, (int64_t)width},
        channels
    };
    return channels >= 1 && channels <= BL_PICTURE_CHANNELS && height >= LEAST && width >= LEAST &&
           height <= MOST && width <= MOST && height * width * channels <= BL_PICTURE_BYTES;
}

/* What makes bytes of the values: 1, or 255 where they go from 0 to 1; 0: they are no pixels. */
static double scale_of(const bl_npy *x) {
    bool whole = true, unit = true;
    for (size_t i = 0; i < x->count && (whole || unit); i++) {
        const double v = bl_npy_number(x, i);
        whole = whole && v >= 0 && v <= 255 && v == floor(v);
        unit = unit && v >= 0 && v <= 1;
    }
    return whole ? 1 : unit ? 255 : 0;
}

/* Numbers by their value, then the other texts. Equal ones by their bytes, so that the order is
 * total. */
static int by_name(const void *a, const void *b) {
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    const int order = bl_csv_compare(x, y);
    return order != 0 ? order : strcmp(x, y);
}

/* Names and numbers of the classes; false: too many, fewer than two, or a row has none. */
static bool find_classes(bl_pack *out, const bl_arrays *a) {
    bl_dict seen;
    bl_buf text = {0};
    bool fits = true;
    bl_dict_init(&seen);
    out->label = bl_xalloc(rows_of(a) + 1);
    out->class = bl_xalloc(BL_PACK_CLASSES * sizeof *out->class);
    for (int pass = 0; pass < 2 && fits; pass++) {
        for (size_t i = 0; i < rows_of(a) && fits; i++) {
            bl_buf_clear(&text);
            add_target(&text, a, i);
            if (pass == 1) {
                for (size_t k = 0; k < out->classes; k++)
                    if (strcmp(out->class[k], bl_buf_text(&text)) == 0) out->label[i] = (uint8_t)k;
                continue;
            }
            const bool fraction = a->y.kind == 'f' && memchr(bl_buf_text(&text), '.', text.len);
            fits = text.len > 0 && !fraction;
            if (fits) (void)bl_dict_add(&seen, bl_buf_text(&text), text.len);
            fits = fits && seen.count <= BL_PACK_CLASSES + 1;
        }
        for (uint32_t k = 1; k < seen.count && fits && pass == 0; k++)
            out->class[out->classes++] = bl_xstrdup(seen.text[k]);
        if (pass == 0) qsort(out->class, out->classes, sizeof *out->class, by_name);
    }
    bl_dict_free(&seen);
    bl_buf_free(&text);
    return fits && out->classes >= 2;
}

/* Bytes in the order (height, width, channels), whatever the order in X; a value in between is
 * rounded to the nearest. */
static void copy_pixels(bl_pack *out, const bl_npy *x, bool planes, double scale) {
    const size_t area = (size_t)(out->shape.size.height * out->shape.size.width);
    const size_t channels = out->shape.channels, each = area * channels;
    for (size_t row = 0; row < out->rows; row++)
        for (size_t i = 0; i < each; i++) {
            const size_t from = planes ? i % channels * area + i / channels : i;
            out->pixels[row * each + i] =
                (uint8_t)(bl_npy_number(x, row * each + from) * scale + 0.5);
        }
}

bool bl_arrays_pictures(bl_pack *out, const bl_arrays *a) {
    bool planes;
    *out = (bl_pack){.rows = rows_of(a)};
    const double scale = find_shape(&out->shape, &planes, &a->x) ? scale_of(&a->x) : 0;
    if (scale > 0 && find_classes(out, a)) {
        out->pixels = bl_xalloc(a->x.count);
        copy_pixels(out, &a->x, planes, scale);
        return true;
    }
    bl_pack_free(out);
    return false;
}
