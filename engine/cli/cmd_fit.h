/* `batchlab fit`. argv[0] is the command's name; returns the exit status. */
#ifndef BL_ENGINE_CLI_CMD_FIT_H
#define BL_ENGINE_CLI_CMD_FIT_H

int bl_cmd_fit(int argc, char **argv);
#endif
