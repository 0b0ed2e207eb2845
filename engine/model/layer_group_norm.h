/* What group norm and layer norm share: `groups` groups of channels, each normalised over its
 * channels and positions, example by example. The batch does not matter, and inference is
 * training's forward. */
#ifndef BL_ENGINE_MODEL_LAYER_GROUP_NORM_H
#define BL_ENGINE_MODEL_LAYER_GROUP_NORM_H
#include "engine/model/layer.h"

bl_status bl_layer_group_norm_shape(bl_net *net, bl_net_node *node, size_t groups,
                                    bl_err *err) BL_CHECKED;
void bl_layer_group_norm_run(const bl_net_node *node, size_t groups, const bl_pass *pass,
                             const bl_part *part);
void bl_layer_group_norm_back(const bl_net_node *node, size_t groups, const bl_pass *pass,
                              const bl_part *part);
#endif
