/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chunk_builder.c: collects batches into one chunk of long vectors.
 *
 * Each column grows in pieces from the pool (nb_pool_realloc: long ones move by remapping). Strings of more than 12 bytes go
 * to heap blocks that never move, because views point into them. nb_chunk_builder_finish hands all pieces to the chunk as
 * buffers that know how to give themselves back.
 */
#include "column/table.h"
#include "column/vector_internal.h"

#define FIRST_ROWS     64
#define HEAP_BLOCK     ((size_t)16 * 1024)
#define HEAP_BLOCK_MAX ((size_t)1024 * 1024)
#define HEAP_BLOCKS    64 /* as many of them does a chunk of common length have, at most */
#define APPEND_BLOCK   NB_BATCH_ROWS

typedef struct piece {
    uint8_t *data;
    size_t cap;
    size_t expected; /* of a steady builder: the longest there has been */
} piece;

typedef struct column {
    const nb_type *type;
    nb_phys phys;
    int width;
    bool nulls;           /* validity is kept from the first null on */
    int64_t n_rows, mark; /* mark: n_rows before the append that is under way */
    piece data, validity;
    struct column *children;
    int n_children;
} column;

typedef struct heap_block {
    struct heap_block *next;
    size_t used, cap; /* cap includes this header */
} heap_block;

struct nb_chunk_builder {
    nb_pool *pool;
    nb_arena *arena;   /* the columns */
    nb_arena *scratch; /* of one append */
    column *cols;
    int n_cols;
    int64_t n_rows;
    int n_vectors;    /* columns with all that are nested in them */
    nb_arena *spare;  /* of the chunk under way; NULL before its first row */
    heap_block *heap; /* newest first */
    size_t bytes;     /* held in pieces and heap blocks */
    bool steady;
    uint64_t order;
    int32_t partition;
};

static nb_status
column_init(nb_chunk_builder *b, const nb_type *type, column *out)
{
    const nb_type *storage = nb_type_storage(type);

    b->n_vectors++;
    *out = (column){.type = type, .phys = storage->phys, .width = nb_phys_width(storage->phys)};
    if (out->phys == NB_PHYS_LIST || out->phys == NB_PHYS_STRUCT) {
        out->n_children = storage->n_children;
        out->children = NB_ARENA_ARRAY(b->arena, column, out->n_children);
        if (out->children == NULL) {
            return NB_NOMEM;
        }
        for (int i = 0; i < out->n_children; i++) {
            NB_TRY(column_init(b, storage->children[i].type, &out->children[i]));
        }
    }
    return NB_OK;
}

nb_status
nb_chunk_builder_new(nb_pool *pool, const nb_type *schema, nb_chunk_builder **out)
{
    nb_chunk_builder *b = nb_pool_zalloc(pool, sizeof(*b));

    if (b == NULL) {
        return NB_NOMEM;
    }
    b->pool = pool;
    b->n_cols = schema->n_children;
    b->arena = nb_arena_new(pool);
    b->scratch = nb_arena_new(pool);
    if (b->arena != NULL && b->scratch != NULL) {
        b->cols = NB_ARENA_ARRAY(b->arena, column, b->n_cols);
    }
    if (b->cols == NULL) {
        goto nomem;
    }
    for (int i = 0; i < b->n_cols; i++) {
        if (column_init(b, schema->children[i].type, &b->cols[i]) < 0) {
            goto nomem;
        }
    }
    *out = b;
    return NB_OK;
nomem:
    nb_arena_free(b->arena);
    nb_arena_free(b->scratch);
    nb_pool_dealloc(pool, b, sizeof(*b));
    return NB_NOMEM;
}

static void
piece_free(nb_chunk_builder *b, piece *p)
{
    nb_pool_dealloc(b->pool, p->data, p->cap);
    b->bytes -= p->cap;
    *p = (piece){.expected = p->expected};
}

static void
column_clear(nb_chunk_builder *b, column *c)
{
    piece_free(b, &c->data);
    piece_free(b, &c->validity);
    c->n_rows = 0;
    c->nulls = false;
    for (int i = 0; i < c->n_children; i++) {
        column_clear(b, &c->children[i]);
    }
}

static void
builder_clear(nb_chunk_builder *b)
{
    for (int i = 0; i < b->n_cols; i++) {
        column_clear(b, &b->cols[i]);
    }
    while (b->heap != NULL) {
        heap_block *next = b->heap->next;
        b->bytes -= b->heap->cap;
        nb_pool_dealloc(b->pool, b->heap, b->heap->cap);
        b->heap = next;
    }
    b->n_rows = 0;
}

