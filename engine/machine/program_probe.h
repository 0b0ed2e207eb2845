/* A probe of a program of the user's own: real steps and a real evaluation at one batch size, under
 * Protocol 1 (docs/external.md). The counterpart of bl_probe_run, which tries batchlab's own nets.
 *
 * A program has no limit of address space, as libraries for GPUs reserve far more than they use.
 * Its processes are looked at all the time instead, and ended when they hold more than they may. */
#ifndef BL_ENGINE_MACHINE_PROGRAM_PROBE_H
#define BL_ENGINE_MACHINE_PROGRAM_PROBE_H
#include "engine/machine/memory_probe.h"

/* BL_EPROGRAM: the program failed; the message is for its author. BL_EINTERRUPTED: `stop` (may be
 * NULL) is no longer 0. */
bl_status bl_probe_program(bl_probe_result *out, const bl_machine_place *place, int64_t batch_size,
                           const volatile int *stop, bl_err *err) BL_CHECKED;
#endif
