/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subquery.c: subqueries in expressions become joins, correlated or not; lateral joins become ordinary ones.
 *
 *   [NOT] EXISTS, [NOT] IN as a conjunct of a filter   SEMI / ANTI join (NOT IN: null-aware)
 *   the same anywhere else                             MARK join, whose last column stands for the predicate
 *   scalar                                             SINGLE join: the value, or null; two rows are an error
 *
 * Correlation is taken out first: by subquery_lift.c where conditions can be moved to the join, else by unnest.c. Plans are rewritten from the
 * inside out: what an inner subquery names of a query further out stays free until that query is reached. Every node keeps its attributes; what a
 * join adds is projected away above the node whose expression wanted it.
 */
#include "plan/subquery_internal.h"

static nb_status rewrite_plan(const nb_rewrite_env *env, nb_plan **plan, nb_error *err);

nb_status
nb_conditions_add(const nb_rewrite_env *env, nb_conditions *c, nb_expr *e)
{
    c->items = nb_arena_grow(env->arena, c->items, c->n, &c->cap, sizeof *c->items);
    NB_ROOM(c->items);
    c->items[c->n++] = e;
    return NB_OK;
}

nb_status
nb_rewrite_call(const nb_rewrite_env *env, const char *name, nb_expr *a, nb_expr *b, nb_expr **out,
                nb_error *err)
{
    nb_expr **args = NB_ARENA_ARRAY(env->arena, nb_expr *, 2);

    NB_ROOM(args);
    args[0] = a;
    args[1] = b;
    return nb_function_bind(env->arena, env->info, nb_function_find(nb_str_of(name)),
                            nb_str_of(name), args, b ? 2 : 1, NULL, out, err);
}

nb_status
nb_rewrite_join(const nb_rewrite_env *env, nb_plan *left, nb_plan *right, nb_join_type type,
                nb_expr *condition, bool null_aware, nb_plan **out)
{
    bool left_only = type == NB_JOIN_SEMI || type == NB_JOIN_ANTI || type == NB_JOIN_MARK;
    int n = left->n_attrs + (type == NB_JOIN_MARK ? 1 : left_only ? 0 : right->n_attrs);
    nb_plan *p = nb_plan_new(env->arena, NB_PLAN_JOIN, 2, n);

    NB_ROOM(p);
    p->children[0] = left;
    p->children[1] = right;
    p->u.join.type = type;
    p->u.join.condition = condition;
    p->u.join.null_aware = null_aware;
    memcpy(p->attrs, left->attrs, sizeof(nb_attr) * (size_t)left->n_attrs);
    if (type == NB_JOIN_MARK) {
        p->attrs[left->n_attrs] = (nb_attr){.id = nb_attr_next_id(),
                                            .name = NB_STR("exists"),
                                            .type = nb_type_of(NB_TYPE_BOOL),
                                            .nullable = null_aware,
                                            .hidden = true};
    } else if (!left_only) {
        for (int i = 0; i < right->n_attrs; i++) {
            p->attrs[left->n_attrs + i] = right->attrs[i];
            p->attrs[left->n_attrs + i].hidden = true;
            p->attrs[left->n_attrs + i].nullable = true;
        }
    }
    *out = p;
    return NB_OK;
}

/* ---- a subquery and its input ---- */

/* The subquery of e without correlation, the conditions that tie it to input, and what stands for its values where nothing matches. */
static nb_status
open_subquery(const nb_rewrite_env *env, nb_expr *e, nb_plan **input, nb_lifted *out, nb_error *err)
{
    nb_plan *sub = e->u.subquery.plan;
    bool one_row = e->u.subquery.kind == NB_SUBQUERY_SCALAR;
    nb_status st;

    if (e->u.subquery.kind == NB_SUBQUERY_EXISTS) { /* one row is as good as all, in any order */
        while (sub->kind == NB_PLAN_SORT || sub->kind == NB_PLAN_ALIAS ||
               (sub->kind == NB_PLAN_LIMIT && sub->u.limit.limit > 0 && sub->u.limit.offset == 0)) {
            sub = sub->children[0];
        }
    }
    NB_TRY(rewrite_plan(env, &sub, err));
    st = nb_lift_conditions(env, sub, one_row, out, err);
    if (st == NB_DONE) {
        *out = (nb_lifted){.empty = {.arena = env->arena}};
        /* what it names of queries further out stays in it */
        return nb_unnest(env, input, sub, one_row, &out->conditions, &out->plan, err);
    }
    return st;
}

