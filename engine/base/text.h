/* Text that comes from outside: a script, a configuration, a table, a file's name. Before it
 * reaches a terminal or somebody's spreadsheet, what could act there is made harmless. */
#ifndef BL_ENGINE_BASE_TEXT_H
#define BL_ENGINE_BASE_TEXT_H
#include "engine/base/buf.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the UTF-8 character that begins at p, 0 if none does (RFC 3629). Reads on only while it
 * is one: what ends the text has to be ASCII. */
size_t bl_text_character(const unsigned char *p);

/* The other way: the UTF-8 of a code point (no surrogate, up to U+10FFFF); returns its bytes. */
size_t bl_text_encode(char out[4], uint32_t code);

/* Is it one line of UTF-8 that only shows characters? Three kinds do more, or cannot be seen:
 *
 *     acting      control characters and separators of lines: U+0000 to U+001F, U+007F to U+009F,
 *                 U+2028, U+2029
 *     turning     the direction of writing: U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to
 *                 U+2069
 *     invisible   U+200B, U+2060 to U+2064, U+206A to U+206F, U+FEFF, U+FFF9 to U+FFFB, and tags
 *                 (U+E0000 to U+E007F)
 *
 * The joiners U+200C and U+200D are plain: words and emoji need them. */
bool bl_text_is_plain(const char *text);
/* Of the character of n bytes at p (bl_text_character): would it make a text not plain? *code is
 * its number. */
bool bl_text_acts(const unsigned char *p, size_t n, uint32_t *code);
/* Appends `text` with everything that is not plain shown as \xHH or \u{HHHH}; newlines and tabs
 * stay. bl_text_show(out, "a\033[31m") appends "a\x1b[31m". */
void bl_text_show(bl_buf *out, const char *text);
/* The same on one line: newlines and tabs are blanks. */
void bl_text_show_line(bl_buf *out, const char *text);

/* Appends a cell of a CSV file: in quotes, and with an apostrophe in front where a spreadsheet
 * would take the text for a formula, since it begins with = + - @, a tab or a CR. Not for numbers.
 */
void bl_text_csv_cell(bl_buf *out, const char *text);

/* Appends one word of a shell's command line, in quotes. */
void bl_text_shell_word(bl_buf *out, const char *text);
#endif
