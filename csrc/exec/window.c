/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window.c: window functions over sorted rows.
 *
 *     sort the child's rows, with keys and arguments, by partition, order → mark where partitions and peers begin
 *     → cut into blocks of whole partitions → threads compute a block's functions and pass its rows on
 *
 * Algorithm  ranks come from the marks; lag, lead and nth_value find a row and gather its value; aggregates run over frames
 *            (window_frame.c, window_aggregate.c).
 * Memory     the rows, 5 bytes per row for order and marks; results per block only. Charged to the query's pool. What does not fit comes from a
 *            sorter, a block at a time (window_stream.c).
 * Threads    everything is read-only once the source is made; a thread's block and results are its own.
 * Spark      default frame with ORDER BY: RANGE up to the current row's peers; without: the whole partition.
 */
#include "base/thread.h"
#include "exec/window_internal.h"
#include "exec/build.h"

#define BLOCK_ROWS 16384

typedef struct window_source {
    nb_source base;
    nb_window w;
    atomic_llong next_block;
} window_source;

typedef struct window_local {
    nb_pool *pool;
    nb_arena *arena;    /* results of the current block */
    nb_vector *results; /* n_fns, rows of the block */
    int64_t block, at, from, to;
} window_local;

/* ---- results of a block ---- */

nb_status
nb_window_gather(const nb_window *w, const int *cols, int n, int64_t from, int64_t to,
                 nb_arena *arena, nb_vector *out)
{
    int64_t n_parts = (to - from + NB_BATCH_ROWS - 1) / NB_BATCH_ROWS;
    nb_vector *parts;
    const nb_vector **list;

    if (n_parts <= 1) {
        return nb_rows_gather(&w->index, cols, n, w->ids + from, to - from, arena, out);
    }
    parts = NB_ARENA_ARRAY(arena, nb_vector, n_parts * n);
    list = NB_ARENA_ARRAY(arena, const nb_vector *, n_parts);
    if (!parts || !list) {
        return NB_NOMEM;
    }
    for (int64_t p = 0; p < n_parts; p++) {
        int64_t at = from + p * NB_BATCH_ROWS;
        NB_TRY(nb_rows_gather(&w->index, cols, n, w->ids + at, NB_MIN(to - at, NB_BATCH_ROWS),
                              arena, parts + p * n));
    }
    for (int c = 0; c < n; c++) {
        for (int64_t p = 0; p < n_parts; p++) {
            list[p] = &parts[p * n + c];
        }
        NB_TRY(nb_vector_concat(arena, list, (int)n_parts, &out[c]));
    }
    return NB_OK;
}

static int64_t
part_end(const nb_window *w, int64_t from, int64_t limit)
{
    int64_t at = from + 1;

    while (at < limit && !(w->starts[at] & 1)) {
        at++;
    }
    return at;
}

static void
ranks(const nb_window *w, const nb_window_fn *fn, nb_window_part p, int64_t base, nb_vector *out)
{
    bool carried = nb_window_is_carried(w, p.from);
    int64_t before = carried ? w->carry->rows : 0;
    int64_t n = p.to - p.from, rank = before + 1, peer_end = p.from;
    int64_t dense = carried ? w->carry->groups + 1 : 1;

    for (int64_t at = p.from; at < p.to; at++) {
        int64_t row = at - base, number = before + at - p.from + 1;
        if (at > p.from && (w->starts[at] & 2)) {
            rank = number;
            dense++;
        }
        switch (fn->kind) {
        case NB_WINDOW_ROW_NUMBER: NB_DATA(int32_t, out)[row] = (int32_t)number; break;
        case NB_WINDOW_RANK: NB_DATA(int32_t, out)[row] = (int32_t)rank; break;
        case NB_WINDOW_DENSE_RANK: NB_DATA(int32_t, out)[row] = (int32_t)dense; break;
        case NB_WINDOW_PERCENT_RANK:
            NB_DATA(double, out)[row] = n > 1 ? (double)(rank - 1) / (double)(n - 1) : 0.0;
            break;
        case NB_WINDOW_CUME_DIST:
            if (at >= peer_end) {
                peer_end = at + 1;
                while (peer_end < p.to && !(w->starts[peer_end] & 2)) {
                    peer_end++;
                }
            }
            NB_DATA(double, out)[row] = (double)(peer_end - p.from) / (double)n;
            break;
        default: { /* NTILE: the first n % buckets buckets have a row more */
            int64_t size = n / fn->offset, longer = n % fn->offset, cut = longer * (size + 1);
            NB_DATA(int32_t, out)
            [row] = (int32_t)(number - 1 < cut ? (number - 1) / (size + 1) + 1
                                               : longer + (number - 1 - cut) / NB_MAX(size, 1) + 1);
            break;
        }
        }
    }
}

