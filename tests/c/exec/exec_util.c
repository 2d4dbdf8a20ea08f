/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec_util.c: plans made by hand.
 */
#include "exec/exec_util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

void
exec_begin(exec_fixture *f, int n_threads, size_t memory_limit)
{
    *f = (exec_fixture){0};
    f->pool = nb_pool_new(NULL, "test", memory_limit);
    f->arena = nb_arena_new(NULL);
    f->info = (nb_session_info){.ansi = true, .time_zone = NB_STR("UTC")};
    f->ctx = (nb_exec_ctx){
        .pool = f->pool, .info = &f->info, .n_threads = n_threads, .spill_dir = NB_STR("/tmp")};
}

void
exec_end(exec_fixture *f)
{
    assert_int_equal(nb_pool_used(f->pool), 0);
    nb_pool_free(f->pool);
    nb_arena_free(f->arena);
}

const nb_type *
schema_of(const char *text)
{
    nb_field fields[16];
    int n = 0;

    while (*text) {
        const char *colon = strchr(text, ':'), *end = strchr(colon, ' ');
        nb_str name = {text, (size_t)(colon - text)}, type;
        const nb_type *t;

        end = end ? end : colon + strlen(colon);
        type = (nb_str){colon + 1, (size_t)(end - colon - 1)};
        t = nb_str_equal(type, NB_STR("long"))     ? nb_type_of(NB_TYPE_INT64)
            : nb_str_equal(type, NB_STR("int"))    ? nb_type_of(NB_TYPE_INT32)
            : nb_str_equal(type, NB_STR("double")) ? nb_type_of(NB_TYPE_FLOAT64)
            : nb_str_equal(type, NB_STR("bool"))   ? nb_type_of(NB_TYPE_BOOL)
            : nb_str_equal(type, NB_STR("string")) ? nb_type_of(NB_TYPE_STRING)
                                                   : nb_type_array(nb_type_of(NB_TYPE_INT64), true);
        fields[n++] = (nb_field){name, t, true, {"", 0}};
        text = *end ? end + 1 : end;
    }
    return nb_type_struct(fields, n);
}

static void
put(nb_chunk *chunk, nb_vector *v, int64_t row, int64_t x)
{
    switch (nb_type_storage(v->type)->phys) {
    case NB_PHYS_INT64: NB_DATA(int64_t, v)[row] = x; break;
    case NB_PHYS_INT32: NB_DATA(int32_t, v)[row] = (int32_t)x; break;
    case NB_PHYS_BOOL: NB_DATA(uint8_t, v)[row] = x & 1; break;
    case NB_PHYS_DOUBLE: NB_DATA(double, v)[row] = (double)x / 4; break;
    case NB_PHYS_STRING: {
        char *s =
            nb_arena_printf(chunk->arena, x % 3 ? "s%lld" : "a longer string %lld", (long long)x);
        NB_DATA(nb_view, v)[row] = nb_view_make(s, strlen(s));
        break;
    }
    default: {
        uint32_t len = (uint32_t)((uint64_t)x % 4);
        NB_DATA(nb_list, v)[row] = (nb_list){(uint32_t)((uint64_t)x % 100), len};
        break;
    }
    }
}

nb_table *
make_table(exec_fixture *f, const nb_type *schema, int64_t n, int64_t chunk_rows, value_fn fn)
{
    nb_table *t;

    assert_int_equal(nb_table_new(f->pool, schema, &t), NB_OK);
    for (int64_t at = 0; at < n; at += chunk_rows) {
        int64_t rows = NB_MIN(chunk_rows, n - at);
        nb_chunk *c;

        assert_int_equal(nb_chunk_new(f->pool, schema->n_children, &c), NB_OK);
        c->n_rows = rows;
        for (int col = 0; col < schema->n_children; col++) {
            nb_vector *v = &c->cols[col];

            assert_int_equal(nb_vector_alloc(c->arena, schema->children[col].type, rows, v), NB_OK);
            if (v->type->id == NB_TYPE_ARRAY) {
                assert_int_equal(
                    nb_vector_alloc(c->arena, nb_type_of(NB_TYPE_INT64), 128, &v->children[0]),
                    NB_OK);
                for (int i = 0; i < 128; i++) {
                    NB_DATA(int64_t, &v->children[0])[i] = i;
                }
            }
            for (int64_t i = 0; i < rows; i++) {
                int64_t x = 0;

                if (fn(at + i, col, &x)) {
                    put(c, v, i, x);
                } else {
                    assert_int_equal(nb_vector_need_validity(c->arena, v), NB_OK);
                    nb_bit_clear(v->validity, i);
                }
            }
        }
        assert_int_equal(nb_table_append(t, c), NB_OK);
    }
    return t;
}

