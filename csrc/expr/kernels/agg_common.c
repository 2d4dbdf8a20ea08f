/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agg_common.c: helpers of the aggregates: nulls in results, overflow errors, double-double arithmetic.
 */
#include "expr/kernels/agg.h"

#include <stdio.h>

nb_status
nb_agg_set_null(nb_agg_ctx *ctx, nb_vector *out, int64_t row)
{
    NB_TRY(nb_vector_need_validity(ctx->scratch, out));
    nb_bit_clear(out->validity, row);
    return NB_OK;
}

nb_status
nb_agg_overflow(nb_agg_ctx *ctx, const char *message, const char *instead)
{
    char alternative[96];

    snprintf(alternative, sizeof alternative,
             " Use '%s' to tolerate overflow and return NULL instead.", instead);
    return nb_raise(ctx->err, NB_COND_ARITHMETIC_OVERFLOW, "message", message, "alternative",
                    alternative, "config", "\"spark.sql.ansi.enabled\"", NULL);
}

nb_status
nb_agg_unorderable(nb_bound_agg *agg, int arg, nb_error *err)
{
    nb_bound_call *call = &agg->call;
    nb_str name = nb_function_name(call->fn);
    const char *type = nb_type_sql(call->arena, call->args[arg]->type);

    return nb_raise(err, NB_COND_DATATYPE_MISMATCH_INVALID_ORDERING_TYPE, "sqlExpr",
                    nb_arena_printf(call->arena, "\"%s\"", nb_bind_call_sql(call)), "functionName",
                    nb_arena_printf(call->arena, "`%.*s`", (int)name.len, name.data), "dataType",
                    nb_arena_printf(call->arena, "\"%s\"", type ? type : ""), NULL);
}

nb_dd
nb_dd_normal(nb_dd a)
{
    double s = a.hi + a.lo, bb = s - a.hi;
    return (nb_dd){s, (a.hi - (s - bb)) + (a.lo - bb)};
}

nb_dd
nb_dd_sum(nb_dd a, nb_dd b)
{
    nb_dd_add(&a, b.hi);
    a.lo += b.lo;
    return nb_dd_normal(a);
}

nb_dd
nb_dd_neg(nb_dd a)
{
    return (nb_dd){-a.hi, -a.lo};
}

nb_dd
nb_dd_mul(nb_dd a, nb_dd b)
{
    nb_dd r = {0, 0};

    nb_dd_add_product(&r, a.hi, b.hi);
    r.lo += a.hi * b.lo + a.lo * b.hi;
    return nb_dd_normal(r);
}

nb_dd
nb_dd_div(nb_dd a, double b)
{
    double q = a.hi / b;
    nb_dd rest = a;

    nb_dd_add_product(&rest, -q, b);
    return nb_dd_normal((nb_dd){q, (rest.hi + rest.lo) / b});
}

nb_int128
nb_agg_pow10(int n)
{
    nb_int128 r = 1;

    for (int i = 0; i < n; i++) {
        r *= 10;
    }
    return r;
}
