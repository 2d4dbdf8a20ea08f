/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aggregate.c: the table of aggregate functions, look-up by name, and binding.
 */
#include "expr/aggregate.h"

#include <pthread.h>

#include "expr/binders.h"
#include "expr/name_index.h"

/* The last row ends the table, so that it is never empty. */
static const nb_aggregate aggregates[] = {
#define NB_AGGREGATE(names, min_args, max_args, binder, flags, help, example, result) \
    {names, min_args, max_args, binder, flags, help, example, result},
#include "expr/functions/all_aggregate.def"
#undef NB_AGGREGATE
    {NULL, 0, 0, NULL, 0, NULL, NULL, NULL},
};

static nb_name_index aggregate_index;
static pthread_once_t aggregate_index_once = PTHREAD_ONCE_INIT;

static void
build_index(void)
{
    for (int i = 0; aggregates[i].names != NULL; i++) {
        nb_name_index_add(&aggregate_index, aggregates[i].names, i);
    }
}

const nb_aggregate *
nb_aggregate_find(nb_str name)
{
    int row;

    pthread_once(&aggregate_index_once, build_index);
    row = name.len == 0 ? -1 : nb_name_index_find(&aggregate_index, name);
    return row < 0 ? NULL : &aggregates[row];
}

const nb_aggregate *
nb_aggregate_at(int i)
{
    return i >= 0 && i < (int)NB_COUNT_OF(aggregates) - 1 ? &aggregates[i] : NULL;
}

nb_status
nb_aggregate_bind(nb_arena *arena, const nb_session_info *info, const nb_aggregate *fn, nb_str name,
                  nb_expr **args, int n_args, bool distinct, nb_expr *filter,
                  const nb_origin *origin, nb_expr **out, nb_error *err)
{
    nb_bound_agg agg = {.call = {.arena = arena,
                                 .info = info,
                                 .name = name,
                                 .n_args = n_args,
                                 .is_distinct = distinct,
                                 .origin = origin}};
    nb_function shadow = {.names = fn->names, .min_args = fn->min_args, .max_args = fn->max_args};
    nb_status st;
    nb_expr *e;

    NB_TRY(nb_bind_check_arity(name.len > 0 ? name : nb_function_name(&shadow), fn->min_args,
                               fn->max_args, n_args, err));
    agg.call.fn = &shadow; /* names for messages; gone when the binder returns */
    agg.call.args = NB_ARENA_ARRAY(arena, nb_expr *, NB_MAX(n_args, 1));
    if (agg.call.args == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n_args; i++) {
        agg.call.args[i] = args[i];
    }
    agg.call.nullable = true;
    st = fn->bind(&agg, err);
    if (st < 0) {
        if (st == NB_ERROR) {
            nb_expr_error_context(origin, err);
        }
        return st;
    }
    if (agg.call.replacement != NULL) {
        if (agg.call.replacement->origin == NULL) {
            agg.call.replacement->origin = origin;
        }
        if (agg.call.replacement->kind == NB_EXPR_AGG) {
            agg.call.replacement->u.agg.filter = filter;
        }
        *out = agg.call.replacement;
        return nb_expr_check_depth(*out, err);
    }
    e = nb_expr_new(arena, NB_EXPR_AGG, agg.call.type, agg.call.nullable, agg.call.n_args);
    if (e == NULL) {
        return NB_NOMEM;
    }
    if (agg.call.n_args > 0) {
        memcpy(e->args, agg.call.args, (size_t)agg.call.n_args * sizeof(nb_expr *));
    }
    e->origin = origin;
    e->u.agg.fn = fn;
    e->u.agg.ops = agg.ops;
    e->u.agg.payload = agg.call.payload;
    e->u.agg.distinct = distinct && !(fn->flags & NB_AGG_DISTINCT_NOOP);
    e->u.agg.filter = filter;
    e->u.agg.ignore_nulls = agg.ignore_nulls;
    nb_expr_set_flags(e);
    *out = e;
    return nb_expr_check_depth(e, err);
}

nb_str
nb_aggregate_name(const nb_aggregate *fn)
{
    nb_function row = {.names = fn->names};

    return nb_function_name(&row);
}
