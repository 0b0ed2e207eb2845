#include "engine/cli/experiment.h"
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include "engine/cli/signals.h"
#include "engine/external/exchange.h"
#include "engine/external/inputs.h"
#include "engine/machine/limit.h"
#include "engine/model/model.h"
#include "engine/report/reference.h"
#include "engine/report/report_folder.h"
#include "engine/report/text/labels.h"
#include "engine/store/gc.h"
#include "engine/store/index.h"
#include "engine/sweep/sweep.h"
#include "engine/train/train.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bl_status bl_experiment_config(bl_experiment *e, const char *name, const char *preset,
                               const bl_args *args, bl_err *err) {
    *e = (bl_experiment){0};
    BL_TRY(bl_config_read(&e->config, bl_cli_experiments_of(name), name, preset, args->set,
                          args->sets, err));
    BL_TRY(bl_external_check(&e->config, err));
    BL_TRY(bl_path(e->script, err, "%s/%s/sweep.lua", bl_cli_experiments_of(name), name));
    if (e->config.sweep.reference[0] == '\0') return BL_OK;
    char known[BL_PATH];
    BL_TRY(bl_path(known, err, "%s/%s/%s.csv", bl_cli_experiments_of(name), name,
                   e->config.sweep.reference));
    return bl_reference_read(&e->references, known, err);
}

bl_status bl_experiment_check_written(const char *name, size_t *trials, bl_err *err) {
    const bl_args none = {0};
    bl_experiment *e = bl_xalloc(sizeof *e);
    bl_status status = bl_experiment_config(e, name, NULL, &none, err);
    const bl_sweep_options options = {.script = e->script, .library_dir = bl_cli_lua_dir()};
    if (status == BL_OK)
        status = bl_sweep_check(&e->config, e->config.external.epoch_rows, &options, trials, err);
    free(e->references.v);
    free(e);
    return status;
}

static bool is_of_device(const bl_experiment *e) {
    return strcmp(e->config.numerics, "device") == 0;
}

bl_status bl_experiment_level(bl_experiment *e, const char *device, bl_err *err) {
    const bl_device *opened;
    const char *text;
    if (bl_config_is_external(&e->config) && device != NULL && strcmp(device, "cpu") != 0)
        BL_FAIL(err, BL_EINVAL,
                "--device %s: a program chooses its device itself; leave the option out", device);
    if (!is_of_device(e)) return BL_OK;
    if (device == NULL || strcmp(device, "cpu") == 0)
        BL_FAIL(err, BL_EUNSUPPORTED,
                "numerics = \"device\" needs a GPU: run identities depend on it and its libraries; "
                "add --device cuda");
    BL_TRY(bl_device_open(&opened, device, err));
    BL_TRY(opened->libraries(opened, &text, bl_model_takes_pictures(&e->config), err));
    (void)snprintf(e->config.computed_by, sizeof e->config.computed_by, "%s", text);
    return BL_OK;
}

/* A folder that was named and is not there is a slip of the pen; the generator is for machines that
 * have no data. */
static bl_status check_data_folders(bl_err *err) {
    const char *named = getenv("BATCHLAB_DATA");
    if (named == NULL || named[0] == '\0') return BL_OK;
    for (const char *at = named; *at != '\0';) {
        const size_t n = strcspn(at, ":");
        char folder[BL_PATH];
        BL_TRY(bl_path(folder, err, "%.*s", (int)n, at));
        if (bl_dir_exists(folder)) return BL_OK;
        at += n + (at[n] == ':');
    }
    BL_FAIL(err, BL_EMISSING,
            "BATCHLAB_DATA=%s: there is no such folder; --synthetic trains on generated rows",
            named);
}

bl_status bl_experiment_layers(const bl_experiment *e, const bl_dataset *data, bl_err *err) {
    bl_net net = {0};
    if (strcmp(e->config.model.kind, "layers") != 0) return BL_OK;
    const bl_status status = bl_train_net(&net, &e->config, data, err);
    bl_net_free(&net);
    if (status != BL_OK)
        bl_config_locate_layer(bl_cli_experiments_of(e->config.name), &e->config, err);
    return status;
}

/* What processes that are dead for certain left in the store, the reports and the cache. */
static bl_status sweep_leftovers(const bl_experiment *e, const bl_dataset_options *data,
                                 bl_err *err) {
    char reports[BL_PATH];
    bl_gc gc = {0};
    BL_TRY(bl_store_tidy(&e->store, err));
    if (bl_scratch_gc(bl_cli_runs_dir(), &gc, NULL) != BL_OK) return BL_OK;
    bl_dir_sweep(data->cache_dir);
    bl_dir_sweep(bl_cli_reports_dir());
    if (bl_path(reports, NULL, "%s/%s", bl_cli_reports_dir(), e->config.name) == BL_OK)
        bl_dir_sweep(reports);
    if (bl_report_place(reports, bl_cli_reports_dir(), e->config.name, e->config.preset, true,
                        NULL) == BL_OK)
        bl_dir_sweep(reports);
    return BL_OK;
}

bl_status bl_experiment_inputs(bl_experiment *e, bool keep, bl_err *err) {
    char cache[BL_PATH];
    BL_TRY(bl_path(cache, err, "%s/inputs.csv", e->store.dir));
    return bl_external_identify(&e->config, ".", cache, keep, err);
}

/* `create_store`: the command trains. It clears away what dead processes left, and its index is
 * written at the end. Others change nothing in the store. The inputs' digest comes before the
 * data, so that a file that is missing is named at once. */
