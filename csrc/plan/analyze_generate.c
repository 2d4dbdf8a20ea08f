/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_generate.c: explode and its kin, which make rows of one row.
 *
 *   beside columns     GENERATE below the list, over the rows that the list is about
 *   beside groups      its arguments become columns of the aggregation, GENERATE and a projection follow above it
 *   LATERAL VIEW       GENERATE over the relation before it (analyze_join.c)
 */
#include "plan/analyzer_internal.h"

typedef struct generator_row {
    const char *name;
    nb_generator_kind kind;
    bool outer;
    const char *help;
} generator_row;

static const generator_row generators[] = {
    {"explode", NB_GENERATE_EXPLODE, false,
     "Returns a row for each element of an array or entry of a map."},
    {"explode_outer", NB_GENERATE_EXPLODE, true,
     "Returns a row for each element of an array or entry of a map; a null where there is none."},
    {"posexplode", NB_GENERATE_POSEXPLODE, false,
     "Returns a row for each element of an array or entry of a map, with its position."},
    {"posexplode_outer", NB_GENERATE_POSEXPLODE, true,
     "Returns a row for each element of an array or entry of a map, with its position; nulls where "
     "there is none."},
    {"inline", NB_GENERATE_INLINE, false,
     "Returns a row for each struct of an array, with its fields as columns."},
    {"inline_outer", NB_GENERATE_INLINE, true,
     "Returns a row for each struct of an array, with its fields as columns; nulls where there is "
     "none."},
    {"stack", NB_GENERATE_STACK, false, "Returns its values in a number of rows."},
};

static const generator_row *
find_generator(nb_str name)
{
    for (size_t i = 0; i < NB_COUNT_OF(generators); i++) {
        if (nb_str_equal_nocase(name, nb_str_of(generators[i].name))) {
            return &generators[i];
        }
    }
    return NULL;
}

const char *
nb_generator_name(int i)
{
    return i < (int)NB_COUNT_OF(generators) ? generators[i].name : NULL;
}

const char *
nb_generator_help(nb_str name)
{
    const generator_row *g = find_generator(name);

    return g ? g->help : NULL;
}

bool
nb_is_generator(nb_str name)
{
    return find_generator(name) != NULL;
}

/* The call when e, without its alias, is a generator. */
static const generator_row *
as_generator(const Sc__Expression *e, const Sc__Expression__UnresolvedFunction **call)
{
    if (e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_ALIAS) {
        e = e->alias->expr;
    }
    if (!e || e->expr_type_case != SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_FUNCTION) {
        return NULL;
    }
    *call = e->unresolved_function;
    return find_generator(nb_pb_str((*call)->function_name));
}

static nb_status
wrong_argument(nb_analyzer *an, const generator_row *g, nb_expr *arg, const char *required,
               nb_error *err)
{
    const char *sql = nb_expr_sql(an->arena, arg, false);

    return nb_raise(err, NB_COND_DATATYPE_MISMATCH_UNEXPECTED_INPUT_TYPE, "sqlExpr",
                    nb_arena_printf(an->arena, "\"%s(%s)\"", g->name, sql), "paramIndex", "first",
                    "requiredType", required, "inputSql", nb_arena_printf(an->arena, "\"%s\"", sql),
                    "inputType",
                    nb_arena_printf(an->arena, "\"%s\"", nb_type_sql(an->arena, arg->type)), NULL);
}

/* The call's arguments, in the order of its parameters. */
static nb_status
resolve_arguments(nb_analyzer *an, const nb_scope *scope, const generator_row *g,
                  const Sc__Expression__UnresolvedFunction *call, nb_expr ***out, int *n_out,
                  nb_error *err)
{
    Sc__Expression **raw = call->arguments;
    size_t n_raw = call->n_arguments;
    nb_expr **args;

    NB_TRY(nb_positional_arguments(an, nb_str_of(g->name), &raw, &n_raw, err));
    args = NB_ARENA_ARRAY(an->arena, nb_expr *, n_raw + 1);
    NB_NEED(args);
    for (size_t i = 0; i < n_raw; i++) {
        NB_TRY(nb_resolve_expr(an, scope, raw[i], &args[i], err));
        if (args[i]->kind == NB_EXPR_ALIAS) {
            args[i] = args[i]->args[0];
        }
    }
    *out = args;
    *n_out = (int)n_raw;
    return NB_OK;
}

