/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expr.c: expression nodes: construction, flags, equality, walks.
 *
 * Walks recurse; nb_expr_check_depth, called wherever a tree grows, bounds how deep.
 */
#include "expr/expr.h"

#include "expr/cast.h"
#include "expr/registry.h"

nb_expr *
nb_expr_new(nb_arena *arena, nb_expr_kind kind, const nb_type *type, bool nullable, int n_args)
{
    nb_expr *e = NB_ARENA_NEW(arena, nb_expr);

    if (e == NULL) {
        return NULL;
    }
    e->kind = kind;
    e->type = type;
    e->nullable = nullable;
    e->deterministic = true;
    e->depth = 1;
    e->n_args = n_args;
    if (n_args > 0) {
        e->args = nb_arena_zalloc(arena, (size_t)n_args * sizeof(nb_expr *));
        if (e->args == NULL) {
            return NULL;
        }
    }
    return e;
}

nb_expr *
nb_expr_column(nb_arena *arena, uint64_t attr, nb_str name, const nb_type *type, bool nullable)
{
    nb_expr *e = nb_expr_new(arena, NB_EXPR_COLUMN, type, nullable, 0);

    if (e != NULL) {
        e->u.column.attr = attr;
        e->u.column.ordinal = -1;
        e->u.column.name = nb_arena_str(arena, name);
    }
    return e && e->u.column.name.data ? e : NULL;
}

nb_expr *
nb_expr_literal(nb_arena *arena, const nb_vector *one_row)
{
    nb_expr *e =
        nb_expr_new(arena, NB_EXPR_LITERAL, one_row->type, nb_vector_is_null(one_row, 0), 0);
    nb_vector *v = NB_ARENA_NEW(arena, nb_vector);
    nb_vector first = *one_row;

    if (e == NULL || v == NULL) {
        return NULL;
    }
    first.n_rows = 1;
    if (nb_vector_copy(arena, &first, v) < 0) {
        return NULL;
    }
    v->kind = NB_VEC_CONST;
    v->n_rows = 1;
    e->u.literal.value = v;
    e->foldable = true;
    return e;
}

nb_expr *
nb_expr_null(nb_arena *arena, const nb_type *type)
{
    nb_vector v;

    return nb_vector_const_null(arena, type, 1, &v) < 0 ? NULL : nb_expr_literal(arena, &v);
}

static nb_expr *
literal_of(nb_arena *arena, nb_type_id id, void *data)
{
    nb_vector v = {.type = nb_type_of(id), .kind = NB_VEC_CONST, .n_rows = 1, .data = data};

    return nb_expr_literal(arena, &v);
}

nb_expr *
nb_expr_bool(nb_arena *arena, bool v)
{
    uint8_t byte = v;

    return literal_of(arena, NB_TYPE_BOOL, &byte);
}

nb_expr *
nb_expr_int32(nb_arena *arena, int32_t v)
{
    return literal_of(arena, NB_TYPE_INT32, &v);
}

nb_expr *
nb_expr_int64(nb_arena *arena, int64_t v)
{
    return literal_of(arena, NB_TYPE_INT64, &v);
}

nb_expr *
nb_expr_double(nb_arena *arena, double v)
{
    return literal_of(arena, NB_TYPE_FLOAT64, &v);
}

nb_expr *
nb_expr_string(nb_arena *arena, nb_str v)
{
    nb_view view = nb_view_make(v.data, v.len);

    return literal_of(arena, NB_TYPE_STRING, &view);
}

nb_expr *
nb_expr_alias(nb_arena *arena, nb_expr *child, nb_str name, uint64_t attr)
{
    nb_expr *e = nb_expr_new(arena, NB_EXPR_ALIAS, child->type, child->nullable, 1);

    if (e != NULL) {
        e->args[0] = child;
        e->u.alias.name = nb_arena_str(arena, name);
        e->u.alias.attr = attr;
        nb_expr_set_flags(e);
    }
    return e && e->u.alias.name.data ? e : NULL;
}

nb_expr *
nb_expr_with_args(nb_arena *arena, const nb_expr *e, nb_expr **args)
{
    nb_expr *copy = NB_ARENA_NEW(arena, nb_expr);

    if (copy == NULL) {
        return NULL;
    }
    *copy = *e;
    if (e->n_args > 0) {
        copy->args = NB_ARENA_ARRAY(arena, nb_expr *, e->n_args);
        if (copy->args == NULL) {
            return NULL;
        }
        memcpy(copy->args, args, (size_t)e->n_args * sizeof(nb_expr *));
    }
    nb_expr_set_flags(copy);
    return copy;
}

