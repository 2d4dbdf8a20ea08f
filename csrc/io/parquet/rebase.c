/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rebase.c: see rebase.h.
 */
#include "io/parquet/rebase.h"

#define DAY_US    INT64_C(86400000000)
#define SWITCH    INT64_C(-141427) /* 1582-10-15, the first Gregorian day */
#define FROM_1900 (INT64_C(-25567) * DAY_US)
#define EPOCH_JDN INT64_C(2440588)

void
nb_pq_rebase_mark(nb_pq_meta *m)
{
    for (int i = 0; i < m->n_columns; i++) {
        nb_pq_column *c = &m->columns[i];
        bool is_time = c->type && (c->type->id == NB_TYPE_DATE || c->type->id == NB_TYPE_TIMESTAMP);

        c->is_legacy =
            is_time && (c->physical == NB_PQ_INT96 ? m->legacy_int96 : m->legacy_datetime);
    }
}

/* Days since 1970 of the proleptic Gregorian date that is called as the Julian date of these days. */
static int64_t
rebase_day(int64_t day)
{
    int64_t c, y, e, m, d, month, year, era, of_era, of_year;

    if (day >= SWITCH || day < -EPOCH_JDN) {
        return day;
    }
    /* the Julian calendar, years from March on */
    c = day + EPOCH_JDN + 32082;
    y = (4 * c + 3) / 1461;
    e = c - 1461 * y / 4;
    m = (5 * e + 2) / 153;
    d = e - (153 * m + 2) / 5 + 1;
    month = m + 3 - 12 * (m / 10);
    year = y - 4800 + m / 10;
    /* the Gregorian one; 29 February of a year that has none is 1 March */
    year -= month <= 2;
    era = (year >= 0 ? year : year - 399) / 400;
    of_era = year - era * 400;
    of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool
is_utc(nb_str zone)
{
    return nb_str_equal_nocase(zone, NB_STR("UTC")) || nb_str_equal_nocase(zone, NB_STR("GMT")) ||
           nb_str_equal_nocase(zone, NB_STR("Etc/UTC")) || nb_str_equal_nocase(zone, NB_STR("Z"));
}

nb_status
nb_pq_rebase(nb_arena *arena, const nb_pq_meta *meta, const nb_pq_column *c, nb_str zone,
             const nb_vector *v, nb_vector *out, nb_error *err)
{
    nb_vector flat, made;
    bool utc = is_utc(meta->zone.len ? meta->zone : zone);

    NB_TRY(nb_vector_flatten(arena, v, &flat));
    NB_TRY(nb_vector_alloc(arena, flat.type, flat.n_rows, &made));
    made.validity = flat.validity;
    for (int64_t i = 0; i < flat.n_rows; i++) {
        int64_t us, day;
        if (c->type->id == NB_TYPE_DATE) {
            NB_DATA(int32_t, &made)[i] = (int32_t)rebase_day(NB_DATA(int32_t, &flat)[i]);
            continue;
        }
        us = NB_DATA(int64_t, &flat)[i];
        if (us >= FROM_1900 || !nb_is_valid(flat.validity, i)) {
            NB_DATA(int64_t, &made)[i] = us;
            continue;
        }
        if (!utc) {
            return nb_raise_unsupported(err, "A timestamp before 1900 of a Parquet file of the "
                                             "hybrid calendar in a zone other than UTC");
        }
        day = us / DAY_US - (us % DAY_US < 0);
        NB_DATA(int64_t, &made)
        [i] = (int64_t)((uint64_t)us + (uint64_t)(rebase_day(day) - day) * (uint64_t)DAY_US);
    }
    *out = made;
    return NB_OK;
}
