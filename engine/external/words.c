#include "engine/external/words.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WORDS = 60, MOST_INPUTS = 60, MOST_SOURCE = 1 << 20 };

/* What options are called, and what a program without a default of its own is started with. */
static const struct {
    const char *name, *called[8];
    double usual;
} k_params[] = {
    [BL_EXTERNAL_BATCH_SIZE] = {"batch_size",
                                {"batch-size", "batch_size", "train-batch-size", "train_batch_size",
                                 "per_device_train_batch_size", "batchsize", "bs"},
                                64   },
    [BL_EXTERNAL_LEARNING_RATE] = {"learning_rate",
                                {"lr", "learning-rate", "learning_rate", "base-lr", "base_lr"},
                                0.001},
    [BL_EXTERNAL_SEED] = {"seed",
                                {"seed", "random-seed", "random_seed", "manual-seed", "manual_seed"},
                                1    },
};
_Static_assert(BL_COUNT(k_params) == BL_EXTERNAL_PARAMS, "a row for every parameter");

const char *bl_external_param_name(bl_external_param param) {
    return k_params[param].name;
}

static void add(char ***list, size_t *count, const char *text) {
    *BL_PUSH(*list, *count, "words") = bl_xstrdup(text);
}

/* ---- splitting ---- */

/* Does the line say anything that only a shell understands? Quotes alone it does not. */
static bool is_for_shell(const char *line) {
    char quote = '\0';
    for (const char *p = line; *p != '\0'; p++) {
        if (quote == '\0' && *p == '\\' && p[1] != '\0')
            p++;
        else if (quote != '\0' && *p == quote)
            quote = '\0';
        else if (quote == '\0' && (*p == '\'' || *p == '"'))
            quote = *p;
        else if (quote != '\'' && strchr("$`", *p) != NULL)
            return true;
        else if (quote == '\0' && strchr("|&;<>()*?[]~#\n", *p) != NULL)
            return true;
    }
    line += strspn(line, " \t");
    return memchr(line, '=', strcspn(line, " \t")) != NULL; /* NAME=value python3 train.py */
}

/* One word from *at on; false: there is none. */
static bool next_word(bl_buf *out, const char **at) {
    const char *p = *at;
    char quote = '\0';
    bl_buf_clear(out);
    while (isspace((unsigned char)*p)) p++;
    const bool found = *p != '\0';
    for (; *p != '\0' && (quote != '\0' || !isspace((unsigned char)*p)); p++) {
        if (quote == '\0' && (*p == '\'' || *p == '"'))
            quote = *p;
        else if (quote != '\0' && *p == quote)
            quote = '\0';
        else if (quote != '\'' && *p == '\\' && p[1] != '\0')
            bl_buf_add(out, ++p, 1);
        else
            bl_buf_add(out, p, 1);
    }
    *at = quote == '\0' ? p : NULL;
    return found;
}

/* The line's words, or sh -c and the whole line. */
static bl_status split(bl_external_words *w, const char *line, bl_err *err) {
    bl_buf word = {0};
    const char *at = line;
    bl_status status = BL_OK;
    w->shell = is_for_shell(line);
    if (w->shell) {
        add(&w->word, &w->words, "sh");
        add(&w->word, &w->words, "-c");
        add(&w->word, &w->words, line + strspn(line, " \t"));
        return BL_OK;
    }
    while (status == BL_OK && next_word(&word, &at)) {
        if (at == NULL)
            status = BL_ERR(err, BL_EINVAL, "--command: a quote has no end: %s", line);
        else if (w->words == MOST_WORDS)
            status = BL_ERR(err, BL_EINVAL, "--command: more than %d words", MOST_WORDS);
        else
            add(&w->word, &w->words, bl_buf_text(&word));
    }
    bl_buf_free(&word);
    if (status == BL_OK && w->words == 0)
        return BL_ERR(err, BL_EINVAL, "--command: the line that starts your program is missing");
    return status;
}

/* ---- options ---- */

/* The parameter that the option `name` (n bytes, without dashes) sets; BL_EXTERNAL_PARAMS: none. */
static bl_external_param param_of(const char *name, size_t n) {
    for (size_t i = 0; i < BL_EXTERNAL_PARAMS; i++)
        for (size_t k = 0; k < BL_COUNT(k_params[i].called) && k_params[i].called[k]; k++)
            if (strlen(k_params[i].called[k]) == n && memcmp(k_params[i].called[k], name, n) == 0)
                return (bl_external_param)i;
    return BL_EXTERNAL_PARAMS;
}

