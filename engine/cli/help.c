/* Help and manual pages from the commands' rows. The example of a page is run by a test, so that
 * it stays true.
 *
 *     usage: batchlab lock NAME [--prune] [--preset NAME] [--set KEY=VALUE]
 *     (sentence)
 *     options:
 *       --prune                   drop the entries that are not of this plan, ...
 *     example:
 *       $ batchlab lock quadratic --preset tiny
 *     exit status:
 *         0  done
 *         4  damage was found in the store
 */
#include "engine/cli/help.h"
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include <stdio.h>
#include <string.h>

static const char *const k_groups[] = {
    [BL_GROUP_BEGIN] = "Begin",
    [BL_GROUP_SWEEP] = "Train",
    [BL_GROUP_ANSWER] = "Read the answer",
    [BL_GROUP_LOOK] = "Look at runs",
    [BL_GROUP_KEEP] = "Reproduce and keep",
    [BL_GROUP_PROGRAM] = "The program",
};
_Static_assert(BL_COUNT(k_groups) == BL_GROUP_COUNT, "a heading for every group");

/* Every status, with what it means where a command's row says nothing else. */
static const struct {
    bl_command_exit row;
    bool everywhere; /* every command may end so */
} k_exits[] = {
    {{BL_EXIT_DONE, "done"},                                                   true },
    {{BL_EXIT_SOME_FAILED, "some runs failed; the rest is published"},         false},
    {{BL_EXIT_USAGE, "wrong usage, configuration or script; nothing was run"}, true },
    {{BL_EXIT_MISMATCH, "results differ from those that were expected"},       false},
    {{BL_EXIT_DAMAGE, "damage was found in the store"},                        false},
    {{BL_EXIT_NO_ANSWER, "no answer: no batch size reached the target"},       false},
    {{BL_EXIT_UNAVAILABLE, "a device or a library is not available"},          false},
    {{BL_EXIT_IO, "a file cannot be read or written, or the disk is full"},    true },
    {{BL_EXIT_INTERRUPTED, "interrupted; the same command continues"},         false},
    {{BL_EXIT_SECOND_INTERRUPT, "interrupted twice"},                          false},
};

/* What a user may set, for the manual page; docs/care.md has all. */
static const struct {
    const char *name, *means;
} k_variables[] = {
    {"BATCHLAB_RUNS",    "where the runs lie (default: runs)"                        },
    {"BATCHLAB_REPORTS", "where figures and tables go (default: reports)"            },
    {"BATCHLAB_DATA",    "folders of data sets, separated by colons"                 },
    {"BATCHLAB_CACHE",   "where encoded data sets are kept (default: datasets/cache)"},
};

const char *bl_help_group(bl_command_group group) {
    return k_groups[group];
}

const char *bl_help_exit(const bl_command *c, int status) {
    for (size_t i = 0; i < BL_MOST_EXITS && c->exits[i].means != NULL; i++)
        if (c->exits[i].status == status && c->exits[i].means[0] != '\0') return c->exits[i].means;
    for (size_t i = 0; i < BL_COUNT(k_exits); i++) {
        bool ends_so = k_exits[i].everywhere;
        for (size_t k = 0; k < BL_MOST_EXITS && c->exits[k].means != NULL; k++)
            ends_so = ends_so || c->exits[k].status == status;
        if (k_exits[i].row.status == status) return ends_so ? k_exits[i].row.means : NULL;
    }
    return NULL;
}

/* ---- for the terminal ---- */

void bl_help_short(bl_buf *out) {
    bl_buf_str(out,
               "batchlab: which batch size, at which learning rate, and what does each cost?\n"
               "\n"
               "  batchlab run quadratic --preset tiny   a whole sweep in a second, no data\n"
               "  batchlab run rossmann --preset tiny    the same on sales of 1,115 shops\n"
               "  batchlab init DATA.csv --target COL    an experiment for your own table\n"
               "  batchlab init --command LINE           or for your own training script\n"
               "\n"
               "`batchlab --help` lists the commands, `batchlab COMMAND --help` explains one.\n");
}

