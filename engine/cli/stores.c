#include "engine/cli/stores.h"
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include "engine/store/store.h"
#include <string.h>

bl_status bl_cli_runs_folder(char out[BL_PATH], const char *name, bl_err *err) {
    BL_TRY(bl_path(out, err, "%s/%s", bl_cli_runs_dir(), name));
    if (strchr(name, '/') != NULL || !bl_dir_exists(out))
        BL_FAIL(err, BL_EMISSING, "there are no runs of '%s' in %s/; `batchlab run %s` makes them",
                name, bl_cli_runs_dir(), name);
    return BL_OK;
}

/* Without a name: every folder in the folder of runs, which may have none. A name that is given has
 * to be one of them. */
bl_status bl_cli_find_stores(bl_names *out, const char *name, bl_err *err) {
    char dir[BL_PATH];
    bl_names all;
    *out = (bl_names){0};
    if (name != NULL) {
        BL_TRY(bl_cli_runs_folder(dir, name, err));
        out->name = bl_xalloc(sizeof *out->name);
        out->name[out->count++] = bl_xstrdup(name);
        return BL_OK;
    }
    if (!bl_dir_exists(bl_cli_runs_dir())) return BL_OK;
    BL_TRY(bl_dir_list(&all, bl_cli_runs_dir(), err));
    out->name = bl_xalloc((all.count + 1) * sizeof *out->name);
    bl_status status = BL_OK;
    for (size_t i = 0; i < all.count; i++) {
        status = bl_path(dir, err, "%s/%s", bl_cli_runs_dir(), all.name[i]);
        if (status != BL_OK) break;
        if (bl_dir_exists(dir)) out->name[out->count++] = bl_xstrdup(all.name[i]);
    }
    bl_names_free(&all);
    if (status != BL_OK) bl_names_free(out);
    return status;
}

/* Takes in what the run's run.json says. */
static bl_status look_at_settings(bl_plan_differing *all, const char *dir, const char *id,
                                  bl_err *err) {
    enum { LIMIT = 1 << 20 };
    char path[BL_PATH];
    bl_buf text = {0};
    bl_json_doc doc = {0};
    bl_status status;
    BL_TRY(bl_path(path, err, "%s/%s/run.json", dir, id));
    BL_GOTO(bl_file_read(&text, path, LIMIT, err));
    BL_GOTO(bl_json_parse(&doc, bl_buf_text(&text), text.len, path, 1, err));
    bl_plan_differing_add(all, bl_json_get(doc.root, "config"));
done:
    bl_json_free(&doc);
    bl_buf_free(&text);
    return status;
}

bl_status bl_cli_differing(bl_plan_differing *out, const char *dir, const bl_names *ids,
                           bool finished, bl_err *err) {
    for (size_t i = 0; i < ids->count; i++) {
        char result[BL_PATH];
        bl_err why;
        if (!bl_store_is_run_id(ids->name[i])) continue;
        BL_TRY(bl_path(result, err, "%s/%s/result.json", dir, ids->name[i]));
        if (finished && !bl_file_exists(result)) continue;
        const bl_status status = look_at_settings(out, dir, ids->name[i], &why);
        if (status == BL_OK || !finished) continue;
        *err = why;
        return status;
    }
    bl_plan_differing_choose(out);
    return BL_OK;
}