/* GENERATE over child, of arguments that are resolved. */
static nb_status
plan_generate(nb_analyzer *an, nb_plan *child, const generator_row *g, nb_expr **args, int n_args,
              const ProtobufCBinaryData *names, size_t n_names, nb_plan **out, nb_error *err)
{
    nb_field fields[2], *made = fields;
    const nb_type *t;
    nb_plan *p;
    int n = 0;

    if (n_args == 0) {
        return nb_raise(err, NB_COND_WRONG_NUM_ARGS, "functionName",
                        nb_arena_printf(an->arena, "`%s`", g->name), "expectedNum", "1",
                        "actualNum", "0", "docroot", "https://spark.apache.org/docs/latest",
                        "docroot", "https://spark.apache.org/docs/latest", NULL);
    }
    t = nb_type_storage(args[0]->type);
    if (g->kind == NB_GENERATE_STACK) {
        const nb_vector *v;
        nb_expr *count;
        int rows, width;
        NB_TRY(
            nb_expr_cast(an->arena, args[0], nb_type_of(NB_TYPE_INT32), NB_CAST_ANSI, &count, err));
        NB_TRY(nb_expr_fold(an->arena, count, an->cfg.info, &count, err));
        if (count->kind != NB_EXPR_LITERAL) {
            return wrong_argument(an, g, args[0], "\"INT\"", err);
        }
        v = count->u.literal.value;
        rows = nb_vector_is_null(v, 0) ? 0 : NB_DATA(int32_t, v)[0];
        if (rows <= 0) {
            return wrong_argument(an, g, args[0], "\"INT\" > 0", err);
        }
        args[0] = count;
        width = (n_args - 1 + rows - 1) / rows;
        made = NB_ARENA_ARRAY(an->arena, nb_field, width + 1);
        NB_NEED(made);
        for (int c = 0; c < width; c++) {
            const nb_type *common = nb_type_of(NB_TYPE_NULL);
            for (int i = 1 + c; i < n_args; i += width) {
                const nb_type *next = nb_coerce_common(common, args[i]->type, an->cfg.info->ansi);
                if (!next) {
                    return wrong_argument(
                        an, g, args[i],
                        nb_arena_printf(an->arena, "\"%s\"", nb_type_sql(an->arena, common)), err);
                }
                common = next;
            }
            for (int i = 1 + c; i < n_args; i += width) {
                NB_TRY(nb_expr_cast(an->arena, args[i], common, NB_CAST_ANSI, &args[i], err));
            }
            made[n++] =
                (nb_field){nb_str_of(nb_arena_printf(an->arena, "col%d", c)), common, true, {0}};
        }
    } else if (g->kind == NB_GENERATE_INLINE) {
        if (t->id != NB_TYPE_ARRAY || t->children[0].type->id != NB_TYPE_STRUCT) {
            return wrong_argument(an, g, args[0], "\"ARRAY<STRUCT>\"", err);
        }
        n = t->children[0].type->n_children;
        made = (nb_field *)t->children[0].type->children;
    } else {
        if (t->id != NB_TYPE_ARRAY && t->id != NB_TYPE_MAP) {
            return wrong_argument(an, g, args[0], "(\"ARRAY\" or \"MAP\")", err);
        }
        made = NB_ARENA_ARRAY(an->arena, nb_field, 3);
        NB_NEED(made);
        if (g->kind == NB_GENERATE_POSEXPLODE) {
            made[n++] = (nb_field){NB_STR("pos"), nb_type_of(NB_TYPE_INT32), g->outer, {0}};
        }
        if (t->id == NB_TYPE_ARRAY) {
            made[n++] =
                (nb_field){NB_STR("col"), t->children[0].type, t->contains_null || g->outer, {0}};
        } else {
            made[n++] = (nb_field){NB_STR("key"), t->children[0].type, g->outer, {0}};
            made[n++] =
                (nb_field){NB_STR("value"), t->children[1].type, t->contains_null || g->outer, {0}};
        }
    }
    if (n_names && n_names != (size_t)n) {
        nb_strbuf b = {0};
        nb_str given;
        for (size_t i = 0; i < n_names; i++) {
            nb_strbuf_addf(&b, "%s%.*s", i ? "," : "", (int)names[i].len, (char *)names[i].data);
        }
        given = nb_strbuf_finish(an->arena, &b);
        NB_NEED(given.data);
        return nb_raise(err, NB_COND_UDTF_ALIAS_NUMBER_MISMATCH, "aliasesSize",
                        nb_arena_printf(an->arena, "%d", n), "aliasesNames", given.data, NULL);
    }
    p = nb_plan_new(an->arena, NB_PLAN_GENERATE, 1, child->n_attrs + n);
    NB_NEED(p);
    p->children[0] = child;
    memcpy(p->attrs, child->attrs, sizeof(nb_attr) * (size_t)child->n_attrs);
    for (int i = 0; i < n; i++) {
        p->attrs[child->n_attrs + i] =
            (nb_attr){.id = nb_attr_next_id(),
                      .name = n_names ? nb_pb_str(names[i]) : made[i].name,
                      .type = made[i].type,
                      .nullable = made[i].nullable || g->outer};
    }
    p->u.generate.kind = g->kind;
    p->u.generate.outer = g->outer;
    p->u.generate.args = args;
    p->u.generate.n_args = n_args;
    p->u.generate.n_generated = n;
    *out = p;
    return NB_OK;
}

