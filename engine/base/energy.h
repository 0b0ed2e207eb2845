/* Energy of the processor packages as the machine counts it (Intel RAPL through powercap). */
#ifndef BL_ENGINE_BASE_ENERGY_H
#define BL_ENGINE_BASE_ENERGY_H
/* Joules since an arbitrary start, of the whole machine; NAN where it is not reported. The counter
 * wraps around after some hours: a negative difference says nothing. */
double bl_energy_joules(void);
#endif