/* Which rows of a partition have values; without this each row would look for its own among all nulls. */
typedef struct there_values {
    uint32_t *rows,
        *before; /* rows with values; per row and at the end, how many of these are before it */
    int64_t n;
} there_values;

static nb_status
find_values(const nb_window *w, const nb_window_fn *fn, nb_window_part p, nb_arena *arena,
            there_values *out)
{
    int64_t n = p.to - p.from;
    nb_vector v;

    out->n = 0;
    out->rows = NB_ARENA_ARRAY(arena, uint32_t, n + 1);
    out->before = NB_ARENA_ARRAY(arena, uint32_t, n + 1);
    if (!out->rows || !out->before) {
        return NB_NOMEM;
    }
    NB_TRY(nb_window_gather(w, fn->args, 1, p.from, p.to, arena, &v));
    for (int64_t i = 0; i < n; i++) {
        out->before[i] = (uint32_t)out->n;
        out->rows[out->n] = (uint32_t)i;
        out->n += !nb_vector_is_null(&v, i);
    }
    out->before[n] = (uint32_t)out->n;
    return NB_OK;
}

/* The k-th value from row i on (k > 0) or before it (k < 0), as a row; -1: none. */
static int64_t
kth_value(const there_values *t, int64_t i, int64_t k)
{
    int64_t before = t->before[i];

    if (k < 0) {
        return -k <= before ? (int64_t)t->rows[before + k] : -1;
    }
    return k <= t->n - before ? (int64_t)t->rows[before + k - 1] : -1;
}

/* For each row of the block the id of the row whose value it shows, UINT32_MAX where there is none. */
static nb_status
find_rows(const nb_window *w, const nb_window_fn *fn, nb_window_part p, int64_t base,
          uint32_t *found, nb_arena *arena, nb_error *err)
{
    int64_t n = p.to - p.from;
    there_values values;

    if (fn->ignore_nulls) {
        NB_TRY(find_values(w, fn, p, arena, &values));
    }
    if (fn->kind == NB_WINDOW_LAG) {
        for (int64_t i = 0; i < n; i++) {
            int64_t to = i + fn->offset;

            if (fn->ignore_nulls && fn->offset != 0) {
                to = kth_value(&values, fn->offset > 0 ? i + 1 : i, fn->offset);
            }
            found[p.from + i - base] = to >= 0 && to < n ? w->ids[p.from + to] : UINT32_MAX;
        }
        return NB_OK;
    }
    int64_t *lo = NB_ARENA_ARRAY(arena, int64_t, n), *hi = NB_ARENA_ARRAY(arena, int64_t, n);
    if (!lo || !hi) {
        return NB_NOMEM;
    }
    NB_TRY(nb_window_frames(w, fn, p, arena, lo, hi, err));
    for (int64_t i = 0; i < n; i++) { /* nth_value */
        int64_t to = lo[i] + fn->offset - 1;

        if (fn->ignore_nulls) {
            to = kth_value(&values, lo[i] - p.from, fn->offset);
            to = to < 0 ? hi[i] : p.from + to;
        }
        found[p.from + i - base] = to < hi[i] ? w->ids[to] : UINT32_MAX;
    }
    return NB_OK;
}

/* Replaces rows of v by the same rows of another vector. */
static nb_status
put_rows(nb_arena *arena, nb_vector *v, const nb_vector *by, const uint32_t *rows, int64_t n)
{
    const nb_vector *both[2] = {v, by};
    nb_vector joined;
    uint32_t idx[NB_BATCH_ROWS];
    int64_t m = v->n_rows;

    if (nb_type_storage(v->type)->n_children == 0) {
        NB_TRY(nb_vector_need_validity(arena, v));
        return nb_vector_scatter(by, rows, v, rows, n);
    }
    for (int64_t i = 0; i < m; i++) {
        idx[i] = (uint32_t)i;
    }
    for (int64_t i = 0; i < n; i++) {
        idx[rows[i]] = (uint32_t)m + rows[i];
    }
    NB_TRY(nb_vector_concat(arena, both, 2, &joined));
    return nb_vector_gather(arena, &joined, idx, m, v);
}

