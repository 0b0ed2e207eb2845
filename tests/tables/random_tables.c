/* Random tables of all kinds, held against `batchlab init`:
 *
 *     1. exit 0, or 2 and one clear sentence; a sound table is never refused
 *     2. what it wrote passes `check` and is trained by its smallest preset
 *     3. a straight line on what it declared finds the planted signal: no column was lost
 *     4. with --quick, on tables of 500 rows and more with a linear signal, the best value of
 *        preset quick is within 10 % of least squares on the same held-out rows, or within two of
 *        its standard errors
 *
 *     tables [--quick] [--tables N] [--first SEED] [--rows MOST]
 *
 * `make test` draws a few small ones; `make test-tables` is for all. A table is a function of its
 * seed alone; what fails says which seed. */
#include "engine/base/file.h"
#include "engine/base/gzip.h"
#include "engine/base/mem.h"
#include "engine/base/philox.h"
#include "engine/data/dataset_open.h"
#include "engine/data/table/calendar.h"
#include "engine/model/metric.h"
#include "engine/starter/baseline.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_COLUMNS = 10 };

typedef enum fault {
    SOUND,
    NO_HEADER,
    TITLE,
    RAGGED,
    TWICE,
    EMPTY,
    NO_TARGET,
    BINARY,
    FAULTS
} fault;
typedef enum target { LINEAR, SKEWED, WORDS, BINARY_CLASS, RATING, TARGETS } target;
typedef enum kind {
    NORMAL,
    AMOUNT,
    WHOLE,
    TOWN,
    CODE,
    DAY,
    STAMP,
    ID,
    NOTE,
    CONSTANT,
    FLAG,
    EMPTY_COLUMN,
    KINDS
} kind;

/* What a seed makes. */
typedef struct table {
    uint64_t seed, drawn;
    size_t rows, columns;
    kind kind[MOST_COLUMNS];
    double weight[MOST_COLUMNS], missing[MOST_COLUMNS];
    const char *word[MOST_COLUMNS], *unit[MOST_COLUMNS];
    target target;
    fault fault;
    char separator;
    bool comma, thousands, blanks, latin1, utf16, mark, cr, crlf, packed;
    int date_form;
    double shift, scale, noise;
} table;

/* ---- drawing ---- */

