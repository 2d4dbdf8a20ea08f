/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_join.c: joins: on a condition, on columns of both sides (USING), natural, lateral.
 *
 * USING and NATURAL put the common columns first, once (coalesced in a full join, the right one in a right join); the other side's copy stays as a hidden
 * column, so that `right.key` can still be named.
 */
#include "plan/analyzer_internal.h"
#include "sql/encoding.h"

nb_status
nb_plan_join(nb_analyzer *an, nb_plan *left, nb_plan *right, nb_join_type type, nb_expr *condition,
             nb_plan **out, nb_error *err)
{
    bool left_only = type == NB_JOIN_SEMI || type == NB_JOIN_ANTI;
    int n_right = left_only ? 0 : right->n_attrs;
    nb_plan *p = nb_plan_new(an->arena, NB_PLAN_JOIN, 2, left->n_attrs + n_right);

    (void)err;
    NB_NEED(p);
    p->children[0] = left;
    p->children[1] = right;
    p->u.join.type = type;
    p->u.join.condition = condition;
    memcpy(p->attrs, left->attrs, sizeof(nb_attr) * (size_t)left->n_attrs);
    if (n_right) {
        memcpy(p->attrs + left->n_attrs, right->attrs, sizeof(nb_attr) * (size_t)n_right);
    }
    for (int i = 0; i < left->n_attrs; i++) {
        p->attrs[i].nullable |= type == NB_JOIN_RIGHT || type == NB_JOIN_FULL;
    }
    for (int i = 0; i < n_right; i++) {
        p->attrs[left->n_attrs + i].nullable |=
            type == NB_JOIN_LEFT || type == NB_JOIN_FULL || type == NB_JOIN_SINGLE;
    }
    *out = p;
    return NB_OK;
}

static nb_status
column_of(nb_analyzer *an, const nb_plan *p, const nb_attr *a, nb_expr **out)
{
    *out = nb_attr_expr(an->arena, nb_plan_find_attr(p, a->id));
    return *out ? NB_OK : NB_NOMEM;
}

static nb_status
using_columns(nb_analyzer *an, nb_plan *left, nb_plan *right, nb_join_type type,
              const nb_str *names, int n, nb_plan **out, nb_error *err)
{
    const nb_attr **l = NB_ARENA_ARRAY(an->arena, const nb_attr *, n + 1),
                  **r = NB_ARENA_ARRAY(an->arena, const nb_attr *, n + 1);
    nb_expr *condition = NULL, **list;
    nb_plan *join;
    int count = 0;
    bool left_only = type == NB_JOIN_SEMI || type == NB_JOIN_ANTI;

    NB_NEED(l && r);
    for (int i = 0; i < n; i++) {
        nb_expr *equal;
        for (int side = 0; side < 2; side++) {
            nb_plan *p = side ? right : left;
            bool ambiguous;
            const nb_attr *a = nb_find_by_name(an, p, names[i], &ambiguous);
            if (ambiguous) {
                NB_TRY(nb_need_by_name(an, p, names[i], &a, err));
            }
            if (!a) {
                nb_str *parts;
                size_t n_parts;
                char *name;
                const char *all;
                NB_TRY(nb_split_identifier(an, names[i], &parts, &n_parts, err));
                NB_TRY(nb_backquote(an, parts, (int)n_parts, &name));
                NB_TRY(nb_quoted_columns(an, p, true, &all, err));
                return nb_raise(err, NB_COND_UNRESOLVED_USING_COLUMN_FOR_JOIN, "colName", name,
                                "side", side ? "right" : "left", "suggestion", all, NULL);
            }
            *(side ? &r[i] : &l[i]) = a;
        }
        NB_TRY(nb_call2(an, "=", nb_attr_expr(an->arena, l[i]), nb_attr_expr(an->arena, r[i]),
                        &equal, err));
        if (condition) {
            NB_TRY(nb_call2(an, "and", condition, equal, &condition, err));
        } else {
            condition = equal;
        }
    }
    NB_TRY(nb_plan_join(an, left, right, type, condition, &join, err));
    list = NB_ARENA_ARRAY(an->arena, nb_expr *, join->n_attrs + n + 1);
    NB_NEED(list);
    for (int i = 0; i < n; i++) {
        nb_expr *pair[2];
        NB_TRY(column_of(an, join, l[i], &pair[0]));
        if (!left_only) {
            NB_TRY(column_of(an, join, r[i], &pair[1]));
        }
        if (type == NB_JOIN_FULL) {
            NB_TRY(nb_call(an, "coalesce", pair, 2, &list[count], err));
            list[count] = nb_expr_alias(an->arena, list[count], l[i]->name, nb_attr_next_id());
        } else {
            list[count] = type == NB_JOIN_RIGHT ? pair[1] : pair[0];
        }
        NB_NEED(list[count]);
        count++;
    }
    for (int pass = 0; pass < 3;
         pass++) { /* the other columns, hidden copies of the keys, what was hidden before */
        for (int k = 0; k < n && pass == 1; k++) {
            for (int side = 0; side < (left_only ? 1 : 2); side++) {
                const nb_attr *a = side ? r[k] : l[k];
                bool is_shown = false;
                for (int i = 0; i < count; i++) {
                    is_shown |= list[i]->kind == NB_EXPR_COLUMN && list[i]->u.column.attr == a->id;
                }
                if (!is_shown) {
                    NB_TRY(column_of(an, join, a, &list[count++]));
                }
            }
        }
        for (int i = 0; i < join->n_attrs && pass != 1; i++) {
            bool is_key = false;
            for (int k = 0; k < n; k++) {
                is_key |= join->attrs[i].id == l[k]->id || join->attrs[i].id == r[k]->id;
            }
            if (!is_key && join->attrs[i].hidden == (pass == 2)) {
                list[count] = nb_attr_expr(an->arena, &join->attrs[i]);
                NB_NEED(list[count]);
                count++;
            }
        }
    }
    NB_TRY(nb_plan_project(an, join, list, count, out, err));
    (*out)->u.project.is_closed = true;
    for (int i = 0; i < (*out)->n_attrs; i++) {
        nb_attr *a = &(*out)->attrs[i];
        const nb_attr *from = nb_plan_find_attr(join, a->id);
        bool is_key = false;
        for (int k = 0; k < n; k++) {
            is_key |= a->id == l[k]->id || a->id == r[k]->id;
        }
        a->hidden = i >= n && from && (from->hidden || is_key);
    }
    return NB_OK;
}