static bool is_number(const char *text, double *out) {
    char *end;
    const double value = strtod(text, &end);
    if (end == text || *end != '\0') return false;
    *out = value;
    return true;
}

/* `lead` with {batch_size} or another parameter behind it. */
static char *braced(const char *lead, size_t n, bl_external_param param) {
    bl_buf text = {0};
    bl_buf_add(&text, lead, n);
    bl_buf_printf(&text, "{%s}", k_params[param].name);
    char *out = bl_xstrdup(bl_buf_text(&text));
    bl_buf_free(&text);
    return out; /* the caller's */
}

/* Takes `with`. */
static void replace(char **word, char *with) {
    free(*word);
    *word = with;
}

/* --batch-size 64, --batch-size=64, batch_size=64: the number becomes {batch_size}. */
static void find_options(bl_external_words *w) {
    for (size_t i = 0; i < w->words && !w->shell; i++) {
        const char *word = w->word[i], *name = word + strspn(word, "-");
        const char *equals = strchr(name, '=');
        const size_t n = equals != NULL ? (size_t)(equals - name) : strlen(name);
        const bl_external_param param = param_of(name, n);
        if (param == BL_EXTERNAL_PARAMS) continue;
        if (equals != NULL && is_number(equals + 1, &w->value[param])) {
            replace(&w->word[i], braced(word, (size_t)(equals + 1 - word), param));
            w->takes[param] = true;
        } else if (equals == NULL && name > word && i + 1 < w->words &&
                   is_number(w->word[i + 1], &w->value[param])) {
            replace(&w->word[i + 1], braced("", 0, param));
            w->takes[param] = true;
        }
    }
}

/* {batch_size} that stands in the line already. */
static void find_placeholders(bl_external_words *w) {
    for (size_t p = 0; p < BL_EXTERNAL_PARAMS; p++)
        for (size_t i = 0; i < w->words; i++) {
            char name[32];
            (void)snprintf(name, sizeof name, "{%s}", k_params[p].name);
            if (strstr(w->word[i], name) != NULL) w->takes[p] = true;
        }
}

/* ---- what the script's text says ---- */

/* The number after `default=` before the next option is declared; false: there is none. */
static bool default_after(const char *at, double *out) {
    const char *next = strstr(at, "add_argument"), *given = strstr(at, "default");
    if (given == NULL || (next != NULL && given > next)) return false;
    given += strlen("default");
    given += strspn(given, " =");
    char *end;
    const double value = strtod(given, &end);
    if (end == given) return false;
    *out = value;
    return true;
}

/* An option that the script declares ("--batch-size") and the line does not give is added to it. */
static void find_declared(bl_external_words *w, const char *text) {
    for (const char *at = text; (at = strstr(at, "--")) != NULL; at += 2) {
        const char quote = at > text ? at[-1] : '\0';
        if (quote != '"' && quote != '\'') continue;
        const size_t n = strcspn(at + 2, "\"'\n");
        if (at[2 + n] != quote) continue;
        const bl_external_param param = param_of(at + 2, n);
        if (param == BL_EXTERNAL_PARAMS || w->takes[param] || w->shell) continue;
        bl_buf lead = {0};
        bl_buf_printf(&lead, "--%.*s=", (int)n, at + 2);
        (void)default_after(at, &w->value[param]);
        *BL_PUSH(w->word, w->words, "words") = braced(lead.data, lead.len, param);
        bl_buf_free(&lead);
        w->takes[param] = true;
    }
}

static void add_input(bl_external_words *w, const char *path) {
    for (size_t i = 0; i < w->inputs; i++)
        if (strcmp(w->input[i], path) == 0) return;
    if (w->inputs < MOST_INPUTS) add(&w->input, &w->inputs, path);
}

static bool is_python(const char *path) {
    const size_t n = strlen(path);
    return n > 3 && strcmp(path + n - 3, ".py") == 0;
}

/* The module NAME of `import NAME` or `from NAME import`, if it lies beside the script. */
static void add_module(bl_external_words *w, const char *script, const char *name, size_t n) {
    char path[BL_PATH];
    const char *slash = strrchr(script, '/');
    const int folder = slash != NULL ? (int)(slash + 1 - script) : 0;
    if (n == 0) return;
    if (bl_path(path, NULL, "%.*s%.*s.py", folder, script, (int)n, name) == BL_OK &&
        bl_file_exists(path))
        add_input(w, path);
    else if (bl_path(path, NULL, "%.*s%.*s", folder, script, (int)n, name) == BL_OK &&
             bl_dir_exists(path))
        add_input(w, path);
}