/* Conditions `value = column` of IN, appended. */
static nb_status
in_conditions(const nb_rewrite_env *env, nb_expr *e, nb_lifted *s, nb_error *err)
{
    int k = 0;

    for (int i = 0; i < s->plan->n_attrs && k < e->n_args; i++) {
        nb_expr *column, *equal;
        if (s->plan->attrs[i].hidden) {
            continue;
        }
        column = nb_attr_expr(env->arena, &s->plan->attrs[i]);
        NB_ROOM(column);
        NB_TRY(nb_rewrite_call(env, "=", e->args[k++], column, &equal, err));
        NB_TRY(nb_conditions_add(env, &s->conditions, equal));
    }
    return NB_OK;
}

/* NOT IN, three-valued by hand: an inner row counts as equal where the comparison is null. */
static nb_status
not_in_conditions(const nb_rewrite_env *env, nb_expr *e, nb_lifted *s, nb_error *err)
{
    int from = s->conditions.n;

    NB_TRY(in_conditions(env, e, s, err));
    for (int i = from; i < s->conditions.n; i++) {
        nb_expr **c = &s->conditions.items[i], *is_null;
        NB_TRY(nb_rewrite_call(env, "isnull", *c, NULL, &is_null, err));
        NB_TRY(nb_rewrite_call(env, "or", *c, is_null, c, err));
    }
    return NB_OK;
}

/* Joins the scalar subquery of e to *input; *value is what stands for e above the join. */
static nb_status
attach_scalar(const nb_rewrite_env *env, nb_expr *e, nb_plan **input, nb_expr **value,
              nb_error *err)
{
    nb_lifted s;
    nb_expr *condition, *empty;
    const nb_attr *a = NULL;

    for (int i = 0; i < e->u.subquery.plan->n_attrs && !a; i++) {
        a = e->u.subquery.plan->attrs[i].hidden ? NULL : &e->u.subquery.plan->attrs[i];
    }
    if (!a) {
        return nb_raise_internal(err, "a scalar subquery without a column");
    }
    NB_TRY(open_subquery(env, e, input, &s, err));
    NB_TRY(nb_join_conjuncts(env->arena, s.conditions.items, s.conditions.n, &condition));
    NB_TRY(nb_rewrite_join(env, *input, s.plan, NB_JOIN_SINGLE, condition, false, input));
    *value = nb_expr_column(env->arena, a->id, a->name, a->type, true);
    NB_ROOM(*value);
    empty = nb_attr_map_get(&s.empty, a->id);
    return empty && s.conditions.n ? nb_rewrite_call(env, "coalesce", *value, empty, value, err)
                                   : NB_OK;
}

/* Is the value that IN compares one that is null in every row? */
static nb_status
is_null_constant(const nb_rewrite_env *env, nb_expr *e, bool *out, nb_error *err)
{
    *out = false;
    if (e->n_args == 1 && e->args[0]->foldable) {
        NB_TRY(nb_expr_fold(env->arena, e->args[0], env->info, &e->args[0], err));
        *out = nb_vector_is_null(e->args[0]->u.literal.value, 0);
    }
    return NB_OK;
}

/* A null constant [NOT] IN a query is null where the query has a row: *value, which says whether it has one, becomes that. */
static nb_status
null_where_rows(const nb_rewrite_env *env, bool negated, nb_expr **value, nb_error *err)
{
    nb_expr **args = NB_ARENA_ARRAY(env->arena, nb_expr *, 3);

    NB_ROOM(args);
    args[0] = *value;
    args[1] = nb_expr_null(env->arena, nb_type_of(NB_TYPE_BOOL));
    args[2] = nb_expr_bool(env->arena, negated);
    NB_ROOM(args[1]);
    NB_ROOM(args[2]);
    return nb_function_bind(env->arena, env->info, nb_function_find(NB_STR("if")), NB_STR("if"),
                            args, 3, NULL, value, err);
}

