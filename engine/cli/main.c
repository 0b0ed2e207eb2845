/* The program: batchlab [-C DIR] COMMAND words.
 *
 *     main       closed descriptors are filled, -C is followed
 *     start      help and version; else checks of floating point and environment,
 *                the command's row, its words, the project's folder, the command
 *     flushed    what could not be written changes the exit status
 */
#include "engine/base/nearest.h"
#include "engine/base/numerics.h"
#include "engine/cli/command.h"
#include "engine/cli/environment.h"
#include "engine/cli/help.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void show(void (*help)(bl_buf *)) {
    bl_buf text = {0};
    help(&text);
    bl_cli_print(stdout, bl_buf_text(&text));
    bl_buf_free(&text);
}

static int unknown_command(const char *word) {
    const char *names[64];
    for (size_t i = 0; i < bl_command_count; i++) names[i] = bl_commands[i]->name;
    const char *near = bl_nearest(word, names, bl_command_count);
    char hint[BL_NEAREST_HINT];
    bl_cli_printf(stderr,
                  "batchlab: unknown command '%s'%s\n`batchlab --help` lists the commands.\n", word,
                  bl_nearest_hint(hint, ": ", near));
    return BL_EXIT_USAGE;
}

static bool is_one_of(const char *word, const char *a, const char *b, const char *c) {
    return strcmp(word, a) == 0 || strcmp(word, b) == 0 || strcmp(word, c) == 0;
}

/* `batchlab help COMMAND` is `batchlab COMMAND --help`. */
static int help_on(char *word) {
    char help[] = "--help", *argv[] = {word, help, NULL};
    bl_args args;
    const bl_command *command = bl_command_find(word);
    return command != NULL ? bl_args_read(&args, command, 2, argv) : unknown_command(word);
}

/* A caller may have closed standard input, output or error. The next file, or the socket to a
 * script, would get that number, and messages would be written into it. The root folder takes the
 * place: it is always there, and writing to it fails as on what is closed. */
static void fill_closed_descriptors(void) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0) (void)open("/", O_RDONLY | O_DIRECTORY); /* the lowest free */
}

/* What was printed may still be in memory only, and a full disk or a closed pipe says so at the
 * end. */
static int flushed(int rc) {
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout)) return rc;
    bl_cli_printf(stderr, "batchlab: cannot write to standard output%s%s\n", errno != 0 ? ": " : "",
                  errno != 0 ? strerror(errno) : "");
    return BL_EXIT_IO;
}

/* Finds the command and runs it. Everything that would spoil results or that the environment has
 * wrong is refused first; help and version work all the same. */
static int start(int argc, char **argv) {
    char *word = argc > 1 ? argv[1] : NULL;
    if (word == NULL || is_one_of(word, "--help", "-h", "help")) {
        if (argc > 2) return help_on(argv[2]);
        show(word == NULL ? bl_help_short : bl_help_all);
        return word == NULL ? BL_EXIT_USAGE : BL_EXIT_DONE;
    }
    if (is_one_of(word, "--version", "-V", "version")) {
        bl_cli_printf(stdout, "batchlab %s (numerics epoch %d)\n", BL_VERSION, BL_NUMERICS_EPOCH);
        return BL_EXIT_DONE;
    }
    if (!bl_fpenv_ok()) {
        bl_cli_printf(stderr, "batchlab: the processor is set to flush small numbers to zero or "
                              "to another rounding; results would not be reproducible\n");
        return BL_EXIT_UNAVAILABLE;
    }
    bl_cli_check_environment();
    bl_args args;
    const bl_command *command = bl_command_find(word);
    if (command == NULL) return unknown_command(word);
    const int rc = bl_args_read(&args, command, argc - 1, argv + 1);
    if (rc >= 0) return rc;
    bl_cli_enter_project(&args);
    const int ended = command->run(&args);
    bl_names_free(&args.places);
    return ended;
}

/* Works in the folder of each `-C DIR` before the command; *at is the word behind them. Returns -1
 * to go on, else the exit status. */
static int enter_folders(int argc, char **argv, int *at) {
    for (*at = 1; *at < argc && strcmp(argv[*at], "-C") == 0; *at += 2) {
        const char *folder = *at + 1 < argc ? argv[*at + 1] : NULL;
        if (folder != NULL && chdir(folder) == 0) continue;
        bl_cli_printf(stderr, "batchlab: -C%s%s: %s\n", folder != NULL ? " " : "",
                      folder != NULL ? folder : "",
                      folder != NULL ? strerror(errno) : "expected a folder");
        return BL_EXIT_USAGE;
    }
    return -1;
}

int main(int argc, char **argv) {
    int at;
    fill_closed_descriptors();
    /* Beyond the limit on a file's size, write() then says EFBIG, and a message names the file. */
    (void)signal(SIGXFSZ, SIG_IGN);
    const int rc = enter_folders(argc, argv, &at);
    return flushed(rc >= 0 ? rc : start(argc - at + 1, argv + at - 1));
}
