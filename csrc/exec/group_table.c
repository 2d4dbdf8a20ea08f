/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group_table.c: look-ups of a batch at a time.
 *
 * A look-up has three loops over the batch: slots are prefetched; slots are walked to the first with the same hash, whose row is
 * prefetched; keys are compared. So cache misses of many rows overlap, also of those that are not at their home slot: a table that is
 * half full has every fourth of them elsewhere. What is left over (new groups, different keys of one hash) is done row by row.
 *
 * Keys may arrive in the order of their hashes: from an aggregation of the same keys below, or from a file that one has written. Then all homes are
 * next to each other while the table is small, and every new row would walk past all others. A walk that is too long to be chance makes
 * homes of the hash times an odd number; before the slots are read in order they go back to their places.
 */
#include "exec/group_table.h"

#include <stdlib.h>

#define FIRST_BITS    13
#define PREFETCH_FROM ((size_t)256 * 1024) /* bytes of slots; below they are in the cache anyway */
#define BLOCK         64
#define LONG_WALK     256 /* at 5/8 full the longest of a million has about half of it */
#define SPREAD        0x9e3779b1u

nb_status
nb_group_table_init(nb_group_table *t, nb_pool *pool, const nb_key_layout *layout, int row_width)
{
    *t = (nb_group_table){
        .pool = pool, .layout = layout, .row_width = row_width, .bits = FIRST_BITS, .spread = 1};
    t->slots = nb_pool_zalloc(pool, sizeof(uint64_t) << FIRST_BITS);
    t->heap = nb_arena_new(pool);
    if (t->slots == NULL || t->heap == NULL) {
        nb_group_table_free(t);
        return NB_NOMEM;
    }
    return NB_OK;
}

void
nb_group_table_free(nb_group_table *t)
{
    if (t->pool == NULL) {
        return;
    }
    if (t->slots != NULL) {
        nb_pool_dealloc(t->pool, t->slots, sizeof(uint64_t) << t->bits);
    }
    nb_pool_dealloc(t->pool, t->rows, (size_t)t->cap_rows * (size_t)t->row_width);
    nb_arena_free(t->heap);
    *t = (nb_group_table){0};
}

nb_status
nb_group_table_clear(nb_group_table *t)
{
    nb_group_table old = *t;

    nb_group_table_free(t);
    return nb_group_table_init(t, old.pool, old.layout, old.row_width);
}

void
nb_group_table_empty(nb_group_table *t)
{
    memset(t->slots, 0, sizeof(uint64_t) << t->bits);
    t->n_rows = 0;
}

bool
nb_group_table_is_full(const nb_group_table *t, int64_t more)
{
    size_t rows = (size_t)t->n_rows + (size_t)more;

    return rows > t->cap_rows || rows > ((size_t)5 << t->bits) / 8;
}

size_t
nb_group_table_bytes(const nb_group_table *t)
{
    return (sizeof(uint64_t) << t->bits) + (size_t)t->cap_rows * (size_t)t->row_width +
           nb_arena_bytes(t->heap);
}

NB_INLINE size_t
home_of(uint32_t hash32, uint32_t spread, int bits)
{
    return (size_t)((hash32 * spread) >> (32 - bits));
}

/* Entries come in almost sorted order (unless the spread is another one), so this writes almost sequentially. */
static void
reinsert(uint64_t *slots, int bits, uint32_t spread, const uint64_t *old, size_t n_old)
{
    size_t mask = ((size_t)1 << bits) - 1;

    for (size_t i = 0; i < n_old; i++) {
        size_t at;

        if (old[i] == 0) {
            continue;
        }
        at = home_of((uint32_t)(old[i] >> 32), spread, bits);
        while (slots[at] != 0) {
            at = (at + 1) & mask;
        }
        slots[at] = old[i];
    }
}

/* Gives all rows the slots that another spread asks for. */
static nb_status
spread_slots(nb_group_table *t, uint32_t spread)
{
    size_t n = (size_t)1 << t->bits;
    nb_pool *aside = nb_pool_new(NULL, "slots", 0); /* the budget may have nothing left */
    uint64_t *old = aside ? nb_pool_alloc(aside, n * sizeof(*old)) : NULL;

    if (old != NULL) {
        memcpy(old, t->slots, n * sizeof(*old));
        memset(t->slots, 0, n * sizeof(*old));
        reinsert(t->slots, t->bits, spread, old, n);
        t->spread = spread;
        nb_pool_dealloc(aside, old, n * sizeof(*old));
    }
    nb_pool_free(aside);
    return old ? NB_OK : NB_NOMEM;
}

