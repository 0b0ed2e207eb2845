/* What the readers of a folder's files share: private to the room. */
#ifndef BL_ENGINE_IMPORT_IMPORT_P_H
#define BL_ENGINE_IMPORT_IMPORT_P_H
#include "engine/base/file.h"
#include "engine/import/import_names.h"
#include <sys/types.h>

/* Where a file or folder lies, whatever it is called. */
typedef struct bl_import_place {
    dev_t device;
    ino_t inode;
} bl_import_place;

typedef struct bl_import_gathering {
    bl_import *out;
    const bl_import_wish *wish;
    const char *map[BL_IMPORT_FIELDS]; /* of the fields that are no parameters, what --map says */
    size_t last;                       /* the run that was looked for last */
    size_t named;                      /* runs whose names fit the pattern */
    const char *named_last;            /* one of them */
    bl_import_place *place;            /* (places) that were reached */
    size_t places;
} bl_import_gathering;

/* The run of this name, made when it is new. */
bl_import_run *bl_import_run_of(bl_import_gathering *g, const char *name, const char *source);
/* A parameter as it was found. Two that differ are refused, but for rates: a schedule moves them,
 * and the largest is taken. `n` bytes; none is nothing. */
bl_status bl_import_set(bl_import_gathering *g, bl_import_run *run, size_t param, const char *text,
                        size_t n, bl_err *err) BL_CHECKED;
/* By the run's name. */
bl_status bl_import_set_by_name(bl_import_gathering *g, bl_import_run *run, bl_err *err) BL_CHECKED;
char *bl_import_text(bl_import_gathering *g, const char *text, size_t n);
/* Says once what was read from where. */
BL_PRINTF(2, 3)
void bl_import_say(bl_import_gathering *g, const char *fmt, ...);

/* A CSV file of evaluations, and one with a row for each run. `name` is the file's below the
 * folder. */
bl_status bl_import_read_log(bl_import_gathering *g, const char *path, const char *name,
                             bl_err *err) BL_CHECKED;
bl_status bl_import_read_runs(bl_import_gathering *g, const char *path, bl_err *err) BL_CHECKED;

/* Is the folder a run as MLflow keeps it? Takes what it has. */
bool bl_import_is_mlflow(const char *path);
bl_status bl_import_read_mlflow(bl_import_gathering *g, const char *path, bl_err *err) BL_CHECKED;
#endif
