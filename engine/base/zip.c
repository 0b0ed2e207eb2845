/* APPNOTE.TXT of PKWARE, 6.3: the list of members stands at the end, found by its own end record.
 * What it says of a member counts; of the member's own header only its length is used. */
#include "engine/base/zip.h"
#include "engine/base/mem.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    END_BYTES = 22,
    END64_BYTES = 56,
    LOCATOR_BYTES = 20,
    ENTRY_BYTES = 46,
    HEADER_BYTES = 30,
    MOST_COMMENT = 65535,
    EXTRA_ZIP64 = 1,
    ENCRYPTED = 1
};

static uint64_t little(const unsigned char *p, size_t n) {
    uint64_t x = 0;
    while (n-- > 0) x = x << 8 | p[n];
    return x;
}

/* Where the list lies and how many members it has. */
typedef struct list_place {
    uint64_t at, members;
} list_place;

/* The end record, the last one whose comment ends with the file; NULL: there is none. */
static const unsigned char *find_end(const bl_zip *z) {
    for (size_t back = END_BYTES; back <= z->n && back <= END_BYTES + MOST_COMMENT; back++) {
        const unsigned char *p = z->data + z->n - back;
        if (memcmp(p, "PK\5\6", 4) == 0 && little(p + 20, 2) == back - END_BYTES) return p;
    }
    return NULL;
}

/* Of archives beyond 4 GiB or 65,535 members, the larger end record in front of the locator. */
static bool find_list(list_place *out, const bl_zip *z) {
    const unsigned char *end = find_end(z);
    if (end == NULL) return false;
    *out = (list_place){little(end + 16, 4), little(end + 10, 2)};
    const unsigned char *locator = end - LOCATOR_BYTES;
    if (end - z->data < LOCATOR_BYTES || memcmp(locator, "PK\6\7", 4) != 0) return true;
    const uint64_t at = little(locator + 8, 8);
    if (z->n < END64_BYTES || at > z->n - END64_BYTES || memcmp(z->data + at, "PK\6\6", 4) != 0)
        return false;
    *out = (list_place){little(z->data + at + 48, 8), little(z->data + at + 32, 8)};
    return true;
}

/* Sizes and offset that do not fit 32 bits stand in an extra field, in this order. */
static void read_zip64(bl_zip_member *m, const unsigned char *extra, size_t n) {
    uint64_t *const field[] = {&m->bytes, &m->packed, &m->offset};
    while (n >= 4) {
        const size_t size = bl_size_min((size_t)little(extra + 2, 2), n - 4);
        const unsigned char *p = extra + 4;
        for (size_t i = 0; i < BL_COUNT(field) && little(extra, 2) == EXTRA_ZIP64; i++) {
            if (*field[i] != UINT32_MAX || (size_t)(p - extra) + 4 > size) continue;
            *field[i] = little(p, 8);
            p += 8;
        }
        extra += 4 + size;
        n -= 4 + size;
    }
}

/* One entry of the list at *at, which moves on. */
static bl_status read_entry(bl_zip *z, uint64_t *at, bl_err *err) {
    if (*at > z->n || z->n - *at < ENTRY_BYTES || memcmp(z->data + *at, "PK\1\2", 4) != 0)
        BL_FAIL(err, BL_EFORMAT, "%s: its list of members is damaged", z->name);
    const unsigned char *p = z->data + *at;
    const size_t name = (size_t)little(p + 28, 2), extra = (size_t)little(p + 30, 2);
    const size_t all = ENTRY_BYTES + name + extra + (size_t)little(p + 32, 2);
    if (all > z->n - *at) BL_FAIL(err, BL_EFORMAT, "%s: its list of members is cut", z->name);
    bl_zip_member *m = &z->member[z->members++];
    *m = (bl_zip_member){.name = bl_xalloc(name + 1),
                         .method = (unsigned)little(p + 10, 2),
                         .crc = (uint32_t)little(p + 16, 4),
                         .packed = little(p + 20, 4),
                         .bytes = little(p + 24, 4),
                         .offset = little(p + 42, 4)};
    memcpy(m->name, p + ENTRY_BYTES, name);
    if (little(p + 8, 2) & ENCRYPTED) m->method = UINT32_MAX;
    read_zip64(m, p + ENTRY_BYTES + name, extra);
    *at += all;
    return BL_OK;
}

