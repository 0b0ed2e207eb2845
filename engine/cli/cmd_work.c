/* batchlab work NAME: trains what the sweep asks for until nothing is left. Any number of them, on
 * any number of machines, share one store; each runs the planner itself, and all come to one plan.
 */
#include "engine/cli/command.h"
#include "engine/cli/jobs.h"

int bl_cmd_work(int argc, char **argv) {
    return bl_cli_train(false, "work NAME [options]", argc, argv);
}
