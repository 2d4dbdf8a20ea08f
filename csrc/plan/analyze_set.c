/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_set.c: UNION, INTERSECT, EXCEPT, by position or by name.
 *
 * Both sides are brought to common types first. INTERSECT and EXCEPT are null-safe semi and anti joins over distinct rows; with ALL, equal rows
 * are told apart by a row_number within their group, which then is one more column to compare.
 */
#include "plan/analyzer_internal.h"

typedef struct columns {
    nb_expr **items;
    int n;
} columns;

static nb_status
project_visible(nb_analyzer *an, nb_plan **p, nb_error *err)
{
    columns c;

    NB_TRY(nb_columns_of(an, *p, &c.items, &c.n));
    if (c.n != (*p)->n_attrs) {
        return nb_plan_project(an, *p, c.items, c.n, p, err);
    }
    return NB_OK;
}

static int
field_of(const nb_type *t, nb_str name)
{
    for (int i = 0; i < t->n_children; i++) {
        if (nb_str_equal_nocase(t->children[i].name, name)) {
            return i;
        }
    }
    return -1;
}

/* A struct with a's fields and then those that only b has; of fields in both that are structs the same. NULL when out of memory. */
static const nb_type *
both_fields(nb_analyzer *an, const nb_type *a, const nb_type *b)
{
    nb_field *fields;
    int n = 0;

    if (a->id != NB_TYPE_STRUCT || b->id != NB_TYPE_STRUCT) {
        return a;
    }
    fields = NB_ARENA_ARRAY(an->arena, nb_field, a->n_children + b->n_children + 1);
    if (fields == NULL) {
        return NULL;
    }
    for (int i = 0; i < a->n_children; i++) {
        int at = field_of(b, a->children[i].name);

        fields[n] = a->children[i];
        fields[n].nullable |= at < 0 || b->children[at].nullable;
        if (at >= 0) {
            fields[n].type = both_fields(an, a->children[i].type, b->children[at].type);
            if (fields[n].type == NULL) {
                return NULL;
            }
        }
        n++;
    }
    for (int i = 0; i < b->n_children; i++) {
        if (field_of(a, b->children[i].name) < 0) {
            fields[n] = b->children[i];
            fields[n++].nullable = true;
        }
    }
    return nb_type_struct(fields, n);
}

/* e with the fields of a type that both_fields made: those it lacks are null. */
static nb_status
with_fields(nb_analyzer *an, nb_expr *e, const nb_type *to, nb_expr **out, nb_error *err)
{
    const nb_type *from = e->type;
    nb_expr **args;

    *out = e;
    if (from->id != NB_TYPE_STRUCT || to->id != NB_TYPE_STRUCT ||
        nb_type_same_ignoring_null(from, to)) {
        return NB_OK;
    }
    args = NB_ARENA_ARRAY(an->arena, nb_expr *, 2 * to->n_children + 1);
    NB_NEED(args);
    for (int i = 0; i < to->n_children; i++) {
        int at = field_of(from, to->children[i].name);

        args[2 * i] = nb_expr_string(an->arena, to->children[i].name);
        NB_NEED(args[2 * i]);
        if (at < 0) {
            args[2 * i + 1] = nb_expr_null(an->arena, to->children[i].type);
            NB_NEED(args[2 * i + 1]);
        } else {
            nb_expr *name = nb_expr_string(an->arena, from->children[at].name);
            NB_NEED(name);
            NB_TRY(nb_call2(an, "getitem", e, name, &args[2 * i + 1], err));
            NB_TRY(with_fields(an, args[2 * i + 1], to->children[i].type, &args[2 * i + 1], err));
        }
    }
    return nb_struct_like(an, e, args, 2 * to->n_children, out, err);
}

/* Gives two structs of one column the same fields. */
static nb_status
same_fields(nb_analyzer *an, nb_str name, nb_expr **l, nb_expr **r, nb_error *err)
{
    nb_expr **sides[2] = {l, r};
    const nb_type *t = both_fields(an, (*l)->type, (*r)->type);

    NB_NEED(t);
    for (int i = 0; i < 2; i++) {
        nb_expr *old = *sides[i];

        NB_TRY(with_fields(an, old, t, sides[i], err));
        if (*sides[i] != old) {
            *sides[i] = nb_expr_alias(an->arena, *sides[i], name, nb_attr_next_id());
            NB_NEED(*sides[i]);
        }
    }
    return NB_OK;
}

