/* Lines that a program wrote: each is refused by name and line, or holds a step that is none below
 * 0. The same bytes are read as a CSV file, JSON lines and output, too. */
#include "engine/base/mem.h"
#include "engine/external/report.h"
#include "engine/external/scrape.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void read_report(const char *text, size_t n) {
    bl_external_line line;
    bl_err err = {0};
    if (bl_external_line_read(&line, text, n, "report.jsonl", 7, &err) == BL_OK) {
        BL_ASSERT(line.step >= 0 && strlen(line.why) < sizeof line.why);
        return;
    }
    BL_ASSERT(err.code == BL_EFORMAT && strncmp(err.text, "report.jsonl:7", 14) == 0);
}

static void scrape(bl_external_scrape *s, const char *text, size_t n) {
    bl_external_line line;
    bl_err err;
    const bl_status status = bl_external_scrape_line(s, &line, text, n, &err);
    BL_ASSERT(status == BL_OK || status == BL_EFORMAT);
    BL_ASSERT(status != BL_OK || line.word != BL_EXTERNAL_EVAL || line.step >= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static const char *const how[] = {"a.csv", "a.jsonl", "step {step} {} val_loss={value} {loss}"};
    bl_external_scrape scrapes[BL_COUNT(how)];
    for (size_t i = 0; i < BL_COUNT(how); i++)
        scrapes[i] = (bl_external_scrape){.how = how[i], .metric = "val_loss"};
    const char *text = (const char *)data;
    for (size_t at = 0; at < n;) {
        const char *end = memchr(text + at, '\n', n - at);
        const size_t length = end != NULL ? (size_t)(end - text) - at : n - at;
        read_report(text + at, length);
        for (size_t i = 0; i < BL_COUNT(how); i++) scrape(&scrapes[i], text + at, length);
        at += length + 1;
    }
    return 0;
}
