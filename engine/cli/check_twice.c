/* What `batchlab check NAME --twice` says, by how far the second and the resumed run are from
 * the first:
 *
 *     second    resumed     verdict
 *     equal     equal       same bits, resume too
 *     equal     differs     the script does not restore all it needs        fails
 *     equal     no state    same bits; a pause starts it over
 *     differs   alike       noisy        fails where the experiment says repeats = "exact"
 *     differs   10 times    noisy, and broken after a pause                 fails
 */
#include "engine/cli/check_twice.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include "engine/cli/signals.h"
#include "engine/external/inputs.h"
#include "engine/external/twice.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A resumed run that is so much further off than a second one is broken, not noisy. */
static const double k_beyond_noise = 10.0;

static int say_noisy(const bl_config *c, const bl_external_twice *t) {
    const bool exact = strcmp(c->external.repeats, "exact") == 0;
    const bool broken = t->saves && t->resumed.by > k_beyond_noise * t->again.by;
    bl_cli_printf(stdout, "%s: differs by %.2g from step %" PRId64 " on: noisy%s\n", c->name,
                  t->again.by, t->again.from,
                  exact ? ", but the experiment says repeats = \"exact\"" : "");
    if (broken)
        bl_cli_printf(stdout,
                      "The resumed run differs by %.2g: the script does not restore all it needs "
                      "(data order? random state? optimizer?)\n",
                      t->resumed.by);
    return exact || broken ? BL_EXIT_SOME_FAILED : BL_EXIT_DONE;
}

static int say(const bl_config *c, const bl_external_twice *t) {
    if (t->again.from > 0) return say_noisy(c, t);
    if (!t->saves) {
        bl_cli_printf(stdout, "%s: same bits. The script saves no state: a pause starts it over.\n",
                      c->name);
        return BL_EXIT_DONE;
    }
    if (t->resumed.from > 0) {
        bl_cli_printf(stdout,
                      "%s: same bits, but the resumed run differs from step %" PRId64
                      " on: the script does not restore all it needs (data order? random state? "
                      "optimizer?)\n",
                      c->name, t->resumed.from);
        return BL_EXIT_SOME_FAILED;
    }
    bl_cli_printf(stdout, "%s: same bits, resume too (paused at step %" PRId64 " of %" PRId64 ")\n",
                  c->name, t->paused_at, t->steps);
    if (strcmp(c->external.repeats, "noisy") == 0)
        bl_cli_printf(stdout, "repeats = \"exact\" would hold.\n");
    return BL_EXIT_DONE;
}

/* In the middle of what a sweep would try first. */
static bl_config *configure(const bl_config *config) {
    bl_config *c = bl_xalloc(sizeof *c);
    *c = *config;
    c->train.batch_size = c->sweep.batch_sizes.v[0];
    c->train.learning_rate = c->sweep.lr_start;
    c->eval.first = 1;
    return c;
}

static bool is_interrupted(void *ctx) {
    (void)ctx;
    return __atomic_load_n(&bl_cli_interrupted, __ATOMIC_RELAXED) != 0;
}

/* The folder stays after a program that failed: the line that starts it by hand needs it. */
int bl_cli_check_twice(const bl_config *config) {
    bl_err err = {0};
    bl_external_twice twice;
    if (!bl_config_is_external(config)) {
        bl_cli_printf(stderr, "batchlab: check --twice is for experiments with external.command; "
                              "batchlab's own runs are the same twice\n");
        return BL_EXIT_USAGE;
    }
    if (bl_config_is_imported(config)) {
        bl_cli_printf(stderr, "batchlab: check --twice trains a program twice; these runs are "
                              "imported, and nothing here can train\n");
        return BL_EXIT_USAGE;
    }
    char path[BL_PATH];
    const char *tmp = getenv("TMPDIR");
    if (tmp == NULL) tmp = "/tmp";
    if (bl_path(path, &err, "%s/batchlab-twice-XXXXXX", tmp) != BL_OK || mkdtemp(path) == NULL) {
        bl_cli_printf(stderr, "batchlab: cannot make a folder in %s\n", tmp);
        return BL_EXIT_IO;
    }
    const bl_train_pause pause = {.due = is_interrupted};
    bl_cli_catch_signals();
    bl_config *c = configure(config);
    bl_status status = bl_external_identify(c, ".", NULL, false, &err);
    if (status == BL_OK) status = bl_external_check_twice(&twice, c, path, &pause, &err);
    const int rc = status == BL_OK ? say(c, &twice) : bl_cli_fail(&err);
    if (status != BL_EPROGRAM) (void)bl_remove_tree(path, NULL);
    free(c);
    return rc;
}
