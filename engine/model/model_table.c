#include "engine/model/model.h"
#include <string.h>

#define ROW(name) &bl_model_##name,
const bl_model *const bl_model_table[] = {BL_CHOICES_MODEL(ROW)};
#undef ROW
const size_t bl_model_count = BL_COUNT(bl_model_table);

bl_status bl_model_build(bl_net *net, const bl_config *config, const bl_model_input *input,
                         bl_err *err) {
    bl_net_init(net, input->categorical, input->continuous);
    for (size_t i = 0; i < bl_model_count; i++)
        if (strcmp(bl_model_table[i]->name, config->model.kind) == 0)
            return bl_model_table[i]->build(net, config, input, err);
    BL_FAIL(err, BL_EINVAL, "model.kind: there is no model \"%s\"", config->model.kind);
}
