/* Operands of `batchlab init` that are no tables of text: arrays of NumPy and folders of pictures.
 * They are turned into one file that the program reads, once. */
#ifndef BL_ENGINE_CLI_GIVEN_ARRAYS_H
#define BL_ENGINE_CLI_GIVEN_ARRAYS_H
#include "engine/base/file.h"
#include "engine/cli/command.h"
#include "engine/data/image/pack.h"

typedef struct bl_given_arrays {
    bool pictures;
    bool classes; /* of a table: the target is one, though it is a number */
    bl_pack pack; /* of pictures: the classes, the shape; their pixels until they are packed */
    bl_buf bytes; /* of the file: packed pictures, or a table of text */
    bl_buf said;  /* lines for the user */
    char file[BL_NAME + 8]; /* "NAME.bin" or "NAME.csv" */
} bl_given_arrays;

/* Are the operands of that kind? */
bool bl_given_are_arrays(const bl_args *args);
/* `size`, the user's word on the side of pictures, and `target`, that on the array to learn, may be
 * NULL. To be freed, also after a failure. */
bl_status bl_given_arrays_read(bl_given_arrays *out, const bl_args *args, const char *name,
                               const char *size, const char *target, bl_err *err) BL_CHECKED;
void bl_given_arrays_free(bl_given_arrays *given);
#endif
