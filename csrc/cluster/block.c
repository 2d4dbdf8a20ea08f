/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block.c: see block.h.
 *
 * Arrow knows fewer types than Spark (no char(n), no user-defined types, no fields of intervals), so what is read back gets the
 * types of the schema again, after a check that it lies in memory as they do. Decimals of 64 bits travel as what they are, integers: Arrow's
 * have 128, and would be widened here, narrowed there and counted for their digits.
 */
#include "cluster/block.h"

#include "base/hash.h"

#define MAGIC 0x6b6c424eu /* "NBlk" */

/* Columns of which a block has nothing but nulls (constants) do not travel: a bit each, of the first MASKED. The first column always does. */
#define MASKED 64

typedef struct header {
    uint32_t magic;
    int32_t partition;
    uint64_t n_rows, n_bytes, checksum, absent;
} header;

_Static_assert(sizeof(header) <= NB_BLOCK_ALIGN, "the header fits");

static void
pad(nb_strbuf *out, size_t from)
{
    nb_strbuf_fill(out, 0, NB_ALIGN_UP(out->len - from, NB_BLOCK_ALIGN) - (out->len - from));
}

static uint64_t
absent_columns(const nb_type *schema, const nb_chunk *chunk)
{
    uint64_t absent = 0;

    for (int i = 1; i < NB_MIN(schema->n_children, MASKED); i++) {
        const nb_vector *v = &chunk->cols[i];

        absent |= (uint64_t)(v->kind == NB_VEC_CONST && nb_vector_is_null(v, 0)) << i;
    }
    return absent;
}

static bool
is_absent(uint64_t absent, int column)
{
    return column < MASKED && (absent >> column & 1);
}

/* What a column travels as. */
static const nb_type *
wire_type(const nb_type *type)
{
    return type->id == NB_TYPE_DECIMAL && type->phys == NB_PHYS_INT64 ? nb_type_of(NB_TYPE_INT64)
                                                                      : type;
}

/* Do all columns travel, and as they are? */
static bool
travels_as_it_is(const nb_type *schema, uint64_t absent)
{
    bool same = absent == 0;

    for (int i = 0; i < schema->n_children; i++) {
        same &= wire_type(schema->children[i].type) == schema->children[i].type;
    }
    return same;
}

/* The columns that travel, as what they are or (wire) as what they travel. NULL: out of memory. */
static const nb_type *
present_type(const nb_type *schema, uint64_t absent, bool wire, nb_arena *scratch)
{
    nb_field *fields = NB_ARENA_ARRAY(scratch, nb_field, schema->n_children + 1);
    int n = 0;

    if (fields == NULL || (wire ? travels_as_it_is(schema, absent) : absent == 0)) {
        return fields ? schema : NULL;
    }
    for (int i = 0; i < schema->n_children; i++) {
        if (!is_absent(absent, i)) {
            fields[n] = schema->children[i];
            fields[n].type = wire ? wire_type(fields[n].type) : fields[n].type;
            n++;
        }
    }
    return nb_type_struct(fields, n);
}

/* The vector as its column travels; it borrows. */
static nb_status
to_wire(nb_arena *arena, const nb_vector *v, nb_vector *out)
{
    nb_vector *dict;

    *out = *v;
    out->type = wire_type(v->type);
    if (v->kind == NB_VEC_DICT && out->type != v->type) {
        dict = NB_ARENA_NEW(arena, nb_vector);
        if (dict == NULL) {
            return NB_NOMEM;
        }
        out->dict = dict;
        return to_wire(arena, v->dict, dict);
    }
    return NB_OK;
}

/* The columns that travel, as a chunk that borrows them. */
static nb_status
narrow(nb_pool *pool, const nb_type *schema, const nb_chunk *chunk, uint64_t absent, nb_chunk **out)
{
    int n = 0;

    NB_TRY(nb_chunk_new(pool, schema->n_children, out));
    for (int i = 0; i < schema->n_children; i++) {
        if (!is_absent(absent, i)) {
            NB_TRY(to_wire((*out)->arena, &chunk->cols[i], &(*out)->cols[n++]));
        }
    }
    (*out)->n_rows = chunk->n_rows;
    return NB_OK;
}

static nb_status
write_stream(nb_pool *pool, const nb_type *schema, nb_chunk *chunk, bool compress, nb_strbuf *out,
             nb_error *err)
{
    nb_arrow_options options = NB_ARROW_OPTIONS_INIT;
    nb_table *table;
    nb_status st;

    NB_TRY(nb_table_new(pool, schema, &table));
    st = nb_table_append(table, nb_chunk_ref(chunk));
    if (st < 0) {
        nb_chunk_free(chunk);
    } else {
        st = nb_arrow_ipc_write_table(table, &options, compress ? NB_ARROW_LZ4 : NB_ARROW_PLAIN,
                                      out, err);
    }
    nb_table_release(table);
    return st;
}

