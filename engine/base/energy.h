/* Energy as the machine counts it: of the processor packages (Intel RAPL through powercap) and of
 * an NVIDIA GPU (NVML, opened at run time; BATCHLAB_NVML names another library). */
#ifndef BL_ENGINE_BASE_ENERGY_H
#define BL_ENGINE_BASE_ENERGY_H
/* Joules since an arbitrary start, of the whole machine; NAN where it is not reported. The counter
 * wraps around after some hours: a negative difference says nothing. */
double bl_energy_joules(void);
/* Of the GPU at this PCI address ("0000:3b:00.0"), for everybody who uses it; NAN likewise. */
double bl_energy_gpu_joules(const char *pci_address);
#endif
