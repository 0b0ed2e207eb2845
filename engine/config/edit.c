/* A few settings changed in an experiment's text, all other bytes as they were (edit.h). The
 * text is walked by its tokens, without a tree: what is not understood is passed over, and
 * stays.
 *
 *     find_group     presets, then the preset, then the key's group: a range of the text
 *     find_setting   the key's value in that range, to be replaced
 *     append         or else a line before the closing bracket, indented as the group is
 *
 * Such a walk could be wrong about odd text. So the result is parsed under the preset and compared
 * with the old one key by key: an edit that changed anything else is refused. */
#include "engine/config/edit.h"
#include "engine/config/config.h"
#include "engine/config/schema.h"
#include "engine/config/value.h"
#include <ctype.h>
#include <string.h>

/* ---- the text, token by token ---- */

/* Behind a comment that begins at `at`; `at` where none does. */
static size_t skip_comment(const char *text, size_t n, size_t at) {
    const bool line = text[at] == '#' || (text[at] == '/' && at + 1 < n && text[at + 1] == '/');
    const bool block = text[at] == '/' && at + 1 < n && text[at + 1] == '*';
    if (line)
        while (at < n && text[at] != '\n') at++;
    if (!block) return at;
    for (at += 2; at + 1 < n && !(text[at] == '*' && text[at + 1] == '/');) at++;
    return at + 2 < n ? at + 2 : n;
}

/* Behind blanks and comments. */
static size_t skip_blanks(const char *text, size_t n, size_t at) {
    while (at < n) {
        const size_t before = at;
        while (at < n && isspace((unsigned char)text[at])) at++;
        if (at < n) at = skip_comment(text, n, at);
        if (at == before) break;
    }
    return at;
}

/* Behind the closing quote; `at` is the opening one. */
static size_t skip_string(const char *text, size_t n, size_t at) {
    for (at++; at < n && text[at] != '"';) at += text[at] == '\\' ? 2 : 1;
    return at < n ? at + 1 : n;
}

/* Behind what the bracket at `at` opens. */
static size_t skip_brackets(const char *text, size_t n, size_t at) {
    size_t depth = 0;
    while ((at = skip_blanks(text, n, at)) < n) {
        const char c = text[at];
        if (strchr("([{", c) != NULL) depth++;
        if (strchr(")]}", c) != NULL) depth--;
        at = c == '"' ? skip_string(text, n, at) : at + 1;
        if (depth == 0) break;
    }
    return at;
}

/* Behind the value that begins at `at`: brackets, strings side by side, or a word. */
static size_t value_end(const char *text, size_t n, size_t at) {
    if (at < n && strchr("([{", text[at]) != NULL) return skip_brackets(text, n, at);
    size_t end = at;
    if (at < n && text[at] == '"') {
        for (; at < n && text[at] == '"'; at = skip_blanks(text, n, end))
            end = skip_string(text, n, at);
        return end;
    }
    while (end < n && (isalnum((unsigned char)text[end]) || strchr("_.+-", text[end]) != NULL))
        end++;
    return end;
}

/* text[begin..end): the settings of a group without its brackets. */
typedef struct group {
    size_t begin, end;
} group;

/* Finds a setting of the group by name: where its value begins and ends. */
static bool find_setting(const char *text, group in, const char *name, group *value) {
    size_t at = in.begin;
    while ((at = skip_blanks(text, in.end, at)) < in.end) {
        const size_t begin = at;
        while (at < in.end && (isalnum((unsigned char)text[at]) || strchr("_-*", text[at]) != NULL))
            at++;
        const size_t length = at - begin;
        at = skip_blanks(text, in.end, at);
        if (at >= in.end || (text[at] != ':' && text[at] != '=')) {
            at++; /* the ; or , behind a value, or an @include */
            continue;
        }
        at = skip_blanks(text, in.end, at + 1);
        *value = (group){at, value_end(text, in.end, at)};
        if (length == strlen(name) && memcmp(text + begin, name, length) == 0) return true;
        at = value->end;
    }
    return false;
}

/* The inside of a group that is a setting of another. */
static bool find_group(const char *text, group in, const char *name, group *inside) {
    group value;
    if (!find_setting(text, in, name, &value) || text[value.begin] != '{') return false;
    *inside = (group){value.begin + 1, value.end - 1};
    return true;
}

/* ---- changes ---- */

/* Replaces text[begin..end). */
static void splice(bl_buf *text, size_t begin, size_t end, const char *with) {
    bl_buf out = {0};
    bl_buf_add(&out, text->data, begin);
    bl_buf_str(&out, with);
    bl_buf_add(&out, text->data + end, text->len - end);
    bl_buf_free(text);
    *text = out;
}