/* Entries in the order of their hashes: by digits of 11 bits, from one array into the other and back. The result is in *from. */
static void
sort_entries(uint64_t **from, uint64_t **to, size_t n)
{
    for (int shift = 32; shift < 64; shift += 11) {
        size_t start[1 << 11] = {0}, at = 0;
        uint64_t *swap = *from;

        for (size_t i = 0; i < n; i++) {
            start[(*from)[i] >> shift & 0x7FF]++;
        }
        for (size_t d = 0; d < NB_COUNT_OF(start); d++) {
            size_t count = start[d];

            start[d] = at;
            at += count;
        }
        for (size_t i = 0; i < n; i++) {
            (*to)[start[(*from)[i] >> shift & 0x7FF]++] = (*from)[i];
        }
        *from = *to;
        *to = swap;
    }
}

/* Entries in the order of their hashes go to the first free slot from their home on. Homes may all lie in a part of the table that is too small for
 * them, so that looking for that slot from each home would take for ever: it is behind the last entry's. */
static void
place_sorted(uint64_t *slots, int bits, const uint64_t *sorted, size_t n)
{
    size_t n_slots = (size_t)1 << bits, next = 0, i = 0, again = 0;

    for (; i < n; i++) {
        next = NB_MAX(next, home_of((uint32_t)(sorted[i] >> 32), 1, bits));
        if (next == n_slots) {
            break;
        }
        slots[next++] = sorted[i];
    }
    for (; i < n; i++) { /* around the end */
        while (slots[again] != 0) {
            again++;
        }
        slots[again] = sorted[i];
    }
}

nb_status
nb_group_table_settle(nb_group_table *t)
{
    size_t n_slots = (size_t)1 << t->bits, n = 0;
    nb_pool *aside;
    uint64_t *from, *to;

    if (t->spread == 1) {
        return NB_OK;
    }
    aside = nb_pool_new(NULL, "slots", 0); /* the budget may have nothing left */
    from = aside ? nb_pool_alloc(aside, t->n_rows * sizeof(*from)) : NULL;
    to = aside ? nb_pool_alloc(aside, t->n_rows * sizeof(*to)) : NULL;
    if (from != NULL && to != NULL) {
        for (size_t i = 0; i < n_slots; i++) {
            if (t->slots[i] != 0) {
                from[n++] = t->slots[i];
            }
        }
        sort_entries(&from, &to, n);
        memset(t->slots, 0, n_slots * sizeof(*t->slots));
        place_sorted(t->slots, t->bits, from, n);
        t->spread = 1;
    }
    nb_pool_dealloc(aside, from, t->n_rows * sizeof(*from));
    nb_pool_dealloc(aside, to, t->n_rows * sizeof(*to));
    nb_pool_free(aside);
    return t->spread == 1 ? NB_OK : NB_NOMEM;
}

/* Room for n more rows, in slots (at most 5/8 full) and rows. */
static nb_status
reserve(nb_group_table *t, int64_t n)
{
    size_t rows = (size_t)t->n_rows + (size_t)n;
    int bits = t->bits;

    if (rows >= UINT32_MAX) {
        return NB_NOMEM;
    }
    while (bits < 32 && rows > ((size_t)5 << bits) / 8) {
        bits++;
    }
    if (bits != t->bits) {
        uint64_t *slots = nb_pool_zalloc(t->pool, sizeof(uint64_t) << bits);

        if (slots == NULL) {
            return NB_NOMEM;
        }
        reinsert(slots, bits, t->spread, t->slots, (size_t)1 << t->bits);
        nb_pool_dealloc(t->pool, t->slots, sizeof(uint64_t) << t->bits);
        t->slots = slots;
        t->bits = bits;
    }
    if (rows > t->cap_rows) {
        size_t cap = NB_MIN(NB_MAX(rows, (size_t)t->cap_rows * 2), (size_t)UINT32_MAX);
        size_t width = (size_t)t->row_width;
        uint8_t *grown =
            nb_pool_realloc(t->pool, t->rows, (size_t)t->cap_rows * width, cap * width);

        if (grown == NULL && cap > rows) {
            cap = rows;
            grown = nb_pool_realloc(t->pool, t->rows, (size_t)t->cap_rows * width, cap * width);
        }
        if (grown == NULL) {
            return NB_NOMEM;
        }
        t->rows = grown;
        t->cap_rows = (uint32_t)cap;
    }
    return NB_OK;
}

