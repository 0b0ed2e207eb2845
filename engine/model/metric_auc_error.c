/* 1 - the area under the ROC curve: the share of pairs of an example of a class and one of another
 * in which the net holds the wrong one for likelier of that class; equals count half (Hanley and
 * McNeil 1982). The mean over the classes, each against all others; of two classes both are the
 * same. A class that no example or every example has is left out. */
#include "engine/base/mem.h"
#include "engine/model/metric.h"
#include "kernels/shared/exact_math.h"
#include <math.h>
#include <stdlib.h>

typedef struct scored {
    float odds; /* the logarithm of the odds of the class */
    bool own;   /* the example is of it */
} scored;

static int by_odds(const void *a, const void *b) {
    const scored *x = a, *y = b;
    return (x->odds > y->odds) - (x->odds < y->odds);
}

/* y[k] less the logarithm of the others' sum of exponentials. */
static float log_odds(const float *y, size_t width, size_t k) {
    double largest = -INFINITY, sum = 0.0;
    for (size_t j = 0; j < width; j++)
        if (j != k && (double)y[j] > largest) largest = (double)y[j];
    for (size_t j = 0; j < width; j++)
        if (j != k) sum = sum + bl_exp64((double)y[j] - largest);
    return (float)((double)y[k] - largest - bl_log64(sum));
}

/* Of sorted scores; NAN: all are of one side. Ranks of equals are their mean, so twice the sum of
 * ranks is a whole number. */
static double area_above(const scored *s, size_t count) {
    double own = 0.0, ranks = 0.0;
    for (size_t i = 0, end; i < count; i = end) {
        double here = 0.0;
        for (end = i; end < count && s[end].odds == s[i].odds; end++) here += s[end].own;
        ranks = ranks + here * (double)(i + 1 + end) / 2.0;
        own = own + here;
    }
    const double others = (double)count - own;
    if (own == 0.0 || others == 0.0) return (double)NAN;
    return 1.0 - (ranks - own * (own + 1.0) / 2.0) / (own * others);
}

static double of_all(const float *y, const float *target, size_t count, size_t width) {
    scored *s = bl_xalloc(count * sizeof *s);
    double sum = 0.0, classes = 0.0;
    bool defined = true;
    for (size_t k = 0; k < width && defined; k++) {
        for (size_t i = 0; i < count && defined; i++) {
            s[i] = (scored){log_odds(y + i * width, width, k), (size_t)target[i] == k};
            for (size_t j = 0; j < width; j++) defined = defined && !isnan(y[i * width + j]);
        }
        if (!defined) break;
        qsort(s, count, sizeof *s, by_odds);
        const double area = area_above(s, count);
        if (isnan(area)) continue;
        sum = sum + area;
        classes = classes + 1.0;
    }
    free(s);
    return defined && classes > 0.0 ? sum / classes : (double)NAN;
}

const bl_metric bl_metric_auc_error = {.name = "auc_error", .classes = true, .of_all = of_all};
