/* SPDX-License-Identifier: Apache-2.0 */
/*
 * array_parts.c: arrays put together and taken apart: concat, append, prepend, insert, compact, repeat, slice, reverse, flatten, zip, join,
 * shuffle, sequence of integers; map_concat.
 */
#include <stdio.h>

#include "base/random.h"
#include "expr/binders.h"
#include "expr/cast.h"
#include "expr/kernels/arithmetic.h"
#include "expr/kernels/lists.h"
#include "expr/kernels/operators.h"

/* Spark's ByteArrayMethods.MAX_ROUNDED_ARRAY_LENGTH */
#define MAX_ARRAY 2147483632LL

static int64_t
int_at(const nb_vector *v, int64_t i)
{
    i = v->kind == NB_VEC_CONST ? 0 : i;
    switch (v->type->phys) {
    case NB_PHYS_INT8: return NB_DATA(int8_t, v)[i];
    case NB_PHYS_INT16: return NB_DATA(int16_t, v)[i];
    case NB_PHYS_INT32: return NB_DATA(int32_t, v)[i];
    default: return NB_DATA(int64_t, v)[i];
    }
}

nb_status
nb_array_too_long(nb_kernel_ctx *ctx, int64_t n)
{
    char count[24];
    nb_str name = nb_function_name(ctx->expr->u.call.fn);

    snprintf(count, sizeof count, "%lld", (long long)n);
    return nb_raise(ctx->err, NB_COND_COLLECTION_SIZE_LIMIT_EXCEEDED_FUNCTION, "numberOfElements",
                    count, "maxRoundedArrayLength", "2147483632", "functionName",
                    nb_arena_printf(ctx->arena, "`%.*s`", (int)name.len, name.data), NULL);
}

/* ---- concat ------------------------------------------------------------------------------------------------------------------------------------- */

static nb_status
concat_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    uint32_t *base = NB_ARENA_ARRAY(ctx->arena, uint32_t, n_args + 1);
    nb_vector all;
    nb_picks p;

    if (base == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_lists_join(ctx->arena, args, n_args, &all, base));
    NB_TRY(nb_picks_begin(&p, ctx->arena, out, all.n_rows));
    for (int64_t i = 0; i < n; i++) {
        for (int a = 0; a < n_args && nb_is_valid(out->validity, i); a++) {
            nb_list list = nb_list_at(&args[a], i);

            for (uint32_t k = 0; k < list.len; k++) {
                NB_TRY(nb_picks_add(&p, base[a] + list.offset + k));
            }
        }
        nb_picks_end_row(&p, i);
    }
    return nb_picks_finish(&p, 0, &all);
}

nb_status
nb_bind_array_concat(nb_bound_call *call, nb_error *err)
{
    for (int i = 0; i < call->n_args; i++) {
        if (call->args[i]->type->id == NB_TYPE_NULL) { /* an untyped null is no array */
            return nb_bind_data_diff_types(call, 0, call->n_args, err);
        }
    }
    NB_TRY(nb_bind_common_type(call, 0, call->n_args, &call->type, err));
    if (call->type->id != NB_TYPE_ARRAY) {
        return nb_bind_mismatch(call, 0, "\"ARRAY\"", err);
    }
    call->kernel = concat_kernel;
    return NB_OK;
}

/* array_append, array_prepend: concat with array(x), but a null array stays null and a null x is an element. */
static nb_status
bind_extend(nb_bound_call *call, bool front, nb_error *err)
{
    nb_expr *element = call->args[1], *parts[2];

    if (call->args[0]->type->id == NB_TYPE_NULL) {
        return nb_bind_mismatch(call, 0, "\"ARRAY\"", err);
    }
    NB_TRY(nb_bind_need_array(call, 0, err));
    if (nb_coerce_tightest(call->args[0]->type->children[0].type, element->type,
                           call->info->ansi) == NULL) {
        return nb_bind_array_diff_types(call, 0, 1, err);
    }
    NB_TRY(nb_bind_again(call, "array", &element, 1, &parts[front ? 0 : 1], err));
    parts[front ? 1 : 0] = call->args[0];
    return nb_bind_again(call, "array_concat", parts, 2, &call->replacement, err);
}

