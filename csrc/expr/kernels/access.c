/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access.c: parts of nested values: a.b, a[i], m[k], element_at, get, size, map_keys, map_values, map_entries, map_contains_key.
 */
#include <stdio.h>

#include "expr/binders.h"
#include "expr/cast.h"
#include "expr/kernels/lists.h"
#include "expr/kernels/operators.h"

/* ---- struct fields --------------------------------------------------------------------------------------------------------------------------- */

static nb_status
field_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    int field = *(const int *)ctx->expr->u.call.payload;
    uint64_t *validity = out->validity; /* of the struct */

    *out = args[0].children[field];
    out->type = ctx->expr->type;
    if (validity != NULL) {
        if (out->kind != NB_VEC_FLAT) {
            nb_vector flat;

            NB_TRY(nb_vector_flatten(ctx->arena, out, &flat));
            *out = flat;
        }
        if (out->validity != NULL) {
            nb_bitmap_and(validity, out->validity, validity, n);
        }
        out->validity = validity;
    }
    return NB_OK;
}

/* array<struct>.field: an array of the fields */
static nb_status
field_of_elements_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                         nb_vector *out)
{
    int field = *(const int *)ctx->expr->u.call.payload;
    const nb_vector *structs = &args[0].children[0];
    nb_vector child = structs->children[field];

    memcpy(out->data, args[0].data,
           (size_t)(args[0].kind == NB_VEC_CONST ? 1 : n) * sizeof(nb_list));
    if (structs->validity != NULL) {
        nb_vector flat;

        NB_TRY(nb_vector_flatten(ctx->arena, &child, &flat));
        child = flat;
        child.validity = NULL;
        NB_TRY(nb_vector_need_validity(ctx->arena, &child));
        nb_bitmap_copy(structs->validity, 0, child.validity, 0, structs->n_rows);
        if (flat.validity != NULL) {
            nb_bitmap_and(child.validity, flat.validity, child.validity, structs->n_rows);
        }
    }
    out->children[0] = child;
    out->children[0].type = out->type->children[0].type;
    return NB_OK;
}

static nb_status
find_field(nb_bound_call *call, const nb_type *t, nb_str name, int *out, nb_error *err)
{
    int found = -1;
    nb_strbuf fields = {0};
    nb_status st;

    for (int i = 0; i < t->n_children; i++) {
        if (nb_str_equal_nocase(t->children[i].name, name)) {
            if (found >= 0) {
                char count[16];

                snprintf(count, sizeof count, "%d", 2);
                return nb_raise(err, NB_COND_AMBIGUOUS_REFERENCE_TO_FIELDS, "field",
                                nb_arena_printf(call->arena, "`%.*s`", (int)name.len, name.data),
                                "count", count, NULL);
            }
            found = i;
        }
        nb_strbuf_addf(&fields, i > 0 ? ", `%.*s`" : "`%.*s`", (int)t->children[i].name.len,
                       t->children[i].name.data);
    }
    st = found >= 0 ? NB_OK
                    : nb_raise(err, NB_COND_FIELD_NOT_FOUND, "fieldName",
                               nb_arena_printf(call->arena, "`%.*s`", (int)name.len, name.data),
                               "fields", fields.data ? fields.data : "", NULL);
    nb_strbuf_free(&fields);
    *out = found;
    return st;
}

