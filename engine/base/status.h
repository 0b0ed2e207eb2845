/* Status codes and the caller-owned error text every fallible function of the engine reports with.
 * A message is written once, where the fault is known, in the user's coordinates (file:line, run
 * id). */
#ifndef BL_ENGINE_BASE_STATUS_H
#define BL_ENGINE_BASE_STATUS_H
#ifdef __cplusplus
extern "C" {
#endif

typedef enum bl_status {
    BL_OK = 0,
    BL_ENOMEM,       /* memory ran out: an outcome of a run, never a crash of a sweep */
    BL_EINVAL,       /* the user asked for something impossible */
    BL_EFORMAT,      /* a file is not what it claims to be */
    BL_EIO,          /* the operating system refused to read or write */
    BL_EMISSING,     /* a file or name that has to exist does not */
    BL_EUNSUPPORTED, /* this build or machine cannot do it */
    BL_EDIVERGED,    /* training left the finite numbers: an outcome of a run */
    BL_EMISMATCH,    /* two results that must be equal differ */
    BL_EDAMAGED,     /* a file that proves itself is not as it was written */
    BL_EINTERRUPTED, /* stopped on request; the same command continues */
    BL_EPROGRAM,     /* a program of the user's own failed */
    BL_STATUS_COUNT
} bl_status;

enum { BL_ERR_TEXT = 2048 };

typedef struct bl_err {
    bl_status code;
    const char *file; /* where in the source it was raised: shown under BATCHLAB_DEBUG=1 */
    int line;
    char text[BL_ERR_TEXT]; /* for the user; may span lines, no newline at its end */
} bl_err;

#define BL_CHECKED      __attribute__((warn_unused_result))
#define BL_PRINTF(a, b) __attribute__((format(printf, a, b)))

const char *bl_status_name(bl_status status);

/* Fills `err` (may be NULL) and returns `code`, so that a fault is one statement. */
BL_PRINTF(5, 6)
bl_status bl_err_set(bl_err *err, bl_status code, const char *file, int line, const char *fmt, ...);

/* The fault as an expression: `status = BL_ERR(err, BL_EIO, "cannot read %s", path);`. */
#define BL_ERR(err, code, ...)  bl_err_set((err), (code), __FILE__, __LINE__, __VA_ARGS__)
#define BL_FAIL(err, code, ...) return BL_ERR(err, code, __VA_ARGS__)
#define BL_TRY(expr)                                                                               \
    do {                                                                                           \
        const bl_status bl_try_ = (expr);                                                          \
        if (bl_try_ != BL_OK) return bl_try_;                                                      \
    } while (0)
/* As BL_TRY inside a function with one exit: keeps the code in `status` and jumps to `done`. */
#define BL_GOTO(expr)                                                                              \
    do {                                                                                           \
        status = (expr);                                                                           \
        if (status != BL_OK) goto done;                                                            \
    } while (0)

/* A programmer's error, checked in every build. */
#define BL_ASSERT(cond) ((cond) ? (void)0 : bl_assert_failed(#cond, __FILE__, __LINE__))
__attribute__((noreturn)) void bl_assert_failed(const char *cond, const char *file, int line);

#ifdef __cplusplus
}
#endif
#endif
