/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_to_schema.c: df.to(schema): columns and the fields of their structs by name, in the schema's order, stored as its types.
 *
 * What the rows lack is null where the schema allows it. Values are cast as INSERT casts them: only where a type can store the other
 * (nb_can_store), and a value that does not fit raises.
 */
#include "plan/analyzer_internal.h"

/* Where in the rows we are: the names from the column down, for messages. */
typedef struct path {
    const struct path *up;
    nb_str name;
} path;

/* A field by its name, and how to get at it. */
typedef struct source {
    nb_str name;
    nb_expr *e;
} source;

static nb_status reconcile(nb_analyzer *an, nb_expr *e, const path *at, const nb_type *to,
                           bool nullable, nb_expr **out, nb_error *err);

static const char *
path_text(nb_analyzer *an, const path *at)
{
    const char *own = nb_arena_printf(an->arena, "`%.*s`", (int)at->name.len, at->name.data);

    return at->up ? nb_arena_printf(an->arena, "%s.%s", path_text(an, at->up), own) : own;
}

static nb_status
raise_no_field(nb_analyzer *an, const path *up, nb_str name, const source *from, int n,
               nb_error *err)
{
    nb_str *names = NB_ARENA_ARRAY(an->arena, nb_str, n + 1);
    const char *list = "";

    NB_NEED(names);
    for (int i = 0; i < n; i++) {
        names[i] = from[i].name;
    }
    nb_sort_by_likeness(name, names, n);
    for (int i = 0; i < NB_MIN(n, 5); i++) {
        list = nb_arena_printf(an->arena, "%s%s`%.*s`", list, i ? ", " : "", (int)names[i].len,
                               names[i].data);
        NB_NEED(list);
    }
    return nb_raise(err, NB_COND_UNRESOLVED_FIELD_WITH_SUGGESTION, "fieldName",
                    nb_arena_printf(an->arena, "`%.*s`", (int)name.len, name.data), "columnPath",
                    path_text(an, up), "proposal", list, NULL);
}

/* The field `want` out of those there are; NULL when there is none. */
static nb_status
pick(nb_analyzer *an, const source *from, int n, const path *up, const nb_field *want,
     const source **out, nb_error *err)
{
    int matches = 0;

    *out = NULL;
    for (int i = 0; i < n; i++) {
        if (nb_names_equal(an, from[i].name, want->name)) {
            *out = matches++ ? *out : &from[i];
        }
    }
    if (matches > 1) {
        path here = {up, want->name};
        return nb_raise(err, NB_COND_AMBIGUOUS_COLUMN_OR_FIELD, "name", path_text(an, &here), "n",
                        nb_arena_printf(an->arena, "%d", matches), NULL);
    }
    return NB_OK;
}

static nb_status
reconcile_struct(nb_analyzer *an, nb_expr *e, const path *at, const nb_type *to, nb_expr **out,
                 nb_error *err)
{
    const nb_type *t = e->type;
    source *from = NB_ARENA_ARRAY(an->arena, source, t->n_children + 1);
    nb_expr **args = NB_ARENA_ARRAY(an->arena, nb_expr *, 2 * to->n_children + 1);

    NB_NEED(from && args);
    for (int i = 0; i < t->n_children; i++) {
        from[i].name = t->children[i].name;
    }
    for (int i = 0; i < to->n_children; i++) {
        const nb_field *f = &to->children[i];
        const source *found;
        path here = {at, f->name};

        NB_TRY(pick(an, from, t->n_children, at, f, &found, err));
        args[2 * i] = nb_expr_string(an->arena, f->name);
        NB_NEED(args[2 * i]);
        if (!found && !f->nullable) {
            return raise_no_field(an, at, f->name, from, t->n_children, err);
        }
        if (!found) {
            args[2 * i + 1] = nb_expr_null(an->arena, f->type);
            NB_NEED(args[2 * i + 1]);
            continue;
        }
        NB_TRY(nb_extract_field(an, e, found->name, &args[2 * i + 1], err));
        NB_TRY(reconcile(an, args[2 * i + 1], &here, f->type,
                         f->nullable || (e->nullable && !t->children[found - from].nullable),
                         &args[2 * i + 1], err));
    }
    return nb_struct_like(an, e, args, 2 * to->n_children, out, err);
}

/* transform(list, x -> x as another type). */
static nb_status
reconcile_elements(nb_analyzer *an, nb_expr *list, const char *part, const path *at,
                   const nb_field *to, nb_expr **out, nb_error *err)
{
    path here = {at, nb_str_of(part)};
    uint64_t id = nb_attr_next_id();
    nb_expr *x = nb_expr_column(an->arena, id, NB_STR("x"), list->type->children[0].type,
                                list->type->contains_null);
    nb_expr *body;

    NB_NEED(x);
    NB_TRY(reconcile(an, x, &here, to->type, to->nullable, &body, err));
    if (body == x) {
        *out = list;
        return NB_OK;
    }
    NB_TRY(nb_lambda_of(an, body, &id, 1, &body));
    return nb_call2(an, "transform", list, body, out, err);
}