/* Columns of right in the order of left's names; missing ones null where allowed. */
static nb_status
align_by_name(nb_analyzer *an, nb_plan **left, nb_plan **right, bool allow_missing, nb_error *err)
{
    columns l, r;
    int n_left = (*left)->n_attrs, n_extra = 0;

    l.items = NB_ARENA_ARRAY(an->arena, nb_expr *, n_left + (*right)->n_attrs + 1);
    r.items = NB_ARENA_ARRAY(an->arena, nb_expr *, n_left + (*right)->n_attrs + 1);
    NB_NEED(l.items && r.items);
    for (int i = 0; i < n_left; i++) {
        bool ambiguous;
        const nb_attr *a = &(*left)->attrs[i],
                      *b = nb_find_by_name(an, *right, a->name, &ambiguous);
        l.items[i] = nb_attr_expr(an->arena, a);
        NB_NEED(l.items[i]);
        if (b) {
            r.items[i] = nb_attr_expr(an->arena, b);
            NB_NEED(r.items[i]);
            if (allow_missing) {
                NB_TRY(same_fields(an, a->name, &l.items[i], &r.items[i], err));
            }
        } else if (allow_missing) {
            r.items[i] = nb_expr_alias(an->arena, nb_expr_null(an->arena, a->type), a->name,
                                       nb_attr_next_id());
        } else {
            return nb_raise(err, NB_COND_UNRESOLVED_COLUMN_AMONG_FIELD_NAMES, "colName",
                            nb_arena_printf(an->arena, "%.*s", (int)a->name.len, a->name.data),
                            "fieldNames", nb_field_names(an, *right), NULL);
        }
        NB_NEED(r.items[i]);
    }
    for (int i = 0; i < (*right)->n_attrs; i++) {
        bool ambiguous;
        const nb_attr *b = &(*right)->attrs[i];
        if (!nb_find_by_name(an, *left, b->name, &ambiguous)) {
            if (!allow_missing) {
                return nb_raise(err, NB_COND_NUM_COLUMNS_MISMATCH, "operator", "UNION",
                                "firstNumColumns", nb_arena_printf(an->arena, "%d", n_left),
                                "invalidOrdinalNum", "second", "invalidNumColumns",
                                nb_arena_printf(an->arena, "%d", (*right)->n_attrs), NULL);
            }
            l.items[n_left + n_extra] = nb_expr_alias(an->arena, nb_expr_null(an->arena, b->type),
                                                      b->name, nb_attr_next_id());
            r.items[n_left + n_extra] = nb_attr_expr(an->arena, b);
            NB_NEED(l.items[n_left + n_extra] && r.items[n_left + n_extra]);
            n_extra++;
        }
    }
    NB_TRY(nb_plan_project(an, *left, l.items, n_left + n_extra, left, err));
    return nb_plan_project(an, *right, r.items, n_left + n_extra, right, err);
}

static nb_status
to_types(nb_analyzer *an, nb_plan **p, const nb_type **types, nb_error *err)
{
    columns c;
    bool changed = false;

    NB_TRY(nb_columns_of(an, *p, &c.items, &c.n));
    for (int i = 0; i < c.n; i++) {
        if (!nb_type_same_ignoring_null(c.items[i]->type, types[i])) {
            nb_str name = c.items[i]->u.column.name;
            nb_expr *e;
            NB_TRY(nb_cast_to(an, c.items[i], types[i], &e, err));
            c.items[i] = nb_expr_alias(an->arena, e, name, nb_attr_next_id());
            NB_NEED(c.items[i]);
            changed = true;
        }
    }
    return changed ? nb_plan_project(an, *p, c.items, c.n, p, err) : NB_OK;
}

