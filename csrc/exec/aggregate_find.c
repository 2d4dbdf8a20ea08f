/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aggregate_find.c: which row of a thread's table each row of a batch belongs to.
 *
 * Where a single integer key stays within WINDOW values (WIDE_WINDOW after many rows), an array from value to row takes the place of hashing;
 * keys that are dictionaries, or several of which some are integers of a small range or one value for the whole batch, are looked up once per
 * combination where these are few; of runs of equal keys the first row alone is looked up.
 */
#include "exec/hash_aggregate_internal.h"

#define WINDOW      (1 << 16)
#define WIDE_WINDOW (1 << 20) /* for keys of a table that is large anyway */
#define WIDE_AFTER  (1 << 17) /* rows */
#define FEW_CODES   (1 << 12) /* combinations for which there is always room */
#define MOST_CODES  (1 << 18)
#define WIDE_CODES  (1 << 21) /* for groups that are many anyway */
#define SPARSE      64        /* combinations per group, at most, where they are many */
#define MOST_RANGES 16        /* of integers, one wider than the other, until they are given up */

/* Word by word: the first one mostly tells. */
NB_INLINE bool
same_image(const uint8_t *a, const uint8_t *b, int n_bytes)
{
    const uint64_t *x = (const uint64_t *)(const void *)a;
    const uint64_t *y = (const uint64_t *)(const void *)b;

    for (int w = 0; w < n_bytes / 8; w++) {
        if (x[w] != y[w]) {
            return false;
        }
    }
    return true;
}

/* Looks up the first of each run of equal images only, when runs are long enough; *done: so they were, and images are gone. Files that were written in
 * the order of a key bring such runs, and so do joins; long strings of a run are mostly one string. */
static nb_status
find_runs(aggregate_op *op, aggregate_local *l, uint8_t *images, int64_t n, nb_arena *scratch,
          uint32_t *out, bool *done)
{
    int width = op->layout.n_bytes;
    uint8_t *begins = nb_arena_alloc(scratch, (size_t)n + 1); /* does row i begin a run? */
    int64_t n_runs = 1, at = 0;

    *done = false;
    if (begins == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 1; i < n; i++) {
        begins[i] = !same_image(images + i * width, images + (i - 1) * width, width);
        n_runs += begins[i];
    }
    if (n_runs > n - n / 4) {
        return NB_OK;
    }
    for (int64_t i = 1; i < n; i++) {
        if (begins[i]) {
            memcpy(images + ++at * width, images + i * width, (size_t)width);
        }
    }
    nb_keys_hash(&op->layout, 1, images, n_runs, l->hashes);
    NB_TRY(nb_group_table_find(&l->state->groups, images, l->hashes, n_runs, out));
    for (int64_t i = n - 1, run = n_runs - 1; i >= 0; i--) { /* from the back: run <= i */
        out[i] = out[run];
        run -= i > 0 && begins[i];
    }
    *done = true;
    return NB_OK;
}

nb_status
nb_agg_find_by_hash(aggregate_op *op, aggregate_local *l, const nb_vector *keys,
                    const uint32_t *idx, int64_t n, nb_arena *scratch, uint32_t *out)
{
    nb_group_table *t = &l->state->groups;
    uint8_t *images = nb_arena_alloc64(scratch, (size_t)n * (size_t)op->layout.n_bytes);
    uint32_t before = t->n_rows;
    nb_status st;
    bool done;

    if (images == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_keys_encode(&op->layout, keys, idx, n, scratch, images));
    st = find_runs(op, l, images, n, scratch, out, &done);
    if (st == NB_OK && !done) {
        nb_keys_hash(&op->layout, 1, images, n, l->hashes);
        st = nb_group_table_find(t, images, l->hashes, n, out);
    }
    if (t->n_rows > before) {
        nb_aggregate_init_rows(op, l->state->memory, nb_group_row(t, before), t->n_rows - before);
    }
    return st;
}

#define NB_T       int8_t
#define NB_NAME(f) int8_##f
#include "exec/aggregate_window_tmpl.h"
#define NB_T       int16_t
#define NB_NAME(f) int16_##f
#include "exec/aggregate_window_tmpl.h"
#define NB_T       int32_t
#define NB_NAME(f) int32_##f
#include "exec/aggregate_window_tmpl.h"
#define NB_T       int64_t
#define NB_NAME(f) int64_##f
#include "exec/aggregate_window_tmpl.h"

