/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cast_number.c: casts to integers, floats, decimals and booleans.
 */
#include "expr/cast.h"

#include <math.h>
#include <stdio.h>

#include "base/decimal.h"
#include "expr/date_text.h"
#include "expr/number_text.h"

#define NB_F          int8_t
#define NB_NAME(f)    int8_##f
#define NB_F_FLOATING 0
#include "expr/cast_number_tmpl.h"
#define NB_F          uint8_t
#define NB_NAME(f)    bool_##f
#define NB_F_FLOATING 0
#include "expr/cast_number_tmpl.h"
#define NB_F          int16_t
#define NB_NAME(f)    int16_##f
#define NB_F_FLOATING 0
#include "expr/cast_number_tmpl.h"
#define NB_F          int32_t
#define NB_NAME(f)    int32_##f
#define NB_F_FLOATING 0
#include "expr/cast_number_tmpl.h"
#define NB_F          int64_t
#define NB_NAME(f)    int64_##f
#define NB_F_FLOATING 0
#include "expr/cast_number_tmpl.h"
#define NB_F          float
#define NB_NAME(f)    float_##f
#define NB_F_FLOATING 1
#include "expr/cast_number_tmpl.h"
#define NB_F          double
#define NB_NAME(f)    double_##f
#define NB_F_FLOATING 1
#include "expr/cast_number_tmpl.h"

typedef bool (*convert_fn)(const void *in, void *out, int64_t n);

