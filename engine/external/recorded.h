/* A run that was finished elsewhere, read from the file that `batchlab import` wrote for it
 * (docs/import.md). The third way in which "advance run R to step n" is answered, beside
 * engine/train/train.h and external.h: what is asked for is looked up, and nothing is trained.
 *
 *     external.imported/b64-lr0.0625-s1.csv        step,value,loss,seconds
 *                                                  128,0.31,0.29,5.118
 *
 * The file's name says which run it is, so that one is found among thousands without reading the
 * others. Steps ascend; loss and seconds (of training so far) may be empty. The last row is the
 * run's end. A run that was asked for and has no file is BL_EMISSING. */
#ifndef BL_ENGINE_EXTERNAL_RECORDED_H
#define BL_ENGINE_EXTERNAL_RECORDED_H
#include "engine/train/train.h"

typedef struct bl_recorded_row {
    int64_t step;
    double value, loss, seconds; /* NAN: not finite, not known */
} bl_recorded_row;

enum { BL_RECORDED_NAME = 96 };

/* "b64-lr0.0625-s1.csv", with a digest of external.settings where there are any. */
void bl_recorded_name(char out[BL_RECORDED_NAME], const bl_config *config);
/* The text of such a file. */
void bl_recorded_text(bl_buf *out, const bl_recorded_row *row, size_t count);

typedef struct bl_recorded bl_recorded;
bl_status bl_recorded_open(bl_recorded **out, const bl_config *config, const char *run_id,
                           bl_err *err) BL_CHECKED;
void bl_recorded_close(bl_recorded *run); /* NULL is fine */
/* To the next row, whatever step it is of. */
void bl_recorded_advance(bl_recorded *run);
const bl_train_state *bl_recorded_now(const bl_recorded *run);
const bl_buf *bl_recorded_log(const bl_recorded *run);

/* Mean seconds of a step at config->train.batch_size, by one of the files of that size: each repeat
 * takes another one. BL_EUNSUPPORTED: none of them has times. */
bl_status bl_recorded_time(double *seconds_per_step, const bl_config *config, size_t repeat,
                           bl_err *err) BL_CHECKED;
#endif
