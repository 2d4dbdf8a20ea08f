/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dictionary.c: see dictionary.h. Linear probing; the upper half of a slot is a part of the hash, so that most misses are known without a look at
 * the entry. The table is kept at most half full.
 */
#include "io/parquet/dictionary.h"

#include "base/hash.h"

#define FIRST_SLOTS 256

NB_INLINE uint64_t
tag_of(uint64_t hash)
{
    return hash & 0xffffffff00000000u;
}

NB_INLINE uint64_t
load(const void *values, int width, int64_t i)
{
    return width == 4 ? ((const uint32_t *)values)[i] : ((const uint64_t *)values)[i];
}

nb_str
nb_pq_dictionary_entry(const nb_pq_dictionary *d, uint32_t code)
{
    uint32_t at, len;

    if (d->width) {
        return (nb_str){(const char *)d->entries.data + (size_t)code * (size_t)d->width,
                        (size_t)d->width};
    }
    memcpy(&at, d->offsets.data + (size_t)code * 4, 4);
    memcpy(&len, d->entries.data + at, 4);
    return (nb_str){(const char *)d->entries.data + at + 4, len};
}

static uint64_t
hash_entry(const nb_pq_dictionary *d, uint32_t code)
{
    nb_str s = nb_pq_dictionary_entry(d, code);

    return d->width == 4 || d->width == 8 ? nb_hash_u64(load(s.data, d->width, 0))
                                          : nb_hash_bytes(s.data, s.len);
}

/* Room for one entry more in the table. */
static nb_status
grow(nb_pq_dictionary *d)
{
    size_t n = d->slots.len / 8, wider = n ? n * 2 : FIRST_SLOTS;
    nb_pq_bytes made = {0};
    uint64_t *slots;

    if (d->n < n / 2) {
        return NB_OK;
    }
    slots = nb_pq_bytes_room(d->pool, &made, wider * 8);
    if (!slots) {
        return NB_NOMEM;
    }
    memset(slots, 0, wider * 8);
    made.len = wider * 8;
    for (uint32_t code = 0; code < d->n; code++) {
        uint64_t h = hash_entry(d, code);
        size_t at = h & (wider - 1);
        while (slots[at]) {
            at = (at + 1) & (wider - 1);
        }
        slots[at] = tag_of(h) | (code + 1);
    }
    nb_pq_bytes_free(d->pool, &d->slots);
    d->slots = made;
    return NB_OK;
}

/* Numbers of one width, so that the compiler sees it. */
NB_INLINE nb_status
find_numbers(nb_pq_dictionary *d, const void *values, int64_t n, uint32_t *codes, int width,
             int64_t *n_done)
{
    int64_t i = 0;

    while (i < n) {
        const uint64_t *slots;
        size_t mask, at = 0;
        uint64_t v, h = 0;
        NB_TRY(grow(d));
        slots = (const uint64_t *)(const void *)d->slots.data;
        mask = d->slots.len / 8 - 1;
        /* those that are known, until one is not */
        for (; i < n; i++) {
            v = load(values, width, i);
            h = nb_hash_u64(v);
            at = h & mask;
            while (slots[at] && (tag_of(slots[at]) != tag_of(h) ||
                                 load(d->entries.data, width, (uint32_t)slots[at] - 1) != v)) {
                at = (at + 1) & mask;
            }
            if (!slots[at]) {
                break;
            }
            codes[i] = (uint32_t)slots[at] - 1;
        }
        if (i == n || d->entries.len + (size_t)width > d->max_bytes) {
            break;
        }
        if (!nb_pq_bytes_add(d->pool, &d->entries, (const char *)values + i * width,
                             (size_t)width)) {
            return NB_NOMEM;
        }
        ((uint64_t *)(void *)d->slots.data)[at] = tag_of(h) | (d->n + 1);
        codes[i++] = d->n++;
    }
    *n_done = i;
    return NB_OK;
}

nb_status
nb_pq_dictionary_numbers(nb_pq_dictionary *d, const void *values, int64_t n, uint32_t *codes,
                         int64_t *n_done)
{
    return d->width == 4 ? find_numbers(d, values, n, codes, 4, n_done)
                         : find_numbers(d, values, n, codes, 8, n_done);
}

static nb_status
add_string(nb_pq_dictionary *d, nb_str s)
{
    uint32_t at = (uint32_t)d->entries.len, len = (uint32_t)s.len;

    if (!d->width && (!nb_pq_bytes_add(d->pool, &d->offsets, &at, 4) ||
                      !nb_pq_bytes_add(d->pool, &d->entries, &len, 4))) {
        return NB_NOMEM;
    }
    return nb_pq_bytes_add(d->pool, &d->entries, s.data, s.len) ? NB_OK : NB_NOMEM;
}

nb_status
nb_pq_dictionary_strings(nb_pq_dictionary *d, const nb_view *values, int64_t n, uint32_t *codes,
                         int64_t *n_done)
{
    int64_t i;

    for (i = 0; i < n; i++) {
        nb_str s = nb_view_str(&values[i]);
        uint64_t h = nb_hash_bytes(s.data, s.len), *slots;
        size_t mask, at;
        NB_TRY(grow(d));
        slots = (uint64_t *)(void *)d->slots.data;
        mask = d->slots.len / 8 - 1;
        at = h & mask;
        while (slots[at] &&
               (tag_of(slots[at]) != tag_of(h) ||
                !nb_str_equal(nb_pq_dictionary_entry(d, (uint32_t)slots[at] - 1), s))) {
            at = (at + 1) & mask;
        }
        if (!slots[at]) {
            if (d->entries.len + s.len + 4 > d->max_bytes) {
                break;
            }
            NB_TRY(add_string(d, s));
            slots[at] = tag_of(h) | ++d->n;
        }
        codes[i] = (uint32_t)slots[at] - 1;
    }
    *n_done = i;
    return NB_OK;
}

void
nb_pq_dictionary_clear(nb_pq_dictionary *d)
{
    if (d->slots.data) {
        memset(d->slots.data, 0, d->slots.len);
    }
    d->entries.len = d->offsets.len = 0;
    d->n = 0;
}

void
nb_pq_dictionary_free(nb_pq_dictionary *d)
{
    nb_pq_bytes_free(d->pool, &d->entries);
    nb_pq_bytes_free(d->pool, &d->offsets);
    nb_pq_bytes_free(d->pool, &d->slots);
}
