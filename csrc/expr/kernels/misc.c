/* SPDX-License-Identifier: Apache-2.0 */
/*
 * misc.c: random numbers, row and partition numbers, typeof, errors on demand, and what a query may ask about its session.
 *
 * rand and randn are seeded with seed + partition, as in Spark, so that a result depends on partitions but not on threads.
 */
#include <stdio.h>

#include "base/random.h"
#include "expr/binders.h"
#include "expr/kernels/operators.h"

/* ---- random numbers ------------------------------------------------------------------------------------------------------------------------ */

typedef struct random_state {
    bool ready;
    int64_t next; /* row of the partition whose number comes next */
    nb_xorshift gen;
} random_state;

/* Ready for n rows from ctx->row0 on. A thread that starts inside a partition draws and drops the numbers of the rows before. */
static nb_xorshift *
generator(nb_kernel_ctx *ctx, int64_t n, double (*draw)(nb_xorshift *))
{
    random_state *s = ctx->state;

    if (!s->ready) {
        nb_xorshift_init(&s->gen,
                         *(const int64_t *)ctx->expr->u.call.payload + NB_MAX(ctx->partition, 0));
        s->ready = true;
    }
    for (; s->next < ctx->row0; s->next++) {
        draw(&s->gen);
    }
    s->next += n;
    return &s->gen;
}

static double
draw_double(nb_xorshift *gen)
{
    return nb_xorshift_double(gen);
}

static nb_status
rand_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_xorshift *gen = generator(ctx, n, draw_double);

    for (int64_t i = 0; i < n; i++) {
        NB_DATA(double, out)[i] = nb_xorshift_double(gen);
    }
    return NB_OK;
}

static nb_status
randn_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_xorshift *gen = generator(ctx, n, nb_xorshift_gaussian);

    for (int64_t i = 0; i < n; i++) {
        NB_DATA(double, out)[i] = nb_xorshift_gaussian(gen);
    }
    return NB_OK;
}

/* The seed is the constant argument, else drawn once per query. It stays an argument, so that equal calls are equal nodes. */
static nb_status
bind_random(nb_bound_call *call, nb_kernel_fn kernel, nb_error *err)
{
    int64_t *seed = NB_ARENA_NEW(call->arena, int64_t);
    const nb_vector *v = NULL;

    if (seed == NULL) {
        return NB_NOMEM;
    }
    *seed = (int64_t)nb_random_seed();
    if (call->n_args == 1) {
        if (call->args[0]->type->id != NB_TYPE_INT64) {
            NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_INT64), err));
        }
        NB_TRY(nb_bind_constant(call, 0, &v, err));
        if (v == NULL) {
            return nb_bind_not_foldable(call, 0, "`seed`", "\"INT\" or \"BIGINT\"", err);
        }
        *seed = nb_vector_is_null(v, 0) ? 0 : NB_DATA(int64_t, v)[0];
    }
    if (call->n_args == 0 || call->args[0]->kind != NB_EXPR_LITERAL ||
        nb_vector_is_null(call->args[0]->u.literal.value, 0)) {
        call->args[0] = nb_expr_int64(call->arena, *seed);
        if (call->args[0] == NULL) {
            return NB_NOMEM;
        }
    }
    call->n_args = 1;
    call->payload = seed;
    call->type = nb_type_of(NB_TYPE_FLOAT64);
    call->kernel = kernel;
    call->nullable = false;
    return NB_OK;
}

nb_status
nb_bind_rand(nb_bound_call *call, nb_error *err)
{
    return bind_random(call, rand_kernel, err);
}

nb_status
nb_bind_randn(nb_bound_call *call, nb_error *err)
{
    return bind_random(call, randn_kernel, err);
}

static nb_status
uuid_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_random *gen = ctx->state;
    char *block = nb_arena_array(ctx->arena, (size_t)n + 1, 40);

    if (block == NULL) {
        return NB_NOMEM;
    }
    if (gen->state == 0) {
        gen->state = nb_random_seed() | 1;
    }
    for (int64_t i = 0; i < n; i++, block += 40) {
        uint64_t high = (nb_random_u64(gen) & ~(uint64_t)0xf000) | 0x4000,
                 low = (nb_random_u64(gen) >> 2) | (uint64_t)1 << 63;

        snprintf(block, 40, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32),
                 (unsigned)(high >> 16) & 0xffff, (unsigned)high & 0xffff, (unsigned)(low >> 48),
                 (unsigned long long)(low & 0xffffffffffff));
        NB_DATA(nb_view, out)[i] = nb_view_make(block, 36);
    }
    return NB_OK;
}

