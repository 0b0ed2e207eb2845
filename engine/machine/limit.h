/* How much memory a run may take here: what was asked for, else the control group's limit, else
 * what is free. */
#ifndef BL_ENGINE_MACHINE_LIMIT_H
#define BL_ENGINE_MACHINE_LIMIT_H
#include "engine/base/status.h"
#include <stdbool.h>
#include <stddef.h>

typedef struct bl_machine_limit {
    double bytes, kept_free; /* a run may take bytes - kept_free */
    char source[64]; /* "as asked", "the control group's limit", "what is free", "the GPU's" */
    char note[256];  /* a control group that cannot be read; "": nothing to say */
} bl_machine_limit;

/* Where to look; tests have folders of their own. */
typedef struct bl_machine_places {
    const char *cgroup;  /* /proc/self/cgroup */
    const char *root;    /* /sys/fs/cgroup */
    const char *meminfo; /* /proc/meminfo */
} bl_machine_places;
extern const bl_machine_places bl_machine_here;

/* `asked` 0: look. Of nested groups the smallest limit holds. BL_EIO: nothing can be found out.
 * BL_EINVAL: more is asked for than the machine has. A control group's limit may be passed: what
 * the system then ends is a result. */
bl_status bl_machine_find_limit(bl_machine_limit *out, double asked, double margin,
                                const bl_machine_places *places, bl_err *err) BL_CHECKED;

/* What the machine has, or its control group's limit where that is less; 0: neither can be found
 * out. What is free changes; this does not. */
size_t bl_machine_memory(const bl_machine_places *places);

/* Of this process, in bytes (proc(5), statm): addresses that it has taken, and those of them that
 * hold something. Both 0 where the system does not say. */
typedef struct bl_machine_use {
    double addresses, held;
} bl_machine_use;
bl_machine_use bl_machine_use_now(void);

/* "1.5G", "512M", "300 MiB", "1000000": bytes, units of 1,024; false: malformed or not above 0. */
bool bl_machine_read_bytes(const char *text, double *bytes);
#endif
