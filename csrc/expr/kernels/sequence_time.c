/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sequence_time.c: sequence(start, stop[, step]) of dates and timestamps.
 *
 * As Spark: the k-th element is start + k * step, months and days on the calendar of the session's zone, so that ends of months do not drift; a
 * step in days of a day-time interval counts calendar days. Without a step it is a day, backwards where stop is before start.
 */
#include "expr/kernels/arithmetic.h"
#include "expr/kernels/lists.h"
#include "expr/kernels/scalar.h"

#include "expr/date_text.h"

#define MAX_ELEMENTS (INT32_MAX - 15)

typedef struct step {
    int64_t months, days, us;
} step;

static int64_t
at(const nb_vector *v, int64_t i)
{
    i *= nb_step(v);
    return v->type->phys == NB_PHYS_INT32 ? NB_DATA(int32_t, v)[i] : NB_DATA(int64_t, v)[i];
}

static step
step_of(const nb_vector *args, int n_args, int64_t i)
{
    const nb_vector *v = &args[2];

    if (n_args < 3) {
        return (step){.days = at(&args[0], i) <= at(&args[1], i) ? 1 : -1};
    }
    switch (v->type->id) {
    case NB_TYPE_INTERVAL: {
        const nb_interval *x = NB_DATA(nb_interval, v) + i * nb_step(v);
        return (step){x->months, x->days, x->us};
    }
    case NB_TYPE_INTERVAL_YM: return (step){.months = at(v, i)};
    default: return (step){.days = at(v, i) / NB_US_PER_DAY, .us = at(v, i) % NB_US_PER_DAY};
    }
}

/* Which way the step goes; 0 for no step. Months count as 28 days, which matters for steps that go both ways only. */
static int
direction(const step *s)
{
    nb_int128 us = (nb_int128)s->us + (nb_int128)(s->days + 28 * s->months) * NB_US_PER_DAY;

    return us > 0 ? 1 : us < 0 ? -1 : 0;
}

/* Element k; false when it lies beyond what a timestamp holds. Dates are local µs without a zone. */
static bool
element(const nb_kernel_ctx *ctx, bool zoned, int64_t start, const step *s, int64_t k, int64_t *out)
{
    int64_t months, days, us;

    return !__builtin_mul_overflow(s->months, k, &months) &&
           !__builtin_mul_overflow(s->days, k, &days) && !__builtin_mul_overflow(s->us, k, &us) &&
           nb_add_to_timestamp(ctx, zoned, start, months, days, us, out);
}

static nb_status
illegal(nb_kernel_ctx *ctx, int64_t start, int64_t stop, int64_t by)
{
    char *text = nb_arena_printf(
        ctx->arena, "requirement failed: Illegal sequence boundaries: %lld to %lld by %lld",
        (long long)start, (long long)stop, (long long)by);

    return text ? nb_raise(ctx->err, NB_COND_ILLEGAL_ARGUMENT, "message", text, NULL) : NB_NOMEM;
}

static nb_status
check_step(nb_kernel_ctx *ctx, bool dates, int64_t start, int64_t stop, const step *s,
           const nb_type *by)
{
    int way = direction(s);
    int64_t unit = dates && s->months == 0 && s->us == 0 ? NB_US_PER_DAY : 1;

    if (dates && s->months == 0 && s->days == 0 && by != NULL) {
        const char *type = by->id == NB_TYPE_INTERVAL      ? "interval"
                           : by->id == NB_TYPE_INTERVAL_YM ? "interval year to month"
                                                           : "interval day to second";

        return nb_raise(ctx->err, NB_COND_SEQUENCE_OF_DATES_BY_TIME, "intervalType", type, NULL);
    }
    if (way == 0 ? start != stop : way > 0 ? start > stop : start < stop) {
        return illegal(ctx, start / unit, stop / unit,
                       (s->us + (s->days + 28 * s->months) * NB_US_PER_DAY) / unit);
    }
    return NB_OK;
}

static nb_status
sequence_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_type *t = out->type->children[0].type;
    bool dates = t->id == NB_TYPE_DATE, zoned = t->id == NB_TYPE_TIMESTAMP;
    int64_t unit = dates ? NB_US_PER_DAY : 1, total = 0;

    for (int pass = 0; pass < 2; pass++) { /* count, then fill */
        if (pass == 1) {
            NB_TRY(nb_vector_alloc(ctx->arena, t, total, &out->children[0]));
            total = 0;
        }
        for (int64_t i = 0; i < n; i++) {
            int64_t start, stop, x, k = 0;
            step s;
            int way;

            if (pass == 0) {
                NB_DATA(nb_list, out)[i] = (nb_list){(uint32_t)total, 0};
            }
            if (!nb_is_valid(out->validity, i)) {
                continue;
            }
            start = at(&args[0], i) * unit;
            stop = at(&args[1], i) * unit;
            s = step_of(args, n_args, i);
            way = direction(&s);
            if (pass == 0) {
                NB_TRY(check_step(ctx, dates, start, stop, &s, n_args > 2 ? args[2].type : NULL));
            }
            for (x = start; way < 0 ? x >= stop : x <= stop;) {
                if (pass == 1 && dates) {
                    NB_DATA(int32_t, &out->children[0])
                    [total] = (int32_t)nb_floor_div(x, NB_US_PER_DAY);
                } else if (pass == 1) {
                    NB_DATA(int64_t, &out->children[0])[total] = x;
                }
                k++;
                if (++total > MAX_ELEMENTS) {
                    return nb_array_too_long(ctx, total);
                }
                if (way == 0 || !element(ctx, zoned, start, &s, k, &x)) {
                    break;
                }
            }
            NB_DATA(nb_list, out)[i].len = (uint32_t)k;
        }
    }
    return NB_OK;
}

static nb_status
wrong_types(nb_bound_call *call, nb_error *err)
{
    return nb_raise(err, NB_COND_DATATYPE_MISMATCH_SEQUENCE_WRONG_INPUT_TYPES, "sqlExpr",
                    nb_arena_printf(call->arena, "\"%s\"", nb_bind_call_sql(call)), "functionName",
                    "`sequence`", "startType", "(\"TIMESTAMP\" or \"TIMESTAMP_NTZ\" or \"DATE\")",
                    "stepType",
                    "(\"INTERVAL\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL DAY TO SECOND\")",
                    "otherStartType", "\"INTEGRAL\"", NULL);
}

nb_status
nb_bind_time_sequence(nb_bound_call *call, nb_error *err)
{
    const nb_type *t;

    t = nb_coerce_common(call->args[0]->type, call->args[1]->type, call->info->ansi);
    if (t == NULL ||
        (t->id != NB_TYPE_DATE && t->id != NB_TYPE_TIMESTAMP && t->id != NB_TYPE_TIMESTAMP_NTZ)) {
        return wrong_types(call, err);
    }
    NB_TRY(nb_bind_common_type(call, 0, 2, &t, err));
    if (call->n_args == 3) {
        const nb_type *by = call->args[2]->type;

        if (nb_type_is_string(by) || by->id == NB_TYPE_NULL) {
            NB_TRY(nb_bind_cast(call, 2, nb_type_of(NB_TYPE_INTERVAL), err));
        } else if (by->id != NB_TYPE_INTERVAL && by->id != NB_TYPE_INTERVAL_YM &&
                   by->id != NB_TYPE_INTERVAL_DT) {
            return wrong_types(call, err);
        }
    }
    call->type = nb_type_array(t, false);
    call->kernel = sequence_kernel;
    call->can_fail = true;
    return call->type == NULL ? NB_NOMEM : NB_OK;
}
