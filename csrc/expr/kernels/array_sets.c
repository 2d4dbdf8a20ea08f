/* SPDX-License-Identifier: Apache-2.0 */
/*
 * array_sets.c: arrays as sets and by value: contains, position, distinct, union, intersect, except, overlap, remove, min, max, sort.
 *
 * Equality is that of grouping: NaN equals NaN, a null element equals a null element.
 */
#include <stdlib.h>

#include "expr/binders.h"
#include "expr/cast.h"
#include "expr/kernels/lists.h"
#include "expr/kernels/operators.h"

nb_status
nb_bind_need_array(nb_bound_call *call, int arg, nb_error *err)
{
    const nb_type *t = call->args[arg]->type;

    if (t->id == NB_TYPE_NULL) {
        t = nb_type_array(nb_type_of(NB_TYPE_NULL), false);
        if (t == NULL) {
            return NB_NOMEM;
        }
        return nb_bind_cast(call, arg, t, err);
    }
    return t->id == NB_TYPE_ARRAY ? NB_OK : nb_bind_mismatch(call, arg, "\"ARRAY\"", err);
}

/* Makes the element argument and the array's elements one type; wide: also what only CASE and the like would unite. */
static nb_status
meet_element(nb_bound_call *call, int array, int element, bool wide, nb_error *err)
{
    const nb_type *a, *e, *t;
    bool text;

    e = call->args[element]->type;
    if (call->args[array]->type->id == NB_TYPE_NULL && !wide) {
        return nb_bind_array_diff_types(call, array, element, err);
    }
    if (wide && (e->id == NB_TYPE_NULL || call->args[array]->type->id == NB_TYPE_NULL)) {
        nb_str name = nb_function_name(call->fn);

        return nb_raise(err, NB_COND_DATATYPE_MISMATCH_NULL_TYPE, "sqlExpr",
                        nb_arena_printf(call->arena, "\"%s\"", nb_bind_call_sql(call)),
                        "functionName",
                        nb_arena_printf(call->arena, "`%.*s`", (int)name.len, name.data), NULL);
    }
    NB_TRY(nb_bind_need_array(call, array, err));
    a = call->args[array]->type->children[0].type;
    if (nb_type_same_ignoring_null(a, e)) {
        return NB_OK;
    }
    text = nb_type_is_string(a) != nb_type_is_string(e) && a->id != NB_TYPE_NULL &&
           e->id != NB_TYPE_NULL;
    t = wide && !text ? nb_coerce_common(a, e, call->info->ansi)
                      : nb_coerce_tightest(a, e, call->info->ansi);
    if (t == NULL) {
        return nb_bind_array_diff_types(call, array, element, err);
    }
    NB_TRY(
        nb_expr_cast(call->arena, call->args[element], t, NB_CAST_ANSI, &call->args[element], err));
    if (!nb_type_same_ignoring_null(a, t)) {
        const nb_type *wider = nb_type_array(t, call->args[array]->type->contains_null);

        NB_TRY(nb_expr_cast(call->arena, call->args[array], wider, NB_CAST_ANSI, &call->args[array],
                            err));
    }
    return NB_OK;
}

nb_status
nb_bind_array_diff_types(nb_bound_call *call, int array, int element, nb_error *err)
{
    nb_str name = nb_function_name(call->fn);

    return nb_raise(err, NB_COND_DATATYPE_MISMATCH_ARRAY_FUNCTION_DIFF_TYPES, "sqlExpr",
                    nb_arena_printf(call->arena, "\"%s\"", nb_bind_call_sql(call)), "functionName",
                    nb_arena_printf(call->arena, "`%.*s`", (int)name.len, name.data), "dataType",
                    "\"ARRAY\"", "leftType", nb_type_quoted(call->arena, call->args[array]->type),
                    "rightType", nb_type_quoted(call->arena, call->args[element]->type), NULL);
}

static nb_status
meet_arrays(nb_bound_call *call, const nb_type **common, nb_error *err)
{
    const nb_type *t;

    t = call->args[0]->type->id != NB_TYPE_ARRAY || call->args[1]->type->id != NB_TYPE_ARRAY
            ? NULL
            : nb_coerce_tightest(call->args[0]->type, call->args[1]->type, call->info->ansi);
    if (t == NULL) {
        nb_str name = nb_function_name(call->fn);

        return nb_raise(
            err, NB_COND_DATATYPE_MISMATCH_BINARY_ARRAY_DIFF_TYPES, "sqlExpr",
            nb_arena_printf(call->arena, "\"%s\"", nb_bind_call_sql(call)), "functionName",
            nb_arena_printf(call->arena, "`%.*s`", (int)name.len, name.data), "arrayType",
            "\"ARRAY\"", "leftType", nb_type_quoted(call->arena, call->args[0]->type), "rightType",
            nb_type_quoted(call->arena, call->args[1]->type), NULL);
    }
    for (int i = 0; i < 2; i++) {
        NB_TRY(nb_expr_cast(call->arena, call->args[i], t, NB_CAST_ANSI, &call->args[i], err));
    }
    *common = t;
    return NB_OK;
}

