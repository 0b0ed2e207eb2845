/* A stop on request, for commands that train. */
#ifndef BL_ENGINE_CLI_SIGNALS_H
#define BL_ENGINE_CLI_SIGNALS_H

/* The only state a signal handler can reach. The first request sets it and a sweep then stops
 * resumably; a second Ctrl-C ends the program at once. Published files are whole either way. */
extern volatile int bl_cli_interrupted;
void bl_cli_catch_signals(void);

/* For a command that writes files before it knows that they are right. A request to end (SIGINT,
 * SIGTERM, SIGHUP) first removes what bl_cli_unfinished was told of, latest first: files, and
 * folders that are empty. BL_CLI_UNFINISHED paths at most; more are not removed. */
enum { BL_CLI_UNFINISHED = 8 };
void bl_cli_unfinished(const char *path);
/* They are whole: they stay. */
void bl_cli_finished(void);
/* Such a request waits from hold to release, so that a file is made and told of in one. */
void bl_cli_hold_signals(void);
void bl_cli_release_signals(void);
#endif
