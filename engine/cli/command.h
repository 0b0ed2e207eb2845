/* The command line: a table of commands, and one way for all of them to read options, find folders
 * and turn an error into words and an exit status.
 *
 * A command is one file, cmd_NAME.c. At its end stands its row, bl_cmd_NAME: what it takes, what it
 * says about itself, the function that does it. command_table.c lists the rows. main() finds the
 * row by the first word, has bl_args_read() read the rest by it, and calls row->run(args):
 *
 *     batchlab lock rossmann --preset tiny
 *              |    |        `- args->value[PRESET] == "tiny": PRESET is the option's row
 *              |    `- args->operand, checked to be the name of an experiment
 *              `- bl_cmd_lock
 *
 * So a command never sees argv, and never has to ask "which experiment?". It returns an exit
 * status: BL_EXIT_DONE, bl_cli_fail(&err) for a failure, bl_cli_usage(args, ...) for a wrong line.
 *
 * Only this room writes to the terminal and ends the program. Everything that could be of use to
 * another program stands in the rooms below: verify, estimate, export, report, sweep. */
#ifndef BL_ENGINE_CLI_COMMAND_H
#define BL_ENGINE_CLI_COMMAND_H
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/status.h"
#include "engine/config/config.h"
#include "engine/data/dataset_open.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

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
    BL_EXIT_INTERRUPTED = BL_EXIT_RESUMABLE,
    BL_EXIT_SECOND_INTERRUPT = 130
};

/* ---- a command's row ---- */

typedef struct bl_option {
    const char *name;     /* "--jobs" */
    const char *brief;    /* "-j", NULL: none */
    const char *argument; /* "N"; "[N]": may be left out; NULL: a flag */
    const char *help;
    bool repeats; /* each value counts (bl_args.set); else the last one */
} bl_option;

/* What stands beside the options: how many words, and what is asked for when one is missing. */
typedef enum bl_operand {
    BL_OPERAND_NONE,
    BL_OPERAND_EXPERIMENT,     /* the name of an experiment */
    BL_OPERAND_ANY_EXPERIMENT, /* a name, or none: all of them */
    BL_OPERAND_RUN,            /* an id or its first digits, or the path of a log */
    BL_OPERAND_TWO_RUNS,
    BL_OPERAND_TWO_SWEEPS, /* NAME or NAME:PRESET each */
    BL_OPERAND_TABLE,      /* a CSV file */
    BL_OPERAND_TABLES,     /* one or more of them */
    BL_OPERAND_FOLDER,
    BL_OPERAND_SHELL,
    BL_OPERAND_COUNT
} bl_operand;

/* Under which heading `batchlab --help` lists a command: help.c has their words. */
typedef enum bl_command_group {
    BL_GROUP_BEGIN,
    BL_GROUP_SWEEP,
    BL_GROUP_ANSWER,
    BL_GROUP_LOOK,
    BL_GROUP_KEEP,
    BL_GROUP_PROGRAM,
    BL_GROUP_COUNT
} bl_command_group;

/* An exit status that a command may end with, beside 0, 2 and 74, which all have. */
typedef struct bl_command_exit {
    int status;
    const char *means; /* "": what it means everywhere (help.c) */
} bl_command_exit;
enum { BL_MOST_EXITS = 8 };

typedef struct bl_args bl_args;
typedef struct bl_command {
    const char *name, *does; /* as `batchlab --help` shows them */
    const char *arguments;   /* of the usage line */
    bl_command_group group;
    /* Of `batchlab NAME --help`, of which the manual page is made (help.h): what the command does
     * in a sentence or a few; more paragraphs, each ended by a line break, or NULL; and a line to
     * type with what it prints. In that "..." is what differs from time to time, or is
     * left out: tests/cli/install_test.sh runs every example and compares. */
    const char *sentence, *notes, *example, *shows;
    bl_command_exit exits[BL_MOST_EXITS]; /* to the first without a meaning */
    bl_operand operand;
    const bl_option *options; /* (option_count) */
    size_t option_count;
    int (*run)(const bl_args *args); /* returns the exit status */
} bl_command;

