/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cast_datetime.c: casts to dates, timestamps, times of day and intervals.
 */
#include "expr/cast.h"

#include <math.h>

#include "base/decimal.h"
#include "expr/date_text.h"
#include "expr/local_time.h"

static bool
valid(const nb_cast_job *job, int64_t i)
{
    return nb_is_valid(job->v->validity, i);
}

static int32_t
days_of(int64_t local_us)
{
    return (int32_t)(local_us / NB_US_PER_DAY - (local_us % NB_US_PER_DAY < 0));
}

static nb_status
to_date(nb_cast_job *job)
{
    int32_t *out = job->out->data;

    for (int64_t i = 0; i < job->n; i++) {
        if (!valid(job, i)) {
            continue;
        }
        if (nb_type_is_string(job->from)) {
            nb_str s = nb_view_str(NB_DATA(nb_view, job->v) + i);

            if (!nb_parse_date(s.data, s.len, &out[i])) {
                NB_TRY(nb_cast_invalid(job, i));
            }
        } else if (job->from->id == NB_TYPE_TIMESTAMP) {
            out[i] = days_of(nb_local_from_utc(job->ctx->info, NB_DATA(int64_t, job->v)[i]));
        } else {
            out[i] = days_of(NB_DATA(int64_t, job->v)[i]);
        }
    }
    return NB_OK;
}

static nb_status
string_to_timestamp(nb_cast_job *job)
{
    int64_t *out = job->out->data;

    for (int64_t i = 0; i < job->n; i++) {
        nb_str s;

        if (!valid(job, i)) {
            continue;
        }
        s = nb_view_str(NB_DATA(nb_view, job->v) + i);
        if (!(job->to->id == NB_TYPE_TIMESTAMP ? nb_parse_timestamp(job->ctx->info, s, &out[i])
                                               : nb_parse_timestamp_ntz(s, &out[i]))) {
            NB_TRY(nb_cast_invalid(job, i));
        }
    }
    return NB_OK;
}

/* Seconds to µs; out of range saturates as in Java's conversions. */
static nb_status
double_to_timestamp(nb_cast_job *job, int64_t i, double seconds)
{
    double us = seconds * 1e6;

    if (!isfinite(seconds)) {
        return job->mode == NB_CAST_ANSI ? nb_cast_invalid(job, i) : nb_cast_null(job, i);
    }
    if (!(us > -9223372036854775809.0 && us < 9223372036854775808.0)) {
        if (job->mode != NB_CAST_LEGACY) {
            return nb_cast_overflow(job, i);
        }
        NB_DATA(int64_t, job->out)[i] = us > 0 ? INT64_MAX : INT64_MIN;
        return NB_OK;
    }
    NB_DATA(int64_t, job->out)[i] = (int64_t)us;
    return NB_OK;
}

static nb_status
number_to_timestamp(nb_cast_job *job)
{
    const nb_vector *v = job->v;
    int64_t *out = job->out->data;

    for (int64_t i = 0; i < job->n; i++) {
        int64_t seconds = 0;

        if (!valid(job, i)) {
            continue;
        }
        switch (job->from->id) {
        case NB_TYPE_BOOL: out[i] = NB_DATA(uint8_t, v)[i]; continue;
        case NB_TYPE_INT8: seconds = NB_DATA(int8_t, v)[i]; break;
        case NB_TYPE_INT16: seconds = NB_DATA(int16_t, v)[i]; break;
        case NB_TYPE_INT32: seconds = NB_DATA(int32_t, v)[i]; break;
        case NB_TYPE_INT64: seconds = NB_DATA(int64_t, v)[i]; break;
        case NB_TYPE_FLOAT32:
            NB_TRY(double_to_timestamp(job, i, (double)NB_DATA(float, v)[i]));
            continue;
        case NB_TYPE_FLOAT64: NB_TRY(double_to_timestamp(job, i, NB_DATA(double, v)[i])); continue;
        default: {
            nb_int128 x =
                v->type->phys == NB_PHYS_INT64 ? NB_DATA(int64_t, v)[i] : NB_DATA(nb_int128, v)[i];

            /* Spark cuts the fraction beyond µs */
            x = job->from->scale <= 6 ? x * nb_pow10_64[6 - job->from->scale]
                                      : x / nb_pow10_128[job->from->scale - 6];
            out[i] = (int64_t)x;
            continue;
        }
        }
        if (__builtin_mul_overflow(seconds, NB_US_PER_SECOND, &out[i])) {
            out[i] = seconds > 0 ? INT64_MAX : INT64_MIN; /* TimeUnit.toMicros saturates */
        }
    }
    return NB_OK;
}

static nb_status
to_timestamp(nb_cast_job *job)
{
    const nb_session_info *info = job->ctx->info;
    int64_t *out = job->out->data;
    bool ntz = job->to->id == NB_TYPE_TIMESTAMP_NTZ;

    if (nb_type_is_string(job->from)) {
        return string_to_timestamp(job);
    }
    if (nb_type_is_numeric(job->from) || job->from->id == NB_TYPE_BOOL) {
        return number_to_timestamp(job);
    }
    for (int64_t i = 0; i < job->n; i++) {
        int64_t us;

        if (!valid(job, i)) {
            continue;
        }
        if (job->from->id == NB_TYPE_DATE) {
            if (__builtin_mul_overflow((int64_t)NB_DATA(int32_t, job->v)[i], NB_US_PER_DAY, &us)) {
                NB_TRY(nb_raise(job->ctx->err, NB_COND_ARITHMETIC_OVERFLOW, "message",
                                "long overflow", "alternative", "", "config",
                                "\"spark.sql.ansi.enabled\"", NULL));
            }
            out[i] = ntz ? us : nb_utc_from_local(info, us);
        } else {
            us = NB_DATA(int64_t, job->v)[i];
            out[i] = ntz ? nb_local_from_utc(info, us) : nb_utc_from_local(info, us);
        }
    }
    return NB_OK;
}

static nb_status
to_time(nb_cast_job *job)
{
    int64_t *out = job->out->data;

    for (int64_t i = 0; i < job->n; i++) {
        if (!valid(job, i)) {
            continue;
        }
        if (nb_type_is_string(job->from)) {
            nb_str s = nb_view_str(NB_DATA(nb_view, job->v) + i);
            nb_timestamp_text t;

            if (nb_parse_timestamp_text(s.data, s.len, &t) && !t.has_date && t.zone.len == 0) {
                out[i] = t.time_us * 1000;
            } else {
                NB_TRY(nb_cast_invalid(job, i));
            }
        } else {
            int64_t us = NB_DATA(int64_t, job->v)[i];

            out[i] = job->from->id == NB_TYPE_TIME
                         ? us
                         : (us - (int64_t)days_of(us) * NB_US_PER_DAY) * 1000;
        }
    }
    return NB_OK;
}

nb_status
nb_cast_to_datetime(nb_cast_job *job)
{
    return job->to->id == NB_TYPE_DATE   ? to_date(job)
           : job->to->id == NB_TYPE_TIME ? to_time(job)
                                         : to_timestamp(job);
}
