/* What a program prints, as text: a terminal would act on some of it, and show the rest. */
#ifndef BL_ENGINE_EXTERNAL_TERMINAL_H
#define BL_ENGINE_EXTERNAL_TERMINAL_H
#include "engine/base/buf.h"

/* Appends the text without escape sequences (colours, moves of the cursor, titles); each other
 * control character is a blank. "\033[32mloss\033[0m 1" becomes "loss 1". */
void bl_external_plain(bl_buf *out, const char *text, size_t n);
/* The same of one line as it stands there in the end: what follows a carriage return is written
 * over what stood before it, as progress bars do. */
void bl_external_shown(bl_buf *out, const char *line, size_t n);
#endif
