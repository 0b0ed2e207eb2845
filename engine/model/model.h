/* Kinds of net: from an experiment's model settings and the shape of the data to a list of layers.
 */
#ifndef BL_ENGINE_MODEL_MODEL_H
#define BL_ENGINE_MODEL_MODEL_H
#include "engine/config/choices.h"
#include "engine/config/config.h"
#include "engine/model/net.h"

/* What a builder has to know about the data. */
typedef struct bl_model_input {
    size_t categorical, continuous;
    bl_shape shape;                      /* of the continuous values; {0}: no pictures */
    const uint32_t *cardinality;         /* (categorical) */
    const char *const *categorical_name; /* may be NULL */
    size_t classes;                      /* 0: the target is a number */
    bool target_is_log;
    double target_min, target_max;        /* of the training targets, before the logarithm */
    double target_mean, target_deviation; /* of a standardised target; 0: it is not */
} bl_model_input;

typedef struct bl_model {
    const char *name; /* model.kind */
    bool pictures;    /* convolutional: takes pictures alone */
    /* Adds the layers to an initialised net; the last one has a feature for each
     * class, or one. */
    bl_status (*build)(bl_net *net, const bl_config *config, const bl_model_input *input,
                       bl_err *err);
} bl_model;

#define DECLARE(name, reads) extern const bl_model bl_model_##name;
BL_CHOICES_MODEL(DECLARE)
#undef DECLARE

extern const bl_model *const bl_model_table[];
extern const size_t bl_model_count;

const bl_model *bl_model_find(const char *kind); /* by model.kind; NULL: there is none */

/* Features out: one for each class, or one. */
static inline size_t bl_model_outputs(const bl_model_input *input) {
    return input->classes > 0 ? input->classes : 1;
}
/* What a sigmoid_range spans, on the scale that the net predicts: [0, 1.2 x the largest training
 * target], or for a standardised target what the training rows span and a tenth of it on either
 * side. */
void bl_model_range(bl_layer_settings *set, const bl_model_input *input);
/* What follows dense hidden layer `layer`: its rate, from one per hidden layer, one for all, or
 * none. */
double bl_model_dropout(const bl_config *config, size_t layer);
/* As many widths as rates, each at least 1: what every builder of hidden layers asks first. */
bl_status bl_model_check_hidden(const bl_config *config, bl_err *err) BL_CHECKED;

/* Dense, ReLU and, where there is a rate, dropout for each of model.hidden after node *at, then one
 * dense layer to the outputs; *at becomes that. */
bl_status bl_model_add_head(bl_net *net, const bl_config *config, const bl_model_input *input,
                            size_t *at, bl_err *err) BL_CHECKED;
/* Whether model.kind is such a net. */
bool bl_model_takes_pictures(const bl_config *config);
/* Convolutional nets take pictures alone. */
bl_status bl_model_check_pictures(const bl_config *config, const bl_model_input *input,
                                  bl_err *err) BL_CHECKED;

/* The filters of a net's (count) groups of convolutions: model.filters, or those of the literature.
 */
bl_status bl_model_filters(const bl_config *config, const size_t *literature, size_t count,
                           size_t *out, bl_err *err) BL_CHECKED;

/* Initialises and builds the net of config->model.kind; free it with bl_net_free also on failure.
 */
bl_status bl_model_build(bl_net *net, const bl_config *config, const bl_model_input *input,
                         bl_err *err) BL_CHECKED;
#endif