nb_status
nb_bind_array_append(nb_bound_call *call, nb_error *err)
{
    return bind_extend(call, false, err);
}

nb_status
nb_bind_array_prepend(nb_bound_call *call, nb_error *err)
{
    return bind_extend(call, true, err);
}

static nb_status
insert_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_vector *elements = &args[0].children[0];
    const nb_type *t = out->type->children[0].type;
    nb_vector item = args[2], flat, all;
    const nb_vector *parts[2];
    uint32_t base;
    nb_picks p;

    item.n_rows = (int32_t)n;
    NB_TRY(nb_vector_flatten(ctx->arena, &item, &flat));
    if (elements->n_rows == 0 || elements->type->id == NB_TYPE_NULL) {
        all = flat;
        base = 0;
    } else {
        parts[0] = elements;
        parts[1] = &flat;
        base = (uint32_t)elements->n_rows;
        NB_TRY(nb_vector_concat(ctx->arena, parts, 2, &all));
    }
    all.type = t;
    NB_TRY(nb_picks_begin(&p, ctx->arena, out, all.n_rows));
    for (int64_t i = 0; i < n; i++) {
        nb_list list;
        int64_t at, len;

        if (nb_vector_is_null(&args[0], i) || nb_vector_is_null(&args[1], i)) {
            NB_TRY(nb_kernel_null_row(ctx, out, i));
            nb_picks_end_row(&p, i);
            continue;
        }
        list = nb_list_at(&args[0], i);
        at = int_at(&args[1], i);
        if (at == 0) {
            return nb_raise(ctx->err, NB_COND_INVALID_INDEX_OF_ZERO, NULL);
        }
        at = at > 0 ? at - 1 : at + list.len + 1;
        len = NB_MAX((int64_t)list.len, at) + 1;
        if (at < 0) { /* beyond the front: nulls between */
            len = (int64_t)list.len - at + 1;
        }
        if (len > MAX_ARRAY) {
            return nb_array_too_long(ctx, len);
        }
        if (at < 0) {
            NB_TRY(nb_picks_add(&p, base + (uint32_t)i));
            for (int64_t k = at; k < 0; k++) {
                NB_TRY(nb_picks_add(&p, UINT32_MAX));
            }
            for (uint32_t k = 0; k < list.len; k++) {
                NB_TRY(nb_picks_add(&p, list.offset + k));
            }
        } else {
            for (int64_t k = 0; k < NB_MAX((int64_t)list.len + 1, at + 1); k++) {
                int64_t from = k < at ? k : k - 1;

                NB_TRY(nb_picks_add(&p, k == at           ? base + (uint32_t)i
                                        : from < list.len ? list.offset + (uint32_t)from
                                                          : UINT32_MAX));
            }
        }
        nb_picks_end_row(&p, i);
    }
    return nb_picks_finish(&p, 0, &all);
}

nb_status
nb_bind_array_insert(nb_bound_call *call, nb_error *err)
{
    const nb_type *t;

    if (call->args[0]->type->id == NB_TYPE_NULL) {
        return nb_bind_array_diff_types(call, 0, 2, err);
    }
    NB_TRY(nb_bind_need_array(call, 0, err));
    NB_TRY(nb_bind_cast(call, 1, nb_type_of(NB_TYPE_INT32), err));
    t = nb_coerce_tightest(call->args[0]->type->children[0].type, call->args[2]->type,
                           call->info->ansi);
    if (t == NULL) {
        return nb_bind_array_diff_types(call, 0, 2, err);
    }
    call->type = nb_type_array(t, true);
    if (call->type == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_expr_cast(call->arena, call->args[0],
                        nb_type_array(t, call->args[0]->type->contains_null), NB_CAST_ANSI,
                        &call->args[0], err));
    NB_TRY(nb_expr_cast(call->arena, call->args[2], t, NB_CAST_ANSI, &call->args[2], err));
    call->nullable = call->args[0]->nullable || call->args[1]->nullable;
    call->kernel = insert_kernel;
    return NB_OK;
}

