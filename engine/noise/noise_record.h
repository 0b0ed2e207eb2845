/* noise.jsonl.gz: what the probes of a run saw. JSON lines beside the run's log, which does not
 * know of them (docs/formats.md). The header holds the run and the settings of its probes; one
 * record follows for each probe, in the order of steps:
 *
 *     {"record":"noise","step":100,"batch":[64,128,...,2048],"plain":{"grad_sq":[...],
 *      "quarter_sq":[4 numbers],"product":[10 numbers]},"preconditioned":{...},
 *      "hessian":{"product":[10 numbers]}}
 *
 * grad_sq are the levels; product is the upper triangle of the quarters' inner products, row by
 * row. Numbers read back to the same bits. */
#ifndef BL_ENGINE_NOISE_NOISE_RECORD_H
#define BL_ENGINE_NOISE_NOISE_RECORD_H
#include "engine/base/buf.h"
#include "engine/base/json.h"
#include "engine/base/status.h"
#include "engine/noise/noise.h"
#include "engine/noise/noise_ways.h"

/* The settings that all probes of a run share. */
typedef struct bl_noise_settings {
    double share;   /* of the examples trained, that probes may cost */
    int64_t batch;  /* b */
    size_t batches; /* K */
    int64_t rows;   /* D */
    bool hessian;   /* probes measure BL_NOISE_HESSIAN, too */
} bl_noise_settings;

void bl_noise_write_header(bl_buf *out, const char *run, const bl_noise_settings *settings);
void bl_noise_write_probe(bl_buf *out, const bl_noise_probe *probe);
/* {"record":"ways",...}, one for each evaluation of a run with noise.window; behind the probe of
 * the same step, if there is one. */
void bl_noise_write_ways(bl_buf *out, const bl_noise_ways *ways);

/* The parsed text. */
typedef struct bl_noise_log {
    bl_noise_settings settings;
    bl_noise_probe *probe; /* (probes) in the order of steps */
    size_t probes;
    bl_noise_ways *ways; /* (way_count) likewise */
    size_t way_count;
    /* (records) each record's step, and the length of the text up to and with it */
    struct bl_noise_end {
        int64_t step;
        size_t at;
    } * end;
    size_t records;
    size_t header_end; /* length of the header's line */
} bl_noise_log;

/* `name` goes into messages as NAME:LINE. BL_EFORMAT for what no run wrote: another kind of record,
 * steps that do not grow, lists of the wrong length. */
bl_status bl_noise_read(bl_noise_log *out, const char *text, size_t n, const char *name,
                        bl_err *err) BL_CHECKED;
void bl_noise_log_free(bl_noise_log *log);
/* Length of the text whose probes are at most at `steps`. */
size_t bl_noise_prefix(const bl_noise_log *log, int64_t steps);
#endif
