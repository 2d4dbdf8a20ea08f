/* SPDX-License-Identifier: Apache-2.0 */
/*
 * construct.c: struct, named_struct, array, map and map_from_*: nested values out of columns.
 */
#include <stdio.h>

#include "base/config.h"
#include "expr/binders.h"
#include "expr/cast.h"
#include "expr/kernels/lists.h"
#include "expr/kernels/operators.h"

/* ---- structs -------------------------------------------------------------------------------------------------------------------------------- */

static nb_status
struct_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    for (int i = 0; i < n_args; i++) {
        const nb_type *t = out->type->children[i].type;
        nb_vector v = args[i];

        v.n_rows = (int32_t)n;
        NB_TRY(nb_vector_flatten(ctx->arena, &v, &out->children[i]));
        out->children[i].type = t;
    }
    return NB_OK;
}

static nb_status
bind_struct_of(nb_bound_call *call, const nb_str *names, nb_error *err)
{
    nb_field *fields = nb_arena_zalloc(call->arena, (size_t)(call->n_args + 1) * sizeof(nb_field));

    if (fields == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < call->n_args; i++) {
        fields[i].name = names[i];
        fields[i].type = call->args[i]->type;
        fields[i].nullable = call->args[i]->nullable;
    }
    call->type = nb_type_struct(fields, call->n_args);
    call->kernel = struct_kernel;
    return call->type == NULL ? NB_NOMEM : NB_OK;
}

nb_status
nb_bind_struct(nb_bound_call *call, nb_error *err)
{
    nb_str *names = NB_ARENA_ARRAY(call->arena, nb_str, call->n_args + 1);

    if (names == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < call->n_args; i++) {
        const nb_expr *e = call->args[i];

        if (e->kind == NB_EXPR_ALIAS) {
            names[i] = e->u.alias.name;
            call->args[i] = e->args[0];
        } else if (e->kind == NB_EXPR_COLUMN) {
            names[i] = e->u.column.name;
        } else if (e->kind == NB_EXPR_CALL &&
                   nb_str_equal(nb_function_name(e->u.call.fn), NB_STR("getitem")) &&
                   e->args[0]->type->id == NB_TYPE_STRUCT) {
            names[i] = e->args[0]->type->children[*(const int *)e->u.call.payload].name;
        } else {
            names[i] = nb_str_of(nb_arena_printf(call->arena, "col%d", i + 1));
        }
    }
    return bind_struct_of(call, names, err);
}

nb_status
nb_bind_named_struct(nb_bound_call *call, nb_error *err)
{
    int n = call->n_args / 2;
    nb_str *names = NB_ARENA_ARRAY(call->arena, nb_str, n + 1);

    if (names == NULL) {
        return NB_NOMEM;
    }
    if (call->n_args % 2 != 0) {
        char actual[16];

        snprintf(actual, sizeof actual, "%d", call->n_args);
        return nb_raise(err, NB_COND_WRONG_NUM_ARGS, "functionName", "`named_struct`",
                        "expectedNum", "2n (n > 0)", "actualNum", actual, "docroot",
                        "https://spark.apache.org/docs/latest", NULL);
    }
    for (int i = 0; i < n; i++) {
        const nb_vector *name;

        NB_TRY(nb_bind_constant(call, 2 * i, &name, err));
        if (name == NULL || !nb_type_is_string(name->type) || nb_vector_is_null(name, 0)) {
            return nb_raise(
                err, NB_COND_DATATYPE_MISMATCH_CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING,
                "sqlExpr", nb_arena_printf(call->arena, "\"%s\"", nb_bind_call_sql(call)),
                "inputExprs",
                nb_arena_printf(call->arena, "[\"%s\"]",
                                nb_expr_sql(call->arena, call->args[2 * i], false)),
                NULL);
        }
        names[i] = nb_arena_str(call->arena, nb_view_str(NB_DATA(nb_view, name)));
        if (names[i].data == NULL) {
            return NB_NOMEM;
        }
    }
    for (int i = 0; i < n; i++) {
        call->args[i] = call->args[2 * i + 1];
    }
    call->n_args = n;
    return bind_struct_of(call, names, err);
}

/* ---- arrays ---------------------------------------------------------------------------------------------------------------------------------- */