/* ---- picking ------------------------------------------------------------------------------------------------------------------------------------------ */

static nb_status
compact_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_vector *elements = &args[0].children[0];
    nb_picks p;

    NB_TRY(nb_picks_begin(&p, ctx->arena, out, elements->n_rows));
    for (int64_t i = 0; i < n; i++) {
        nb_list list = nb_is_valid(out->validity, i) ? nb_list_at(&args[0], i) : (nb_list){0, 0};

        for (uint32_t k = list.offset; k < list.offset + list.len; k++) {
            if (!nb_vector_is_null(elements, k)) {
                NB_TRY(nb_picks_add(&p, k));
            }
        }
        nb_picks_end_row(&p, i);
    }
    return nb_picks_finish(&p, 0, elements);
}

nb_status
nb_bind_array_compact(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_need_array(call, 0, err));
    call->type = nb_type_array(call->args[0]->type->children[0].type, false);
    call->kernel = compact_kernel;
    return call->type == NULL ? NB_NOMEM : NB_OK;
}

static nb_status
reverse_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_vector *elements = &args[0].children[0];
    nb_picks p;

    NB_TRY(nb_picks_begin(&p, ctx->arena, out, elements->n_rows));
    for (int64_t i = 0; i < n; i++) {
        nb_list list = nb_is_valid(out->validity, i) ? nb_list_at(&args[0], i) : (nb_list){0, 0};

        for (uint32_t k = list.len; k > 0; k--) {
            NB_TRY(nb_picks_add(&p, list.offset + k - 1));
        }
        nb_picks_end_row(&p, i);
    }
    return nb_picks_finish(&p, 0, elements);
}

nb_status
nb_bind_array_reverse(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_need_array(call, 0, err));
    call->type = call->args[0]->type;
    call->kernel = reverse_kernel;
    return NB_OK;
}

static nb_status
slice_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_vector *elements = &args[0].children[0];
    nb_picks p;

    NB_TRY(nb_picks_begin(&p, ctx->arena, out, elements->n_rows));
    for (int64_t i = 0; i < n; i++) {
        nb_list list;
        int64_t start, len;
        char shown[24];

        if (!nb_is_valid(out->validity, i)) {
            nb_picks_end_row(&p, i);
            continue;
        }
        list = nb_list_at(&args[0], i);
        start = int_at(&args[1], i);
        len = int_at(&args[2], i);
        if (start == 0) {
            return nb_raise(ctx->err, NB_COND_INVALID_PARAMETER_VALUE_START, "functionName",
                            "`slice`", "parameter", "`start`", NULL);
        }
        if (len < 0) {
            snprintf(shown, sizeof shown, "%lld", (long long)len);
            return nb_raise(ctx->err, NB_COND_INVALID_PARAMETER_VALUE_LENGTH, "functionName",
                            "`slice`", "parameter", "`length`", "length", shown, NULL);
        }
        start = start > 0 ? start - 1 : start + list.len;
        for (int64_t k = start; start >= 0 && k < NB_MIN((int64_t)list.len, start + len); k++) {
            NB_TRY(nb_picks_add(&p, list.offset + (uint32_t)k));
        }
        nb_picks_end_row(&p, i);
    }
    return nb_picks_finish(&p, 0, elements);
}

nb_status
nb_bind_slice(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_need_array(call, 0, err));
    NB_TRY(nb_bind_cast(call, 1, nb_type_of(NB_TYPE_INT32), err));
    NB_TRY(nb_bind_cast(call, 2, nb_type_of(NB_TYPE_INT32), err));
    call->type = call->args[0]->type;
    call->kernel = slice_kernel;
    return NB_OK;
}

