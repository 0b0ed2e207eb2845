/* Text that comes from outside: a script, a configuration, a table, a file's name. Before it
 * reaches a terminal or somebody's spreadsheet, what could act there is made harmless. */
#ifndef BL_ENGINE_BASE_TEXT_H
#define BL_ENGINE_BASE_TEXT_H
#include "engine/base/buf.h"
#include <stdbool.h>
#include <stddef.h>

/* Bytes of the UTF-8 character that begins at p, 0 if none does (RFC 3629). Reads on only while it
 * is one: what ends the text has to be ASCII. */
size_t bl_text_character(const unsigned char *p);

/* Is it one line of UTF-8 that only shows characters? Control characters (U+0000 to U+001F, U+007F
 * to U+009F), line separators and those that turn the direction of writing (U+061C, U+200E, U+200F,
 * U+202A to U+202E, U+2066 to U+2069) do more than that. */
bool bl_text_is_plain(const char *text);
/* Appends `text` with everything that is not plain shown as \xHH or \u{HHHH}; newlines and tabs
 * stay. bl_text_show(out, "a\033[31m") appends "a\x1b[31m". */
void bl_text_show(bl_buf *out, const char *text);

/* Appends a cell of a CSV file: in quotes, and with an apostrophe in front where a spreadsheet
 * would take the text for a formula, since it begins with = + - @, a tab or a CR. Not for numbers.
 */
void bl_text_csv_cell(bl_buf *out, const char *text);
#endif
