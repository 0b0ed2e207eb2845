/* The variables of the environment that the program reads. */
#ifndef BL_ENGINE_CLI_ENVIRONMENT_H
#define BL_ENGINE_CLI_ENVIRONMENT_H

/* Warns of every variable that begins like one of ours and is none: a misspelt one would silently
 * mean the default. */
void bl_cli_check_environment(void);
#endif