void
nb_chunk_builder_free(nb_chunk_builder *b)
{
    if (b != NULL) {
        builder_clear(b);
        nb_arena_free(b->arena);
        nb_arena_free(b->scratch);
        nb_arena_free(b->spare);
        nb_pool_dealloc(b->pool, b, sizeof(*b));
    }
}

static nb_status
piece_grow(nb_chunk_builder *b, piece *p, size_t need)
{
    size_t cap = NB_MAX(NB_MAX(p->cap * 2, p->expected), NB_ALIGN_UP(need, 64));
    uint8_t *data;

    if (need <= p->cap) {
        return NB_OK;
    }
    data = nb_pool_realloc(b->pool, p->data, p->cap, cap);
    if (data == NULL && cap > need) { /* no room to double: take what is needed */
        cap = NB_ALIGN_UP(need, 64);
        data = nb_pool_realloc(b->pool, p->data, p->cap, cap);
    }
    if (data == NULL) {
        return NB_NOMEM;
    }
    b->bytes += cap - p->cap;
    p->data = data;
    p->cap = cap;
    return NB_OK;
}

static nb_status
column_reserve(nb_chunk_builder *b, column *c, int64_t n, bool nulls)
{
    int64_t rows = NB_MAX(c->n_rows + n, (int64_t)FIRST_ROWS);

    if (c->n_rows + n > INT32_MAX) {
        return NB_NOMEM;
    }
    if (c->width > 0) {
        NB_TRY(piece_grow(b, &c->data, (size_t)rows * (size_t)c->width));
    }
    if (nulls || c->nulls) {
        NB_TRY(piece_grow(b, &c->validity, NB_BITMAP_BYTES(rows)));
        if (!c->nulls) {
            nb_bitmap_fill((uint64_t *)c->validity.data, c->n_rows, true);
            c->nulls = true;
        }
    }
    return NB_OK;
}

static char *
heap_alloc(nb_chunk_builder *b, size_t n)
{
    heap_block *h = b->heap;

    if (h == NULL || h->cap - h->used < n) {
        size_t cap = h ? NB_MIN(h->cap * 2, HEAP_BLOCK_MAX) : HEAP_BLOCK;
        cap = NB_MAX(cap, NB_ALIGN_UP(n + sizeof(*h), 64));
        h = nb_pool_alloc(b->pool, cap);
        if (h == NULL) {
            return NULL;
        }
        *h = (heap_block){b->heap, sizeof(*h), cap};
        b->heap = h;
        b->bytes += cap;
    }
    h->used += n;
    return (char *)h + h->used - n;
}

static nb_status
column_append(nb_chunk_builder *b, column *c, const nb_vector *v, const uint32_t *idx, int64_t n);

static nb_status
append_strings(nb_chunk_builder *b, column *c, const nb_vector *flat, const uint32_t *idx,
               int64_t n)
{
    const nb_view *src = flat->data;
    nb_view *dst = (nb_view *)c->data.data + c->n_rows;
    size_t bytes = 0;
    char *heap;

    for (int64_t i = 0; i < n; i++) {
        int64_t row = idx ? idx[i] : i;
        dst[i] = nb_is_valid(flat->validity, row) ? src[row] : (nb_view){0};
        bytes += dst[i].len > NB_VIEW_INLINE ? dst[i].len : 0;
    }
    if (bytes == 0) {
        return NB_OK;
    }
    heap = heap_alloc(b, bytes);
    if (heap == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        if (dst[i].len > NB_VIEW_INLINE) {
            memcpy(heap, dst[i].ptr, dst[i].len);
            dst[i].ptr = heap;
            heap += dst[i].len;
        }
    }
    return NB_OK;
}

static nb_status
append_lists(nb_chunk_builder *b, column *c, const nb_vector *flat, const uint32_t *idx, int64_t n)
{
    const nb_list *src = flat->data;
    nb_list *dst = (nb_list *)c->data.data + c->n_rows;
    uint32_t first, *rows, at = 0, base = (uint32_t)c->children[0].n_rows;
    bool contiguous;
    int64_t total = nb_lists_span(flat, idx, n, &first, &contiguous);

    if (base + total > INT32_MAX) {
        return NB_NOMEM;
    }
    rows = NB_ARENA_ARRAY(b->scratch, uint32_t, total);
    if (rows == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t row = idx ? idx[i] : i;
        nb_list l = nb_is_valid(flat->validity, row) ? src[row] : (nb_list){0, 0};
        for (uint32_t k = 0; k < l.len; k++) {
            rows[at + k] = l.offset + k;
        }
        dst[i] = (nb_list){l.len ? base + at : 0, l.len};
        at += l.len;
    }
    for (int i = 0; i < c->n_children; i++) {
        nb_vector part;
        if (contiguous) {
            NB_TRY(nb_vector_slice(b->scratch, &flat->children[i], first, total, &part));
            NB_TRY(column_append(b, &c->children[i], &part, NULL, total));
        } else {
            NB_TRY(column_append(b, &c->children[i], &flat->children[i], rows, total));
        }
    }
    return NB_OK;
}

