/* Why a value was refused: words, a suggestion, and the place, which the caller that knows the
 * document turns into FILE:LINE:COLUMN. */
#ifndef BL_ENGINE_CONFIG_FAULT_H
#define BL_ENGINE_CONFIG_FAULT_H
#include "engine/base/nearest.h"
#include "engine/base/status.h"
#include "engine/config/doc.h"
#include <stdbool.h>

/* Why a value was refused. */
typedef struct bl_fault {
    char message[512];
    char hint[BL_NEAREST_HINT]; /* "did you mean 'adam'?" or "" */
    const bl_node *node;        /* the value, or the list's element at fault */
} bl_fault;

/* Fills the fault, with "did you mean 'NEAR'?" unless that is NULL; returns false. */
BL_PRINTF(4, 5)
bool bl_fault_refuse(bl_fault *fault, const bl_node *node, const char *near, const char *fmt, ...);
#endif