/* Values from least to greatest, of rows that are not null; false when there are none. */
static bool
key_range(const nb_vector *key, int64_t n, int64_t *least, int64_t *greatest)
{
    switch (nb_type_storage(key->type)->phys) {
    case NB_PHYS_BOOL:
    case NB_PHYS_INT8: return int8_range(key->data, key->validity, n, least, greatest);
    case NB_PHYS_INT16: return int16_range(key->data, key->validity, n, least, greatest);
    case NB_PHYS_INT32: return int32_range(key->data, key->validity, n, least, greatest);
    default: return int64_range(key->data, key->validity, n, least, greatest);
    }
}

static int64_t
look_up(const nb_vector *key, int64_t n, const aggregate_local *l, uint32_t *out, uint32_t *missing)
{
    const uint32_t *w = l->window;
    int64_t base = l->window_base;

    switch (nb_type_storage(key->type)->phys) {
    case NB_PHYS_BOOL:
    case NB_PHYS_INT8:
        return int8_look_up(key->data, key->validity, n, w, base, l->window_null, out, missing);
    case NB_PHYS_INT16:
        return int16_look_up(key->data, key->validity, n, w, base, l->window_null, out, missing);
    case NB_PHYS_INT32:
        return int32_look_up(key->data, key->validity, n, w, base, l->window_null, out, missing);
    default:
        return int64_look_up(key->data, key->validity, n, w, base, l->window_null, out, missing);
    }
}

static int64_t
key_value(const nb_vector *key, int64_t i)
{
    switch (nb_type_storage(key->type)->phys) {
    case NB_PHYS_BOOL:
    case NB_PHYS_INT8: return NB_DATA(int8_t, key)[i];
    case NB_PHYS_INT16: return NB_DATA(int16_t, key)[i];
    case NB_PHYS_INT32: return NB_DATA(int32_t, key)[i];
    default: return NB_DATA(int64_t, key)[i];
    }
}

/* Rows that are not in the map yet are found by hash, once per batch, and entered. */
static nb_status
find_by_window(aggregate_op *op, aggregate_local *l, const nb_vector *key, int64_t n,
               nb_arena *scratch)
{
    uint32_t *missing = NB_ARENA_ARRAY(scratch, uint32_t, n), *found;
    int64_t n_missing;

    if (missing == NULL) {
        return NB_NOMEM;
    }
    n_missing = look_up(key, n, l, l->numbers, missing);
    if (n_missing == 0) {
        return NB_OK;
    }
    found = NB_ARENA_ARRAY(scratch, uint32_t, n_missing);
    if (found == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_agg_find_by_hash(op, l, key, missing, n_missing, scratch, found));
    for (int64_t k = 0; k < n_missing; k++) {
        uint32_t i = missing[k];

        l->numbers[i] = found[k];
        if (nb_is_valid(key->validity, i)) {
            l->window[key_value(key, i) - l->window_base] = found[k] + 1;
        } else {
            l->window_null = found[k] + 1;
        }
    }
    return NB_OK;
}

/* A window around these values; none when they are too far apart. */
static void
make_window(aggregate_local *l, int64_t least, int64_t greatest, int64_t size, nb_arena *memory)
{
    uint64_t width = (uint64_t)greatest - (uint64_t)least;

    if (width >= (uint64_t)size || least <= INT64_MIN / 2 || greatest >= INT64_MAX / 2) {
        return;
    }
    /* in the middle, as later batches may go to either side */
    l->window_base = least - (size - (int64_t)width) / 2;
    if (least >= 0 && greatest < size) {
        l->window_base = 0;
    }
    l->window = nb_arena_zalloc(memory, (size_t)size * sizeof(uint32_t));
    l->window_size = size;
}

