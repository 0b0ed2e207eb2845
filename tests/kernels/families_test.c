/* Every backend against the reference: (backend x family x shape x fill) as one named case each. */
#include "bl_build.h"
#include "engine/base/mem.h"
#include "engine/base/sha256.h"
#include "tests/check.h"
#include "tests/kernels/problem.h"
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct kernel_case {
    char name[120];
    const bl_kernels *kernels;
    const family *family;
    const shape *shape;
    filling fill;
} kernel_case;

static const bl_kernels *reference(void) {
    return bl_kernels_table[bl_kernels_count - 1];
}

/* Of the reference's outputs in the cases of one family so far. */
static struct {
    const family *of;
    bl_sha256 sum;
    size_t cases;
} outputs;

static void digest_outputs(const family *f, const problem *want) {
    if (outputs.of != f) {
        outputs.of = f;
        outputs.cases = 0;
        bl_sha256_init(&outputs.sum);
    }
    outputs.cases++;
    problem_digest(want, &outputs.sum);
}

/* What the reference makes of a case. The cases of all backends come one after the other, so the
 * last answer is kept. */
static const problem *expected(const kernel_case *c) {
    static problem want;
    static const family *of_family;
    static const shape *of_shape;
    static filling of_fill;
    if (of_family == c->family && of_shape == c->shape && of_fill == c->fill) return &want;
    problem_free(&want);
    problem_build(&want, c->family, c->shape, c->fill, 0);
    problem_run(&want, c->family, reference(), 1);
    of_family = c->family;
    of_shape = c->shape;
    of_fill = c->fill;
    digest_outputs(c->family, &want);
    return &want;
}

/* An emulated device as usual, or with threads and blocks the other way round, as a result that
 * depends on their order is a race, and with so little workspace that calls come in pieces. */
static void set_emulated(bool unusual) {
    (void)setenv("BL_EMULATED_ORDER", unusual ? "backwards" : "", 1);
    if (unusual)
        (void)setenv("BL_EMULATED_WORKSPACE", "40000", 1);
    else
        (void)unsetenv("BL_EMULATED_WORKSPACE");
}

/* The same bytes as ref in one part, for any number of parts, twice. */
static void test_equals_ref(void **state) {
    const kernel_case *c = *state;
    if (!c->kernels->usable()) skip();
    static const size_t parts[] = {1, 3, 2, 7, 1};
    const bool large = c->shape->batch * (c->shape->k + 1) * c->shape->n > 1000000;
    const problem *want = expected(c);
    for (size_t i = 0; i < (large ? 2 : BL_COUNT(parts)); i++) {
        if (c->kernels == reference() && parts[i] == 1) continue;
        problem got;
        problem_build(&got, c->family, c->shape, c->fill, 0);
        set_emulated(i % 2 == 1);
        problem_run(&got, c->family, c->kernels, parts[i]);
        problem_check_equal(&got, want);
        problem_free(&got);
    }
    set_emulated(false);
}

/* An example's result does not depend on the batch it travels in. */
static void test_batch_invariant(void **state) {
    const kernel_case *c = *state;
    if (!c->kernels->usable()) skip();
    static const struct {
        size_t first, count;
    } slices[] = {
        {0,   1  },
        {1,   1  },
        {5,   8  },
        {3,   13 },
        {8,   64 },
        {100, 300}
    };
    problem whole;
    problem_build(&whole, c->family, c->shape, c->fill, 0);
    problem_run(&whole, c->family, c->kernels, 1);
    for (size_t i = 0; i < BL_COUNT(slices); i++) {
        shape s = *c->shape;
        if (slices[i].first + slices[i].count > s.batch) continue;
        s.batch = slices[i].count;
        problem slice;
        problem_build(&slice, c->family, &s, c->fill, slices[i].first);
        problem_run(&slice, c->family, c->kernels, 1);
        for (size_t j = 0; j < slice.count; j++) {
            const array *a = &slice.arrays[j], *w = &whole.arrays[j];
            if (!(a->flags & PER_EXAMPLE)) continue;
            if (memcmp(a->data, w->data + slices[i].first * w->row_bytes, a->bytes) != 0)
                fail_msg("%s of examples %zu..%zu differs alone", a->name, slices[i].first,
                         slices[i].first + slices[i].count - 1);
        }
        problem_free(&slice);
    }
    problem_free(&whole);
}