static nb_status
common_types(nb_analyzer *an, nb_plan **left, nb_plan **right, const char *op, nb_error *err)
{
    static const char *const nth[] = {"first", "second",  "third",  "fourth", "fifth",
                                      "sixth", "seventh", "eighth", "ninth",  "tenth"};
    int n = (*left)->n_attrs;
    const nb_type **types = NB_ARENA_ARRAY(an->arena, const nb_type *, n + 1);

    NB_NEED(types);
    if (n != (*right)->n_attrs) {
        return nb_raise(err, NB_COND_NUM_COLUMNS_MISMATCH, "operator", op, "firstNumColumns",
                        nb_arena_printf(an->arena, "%d", n), "invalidOrdinalNum", "second",
                        "invalidNumColumns", nb_arena_printf(an->arena, "%d", (*right)->n_attrs),
                        NULL);
    }
    for (int i = 0; i < n; i++) {
        const nb_type *a = (*left)->attrs[i].type, *b = (*right)->attrs[i].type;
        types[i] =
            nb_type_same_ignoring_null(a, b) ? a : nb_coerce_common(a, b, an->cfg.info->ansi);
        if (!types[i]) {
            return nb_raise(
                err, NB_COND_INCOMPATIBLE_COLUMN_TYPE, "operator", op, "columnOrdinalNumber",
                i < 10 ? nth[i] : nb_arena_printf(an->arena, "%dth", i + 1), "tableOrdinalNumber",
                "second", "dataType1",
                nb_arena_printf(an->arena, "\"%s\"", nb_type_sql(an->arena, b)), "dataType2",
                nb_arena_printf(an->arena, "\"%s\"", nb_type_sql(an->arena, a)), "hint", "", NULL);
        }
    }
    NB_TRY(to_types(an, left, types, err));
    return to_types(an, right, types, err);
}

static nb_status
plan_union(nb_analyzer *an, nb_plan *left, nb_plan *right, nb_plan **out)
{
    nb_plan *p = nb_plan_new(an->arena, NB_PLAN_UNION, 2, left->n_attrs);

    NB_NEED(p);
    p->children[0] = left;
    p->children[1] = right;
    for (int i = 0; i < left->n_attrs; i++) {
        p->attrs[i] = (nb_attr){.id = nb_attr_next_id(),
                                .name = left->attrs[i].name,
                                .type = left->attrs[i].type,
                                .nullable = left->attrs[i].nullable || right->attrs[i].nullable,
                                .metadata = left->attrs[i].metadata};
        if (left->attrs[i].type != right->attrs[i].type) {
            p->attrs[i].type = nb_type_as_nullable(left->attrs[i].type);
        }
    }
    *out = p;
    return NB_OK;
}

/* row_number() over (partition by keys); the rows' own order is that of the numbers. */
static nb_status
row_number(nb_analyzer *an, nb_expr **keys, int n, nb_expr **out, nb_error *err)
{
    nb_window_spec *spec = NB_ARENA_NEW(an->arena, nb_window_spec);
    nb_expr *w, *fn;

    NB_NEED(spec);
    spec->partition_by = keys;
    spec->n_partition_by = n;
    spec->order_by = NB_ARENA_NEW(an->arena, nb_sort_key);
    NB_NEED(spec->order_by);
    spec->order_by[0].expr = nb_expr_int32(an->arena, 1);
    spec->n_order_by = 1;
    spec->frame = (nb_frame){.is_rows = true, .upper = NB_BOUND_CURRENT};
    NB_TRY(nb_call(an, "row_number", NULL, 0, &fn, err));
    w = nb_expr_new(an->arena, NB_EXPR_WINDOW, fn->type, false, 0);
    NB_NEED(w && spec->order_by[0].expr);
    w->u.window.fn = fn;
    w->u.window.spec = spec;
    nb_expr_set_flags(w);
    w->foldable = false;
    *out = w;
    return NB_OK;
}

nb_status
nb_sequence_id(nb_analyzer *an, nb_expr **out, nb_error *err)
{
    nb_expr *number, *one = nb_expr_int32(an->arena, 1);

    NB_NEED(one);
    NB_TRY(row_number(an, NULL, 0, &number, err));
    NB_TRY(nb_cast_to(an, number, nb_type_of(NB_TYPE_INT64), &number, err));
    return nb_call2(an, "-", number, one, out, err);
}

