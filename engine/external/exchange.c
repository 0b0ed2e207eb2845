/* The two files that a program reads, and its command line. For batch size 64 of an experiment
 * with a setting `hidden`:
 *
 *     params.json   {"batch_size":64,"learning_rate":0.001,"seed":1,"hidden":128,
 *                    "batchlab":{"protocol":1,"metric":"val_loss","checkpoint":true,
 *                                "beat":"/.../beat","stale":60}}
 *     goal.json     {"until":128,"evals":[1,2,4,8,16,32,64,128],"park":false}
 *     command       ["python3", "train.py", "--lr={learning_rate}"] -> python3 train.py --lr=0.001
 *
 * The command takes its values from the text of params.json, so that both have the same digits. */
#include "engine/external/exchange.h"
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/base/nearest.h"
#include "engine/base/text.h"
#include "engine/base/vec.h"
#include "engine/external/scrape.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void bl_external_goal_text(bl_buf *out, const bl_external_goal *goal) {
    bl_jw w = bl_jw_open(out);
    bl_jw_object(&w, NULL);
    bl_jw_i64(&w, "until", goal->until);
    bl_jw_array(&w, "evals");
    for (size_t i = 0; i < goal->eval_count; i++) bl_jw_i64(&w, NULL, goal->evals[i]);
    bl_jw_end(&w);
    bl_jw_bool(&w, "park", goal->park);
    bl_jw_end(&w);
    bl_jw_line(&w);
}

/* The parameters themselves, into an object that is open. */
static void write_params(bl_jw *w, const bl_config *config) {
    const char *settings = config->external.settings;
    bl_jw_i64(w, "batch_size", config->train.batch_size);
    bl_jw_f64(w, "learning_rate", config->train.learning_rate);
    bl_jw_i64(w, "seed", config->train.seed);
    if (settings[0] == '\0') return;
    char *members = bl_xstrdup(settings + 1);
    members[strlen(members) - 1] = '\0';
    bl_jw_raw(w, NULL, members);
    free(members);
}

void bl_external_params_text(bl_buf *out, const bl_config *config, const bl_external_care *care) {
    bl_jw w = bl_jw_open(out);
    bl_jw_object(&w, NULL);
    if (config != NULL) write_params(&w, config);
    if (care != NULL) {
        bl_jw_object(&w, "batchlab");
        bl_jw_i64(&w, "protocol", BL_EXTERNAL_PROTOCOL);
        if (config != NULL) bl_jw_str(&w, "metric", config->metric);
        bl_jw_bool(&w, "checkpoint", care->checkpoint);
        if (isfinite(care->save_seconds)) bl_jw_f64(&w, "save_seconds", care->save_seconds);
        bl_jw_str(&w, "beat", care->beat);
        bl_jw_f64(&w, "stale", care->stale);
        bl_jw_end(&w);
    }
    bl_jw_end(&w);
    bl_jw_line(&w);
}

/* ---- the command ---- */

/* Length of a {name} at the beginning of `text`, 0 where there is none. */
static size_t braced_name(const char *text) {
    size_t n = 1;
    if (text[0] != '{' || (!isalpha((unsigned char)text[1]) && text[1] != '_')) return 0;
    while (isalnum((unsigned char)text[n]) || text[n] == '_' || text[n] == '-') n++;
    return text[n] == '}' ? n + 1 : 0;
}

static bl_status refuse(const char *name, const bl_json *params, bl_err *err) {
    const char *names[64];
    char hint[BL_NEAREST_HINT];
    size_t n = 0;
    for (const bl_json *p = params->first; p != NULL && n < BL_COUNT(names); p = p->next)
        names[n++] = p->key;
    BL_FAIL(err, BL_EINVAL, "external.command: {%s} is no parameter of a run%s", name,
            bl_nearest_hint(hint, "; ", bl_nearest(name, names, n)));
}

/* A brace that begins no name stays as it is. {run} is the folder, even where a setting has that
 * name. */
static bl_status expand(bl_buf *out, const char *item, const bl_json *params, const char *run,
                        bl_err *err) {
    for (; *item != '\0'; item++) {
        char name[BL_NAME] = "";
        const size_t n = braced_name(item);
        if (n == 0 || n - 2 >= sizeof name) {
            bl_buf_add(out, item, 1);
            continue;
        }
        memcpy(name, item + 1, n - 2);
        const bl_json *value = bl_json_get(params, name);
        if (strcmp(name, "run") == 0) {
            bl_buf_str(out, run);
            item += n - 1;
            continue;
        }
        if (value == NULL) return refuse(name, params, err);
        bl_buf_str(out,
                   value->type == BL_JSON_BOOL ? value->boolean ? "true" : "false" : value->string);
        item += n - 1;
    }
    return BL_OK;
}

/* The command is a JSON array of texts, as the configuration keeps it, and a program's argv
 * here, with each {name} replaced and NULL at its end. No shell reads it, so no value needs
 * quotes. */
bl_status bl_external_argv(char ***argv, const bl_config *config, const char *run, bl_err *err) {
    const char *text = config->external.command;
    bl_json_doc command = {0}, params = {0};
    bl_buf source = {0};
    size_t count = 0;
    bl_status status = BL_OK;
    *argv = NULL;
    bl_external_params_text(&source, config, NULL);
    BL_GOTO(bl_json_parse(&params, source.data, source.len, "params", 1, err));
    BL_GOTO(bl_json_parse(&command, text, strlen(text), "external.command", 1, err));
    for (const bl_json *item = command.root->first; item != NULL; item = item->next) {
        bl_buf one = {0};
        status = expand(&one, item->string, params.root, run, err);
        *BL_PUSH(*argv, count, "arguments") = bl_xstrdup(bl_buf_text(&one));
        bl_buf_free(&one);
        if (status != BL_OK) break;
    }
    *BL_PUSH(*argv, count, "arguments") = NULL;
    if (status != BL_OK) {
        bl_external_argv_free(*argv);
        *argv = NULL;
    }
done:
    bl_json_free(&command);
    bl_json_free(&params);
    bl_buf_free(&source);
    return status;
}

void bl_external_argv_free(char **argv) {
    for (size_t i = 0; argv != NULL && argv[i] != NULL; i++) free(argv[i]);
    free(argv);
}

void bl_external_argv_text(bl_buf *out, char *const *argv) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_./=:,+@%";
    for (size_t i = 0; argv[i] != NULL; i++) {
        const char *at = argv[i];
        bl_buf_str(out, i > 0 ? " " : "");
        if (*at != '\0' && at[strspn(at, plain)] == '\0') {
            bl_buf_str(out, at);
            continue;
        }
        bl_text_shell_word(out, at);
    }
}

bl_status bl_external_check(const bl_config *config, bl_err *err) {
    char **argv;
    if (!bl_config_is_external(config) || bl_config_is_imported(config)) return BL_OK;
    BL_TRY(bl_external_argv(&argv, config, "", err));
    bl_external_argv_free(argv);
    if (config->external.scrape[0] == '\0' || bl_external_scrape_holds(config->external.scrape))
        return BL_OK;
    BL_FAIL(
        err, BL_EINVAL,
        "external.scrape: \"%.100s\" is neither a file .csv or .jsonl in the run's folder nor a "
        "pattern with {step} and {value}",
        config->external.scrape);
}
