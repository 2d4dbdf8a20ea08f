/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_image.h: the keys of a row as a few machine words, for hash tables of groups and joins.
 *
 *   | fixed-width keys, null bits | view | view | …      one section; a layout has one or two of them
 *
 * Keys are equal (as Spark groups: null equals null, NaN equals NaN, -0.0 equals 0.0) when the words are, except that a view of more
 * than 12 bytes points at the rest of its string. A null string is a view of length UINT32_MAX. Nested keys are encoded by
 * value_codec.h and treated as strings. A layout of two sections (group keys, then the arguments of DISTINCT) lets rows be looked up by
 * their first section alone.
 */
#ifndef NB_EXEC_KEY_IMAGE_H
#define NB_EXEC_KEY_IMAGE_H

#include "base/hash.h"
#include "column/vector.h"

#define NB_NULL_VIEW UINT32_MAX

typedef struct nb_key_col {
    const nb_type *type;
    nb_phys phys;
    int width; /* bytes in the image */
    int offset;
    int null_bit; /* bit number from the image's start; -1: a view */
    bool nested;  /* a view over encoded bytes */
} nb_key_col;

typedef struct nb_key_section {
    int offset;  /* bytes; of the fixed words */
    int n_fixed; /* words, null bits included */
    int n_views; /* behind them, two words each */
} nb_key_section;

typedef struct nb_key_layout {
    nb_key_col *cols;
    int n_cols;
    int n_bytes; /* of the image, a multiple of 8 */
    int n_sections;
    bool
        rehash; /* hashes are not those of other layouts: of keys that come in the order of these */
    nb_key_section sections[2];
} nb_key_layout;

/* The first n_first of the n types are section 0, the others (if any) section 1. */
nb_status nb_key_layout_init(nb_arena *arena, const nb_type *const *types, int n, int n_first,
                             nb_key_layout *out);

/* Images of rows idx[0..n) (NULL: 0..n) of cols (any kind, one per key) to out, n_bytes apart. Views point at what cols point
 * at, or into scratch. */
nb_status nb_keys_encode(const nb_key_layout *layout, const nb_vector *cols, const uint32_t *idx,
                         int64_t n, nb_arena *scratch, uint8_t *out);
/* 64-bit hashes of the first n_sections sections. */
void nb_keys_hash(const nb_key_layout *layout, int n_sections, const uint8_t *images, int64_t n,
                  uint64_t *out);
/* The same for images that lie apart. */
uint64_t nb_key_hash_one(const nb_key_layout *layout, int n_sections, const uint8_t *image);
/* What section 1 adds: the hash of both sections is that of section 0, xor this. */
uint64_t nb_key_hash_second(const nb_key_layout *layout, const uint8_t *image);
/* Any total order; the same in every process. */
int nb_key_compare(const nb_key_layout *layout, const uint8_t *a, const uint8_t *b);
/* Column col of images that lie at rows[i] + offset, as a FLAT vector. Strings are borrowed from the images. */
nb_status nb_keys_decode(const nb_key_layout *layout, int col, uint8_t *const *rows, int offset,
                         int64_t n, nb_arena *arena, nb_vector *out);

NB_INLINE bool
nb_key_view_equal(const uint64_t *a, const uint64_t *b)
{
    uint32_t len;

    if (a[0] != b[0]) {
        return false;
    }
    len = (uint32_t)a[0];
    return a[1] == b[1] ||
           (len > NB_VIEW_INLINE && len != NB_NULL_VIEW &&
            memcmp((const char *)(uintptr_t)a[1], (const char *)(uintptr_t)b[1], len) == 0);
}

NB_INLINE bool
nb_key_section_equal(const nb_key_section *s, int n_fixed, int n_views, const uint8_t *image_a,
                     const uint8_t *image_b)
{
    const uint64_t *a = (const uint64_t *)(const void *)(image_a + s->offset);
    const uint64_t *b = (const uint64_t *)(const void *)(image_b + s->offset);

    for (int w = 0; w < n_fixed; w++) {
        if (a[w] != b[w]) {
            return false;
        }
    }
    for (int v = 0; v < n_views; v++) {
        if (!nb_key_view_equal(a + n_fixed + 2 * v, b + n_fixed + 2 * v)) {
            return false;
        }
    }
    return true;
}

/* Are the first n_sections sections equal? */
NB_INLINE bool
nb_key_equal(const nb_key_layout *l, int n_sections, const uint8_t *a, const uint8_t *b)
{
    for (int s = 0; s < n_sections; s++) {
        const nb_key_section *sec = &l->sections[s];
        if (!nb_key_section_equal(sec, sec->n_fixed, sec->n_views, a, b)) {
            return false;
        }
    }
    return true;
}

#endif
