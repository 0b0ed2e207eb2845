/* The pilot's probes, in windows of its way. */
#include "engine/find/find.h"
#include <math.h>

/* Of the probes with steps in [from, to]. */
static bl_noise_value within(const bl_noise_probe *probe, size_t probes, double from, double to,
                             bl_noise_measure measure) {
    size_t begin = 0, end;
    while (begin < probes && (double)probe[begin].step < from) begin++;
    for (end = begin; end < probes && (double)probe[end].step <= to; end++) continue;
    return bl_noise_estimate_of(probe + begin, end - begin, measure).scale;
}

bl_find_noise bl_find_noise_of(const bl_noise_probe *probe, size_t probes, double steps,
                               double batch, bl_noise_measure measure) {
    const double first = probes > 0 ? (double)probe[0].step : 0.0;
    size_t used = 0;
    for (size_t i = 0; i < probes; i++) used += probe[i].norms[measure].known;
    return (bl_find_noise){
        .start = within(probe, probes, first, first, measure),
        .way = bl_noise_course(probe, probes, steps, batch, measure),
        .target = within(probe, probes, steps / 1.5, steps * 1.5, measure),
        .probes = used,
    };
}
