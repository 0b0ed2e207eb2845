#include "engine/external/devices.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST = 64, NAME = 80 }; /* a name is a number, or GPU- and MIG- with a UUID */

struct bl_external_devices {
    char name[MOST][NAME];
    size_t holders[MOST], count;
    pthread_mutex_t lock;
};

/* One name of n bytes, blanks round it left out; an empty one is none. */
static bl_status add(bl_external_devices *d, const char *name, size_t n, bl_err *err) {
    while (n > 0 && *name == ' ') name++, n--;
    while (n > 0 && name[n - 1] == ' ') n--;
    if (n == 0) return BL_OK;
    if (n >= NAME || d->count == MOST)
        BL_FAIL(err, BL_EINVAL,
                "CUDA_VISIBLE_DEVICES: more than %d devices, or a name of %zu bytes", MOST, n);
    memcpy(d->name[d->count++], name, n);
    return BL_OK;
}

static bl_status read_list(bl_external_devices *d, const char *list, bl_err *err) {
    for (const char *at = list; *at != '\0';) {
        const size_t n = strcspn(at, ",");
        BL_TRY(add(d, at, n, err));
        at += n + (at[n] == ',');
    }
    return BL_OK;
}

/* Device files are numbered, and a number may be missing. */
static bl_status look(bl_external_devices *d, const char *dev, bl_err *err) {
    char path[BL_PATH], name[NAME];
    struct stat st;
    for (int i = 0; i < MOST; i++) {
        BL_TRY(bl_path(path, err, "%s/nvidia%d", dev, i));
        const int n = snprintf(name, sizeof name, "%d", i);
        if (stat(path, &st) == 0) BL_TRY(add(d, name, (size_t)n, err));
    }
    return BL_OK;
}

bl_status bl_external_devices_open(bl_external_devices **out, const char *visible, const char *dev,
                                   bl_err *err) {
    bl_external_devices *d = bl_xalloc(sizeof *d);
    (void)pthread_mutex_init(&d->lock, NULL);
    bl_status status = visible != NULL ? read_list(d, visible, err) : look(d, dev, err);
    if (status == BL_OK && d->count == 0)
        status =
            BL_ERR(err, BL_EUNSUPPORTED, "external.jobs_per_device: there is no GPU here (%s%s)",
                   visible != NULL ? "CUDA_VISIBLE_DEVICES is empty" : "no nvidia0 in ",
                   visible != NULL ? "" : dev);
    *out = status == BL_OK ? d : NULL;
    if (status != BL_OK) bl_external_devices_close(d);
    return status;
}

void bl_external_devices_close(bl_external_devices *d) {
    if (d == NULL) return;
    (void)pthread_mutex_destroy(&d->lock);
    free(d);
}

size_t bl_external_devices_count(const bl_external_devices *d) {
    return d->count;
}

const char *bl_external_devices_take(bl_external_devices *d) {
    size_t least = 0;
    if (d == NULL) return NULL;
    (void)pthread_mutex_lock(&d->lock);
    for (size_t i = 1; i < d->count; i++)
        if (d->holders[i] < d->holders[least]) least = i;
    d->holders[least]++;
    (void)pthread_mutex_unlock(&d->lock);
    return d->name[least];
}

void bl_external_devices_give(bl_external_devices *d, const char *device) {
    if (d == NULL || device == NULL) return;
    (void)pthread_mutex_lock(&d->lock);
    for (size_t i = 0; i < d->count; i++)
        if (device == d->name[i]) d->holders[i]--;
    (void)pthread_mutex_unlock(&d->lock);
}