static nb_status
bind_field(nb_bound_call *call, const nb_type *t, nb_error *err)
{
    const nb_vector *name;
    int *field = NB_ARENA_NEW(call->arena, int);
    bool of_elements = call->args[0]->type->id == NB_TYPE_ARRAY;

    if (field == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_bind_constant(call, 1, &name, err));
    if (name == NULL || !nb_type_is_string(name->type) || nb_vector_is_null(name, 0)) {
        return nb_raise(
            err, NB_COND_INVALID_EXTRACT_FIELD_TYPE, "extraction",
            nb_arena_printf(call->arena, "\"%s\"", nb_expr_sql(call->arena, call->args[1], false)),
            NULL);
    }
    NB_TRY(find_field(call, t, nb_view_str(NB_DATA(nb_view, name)), field, err));
    call->payload = field;
    call->nullable = call->args[0]->nullable || t->children[*field].nullable;
    call->type = t->children[*field].type;
    call->kernel = field_kernel;
    if (of_elements) {
        call->type = nb_type_array(call->type, call->args[0]->type->contains_null ||
                                                   t->children[*field].nullable);
        call->kernel = field_of_elements_kernel;
        call->nullable = call->args[0]->nullable;
    }
    return call->type == NULL ? NB_NOMEM : NB_OK;
}

/* ---- elements by position --------------------------------------------------------------------------------------------------------------------- */

typedef enum index_rule {
    INDEX_ITEM,       /* a[i]: from 0; outside: ANSI raises */
    INDEX_GET,        /* get(a, i): outside is null */
    INDEX_ELEMENT,    /* element_at: from 1, negative from the end; outside: ANSI raises */
    INDEX_TRY_ELEMENT /* try_element_at */
} index_rule;

static int64_t
position_at(const nb_vector *v, int64_t i)
{
    i = v->kind == NB_VEC_CONST ? 0 : i;
    switch (v->type->phys) {
    case NB_PHYS_INT8: return NB_DATA(int8_t, v)[i];
    case NB_PHYS_INT16: return NB_DATA(int16_t, v)[i];
    case NB_PHYS_INT32: return NB_DATA(int32_t, v)[i];
    default: return NB_DATA(int64_t, v)[i];
    }
}

static nb_status
outside(nb_kernel_ctx *ctx, index_rule rule, int64_t index, uint32_t len)
{
    char shown[24], size[16];

    snprintf(shown, sizeof shown, "%lld", (long long)index);
    snprintf(size, sizeof size, "%u", len);
    return nb_raise(ctx->err,
                    rule == INDEX_ITEM ? NB_COND_INVALID_ARRAY_INDEX
                                       : NB_COND_INVALID_ARRAY_INDEX_IN_ELEMENT_AT,
                    "indexValue", shown, "arraySize", size, NULL);
}

static nb_status
element_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    index_rule rule = *(const index_rule *)ctx->expr->u.call.payload;
    bool strict = ctx->info->ansi && (rule == INDEX_ITEM || rule == INDEX_ELEMENT);
    uint32_t *idx = NB_ARENA_ARRAY(ctx->arena, uint32_t, n + 1);
    const nb_vector *elements = &args[0].children[0];

    if (idx == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        nb_list list;
        int64_t at;

        idx[i] = UINT32_MAX;
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        list = nb_list_at(&args[0], i);
        at = position_at(&args[1], i);
        if (rule == INDEX_ELEMENT || rule == INDEX_TRY_ELEMENT) {
            if (at == 0) {
                return nb_raise(ctx->err, NB_COND_INVALID_INDEX_OF_ZERO, NULL);
            }
            at = at < 0 ? at + list.len : at - 1;
        }
        if (at >= 0 && at < list.len) {
            idx[i] = list.offset + (uint32_t)at;
        } else if (strict) {
            return outside(ctx, rule, position_at(&args[1], i), list.len);
        }
    }
    if (elements->n_rows == 0 || elements->type->id == NB_TYPE_NULL) {
        return nb_vector_const_null(ctx->arena, ctx->expr->type, n, out);
    }
    NB_TRY(nb_vector_gather_null(ctx->arena, elements, idx, n, out));
    out->type = ctx->expr->type;
    return NB_OK;
}

/* ---- values by key -------------------------------------------------------------------------------------------------------------------------------- */

