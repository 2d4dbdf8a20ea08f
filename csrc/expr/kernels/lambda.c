/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lambda.c: higher-order functions: transform, filter, exists, forall, aggregate, zip_with, the map_ and transform_ ones, array_sort with a
 * comparator.
 *
 * A lambda runs once over the elements of all rows of the batch, laid out one after the other; which outer row an element belongs to is a vector
 * beside them. aggregate() runs its lambda once per position: first elements of all rows, then second ones, ...
 */
#include <stdio.h>

#include "expr/binders.h"
#include "expr/cast.h"
#include "expr/kernels/lists.h"
#include "expr/kernels/operators.h"

/* ---- types of parameters --------------------------------------------------------------------------------------------------------------------- */

static nb_status
lambda_arity(const nb_function *fn, int n, int low, int high, nb_error *err)
{
    char expected[16], actual[16];
    nb_str name = nb_function_name(fn);

    (void)name;
    if (n >= low && n <= high) {
        return NB_OK;
    }
    snprintf(expected, sizeof expected, "%d", high);
    snprintf(actual, sizeof actual, "%d", n);
    return nb_raise(err, NB_COND_INVALID_LAMBDA_FUNCTION_CALL_NUM_ARGS_MISMATCH, "expectedNumArgs",
                    expected, "actualNumArgs", actual, NULL);
}

static nb_status
need_type(const nb_function *fn, const nb_expr *e, nb_type_id id, nb_error *err)
{
    nb_strbuf name = {0};
    nb_status st;

    if (e->type->id == id) {
        return NB_OK;
    }
    nb_strbuf_add(&name, nb_function_name(fn));
    st = nb_raise(err, NB_COND_DATATYPE_MISMATCH_UNEXPECTED_INPUT_TYPE, "sqlExpr",
                  name.data ? name.data : "", "paramIndex", "first", "requiredType",
                  id == NB_TYPE_MAP ? "\"MAP\"" : "\"ARRAY\"", "inputSql", "", "inputType", "",
                  NULL);
    nb_strbuf_free(&name);
    return st;
}

nb_status
nb_function_lambda_types(nb_arena *arena, const nb_session_info *info, const nb_function *fn,
                         nb_expr *const *args, int arg, int n, const nb_type **types,
                         bool *nullable, nb_error *err)
{
    nb_str name = nb_function_name(fn);
    const nb_type *int_type = nb_type_of(NB_TYPE_INT32);

    (void)arena;
    (void)info;
    for (int i = 0; i < n; i++) {
        types[i] = int_type;
        nullable[i] = false;
    }
    if ((fn->flags & NB_FN_HIGHER_ORDER) == 0) {
        return nb_raise_unsupported(err, "a lambda as argument of %.*s", (int)name.len, name.data);
    }
    if (nb_str_equal(name, NB_STR("aggregate"))) {
        NB_TRY(need_type(fn, args[0], NB_TYPE_ARRAY, err));
        NB_TRY(lambda_arity(fn, n, arg == 2 ? 2 : 1, arg == 2 ? 2 : 1, err));
        types[0] = args[1]->type;
        nullable[0] = true;
        if (arg == 2) {
            types[1] = args[0]->type->children[0].type;
            nullable[1] = args[0]->type->contains_null;
        }
        return NB_OK;
    }
    if (nb_str_equal(name, NB_STR("zip_with"))) {
        NB_TRY(lambda_arity(fn, n, 2, 2, err));
        for (int i = 0; i < 2; i++) {
            NB_TRY(need_type(fn, args[i], NB_TYPE_ARRAY, err));
            types[i] = args[i]->type->children[0].type;
            nullable[i] = true;
        }
        return NB_OK;
    }
    if (nb_str_equal(name, NB_STR("map_zip_with"))) {
        NB_TRY(lambda_arity(fn, n, 3, 3, err));
        NB_TRY(need_type(fn, args[0], NB_TYPE_MAP, err));
        NB_TRY(need_type(fn, args[1], NB_TYPE_MAP, err));
        types[0] = args[0]->type->children[0].type;
        types[1] = args[0]->type->children[1].type;
        types[2] = args[1]->type->children[1].type;
        nullable[1] = nullable[2] = true;
        return NB_OK;
    }
    if (nb_str_equal(name, NB_STR("map_filter")) || nb_str_equal(name, NB_STR("transform_keys")) ||
        nb_str_equal(name, NB_STR("transform_values"))) {
        NB_TRY(lambda_arity(fn, n, 2, 2, err));
        NB_TRY(need_type(fn, args[0], NB_TYPE_MAP, err));
        types[0] = args[0]->type->children[0].type;
        types[1] = args[0]->type->children[1].type;
        nullable[1] = args[0]->type->contains_null;
        return NB_OK;
    }
    NB_TRY(need_type(fn, args[0], NB_TYPE_ARRAY, err));
    types[0] = args[0]->type->children[0].type;
    nullable[0] = args[0]->type->contains_null;
    if (nb_str_equal(name, NB_STR("array_sort"))) {
        NB_TRY(lambda_arity(fn, n, 2, 2, err));
        types[1] = types[0];
        nullable[1] = nullable[0];
        return NB_OK;
    }
    /* transform and filter may take the position too */
    return lambda_arity(
        fn, n, 1,
        nb_str_equal(name, NB_STR("transform")) || nb_str_equal(name, NB_STR("filter")) ? 2 : 1,
        err);
}