nb_node *
new_node(exec_fixture *f, nb_node_kind kind, const nb_type *schema, nb_node *child)
{
    nb_node *node = NB_ARENA_NEW(f->arena, nb_node);

    node->kind = kind;
    node->schema = schema;
    node->est_rows = -1;
    node->metrics = NB_ARENA_NEW(f->arena, nb_node_metrics);
    if (child != NULL) {
        node->n_children = 1;
        node->children = NB_ARENA_NEW(f->arena, nb_node *);
        node->children[0] = child;
    }
    return node;
}

nb_node *
table_node(exec_fixture *f, nb_table *table)
{
    nb_node *node = new_node(f, NB_NODE_TABLE, table->schema, NULL);

    node->u.table.table = table;
    node->u.table.limit = -1;
    return node;
}

nb_node *
range_node(exec_fixture *f, int64_t start, int64_t end, int64_t step, int n_partitions)
{
    nb_node *node = new_node(f, NB_NODE_RANGE, schema_of("id:long"), NULL);

    node->u.range.start = start;
    node->u.range.end = end;
    node->u.range.step = step;
    node->u.range.n_partitions = n_partitions;
    return node;
}

nb_node *
limit_node(exec_fixture *f, nb_node *child, int64_t limit, int64_t offset)
{
    nb_node *node = new_node(f, NB_NODE_LIMIT, child->schema, child);

    node->u.limit.limit = limit;
    node->u.limit.offset = offset;
    return node;
}

nb_expr *
column(exec_fixture *f, const nb_type *schema, int i)
{
    nb_expr *e = nb_expr_column(f->arena, (uint64_t)i + 1, schema->children[i].name,
                                schema->children[i].type, true);

    e->u.column.ordinal = i;
    return e;
}

nb_node *
aggregate_node(exec_fixture *f, nb_node *child, const int *keys, int n_keys, nb_expr **aggs,
               int n_aggs)
{
    static const char *const NAMES[] = {"k0", "k1", "k2", "k3", "a0", "a1", "a2", "a3"};
    nb_field fields[8];
    nb_node *node;
    nb_expr **exprs = NB_ARENA_ARRAY(f->arena, nb_expr *, n_keys + n_aggs + 1);

    for (int k = 0; k < n_keys; k++) {
        exprs[k] = column(f, child->schema, keys[k]);
        fields[k] = (nb_field){nb_str_of(NAMES[k]), exprs[k]->type, true, {"", 0}};
    }
    for (int a = 0; a < n_aggs; a++) {
        exprs[n_keys + a] = aggs[a];
        fields[n_keys + a] = (nb_field){nb_str_of(NAMES[4 + a]), aggs[a]->type, true, {"", 0}};
    }
    node = new_node(f, NB_NODE_AGGREGATE, nb_type_struct(fields, n_keys + n_aggs), child);
    node->u.aggregate.keys = exprs;
    node->u.aggregate.n_keys = n_keys;
    node->u.aggregate.aggs = exprs + n_keys;
    node->u.aggregate.n_aggs = n_aggs;
    return node;
}

/* ---- aggregates ------------------------------------------------------------------------------ */

typedef struct sum_state {
    int64_t sum, n;
} sum_state;

