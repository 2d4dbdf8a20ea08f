/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bitmap.c: bitmap_bit_position, bitmap_bucket_number, bitmap_count: counting distinct integers by bitmaps of 4 KiB.
 *
 * Buckets have 32,768 values: 1 to 32,768 are bucket 1; 0 and the negative ones down to -32,767 bucket 0, and so on.
 */
#include "expr/binders.h"
#include "expr/kernels/string.h"

#define BITS 32768

static nb_status
position_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    (void)ctx;
    (void)n_args;
    for (int64_t i = 0; i < n; i++) {
        int64_t v = NB_DATA(int64_t, args)[i * nb_step(args)];
        NB_DATA(int64_t, out)[i] = v > 0 ? (v - 1) % BITS : -(v % BITS);
    }
    return NB_OK;
}

static nb_status
bucket_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    (void)ctx;
    (void)n_args;
    for (int64_t i = 0; i < n; i++) {
        int64_t v = NB_DATA(int64_t, args)[i * nb_step(args)];
        NB_DATA(int64_t, out)[i] = v > 0 ? 1 + (v - 1) / BITS : v / BITS;
    }
    return NB_OK;
}

static nb_status
count_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    (void)ctx;
    (void)n_args;
    for (int64_t i = 0; i < n; i++) {
        nb_str s = nb_row_str(args, i);
        int64_t bits = 0;
        for (size_t k = 0; k < s.len; k++) {
            bits += __builtin_popcount((unsigned char)s.data[k]);
        }
        NB_DATA(int64_t, out)[i] = bits;
    }
    return NB_OK;
}

nb_status
nb_bind_bitmap_bit_position(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_INT64, err));
    return nb_bound(call, NB_TYPE_INT64, position_kernel);
}

nb_status
nb_bind_bitmap_bucket_number(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_INT64, err));
    return nb_bound(call, NB_TYPE_INT64, bucket_kernel);
}

nb_status
nb_bind_bitmap_count(nb_bound_call *call, nb_error *err)
{
    if (call->args[0]->type->id != NB_TYPE_BINARY) {
        return nb_bind_mismatch(call, 0, "\"BINARY\"", err);
    }
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_BINARY, err));
    return nb_bound(call, NB_TYPE_INT64, count_kernel);
}