#define ROW(p)                                               \
    {p##_to_bool,  p##_to_int8,  p##_to_int16, p##_to_int32, \
     p##_to_int64, p##_to_float, p##_to_double}
/* [from][to], both BOOL .. FLOAT64 */
static const convert_fn convert[7][7] = {ROW(bool),  ROW(int8),  ROW(int16), ROW(int32),
                                         ROW(int64), ROW(float), ROW(double)};

static bool
valid(const nb_cast_job *job, int64_t i)
{
    return nb_is_valid(job->v->validity, i);
}

static nb_int128
decimal_at(const nb_vector *v, int64_t i)
{
    return v->type->phys == NB_PHYS_INT64 ? NB_DATA(int64_t, v)[i] : NB_DATA(nb_int128, v)[i];
}

/* Writes an integer to row i when it fits. */
static bool
put_int(const nb_cast_job *job, int64_t i, int64_t x)
{
    switch (job->to->id) {
    case NB_TYPE_INT8: NB_DATA(int8_t, job->out)[i] = (int8_t)x; return x == (int8_t)x;
    case NB_TYPE_INT16: NB_DATA(int16_t, job->out)[i] = (int16_t)x; return x == (int16_t)x;
    case NB_TYPE_INT32: NB_DATA(int32_t, job->out)[i] = (int32_t)x; return x == (int32_t)x;
    case NB_TYPE_INT64: NB_DATA(int64_t, job->out)[i] = x; return true;
    default: NB_ASSERT(false); return false;
    }
}

/* ---- numbers to numbers ---------------------------------------------------------------------------------------------------------------------- */

static bool
number_fits(const nb_vector *v, int64_t i, const nb_type *to)
{
    int64_t x, low, high;

    switch (v->type->phys) {
    case NB_PHYS_FLOAT:
    case NB_PHYS_DOUBLE: {
        double d =
            v->type->phys == NB_PHYS_FLOAT ? (double)NB_DATA(float, v)[i] : NB_DATA(double, v)[i];
        double limit = ldexp(1, 8 * nb_phys_width(to->phys) - 1);

        return to->id == NB_TYPE_INT64 ? d >= -limit && d <= limit : d > -limit - 1 && d < limit;
    }
    case NB_PHYS_INT16: x = NB_DATA(int16_t, v)[i]; break;
    case NB_PHYS_INT32: x = NB_DATA(int32_t, v)[i]; break;
    case NB_PHYS_INT64: x = NB_DATA(int64_t, v)[i]; break;
    default: return true;
    }
    high = to->id == NB_TYPE_INT8    ? INT8_MAX
           : to->id == NB_TYPE_INT16 ? INT16_MAX
           : to->id == NB_TYPE_INT32 ? INT32_MAX
                                     : INT64_MAX;
    low = -high - 1;
    return x >= low && x <= high;
}

static nb_status
from_number(nb_cast_job *job)
{
    bool bad = convert[job->from->id - NB_TYPE_BOOL][job->to->id - NB_TYPE_BOOL](
        job->v->data, job->out->data, job->n);

    if (!bad || job->mode == NB_CAST_LEGACY) {
        return NB_OK;
    }
    for (int64_t i = 0; i < job->n; i++) {
        if (valid(job, i) && !number_fits(job->v, i, job->to)) {
            NB_TRY(nb_cast_overflow(job, i));
        }
    }
    return NB_OK;
}

static nb_status
decimal_to_number(nb_cast_job *job)
{
    int scale = job->from->scale;

    if (job->to->id == NB_TYPE_FLOAT64 && job->from->phys == NB_PHYS_INT64 && scale <= 15 &&
        job->from->precision <= 15) {
        double power = (double)nb_pow10_64[scale]; /* both exact: one rounding */

        for (int64_t i = 0; i < job->n; i++) {
            NB_DATA(double, job->out)[i] = (double)NB_DATA(int64_t, job->v)[i] / power;
        }
        return NB_OK;
    }
    for (int64_t i = 0; i < job->n; i++) {
        nb_int128 x;

        if (!valid(job, i)) {
            continue;
        }
        x = decimal_at(job->v, i);
        if (job->to->id == NB_TYPE_FLOAT64) {
            NB_DATA(double, job->out)[i] = nb_decimal_to_double(x, scale);
        } else if (job->to->id == NB_TYPE_FLOAT32) {
            NB_DATA(float, job->out)[i] = (float)nb_decimal_to_double(x, scale);
        } else {
            nb_int128 whole = x / nb_pow10_128[scale];
            bool fits = whole == (int64_t)whole;

            fits &= put_int(job, i, (int64_t)whole);
            if (!fits && job->mode != NB_CAST_LEGACY) {
                NB_TRY(nb_cast_overflow(job, i));
            }
        }
    }
    return NB_OK;
}

/* ---- strings ---------------------------------------------------------------------------------------------------------------------------------- */

/* UTF8String.trimAll: white space and ISO control characters. */
static nb_str
trim_all(nb_str s)
{
    while (s.len > 0 && ((unsigned char)s.data[0] <= ' ' || s.data[0] == 127)) {
        s.data++;
        s.len--;
    }
    while (s.len > 0 && ((unsigned char)s.data[s.len - 1] <= ' ' || s.data[s.len - 1] == 127)) {
        s.len--;
    }
    return s;
}

static nb_status
string_to_number(nb_cast_job *job)
{
    const nb_view *views = job->v->data;

    for (int64_t i = 0; i < job->n; i++) {
        nb_str s;
        bool ok;

        if (!valid(job, i)) {
            continue;
        }
        s = nb_view_str(&views[i]);
        if (job->to->id == NB_TYPE_FLOAT64) {
            ok = nb_parse_double(s.data, s.len, NB_DATA(double, job->out) + i);
        } else if (job->to->id == NB_TYPE_FLOAT32) {
            ok = nb_parse_float(s.data, s.len, NB_DATA(float, job->out) + i);
        } else {
            int64_t x = 0;

            s = trim_all(s);
            ok = nb_parse_int64(s.data, s.len, job->mode == NB_CAST_LEGACY, &x) == NB_PARSED_OK &&
                 put_int(job, i, x);
        }
        if (!ok) {
            NB_TRY(nb_cast_invalid(job, i));
        }
    }
    return NB_OK;
}

static nb_status
timestamp_to_number(nb_cast_job *job)
{
    const int64_t *us = job->v->data;

    for (int64_t i = 0; i < job->n; i++) {
        int64_t seconds;

        if (!valid(job, i)) {
            continue;
        }
        if (job->to->id == NB_TYPE_FLOAT64) {
            NB_DATA(double, job->out)[i] = (double)us[i] / 1e6;
        } else if (job->to->id == NB_TYPE_FLOAT32) {
            NB_DATA(float, job->out)[i] = (float)((double)us[i] / 1e6);
        } else {
            seconds = us[i] / NB_US_PER_SECOND - (us[i] % NB_US_PER_SECOND < 0);
            if (!put_int(job, i, seconds) && job->mode != NB_CAST_LEGACY) {
                NB_TRY(nb_cast_overflow(job, i));
            }
        }
    }
    return NB_OK;
}

/* Months or µs in a unit of the interval's last field. */
static int64_t
interval_unit(const nb_type *t)
{
    static const int64_t units[] = {86400000000LL, 3600000000LL, 60000000LL, 1000000LL};

    return t->id == NB_TYPE_INTERVAL_YM ? (t->end_field == 0 ? 12 : 1) : units[t->end_field];
}

static nb_status
interval_to_number(nb_cast_job *job)
{
    bool months = job->from->id == NB_TYPE_INTERVAL_YM;
    int64_t unit = interval_unit(job->from);

    for (int64_t i = 0; i < job->n; i++) {
        int64_t x;

        if (!valid(job, i)) {
            continue;
        }
        x = months ? NB_DATA(int32_t, job->v)[i] : NB_DATA(int64_t, job->v)[i];
        if (!put_int(job, i, x / unit)) {
            NB_TRY(job->mode == NB_CAST_TRY ? nb_cast_null(job, i)
                                            : nb_cast_raise_overflow(job, i));
        }
    }
    return NB_OK;
}

nb_status
nb_cast_to_number(nb_cast_job *job)
{
    switch (job->from->id) {
    case NB_TYPE_BOOL:
    case NB_TYPE_INT8:
    case NB_TYPE_INT16:
    case NB_TYPE_INT32:
    case NB_TYPE_INT64:
    case NB_TYPE_FLOAT32:
    case NB_TYPE_FLOAT64: return from_number(job);
    case NB_TYPE_DECIMAL: return decimal_to_number(job);
    case NB_TYPE_STRING:
    case NB_TYPE_CHAR:
    case NB_TYPE_VARCHAR: return string_to_number(job);
    case NB_TYPE_TIMESTAMP: return timestamp_to_number(job);
    case NB_TYPE_INTERVAL_YM:
    case NB_TYPE_INTERVAL_DT: return interval_to_number(job);
    default:
        for (int64_t i = 0; i < job->n; i++) { /* dates have no number: null with ANSI off */
            NB_TRY(nb_cast_null(job, i));
        }
        return NB_OK;
    }
}

/* ---- decimals -------------------------------------------------------------------------------------------------------------------------------- */

static void
put_decimal(const nb_cast_job *job, int64_t i, nb_int128 x)
{
    if (job->to->phys == NB_PHYS_INT64) {
        NB_DATA(int64_t, job->out)[i] = (int64_t)x;
    } else {
        NB_DATA(nb_int128, job->out)[i] = x;
    }
}

static nb_status
decimal_out_of_range(nb_cast_job *job, int64_t i)
{
    nb_strbuf text = {0};
    nb_status st;

    nb_format_value(&text, NULL, job->v, i, NB_TEXT_CAST);
    if (job->from->phys == NB_PHYS_DOUBLE ||
        job->from->phys == NB_PHYS_FLOAT) { /* Spark shows the plain notation */
        char plain[512];
        double d = job->from->phys == NB_PHYS_FLOAT ? (double)NB_DATA(float, job->v)[i]
                                                    : NB_DATA(double, job->v)[i];

        if (fabs(d) >= 1e7 && isfinite(d)) {
            nb_strbuf_free(&text);
            snprintf(plain, sizeof plain, "%.0f", d);
            nb_strbuf_adds(&text, plain);
        }
    }
    st = nb_cast_out_of_range(job, i, text.data ? text.data : "");
    nb_strbuf_free(&text);
    return st;
}

/* More digits than any decimal has is another fault than more than this type has. */
static nb_status
string_out_of_range(nb_cast_job *job, int64_t i)
{
    nb_str s = trim_all(nb_view_str(NB_DATA(nb_view, job->v) + i));
    nb_int128 x;
    char *text;

    if (job->mode != NB_CAST_ANSI ||
        nb_decimal_parse(s, NB_DECIMAL_MAX_PRECISION, 0, &x) != NB_DECIMAL_OVERFLOW) {
        return decimal_out_of_range(job, i);
    }
    text = nb_arena_strdup(job->ctx->arena, s);
    return nb_raise(job->ctx->err, NB_COND_NUMERIC_OUT_OF_SUPPORTED_RANGE, "value",
                    text ? text : "", NULL);
}

static nb_status
string_to_decimal(nb_cast_job *job)
{
    const nb_view *views = job->v->data;

    for (int64_t i = 0; i < job->n; i++) {
        nb_int128 x = 0;

        if (!valid(job, i)) {
            continue;
        }
        switch (nb_decimal_parse(trim_all(nb_view_str(&views[i])), job->to->precision,
                                 job->to->scale, &x)) {
        case NB_DECIMAL_OK: put_decimal(job, i, x); break;
        case NB_DECIMAL_MALFORMED: NB_TRY(nb_cast_invalid(job, i)); break;
        default: NB_TRY(string_out_of_range(job, i)); break;
        }
    }
    return NB_OK;
}

/* Integers and decimals into a decimal that has room for every value, without giving up digits: a multiplication. False when it is not so
 * simple. */
static bool
widen_decimal(nb_cast_job *job)
{
    const nb_type *from = nb_type_is_integral(job->from) || job->from->id == NB_TYPE_DECIMAL
                              ? nb_decimal_for(job->from)
                              : NULL;
    int up = from == NULL ? -1 : job->to->scale - from->scale;
    int64_t power, limit, seen = 0;

    if (up < 0 || up > 18) {
        return false;
    }
    power = nb_pow10_64[up];
    if (job->from->phys == NB_PHYS_INT64 && job->to->phys == NB_PHYS_INT64) {
        const int64_t *restrict in = job->v->data;
        int64_t *restrict out = job->out->data;

        limit = nb_pow10_64[job->to->precision] / power;
        for (int64_t i = 0; i < job->n;
             i++) { /* null rows count too: they only send us the slow way */
            seen |= (in[i] >= limit) | (in[i] <= -limit);
            out[i] = (int64_t)((uint64_t)in[i] * (uint64_t)power);
        }
        return seen == 0;
    }
    if (job->to->precision - job->to->scale < from->precision - from->scale) {
        return false;
    }
    if (job->from->phys == NB_PHYS_INT32 && job->to->phys == NB_PHYS_INT64) {
        for (int64_t i = 0; i < job->n; i++) {
            NB_DATA(int64_t, job->out)
            [i] = (int64_t)((uint64_t)NB_DATA(int32_t, job->v)[i] * (uint64_t)power);
        }
        return true;
    }
    if (job->from->phys == NB_PHYS_INT64 && job->to->phys == NB_PHYS_INT128) {
        for (int64_t i = 0; i < job->n; i++) {
            NB_DATA(nb_int128, job->out)[i] = (nb_int128)NB_DATA(int64_t, job->v)[i] * power;
        }
        return true;
    }
    return false;
}

nb_status
nb_cast_to_decimal(nb_cast_job *job)
{
    const nb_vector *v = job->v;
    int precision = job->to->precision, scale = job->to->scale, from_scale = 0;

    if (nb_type_is_string(job->from)) {
        return string_to_decimal(job);
    }
    if (widen_decimal(job)) {
        return NB_OK;
    }
    for (int64_t i = 0; i < job->n; i++) {
        nb_int128 x = 0, r;
        bool fits;

        if (!valid(job, i)) {
            continue;
        }
        switch (job->from->id) {
        case NB_TYPE_BOOL: x = NB_DATA(uint8_t, v)[i]; break;
        case NB_TYPE_INT8: x = NB_DATA(int8_t, v)[i]; break;
        case NB_TYPE_INT16: x = NB_DATA(int16_t, v)[i]; break;
        case NB_TYPE_INT32: x = NB_DATA(int32_t, v)[i]; break;
        case NB_TYPE_INT64: x = NB_DATA(int64_t, v)[i]; break;
        case NB_TYPE_DECIMAL:
            x = decimal_at(v, i);
            from_scale = job->from->scale;
            break;
        case NB_TYPE_TIMESTAMP:
            x = NB_DATA(int64_t, v)[i];
            from_scale = 6;
            break;
        case NB_TYPE_INTERVAL_DT:
            x = NB_DATA(int64_t, v)[i];
            if (job->from->end_field < 3) {
                x /= interval_unit(job->from);
            } else {
                from_scale = 6;
            }
            break;
        case NB_TYPE_INTERVAL_YM: x = NB_DATA(int32_t, v)[i] / interval_unit(job->from); break;
        case NB_TYPE_FLOAT32:
        case NB_TYPE_FLOAT64: {
            double d = job->from->id == NB_TYPE_FLOAT32 ? (double)NB_DATA(float, v)[i]
                                                        : NB_DATA(double, v)[i];

            if (!isfinite(d)) { /* no decimal is NaN or infinite: null, even with ANSI on */
                NB_TRY(nb_cast_null(job, i));
                continue;
            }
            fits = nb_decimal_from_double(d, precision, scale, &r);
            if (fits) {
                put_decimal(job, i, r);
            } else {
                NB_TRY(decimal_out_of_range(job, i));
            }
            continue;
        }
        default: /* dates: null with ANSI off */ NB_TRY(nb_cast_null(job, i)); continue;
        }
        fits = nb_decimal_rescale(x, from_scale, scale, precision, &r);
        if (fits) {
            put_decimal(job, i, r);
        } else {
            NB_TRY(decimal_out_of_range(job, i));
        }
    }
    return NB_OK;
}

/* ---- booleans -------------------------------------------------------------------------------------------------------------------------------- */

static bool
parse_bool(nb_str s, uint8_t *out)
{
    static const char *const yes[] = {"true", "t", "yes", "y", "1"}, *const no[] = {"false", "f",
                                                                                    "no", "n", "0"};

    for (size_t i = 0; i < NB_COUNT_OF(yes); i++) {
        if (nb_str_equal_nocase(s, nb_str_of(yes[i]))) {
            *out = 1;
            return true;
        }
        if (nb_str_equal_nocase(s, nb_str_of(no[i]))) {
            *out = 0;
            return true;
        }
    }
    return false;
}

nb_status
nb_cast_to_bool(nb_cast_job *job)
{
    uint8_t *out = job->out->data;

    if (job->from->id >= NB_TYPE_INT8 && job->from->id <= NB_TYPE_FLOAT64) {
        return from_number(job);
    }
    for (int64_t i = 0; i < job->n; i++) {
        if (!valid(job, i)) {
            continue;
        }
        if (nb_type_is_string(job->from)) {
            if (!parse_bool(trim_all(nb_view_str(NB_DATA(nb_view, job->v) + i)), &out[i])) {
                NB_TRY(nb_cast_invalid(job, i));
            }
        } else if (job->from->id == NB_TYPE_DECIMAL) {
            out[i] = decimal_at(job->v, i) != 0;
        } else if (job->from->id == NB_TYPE_TIMESTAMP) {
            out[i] = NB_DATA(int64_t, job->v)[i] != 0;
        } else {
            NB_TRY(nb_cast_null(job, i));
        }
    }
    return NB_OK;
}
