/* A run's state as bytes, to be stored and read back: all that a resumed run needs to go on as if
 * it had never stopped, and enough to refuse everything else.
 *
 *     fixed_part   magic and version, the run's identity, progress, length and SHA-256 of the log
 *                  that the state was made with, the last evaluation
 *     blocks       what the workload keeps: weights, running statistics, optimizer states
 *     records      of the probes of the gradient noise so far, where the run makes any: text
 *     64 bytes     the SHA-256 of all that, in hex
 *
 * Little-endian, as every machine it runs on. On reading, the checks go from the outside in: magic,
 * identity, size, digest, then that the log at hand begins with the log of the state. What a device
 * holds is fetched before writing and put back after reading. Any change of the layout takes a new
 * magic: an older state is then refused and its run trained again from its start. */
#include "engine/train/workload.h"
#include <string.h>

static const char k_magic[8] = {'B', 'L', 'S', 'T', 'A', 'T', 'E', '2'};

/* Everything but the blocks. No padding: it is written as it lies in memory. */
typedef struct fixed_part {
    char magic[8];
    char identity[BL_SHA256_HEX + 7];
    char log_sha256[BL_SHA256_HEX + 7];
    char params_sha256[BL_SHA256_HEX + 7];
    uint64_t log_length;
    int64_t made, loss_count, step;
    uint64_t hash;
    double loss, loss_sum, product1, product2, value, train_loss;
    uint64_t diverged;
} fixed_part;
_Static_assert(sizeof(fixed_part) == 8 + 3 * 72 + 12 * 8, "fixed_part has padding");

/* The fixed part of where the run stands. */
static fixed_part fixed_of(const bl_train *t) {
    const bl_train_progress *p = &t->progress;
    fixed_part f = {.log_length = t->log.len,
                    .made = p->made,
                    .loss_count = p->loss_count,
                    .step = t->now.step,
                    .hash = p->hash,
                    .loss = p->loss,
                    .loss_sum = p->loss_sum,
                    .product1 = p->product1,
                    .product2 = p->product2,
                    .value = t->now.value,
                    .train_loss = t->now.train_loss,
                    .diverged = p->diverged};
    memcpy(f.magic, k_magic, sizeof f.magic);
    memcpy(f.identity, t->identity, BL_SHA256_HEX);
    bl_sha256_hex(&t->log_digest, f.log_sha256);
    memcpy(f.params_sha256, t->now.params_sha256, BL_SHA256_HEX);
    return f;
}

static size_t state_size(const bl_train *t) {
    bl_state_block block[BL_STATE_BLOCKS];
    size_t bytes = sizeof(fixed_part) + BL_SHA256_HEX - 1;
    const size_t blocks = t->workload->blocks(t, block);
    for (size_t i = 0; i < blocks; i++) bytes += block[i].bytes;
    return bytes;
}

static bl_status fault(const bl_train *t, bl_err *err) {
    return t->workload->fault != NULL ? t->workload->fault(t, err) : BL_OK;
}

bl_status bl_train_save(const bl_train *train, bl_buf *out, bl_err *err) {
    bl_state_block block[BL_STATE_BLOCKS];
    const size_t begin = out->len, blocks = train->workload->blocks(train, block);
    const fixed_part fixed = fixed_of(train);
    BL_TRY(fault(train, err));
    if (train->workload->fetch != NULL) train->workload->fetch(train);
    BL_TRY(fault(train, err));
    char digest[BL_SHA256_HEX];
    bl_buf_add(out, &fixed, sizeof fixed);
    for (size_t i = 0; i < blocks; i++) bl_buf_add(out, block[i].data, block[i].bytes);
    bl_buf_add(out, bl_buf_text(&train->probe.log), train->probe.log.len);
    bl_sha256_of(out->data + begin, out->len - begin, digest);
    bl_buf_add(out, digest, BL_SHA256_HEX - 1);
    return BL_OK;
}