/* Decides whether the window serves this batch; makes, widens or gives it up. */
static bool
window_fits(aggregate_op *op, aggregate_local *l, const nb_vector *key, int64_t n, nb_arena *memory)
{
    nb_phys phys = nb_type_storage(key->type)->phys;
    bool widen = op->n_keys == 1 && l->n_seen > WIDE_AFTER && !l->window_was_widened &&
                 op->reserve / 16 > WIDE_WINDOW * sizeof(uint32_t);
    int64_t least, greatest;

    if ((l->window_off && !widen) || key->kind != NB_VEC_FLAT) {
        return false;
    }
    if (phys < NB_PHYS_BOOL || phys > NB_PHYS_INT64) {
        l->window_off = l->window_was_widened = true;
        return false;
    }
    if (!key_range(key, n, &least, &greatest)) {
        least = greatest = l->window ? l->window_base : 0;
    }
    if (l->window_off && widen) {
        l->window_was_widened = true;
        l->window = NULL;
        make_window(l, least, greatest, WIDE_WINDOW, memory);
        l->window_off = false;
    } else if (l->window == NULL) {
        make_window(l, least, greatest, WINDOW, memory);
    }
    if (l->window == NULL || least < l->window_base ||
        (uint64_t)greatest - (uint64_t)l->window_base >= (uint64_t)l->window_size) {
        l->window_off = true;
        return false;
    }
    return true;
}

/* Notes the values of an integer key; false when its range has to become wider. */
static bool
is_in_range(agg_codes *c, const nb_vector *key, int64_t n)
{
    int64_t least, greatest;

    if (c->kind != NB_VEC_FLAT || c->n == 0) {
        *c = (agg_codes){.kind = NB_VEC_FLAT, .least = INT64_MAX, .greatest = INT64_MIN};
    }
    if (key_range(key, n, &least, &greatest)) {
        c->least = NB_MIN(c->least, least);
        c->greatest = NB_MAX(c->greatest, greatest);
    }
    return c->n > 0 && (c->greatest < c->least || /* nulls only */
                        (c->n > 1 && c->least >= c->base &&
                         (uint64_t)c->greatest - (uint64_t)c->base < c->n - 1));
}

/* A range for the integers that have come. ahead: one that has to grow is made twice as wide, as more will come on that side; false when there would be
 * too many. */
static bool
place_range(agg_codes *c, bool ahead)
{
    uint64_t width = (uint64_t)c->greatest - (uint64_t)c->least;
    int64_t least = c->least, greatest = c->greatest;

    if (greatest < least) {
        c->n = 1;
        return true;
    }
    if (width >= WIDE_CODES) {
        return false;
    }
    if (ahead && c->n > 1) {
        if (least < c->base && least > INT64_MIN / 2) {
            least -= (int64_t)width;
        }
        if (greatest - c->base > (int64_t)c->n - 2 && greatest < INT64_MAX / 2) {
            greatest += (int64_t)width;
        }
    }
    c->base = least;
    c->n = (uint32_t)(greatest - least) + 2; /* the last one is null's */
    return true;
}

/* Combinations; more than `most`: too many. */
static size_t
count_codes(const aggregate_local *l, int n_keys, size_t most)
{
    size_t n = 1;

    for (int k = 0; k < n_keys && n <= most; k++) {
        n *= l->codes[k].n;
    }
    return n;
}

/* Wide enough for all keys, with some room ahead if there may be so many; false when there would be too many, or it has been done too often. */
static bool
widen_ranges(aggregate_local *l, const nb_vector *keys, int n_keys, size_t most)
{
    for (int ahead = 1; ahead >= 0; ahead--) {
        for (int k = 0; k < n_keys; k++) {
            if (keys[k].kind == NB_VEC_FLAT && !place_range(&l->codes[k], ahead)) {
                l->ranges_off = true;
                return false;
            }
        }
        if (count_codes(l, n_keys, most) <= most) {
            l->ranges_off = ++l->n_ranges == MOST_RANGES;
            return true;
        }
    }
    return false;
}

/* How many combinations there may be: more where groups are many anyway. */
static size_t
most_codes(const aggregate_op *op, const aggregate_local *l)
{
    size_t room = op->reserve / 16 / sizeof(uint32_t);

    if (room > WIDE_CODES && l->n_seen > WIDE_AFTER) {
        return NB_MIN(WIDE_CODES, NB_MAX(MOST_CODES, (size_t)l->state->groups.n_rows * SPARSE));
    }
    return room > MOST_CODES ? MOST_CODES : FEW_CODES;
}

