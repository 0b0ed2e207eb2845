/* The settings of a trial, as the plan writes them: "set":{"train.batch_size":64,...}. */
#ifndef BL_ENGINE_PLAN_SETTINGS_H
#define BL_ENGINE_PLAN_SETTINGS_H
#include "engine/base/chunks.h"
#include "engine/base/json.h"
#include "engine/base/sha256.h"
#include "engine/config/config.h"

/* Appends an object of the identity keys in which the trial differs from the experiment's
 * configuration, and of what every sweep varies: batch size, rate and seed. In the schema's order.
 */
void bl_plan_settings_write(bl_buf *out, const bl_config *experiment, const bl_config *trial);
/* What a "set" changes beside batch size, rate and seed, as the members of an object: "" nothing.
 * Equal texts are equal settings. */
const char *bl_plan_settings_others(const char *set, bl_chunks *memory);
/* Of a run's identity (run.json): data, model and settings, but for batch size, rate, seed and the
 * steps of evaluations. Runs with equal digests differ in what a sweep varies alone. */
void bl_plan_settings_digest(const bl_json *identity, char out[BL_SHA256_HEX]);
#endif
