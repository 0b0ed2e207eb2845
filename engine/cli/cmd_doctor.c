/* batchlab doctor: what this build and machine can do. */
#include "bl_build.h"
#include "engine/base/energy.h"
#include "engine/base/format.h"
#include "engine/base/numerics.h"
#include "engine/cli/command.h"
#include "kernels/device.h"
#include "kernels/kernel.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where PATH has the program; NULL: nowhere. */
static const char *on_path(const char *program, char out[BL_PATH]) {
    const char *path = getenv("PATH");
    while (path != NULL && *path != '\0') {
        const size_t n = strcspn(path, ":");
        if (bl_path(out, NULL, "%.*s/%s", (int)n, path, program) == BL_OK && access(out, X_OK) == 0)
            return out;
        path += n + (path[n] == ':');
    }
    return NULL;
}

/* What numerics = "device" would use, and what it lacks. */
static void print_level_device(const bl_device *device) {
    const char *text;
    bl_err why = {0};
    bl_status status = device->libraries(device, &text, true, &why);
    if (status != BL_OK) bl_cli_printf(stdout, "            level device: %s\n", why.text);
    if (status != BL_OK) status = device->libraries(device, &text, false, &why);
    if (status == BL_OK) bl_cli_printf(stdout, "            level device: %s\n", text);
}

/* Whether the host can go ahead of the device. */
static void print_pinned(const bl_device *device) {
    void *memory = NULL;
    bl_err why = {0};
    if (device->alloc_pinned(device, &memory, 4096, &why) != BL_OK)
        bl_cli_printf(stdout, "            %s: runs wait for their losses\n", why.text);
    device->release_pinned(device, memory);
}

/* A line for each thing; fails only if no kernels can be used. */
static int diagnose(const bl_args *args) {
    (void)args;
    bl_cli_printf(stdout, "batchlab    %s, numerics epoch %d\n", BL_VERSION, BL_NUMERICS_EPOCH);
    bl_cli_printf(stdout, "build       %s, %s\n", BL_BUILD_TYPE, BL_BUILD_CC);
    bl_cli_printf(stdout, "cores       %ld\n", sysconf(_SC_NPROCESSORS_ONLN));
    for (size_t i = 0; i < bl_kernels_count; i++)
        bl_cli_printf(stdout, "%s%-8s %s\n", i == 0 ? "kernels     " : "            ",
                      bl_kernels_table[i]->name,
                      bl_kernels_table[i]->usable() ? "usable" : "not on this processor");
    bl_err err = {0};
    const bl_kernels *kernels;
    const bl_status picked = bl_kernels_pick(&kernels, &err);
    bl_cli_printf(stdout, "used        %s\n", picked == BL_OK ? kernels->name : err.text);
    char path[BL_PATH];
    const char *gnuplot = on_path("gnuplot", path);
    bl_cli_printf(stdout, "gnuplot     %s\n",
                  gnuplot != NULL ? gnuplot : "not found: no figures are drawn");
    bl_cli_printf(stdout, "energy      %s\n",
                  isnan(bl_energy_joules()) ? "not reported by this machine"
                                            : "reported by the processor (RAPL)");
    char all[BL_FORMAT_SIZE], left[BL_FORMAT_SIZE], queue[BL_FORMAT_SIZE];
    const bl_device *device = NULL;
    bl_err why = {0};
    if (bl_device_open(&device, "cuda", &why) == BL_OK)
        bl_cli_printf(stdout,
                      "cuda        %s, %d multiprocessors, %s (%s free, %s for each queue)\n"
                      "            %s\n            energy %s\n",
                      device->name, device->multiprocessors,
                      bl_format_size(all, (double)device->memory),
                      bl_format_size(left, (double)device->available(device)),
                      bl_format_size(queue, (double)device->queue_bytes), device->library,
                      isnan(bl_energy_gpu_joules(device->pci_address)) ? "not reported (no NVML)"
                                                                       : "reported (NVML)");
    else
        bl_cli_printf(stdout, "cuda        %s\n", why.text);
    if (device != NULL) print_pinned(device);
    if (device != NULL) print_level_device(device);
    bl_cli_printf(stdout, "runs        %s/\nreports     %s/\ndata        %s\n", bl_cli_runs_dir(),
                  bl_cli_reports_dir(), bl_cli_dataset_options(false).data_path);
    return picked == BL_OK ? BL_EXIT_DONE : bl_cli_fail(&err);
}

const bl_command bl_cmd_doctor = {
    .name = "doctor",
    .does = "what this build and machine can do",
    .arguments = "",
    .group = BL_GROUP_PROGRAM,
    .sentence =
        "Says what this build and this machine can do: kernels, cores, plug-in, gnuplot, folders.",
    .example = "batchlab doctor",
    .shows = "batchlab    0.1.0, numerics epoch 1\n"
             "...\n",
    .operand = BL_OPERAND_NONE,
    .run = diagnose,
};
