/* Finished runs of an earlier release, under the ids that they have now. Only names have changed
 * since: keys are called differently and ids begin with a letter, and both stand in a log's first
 * line. So a finished run is copied into a folder of its new id with that line written anew;
 * nothing is trained. The old folder stays for the earlier release. */
#ifndef BL_ENGINE_STORE_ADOPT_H
#define BL_ENGINE_STORE_ADOPT_H
#include "engine/store/store.h"

/* Publishes under `id`, which `claim` holds, what the store has of this run under its old id. Does
 * nothing where there is no whole finished run, or where the bits of such runs have changed since.
 * `train_rows` is what the data set has; `identity` the text of run.json. */
bl_status bl_store_adopt(const bl_store *store, bl_claim *claim, const char *id,
                         const char *identity, const bl_config *config, const char *dataset_sha256,
                         size_t train_rows, bl_err *err) BL_CHECKED;
#endif