static int64_t
slot(const nb_vector *v, int64_t i)
{
    return v->kind == NB_VEC_CONST ? 0 : i;
}

/* ---- contains, position, remove ---------------------------------------------------------------------------------------------------------------- */

static nb_status
contains_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_vector *elements = &args[0].children[0];

    for (int64_t i = 0; i < n; i++) {
        nb_list list;
        bool found = false, null = false;

        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        list = nb_list_at(&args[0], i);
        for (uint32_t k = list.offset; k < list.offset + list.len && !found; k++) {
            if (nb_vector_is_null(elements, k)) {
                null = true;
            } else {
                found = nb_vector_compare(elements, k, &args[1], slot(&args[1], i)) == 0;
            }
        }
        NB_DATA(uint8_t, out)[i] = found;
        if (!found && null) {
            NB_TRY(nb_kernel_null_row(ctx, out, i));
        }
    }
    return NB_OK;
}

nb_status
nb_bind_array_contains(nb_bound_call *call, nb_error *err)
{
    NB_TRY(meet_element(call, 0, 1, true, err));
    call->type = nb_type_of(NB_TYPE_BOOL);
    call->kernel = contains_kernel;
    call->nullable |= call->args[0]->type->contains_null;
    return NB_OK;
}

static nb_status
position_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_vector *elements = &args[0].children[0];

    for (int64_t i = 0; i < n; i++) {
        nb_list list = nb_is_valid(out->validity, i) ? nb_list_at(&args[0], i) : (nb_list){0, 0};
        int64_t found = 0;

        for (uint32_t k = 0; k < list.len && found == 0; k++) {
            if (!nb_vector_is_null(elements, list.offset + k) &&
                nb_vector_compare(elements, list.offset + k, &args[1], slot(&args[1], i)) == 0) {
                found = (int64_t)k + 1;
            }
        }
        NB_DATA(int64_t, out)[i] = found;
    }
    return NB_OK;
}

nb_status
nb_bind_array_position(nb_bound_call *call, nb_error *err)
{
    NB_TRY(meet_element(call, 0, 1, false, err));
    call->type = nb_type_of(NB_TYPE_INT64);
    call->kernel = position_kernel;
    return NB_OK;
}

static nb_status
remove_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_vector *elements = &args[0].children[0];
    nb_picks p;

    NB_TRY(nb_picks_begin(&p, ctx->arena, out, elements->n_rows));
    for (int64_t i = 0; i < n; i++) {
        nb_list list = nb_is_valid(out->validity, i) ? nb_list_at(&args[0], i) : (nb_list){0, 0};

        for (uint32_t k = list.offset; k < list.offset + list.len; k++) {
            if (nb_vector_is_null(elements, k) ||
                nb_vector_compare(elements, k, &args[1], slot(&args[1], i)) != 0) {
                NB_TRY(nb_picks_add(&p, k));
            }
        }
        nb_picks_end_row(&p, i);
    }
    return nb_picks_finish(&p, 0, elements);
}

nb_status
nb_bind_array_remove(nb_bound_call *call, nb_error *err)
{
    NB_TRY(meet_element(call, 0, 1, false, err));
    call->type = call->args[0]->type;
    call->kernel = remove_kernel;
    return NB_OK;
}

/* ---- set operations ------------------------------------------------------------------------------------------------------------------------------- */

static int64_t
longest(const nb_vector *v, int64_t n)
{
    int64_t most = 0;

    for (int64_t i = 0; i < n; i++) {
        most = NB_MAX(most, nb_list_at(v, i).len);
    }
    return most;
}

static nb_status
distinct_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_vector *elements = &args[0].children[0];
    nb_value_set set;
    nb_picks p;

    NB_TRY(nb_value_set_new(ctx->arena, elements, longest(&args[0], n), &set));
    NB_TRY(nb_picks_begin(&p, ctx->arena, out, elements->n_rows));
    for (int64_t i = 0; i < n; i++) {
        nb_list list = nb_is_valid(out->validity, i) ? nb_list_at(&args[0], i) : (nb_list){0, 0};

        for (uint32_t k = list.offset; k < list.offset + list.len; k++) {
            if (nb_value_set_add(&set, k)) {
                NB_TRY(nb_picks_add(&p, k));
            }
        }
        nb_picks_end_row(&p, i);
        nb_value_set_clear(&set);
    }
    return nb_picks_finish(&p, 0, elements);
}