/* whole = left + right, element by element and bit by bit. */
static void check_halves(const array *left, const array *right, const array *whole) {
    const float *l = (const void *)left->data, *r = (const void *)right->data;
    const float *w = (const void *)whole->data;
    if (whole->flags & DOUBLES) {
        const double *l64 = (const void *)left->data, *r64 = (const void *)right->data;
        const double sum = *l64 + *r64;
        if (memcmp(&sum, whole->data, sizeof sum) != 0)
            fail_msg("%s is not the sum of its halves", whole->name);
        return;
    }
    for (size_t i = 0; i < whole->bytes / sizeof *w; i++) {
        const float sum = l[i] + r[i];
        if (memcmp(&sum, &w[i], sizeof sum) != 0)
            fail_msg("%s[%zu]: %a, but the halves give %a", whole->name, i, (double)w[i],
                     (double)sum);
    }
}

/* Rule B: the sums over 256 * 2^i examples are those of the halves, added. */
static void test_halves(void **state) {
    const kernel_case *c = *state;
    if (!c->kernels->usable()) skip();
    const size_t half = c->shape->batch;
    shape doubled = *c->shape;
    doubled.batch = 2 * half;
    problem left, right, whole;
    problem_build(&left, c->family, c->shape, c->fill, 0);
    problem_build(&right, c->family, c->shape, c->fill, half);
    problem_build(&whole, c->family, &doubled, c->fill, 0);
    problem_run(&left, c->family, c->kernels, 1);
    problem_run(&right, c->family, c->kernels, 1);
    problem_run(&whole, c->family, c->kernels, 1);
    for (size_t j = 0; j < whole.count; j++)
        if (whole.arrays[j].flags & RULE_B)
            check_halves(&left.arrays[j], &right.arrays[j], &whole.arrays[j]);
    problem_free(&left);
    problem_free(&right);
    problem_free(&whole);
}

/* No output may be NaN or untouched where inputs are finite: what the reference itself must meet.
 */
static void test_ref_writes_everything(void **state) {
    const family *f = *state;
    for (size_t i = 0; i < f->shape_count; i++) {
        if (f->shapes[i].batch * (f->shapes[i].n + 1) > 40000) continue;
        problem p;
        problem_build(&p, f, &f->shapes[i], FILL_RANDOM, 0);
        problem_run(&p, f, reference(), 1);
        for (size_t j = 0; j < p.count && f->shapes[i].batch > 0; j++) {
            const array *a = &p.arrays[j];
            if (strcmp(a->name, "codes") == 0) continue;
            for (size_t k = 0; k + 4 <= a->bytes; k += 4)
                if (memcmp(a->data + k, "\xff\xff\xff\xff", 4) == 0)
                    fail_msg("%s[%zu] was not written", a->name, k / 4);
        }
        problem_free(&p);
    }
}

/* Does it sum products, whose zeros have signs? */
static filling last_fill(const family *f) {
    const bool products = strncmp(f->name, "dense", 5) == 0 || strncmp(f->name, "conv2d", 6) == 0;
    return products ? FILL_FAINT : FILL_SPECIAL;
}

/* One hash whatever compiled the reference, and so whatever compiled the backends that equal it. */
static void test_golden(void **state) {
    const family *f = *state;
    char hex[BL_SHA256_HEX];
    if (outputs.of != f || outputs.cases != f->shape_count * (last_fill(f) + 1))
        skip(); /* a pattern left cases out */
    bl_sha256_hex(&outputs.sum, hex);
    hex[strlen(f->golden)] = '\0';
    if (strcmp(hex, f->golden) != 0)
        fail_msg("%s: the reference's outputs hash to %s, golden %s", f->name, hex, f->golden);
}

static void test_every_family_has_cases(void **state) {
    (void)state;
    static const char *const names[] = {
#define NAME(family) #family,
        BL_FAMILIES(NAME)
#undef NAME
    };
    for (size_t i = 0; i < BL_COUNT(names); i++) {
        size_t shapes = 0;
        for (size_t j = 0; j < family_count; j++)
            if (strcmp(families[j].name, names[i]) == 0) shapes += families[j].shape_count;
        if (shapes == 0) fail_msg("kernel family %s has no case in problem.c", names[i]);
    }
}