/* ---- elements of all rows ------------------------------------------------------------------------------------------------------------------------ */

typedef struct elements {
    uint32_t *rows; /* outer row of each element */
    uint32_t *idx;  /* where it lies in the child */
    uint32_t *at;   /* its position in its list */
    int64_t n;
    nb_list *lists; /* per row: which elements are its own */
} elements;

/* Of the rows that are valid in both `valid` and the argument itself. */
static nb_status
collect(nb_kernel_ctx *ctx, const nb_vector *v, const uint64_t *valid, int64_t n, elements *out)
{
    int64_t total = 0;

    for (int64_t i = 0; i < n; i++) {
        total += nb_is_valid(valid, i) ? nb_list_at(v, i).len : 0;
    }
    if (total > INT32_MAX) {
        return NB_NOMEM;
    }
    out->rows = NB_ARENA_ARRAY(ctx->arena, uint32_t, total + 1);
    out->idx = NB_ARENA_ARRAY(ctx->arena, uint32_t, total + 1);
    out->at = NB_ARENA_ARRAY(ctx->arena, uint32_t, total + 1);
    out->lists = NB_ARENA_ARRAY(ctx->arena, nb_list, n + 1);
    if (out->rows == NULL || out->idx == NULL || out->at == NULL || out->lists == NULL) {
        return NB_NOMEM;
    }
    out->n = 0;
    for (int64_t i = 0; i < n; i++) {
        nb_list list = nb_is_valid(valid, i) ? nb_list_at(v, i) : (nb_list){0, 0};

        out->lists[i] = (nb_list){(uint32_t)out->n, list.len};
        for (uint32_t k = 0; k < list.len; k++) {
            out->rows[out->n] = (uint32_t)i;
            out->idx[out->n] = list.offset + k;
            out->at[out->n++] = k;
        }
    }
    return NB_OK;
}

static nb_status
gather(nb_kernel_ctx *ctx, const nb_vector *child, const uint32_t *idx, int64_t n,
       const nb_type *type, nb_vector *out)
{
    if (child->n_rows == 0 || child->type->id == NB_TYPE_NULL) {
        return nb_vector_const_null(ctx->arena, type, n, out);
    }
    NB_TRY(nb_vector_gather_null(ctx->arena, child, idx, n, out));
    out->type = type;
    return NB_OK;
}

static nb_status
positions(nb_kernel_ctx *ctx, const elements *e, nb_vector *out)
{
    NB_TRY(nb_vector_alloc(ctx->arena, nb_type_of(NB_TYPE_INT32), e->n, out));
    memcpy(out->data, e->at, (size_t)e->n * sizeof(uint32_t));
    return NB_OK;
}

static int
lambda_params(const nb_kernel_ctx *ctx, int arg)
{
    return ctx->expr->args[arg]->u.lambda.n_attrs;
}

