/* SPDX-License-Identifier: Apache-2.0 */
/*
 * formats.c: date and time patterns of the CSV source.
 */
#include "io/csv/formats.h"

#include "expr/date_text.h"
#include "expr/local_time.h"

/* A reader's pattern that cannot be is not its error: Spark makes a value's parser when the first value comes, and what then fails is
 * the value. *never says so; the format is then one that is there, but not asked. *refused is set to a pattern that is an error after all. */
static nb_status
compile(nb_arena *arena, const nb_csv_options *o, nb_str pattern, nb_str otherwise, bool writing,
        const nb_datetime_format **out, bool *never, nb_str *refused, nb_error *err)
{
    nb_error fault = NB_ERROR_INIT;
    nb_status st;

    if (pattern.data == NULL) {
        pattern = otherwise;
    }
    *out = NULL;
    if (pattern.data == NULL) {
        return NB_OK;
    }
    if (writing) {
        return nb_datetime_format_new(arena, pattern, false, o->locale, out, err);
    }
    st = nb_datetime_format_new(arena, pattern, true, o->locale, out, &fault);
    if (st == NB_ERROR) {
        *never = true;
        if (fault.condition == NB_COND_DATETIME_PATTERN_RECOGNITION) {
            *refused = pattern;
        }
        st = nb_datetime_format_new(arena, NB_STR("yyyy"), true, o->locale, out, err);
    }
    nb_error_clear(&fault);
    return st;
}

nb_status
nb_csv_formats_new(nb_arena *arena, const nb_csv_options *o, const nb_session_info *info,
                   bool writing, nb_csv_formats **out, nb_error *err)
{
    nb_csv_formats *f = NB_ARENA_NEW(arena, nb_csv_formats);
    nb_session_info *own = NB_ARENA_NEW(arena, nb_session_info);
    nb_str none = {NULL, 0}, strict = none, unused = none;

    if (f == NULL || own == NULL) {
        return NB_NOMEM;
    }
    if (info) {
        *own = *info;
    }
    if (o->time_zone.data != NULL) {
        own->time_zone = o->time_zone;
        NB_TRY(nb_zone_find(o->time_zone, &own->zone, err));
    }
    f->info = own;
    f->zone = own->zone ? own->zone : nb_zone_utc();
    f->plain_date = o->date_format.data == NULL;
    f->fall_back_date = o->fall_back_date;
    f->fall_back_timestamp = o->fall_back_timestamp;
    if (writing || (o->prefer_date && !o->fall_back_date)) {
        strict = NB_STR("yyyy-MM-dd");
    }
    NB_TRY(compile(arena, o, o->date_format, strict, writing, &f->date, &f->never_date,
                   &f->refused_date, err));
    NB_TRY(compile(arena, o, o->timestamp_format,
                   writing ? NB_STR("yyyy-MM-dd'T'HH:mm:ss[.SSS][XXXXX]") : none, writing,
                   &f->timestamp, &f->never_timestamp, &f->refused_timestamp, err));
    NB_TRY(compile(arena, o, o->timestamp_ntz_format,
                   writing ? NB_STR("yyyy-MM-dd'T'HH:mm:ss[.SSS]") : none, writing,
                   &f->timestamp_ntz, &f->never_timestamp_ntz, &unused, err));
    *out = f;
    return NB_OK;
}

bool
nb_csv_format_date(const nb_csv_formats *f, nb_str s, int32_t *days)
{
    nb_datetime_parsed p;

    if (f->never_date || !nb_datetime_format_parse(f->date, s, &p)) {
        return false;
    }
    *days = p.days;
    return true;
}

bool
nb_csv_format_timestamp(const nb_csv_formats *f, nb_str s, int64_t *us)
{
    nb_datetime_parsed p;
    nb_zone_cursor cursor = {.zone = f->zone};

    if (f->never_timestamp || !nb_datetime_format_parse(f->timestamp, s, &p)) {
        return false;
    }
    *us = nb_datetime_parsed_utc(&p, &cursor);
    return true;
}