nb_status
nb_plan_generator(nb_analyzer *an, nb_plan *child, const Sc__Expression__UnresolvedFunction *call,
                  const ProtobufCBinaryData *names, size_t n_names, bool outer, nb_plan **out,
                  nb_error *err)
{
    nb_scope scope = {.plans = &child, .n_plans = 1, .outer = an->outer};

    const generator_row *found = find_generator(nb_pb_str(call->function_name));
    generator_row g;
    nb_expr **args;
    int n;

    if (!found) {
        return NB_DONE;
    }
    g = *found;
    g.outer |= outer;
    NB_TRY(resolve_arguments(an, &scope, &g, call, &args, &n, err));
    for (int i = 0; i < n; i++) {
        if (nb_has_agg(args[i])) {
            return nb_expr_raise_misplaced(an->arena, args[i], err);
        }
    }
    return plan_generate(an, child, &g, args, n, names, n_names, out, err);
}

nb_status
nb_plan_inline(nb_analyzer *an, nb_plan *child, nb_expr *rows, nb_plan **out, nb_error *err)
{
    nb_expr **args = NB_ARENA_ARRAY(an->arena, nb_expr *, 1);
    nb_plan *p;
    int n;

    NB_NEED(args);
    args[0] = rows;
    NB_TRY(plan_generate(an, child, find_generator(NB_STR("inline")), args, 1, NULL, 0, &p, err));
    n = p->u.generate.n_generated;
    return nb_plan_narrow(an->arena, p, p->attrs + p->n_attrs - n, n, out);
}

/* The generator that e is, with its call, and its alias's names where the caller has none for it. */
static nb_status
generator_of(nb_analyzer *an, const Sc__Expression **e,
             const Sc__Expression__UnresolvedFunction **call, const ProtobufCBinaryData **names,
             size_t *n_names, const generator_row **out, nb_error *err)
{
    if ((*e)->expr_type_case == SC__EXPRESSION__EXPR_TYPE_EXPRESSION_STRING) {
        Sc__Expression *parsed;
        NB_TRY(nb_parse_expression_string(an, *e, &parsed, err));
        *e = parsed;
    }
    *out = as_generator(*e, call);
    if (*out && !*n_names && (*e)->expr_type_case == SC__EXPRESSION__EXPR_TYPE_ALIAS) {
        *names = (*e)->alias->name;
        *n_names = (*e)->alias->n_name;
    }
    return NB_OK;
}

nb_status
nb_generator_is_whole(nb_analyzer *an, const Sc__Expression *e, nb_status st, nb_error *err)
{
    nb_str text;

    if (st != NB_ERROR || !err || err->condition != NB_COND_UNSUPPORTED_GENERATOR_OUTSIDE_SELECT) {
        return st;
    }
    nb_error_clear(err);
    NB_TRY(nb_expression_name(an, e, &text, err));
    return nb_raise(err, NB_COND_UNSUPPORTED_GENERATOR_NESTED, "expression",
                    nb_arena_printf(an->arena, "\"%.*s\"", (int)text.len, text.data), NULL);
}

nb_status
nb_generate_item(nb_analyzer *an, const nb_scope *scope, const Sc__Expression *e,
                 const ProtobufCBinaryData *names, size_t n_names, nb_plan **child,
                 nb_generated *out, nb_error *err)
{
    const Sc__Expression__UnresolvedFunction *call;
    const generator_row *g;
    nb_expr **args;
    int n;

    *out = (nb_generated){0};
    NB_TRY(generator_of(an, &e, &call, &names, &n_names, &g, err));
    if (!g) {
        return NB_OK;
    }
    NB_TRY(
        nb_generator_is_whole(an, e, resolve_arguments(an, scope, g, call, &args, &n, err), err));
    for (int i = 0; i < n; i++) {
        if (nb_has_agg(args[i])) {
            return NB_DONE;
        }
    }
    out->first = (*child)->n_attrs;
    NB_TRY(plan_generate(an, *child, g, args, n, names, n_names, child, err));
    out->n = (*child)->u.generate.n_generated;
    return NB_OK;
}

