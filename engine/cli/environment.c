#include "engine/cli/environment.h"
#include "engine/base/mem.h"
#include "engine/base/nearest.h"
#include "engine/cli/command.h"
#include "engine/config/doc.h"
#include <stdio.h>
#include <string.h>

extern char **environ;

/* docs/care.md says what each does; those of the emulated device are told in tests/cuda. */
// clang-format off
static const char *const k_variables[] = {
    "BATCHLAB_CACHE",
    "BATCHLAB_CUBLASLT",
    "BATCHLAB_CUDA",
    "BATCHLAB_CUDA_CHECK",
    "BATCHLAB_CUDNN",
    "BATCHLAB_DATA",
    "BATCHLAB_DEBUG",
    "BATCHLAB_NVML",
    "BATCHLAB_REPORTS",
    "BATCHLAB_RUNS",
    "BL_CLAIM_BEAT",
    "BL_CLAIM_STALE",
    "BL_EMULATED_CAPABILITY",
    "BL_EMULATED_DEVICES",
    "BL_EMULATED_FAIL",
    "BL_EMULATED_FAILED",
    "BL_EMULATED_MEMORY",
    "BL_EMULATED_MULTIPROCESSORS",
    "BL_EMULATED_ORDER",
    "BL_EMULATED_PINNED",
    "BL_EMULATED_STREAMS",
    "BL_EMULATED_WORKSPACE",
    "BL_FORCE_IMPL",
    "BL_REQUIRE_CUDA",
};
// clang-format on

static void check_variable(const char *name) {
    for (size_t i = 0; i < BL_COUNT(k_variables); i++)
        if (strcmp(name, k_variables[i]) == 0) return;
    const char *near = bl_nearest(name, k_variables, BL_COUNT(k_variables));
    char hint[BL_NEAREST_HINT];
    bl_cli_printf(stderr, "batchlab: warning: nothing reads the variable %s%s\n", name,
                  bl_nearest_hint(hint, ": ", near));
}

void bl_cli_check_environment(void) {
    enum { NAME = 128 };
    for (char **entry = environ; *entry != NULL; entry++) {
        char name[NAME];
        if (strncmp(*entry, "BL_", 3) != 0 && strncmp(*entry, "BATCHLAB_", 9) != 0) continue;
        (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(*entry, "="), *entry);
        check_variable(name);
    }
}
