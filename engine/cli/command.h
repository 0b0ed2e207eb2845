/* The command line: a table of commands, and one way for all of them to read options, find folders
 * and turn an error into words and an exit status. */
#ifndef BL_ENGINE_CLI_COMMAND_H
#define BL_ENGINE_CLI_COMMAND_H
#include "engine/base/file.h"
#include "engine/base/status.h"
#include "engine/config/config.h"
#include "engine/data/dataset_open.h"
#include <stdbool.h>
#include <stddef.h>

#define BL_VERSION "0.1.0"

enum {
    BL_EXIT_DONE = 0,
    BL_EXIT_SOME_FAILED = 1,
    BL_EXIT_USAGE = 2,
    BL_EXIT_MISMATCH = 3,
    BL_EXIT_DAMAGE = 4,
    BL_EXIT_NO_ANSWER = 5,
    BL_EXIT_UNAVAILABLE = 69,
    BL_EXIT_IO = 74,
    BL_EXIT_INTERRUPTED = 75,
    BL_EXIT_SECOND_INTERRUPT = 130
};

/* argv[0] is the command's name. Returns the exit status. */
typedef int bl_command_fn(int argc, char **argv);

typedef struct bl_command {
    const char *name, *arguments, *does; /* as --help shows them */
    bl_command_fn *run;
} bl_command;
extern const bl_command bl_commands[];
extern const size_t bl_command_count;

bl_command_fn bl_cmd_run, bl_cmd_work, bl_cmd_check, bl_cmd_plan, bl_cmd_fit, bl_cmd_init,
    bl_cmd_recommend, bl_cmd_plot, bl_cmd_report, bl_cmd_status, bl_cmd_doctor, bl_cmd_lock,
    bl_cmd_verify, bl_cmd_fsck, bl_cmd_gc, bl_cmd_why, bl_cmd_bundle, bl_cmd_completion,
    bl_cmd_show, bl_cmd_ls, bl_cmd_diff, bl_cmd_export, bl_cmd_submit;

/* ---- options ---- */
typedef struct bl_option {
    const char *name;     /* "--jobs" */
    const char *brief;    /* "-j", NULL: none */
    const char *argument; /* "N", NULL: a flag */
    const char *help;
} bl_option;

enum { BL_MOST_SETS = 64 };

/* The one word by which bl_args_read lists the options, for completion. */
#define BL_LIST_OPTIONS "--list-options"

typedef struct bl_args {
    const char *operand;           /* the one word that is no option; NULL: absent */
    const char *value[16];         /* by the option's row; a flag that was given is "" */
    const char *set[BL_MOST_SETS]; /* every --set, in order */
    size_t sets;
} bl_args;

/* Reads argv by the table. Returns -1 to go on, else the exit status (help shown: 0; usage: 2).
 * `usage` is the line after "usage: batchlab ". */
int bl_args_read(bl_args *args, const bl_option *options, size_t count, const char *usage, int argc,
                 char **argv);
bool bl_args_has(const bl_args *args, size_t row);

/* ---- folders, errors ---- */
const char *bl_cli_runs_dir(void);    /* BATCHLAB_RUNS or "runs" */
const char *bl_cli_reports_dir(void); /* BATCHLAB_REPORTS or "reports" */
extern const char bl_cli_experiments_dir[], bl_cli_lua_dir[], bl_cli_templates_dir[];
/* Manifests, search path and cache as the environment and the project's folders say. */
bl_dataset_options bl_cli_dataset_options(bool synthetic);

/* "batchlab: ..." or, for messages that begin with a file position, the message alone; to stderr.
 */
int bl_cli_fail(const bl_err *err);
#endif