static nb_status
attach(const nb_rewrite_env *env, nb_expr *e, nb_plan **input, nb_expr **value, nb_error *err)
{
    nb_lifted s;
    nb_expr *condition;
    bool is_null = false;

    if (e->u.subquery.kind == NB_SUBQUERY_SCALAR) {
        return attach_scalar(env, e, input, value, err);
    }
    NB_TRY(open_subquery(env, e, input, &s, err));
    if (e->u.subquery.kind != NB_SUBQUERY_EXISTS && s.conditions.n == 0) {
        NB_TRY(is_null_constant(env, e, &is_null, err)); /* Spark asks this of uncorrelated ones */
    }
    if (is_null) {
        /* any row will do */
    } else if (e->u.subquery.kind == NB_SUBQUERY_IN) {
        NB_TRY(in_conditions(env, e, &s, err));
    } else if (e->u.subquery.kind == NB_SUBQUERY_NOT_IN) {
        NB_TRY(not_in_conditions(env, e, &s, err));
    }
    NB_TRY(nb_join_conjuncts(env->arena, s.conditions.items, s.conditions.n, &condition));
    /* outside of a filter Spark's IN is never null: it asks whether a row is there */
    NB_TRY(nb_rewrite_join(env, *input, s.plan, NB_JOIN_MARK, condition, false, input));
    *value = nb_attr_expr(env->arena, &(*input)->attrs[(*input)->n_attrs - 1]);
    NB_ROOM(*value);
    if (is_null) {
        return null_where_rows(env, e->u.subquery.kind == NB_SUBQUERY_NOT_IN, value, err);
    }
    return e->u.subquery.kind == NB_SUBQUERY_NOT_IN
               ? nb_rewrite_call(env, "not", *value, NULL, value, err)
               : NB_OK;
}

/* ---- subqueries in expressions ---- */

static bool
no_subquery(nb_expr *e, void *payload)
{
    *(bool *)payload |= e->kind == NB_EXPR_SUBQUERY;
    return !*(bool *)payload;
}

static bool
has_subquery(nb_expr *e)
{
    bool found = false;

    nb_expr_visit(e, no_subquery, &found);
    return found;
}

/* not(x IN (query)) becomes one node, since its nulls count otherwise. */
static nb_status
join_negation(nb_arena *arena, nb_expr *in, nb_expr **out, void *payload, nb_error *err)
{
    nb_expr *s = in->n_args == 1 ? in->args[0] : NULL, *made;

    (void)payload;
    (void)err;
    *out = in;
    if (in->kind == NB_EXPR_CALL && in->u.call.fn == nb_function_find(NB_STR("not")) &&
        s->kind == NB_EXPR_SUBQUERY && s->u.subquery.kind == NB_SUBQUERY_IN) {
        made = nb_expr_new(arena, NB_EXPR_SUBQUERY, s->type, s->nullable, s->n_args);
        NB_ROOM(made);
        memcpy(made->args, s->args, sizeof(nb_expr *) * (size_t)s->n_args);
        made->u.subquery = s->u.subquery;
        made->u.subquery.kind = NB_SUBQUERY_NOT_IN;
        made->deterministic = s->deterministic;
        made->can_fail = s->can_fail;
        *out = made;
    }
    return NB_OK;
}