/* The same of the columns that travel. */
static nb_status
write_present(nb_pool *pool, const nb_type *schema, nb_chunk *chunk, uint64_t absent, bool compress,
              nb_strbuf *out, nb_error *err)
{
    nb_arena *scratch = nb_arena_new(NULL);
    const nb_type *present = scratch ? present_type(schema, absent, true, scratch) : NULL;
    nb_chunk *narrowed = NULL;
    nb_status st = present ? NB_OK : NB_NOMEM;

    if (st == NB_OK && present != schema) {
        st = narrow(pool, schema, chunk, absent, &narrowed);
    }
    if (st == NB_OK) {
        st = write_stream(pool, present, narrowed ? narrowed : chunk, compress, out, err);
    }
    nb_chunk_free(narrowed);
    nb_arena_free(scratch);
    return st;
}

nb_status
nb_wire_block_write(nb_pool *pool, const nb_type *schema, nb_chunk *chunk, bool compress,
                    nb_strbuf *out, nb_error *err)
{
    header h = {.magic = MAGIC, .partition = chunk->partition, .n_rows = (uint64_t)chunk->n_rows};
    size_t start = out->len, stream = start + NB_BLOCK_ALIGN;

    h.absent = absent_columns(schema, chunk);
    nb_strbuf_add(out, (nb_str){(const char *)&h, sizeof(h)});
    pad(out, start);
    if (schema->n_children > 0) {
        NB_TRY(write_present(pool, schema, chunk, h.absent, compress, out, err));
    }
    if (out->failed) {
        return NB_NOMEM;
    }
    h.n_bytes = out->len - stream;
    h.checksum = nb_hash_bytes(out->data + stream, h.n_bytes);
    memcpy(out->data + start, &h, sizeof(h));
    pad(out, start);
    return out->failed ? NB_NOMEM : NB_OK;
}

/* ---- reading --------------------------------------------------------------------------------- */

static nb_status
damaged(nb_error *err, const char *what)
{
    return nb_raise(err, NB_COND_INVALID_ARROW_DATA, "fieldName", "", "message", what, NULL);
}

/* Does a vector of type `have` lie in memory as one of type `want`? */
static bool
same_layout(const nb_type *have, const nb_type *want)
{
    want = nb_type_storage(want);
    if (have == want) {
        return true;
    }
    if (have->id != (nb_type_is_string(want) ? NB_TYPE_STRING : want->id) ||
        have->phys != want->phys || have->n_children != want->n_children ||
        have->precision != (want->id == NB_TYPE_TIME ? have->precision : want->precision) ||
        have->scale != want->scale) {
        return false;
    }
    for (int i = 0; i < have->n_children; i++) {
        if (!same_layout(have->children[i].type, want->children[i].type)) {
            return false;
        }
    }
    return true;
}

static bool
retype(nb_vector *v, const nb_type *want)
{
    const nb_type *storage = nb_type_storage(want);

    if (v->kind == NB_VEC_DICT || (v->n_children > 0 && v->n_children != storage->n_children)) {
        return false;
    }
    v->type = want;
    for (int i = 0; i < v->n_children; i++) {
        if (!retype(&v->children[i], storage->children[i].type)) {
            return false;
        }
    }
    return true;
}

/* Rows without columns. */
static nb_status
append_counted(nb_pool *pool, const header *h, nb_table *into, nb_error *err)
{
    nb_chunk *chunk;
    nb_status st;

    if (h->n_bytes != 0 || h->n_rows > INT32_MAX) {
        return damaged(err, "a block without columns is too long");
    }
    NB_TRY(nb_chunk_new(pool, 0, &chunk));
    chunk->n_rows = (int64_t)h->n_rows;
    chunk->partition = h->partition;
    st = nb_table_append(into, chunk);
    if (st < 0) {
        nb_chunk_free(chunk);
    }
    return st;
}

typedef struct slice {
    nb_buffer *whole;
    nb_pool *pool;
} slice;

static void
slice_release(void *payload)
{
    slice *s = payload;

    nb_buffer_release(s->whole);
    nb_pool_dealloc(s->pool, s, sizeof(*s));
}

