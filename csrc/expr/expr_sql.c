/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expr_sql.c: expressions spelled as Spark spells them in messages and EXPLAIN.
 *
 * Casts that the analyzer inserted are not shown without ids; literals are shown as their bare values, as Spark's pretty form does.
 */
#include "base/utf8.h"
#include "expr/aggregate.h"
#include "expr/cast.h"

static void add_expr(nb_strbuf *out, nb_arena *arena, const nb_expr *e, bool ids);

static bool
is_infix(nb_str name)
{
    static const char *const names[] = {"+", "-",  "*",  "/",  "%",  "div", "=", "==", "<=>", "<",
                                        ">", "<=", ">=", "!=", "<>", "&",   "|", "^",  "||"};

    for (size_t i = 0; i < NB_COUNT_OF(names); i++) {
        if (nb_str_equal(name, nb_str_of(names[i]))) {
            return true;
        }
    }
    return false;
}

static void
add_args(nb_strbuf *out, nb_arena *arena, nb_expr *const *args, int n, bool ids)
{
    for (int i = 0; i < n; i++) {
        nb_strbuf_adds(out, i > 0 ? ", " : "");
        add_expr(out, arena, args[i], ids);
    }
}

static void
add_call(nb_strbuf *out, nb_arena *arena, const nb_expr *e, bool ids)
{
    nb_str name = nb_function_name(e->u.call.fn);

    if (e->n_args == 2 && is_infix(name)) {
        nb_strbuf_addc(out, '(');
        add_expr(out, arena, e->args[0], ids);
        nb_strbuf_addf(out, " %.*s ", (int)name.len, name.data);
        add_expr(out, arena, e->args[1], ids);
        nb_strbuf_addc(out, ')');
    } else if (e->n_args == 2 &&
               (nb_str_equal(name, NB_STR("and")) || nb_str_equal(name, NB_STR("or")))) {
        nb_strbuf_addc(out, '(');
        add_expr(out, arena, e->args[0], ids);
        nb_strbuf_adds(out, name.len == 3 ? " AND " : " OR ");
        add_expr(out, arena, e->args[1], ids);
        nb_strbuf_addc(out, ')');
    } else if (e->n_args == 1 &&
               (nb_str_equal(name, NB_STR("isnull")) || nb_str_equal(name, NB_STR("isnotnull")))) {
        nb_strbuf_addc(out, '(');
        add_expr(out, arena, e->args[0], ids);
        nb_strbuf_adds(out, name.len == 6 ? " IS NULL)" : " IS NOT NULL)");
    } else if (e->n_args == 1 &&
               (nb_str_equal(name, NB_STR("negative")) || nb_str_equal(name, NB_STR("not")) ||
                nb_str_equal(name, NB_STR("~")))) {
        if (name.data[0] == 'n' && name.len == 3) {
            nb_strbuf_adds(out, "(NOT ");
            add_expr(out, arena, e->args[0], ids);
            nb_strbuf_addc(out, ')');
            return;
        }
        nb_strbuf_adds(out, name.len == 1 ? "~" : "(- ");
        add_expr(out, arena, e->args[0], ids);
        nb_strbuf_adds(out, name.len == 1 ? "" : ")");
    } else if (e->n_args == 2 &&
               (nb_str_equal(name, NB_STR("getfield")) || nb_str_equal(name, NB_STR("getitem")))) {
        add_expr(out, arena, e->args[0], ids);
        nb_strbuf_addc(out, name.data[3] == 'f' ? '.' : '[');
        add_expr(out, arena, e->args[1], ids);
        nb_strbuf_adds(out, name.data[3] == 'f' ? "" : "]");
    } else if (nb_str_starts_with(name, NB_STR("nb_python")) && e->n_args >= 5 &&
               e->args[2]->kind == NB_EXPR_LITERAL && nb_type_is_string(e->args[2]->type) &&
               !nb_vector_is_null(e->args[2]->u.literal.value, 0)) {
        nb_strbuf_add(out, nb_view_str(NB_DATA(nb_view, e->args[2]->u.literal.value)));
        nb_strbuf_addc(out, '(');
        add_args(out, arena, e->args + 5, e->n_args - 5, ids);
        nb_strbuf_addc(out, ')');
    } else {
        nb_strbuf_add(out, name);
        nb_strbuf_addc(out, '(');
        add_args(out, arena, e->args, e->n_args, ids);
        nb_strbuf_addc(out, ')');
    }
}

static void
add_joined(nb_strbuf *out, nb_arena *arena, const nb_expr *e, const char *word, bool ids)
{
    nb_strbuf_fill(out, '(', e->n_args > 0 ? (size_t)e->n_args - 1 : 0);
    for (int i = 0; i < e->n_args; i++) {
        nb_strbuf_adds(out, i > 0 ? word : "");
        add_expr(out, arena, e->args[i], ids);
        nb_strbuf_adds(out, i > 0 ? ")" : "");
    }
}