nb_status
nb_bind_uuid(nb_bound_call *call, nb_error *err)
{
    call->n_args = 0;
    call->type = nb_type_of(NB_TYPE_STRING);
    call->kernel = uuid_kernel;
    call->nullable = false;
    return NB_OK;
}

/* ---- rows and partitions ----------------------------------------------------------------------------------------------------------------------- */

static nb_status
row_id_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    int64_t first = ((int64_t)NB_MAX(ctx->partition, 0) << 33) + ctx->row0;

    for (int64_t i = 0; i < n; i++) {
        NB_DATA(int64_t, out)[i] = first + i;
    }
    return NB_OK;
}

nb_status
nb_bind_monotonic_id(nb_bound_call *call, nb_error *err)
{
    call->type = nb_type_of(NB_TYPE_INT64);
    call->kernel = row_id_kernel;
    return NB_OK;
}

static nb_status
partition_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        NB_DATA(int32_t, out)[i] = NB_MAX(ctx->partition, 0);
    }
    return NB_OK;
}

nb_status
nb_bind_partition_id(nb_bound_call *call, nb_error *err)
{
    call->type = nb_type_of(NB_TYPE_INT32);
    call->kernel = partition_kernel;
    return NB_OK;
}

/* ---- typeof, session ------------------------------------------------------------------------------------------------------------------------------ */

static nb_status
constant_string(nb_bound_call *call, nb_str s)
{
    call->replacement = nb_expr_string(call->arena, s);
    return call->replacement == NULL ? NB_NOMEM : NB_OK;
}

/* Where files are read, the analyzer has put a column of the scan in the place of these (plan/analyze_file_columns.c). */
nb_status
nb_bind_input_file_name(nb_bound_call *call, nb_error *err)
{
    return constant_string(call, NB_STR(""));
}

nb_status
nb_bind_input_file_block(nb_bound_call *call, nb_error *err)
{
    call->replacement = nb_expr_int64(call->arena, -1);
    return call->replacement == NULL ? NB_NOMEM : NB_OK;
}

nb_status
nb_bind_typeof(nb_bound_call *call, nb_error *err)
{
    const char *name = nb_type_simple_string(call->arena, call->args[0]->type);

    return name == NULL ? NB_NOMEM : constant_string(call, nb_str_of(name));
}

nb_status
nb_bind_current_user(nb_bound_call *call, nb_error *err)
{
    return constant_string(call, call->info->user);
}

nb_status
nb_bind_current_catalog(nb_bound_call *call, nb_error *err)
{
    return constant_string(call, call->info->catalog);
}

nb_status
nb_bind_current_database(nb_bound_call *call, nb_error *err)
{
    return constant_string(call, call->info->database);
}

nb_status
nb_bind_version(nb_bound_call *call, nb_error *err)
{
    return constant_string(call, call->info->version);
}

/* ---- errors on demand ------------------------------------------------------------------------------------------------------------------------------ */

static nb_status
raise_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_str s = {"null", 4};
    char *text;

    if (n == 0) {
        return NB_OK;
    }
    if (!nb_vector_is_null(&args[0], 0)) {
        s = nb_view_str(NB_DATA(nb_view, &args[0]));
    }
    text = nb_arena_strdup(ctx->arena, s);
    return nb_raise(ctx->err, NB_COND_USER_RAISED_EXCEPTION, "errorMessage", text ? text : "",
                    NULL);
}

nb_status
nb_bind_raise_error(nb_bound_call *call, nb_error *err)
{
    if (call->n_args == 2) {
        return nb_raise_unsupported(err, "raise_error with an error class");
    }
    NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_STRING), err));
    call->type = nb_type_of(NB_TYPE_NULL);
    call->kernel = raise_kernel;
    call->nullable = true;
    return NB_OK;
}

nb_status
nb_bind_assert_true(nb_bound_call *call, nb_error *err)
{
    nb_expr *args[3] = {call->args[0], nb_expr_null(call->arena, nb_type_of(NB_TYPE_NULL)), NULL},
            *message;

    if (call->n_args == 2) {
        message = call->args[1];
    } else {
        message = nb_expr_string(call->arena, nb_str_of(nb_arena_printf(
                                                  call->arena, "'%s' is not true!",
                                                  nb_expr_sql(call->arena, call->args[0], false))));
    }
    if (args[1] == NULL || message == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_bind_again(call, "raise_error", &message, 1, &args[2], err));
    return nb_bind_again(call, "if", args, 3, &call->replacement, err);
}