/* Runs lambda `arg` over the elements of array args[0]: parameters element and perhaps position. */
static nb_status
over_array(nb_kernel_ctx *ctx, const nb_vector *args, int arg, const elements *e, nb_vector *out)
{
    nb_vector params[2];
    int n_params = lambda_params(ctx, arg);
    nb_vector result;

    NB_TRY(gather(ctx, &args[0].children[0], e->idx, e->n, args[0].type->children[0].type,
                  &params[0]));
    if (n_params > 1) {
        NB_TRY(positions(ctx, e, &params[1]));
    }
    NB_TRY(nb_kernel_lambda(ctx, arg, e->rows, params, n_params, e->n, &result));
    return nb_vector_flatten(ctx->arena, &result, out);
}

static nb_status
transform_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_type *t = out->type->children[0].type;
    elements e;

    NB_TRY(collect(ctx, &args[0], out->validity, n, &e));
    NB_TRY(over_array(ctx, args, 1, &e, &out->children[0]));
    out->children[0].type = t;
    memcpy(out->data, e.lists, (size_t)n * sizeof(nb_list));
    return NB_OK;
}

static bool
is_true(const nb_vector *v, int64_t i)
{
    return !nb_vector_is_null(v, i) && NB_DATA(uint8_t, v)[i];
}

static nb_status
filter_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    elements e;
    nb_vector keep;
    nb_picks p;

    NB_TRY(collect(ctx, &args[0], out->validity, n, &e));
    NB_TRY(over_array(ctx, args, 1, &e, &keep));
    NB_TRY(nb_picks_begin(&p, ctx->arena, out, e.n));
    for (int64_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < e.lists[i].len; k++) {
            if (is_true(&keep, e.lists[i].offset + k)) {
                NB_TRY(nb_picks_add(&p, e.idx[e.lists[i].offset + k]));
            }
        }
        nb_picks_end_row(&p, i);
    }
    return nb_picks_finish(&p, 0, &args[0].children[0]);
}

/* exists: true when one is; forall: false when one is not; else null when one was null. */
static nb_status
quantify(nb_kernel_ctx *ctx, const nb_vector *args, int64_t n, nb_vector *out, bool exists)
{
    elements e;
    nb_vector v;

    NB_TRY(collect(ctx, &args[0], out->validity, n, &e));
    NB_TRY(over_array(ctx, args, 1, &e, &v));
    for (int64_t i = 0; i < n; i++) {
        bool decided = false, null = false;

        for (uint32_t k = e.lists[i].offset; k < e.lists[i].offset + e.lists[i].len && !decided;
             k++) {
            if (nb_vector_is_null(&v, k)) {
                null = true;
            } else {
                decided = NB_DATA(uint8_t, &v)[k] == exists;
            }
        }
        NB_DATA(uint8_t, out)[i] = decided ? exists : !exists;
        if (!decided && null && nb_is_valid(out->validity, i)) {
            NB_TRY(nb_kernel_null_row(ctx, out, i));
        }
    }
    return NB_OK;
}

static nb_status
exists_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return quantify(ctx, args, n, out, true);
}

static nb_status
forall_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return quantify(ctx, args, n, out, false);
}

/* ---- aggregate ------------------------------------------------------------------------------------------------------------------------------------ */

/* acc with rows to[0..m) replaced by the rows of v. */
static nb_status
replace_rows(nb_kernel_ctx *ctx, nb_vector *acc, const uint32_t *to, const nb_vector *v, int64_t m)
{
    const nb_vector *parts[2] = {acc, v};
    int64_t n = acc->n_rows;
    uint32_t *idx = NB_ARENA_ARRAY(ctx->arena, uint32_t, n + 1);
    nb_vector all;

    if (idx == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        idx[i] = (uint32_t)i;
    }
    for (int64_t k = 0; k < m; k++) {
        idx[to[k]] = (uint32_t)(n + k);
    }
    NB_TRY(nb_vector_concat(ctx->arena, parts, 2, &all));
    return nb_vector_gather(ctx->arena, &all, idx, n, acc);
}