/* Do rows with the same code in key a have the same code in key b? Columns of one side of a join have, if the code is the row there. */
static bool
tells_code(const nb_vector *a, const nb_vector *b)
{
    bool by_row, unused;
    uint64_t table;

    if (a->kind != NB_VEC_DICT) {
        return false;
    }
    table = nb_dict_table(a->dict_id, &by_row);
    return table != 0 && by_row && table == nb_dict_table(b->dict_id, &unused);
}

/* The number of a key whose code tells that of key k, and 1 more; 0: none. Of two that tell each other's it is the first; nothing is told in a ring. */
static int
same_codes(const nb_vector *keys, int n_keys, int k, int64_t n)
{
    for (int i = 0; i < n_keys; i++) {
        if (i != k && tells_code(&keys[i], &keys[k]) &&
            (i < k || !tells_code(&keys[k], &keys[i]))) {
            return i + 1;
        }
    }
    for (int i = 0; i < k; i++) {
        if (keys[i].kind == NB_VEC_DICT && !tells_code(&keys[k], &keys[i]) &&
            keys[i].dict->n_rows == keys[k].dict->n_rows &&
            (keys[i].indices == keys[k].indices ||
             memcmp(keys[i].indices, keys[k].indices, (size_t)n * sizeof(uint32_t)) == 0)) {
            return i + 1;
        }
    }
    return 0;
}

/* Decides whether few combinations of entries and values serve this batch, and makes room for a row per combination: kept while batches bring the
 * same dictionaries and ranges. */
static bool
codes_fit(const aggregate_op *op, aggregate_local *l, const nb_vector *keys, int64_t n,
          nb_arena *memory)
{
    size_t most = most_codes(op, l), n_codes;
    bool same = l->codes_stand, has_constant = false, wider = false;

    l->codes_stand = false;
    if (l->codes == NULL) {
        l->codes = nb_arena_zalloc(memory, sizeof(*l->codes) * (size_t)op->n_keys);
    }
    for (int k = 0; l->codes != NULL && k < op->n_keys; k++) {
        agg_codes *c = &l->codes[k];
        nb_phys phys = nb_type_storage(keys[k].type)->phys;

        if (keys[k].kind == NB_VEC_DICT) {
            int like = same_codes(keys, op->n_keys, k, n);

            same &= keys[k].dict_id != 0 && keys[k].dict_id == c->dict_id && like == c->like;
            *c = (agg_codes){.dict_id = keys[k].dict_id,
                             .kind = NB_VEC_DICT,
                             .like = like,
                             .n = like > 0 ? 1 : (uint32_t)keys[k].dict->n_rows};
        } else if (op->n_keys > 1 && keys[k].kind == NB_VEC_FLAT && phys >= NB_PHYS_BOOL &&
                   phys <= NB_PHYS_INT64 && !l->ranges_off) {
            wider |= !is_in_range(c, &keys[k], n);
        } else if (op->n_keys > 1 && keys[k].kind == NB_VEC_CONST) {
            /* perhaps another one in the next batch */
            *c = (agg_codes){.kind = NB_VEC_CONST, .n = 1};
            same = false;
            has_constant = true;
        } else {
            return false;
        }
    }
    if (l->codes == NULL || (wider && !widen_ranges(l, keys, op->n_keys, most))) {
        return false;
    }
    n_codes = count_codes(l, op->n_keys, most);
    same &= !wider;
    if (n_codes > most || (has_constant && n_codes > (size_t)n) ||
        (!same && n_codes > MOST_CODES && !wider && ++l->n_ranges >= MOST_RANGES)) {
        return false;
    }
    if (n_codes > l->cap_codes) {
        l->cap_codes = n_codes > MOST_CODES  ? WIDE_CODES
                       : n_codes > FEW_CODES ? MOST_CODES
                                             : FEW_CODES;
        l->code_rows = NB_ARENA_ARRAY(memory, uint32_t, l->cap_codes);
        same = false;
    }
    if (l->code_rows == NULL) {
        l->cap_codes = 0;
        return false;
    }
    if (!same) {
        memset(l->code_rows, 0, n_codes * sizeof(uint32_t));
    }
    l->codes_stand = true;
    return op->n_keys > 0;
}