void bl_help_all(bl_buf *out) {
    bl_buf_str(out, "batchlab: which batch size, at which learning rate, and what does each cost?\n"
                    "\n"
                    "usage: batchlab [-C DIR] COMMAND [arguments]\n");
    for (size_t i = 0; i < bl_command_count; i++) {
        const bl_command *c = bl_commands[i];
        if (i == 0 || c->group != bl_commands[i - 1]->group)
            bl_buf_printf(out, "\n%s\n", k_groups[c->group]);
        bl_buf_printf(out, "  %-10s  %s\n", c->name, c->does);
    }
    bl_buf_str(out, "\n"
                    "-C DIR works in that folder. `batchlab COMMAND --help` explains a command;\n"
                    "`batchlab --version` says which program this is. Start with\n"
                    "  batchlab run quadratic --preset tiny\n"
                    "\n"
                    "Exit status: 0 done, 1 some runs failed, 2 wrong usage or configuration,\n"
                    "3 results differ, 4 damage, 5 no answer, 69 not available, 74 input or\n"
                    "output, 75 interrupted: the same command continues.\n");
}

/* Two columns; the right one is folded below itself. */
static void add_pair(bl_buf *out, const char *left, int width, const char *right) {
    bl_buf line = {0};
    bl_buf_printf(&line, "  %-*s  %s\n", width, left, right);
    bl_format_folded(out, bl_buf_text(&line), BL_FORMAT_COLUMNS, (size_t)width + 4);
    bl_buf_free(&line);
}

