/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sorter_merge.c: a tree of losers over sorted runs.
 *
 *   tree[0]          the run whose row is next
 *   tree[1 … n - 1]  at each inner node the run that lost there; the leaf of run i is node n + i, its parent (n + i) / 2
 *
 * After a row is taken, its run plays again from leaf to root: log2(n) comparisons, nearly all of them of the keys' first 8 bytes. A run holds
 * one block; rows that were taken from it are gathered before the next one is read, so a batch ends where a block does.
 */
#include "exec/sort_key.h"
#include "exec/sorter_internal.h"

typedef struct cursor {
    const sorter_run *run;
    int block; /* under way */
    nb_block_reader reader;
    nb_chunk rows; /* the block's columns */
    const nb_view *keys;
    int64_t at, n; /* rows of the block that are below `high` */
    uint64_t head; /* of the key at `at` */
    bool ended;
} cursor;

struct sorter_merge {
    nb_sorter *s;
    nb_arena *arena;
    cursor *cursors;
    int n;
    int *tree;
    nb_table table;  /* the cursors' chunks, for gathering */
    nb_vector *none; /* columns of cursors that have ended */
    nb_place *places;
    nb_str high;
    int stale; /* its block is used up; -1: none */
};

static int
compare_keys(const nb_view *a, nb_str b)
{
    return nb_str_compare(nb_view_str(a), b);
}

/* Does a's row come after b's? */
static bool
after(const sorter_merge *m, int a, int b)
{
    const cursor *x = &m->cursors[a], *y = &m->cursors[b];
    int r;

    if (x->ended || y->ended) {
        return x->ended && (!y->ended || a > b);
    }
    if (x->head != y->head) {
        return x->head > y->head;
    }
    r = compare_keys(&x->keys[x->at], nb_view_str(&y->keys[y->at]));
    return r != 0 ? r > 0 : a > b;
}

static void
play(sorter_merge *m, int i)
{
    for (int node = (m->n + i) / 2; node > 0; node /= 2) {
        if (after(m, i, m->tree[node])) {
            int winner = m->tree[node];

            m->tree[node] = i;
            i = winner;
        }
    }
    m->tree[0] = i;
}