static nb_status
natural_names(nb_analyzer *an, const nb_plan *left, const nb_plan *right, nb_str **out, int *n)
{
    nb_str *names = NB_ARENA_ARRAY(an->arena, nb_str, left->n_attrs + 1);

    NB_NEED(names);
    *n = 0;
    for (int i = 0; i < left->n_attrs; i++) {
        bool ambiguous;
        if (!left->attrs[i].hidden && nb_find_by_name(an, right, left->attrs[i].name, &ambiguous)) {
            names[(*n)++] = left->attrs[i].name;
        }
    }
    *out = names;
    return NB_OK;
}

static bool
join_type_of(Sc__Join__JoinType t, nb_join_type *out)
{
    switch (t) {
    case SC__JOIN__JOIN_TYPE__JOIN_TYPE_UNSPECIFIED:
    case SC__JOIN__JOIN_TYPE__JOIN_TYPE_INNER: *out = NB_JOIN_INNER; return true;
    case SC__JOIN__JOIN_TYPE__JOIN_TYPE_FULL_OUTER: *out = NB_JOIN_FULL; return true;
    case SC__JOIN__JOIN_TYPE__JOIN_TYPE_LEFT_OUTER: *out = NB_JOIN_LEFT; return true;
    case SC__JOIN__JOIN_TYPE__JOIN_TYPE_RIGHT_OUTER: *out = NB_JOIN_RIGHT; return true;
    case SC__JOIN__JOIN_TYPE__JOIN_TYPE_LEFT_ANTI: *out = NB_JOIN_ANTI; return true;
    case SC__JOIN__JOIN_TYPE__JOIN_TYPE_LEFT_SEMI: *out = NB_JOIN_SEMI; return true;
    case SC__JOIN__JOIN_TYPE__JOIN_TYPE_CROSS: *out = NB_JOIN_CROSS; return true;
    default: return false;
    }
}

nb_status
nb_analyze_join(nb_analyzer *an, const Sc__Relation *rel, nb_plan **out, nb_error *err)
{
    const Sc__Join *j = rel->join;
    nb_str mark = rel->common ? nb_pb_str(rel->common->source_info) : NB_STR("");
    nb_plan *sides[2];
    nb_join_type type;
    nb_expr *condition = NULL;
    nb_scope scope = {.plans = sides, .n_plans = 2, .outer = an->outer};

    if (!join_type_of(j->join_type, &type)) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message", "an unknown type of join", NULL);
    }
    NB_TRY(nb_analyze_relation(an, j->left, &sides[0], err));
    NB_TRY(nb_analyze_relation(an, j->right, &sides[1], err));
    if (nb_str_equal(mark, NB_STR(NB_SQL_MARK_NATURAL))) {
        nb_str *names;
        int n;
        if (type == NB_JOIN_SEMI || type == NB_JOIN_ANTI) {
            return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message",
                            type == NB_JOIN_SEMI
                                ? "requirement failed: Unsupported natural join type LeftSemi"
                                : "requirement failed: Unsupported natural join type LeftAnti",
                            NULL);
        }
        NB_TRY(natural_names(an, sides[0], sides[1], &names, &n));
        if (n) {
            return using_columns(an, sides[0], sides[1], type, names, n, out, err);
        }
        return nb_plan_join(an, sides[0], sides[1], NB_JOIN_CROSS, NULL, out, err);
    }
    if (j->n_using_columns) {
        nb_str *names = NB_ARENA_ARRAY(an->arena, nb_str, j->n_using_columns);
        NB_NEED(names);
        for (size_t i = 0; i < j->n_using_columns; i++) {
            names[i] = nb_pb_str(j->using_columns[i]);
        }
        return using_columns(an, sides[0], sides[1], type, names, (int)j->n_using_columns, out,
                             err);
    }
    if (j->join_condition) {
        NB_TRY(nb_resolve_condition(an, &scope, j->join_condition, &condition, err));
        if (type == NB_JOIN_CROSS) {
            type = NB_JOIN_INNER;
        }
    }
    NB_TRY(nb_plan_join(an, sides[0], sides[1], type, condition, out, err));
    (*out)->u.join.condition_wanted = j->join_type != SC__JOIN__JOIN_TYPE__JOIN_TYPE_CROSS;
    return NB_OK;
}