/* Values of the found rows; lag's and lead's default where none was found. */
static nb_status
values_of(const nb_window *w, const nb_window_fn *fn, const uint32_t *found, int64_t from,
          int64_t n, nb_arena *arena, nb_vector *out)
{
    int64_t n_parts = (n + NB_BATCH_ROWS - 1) / NB_BATCH_ROWS;
    nb_vector *parts = NB_ARENA_ARRAY(arena, nb_vector, n_parts);
    const nb_vector **list = NB_ARENA_ARRAY(arena, const nb_vector *, n_parts);

    if (!parts || !list) {
        return NB_NOMEM;
    }
    for (int64_t p = 0; p < n_parts; p++) {
        int64_t at = p * NB_BATCH_ROWS, m = NB_MIN(n - at, NB_BATCH_ROWS), n_missing = 0;
        uint32_t ids[NB_BATCH_ROWS], missing[NB_BATCH_ROWS];
        for (int64_t i = 0; i < m; i++) {
            bool none = found[at + i] == UINT32_MAX;
            ids[i] = none ? 0 : found[at + i];
            missing[n_missing] = (uint32_t)i;
            n_missing += none;
        }
        NB_TRY(nb_rows_gather(&w->index, fn->args, 1, ids, m, arena, &parts[p]));
        list[p] = &parts[p];
        if (n_missing == 0) {
            continue;
        }
        if (fn->fallback >= 0) {
            nb_vector d;
            NB_TRY(nb_rows_gather(&w->index, &fn->fallback, 1, w->ids + from + at, m, arena, &d));
            NB_TRY(put_rows(arena, &parts[p], &d, missing, n_missing));
            continue;
        }
        NB_TRY(nb_vector_need_validity(arena, &parts[p]));
        for (int64_t k = 0; k < n_missing; k++) {
            nb_bit_clear(parts[p].validity, missing[k]);
        }
    }
    return nb_vector_concat(arena, list, (int)n_parts, out);
}

static nb_status
aggregate_block(const nb_window *w, const nb_window_fn *fn, int64_t from, int64_t to,
                nb_arena *arena, nb_vector *out, nb_error *err)
{
    nb_vector args[9], filter;
    nb_window_out result = {.flat = out};

    NB_TRY(nb_vector_alloc(arena, fn->expr->type, to - from, out));
    if (fn->n_args > 8) {
        return nb_raise_unsupported(err, "An aggregate of more than 8 arguments in a window");
    }
    if (fn->n_args) {
        NB_TRY(nb_window_gather(w, fn->args, fn->n_args, from, to, arena, args));
    }
    if (fn->filter >= 0) {
        NB_TRY(nb_window_gather(w, &fn->filter, 1, from, to, arena, &filter));
    }
    for (nb_window_part p = {from, from}; p.from < to; p.from = p.to) {
        nb_vector mine[9], test;
        int64_t n;
        p.to = part_end(w, p.from, to);
        n = p.to - p.from;
        int64_t *lo = NB_ARENA_ARRAY(arena, int64_t, n), *hi = NB_ARENA_ARRAY(arena, int64_t, n);
        if (!lo || !hi) {
            return NB_NOMEM;
        }
        NB_TRY(nb_window_frames(w, fn, p, arena, lo, hi, err));
        for (int a = 0; a < fn->n_args; a++) {
            NB_TRY(nb_vector_slice(arena, &args[a], p.from - from, n, &mine[a]));
        }
        if (fn->filter >= 0) {
            NB_TRY(nb_vector_slice(arena, &filter, p.from - from, n, &test));
        }
        NB_TRY(nb_window_aggregate(w, fn, mine, fn->filter >= 0 ? &test : NULL, lo, hi, p, arena,
                                   &result, p.from - from, err));
    }
    return nb_window_out_close(&result, arena);
}

