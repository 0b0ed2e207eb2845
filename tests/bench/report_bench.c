/* What `batchlab recommend` takes on large plans: processor seconds to read, analyse and write the
 * answer of so many trials, and the memory it needed at most. One row for each number of trials.
 *
 *     report_bench [TRIALS...]      default: 1000 10000 20000 100000 */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/report/analyse.h"
#include "engine/report/text/recommendation.h"
#include "tests/unit/large_plan.h"
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static double processor_seconds(void) {
    struct rusage use;
    (void)getrusage(RUSAGE_SELF, &use);
    return (double)use.ru_utime.tv_sec + (double)use.ru_stime.tv_sec +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static bl_status write_plan(const char *dir, size_t trials, bl_err *err) {
    char path[BL_PATH];
    bl_buf text = {0};
    large_plan(&text, trials);
    bl_status status = bl_path(path, err, "%s/plan.jsonl", dir);
    if (status == BL_OK) status = bl_file_write(path, bl_buf_text(&text), text.len, err);
    bl_buf_free(&text);
    return status;
}

/* In a process of its own, so that the most memory is this answer's. */
static int measure(const char *dir, size_t trials) {
    bl_err err = {0};
    bl_report_model model;
    bl_buf text = {0};
    struct rusage use;
    const double start = processor_seconds();
    if (bl_report_analyse(&model, dir, &err) != BL_OK) {
        (void)fprintf(stderr, "report_bench: %s\n", err.text);
        return 1;
    }
    bl_recommendation_text(&model, &text);
    bl_recommendation_json(&model, &text);
    const double seconds = processor_seconds() - start;
    (void)getrusage(RUSAGE_SELF, &use);
    (void)printf("%7zu trials %8.3f s %8.1f MiB\n", trials, seconds, (double)use.ru_maxrss / 1024);
    bl_buf_free(&text);
    bl_report_model_free(&model);
    return 0;
}

static int child(const char *dir, size_t trials) {
    int status = 1;
    (void)fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0) {
        const int rc = measure(dir, trials);
        (void)fflush(stdout);
        _exit(rc);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status)
                                                                           : 1;
}

int main(int argc, char **argv) {
    static const size_t usual[] = {1000, 10000, 20000, 100000};
    char root[] = "/tmp/report_bench.XXXXXX", dir[64];
    bl_err err = {0};
    int bad = 0;
    if (mkdtemp(root) == NULL) return 1;
    (void)snprintf(dir, sizeof dir, "%s/fixture", root);
    if (bl_make_dirs(dir, &err) != BL_OK) return 1;
    const size_t rows = argc > 1 ? (size_t)argc - 1 : BL_COUNT(usual);
    for (size_t i = 0; i < rows && bad == 0; i++) {
        const size_t trials = argc > 1 ? strtoul(argv[i + 1], NULL, 10) : usual[i];
        bad = trials < LARGE_PLAN_SIZES || write_plan(dir, trials, &err) != BL_OK ||
              child(dir, trials) != 0;
    }
    if (bl_remove_tree(root, &err) != BL_OK) bad = 1;
    return bad;
}
