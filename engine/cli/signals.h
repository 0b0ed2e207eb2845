/* A stop on request, for commands that train. */
#ifndef BL_ENGINE_CLI_SIGNALS_H
#define BL_ENGINE_CLI_SIGNALS_H

/* The only state a signal handler can reach. The first request sets it and a sweep then stops
 * resumably; a second Ctrl-C ends the program at once. Published files are whole either way. */
extern volatile int bl_cli_interrupted;
void bl_cli_catch_signals(void);
#endif