/* Bytes [at, at + n) of a buffer, as a buffer that holds on to it. */
static nb_status
slice_of(nb_pool *pool, nb_buffer *whole, size_t at, size_t n, nb_buffer **out)
{
    slice *s = nb_pool_alloc(pool, sizeof(*s));

    if (s == NULL) {
        return NB_NOMEM;
    }
    *s = (slice){whole, pool};
    if (nb_buffer_wrap(whole->data + at, n, slice_release, s, out) < 0) {
        nb_pool_dealloc(pool, s, sizeof(*s));
        return NB_NOMEM;
    }
    nb_buffer_ref(whole);
    return NB_OK;
}

/* Nulls where columns have not travelled. */
static nb_status
widen(nb_chunk *chunk, const nb_type *schema, uint64_t absent)
{
    nb_vector *cols = NB_ARENA_ARRAY(chunk->arena, nb_vector, schema->n_children + 1);
    int at = 0;

    if (cols == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < schema->n_children; i++) {
        if (is_absent(absent, i)) {
            NB_TRY(nb_vector_const_null(chunk->arena, schema->children[i].type, chunk->n_rows,
                                        &cols[i]));
        } else {
            cols[i] = chunk->cols[at++];
        }
    }
    chunk->cols = cols;
    return NB_OK;
}

/* A chunk as it came, with the types and columns of the schema. */
static nb_status
restore(nb_chunk *chunk, const nb_type *present, const header *h, const nb_type *schema,
        nb_error *err)
{
    for (int i = 0; i < present->n_children; i++) {
        if (!retype(&chunk->cols[i], present->children[i].type)) {
            return damaged(err, "a block's columns are encoded in another way");
        }
    }
    chunk->partition = h->partition;
    return h->absent ? widen(chunk, schema, h->absent) : NB_OK;
}

static nb_status
append_stream(nb_pool *pool, nb_buffer *bytes, size_t at, const header *h, nb_table *into,
              nb_error *err)
{
    nb_arena *scratch = nb_arena_new(NULL);
    const nb_type *present = NULL, *wire = NULL;
    nb_table *table = NULL;
    nb_buffer *stream = NULL;
    nb_status st = NB_NOMEM;

    if (scratch != NULL) {
        present = present_type(into->schema, h->absent, false, scratch);
        wire = present_type(into->schema, h->absent, true, scratch);
        st = present != NULL && wire != NULL ? NB_OK : NB_NOMEM;
    }

    NB_TRY_GOTO(st, st, done);
    NB_TRY_GOTO(st, slice_of(pool, bytes, at, h->n_bytes, &stream), done);
    NB_TRY_GOTO(st, nb_arrow_ipc_read(pool, stream, NULL, &table, err), done);
    if ((uint64_t)table->n_rows != h->n_rows || !same_layout(table->schema, wire)) {
        st = damaged(err, "a block has other rows or columns than it should");
        goto done;
    }
    for (int c = 0; c < table->n_chunks && st == NB_OK; c++) {
        nb_chunk *chunk = table->chunks[c];

        NB_TRY_GOTO(st, restore(chunk, present, h, into->schema, err), done);
        st = nb_table_append(into, nb_chunk_ref(chunk));
        if (st < 0) {
            nb_chunk_free(chunk);
        }
    }
done:
    nb_table_release(table);
    nb_buffer_release(stream);
    nb_arena_free(scratch);
    return st;
}

nb_status
nb_wire_block_read(nb_pool *pool, nb_buffer *bytes, size_t from, size_t to, nb_table *into,
                   nb_error *err)
{
    while (from < to) {
        header h;
        size_t left = to - from, stream = from + NB_BLOCK_ALIGN;

        if (left < NB_BLOCK_ALIGN) {
            return damaged(err, "a block is cut off");
        }
        memcpy(&h, bytes->data + from, sizeof(h));
        if (h.magic != MAGIC || h.n_bytes > left - NB_BLOCK_ALIGN || h.partition < 0 ||
            (h.absent & 1) != 0 ||
            (into->schema->n_children < MASKED && h.absent >> into->schema->n_children != 0)) {
            return damaged(err, "a block's header is damaged");
        }
        if (nb_hash_bytes(bytes->data + stream, h.n_bytes) != h.checksum) {
            return damaged(err, "a block's checksum is wrong");
        }
        NB_TRY(into->schema->n_children > 0 ? append_stream(pool, bytes, stream, &h, into, err)
                                            : append_counted(pool, &h, into, err));
        from += NB_MIN(NB_ALIGN_UP(NB_BLOCK_ALIGN + h.n_bytes, NB_BLOCK_ALIGN), left);
    }
    return NB_OK;
}
