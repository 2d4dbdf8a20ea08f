/* SPDX-License-Identifier: Apache-2.0 */
/*
 * date_parts.c: year() … second(), extract, dayname, monthname.
 *
 * Parts of a date are taken from dates: instants are first cast to the date they fall on in the session's zone. Hours and smaller parts are
 * taken from instants (through the zone) and local times.
 */
#include <stdio.h>

#include "expr/date_text.h"
#include "expr/kernels/scalar.h"
#include "expr/zone.h"

/* ---- parts of dates ------------------------------------------------------------------------------------------------------------------ */

/* Monday is 0. */
NB_INLINE int32_t
weekday(int32_t days)
{
    return (int32_t)nb_floor_mod((int64_t)days + 3, 7);
}

/* ISO: the week belongs to the year that has its Thursday. */
NB_INLINE int32_t
iso_thursday(int32_t days)
{
    return days - weekday(days) + 3;
}

NB_INLINE int32_t
day_of_year(int32_t days, int32_t year)
{
    return days - nb_days_from_civil(year, 1, 1) + 1;
}

NB_INLINE int32_t
week_of_year(int32_t days)
{
    int32_t thursday = iso_thursday(days);

    return (day_of_year(thursday, nb_civil_from_days(thursday).year) + 6) / 7;
}

#define DATE_PART(name, expression)                                                       \
    static nb_status name##_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, \
                                   int64_t n, nb_vector *out)                             \
    {                                                                                     \
        const int32_t *in = args[0].data;                                                 \
        int32_t *x = out->data;                                                           \
        for (int64_t i = 0; i < n; i++) {                                                 \
            int32_t d = in[i];                                                            \
            x[i] = (expression);                                                          \
        }                                                                                 \
        return NB_OK;                                                                     \
    }                                                                                     \
    nb_status nb_bind_##name(nb_bound_call *call, nb_error *err)                          \
    {                                                                                     \
        NB_TRY(nb_bind_date(call, 0, err));                                               \
        return nb_bound(call, NB_TYPE_INT32, name##_kernel);                              \
    }
DATE_PART(year, nb_civil_from_days(d).year)
DATE_PART(quarter, (nb_civil_from_days(d).month + 2) / 3)
DATE_PART(month, nb_civil_from_days(d).month)
DATE_PART(day, nb_civil_from_days(d).day)
DATE_PART(dayofyear, day_of_year(d, nb_civil_from_days(d).year))
DATE_PART(weekday, weekday(d))
DATE_PART(dayofweek, (weekday(d) + 1) % 7 + 1)
DATE_PART(dayofweek_iso, weekday(d) + 1)
DATE_PART(weekofyear, week_of_year(d))
DATE_PART(yearofweek, nb_civil_from_days(iso_thursday(d)).year)

static const char month_names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char day_names[7][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

static nb_status
dayname_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        NB_DATA(nb_view, out)[i] = nb_view_make(day_names[weekday(NB_DATA(int32_t, args)[i])], 3);
    }
    return NB_OK;
}

static nb_status
monthname_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        NB_DATA(nb_view, out)
        [i] = nb_view_make(
            month_names[(nb_civil_from_days(NB_DATA(int32_t, args)[i]).month + 11) % 12], 3);
    }
    return NB_OK;
}

nb_status
nb_bind_dayname(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_date(call, 0, err));
    return nb_bound(call, NB_TYPE_STRING, dayname_kernel);
}

nb_status
nb_bind_monthname(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_date(call, 0, err));
    return nb_bound(call, NB_TYPE_STRING, monthname_kernel);
}

/* ---- parts of times ------------------------------------------------------------------------------------------------------------------ */

/* µs of the local day for instants, local times and TIME. */
NB_INLINE int64_t
us_of_day(const nb_vector *v, nb_zone_cursor *zone, int64_t i)
{
    int64_t t = NB_DATA(int64_t, v)[i];

    if (v->type->id == NB_TYPE_TIME) {
        return t / 1000;
    }
    return nb_floor_mod(v->type->id == NB_TYPE_TIMESTAMP ? nb_zone_to_local(zone, t) : t,
                        NB_US_PER_DAY);
}

