/* The GPU's energy through a library that is opened at run time: tests/cuda/fake_nvml.c. */
#include "bl_build.h"
#include "engine/base/energy.h"
#include "engine/base/mem.h"
#include "tests/check.h"
#include <math.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const char k_here[] = "0000:e0:00.0";

typedef struct machine {
    const char *name, *library, *mode, *address;
    bool counts;
} machine;

static const machine k_machines[] = {
    {"counts",     BL_BUILD_DIR "/fake_nvml.so",   "",       k_here,         true },
    {"elsewhere",  BL_BUILD_DIR "/fake_nvml.so",   "",       "0000:e1:00.0", false},
    {"mute",       BL_BUILD_DIR "/fake_nvml.so",   "mute",   k_here,         false},
    {"no driver",  BL_BUILD_DIR "/fake_nvml.so",   "broken", k_here,         false},
    {"no library", BL_BUILD_DIR "/no_nvml.so",     "",       k_here,         false},
    {"not NVML",   BL_BUILD_DIR "/fixed_clock.so", "",       k_here,         false},
};

/* The library is opened once in a process, so each machine is a process of its own. Its exit says
 * what it saw: 0 nothing, 1 a counter that went up by 1.5 J. */
static int look(const machine *m) {
    (void)setenv("BATCHLAB_NVML", m->library, 1);
    (void)setenv("FAKE_NVML", m->mode, 1);
    const double first = bl_energy_gpu_joules(m->address), next = bl_energy_gpu_joules(m->address);
    if (isnan(first) && isnan(next)) return 0;
    return next - first == 1.5 ? 1 : 2;
}

static void test_gpu(void **state) {
    (void)state;
    for (size_t i = 0; i < BL_COUNT(k_machines); i++) {
        int status = 0;
        const pid_t child = fork();
        if (child == 0) _exit(look(&k_machines[i]));
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != (k_machines[i].counts ? 1 : 0))
            fail_msg("%s: status %d", k_machines[i].name, status);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_gpu)};
    return cmocka_run_group_tests_name("energy", tests, NULL, NULL);
}