/* NOT over AND and OR that hold subqueries goes to their parts: NOT (x IN (query) OR y) is NOT x IN (query) AND NOT y, whose nulls count. */
static nb_status
push_negation(const nb_rewrite_env *env, nb_expr *e, bool negate, nb_expr **out, nb_error *err)
{
    bool is_not = e->kind == NB_EXPR_CALL && e->u.call.fn == nb_function_find(NB_STR("not"));

    *out = e;
    if (is_not && has_subquery(e)) {
        return push_negation(env, e->args[0], !negate, out, err);
    }
    if ((e->kind == NB_EXPR_AND || e->kind == NB_EXPR_OR) && has_subquery(e)) {
        nb_expr *made = NULL;
        const char *name = (e->kind == NB_EXPR_AND) != negate ? "and" : "or";
        for (int i = 0; i < e->n_args; i++) {
            nb_expr *part;
            NB_TRY(push_negation(env, e->args[i], negate, &part, err));
            if (made) {
                NB_TRY(nb_rewrite_call(env, name, made, part, &made, err));
            } else {
                made = part;
            }
        }
        *out = made;
        return NB_OK;
    }
    return negate ? nb_rewrite_call(env, "not", e, NULL, out, err) : NB_OK;
}

/* A subquery that has been joined, and what stands for it: simple CASE, BETWEEN and NULLIF name theirs more than once. */
typedef struct joined {
    nb_expr *subquery, *value;
} joined;

typedef struct replace_state {
    const nb_rewrite_env *env;
    nb_plan **input;      /* where subqueries are joined */
    nb_plan **other;      /* of a join: its right side, for those that name only columns of it */
    nb_attr_set of_other; /* columns of `other` */
    nb_attr_set of_input;
    joined *done;
    int n_done, cap_done;
    nb_error *err;
} replace_state;

static nb_status
side_of_join(replace_state *r, nb_expr *e, nb_plan ***side, nb_error *err)
{
    bool input = nb_plan_names(e->u.subquery.plan, &r->of_input),
         other = nb_plan_names(e->u.subquery.plan, &r->of_other);

    for (int i = 0; i < e->n_args; i++) {
        nb_attr_set used = {.arena = r->env->arena};
        NB_TRY(nb_attr_set_add_expr(&used, e->args[i]));
        for (int k = 0; k < used.cap; k++) {
            input |= used.ids[k] && nb_attr_set_has(&r->of_input, used.ids[k]);
            other |= used.ids[k] && nb_attr_set_has(&r->of_other, used.ids[k]);
        }
    }
    if (input && other) {
        return nb_raise_unsupported(
            err, "A subquery over both sides in the condition of an outer, semi or anti join");
    }
    *side = other ? r->other : r->input;
    return NB_OK;
}

static nb_status
replace_one(nb_arena *arena, nb_expr *in, nb_expr **out, void *payload, nb_error *err)
{
    replace_state *r = payload;
    nb_plan **input = r->input;

    (void)arena;
    *out = in;
    if (in->kind != NB_EXPR_SUBQUERY) {
        return NB_OK;
    }
    for (int i = 0; i < r->n_done; i++) {
        if (nb_expr_equal(r->done[i].subquery, in)) {
            *out = r->done[i].value;
            return NB_OK;
        }
    }
    if (r->other) {
        NB_TRY(side_of_join(r, in, &input, err));
    }
    NB_TRY(attach(r->env, in, input, out, err));
    r->done = nb_arena_grow(r->env->arena, r->done, r->n_done, &r->cap_done, sizeof *r->done);
    NB_ROOM(r->done);
    r->done[r->n_done++] = (joined){in, *out};
    return NB_OK;
}

static nb_status
subquery_in_place(nb_expr **place, void *payload)
{
    (void)payload;
    return has_subquery(*place) ? NB_DONE : NB_OK;
}

static nb_status
replace_in_place(nb_expr **place, void *payload)
{
    replace_state *r = payload;

    if (!has_subquery(*place)) {
        return NB_OK;
    }
    NB_TRY(nb_expr_rewrite(r->env->arena, *place, join_negation, NULL, place, r->err));
    return nb_expr_rewrite(r->env->arena, *place, replace_one, r, place, r->err);
}

typedef struct input_search {
    const nb_plan *input;
    bool found;
} input_search;

static bool
find_input(nb_expr *e, void *payload)
{
    input_search *s = payload;

    for (int i = 0; e->kind == NB_EXPR_COLUMN && i < s->input->n_attrs; i++) {
        s->found |= s->input->attrs[i].id == e->u.column.attr;
    }
    return !s->found;
}