static nb_status
aggregate_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_type *acc_type = ctx->expr->args[2]->args[0]->type;
    nb_vector acc, zero = args[1];
    uint32_t longest = 0, *rows = NB_ARENA_ARRAY(ctx->arena, uint32_t, n + 1),
             *idx = NB_ARENA_ARRAY(ctx->arena, uint32_t, n + 1);
    const nb_vector *elements_of = &args[0].children[0];

    if (rows == NULL || idx == NULL) {
        return NB_NOMEM;
    }
    zero.n_rows = (int32_t)n;
    NB_TRY(nb_vector_flatten(ctx->arena, &zero, &acc));
    acc.type = acc_type;
    for (int64_t i = 0; i < n; i++) {
        longest = NB_MAX(longest, nb_list_at(&args[0], i).len);
    }
    for (uint32_t k = 0; k < longest; k++) {
        nb_vector params[2], result, flat;
        int64_t m = 0;

        for (int64_t i = 0; i < n; i++) {
            nb_list list = nb_list_at(&args[0], i);

            if (k < list.len) {
                rows[m] = (uint32_t)i;
                idx[m++] = list.offset + k;
            }
        }
        NB_TRY(nb_vector_gather(ctx->arena, &acc, rows, m, &params[0]));
        NB_TRY(gather(ctx, elements_of, idx, m, args[0].type->children[0].type, &params[1]));
        NB_TRY(nb_kernel_lambda(ctx, 2, rows, params, 2, m, &result));
        NB_TRY(nb_vector_flatten(ctx->arena, &result, &flat));
        flat.type = acc_type;
        NB_TRY(replace_rows(ctx, &acc, rows, &flat, m));
    }
    if (n_args > 3) {
        nb_vector result;

        for (int64_t i = 0; i < n; i++) {
            rows[i] = (uint32_t)i;
        }
        NB_TRY(nb_kernel_lambda(ctx, 3, rows, &acc, 1, n, &result));
        NB_TRY(nb_vector_flatten(ctx->arena, &result, &acc));
    }
    for (int64_t i = 0; i < n; i++) { /* of a null array */
        if (nb_vector_is_null(&args[0], i)) {
            NB_TRY(nb_kernel_null_row(ctx, &acc, i));
        }
    }
    *out = acc;
    out->type = ctx->expr->type;
    return NB_OK;
}

/* ---- two arrays ---------------------------------------------------------------------------------------------------------------------------------------- */

static nb_status
zip_with_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    uint32_t *rows, *idx[2];
    int64_t total = 0, at = 0;
    nb_vector params[2], result;
    const nb_type *t = out->type->children[0].type;

    for (int64_t i = 0; i < n; i++) {
        total += nb_is_valid(out->validity, i)
                     ? NB_MAX(nb_list_at(&args[0], i).len, nb_list_at(&args[1], i).len)
                     : 0;
    }
    rows = NB_ARENA_ARRAY(ctx->arena, uint32_t, total + 1);
    idx[0] = NB_ARENA_ARRAY(ctx->arena, uint32_t, total + 1);
    idx[1] = NB_ARENA_ARRAY(ctx->arena, uint32_t, total + 1);
    if (rows == NULL || idx[0] == NULL || idx[1] == NULL || total > INT32_MAX) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        nb_list a = nb_list_at(&args[0], i), b = nb_list_at(&args[1], i);
        uint32_t len = nb_is_valid(out->validity, i) ? NB_MAX(a.len, b.len) : 0;

        NB_DATA(nb_list, out)[i] = (nb_list){(uint32_t)at, len};
        for (uint32_t k = 0; k < len; k++, at++) {
            rows[at] = (uint32_t)i;
            idx[0][at] = k < a.len ? a.offset + k : UINT32_MAX;
            idx[1][at] = k < b.len ? b.offset + k : UINT32_MAX;
        }
    }
    for (int s = 0; s < 2; s++) {
        NB_TRY(gather(ctx, &args[s].children[0], idx[s], total, args[s].type->children[0].type,
                      &params[s]));
    }
    NB_TRY(nb_kernel_lambda(ctx, 2, rows, params, 2, total, &result));
    NB_TRY(nb_vector_flatten(ctx->arena, &result, &out->children[0]));
    out->children[0].type = t;
    return NB_OK;
}

/* ---- maps ------------------------------------------------------------------------------------------------------------------------------------------------ */

static nb_status
over_map(nb_kernel_ctx *ctx, const nb_vector *args, const elements *e, nb_vector *out)
{
    nb_vector params[2], result;

    for (int s = 0; s < 2; s++) {
        NB_TRY(gather(ctx, &args[0].children[s], e->idx, e->n, args[0].type->children[s].type,
                      &params[s]));
    }
    NB_TRY(nb_kernel_lambda(ctx, 1, e->rows, params, 2, e->n, &result));
    return nb_vector_flatten(ctx->arena, &result, out);
}