nb_status
nb_window_compute(const nb_window *w, int64_t from, int64_t to, nb_arena *arena, nb_vector *results,
                  nb_error *err)
{
    for (int f = 0; f < w->n_fns; f++) {
        const nb_window_fn *fn = &w->fns[f];
        if (nb_cancelled(w->cancel)) {
            return NB_CANCELLED;
        }
        if (fn->kind == NB_WINDOW_AGGREGATE) {
            NB_TRY(aggregate_block(w, fn, from, to, arena, &results[f], err));
        } else if (fn->kind == NB_WINDOW_LAG || fn->kind == NB_WINDOW_NTH_VALUE) {
            uint32_t *found = NB_ARENA_ARRAY(arena, uint32_t, to - from);
            if (!found) {
                return NB_NOMEM;
            }
            for (nb_window_part p = {from, from}; p.from < to; p.from = p.to) {
                p.to = part_end(w, p.from, to);
                NB_TRY(find_rows(w, fn, p, from, found, arena, err));
            }
            NB_TRY(values_of(w, fn, found, from, to - from, arena, &results[f]));
        } else {
            NB_TRY(nb_vector_alloc(arena, fn->expr->type, to - from, &results[f]));
            for (nb_window_part p = {from, from}; p.from < to; p.from = p.to) {
                p.to = part_end(w, p.from, to);
                ranks(w, fn, p, from, &results[f]);
            }
        }
    }
    return NB_OK;
}

/* ---- the source ---- */

static void
window_close_local(nb_source *src, void *local)
{
    window_source *s = (window_source *)src;
    window_local *l = local;

    nb_arena_free(l->arena);
    if (l->results) {
        nb_pool_dealloc(l->pool, l->results, sizeof(nb_vector) * (size_t)(s->w.n_fns + 1));
    }
    nb_pool_dealloc(l->pool, l, sizeof *l);
}

static nb_status
window_open_local(nb_source *src, nb_pool *pool, void **local, nb_error *err)
{
    window_source *s = (window_source *)src;
    window_local *l = nb_pool_zalloc(pool, sizeof *l);

    (void)err;
    if (!l) {
        return NB_NOMEM;
    }
    l->pool = pool;
    l->arena = nb_arena_new(pool);
    l->results = nb_pool_zalloc(pool, sizeof(nb_vector) * (size_t)(s->w.n_fns + 1));
    if (!l->arena || !l->results) {
        window_close_local(src, l);
        return NB_NOMEM;
    }
    *local = l;
    return NB_OK;
}

nb_status
nb_window_rows(const nb_window *w, const nb_vector *results, int64_t base, int64_t at, int64_t n,
               nb_arena *scratch, nb_batch *out)
{
    NB_TRY(nb_batch_init(scratch, w->n_child + w->n_fns, n, out));
    NB_TRY(nb_rows_gather(&w->index, NULL, w->n_child, w->ids + at, n, scratch, out->cols));
    for (int f = 0; f < w->n_fns; f++) {
        NB_TRY(nb_vector_slice(scratch, &results[f], at - base, n, &out->cols[w->n_child + f]));
    }
    return NB_OK;
}

static nb_status
window_next(nb_source *src, void *local, nb_arena *scratch, nb_batch *out, nb_error *err)
{
    window_source *s = (window_source *)src;
    const nb_window *w = &s->w;
    window_local *l = local;
    int64_t n;

    if (l->at >= l->to) {
        l->block = atomic_fetch_add(&s->next_block, 1);
        if (l->block >= w->n_blocks) {
            return NB_DONE;
        }
        l->at = l->from = w->blocks[l->block];
        l->to = w->blocks[l->block + 1];
        nb_arena_reset(l->arena);
        NB_TRY(nb_window_compute(w, l->from, l->to, l->arena, l->results, err));
    }
    n = NB_MIN(l->to - l->at, NB_BATCH_ROWS);
    NB_TRY(nb_window_rows(w, l->results, l->from, l->at, n, scratch, out));
    out->order = (uint64_t)l->block;
    l->at += n;
    atomic_fetch_add_explicit(&src->rows_read, n, memory_order_relaxed);
    return NB_OK;
}

static void
window_free(nb_source *src)
{
    nb_window *w = &((window_source *)src)->w;
    nb_pool *pool = w->pool;

    if (w->ids) {
        nb_pool_dealloc(pool, w->ids, (size_t)w->n_rows * sizeof(uint32_t));
    }
    if (w->starts) {
        nb_pool_dealloc(pool, w->starts, (size_t)w->n_rows);
    }
    nb_table_release(w->table);
    nb_arena_free(w->arena);
    nb_pool_dealloc(pool, src, sizeof(window_source));
}

static const nb_source_ops WINDOW_SOURCE = {
    .name = "window",
    .open_local = window_open_local,
    .next = window_next,
    .close_local = window_close_local,
    .free = window_free,
};

/* ---- marks and blocks ---- */

typedef struct marking {
    nb_window *w;
    atomic_llong next;
    _Atomic nb_status st;
} marking;