static nb_status
repeat_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_vector item = args[0], flat;
    nb_picks p;

    item.n_rows = (int32_t)n;
    NB_TRY(nb_vector_flatten(ctx->arena, &item, &flat));
    NB_TRY(nb_picks_begin(&p, ctx->arena, out, n));
    for (int64_t i = 0; i < n; i++) {
        int64_t times;

        if (nb_vector_is_null(&args[1], i)) {
            NB_TRY(nb_kernel_null_row(ctx, out, i));
            nb_picks_end_row(&p, i);
            continue;
        }
        times = int_at(&args[1], i);
        if (times > MAX_ARRAY) {
            return nb_array_too_long(ctx, times);
        }
        if (times > 0 && p.n + times > p.cap) {
            NB_TRY(nb_picks_grow(&p, times));
        }
        for (int64_t k = 0; k < times; k++) {
            NB_TRY(nb_picks_add(&p, (uint32_t)i));
        }
        nb_picks_end_row(&p, i);
    }
    return nb_picks_finish(&p, 0, &flat);
}

nb_status
nb_bind_array_repeat(nb_bound_call *call, nb_error *err)
{
    if (call->args[1]->type->id != NB_TYPE_INT32 && call->args[1]->type->id != NB_TYPE_NULL) {
        return nb_bind_mismatch(call, 1, "\"INT\"", err);
    }
    NB_TRY(nb_bind_cast(call, 1, nb_type_of(NB_TYPE_INT32), err));
    call->type = nb_type_array(call->args[0]->type, call->args[0]->nullable);
    call->nullable = call->args[1]->nullable;
    call->kernel = repeat_kernel;
    return call->type == NULL ? NB_NOMEM : NB_OK;
}

static nb_status
flatten_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_vector inner;
    nb_picks p;

    NB_TRY(nb_vector_flatten(ctx->arena, &args[0].children[0], &inner));
    if (inner.type->id == NB_TYPE_NULL || inner.n_children == 0) {
        NB_TRY(nb_vector_alloc(ctx->arena, out->type->children[0].type, 0, &out->children[0]));
        return NB_OK;
    }
    NB_TRY(nb_picks_begin(&p, ctx->arena, out, inner.children[0].n_rows));
    for (int64_t i = 0; i < n; i++) {
        nb_list list = nb_is_valid(out->validity, i) ? nb_list_at(&args[0], i) : (nb_list){0, 0};

        for (uint32_t k = list.offset; k < list.offset + list.len; k++) {
            nb_list part = nb_list_at(&inner, k);

            if (nb_vector_is_null(&inner, k)) { /* a null part makes the whole null */
                NB_TRY(nb_kernel_null_row(ctx, out, i));
                p.n = p.row_start;
                break;
            }
            for (uint32_t j = 0; j < part.len; j++) {
                NB_TRY(nb_picks_add(&p, part.offset + j));
            }
        }
        nb_picks_end_row(&p, i);
    }
    return nb_picks_finish(&p, 0, &inner.children[0]);
}

nb_status
nb_bind_flatten(nb_bound_call *call, nb_error *err)
{
    const nb_type *t = call->args[0]->type;

    if (t->id != NB_TYPE_ARRAY || t->children[0].type->id != NB_TYPE_ARRAY) {
        return nb_bind_mismatch(call, 0, "\"ARRAY\" of \"ARRAY\"", err);
    }
    call->type = t->children[0].type;
    call->nullable = call->args[0]->nullable || t->contains_null;
    call->kernel = flatten_kernel;
    return NB_OK;
}