static nb_status
map_filter_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    elements e;
    nb_vector keep;
    nb_picks p;

    NB_TRY(collect(ctx, &args[0], out->validity, n, &e));
    NB_TRY(over_map(ctx, args, &e, &keep));
    NB_TRY(nb_picks_begin(&p, ctx->arena, out, e.n));
    for (int64_t i = 0; i < n; i++) {
        for (uint32_t k = e.lists[i].offset; k < e.lists[i].offset + e.lists[i].len; k++) {
            if (is_true(&keep, k)) {
                NB_TRY(nb_picks_add(&p, e.idx[k]));
            }
        }
        nb_picks_end_row(&p, i);
    }
    NB_TRY(nb_picks_finish(&p, 0, &args[0].children[0]));
    return nb_picks_finish(&p, 1, &args[0].children[1]);
}

/* transform_keys, transform_values: one side new, the other as it was. */
static nb_status
transform_side(nb_kernel_ctx *ctx, const nb_vector *args, int64_t n, nb_vector *out, int side)
{
    elements e;
    nb_vector kept;

    NB_TRY(collect(ctx, &args[0], out->validity, n, &e));
    NB_TRY(over_map(ctx, args, &e, &out->children[side]));
    NB_TRY(gather(ctx, &args[0].children[1 - side], e.idx, e.n, out->type->children[1 - side].type,
                  &kept));
    NB_TRY(nb_vector_flatten(ctx->arena, &kept, &out->children[1 - side]));
    out->children[side].type = out->type->children[side].type;
    memcpy(out->data, e.lists, (size_t)n * sizeof(nb_list));
    return side == 0 ? nb_map_check_keys(ctx, out, n) : NB_OK;
}

static nb_status
transform_keys_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                      nb_vector *out)
{
    return transform_side(ctx, args, n, out, 0);
}

static nb_status
transform_values_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                        nb_vector *out)
{
    return transform_side(ctx, args, n, out, 1);
}

/* Keys of the first map in order, then those that only the second has. */
static nb_status
map_zip_with_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                    nb_vector *out)
{
    int64_t total = 0, at = 0, most = 0;
    nb_value_set first;
    uint32_t *rows, *key, *idx[2];
    nb_vector params[3], result, joined;
    uint32_t base[2];
    nb_vector sides[2] = {args[0], args[1]};

    for (int64_t i = 0; i < n; i++) {
        if (nb_is_valid(out->validity, i)) {
            uint32_t len = nb_list_at(&args[0], i).len;

            total += (int64_t)len + nb_list_at(&args[1], i).len;
            most = NB_MAX(most, len);
        }
    }
    rows = NB_ARENA_ARRAY(ctx->arena, uint32_t, total + 1);
    key = NB_ARENA_ARRAY(ctx->arena, uint32_t, total + 1);
    idx[0] = NB_ARENA_ARRAY(ctx->arena, uint32_t, total + 1);
    idx[1] = NB_ARENA_ARRAY(ctx->arena, uint32_t, total + 1);
    if (rows == NULL || key == NULL || idx[0] == NULL || idx[1] == NULL || total > INT32_MAX) {
        return NB_NOMEM;
    }
    NB_TRY(nb_lists_join(ctx->arena, sides, 2, &joined, base));
    NB_TRY(nb_value_set_new(ctx->arena, &joined, most, &first));
    for (int64_t i = 0; i < n; i++) {
        bool row = nb_is_valid(out->validity, i);
        nb_list a = row ? nb_list_at(&args[0], i) : (nb_list){0, 0},
                b = row ? nb_list_at(&args[1], i) : (nb_list){0, 0};
        int64_t start = at;

        for (uint32_t k = a.offset; k < a.offset + a.len; k++, at++) {
            rows[at] = (uint32_t)i;
            key[at] = base[0] + k;
            idx[0][at] = k;
            idx[1][at] = UINT32_MAX;
            nb_value_set_add(&first, key[at]);
        }
        for (uint32_t k = b.offset; k < b.offset + b.len; k++) {
            uint32_t found = nb_value_set_find(&first, base[1] + k);

            if (found == UINT32_MAX) {
                rows[at] = (uint32_t)i;
                key[at] = base[1] + k;
                idx[0][at] = UINT32_MAX;
                idx[1][at++] = k;
            } else {
                idx[1][start + (found - base[0] - a.offset)] = k;
            }
        }
        nb_value_set_clear(&first);
        NB_DATA(nb_list, out)[i] = (nb_list){(uint32_t)start, (uint32_t)(at - start)};
    }
    NB_TRY(gather(ctx, &joined, key, at, args[0].type->children[0].type, &params[0]));
    for (int s = 0; s < 2; s++) {
        NB_TRY(gather(ctx, &args[s].children[1], idx[s], at, args[s].type->children[1].type,
                      &params[s + 1]));
    }
    NB_TRY(nb_kernel_lambda(ctx, 2, rows, params, 3, at, &result));
    NB_TRY(nb_vector_flatten(ctx->arena, &params[0], &out->children[0]));
    NB_TRY(nb_vector_flatten(ctx->arena, &result, &out->children[1]));
    out->children[0].type = out->type->children[0].type;
    out->children[1].type = out->type->children[1].type;
    return NB_OK;
}