/* k columns of n rows, row by row: row i of the result is columns[0][i], columns[1][i], ... */
static nb_status
interleave(nb_kernel_ctx *ctx, const nb_vector *const *columns, int k, int64_t n,
           const nb_type *type, nb_vector *out)
{
    nb_vector *flat = NB_ARENA_ARRAY(ctx->arena, nb_vector, k);
    const nb_vector **parts = NB_ARENA_ARRAY(ctx->arena, const nb_vector *, k);
    uint32_t *idx = NB_ARENA_ARRAY(ctx->arena, uint32_t, n * k + 1);
    nb_vector all;

    if (flat == NULL || parts == NULL || idx == NULL || n * k > INT32_MAX) {
        return NB_NOMEM;
    }
    for (int c = 0; c < k; c++) {
        nb_vector v = *columns[c];

        v.n_rows = (int32_t)n;
        NB_TRY(nb_vector_flatten(ctx->arena, &v, &flat[c]));
        parts[c] = &flat[c];
        for (int64_t i = 0; i < n; i++) {
            idx[i * k + c] = (uint32_t)(c * n + i);
        }
    }
    NB_TRY(nb_vector_concat(ctx->arena, parts, k, &all));
    NB_TRY(nb_vector_gather(ctx->arena, &all, idx, n * k, out));
    out->type = type;
    return NB_OK;
}

static nb_status
array_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_type *element = out->type->children[0].type;
    const nb_vector **columns = NB_ARENA_ARRAY(ctx->arena, const nb_vector *, n_args + 1);

    if (columns == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        NB_DATA(nb_list, out)[i] = (nb_list){(uint32_t)(i * n_args), (uint32_t)n_args};
    }
    if (n_args == 0) {
        return nb_vector_alloc(ctx->arena, element, 0, &out->children[0]);
    }
    for (int c = 0; c < n_args; c++) {
        columns[c] = &args[c];
    }
    if (element->id == NB_TYPE_NULL) {
        return nb_vector_const_null(ctx->arena, element, n * n_args, &out->children[0]);
    }
    return interleave(ctx, columns, n_args, n, element, &out->children[0]);
}

nb_status
nb_bind_array(nb_bound_call *call, nb_error *err)
{
    const nb_type *element = nb_type_of(NB_TYPE_NULL);
    bool nulls = false;

    if (call->n_args > 0) {
        NB_TRY(nb_bind_common_type(call, 0, call->n_args, &element, err));
    }
    for (int i = 0; i < call->n_args; i++) {
        nulls |= call->args[i]->nullable;
    }
    call->type = nb_type_array(element, nulls);
    call->kernel = array_kernel;
    return call->type == NULL ? NB_NOMEM : NB_OK;
}

/* ---- maps -------------------------------------------------------------------------------------------------------------------------------------- */

static nb_status
duplicate_key(nb_kernel_ctx *ctx, const nb_vector *keys, int64_t row)
{
    nb_strbuf text = {0};
    nb_status st;

    nb_format_value(&text, ctx->info, keys, row, NB_TEXT_CAST);
    st = nb_raise(ctx->err, NB_COND_DUPLICATED_MAP_KEY, "key", text.data ? text.data : "",
                  "mapKeyDedupPolicy", "\"spark.sql.mapKeyDedupPolicy\"", NULL);
    nb_strbuf_free(&text);
    return st;
}

bool
nb_map_last_wins(const nb_kernel_ctx *ctx)
{
    return nb_str_equal_nocase(
        nb_config_str(ctx->info ? ctx->info->config : NULL, NB_CONF_MAPKEY_DEDUP),
        NB_STR("LAST_WIN"));
}

