/* Which keys mean anything under the choices of a configuration: beta2 does under adam, not under
 * sgd. A key does when some choice in force reads it (the rows of choices.h), or when no row names
 * it, and when the condition .when of its own row in the schema holds. A choice is in force when
 * its own key means something.
 *
 * A run's identity holds those of these keys whose row says .identity, except values that are
 * absent and defaults that .omit_default_from_id leaves out. */
#ifndef BL_ENGINE_CONFIG_APPLIES_H
#define BL_ENGINE_CONFIG_APPLIES_H
#include "engine/config/schema.h"

bool bl_key_applies(const bl_config *config, const bl_key *key);
/* The enumerated key whose choice in force does not read it; NULL where the reason is another. */
const bl_key *bl_key_unread_under(const bl_config *config, const bl_key *key);
/* bl_key_applies by path, which has to be a key's. */
bool bl_config_reads(const bl_config *config, const char *path);
/* Does it change bits that a batch comes in pieces of train.micro_batch? */
bool bl_config_pieces_show(const bl_config *config);
/* Does the net normalise by the statistics of several examples? And other examples together when
 * the batch comes in pieces? */
bool bl_config_has_norm(const bl_config *config);
bool bl_config_norm_shows(const bl_config *config);
bool bl_config_has_convolutions(const bl_config *config);
#endif