/* flags[i] |= bit where row i of v differs from row i - 1. */
static void
differs(const nb_vector *v, int64_t n, uint8_t bits, uint8_t *flags)
{
    nb_phys phys = nb_type_storage(v->type)->phys;

    if (!v->validity && v->kind == NB_VEC_FLAT && phys == NB_PHYS_INT64) {
        const int64_t *d = v->data;
        for (int64_t i = 1; i < n; i++) {
            flags[i] |= (uint8_t)(-(d[i] != d[i - 1]) & bits);
        }
    } else if (!v->validity && v->kind == NB_VEC_FLAT && phys == NB_PHYS_INT32) {
        const int32_t *d = v->data;
        for (int64_t i = 1; i < n; i++) {
            flags[i] |= (uint8_t)(-(d[i] != d[i - 1]) & bits);
        }
    } else {
        for (int64_t i = 1; i < n; i++) {
            if ((flags[i] & bits) != bits && nb_vector_compare(v, i, v, i - 1) != 0) {
                flags[i] |= bits;
            }
        }
    }
}

static void
mark_rows(void *payload, int number)
{
    marking *m = payload;
    nb_window *w = m->w;
    nb_arena *arena = nb_arena_new(w->pool);
    nb_status st = arena ? NB_OK : NB_NOMEM;
    nb_vector *cols = arena ? NB_ARENA_ARRAY(arena, nb_vector, w->n_keys + 1) : NULL;
    nb_arena *scratch = nb_arena_new(w->pool);

    (void)number;
    st = cols && scratch ? st : NB_NOMEM;
    while (st >= 0) {
        int64_t from = atomic_fetch_add(&m->next, 1) * (NB_BATCH_ROWS - 1), n;
        uint8_t flags[NB_BATCH_ROWS] = {0};
        if (from >= w->n_rows) {
            break;
        }
        /* blocks overlap by a row, so that each neighbouring pair lies in one of them */
        n = NB_MIN(w->n_rows - from, NB_BATCH_ROWS);
        nb_arena_reset(scratch);
        for (int k = 0; k < w->n_keys && st >= 0; k++) {
            st = nb_rows_gather(&w->index, &w->keys[k].col, 1, w->ids + from, n, scratch, &cols[k]);
            if (st >= 0) {
                differs(&cols[k], n, k < w->n_partition ? 3 : 2, flags);
            }
        }
        if (st >= 0) {
            memcpy(w->starts + from + 1, flags + 1, (size_t)(n - 1));
        }
        if (nb_cancelled(w->cancel)) {
            st = NB_CANCELLED;
        }
    }
    if (st < 0) {
        m->st = st;
    }
    nb_arena_free(arena);
    nb_arena_free(scratch);
}

nb_status
nb_window_mark(nb_window *w, int n_threads)
{
    marking m = {.w = w};

    w->starts = nb_pool_zalloc(w->pool, (size_t)w->n_rows);
    if (!w->starts) {
        return NB_NOMEM;
    }
    nb_threads_run(n_threads, mark_rows, &m);
    NB_TRY(m.st);
    w->starts[0] = 3;
    return NB_OK;
}

static nb_status
cut(nb_window *w)
{
    int64_t cap, at = 0;

    cap = w->n_rows / BLOCK_ROWS + 2;
    w->blocks = NB_ARENA_ARRAY(w->arena, int64_t, cap);
    if (!w->blocks) {
        return NB_NOMEM;
    }
    while (at < w->n_rows) {
        w->blocks[w->n_blocks++] = at;
        at = NB_MIN(at + BLOCK_ROWS, w->n_rows);
        while (at < w->n_rows && !(w->starts[at] & 1)) {
            at++;
        }
    }
    w->blocks[w->n_blocks] = w->n_rows;
    return NB_OK;
}

/* ---- from the plan ---- */

typedef struct extras {
    nb_expr **exprs; /* keys and arguments, in the order in which they are asked for */
    int n, cap;
    nb_arena *arena;
} extras;

static nb_status
want(extras *x, nb_expr *e, int *slot)
{
    for (int i = 0; i < x->n; i++) {
        if (nb_expr_equal(x->exprs[i], e) && e->deterministic) {
            *slot = i;
            return NB_OK;
        }
    }
    if (x->n == x->cap) {
        int cap = x->cap ? x->cap * 2 : 16;
        nb_expr **grown = NB_ARENA_ARRAY(x->arena, nb_expr *, cap);
        if (!grown) {
            return NB_NOMEM;
        }
        if (x->n) {
            memcpy(grown, x->exprs, sizeof(nb_expr *) * (size_t)x->n);
        }
        x->exprs = grown;
        x->cap = cap;
    }
    *slot = x->n;
    x->exprs[x->n++] = e;
    return NB_OK;
}