/* The first row of [0, n) whose key is not below `key`. */
static int64_t
lower_bound(const nb_view *keys, int64_t n, nb_str key)
{
    int64_t from = 0, to = n;

    while (from < to) {
        int64_t mid = (from + to) / 2;

        if (compare_keys(&keys[mid], key) < 0) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    return from;
}

/* Reads the cursor's block; it has ended when all of it lies behind. */
static nb_status
read_block(sorter_merge *m, cursor *c, nb_error *err)
{
    nb_vector *cols;

    c->ended =
        c->block >= c->run->n_blocks ||
        (m->high.len > 0 && nb_str_compare(c->run->blocks[c->block].first_key, m->high) >= 0);
    if (c->ended) {
        nb_block_reader_free(&c->reader);
        c->rows.cols = m->none;
        return NB_OK;
    }
    NB_TRY(nb_block_read(&c->reader, nb_block_files_get(m->s->files, c->run->file),
                         &c->run->blocks[c->block].ref, m->s->schema, &cols, err));
    c->rows.cols = cols;
    c->rows.n_rows = c->n = c->run->blocks[c->block].ref.n_rows;
    c->keys = NB_DATA(nb_view, &cols[m->s->schema->n_children - 1]);
    c->at = 0;
    if (m->high.len > 0 && compare_keys(&c->keys[c->n - 1], m->high) >= 0) {
        c->n = lower_bound(c->keys, c->n, m->high);
    }
    c->head = nb_sort_key_head(&c->keys[0]);
    return NB_OK;
}

static nb_status
start_cursor(sorter_merge *m, cursor *c, nb_str low, nb_error *err)
{
    const sorter_run *run = c->run;
    int from = 0, to = run->n_blocks;

    while (low.len > 0 && from < to) { /* the first block that begins at or behind low */
        int mid = (from + to) / 2;

        if (nb_str_compare(run->blocks[mid].first_key, low) < 0) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    c->block = NB_MAX(from - 1, 0);
    NB_TRY(nb_block_reader_init(&c->reader, m->s->pool));
    NB_TRY(read_block(m, c, err));
    while (!c->ended && low.len > 0) {
        c->at = lower_bound(c->keys, c->n, low);
        if (c->at < c->n) {
            c->head = nb_sort_key_head(&c->keys[c->at]);
            break;
        }
        c->block++;
        NB_TRY(read_block(m, c, err));
    }
    return NB_OK;
}

nb_status
nb_sorter_merge_new(nb_sorter *s, const sorter_run *runs, int n, nb_str low, nb_str high,
                    sorter_merge **out, nb_error *err)
{
    nb_arena *arena = nb_arena_new(s->pool);
    sorter_merge *m = arena ? NB_ARENA_NEW(arena, sorter_merge) : NULL;
    nb_status st = NB_NOMEM;

    if (m == NULL) {
        nb_arena_free(arena);
        return NB_NOMEM;
    }
    *m = (sorter_merge){.s = s, .arena = arena, .n = n, .high = high, .stale = -1};
    m->cursors = nb_arena_zalloc(arena, (size_t)n * sizeof(cursor));
    m->tree = NB_ARENA_ARRAY(arena, int, n + 1);
    m->places = NB_ARENA_ARRAY(arena, nb_place, NB_BATCH_ROWS);
    m->none = nb_arena_zalloc(arena, (size_t)s->schema->n_children * sizeof(nb_vector));
    m->table = (nb_table){.schema = s->schema, .n_chunks = n};
    m->table.chunks = NB_ARENA_ARRAY(arena, nb_chunk *, n);
    if (m->cursors == NULL || m->tree == NULL || m->places == NULL || m->none == NULL ||
        m->table.chunks == NULL) {
        goto fail;
    }
    for (int i = 0; i < n; i++) {
        cursor *c = &m->cursors[i];

        c->run = &runs[i];
        m->table.chunks[i] = &c->rows;
        c->rows.cols = m->none;
        NB_TRY_GOTO(st, start_cursor(m, c, low, err), fail);
    }
    for (int i = n - 1; i >= 0; i--) { /* winners of the inner nodes, then their losers */
        m->tree[i] = -1;
    }
    for (int i = 0; i < n; i++) {
        int winner = i, node = (n + i) / 2;

        /* the first that comes to a node waits there for the other one */
        for (; node > 0 && m->tree[node] >= 0; node /= 2) {
            if (after(m, winner, m->tree[node])) {
                int other = m->tree[node];

                m->tree[node] = winner;
                winner = other;
            }
        }
        if (node > 0) {
            m->tree[node] = winner;
        } else {
            m->tree[0] = winner;
        }
    }
    *out = m;
    return NB_OK;
fail:
    nb_sorter_merge_free(m);
    return st;
}

void
nb_sorter_merge_free(sorter_merge *m)
{
    if (m == NULL) {
        return;
    }
    for (int i = 0; m->cursors != NULL && i < m->n; i++) {
        nb_block_reader_free(&m->cursors[i].reader);
    }
    nb_arena_free(m->arena);
}

nb_status
nb_sorter_merge_next(sorter_merge *m, int64_t most, nb_arena *arena, nb_vector *cols, int64_t *n,
                     nb_error *err)
{
    bool by_partition = m->s->spec.by_partition;
    uint64_t partition = 0;
    int64_t k = 0;

    if (m->stale >= 0) {
        cursor *c = &m->cursors[m->stale];

        if (c->n < c->rows.n_rows) { /* the rest lies beyond `high` */
            c->ended = true;
        } else {
            c->block++;
            NB_TRY(read_block(m, c, err));
        }
        play(m, m->stale);
        m->stale = -1;
    }
    while (k < most) {
        int i = m->tree[0];
        cursor *c = &m->cursors[i];

        if (c->ended) {
            break;
        }
        if (by_partition && k > 0 && c->head >> 32 != partition) {
            break;
        }
        partition = c->head >> 32;
        m->places[k++] = (nb_place){(uint32_t)i, (uint32_t)c->at++};
        if (c->at == c->n) {
            m->stale = i;
            break;
        }
        c->head = nb_sort_key_head(&c->keys[c->at]);
        play(m, i);
    }
    *n = k;
    return k ? nb_places_gather(&m->table, NULL, m->s->schema->n_children, m->places, k, arena,
                                cols)
             : NB_OK;
}
