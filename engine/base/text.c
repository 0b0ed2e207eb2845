#include "engine/base/text.h"
#include <string.h>

size_t bl_text_character(const unsigned char *p) {
    if (*p < 0x80) return 1;
    if (*p < 0xc2 || *p > 0xf4) return 0;
    const size_t n = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;
    const unsigned least = *p == 0xe0 ? 0xa0 : *p == 0xf0 ? 0x90 : 0x80;
    const unsigned most = *p == 0xed ? 0x9f : *p == 0xf4 ? 0x8f : 0xbf;
    if (p[1] < least || p[1] > most) return 0;
    for (size_t i = 2; i < n; i++)
        if (p[i] < 0x80 || p[i] > 0xbf) return 0;
    return n;
}

/* The number of the character of n bytes at p. */
static uint32_t code_point(const unsigned char *p, size_t n) {
    if (n == 1) return *p;
    uint32_t code = *p & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) code = code << 6 | (p[i] & 0x3fu);
    return code;
}

size_t bl_text_encode(char out[4], uint32_t code) {
    const size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned lead[] = {0, 0x00, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i > 0; i--, code >>= 6) out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)(lead[n] | code);
    return n;
}

/* Does the character do something to a terminal, or to the order or sight of what is beside it? */
static bool acts(uint32_t code) {
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x0000,  0x001f }, /* C0 */
        {0x007f,  0x009f }, /* DEL and C1 */
        {0x061c,  0x061c }, /* marks of direction ... */
        {0x200e,  0x200f },
        {0x2028,  0x2029 }, /* separators of lines and paragraphs */
        {0x202a,  0x202e }, /* ... embeddings and overrides ... */
        {0x2066,  0x2069 }, /* ... and isolates */
        {0x200b,  0x200b }, /* invisible: a space of no width, ... */
        {0x2060,  0x2064 }, /* ... joiners and operators, ... */
        {0x206a,  0x206f }, /* ... deprecated controls, ... */
        {0xfeff,  0xfeff }, /* ... the byte order mark, ... */
        {0xfff9,  0xfffb }, /* ... annotations, ... */
        {0xe0000, 0xe007f}, /* ... and tags */
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (code >= ranges[i].first && code <= ranges[i].last) return true;
    return false;
}

bool bl_text_acts(const unsigned char *p, size_t n, uint32_t *code) {
    *code = code_point(p, n);
    return acts(*code);
}

bool bl_text_is_plain(const char *text) {
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0';) {
        const size_t n = bl_text_character(p);
        if (n == 0 || acts(code_point(p, n))) return false;
        p += n;
    }
    return true;
}

void bl_text_show(bl_buf *out, const char *text) {
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0';) {
        const size_t n = bl_text_character(p);
        const uint32_t code = n > 0 ? code_point(p, n) : *p;
        if (n > 0 && (*p == '\n' || *p == '\t' || !acts(code)))
            bl_buf_add(out, p, n);
        else
            bl_buf_printf(out, n > 1 ? "\\u{%x}" : "\\x%02x", (unsigned)code);
        p += n > 0 ? n : 1;
    }
}

void bl_text_show_line(bl_buf *out, const char *text) {
    const size_t from = out->len;
    bl_text_show(out, text);
    for (size_t i = from; i < out->len; i++)
        if (out->data[i] == '\n' || out->data[i] == '\t') out->data[i] = ' ';
}

void bl_text_csv_cell(bl_buf *out, const char *text) {
    bl_buf_str(out, "\"");
    if (text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL) bl_buf_str(out, "'");
    for (const char *p = text; *p != '\0'; p++) bl_buf_printf(out, *p == '"' ? "\"\"" : "%c", *p);
    bl_buf_str(out, "\"");
}

void bl_text_shell_word(bl_buf *out, const char *text) {
    bl_buf_str(out, "'");
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\'')
            bl_buf_str(out, "'\\''");
        else
            bl_buf_add(out, p, 1);
    }
    bl_buf_str(out, "'");
}
