/* Files, written whole or not at all:
 *
 *     create NAME.tmp-TOKEN in the same folder, write, fsync, close    every result is checked
 *     rename it to NAME (replace), or link it (make, unless it exists)
 *     fsync the folder
 *
 * A reader sees the old bytes or the new ones, at any moment and after a loss of power. After a
 * failed fsync a file is abandoned, since its pages may be marked clean without having reached the
 * disk. An interrupted call is made again. A writer that is killed leaves NAME.tmp-TOKEN, whose
 * token says whose it was (engine/base/process.h).
 *
 * Nothing here waits: what is no plain file is refused by name instead of being opened as a FIFO.
 * Messages name the path and, for a full disk, what is needed and what is free. */
#ifndef BL_ENGINE_BASE_FILE_H
#define BL_ENGINE_BASE_FILE_H
#include "engine/base/buf.h"
#include "engine/base/status.h"
#include <stdbool.h>
#include <stdint.h>

enum { BL_PATH = 1024 };
/* Between the name of a file that is being written and the token of its writer (process.h). */
#define BL_TEMPORARY ".tmp-"

/* PATH.tmp-TOKEN, a new name each time: the token says whose it is, so that one whose writer is
 * dead can be removed at once (bl_dir_sweep). */
bl_status bl_file_temporary(char out[BL_PATH], const char *path, bl_err *err) BL_CHECKED;
/* Is it the name of a temporary file or folder whose writer is dead for certain? */
bool bl_file_is_abandoned(const char *name);

/* False only where there is certainly none. What the system refuses to look at counts as there:
 * reading it then says why, instead of its being taken for empty. */
bool bl_file_exists(const char *path);
bool bl_dir_exists(const char *path);
/* Is something there that is no plain file: a folder, a FIFO, a device, a link that leads nowhere?
 */
bool bl_file_is_other(const char *path);
/* What changes when a file's bytes do: size, time of the last change, number on its disk. */
typedef struct bl_file_stamp {
    int64_t size, mtime_ns, inode;
} bl_file_stamp;
/* Of a file or folder; false when there is none. */
bool bl_file_stat(bl_file_stamp *out, const char *path);
/* A file that belongs to the program: beside it, or in ../lib/batchlab of its folder, where it is
 * installed. False: in neither. */
bool bl_file_of_program(char out[BL_PATH], const char *name);
/* The folder that the program lies in; "" where the system does not say. */
void bl_dir_of_program(char out[BL_PATH]);
/* "a/b" into `out`, BL_EINVAL when it does not fit. */
BL_PRINTF(3, 4)
bl_status bl_path(char out[BL_PATH], bl_err *err, const char *fmt, ...) BL_CHECKED;
/* Makes the folder and its parents. */
bl_status bl_make_dirs(const char *path, bl_err *err) BL_CHECKED;
/* The whole file appended to `out`. BL_EMISSING: there is none. BL_EFORMAT: it has more than
 * `limit` bytes. BL_EIO: it cannot be read, or is no plain file. Never waits, not even for a FIFO.
 */
bl_status bl_file_read(bl_buf *out, const char *path, size_t limit, bl_err *err) BL_CHECKED;
/* Replaces the file by these bytes. */
bl_status bl_file_write(const char *path, const void *bytes, size_t n, bl_err *err) BL_CHECKED;
/* The same with the temporary file in `tmp_dir`, on the same file system: no bytes reach `path`
 * once that folder was taken away. */
bl_status bl_file_write_from(const char *tmp_dir, const char *path, const void *bytes, size_t n,
                             bl_err *err) BL_CHECKED;
/* A new file of a folder with many, which bl_dir_publish will give its name: one wait for the disk
 * instead of one for each file. Not for a folder that others read. */
bl_status bl_file_write_unsynced(const char *path, const void *bytes, size_t n,
                                 bl_err *err) BL_CHECKED;
/* Renames a folder once the disk has all that is in it. `to` does not exist. */
bl_status bl_dir_publish(const char *from, const char *to, bl_err *err) BL_CHECKED;
bl_status bl_file_publish_from(const char *tmp_dir, const char *path, const void *bytes, size_t n,
                               bool *won, bl_err *err) BL_CHECKED;
/* Writes the file unless it exists: *won says whether this call made it. Only one of many can win.
 */
bl_status bl_file_publish(const char *path, const void *bytes, size_t n, bool *won,
                          bl_err *err) BL_CHECKED;
/* Is it another file than *stamp speaks of? Stamps the one that is there now; all zero for none. */
bool bl_file_changed(const char *path, bl_file_stamp *stamp);
/* The file that a user named by -o. A plain file is replaced whole, also behind a link, which
 * stays. A device or FIFO is written to. A folder is refused: BL_EINVAL. */
bl_status bl_file_output(const char *path, const void *bytes, size_t n, bl_err *err) BL_CHECKED;
/* BL_EIO, with what is needed and what is free, where the disk that `path` is on has less than
 * `need` bytes left. For writers that do not say why they failed. */
bl_status bl_file_disk_full(const char *path, size_t need, bl_err *err) BL_CHECKED;
/* Renames a file or folder to PATH.corrupt-N, with the first N that is free: of several processes
 * that do so at the same moment none overwrites what another has set aside. */
bl_status bl_file_set_aside(const char *path, bl_err *err) BL_CHECKED;
/* Removes a file, or a folder with all that is in it. BL_EIO names the first entry that stays; the
 * others are removed all the same. What is not there counts as removed. */
bl_status bl_remove_tree(const char *path, bl_err *err);
/* Maps a whole plain file read-only; free with bl_file_unmap. Statuses as of bl_file_read. */
typedef struct bl_map {
    const unsigned char *data;
    size_t size;
} bl_map;
bl_status bl_file_map(bl_map *out, const char *path, bl_err *err) BL_CHECKED;
void bl_file_unmap(bl_map *map);
/* The whole pages of these mapped bytes need not stay in memory: they are read again when they are
 * looked at again. For passes over files that are larger than memory. */
void bl_file_passed(const void *bytes, size_t n);
/* Names in a folder, sorted; each and the array to be freed with bl_names_free. Dot files are left
 * out. */
typedef struct bl_names {
    char **name;
    size_t count;
} bl_names;
bl_status bl_dir_list(bl_names *out, const char *path, bl_err *err) BL_CHECKED;
/* Returns when the disk knows the names that are in the folder, or in the folder that `path` lies
 * in. */
bl_status bl_dir_sync(const char *path, bl_err *err) BL_CHECKED;
bl_status bl_dir_sync_above(const char *path, bl_err *err) BL_CHECKED;
/* Removes temporary files, and folders, of processes that are dead for certain. What another
 * machine or an earlier boot left is not known to be dead and stays. */
void bl_dir_sweep(const char *path);
void bl_names_free(bl_names *names);
#endif