/* Nor behind a softmax: a NaN or +infinity shows in the loss and in all of its example's dy. */
static void test_softmax_keeps_nan(void **state) {
    (void)state;
    enum { CLASSES = 5, BATCH = 2 * CLASSES };
    static _Alignas(64) unsigned char scratch[BL_KERNEL_SCRATCH];
    const bl_part whole = {.part = 0, .parts = 1, .scratch = scratch};
    const float target[BATCH] = {0};
    float y[BATCH * CLASSES], dy[BATCH * CLASSES];
    double sum = 0.0;
    for (size_t i = 0; i < BL_COUNT(y); i++) y[i] = (float)(i % 7);
    for (size_t b = 1; b < BATCH; b++)
        y[b * CLASSES + b % CLASSES] = b < CLASSES ? (float)NAN : (float)INFINITY;
    for (size_t k = 0; k < bl_kernels_count; k++) {
        if (!bl_kernels_table[k]->usable()) continue;
        const bl_softmax_cross_entropy args = {.sum = &sum,
                                               .dy = dy,
                                               .y = y,
                                               .target = target,
                                               .batch = BATCH,
                                               .classes = CLASSES,
                                               .total = BATCH};
        bl_kernels_table[k]->softmax_cross_entropy(&args, &whole);
        assert_true(isnan(sum));
        for (size_t i = 0; i < BL_COUNT(y); i++)
            if (isnan(dy[i]) != (i >= CLASSES))
                fail_msg("%s: dy[%zu] is %g", bl_kernels_table[k]->name, i, (double)dy[i]);
    }
}

/* A run that left the finite numbers must not look alive behind a relu. */
static void test_relu_keeps_nan(void **state) {
    (void)state;
    float x[33], y[33], dx[33];
    const bl_part whole = {.part = 0, .parts = 1};
    for (size_t i = 0; i < BL_COUNT(x); i++) x[i] = i % 3 == 0 ? (float)NAN : (float)i - 16.0f;
    for (size_t b = 0; b < bl_kernels_count; b++) {
        const bl_kernels *k = bl_kernels_table[b];
        if (!k->usable()) continue;
        const bl_relu_forward forward = {.y = y, .x = x, .count = BL_COUNT(x)};
        const bl_relu_backward backward = {.dx = dx, .dy = x, .y = y, .count = BL_COUNT(x)};
        k->relu_forward(&forward, &whole);
        k->relu_backward(&backward, &whole);
        for (size_t i = 0; i < BL_COUNT(x); i++) {
            if (isnan(x[i]) != isnan(y[i]) || isnan(x[i]) != isnan(dx[i]))
                fail_msg("%s: relu of %g is %g", k->name, (double)x[i], (double)y[i]);
        }
    }
}

typedef struct suite {
    struct CMUnitTest *test;
    size_t count;
    char **patterns; /* of wanted names, up to NULL; none: all are */
} suite;

/* Does the pattern match the name or a part of it? */
static bool matches_part(const char *pattern, const char *name) {
    char part[300];
    const int length = snprintf(part, sizeof part, "*%s*", pattern);
    return length > 0 && (size_t)length < sizeof part && fnmatch(part, name, 0) == 0;
}

/* A pattern behind "!" leaves out what it matches. */
static bool wanted(const suite *s, const char *name) {
    bool chosen = false, all = true;
    for (char **p = s->patterns; *p != NULL; p++) {
        if (**p == '!' && matches_part(*p + 1, name)) return false;
        if (**p == '!') continue;
        all = false;
        chosen = chosen || matches_part(*p, name);
    }
    return all || chosen;
}

/* Says whether the case is wanted: then its name and state have to live to the end. */
static bool add_test(suite *s, const char *name, CMUnitTestFunction test, const void *state) {
    if (!wanted(s, name)) return false;
    s->test = bl_xrealloc(s->test, (s->count + 1) * sizeof *s->test);
    s->test[s->count++] = (struct CMUnitTest){name, test, NULL, NULL, (void *)(uintptr_t)state};
    return true;
}

static void add_backends(suite *s, CMUnitTestFunction test, const char *what,
                         const kernel_case *proto) {
    static const char *const fills[] = {"exact", "random", "special", "faint"};
    for (size_t i = 0; i < bl_kernels_count + (problem_device != NULL); i++) {
        kernel_case *c = bl_xalloc(sizeof *c);
        *c = *proto;
        c->kernels = i < bl_kernels_count ? bl_kernels_table[i] : problem_device->kernels;
        snprintf(c->name, sizeof c->name, "%s/%s/b=%zu,k=%zu,n=%zu,v=%u/%s/%s", c->kernels->name,
                 c->family->name, c->shape->batch, c->shape->k, c->shape->n, c->shape->variant,
                 fills[c->fill], what);
        if (!add_test(s, c->name, test, c)) free(c);
    }
}

