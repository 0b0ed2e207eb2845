/* batchlab show NAME --model: the net that an experiment trains. */
#ifndef BL_ENGINE_CLI_SHOW_MODEL_H
#define BL_ENGINE_CLI_SHOW_MODEL_H
#include "engine/base/buf.h"
#include "engine/model/net.h"

/* Layers, shapes, parameters, FLOPs and memory, with totals: a table, or one JSON object. FLOPs are
 * those of a forward pass over one example in dense layers and convolutions, two for a
 * multiply-add; memory is what training keeps of one example, with gradients. `words` says what net
 * it is. `fused`: also what the fusion pass found (engine/model/net_fuse.c), node by node. */
void bl_cli_model_text(bl_buf *out, const bl_net *net, const char *words, bool fused);
void bl_cli_model_json(bl_buf *out, const bl_net *net, const char *experiment, const char *kind,
                       bool fused);
#endif
