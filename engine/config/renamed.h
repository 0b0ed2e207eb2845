/* Names and values of the release before, accepted for one more release. Whoever uses one gets a
 * note with today's (bl_config_notes): `bl_config.renamed` remembers which, a bit each.
 *
 * A row here is added with each renaming and goes with the release after the next. Former names of
 * keys of a run's identity are also what old_identity.c finds them by. */
#ifndef BL_ENGINE_CONFIG_RENAMED_H
#define BL_ENGINE_CONFIG_RENAMED_H
#include "engine/config/schema.h"

/* Today's row of a key that was called `name`, a path or its last part; NULL: no key was. With a
 * `config`, the use is noted there. */
const bl_key *bl_renamed_key(const char *name, size_t n, bl_config *config);

/* After the value of `key` has been stored: an old end_div counts from the peak, not from the first
 * rate, whichever of the two divisors comes first. */
void bl_renamed_settle(const bl_key *key, bl_config *config);

/* An old value of a key of bl_config. Returns true if it is one and has been stored; otherwise *now
 * is what to read: the node as it is, or a copy with today's word for it. */
bool bl_renamed_value(const bl_key *key, const bl_node *node, bl_config *config, bl_node *now);

/* The same for the text of a list, which reads as it did: the use is noted. */
void bl_renamed_list(const bl_key *key, const char *text, bl_config *config);

/* Says a line for each old name or value that `config` was made with. */
void bl_renamed_notes(const bl_config *config, void (*say)(void *ctx, const char *line), void *ctx);
#endif