/* A constant number, as integer and as float; µs for intervals over timestamps, days over dates. */
static nb_status
constant(nb_arena *arena, const nb_session_info *info, nb_expr *e, const nb_type *order,
         int64_t *as_int, double *as_float, nb_error *err)
{
    const nb_vector *v;
    nb_expr *number;

    NB_TRY(nb_expr_fold(arena, e, info, &e, err));
    if (e->kind != NB_EXPR_LITERAL || nb_vector_is_null(e->u.literal.value, 0)) {
        return nb_raise_unsupported(err, "A window bound or offset that is no constant");
    }
    v = e->u.literal.value;
    if (e->type->id == NB_TYPE_INTERVAL_DT) {
        int64_t us = NB_DATA(int64_t, v)[0];
        *as_int = order && order->id == NB_TYPE_DATE ? us / 86400000000LL : us;
        *as_float = (double)*as_int;
        return NB_OK;
    }
    NB_TRY(nb_expr_cast(arena, e, nb_type_of(NB_TYPE_FLOAT64), NB_CAST_ANSI, &number, err));
    NB_TRY(nb_expr_fold(arena, number, info, &number, err));
    *as_float = NB_DATA(double, number->u.literal.value)[0];
    if (order && order->id == NB_TYPE_DECIMAL) { /* in units of the column's scale */
        NB_TRY(nb_expr_cast(arena, e, order, NB_CAST_ANSI, &number, err));
        NB_TRY(nb_expr_fold(arena, number, info, &number, err));
        v = number->u.literal.value;
        *as_int = order->phys == NB_PHYS_INT64 ? NB_DATA(int64_t, v)[0]
                                               : (int64_t)NB_DATA(nb_int128, v)[0];
        return NB_OK;
    }
    if (*as_float >= -9e18 && *as_float <= 9e18) {
        *as_int = (int64_t)*as_float;
        if (nb_type_is_integral(e->type)) {
            NB_TRY(nb_expr_cast(arena, e, nb_type_of(NB_TYPE_INT64), NB_CAST_ANSI, &number, err));
            NB_TRY(nb_expr_fold(arena, number, info, &number, err));
            *as_int = NB_DATA(int64_t, number->u.literal.value)[0];
        }
    }
    return NB_OK;
}

/* The bound of a RANGE frame: a number in units of the order column, or, of months, a column of its own. */
static nb_status
range_bound(nb_window *w, extras *x, const nb_sort_key *key, nb_expr *offset, int64_t *as_int,
            double *as_float, int *column, nb_error *err)
{
    nb_expr *args[2] = {key->expr, offset}, *bound;
    const char *name = key->descending ? "-" : "+";

    *column = -1;
    if (offset->type->id != NB_TYPE_INTERVAL_YM && offset->type->id != NB_TYPE_INTERVAL) {
        return constant(x->arena, w->info, offset, key->expr->type, as_int, as_float, err);
    }
    NB_TRY(nb_function_bind(x->arena, w->info, nb_function_find(nb_str_of(name)), nb_str_of(name),
                            args, 2, NULL, &bound, err));
    if (!nb_type_same_ignoring_null(bound->type, key->expr->type)) {
        return nb_raise_unsupported(err, "A window bound in months and times over dates");
    }
    return want(x, bound, column);
}

static bool
is_named(const nb_expr *call, const char *name)
{
    return call->u.call.fn == nb_function_find(nb_str_of(name));
}