bl_status bl_zip_open(bl_zip *out, const void *data, size_t n, const char *name, bl_err *err) {
    list_place list;
    *out = (bl_zip){.name = name, .data = data, .n = n};
    if (!find_list(&list, out))
        BL_FAIL(err, BL_EFORMAT, "%s: no zip archive, or one that is cut short", name);
    if (list.members > n / ENTRY_BYTES)
        BL_FAIL(err, BL_EFORMAT, "%s: its list of members is cut", name);
    out->member = bl_xalloc(((size_t)list.members + 1) * sizeof *out->member);
    for (uint64_t i = 0, at = list.at; i < list.members; i++) BL_TRY(read_entry(out, &at, err));
    return BL_OK;
}

/* Inflates until the member has all its bytes, and no further. */
static bl_status inflate_member(bl_buf *out, const unsigned char *from, const bl_zip_member *m) {
    enum { PIECE = 1 << 18, MOST_AT_ONCE = 1 << 30 };
    z_stream z = {.next_in = (Bytef *)(uintptr_t)from};
    uint64_t left = m->packed, missing = m->bytes;
    if (inflateInit2(&z, -15) != Z_OK) return BL_ENOMEM;
    unsigned char *piece = bl_xalloc(PIECE);
    int code = Z_OK;
    while (code == Z_OK && missing > 0) {
        if (z.avail_in == 0) {
            z.avail_in = (uInt)(left < MOST_AT_ONCE ? left : MOST_AT_ONCE);
            left -= z.avail_in;
        }
        z.next_out = piece;
        z.avail_out = (uInt)(missing < PIECE ? missing : PIECE);
        const uInt room = z.avail_out;
        code = inflate(&z, Z_NO_FLUSH);
        bl_buf_add(out, piece, room - z.avail_out);
        missing -= room - z.avail_out;
    }
    (void)inflateEnd(&z);
    free(piece);
    return missing == 0 ? BL_OK : BL_EFORMAT;
}

static uint32_t crc_of(const unsigned char *p, size_t n) {
    enum { PIECE = 1 << 30 };
    uLong crc = crc32(0, NULL, 0);
    for (size_t at = 0; at < n; at += PIECE)
        crc = crc32(crc, p + at, (uInt)bl_size_min(PIECE, n - at));
    return (uint32_t)crc;
}

/* The directory at the file's end says where a member's own header is, and its length; the
 * header is read for the lengths of its name and extra field only, which may differ from the
 * directory's:
 *
 *     PK 3 4 ... name length (at 26), extra length (at 28) | name | extra | packed bytes
 */
bl_status bl_zip_read(bl_buf *out, const bl_zip *z, const bl_zip_member *m, bl_err *err) {
    const size_t begin = out->len;
    if (m->method != 0 && m->method != 8)
        BL_FAIL(err, BL_EFORMAT, "%s: member '%s' is %s", z->name, m->name,
                m->method == UINT32_MAX ? "encrypted" : "packed in a way that is not known here");
    if (m->offset > z->n || z->n - m->offset < HEADER_BYTES ||
        memcmp(z->data + m->offset, "PK\3\4", 4) != 0)
        BL_FAIL(err, BL_EFORMAT, "%s: the header of member '%s' is damaged", z->name, m->name);
    const unsigned char *p = z->data + m->offset;
    const size_t header = HEADER_BYTES + (size_t)little(p + 26, 2) + (size_t)little(p + 28, 2);
    if (header > z->n - m->offset || m->packed > z->n - m->offset - header)
        BL_FAIL(err, BL_EFORMAT, "%s: member '%s' is cut short", z->name, m->name);
    bl_status status = m->method == 0 && m->bytes != m->packed ? BL_EFORMAT : BL_OK;
    if (status == BL_OK && m->method == 0) bl_buf_add(out, p + header, (size_t)m->bytes);
    if (status == BL_OK && m->method == 8) status = inflate_member(out, p + header, m);
    if (status == BL_ENOMEM) BL_FAIL(err, status, "%s: no memory to uncompress it", z->name);
    const unsigned char *bytes = (const unsigned char *)bl_buf_text(out) + begin;
    if (status != BL_OK || crc_of(bytes, out->len - begin) != m->crc)
        BL_FAIL(err, BL_EFORMAT, "%s: member '%s' is damaged", z->name, m->name);
    return BL_OK;
}

void bl_zip_close(bl_zip *z) {
    for (size_t i = 0; i < z->members; i++) free(z->member[i].name);
    free(z->member);
    *z = (bl_zip){0};
}
