#include "engine/base/energy.h"
#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PACKAGES = 16 };

double bl_energy_joules(void) {
    double joules = 0.0;
    int packages = 0;
    for (int i = 0; i < MOST_PACKAGES; i++) {
        char path[96];
        double microjoules;
        (void)snprintf(path, sizeof path, "/sys/class/powercap/intel-rapl:%d/energy_uj", i);
        FILE *f = fopen(path, "r");
        if (f == NULL) break;
        if (fscanf(f, "%lf", &microjoules) == 1) {
            joules += 1e-6 * microjoules;
            packages++;
        }
        (void)fclose(f);
    }
    return packages > 0 ? joules : (double)NAN;
}

/* The calls of NVML that are needed; they return 0 on success. */
typedef struct nvml {
    int (*init)(void);
    int (*device)(const char *pci_address, void **device);
    int (*energy)(void *device, unsigned long long *millijoules);
    bool usable;
} nvml;

static nvml library;

/* ISO C has no conversion from an object's address to a function's. */
static bool find(void *handle, const char *name, void *out) {
    void *const symbol = dlsym(handle, name);
    memcpy(out, &symbol, sizeof symbol);
    return symbol != NULL;
}

/* Stays open to the program's end. */
static void open_nvml(void) {
    const char *named = getenv("BATCHLAB_NVML");
    void *handle = dlopen(named != NULL && named[0] != '\0' ? named : "libnvidia-ml.so.1",
                          RTLD_NOW | RTLD_LOCAL);
    library.usable = handle != NULL && find(handle, "nvmlInit_v2", &library.init) &&
                     find(handle, "nvmlDeviceGetHandleByPciBusId_v2", &library.device) &&
                     find(handle, "nvmlDeviceGetTotalEnergyConsumption", &library.energy) &&
                     library.init() == 0;
}

double bl_energy_gpu_joules(const char *pci_address) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    void *device = NULL;
    unsigned long long millijoules = 0;
    (void)pthread_once(&once, open_nvml);
    if (!library.usable || library.device(pci_address, &device) != 0 ||
        library.energy(device, &millijoules) != 0) /* before Volta none counts */
        return (double)NAN;
    return 1e-3 * (double)millijoules;
}
