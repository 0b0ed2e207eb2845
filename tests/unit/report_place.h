/* A folder for each test of the report room: a sweep's runs and the report drawn from them. */
#ifndef BL_TESTS_UNIT_REPORT_PLACE_H
#define BL_TESTS_UNIT_REPORT_PLACE_H
#include "engine/base/file.h"
#include "engine/report/analyse.h"
#include "engine/report/text/recommendation.h"
#include "engine/report/write.h"
#include "tests/unit/report_fixture.h"

typedef struct place {
    const char *root;
    char runs[BL_PATH], report[BL_PATH];
} place;
extern const char report_templates[];

/* A test's setup and teardown: *state is its place. */
int report_enter(void **state);
int report_leave(void **state);

/* Writes the fixture into the place and reads its answer. */
bl_report_model answer_of(const place *p, bl_report_fixture fixture);
/* Everything but the drawings, where gnuplot is missing. */
void write_report(const place *p, const bl_report_model *a);
bl_buf contents(const place *p, const char *file);
bool in_report(const place *p, const char *file);
/* Compares the answer with tests/golden/report_NAME.txt and .json. With BL_GOLDEN_UPDATE=1 in the
 * environment it writes these files instead (`make golden-update`): their diff is then read. */
void golden_report(const bl_report_model *a, const char *name);
#endif
