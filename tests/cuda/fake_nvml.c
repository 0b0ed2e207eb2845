/* An NVML of one GPU, at the emulated device's address, whose counter goes up by 1.5 J at every
 * look. FAKE_NVML=mute: it does not count; FAKE_NVML=broken: there is no driver. */
#include <stdlib.h>
#include <string.h>

int nvmlInit_v2(void);
int nvmlDeviceGetHandleByPciBusId_v2(const char *pci_address, void **device);
int nvmlDeviceGetTotalEnergyConsumption(void *device, unsigned long long *millijoules);

enum { NOT_SUPPORTED = 3, NOT_FOUND = 6, NO_DRIVER = 9 };

static unsigned long long counter;

static int fake_is(const char *what) {
    const char *mode = getenv("FAKE_NVML");
    return mode != NULL && strcmp(mode, what) == 0;
}

int nvmlInit_v2(void) {
    return fake_is("broken") ? NO_DRIVER : 0;
}

int nvmlDeviceGetHandleByPciBusId_v2(const char *pci_address, void **device) {
    *device = &counter;
    return strcmp(pci_address, "0000:e0:00.0") == 0 ? 0 : NOT_FOUND;
}

int nvmlDeviceGetTotalEnergyConsumption(void *device, unsigned long long *millijoules) {
    counter += 1500;
    *millijoules = device == &counter ? counter : 0;
    return fake_is("mute") ? NOT_SUPPORTED : 0;
}