extern const bl_command *const bl_commands[];
extern const size_t bl_command_count;
const bl_command *bl_command_find(const char *name); /* NULL: there is none */

extern const bl_command bl_cmd_run, bl_cmd_work, bl_cmd_check, bl_cmd_plan, bl_cmd_status,
    bl_cmd_recommend, bl_cmd_compare, bl_cmd_plot, bl_cmd_report, bl_cmd_ls, bl_cmd_show,
    bl_cmd_why, bl_cmd_diff, bl_cmd_export, bl_cmd_lock, bl_cmd_verify, bl_cmd_submit, bl_cmd_fsck,
    bl_cmd_gc, bl_cmd_bundle, bl_cmd_find, bl_cmd_fit, bl_cmd_import, bl_cmd_machine, bl_cmd_init,
    bl_cmd_new, bl_cmd_completion, bl_cmd_doctor;

/* ---- what stands on the line ---- */

enum { BL_MOST_OPTIONS = 16, BL_MOST_SETS = 64, BL_MOST_MORE = 255 };

struct bl_args {
    const bl_command *command;
    const char *operand, *second;   /* NULL: absent */
    const char *more[BL_MOST_MORE]; /* operands after the second; of TABLES, after the first */
    size_t mores;
    /* By the option's row: NULL: absent; a flag that was given, and an argument left out, is "". */
    const char *value[BL_MOST_OPTIONS];
    bl_names places; /* paths that bl_cli_enter_project wrote anew; the caller frees them */
    const char *set[BL_MOST_SETS]; /* every value of the option that repeats, in order */
    size_t sets;
};

/* Reads the words after the command by its row; argv[0] is the command itself. Returns -1 to go on,
 * else the exit status after words to the user (--help: 0; a fault: 2). */
int bl_args_read(bl_args *args, const bl_command *command, int argc, char **argv);
bool bl_args_has(const bl_args *args, size_t row);
/* For completion: a line "NAME<tab>HELP" for each option. */
void bl_args_list_options(const bl_command *command);
/* "batchlab: ..." and the command's usage, to stderr. Returns the exit status for wrong usage. */
int bl_cli_usage(const bl_args *args, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- folders, errors ---- */

/* From a folder inside a project (experiments/NAME/experiment.cfg is above it), goes to the
 * project's, says so on standard error, and writes the paths in *args so that they mean the same
 * there. For commands on experiments and runs; one that makes something makes it where it is. */
void bl_cli_enter_project(bl_args *args);
const char *bl_cli_runs_dir(void);    /* BATCHLAB_RUNS or "runs" */
const char *bl_cli_reports_dir(void); /* BATCHLAB_REPORTS or "reports" */
/* The project's own experiments: what commands write goes there. */
extern const char bl_cli_experiments_dir[];
/* Where the experiment `name` is read: the project's folder, or the one that comes with the
 * program, which is never written to. A project's own experiment goes first. */
const char *bl_cli_experiments_of(const char *name);
/* BL_EINVAL, with the command that copies it, for an experiment that comes with the program: `what`
 * would write into it. */
bl_status bl_cli_writable_experiment(const char *name, const char *what, bl_err *err) BL_CHECKED;
/* The folder with experiments, datasets, scripts/lua and reports/templates that come with the
 * program: beside it, above it in a checkout, or ../share/batchlab. "": there is none. */
const char *bl_cli_share_dir(void);
/* The project's own folder where it has one, else that of bl_cli_share_dir. */
const char *bl_cli_lua_dir(void);
const char *bl_cli_templates_dir(void);
/* Manifests, search path and cache as the environment and the project's folders say. */
bl_dataset_options bl_cli_dataset_options(bool synthetic);

/* For people: text with what could act on a terminal made visible (engine/base/text.h). */
void bl_cli_print(FILE *to, const char *text);
/* The same of a formatted text. Everything that commands tell people goes through one of the two:
 * names of files, columns, variables and arguments are somebody else's. */
void bl_cli_printf(FILE *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "batchlab: ..." or, for messages that begin with a file position, the message alone; to stderr.
 */
int bl_cli_fail(const bl_err *err);
#endif