static nb_status
reconcile_map(nb_analyzer *an, nb_expr *e, const path *at, const nb_type *to, nb_expr **out,
              nb_error *err)
{
    nb_field key = {.type = to->children[0].type},
             value = {.type = to->children[1].type, .nullable = to->contains_null};
    nb_expr *keys, *values, *new_keys, *new_values;

    NB_TRY(nb_call(an, "map_keys", &e, 1, &keys, err));
    NB_TRY(nb_call(an, "map_values", &e, 1, &values, err));
    NB_TRY(reconcile_elements(an, keys, "key", at, &key, &new_keys, err));
    NB_TRY(reconcile_elements(an, values, "value", at, &value, &new_values, err));
    if (new_keys == keys && new_values == values) {
        *out = e;
        return NB_OK;
    }
    return nb_call2(an, "map_from_arrays", new_keys, new_values, out, err);
}

static nb_status
reconcile(nb_analyzer *an, nb_expr *e, const path *at, const nb_type *to, bool nullable,
          nb_expr **out, nb_error *err)
{
    nb_type_id id = e->type->id;

    if (e->nullable && !nullable) {
        return nb_raise(err, NB_COND_NULLABLE_COLUMN_OR_FIELD, "name", path_text(an, at), NULL);
    }
    if (id == to->id && (id == NB_TYPE_ARRAY || id == NB_TYPE_MAP) && e->type->contains_null &&
        !to->contains_null) {
        return nb_raise(err,
                        id == NB_TYPE_ARRAY ? NB_COND_NOT_NULL_CONSTRAINT_VIOLATION_ARRAY_ELEMENT
                                            : NB_COND_NOT_NULL_CONSTRAINT_VIOLATION_MAP_VALUE,
                        "columnPath", path_text(an, at), NULL);
    }
    if (id == to->id && id == NB_TYPE_STRUCT) {
        *out = e;
        return e->type == to ? NB_OK : reconcile_struct(an, e, at, to, out, err);
    }
    if (id == to->id && id == NB_TYPE_ARRAY) {
        nb_field element = {.type = to->children[0].type, .nullable = to->contains_null};
        return reconcile_elements(an, e, "element", at, &element, out, err);
    }
    if (id == to->id && id == NB_TYPE_MAP) {
        return reconcile_map(an, e, at, to, out, err);
    }
    if (!nb_can_store(nb_type_storage(e->type), nb_type_storage(to))) {
        return nb_raise(
            err, NB_COND_INVALID_COLUMN_OR_FIELD_DATA_TYPE, "name", path_text(an, at), "type",
            nb_arena_printf(an->arena, "\"%s\"", nb_type_sql(an->arena, e->type)), "expectedType",
            nb_arena_printf(an->arena, "\"%s\"", nb_type_sql(an->arena, to)), NULL);
    }
    return nb_expr_cast(an->arena, e, to, NB_CAST_ANSI, out, err);
}

nb_status
nb_analyze_to_schema(nb_analyzer *an, const Sc__ToSchema *t, nb_plan **out, nb_error *err)
{
    nb_plan *child;
    const nb_type *schema;
    nb_expr **list;
    source *from;
    int n = 0;

    NB_TRY(nb_analyze_relation(an, t->input, &child, err));
    NB_TRY(nb_resolve_type(an, t->schema, &schema, err));
    if (schema->id != NB_TYPE_STRUCT) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message", "DataFrame.to wants a struct", NULL);
    }
    list = NB_ARENA_ARRAY(an->arena, nb_expr *, schema->n_children + 1);
    from = NB_ARENA_ARRAY(an->arena, source, child->n_attrs + 1);
    NB_NEED(list && from);
    for (int i = 0; i < child->n_attrs; i++) {
        if (!child->attrs[i].hidden) {
            from[n] = (source){child->attrs[i].name, nb_attr_expr(an->arena, &child->attrs[i])};
            NB_NEED(from[n++].e);
        }
    }
    for (int i = 0; i < schema->n_children; i++) {
        const nb_field *f = &schema->children[i];
        path here = {NULL, f->name};
        const source *found;
        const nb_attr *missing;
        nb_expr *e = NULL;

        NB_TRY(pick(an, from, n, NULL, f, &found, err));
        if (!found && !f->nullable) {
            return nb_need_by_name(an, child, f->name, &missing, err);
        }
        if (found) {
            NB_TRY(reconcile(an, found->e, &here, f->type, f->nullable, &e, err));
        } else {
            e = nb_expr_null(an->arena, f->type);
        }
        NB_NEED(e);
        list[i] = nb_expr_alias(an->arena, e, f->name, nb_attr_next_id());
        NB_NEED(list[i]);
        list[i]->u.alias.metadata = f->metadata;
    }
    return nb_plan_project(an, child, list, schema->n_children, out, err);
}