static double uniform(table *t) {
    const bl_u32x4 w = bl_random4(t->seed, BL_STREAM_SYNTH, 77, t->drawn++);
    return bl_unit_f64(w.v[0], w.v[1]);
}
static size_t below(table *t, size_t n) {
    return (size_t)(uniform(t) * (double)n);
}
static bool chance(table *t, double p) {
    return uniform(t) < p;
}
static double normal(table *t) {
    const double u = 1 - uniform(t), v = uniform(t);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

static void draw_table(table *t, uint64_t seed, size_t most_rows) {
    static const char *const words[] = {"", "NA", "?", "null", "nan", "-", "N/A", "None"};
    static const char *const units[] = {"", "", "", "kg", "%", "$", "\xE2\x82\xAC"};
    *t = (table){.seed = seed};
    t->rows = (size_t)(20 * pow((double)most_rows / 20, uniform(t)));
    t->columns = 1 + below(t, MOST_COLUMNS);
    t->separator = ",;\t|"[below(t, 4)];
    t->comma = t->separator != ',' && chance(t, 0.4);
    t->thousands = chance(t, 0.2);
    t->blanks = chance(t, 0.2);
    t->date_form = (int)below(t, 5);
    t->latin1 = chance(t, 0.1);
    t->utf16 = !t->latin1 && chance(t, 0.05);
    t->mark = !t->latin1 && !t->utf16 && chance(t, 0.2);
    t->cr = chance(t, 0.05);
    t->crlf = !t->cr && chance(t, 0.3);
    t->packed = chance(t, 0.1);
    t->target = chance(t, 0.5) ? LINEAR : (target)below(t, TARGETS);
    t->fault = chance(t, 0.85) ? SOUND : (fault)below(t, FAULTS);
    for (size_t c = 0; c < t->columns; c++) {
        t->kind[c] = c == 0 ? NORMAL : (kind)below(t, KINDS);
        t->weight[c] = normal(t);
        t->missing[c] = c > 0 && chance(t, 0.3) ? 0.1 : 0;
        t->word[c] = words[below(t, BL_COUNT(words))];
        t->unit[c] = t->kind[c] == AMOUNT ? units[below(t, BL_COUNT(units))] : "";
    }
    t->weight[0] = 1 + fabs(t->weight[0]);
    t->noise = 0.05 + 0.5 * uniform(t);
    t->scale = pow(10, floor(12 * uniform(t)) - 4);
    t->shift = chance(t, 0.5) ? 0 : t->scale * floor(1000 * normal(t));
}

/* ---- writing ---- */

/* A number as this table writes it. */
static void write_number(bl_buf *out, const table *t, double x, const char *unit, int decimals) {
    char text[64], whole[64];
    (void)snprintf(text, sizeof text, "%.*f", decimals, fabs(x));
    const size_t digits = strcspn(text, ".");
    size_t n = 0;
    const bool group = t->thousands && digits > 3 && unit[0] != '\0';
    for (size_t i = 0; i < digits; i++) {
        if (group && i > 0 && (digits - i) % 3 == 0) whole[n++] = t->comma ? '.' : ',';
        whole[n++] = text[i];
    }
    whole[n] = '\0';
    const bool quote = group && t->separator == ',';
    bl_buf_printf(out, "%s%s%s%s", quote ? "\"" : "", x < 0 ? "-" : "",
                  strcmp(unit, "$") == 0 ? "$" : "", whole);
    if (text[digits] == '.') bl_buf_printf(out, "%c%s", t->comma ? ',' : '.', text + digits + 1);
    if (unit[0] != '\0' && strcmp(unit, "$") != 0) bl_buf_printf(out, " %s", unit);
    if (quote) bl_buf_str(out, "\"");
}

static void write_date(bl_buf *out, const table *t, int32_t days, int minutes) {
    int32_t y, m, d;
    bl_civil_from_days(days, &y, &m, &d);
    const int form = t->date_form % 3;
    if (form == 0) bl_buf_printf(out, "%04d-%02d-%02d", y, m, d);
    if (form == 1) bl_buf_printf(out, "%d/%d/%d", m, d, y);
    if (form == 2) bl_buf_printf(out, "%d.%d.%d", d, m, y);
    if (minutes >= 0) bl_buf_printf(out, " %02d:%02d", minutes / 60, minutes % 60);
}

/* Writes the cell of a column in row i and returns what it adds to the target. */
static double write_cell(bl_buf *out, table *t, size_t c, size_t i) {
    static const char *const towns[] = {"Ulm", "K\xC3\xB6ln", "Bonn", "\"Rees, old\"", "Aach"};
    const double w = t->weight[c];
    const double z = normal(t);
    const size_t pick = below(t, 5);
    if (t->missing[c] > 0 && t->kind[c] <= WHOLE && chance(t, t->missing[c])) {
        bl_buf_str(out, t->word[c]);
        return 0.2 * w;
    }
    switch (t->kind[c]) {
    case NORMAL:
        write_number(out, t, z, "", 4);
        return w * z;
    case AMOUNT:
        write_number(out, t, floor(50000 + 10000 * z), t->unit[c], 2);
        return w * z;
    case WHOLE:
        bl_buf_printf(out, "%d", (int)floor(500 + 100 * z));
        return w * z;
    case TOWN:
        bl_buf_str(out, towns[pick]);
        return w * ((double)pick - 2) / 2;
    case CODE:
        bl_buf_printf(out, "%zu", pick);
        return w * (pick == 2);
    case DAY:
        write_date(out, t, 15000 + (int32_t)(i * 900 / t->rows), -1);
        return 0;
    case STAMP:
        write_date(out, t, 15000 + (int32_t)(i * 900 / t->rows), (int)(pick * 300));
        return w * (pick == 3);
    case ID:
        bl_buf_printf(out, "%zu", 1000 + i);
        return 0;
    case NOTE:
        bl_buf_printf(out, "note %zu about \"\"it\"\"", i * 7919 % 100003);
        return 0;
    case CONSTANT:
        bl_buf_str(out, "same");
        return 0;
    case FLAG:
        bl_buf_str(out, pick % 2 ? "True" : "False");
        return w * (double)(pick % 2);
    case EMPTY_COLUMN:
    case KINDS:
        break;
    }
    return 0;
}

static void write_target(bl_buf *out, table *t, double signal) {
    static const char *const words[] = {"low", "middle", "high"};
    const double y = signal + t->noise * normal(t);
    switch (t->target) {
    case LINEAR: {
        const double value = t->shift + t->scale * y;
        const int decimals = (int)fmax(0, 4 - floor(log10(t->scale)));
        write_number(out, t, value, "", decimals);
        return;
    }
    case SKEWED:
        write_number(out, t, 1000 * exp(0.8 * y), "", 3);
        return;
    case WORDS:
        bl_buf_str(out, words[y > 0.7 ? 2 : y > -0.7 ? 1 : 0]);
        return;
    case BINARY_CLASS:
        bl_buf_str(out, y > 0 ? "1" : "0");
        return;
    case RATING:
    case TARGETS:
        bl_buf_printf(out, "%d", 1 + (int)fmax(0, fmin(4, floor(y + 2.5))));
        return;
    }
}

static const char *const k_names[KINDS] = {"size", "price in EUR", "count",      "town",
                                           "code", "Day",          "time stamp", "id",
                                           "note", "steady",       "is new",     "empty one"};

static void write_header(bl_buf *out, const table *t) {
    for (size_t c = 0; c < t->columns; c++) {
        bl_buf_printf(out, "%s", k_names[t->kind[c]]);
        if (t->fault != TWICE || c + 1 < t->columns) bl_buf_printf(out, " %zu", c);
        bl_buf_printf(out, "%c%s", t->separator, t->blanks ? " " : "");
    }
    bl_buf_str(out, t->fault == TWICE ? "y y\n" : "y\n");
}

/* The table as UTF-8 with LF. */
static void write_rows(bl_buf *out, table *t) {
    if (t->fault == EMPTY) return;
    if (t->fault == TITLE) bl_buf_str(out, "Report of May\n");
    if (t->fault != NO_HEADER) write_header(out, t);
    for (size_t i = 0; i < t->rows; i++) {
        double signal = 0;
        for (size_t c = 0; c < t->columns; c++) {
            const bool quoted = t->kind[c] == NOTE;
            if (quoted) bl_buf_str(out, "\"");
            signal += write_cell(out, t, c, i);
            if (quoted) bl_buf_str(out, "\"");
            bl_buf_printf(out, "%c%s", t->separator, t->blanks ? " " : "");
        }
        if (t->fault != NO_TARGET) write_target(out, t, signal);
        if (t->fault == RAGGED && i == t->rows / 2) bl_buf_printf(out, "%cx", t->separator);
        if (t->fault == BINARY && i == t->rows / 2) bl_buf_add(out, "\0", 1);
        bl_buf_str(out, "\n");
    }
}

/* Line ends and encoding, as the table has them. */
static void encode(bl_buf *out, const table *t, const bl_buf *text) {
    const char zero = '\0';
    if (t->mark) bl_buf_str(out, "\xEF\xBB\xBF");
    if (t->utf16) bl_buf_str(out, "\xFF\xFE");
    for (size_t i = 0; i < text->len; i++) {
        char c = text->data[i];
        if ((t->latin1 || t->utf16) && c == '\xC3') c = (char)(text->data[++i] + 64);
        if ((t->latin1 || t->utf16) && c == '\xE2') { /* the euro */
            i += 2;
            bl_buf_add(out, t->utf16 ? "\xAC\x20" : "\x80", t->utf16 ? 2 : 1);
            continue;
        }
        if (c == '\n' && t->crlf) {
            bl_buf_str(out, "\r");
            if (t->utf16) bl_buf_add(out, &zero, 1);
        }
        if (c == '\n' && t->cr) c = '\r';
        bl_buf_add(out, &c, 1);
        if (t->utf16) bl_buf_add(out, &zero, 1);
    }
}

/* ---- running ---- */

static char g_program[BL_PATH];
static size_t g_failures, g_refused, g_lines, g_quick;

BL_PRINTF(2, 3)
static void failed(const table *t, const char *fmt, ...) {
    va_list ap;
    (void)printf("# ERROR table %llu: ", (unsigned long long)t->seed);
    va_start(ap, fmt);
    (void)vprintf(fmt, ap);
    va_end(ap);
    (void)printf("\n");
    (void)fflush(stdout);
    g_failures++;
}

/* batchlab with these words; its exit status, -1 after a signal. What it says goes to said.txt. */
static int batchlab(const char *const *words) {
    char *argv[16] = {g_program};
    for (size_t i = 0; i < 14 && words[i] != NULL; i++) argv[i + 1] = (char *)(uintptr_t)words[i];
    const pid_t child = fork();
    if (child == 0) {
        const int out = open("said.txt", O_WRONLY | O_CREAT | O_TRUNC, 0644);
        const int nothing = open("/dev/null", O_RDWR);
        if (out < 0 || nothing < 0 || dup2(nothing, 1) < 0 || dup2(out, 2) < 0) _exit(126);
        (void)execv(g_program, argv);
        _exit(127);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void read_said(bl_buf *said) {
    bl_err err = {0};
    bl_buf_clear(said);
    if (bl_file_read(said, "said.txt", 1 << 20, &err) != BL_OK) bl_buf_str(said, err.text);
}

/* One sentence that begins with the program or the file's place. */
static bool is_clear(const bl_buf *said) {
    const char *text = bl_buf_text(said);
    size_t lines = 0;
    for (const char *p = text; *p; p++) lines += *p == '\n';
    return lines == 1 && (strncmp(text, "batchlab: ", 10) == 0 || strncmp(text, "t.csv", 5) == 0) &&
           said->len > 30 && said->len < 600;
}

static void remove_all(void) {
    bl_err err = {0};
    static const char *const paths[] = {"experiments/t", "datasets", "runs",
                                        "reports/t",     "t.csv",    "t.csv.gz"};
    for (size_t i = 0; i < BL_COUNT(paths); i++)
        if (bl_remove_tree(paths[i], &err) != BL_OK) (void)printf("# %s\n", err.text);
    if (bl_make_dirs("datasets", &err) != BL_OK) (void)printf("# %s\n", err.text);
}

static bool write_file(const table *t, const bl_buf *bytes) {
    bl_err err = {0};
    bl_buf packed = {0};
    bl_status status;
    if (t->packed) {
        status = bl_gzip(&packed, bl_buf_text(bytes), bytes->len, &err);
        if (status == BL_OK) status = bl_file_write("t.csv.gz", packed.data, packed.len, &err);
    } else {
        status = bl_file_write("t.csv", bl_buf_text(bytes), bytes->len, &err);
    }
    bl_buf_free(&packed);
    if (status != BL_OK) failed(t, "%s", err.text);
    return status == BL_OK;
}

/* ---- judging ---- */

/* An answer, none, or no gnuplot, which is hidden from it: figures take longer than the training.
 */
static bool has_ended_well(int status) {
    return status == 0 || status == 5 || status == 69;
}

/* The lowest value that any run of the store logged. */
static double best_value(void) {
    bl_err err = {0};
    bl_names names = {0};
    double best = INFINITY;
    if (bl_dir_list(&names, "runs/t", &err) != BL_OK) return (double)NAN;
    for (size_t i = 0; i < names.count; i++) {
        char path[BL_PATH];
        bl_buf stored = {0}, text = {0};
        (void)snprintf(path, sizeof path, "runs/t/%s/log.jsonl.gz", names.name[i]);
        if (bl_file_read(&stored, path, 1 << 28, &err) == BL_OK &&
            bl_gunzip(&text, stored.data, stored.len, path, &err) == BL_OK)
            for (const char *p = bl_buf_text(&text); (p = strstr(p, "\"value\":")) != NULL; p++)
                if (p[8] != 'n') best = fmin(best, strtod(p + 8, NULL));
        bl_buf_free(&stored);
        bl_buf_free(&text);
    }
    bl_names_free(&names);
    return best;
}

/* A straight line on what was declared: near the noise that was planted. */
static double check_line(const table *t, double *error) {
    bl_dataset d;
    bl_err err = {0};
    const bl_dataset_options options = {.manifest_dir = "datasets"};
    if (bl_dataset_open(&d, "t", &options, &err) != BL_OK) {
        failed(t, "%s", err.text);
        return (double)NAN;
    }
    const double found = bl_starter_baselines(&d, bl_metric_find("rmse"), 0).least_squares;
    const double spare = (double)d.train_rows - 3.0 * (double)(d.continuous + 5 * d.categorical);
    *error = found / sqrt(2.0 * (double)d.valid_rows);
    bool dated = false, gaps = false;
    for (size_t c = 0; c < t->columns; c++) {
        dated = dated || t->kind[c] == DAY || t->kind[c] == STAMP;
        gaps = gaps || (t->missing[c] > 0 && t->kind[c] <= WHOLE); /* lose what they would add */
    }
    const double most = t->scale * t->noise * (1.15 + 4 / sqrt((double)d.valid_rows));
    if (!dated && !gaps && spare > 200 && !(found < most))
        failed(t, "least squares errs by %g where %g was planted: a column was lost", found,
               t->scale * t->noise);
    g_lines += !dated && !gaps && spare > 200;
    bl_dataset_free(&d);
    return found;
}

static void check_quick(const table *t, double line, double error) {
    const int status =
        batchlab((const char *[]){"run", "t", "--preset", "quick", "--progress", "none", NULL});
    if (!has_ended_well(status)) failed(t, "quick ends with %d", status);
    const double best = best_value();
    (void)printf("# table %llu: %zu rows, best %g, least squares %g (error %g)\n",
                 (unsigned long long)t->seed, t->rows, best, line, error);
    (void)fflush(stdout);
    g_quick++;
    if (!(best <= fmax(1.1 * line, line + 2 * error)))
        failed(t, "quick's best value is %g, least squares has %g (error %g)", best, line, error);
}

static void judge(table *t, bool quick) {
    bl_buf text = {0}, bytes = {0}, said = {0};
    remove_all();
    write_rows(&text, t);
    encode(&bytes, t, &text);
    if (!write_file(t, &bytes)) goto done;
    const int status =
        batchlab((const char *[]){"init", t->packed ? "t.csv.gz" : "t.csv", "--target", "y", NULL});
    read_said(&said);
    if (status != 0) {
        g_refused++;
        if (status != 2 || !is_clear(&said))
            failed(t, "init ends with %d: %s", status, bl_buf_text(&said));
        /* So few rows may lack a value of the target, or all be of one class. */
        if (t->fault == SOUND && t->rows >= 60)
            failed(t, "a sound table is refused: %s", bl_buf_text(&said));
        goto done;
    }
    if (t->fault == TWICE && t->columns > 1) goto done;
    if (t->fault == EMPTY || t->fault == TITLE || t->fault == RAGGED || t->fault == BINARY)
        failed(t, "fault %d was not noticed", t->fault);
    if (batchlab((const char *[]){"check", "t", NULL}) != 0) failed(t, "check refuses it");
    const int ran =
        batchlab((const char *[]){"run", "t", "--preset", "tiny", "--progress", "none", NULL});
    read_said(&said);
    if (!has_ended_well(ran)) failed(t, "tiny ends with %d: %s", ran, bl_buf_text(&said));
    if (t->target == LINEAR && t->fault == SOUND) {
        double error = 0;
        const double line = check_line(t, &error);
        if (quick && t->rows >= 500) check_quick(t, line, error);
    }
done:
    bl_buf_free(&text);
    bl_buf_free(&bytes);
    bl_buf_free(&said);
}

/* A project of its own in the present folder's place. */
static bool enter_project(const char *root) {
    static const char *const linked[] = {"scripts", "reports"};
    char here[BL_PATH], from[2 * BL_PATH];
    if (getcwd(here, sizeof here) == NULL || chdir(root) != 0) return false;
    for (size_t i = 0; i < BL_COUNT(linked); i++) {
        (void)snprintf(from, sizeof from, "%s/%s", here, linked[i]);
        if (symlink(from, linked[i]) != 0) return false;
    }
    (void)setenv("PATH", "/nowhere", 1);
    (void)unsetenv("BATCHLAB_DATA");
    (void)unsetenv("BATCHLAB_CACHE");
    return setenv("BATCHLAB_RUNS", "runs", 1) == 0 && setenv("BATCHLAB_REPORTS", "drawn", 1) == 0;
}

int main(int argc, char **argv) {
    size_t tables = 8, rows = 1200;
    uint64_t first = 1;
    bool quick = false;
    const char *temporary = getenv("TMPDIR");
    char root[BL_PATH], program[BL_PATH];
    (void)snprintf(root, sizeof root, "%s/batchlab-tables-XXXXXX",
                   temporary != NULL && temporary[0] != '\0' ? temporary : "/tmp");
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "0";
        if (strcmp(argv[i], "--quick") == 0) quick = true;
        if (strcmp(argv[i], "--tables") == 0) tables = (size_t)strtoull(value, NULL, 10);
        if (strcmp(argv[i], "--first") == 0) first = strtoull(value, NULL, 10);
        if (strcmp(argv[i], "--rows") == 0) rows = (size_t)strtoull(value, NULL, 10);
    }
    (void)snprintf(program, sizeof program, "%.*s../../batchlab",
                   (int)(strrchr(argv[0], '/') - argv[0] + 1), argv[0]);
    if (realpath(program, g_program) == NULL || mkdtemp(root) == NULL || !enter_project(root)) {
        (void)fprintf(stderr, "tables: %s: %s\n", program, strerror(errno));
        return 1;
    }
    for (uint64_t seed = first; seed < first + tables; seed++) {
        table t;
        draw_table(&t, seed, rows);
        judge(&t, quick);
    }
    (void)printf("# %zu tables: %zu refused, %zu signals found by a line, %zu by preset quick\n",
                 tables, g_refused, g_lines, g_quick);
    (void)printf("1..1\n%sok 1 - tables\n", g_failures > 0 ? "not " : "");
    bl_err err = {0};
    if (getenv("KEEP") != NULL) return 0;
    if (chdir("/") != 0 || bl_remove_tree(root, &err) != BL_OK) (void)printf("# %s\n", err.text);
    return g_failures > 0;
}
