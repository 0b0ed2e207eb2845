/* A small JSON file that proves itself: its last member is the SHA-256 of every byte before it, so
 * that any flipped bit and any missing byte shows. */
#ifndef BL_ENGINE_BASE_SEAL_H
#define BL_ENGINE_BASE_SEAL_H
#include "engine/base/buf.h"
#include <stdbool.h>

/* Closes the open object in `text`: appends ,"sha256":"..."} and a newline. */
void bl_seal(bl_buf *text);
/* Do text[0..n) end with the seal of what stands before it? */
bool bl_seal_holds(const char *text, size_t n);
#endif