/* On failure a column may be longer than its siblings: the caller takes back to the mark. */
static nb_status
column_append(nb_chunk_builder *b, column *c, const nb_vector *v, const uint32_t *idx, int64_t n)
{
    const nb_vector *flat;
    const uint32_t *rows;
    uint32_t *tmp = NULL;

    if (n == 0) {
        return NB_OK;
    }
    if (v->kind != NB_VEC_FLAT) {
        tmp = NB_ARENA_ARRAY(b->scratch, uint32_t, n);
        if (tmp == NULL) {
            return NB_NOMEM;
        }
    }
    nb_vector_resolve(v, idx, n, tmp, &flat, &rows);
    NB_TRY(column_reserve(b, c, n, flat->validity != NULL && c->phys != NB_PHYS_NONE));
    if (c->nulls) {
        uint64_t *bits = (uint64_t *)c->validity.data;
        if (rows == NULL || flat->validity == NULL) {
            nb_bitmap_copy(flat->validity, 0, bits, c->n_rows, n);
        } else {
            for (int64_t i = 0; i < n; i++) {
                nb_bit_put(bits, c->n_rows + i, nb_bit_get(flat->validity, rows[i]));
            }
        }
    }
    switch (c->phys) {
    case NB_PHYS_STRING: NB_TRY(append_strings(b, c, flat, rows, n)); break;
    case NB_PHYS_LIST: NB_TRY(append_lists(b, c, flat, rows, n)); break;
    case NB_PHYS_STRUCT:
        for (int i = 0; i < c->n_children; i++) {
            NB_TRY(column_append(b, &c->children[i], &flat->children[i], rows, n));
        }
        break;
    case NB_PHYS_NONE: break;
    default:
        nb_row_ops_of(c->width)->scatter(flat->data, rows, c->data.data + c->n_rows * c->width,
                                         NULL, n);
    }
    c->n_rows += n;
    return NB_OK;
}

static void
set_mark(column *c, bool back)
{
    if (back) {
        c->n_rows = c->mark;
    } else {
        c->mark = c->n_rows;
    }
    for (int i = 0; i < c->n_children; i++) {
        set_mark(&c->children[i], back);
    }
}

/* Sets memory aside for the chunk itself, so that rows that have filled all memory can still be handed over to be spilled. */
static nb_status
prepare(nb_chunk_builder *b)
{
    size_t lists = 4 * sizeof(void *) * (2 * (size_t)b->n_vectors + HEAP_BLOCKS);

    if (b->spare != NULL) {
        return NB_OK;
    }
    b->spare = nb_arena_new(b->pool);
    if (b->spare == NULL ||
        nb_arena_alloc(b->spare, sizeof(nb_chunk) + (size_t)b->n_vectors * sizeof(nb_vector) +
                                     lists) == NULL) {
        nb_arena_free(b->spare);
        b->spare = NULL;
        return NB_NOMEM;
    }
    nb_arena_reset(b->spare);
    return NB_OK;
}

/* All or nothing: after NB_NOMEM the caller may spill what is here and append the same rows again. */
nb_status
nb_chunk_builder_append_rows(nb_chunk_builder *b, const nb_vector *cols, const uint32_t *idx,
                             int64_t n)
{
    nb_status st = NB_OK;

    NB_TRY(prepare(b));
    for (int i = 0; i < b->n_cols; i++) {
        set_mark(&b->cols[i], false);
    }
    for (int i = 0; i < b->n_cols && st == NB_OK; i++) {
        st = column_append(b, &b->cols[i], &cols[i], idx, n);
        nb_arena_reset(b->scratch);
    }
    if (st < 0) {
        for (int i = 0; i < b->n_cols; i++) {
            set_mark(&b->cols[i], true);
        }
        return st;
    }
    b->n_rows += n;
    return NB_OK;
}

nb_status
nb_chunk_builder_append(nb_chunk_builder *b, nb_batch *batch)
{
    if (b->n_rows == 0) {
        b->order = batch->order;
        b->partition = batch->partition;
    }
    return nb_chunk_builder_append_rows(b, batch->cols, batch->sel, batch->n_rows);
}

int64_t
nb_chunk_builder_rows(const nb_chunk_builder *b)
{
    return b->n_rows;
}

size_t
nb_chunk_builder_bytes(const nb_chunk_builder *b)
{
    return b->bytes;
}

