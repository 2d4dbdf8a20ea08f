/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block.c: see block.h.
 *
 * Arrow knows fewer types than Spark (no char(n), no user-defined types, no fields of intervals), so what is read back gets the
 * types of the schema again, after a check that it lies in memory as they do.
 */
#include "cluster/block.h"

#include "base/hash.h"

#define MAGIC 0x6b6c424eu /* "NBlk" */

typedef struct header {
    uint32_t magic;
    int32_t partition;
    uint64_t n_rows, n_bytes, checksum;
} header;

_Static_assert(sizeof(header) <= NB_BLOCK_ALIGN, "the header fits");

static void
pad(nb_strbuf *out, size_t from)
{
    nb_strbuf_fill(out, 0, NB_ALIGN_UP(out->len - from, NB_BLOCK_ALIGN) - (out->len - from));
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

nb_status
nb_wire_block_write(nb_pool *pool, const nb_type *schema, nb_chunk *chunk, bool compress,
                    nb_strbuf *out, nb_error *err)
{
    header h = {.magic = MAGIC, .partition = chunk->partition, .n_rows = (uint64_t)chunk->n_rows};
    size_t start = out->len, stream = start + NB_BLOCK_ALIGN;

    nb_strbuf_add(out, (nb_str){(const char *)&h, sizeof(h)});
    pad(out, start);
    if (schema->n_children > 0) {
        NB_TRY(write_stream(pool, schema, chunk, compress, out, err));
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

static nb_status
append_stream(nb_pool *pool, nb_buffer *bytes, size_t at, const header *h, nb_table *into,
              nb_error *err)
{
    nb_table *table = NULL;
    nb_buffer *stream = NULL;
    nb_status st;

    NB_TRY_GOTO(st, slice_of(pool, bytes, at, h->n_bytes, &stream), done);
    NB_TRY_GOTO(st, nb_arrow_ipc_read(pool, stream, NULL, &table, err), done);
    if ((uint64_t)table->n_rows != h->n_rows || !same_layout(table->schema, into->schema)) {
        st = damaged(err, "a block has other rows or columns than it should");
        goto done;
    }
    for (int c = 0; c < table->n_chunks && st == NB_OK; c++) {
        nb_chunk *chunk = table->chunks[c];

        for (int i = 0; i < into->schema->n_children; i++) {
            if (!retype(&chunk->cols[i], into->schema->children[i].type)) {
                st = damaged(err, "a block's columns are encoded in another way");
                goto done;
            }
        }
        chunk->partition = h->partition;
        st = nb_table_append(into, nb_chunk_ref(chunk));
        if (st < 0) {
            nb_chunk_free(chunk);
        }
    }
done:
    nb_table_release(table);
    nb_buffer_release(stream);
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
        if (h.magic != MAGIC || h.n_bytes > left - NB_BLOCK_ALIGN || h.partition < 0) {
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
