/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_filter.c: see key_filter.h.
 *
 *   exact   bit (key - low) of bits
 *   Bloom   a block of 8 words of 64 bits per 32 keys or fewer (16 bits each); a key sets one bit in each of 4 words of its block
 */
#include "column/key_filter.h"

#include <stdatomic.h>

#define EXACT_MOST_BITS ((uint64_t)1 << 27) /* 16 MiB */
#define EXACT_PER_KEY \
    ((uint64_t)256) /* a Bloom filter of as many keys is smaller beyond, but asks more */
#define KEYS_PER_BLOCK  32
#define WORDS_PER_BLOCK 8

struct nb_key_filter {
    nb_phys phys;
    bool exact;
    int64_t low, high; /* low > high: no keys */
    uint64_t width;    /* high - low */
    uint64_t *bits;
    uint64_t n_blocks;
    /* a bound: */
    bool is_bound, descending, keeps_nulls;
    atomic_llong bound;
};

static uint64_t
mixed(int64_t key)
{
    uint64_t h = (uint64_t)key * 0x9e3779b97f4a7c15ULL;

    h ^= h >> 32;
    return h * 0xd6e8feb86659fd93ULL;
}

static uint64_t *
block_of(const nb_key_filter *f, uint64_t h)
{
    return f->bits + ((nb_uint128)h * f->n_blocks >> 64) * WORDS_PER_BLOCK;
}

static void
add(nb_key_filter *f, int64_t key)
{
    uint64_t h = mixed(key), *block;

    if (f->exact) {
        uint64_t at = (uint64_t)key - (uint64_t)f->low;
        f->bits[at >> 6] |= (uint64_t)1 << (at & 63);
        return;
    }
    block = block_of(f, h);
    for (int k = 0; k < 4; k++) { /* the low bits: the high ones chose the block */
        block[2 * k + (h >> (6 * k + 24) & 1)] |= (uint64_t)1 << (h >> (6 * k) & 63);
    }
}

static uint8_t
may_have(const nb_key_filter *f, int64_t key)
{
    uint64_t h = mixed(key), found = 1;
    const uint64_t *block = block_of(f, h);

    for (int k = 0; k < 4; k++) {
        found &= block[2 * k + (h >> (6 * k + 24) & 1)] >> (h >> (6 * k) & 63);
    }
    return found & 1 && key >= f->low && key <= f->high;
}

#define NB_T       int8_t
#define NB_NAME(f) f##_i8
#include "column/key_filter_tmpl.h"
#define NB_T       int16_t
#define NB_NAME(f) f##_i16
#include "column/key_filter_tmpl.h"
#define NB_T       int32_t
#define NB_NAME(f) f##_i32
#include "column/key_filter_tmpl.h"
#define NB_T       int64_t
#define NB_NAME(f) f##_i64
#include "column/key_filter_tmpl.h"

nb_status
nb_key_filter_new(nb_arena *arena, const nb_vector *keys, nb_key_filter **out)
{
    nb_key_filter *f;
    nb_phys phys = keys->type->phys;
    uint64_t n = (uint64_t)keys->n_rows, words;

    *out = NULL;
    if (phys < NB_PHYS_INT8 || phys > NB_PHYS_INT64 || keys->kind != NB_VEC_FLAT) {
        return NB_OK;
    }
    f = NB_ARENA_NEW(arena, nb_key_filter);
    if (!f) {
        return NB_NOMEM;
    }
    f->phys = phys;
    f->low = INT64_MAX;
    f->high = INT64_MIN;
    switch (phys) {
    case NB_PHYS_INT8: range_i8(f, keys); break;
    case NB_PHYS_INT16: range_i16(f, keys); break;
    case NB_PHYS_INT32: range_i32(f, keys); break;
    default: range_i64(f, keys); break;
    }
    if (f->low > f->high) { /* an exact filter of nothing */
        f->exact = true;
        f->bits = nb_arena_zalloc(arena, 8);
        *out = f;
        return f->bits ? NB_OK : NB_NOMEM;
    }
    f->width = (uint64_t)f->high - (uint64_t)f->low;
    f->exact = f->width < EXACT_MOST_BITS && f->width / EXACT_PER_KEY <= n + 1024;
    f->n_blocks = n / KEYS_PER_BLOCK + 1;
    words = f->exact ? f->width / 64 + 1 : f->n_blocks * WORDS_PER_BLOCK;
    f->bits = nb_arena_alloc64(arena, words * 8);
    if (!f->bits) {
        return NB_NOMEM;
    }
    memset(f->bits, 0, words * 8);
    switch (phys) {
    case NB_PHYS_INT8: fill_i8(f, keys); break;
    case NB_PHYS_INT16: fill_i16(f, keys); break;
    case NB_PHYS_INT32: fill_i32(f, keys); break;
    default: fill_i64(f, keys); break;
    }
    *out = f;
    return NB_OK;
}

