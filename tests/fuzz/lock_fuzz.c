/* expected.lock from anywhere: an entry list in order, each run once, or an error. */
#include "engine/verify/lock.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bl_err err = {0};
    bl_lock lock;
    /* Without a 0 behind the text: a reader past its end is found. */
    char *text = malloc(size > 0 ? size : 1);
    if (text == NULL) return 0;
    if (size > 0) memcpy(text, data, size);
    if (bl_lock_parse(&lock, text, size, "fuzz.lock", &err) == BL_OK) {
        for (size_t i = 0; i < lock.count; i++) {
            BL_ASSERT(lock.entry[i].steps > 0);
            BL_ASSERT(strlen(lock.entry[i].log_sha256) == BL_SHA256_HEX - 1);
            BL_ASSERT(lock.entry[i].marks <= BL_LOCK_MARKS);
            for (size_t m = 0; m < lock.entry[i].marks; m++) {
                BL_ASSERT(lock.entry[i].mark[m].step >
                          (m > 0 ? lock.entry[i].mark[m - 1].step : 0));
                BL_ASSERT(lock.entry[i].mark[m].step <= lock.entry[i].steps);
            }
            BL_ASSERT(i == 0 || strcmp(lock.entry[i - 1].run, lock.entry[i].run) < 0);
            BL_ASSERT(bl_lock_find(&lock, lock.entry[i].run) == &lock.entry[i]);
        }
        bl_lock_free(&lock);
    } else {
        BL_ASSERT(err.text[0] != '\0' && lock.count == 0);
    }
    free(text);
    return 0;
}
