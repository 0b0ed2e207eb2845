/* Opening of the plug-in, and of a device in it. The plug-in stays open to the program's end, as do
 * the devices: drivers do not take well to being unloaded. */
#include "kernels/device.h"
#include "engine/base/file.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* BATCHLAB_CUDA names the plug-in; otherwise it lies beside the program, or where `make
 * install` puts it. */
static bl_status plugin_path(char *path, size_t room, bl_err *err) {
    const char *given = getenv("BATCHLAB_CUDA");
    if (given && given[0]) {
        snprintf(path, room, "%s", given);
        return BL_OK;
    }
    char found[BL_PATH];
    if (!bl_file_of_program(found, "libbatchlab_cuda.so")) {
        bl_dir_of_program(found);
        if (found[0] == '\0') BL_FAIL(err, BL_EIO, "cannot tell where this program lies");
        snprintf(path, room, "%s/libbatchlab_cuda.so", found);
        return BL_OK;
    }
    snprintf(path, room, "%s", found);
    return BL_OK;
}

/* Opens the plug-in and finds the one name that it exports. */
static bl_status load(bl_device_plugin_fn **out, bl_err *err) {
    char path[4096];
    BL_TRY(plugin_path(path, sizeof path, err));
    if (access(path, F_OK) != 0)
        BL_FAIL(err, BL_EUNSUPPORTED,
                "there is no CUDA backend here (%s); it is built where nvcc and cuDNN are found",
                path);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) BL_FAIL(err, BL_EUNSUPPORTED, "the CUDA backend does not load: %s", dlerror());
    void *symbol = dlsym(library, BL_DEVICE_PLUGIN);
    if (!symbol) BL_FAIL(err, BL_EUNSUPPORTED, "%s is no backend of this program", path);
    memcpy(out, &symbol, sizeof symbol);
    return BL_OK;
}

/* "cuda" is the first card, "cuda:N" the one that CUDA counts as N. */
static bl_status parse(const char *name, int *index, bl_err *err) {
    char *end = NULL;
    *index = 0;
    if (strcmp(name, "cuda") == 0) return BL_OK;
    if (strncmp(name, "cuda:", 5) == 0 && name[5] >= '0' && name[5] <= '9') {
        const long number = strtol(name + 5, &end, 10);
        if (*end == '\0' && number < 1024) {
            *index = (int)number;
            return BL_OK;
        }
    }
    BL_FAIL(err, BL_EINVAL, "unknown device '%s'; available: cpu, cuda, cuda:0, cuda:1, ...", name);
}

bl_status bl_device_open(const bl_device **out, const char *name, bl_err *err) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static bl_device_plugin_fn *plugin;
    bl_status status = BL_OK;
    int index;
    *out = NULL;
    BL_TRY(parse(name, &index, err));
    pthread_mutex_lock(&lock);
    if (!plugin) status = load(&plugin, err);
    if (status == BL_OK) status = plugin(out, index, err);
    pthread_mutex_unlock(&lock);
    BL_TRY(status);
    if ((*out)->size == sizeof **out) return BL_OK;
    *out = NULL;
    BL_FAIL(err, BL_EUNSUPPORTED, "the CUDA backend is of another build than this program");
}