/* Spark 2 took "2020-01-02T03:04:05GMT+01:00": the first GMT goes. False when there is none, or the text is longer than any date. */
static bool
without_gmt(nb_str s, char *buffer, size_t room, nb_str *out)
{
    for (size_t i = 0; i + 3 <= s.len && s.len <= room; i++) {
        if (memcmp(s.data + i, "GMT", 3) == 0) {
            memcpy(buffer, s.data, i);
            memcpy(buffer + i, s.data + i + 3, s.len - i - 3);
            *out = (nb_str){buffer, s.len - 3};
            return true;
        }
    }
    return false;
}

bool
nb_csv_read_date(const nb_csv_formats *f, nb_str s, int32_t *days)
{
    char buffer[128];
    bool ok = f->date ? nb_csv_format_date(f, s, days) : nb_parse_date(s.data, s.len, days);

    if (ok || !f->fall_back_date) {
        return ok;
    }
    return (f->date != NULL && nb_parse_date(s.data, s.len, days)) ||
           (without_gmt(s, buffer, sizeof(buffer), &s) && nb_parse_date(s.data, s.len, days));
}

bool
nb_csv_read_timestamp(const nb_csv_formats *f, nb_str s, int64_t *us)
{
    char buffer[128];
    bool ok = f->timestamp ? nb_csv_format_timestamp(f, s, us) : nb_parse_timestamp(f->info, s, us);

    if (ok || !f->fall_back_timestamp) {
        return ok;
    }
    return (without_gmt(s, buffer, sizeof(buffer), &s) || f->timestamp != NULL) &&
           nb_parse_timestamp(f->info, s, us);
}

bool
nb_csv_format_timestamp_ntz(const nb_csv_formats *f, nb_str s, int64_t *us)
{
    nb_datetime_parsed p;

    if (f->never_timestamp_ntz || !nb_datetime_format_parse(f->timestamp_ntz, s, &p) ||
        p.has_zone) {
        return false;
    }
    *us = (int64_t)p.days * NB_US_PER_DAY + p.time_us;
    return true;
}

bool
nb_csv_default_ntz(nb_str s, int64_t *us)
{
    nb_timestamp_text t;

    if (!nb_parse_timestamp_text(s.data, s.len, &t) || !t.has_date || t.zone.len) {
        return false;
    }
    return !__builtin_mul_overflow((int64_t)t.days, NB_US_PER_DAY, us) &&
           !__builtin_add_overflow(*us, t.time_us, us);
}

size_t
nb_csv_format_room(const nb_csv_formats *f)
{
    size_t n = NB_MAX(nb_datetime_format_max(f->date), nb_datetime_format_max(f->timestamp));

    return NB_MAX(NB_MAX(n, nb_datetime_format_max(f->timestamp_ntz)), 64u);
}

size_t
nb_csv_write_date(const nb_csv_formats *f, int32_t days, char *out)
{
    if (f->plain_date && days >= -719528 && days < 2932897) { /* years 0000 to 9999 */
        return (size_t)nb_format_date(out, days);
    }
    return nb_datetime_format_write(f->date, (int64_t)days * NB_US_PER_DAY, nb_zone_utc(),
                                    (int64_t)days * NB_US_PER_DAY, out);
}

size_t
nb_csv_write_timestamp(const nb_csv_formats *f, nb_zone_cursor *cursor, int64_t us, char *out)
{
    return nb_datetime_format_write(f->timestamp, nb_zone_to_local(cursor, us), f->zone, us, out);
}

size_t
nb_csv_write_timestamp_ntz(const nb_csv_formats *f, int64_t us, char *out)
{
    return nb_datetime_format_write(f->timestamp_ntz, us, nb_zone_utc(), us, out);
}