/* [NOT] EXISTS / IN as a whole conjunct. */
static nb_status
conjunct_join(const nb_rewrite_env *env, nb_expr *e, nb_plan **input, bool *done, nb_error *err)
{
    bool negated = e->kind == NB_EXPR_CALL && e->u.call.fn == nb_function_find(NB_STR("not")),
         is_in;
    nb_expr *s = negated ? e->args[0] : e, *condition;
    nb_lifted l;

    *done = false;
    if (s->kind != NB_EXPR_SUBQUERY || s->u.subquery.kind == NB_SUBQUERY_SCALAR) {
        return NB_OK;
    }
    for (int i = 0; i < s->n_args; i++) {
        if (has_subquery(s->args[i])) {
            return NB_OK;
        }
    }
    is_in = s->u.subquery.kind == NB_SUBQUERY_IN;
    NB_TRY(open_subquery(env, s, input, &l, err));
    if (is_in) {
        /* a null-aware join hashes one column of its left side */
        input_search left = {*input, false};
        nb_attr_set known = {.arena = env->arena};

        nb_expr_visit(s->args[0], find_input, &left);
        NB_TRY(nb_attr_set_add_plan(&known, *input));
        left.found &= nb_attr_set_covers(&known, s->args[0]); /* not where a lambda names its own */
        if (negated && (l.conditions.n > 0 || s->n_args > 1 || !left.found)) {
            NB_TRY(not_in_conditions(env, s, &l, err));
            is_in = false;
        } else {
            NB_TRY(in_conditions(env, s, &l, err));
        }
    }
    NB_TRY(nb_join_conjuncts(env->arena, l.conditions.items, l.conditions.n, &condition));
    *done = true;
    return nb_rewrite_join(env, *input, l.plan, negated ? NB_JOIN_ANTI : NB_JOIN_SEMI, condition,
                           negated && is_in, input);
}

/* ---- nodes ---- */

/* What stands on *plan now has the n attributes that its reader knows, and no more. */
static nb_status
restore(const nb_rewrite_env *env, nb_plan **plan, const nb_attr *attrs, int n)
{
    return (*plan)->n_attrs == n ? NB_OK : nb_plan_narrow(env->arena, *plan, attrs, n, plan);
}

static nb_status
rewrite_filter(const nb_rewrite_env *env, nb_plan **plan, nb_error *err)
{
    nb_plan *p = *plan, *input = p->children[0];
    nb_expr **list = NULL, **stay;
    int n = 0, cap = 0, n_stay = 0, n_before = p->n_attrs;
    const nb_attr *before = p->attrs;
    replace_state r = {.env = env, .input = &input, .err = err};

    NB_TRY(push_negation(env, p->u.filter.condition, false, &p->u.filter.condition, err));
    NB_TRY(nb_split_conjuncts(env->arena, p->u.filter.condition, &list, &n, &cap));
    stay = NB_ARENA_ARRAY(env->arena, nb_expr *, n + 1);
    NB_ROOM(stay);
    for (int i = 0; i < n; i++) {
        bool done = false;
        if (has_subquery(list[i])) {
            NB_TRY(conjunct_join(env, list[i], &input, &done, err));
            if (!done) {
                NB_TRY(replace_in_place(&list[i], &r));
            }
        }
        if (!done) {
            stay[n_stay++] = list[i];
        }
    }
    if (n_stay == 0) {
        *plan = input;
    } else {
        p->children[0] = input;
        NB_TRY(nb_join_conjuncts(env->arena, stay, n_stay, &p->u.filter.condition));
        NB_TRY(nb_plan_refresh(env->arena, p));
    }
    return restore(env, plan, before, n_before);
}