static nb_status
shuffle_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_vector *elements = &args[0].children[0];
    nb_random *gen = ctx->state;
    nb_picks p;

    if (gen->state == 0) {
        gen->state = (n_args > 1 ? (uint64_t)int_at(&args[1], 0) : nb_random_seed()) * 2 + 1;
    }
    NB_TRY(nb_picks_begin(&p, ctx->arena, out, elements->n_rows));
    for (int64_t i = 0; i < n; i++) {
        nb_list list = nb_is_valid(out->validity, i) ? nb_list_at(&args[0], i) : (nb_list){0, 0};
        uint32_t *row;

        for (uint32_t k = 0; k < list.len; k++) {
            NB_TRY(nb_picks_add(&p, list.offset + k));
        }
        row = p.idx + p.row_start;
        for (uint32_t k = list.len; k > 1; k--) {
            uint64_t j = nb_random_below(gen, k);
            uint32_t t = row[j];

            row[j] = row[k - 1];
            row[k - 1] = t;
        }
        nb_picks_end_row(&p, i);
    }
    return nb_picks_finish(&p, 0, elements);
}

nb_status
nb_bind_shuffle(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_need_array(call, 0, err));
    if (call->n_args > 1) {
        NB_TRY(nb_bind_cast(call, 1, nb_type_of(NB_TYPE_INT64), err));
    }
    call->type = call->args[0]->type;
    call->kernel = shuffle_kernel;
    return NB_OK;
}

/* ---- arrays_zip, array_join ----------------------------------------------------------------------------------------------------------------------------- */

static nb_status
zip_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_type *entry = out->type->children[0].type;
    int64_t total = 0;
    uint32_t *idx;

    for (int64_t i = 0; i < n; i++) {
        uint32_t len = 0;

        for (int a = 0; a < n_args && nb_is_valid(out->validity, i); a++) {
            len = NB_MAX(len, nb_list_at(&args[a], i).len);
        }
        NB_DATA(nb_list, out)[i] = (nb_list){(uint32_t)total, len};
        total += len;
        if (total > INT32_MAX) {
            return nb_array_too_long(ctx, total);
        }
    }
    idx = NB_ARENA_ARRAY(ctx->arena, uint32_t, total + 1);
    if (idx == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_vector_alloc(ctx->arena, entry, total, &out->children[0]));
    for (int a = 0; a < n_args; a++) {
        const nb_vector *elements = &args[a].children[0];
        nb_vector picked;
        int64_t at = 0;

        for (int64_t i = 0; i < n; i++) {
            nb_list list = nb_list_at(&args[a], i);

            for (uint32_t k = 0; k < NB_DATA(nb_list, out)[i].len; k++) {
                idx[at++] = k < list.len ? list.offset + k : UINT32_MAX;
            }
        }
        if (elements->n_rows == 0 || elements->type->id == NB_TYPE_NULL) {
            NB_TRY(nb_vector_const_null(ctx->arena, entry->children[a].type, total, &picked));
        } else {
            NB_TRY(nb_vector_gather_null(ctx->arena, elements, idx, total, &picked));
        }
        NB_TRY(nb_vector_flatten(ctx->arena, &picked, &out->children[0].children[a]));
        out->children[0].children[a].type = entry->children[a].type;
    }
    return NB_OK;
}

nb_status
nb_bind_arrays_zip(nb_bound_call *call, nb_error *err)
{
    nb_field *fields = nb_arena_zalloc(call->arena, (size_t)(call->n_args + 1) * sizeof(nb_field));
    const nb_type *entry;

    if (fields == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < call->n_args; i++) {
        const nb_expr *e = call->args[i];

        if (e->kind == NB_EXPR_ALIAS) {
            fields[i].name = e->u.alias.name;
            call->args[i] = e->args[0];
        } else {
            fields[i].name = e->kind == NB_EXPR_COLUMN
                                 ? e->u.column.name
                                 : nb_str_of(nb_arena_printf(call->arena, "%d", i));
        }
        if (call->args[i]->type->id != NB_TYPE_NULL) {
            NB_TRY(nb_bind_need_array(call, i, err));
        }
        fields[i].type = call->args[i]->type->id == NB_TYPE_NULL
                             ? call->args[i]->type
                             : call->args[i]->type->children[0].type;
        fields[i].nullable = true;
    }
    entry = nb_type_struct(fields, call->n_args);
    call->type = entry ? nb_type_array(entry, false) : NULL;
    call->kernel = zip_kernel;
    return call->type == NULL ? NB_NOMEM : NB_OK;
}