nb_status
nb_bind_array_distinct(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_need_array(call, 0, err));
    call->type = call->args[0]->type;
    call->kernel = distinct_kernel;
    return NB_OK;
}

typedef enum set_op { SET_UNION, SET_INTERSECT, SET_EXCEPT, SET_OVERLAP } set_op;

static const set_op set_ops[] = {SET_UNION, SET_INTERSECT, SET_EXCEPT, SET_OVERLAP};

static nb_status
set_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    set_op op = *(const set_op *)ctx->expr->u.call.payload;
    nb_vector all;
    uint32_t base[2];
    nb_value_set have, taken;
    nb_picks p;
    int64_t most = longest(&args[0], n) + longest(&args[1], n);

    NB_TRY(nb_lists_join(ctx->arena, args, 2, &all, base));
    NB_TRY(nb_value_set_new(ctx->arena, &all, most, &have));
    NB_TRY(nb_value_set_new(ctx->arena, &all, most, &taken));
    NB_TRY(nb_picks_begin(&p, ctx->arena, out, all.n_rows));
    for (int64_t i = 0; i < n; i++) {
        bool row = nb_is_valid(out->validity, i);
        nb_list a = row ? nb_list_at(&args[0], i) : (nb_list){0, 0},
                b = row ? nb_list_at(&args[1], i) : (nb_list){0, 0};

        for (uint32_t k = 0; op != SET_UNION && k < b.len; k++) {
            nb_value_set_add(&have, base[1] + b.offset + k);
        }
        for (uint32_t k = 0; k < a.len; k++) {
            uint32_t at = base[0] + a.offset + k;

            if (op == SET_UNION || nb_value_set_has(&have, at) == (op == SET_INTERSECT)) {
                if (nb_value_set_add(&taken, at)) {
                    NB_TRY(nb_picks_add(&p, at));
                }
            }
        }
        for (uint32_t k = 0; op == SET_UNION && k < b.len; k++) {
            if (nb_value_set_add(&taken, base[1] + b.offset + k)) {
                NB_TRY(nb_picks_add(&p, base[1] + b.offset + k));
            }
        }
        nb_picks_end_row(&p, i);
        nb_value_set_clear(&have);
        nb_value_set_clear(&taken);
    }
    return nb_picks_finish(&p, 0, &all);
}

/* True when a non-null value is in both; else null when one of two non-empty arrays has a null. */
static nb_status
overlap_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_vector all;
    uint32_t base[2];
    nb_value_set have;

    NB_TRY(nb_lists_join(ctx->arena, args, 2, &all, base));
    NB_TRY(nb_value_set_new(ctx->arena, &all, longest(&args[1], n), &have));
    for (int64_t i = 0; i < n; i++) {
        bool row = nb_is_valid(out->validity, i), found = false, null = false;
        nb_list a = row ? nb_list_at(&args[0], i) : (nb_list){0, 0},
                b = row ? nb_list_at(&args[1], i) : (nb_list){0, 0};

        for (uint32_t k = 0; k < b.len; k++) {
            nb_value_set_add(&have, base[1] + b.offset + k);
        }
        null = have.has_null;
        for (uint32_t k = 0; k < a.len && !found; k++) {
            uint32_t at = base[0] + a.offset + k;

            if (nb_vector_is_null(&all, at)) {
                null = true;
            } else {
                found = nb_value_set_has(&have, at);
            }
        }
        NB_DATA(uint8_t, out)[i] = found;
        if (row && !found && null && a.len > 0 && b.len > 0) {
            NB_TRY(nb_kernel_null_row(ctx, out, i));
        }
        nb_value_set_clear(&have);
    }
    return NB_OK;
}

static nb_status
bind_set(nb_bound_call *call, set_op op, nb_error *err)
{
    const nb_type *common;

    NB_TRY(meet_arrays(call, &common, err));
    call->type = common;
    call->payload = &set_ops[op];
    call->kernel = set_kernel;
    if (op == SET_OVERLAP) {
        call->type = nb_type_of(NB_TYPE_BOOL);
        call->kernel = overlap_kernel;
        call->nullable |= common->contains_null;
    }
    return NB_OK;
}

nb_status
nb_bind_array_union(nb_bound_call *call, nb_error *err)
{
    return bind_set(call, SET_UNION, err);
}

nb_status
nb_bind_array_intersect(nb_bound_call *call, nb_error *err)
{
    return bind_set(call, SET_INTERSECT, err);
}

nb_status
nb_bind_array_except(nb_bound_call *call, nb_error *err)
{
    return bind_set(call, SET_EXCEPT, err);
}

nb_status
nb_bind_arrays_overlap(nb_bound_call *call, nb_error *err)
{
    return bind_set(call, SET_OVERLAP, err);
}

/* ---- min, max ---------------------------------------------------------------------------------------------------------------------------------------- */

