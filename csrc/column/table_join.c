/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_join.c: several tables as one, under another schema if need be, and some rows of a table as one. No row is copied.
 *
 * Arrow has no names for some of Spark's types: a vector of ML comes as the struct that it is stored as, char(3) as text. The
 * schema that came beside the rows says what they are; here their vectors get its types, where rows of the two lie alike.
 */
#include "base/arena.h"
#include "column/table.h"

static void
release_chunk(void *chunk)
{
    nb_chunk_free(chunk);
}

/* Lets the rows of `chunk` live as long as `made`, which points at them. */
static nb_status
keep_chunk(nb_chunk *made, nb_chunk *chunk)
{
    nb_buffer *keep = NULL;
    nb_status st = nb_buffer_wrap(NULL, 0, release_chunk, nb_chunk_ref(chunk), &keep);

    if (st < 0) {
        nb_chunk_free(chunk);
        return st;
    }
    st = nb_chunk_keep(made, keep);
    nb_buffer_release(keep);
    return st;
}

/* A copy of v, not of its data, under another type. */
static nb_status
relabel(nb_arena *arena, const nb_vector *v, const nb_type *type, nb_vector *out, nb_error *err)
{
    const nb_type *storage = nb_type_storage(type), *from = nb_type_storage(v->type);

    if (storage->phys != from->phys || storage->n_children != from->n_children ||
        storage->scale != from->scale) {
        return nb_raise(err, NB_COND_INVALID_ARROW_DATA, "fieldName", "", "message",
                        "the rows do not have the types that their schema says", NULL);
    }
    *out = *v;
    out->type = type;
    if (v->dict != NULL) {
        nb_vector *dict = NB_ARENA_NEW(arena, nb_vector);
        if (dict == NULL) {
            return NB_NOMEM;
        }
        NB_TRY(relabel(arena, v->dict, type, dict, err));
        out->dict = dict;
    }
    if (v->n_children > 0) {
        out->children = NB_ARENA_ARRAY(arena, nb_vector, v->n_children);
        if (out->children == NULL) {
            return NB_NOMEM;
        }
        for (int i = 0; i < v->n_children; i++) {
            NB_TRY(
                relabel(arena, &v->children[i], storage->children[i].type, &out->children[i], err));
        }
    }
    return NB_OK;
}

static nb_status
relabel_chunk(nb_pool *pool, nb_chunk *chunk, const nb_type *schema, nb_chunk **out, nb_error *err)
{
    nb_chunk *made = NULL;
    nb_status st;

    NB_TRY(nb_chunk_new(pool, schema->n_children, &made));
    made->n_rows = chunk->n_rows;
    made->order = chunk->order;
    made->partition = chunk->partition;
    for (int i = 0; i < schema->n_children; i++) {
        NB_TRY_GOTO(
            st,
            relabel(made->arena, &chunk->cols[i], schema->children[i].type, &made->cols[i], err),
            fail);
    }
    NB_TRY_GOTO(st, keep_chunk(made, chunk), fail);
    *out = made;
    return NB_OK;
fail:
    nb_chunk_free(made);
    return st;
}

nb_status
nb_table_join(nb_pool *pool, nb_table *const *tables, int n, const nb_type *schema, nb_table **out,
              nb_error *err)
{
    nb_table *made = NULL;
    nb_status st;

    NB_TRY(nb_table_new(pool, schema, &made));
    for (int t = 0; t < n; t++) {
        if (tables[t]->schema->n_children != schema->n_children) {
            st = nb_raise(err, NB_COND_INVALID_ARROW_DATA, "fieldName", "", "message",
                          "the rows do not have the columns that their schema says", NULL);
            goto fail;
        }
        for (int i = 0; i < tables[t]->n_chunks; i++) {
            nb_chunk *chunk = tables[t]->chunks[i], *add = NULL;
            if (tables[t]->schema == schema) {
                add = nb_chunk_ref(chunk);
            } else {
                NB_TRY_GOTO(st, relabel_chunk(pool, chunk, schema, &add, err), fail);
            }
            st = nb_table_append(made, add);
            if (st < 0) {
                nb_chunk_free(add);
                goto fail;
            }
        }
    }
    *out = made;
    return NB_OK;
fail:
    nb_table_release(made);
    return st;
}

static nb_status
slice_chunk(nb_pool *pool, nb_chunk *chunk, int n_cols, int64_t from, int64_t n, nb_chunk **out)
{
    nb_chunk *made = NULL;
    nb_status st;

    if (from == 0 && n == chunk->n_rows) {
        *out = nb_chunk_ref(chunk);
        return NB_OK;
    }
    NB_TRY(nb_chunk_new(pool, n_cols, &made));
    made->n_rows = n;
    made->order = chunk->order;
    made->partition = chunk->partition;
    for (int i = 0; i < n_cols; i++) {
        NB_TRY_GOTO(st, nb_vector_slice(made->arena, &chunk->cols[i], from, n, &made->cols[i]),
                    fail);
    }
    NB_TRY_GOTO(st, keep_chunk(made, chunk), fail);
    *out = made;
    return NB_OK;
fail:
    nb_chunk_free(made);
    return st;
}

nb_status
nb_table_slice(nb_pool *pool, nb_table *table, int64_t from, int64_t n, nb_table **out)
{
    nb_table *made = NULL;
    int64_t at = 0;
    nb_status st;

    NB_TRY(nb_table_new(pool, table->schema, &made));
    for (int i = 0; i < table->n_chunks; i++) {
        nb_chunk *chunk = table->chunks[i], *add = NULL;
        int64_t first = NB_MAX(from - at, 0), end = NB_MIN(from + n - at, chunk->n_rows);
        at += chunk->n_rows;
        if (first >= end) {
            continue;
        }
        NB_TRY_GOTO(st,
                    slice_chunk(pool, chunk, table->schema->n_children, first, end - first, &add),
                    fail);
        st = nb_table_append(made, add);
        if (st < 0) {
            nb_chunk_free(add);
            goto fail;
        }
    }
    *out = made;
    return NB_OK;
fail:
    nb_table_release(made);
    return st;
}