bl_status bl_experiment_open(bl_experiment *e, bool synthetic, bool create_store, bl_err *err) {
    const bl_dataset_options options = bl_cli_dataset_options(synthetic);
    const bool external = bl_config_is_external(&e->config);
    if (synthetic && external)
        BL_FAIL(err, BL_EINVAL,
                "--synthetic: a program reads its data itself; leave the option out");
    if (!synthetic && !external) BL_TRY(check_data_folders(err));
    BL_TRY(bl_kernels_pick(&e->kernels, err));
    BL_TRY(bl_store_open(&e->store, bl_cli_runs_dir(), e->config.name, create_store, err));
    if (create_store) BL_TRY(sweep_leftovers(e, &options, err));
    BL_TRY(bl_experiment_inputs(e, create_store, err));
    if (create_store && e->config.external.jobs_per_device > 0)
        BL_TRY(bl_external_devices_open(&e->devices, getenv("CUDA_VISIBLE_DEVICES"), "/dev", err));
    e->store.index = bl_index_open(&e->store);
    e->trains = create_store;
    BL_TRY(bl_dataset_open(&e->data, e->config.dataset, &options, err));
    if (external)
        (void)snprintf(e->data.name, sizeof e->data.name, "%s",
                       bl_config_is_imported(&e->config) ? BL_IMPORTED_LABEL : BL_EXTERNAL_LABEL);
    return bl_experiment_layers(e, &e->data, err);
}

int bl_experiment_begin(bl_experiment *e, const bl_args *args, const char *preset, bool synthetic,
                        const char *device) {
    bl_err err = {0};
    bl_status status = bl_experiment_config(e, args->operand, preset, args, &err);
    if (status == BL_OK) status = bl_experiment_level(e, device, &err);
    if (status == BL_OK) status = bl_experiment_open(e, synthetic, false, &err);
    if (status == BL_OK) return -1;
    bl_experiment_close(e);
    return bl_cli_fail(&err);
}

/* The rule is fixed, so a sweep on one machine always runs as many at once. No bit depends on it.
 */
static bl_status fitting_jobs(bl_experiment *e, size_t *jobs, bl_err *err) {
    const bl_device *device = e->device_data->device;
    const bl_i64_list *sizes = &e->config.sweep.batch_sizes;
    bl_config c = e->config;
    char one[BL_FORMAT_SIZE], all[BL_FORMAT_SIZE];
    size_t bytes = 0;
    c.train.batch_size = sizes->v[sizes->n - 1];
    BL_TRY(bl_train_memory(&c, &e->data, e->device_data, &bytes, err));
    bytes += device->queue_bytes;
    e->device_memory = bl_size_max(device->available(device) / 2, 1);
    const size_t held = e->device_memory / bytes,
                 carried = (size_t)device->multiprocessors / BL_DEVICE_SHARE;
    *jobs = bl_size_max(bl_size_min(bl_size_min(held, carried), BL_DEVICE_JOBS), 1);
    (void)snprintf(e->fits, sizeof e->fits,
                   "%zu at once on %s: half of its free memory holds %zu of the largest batch (%s "
                   "of %s), its %d multiprocessors carry %zu",
                   *jobs, device->name, held, bl_format_size(one, (double)bytes),
                   bl_format_size(all, (double)e->device_memory), device->multiprocessors, carried);
    return BL_OK;
}

/* *jobs: 0 asks for as many as fit, which e->fits then says; another number is left as it is. */
bl_status bl_experiment_device(bl_experiment *e, const char *name, size_t *jobs, bl_err *err) {
    const bl_device *device;
    if (name == NULL || strcmp(name, "cpu") == 0) return BL_OK;
    BL_TRY(bl_device_open(&device, name, err));
    BL_TRY(bl_train_device_data_open(&e->on_device, device, &e->data, err));
    e->device_data = &e->on_device;
    size_t fit;
    BL_TRY(fitting_jobs(e, &fit, err));
    if (*jobs == 0)
        *jobs = fit;
    else
        e->fits[0] = '\0';
    return BL_OK;
}

size_t bl_experiment_jobs(const bl_experiment *e) {
    if (e->devices == NULL) return 1;
    return bl_external_devices_count(e->devices) * (size_t)e->config.external.jobs_per_device;
}

size_t bl_experiment_memory(const bl_experiment *e) {
    if (!bl_config_is_external(&e->config)) return e->device_memory;
    if (e->config.external.memory_mib == 0) return 0;
    if (e->config.external.memory_total_mib > 0)
        return (size_t)e->config.external.memory_total_mib << 20;
    return bl_machine_memory(&bl_machine_here);
}

bl_scheduler bl_experiment_scheduler(const bl_experiment *e, size_t jobs, bl_display *display) {
    return (bl_scheduler){.data = &e->data,
                          .store = &e->store,
                          .kernels = e->kernels,
                          .device_data = e->device_data,
                          .devices = e->devices,
                          .jobs = jobs,
                          .memory = bl_experiment_memory(e),
                          .checkpoint_seconds = 30.0,
                          .stop = &bl_cli_interrupted,
                          .progress = bl_display_progress,
                          .progress_ctx = display};
}

void bl_experiment_data_words(bl_buf *out, const bl_experiment *e) {
    bl_label_dataset(out, e->data.name, e->data.variant, e->data.synthetic);
}

void bl_experiment_close(bl_experiment *e) {
    bl_train_device_data_close(&e->on_device);
    bl_external_devices_close(e->devices);
    bl_index_close(e->store.index, e->trains);
    e->store.index = NULL;
    bl_dataset_free(&e->data);
    free(e->references.v);
}
