/* SPDX-License-Identifier: Apache-2.0 */
/*
 * column_util.c: vectors with known content for the tests of columns.
 */
#include "column/column_util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

const int64_t test_lengths[8] = {0, 1, 63, 64, 65, 2047, 2048, 2049};

const nb_type *const *
test_types(void)
{
    static const nb_type *types[24];
    int n = 0;
    nb_field f[2] = {{NB_STR("a"), nb_type_of(NB_TYPE_INT32), true, {"", 0}},
                     {NB_STR("b"), nb_type_of(NB_TYPE_STRING), true, {"", 0}}};
    const nb_type *s = nb_type_struct(f, 2);

    types[n++] = nb_type_of(NB_TYPE_NULL);
    types[n++] = nb_type_of(NB_TYPE_BOOL);
    types[n++] = nb_type_of(NB_TYPE_INT8);
    types[n++] = nb_type_of(NB_TYPE_INT16);
    types[n++] = nb_type_of(NB_TYPE_INT32);
    types[n++] = nb_type_of(NB_TYPE_INT64);
    types[n++] = nb_type_of(NB_TYPE_FLOAT32);
    types[n++] = nb_type_of(NB_TYPE_FLOAT64);
    types[n++] = nb_type_decimal(12, 2);
    types[n++] = nb_type_decimal(38, 10);
    types[n++] = nb_type_of(NB_TYPE_STRING);
    types[n++] = nb_type_of(NB_TYPE_BINARY);
    types[n++] = nb_type_of(NB_TYPE_DATE);
    types[n++] = nb_type_of(NB_TYPE_TIMESTAMP);
    types[n++] = nb_type_of(NB_TYPE_INTERVAL);
    types[n++] = nb_type_array(nb_type_of(NB_TYPE_INT64), true);
    types[n++] = nb_type_array(nb_type_of(NB_TYPE_STRING), true);
    types[n++] = nb_type_map(nb_type_of(NB_TYPE_STRING), nb_type_of(NB_TYPE_FLOAT64), true);
    types[n++] = s;
    types[n++] = nb_type_array(s, true);
    types[n++] = nb_type_ml_vector();
    types[n] = NULL;
    return types;
}

static uint64_t
scramble(uint64_t x)
{
    x = (x + 1) * UINT64_C(0x9E3779B97F4A7C15);
    return x ^ (x >> 31);
}

static void
put_value(nb_arena *arena, nb_vector *v, int64_t i, uint64_t x)
{
    static const double doubles[] = {0.0, -0.0, 1.5, -1e300, __builtin_inf(), -__builtin_inf()};
    int len = (int)(x % 29);

    switch (nb_type_storage(v->type)->phys) {
    case NB_PHYS_BOOL: NB_DATA(uint8_t, v)[i] = x & 1; break;
    case NB_PHYS_INT8: NB_DATA(int8_t, v)[i] = (int8_t)x; break;
    case NB_PHYS_INT16: NB_DATA(int16_t, v)[i] = (int16_t)x; break;
    case NB_PHYS_INT32: NB_DATA(int32_t, v)[i] = (int32_t)x; break;
    case NB_PHYS_INT64: NB_DATA(int64_t, v)[i] = (int64_t)x; break;
    case NB_PHYS_INT128: NB_DATA(nb_int128, v)[i] = (nb_int128)(int64_t)x * INT32_MAX; break;
    case NB_PHYS_FLOAT:
        NB_DATA(float, v)[i] = x % 8 < 6 ? (float)(x >> 40) : (float)doubles[x % 6];
        break;
    case NB_PHYS_DOUBLE:
        NB_DATA(double, v)
        [i] = x % 8 < 6 ? (double)(int64_t)x : x % 8 == 7 ? __builtin_nan("") : doubles[x % 6];
        break;
    case NB_PHYS_INTERVAL:
        NB_DATA(nb_interval, v)[i] = (nb_interval){(int32_t)x % 100, (int32_t)(x >> 20) % 9, 7};
        break;
    case NB_PHYS_STRING: {
        char *p = nb_arena_alloc(arena, (size_t)len);
        for (int k = 0; k < len; k++) {
            p[k] = (char)(k < 3 ? 'a' : (int)(x >> (k % 40)));
        }
        NB_DATA(nb_view, v)[i] = nb_view_make(p, (size_t)len);
        break;
    }
    default: break;
    }
}

void
make_vector(nb_arena *arena, const nb_type *type, int64_t n, nulls_kind nulls, uint64_t seed,
            nb_vector *out)
{
    nb_phys phys = nb_type_storage(type)->phys;

    assert_int_equal(nb_vector_alloc(arena, type, n, out), NB_OK);
    if (nulls != NO_NULLS && phys != NB_PHYS_NONE) {
        assert_int_equal(nb_vector_need_validity(arena, out), NB_OK);
    }
    if (phys == NB_PHYS_STRUCT) {
        for (int c = 0; c < out->n_children; c++) {
            make_vector(arena, out->children[c].type, n, nulls, seed + (uint64_t)c * 17,
                        &out->children[c]);
        }
    }
    if (phys == NB_PHYS_LIST) {
        uint32_t at = 1; /* the child's first row is nobody's */
        for (int64_t i = 0; i < n; i++) {
            uint32_t len = (uint32_t)(scramble(seed + (uint64_t)i) % 4);
            NB_DATA(nb_list, out)[i] = (nb_list){at, len};
            at += len;
        }
        for (int c = 0; c < out->n_children; c++) {
            make_vector(arena, out->children[c].type, at,
                        c == 0 && type->id == NB_TYPE_MAP ? NO_NULLS : nulls,
                        seed + 3 + (uint64_t)c, &out->children[c]);
        }
    }
    for (int64_t i = 0; i < n; i++) {
        uint64_t x = scramble(seed + (uint64_t)i);
        if (out->validity != NULL && (nulls == ALL_NULLS || x % 3 == 0)) {
            nb_bit_clear(out->validity, i);
            if (phys == NB_PHYS_LIST) {
                NB_DATA(nb_list, out)[i] = (nb_list){0, 0};
            }
        } else {
            put_value(arena, out, i, x >> 8);
        }
    }
}

void
make_dict(nb_arena *arena, const nb_type *type, int64_t n, int64_t entries, nulls_kind nulls,
          nb_vector *out)
{
    nb_vector *dict = nb_arena_alloc(arena, sizeof(*dict));
    uint32_t *indices = nb_arena_alloc(arena, (size_t)n * 4);

    make_vector(arena, type, entries, nulls, 5, dict);
    for (int64_t i = 0; i < n; i++) {
        indices[i] = (uint32_t)(i * 7 % entries);
    }
    *out = (nb_vector){.type = type,
                       .kind = NB_VEC_DICT,
                       .n_rows = (int32_t)n,
                       .indices = indices,
                       .dict = dict,
                       .dict_id = 1};
}

void
assert_rows_equal(const nb_vector *a, int64_t i, const nb_vector *b, int64_t j)
{
    if (nb_vector_is_null(a, i) != nb_vector_is_null(b, j) || nb_vector_compare(a, i, b, j) != 0) {
        fail_msg("type %d: row %d differs from row %d", (int)a->type->id, (int)i, (int)j);
    }
}
