/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_transpose.c: df.transpose(): the other columns become rows, under the values of the index column as names.
 *
 * The names are data, so that the input runs while the query is analysed: sorted by its index, at most spark.sql.transposeMaxValues rows. What it gives is cut
 * into one chunk for each column; rows whose index is null are left out.
 */
#include "plan/analyzer_internal.h"

#include "base/config.h"
#include "column/vector.h"
#include "expr/cast.h"

typedef struct transposed {
    nb_plan *child;
    nb_expr *index;
    nb_expr **columns; /* the others, as one type */
    nb_str *names;
    int n;
    const nb_type *common;
} transposed;

static nb_status
raise_index(nb_analyzer *an, const char *reason, nb_error *err)
{
    (void)an;
    return nb_raise(err, NB_COND_TRANSPOSE_INVALID_INDEX_COLUMN, "reason", reason, NULL);
}

static nb_status
find_index(nb_analyzer *an, const Sc__Transpose *m, transposed *t, nb_error *err)
{
    nb_scope scope = {.plans = &t->child, .n_plans = 1, .outer = an->outer};

    if (m->n_index_columns > 0) {
        NB_TRY(nb_resolve_expr(an, &scope, m->index_columns[0], &t->index, err));
    } else {
        for (int i = 0; i < t->child->n_attrs && !t->index; i++) {
            if (!t->child->attrs[i].hidden) {
                t->index = nb_attr_expr(an->arena, &t->child->attrs[i]);
                NB_NEED(t->index);
            }
        }
    }
    if (t->index && t->index->kind != NB_EXPR_COLUMN) {
        return raise_index(an, "Index column must be an atomic attribute", err);
    }
    if (t->index && nb_type_storage(t->index->type)->n_children > 0) {
        return raise_index(an,
                           nb_arena_printf(an->arena,
                                           "Index column must be of atomic type, but found: %s",
                                           nb_type_class_name(an->arena, t->index->type)),
                           err);
    }
    return NB_OK;
}

static nb_status
find_columns(nb_analyzer *an, transposed *t, nb_error *err)
{
    const nb_plan *child = t->child;

    t->columns = NB_ARENA_ARRAY(an->arena, nb_expr *, child->n_attrs + 1);
    t->names = NB_ARENA_ARRAY(an->arena, nb_str, child->n_attrs + 1);
    NB_NEED(t->columns && t->names);
    for (int i = 0; i < child->n_attrs; i++) {
        const nb_attr *a = &child->attrs[i];
        const nb_type *next;

        if (a->hidden || a->id == t->index->u.column.attr) {
            continue;
        }
        next = t->common ? nb_coerce_common(t->common, a->type, an->cfg.info->ansi) : a->type;
        /* No promotion to text: that would hide a mistake. */
        if (!next || (t->common && nb_type_is_string(t->common) != nb_type_is_string(a->type) &&
                      t->common->id != NB_TYPE_NULL && a->type->id != NB_TYPE_NULL)) {
            return nb_raise(err, NB_COND_TRANSPOSE_NO_LEAST_COMMON_TYPE, "dt1",
                            nb_type_quoted(an->arena, t->common), "dt2",
                            nb_type_quoted(an->arena, a->type), NULL);
        }
        t->common = next;
        t->names[t->n] = a->name;
        t->columns[t->n] = nb_attr_expr(an->arena, a);
        NB_NEED(t->columns[t->n]);
        t->n++;
    }
    if (!t->common) {
        t->common = nb_type_of(NB_TYPE_STRING);
    }
    return NB_OK;
}

/* The rows, by their index: its text, whether it is null, and the columns. */
static nb_status
run_input(nb_analyzer *an, transposed *t, nb_table **out, nb_error *err)
{
    int64_t most = nb_config_int(an->cfg.info->config, NB_CONF_TRANSPOSE_MAX_VALUES);
    nb_expr **list = NB_ARENA_ARRAY(an->arena, nb_expr *, t->n + 2), *name;
    nb_plan *sorted = nb_plan_new(an->arena, NB_PLAN_SORT, 1, t->child->n_attrs), *rows;
    nb_plan *limited = nb_plan_new(an->arena, NB_PLAN_LIMIT, 1, t->n + 1);

    NB_NEED(list && sorted && limited);
    sorted->children[0] = t->child;
    memcpy(sorted->attrs, t->child->attrs, sizeof(nb_attr) * (size_t)t->child->n_attrs);
    sorted->u.sort.keys = NB_ARENA_NEW(an->arena, nb_sort_key);
    NB_NEED(sorted->u.sort.keys);
    sorted->u.sort.keys[0].expr = t->index;
    sorted->u.sort.n_keys = 1;
    sorted->u.sort.global = true;
    NB_TRY(nb_cast_to(an, t->index, nb_type_of(NB_TYPE_STRING), &name, err));
    list[0] = nb_expr_alias(an->arena, name, NB_STR("key"), nb_attr_next_id());
    NB_NEED(list[0]);
    for (int i = 0; i < t->n; i++) {
        nb_expr *value;

        NB_TRY(nb_cast_to(an, t->columns[i], t->common, &value, err));
        list[i + 1] = nb_expr_alias(an->arena, value, t->names[i], nb_attr_next_id());
        NB_NEED(list[i + 1]);
    }
    NB_TRY(nb_plan_project(an, sorted, list, t->n + 1, &rows, err));
    limited->children[0] = rows;
    memcpy(limited->attrs, rows->attrs, sizeof(nb_attr) * (size_t)rows->n_attrs);
    limited->u.limit.limit = most + 1;
    NB_TRY(an->cfg.run(an->cfg.run_payload, limited, out, err));
    if ((*out)->n_rows > most) {
        nb_table_release(*out);
        return nb_raise(err, NB_COND_TRANSPOSE_EXCEED_ROW_LIMIT, "maxValues",
                        nb_arena_printf(an->arena, "%lld", (long long)most), "config",
                        "spark.sql.transposeMaxValues", NULL);
    }
    return NB_OK;
}

