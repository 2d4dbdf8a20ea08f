/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_variable.c: names of session variables in queries, and texts that IDENTIFIER() and the like compute.
 *
 * A variable is its value when the query is analysed. As in Spark, columns and aliases of the same name come first; session.x and
 * system.session.x are the variable x; what follows are fields of it.
 */
#include "plan/analyzer_internal.h"

nb_status
nb_table_cell(nb_arena *arena, nb_table *table, int column, nb_expr **out)
{
    const nb_type *type = table->schema->children[column].type;
    nb_vector one, flat;
    uint32_t row = 0;
    int c = 0;

    while (c < table->n_chunks && table->chunks[c]->n_rows == 0) {
        c++;
    }
    if (c == table->n_chunks) {
        *out = nb_expr_null(arena, type);
        return *out ? NB_OK : NB_NOMEM;
    }
    NB_TRY(nb_vector_gather(arena, &table->chunks[c]->cols[column], &row, 1, &one));
    NB_TRY(nb_vector_flatten(arena, &one, &flat));
    flat.kind = NB_VEC_CONST;
    *out = nb_expr_literal(arena, &flat);
    return *out ? NB_OK : NB_NOMEM;
}

nb_status
nb_resolve_variable(nb_analyzer *an, nb_str identifier, nb_expr **out, nb_error *err)
{
    nb_str *parts;
    size_t n, first = 0;
    nb_table *table;
    int column;
    nb_status st;

    if (!an->cfg.catalog || !nb_catalog_has_variables(an->cfg.catalog)) {
        return NB_DONE;
    }
    NB_TRY(nb_split_identifier(an, identifier, &parts, &n, err));
    if (n > 2 && nb_str_equal_nocase(parts[0], NB_STR("system")) &&
        nb_str_equal_nocase(parts[1], NB_STR("session"))) {
        first = 2;
    } else if (n > 1 && nb_str_equal_nocase(parts[0], NB_STR("session"))) {
        first = 1;
    }
    table = nb_catalog_variable(an->cfg.catalog, parts[first], false, &column);
    if (!table) {
        return NB_DONE;
    }
    st = nb_table_cell(an->arena, table, column, out);
    nb_table_release(table);
    for (size_t i = first + 1; i < n && st >= 0; i++) {
        st = nb_extract_field(an, *out, parts[i], out, err);
    }
    return st;
}

nb_status
nb_analyzer_fold_text(void *payload, const Sc__Expression *e, nb_str *out, nb_error *err)
{
    nb_analyzer *an = payload;
    nb_scope none = {0};
    nb_expr *made;
    nb_str shown;

    NB_TRY(nb_resolve_expr(an, &none, e, &made, err));
    if (made->kind == NB_EXPR_ALIAS) {
        made = made->args[0];
    }
    NB_TRY(nb_expression_name(an, e, &shown, err));
    const char *expr = nb_arena_printf(an->arena, "%.*s", (int)shown.len, shown.data);
    if (!made->foldable) {
        return nb_raise(err, NB_COND_NOT_A_CONSTANT_STRING_NOT_CONSTANT, "name", "IDENTIFIER",
                        "expr", expr, NULL);
    }
    if (!nb_type_is_string(made->type)) {
        return nb_raise(err, NB_COND_NOT_A_CONSTANT_STRING_WRONG_TYPE, "name", "IDENTIFIER", "expr",
                        expr, "dataType", nb_type_simple_string(an->arena, made->type), NULL);
    }
    NB_TRY(nb_expr_fold(an->arena, made, an->cfg.info, &made, err));
    if (nb_vector_is_null(made->u.literal.value, 0)) {
        return nb_raise(err, NB_COND_NOT_A_CONSTANT_STRING_NULL, "name", "IDENTIFIER", "expr", expr,
                        NULL);
    }
    *out = nb_arena_str(an->arena, nb_view_str(NB_DATA(nb_view, made->u.literal.value)));
    return out->data ? NB_OK : NB_NOMEM;
}
