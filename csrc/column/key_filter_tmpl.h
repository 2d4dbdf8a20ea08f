/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_filter_tmpl.h: the loops of key_filter.c for one integer type. Define NB_T and NB_NAME(f); both are undefined at the end.
 */

static void
NB_NAME(range)(nb_key_filter *f, const nb_vector *v)
{
    const NB_T *data = v->data;

    for (int64_t i = 0; i < v->n_rows; i++) {
        if (nb_is_valid(v->validity, i)) {
            f->low = NB_MIN(f->low, (int64_t)data[i]);
            f->high = NB_MAX(f->high, (int64_t)data[i]);
        }
    }
}

static void
NB_NAME(fill)(nb_key_filter *f, const nb_vector *v)
{
    const NB_T *data = v->data;

    for (int64_t i = 0; i < v->n_rows; i++) {
        if (nb_is_valid(v->validity, i)) {
            add(f, (int64_t)data[i]);
        }
    }
}

static void
NB_NAME(test)(const nb_key_filter *f, const nb_vector *v, int64_t n, uint8_t *keep)
{
    const NB_T *data = v->data;

    if (f->is_bound) {
        int64_t bound = atomic_load_explicit(&f->bound, memory_order_relaxed);
        for (int64_t i = 0; i < n; i++) {
            bool wanted = f->descending ? (int64_t)data[i] >= bound : (int64_t)data[i] <= bound;
            keep[i] &= wanted | (f->keeps_nulls & !nb_is_valid(v->validity, i));
        }
    } else if (f->exact) {
        for (int64_t i = 0; i < n; i++) {
            uint64_t at = (uint64_t)data[i] - (uint64_t)f->low;
            uint64_t in = at <= f->width;
            at = in ? at : 0;
            keep[i] &= (uint8_t)(in & (f->bits[at >> 6] >> (at & 63)));
        }
    } else {
        for (int64_t i = 0; i < n; i++) {
            keep[i] &= may_have(f, (int64_t)data[i]);
        }
    }
}

#undef NB_T
#undef NB_NAME