static nb_status
set_up_call(nb_window *w, nb_window_fn *f, extras *x, nb_error *err)
{
    const nb_expr *c = f->fn;
    double unused;
    static const struct {
        const char *name;
        nb_window_kind kind;
    } kinds[] = {{"row_number", NB_WINDOW_ROW_NUMBER},
                 {"rank", NB_WINDOW_RANK},
                 {"dense_rank", NB_WINDOW_DENSE_RANK},
                 {"percent_rank", NB_WINDOW_PERCENT_RANK},
                 {"cume_dist", NB_WINDOW_CUME_DIST},
                 {"ntile", NB_WINDOW_NTILE},
                 {"lag", NB_WINDOW_LAG},
                 {"lead", NB_WINDOW_LAG},
                 {"nth_value", NB_WINDOW_NTH_VALUE}};
    size_t k = 0;

    while (k < NB_COUNT_OF(kinds) && !is_named(c, kinds[k].name)) {
        k++;
    }
    if (k == NB_COUNT_OF(kinds)) {
        return nb_raise_unsupported(err, "The window function %s", c->u.call.fn->names);
    }
    f->kind = kinds[k].kind;
    f->offset = 1;
    if (f->kind == NB_WINDOW_NTILE && c->n_args > 0) {
        NB_TRY(constant(x->arena, w->info, c->args[0], NULL, &f->offset, &unused, err));
        if (f->offset <= 0) {
            char *number = nb_arena_printf(x->arena, "%lld", (long long)f->offset);
            char *text = nb_arena_printf(x->arena, "\"ntile(%lld)\"", (long long)f->offset);

            if (number == NULL || text == NULL) {
                return NB_NOMEM;
            }
            nb_raise(err, NB_COND_DATATYPE_MISMATCH_VALUE_OUT_OF_RANGE, "sqlExpr", text, "exprName",
                     "buckets", "valueRange", "(0, 2147483647]", "currentValue", number, NULL);
            nb_expr_error_context(c->origin, err);
            return NB_ERROR;
        }
    }
    if (f->kind == NB_WINDOW_LAG || f->kind == NB_WINDOW_NTH_VALUE) {
        NB_TRY(want(x, c->args[0], &f->args[0]));
        f->n_args = 1;
        if (c->n_args > 1) {
            NB_TRY(constant(x->arena, w->info, c->args[1], NULL, &f->offset, &unused, err));
        }
        if (is_named(c, "lag")) {
            f->offset = -f->offset;
        }
        if (f->kind == NB_WINDOW_LAG && c->n_args > 2) {
            NB_TRY(want(x, c->args[2], &f->fallback));
        }
    }
    return NB_OK;
}

static nb_status
set_up(nb_window *w, nb_node *node, extras *x, nb_error *err)
{
    nb_arena *arena = x->arena;
    int n_order = node->u.window.n_order_by;

    w->n_partition = node->u.window.n_partition_by;
    w->n_keys = w->n_partition + n_order;
    w->n_fns = node->u.window.n_functions;
    w->keys = NB_ARENA_ARRAY(arena, nb_sort_col, w->n_keys + 1);
    w->fns = nb_arena_zalloc(arena, sizeof(nb_window_fn) * (size_t)(w->n_fns + 1));
    if (!w->keys || !w->fns) {
        return NB_NOMEM;
    }
    for (int i = 0; i < w->n_keys; i++) {
        const nb_sort_key *o =
            i < w->n_partition ? NULL : &node->u.window.order_by[i - w->n_partition];
        w->keys[i] =
            (nb_sort_col){.descending = o && o->descending, .nulls_last = o && o->nulls_last};
        NB_TRY(want(x, o ? o->expr : node->u.window.partition_by[i], &w->keys[i].col));
    }
    for (int i = 0; i < w->n_fns; i++) {
        nb_window_fn *f = &w->fns[i];
        const nb_sort_key *order = n_order ? &node->u.window.order_by[0] : NULL;
        f->expr = node->u.window.functions[i];
        f->fn = f->expr->u.window.fn;
        f->frame = &f->expr->u.window.spec->frame;
        f->ignore_nulls = f->expr->u.window.ignore_nulls;
        f->filter = f->fallback = -1;
        f->args = NB_ARENA_ARRAY(arena, int, f->fn->n_args + 1);
        if (!f->args) {
            return NB_NOMEM;
        }
        if (f->fn->kind == NB_EXPR_CALL) {
            NB_TRY(set_up_call(w, f, x, err));
        } else {
            f->kind = NB_WINDOW_AGGREGATE;
            f->n_args = f->fn->n_args;
            for (int a = 0; a < f->n_args; a++) {
                NB_TRY(want(x, f->fn->args[a], &f->args[a]));
            }
            if (f->fn->u.agg.filter) {
                NB_TRY(want(x, f->fn->u.agg.filter, &f->filter));
            }
        }
        f->lower_at = f->upper_at = -1;
        if (!f->frame->is_rows &&
            (f->frame->lower == NB_BOUND_OFFSET || f->frame->upper == NB_BOUND_OFFSET) &&
            n_order != 1) {
            return nb_raise_unsupported(err, "A range frame with offsets over %d order columns",
                                        n_order);
        }
        if (f->frame->lower == NB_BOUND_OFFSET) {
            NB_TRY(f->frame->is_rows
                       ? constant(x->arena, w->info, f->frame->lower_offset, NULL, &f->lower_int,
                                  &f->lower_float, err)
                       : range_bound(w, x, order, f->frame->lower_offset, &f->lower_int,
                                     &f->lower_float, &f->lower_at, err));
        }
        if (f->frame->upper == NB_BOUND_OFFSET) {
            NB_TRY(f->frame->is_rows
                       ? constant(x->arena, w->info, f->frame->upper_offset, NULL, &f->upper_int,
                                  &f->upper_float, err)
                       : range_bound(w, x, order, f->frame->upper_offset, &f->upper_int,
                                     &f->upper_float, &f->upper_at, err));
        }
    }
    return NB_OK;
}

