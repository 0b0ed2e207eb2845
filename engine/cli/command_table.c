#include "engine/base/mem.h"
#include "engine/cli/command.h"

const bl_command bl_commands[] = {
    {"run",        "NAME [options]",        "plan, train, publish, draw, recommend; run again to go on",
     bl_cmd_run                                                                                                       },
    {"check",      "NAME",                  "check configuration and sweep script, compute nothing",     bl_cmd_check },
    {"plan",       "NAME",                  "the trials in order of decision, with state and memory",    bl_cmd_plan  },
    {"status",     "[NAME]",                "what the store holds",                                      bl_cmd_status},
    {"recommend",  "NAME [--json]",         "which batch size, at which learning rate, at what cost",
     bl_cmd_recommend                                                                                                 },
    {"plot",       "NAME",                  "draw the figures from logs alone",                          bl_cmd_plot  },
    {"report",     "NAME",                  "figures, tables and a single-file HTML report",             bl_cmd_report},
    {"ls",         "[NAME] [--json]",       "the runs in the store, one a line",                         bl_cmd_ls    },
    {"show",       "RUN",                   "one run: settings, outcome, evaluations",                   bl_cmd_show  },
    {"why",        "RUN",                   "why a run was made, and why it ends where it does",         bl_cmd_why   },
    {"diff",       "A B",                   "settings and first step in which two runs differ",          bl_cmd_diff  },
    {"export",     "NAME [--csv|--jsonl]",  "every evaluation as a table",                               bl_cmd_export},
    {"lock",       "NAME",                  "write the expected logs of the runs that are done",         bl_cmd_lock  },
    {"verify",     "NAME [--sample K]",     "train again and compare with the expected logs",
     bl_cmd_verify                                                                                                    },
    {"fsck",       "[NAME] [--repair]",     "read every file of the store and name what is damaged",
     bl_cmd_fsck                                                                                                      },
    {"gc",         "[NAME] [-n]",           "remove from the store what nothing needs",                  bl_cmd_gc    },
    {"bundle",     "NAME [-o FILE]",        "everything an answer rests on, as one tar file",            bl_cmd_bundle},
    {"fit",        "FILE.csv [--json]",     "critical batch sizes of any table of steps",                bl_cmd_fit   },
    {"init",       "DATA.csv --target COL", "write a data set and an experiment for your own table",
     bl_cmd_init                                                                                                      },
    {"completion", "bash|zsh|fish",         "a script that completes words in that shell",
     bl_cmd_completion                                                                                                },
    {"doctor",     "",                      "what this build and machine can do",                        bl_cmd_doctor},
};
const size_t bl_command_count = BL_COUNT(bl_commands);
