#include "engine/external/clone.h"
#include "engine/base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 1 << 16, DEEPEST = 32 };

static bool copy_bytes(int from, int to) {
    char block[BLOCK];
    for (;;) {
        const ssize_t n = read(from, block, sizeof block);
        if (n <= 0) return n == 0;
        for (ssize_t done = 0; done < n;) {
            const ssize_t m = write(to, block + done, (size_t)(n - done));
            if (m < 0) return false;
            done += m;
        }
    }
}

/* `to` must be new: nothing that is there is written over. */
static bl_status copy(const char *from, const char *to, bl_err *err) {
    const int in = open(from, O_RDONLY | O_CLOEXEC);
    const int out = in >= 0 ? open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666) : -1;
    const bool good = out >= 0 && copy_bytes(in, out);
    const int error = errno;
    const bool closed = out < 0 || close(out) == 0;
    if (in >= 0) (void)close(in);
    if (good && closed) return BL_OK;
    BL_FAIL(err, BL_EIO, "cannot copy %s to %s: %s", from, to, strerror(error));
}

/* Folders are made, files linked, or copied where the disk has no links. `depth` bounds what
 * links to folders may cause. */
static bl_status clone(const char *from, const char *to, int depth, bl_err *err) {
    struct stat st;
    bl_names names;
    if (stat(from, &st) != 0) BL_FAIL(err, BL_EMISSING, "there is no %s", from);
    if (!S_ISDIR(st.st_mode)) return link(from, to) == 0 ? BL_OK : copy(from, to, err);
    if (depth == DEEPEST || mkdir(to, 0777) != 0)
        BL_FAIL(err, BL_EIO, "cannot make %s: %s", to, strerror(errno));
    BL_TRY(bl_dir_list(&names, from, err));
    bl_status status = BL_OK;
    for (size_t i = 0; i < names.count && status == BL_OK; i++) {
        char below[BL_PATH], copied[BL_PATH];
        status = bl_path(below, err, "%s/%s", from, names.name[i]);
        if (status == BL_OK) status = bl_path(copied, err, "%s/%s", to, names.name[i]);
        if (status == BL_OK) status = clone(below, copied, depth + 1, err);
    }
    bl_names_free(&names);
    return status;
}

bl_status bl_external_clone(const char *from, const char *to, bl_err *err) {
    BL_TRY(bl_remove_tree(to, err));
    return clone(from, to, 0, err);
}