static nb_status
sum_update(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, uint8_t *const *rows, int offset,
           int64_t row0)
{
    const int64_t *v = args->data;

    (void)ctx;
    (void)row0;
    for (int64_t i = 0; i < n; i++) {
        int64_t at = args->kind == NB_VEC_CONST ? 0 : i;
        sum_state *s = (sum_state *)(void *)(rows[i] + offset);

        if (nb_is_valid(args->validity, at)) {
            s->sum += v[at];
            s->n++;
        }
    }
    return NB_OK;
}

static nb_status
sum_update_one(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state, int64_t row0)
{
    uint8_t *row = state;

    for (int64_t i = 0; i < n; i++) {
        nb_vector one = *args;

        one.data = NB_DATA(int64_t, args) + (args->kind == NB_VEC_CONST ? 0 : i);
        one.kind = NB_VEC_FLAT;
        one.validity = NULL;
        if (!nb_vector_is_null(args, i)) {
            sum_update(ctx, &one, 1, &row, 0, row0);
        }
    }
    return NB_OK;
}

static nb_status
sum_merge(nb_agg_ctx *ctx, uint8_t *const *into, uint8_t *const *from, int offset, int64_t n)
{
    (void)ctx;
    for (int64_t i = 0; i < n; i++) {
        sum_state *a = (sum_state *)(void *)(into[i] + offset);
        const sum_state *b = (const sum_state *)(const void *)(from[i] + offset);

        a->sum += b->sum;
        a->n += b->n;
    }
    return NB_OK;
}

static nb_status
sum_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        const sum_state *s = (const sum_state *)(const void *)(rows[i] + offset);

        NB_DATA(int64_t, out)[i] = s->sum;
        if (s->n == 0) {
            NB_TRY(nb_vector_need_validity(ctx->scratch, out));
            nb_bit_clear(out->validity, i);
        }
    }
    return NB_OK;
}

static const nb_agg_ops SUM = {
    .state_size = sizeof(sum_state),
    .state_align = 8,
    .update = sum_update,
    .update_one = sum_update_one,
    .merge = sum_merge,
    .finalize = sum_finalize,
};

nb_expr *
sum_of(exec_fixture *f, const nb_type *schema, int i, bool distinct)
{
    nb_expr *e = nb_expr_new(f->arena, NB_EXPR_AGG, nb_type_of(NB_TYPE_INT64), true, 1);

    e->args[0] = column(f, schema, i);
    e->u.agg.ops = &SUM;
    e->u.agg.distinct = distinct;
    return e;
}

typedef struct text_state {
    char *text; /* in ctx->memory; NULL: none yet */
    size_t len;
} text_state;

static nb_status
text_offer(nb_agg_ctx *ctx, text_state *s, nb_str v)
{
    if (s->text == NULL || nb_str_compare(v, (nb_str){s->text, s->len}) > 0) {
        s->text = nb_arena_strdup(ctx->memory, v);
        s->len = v.len;
        return s->text ? NB_OK : NB_NOMEM;
    }
    return NB_OK;
}

static nb_status
text_update(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, uint8_t *const *rows, int offset,
            int64_t row0)
{
    (void)row0;
    for (int64_t i = 0; i < n; i++) {
        if (!nb_vector_is_null(args, i)) {
            NB_TRY(text_offer(ctx, (text_state *)(void *)(rows[i] + offset),
                              nb_view_str(&NB_DATA(nb_view, args)[nb_vector_slot(args, i)])));
        }
    }
    return NB_OK;
}

static nb_status
text_update_one(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state, int64_t row0)
{
    (void)row0;
    for (int64_t i = 0; i < n; i++) {
        if (!nb_vector_is_null(args, i)) {
            NB_TRY(text_offer(ctx, state,
                              nb_view_str(&NB_DATA(nb_view, args)[nb_vector_slot(args, i)])));
        }
    }
    return NB_OK;
}

static nb_status
text_merge(nb_agg_ctx *ctx, uint8_t *const *into, uint8_t *const *from, int offset, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const text_state *b = (const text_state *)(const void *)(from[i] + offset);

        if (b->text != NULL) {
            NB_TRY(text_offer(ctx, (text_state *)(void *)(into[i] + offset),
                              (nb_str){b->text, b->len}));
        }
    }
    return NB_OK;
}