static void add_folded(bl_buf *out, size_t indent, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void add_folded(bl_buf *out, size_t indent, const char *fmt, ...) {
    bl_buf text = {0};
    va_list ap;
    va_start(ap, fmt);
    bl_buf_vprintf(&text, fmt, ap);
    va_end(ap);
    bl_format_folded(out, bl_buf_text(&text), BL_FORMAT_COLUMNS, indent);
    bl_buf_free(&text);
}

/* "-j, --jobs N" */
static void option_words(char out[64], const bl_option *o) {
    (void)snprintf(out, 64, "%s%s%s%s%s", o->brief != NULL ? o->brief : "",
                   o->brief != NULL ? ", " : "", o->name, o->argument != NULL ? " " : "",
                   o->argument != NULL ? o->argument : "");
}

/* Each line of `text` behind two blanks. */
static void add_indented(bl_buf *out, const char *text) {
    while (*text != '\0') {
        const size_t n = strcspn(text, "\n");
        bl_buf_printf(out, "%s%.*s\n", n > 0 ? "  " : "", (int)n, text);
        text += n + (text[n] == '\n');
    }
}

void bl_help_command(bl_buf *out, const bl_command *c) {
    enum { OPTION_WIDTH = 24, STATUS_WIDTH = 3 };
    char left[64];
    add_folded(out, 7, "usage: batchlab %s%s%s\n", c->name, c->arguments[0] != '\0' ? " " : "",
               c->arguments);
    add_folded(out, 0, "\n%s\n", c->sentence);
    if (c->notes != NULL) add_folded(out, 0, "\n%s", c->notes);
    if (c->option_count > 0) bl_buf_str(out, "\noptions:\n");
    for (size_t i = 0; i < c->option_count; i++) {
        option_words(left, &c->options[i]);
        add_pair(out, left, OPTION_WIDTH, c->options[i].help);
    }
    bl_buf_printf(out, "\nexample:\n  $ %s\n", c->example);
    add_indented(out, c->shows);
    bl_buf_str(out, "\nexit status:\n");
    for (size_t i = 0; i < BL_COUNT(k_exits); i++) {
        const char *means = bl_help_exit(c, k_exits[i].row.status);
        (void)snprintf(left, sizeof left, "%*d", STATUS_WIDTH, k_exits[i].row.status);
        if (means != NULL) add_pair(out, left, STATUS_WIDTH, means);
    }
}

/* ---- manual pages ---- */

/* Text in which roff sees nothing of its own: no backslash, no leading dot or quote. */
static void add_roff(bl_buf *out, const char *text) {
    for (const char *at = text; *at != '\0'; at++) {
        const bool first = at == text || at[-1] == '\n';
        if (first && (*at == '.' || *at == '\'')) bl_buf_str(out, "\\&");
        if (*at == '\\')
            bl_buf_str(out, "\\e");
        else if (*at == '-')
            bl_buf_str(out, "\\-");
        else
            bl_buf_add(out, at, 1);
    }
}

static void add_entry(bl_buf *out, const char *left, const char *right) {
    bl_buf_str(out, ".TP\n.B ");
    add_roff(out, left);
    bl_buf_str(out, "\n");
    add_roff(out, right);
    bl_buf_str(out, "\n");
}

static void add_verbatim(bl_buf *out, const char *text) {
    bl_buf_str(out, ".nf\n");
    add_roff(out, text);
    bl_buf_str(out, ".fi\n");
}

/* Pages are written in man(7)'s macros: .TH title, .SH heading, .TP a term and its words. */
static void head_of_page(bl_buf *out, const char *name, const char *does, const char *usage) {
    bl_buf_printf(out, ".TH \"%s\" 1 \"\" \"batchlab %s\" \"batchlab\"\n.SH NAME\n", name,
                  BL_VERSION);
    add_roff(out, name);
    bl_buf_str(out, " \\- ");
    add_roff(out, does);
    bl_buf_str(out, "\n.SH SYNOPSIS\n.B batchlab ");
    add_roff(out, usage);
    bl_buf_str(out, "\n");
}

static void page_of_program(bl_buf *out) {
    char left[64];
    head_of_page(out, "batchlab", "which batch size, at which learning rate, at what cost",
                 "[-C DIR] COMMAND [arguments]");
    bl_buf_str(out, ".SH DESCRIPTION\n");
    add_roff(out,
             "batchlab trains a model at many batch sizes, tunes the learning rate at each, and "
             "says which batch size needs the fewest steps, the least time and the least "
             "cost.\n");
    for (size_t i = 0; i < bl_command_count; i++) {
        const bl_command *c = bl_commands[i];
        if (i == 0 || c->group != bl_commands[i - 1]->group)
            bl_buf_printf(out, ".SS %s\n", k_groups[c->group]);
        (void)snprintf(left, sizeof left, "batchlab-%s(1)", c->name);
        add_entry(out, left, c->does);
    }
    bl_buf_str(out, ".SH OPTIONS\n");
    add_entry(out, "-C DIR", "work in this folder");
    add_entry(out, "--version", "the version");
    add_entry(out, "--help", "the commands");
    bl_buf_str(out, ".SH ENVIRONMENT\n");
    for (size_t i = 0; i < BL_COUNT(k_variables); i++)
        add_entry(out, k_variables[i].name, k_variables[i].means);
    bl_buf_str(out, ".SH EXIT STATUS\n");
    for (size_t i = 0; i < BL_COUNT(k_exits); i++) {
        (void)snprintf(left, sizeof left, "%d", k_exits[i].row.status);
        add_entry(out, left, k_exits[i].row.means);
    }
}

static void page_of_command(bl_buf *out, const bl_command *c) {
    char name[64], left[64];
    bl_buf usage = {0}, shown = {0};
    (void)snprintf(name, sizeof name, "batchlab-%s", c->name);
    bl_buf_printf(&usage, "%s %s", c->name, c->arguments);
    head_of_page(out, name, c->does, bl_buf_text(&usage));
    bl_buf_str(out, ".SH DESCRIPTION\n");
    add_roff(out, c->sentence);
    bl_buf_str(out, "\n");
    if (c->notes != NULL) {
        bl_buf_str(out, ".PP\n");
        add_roff(out, c->notes);
    }
    if (c->option_count > 0) bl_buf_str(out, ".SH OPTIONS\n");
    for (size_t i = 0; i < c->option_count; i++) {
        option_words(left, &c->options[i]);
        add_entry(out, left, c->options[i].help);
    }
    bl_buf_printf(&shown, "$ %s\n%s", c->example, c->shows);
    bl_buf_str(out, ".SH EXAMPLE\n");
    add_verbatim(out, bl_buf_text(&shown));
    bl_buf_str(out, ".SH EXIT STATUS\n");
    for (size_t i = 0; i < BL_COUNT(k_exits); i++) {
        const char *means = bl_help_exit(c, k_exits[i].row.status);
        (void)snprintf(left, sizeof left, "%d", k_exits[i].row.status);
        if (means != NULL) add_entry(out, left, means);
    }
    bl_buf_str(out, ".SH SEE ALSO\n.BR batchlab (1)\n");
    bl_buf_free(&usage);
    bl_buf_free(&shown);
}

void bl_help_man_page(bl_buf *out, const bl_command *c) {
    if (c == NULL)
        page_of_program(out);
    else
        page_of_command(out, c);
}
