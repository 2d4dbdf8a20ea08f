/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agg_unary_tmpl.h: update and update_one of an aggregate of one argument that skips nulls.
 *
 * Define NB_T (C type of the argument's values), NB_STATE (the state), NB_STEP(s, x) (expression or statement that takes x into *s) and
 * NB_NAME(f) (name of a generated function); all are undefined at the end. With NB_NO_UPDATE_ONE the second function is left to the
 * includer. The loops for columns without nulls are separate, because they are the common ones.
 */

static nb_status
NB_NAME(update)(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, uint8_t *const *rows, int offset,
                int64_t row0)
{
    const nb_vector *v = &args[0];
    const NB_T *data = v->data;

    if (v->kind == NB_VEC_CONST) {
        if (nb_vector_is_null(v, 0)) {
            return NB_OK;
        }
        NB_T x = data[0];
        for (int64_t i = 0; i < n; i++) {
            NB_STATE
            *s = (NB_STATE *)(rows[i] + offset);
            NB_STEP(s, x);
        }
    } else if (v->validity == NULL) {
        for (int64_t i = 0; i < n; i++) {
            NB_STATE
            *s = (NB_STATE *)(rows[i] + offset);
            NB_STEP(s, data[i]);
        }
    } else {
        for (int64_t i = 0; i < n; i++) {
            if (nb_bit_get(v->validity, i)) {
                NB_STATE
                *s = (NB_STATE *)(rows[i] + offset);
                NB_STEP(s, data[i]);
            }
        }
    }
    return NB_OK;
}

#ifndef NB_NO_UPDATE_ONE
static nb_status
NB_NAME(update_one)(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state, int64_t row0)
{
    const nb_vector *v = &args[0];
    const NB_T *data = v->data;
    NB_STATE
    local = *(NB_STATE *)state;

    if (v->kind == NB_VEC_CONST) {
        if (nb_vector_is_null(v, 0)) {
            return NB_OK;
        }
        NB_T x = data[0];
        for (int64_t i = 0; i < n; i++) {
            NB_STEP(&local, x);
        }
    } else if (v->validity == NULL) {
        for (int64_t i = 0; i < n; i++) {
            NB_STEP(&local, data[i]);
        }
    } else {
        for (int64_t i = 0; i < n; i++) {
            if (nb_bit_get(v->validity, i)) {
                NB_STEP(&local, data[i]);
            }
        }
    }
    *(NB_STATE *)state = local;
    return NB_OK;
}
#endif

#undef NB_T
#undef NB_STATE
#undef NB_STEP
#undef NB_NAME
#undef NB_NO_UPDATE_ONE
