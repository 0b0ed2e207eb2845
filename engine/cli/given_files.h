/* The files that `batchlab init` is given, and the name that it gives. */
#ifndef BL_ENGINE_CLI_GIVEN_FILES_H
#define BL_ENGINE_CLI_GIVEN_FILES_H
#include "engine/cli/command.h"
#include "engine/data/manifest/infer.h"

typedef struct bl_given_files {
    bl_infer_source *source; /* (count): their content, unpacked */
    const char **file;       /* (count): names below `folder`, without .gz */
    char (*sha256)[65];      /* (count): of the content */
    size_t count;
    char folder[BL_PATH]; /* absolute, or "./..." below the project */
    void *owned;          /* maps and texts behind `source` */
} bl_given_files;

/* Maps or unpacks every operand. All have to lie in one folder. */
bl_status bl_given_files_open(bl_given_files *out, const bl_args *args, bl_err *err) BL_CHECKED;
void bl_given_files_close(bl_given_files *files);

/* A name for data set and experiment from --name, else from the file: "Sales 2024.csv" becomes
 * sales_2024. */
bl_status bl_given_name(char out[BL_NAME], const char *path, const char *given,
                        bl_err *err) BL_CHECKED;

/* --update: the declaration of `name` gets the digests of the files as they are now, if the data
 * set can be loaded from them. */
bl_status bl_given_update(const char *name, const bl_args *args, bl_err *err) BL_CHECKED;
#endif
