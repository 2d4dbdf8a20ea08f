/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash.c: Spark's hash() (Murmur3) and xxhash64(): every column folds into the hash so far, null leaves it alone, both start at 42.
 *
 * The public part, nb_spark_hash_rows, also places rows in partitions (hash exchanges), so that ours agree with Spark's.
 */
#include "base/hash.h"

#include "expr/binders.h"
#include "expr/kernels/hash.h"
#include "expr/kernels/operators.h"

/* Big-endian two's complement in the fewest bytes: java.math.BigInteger.toByteArray. */
static int
big_integer_bytes(nb_int128 v, uint8_t *out)
{
    uint8_t bytes[16];
    int from = 0;

    for (int i = 0; i < 16; i++) {
        bytes[15 - i] = (uint8_t)((nb_uint128)v >> (8 * i));
    }
    while (from < 15 && ((bytes[from] == 0 && bytes[from + 1] < 128) ||
                         (bytes[from] == 255 && bytes[from + 1] >= 128))) {
        from++;
    }
    memcpy(out, bytes + from, (size_t)(16 - from));
    return 16 - from;
}

#define NB_SEED    int32_t
#define NB_NAME(f) murmur_##f
#define NB_INT     nb_murmur3_int
#define NB_LONG    nb_murmur3_long
#define NB_BYTES   nb_murmur3_bytes
#include "expr/kernels/hash_tmpl.h"

#define NB_SEED    int64_t
#define NB_NAME(f) xxh_##f
#define NB_INT     nb_xxh64_int
#define NB_LONG    nb_xxh64_long
#define NB_BYTES   nb_xxh64_bytes
#include "expr/kernels/hash_tmpl.h"

void
nb_spark_hash_rows(const nb_vector *v, int64_t n, int32_t *hash)
{
    murmur_rows(v, n, hash);
}

static nb_status
murmur_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    int32_t *hash = out->data;

    for (int64_t i = 0; i < n; i++) {
        hash[i] = NB_SPARK_HASH_SEED;
    }
    for (int a = 0; a < n_args; a++) {
        murmur_rows(&args[a], n, hash);
    }
    return NB_OK;
}

static nb_status
xxh_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    int64_t *hash = out->data;

    for (int64_t i = 0; i < n; i++) {
        hash[i] = NB_SPARK_HASH_SEED;
    }
    for (int a = 0; a < n_args; a++) {
        xxh_rows(&args[a], n, hash);
    }
    return NB_OK;
}

static bool
has_map(const nb_type *t)
{
    if (t->id == NB_TYPE_MAP) {
        return true;
    }
    for (int i = 0; i < t->n_children; i++) {
        if (has_map(t->children[i].type)) {
            return true;
        }
    }
    return false;
}

static nb_status
bind_hash(nb_bound_call *call, nb_kernel_fn kernel, nb_type_id type, nb_error *err)
{
    nb_str name = nb_function_name(call->fn);

    for (int i = 0; i < call->n_args; i++) {
        if (has_map(call->args[i]->type)) {
            return nb_raise(err, NB_COND_DATATYPE_MISMATCH_HASH_MAP_TYPE, "sqlExpr",
                            nb_arena_printf(call->arena, "\"%s\"", nb_bind_call_sql(call)),
                            "functionName",
                            nb_arena_printf(call->arena, "`%.*s`", (int)name.len, name.data), NULL);
        }
    }
    call->type = nb_type_of(type);
    call->kernel = kernel;
    return NB_OK;
}

nb_status
nb_bind_hash(nb_bound_call *call, nb_error *err)
{
    return bind_hash(call, murmur_kernel, NB_TYPE_INT32, err);
}

nb_status
nb_bind_xxhash64(nb_bound_call *call, nb_error *err)
{
    return bind_hash(call, xxh_kernel, NB_TYPE_INT64, err);
}