/* ---- array_sort with a comparator ------------------------------------------------------------------------------------------------------------------------ */

/* A merge sort by rounds: in each round, every list compares one pair of elements, and the lambda runs once for all of them. */
typedef struct merge_state {
    uint32_t *from, *to; /* element numbers: the runs of this pass, and what is being merged */
    uint32_t len, width, left, left_end, right, right_end, at;
    bool done;
} merge_state;

static void
next_runs(merge_state *m)
{
    for (;;) {
        uint32_t start = m->at;

        if (start >= m->len) { /* the pass is over */
            uint32_t *t = m->from;

            m->from = m->to;
            m->to = t;
            m->width *= 2;
            m->at = 0;
            if (m->width >= m->len) {
                m->done = true;
                return;
            }
            continue;
        }
        m->left = start;
        m->left_end = NB_MIN(start + m->width, m->len);
        m->right = m->left_end;
        m->right_end = NB_MIN(start + 2 * m->width, m->len);
        if (m->right < m->right_end) {
            return;
        }
        while (m->left < m->left_end) { /* nothing to merge it with */
            m->to[m->at++] = m->from[m->left++];
        }
    }
}

static nb_status
sort_with_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    elements e;
    merge_state *states = nb_arena_zalloc(ctx->arena, (size_t)(n + 1) * sizeof(merge_state));
    uint32_t *a, *b, *rows, *spare;
    const nb_type *t = args[0].type->children[0].type;
    nb_picks p;

    NB_TRY(collect(ctx, &args[0], out->validity, n, &e));
    a = NB_ARENA_ARRAY(ctx->arena, uint32_t, n + 1);
    b = NB_ARENA_ARRAY(ctx->arena, uint32_t, n + 1);
    rows = NB_ARENA_ARRAY(ctx->arena, uint32_t, n + 1);
    spare = NB_ARENA_ARRAY(ctx->arena, uint32_t, e.n + 1);
    if (states == NULL || a == NULL || b == NULL || rows == NULL || spare == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        merge_state *m = &states[i];

        m->len = e.lists[i].len;
        m->from = e.idx + e.lists[i].offset;
        m->to = spare + e.lists[i].offset;
        m->width = 1;
        m->done = m->len < 2;
        if (!m->done) {
            next_runs(m);
        }
    }
    for (;;) {
        nb_vector params[2], result, order;
        int64_t k = 0;

        for (int64_t i = 0; i < n; i++) {
            if (!states[i].done) {
                rows[k] = (uint32_t)i;
                a[k] = states[i].from[states[i].left];
                b[k++] = states[i].from[states[i].right];
            }
        }
        if (k == 0) {
            break;
        }
        NB_TRY(gather(ctx, &args[0].children[0], a, k, t, &params[0]));
        NB_TRY(gather(ctx, &args[0].children[0], b, k, t, &params[1]));
        NB_TRY(nb_kernel_lambda(ctx, 1, rows, params, 2, k, &result));
        NB_TRY(nb_vector_flatten(ctx->arena, &result, &order));
        for (int64_t j = 0; j < k; j++) {
            merge_state *m = &states[rows[j]];

            if (nb_vector_is_null(&order, j)) {
                return nb_raise(ctx->err, NB_COND_COMPARATOR_RETURNS_NULL, "firstValue",
                                nb_sql_value(ctx->arena, &params[0], j), "secondValue",
                                nb_sql_value(ctx->arena, &params[1], j), NULL);
            }
            m->to[m->at++] =
                NB_DATA(int32_t, &order)[j] <= 0 ? m->from[m->left++] : m->from[m->right++];
            if (m->left == m->left_end || m->right == m->right_end) {
                while (m->left < m->left_end) {
                    m->to[m->at++] = m->from[m->left++];
                }
                while (m->right < m->right_end) {
                    m->to[m->at++] = m->from[m->right++];
                }
                next_runs(m);
            }
        }
    }
    NB_TRY(nb_picks_begin(&p, ctx->arena, out, e.n));
    for (int64_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < states[i].len; k++) {
            NB_TRY(nb_picks_add(&p, states[i].from[k]));
        }
        nb_picks_end_row(&p, i);
    }
    return nb_picks_finish(&p, 0, &args[0].children[0]);
}

