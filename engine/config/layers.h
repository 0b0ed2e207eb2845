/* The layers that model.layers may list: a table of kinds with their keys, and a list of layers
 * between a document, structures and its canonical text. What the layers do is known in
 * engine/model; whether a list fits the data is asked there. */
#ifndef BL_ENGINE_CONFIG_LAYERS_H
#define BL_ENGINE_CONFIG_LAYERS_H
#include "engine/config/value.h"

enum {
    BL_CONFIG_LAYER_LISTS = 2,                   /* that one layer holds */
    BL_CONFIG_LAYER_DEPTH = 8,                   /* of lists within lists */
    BL_CONFIG_LAYERS_MOST = BL_LAYERS_TEXT / 16, /* ghost_norms that a text can hold */
    BL_CONFIG_LAYER_PATH = 256,                  /* "model.layers[2].shortcut[0]" */
};

/* What may stand in a list. A further one is a row of layer_kinds.c. */
typedef struct bl_config_layer_kind {
    const char *name;
    const bl_key
        *keys; /* "conv2d.filters"; offsets in bl_config_layer; def NULL: has to be given */
    size_t key_count;
    const char
        *list[BL_CONFIG_LAYER_LISTS]; /* keys that hold layers; the first one has to be given */
    bool stride_is_size;              /* where no stride is given */
    bool normalises_batch;            /* by the statistics of all examples that come at once */
    bool convolves;
    const char *help;
} bl_config_layer_kind;

extern const bl_config_layer_kind bl_config_layer_kinds[];
extern const size_t bl_config_layer_kind_count;

/* One layer as it is written, defaults filled in; 0 where its kind has no such key. */
typedef struct bl_config_layer {
    const bl_config_layer_kind *kind;
    int64_t filters, units, channels, kernel, size, stride, groups, ghost;
    bool bias;
    char padding[BL_NAME]; /* valid, same */
    double rate, eps, momentum, low, high;
    struct bl_config_layer *list[BL_CONFIG_LAYER_LISTS]; /* first layers; NULL: none */
    struct bl_config_layer *next;
} bl_config_layer;

/* A list in a document as canonical text: JSON, the layers in order, keys in the table's order,
 * those at their default left out, a layer without any as its name alone. That text is what
 * bl_config holds, what is hashed and compared. */
bool bl_config_layers_read(const bl_node *list, bl_buf *text, bl_fault *fault);
/* From the inside of ( ), as --set takes it. The fault has no place. */
bool bl_config_layers_read_text(const char *source, bl_buf *text, bl_fault *fault);
/* Structures of canonical text; to be freed. */
bl_config_layer *bl_config_layers_open(const char *text);
void bl_config_layers_free(bl_config_layer *first);
void bl_config_layers_write(const bl_config_layer *first, bl_value_form form, bl_buf *out);

/* Is this the path of one layer's key, "model.layers[2].filters"? Then *rest is "[2].filters". */
bool bl_config_layers_is_path(const char *path, const char **rest);
/* Sets that key; the fault has no place. */
bool bl_config_layers_set(const char *text, const char *rest, const char *value, bl_buf *out,
                          bl_fault *fault);
/* The node of a document's list that `rest` ("[2].shortcut[0]") leads to, as far as it goes. */
const bl_node *bl_config_layers_node(const bl_node *list, const char *rest);

/* What of a list decides bits beyond its own text: how a batch may be cut (validate.c). */
typedef struct bl_config_layer_facts {
    bool batch_norm;   /* some layer normalises over the batch that comes at once */
    bool convolutions; /* some layer is a convolution */
    int64_t ghost[BL_CONFIG_LAYERS_MOST]; /* examples of a chunk, of each ghost_norm */
    size_t ghosts;
} bl_config_layer_facts;
void bl_config_layers_facts(bl_config_layer_facts *facts, const char *text);
/* The kinds, as keys of type -1, each followed by its keys: the rows of --list-keys layers. */
void bl_config_layers_each_key(void (*row)(void *ctx, const bl_key *key), void *ctx);
#endif
