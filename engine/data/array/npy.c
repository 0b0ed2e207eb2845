/* The format is numpy/lib/format.py: "\x93NUMPY", two bytes of version, the length of the header in
 * two bytes (version 1) or four, the header as a dictionary of Python, the values. For example
 *
 *     {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), } */
#include "engine/data/array/npy.h"
#include "engine/base/mem.h"
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* ---- the header ---- */

/* The text behind 'KEY': in the header, NULL when the key is not there. */
static const char *value_of(const char *header, const char *key) {
    const size_t n = strlen(key);
    for (const char *at = header; (at = strstr(at, key)) != NULL; at += n) {
        if (at == header || (at[-1] != '\'' && at[-1] != '"') || at[n] != at[-1]) continue;
        const char *p = at + n + 1;
        p += strspn(p, " ");
        if (*p != ':') continue;
        p++;
        return p + strspn(p, " ");
    }
    return NULL;
}

/* '<f8' and the like: byte order, kind, bytes of a value. False: another type, or none. */
static bool read_type(bl_npy *out, const char *p) {
    static const struct {
        char kind;
        const char *sizes;
    } known[] = {
        {'b', "1"   },
        {'i', "1248"},
        {'u', "1248"},
        {'f', "248" },
    };
    if (p == NULL || (*p != '\'' && *p != '"')) return false;
    const char quote = *p++;
    if (strchr("<>|=", *p) == NULL || *p == '\0') return false;
    out->swapped = *p++ == '>';
    if (*p == '\0') return false;
    out->kind = *p++;
    size_t size = 0;
    const char *digits = p;
    for (; *p >= '0' && *p <= '9' && size < 1 << 20; p++) size = size * 10 + (size_t)(*p - '0');
    if (p == digits || *p != quote || size == 0) return false;
    out->size = out->kind == 'U' ? 4 * size : size;
    if (out->kind == 'U' || out->kind == 'S') return true;
    for (size_t i = 0; i < BL_COUNT(known); i++)
        if (known[i].kind == out->kind)
            return p - digits == 1 && strchr(known[i].sizes, *digits) != NULL;
    return false;
}

/* "(3, 4)": a number each, behind which Python 2 may have written L. */
static bool read_shape(bl_npy *out, const char *p) {
    out->count = 1;
    if (p == NULL || *p++ != '(') return false;
    for (;;) {
        p += strspn(p, " ,");
        if (*p == ')') return true;
        if (*p < '0' || *p > '9' || out->dimensions == BL_NPY_DIMENSIONS) return false;
        size_t x = 0;
        for (; *p >= '0' && *p <= '9'; p++)
            if (!bl_mul_size(&x, x, 10) || (x += (size_t)(*p - '0')) > SIZE_MAX / 16) return false;
        p += *p == 'L';
        out->shape[out->dimensions++] = x;
        if (!bl_mul_size(&out->count, out->count, x)) return false;
    }
}

/* Where the header's text begins and how long it is; false: no such file. */
static bool find_header(const unsigned char *p, size_t n, size_t *begin, size_t *length) {
    if (n < 10 || memcmp(p, "\x93NUMPY", 6) != 0 || p[6] < 1 || p[6] > 3) return false;
    *length = p[8] | (size_t)p[9] << 8;
    *begin = 10;
    if (p[6] > 1) {
        if (n < 12) return false;
        *length |= (size_t)p[10] << 16 | (size_t)p[11] << 24;
        *begin = 12;
    }
    return *length <= n - *begin;
}

/* The three keys of the dictionary. BL_EFORMAT quotes a type that is not read: records, dates,
 * complex numbers, objects. */
static bl_status read_header(bl_npy *out, const char *header, const char *name, bl_err *err) {
    const char *type = value_of(header, "descr"), *order = value_of(header, "fortran_order");
    if (!read_type(out, type)) {
        const bool quoted = type != NULL && (*type == '\'' || *type == '"');
        const size_t length = quoted ? 2 + strcspn(type + 1, "'\"") : 40;
        BL_FAIL(err, BL_EFORMAT,
                "%s: its values are of type %.*s; numbers, booleans and texts are read", name,
                (int)bl_size_min(length, 40), type != NULL ? type : "unknown");
    }
    if (order == NULL || !read_shape(out, value_of(header, "shape")))
        BL_FAIL(err, BL_EFORMAT, "%s: no NumPy array: its header is damaged", name);
    out->fortran = strncmp(order, "True", 4) == 0;
    return BL_OK;
}

bl_status bl_npy_read(bl_npy *out, const void *bytes, size_t n, const char *name, bl_err *err) {
    const unsigned char *p = bytes;
    size_t begin, length, all;
    *out = (bl_npy){.count = 0};
    if (!find_header(p, n, &begin, &length))
        BL_FAIL(err, BL_EFORMAT, "%s: no NumPy array, or one that is cut short", name);
    char *header = bl_xalloc(length + 1);
    memcpy(header, p + begin, length);
    const bl_status status = read_header(out, header, name, err);
    free(header);
    if (status != BL_OK) return status;
    if (!bl_mul_size(&all, out->count, out->size) || all > n - begin - length)
        BL_FAIL(err, BL_EFORMAT, "%s: it is cut short: %zu bytes of values are there", name,
                n - begin - length);
    out->values = p + begin + length;
    return BL_OK;
}

/* ---- values ---- */

bool bl_npy_is_text(const bl_npy *a) {
    return a->kind == 'U' || a->kind == 'S';
}