/* Each key once, where it came first, with the value that came last. */
static nb_status
keep_last(nb_kernel_ctx *ctx, nb_vector *map, int64_t n, nb_value_set *set)
{
    nb_vector keys = map->children[0], values = map->children[1];
    nb_picks at, with;

    nb_list *lists = NB_ARENA_ARRAY(ctx->arena, nb_list, n); /* the old ones may be an argument's */

    if (lists == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_picks_begin(&at, ctx->arena, map, n));
    NB_TRY(nb_picks_begin(&with, ctx->arena, map, n));
    for (int64_t i = 0; i < n; i++) {
        nb_list list = nb_list_at(map, i);
        int64_t first = at.n;

        for (uint32_t k = list.offset; k < list.offset + list.len; k++) {
            int64_t j = first;

            if (!nb_value_set_add(set, k)) {
                while (nb_vector_compare(&keys, at.idx[j], &keys, k) != 0) {
                    j++;
                }
                with.idx[j] = k;
                continue;
            }
            NB_TRY(nb_picks_add(&at, k));
            NB_TRY(nb_picks_add(&with, k));
        }
        nb_value_set_clear(set);
        lists[i] = (nb_list){(uint32_t)first, (uint32_t)(at.n - first)};
    }
    map->data = lists;
    NB_TRY(nb_picks_finish(&at, 0, &keys));
    return nb_picks_finish(&with, 1, &values);
}

nb_status
nb_map_check_keys(nb_kernel_ctx *ctx, nb_vector *map, int64_t n)
{
    const nb_vector *keys = &map->children[0];
    nb_value_set set;
    int64_t most = 0;
    bool clash = false, last_wins = nb_map_last_wins(ctx);

    for (int64_t i = 0; i < n; i++) {
        most = NB_MAX(most, nb_list_at(map, i).len);
    }
    NB_TRY(nb_value_set_new(ctx->arena, keys, most, &set));
    for (int64_t i = 0; i < n; i++) {
        nb_list list = nb_list_at(map, i);

        for (uint32_t k = list.offset; k < list.offset + list.len; k++) {
            if (nb_vector_is_null(keys, k)) {
                return nb_raise(ctx->err, NB_COND_NULL_MAP_KEY, NULL);
            }
            if (!nb_value_set_add(&set, k)) {
                if (!last_wins) {
                    return duplicate_key(ctx, keys, k);
                }
                clash = true;
            }
        }
        nb_value_set_clear(&set);
    }
    return clash ? keep_last(ctx, map, n, &set) : NB_OK;
}

static nb_status
map_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    int pairs = n_args / 2;
    const nb_vector **columns = NB_ARENA_ARRAY(ctx->arena, const nb_vector *, pairs + 1);

    if (columns == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        NB_DATA(nb_list, out)[i] = (nb_list){(uint32_t)(i * pairs), (uint32_t)pairs};
    }
    for (int side = 0; side < 2; side++) {
        const nb_type *t = out->type->children[side].type;

        if (pairs == 0) {
            NB_TRY(nb_vector_alloc(ctx->arena, t, 0, &out->children[side]));
            continue;
        }
        for (int c = 0; c < pairs; c++) {
            columns[c] = &args[2 * c + side];
        }
        if (t->id == NB_TYPE_NULL) {
            NB_TRY(nb_vector_const_null(ctx->arena, t, n * pairs, &out->children[side]));
        } else {
            NB_TRY(interleave(ctx, columns, pairs, n, t, &out->children[side]));
        }
    }
    return nb_map_check_keys(ctx, out, n);
}

static nb_status
check_key_type(nb_bound_call *call, const nb_type *key, nb_error *err)
{
    return nb_type_is_orderable(key) || key->id == NB_TYPE_NULL || key->id == NB_TYPE_INTERVAL
               ? NB_OK
               : nb_raise(err, NB_COND_DATATYPE_MISMATCH_INVALID_MAP_KEY_TYPE, "sqlExpr",
                          nb_arena_printf(call->arena, "\"%s\"", nb_bind_call_sql(call)), "keyType",
                          nb_type_quoted(call->arena, key), NULL);
}