/* One more column: the number of the row among its equals. */
static nb_status
number_equals(nb_analyzer *an, nb_plan **p, nb_error *err)
{
    columns c;
    nb_expr *w, **list;

    NB_TRY(nb_columns_of(an, *p, &c.items, &c.n));
    NB_TRY(row_number(an, c.items, c.n, &w, err));
    list = NB_ARENA_ARRAY(an->arena, nb_expr *, c.n + 1);
    NB_NEED(list);
    memcpy(list, c.items, sizeof(nb_expr *) * (size_t)c.n);
    list[c.n] = nb_expr_alias(an->arena, w, NB_STR("_n"), nb_attr_next_id());
    NB_NEED(list[c.n]);
    return nb_plan_project(an, *p, list, c.n + 1, p, err);
}

static nb_status
plan_semi_or_anti(nb_analyzer *an, nb_plan *left, nb_plan *right, bool is_intersect, bool is_all,
                  nb_plan **out, nb_error *err)
{
    nb_expr *condition = NULL;
    int n = left->n_attrs;
    columns c;
    nb_plan *join;

    if (is_all) {
        NB_TRY(number_equals(an, &left, err));
        NB_TRY(number_equals(an, &right, err));
    } else {
        NB_TRY(nb_plan_distinct(an, left, &left, err));
    }
    for (int i = 0; i < left->n_attrs; i++) {
        nb_expr *equal, *a = nb_attr_expr(an->arena, &left->attrs[i]),
                        *b = nb_attr_expr(an->arena, &right->attrs[i]);
        NB_NEED(a && b);
        NB_TRY(nb_call2(an, "<=>", a, b, &equal, err));
        if (condition) {
            NB_TRY(nb_call2(an, "and", condition, equal, &condition, err));
        } else {
            condition = equal;
        }
    }
    NB_TRY(nb_plan_join(an, left, right, is_intersect ? NB_JOIN_SEMI : NB_JOIN_ANTI, condition,
                        &join, err));
    for (int i = 0; i < n && is_intersect;
         i++) { /* a row of both sides: null only where both may be */
        join->attrs[i].nullable &= right->attrs[i].nullable;
    }
    if (!is_all) {
        *out = join;
        return NB_OK;
    }
    NB_TRY(nb_columns_of(an, join, &c.items, &c.n));
    return nb_plan_project(an, join, c.items, n, out, err);
}

nb_status
nb_analyze_set_op(nb_analyzer *an, const Sc__SetOperation *op, nb_plan **out, nb_error *err)
{
    nb_plan *left, *right;
    bool is_all = op->has_is_all && op->is_all;
    const char *name = op->set_op_type == SC__SET_OPERATION__SET_OP_TYPE__SET_OP_TYPE_UNION
                           ? "UNION"
                       : op->set_op_type == SC__SET_OPERATION__SET_OP_TYPE__SET_OP_TYPE_INTERSECT
                           ? (is_all ? "INTERSECT ALL" : "INTERSECT")
                           : (is_all ? "EXCEPT ALL" : "EXCEPT");

    NB_TRY(nb_analyze_relation(an, op->left_input, &left, err));
    NB_TRY(nb_analyze_relation(an, op->right_input, &right, err));
    NB_TRY(project_visible(an, &left, err));
    NB_TRY(project_visible(an, &right, err));
    if (op->has_by_name && op->by_name) {
        NB_TRY(align_by_name(an, &left, &right,
                             op->has_allow_missing_columns && op->allow_missing_columns, err));
    }
    NB_TRY(common_types(an, &left, &right, name, err));
    switch (op->set_op_type) {
    case SC__SET_OPERATION__SET_OP_TYPE__SET_OP_TYPE_UNION:
        NB_TRY(plan_union(an, left, right, out));
        return is_all ? NB_OK : nb_plan_distinct(an, *out, out, err);
    case SC__SET_OPERATION__SET_OP_TYPE__SET_OP_TYPE_INTERSECT:
        return plan_semi_or_anti(an, left, right, true, is_all, out, err);
    case SC__SET_OPERATION__SET_OP_TYPE__SET_OP_TYPE_EXCEPT:
        return plan_semi_or_anti(an, left, right, false, is_all, out, err);
    default:
        return nb_raise(err, NB_COND_INVALID_PLAN, "message", "an unknown set operation", NULL);
    }
}