/* ---- binding ------------------------------------------------------------------------------------------------------------------------------------------------ */

static nb_status
need_lambda(nb_bound_call *call, int arg, nb_error *err)
{
    return call->args[arg]->kind == NB_EXPR_LAMBDA ? NB_OK
                                                   : nb_bind_mismatch(call, arg, "\"LAMBDA\"", err);
}

static nb_status
need_nested(nb_bound_call *call, int arg, nb_type_id id, nb_error *err)
{
    return call->args[arg]->type->id == id
               ? NB_OK
               : nb_bind_mismatch(call, arg, id == NB_TYPE_MAP ? "\"MAP\"" : "\"ARRAY\"", err);
}

/* The lambda's body as another type. */
static nb_status
cast_body(nb_bound_call *call, int arg, const nb_type *to, nb_error *err)
{
    nb_expr *lambda = call->args[arg], *body;

    if (lambda->args[0]->type == to) {
        return NB_OK;
    }
    NB_TRY(nb_expr_cast(call->arena, lambda->args[0], to,
                        call->info->ansi ? NB_CAST_ANSI : NB_CAST_LEGACY, &body, err));
    lambda = nb_expr_with_args(call->arena, lambda, &body);
    if (lambda == NULL) {
        return NB_NOMEM;
    }
    lambda->type = to;
    call->args[arg] = lambda;
    return NB_OK;
}

static nb_status
finish(nb_bound_call *call, const nb_type *type, nb_kernel_fn kernel)
{
    call->type = type;
    call->kernel = kernel;
    return type == NULL ? NB_NOMEM : NB_OK;
}

nb_status
nb_bind_transform(nb_bound_call *call, nb_error *err)
{
    NB_TRY(need_nested(call, 0, NB_TYPE_ARRAY, err));
    NB_TRY(need_lambda(call, 1, err));
    call->nullable = call->args[0]->nullable;
    return finish(call,
                  nb_type_array(call->args[1]->args[0]->type, call->args[1]->args[0]->nullable),
                  transform_kernel);
}

static nb_status
bind_predicate(nb_bound_call *call, nb_type_id id, nb_error *err)
{
    NB_TRY(need_nested(call, 0, id, err));
    NB_TRY(need_lambda(call, 1, err));
    call->nullable = call->args[0]->nullable;
    if (call->args[1]->args[0]->type->id != NB_TYPE_BOOL) {
        if (call->args[1]->args[0]->type->id != NB_TYPE_NULL) {
            return nb_bind_mismatch(call, 1, "\"BOOLEAN\"", err);
        }
        return cast_body(call, 1, nb_type_of(NB_TYPE_BOOL), err);
    }
    return NB_OK;
}

nb_status
nb_bind_array_filter(nb_bound_call *call, nb_error *err)
{
    NB_TRY(bind_predicate(call, NB_TYPE_ARRAY, err));
    return finish(call, call->args[0]->type, filter_kernel);
}

nb_status
nb_bind_exists(nb_bound_call *call, nb_error *err)
{
    NB_TRY(bind_predicate(call, NB_TYPE_ARRAY, err));
    call->nullable |= call->args[1]->args[0]->nullable;
    return finish(call, nb_type_of(NB_TYPE_BOOL), exists_kernel);
}

nb_status
nb_bind_forall(nb_bound_call *call, nb_error *err)
{
    NB_TRY(bind_predicate(call, NB_TYPE_ARRAY, err));
    call->nullable |= call->args[1]->args[0]->nullable;
    return finish(call, nb_type_of(NB_TYPE_BOOL), forall_kernel);
}