/* A condition with subqueries: above an inner join a filter says the same; for others they are joined to the side that they are about. */
static nb_status
rewrite_join_condition(const nb_rewrite_env *env, nb_plan **plan, nb_error *err)
{
    nb_plan *p = *plan, *filter;
    const nb_attr *before = p->attrs;
    int n_before = p->n_attrs;
    nb_expr **list = NULL, **stay, **go;
    int n = 0, cap = 0, n_stay = 0, n_go = 0;
    replace_state r = {.env = env,
                       .input = &p->children[0],
                       .other = &p->children[1],
                       .of_other = {.arena = env->arena},
                       .of_input = {.arena = env->arena},
                       .err = err};

    if (p->u.join.type != NB_JOIN_INNER && p->u.join.type != NB_JOIN_CROSS) {
        NB_TRY(nb_attr_set_add_plan(&r.of_input, p->children[0]));
        NB_TRY(nb_attr_set_add_plan(&r.of_other, p->children[1]));
        NB_TRY(replace_in_place(&p->u.join.condition, &r));
        NB_TRY(nb_plan_refresh(env->arena, p));
        return restore(env, plan, before, n_before);
    }
    NB_TRY(nb_split_conjuncts(env->arena, p->u.join.condition, &list, &n, &cap));
    stay = NB_ARENA_ARRAY(env->arena, nb_expr *, n + 1);
    go = NB_ARENA_ARRAY(env->arena, nb_expr *, n + 1);
    NB_ROOM(stay && go);
    for (int i = 0; i < n; i++) {
        if (has_subquery(list[i])) {
            go[n_go++] = list[i];
        } else {
            stay[n_stay++] = list[i];
        }
    }
    filter = nb_plan_new(env->arena, NB_PLAN_FILTER, 1, p->n_attrs);
    NB_ROOM(filter);
    memcpy(filter->attrs, p->attrs, sizeof(nb_attr) * (size_t)p->n_attrs);
    filter->children[0] = p;
    NB_TRY(nb_join_conjuncts(env->arena, stay, n_stay, &p->u.join.condition));
    NB_TRY(nb_join_conjuncts(env->arena, go, n_go, &filter->u.filter.condition));
    p->u.join.type = p->u.join.condition ? NB_JOIN_INNER : NB_JOIN_CROSS;
    *plan = filter;
    return rewrite_filter(env, plan, err);
}

/* Is the plan only projections (and, for an inner join, filters and generators) over one row without columns? Then it is computed over the left side's own
 * rows. *bottom is the node above that one row. */
static bool
is_over_one_row(nb_plan *p, bool inner, nb_plan **bottom)
{
    for (*bottom = NULL;; p = p->children[0]) {
        bool passes = p->kind == NB_PLAN_PROJECT || p->kind == NB_PLAN_ALIAS ||
                      (inner && (p->kind == NB_PLAN_FILTER || p->kind == NB_PLAN_GENERATE));
        if (!passes) {
            return *bottom && p->kind == NB_PLAN_RANGE && p->n_attrs == 1 && p->attrs[0].hidden &&
                   p->u.range.start == 0 && p->u.range.end == 1 && p->u.range.step == 1;
        }
        *bottom = p;
    }
}

/* Projections over one row, over the left side's rows instead: its columns go along. */
static nb_status
stack_on_left(const nb_rewrite_env *env, nb_plan *p, nb_plan *bottom, nb_plan *left)
{
    if (p != bottom) {
        NB_TRY(stack_on_left(env, p->children[0], bottom, left));
    } else {
        p->children[0] = left;
    }
    if (p->kind == NB_PLAN_PROJECT) {
        nb_expr **exprs = NB_ARENA_ARRAY(env->arena, nb_expr *, p->n_attrs + left->n_attrs + 1);
        nb_attr *attrs = NB_ARENA_ARRAY(env->arena, nb_attr, p->n_attrs + left->n_attrs + 1);
        NB_ROOM(exprs && attrs);
        memcpy(exprs, p->u.project.exprs, sizeof(nb_expr *) * (size_t)p->n_attrs);
        memcpy(attrs, p->attrs, sizeof(nb_attr) * (size_t)p->n_attrs);
        for (int i = 0; i < left->n_attrs; i++) {
            exprs[p->n_attrs + i] = nb_attr_expr(env->arena, &left->attrs[i]);
            NB_ROOM(exprs[p->n_attrs + i]);
            attrs[p->n_attrs + i] = left->attrs[i];
        }
        p->u.project.exprs = exprs;
        p->attrs = attrs;
        p->n_attrs += left->n_attrs;
        return NB_OK;
    }
    if (p->kind == NB_PLAN_ALIAS) {
        p->attrs = p->children[0]->attrs;
        p->n_attrs = p->children[0]->n_attrs;
        return NB_OK;
    }
    return nb_plan_refresh(env->arena, p);
}

