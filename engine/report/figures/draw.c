/* From settings and templates to SVG, PNG and PDF.
 *
 * NAME.gp is one text in four parts, so that it can be drawn again by hand in the report's folder:
 *
 *     title_text = '...'      common_settings: title, caption, label of generated data
 *     set xrange [...]        the figure's own settings: axes, legends, switches
 *     style.gp                reports/templates: colours, fonts, grid
 *     NAME.gp or template.gp  reports/templates: what is plotted, from NAME.dat
 *     outputs.gp              reports/templates: the same plot on three terminals, and with linear
 * axes
 *
 * gnuplot runs as a child with the C locale, one time zone and a clock that stands still. PDF files
 * carry a date, and two equal reports have to be equal bytes. */
#include "bl_build.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/report/figures/figures.h"
#include "engine/report/text/labels.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEMPLATE_LIMIT = 1 << 20, SAID_LIMIT = 1024, DRAWING_LIMIT = 256 << 20 };
enum { FIGURE_BYTES = 128 << 10 }; /* the three drawings of a small figure */

/* ---- the script ---- */

void bl_figure_title(bl_buf *out, const bl_figure *figure, const bl_report_model *m) {
    static const char metric[] = "{metric}", target[] = "{target}";
    for (const char *p = figure->title; *p != '\0';) {
        if (strncmp(p, metric, sizeof metric - 1) == 0) {
            bl_buf_str(out, m->plan.head.metric);
            p += sizeof metric - 1;
        } else if (strncmp(p, target, sizeof target - 1) == 0) {
            bl_gp_target(out, m);
            p += sizeof target - 1;
        } else {
            bl_buf_add(out, p++, 1);
        }
    }
}

/* The title says what is seen, the caption of what: the experiment, and the series of the table. */
static void common_settings(bl_buf *gp, const bl_figure *figure, const bl_report_model *m) {
    bl_buf title = {0}, caption = {0};
    bl_figure_title(&title, figure, m);
    bl_buf_str(&caption,
               m->plan.head.title[0] != '\0' ? m->plan.head.title : m->plan.head.experiment);
    if (!figure->all_series && m->main_series != BL_NO_SERIES)
        bl_buf_printf(&caption, " (%s)", m->series[m->main_series].name);
    bl_gp_text(gp, "figure", figure->name);
    bl_gp_text(gp, "title_text", bl_buf_text(&title));
    bl_gp_text(gp, "caption_text", bl_buf_text(&caption));
    bl_buf_free(&caption);
    bl_gp_text(gp, "synthetic_text", m->plan.head.dataset.synthetic ? BL_SYNTHETIC_LABEL : "");
    bl_buf_free(&title);
}

static bl_status add_template(bl_buf *gp, const char *dir, const char *name, bl_err *err) {
    char path[BL_PATH];
    BL_TRY(bl_path(path, err, "%s/%s.gp", dir, name));
    return bl_file_read(gp, path, TEMPLATE_LIMIT, err);
}

/* Appends to *gp. A template that is missing is an error with its path. */
bl_status bl_figure_script(bl_buf *gp, const bl_figure *figure, const bl_report_model *model,
                           const char *template_dir, bl_err *err) {
    bl_buf_printf(gp, "# Draws %s.dat: `gnuplot %s.gp` in this folder.\n", figure->name,
                  figure->name);
    common_settings(gp, figure, model);
    figure->settings(gp, model);
    BL_TRY(add_template(gp, template_dir, "style", err));
    const char *template = figure->template != NULL ? figure->template : figure->name;
    BL_TRY(add_template(gp, template_dir, template, err));
    return add_template(gp, template_dir, "outputs", err);
}

/* ---- gnuplot ---- */

/* "LD_PRELOAD=..." of scripts/fixed_clock.c, as built beside the program; "" where that is not
 * found or its path cannot be written in this variable, and PDF files then carry the time. */
static void fixed_clock(char out[PATH_MAX + 16]) {
    char path[PATH_MAX];
    out[0] = '\0';
    char beside[BL_PATH];
    if (realpath(BL_BUILD_DIR "/fixed_clock.so", path) == NULL &&
        (!bl_file_of_program(beside, "fixed_clock.so") || realpath(beside, path) == NULL))
        return;
    if (strpbrk(path, " :") == NULL) (void)snprintf(out, PATH_MAX + 16, "LD_PRELOAD=%s", path);
}

/* The environment with the C locale, one time zone and a clock that stands still first: of two
 * equal names the first counts. `clock` has to live as long as the result. */
static char **plain_environment(char *clock) {
    static char locale[] = "LC_ALL=C", zone[] = "TZ=UTC";
    size_t n = 0, k = 0;
    while (environ[n] != NULL) n++;
    char **out = bl_xalloc((n + 4) * sizeof *out);
    out[k++] = locale;
    out[k++] = zone;
    if (clock[0] != '\0') out[k++] = clock;
    memcpy(out + k, environ, n * sizeof *out);
    return out;
}

/* In the child: only calls that are safe after a fork of a program with threads. It ends with the
 * thread that made it: what is left of a killed command is swept, and nobody may still write there.
 */