static nb_status
value_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    uint32_t *idx = NB_ARENA_ARRAY(ctx->arena, uint32_t, n + 1);
    const nb_vector *keys = &args[0].children[0], *values = &args[0].children[1];

    if (idx == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        nb_list list;

        idx[i] = UINT32_MAX;
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        list = nb_list_at(&args[0], i);
        for (uint32_t k = list.offset; k < list.offset + list.len; k++) {
            if (nb_vector_compare(keys, k, &args[1], args[1].kind == NB_VEC_CONST ? 0 : i) == 0) {
                idx[i] = k;
                break;
            }
        }
    }
    if (values->n_rows == 0 || values->type->id == NB_TYPE_NULL) {
        return nb_vector_const_null(ctx->arena, ctx->expr->type, n, out);
    }
    NB_TRY(nb_vector_gather_null(ctx->arena, values, idx, n, out));
    out->type = ctx->expr->type;
    return NB_OK;
}

static nb_status
contains_key_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                    nb_vector *out)
{
    const nb_vector *keys = &args[0].children[0];

    for (int64_t i = 0; i < n; i++) {
        nb_list list = nb_list_at(&args[0], i);
        bool found = false;

        for (uint32_t k = list.offset;
             nb_is_valid(out->validity, i) && k < list.offset + list.len && !found; k++) {
            found = nb_vector_compare(keys, k, &args[1], args[1].kind == NB_VEC_CONST ? 0 : i) == 0;
        }
        NB_DATA(uint8_t, out)[i] = found;
    }
    return NB_OK;
}

/* The key argument meets the map's key type. */
static nb_status
bind_key(nb_bound_call *call, nb_error *err)
{
    const nb_type *map = call->args[0]->type, *key = map->children[0].type;
    const nb_type *common = nb_coerce_tightest(key, call->args[1]->type, call->info->ansi);

    if (common == NULL) {
        nb_str name = nb_function_name(call->fn);

        if (nb_str_equal(name, NB_STR("getitem"))) {
            return nb_bind_cast(call, 1, key, err);
        }
        return nb_raise(err, NB_COND_DATATYPE_MISMATCH_MAP_FUNCTION_DIFF_TYPES, "sqlExpr",
                        nb_arena_printf(call->arena, "\"%s\"", nb_bind_call_sql(call)),
                        "functionName",
                        nb_arena_printf(call->arena, "`%.*s`", (int)name.len, name.data),
                        "dataType", "\"MAP\"", "leftType", nb_type_quoted(call->arena, map),
                        "rightType", nb_type_quoted(call->arena, call->args[1]->type), NULL);
    }
    if (!nb_type_same_ignoring_null(common, key)) {
        const nb_type *wider = nb_type_map(common, map->children[1].type, map->contains_null);

        NB_TRY(nb_expr_cast(call->arena, call->args[0], wider, NB_CAST_ANSI, &call->args[0], err));
    }
    return nb_type_same_ignoring_null(call->args[1]->type, common)
               ? NB_OK
               : nb_expr_cast(call->arena, call->args[1], common, NB_CAST_ANSI, &call->args[1],
                              err);
}

static nb_status
bind_value(nb_bound_call *call, nb_error *err)
{
    NB_TRY(bind_key(call, err));
    call->type = call->args[0]->type->children[1].type;
    call->kernel = value_kernel;
    call->nullable = true;
    return NB_OK;
}

static const index_rule rules[] = {INDEX_ITEM, INDEX_GET, INDEX_ELEMENT, INDEX_TRY_ELEMENT};

