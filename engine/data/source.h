/* Source files: found in the data folders, plain or as .gz, and held to their declared SHA-256. */
#ifndef BL_ENGINE_DATA_SOURCE_H
#define BL_ENGINE_DATA_SOURCE_H
#include "engine/base/file.h"
#include "engine/data/manifest/manifest.h"

typedef struct bl_source {
    char path[BL_PATH];
    bool gzip;
    bl_map map;              /* the file as stored */
    bl_buf text;             /* of a .gz: its content, once it was needed */
    char content_sha256[65]; /* of the uncompressed content */
} bl_source;

/* Whether a declared folder begins with / or . : its own place, outside the data folders. */
bool bl_source_own_folder(const char *folder);
/* Where a declared file lies. In a folder of its own: FOLDER/FILE, then FOLDER/FILE.gz. Otherwise
 * DATA/FOLDER/FILE.gz, then DATA/FOLDER/FILE, for each DATA of `data_path` in turn. False when
 * there is none. What is found may be no plain file: bl_source_open refuses it. */
bool bl_source_find(char path[BL_PATH], const char *data_path, const char *folder,
                    const char *file);
/* Opens PATH and checks it against `decl`. The message of an altered or truncated file names it,
 * the expected and the found hash, and where to get it. */
bl_status bl_source_open(bl_source *source, const char *path, const bl_manifest *manifest,
                         const bl_source_decl *decl, bl_err *err) BL_CHECKED;
/* The uncompressed content; valid until the source is closed. */
bl_status bl_source_text(bl_source *source, const char **text, size_t *n, bl_err *err) BL_CHECKED;
void bl_source_close(bl_source *source);
#endif
