/* batchlab export NAME: every evaluation of every finished run, for pandas, R and DuckDB. */
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include "engine/cli/run_files.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CSV, JSONL, OPTION_COUNT };
static const bl_option k_options[] = {
    [CSV] = {"--csv",   NULL, NULL,
             "a header and comma-separated values (default); empty: no number"},
    [JSONL] = {"--jsonl", NULL, NULL, "one JSON object a line; null: no number" },
};
_Static_assert(BL_COUNT(k_options) == OPTION_COUNT, "a row for every option");
static const char k_usage[] = "export NAME [--csv | --jsonl]";

/* A column of numbers; NAN is written as an empty field or null. */
static void number(bl_buf *out, bool jsonl, const char *name, double value) {
    if (jsonl) bl_buf_printf(out, ",\"%s\":", name);
    if (!jsonl) bl_buf_str(out, ",");
    if (jsonl || isfinite(value)) bl_json_f64(out, value);
}

static void whole(bl_buf *out, bool jsonl, const char *name, int64_t value) {
    if (jsonl)
        bl_buf_printf(out, ",\"%s\":%" PRId64, name, value);
    else
        bl_buf_printf(out, ",%" PRId64, value);
}

static void rows(bl_buf *out, const bl_run_files *run, bool jsonl) {
    const bl_json *config = bl_json_get(run->header.root, "config");
    const bl_json *dataset = bl_json_get(run->header.root, "dataset");
    for (size_t i = 0; i < run->parsed.evals; i++) {
        const bl_runlog_eval *e = &run->parsed.eval[i];
        bl_buf_printf(out, jsonl ? "{\"run\":\"%s\"" : "%s", run->parsed.run);
        whole(out, jsonl, "synthetic", bl_json_bool(dataset, "synthetic", false));
        whole(out, jsonl, "data_rows", bl_json_int(config, "data.rows", 0));
        whole(out, jsonl, "batch_size", bl_json_int(config, "train.batch_size", 0));
        number(out, jsonl, "learning_rate",
               bl_json_number(config, "train.learning_rate", (double)NAN));
        whole(out, jsonl, "seed", bl_json_int(config, "train.seed", 0));
        whole(out, jsonl, "step", e->step);
        whole(out, jsonl, "examples", e->examples);
        number(out, jsonl, "value", e->value);
        number(out, jsonl, "train_loss", e->train_loss);
        number(out, jsonl, "rate", e->learning_rate);
        bl_buf_str(out, jsonl ? "}\n" : "\n");
    }
}

static bl_status export(const char *name, bool jsonl, bl_err *err) {
    char dir[BL_PATH], path[BL_PATH];
    bl_names names;
    BL_TRY(bl_path(dir, err, "%s/%s", bl_runs_dir(), name));
    if (!bl_dir_exists(dir))
        BL_FAIL(err, BL_EMISSING, "there are no runs of '%s' in %s/; `batchlab run %s` makes them",
                name, bl_runs_dir(), name);
    BL_TRY(bl_dir_list(&names, dir, err));
    bl_status status = BL_OK;
    if (!jsonl)
        (void)printf("run,synthetic,data_rows,batch_size,learning_rate,seed,step,examples,value,"
                     "train_loss,rate\n");
    for (size_t i = 0; status == BL_OK && i < names.count; i++) {
        bl_run_files run;
        bl_buf out = {0};
        if (!bl_is_run_id(names.name[i])) continue;
        status = bl_path(path, err, "%s/%s/result.json", dir, names.name[i]);
        if (status != BL_OK || !bl_file_exists(path)) continue;
        path[strlen(path) - strlen("/result.json")] = '\0';
        status = bl_run_files_read(&run, path, err);
        if (status != BL_OK) break;
        rows(&out, &run, jsonl);
        (void)fwrite(bl_buf_text(&out), 1, out.len, stdout);
        bl_buf_free(&out);
        bl_run_files_free(&run);
    }
    bl_names_free(&names);
    if (status == BL_OK && (fflush(stdout) != 0 || ferror(stdout)))
        BL_FAIL(err, BL_EIO, "cannot write to standard output");
    return status;
}

int bl_cmd_export(int argc, char **argv) {
    bl_args args;
    const int rc = bl_args_read(&args, k_options, OPTION_COUNT, k_usage, argc, argv);
    if (rc >= 0) return rc;
    if (args.operand == NULL || (bl_args_has(&args, CSV) && bl_args_has(&args, JSONL))) {
        (void)fprintf(stderr, "batchlab: %s\nusage: batchlab %s\n",
                      args.operand == NULL ? "which experiment?" : "--csv or --jsonl, not both",
                      k_usage);
        return BL_EXIT_USAGE;
    }
    bl_err err = {0};
    if (export(args.operand, bl_args_has(&args, JSONL), &err) != BL_OK) return bl_cli_fail(&err);
    return BL_EXIT_DONE;
}
