/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plain.c: see plain.h.
 */
#include "io/parquet/plain.h"

int
nb_pq_plain_width(const nb_pq_column *c)
{
    nb_phys phys = nb_type_storage(c->type)->phys;

    switch (c->physical) {
    case NB_PQ_INT32: return phys == NB_PHYS_INT32 ? 4 : 0;
    case NB_PQ_FLOAT: return phys == NB_PHYS_FLOAT ? 4 : 0;
    case NB_PQ_INT64: return phys == NB_PHYS_INT64 && c->unit_per_us == 1 ? 8 : 0;
    case NB_PQ_DOUBLE: return phys == NB_PHYS_DOUBLE ? 8 : 0;
    default: return 0;
    }
}

static nb_int128
big_endian(const uint8_t *p, int64_t n)
{
    nb_int128 v = n > 0 && (p[0] & 0x80) ? -1 : 0;

    for (int64_t i = 0; i < n; i++) {
        v = (nb_int128)((nb_uint128)v << 8 | p[i]);
    }
    return v;
}

static void
put_decimal(const nb_pq_column *c, void *to, int64_t at, nb_int128 v)
{
    if (c->type->phys == NB_PHYS_INT64) {
        ((int64_t *)to)[at] = (int64_t)v;
    } else {
        ((nb_int128 *)to)[at] = v;
    }
}

const uint8_t *
nb_pq_plain(const nb_pq_column *c, const uint8_t *p, const uint8_t *end, int64_t n, void *to)
{
    bool is_decimal = c->type->id == NB_TYPE_DECIMAL;
    int our_width = nb_phys_width(nb_type_storage(c->type)->phys);
    int64_t width = c->physical == NB_PQ_INT32 || c->physical == NB_PQ_FLOAT    ? 4
                    : c->physical == NB_PQ_INT64 || c->physical == NB_PQ_DOUBLE ? 8
                    : c->physical == NB_PQ_INT96                                ? 12
                                                                                : c->width;

    if (c->physical == NB_PQ_BOOLEAN) {
        if ((n + 7) / 8 > end - p) {
            return NULL;
        }
        for (int64_t i = 0; i < n; i++) {
            ((uint8_t *)to)[i] = (p[i / 8] >> (i % 8)) & 1;
        }
        return p + (n + 7) / 8;
    }
    if (c->physical == NB_PQ_BYTE_ARRAY) {
        for (int64_t i = 0; i < n; i++) {
            uint32_t len;
            if (end - p < 4) {
                return NULL;
            }
            memcpy(&len, p, 4);
            p += 4;
            if (len > (size_t)(end - p)) {
                return NULL;
            }
            if (is_decimal) {
                if (len > 16) {
                    return NULL;
                }
                put_decimal(c, to, i, big_endian(p, len));
            } else {
                ((nb_view *)to)[i] = nb_view_make((const char *)p, len);
            }
            p += len;
        }
        return p;
    }
    if (n > (end - p) / width) {
        return NULL;
    }
    switch (c->physical) {
    case NB_PQ_FIXED:
        if (is_decimal && width > 16) {
            return NULL;
        }
        for (int64_t i = 0; i < n; i++) {
            if (is_decimal) {
                put_decimal(c, to, i, big_endian(p + i * width, width));
            } else {
                ((nb_view *)to)[i] = nb_view_make((const char *)p + i * width, (size_t)width);
            }
        }
        break;
    case NB_PQ_INT96: /* nanoseconds of the day, Julian day */
        for (int64_t i = 0; i < n; i++) {
            int64_t ns;
            int32_t day;
            memcpy(&ns, p + i * 12, 8);
            memcpy(&day, p + i * 12 + 8, 4);
            ((int64_t *)to)[i] = (int64_t)((uint64_t)((int64_t)day - 2440588) * 86400000000ULL +
                                           (uint64_t)(ns / 1000));
        }
        break;
    case NB_PQ_INT32:
        if (is_decimal) {
            for (int64_t i = 0; i < n; i++) {
                int32_t v;
                memcpy(&v, p + i * 4, 4);
                put_decimal(c, to, i, v);
            }
        } else if (our_width == 4) {
            memcpy(to, p, (size_t)n * 4);
        } else {
            for (int64_t i = 0; i < n; i++) {
                int32_t v;
                memcpy(&v, p + i * 4, 4);
                if (our_width == 1) {
                    ((int8_t *)to)[i] = (int8_t)v;
                } else {
                    ((int16_t *)to)[i] = (int16_t)v;
                }
            }
        }
        break;
    case NB_PQ_INT64:
        if (is_decimal && c->type->phys == NB_PHYS_INT128) {
            for (int64_t i = 0; i < n; i++) {
                int64_t v;
                memcpy(&v, p + i * 8, 8);
                put_decimal(c, to, i, v);
            }
            break;
        }
        memcpy(to, p, (size_t)n * 8);
        if (c->unit_per_us == -1000) {
            for (int64_t i = 0; i < n; i++) {
                ((int64_t *)to)[i] = (int64_t)((uint64_t)((int64_t *)to)[i] * 1000);
            }
        } else if (c->unit_per_us == 1000) {
            for (int64_t i = 0; i < n; i++) {
                int64_t v = ((int64_t *)to)[i];
                ((int64_t *)to)[i] = v / 1000 - (v % 1000 < 0);
            }
        }
        break;
    default: memcpy(to, p, (size_t)n * (size_t)width); break;
    }
    return p + n * width;
}
