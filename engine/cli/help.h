/* What the program says about itself: `batchlab` alone, `batchlab --help`, `batchlab COMMAND
 * --help` and the manual pages. All is made from the commands' rows (command.h), so that a page
 * cannot say something else than the help. No line has more than 80 columns. */
#ifndef BL_ENGINE_CLI_HELP_H
#define BL_ENGINE_CLI_HELP_H
#include "engine/base/buf.h"
#include "engine/cli/command.h"

void bl_help_short(bl_buf *out);                         /* eight lines */
void bl_help_all(bl_buf *out);                           /* commands in groups */
void bl_help_command(bl_buf *out, const bl_command *c);  /* one command */
void bl_help_man_page(bl_buf *out, const bl_command *c); /* roff; NULL: batchlab.1 */
const char *bl_help_group(bl_command_group group);       /* its heading */
/* What `status` means for this command; NULL: it never ends so. */
const char *bl_help_exit(const bl_command *c, int status);
#endif