void
nb_expr_set_flags(nb_expr *e)
{
    bool deterministic = true, can_fail = false, foldable = e->kind != NB_EXPR_COLUMN;
    int32_t depth = 0;

    for (int i = 0; i < e->n_args; i++) {
        deterministic &= e->args[i]->deterministic;
        can_fail |= e->args[i]->can_fail;
        foldable &= e->args[i]->foldable;
        depth = NB_MAX(depth, e->args[i]->depth);
    }
    switch (e->kind) {
    case NB_EXPR_CALL:
        deterministic &= (e->u.call.fn->flags & NB_FN_NONDETERMINISTIC) == 0;
        can_fail |= (e->u.call.fn->flags & NB_FN_CAN_FAIL) != 0 || e->u.call.fails;
        foldable &=
            deterministic && (e->u.call.fn->flags & (NB_FN_WINDOW_ONLY | NB_FN_HIGHER_ORDER |
                                                     NB_FN_STATEFUL | NB_FN_NO_FOLD)) == 0;
        break;
    case NB_EXPR_CAST:
        can_fail |= e->u.cast.mode == NB_CAST_ANSI && nb_cast_can_fail(e->args[0]->type, e->type);
        break;
    case NB_EXPR_AGG:
    case NB_EXPR_WINDOW:
    case NB_EXPR_SUBQUERY:
    case NB_EXPR_LAMBDA:
    case NB_EXPR_ALIAS: foldable = false; break;
    default: break;
    }
    e->deterministic = deterministic;
    e->can_fail = can_fail;
    e->foldable = foldable;
    e->depth = depth + 1;
}

/* ---- equality and hash -------------------------------------------------------------------------------------------------------------- */

static bool
literal_equal(const nb_vector *a, const nb_vector *b)
{
    bool null = nb_vector_is_null(a, 0);

    if (null != nb_vector_is_null(b, 0)) {
        return false;
    }
    if (null) {
        return true;
    }
    if (a->type->phys == NB_PHYS_DOUBLE) { /* -0.0 and 0.0 print differently */
        return memcmp(a->data, b->data, sizeof(double)) == 0;
    }
    if (a->type->phys == NB_PHYS_FLOAT) {
        return memcmp(a->data, b->data, sizeof(float)) == 0;
    }
    return nb_vector_compare(a, 0, b, 0) == 0;
}

static bool
spec_equal(const nb_window_spec *a, const nb_window_spec *b)
{
    if (a == b) {
        return true;
    }
    if (a->n_partition_by != b->n_partition_by || a->n_order_by != b->n_order_by ||
        a->frame.is_rows != b->frame.is_rows || a->frame.lower != b->frame.lower ||
        a->frame.upper != b->frame.upper) {
        return false;
    }
    if ((a->frame.lower == NB_BOUND_OFFSET &&
         !nb_expr_equal(a->frame.lower_offset, b->frame.lower_offset)) ||
        (a->frame.upper == NB_BOUND_OFFSET &&
         !nb_expr_equal(a->frame.upper_offset, b->frame.upper_offset))) {
        return false;
    }
    for (int i = 0; i < a->n_partition_by; i++) {
        if (!nb_expr_equal(a->partition_by[i], b->partition_by[i])) {
            return false;
        }
    }
    for (int i = 0; i < a->n_order_by; i++) {
        if (a->order_by[i].descending != b->order_by[i].descending ||
            a->order_by[i].nulls_last != b->order_by[i].nulls_last ||
            !nb_expr_equal(a->order_by[i].expr, b->order_by[i].expr)) {
            return false;
        }
    }
    return true;
}

/* The lambdas around two expressions that are compared: parameters are equal by their places. */
typedef struct lambda_pair {
    const struct lambda_pair *up;
    const nb_expr *a, *b;
} lambda_pair;

static bool
same_parameter(const lambda_pair *in, uint64_t a, uint64_t b)
{
    for (; in != NULL; in = in->up) {
        for (int i = 0; i < in->a->u.lambda.n_attrs; i++) {
            if (in->a->u.lambda.attrs[i] == a || in->b->u.lambda.attrs[i] == b) {
                return in->a->u.lambda.attrs[i] == a && in->b->u.lambda.attrs[i] == b;
            }
        }
    }
    return false;
}

