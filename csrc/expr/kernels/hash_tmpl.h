/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash_tmpl.h: hashing of values of all types. Define NB_SEED, NB_NAME(f), NB_INT, NB_LONG, NB_BYTES; all are undefined at the end.
 */
#ifdef NB_SEED

static NB_SEED
NB_NAME(value)(const nb_vector *v, int64_t i, NB_SEED seed)
{
    const nb_type *t = nb_type_storage(v->type);

    if (nb_vector_is_null(v, i)) {
        return seed;
    }
    if (v->kind == NB_VEC_DICT) {
        return NB_NAME(value)(v->dict, v->indices[i], seed);
    }
    i = nb_vector_slot(v, i);
    switch (t->id) {
    case NB_TYPE_BOOL: return NB_INT(NB_DATA(uint8_t, v)[i], seed);
    case NB_TYPE_INT8: return NB_INT(NB_DATA(int8_t, v)[i], seed);
    case NB_TYPE_INT16: return NB_INT(NB_DATA(int16_t, v)[i], seed);
    case NB_TYPE_INT32:
    case NB_TYPE_DATE:
    case NB_TYPE_INTERVAL_YM: return NB_INT(NB_DATA(int32_t, v)[i], seed);
    case NB_TYPE_INT64:
    case NB_TYPE_TIMESTAMP:
    case NB_TYPE_TIMESTAMP_NTZ:
    case NB_TYPE_TIME:
    case NB_TYPE_INTERVAL_DT: return NB_LONG(NB_DATA(int64_t, v)[i], seed);
    case NB_TYPE_FLOAT32: {
        float x = NB_DATA(float, v)[i];
        int32_t bits = 0;

        if (x != x) {
            bits = 0x7fc00000;
        } else if (x != 0) {
            memcpy(&bits, &x, sizeof bits);
        }
        return NB_INT(bits, seed);
    }
    case NB_TYPE_FLOAT64: {
        double x = NB_DATA(double, v)[i];
        int64_t bits = 0;

        if (x != x) {
            bits = 0x7ff8000000000000;
        } else if (x != 0) {
            memcpy(&bits, &x, sizeof bits);
        }
        return NB_LONG(bits, seed);
    }
    case NB_TYPE_DECIMAL: {
        uint8_t bytes[16];
        int n;

        if (t->phys == NB_PHYS_INT64) {
            return NB_LONG(NB_DATA(int64_t, v)[i], seed);
        }
        n = big_integer_bytes(NB_DATA(nb_int128, v)[i], bytes);
        return NB_BYTES(bytes, (size_t)n, seed);
    }
    case NB_TYPE_STRING:
    case NB_TYPE_CHAR:
    case NB_TYPE_VARCHAR:
    case NB_TYPE_BINARY: {
        const nb_view *view = NB_DATA(nb_view, v) + i;

        return NB_BYTES(nb_view_data(view), view->len, seed);
    }
    case NB_TYPE_INTERVAL: {
        nb_interval x = NB_DATA(nb_interval, v)[i];

        return NB_INT(x.months, NB_INT(x.days, NB_LONG(x.us, seed)));
    }
    case NB_TYPE_ARRAY:
    case NB_TYPE_MAP: {
        nb_list list = NB_DATA(nb_list, v)[i];

        for (uint32_t k = list.offset; k < list.offset + list.len; k++) {
            for (int c = 0; c < v->n_children; c++) {
                seed = NB_NAME(value)(&v->children[c], k, seed);
            }
        }
        return seed;
    }
    case NB_TYPE_STRUCT:
        for (int c = 0; c < v->n_children; c++) {
            seed = NB_NAME(value)(&v->children[c], i, seed);
        }
        return seed;
    default: return seed;
    }
}

static void
NB_NAME(rows)(const nb_vector *v, int64_t n, NB_SEED *restrict hash)
{
    if (v->kind == NB_VEC_FLAT && v->validity == NULL &&
        (v->type->id == NB_TYPE_INT32 || v->type->id == NB_TYPE_DATE)) {
        const int32_t *restrict x = v->data;

        for (int64_t i = 0; i < n; i++) {
            hash[i] = NB_INT(x[i], hash[i]);
        }
    } else if (v->kind == NB_VEC_FLAT && v->validity == NULL &&
               (v->type->id == NB_TYPE_INT64 || v->type->id == NB_TYPE_TIMESTAMP)) {
        const int64_t *restrict x = v->data;

        for (int64_t i = 0; i < n; i++) {
            hash[i] = NB_LONG(x[i], hash[i]);
        }
    } else {
        for (int64_t i = 0; i < n; i++) {
            hash[i] = NB_NAME(value)(v, i, hash[i]);
        }
    }
}

#undef NB_SEED
#undef NB_NAME
#undef NB_INT
#undef NB_LONG
#undef NB_BYTES
#endif