static nb_status
extreme(nb_kernel_ctx *ctx, const nb_vector *args, int64_t n, nb_vector *out, int want)
{
    const nb_vector *elements = &args[0].children[0];
    uint32_t *idx = NB_ARENA_ARRAY(ctx->arena, uint32_t, n + 1);

    if (idx == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        nb_list list = nb_is_valid(out->validity, i) ? nb_list_at(&args[0], i) : (nb_list){0, 0};

        idx[i] = UINT32_MAX;
        for (uint32_t k = list.offset; k < list.offset + list.len; k++) {
            if (!nb_vector_is_null(elements, k) &&
                (idx[i] == UINT32_MAX ||
                 nb_vector_compare(elements, k, elements, idx[i]) * want > 0)) {
                idx[i] = k;
            }
        }
    }
    if (elements->n_rows == 0 || elements->type->id == NB_TYPE_NULL) {
        return nb_vector_const_null(ctx->arena, ctx->expr->type, n, out);
    }
    NB_TRY(nb_vector_gather_null(ctx->arena, elements, idx, n, out));
    out->type = ctx->expr->type;
    return NB_OK;
}

static nb_status
min_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return extreme(ctx, args, n, out, -1);
}

static nb_status
max_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return extreme(ctx, args, n, out, 1);
}

static nb_status
bind_extreme(nb_bound_call *call, nb_kernel_fn kernel, nb_error *err)
{
    NB_TRY(nb_bind_need_array(call, 0, err));
    call->type = call->args[0]->type->children[0].type;
    if (!nb_type_is_orderable(call->type) && call->type->id != NB_TYPE_NULL) {
        return nb_bind_orderable(call, 0, err);
    }
    call->kernel = kernel;
    call->nullable = true;
    return NB_OK;
}

nb_status
nb_bind_array_min(nb_bound_call *call, nb_error *err)
{
    return bind_extreme(call, min_kernel, err);
}

nb_status
nb_bind_array_max(nb_bound_call *call, nb_error *err)
{
    return bind_extreme(call, max_kernel, err);
}

/* ---- sorting -------------------------------------------------------------------------------------------------------------------------------------------- */

typedef struct sort_order {
    const nb_vector *values;
    bool descending, nulls_last;
} sort_order;

static int
order_of(const void *pa, const void *pb, void *payload)
{
    const sort_order *o = payload;
    uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
    bool an = nb_vector_is_null(o->values, a), bn = nb_vector_is_null(o->values, b);
    int order;

    if (an || bn) {
        order = an == bn ? 0 : an == o->nulls_last ? 1 : -1;
    } else {
        order = nb_vector_compare(o->values, a, o->values, b);
        order = o->descending ? -order : order;
    }
    return order != 0 ? order : (a > b) - (a < b); /* stable */
}

static nb_status
sort_lists(nb_kernel_ctx *ctx, const nb_vector *args, const nb_vector *ascending, int64_t n,
           nb_vector *out, bool nulls_at_end)
{
    const nb_vector *elements = &args[0].children[0];
    nb_picks p;

    NB_TRY(nb_picks_begin(&p, ctx->arena, out, elements->n_rows));
    for (int64_t i = 0; i < n; i++) {
        nb_list list = nb_is_valid(out->validity, i) ? nb_list_at(&args[0], i) : (nb_list){0, 0};
        sort_order o = {elements,
                        ascending != NULL && nb_is_valid(out->validity, i) &&
                            !NB_DATA(uint8_t, ascending)[slot(ascending, i)],
                        false};

        o.nulls_last =
            nulls_at_end || o.descending; /* sort_array: nulls first ascending, last descending */
        for (uint32_t k = list.offset; k < list.offset + list.len; k++) {
            NB_TRY(nb_picks_add(&p, k));
        }
        qsort_r(p.idx + p.row_start, (size_t)(p.n - p.row_start), sizeof(uint32_t), order_of, &o);
        nb_picks_end_row(&p, i);
    }
    return nb_picks_finish(&p, 0, elements);
}

static nb_status
sort_array_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return sort_lists(ctx, args, n_args > 1 ? &args[1] : NULL, n, out, false);
}

static nb_status
array_sort_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return sort_lists(ctx, args, NULL, n, out, true);
}

nb_status
nb_bind_sort_array(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_need_array(call, 0, err));
    NB_TRY(nb_bind_orderable(call, 0, err));
    if (call->n_args > 1) {
        NB_TRY(nb_bind_cast(call, 1, nb_type_of(NB_TYPE_BOOL), err));
    }
    call->type = call->args[0]->type;
    call->kernel = sort_array_kernel;
    return NB_OK;
}

nb_status
nb_bind_array_sort_natural(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_orderable(call, 0, err));
    call->type = call->args[0]->type;
    call->kernel = array_sort_kernel;
    return NB_OK;
}