/* Does it sum over the batch? */
static bool has_sums(const family *f) {
    problem p;
    bool sums = false;
    problem_build(&p, f, &f->shapes[1], FILL_EXACT, 0);
    for (size_t i = 0; i < p.count; i++) sums = sums || p.arrays[i].flags & RULE_B;
    problem_free(&p);
    return sums;
}

static void add_family(suite *s, const family *f) {
    static const shape halves[] = {
        {.batch = 256,  .k = 19, .n = 50},
        {.batch = 512,  .k = 19, .n = 1 },
        {.batch = 1024, .k = 19, .n = 50}
    };
    char *golden = bl_xalloc(120);
    for (size_t i = 0; i < f->shape_count; i++) {
        kernel_case c = {.family = f, .shape = &f->shapes[i]};
        for (c.fill = FILL_EXACT; c.fill <= last_fill(f); c.fill++)
            add_backends(s, test_equals_ref, "ref", &c);
        c.fill = FILL_RANDOM;
        if (f->batch_invariant && c.shape->batch > 1)
            add_backends(s, test_batch_invariant, "alone", &c);
    }
    snprintf(golden, 120, "ref/%s/golden", f->name);
    if (!add_test(s, golden, test_golden, f)) free(golden);
    if (!has_sums(f)) return;
    for (size_t i = 0; i < BL_COUNT(halves); i++) {
        const kernel_case c = {.family = f, .shape = &halves[i], .fill = FILL_RANDOM};
        add_backends(s, test_halves, "halves", &c);
    }
}

/* Stands for all cases of a device that is not there. Under BL_REQUIRE_CUDA=1 the runner counts
 * its skip as a failure. */
static void test_plug_in(void **state) {
    (void)state;
    if (problem_device == NULL) skip();
}

/* Opens the plug-in that BATCHLAB_CUDA names; by default the one that runs its kernels on this
 * processor. None where BATCHLAB_CUDA is empty. None where the default has not been built, unless
 * BL_REQUIRE_CUDA=1: a program that was built alone still has its CPU cases. Under the address
 * sanitizer the emulated one takes minutes: device_test runs most of these kernels there. */
static void open_device(void) {
    static const char emulated[] = BL_BUILD_DIR "/libbatchlab_cuda_emulated.so";
    const char *named = getenv("BATCHLAB_CUDA"), *wish = getenv("BL_REQUIRE_CUDA");
    const bool required = wish != NULL && strcmp(wish, "1") == 0;
#ifdef __SANITIZE_ADDRESS__
    if (!named) named = "";
#endif
    bl_err err = {0};
    if (named && !named[0]) return;
    if (!named && access(emulated, R_OK) != 0 && !required) {
        printf("# SKIP cuda: %s has not been built (make tests)\n", emulated);
        return;
    }
    (void)setenv("BATCHLAB_CUDA", emulated, 0);
    if (bl_device_open(&problem_device, "cuda", &err) != BL_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
}

/* families_test [PATTERN...]: only cases that one of the patterns matches, the whole name or a part
 * of it: conv2d, or 'cuda*conv2d*', or 'avx2/dense_forward/b=3,*'. '!cuda*' leaves those out. */
int main(int argc, char **argv) {
    suite s = {.patterns = argv + (argc > 0)};
    open_device();
    for (size_t j = 0; j < family_count; j++) add_family(&s, &families[j]);
    (void)add_test(&s, "cuda plug-in", test_plug_in, NULL);
    (void)add_test(&s, "every family has cases", test_every_family_has_cases, NULL);
    (void)add_test(&s, "test_relu_keeps_nan", test_relu_keeps_nan, NULL);
    (void)add_test(&s, "test_softmax_keeps_nan", test_softmax_keeps_nan, NULL);
    for (size_t j = 0; j < family_count; j++)
        (void)add_test(&s, families[j].name, test_ref_writes_everything, &families[j]);
    if (s.count == 0) {
        fprintf(stderr, "no case matches\n");
        return 1;
    }
    return _cmocka_run_group_tests("kernel families", s.test, s.count, NULL, NULL);
}