__attribute__((noreturn)) static void become_gnuplot(pid_t parent, const char *dir, char *script,
                                                     int output, char **environment) {
    static char name[] = "gnuplot", defaults[] = "-d";
    char *const argv[] = {name, defaults, script, NULL};
    const int input = open("/dev/null", O_RDONLY);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || input < 0 || dup2(input, STDIN_FILENO) < 0 ||
        dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0 || chdir(dir) != 0)
        _exit(126);
    (void)execvpe(name, argv, environment);
    _exit(errno == ENOENT ? 127 : 126);
}

/* What the program says, its beginning kept, until it closes its end. */
static void listen_to(int pipe_end, bl_buf *said) {
    char chunk[512];
    for (;;) {
        const ssize_t n = read(pipe_end, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        bl_buf_add(said, chunk,
                   bl_size_min((size_t)n, SAID_LIMIT - bl_size_min(said->len, SAID_LIMIT)));
    }
}

/* Whether gnuplot ended well; else its last words, which do not name a full disk. */
static bl_status judge(int state, const char *dir, const char *script, bl_buf *said, bl_err *err) {
    char path[BL_PATH];
    if (WIFEXITED(state) && WEXITSTATUS(state) == 0) return BL_OK;
    BL_TRY(bl_path(path, err, "%s/%s", dir, script));
    BL_TRY(bl_file_disk_full(path, FIGURE_BYTES, err));
    while (said->len > 0 && said->data[said->len - 1] == '\n') bl_buf_truncate(said, said->len - 1);
    const bool not_started = WIFEXITED(state) && WEXITSTATUS(state) == 127;
    if (not_started && said->len == 0)
        BL_FAIL(err, BL_EUNSUPPORTED,
                "gnuplot is not installed: tables and scripts are written, figures are not "
                "(on Debian: apt-get install gnuplot-nox)");
    if (not_started) /* the loader says why, with the program's name */
        BL_FAIL(err, BL_EUNSUPPORTED, "%s: tables and scripts are written, figures are not",
                bl_buf_text(said));
    BL_FAIL(err, BL_EIO, "gnuplot failed on %s:%s", script, bl_buf_text(said));
}

/* Starts gnuplot in `dir` under a clock that stands still and listens to what it says: that is only
 * shown when it fails. */
static bl_status run_gnuplot(const char *dir, char *script, bl_err *err) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        BL_FAIL(err, BL_EIO, "cannot start gnuplot: %s", strerror(errno));
    char clock[PATH_MAX + 16];
    fixed_clock(clock);
    char **environment = plain_environment(clock);
    const pid_t parent = getpid(), child = fork();
    if (child == 0) become_gnuplot(parent, dir, script, ends[1], environment);
    const int why = errno;
    free(environment);
    (void)close(ends[1]);
    bl_buf said = {0};
    int state = 0;
    bl_status status = BL_OK;
    if (child < 0) {
        status = BL_ERR(err, BL_EIO, "cannot start gnuplot: %s", strerror(why));
    } else {
        listen_to(ends[0], &said);
        while (waitpid(child, &state, 0) < 0 && errno == EINTR) continue;
        status = judge(state, dir, script, &said, err);
    }
    (void)close(ends[0]);
    bl_buf_free(&said);
    return status;
}

/* gnuplot does not look whether its bytes reached the disk. A drawing is whole when it ends as its
 * format does: a disk that filled leaves an empty or a cut one. */
static bl_status expect_drawing(const char *dir, const char *name, const char *ending,
                                const char *last, bl_err *err) {
    char path[BL_PATH];
    bl_buf drawing = {0};
    BL_TRY(bl_path(path, err, "%s/%s.%s", dir, name, ending));
    bl_status status = bl_file_read(&drawing, path, DRAWING_LIMIT, err);
    while (drawing.len > 0 && drawing.data[drawing.len - 1] == '\n')
        bl_buf_truncate(&drawing, drawing.len - 1);
    const size_t n = strlen(last);
    const bool whole = drawing.len >= n && memcmp(drawing.data + drawing.len - n, last, n) == 0;
    bl_buf_free(&drawing);
    if (status != BL_EMISSING && (status != BL_OK || whole)) return status;
    BL_TRY(bl_file_disk_full(path, FIGURE_BYTES, err));
    BL_FAIL(err, BL_EIO, "gnuplot did not write %s.%s whole", name, ending);
}

bl_status bl_figure_draw(const char *report_dir, const char *name, bl_err *err) {
    static const struct {
        const char *ending, *last;
    } drawings[] = {
        {"svg",        "</svg>"              },
        {"png",        "IEND\xae\x42\x60\x82"},
        {"pdf",        "%%EOF"               },
        {"linear.svg", "</svg>"              }
    };
    char script[BL_PATH];
    BL_TRY(bl_path(script, err, "%s.gp", name));
    BL_TRY(run_gnuplot(report_dir, script, err));
    for (size_t i = 0; i < BL_COUNT(drawings); i++)
        BL_TRY(expect_drawing(report_dir, name, drawings[i].ending, drawings[i].last, err));
    return BL_OK;
}