static nb_status
join_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_vector *elements = &args[0].children[0];

    for (int64_t i = 0; i < n; i++) {
        nb_list list;
        nb_strbuf text = {0};
        nb_str copy, separator;
        bool first = true;

        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        list = nb_list_at(&args[0], i);
        separator =
            nb_view_str(NB_DATA(nb_view, &args[1]) + (args[1].kind == NB_VEC_CONST ? 0 : i));
        for (uint32_t k = list.offset; k < list.offset + list.len; k++) {
            bool null = nb_vector_is_null(elements, k);

            if (null && n_args < 3) {
                continue;
            }
            if (!first) {
                nb_strbuf_add(&text, separator);
            }
            first = false;
            if (null) {
                nb_strbuf_add(&text, nb_view_str(NB_DATA(nb_view, &args[2]) +
                                                 (args[2].kind == NB_VEC_CONST ? 0 : i)));
            } else {
                nb_format_value(&text, ctx->info, elements, k, NB_TEXT_CAST);
            }
        }
        copy = nb_strbuf_finish(ctx->arena, &text);
        if (copy.data == NULL) {
            return NB_NOMEM;
        }
        NB_DATA(nb_view, out)[i] = nb_view_make(copy.data, copy.len);
    }
    return NB_OK;
}

nb_status
nb_bind_array_join(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_cast(call, 0, nb_type_array(nb_type_of(NB_TYPE_STRING), true), err));
    for (int i = 1; i < call->n_args; i++) {
        NB_TRY(nb_bind_cast(call, i, nb_type_of(NB_TYPE_STRING), err));
    }
    call->type = nb_type_of(NB_TYPE_STRING);
    call->kernel = join_kernel;
    return NB_OK;
}

/* ---- sequence of integers --------------------------------------------------------------------------------------------------------------------------------- */

#define LOOK_EVERY (1 << 18) /* elements, at the wish to end */

static nb_status
sequence_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_type *t = out->type->children[0].type;
    int64_t total = 0, at = 0;
    int width = nb_phys_width(t->phys);
    char *data;

    for (int64_t i = 0; i < n; i++) {
        int64_t start, stop, step;
        nb_uint128 count;

        NB_DATA(nb_list, out)[i] = (nb_list){(uint32_t)total, 0};
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        start = int_at(&args[0], i);
        stop = int_at(&args[1], i);
        step = n_args > 2 ? int_at(&args[2], i) : start <= stop ? 1 : -1;
        if ((step == 0 && start != stop) || (step > 0 && start > stop) ||
            (step < 0 && start < stop)) {
            char *text = nb_arena_printf(
                ctx->arena, "requirement failed: Illegal sequence boundaries: %lld to %lld by %lld",
                (long long)start, (long long)stop, (long long)step);

            return text ? nb_raise(ctx->err, NB_COND_ILLEGAL_ARGUMENT, "message", text, NULL)
                        : NB_NOMEM;
        }
        count = step == 0 ? 1
                          : 1 + (nb_uint128)(start <= stop ? (nb_int128)stop - start
                                                           : (nb_int128)start - stop) /
                                    (nb_uint128)(step < 0 ? -(nb_int128)step : step);
        if (count > (nb_uint128)MAX_ARRAY) {
            return nb_array_too_long(ctx, count > INT64_MAX ? INT64_MAX : (int64_t)count);
        }
        NB_DATA(nb_list, out)[i].len = (uint32_t)count;
        total += (int64_t)count;
        if (total > INT32_MAX) {
            return nb_array_too_long(ctx, total);
        }
    }
    NB_TRY(nb_vector_alloc(ctx->arena, t, total, &out->children[0]));
    data = out->children[0].data;
    for (int64_t i = 0; i < n; i++) {
        nb_list list = NB_DATA(nb_list, out)[i];
        int64_t start, step;

        if (list.len == 0) {
            continue;
        }
        start = int_at(&args[0], i);
        step = n_args > 2 ? int_at(&args[2], i) : start <= int_at(&args[1], i) ? 1 : -1;
        for (uint32_t k = 0; k < list.len; k++, at++) {
            int64_t x = start + (int64_t)k * step;

            if (k % LOOK_EVERY == 0) {
                NB_TRY(nb_kernel_look(ctx));
            }
            memcpy(data + at * width, &x,
                   (size_t)width); /* little-endian: the low bytes come first */
        }
    }
    return NB_OK;
}

