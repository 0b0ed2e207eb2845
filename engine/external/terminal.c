#include "engine/external/terminal.h"
#include <string.h>

enum { ESCAPE = 0x1b, BELL = 0x07 };

/* Bytes of the sequence that begins at the escape text[0] (ECMA-48); a torn one goes to the end. */
static size_t sequence(const char *text, size_t n) {
    size_t i = 2;
    if (n < 2) return n;
    switch (text[1]) {
    case '[': /* parameters, then a letter or the like */
        while (i < n && (text[i] < '@' || text[i] > '~')) i++;
        return i < n ? i + 1 : n;
    case ']': /* a text for the terminal, up to a bell or ESC \ */
    case 'P':
        while (i < n && text[i] != BELL && !(text[i] == '\\' && text[i - 1] == ESCAPE)) i++;
        return i < n ? i + 1 : n;
    case '(': /* a set of characters */
    case ')':
        return n < 3 ? n : 3;
    default:
        return 2;
    }
}

void bl_external_plain(bl_buf *out, const char *text, size_t n) {
    for (size_t i = 0; i < n;) {
        const unsigned char c = (unsigned char)text[i];
        if (c == ESCAPE) {
            i += sequence(text + i, n - i);
            continue;
        }
        bl_buf_add(out, c < ' ' || c == 0x7f ? " " : text + i, 1);
        i++;
    }
}

void bl_external_shown(bl_buf *out, const char *line, size_t n) {
    size_t from = 0;
    while (n > 0 && line[n - 1] == '\r') n--;
    for (size_t i = 0; i < n; i++)
        if (line[i] == '\r') from = i + 1;
    bl_external_plain(out, line + from, n - from);
}