/* A lateral join with a query or table function that is no generator: an ordinary join whose right side may name columns of the left. */
static nb_status
lateral_query(nb_analyzer *an, const Sc__LateralJoin *j, nb_plan **out, nb_error *err)
{
    nb_plan *sides[2];
    nb_scope left = {.plans = sides, .n_plans = 1, .outer = an->outer},
             both = {.plans = sides, .n_plans = 2, .outer = an->outer};
    const nb_scope *keep = an->outer;
    nb_join_type type = NB_JOIN_ANTI;
    nb_expr *condition = NULL;
    nb_status st;

    if (!join_type_of(j->join_type, &type) ||
        (type != NB_JOIN_INNER && type != NB_JOIN_LEFT && type != NB_JOIN_CROSS)) {
        return nb_raise(err, NB_COND_INVALID_LATERAL_JOIN_TYPE, "joinType",
                        type == NB_JOIN_RIGHT  ? "RIGHT OUTER"
                        : type == NB_JOIN_FULL ? "FULL OUTER"
                        : type == NB_JOIN_SEMI ? "LEFT SEMI"
                                               : "LEFT ANTI",
                        NULL);
    }
    NB_TRY(nb_analyze_relation(an, j->left, &sides[0], err));
    an->outer = &left;
    st = nb_analyze_relation(an, j->right, &sides[1], err);
    an->outer = keep;
    NB_TRY(st);
    if (j->join_condition) {
        NB_TRY(nb_resolve_condition(an, &both, j->join_condition, &condition, err));
        type = type == NB_JOIN_CROSS ? NB_JOIN_INNER : type;
    } else if (type == NB_JOIN_INNER) {
        type = NB_JOIN_CROSS;
    }
    NB_TRY(nb_plan_join(an, sides[0], sides[1], type, condition, out, err));
    (*out)->u.join.lateral = true;
    return NB_OK;
}

/* LATERAL VIEW f(x) t AS a, b, and joins with a lateral generator: GENERATE over the left side. */
nb_status
nb_analyze_lateral(nb_analyzer *an, const Sc__LateralJoin *j, nb_plan **out, nb_error *err)
{
    const Sc__Relation *right = j->right;
    const ProtobufCBinaryData *names = NULL;
    nb_str *alias = NULL;
    size_t n_names = 0;
    bool outer = j->join_type == SC__JOIN__JOIN_TYPE__JOIN_TYPE_LEFT_OUTER;
    Sc__Expression__UnresolvedFunction call = {
        .base = {.descriptor = &sc__expression__unresolved_function__descriptor}};
    nb_plan *left;
    nb_status st;

    if (right && right->rel_type_case == SC__RELATION__REL_TYPE_SUBQUERY_ALIAS) {
        alias = NB_ARENA_NEW(an->arena, nb_str);
        NB_NEED(alias);
        *alias = nb_pb_str(right->subquery_alias->alias);
        right = right->subquery_alias->input;
    }
    if (right && right->rel_type_case == SC__RELATION__REL_TYPE_TO_DF) {
        names = right->to_df->column_names;
        n_names = right->to_df->n_column_names;
        right = right->to_df->input;
    }
    if (!right || right->rel_type_case != SC__RELATION__REL_TYPE_UNRESOLVED_TABLE_VALUED_FUNCTION ||
        j->join_condition ||
        !nb_is_generator(nb_pb_str(right->unresolved_table_valued_function->function_name))) {
        return lateral_query(an, j, out, err);
    }
    NB_TRY(nb_analyze_relation(an, j->left, &left, err));
    call.function_name = right->unresolved_table_valued_function->function_name;
    call.n_arguments = right->unresolved_table_valued_function->n_arguments;
    call.arguments = right->unresolved_table_valued_function->arguments;
    st = nb_plan_generator(an, left, &call, names, n_names, outer, out, err);
    NB_TRY(st);
    for (int i = left->n_attrs; alias && i < (*out)->n_attrs; i++) {
        (*out)->attrs[i].qualifier = alias;
        (*out)->attrs[i].n_qualifier = 1;
    }
    return NB_OK;
}