nb_status
nb_bind_map(nb_bound_call *call, nb_error *err)
{
    const nb_type *common[2] = {nb_type_of(NB_TYPE_NULL), nb_type_of(NB_TYPE_NULL)};
    int pairs = call->n_args / 2;
    bool nulls = false;

    if (call->n_args % 2 != 0) {
        char actual[16];

        snprintf(actual, sizeof actual, "%d", call->n_args);
        return nb_raise(err, NB_COND_WRONG_NUM_ARGS, "functionName", "`map`", "expectedNum",
                        "2n (n > 0)", "actualNum", actual, "docroot",
                        "https://spark.apache.org/docs/latest", NULL);
    }
    for (int side = 0; side < 2 && pairs > 0; side++) {
        nb_bound_call part = *call;

        part.args = NB_ARENA_ARRAY(call->arena, nb_expr *, pairs);
        part.n_args = pairs;
        if (part.args == NULL) {
            return NB_NOMEM;
        }
        for (int c = 0; c < pairs; c++) {
            part.args[c] = call->args[2 * c + side];
            nulls |= side == 1 && part.args[c]->nullable;
        }
        NB_TRY(nb_bind_common_type(&part, 0, pairs, &common[side], err));
        for (int c = 0; c < pairs; c++) {
            call->args[2 * c + side] = part.args[c];
        }
    }
    NB_TRY(check_key_type(call, common[0], err));
    call->type = nb_type_map(common[0], common[1], nulls);
    call->kernel = map_kernel;
    call->can_fail = pairs > 0;
    return call->type == NULL ? NB_NOMEM : NB_OK;
}

static nb_status
map_from_arrays_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                       nb_vector *out)
{
    for (int side = 0; side < 2; side++) {
        nb_picks p;

        NB_TRY(nb_picks_begin(&p, ctx->arena, out, n));
        for (int64_t i = 0; i < n; i++) {
            bool row = nb_is_valid(out->validity, i);
            nb_list list = row ? nb_list_at(&args[side], i) : (nb_list){0, 0};

            if (row && list.len != nb_list_at(&args[1 - side], i).len) {
                return nb_raise(ctx->err, NB_COND_LEGACY_ERROR_TEMP_2128, NULL);
            }
            for (uint32_t k = 0; k < list.len; k++) {
                NB_TRY(nb_picks_add(&p, list.offset + k));
            }
            nb_picks_end_row(&p, i);
        }
        NB_TRY(nb_picks_finish(&p, side, &args[side].children[0]));
    }
    return nb_map_check_keys(ctx, out, n);
}

nb_status
nb_bind_map_from_arrays(nb_bound_call *call, nb_error *err)
{
    for (int i = 0; i < 2; i++) {
        if (call->args[i]->type->id != NB_TYPE_ARRAY) {
            return nb_bind_mismatch(call, i, "\"ARRAY\"", err);
        }
    }
    NB_TRY(check_key_type(call, call->args[0]->type->children[0].type, err));
    call->type =
        nb_type_map(call->args[0]->type->children[0].type, call->args[1]->type->children[0].type,
                    call->args[1]->type->contains_null);
    call->kernel = map_from_arrays_kernel;
    return call->type == NULL ? NB_NOMEM : NB_OK;
}

static nb_status
map_from_entries_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                        nb_vector *out)
{
    const nb_vector *entries = &args[0].children[0];

    for (int side = 0; side < 2; side++) {
        nb_picks p;

        NB_TRY(nb_picks_begin(&p, ctx->arena, out, n));
        for (int64_t i = 0; i < n; i++) {
            nb_list list =
                nb_is_valid(out->validity, i) ? nb_list_at(&args[0], i) : (nb_list){0, 0};

            for (uint32_t k = list.offset; k < list.offset + list.len; k++) {
                if (nb_vector_is_null(entries, k)) { /* a null entry makes the map null */
                    NB_TRY(nb_kernel_null_row(ctx, out, i));
                    p.n = p.row_start;
                    break;
                }
                NB_TRY(nb_picks_add(&p, k));
            }
            nb_picks_end_row(&p, i);
        }
        NB_TRY(nb_picks_finish(&p, side, &entries->children[side]));
    }
    return nb_map_check_keys(ctx, out, n);
}

nb_status
nb_bind_map_from_entries(nb_bound_call *call, nb_error *err)
{
    const nb_type *t = call->args[0]->type,
                  *entry = t->id == NB_TYPE_ARRAY ? t->children[0].type : NULL;

    if (entry == NULL || entry->id != NB_TYPE_STRUCT || entry->n_children != 2) {
        return nb_bind_mismatch(call, 0, "\"ARRAY\" of pair \"STRUCT\"", err);
    }
    NB_TRY(check_key_type(call, entry->children[0].type, err));
    call->type =
        nb_type_map(entry->children[0].type, entry->children[1].type, entry->children[1].nullable);
    call->kernel = map_from_entries_kernel;
    call->nullable |= t->contains_null;
    return call->type == NULL ? NB_NOMEM : NB_OK;
}