nb_status
nb_bind_aggregate_array(nb_bound_call *call, nb_error *err)
{
    const nb_type *acc = call->args[1]->type;

    NB_TRY(need_nested(call, 0, NB_TYPE_ARRAY, err));
    NB_TRY(need_lambda(call, 2, err));
    if (!nb_type_same_ignoring_null(call->args[2]->args[0]->type, acc)) {
        return nb_bind_mismatch(call, 2, nb_type_quoted(call->arena, acc), err);
    }
    call->nullable = true;
    if (call->n_args > 3) {
        NB_TRY(need_lambda(call, 3, err));
        return finish(call, call->args[3]->args[0]->type, aggregate_kernel);
    }
    return finish(call, call->args[2]->args[0]->type, aggregate_kernel);
}

nb_status
nb_bind_zip_with(nb_bound_call *call, nb_error *err)
{
    NB_TRY(need_nested(call, 0, NB_TYPE_ARRAY, err));
    NB_TRY(need_nested(call, 1, NB_TYPE_ARRAY, err));
    NB_TRY(need_lambda(call, 2, err));
    call->nullable = call->args[0]->nullable || call->args[1]->nullable;
    return finish(call,
                  nb_type_array(call->args[2]->args[0]->type, call->args[2]->args[0]->nullable),
                  zip_with_kernel);
}

nb_status
nb_bind_map_filter(nb_bound_call *call, nb_error *err)
{
    NB_TRY(bind_predicate(call, NB_TYPE_MAP, err));
    return finish(call, call->args[0]->type, map_filter_kernel);
}

nb_status
nb_bind_transform_keys(nb_bound_call *call, nb_error *err)
{
    NB_TRY(need_nested(call, 0, NB_TYPE_MAP, err));
    NB_TRY(need_lambda(call, 1, err));
    call->nullable = call->args[0]->nullable;
    call->can_fail = true;
    return finish(call,
                  nb_type_map(call->args[1]->args[0]->type, call->args[0]->type->children[1].type,
                              call->args[0]->type->contains_null),
                  transform_keys_kernel);
}

nb_status
nb_bind_transform_values(nb_bound_call *call, nb_error *err)
{
    NB_TRY(need_nested(call, 0, NB_TYPE_MAP, err));
    NB_TRY(need_lambda(call, 1, err));
    call->nullable = call->args[0]->nullable;
    return finish(call,
                  nb_type_map(call->args[0]->type->children[0].type, call->args[1]->args[0]->type,
                              call->args[1]->args[0]->nullable),
                  transform_values_kernel);
}

nb_status
nb_bind_map_zip_with(nb_bound_call *call, nb_error *err)
{
    NB_TRY(need_nested(call, 0, NB_TYPE_MAP, err));
    NB_TRY(need_nested(call, 1, NB_TYPE_MAP, err));
    NB_TRY(need_lambda(call, 2, err));
    call->nullable = call->args[0]->nullable || call->args[1]->nullable;
    return finish(call,
                  nb_type_map(call->args[0]->type->children[0].type, call->args[2]->args[0]->type,
                              call->args[2]->args[0]->nullable),
                  map_zip_with_kernel);
}

nb_status
nb_bind_array_sort(nb_bound_call *call, nb_error *err)
{
    NB_TRY(need_nested(call, 0, NB_TYPE_ARRAY, err));
    call->nullable = call->args[0]->nullable;
    if (call->n_args == 1) {
        return nb_bind_array_sort_natural(call, err);
    }
    NB_TRY(need_lambda(call, 1, err));
    if (call->args[1]->args[0]->type->id != NB_TYPE_INT32) {
        return nb_raise(err, NB_COND_DATATYPE_MISMATCH_UNEXPECTED_RETURN_TYPE, "sqlExpr",
                        nb_arena_printf(call->arena, "\"%s\"", nb_bind_call_sql(call)),
                        "functionName", "`lambdafunction`", "expectedType", "\"INT\"", "actualType",
                        nb_type_quoted(call->arena, call->args[1]->args[0]->type), NULL);
    }
    call->can_fail = true;
    return finish(call, call->args[0]->type, sort_with_kernel);
}