#define TIME_PART(name, expression)                                                       \
    static nb_status name##_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, \
                                   int64_t n, nb_vector *out)                             \
    {                                                                                     \
        nb_zone_cursor zone = {.zone = ctx->info->zone};                                  \
        int32_t *x = out->data;                                                           \
        for (int64_t i = 0; i < n; i++) {                                                 \
            int64_t us = us_of_day(args, &zone, i);                                       \
            x[i] = (int32_t)(expression);                                                 \
        }                                                                                 \
        return NB_OK;                                                                     \
    }                                                                                     \
    nb_status nb_bind_##name(nb_bound_call *call, nb_error *err)                          \
    {                                                                                     \
        if (call->args[0]->type->id != NB_TYPE_TIME) {                                    \
            NB_TRY(nb_bind_time(call, 0, err));                                           \
        }                                                                                 \
        return nb_bound(call, NB_TYPE_INT32, name##_kernel);                              \
    }
TIME_PART(hour, us / 3600000000LL)
TIME_PART(minute, us / 60000000 % 60)
TIME_PART(second, us / 1000000 % 60)

/* Seconds with fraction, decimal(8,6). */
static nb_status
second_fraction_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                       nb_vector *out)
{
    nb_zone_cursor zone = {.zone = ctx->info->zone};

    for (int64_t i = 0; i < n; i++) {
        NB_DATA(int64_t, out)[i] = us_of_day(args, &zone, i) % 60000000;
    }
    return NB_OK;
}

nb_status
nb_bind_second_fraction(nb_bound_call *call, nb_error *err)
{
    if (call->args[0]->type->id != NB_TYPE_TIME) {
        NB_TRY(nb_bind_time(call, 0, err));
    }
    call->type = nb_type_decimal(8, 6);
    call->kernel = second_fraction_kernel;
    return NB_OK;
}

/* ---- parts of intervals -------------------------------------------------------------------------------------------------------------- */

typedef enum interval_part {
    PART_YEARS,
    PART_MONTHS,
    PART_DAYS,
    PART_HOURS,
    PART_MINUTES,
    PART_SECONDS
} interval_part;

static nb_status
interval_part_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                     nb_vector *out)
{
    interval_part part = *(const interval_part *)ctx->expr->u.call.payload;
    bool calendar = args->type->id == NB_TYPE_INTERVAL;

    for (int64_t i = 0; i < n; i++) {
        int64_t months = 0, days = 0, us = 0;
        if (args->type->id == NB_TYPE_INTERVAL_YM) {
            months = NB_DATA(int32_t, args)[i];
        } else if (calendar) {
            nb_interval x = NB_DATA(nb_interval, args)[i];
            months = x.months;
            days = x.days;
            us = x.us;
        } else {
            us = NB_DATA(int64_t, args)[i];
            days = us / NB_US_PER_DAY;
            us %= NB_US_PER_DAY;
        }
        switch (part) {
        case PART_YEARS: NB_DATA(int32_t, out)[i] = (int32_t)(months / 12); break;
        case PART_MONTHS: NB_DATA(int8_t, out)[i] = (int8_t)(months % 12); break;
        case PART_DAYS: NB_DATA(int32_t, out)[i] = (int32_t)days; break;
        case PART_HOURS:
            if (calendar) {
                NB_DATA(int64_t, out)[i] = us / 3600000000LL;
            } else {
                NB_DATA(int8_t, out)[i] = (int8_t)(us / 3600000000LL);
            }
            break;
        case PART_MINUTES: NB_DATA(int8_t, out)[i] = (int8_t)(us / 60000000 % 60); break;
        case PART_SECONDS: NB_DATA(int64_t, out)[i] = us % 60000000; break;
        }
    }
    return NB_OK;
}

/* ---- extract ------------------------------------------------------------------------------------------------------------------------- */

typedef struct field_name {
    const char *names;    /* separated by | */
    const char *function; /* of dates and times; NULL when not a field of them */
    int part;             /* of intervals, or -1 */
    bool of_time;
} field_name;

static const field_name field_names[] = {
    {"YEAR|Y|YEARS|YR|YRS", "year", PART_YEARS, false},
    {"YEAROFWEEK", "nb_yearofweek", -1, false},
    {"QUARTER|QTR", "quarter", -1, false},
    {"MONTH|MON|MONS|MONTHS", "month", PART_MONTHS, false},
    {"WEEK|W|WEEKS", "weekofyear", -1, false},
    {"DAY|D|DAYS", "day", PART_DAYS, false},
    {"DAYOFWEEK|DOW", "dayofweek", -1, false},
    {"DAYOFWEEK_ISO|DOW_ISO", "nb_dayofweek_iso", -1, false},
    {"DOY", "dayofyear", -1, false},
    {"HOUR|H|HOURS|HR|HRS", "hour", PART_HOURS, true},
    {"MINUTE|M|MIN|MINS|MINUTES", "minute", PART_MINUTES, true},
    {"SECOND|S|SEC|SECONDS|SECS", "nb_second_fraction", PART_SECONDS, true},
};