static nb_status
text_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        const text_state *s = (const text_state *)(const void *)(rows[i] + offset);

        if (s->text != NULL) {
            NB_DATA(nb_view, out)[i] = nb_view_make(s->text, s->len);
        } else {
            NB_TRY(nb_vector_need_validity(ctx->scratch, out));
            nb_bit_clear(out->validity, i);
        }
    }
    return NB_OK;
}

static nb_status
text_serialize(nb_agg_ctx *ctx, const void *state, nb_strbuf *out)
{
    const text_state *s = state;

    (void)ctx;
    if (s->text != NULL) {
        nb_strbuf_addc(out, 1);
        nb_strbuf_add(out, (nb_str){s->text, s->len});
    }
    return NB_OK;
}

static nb_status
text_deserialize(nb_agg_ctx *ctx, nb_str bytes, void *state)
{
    return bytes.len ? text_offer(ctx, state, (nb_str){bytes.data + 1, bytes.len - 1}) : NB_OK;
}

static const nb_agg_ops TEXT_MAX = {
    .state_size = sizeof(text_state),
    .state_align = 8,
    .update = text_update,
    .update_one = text_update_one,
    .merge = text_merge,
    .finalize = text_finalize,
    .serialize = text_serialize,
    .deserialize = text_deserialize,
};

nb_expr *
text_max_of(exec_fixture *f, const nb_type *schema, int i)
{
    nb_expr *e = nb_expr_new(f->arena, NB_EXPR_AGG, nb_type_of(NB_TYPE_STRING), true, 1);

    e->args[0] = column(f, schema, i);
    e->u.agg.ops = &TEXT_MAX;
    return e;
}

/* ---- results --------------------------------------------------------------------------------- */

nb_table *
run_plan(exec_fixture *f, nb_node *root)
{
    nb_error err = NB_ERROR_INIT;
    nb_table *t = NULL;
    nb_status st = nb_exec_run(&f->ctx, root, &t, &err);

    if (st != NB_OK) {
        fail_msg("status %d: %s", (int)st, nb_error_message(&err));
    }
    return t;
}

static const nb_vector *
locate(const nb_table *t, int64_t *row, int col)
{
    for (int c = 0; c < t->n_chunks; c++) {
        if (*row < t->chunks[c]->n_rows) {
            return &t->chunks[c]->cols[col];
        }
        *row -= t->chunks[c]->n_rows;
    }
    fail_msg("no such row");
    return NULL;
}

int64_t
long_at(const nb_table *t, int64_t row, int col)
{
    const nb_vector *v = locate(t, &row, col);

    row = nb_vector_slot(v, row);
    return nb_type_storage(v->type)->phys == NB_PHYS_INT32 ? NB_DATA(int32_t, v)[row]
                                                           : NB_DATA(int64_t, v)[row];
}

bool
null_at(const nb_table *t, int64_t row, int col)
{
    const nb_vector *v = locate(t, &row, col);

    return nb_vector_is_null(v, row);
}

nb_str
text_at(const nb_table *t, int64_t row, int col)
{
    const nb_vector *v = locate(t, &row, col);

    return nb_view_str(&NB_DATA(nb_view, v)[nb_vector_slot(v, row)]);
}

void
assert_tables_equal(const nb_table *a, const nb_table *b)
{
    int ca = 0, cb = 0;
    int64_t ra = 0, rb = 0;

    assert_int_equal(a->n_rows, b->n_rows);
    for (int64_t i = 0; i < a->n_rows; i++, ra++, rb++) {
        while (ra == a->chunks[ca]->n_rows) {
            ca++;
            ra = 0;
        }
        while (rb == b->chunks[cb]->n_rows) {
            cb++;
            rb = 0;
        }
        for (int col = 0; col < a->schema->n_children; col++) {
            if (nb_vector_compare(&a->chunks[ca]->cols[col], ra, &b->chunks[cb]->cols[col], rb)) {
                fail_msg("row %lld differs in column %d", (long long)i, col);
            }
        }
    }
}