/* ---- generators over groups ---- */

struct nb_group_generator {
    const generator_row *kind;
    const Sc__Expression *call;
    nb_expr **args;
    int n_args;
    const ProtobufCBinaryData *names;
    size_t n_names;
    int at; /* in the list, of its first argument there */
};

nb_status
nb_group_generator_add(nb_analyzer *an, const nb_scope *scope, const Sc__Expression *e, int at,
                       nb_group_generators *list, nb_expr ***out, int *n_out, nb_error *err)
{
    const Sc__Expression__UnresolvedFunction *call;
    const generator_row *kind;
    nb_group_generator *g;
    const ProtobufCBinaryData *names = NULL;
    size_t n_names = 0;

    NB_TRY(generator_of(an, &e, &call, &names, &n_names, &kind, err));
    if (!kind) {
        return NB_DONE;
    }
    list->items = nb_arena_grow(an->arena, list->items, list->n, &list->cap, sizeof *list->items);
    NB_NEED(list->items);
    g = &list->items[list->n++];
    *g = (nb_group_generator){
        .kind = kind,
        .call = e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_ALIAS ? e->alias->expr : e,
        .names = names,
        .n_names = n_names,
        .at = at};
    NB_TRY(nb_generator_is_whole(
        an, e, resolve_arguments(an, scope, kind, call, &g->args, &g->n_args, err), err));
    *out = NB_ARENA_ARRAY(an->arena, nb_expr *, g->n_args + 1);
    NB_NEED(*out);
    *n_out = 0;
    for (int i = 0; i < g->n_args; i++) {
        nb_expr *named;
        if (g->args[i]->foldable) { /* stack()'s number of rows stays a constant */
            continue;
        }
        named =
            nb_expr_alias(an->arena, g->args[i],
                          nb_str_of(nb_expr_sql(an->arena, g->args[i], false)), nb_attr_next_id());
        NB_NEED(named);
        (*out)[(*n_out)++] = named;
        g->args[i] = NULL; /* what the aggregation makes of it */
    }
    return NB_OK;
}

static nb_status
raise_several(nb_analyzer *an, const nb_group_generators *list, nb_error *err)
{
    nb_strbuf b = {0};
    nb_str texts;

    for (int i = 0; i < list->n; i++) {
        nb_str text;
        nb_status st = nb_expression_name(an, list->items[i].call, &text, err);
        if (st < 0) {
            nb_strbuf_free(&b);
            return st;
        }
        nb_strbuf_addf(&b, "%s\"%.*s\"", i ? ", " : "", (int)text.len, text.data);
    }
    texts = nb_strbuf_finish(an->arena, &b);
    NB_NEED(texts.data);
    return nb_raise(err, NB_COND_UNSUPPORTED_GENERATOR_MULTI, "num",
                    nb_arena_printf(an->arena, "%d", list->n), "generators", texts.data, NULL);
}

nb_status
nb_plan_group_generator(nb_analyzer *an, nb_plan *groups, const nb_group_generators *list,
                        int before, nb_plan **out, nb_error *err)
{
    nb_group_generator *g = list->items;
    nb_expr **columns;
    nb_plan *rows;
    int first, taken = 0, n = 0;

    if (!list->n) {
        *out = groups;
        return NB_OK;
    }
    if (list->n > 1) {
        return raise_several(an, list, err);
    }
    first = g->at + before;
    for (int i = 0; i < g->n_args; i++) {
        if (!g->args[i]) {
            g->args[i] = nb_attr_expr(an->arena, &groups->attrs[first + taken++]);
            NB_NEED(g->args[i]);
        }
    }
    NB_TRY(
        plan_generate(an, groups, g->kind, g->args, g->n_args, g->names, g->n_names, &rows, err));
    columns = NB_ARENA_ARRAY(an->arena, nb_expr *, rows->n_attrs + 1);
    NB_NEED(columns);
    for (int i = 0; i <= groups->n_attrs; i++) {
        for (int k = groups->n_attrs; i == first && k < rows->n_attrs; k++) {
            columns[n] = nb_attr_expr(an->arena, &rows->attrs[k]);
            NB_NEED(columns[n++]);
        }
        if (i < groups->n_attrs && (i < first || i >= first + taken)) {
            columns[n] = nb_attr_expr(an->arena, &groups->attrs[i]);
            NB_NEED(columns[n++]);
        }
    }
    return nb_plan_project(an, rows, columns, n, out, err);
}
