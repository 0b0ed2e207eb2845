/* The size of a run's id, which many rooms pass on and one makes (engine/store/store.h). */
#ifndef BL_ENGINE_BASE_RUN_ID_H
#define BL_ENGINE_BASE_RUN_ID_H

enum { BL_RUN_ID = 14 }; /* "r", 12 hex digits and the terminator */
#endif
