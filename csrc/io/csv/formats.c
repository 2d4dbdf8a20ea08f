/* SPDX-License-Identifier: Apache-2.0 */
/*
 * formats.c: date and time patterns of the CSV source.
 */
#include "io/csv/formats.h"

#include "expr/date_text.h"

/* A reader's pattern that cannot be is not its error: Spark makes a value's parser when the first value comes, and what then fails is
 * the value. *never says so; the format is then one that is there, but not asked. */
static nb_status
compile(nb_arena *arena, nb_str pattern, nb_str otherwise, bool writing,
        const nb_datetime_format **out, bool *never, nb_error *err)
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
        return nb_datetime_format_new(arena, pattern, false, out, err);
    }
    st = nb_datetime_format_new(arena, pattern, true, out, &fault);
    if (st == NB_ERROR) {
        *never = true;
        st = nb_datetime_format_new(arena, NB_STR("yyyy"), true, out, err);
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
    nb_str none = {NULL, 0};

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
    NB_TRY(compile(arena, o->date_format, writing ? NB_STR("yyyy-MM-dd") : none, writing, &f->date,
                   &f->never_date, err));
    NB_TRY(compile(arena, o->timestamp_format,
                   writing ? NB_STR("yyyy-MM-dd'T'HH:mm:ss[.SSS][XXXXX]") : none, writing,
                   &f->timestamp, &f->never_timestamp, err));
    NB_TRY(compile(arena, o->timestamp_ntz_format,
                   writing ? NB_STR("yyyy-MM-dd'T'HH:mm:ss[.SSS]") : none, writing,
                   &f->timestamp_ntz, &f->never_timestamp_ntz, err));
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