/* Where value i lies in the file, counted in values. In C's order i itself; in Fortran's the
 * first dimension is the fastest, so the indices of i are taken off from the last dimension on. */
static size_t place_of(const bl_npy *a, size_t i) {
    if (!a->fortran) return i;
    size_t at = 0, stride = a->count;
    for (size_t d = a->dimensions; d-- > 0;) {
        stride /= a->shape[d];
        at += i % a->shape[d] * stride;
        i /= a->shape[d];
    }
    return at;
}

/* The bytes of a value as a whole number, of either byte order. */
static uint64_t bits_of(const bl_npy *a, const unsigned char *p, size_t size) {
    uint64_t x = 0;
    for (size_t k = 0; k < size; k++) x = x << 8 | p[a->swapped ? k : size - 1 - k];
    return x;
}

/* Half precision: a sign, 5 bits of exponent, 10 of fraction. */
static double half(uint64_t bits) {
    const double fraction = (double)(bits & 1023);
    const int exponent = (int)(bits >> 10 & 31);
    const double size = exponent == 0    ? ldexp(fraction, -24)
                        : exponent == 31 ? (fraction > 0 ? (double)NAN : (double)INFINITY)
                                         : ldexp(1024 + fraction, exponent - 25);
    return bits >> 15 ? -size : size;
}

/* `bits` as IEEE 754 of 2, 4 or 8 bytes. */
static double float_of(uint64_t bits, size_t size) {
    if (size == 2) return half(bits);
    if (size == 8) {
        double x;
        memcpy(&x, &bits, sizeof x);
        return x;
    }
    float x;
    const uint32_t low = (uint32_t)bits;
    memcpy(&x, &low, sizeof x);
    return (double)x;
}

static const unsigned char *bytes_of(const bl_npy *a, size_t i) {
    return a->values + place_of(a, i) * a->size;
}

double bl_npy_number(const bl_npy *a, size_t i) {
    if (bl_npy_is_text(a)) return (double)NAN;
    const uint64_t bits = bits_of(a, bytes_of(a, i), a->size);
    if (a->kind == 'f') return float_of(bits, a->size);
    if (a->kind == 'b') return bits != 0;
    if (a->kind == 'u') return (double)bits;
    const uint64_t sign = (uint64_t)1 << (8 * a->size - 1);
    return (double)(int64_t)((bits ^ sign) - sign);
}

/* A surrogate and what is beyond Unicode becomes U+FFFD, the replacement character. */
static void add_utf8(bl_buf *out, uint64_t c) {
    char b[4];
    size_t n = 0;
    if (c >= 0xD800 && (c < 0xE000 || c > 0x10FFFF)) c = 0xFFFD;
    if (c < 0x80) {
        b[n++] = (char)c;
    } else {
        if (c >= 0x10000) b[n++] = (char)(0xF0 | c >> 18);
        if (c >= 0x800) b[n] = (char)(n > 0 ? 0x80 | (c >> 12 & 63) : 0xE0 | c >> 12), n++;
        b[n] = (char)(n > 0 ? 0x80 | (c >> 6 & 63) : 0xC0 | c >> 6), n++;
        b[n++] = (char)(0x80 | (c & 63));
    }
    bl_buf_add(out, b, n);
}

/* Texts are padded with zeros, which are left out. Control characters become blanks, as a field
 * is one line. */
static void add_text(bl_buf *out, const bl_npy *a, size_t i) {
    const unsigned char *p = bytes_of(a, i);
    const size_t width = a->kind == 'U' ? 4 : 1;
    size_t n = a->size / width;
    while (n > 0 && bits_of(a, p + (n - 1) * width, width) == 0) n--;
    for (size_t k = 0; k < n; k++) {
        const uint64_t c = bits_of(a, p + k * width, width);
        add_utf8(out, c < 32 ? ' ' : c);
    }
}

/* The shortest of 9 or 17 digits that give the same float or double again. */
void bl_npy_text(bl_buf *out, const bl_npy *a, size_t i) {
    if (bl_npy_is_text(a)) {
        add_text(out, a, i);
        return;
    }
    const double x = bl_npy_number(a, i);
    char text[40];
    if (!isfinite(x)) return;
    if (x == floor(x) && fabs(x) < 1e15)
        (void)snprintf(text, sizeof text, "%.0f", x);
    else
        (void)snprintf(text, sizeof text, "%.*g", a->size <= 4 && a->kind == 'f' ? 9 : 17, x);
    bl_buf_str(out, text);
}

void bl_npy_describe(bl_buf *out, const bl_npy *a) {
    static const struct {
        char kind;
        const char *name;
    } kinds[] = {
        {'b', "boolean"},
        {'i', "int"    },
        {'u', "uint"   },
        {'f', "float"  },
        {'U', "text"   },
        {'S', "text"   },
    };
    bl_buf_str(out, "(");
    for (size_t d = 0; d < a->dimensions; d++)
        bl_buf_printf(out, "%s%zu", d > 0 ? ", " : "", a->shape[d]);
    bl_buf_str(out, a->dimensions == 1 ? ",) of " : ") of ");
    for (size_t k = 0; k < BL_COUNT(kinds); k++)
        if (kinds[k].kind == a->kind) bl_buf_str(out, kinds[k].name);
    if (a->kind == 'i' || a->kind == 'u' || a->kind == 'f') bl_buf_printf(out, "%zu", 8 * a->size);
}
