/* batchlab check NAME: configuration, data set declaration and sweep script, without computing. */
#include "engine/base/mem.h"
#include "engine/cli/check_twice.h"
#include "engine/cli/experiment.h"
#include "engine/config/set_notes.h"
#include "engine/config/validate.h"
#include "engine/sweep/sweep.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_KEYS, PRESET, SET, TWICE, OPTION_COUNT };
// clang-format off
static const bl_option k_options[] = {
    [LIST_KEYS] = {"--list-keys", NULL, "[GROUP]",   "the keys of a group, or all keys"},
    [PRESET]    = {"--preset",    NULL, "NAME",      "check this preset's sweep"},
    [SET]       = {"--set",       NULL, "KEY=VALUE", "change one key; may be repeated", .repeats = true},
    [TWICE]     = {"--twice",     NULL, NULL,        "start your program: same values again, also after a pause?"},
};
// clang-format on
_Static_assert(BL_COUNT(k_options) == OPTION_COUNT, "a row for every option");

/* The keys of a group; "" and "all" are every group. */
static int list_keys(const char *group) {
    bl_err err = {0};
    bl_buf out = {0};
    const bl_status status = bl_config_list_keys(
        group[0] == '\0' || strcmp(group, "all") == 0 ? NULL : group, &out, &err);
    if (status == BL_OK) bl_cli_printf(stdout, "%s", bl_buf_text(&out));
    bl_buf_free(&out);
    return status == BL_OK ? BL_EXIT_DONE : bl_cli_fail(&err);
}

static void say(void *ctx, const char *line) {
    (void)ctx;
    bl_cli_printf(stdout, "%s\n", line);
}

/* How wide embeddings are is in the rows: what does not fit by the declaration is asked of them. */
static bl_status check_layers(bl_experiment *e, bl_dataset *shape,
                              const bl_dataset_options *options, bl_err *err) {
    bl_err ignored;
    uint32_t *some = bl_xalloc((shape->categorical + 1) * sizeof *some);
    for (size_t i = 0; i < shape->categorical; i++) some[i] = 2;
    shape->cardinality = some;
    bl_status status = bl_experiment_layers(e, shape, err);
    if (status != BL_OK && shape->categorical > 0 &&
        bl_dataset_open(&e->data, e->config.dataset, options, &ignored) == BL_OK) {
        status = bl_experiment_layers(e, &e->data, err);
        bl_dataset_free(&e->data);
    }
    free(some);
    return status;
}

/* Reads what a sweep would read before its first run: configuration, the declaration of the data
 * set, the list of layers, and the script's first round. Opens no data file. */
static int check(const bl_args *args) {
    if (bl_args_has(args, LIST_KEYS)) return list_keys(args->value[LIST_KEYS]);
    if (args->operand == NULL) return bl_cli_usage(args, "which experiment?");
    /* How many rows a data set has is not known before it is read, and the first round does not
     * hang on it; but where data.rows limits them, a batch beyond that is refused here already. */
    enum { SOME_ROWS = 1000000 };
    bl_err err = {0};
    bl_experiment e;
    bl_dataset shape;
    size_t trials = 0;
    const bl_dataset_options data = bl_cli_dataset_options(false);
    bl_status status = bl_experiment_config(&e, args->operand, args->value[PRESET], args, &err);
    if (status == BL_OK) {
        status = bl_dataset_check(&shape, e.config.dataset, &data, &err);
        if (status == BL_EMISSING)
            bl_config_locate(bl_cli_experiments_of(args->operand), args->operand, "dataset",
                             e.config.dataset, &err);
    }
    if (status == BL_OK) status = check_layers(&e, &shape, &data, &err);
    const bl_sweep_options options = {.script = e.script, .library_dir = bl_cli_lua_dir()};
    const int64_t rows = e.config.data.rows > 0 ? e.config.data.rows : SOME_ROWS;
    if (status == BL_OK) status = bl_sweep_check(&e.config, rows, &options, &trials, &err);
    bl_experiment_close(&e);
    if (status != BL_OK) return bl_cli_fail(&err);
    const bool preset = e.config.preset[0] != '\0';
    bl_cli_printf(stdout, "%s: fine. %s%s%s%zu batch sizes, %zu runs in the first round.\n",
                  args->operand, preset ? "Preset " : "", e.config.preset, preset ? ", " : "",
                  e.config.sweep.batch_sizes.n, trials);
    bl_config_notes(&e.config, say, NULL);
    bl_config_set_notes(&e.config, args->set, args->sets, say, NULL);
    return bl_args_has(args, TWICE) ? bl_cli_check_twice(&e.config) : BL_EXIT_DONE;
}

const bl_command bl_cmd_check = {
    .name = "check",
    .does = "check configuration and sweep script, compute nothing",
    .arguments = "NAME | check --list-keys [GROUP]",
    .group = BL_GROUP_BEGIN,
    .sentence = "Checks the configuration, the sweep script and the declaration of the data set, "
                "and trains nothing. Faults have the file and the line.",
    .example = "batchlab check quadratic --preset tiny",
    .shows = "quadratic: fine. Preset tiny, 5 batch sizes, 3 runs in the first round.\n",
    .exits = {{BL_EXIT_SOME_FAILED, "--twice: the program failed, or gave other values"},
              {BL_EXIT_INTERRUPTED, ""}},
    .operand = BL_OPERAND_ANY_EXPERIMENT,
    .options = k_options,
    .option_count = OPTION_COUNT,
    .run = check,
};
