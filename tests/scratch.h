/* Folders for the files of a test. */
#ifndef BL_TESTS_SCRATCH_H
#define BL_TESTS_SCRATCH_H

/* The path of a new empty folder below TMPDIR (/tmp). The folder is removed with all that is in it
 * when the process that made it exits; the path is good until then. Fails the test where none can
 * be made. */
const char *scratch_folder(const char *name);
#endif
