/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_sql.c: SQL text as a relation, and table-valued functions in FROM.
 */
#include "plan/analyzer_internal.h"
#include "sql/encoding.h"
#include "sql/parser.h"

/* A literal message as an expression message. */
static nb_status
as_expression(nb_analyzer *an, Sc__Expression__Literal *lit, Sc__Expression **out)
{
    Sc__Expression *e = NB_ARENA_NEW(an->arena, Sc__Expression);

    NB_NEED(e);
    e->base.descriptor = &sc__expression__descriptor;
    e->expr_type_case = SC__EXPRESSION__EXPR_TYPE_LITERAL;
    e->literal = lit;
    *out = e;
    return NB_OK;
}

nb_status
nb_parse_sql_message(nb_analyzer *an, const Sc__SQL *sql, nb_sql_statement *out, nb_error *err)
{
    nb_sql_options options = NB_SQL_OPTIONS_INIT;
    size_t n_named = sql->n_named_arguments + sql->n_args,
           n_pos = sql->n_pos_arguments + sql->n_pos_args;
    nb_sql_argument *named = NB_ARENA_ARRAY(an->arena, nb_sql_argument, n_named + 1);
    Sc__Expression **pos = NB_ARENA_ARRAY(an->arena, Sc__Expression *, n_pos + 1);
    nb_str text;

    NB_NEED(named && pos);
    for (size_t i = 0; i < sql->n_named_arguments; i++) {
        named[i] = (nb_sql_argument){nb_str_of(sql->named_arguments[i]->key),
                                     sql->named_arguments[i]->value};
    }
    for (size_t i = 0; i < sql->n_args; i++) {
        named[sql->n_named_arguments + i].name = nb_str_of(sql->args[i]->key);
        NB_TRY(as_expression(an, sql->args[i]->value, &named[sql->n_named_arguments + i].value));
    }
    for (size_t i = 0; i < sql->n_pos_arguments; i++) {
        pos[i] = sql->pos_arguments[i];
    }
    for (size_t i = 0; i < sql->n_pos_args; i++) {
        NB_TRY(as_expression(an, sql->pos_args[i], &pos[sql->n_pos_arguments + i]));
    }
    options.named = named;
    options.n_named = n_named;
    options.positional = pos;
    options.n_positional = n_pos;
    options.fold_text = nb_analyzer_fold_text;
    options.payload = an;
    NB_TRY(nb_sql_substitute(an->arena, an->cfg.info->config, nb_pb_str(sql->query), &text, err));
    return nb_sql_parse_statement(an->arena, text, &options, out, err);
}

nb_status
nb_analyze_sql(nb_analyzer *an, const Sc__SQL *sql, nb_plan **out, nb_error *err)
{
    nb_sql_statement statement;
    nb_str keep = an->sql_text;
    nb_status st;

    NB_TRY(nb_parse_sql_message(an, sql, &statement, err));
    if (statement.kind != NB_SQL_QUERY) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message",
                        "a command stands where a query is wanted", NULL);
    }
    an->sql_text = nb_pb_str(sql->query);
    st = nb_analyze_relation(an, statement.query, out, err);
    an->sql_text = keep;
    return st;
}

/* ---- table-valued functions ---- */

