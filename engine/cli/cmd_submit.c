/* batchlab submit NAME --slurm: the batch script that starts workers on a cluster, and its
 * submission. Array tasks are workers, not runs: every worker plans the sweep itself and claims
 * what is free, so any number of them may start late, die or come back. */
#include "engine/base/mem.h"
#include "engine/base/text.h"
#include "engine/cli/experiment.h"
#include "engine/cli/jobs.h"
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SLURM, WORKERS, JOBS, PRINT, PRESET, SET, SYNTHETIC, OPTION_COUNT };
// clang-format off
static const bl_option k_options[] = {
    [SLURM]     = {"--slurm",     NULL, NULL,        "submit with sbatch; SBATCH_* variables add what the site asks for"},
    [WORKERS]   = {"--workers",   NULL, "N",         "how many workers, 1 to 1000"},
    [JOBS]      = {"--jobs",      "-j", "N",         "runs at once, and cores, of each worker (default 1)"},
    [PRINT]     = {"--print",     NULL, NULL,        "write the batch script to stdout, submit nothing"},
    [PRESET]    = {"--preset",    NULL, "NAME",      "as for run"},
    [SET]       = {"--set",       NULL, "KEY=VALUE", "as for run; may be repeated", .repeats = true},
    [SYNTHETIC] = {"--synthetic", NULL, NULL,        "as for run"},
};
// clang-format on
_Static_assert(BL_COUNT(k_options) == OPTION_COUNT, "a row for every option");

enum { MOST_WORKERS = 1000 }; /* Slurm's arrays end at 1000 where nobody changed MaxArraySize */

/* Sites that start jobs in an empty environment would look for data and store elsewhere. */
static void add_environment(bl_buf *out) {
    static const char *const names[] = {"BATCHLAB_CUDA", "BATCHLAB_RUNS", "BATCHLAB_REPORTS",
                                        "BATCHLAB_DATA", "BATCHLAB_CACHE"};
    for (size_t i = 0; i < BL_COUNT(names); i++) {
        const char *value = getenv(names[i]);
        if (value == NULL || value[0] == '\0') continue;
        bl_buf_printf(out, "export %s=", names[i]);
        bl_text_shell_word(out, value);
        bl_buf_str(out, "\n");
    }
}

/* The line that starts a worker, in the background. */
static void add_worker(bl_buf *out, const char *program, const bl_args *args, const char *jobs) {
    bl_text_shell_word(out, program);
    bl_buf_str(out, " work ");
    bl_text_shell_word(out, args->operand);
    bl_buf_printf(out, " -j %s", jobs);
    if (args->value[PRESET] != NULL) {
        bl_buf_str(out, " --preset ");
        bl_text_shell_word(out, args->value[PRESET]);
    }
    for (size_t i = 0; i < args->sets; i++) {
        bl_buf_str(out, " --set ");
        bl_text_shell_word(out, args->set[i]);
    }
    if (bl_args_has(args, SYNTHETIC)) bl_buf_str(out, " --synthetic");
    bl_buf_str(out, " --progress plain &\n");
}

/* Two minutes before its time is over, the task gets USR1: the worker saves its state and leaves
 * with 75, and the task asks for another turn. That works also where the site does not set
 * RequeueExit=75. A worker that is killed is not restarted: the others do its runs. */
static void write_script(bl_buf *out, const char *program, const char *project, const char *store,
                         size_t workers, const char *jobs, const bl_args *args) {
    bl_buf_printf(out,
                  "#!/bin/sh\n"
                  "#SBATCH --job-name=batchlab-%s\n"
                  "#SBATCH --array=1-%zu\n"
                  "#SBATCH --cpus-per-task=%s\n"
                  "#SBATCH --requeue\n"
                  "#SBATCH --signal=B:USR1@120\n"
                  "#SBATCH --open-mode=append\n"
                  "#SBATCH --output=\"%s/slurm-%%A_%%a.log\"\n"
                  "# Each task is a worker: it claims runs until none are left.\n",
                  args->operand, workers, jobs, store);
    bl_buf_str(out, "cd ");
    bl_text_shell_word(out, project);
    bl_buf_str(out, " || exit 74\n");
    add_environment(out);
    add_worker(out, program, args, jobs);
    bl_buf_str(out, "worker=$!\n"
                    "again=\n"
                    "trap 'again=yes; kill -USR1 $worker' USR1\n"
                    "trap 'kill -TERM $worker' TERM\n"
                    "# A trapped signal ends `wait` although the worker goes on.\n"
                    "while\n"
                    "  wait $worker\n"
                    "  status=$?\n"
                    "  [ $status -gt 128 ] && kill -0 $worker 2>/dev/null\n"
                    "do :; done\n"
                    "if [ $status = 75 ] && [ -n \"$again\" ]; then\n"
                    "  scontrol requeue \"${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID\"\n"
                    "fi\n"
                    "exit $status\n");
}