static nb_status
bind_index(nb_bound_call *call, index_rule rule, nb_error *err)
{
    const nb_type *t = call->args[0]->type;

    if (call->args[1]->type->id == NB_TYPE_NULL && rule != INDEX_ELEMENT &&
        rule != INDEX_TRY_ELEMENT) {
        NB_TRY(nb_bind_cast(call, 1, nb_type_of(NB_TYPE_INT32), err));
    } else if (!nb_type_is_integral(call->args[1]->type)) {
        return nb_bind_mismatch(call, 1, rule == INDEX_ITEM ? "\"INTEGRAL\"" : "\"INT\"", err);
    } else if (rule != INDEX_ITEM && call->args[1]->type->id == NB_TYPE_INT64) {
        return nb_bind_mismatch(call, 1, "\"INT\"", err);
    }
    call->type = t->children[0].type;
    call->kernel = element_kernel;
    call->payload = &rules[rule];
    call->can_fail = rule == INDEX_ELEMENT || rule == INDEX_TRY_ELEMENT ||
                     (rule == INDEX_ITEM && call->info->ansi);
    call->nullable = true;
    if (rule == INDEX_ITEM && call->args[0]->kind == NB_EXPR_CALL &&
        nb_str_equal(nb_function_name(call->args[0]->u.call.fn), NB_STR("array"))) {
        const nb_vector *at; /* array(a, b)[1] is b */
        nb_expr *index = call->args[1];
        NB_TRY(nb_bind_constant(call, 1, &at, err));
        call->args[1] = index;
        if (at && at->type->id == NB_TYPE_INT32 && !nb_vector_is_null(at, 0)) {
            int32_t i = NB_DATA(int32_t, at)[0];
            call->nullable =
                i < 0 || i >= call->args[0]->n_args || call->args[0]->args[i]->nullable;
        }
    }
    return NB_OK;
}

nb_status
nb_bind_getitem(nb_bound_call *call, nb_error *err)
{
    const nb_type *t = call->args[0]->type;

    if (t->id == NB_TYPE_STRUCT) {
        return bind_field(call, t, err);
    }
    if (t->id == NB_TYPE_ARRAY && t->children[0].type->id == NB_TYPE_STRUCT &&
        nb_type_is_string(call->args[1]->type)) {
        return bind_field(call, t->children[0].type, err);
    }
    if (t->id == NB_TYPE_ARRAY) {
        return bind_index(call, INDEX_ITEM, err);
    }
    if (t->id == NB_TYPE_MAP) {
        return bind_value(call, err);
    }
    return nb_raise(
        err, NB_COND_INVALID_EXTRACT_BASE_FIELD_TYPE, "base",
        nb_arena_printf(call->arena, "\"%s\"", nb_expr_sql(call->arena, call->args[0], false)),
        "other", nb_type_quoted(call->arena, t), NULL);
}

nb_status
nb_bind_get(nb_bound_call *call, nb_error *err)
{
    if (call->args[0]->type->id != NB_TYPE_ARRAY) {
        return nb_bind_mismatch(call, 0, "\"ARRAY\"", err);
    }
    return bind_index(call, INDEX_GET, err);
}

nb_status
nb_bind_element_at(nb_bound_call *call, nb_error *err)
{
    bool tries = nb_str_equal(nb_function_name(call->fn), NB_STR("try_element_at"));

    if (call->args[0]->type->id == NB_TYPE_MAP) {
        return bind_value(call, err);
    }
    if (call->args[0]->type->id != NB_TYPE_ARRAY) {
        return nb_bind_mismatch(call, 0, "(\"ARRAY\" or \"MAP\")", err);
    }
    return bind_index(call, tries ? INDEX_TRY_ELEMENT : INDEX_ELEMENT, err);
}

nb_status
nb_bind_map_contains_key(nb_bound_call *call, nb_error *err)
{
    if (call->args[0]->type->id != NB_TYPE_MAP) {
        return nb_bind_mismatch(call, 0, "\"MAP\"", err);
    }
    NB_TRY(bind_key(call, err));
    call->type = nb_type_of(NB_TYPE_BOOL);
    call->kernel = contains_key_kernel;
    return NB_OK;
}

/* ---- sizes and halves of maps ----------------------------------------------------------------------------------------------------------------------- */

static nb_status
size_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        NB_DATA(int32_t, out)[i] = (int32_t)nb_list_at(&args[0], i).len;
    }
    return NB_OK;
}