/* A line that imports modules, in each of the three ways that Python has. */
static void add_imports(bl_external_words *w, const char *script, const char *line) {
    line += strspn(line, " \t");
    bool from = strncmp(line, "from ", 5) == 0;
    if (from && strncmp(line + 5, ". import ", 9) == 0) {
        line += 7;
        from = false;
    }
    if (!from && strncmp(line, "import ", 7) != 0) return;
    for (const char *at = line + (from ? 5 : 7); *at != '\0' && *at != '\n';) {
        at += strspn(at, " \t.");
        const size_t n = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789_");
        add_module(w, script, at, n);
        at += strcspn(at, from ? "\n" : ",\n");
        if (*at == ',') at++;
    }
}

/* What a Python file imports becomes an input. `own`: the line names it, so its options are the
 * program's. */
static void read_script(bl_external_words *w, const char *path, bool own) {
    bl_buf text = {0};
    bl_err ignored;
    if (bl_file_read(&text, path, MOST_SOURCE, &ignored) == BL_OK) {
        if (own) find_declared(w, bl_buf_text(&text));
        for (const char *line = bl_buf_text(&text); line != NULL; line = strchr(line, '\n')) {
            if (*line == '\n') line++;
            add_imports(w, path, line);
        }
    }
    bl_buf_free(&text);
}

/* A word that is a file, or after -m the name of a module: a.b is a/b.py, or lies in the folder a.
 */
static void add_word(bl_external_words *w, const char *word, bool module) {
    char path[BL_PATH];
    if (bl_path(path, NULL, "%s", word) != BL_OK) return;
    for (char *dot = path; module && (dot = strchr(dot, '.')) != NULL;) *dot = '/';
    if (module && strlen(path) + 3 < sizeof path) memcpy(path + strlen(path), ".py", 4);
    if (word[0] != '/' && bl_file_exists(path)) {
        add_input(w, path);
    } else if (module) {
        path[strcspn(path, "./")] = '\0';
        if (bl_dir_exists(path)) add_input(w, path);
    }
}

/* The words that are files, and what Python scripts among them import. */
static void find_inputs(bl_external_words *w, const char *line) {
    bl_buf word = {0};
    bool module = false;
    for (const char *at = line; at != NULL && next_word(&word, &at);) {
        add_word(w, bl_buf_text(&word), module);
        module = strcmp(bl_buf_text(&word), "-m") == 0;
    }
    bl_buf_free(&word);
    const size_t own = w->inputs;
    for (size_t i = 0; i < w->inputs; i++)
        if (is_python(w->input[i])) read_script(w, w->input[i], i < own);
}

/* ---- all of it ---- */

/* {batch_size} and the like replaced by a value to start with. */
static char *filled(const bl_external_words *w, const char *word) {
    bl_buf out = {0};
    while (*word != '\0') {
        size_t p = 0, n = 0;
        for (; *word == '{' && p < BL_EXTERNAL_PARAMS; p++) {
            n = strlen(k_params[p].name);
            if (strncmp(word + 1, k_params[p].name, n) == 0 && word[n + 1] == '}') break;
        }
        if (*word == '{' && p < BL_EXTERNAL_PARAMS) {
            bl_buf_printf(&out, "%.12g", w->value[p]);
            word += n + 2;
        } else {
            bl_buf_add(&out, word++, 1);
        }
    }
    char *text = bl_xstrdup(bl_buf_text(&out));
    bl_buf_free(&out);
    return text;
}

bl_status bl_external_words_read(bl_external_words *w, const char *line, bl_err *err) {
    *w = (bl_external_words){0};
    for (size_t i = 0; i < BL_EXTERNAL_PARAMS; i++) w->value[i] = k_params[i].usual;
    BL_TRY(split(w, line, err));
    for (size_t i = 0; i < w->words; i++) {
        char *word = filled(w, w->word[i]);
        *BL_PUSH(w->start, w->starts, "words") = word;
    }
    w->typed = w->words;
    find_placeholders(w);
    find_options(w);
    find_inputs(w, line);
    return BL_OK;
}

static void free_list(char **list, size_t count) {
    for (size_t i = 0; i < count; i++) free(list[i]);
    free(list);
}

void bl_external_words_free(bl_external_words *w) {
    free_list(w->word, w->words);
    free_list(w->start, w->starts);
    free_list(w->input, w->inputs);
    *w = (bl_external_words){0};
}