/* What a bound is before anybody knows better. */
static int64_t
open_bound(const nb_key_filter *f)
{
    return f->descending ? INT64_MIN : INT64_MAX;
}

nb_status
nb_key_filter_new_bound(nb_arena *arena, const nb_type *type, bool descending, bool keeps_nulls,
                        nb_key_filter **out)
{
    nb_key_filter *f;

    *out = NULL;
    if (type->phys < NB_PHYS_INT8 || type->phys > NB_PHYS_INT64) {
        return NB_OK;
    }
    f = NB_ARENA_NEW(arena, nb_key_filter);
    if (!f) {
        return NB_NOMEM;
    }
    f->phys = type->phys;
    f->is_bound = true;
    f->descending = descending;
    f->keeps_nulls = keeps_nulls;
    atomic_init(&f->bound, open_bound(f));
    *out = f;
    return NB_OK;
}

void
nb_key_filter_tighten(nb_key_filter *f, int64_t v)
{
    long long now = atomic_load_explicit(&f->bound, memory_order_relaxed);

    while ((f->descending ? v > now : v < now) &&
           !atomic_compare_exchange_weak_explicit(&f->bound, &now, v, memory_order_relaxed,
                                                  memory_order_relaxed)) {
    }
}

bool
nb_key_filter_is_open(const nb_key_filter *f)
{
    return f->is_bound && atomic_load_explicit(&f->bound, memory_order_relaxed) == open_bound(f);
}

bool
nb_key_filter_is_bound(const nb_key_filter *f, bool *descending)
{
    *descending = f->descending;
    return f->is_bound;
}

bool
nb_key_filter_keeps_nulls(const nb_key_filter *f)
{
    return f->keeps_nulls;
}

bool
nb_key_filter_range(const nb_key_filter *f, int64_t *low, int64_t *high)
{
    if (f->is_bound) {
        int64_t bound = atomic_load_explicit(&f->bound, memory_order_relaxed);
        *low = f->descending ? bound : INT64_MIN;
        *high = f->descending ? INT64_MAX : bound;
        return true;
    }
    *low = f->low;
    *high = f->high;
    return f->low <= f->high;
}

void
nb_key_filter_test(const nb_key_filter *f, const nb_vector *v, int64_t n, uint8_t *keep)
{
    NB_ASSERT(v->type->phys == f->phys && v->kind == NB_VEC_FLAT);
    switch (f->phys) {
    case NB_PHYS_INT8: test_i8(f, v, n, keep); break;
    case NB_PHYS_INT16: test_i16(f, v, n, keep); break;
    case NB_PHYS_INT32: test_i32(f, v, n, keep); break;
    default: test_i64(f, v, n, keep); break;
    }
    for (int64_t i = 0; i < n && v->validity && !f->keeps_nulls; i++) {
        keep[i] &= nb_is_valid(v->validity, i);
    }
}