static size_t
column_filled(const column *c)
{
    size_t n = (size_t)c->n_rows * (size_t)c->width + (c->nulls ? NB_BITMAP_BYTES(c->n_rows) : 0);

    for (int i = 0; i < c->n_children; i++) {
        n += column_filled(&c->children[i]);
    }
    return n;
}

size_t
nb_chunk_builder_filled(const nb_chunk_builder *b)
{
    size_t n = 0;

    for (int i = 0; i < b->n_cols; i++) {
        n += column_filled(&b->cols[i]);
    }
    for (const heap_block *h = b->heap; h != NULL; h = h->next) {
        n += h->used;
    }
    return n;
}

void
nb_chunk_builder_steady(nb_chunk_builder *b)
{
    b->steady = true;
}

/* The chunk keeps the memory; on failure it stays the caller's. */
static nb_status
lend(nb_chunk_builder *b, nb_chunk *chunk, void *data, size_t n_bytes)
{
    nb_buffer *buf;
    nb_status st;

    NB_TRY(nb_buffer_adopt(b->pool, data, n_bytes, &buf));
    st = nb_chunk_keep(chunk, buf);
    if (st < 0) {
        nb_buffer_disown(buf);
        return st;
    }
    nb_buffer_release(buf);
    return NB_OK;
}

static nb_status
piece_finish(nb_chunk_builder *b, nb_chunk *chunk, piece *p, size_t used)
{
    size_t fit = NB_ALIGN_UP(used, 64);

    if (p->data == NULL) {
        return NB_OK;
    }
    /* A steady builder's pieces stay of one size, for which there are pieces that were given back. */
    if (fit < p->cap && fit > 0 && (!b->steady || fit < p->cap / 2)) {
        uint8_t *data = nb_pool_realloc(b->pool, p->data, p->cap, fit);
        if (data != NULL) {
            b->bytes -= p->cap - fit;
            p->data = data;
            p->cap = fit;
        }
    }
    memset(p->data + used, 0, NB_MIN(fit, p->cap) - used);
    NB_TRY(lend(b, chunk, p->data, p->cap));
    b->bytes -= p->cap;
    *p = (piece){.expected = b->steady ? NB_MAX(p->expected, fit) : 0};
    return NB_OK;
}

static nb_status
column_finish(nb_chunk_builder *b, nb_chunk *chunk, column *c, nb_vector *v)
{
    nb_vector_init(v, c->type, NB_VEC_FLAT, c->n_rows);
    if (c->n_rows == 0) {
        return nb_vector_alloc(chunk->arena, c->type, 0, v);
    }
    if (c->nulls) {
        size_t last = NB_BITMAP_WORDS(c->n_rows) - 1;
        ((uint64_t *)c->validity.data)[last] &= nb_bitmap_tail_mask(c->n_rows, last);
    }
    if (c->n_children > 0) {
        v->n_children = c->n_children;
        v->children = NB_ARENA_ARRAY(chunk->arena, nb_vector, c->n_children);
        if (v->children == NULL) {
            return NB_NOMEM;
        }
        for (int i = 0; i < c->n_children; i++) {
            NB_TRY(column_finish(b, chunk, &c->children[i], &v->children[i]));
        }
    }
    NB_TRY(piece_finish(b, chunk, &c->data, (size_t)c->n_rows * (size_t)c->width));
    if (c->width > 0) {
        v->data = chunk->buffers[chunk->n_buffers - 1]->data;
    }
    NB_TRY(piece_finish(b, chunk, &c->validity, NB_BITMAP_BYTES(c->n_rows)));
    if (c->nulls) {
        v->validity = (uint64_t *)chunk->buffers[chunk->n_buffers - 1]->data;
    }
    return NB_OK;
}

nb_status
nb_chunk_builder_finish(nb_chunk_builder *b, nb_chunk **out)
{
    nb_chunk *chunk = NULL;
    nb_status st;

    if (b->n_rows == 0) {
        builder_clear(b);
        *out = NULL;
        return NB_OK;
    }
    NB_TRY(prepare(b));
    st = nb_chunk_new_in(b->spare, b->n_cols, &chunk);
    b->spare = NULL;
    NB_TRY(st);
    for (int i = 0; i < b->n_cols; i++) {
        NB_TRY_GOTO(st, column_finish(b, chunk, &b->cols[i], &chunk->cols[i]), fail);
    }
    while (b->heap != NULL) {
        heap_block *h = b->heap, *next = h->next;
        NB_TRY_GOTO(st, lend(b, chunk, h, h->cap), fail);
        b->bytes -= h->cap;
        b->heap = next;
    }
    chunk->n_rows = b->n_rows;
    chunk->order = b->order;
    chunk->partition = b->partition;
    builder_clear(b);
    *out = chunk;
    return NB_OK;
fail:
    nb_chunk_free(chunk);
    return st;
}