nb_status
nb_bind_size(nb_bound_call *call, nb_error *err)
{
    const nb_type *t = call->args[0]->type;

    if (t->id != NB_TYPE_ARRAY && t->id != NB_TYPE_MAP && t->id != NB_TYPE_NULL) {
        return nb_bind_mismatch(call, 0, "(\"ARRAY\" or \"MAP\")", err);
    }
    call->type = nb_type_of(NB_TYPE_INT32);
    call->kernel = size_kernel;
    if (!call->info->ansi &&
        !nb_str_equal(nb_function_name(call->fn),
                      NB_STR("array_size"))) { /* spark.sql.legacy.sizeOfNull: -1 for null */
        nb_expr *args[2] = {NULL, nb_expr_int32(call->arena, -1)};

        if (args[1] == NULL) {
            return NB_NOMEM;
        }
        NB_TRY(nb_bind_again(call, "array_size", call->args, 1, &args[0], err));
        return nb_bind_again(call, "coalesce", args, 2, &call->replacement, err);
    }
    return NB_OK;
}

static nb_status
half_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    int side = *(const int *)ctx->expr->u.call.payload;

    memcpy(out->data, args[0].data,
           (size_t)(args[0].kind == NB_VEC_CONST ? 1 : n) * sizeof(nb_list));
    out->children[0] = args[0].children[side];
    out->children[0].type = out->type->children[0].type;
    return NB_OK;
}

/* A map, or a NULL as one of NULLs. */
static nb_status
need_map(nb_bound_call *call, nb_error *err)
{
    const nb_type *t = call->args[0]->type;

    if (t->id == NB_TYPE_NULL) {
        t = nb_type_map(t, t, false);
        return t == NULL ? NB_NOMEM : nb_bind_cast(call, 0, t, err);
    }
    return t->id == NB_TYPE_MAP ? NB_OK : nb_bind_mismatch(call, 0, "\"MAP\"", err);
}

static nb_status
bind_half(nb_bound_call *call, int side, nb_error *err)
{
    static const int sides[] = {0, 1};
    const nb_type *t;

    NB_TRY(need_map(call, err));
    t = call->args[0]->type;
    call->type = nb_type_array(t->children[side].type, side == 1 && t->contains_null);
    call->kernel = half_kernel;
    call->payload = &sides[side];
    return call->type == NULL ? NB_NOMEM : NB_OK;
}

nb_status
nb_bind_map_keys(nb_bound_call *call, nb_error *err)
{
    return bind_half(call, 0, err);
}

nb_status
nb_bind_map_values(nb_bound_call *call, nb_error *err)
{
    return bind_half(call, 1, err);
}

static nb_status
entries_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_type *entry = out->type->children[0].type;
    int64_t total = args[0].children[0].n_rows;

    memcpy(out->data, args[0].data,
           (size_t)(args[0].kind == NB_VEC_CONST ? 1 : n) * sizeof(nb_list));
    NB_TRY(nb_vector_alloc(ctx->arena, entry, total, &out->children[0]));
    for (int side = 0; side < 2; side++) {
        nb_vector flat;

        NB_TRY(nb_vector_flatten(ctx->arena, &args[0].children[side], &flat));
        out->children[0].children[side] = flat;
        out->children[0].children[side].type = entry->children[side].type;
    }
    return NB_OK;
}

nb_status
nb_bind_map_entries(nb_bound_call *call, nb_error *err)
{
    const nb_type *t, *entry;
    nb_field fields[2] = {{NB_STR("key"), NULL, false, {"", 0}},
                          {NB_STR("value"), NULL, false, {"", 0}}};

    NB_TRY(need_map(call, err));
    t = call->args[0]->type;
    fields[0].type = t->children[0].type;
    fields[1].type = t->children[1].type;
    fields[1].nullable = t->contains_null;
    entry = nb_type_struct(fields, 2);
    call->type = entry ? nb_type_array(entry, false) : NULL;
    call->kernel = entries_kernel;
    return call->type == NULL ? NB_NOMEM : NB_OK;
}