/* Adds "words" at the end of a group, on a line of its own where the group has lines. */
static void append(bl_buf *text, group in, bool outermost, const char *words) {
    size_t last = in.end, line;
    while (last > in.begin && isspace((unsigned char)text->data[last - 1])) last--;
    for (line = in.begin; line < in.end && text->data[line] != '\n';) line++;
    bl_buf with = {0};
    const char *end = memchr(text->data, '\n', text->len);
    const char *newline = end != NULL && end > text->data && end[-1] == '\r' ? "\r\n" : "\n";
    if (outermost || line < in.end) {
        /* The indentation of the closing bracket's line, and two more. */
        size_t edge = in.end;
        while (edge > in.begin && (text->data[edge - 1] == ' ' || text->data[edge - 1] == '\t'))
            edge--;
        bl_buf_printf(&with, "%s%.*s%s%s%s", text->data[edge - 1] == '\n' ? "" : newline,
                      (int)(in.end - edge), text->data + edge, outermost ? "" : "  ", words,
                      newline);
        splice(text, edge, edge, bl_buf_text(&with));
    } else {
        bl_buf_printf(&with, " %s", words);
        splice(text, last, last, bl_buf_text(&with));
    }
    bl_buf_free(&with);
}

/* Where the words go, for train.seed = 2 in the file's text itself or in a preset's group:
 *
 *     train: { seed = 1; }     the value is replaced                       train: { seed = 2; }
 *     train: { }               the setting is added to the group           train: { seed = 2; }
 *     (no such group)          a group is added at the end of the level    train: { seed = 2; };
 *
 * A preset has to be in the file already: what is included is not edited. */
static bl_status change_one(bl_buf *text, const char *preset, const bl_config_change *c,
                            bl_err *err) {
    const char *dot = strchr(c->path, '.');
    char name[BL_NAME];
    bl_buf words = {0};
    group level = {0, text->len}, presets, inside, value;
    BL_ASSERT(dot != NULL && (size_t)(dot - c->path) < sizeof name);
    memcpy(name, c->path, (size_t)(dot - c->path));
    name[dot - c->path] = '\0';
    if (preset != NULL && preset[0] != '\0') {
        if (!find_group(text->data, level, "presets", &presets) ||
            !find_group(text->data, presets, preset, &level))
            BL_FAIL(err, BL_EUNSUPPORTED, "the preset %s is not in the file itself", preset);
    }
    bl_buf_printf(&words, "%s = %s;", dot + 1, c->value);
    if (!find_group(text->data, level, name, &inside)) {
        bl_buf all = {0};
        bl_buf_printf(&all, "%s: { %s };", name, bl_buf_text(&words));
        append(text, level, level.end == text->len, bl_buf_text(&all));
        bl_buf_free(&all);
    } else if (find_setting(text->data, inside, dot + 1, &value)) {
        splice(text, value.begin, value.end, c->value);
    } else {
        append(text, inside, false, bl_buf_text(&words));
    }
    bl_buf_free(&words);
    return BL_OK;
}

/* ---- the check ---- */

static bool is_changed(const char *path, const bl_config_change *change, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(path, change[i].path) == 0) return true;
    return false;
}

/* Both texts under one preset: equal but for what was to be changed. */
static bl_status compare(const bl_buf *now, const char *text, size_t n, const char *file,
                         const char *preset, const bl_config_change *change, size_t count,
                         bl_err *err) {
    bl_config before, after;
    BL_TRY(bl_config_parse(&before, text, n, file, preset, NULL, 0, err));
    BL_TRY(bl_config_parse(&after, now->data, now->len, file, preset, NULL, 0, err));
    for (size_t i = 0; i < bl_schema_count; i++) {
        const bl_config_value a = bl_value_of(&bl_schema[i], &before),
                              b = bl_value_of(&bl_schema[i], &after);
        if (!is_changed(bl_schema[i].path, change, count) && !bl_value_equal(&a, &b))
            BL_FAIL(err, BL_EUNSUPPORTED, "%s cannot be edited: %s would change with it", file,
                    bl_schema[i].path);
    }
    return BL_OK;
}

bl_status bl_config_edit(bl_buf *out, const char *text, size_t n, const char *file,
                         const char *preset, const bl_config_change *change, size_t count,
                         bl_err *err) {
    bl_buf now = {0};
    bl_status status = BL_OK;
    bl_buf_add(&now, text, n);
    for (size_t i = 0; i < count; i++) BL_GOTO(change_one(&now, preset, &change[i], err));
    BL_GOTO(compare(&now, text, n, file, preset, change, count, err));
    bl_buf_add(out, now.data, now.len);
done:
    bl_buf_free(&now);
    return status;
}