/* Copies the strings that the image points at. */
static nb_status
own_views(nb_group_table *t, const nb_key_section *s, uint8_t *image)
{
    nb_view *views = (nb_view *)(void *)(image + s->offset + 8 * s->n_fixed);

    for (int v = 0; v < s->n_views; v++) {
        if (views[v].len > NB_VIEW_INLINE && views[v].len != NB_NULL_VIEW) {
            char *copy = nb_arena_alloc(t->heap, views[v].len);
            if (copy == NULL) {
                return NB_NOMEM;
            }
            memcpy(copy, views[v].ptr, views[v].len);
            views[v].ptr = copy;
        }
    }
    return NB_OK;
}

static NB_NOINLINE nb_status
add_row(nb_group_table *t, const uint8_t *image, size_t slot, uint32_t hash32, uint32_t *row)
{
    const nb_key_layout *l = t->layout;
    uint8_t *to = nb_group_row(t, t->n_rows);

    memcpy(to, image, (size_t)l->n_bytes);
    memset(to + l->n_bytes, 0, (size_t)(t->row_width - l->n_bytes));
    for (int s = 0; s < l->n_sections; s++) {
        if (l->sections[s].n_views > 0) {
            NB_TRY(own_views(t, &l->sections[s], to));
        }
    }
    *row = t->n_rows++;
    t->slots[slot] = (uint64_t)hash32 << 32 | t->n_rows;
    return NB_OK;
}

/* One row, from its home slot on. */
static NB_NOINLINE nb_status
find_slow(nb_group_table *t, const uint8_t *image, uint32_t hash32, uint32_t *row)
{
    size_t mask = ((size_t)1 << t->bits) - 1, at = home_of(hash32, t->spread, t->bits);

    for (int walked = 0;; at = (at + 1) & mask, walked++) {
        uint64_t slot = t->slots[at];

        if (walked == LONG_WALK && t->spread == 1) {
            NB_TRY(spread_slots(t, SPREAD));
            at = home_of(hash32, t->spread, t->bits);
            slot = t->slots[at];
        }

        if (slot == 0) {
            return add_row(t, image, at, hash32, row);
        }
        if ((uint32_t)(slot >> 32) == hash32 &&
            nb_key_equal(t->layout, t->layout->n_sections, image,
                         nb_group_row(t, (uint32_t)slot - 1))) {
            *row = (uint32_t)slot - 1;
            return NB_OK;
        }
    }
}

/* Rows [from, to) to the first slot of their hash; the row that it names is prefetched. Whether that is the home slot is a matter of chance: those that have
 * to go on are listed without a branch. */
static void
walk_slots(const nb_group_table *t, const uint64_t *hashes, int64_t from, int64_t to, bool far,
           uint32_t *rows)
{
    const uint64_t *slots = t->slots;
    size_t mask = ((size_t)1 << t->bits) - 1;
    int bits = t->bits, n_away = 0;
    uint32_t spread = t->spread;
    uint16_t away[BLOCK];

    for (int64_t i = from; i < to; i++) {
        uint64_t slot = slots[home_of((uint32_t)(hashes[i] >> 32), spread, bits)];

        rows[i] = (uint32_t)slot - 1;
        away[n_away] = (uint16_t)i;
        n_away += (slot != 0) & ((slot >> 32) != (hashes[i] >> 32));
        if (far) {
            __builtin_prefetch(nb_group_row(t, slot != 0 ? (uint32_t)slot - 1 : 0));
        }
    }
    for (int k = 0; k < n_away; k++) {
        uint64_t hash32 = hashes[away[k]] >> 32;
        size_t at = (home_of((uint32_t)hash32, spread, bits) + 1) & mask;

        while (slots[at] != 0 && (slots[at] >> 32) != hash32) {
            at = (at + 1) & mask;
        }
        rows[away[k]] = (uint32_t)slots[at] - 1;
        if (far && slots[at] != 0) {
            __builtin_prefetch(nb_group_row(t, rows[away[k]]));
        }
    }
}

/* Of rows [from, to) those whose group is not the one of their slot go to slow. */
NB_INLINE int64_t
compare_keys(const nb_group_table *t, const uint8_t *images, int stride, int64_t from, int64_t to,
             const uint32_t *rows, uint16_t *slow, int64_t n_slow, int n_fixed, int n_views)
{
    const nb_key_section *s = t->layout->sections;
    uint16_t some[BLOCK];
    int n_some = 0;

    for (int64_t i = from; i < to; i++) {
        bool none = rows[i] == UINT32_MAX;

        slow[n_slow] = some[n_some] = (uint16_t)i;
        n_slow += none;
        n_some += !none;
    }
    for (int k = 0; k < n_some; k++) {
        const uint8_t *image = images + some[k] * stride, *row = nb_group_row(t, rows[some[k]]);
        bool same = n_fixed >= 0 ? nb_key_section_equal(s, n_fixed, n_views, image, row)
                                 : nb_key_equal(t->layout, t->layout->n_sections, image, row);

        slow[n_slow] = some[k];
        n_slow += !same;
    }
    return n_slow;
}