static void
add_case(nb_strbuf *out, nb_arena *arena, const nb_expr *e, bool ids)
{
    nb_strbuf_adds(out, "CASE");
    for (int i = 0; i + 1 < e->n_args; i += 2) {
        nb_strbuf_adds(out, " WHEN ");
        add_expr(out, arena, e->args[i], ids);
        nb_strbuf_adds(out, " THEN ");
        add_expr(out, arena, e->args[i + 1], ids);
    }
    if (e->n_args % 2 == 1) {
        nb_strbuf_adds(out, " ELSE ");
        add_expr(out, arena, e->args[e->n_args - 1], ids);
    }
    nb_strbuf_adds(out, " END");
}

static void
add_name(nb_strbuf *out, nb_str name, uint64_t id, bool ids)
{
    nb_strbuf_add(out, name);
    if (ids && id != 0) { /* columns that the planner has made have none */
        nb_strbuf_addf(out, "#%llu", (unsigned long long)id);
    }
}

static void
add_sort_keys(nb_strbuf *out, nb_arena *arena, const nb_sort_key *keys, int n, bool ids)
{
    for (int i = 0; i < n; i++) {
        nb_strbuf_adds(out, i > 0 ? ", " : "");
        add_expr(out, arena, keys[i].expr, ids);
        nb_strbuf_adds(out, keys[i].descending ? " DESC NULLS " : " ASC NULLS ");
        nb_strbuf_adds(out, keys[i].nulls_last ? "LAST" : "FIRST");
    }
}

#define SORTED_LISTAGG NB_STR("nbaspark.listagg")

/* listagg(value, delimiter) WITHIN GROUP (ORDER BY key …), whose arguments are value, delimiter, orders, key, …; messages about its types say the
 * keys between the same parentheses. */
static void
add_sorted_listagg(nb_strbuf *out, nb_arena *arena, const nb_expr *e, bool apart, bool ids)
{
    const nb_vector *orders =
        e->args[2]->kind == NB_EXPR_LITERAL ? e->args[2]->u.literal.value : NULL;

    nb_strbuf_adds(out,
                   e->kind == NB_EXPR_AGG && e->u.agg.distinct ? "listagg(DISTINCT " : "listagg(");
    add_args(out, arena, e->args, 2, ids);
    nb_strbuf_adds(out, apart ? ") WITHIN GROUP (ORDER BY " : ", ");
    for (int i = 3; i < e->n_args; i++) {
        nb_sort_key key = {.expr = e->args[i]};
        if (orders != NULL && !nb_vector_is_null(orders, 0)) {
            nb_str letters = nb_view_str(&NB_DATA(nb_view, orders)[0]);
            size_t at = 2 * (size_t)(i - 3);
            key.descending = at + 1 < letters.len && letters.data[at] == 'D';
            key.nulls_last = at + 1 < letters.len && letters.data[at + 1] == 'L';
        }
        nb_strbuf_adds(out, i > 3 ? ", " : "");
        add_sort_keys(out, arena, &key, 1, ids);
    }
    nb_strbuf_addc(out, ')');
}

static void
add_bound(nb_strbuf *out, nb_arena *arena, nb_bound_kind kind, const nb_expr *offset, bool upper,
          bool ids)
{
    if (kind == NB_BOUND_UNBOUNDED) {
        nb_strbuf_adds(out, upper ? "UNBOUNDED FOLLOWING" : "UNBOUNDED PRECEDING");
    } else if (kind == NB_BOUND_CURRENT) {
        nb_strbuf_adds(out, "CURRENT ROW");
    } else {
        add_expr(out, arena, offset, ids);
        nb_strbuf_adds(out, " FOLLOWING");
    }
}

static void
add_window(nb_strbuf *out, nb_arena *arena, const nb_expr *e, bool ids)
{
    const nb_window_spec *spec = e->u.window.spec;

    add_expr(out, arena, e->u.window.fn, ids);
    nb_strbuf_adds(out, " OVER (");
    if (spec->n_partition_by > 0) {
        nb_strbuf_adds(out, "PARTITION BY ");
        add_args(out, arena, spec->partition_by, spec->n_partition_by, ids);
        nb_strbuf_addc(out, ' ');
    }
    if (spec->n_order_by > 0) {
        nb_strbuf_adds(out, "ORDER BY ");
        add_sort_keys(out, arena, spec->order_by, spec->n_order_by, ids);
        nb_strbuf_addc(out, ' ');
    }
    nb_strbuf_adds(out, spec->frame.is_rows ? "ROWS BETWEEN " : "RANGE BETWEEN ");
    add_bound(out, arena, spec->frame.lower, spec->frame.lower_offset, false, ids);
    nb_strbuf_adds(out, " AND ");
    add_bound(out, arena, spec->frame.upper, spec->frame.upper_offset, true, ids);
    nb_strbuf_addc(out, ')');
}