/* bound: columns are equal by their positions. */
static bool
equal(const nb_expr *a, const nb_expr *b, bool bound, const lambda_pair *in)
{
    lambda_pair own = {in, a, b};

    if (a == b) {
        return true;
    }
    if (a->kind != b->kind || a->type != b->type || a->n_args != b->n_args) {
        return false;
    }
    switch (a->kind) {
    case NB_EXPR_LITERAL: return literal_equal(a->u.literal.value, b->u.literal.value);
    case NB_EXPR_COLUMN:
        return a->u.column.ordinal == b->u.column.ordinal &&
               (bound || a->u.column.attr == b->u.column.attr ||
                same_parameter(in, a->u.column.attr, b->u.column.attr));
    case NB_EXPR_CALL:
        if (a->u.call.fn != b->u.call.fn || a->u.call.kernel != b->u.call.kernel) {
            return false;
        }
        break;
    case NB_EXPR_CAST:
        if (a->u.cast.mode != b->u.cast.mode) {
            return false;
        }
        break;
    case NB_EXPR_AGG:
        if (a->u.agg.fn != b->u.agg.fn || a->u.agg.ops != b->u.agg.ops ||
            a->u.agg.distinct != b->u.agg.distinct ||
            a->u.agg.ignore_nulls != b->u.agg.ignore_nulls ||
            (a->u.agg.filter == NULL) != (b->u.agg.filter == NULL) ||
            (a->u.agg.filter != NULL && !equal(a->u.agg.filter, b->u.agg.filter, bound, in))) {
            return false;
        }
        break;
    case NB_EXPR_WINDOW:
        if (!nb_expr_equal(a->u.window.fn, b->u.window.fn) ||
            !spec_equal(a->u.window.spec, b->u.window.spec)) {
            return false;
        }
        break;
    case NB_EXPR_SUBQUERY:
        if (a->u.subquery.id != b->u.subquery.id || a->u.subquery.kind != b->u.subquery.kind) {
            return false;
        }
        break;
    case NB_EXPR_LAMBDA:
        if (a->u.lambda.n_attrs != b->u.lambda.n_attrs) {
            return false;
        }
        in = &own;
        break;
    case NB_EXPR_ALIAS:
        if (a->u.alias.attr != b->u.alias.attr) {
            return false;
        }
        break;
    default: break;
    }
    for (int i = 0; i < a->n_args; i++) {
        if (!equal(a->args[i], b->args[i], bound, in)) {
            return false;
        }
    }
    return true;
}

bool
nb_expr_equal(const nb_expr *a, const nb_expr *b)
{
    return equal(a, b, false, NULL);
}

bool
nb_expr_equal_bound(const nb_expr *a, const nb_expr *b)
{
    return equal(a, b, true, NULL);
}

static uint64_t
mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0x9E3779B97F4A7C15u;
    return h ^ (h >> 29);
}

uint64_t
nb_expr_hash(const nb_expr *e)
{
    uint64_t h = mix((uint64_t)e->kind + 1, e->type->hash), v = 0;

    switch (e->kind) {
    case NB_EXPR_LITERAL:
        if (!nb_vector_is_null(e->u.literal.value, 0)) {
            nb_vector_hash(e->u.literal.value, 1, &v, false);
        }
        h = mix(h, v);
        break;
    case NB_EXPR_COLUMN: h = mix(h, e->u.column.attr); break;
    case NB_EXPR_CALL: h = mix(h, (uint64_t)(uintptr_t)e->u.call.fn); break;
    case NB_EXPR_AGG: h = mix(h, (uint64_t)(uintptr_t)e->u.agg.fn + e->u.agg.distinct); break;
    case NB_EXPR_WINDOW: h = mix(h, nb_expr_hash(e->u.window.fn)); break;
    case NB_EXPR_SUBQUERY: h = mix(h, e->u.subquery.id); break;
    case NB_EXPR_ALIAS: h = mix(h, e->u.alias.attr); break;
    case NB_EXPR_LAMBDA: /* its body names its parameters */
        return mix(h, (uint64_t)e->u.lambda.n_attrs);
    default: break;
    }
    for (int i = 0; i < e->n_args; i++) {
        h = mix(h, nb_expr_hash(e->args[i]));
    }
    return h;
}

