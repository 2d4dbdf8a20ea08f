/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.c: how threads share the morsels of a source.
 */
#include "io/source.h"

int64_t
nb_source_claim(nb_source *src, nb_morsel_run *run)
{
    long long from, to;

    if (run->at < run->end) {
        return run->at++;
    }
    if (!src->whole_partitions) {
        from = atomic_fetch_add(&src->next_morsel, 1);
        return from < src->n_morsels ? from : -1;
    }
    from = atomic_load(&src->next_morsel);
    do {
        if (from >= src->n_morsels) {
            return -1;
        }
        for (to = from + 1;
             to < src->n_morsels && src->partition_of(src, to) == src->partition_of(src, from);
             to++) {
        }
    } while (!atomic_compare_exchange_weak(&src->next_morsel, &from, to));
    run->at = from + 1;
    run->end = to;
    return from;
}
