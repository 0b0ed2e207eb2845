/* Tables whose text is not UTF-8. The rest of the program reads UTF-8 alone. */
#ifndef BL_ENGINE_DATA_TABLE_ENCODING_H
#define BL_ENGINE_DATA_TABLE_ENCODING_H
#include "engine/base/buf.h"
#include "engine/base/status.h"
#include <stdbool.h>
#include <stddef.h>

/* What a text's bytes are: NULL for UTF-8 and ASCII, "utf16" if it begins with a mark of that,
 * "latin1" for anything else. Latin-1 stands for Windows-1252, which has all of it. */
const char *bl_csv_encoding(const char *text, size_t n);
bool bl_csv_is_ascii(const char *text, size_t n); /* the same in UTF-8 and Latin-1 */
bool bl_csv_encoding_known(const char *encoding);
/* The text as UTF-8, appended to `out`. BL_EFORMAT: it is not of this encoding. */
bl_status bl_csv_decode(bl_buf *out, const char *encoding, const char *text, size_t n,
                        const char *name, bl_err *err) BL_CHECKED;
#endif