/* ---- walks ---------------------------------------------------------------------------------------------------------------------------- */

bool
nb_expr_visit(nb_expr *e, bool (*fn)(nb_expr *e, void *payload), void *payload)
{
    if (!fn(e, payload)) {
        return false;
    }
    for (int i = 0; i < e->n_args; i++) {
        if (!nb_expr_visit(e->args[i], fn, payload)) {
            return false;
        }
    }
    if (e->kind == NB_EXPR_AGG && e->u.agg.filter != NULL) {
        return nb_expr_visit(e->u.agg.filter, fn, payload);
    }
    if (e->kind == NB_EXPR_WINDOW) {
        const nb_window_spec *spec = e->u.window.spec;

        if (!nb_expr_visit(e->u.window.fn, fn, payload)) {
            return false;
        }
        for (int i = 0; i < spec->n_partition_by; i++) {
            if (!nb_expr_visit(spec->partition_by[i], fn, payload)) {
                return false;
            }
        }
        for (int i = 0; i < spec->n_order_by; i++) {
            if (!nb_expr_visit(spec->order_by[i].expr, fn, payload)) {
                return false;
            }
        }
    }
    return true;
}

static bool
is_repeatable(nb_expr *e, void *payload)
{
    (void)payload;
    return e->kind == NB_EXPR_COLUMN
               ? e->deterministic /* input_file_name() is a column */
               : e->kind != NB_EXPR_CALL || (e->u.call.fn->flags & NB_FN_STATEFUL) == 0;
}

bool
nb_expr_is_repeatable(nb_expr *e)
{
    return nb_expr_visit(e, is_repeatable, NULL);
}

typedef nb_status (*rewrite_fn)(nb_arena *, nb_expr *in, nb_expr **out, void *payload,
                                nb_error *err);

static nb_status
rewrite_window(nb_arena *arena, nb_expr *e, rewrite_fn fn, void *payload, nb_expr **out,
               nb_error *err)
{
    const nb_window_spec *spec = e->u.window.spec;
    nb_window_spec *copy = NB_ARENA_NEW(arena, nb_window_spec);
    nb_expr *node = NB_ARENA_NEW(arena, nb_expr);
    bool changed = false;

    if (copy == NULL || node == NULL) {
        return NB_NOMEM;
    }
    *node = *e;
    *copy = *spec;
    copy->partition_by = NB_ARENA_ARRAY(arena, nb_expr *, spec->n_partition_by + 1);
    copy->order_by = NB_ARENA_ARRAY(arena, nb_sort_key, spec->n_order_by + 1);
    if (copy->partition_by == NULL || copy->order_by == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_expr_rewrite(arena, e->u.window.fn, fn, payload, &node->u.window.fn, err));
    changed = node->u.window.fn != e->u.window.fn;
    for (int i = 0; i < spec->n_partition_by; i++) {
        NB_TRY(nb_expr_rewrite(arena, spec->partition_by[i], fn, payload, &copy->partition_by[i],
                               err));
        changed |= copy->partition_by[i] != spec->partition_by[i];
    }
    for (int i = 0; i < spec->n_order_by; i++) {
        copy->order_by[i] = spec->order_by[i];
        NB_TRY(nb_expr_rewrite(arena, spec->order_by[i].expr, fn, payload, &copy->order_by[i].expr,
                               err));
        changed |= copy->order_by[i].expr != spec->order_by[i].expr;
    }
    node->u.window.spec = copy;
    *out = changed ? node : e;
    return NB_OK;
}

typedef struct column_marks {
    bool *marks;
    int n;
} column_marks;

static bool
mark_column(nb_expr *e, void *payload)
{
    const column_marks *m = payload;

    if (e->kind == NB_EXPR_COLUMN && e->u.column.ordinal >= 0 && e->u.column.ordinal < m->n) {
        m->marks[e->u.column.ordinal] = true;
    }
    return true;
}

void
nb_exprs_mark_columns(nb_expr *const *exprs, int n_exprs, bool *marks, int n)
{
    for (int i = 0; i < n_exprs; i++) {
        nb_expr_visit(exprs[i], mark_column, &(column_marks){marks, n});
    }
}