/* VALUES: rows of foldable expressions as a union of one-row projections would be slow to plan for many rows, so they become a table. */
static nb_status
values_table(nb_analyzer *an, const Sc__UnresolvedTableValuedFunction *f, nb_plan **out,
             nb_error *err)
{
    size_t n_rows = f->n_arguments, n_cols = 0;
    nb_scope scope = {.n_plans = 0, .outer = an->outer};
    nb_expr ***cells = NB_ARENA_ARRAY(an->arena, nb_expr **, n_rows + 1);
    nb_field *fields;
    nb_chunk *chunk = NULL;
    nb_table *table = NULL;
    const nb_type *schema;
    nb_status st;

    NB_NEED(cells);
    for (size_t r = 0; r < n_rows; r++) {
        const Sc__Expression *row = f->arguments[r];
        Sc__Expression *const *items = (Sc__Expression *const *)&f->arguments[r];
        size_t n = 1;
        if (row->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_FUNCTION &&
            nb_str_equal(nb_pb_str(row->unresolved_function->function_name),
                         NB_STR(NB_SQL_FN_ROW))) {
            items = row->unresolved_function->arguments;
            n = row->unresolved_function->n_arguments;
        }
        if (r == 0) {
            n_cols = n;
        } else if (n != n_cols) {
            return nb_raise(err, NB_COND_INVALID_INLINE_TABLE_NUM_COLUMNS_MISMATCH,
                            "expectedNumCols", nb_arena_printf(an->arena, "%zu", n_cols),
                            "actualNumCols", nb_arena_printf(an->arena, "%zu", n), "rowIndex",
                            nb_arena_printf(an->arena, "%zu", r), NULL);
        }
        cells[r] = NB_ARENA_ARRAY(an->arena, nb_expr *, n + 1);
        NB_NEED(cells[r]);
        for (size_t c = 0; c < n; c++) {
            NB_TRY(nb_resolve_expr(an, &scope, items[c], &cells[r][c], err));
            if (cells[r][c]->kind == NB_EXPR_ALIAS) {
                cells[r][c] = cells[r][c]->args[0];
            }
            if (!cells[r][c]->foldable && !cells[r][c]->deterministic) {
                return nb_raise(
                    err, NB_COND_INVALID_INLINE_TABLE_CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE,
                    "expr",
                    nb_arena_printf(an->arena, "\"%s\"",
                                    nb_expr_sql(an->arena, cells[r][c], false)),
                    NULL);
            }
        }
    }
    fields = NB_ARENA_ARRAY(an->arena, nb_field, n_cols + 1);
    NB_NEED(fields);
    for (size_t c = 0; c < n_cols; c++) {
        const nb_type *common = cells[0][c]->type;
        bool nullable = false;
        for (size_t r = 0; r < n_rows; r++) {
            nullable |= cells[r][c]->nullable;
            common = cells[r][c]->type == common
                         ? common
                         : nb_coerce_common(common, cells[r][c]->type, an->cfg.info->ansi);
            if (!common) {
                return nb_raise(err,
                                NB_COND_INVALID_INLINE_TABLE_INCOMPATIBLE_TYPES_IN_INLINE_TABLE,
                                "colName", nb_arena_printf(an->arena, "`col%zu`", c + 1), NULL);
            }
        }
        fields[c] = (nb_field){
            nb_str_of(nb_arena_printf(an->arena, "col%zu", c + 1)), common, nullable, {0}};
    }
    schema = nb_type_struct(fields, (int)n_cols);
    NB_NEED(schema);
    NB_TRY(nb_table_new(an->cfg.pool, schema, &table));
    NB_TRY_GOTO(st, nb_chunk_new(an->cfg.pool, (int)n_cols, &chunk), done);
    chunk->n_rows = (int64_t)n_rows;
    for (size_t c = 0; c < n_cols; c++) {
        const nb_vector **parts = NB_ARENA_ARRAY(an->arena, const nb_vector *, n_rows + 1);
        nb_vector joined;
        if (!parts) {
            st = NB_NOMEM;
            goto done;
        }
        for (size_t r = 0; r < n_rows; r++) {
            nb_expr *e;
            NB_TRY_GOTO(st, nb_cast_to(an, cells[r][c], fields[c].type, &e, err), done);
            NB_TRY_GOTO(st, nb_expr_fold(an->arena, e, an->cfg.info, &e, err), done);
            if (e->kind != NB_EXPR_LITERAL) {
                st = nb_raise(
                    err, NB_COND_INVALID_INLINE_TABLE_CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE,
                    "expr",
                    nb_arena_printf(an->arena, "\"%s\"",
                                    nb_expr_sql(an->arena, cells[r][c], false)),
                    NULL);
                goto done;
            }
            parts[r] = e->u.literal.value;
        }
        NB_TRY_GOTO(st, nb_vector_concat(an->arena, parts, (int)n_rows, &joined), done);
        NB_TRY_GOTO(st, nb_vector_copy(chunk->arena, &joined, &chunk->cols[c]), done);
    }
    NB_TRY_GOTO(st, nb_table_append(table, chunk), done);
    chunk = NULL;
    st = nb_plan_of_table(an, table, out, err);
done:
    nb_chunk_free(chunk);
    nb_table_release(table);
    return st;
}

static nb_status
int_argument(nb_analyzer *an, const Sc__Expression *e, int64_t *out, nb_error *err)
{
    nb_scope scope = {0};
    nb_expr *v;

    NB_TRY(nb_resolve_expr(an, &scope, e, &v, err));
    NB_TRY(nb_expr_cast(an->arena, v, nb_type_of(NB_TYPE_INT64), NB_CAST_ANSI, &v, err));
    NB_TRY(nb_expr_fold(an->arena, v, an->cfg.info, &v, err));
    if (v->kind != NB_EXPR_LITERAL || nb_vector_is_null(v->u.literal.value, 0)) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message", "a constant number is wanted", NULL);
    }
    *out = NB_DATA(int64_t, v->u.literal.value)[0];
    return NB_OK;
}