nb_status
nb_build_window(nb_run *run, nb_node *node, nb_stream **out, nb_error *err)
{
    const nb_exec_ctx *ctx = nb_run_ctx(run);
    window_source *s = nb_pool_zalloc(ctx->pool, sizeof *s);
    extras x = {.arena = nb_run_arena(run)};
    nb_build_sort rows = {0};
    nb_window *w;
    nb_source *sorted;
    int *columns;
    nb_status st;

    if (!s) {
        return NB_NOMEM;
    }
    w = &s->w;
    w->pool = ctx->pool;
    w->info = ctx->info;
    w->cancel = ctx->cancel;
    w->n_child = node->children[0]->schema->n_children;
    s->base.ops = &WINDOW_SOURCE;
    s->base.schema = node->schema;
    s->base.cancel = ctx->cancel;
    s->base.n_partitions = 1;
    NB_TRY_GOTO(st, set_up(w, node, &x, err), fail);
    columns = NB_ARENA_ARRAY(x.arena, int, x.n + 1);
    NB_TRY_GOTO(st, columns ? NB_OK : NB_NOMEM, fail);
    if (node->u.window.n_order_by > 0) {
        rows.limit = node->u.window.limit;
        rows.limits_values = node->u.window.limits_values;
        rows.n_limited = w->n_partition;
    }
    rows.n_together = w->n_partition > 0 ? w->n_partition : NB_SORTER_ALL_TOGETHER;
    NB_TRY_GOTO(st,
                nb_build_sorted(run, node, node->children[0], x.exprs, x.n, w->keys, w->n_keys,
                                columns, &rows, err),
                fail);
    for (int f = 0; f < w->n_fns; f++) {
        for (int a = 0; a < w->fns[f].n_args; a++) {
            w->fns[f].args[a] = columns[w->fns[f].args[a]];
        }
        w->fns[f].filter = w->fns[f].filter >= 0 ? columns[w->fns[f].filter] : -1;
        w->fns[f].fallback = w->fns[f].fallback >= 0 ? columns[w->fns[f].fallback] : -1;
        w->fns[f].lower_at = w->fns[f].lower_at >= 0 ? columns[w->fns[f].lower_at] : -1;
        w->fns[f].upper_at = w->fns[f].upper_at >= 0 ? columns[w->fns[f].upper_at] : -1;
    }
    if (rows.sorter) {
        nb_window *plan = NB_ARENA_NEW(x.arena, nb_window);

        if (!plan) {
            nb_sorter_free(rows.sorter);
            st = NB_NOMEM;
            goto fail;
        }
        *plan = *w;
        NB_TRY_GOTO(st, nb_sorter_source(rows.sorter, rows.schema, 0, INT64_MAX, &sorted, err),
                    fail);
        NB_TRY_GOTO(st, nb_window_stream_new(ctx, node, plan, rows.schema, sorted, &sorted), fail);
        window_free(&s->base);
        return nb_stream_from(run, sorted, node, out);
    }
    w->table = rows.table;
    w->ids = rows.ids;
    w->n_rows = w->table->n_rows;
    w->arena = nb_arena_new(ctx->pool);
    NB_TRY_GOTO(st, w->arena ? NB_OK : NB_NOMEM, fail);
    NB_TRY_GOTO(st, nb_row_index_init(w->arena, w->table, &w->index), fail);
    if (w->n_rows) {
        NB_TRY_GOTO(st, nb_window_mark(w, ctx->n_threads), fail);
        NB_TRY_GOTO(st, cut(w), fail);
    }
    return nb_stream_from(run, &s->base, node, out);
fail:
    window_free(&s->base);
    return st;
}