nb_status
nb_bind_sequence(nb_bound_call *call, nb_error *err)
{
    const nb_type *t;

    if (!nb_type_is_integral(call->args[0]->type) || !nb_type_is_integral(call->args[1]->type)) {
        const nb_type *a = call->args[0]->type, *b = call->args[1]->type;

        if (a->id == NB_TYPE_DATE || a->id == NB_TYPE_TIMESTAMP || a->id == NB_TYPE_TIMESTAMP_NTZ ||
            b->id == NB_TYPE_DATE || b->id == NB_TYPE_TIMESTAMP || b->id == NB_TYPE_TIMESTAMP_NTZ) {
            return nb_bind_time_sequence(call, err);
        }
        return nb_bind_mismatch(call, nb_type_is_integral(a) ? 1 : 0,
                                "(\"INTEGRAL\" or \"DATE\" or \"TIMESTAMP\")", err);
    }
    NB_TRY(nb_bind_common_type(call, 0, call->n_args, &t, err));
    call->type = nb_type_array(t, false);
    call->kernel = sequence_kernel;
    return call->type == NULL ? NB_NOMEM : NB_OK;
}

/* ---- map_concat ---------------------------------------------------------------------------------------------------------------------------------------------- */

static nb_status
map_concat_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    uint32_t *base = NB_ARENA_ARRAY(ctx->arena, uint32_t, n_args + 1);

    if (base == NULL) {
        return NB_NOMEM;
    }
    for (int side = 0; side < 2; side++) {
        nb_vector *halves = nb_arena_zalloc(ctx->arena, (size_t)(n_args + 1) * sizeof(nb_vector)),
                  all;
        nb_picks p;

        if (halves == NULL) {
            return NB_NOMEM;
        }
        for (int a = 0; a < n_args; a++) {
            halves[a] = args[a];
            halves[a].children = &args[a].children[side];
        }
        NB_TRY(nb_lists_join(ctx->arena, halves, n_args, &all, base));
        NB_TRY(nb_picks_begin(&p, ctx->arena, out, all.n_rows));
        for (int64_t i = 0; i < n; i++) {
            for (int a = 0; a < n_args && nb_is_valid(out->validity, i); a++) {
                nb_list list = nb_list_at(&args[a], i);

                for (uint32_t k = 0; k < list.len; k++) {
                    NB_TRY(nb_picks_add(&p, base[a] + list.offset + k));
                }
            }
            nb_picks_end_row(&p, i);
        }
        NB_TRY(nb_picks_finish(&p, side, &all));
    }
    return nb_map_check_keys(ctx, out, n);
}

nb_status
nb_bind_map_concat(nb_bound_call *call, nb_error *err)
{
    if (call->n_args == 0) {
        NB_TRY(nb_bind_again(call, "map", NULL, 0, &call->replacement, err));
        return nb_expr_cast(
            call->arena, call->replacement,
            nb_type_map(nb_type_of(NB_TYPE_STRING), nb_type_of(NB_TYPE_STRING), false),
            NB_CAST_ANSI, &call->replacement, err);
    }
    NB_TRY(nb_bind_common_type(call, 0, call->n_args, &call->type, err));
    if (call->type->id != NB_TYPE_MAP) {
        return nb_bind_mismatch(call, 0, "\"MAP\"", err);
    }
    call->kernel = map_concat_kernel;
    return NB_OK;
}
