/* Opening of a vendor's library and of the calls that are used of it. */
#include "kernels/vendor/library.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* The library stays open: its functions are called to the program's end. */
static bl_status find_calls(const bl_library *library, bl_err *err) {
    const char *named = getenv(library->variable);
    const char *file = named != NULL && named[0] != '\0' ? named : library->file;
    void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) BL_FAIL(err, BL_EUNSUPPORTED, "%s: %s", library->needed, dlerror());
    for (size_t i = 0; i < library->calls; i++) {
        void *const symbol = dlsym(handle, library->call[i].name);
        if (symbol == NULL)
            BL_FAIL(err, BL_EUNSUPPORTED, "this %s has no %s", library->name,
                    library->call[i].name);
        memcpy(library->call[i].pointer, &symbol, sizeof symbol);
    }
    return BL_OK;
}

bl_status bl_library_load(bl_library *library, bl_err *err) {
    (void)pthread_mutex_lock(&library->lock);
    const bl_status status = library->loaded ? BL_OK : find_calls(library, err);
    library->loaded = status == BL_OK;
    (void)pthread_mutex_unlock(&library->lock);
    return status;
}