/* Tasks start in folders of their own, so every path is whole. */
static bl_status absolute(char out[BL_PATH], const char *path, bl_err *err) {
    char full[PATH_MAX];
    if (realpath(path, full) == NULL)
        BL_FAIL(err, BL_EIO, "cannot find %s: %s", path, strerror(errno));
    return bl_path(out, err, "%s", full);
}

static bl_status make_script(bl_buf *script, const bl_args *args, size_t workers, const char *jobs,
                             bl_err *err) {
    bl_experiment e;
    bl_store store;
    char program[BL_PATH], project[BL_PATH], dir[BL_PATH];
    const bl_status status =
        bl_experiment_config(&e, args->operand, args->value[PRESET], args, err);
    bl_experiment_close(&e);
    BL_TRY(status);
    /* The tasks write their logs there before any worker has made the folder. */
    BL_TRY(bl_store_open(&store, bl_cli_runs_dir(), e.config.name, true, err));
    BL_TRY(absolute(program, "/proc/self/exe", err));
    BL_TRY(absolute(project, ".", err));
    BL_TRY(absolute(dir, store.dir, err));
    if (strpbrk(dir, "\"\\\n%") != NULL)
        BL_FAIL(err, BL_EINVAL, "%s: sbatch takes no such path for its log", dir);
    write_script(script, program, project, dir, workers, jobs, args);
    return BL_OK;
}

/* The shell's status 127 says that there is no such program. */
static bl_status give_to_sbatch(const bl_buf *script, bl_err *err) {
    FILE *to = popen("exec sbatch", "w");
    if (to == NULL) BL_FAIL(err, BL_EIO, "cannot start sbatch: %s", strerror(errno));
    /* Whoever ends before it has read all says why by its status. */
    (void)signal(SIGPIPE, SIG_IGN);
    const bool written = fwrite(script->data, 1, script->len, to) == script->len;
    const int state = pclose(to);
    if (WIFEXITED(state) && WEXITSTATUS(state) == 127)
        BL_FAIL(err, BL_EUNSUPPORTED,
                "there is no sbatch here; --print writes the script for where there is");
    if (!written || !WIFEXITED(state) || WEXITSTATUS(state) != 0)
        BL_FAIL(err, BL_EUNSUPPORTED, "sbatch did not take the job");
    return BL_OK;
}

static bool read_count(const char *text, size_t most, size_t *count) {
    char *end;
    errno = 0;
    const unsigned long n = text != NULL ? strtoul(text, &end, 10) : 0;
    *count = (size_t)n;
    return text != NULL && errno == 0 && *end == '\0' && text[0] != '-' && n >= 1 && n <= most;
}

/* Makes the script for Slurm; --print shows it instead of giving it to sbatch. */
static int submit(const bl_args *args) {
    size_t workers, jobs;
    const char *each = args->value[JOBS] != NULL ? args->value[JOBS] : "1";
    if (!bl_args_has(args, SLURM)) return bl_cli_usage(args, "where to? --slurm is what there is");
    if (!read_count(args->value[WORKERS], MOST_WORKERS, &workers))
        return bl_cli_usage(args, "--workers: expected a number from 1 to 1000");
    if (!bl_cli_jobs(each, &jobs))
        return bl_cli_usage(args, "--jobs: expected a number from 1 to 256");

    bl_err err = {0};
    bl_buf script = {0};
    const bool print = bl_args_has(args, PRINT);
    bl_status status = make_script(&script, args, workers, each, &err);
    if (status == BL_OK && print) (void)fputs(script.data, stdout);
    if (status == BL_OK && !print) status = give_to_sbatch(&script, &err);
    if (status == BL_OK && !print)
        bl_cli_printf(stderr, "when the workers are done, `batchlab run %s` draws and recommends\n",
                      args->operand);
    bl_buf_free(&script);
    return status == BL_OK ? BL_EXIT_DONE : bl_cli_fail(&err);
}

const bl_command bl_cmd_submit = {
    .name = "submit",
    .does = "start workers on a cluster",
    .arguments = "NAME --slurm --workers N [--print] [options]",
    .group = BL_GROUP_SWEEP,
    .sentence = "Starts workers on a Slurm cluster: each is a `batchlab work` that takes runs "
                "until none is left.",
    .example = "batchlab submit quadratic --slurm --workers 4 --print",
    .shows = "#!/bin/sh\n"
             "#SBATCH --job-name=batchlab-quadratic\n"
             "#SBATCH --array=1-4\n"
             "...\n",
    .exits = {{BL_EXIT_UNAVAILABLE, "sbatch is not there, or did not take the job"}},
    .operand = BL_OPERAND_EXPERIMENT,
    .options = k_options,
    .option_count = OPTION_COUNT,
    .run = submit,
};
