/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line_sample.c: the draws of Spark's samplers.
 */
#include "io/line_sample.h"

#include <math.h>
#include "base/well.h"

#define SEED          1
#define GAPS_UP_TO    0.4
#define LEAST_UNIFORM 5e-11 /* keeps a logarithm finite */

static void
draw_gap(nb_line_sample *s)
{
    double u = nb_xorshift_double(&s->random);
    double gap = log(NB_MAX(u, LEAST_UNIFORM)) / log1p(-s->ratio);

    s->gap = gap < (double)INT32_MAX ? (int64_t)gap : INT32_MAX;
}

void
nb_line_sample_begin(nb_line_sample *s, double ratio, bool of_records, int partition)
{
    *s = (nb_line_sample){
        .ratio = ratio, .of_records = of_records, .gaps = of_records && ratio <= GAPS_UP_TO};
    nb_xorshift_init(&s->random,
                     of_records ? nb_java_random_long(SEED, partition) : SEED + partition);
    if (s->gaps) {
        draw_gap(s);
    }
}

bool
nb_line_sample_takes(nb_line_sample *s)
{
    double x;

    if (s->gaps) {
        if (s->gap-- > 0) {
            return false;
        }
        draw_gap(s);
        return true;
    }
    x = nb_xorshift_double(&s->random);
    return s->of_records ? x <= s->ratio : x < s->ratio;
}