/* mixed = mixed * entries + the key's code. */
static void
mix_codes(const agg_codes *c, const nb_vector *key, int64_t n, uint32_t *restrict mixed)
{
    if (key->kind == NB_VEC_CONST || c->like > 0) {
        return;
    }
    if (key->kind == NB_VEC_DICT) {
        const uint32_t *restrict indices = key->indices;
        uint32_t entries = c->n;

        for (int64_t i = 0; i < n; i++) {
            mixed[i] = mixed[i] * entries + indices[i];
        }
        return;
    }
    switch (nb_type_storage(key->type)->phys) {
    case NB_PHYS_BOOL:
    case NB_PHYS_INT8: int8_mix(key->data, key->validity, n, c->base, c->n, mixed); break;
    case NB_PHYS_INT16: int16_mix(key->data, key->validity, n, c->base, c->n, mixed); break;
    case NB_PHYS_INT32: int32_mix(key->data, key->validity, n, c->base, c->n, mixed); break;
    default: int64_mix(key->data, key->validity, n, c->base, c->n, mixed); break;
    }
}

/* Each combination of codes is looked up by hash once. */
static nb_status
find_by_codes(aggregate_op *op, aggregate_local *l, const nb_vector *keys, int64_t n,
              nb_arena *scratch)
{
    uint32_t *missing = NB_ARENA_ARRAY(scratch, uint32_t, n), *found;
    const uint32_t *codes =
        keys[0].kind == NB_VEC_DICT && l->codes[0].like == 0 ? keys[0].indices : NULL;
    int64_t n_missing = 0;
    nb_status st;

    if (missing == NULL) {
        return NB_NOMEM;
    }
    if (op->n_keys > 1) {
        uint32_t *mixed = NB_ARENA_ARRAY(scratch, uint32_t, n);
        int k = 0;

        if (mixed == NULL) {
            return NB_NOMEM;
        }
        if (codes != NULL) { /* those of the first key as they are */
            memcpy(mixed, codes, sizeof(uint32_t) * (size_t)n);
            k = 1;
        } else {
            memset(mixed, 0, sizeof(uint32_t) * (size_t)n);
        }
        for (; k < op->n_keys; k++) {
            mix_codes(&l->codes[k], &keys[k], n, mixed);
        }
        codes = mixed;
    }
    for (int64_t i = 0; i < n; i++) {
        uint32_t row = l->code_rows[codes[i]];

        l->numbers[i] = row - 1;
        if (NB_UNLIKELY(row == 0)) {
            l->code_rows[codes[i]] = UINT32_MAX; /* asked for: once is enough */
            missing[n_missing++] = (uint32_t)i;
        }
    }
    if (n_missing == 0) {
        return NB_OK;
    }
    found = NB_ARENA_ARRAY(scratch, uint32_t, n_missing);
    st = found ? nb_agg_find_by_hash(op, l, keys, missing, n_missing, scratch, found) : NB_NOMEM;
    for (int64_t k = 0; k < n_missing; k++) {
        l->code_rows[codes[missing[k]]] = st < 0 ? 0 : found[k] + 1;
    }
    NB_TRY(st);
    for (int64_t i = 0; i < n; i++) {
        l->numbers[i] = l->code_rows[codes[i]] - 1;
    }
    return NB_OK;
}

nb_status
nb_agg_find_groups(aggregate_op *op, aggregate_local *l, nb_arena *memory, const nb_vector *keys,
                   int64_t n, nb_arena *scratch)
{
    if (codes_fit(op, l, keys, n, memory)) {
        NB_TRY(find_by_codes(op, l, keys, n, scratch));
    } else if (window_fits(op, l, &keys[0], n, memory)) {
        NB_TRY(find_by_window(op, l, &keys[0], n, scratch));
    } else {
        NB_TRY(nb_agg_find_by_hash(op, l, keys, NULL, n, scratch, l->numbers));
    }
    for (int64_t i = 0; i < n; i++) {
        l->rows[i] = nb_group_row(&l->state->groups, l->numbers[i]);
    }
    return NB_OK;
}

void
nb_agg_forget_rows(aggregate_local *l)
{
    if (l->window != NULL) {
        memset(l->window, 0, (size_t)l->window_size * sizeof(uint32_t));
    }
    l->window_null = 0;
    l->codes_stand = false;
}
