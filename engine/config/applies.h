/* Which keys mean anything under the choices of a configuration: beta2 does under adam, not under
 * sgd. Derived from what the rows of choices.h say that they read. A run's identity holds exactly
 * these. */
#ifndef BL_ENGINE_CONFIG_APPLIES_H
#define BL_ENGINE_CONFIG_APPLIES_H
#include "engine/config/schema.h"

bool bl_key_applies(const bl_config *config, const bl_key *key);
/* The same by path, which has to be a key's. */
bool bl_config_reads(const bl_config *config, const char *path);
/* Does it change bits that a batch comes in pieces of train.micro_batch? */
bool bl_config_pieces_show(const bl_config *config);
/* Does the net normalise by the statistics of several examples? And other examples together when
 * the batch comes in pieces? */
bool bl_config_has_norm(const bl_config *config);
bool bl_config_norm_shows(const bl_config *config);
bool bl_config_has_convolutions(const bl_config *config);
#endif