/* Those of the batch whose group is there go to rows; the others' numbers go to slow. */
NB_INLINE int64_t
find_known(const nb_group_table *t, const uint8_t *images, int stride, const uint64_t *hashes,
           int64_t n, uint32_t *rows, uint16_t *slow, int n_fixed, int n_views)
{
    int bits = t->bits;
    uint32_t spread = t->spread;
    int64_t n_slow = 0;
    bool far = (sizeof(uint64_t) << t->bits) > PREFETCH_FROM;

    for (int64_t at = -BLOCK; at < n + BLOCK; at += BLOCK) {
        for (int64_t i = at + BLOCK; far && i < NB_MIN(at + 2 * BLOCK, n); i++) {
            __builtin_prefetch(&t->slots[home_of((uint32_t)(hashes[i] >> 32), spread, bits)]);
        }
        if (at >= 0) {
            walk_slots(t, hashes, at, NB_MIN(at + BLOCK, n), far, rows);
        }
        if (at >= BLOCK) {
            n_slow = compare_keys(t, images, stride, at - BLOCK, NB_MIN(at, n), rows, slow, n_slow,
                                  n_fixed, n_views);
        }
    }
    return n_slow;
}

nb_status
nb_group_table_find(nb_group_table *t, const uint8_t *images, const uint64_t *hashes, int64_t n,
                    uint32_t *rows)
{
    const nb_key_layout *l = t->layout;
    int nf = l->n_sections == 1 ? l->sections[0].n_fixed : -1, nv = l->sections[0].n_views;
    uint16_t slow[NB_BATCH_ROWS];
    int64_t n_slow;

    NB_ASSERT(n <= NB_BATCH_ROWS);
    NB_TRY(reserve(t, n));
    if (nf == 1 && nv == 0) {
        n_slow = find_known(t, images, 8, hashes, n, rows, slow, 1, 0);
    } else if (nf == 2 && nv == 0) {
        n_slow = find_known(t, images, 16, hashes, n, rows, slow, 2, 0);
    } else if (nf == 0 && nv == 1) {
        n_slow = find_known(t, images, 16, hashes, n, rows, slow, 0, 1);
    } else {
        n_slow = find_known(t, images, l->n_bytes, hashes, n, rows, slow, -1, 0);
    }
    for (int64_t k = 0; k < n_slow; k++) {
        int64_t i = slow[k];
        NB_TRY(find_slow(t, images + i * l->n_bytes, (uint32_t)(hashes[i] >> 32), &rows[i]));
    }
    return NB_OK;
}

/* ---- in order of the hashes ------------------------------------------------------------------ */

static int
by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* For almost sorted input; gives up on other input after so many steps that qsort is cheaper. */
static void
sort_almost_sorted(uint64_t *v, size_t n)
{
    size_t budget = 16 * n + 64;

    for (size_t i = 1; i < n; i++) {
        uint64_t x = v[i];
        size_t k = i;

        while (k > 0 && v[k - 1] > x) {
            v[k] = v[k - 1];
            k--;
        }
        v[k] = x;
        if (i - k > budget) {
            qsort(v, n, sizeof(*v), by_value);
            return;
        }
        budget -= i - k;
    }
}

nb_status
nb_group_table_entries(const nb_group_table *t, nb_pool *pool, uint32_t low, uint32_t high,
                       uint64_t **out, size_t *cap, size_t *n)
{
    size_t size = (size_t)1 << t->bits, mask = size - 1;
    size_t start = low >> (32 - t->bits), end = high >> (32 - t->bits);
    size_t count = 0;

    /* no row lies before its home; it may lie behind the last home, up to an empty slot */
    for (size_t i = start; i < start + size; i++) {
        uint64_t slot = t->slots[i & mask];
        uint32_t hash32 = (uint32_t)(slot >> 32);

        if (slot == 0) {
            if (i >= end) {
                break;
            }
            continue;
        }
        if (hash32 < low || hash32 > high) {
            continue;
        }
        if (count == *cap) {
            size_t grown_cap = *cap ? *cap * 2 : 1024;
            uint64_t *grown =
                nb_pool_realloc(pool, *out, *cap * sizeof(uint64_t), grown_cap * sizeof(uint64_t));
            if (grown == NULL) {
                return NB_NOMEM;
            }
            *out = grown;
            *cap = grown_cap;
        }
        (*out)[count++] = slot - 1;
    }
    sort_almost_sorted(*out, count);
    *n = count;
    return NB_OK;
}