static bool
in_names(const char *names, nb_str name)
{
    while (*names) {
        size_t n = strcspn(names, "|");
        if (nb_str_equal_nocase((nb_str){names, n}, name)) {
            return true;
        }
        names += n + (names[n] == '|');
    }
    return false;
}

static nb_status
bind_interval_part(nb_bound_call *call, interval_part part)
{
    interval_part *payload = NB_ARENA_NEW(call->arena, interval_part);
    const nb_type *t = call->args[0]->type;
    nb_type_id type = part == PART_YEARS || part == PART_DAYS           ? NB_TYPE_INT32
                      : part == PART_HOURS && t->id == NB_TYPE_INTERVAL ? NB_TYPE_INT64
                                                                        : NB_TYPE_INT8;

    if (payload == NULL) {
        return NB_NOMEM;
    }
    *payload = part;
    call->payload = payload;
    call->type = part == PART_SECONDS ? nb_type_decimal(8, 6) : nb_type_of(type);
    call->kernel = interval_part_kernel;
    return NB_OK;
}

/* extract('field', source): the field must be constant text. */
nb_status
nb_bind_extract(nb_bound_call *call, nb_error *err)
{
    const nb_type *t = call->args[1]->type;
    const field_name *field = NULL;
    bool found;
    nb_str name;

    NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_STRING), err));
    NB_TRY(nb_bind_text(call, 0, &found, &name, err));
    if (!found) {
        return nb_bind_mismatch(call, 0, "foldable \"STRING\"", err);
    }
    if (name.data == NULL) {
        call->replacement = nb_expr_null(call->arena, nb_type_of(NB_TYPE_FLOAT64));
        return call->replacement ? NB_OK : NB_NOMEM;
    }
    for (size_t i = 0; i < NB_COUNT_OF(field_names); i++) {
        if (in_names(field_names[i].names, name)) {
            field = &field_names[i];
        }
    }
    bool interval =
        t->id == NB_TYPE_INTERVAL || t->id == NB_TYPE_INTERVAL_YM || t->id == NB_TYPE_INTERVAL_DT;
    bool refused = field == NULL || (interval && field->part < 0) ||
                   (t->id == NB_TYPE_TIME && !field->of_time) ||
                   (t->id == NB_TYPE_INTERVAL_YM && field->part > PART_MONTHS) ||
                   (t->id == NB_TYPE_INTERVAL_DT && field->part < PART_DAYS);
    if (refused) {
        const char *sql = nb_expr_sql(call->arena, call->args[1], false);
        return nb_raise(err, NB_COND_INVALID_EXTRACT_FIELD, "field",
                        nb_arena_printf(call->arena, "`%.*s`", (int)name.len, name.data), "expr",
                        nb_arena_printf(call->arena, "\"%s\"", sql ? sql : ""), NULL);
    }
    if (interval) {
        /* The kernel's only argument is the interval; the field stays in front so that calls with other fields are other calls. */
        nb_expr *arg = call->args[1];
        static const char *const names[] = {"nb_interval_years",   "nb_interval_months",
                                            "nb_interval_days",    "nb_interval_hours",
                                            "nb_interval_minutes", "nb_interval_seconds"};
        return nb_bind_again(call, names[field->part], &arg, 1, &call->replacement, err);
    }
    return nb_bind_again(call, field->function, &call->args[1], 1, &call->replacement, err);
}

#define INTERVAL_PART(name, part)                                                            \
    nb_status nb_bind_interval_##name(nb_bound_call *call, nb_error *err)                    \
    {                                                                                        \
        nb_type_id t = call->args[0]->type->id;                                              \
        if (t != NB_TYPE_INTERVAL && t != NB_TYPE_INTERVAL_YM && t != NB_TYPE_INTERVAL_DT) { \
            return nb_bind_mismatch(call, 0, "\"INTERVAL\"", err);                           \
        }                                                                                    \
        return bind_interval_part(call, part);                                               \
    }
INTERVAL_PART(years, PART_YEARS)
INTERVAL_PART(months, PART_MONTHS)
INTERVAL_PART(days, PART_DAYS)
INTERVAL_PART(hours, PART_HOURS)
INTERVAL_PART(minutes, PART_MINUTES)
INTERVAL_PART(seconds, PART_SECONDS)
