/* Gradients as a device computes them, at both levels, against differences of its own losses. */
#include "engine/base/mem.h"
#include "engine/train/workload.h"
#include "kernels/device.h"
#include "tests/check.h"
#include "tests/unit/device_run.h"
#include <math.h>
#include <string.h>

/* The loss of the run's first batch at these weights; leaves the gradient on the device. */
static double loss_at(bl_train *train, const float *weight) {
    bl_state_block block[BL_STATE_BLOCKS];
    (void)train->workload->blocks(train, block);
    memcpy(block[0].data, weight, block[0].bytes);
    train->progress = (bl_train_progress){.product1 = 1.0, .product2 = 1.0};
    train->workload->put(train);
    CHECK_OK(bl_train_steps(train, 1, ERR));
    assert_false(train->progress.diverged);
    return train->progress.loss;
}

/* Of `count` parameters from `first` on: the loss along `direction` (count), of length 1. */
static double slope(bl_train *train, const float *weight, size_t first, size_t count,
                    const double *direction, double h) {
    float *moved = bl_xalloc(train->net.weights * sizeof *moved);
    double loss[2];
    memcpy(moved, weight, train->net.weights * sizeof *moved);
    for (int s = 0; s < 2; s++) {
        for (size_t i = 0; i < count; i++)
            moved[first + i] =
                (float)((double)weight[first + i] + (s == 0 ? -h : h) * direction[i]);
        loss[s] = loss_at(train, moved);
    }
    free(moved);
    return (loss[1] - loss[0]) / (2.0 * h);
}

/* Along its own direction a gradient's length is the slope of the loss, and only a right gradient's
 * is. Where it is zero any direction is flat. `loss` tells how far the differences can be trusted.
 */
static void check_block(bl_train *train, const float *weight, const float *gradient, double loss,
                        size_t first, size_t count, const char *what) {
    double *direction = bl_xalloc(count * sizeof *direction), length = 0.0;
    for (size_t i = 0; i < count; i++)
        length += (double)gradient[first + i] * (double)gradient[first + i];
    length = sqrt(length);
    const bool flat = length * 0.02 < 1e-6 * loss;
    for (size_t i = 0; i < count; i++)
        direction[i] = flat ? 1.0 / sqrt((double)count) : (double)gradient[first + i] / length;
    const double h = flat ? 0.02 : fmin(0.02, 0.0005 * loss / length);
    const double found = slope(train, weight, first, count, direction, h);
    const double off = fabs(found - (flat ? 0.0 : length));
    if (!(off <= 0.02 * length + 2e-6 * loss / h))
        fail_msg("%s: parameters %zu to %zu: slope %g, gradient %g", what, first, first + count - 1,
                 found, length);
    free(direction);
}

static void check_gradient(const fixture *f, const char *what) {
    bl_train *train = open_run(f, true);
    const bl_device *device = f->device_data.device;
    bl_state_block block[BL_STATE_BLOCKS];
    bl_queue *queue = NULL;
    const size_t bytes = train->net.weights * sizeof(float);
    float *weight = bl_xalloc(bytes), *gradient = bl_xalloc(bytes);
    (void)train->workload->blocks(train, block);
    train->workload->fetch(train);
    memcpy(weight, block[0].data, bytes);
    const double loss = loss_at(train, weight);
    CHECK_OK(device->queue_open(device, &queue, ERR));
    device->get(queue, gradient, train->net.gradient, bytes);
    CHECK_OK(device->wait(queue, ERR));
    device->queue_close(queue);
    for (size_t i = 0; i < train->net.params; i++) {
        const bl_param *p = &train->net.param[i];
        if (!p->running)
            check_block(train, weight, gradient, loss, p->offset, p->rows * p->cols, what);
    }
    free(weight);
    free(gradient);
    bl_train_close(train);
}

/* At level `device`, too, where its libraries are there. */
static void check_levels(fixture *f, bool pictures, const char *what) {
    const char *text;
    bl_err err = {0};
    strcpy(f->config.numerics, "exact");
    check_gradient(f, what);
    if (f->device_data.device->libraries(f->device_data.device, &text, pictures, &err) != BL_OK)
        return;
    strcpy(f->config.numerics, "device");
    strcpy(f->config.precision, "fp32");
    check_gradient(f, what);
}

static void plain(fixture *f) {
    strcpy(f->config.optimizer.name, "sgd");
    strcpy(f->config.schedule.name, "constant");
    f->config.optimizer.weight_decay = 0.0;
}

static void test_table(void **state) {
    plain(*state);
    check_levels(*state, false, "tabular");
}

/* In pieces, whose gradients are added. */
static void test_pieces(void **state) {
    fixture *f = *state;
    plain(f);
    f->config.model.batch_norm = false;
    f->config.train.batch_size = 100;
    f->config.train.micro_batch = 30;
    check_levels(f, false, "pieces");
}

/* Under the address sanitizer this takes more than eight minutes; device_test has the same nets,
 * and test_lists every layer of them. */
static void test_pictures(void **state) {
#ifdef __SANITIZE_ADDRESS__
    skip();
#endif
    fixture *f = *state;
    static const char *const kinds[][2] = {
        {"simple_cnn", "none" },
        {"resnet8",    "batch"},
        {"resnet8",    "ghost"}
    };
    plain(f);
    for (size_t i = 0; i < BL_COUNT(kinds); i++) {
        uint8_t *pixels = make_convolutional(f, kinds[i][0], kinds[i][1]);
        check_levels(f, true, kinds[i][0]);
        free(pixels);
    }
}

/* Every kind of layer that an experiment can list. */
static void test_lists(void **state) {
    fixture *f = *state;
    plain(f);
    const bl_config config = f->config;
    for (size_t i = device_list_count; i-- > 0;) { /* the table first */
        const device_list *list = &device_lists[i];
        f->config = config;
        uint8_t *pixels = list->pictures ? make_convolutional(f, "layers", "none") : NULL;
        strcpy(f->config.model.kind, "layers");
        CHECK_OK(bl_config_set(&f->config, "model.layers", list->list, ERR));
        check_levels(f, list->pictures, list->list);
        free(pixels);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, device_setup, device_teardown)

/* device_gradient_test [PATTERN]: only cases whose names match. */
int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        CASE(test_table),
        CASE(test_pieces),
        CASE(test_pictures),
        CASE(test_lists),
    };
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("device gradients", tests, NULL, NULL);
}