static void
add_expr(nb_strbuf *out, nb_arena *arena, const nb_expr *e, bool ids)
{
    const char *type;

    switch (e->kind) {
    case NB_EXPR_LITERAL:
        if (nb_vector_is_null(e->u.literal.value, 0)) {
            nb_strbuf_adds(out, "NULL");
        } else if (nb_type_is_string(e->type) || nb_type_is_numeric(e->type)) {
            nb_format_value(out, NULL, e->u.literal.value, 0, NB_TEXT_CAST);
        } else if (e->type->id == NB_TYPE_BINARY && ids) {
            nb_strbuf_adds(out, "0x");
            nb_strbuf_add_hex(out, nb_view_str(NB_DATA(nb_view, e->u.literal.value)));
        } else {
            nb_strbuf_adds(out, nb_sql_value(arena, e->u.literal.value, 0));
        }
        break;
    case NB_EXPR_COLUMN: add_name(out, e->u.column.name, e->u.column.attr, ids); break;
    case NB_EXPR_CALL:
        if (e->n_args > 3 && nb_str_equal(nb_function_name(e->u.call.fn), SORTED_LISTAGG)) {
            add_sorted_listagg(out, arena, e, false, ids);
        } else {
            add_call(out, arena, e, ids);
        }
        break;
    case NB_EXPR_CAST:
        if (!ids && !e->u.cast.is_explicit) {
            add_expr(out, arena, e->args[0], ids);
            break;
        }
        type = nb_type_sql(arena, e->type);
        nb_strbuf_adds(out, ids ? "cast(" : e->u.cast.mode == NB_CAST_TRY ? "TRY_CAST(" : "CAST(");
        add_expr(out, arena, e->args[0], ids);
        if (ids) {
            type = nb_type_simple_string(arena, e->type);
        }
        nb_strbuf_adds(out, ids ? " as " : " AS ");
        nb_strbuf_adds(out, type ? type : "");
        nb_strbuf_addc(out, ')');
        break;
    case NB_EXPR_AND: add_joined(out, arena, e, " AND ", ids); break;
    case NB_EXPR_OR: add_joined(out, arena, e, " OR ", ids); break;
    case NB_EXPR_CASE: add_case(out, arena, e, ids); break;
    case NB_EXPR_COALESCE:
        nb_strbuf_adds(out, "coalesce(");
        add_args(out, arena, e->args, e->n_args, ids);
        nb_strbuf_addc(out, ')');
        break;
    case NB_EXPR_IN:
        nb_strbuf_addc(out, '(');
        add_expr(out, arena, e->args[0], ids);
        nb_strbuf_adds(out, " IN (");
        add_args(out, arena, e->args + 1, e->n_args - 1, ids);
        nb_strbuf_adds(out, "))");
        break;
    case NB_EXPR_AGG: {
        nb_str name = nb_aggregate_name(e->u.agg.fn);
        if (nb_str_equal(name, SORTED_LISTAGG)) {
            add_sorted_listagg(out, arena, e, true, ids);
        } else {
            nb_strbuf_add(out, name);
            nb_strbuf_adds(out, e->u.agg.distinct ? "(DISTINCT " : "(");
            nb_strbuf_adds(out, e->n_args == 0 ? "1" : ""); /* count(*) */
            add_args(out, arena, e->args, e->n_args, ids);
            nb_strbuf_addc(out, ')');
        }
        if (e->u.agg.filter != NULL) {
            nb_strbuf_adds(out, " FILTER (WHERE ");
            add_expr(out, arena, e->u.agg.filter, ids);
            nb_strbuf_addc(out, ')');
        }
        break;
    }
    case NB_EXPR_WINDOW: add_window(out, arena, e, ids); break;
    case NB_EXPR_SUBQUERY:
        nb_strbuf_adds(out, e->u.subquery.kind == NB_SUBQUERY_SCALAR   ? "scalarsubquery("
                            : e->u.subquery.kind == NB_SUBQUERY_EXISTS ? "exists("
                                                                       : "listquery(");
        add_args(out, arena, e->args, e->n_args, ids);
        nb_strbuf_addc(out, ')');
        break;
    case NB_EXPR_LAMBDA:
        nb_strbuf_adds(out, "lambdafunction(");
        add_args(out, arena, e->args, e->n_args, ids);
        nb_strbuf_addc(out, ')');
        break;
    case NB_EXPR_ALIAS:
        add_expr(out, arena, e->args[0], ids);
        nb_strbuf_adds(out, " AS ");
        add_name(out, e->u.alias.name, e->u.alias.attr, ids);
        break;
    }
}

const char *
nb_expr_sql(nb_arena *arena, const nb_expr *e, bool with_ids)
{
    nb_strbuf text = {0}, clean = {0};

    add_expr(&text, arena, e, with_ids);
    if (nb_utf8_validate(text.data, text.len)) {
        return nb_strbuf_finish(arena, &text).data;
    }
    nb_utf8_add_clean(&clean, nb_strbuf_str(&text), SIZE_MAX); /* literals may be of any bytes */
    nb_strbuf_free(&text);
    return nb_strbuf_finish(arena, &clean).data;
}

nb_status
nb_expr_raise_misplaced(nb_arena *arena, const nb_expr *e, nb_error *err)
{
    return nb_raise(err, NB_COND_UNSUPPORTED_EXPR_FOR_OPERATOR, "invalidExprSqls",
                    nb_arena_printf(arena, "\"%s\"", nb_expr_sql(arena, e, false)), NULL);
}