nb_status
nb_expr_rewrite(nb_arena *arena, nb_expr *e, rewrite_fn fn, void *payload, nb_expr **out,
                nb_error *err)
{
    nb_expr *node = e;
    nb_expr **args = NULL;

    for (int i = 0; i < e->n_args; i++) {
        nb_expr *arg;

        NB_TRY(nb_expr_rewrite(arena, e->args[i], fn, payload, &arg, err));
        if (arg != e->args[i] && args == NULL) {
            args = NB_ARENA_ARRAY(arena, nb_expr *, e->n_args);
            if (args == NULL) {
                return NB_NOMEM;
            }
            memcpy(args, e->args, (size_t)e->n_args * sizeof(nb_expr *));
        }
        if (args != NULL) {
            args[i] = arg;
        }
    }
    if (args != NULL) {
        node = nb_expr_with_args(arena, e, args);
        if (node == NULL) {
            return NB_NOMEM;
        }
    }
    if (e->kind == NB_EXPR_AGG && e->u.agg.filter != NULL) {
        nb_expr *filter;

        NB_TRY(nb_expr_rewrite(arena, e->u.agg.filter, fn, payload, &filter, err));
        if (filter != e->u.agg.filter) {
            if (node == e) {
                node = nb_expr_with_args(arena, e, e->args);
                if (node == NULL) {
                    return NB_NOMEM;
                }
            }
            node->u.agg.filter = filter;
        }
    } else if (e->kind == NB_EXPR_WINDOW) {
        NB_TRY(rewrite_window(arena, node, fn, payload, &node, err));
    }
    NB_TRY(fn(arena, node, out, payload, err));
    return nb_expr_check_depth(*out, err);
}

/* ---- from attributes to positions ------------------------------------------------------------------------------------------------------ */

/* Attributes in scope: those of the input, then parameters of the lambdas around, inner ones last. */
typedef struct scope {
    const uint64_t *attrs;
    int n;
    int first; /* position of attrs[0] */
    const struct scope *outer;
} scope;

static int
scope_find(const scope *s, uint64_t attr)
{
    for (; s != NULL; s = s->outer) {
        for (int i = 0; i < s->n; i++) {
            if (s->attrs[i] == attr) {
                return s->first + i;
            }
        }
    }
    return -1;
}

static nb_status
bind_ordinals(nb_arena *arena, const nb_expr *e, const scope *s, nb_expr **out, nb_error *err)
{
    nb_expr *copy = NB_ARENA_NEW(arena, nb_expr);
    scope inner;

    if (copy == NULL) {
        return NB_NOMEM;
    }
    *copy = *e;
    if (e->kind == NB_EXPR_COLUMN) {
        copy->u.column.ordinal = scope_find(s, e->u.column.attr);
        *out = copy;
        return copy->u.column.ordinal >= 0
                   ? NB_OK
                   : nb_raise_internal(err, "attribute %.*s#%llu is not among the inputs",
                                       (int)e->u.column.name.len, e->u.column.name.data,
                                       (unsigned long long)e->u.column.attr);
    }
    if (e->kind == NB_EXPR_LAMBDA) {
        inner = (scope){e->u.lambda.attrs, e->u.lambda.n_attrs, s->first + s->n, s};
        s = &inner;
    }
    if (e->n_args > 0) {
        copy->args = NB_ARENA_ARRAY(arena, nb_expr *, e->n_args);
        if (copy->args == NULL) {
            return NB_NOMEM;
        }
        for (int i = 0; i < e->n_args; i++) {
            NB_TRY(bind_ordinals(arena, e->args[i], s, &copy->args[i], err));
        }
    }
    if (e->kind == NB_EXPR_WINDOW) { /* keys are bound apart: they belong to the node */
        NB_TRY(bind_ordinals(arena, e->u.window.fn, s, &copy->u.window.fn, err));
    }
    if (e->kind == NB_EXPR_AGG && e->u.agg.filter != NULL) {
        NB_TRY(bind_ordinals(arena, e->u.agg.filter, s, &copy->u.agg.filter, err));
    }
    *out = copy;
    return NB_OK;
}

nb_status
nb_expr_bind_ordinals(nb_arena *arena, const nb_expr *e, const uint64_t *attrs, int n,
                      nb_expr **out, nb_error *err)
{
    scope s = {attrs, n, 0, NULL};

    return bind_ordinals(arena, e, &s, out, err);
}