static nb_status
rewrite_lateral(const nb_rewrite_env *env, nb_plan **plan, nb_error *err)
{
    nb_plan *p = *plan, *left = p->children[0], *bottom, *filter;
    const nb_attr *before = p->attrs;
    int n_before = p->n_attrs;
    bool inner = p->u.join.type != NB_JOIN_LEFT;
    nb_attr_set of_left = {.arena = env->arena};
    nb_lifted l;
    nb_status st;

    p->u.join.lateral = false;
    NB_TRY(nb_attr_set_add_plan(&of_left, left));
    if (!nb_plan_names(p->children[1], &of_left)) {
        return NB_OK;
    }
    if ((inner || !p->u.join.condition) && is_over_one_row(p->children[1], inner, &bottom)) {
        nb_plan *right = p->children[1];
        NB_TRY(stack_on_left(env, right, bottom, left));
        NB_TRY(nb_plan_narrow(env->arena, right, before, n_before, plan));
        if (p->u.join.condition) {
            filter = nb_plan_new(env->arena, NB_PLAN_FILTER, 1, n_before);
            NB_ROOM(filter);
            filter->children[0] = *plan;
            memcpy(filter->attrs, before, sizeof(nb_attr) * (size_t)n_before);
            filter->u.filter.condition = p->u.join.condition;
            *plan = filter;
        }
        return NB_OK;
    }
    st = nb_lift_conditions(env, p->children[1], false, &l, err);
    if (st == NB_DONE) {
        l = (nb_lifted){0};
        st = nb_unnest(env, &p->children[0], p->children[1], false, &l.conditions, &l.plan, err);
    }
    NB_TRY(st);
    p->children[1] = l.plan;
    if (p->u.join.condition) {
        NB_TRY(nb_conditions_add(env, &l.conditions, p->u.join.condition));
    }
    NB_TRY(nb_join_conjuncts(env->arena, l.conditions.items, l.conditions.n, &p->u.join.condition));
    p->u.join.type =
        p->u.join.type == NB_JOIN_CROSS && p->u.join.condition ? NB_JOIN_INNER : p->u.join.type;
    NB_TRY(nb_plan_refresh(env->arena, p));
    return restore(env, plan, before, n_before);
}

static nb_status
rewrite_plan(const nb_rewrite_env *env, nb_plan **plan, nb_error *err)
{
    nb_plan *p = *plan;
    const nb_attr *before = p->attrs;
    int n_before = p->n_attrs;
    replace_state r = {.env = env, .input = &p->children[0], .err = err};

    for (int i = 0; i < p->n_children; i++) {
        NB_TRY(rewrite_plan(env, &p->children[i], err));
    }
    if (p->kind == NB_PLAN_JOIN && p->u.join.lateral) {
        NB_TRY(rewrite_lateral(env, plan, err));
        p = *plan;
        if (p->kind != NB_PLAN_JOIN && p->kind != NB_PLAN_FILTER) {
            return NB_OK;
        }
    }
    if (nb_plan_each_expr(p, subquery_in_place, NULL) != NB_DONE) {
        return NB_OK;
    }
    switch (p->kind) {
    case NB_PLAN_FILTER: return rewrite_filter(env, plan, err);
    case NB_PLAN_JOIN: return rewrite_join_condition(env, plan, err);
    default:
        NB_TRY(nb_plan_each_expr(p, replace_in_place, &r));
        NB_TRY(nb_plan_refresh(env->arena, p));
        return restore(env, plan, before, n_before);
    }
}

nb_status
nb_rewrite_subqueries(const nb_rewrite_env *env, nb_plan **plan, nb_error *err)
{
    return rewrite_plan(env, plan, err);
}