/* Calls for each row with an index, in order: its chunk, its place there, its name. */
#define EACH_ROW(rows, c, r)                   \
    for (int c = 0; c < (rows)->n_chunks; c++) \
        for (int64_t r = 0; r < (rows)->chunks[c]->n_rows; r++)

static nb_status
row_name(nb_arena *arena, const nb_chunk *chunk, int64_t row, nb_str *out)
{
    nb_vector flat;

    NB_TRY(nb_vector_flatten(arena, &chunk->cols[0], &flat));
    *out = (nb_str){NULL, 0};
    if (nb_is_valid(flat.validity, row)) {
        *out = nb_arena_str(arena, nb_view_str(&NB_DATA(nb_view, &flat)[row]));
        NB_NEED(out->data);
    }
    return NB_OK;
}

/* One column of the input as a row: a chunk. */
static nb_status
make_row(nb_analyzer *an, const transposed *t, const nb_table *rows, const nb_str *names,
         int column, int n_columns, nb_chunk **out)
{
    nb_chunk *chunk;
    int at = 0, row = 0;
    nb_status st;

    NB_TRY(nb_chunk_new(an->cfg.pool, n_columns, &chunk));
    NB_TRY_GOTO(st, nb_vector_alloc(chunk->arena, nb_type_of(NB_TYPE_STRING), 1, &chunk->cols[at]),
                fail);
    {
        nb_str key = nb_arena_str(chunk->arena, t->names[column]);

        st = NB_NOMEM;
        if (!key.data) {
            goto fail;
        }
        NB_DATA(nb_view, &chunk->cols[at++])[0] = nb_view_make(key.data, key.len);
    }
    EACH_ROW(rows, c, r)
    {
        uint32_t index = (uint32_t)r;
        nb_vector one;

        if (!names[row++].data) {
            continue;
        }
        NB_TRY_GOTO(
            st, nb_vector_gather(an->arena, &rows->chunks[c]->cols[column + 1], &index, 1, &one),
            fail);
        NB_TRY_GOTO(st, nb_vector_copy(chunk->arena, &one, &chunk->cols[at++]), fail);
    }
    chunk->n_rows = 1;
    *out = chunk;
    return NB_OK;
fail:
    nb_chunk_free(chunk);
    return st;
}

static nb_status
turn(nb_analyzer *an, const transposed *t, const nb_table *rows, nb_table **out)
{
    nb_str *names = NB_ARENA_ARRAY(an->arena, nb_str, rows->n_rows + 1);
    nb_field *fields = NB_ARENA_ARRAY(an->arena, nb_field, rows->n_rows + 1);
    nb_table *table;
    int n = 0, n_names = 0;
    nb_status st = NB_OK;

    NB_NEED(names && fields);
    fields[n++] = (nb_field){NB_STR("key"), nb_type_of(NB_TYPE_STRING), false, {NULL, 0}};
    EACH_ROW(rows, c, r)
    {
        NB_TRY(row_name(an->arena, rows->chunks[c], r, &names[n_names]));
        if (names[n_names].data) {
            fields[n++] = (nb_field){names[n_names], t->common, true, {NULL, 0}};
        }
        n_names++;
    }
    NB_TRY(nb_table_new(an->cfg.pool, nb_type_struct(fields, n), &table));
    for (int i = 0; i < t->n && st == NB_OK; i++) {
        nb_chunk *chunk = NULL;

        st = make_row(an, t, rows, names, i, n, &chunk);
        if (st == NB_OK) {
            st = nb_table_append(table, chunk);
            if (st < 0) {
                nb_chunk_free(chunk);
            }
        }
    }
    if (st < 0) {
        nb_table_release(table);
        return st;
    }
    *out = table;
    return NB_OK;
}

nb_status
nb_analyze_transpose(nb_analyzer *an, const Sc__Transpose *m, nb_plan **out, nb_error *err)
{
    transposed t = {0};
    nb_table *rows, *table;
    nb_status st;

    if (!an->cfg.run) {
        return nb_raise_unsupported(err, "transpose where nothing runs");
    }
    NB_TRY(nb_analyze_relation(an, m->input, &t.child, err));
    NB_TRY(find_index(an, m, &t, err));
    if (!t.index) { /* no columns: no rows */
        NB_TRY(nb_table_new(an->cfg.pool, nb_type_struct(NULL, 0), &table));
    } else {
        NB_TRY(find_columns(an, &t, err));
        NB_TRY(run_input(an, &t, &rows, err));
        st = turn(an, &t, rows, &table);
        nb_table_release(rows);
        NB_TRY(st);
    }
    st = nb_plan_of_table(an, table, out, err);
    nb_table_release(table);
    return st;
}
