/* Telling and undoing encodings of tables that are not UTF-8.
 *
 * UTF-16 shows itself by the two bytes of its mark. A text that is valid UTF-8 is taken for that,
 * since Latin-1 text with letters beyond ASCII practically never is. Everything else is
 * Windows-1252, which gives the bytes 0x80 to 0x9F characters where Latin-1 has controls nobody
 * writes.
 *
 *     bytes             as                text
 *     63 61 66 C3 A9    UTF-8             café
 *     63 61 66 E9       latin1            café
 *     FF FE 63 00 ...   utf16             c...
 */
#include "engine/data/table/encoding.h"
#include "engine/base/text.h"
#include <stdint.h>
#include <string.h>

/* Skips bytes below 128, eight at a time. */
static const char *skip_ascii(const char *p, const char *end) {
    uint64_t word;
    for (; end - p >= 8; p += 8) {
        memcpy(&word, p, sizeof word);
        if (word & 0x8080808080808080u) break;
    }
    while (p < end && (unsigned char)*p < 128) p++;
    return p;
}

static bool is_utf8(const char *text, size_t n) {
    const char *end = text + n;
    for (const char *p = skip_ascii(text, end); p < end; p = skip_ascii(p, end)) {
        unsigned char copy[5] = {0}; /* the last character of a file has no end behind it */
        memcpy(copy, p, end - p < 4 ? (size_t)(end - p) : 4);
        const size_t length = bl_text_character(copy);
        if (length == 0) return false;
        p += length;
    }
    return true;
}

bool bl_csv_is_ascii(const char *text, size_t n) {
    return skip_ascii(text, text + n) == text + n;
}

static bool begins_with(const char *text, size_t n, const char *mark) {
    return n >= 2 && memcmp(text, mark, 2) == 0;
}

const char *bl_csv_encoding(const char *text, size_t n) {
    if (begins_with(text, n, "\xFF\xFE") || begins_with(text, n, "\xFE\xFF")) return "utf16";
    return is_utf8(text, n) ? NULL : "latin1";
}

bool bl_csv_encoding_known(const char *encoding) {
    return strcmp(encoding, "utf16") == 0 || strcmp(encoding, "latin1") == 0;
}

static void add_code(bl_buf *out, uint32_t code) {
    char utf8[4];
    bl_buf_add(out, utf8, bl_text_encode(utf8, code));
}

/* `windows`: the characters of bytes 0x80 to 0x9F; the five without one keep their number. */
static void decode_latin1(bl_buf *out, const char *text, size_t n) {
    static const uint16_t windows[32] = {
        0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
        0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
        0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};
    const char *end = text + n;
    for (const char *p = text; p < end;) {
        const char *plain = skip_ascii(p, end);
        bl_buf_add(out, p, (size_t)(plain - p));
        if ((p = plain) == end) break;
        const unsigned char c = (unsigned char)*p++;
        add_code(out, c < 0xA0 ? windows[c - 0x80] : c);
    }
}

/* Characters beyond U+FFFF are pairs of surrogates; one without the other is BL_EFORMAT. */
static bl_status decode_utf16(bl_buf *out, const char *text, size_t n, const char *name,
                              bl_err *err) {
    const unsigned char *b = (const unsigned char *)text;
    const bool big = begins_with(text, n, "\xFE\xFF");
    if (n < 2 || n % 2 != 0)
        BL_FAIL(err, BL_EFORMAT, "%s: it is cut short: UTF-16 has pairs of bytes", name);
    for (size_t i = big || begins_with(text, n, "\xFF\xFE") ? 2 : 0; i < n; i += 2) {
        uint32_t code = big ? (uint32_t)b[i] << 8 | b[i + 1] : (uint32_t)b[i + 1] << 8 | b[i];
        if (code >= 0xD800 && code < 0xE000) {
            const uint32_t low = i + 3 >= n ? 0
                                 : big      ? (uint32_t)b[i + 2] << 8 | b[i + 3]
                                            : (uint32_t)b[i + 3] << 8 | b[i + 2];
            if (code >= 0xDC00 || low < 0xDC00 || low >= 0xE000)
                BL_FAIL(err, BL_EFORMAT, "%s: byte %zu is no UTF-16", name, i + 1);
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            i += 2;
        }
        add_code(out, code);
    }
    return BL_OK;
}

bl_status bl_csv_decode(bl_buf *out, const char *encoding, const char *text, size_t n,
                        const char *name, bl_err *err) {
    if (strcmp(encoding, "utf16") == 0) return decode_utf16(out, text, n, name, err);
    decode_latin1(out, text, n);
    return BL_OK;
}
