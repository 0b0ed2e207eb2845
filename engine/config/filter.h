/* --only EXPR: which trials of a sweep to compute. An expression is terms with spaces between them,
 * all of which have to hold; a term is KEY OPERATOR VALUE, without spaces:
 *
 *     batch_size=64,128 learning_rate<0.01 optimizer.name!=sgd
 *
 * KEY is a key of a run's identity, by its full path or a last part that only one has. = holds for
 * any of several values with commas between them, != for none of them; < <= > >= are for numbers.
 */
#ifndef BL_ENGINE_CONFIG_FILTER_H
#define BL_ENGINE_CONFIG_FILTER_H
#include "engine/config/config.h"

typedef struct bl_filter_term bl_filter_term;
typedef struct bl_filter {
    bl_filter_term *term; /* (count), in the order written; none: everything matches */
    size_t count;
} bl_filter;

/* BL_EINVAL names the term. On failure *out is empty. */
bl_status bl_filter_parse(bl_filter *out, const char *text, bl_err *err) BL_CHECKED;
void bl_filter_free(bl_filter *filter);
bool bl_filter_matches(const bl_filter *filter, const bl_config *config);
#endif