static nb_status
range_function(nb_analyzer *an, const Sc__UnresolvedTableValuedFunction *f, nb_plan **out,
               nb_error *err)
{
    int64_t a[4] = {0, 0, 1, an->cfg.n_partitions};
    nb_plan *p;

    if (f->n_arguments < 1 || f->n_arguments > 4) {
        return nb_raise(err, NB_COND_WRONG_NUM_ARGS, "functionName", "`range`", "expectedNum",
                        "[1, 2, 3, 4]", "actualNum",
                        nb_arena_printf(an->arena, "%zu", f->n_arguments), "docroot",
                        "https://spark.apache.org/docs/latest", "docroot",
                        "https://spark.apache.org/docs/latest", NULL);
    }
    if (f->n_arguments == 1) {
        NB_TRY(int_argument(an, f->arguments[0], &a[1], err));
    }
    for (size_t i = 0; i < f->n_arguments && f->n_arguments > 1; i++) {
        NB_TRY(int_argument(an, f->arguments[i], &a[i], err));
    }
    if (a[2] == 0) {
        return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message",
                        "requirement failed: step (0) cannot be 0", NULL);
    }
    p = nb_plan_new(an->arena, NB_PLAN_RANGE, 0, 1);
    NB_NEED(p);
    p->u.range.start = a[0];
    p->u.range.end = a[1];
    p->u.range.step = a[2];
    p->u.range.n_partitions = (int)NB_MAX(1, NB_MIN(a[3], 1 << 20));
    p->attrs[0] =
        (nb_attr){.id = nb_attr_next_id(), .name = NB_STR("id"), .type = nb_type_of(NB_TYPE_INT64)};
    *out = p;
    return NB_OK;
}

nb_status
nb_analyze_table_function(nb_analyzer *an, const Sc__Relation *rel, nb_plan **out, nb_error *err)
{
    const Sc__UnresolvedTableValuedFunction *f = rel->unresolved_table_valued_function;
    nb_str name = nb_pb_str(f->function_name);
    nb_plan *one;
    Sc__Expression__UnresolvedFunction call = {
        .base = {.descriptor = &sc__expression__unresolved_function__descriptor}};
    Sc__Expression e = {.base = {.descriptor = &sc__expression__descriptor}}, *list[1] = {&e};

    if (nb_str_equal(name, NB_STR(NB_SQL_TVF_VALUES))) {
        return values_table(an, f, out, err);
    }
    if (nb_str_equal_nocase(name, NB_STR("range"))) {
        return range_function(an, f, out, err);
    }
    if ((nb_str_equal(name, NB_STR(NB_SQL_TVF_LIMIT)) ||
         nb_str_equal(name, NB_STR(NB_SQL_TVF_OFFSET))) &&
        f->n_arguments == 2 &&
        f->arguments[0]->expr_type_case == SC__EXPRESSION__EXPR_TYPE_SUBQUERY_EXPRESSION) {
        bool is_limit = nb_str_equal(name, NB_STR(NB_SQL_TVF_LIMIT));
        const Sc__Relation *input;
        int64_t n;
        NB_TRY(nb_find_reference(an, f->arguments[0]->subquery_expression->plan_id, &input, err));
        NB_TRY(int_argument(an, f->arguments[1], &n, err));
        if (n < 0) {
            return nb_located(nb_raise_limit(an, is_limit ? "limit" : "offset", n, err),
                              nb_origin_of(an, f->arguments[1]), err);
        }
        NB_TRY(nb_analyze_relation(an, input, &one, err));
        return nb_plan_limit(an, one, is_limit ? n : -1, is_limit ? 0 : n, out, err);
    }
    if (((nb_str_equal(name, NB_STR(NB_SQL_TVF_PIVOT)) && f->n_arguments > 3) ||
         (nb_str_equal(name, NB_STR(NB_SQL_TVF_UNPIVOT)) && f->n_arguments > 4)) &&
        f->arguments[0]->expr_type_case == SC__EXPRESSION__EXPR_TYPE_SUBQUERY_EXPRESSION) {
        const Sc__Relation *input;
        NB_TRY(nb_find_reference(an, f->arguments[0]->subquery_expression->plan_id, &input, err));
        return nb_str_equal(name, NB_STR(NB_SQL_TVF_PIVOT))
                   ? nb_analyze_sql_pivot(an, f, input, out, err)
                   : nb_analyze_sql_unpivot(an, f, input, out, err);
    }
    if (nb_str_starts_with(name, NB_STR("nbaspark."))) {
        return nb_raise_unsupported(err, "%.*s", (int)name.len, name.data);
    }
    /* a generator over one row without columns */
    one = nb_plan_new(an->arena, NB_PLAN_RANGE, 0, 1);
    NB_NEED(one);
    one->u.range.end = one->u.range.step = 1;
    one->u.range.n_partitions = 1;
    one->attrs[0] = (nb_attr){.id = nb_attr_next_id(),
                              .name = NB_STR("_one"),
                              .type = nb_type_of(NB_TYPE_INT64),
                              .hidden = true};
    call.function_name = f->function_name;
    call.n_arguments = f->n_arguments;
    call.arguments = f->arguments;
    e.expr_type_case = SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_FUNCTION;
    e.unresolved_function = &call;
    return nb_build_project(an, one, list, 1, out, err);
}
