/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local_time.c: the session's zone applied to single values.
 */
#include "expr/local_time.h"

#include "expr/date_text.h"
#include "expr/zone.h"

static const nb_zone *
zone_of(const nb_session_info *info)
{
    return info && info->zone ? info->zone : nb_zone_utc();
}

int64_t
nb_local_from_utc(const nb_session_info *info, int64_t utc_us)
{
    return utc_us + nb_zone_offset_utc(zone_of(info), utc_us) * NB_US_PER_SECOND;
}

int64_t
nb_utc_from_local(const nb_session_info *info, int64_t local_us)
{
    return local_us - nb_zone_offset_local(zone_of(info), local_us) * NB_US_PER_SECOND;
}

bool
nb_parse_timestamp(const nb_session_info *info, nb_str s, int64_t *utc_us)
{
    nb_timestamp_text t;
    int64_t local;
    int32_t offset;

    if (!nb_parse_timestamp_text(s.data, s.len, &t)) {
        return false;
    }
    if (!t.has_date) {
        int64_t now = nb_local_from_utc(info, info ? info->query_start_us : 0);

        t.days = (int32_t)(now / NB_US_PER_DAY - (now % NB_US_PER_DAY < 0));
    }
    if (__builtin_mul_overflow((int64_t)t.days, NB_US_PER_DAY, &local) ||
        __builtin_add_overflow(local, t.time_us, &local)) {
        return false;
    }
    if (t.zone.len == 0) {
        *utc_us = nb_utc_from_local(info, local);
        return true;
    }
    if (nb_parse_zone_offset(t.zone, &offset)) {
        return !__builtin_sub_overflow(local, (int64_t)offset * NB_US_PER_SECOND, utc_us);
    }
    const nb_zone *zone = nb_zone_lookup(t.zone);
    if (zone == NULL) {
        return false;
    }
    return !__builtin_sub_overflow(local, nb_zone_offset_local(zone, local) * NB_US_PER_SECOND,
                                   utc_us);
}

bool
nb_parse_timestamp_ntz(nb_str s, int64_t *local_us)
{
    nb_timestamp_text t;

    return nb_parse_timestamp_text(s.data, s.len, &t) && t.has_date &&
           !__builtin_mul_overflow((int64_t)t.days, NB_US_PER_DAY, local_us) &&
           !__builtin_add_overflow(*local_us, t.time_us, local_us);
}
