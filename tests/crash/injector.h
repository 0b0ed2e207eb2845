/* What the fault injector (injector.c) and the driver that loads it into batchlab share: a page of
 * memory mapped from one file. It outlives the process, so a killed one still says how far it came.
 */
#ifndef BL_TESTS_CRASH_INJECTOR_H
#define BL_TESTS_CRASH_INJECTOR_H
#include <stdint.h>

/* The variable that names the file. Deliberately not one of the program's own prefixes. */
#define FAULT_VARIABLE "FAULT_PLAN"

typedef enum fault_kind {
    FAULT_OPEN,
    FAULT_READ,
    FAULT_WRITE,
    FAULT_SYNC,
    FAULT_CLOSE,
    FAULT_RENAME,
    FAULT_LINK,
    FAULT_UNLINK,
    FAULT_MKDIR,
    FAULT_STAT,
    FAULT_LIST,  /* opendir */
    FAULT_MAP,   /* mmap of a file */
    FAULT_TOUCH, /* time stamps */
    FAULT_FILE_KINDS,
    FAULT_ALLOC = FAULT_FILE_KINDS, /* malloc, calloc, realloc, aligned_alloc, posix_memalign */
    FAULT_THREAD,                   /* pthread_create */
    FAULT_KINDS,
    FAULT_ANY_FILE /* the k-th call of any kind that touches files */
} fault_kind;

typedef enum fault_action {
    FAULT_NONE,
    FAULT_FAIL,     /* the k-th call fails with `error` and does nothing (close: it does close) */
    FAULT_FAIL_ON,  /* so do all after it: a disk stays full */
    FAULT_LATE,     /* the k-th call does its work and then reports `error` */
    FAULT_PARTIAL,  /* write and read do half; no error */
    FAULT_KILL,     /* SIGKILL before the k-th call */
    FAULT_TORN,     /* SIGKILL after half of a write */
    FAULT_TERMINATE /* SIGTERM before the k-th call */
} fault_action;

typedef struct fault_plan {
    char below[512]; /* only files whose path begins with this count */
    int32_t kind, action, error;
    int64_t at; /* k, from 1 */
    int64_t count[FAULT_KINDS], files;
    int64_t hits;
    char where[512];   /* the file of the last hit */
    int32_t read_only; /* it was open for reading alone */
    char placed[512];  /* what was last renamed or linked into place before it */
    int64_t published; /* times that a result.json came into place, of all processes */
    int64_t exempt;    /* allocations of a library that cannot report their failure */
} fault_plan;
#endif