/* Reads the fixed part of bytes that are whole and belong to this run and this log. */
static bl_status check(const bl_train *t, const unsigned char *bytes, size_t n, const char *log,
                       size_t log_n, fixed_part *fixed, bl_err *err) {
    char digest[BL_SHA256_HEX];
    if (n < sizeof *fixed || memcmp(bytes, k_magic, sizeof k_magic) != 0)
        BL_FAIL(err, BL_EFORMAT, "this is no saved state of a run");
    memcpy(fixed, bytes, sizeof *fixed);
    if (memcmp(fixed->identity, t->identity, BL_SHA256_HEX) != 0)
        BL_FAIL(err, BL_EMISMATCH, "the saved state is of another run");
    /* Records of probes are JSON lines; a run without probes leaves them unread. */
    const size_t least = state_size(t);
    if (n < least || (n > least && bytes[least - (BL_SHA256_HEX - 1)] != '{'))
        BL_FAIL(err, BL_EFORMAT, "the saved state has %zu bytes; this run's have %zu", n, least);
    bl_sha256_of(bytes, n - (BL_SHA256_HEX - 1), digest);
    if (memcmp(digest, bytes + n - (BL_SHA256_HEX - 1), BL_SHA256_HEX - 1) != 0)
        BL_FAIL(err, BL_EFORMAT, "the saved state is damaged: its SHA-256 does not fit it");
    if (log_n < fixed->log_length)
        BL_FAIL(err, BL_EMISMATCH, "the log has %zu bytes; the saved state was made at %llu", log_n,
                (unsigned long long)fixed->log_length);
    bl_sha256_of(log, (size_t)fixed->log_length, digest);
    if (memcmp(digest, fixed->log_sha256, BL_SHA256_HEX) != 0)
        BL_FAIL(err, BL_EMISMATCH, "the log is not the one that the saved state was made with");
    return BL_OK;
}

static void take_fixed(bl_train *t, const fixed_part *f) {
    t->progress = (bl_train_progress){.made = f->made,
                                      .loss = f->loss,
                                      .loss_sum = f->loss_sum,
                                      .loss_count = f->loss_count,
                                      .hash = f->hash,
                                      .product1 = f->product1,
                                      .product2 = f->product2,
                                      .diverged = f->diverged != 0};
    t->now = (bl_train_state){.step = f->step,
                              .value = f->value,
                              .train_loss = f->train_loss,
                              .diverged = f->diverged != 0};
    memcpy(t->now.params_sha256, f->params_sha256, BL_SHA256_HEX);
}

/* check() looks at all bytes before anything of *train changes. A workload on a device takes its
 * blocks into host memory first, and `put` copies them on. */
bl_status bl_train_restore(bl_train *train, const void *bytes, size_t n, const char *log,
                           size_t log_n, bl_err *err) {
    fixed_part fixed = {0};
    bl_state_block block[BL_STATE_BLOCKS];
    BL_TRY(check(train, bytes, n, log, log_n, &fixed, err));
    const size_t probes = state_size(train) - (BL_SHA256_HEX - 1);
    if (!bl_train_probe_restore(train, (const char *)bytes + probes, n - state_size(train)))
        BL_FAIL(err, BL_EMISMATCH, "the saved state has no probes of the noise by these settings");
    take_fixed(train, &fixed);
    const unsigned char *at = (const unsigned char *)bytes + sizeof fixed;
    const size_t blocks = train->workload->blocks(train, block);
    for (size_t i = 0; i < blocks; at += block[i].bytes, i++)
        if (block[i].bytes > 0) memcpy(block[i].data, at, block[i].bytes);
    if (train->workload->put != NULL) train->workload->put(train);
    bl_buf_clear(&train->log);
    bl_buf_add(&train->log, log, (size_t)fixed.log_length);
    bl_sha256_init(&train->log_digest);
    bl_sha256_update(&train->log_digest, train->log.data, train->log.len);
    return BL_OK;
}
