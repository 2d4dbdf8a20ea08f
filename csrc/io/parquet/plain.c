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

/* false: it needs more than 16 bytes. */
static bool
big_endian(const uint8_t *p, int64_t n, nb_int128 *out)
{
    nb_int128 v = n > 0 && (p[0] & 0x80) ? -1 : 0;

    for (; n > 16; n--, p++) { /* bytes that only repeat the sign */
        if (*p != (uint8_t)v || ((p[1] ^ *p) & 0x80)) {
            return false;
        }
    }
    for (int64_t i = 0; i < n; i++) {
        v = (nb_int128)((nb_uint128)v << 8 | p[i]);
    }
    *out = v;
    return true;
}

/* false: the value does not fit into the column's type. */
static bool
put_decimal(const nb_pq_column *c, void *to, int64_t at, nb_int128 v)
{
    if (c->type->phys == NB_PHYS_INT64) {
        ((int64_t *)to)[at] = (int64_t)v;
        return (int64_t)v == v;
    }
    ((nb_int128 *)to)[at] = v;
    return true;
}

static bool
put_bytes_decimal(const nb_pq_column *c, void *to, int64_t at, const uint8_t *p, int64_t n)
{
    nb_int128 v;

    return big_endian(p, n, &v) && put_decimal(c, to, at, v);
}

/* Decimals of up to eight bytes, the highest first, as 64 bits. end: of what may be read. */
NB_SIMD_CLONES static void
put_short_decimals(const uint8_t *p, const uint8_t *end, int64_t width, int64_t n, int64_t *to)
{
    int64_t i = 0;

    if (width == 4) {
        for (; i < n; i++) {
            uint32_t v;
            memcpy(&v, p + i * 4, 4);
            to[i] = (int32_t)__builtin_bswap32(v);
        }
        return;
    }
    for (; i < n && end - (p + i * width) >= 8; i++) {
        uint64_t v;
        memcpy(&v, p + i * width, 8);
        to[i] = (int64_t)__builtin_bswap64(v) >> (64 - 8 * width);
    }
    for (; i < n; i++) {
        uint64_t v = 0;
        for (int64_t k = 0; k < width; k++) {
            v = v << 8 | p[i * width + k];
        }
        to[i] = (int64_t)(v << (64 - 8 * width)) >> (64 - 8 * width);
    }
}

/* IEEE 754 half precision. */
static float
from_half(uint16_t h)
{
    uint32_t sign = (uint32_t)(h >> 15) << 31, exponent = (h >> 10) & 31, fraction = h & 1023;
    uint32_t bits;
    float f;

    if (exponent == 0) { /* zeroes and numbers below 2^-14: units of 2^-24 */
        f = (float)fraction * 0x1p-24f;
        return sign ? -f : f;
    }
    bits = sign | (exponent == 31 ? 0x7f800000u : (exponent + 112) << 23) | fraction << 13;
    memcpy(&f, &bits, 4);
    return f;
}

/* Four bytes each, wider or narrower than what we hold. */
static void
put_int32s(const nb_pq_column *c, const uint8_t *p, int64_t n, void *to)
{
    int width = nb_phys_width(nb_type_storage(c->type)->phys);

    for (int64_t i = 0; i < n; i++) {
        int32_t v;
        memcpy(&v, p + i * 4, 4);
        switch (width) {
        case 1: ((int8_t *)to)[i] = (int8_t)v; break;
        case 2: ((int16_t *)to)[i] = (int16_t)v; break;
        case 4: ((int32_t *)to)[i] = v; break;
        case 8: ((int64_t *)to)[i] = c->is_unsigned ? (int64_t)(uint32_t)v : v; break;
        default: ((nb_int128 *)to)[i] = v; break;
        }
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
                if (!put_bytes_decimal(c, to, i, p, len)) {
                    return NULL;
                }
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
        if (is_decimal && width <= 8 && c->type->phys == NB_PHYS_INT64) {
            put_short_decimals(p, end, width, n, to);
            break;
        }
        for (int64_t i = 0; i < n; i++) {
            if (is_decimal) {
                if (!put_bytes_decimal(c, to, i, p + i * width, width)) {
                    return NULL;
                }
            } else if (c->is_half) {
                ((float *)to)[i] = from_half((uint16_t)(p[i * 2] | p[i * 2 + 1] << 8));
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
        if (our_width == 4) {
            memcpy(to, p, (size_t)n * 4);
        } else {
            put_int32s(c, p, n, to);
        }
        break;
    case NB_PQ_INT64:
        if (is_decimal && c->type->phys == NB_PHYS_INT128) {
            for (int64_t i = 0; i < n; i++) {
                int64_t v;
                memcpy(&v, p + i * 8, 8);
                ((nb_int128 *)to)[i] = c->is_unsigned ? (nb_int128)(uint64_t)v : v;
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
