/* SPDX-License-Identifier: Apache-2.0 */
/*
 * date_text.c: the calendar, and dates and timestamps as text.
 *
 * Calendar arithmetic counts in years that begin on March 1st and eras of 400 years, so that leap days come last (H. Hinnant, "chrono-compatible
 * low-level date algorithms").
 */
#include "expr/date_text.h"
#include "base/ascii.h"

int64_t
nb_days_from_any_civil(int64_t year, int32_t month, int32_t day)
{
    int64_t y = year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

    return era * 146097 + doe - 719468;
}

int32_t
nb_days_from_civil(int32_t year, int32_t month, int32_t day)
{
    return (int32_t)nb_days_from_any_civil(year, month, day);
}

nb_civil
nb_civil_from_days(int32_t days)
{
    int64_t z = (int64_t)days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    nb_civil c;

    c.day = (int32_t)(doy - (153 * mp + 2) / 5 + 1);
    c.month = (int32_t)(mp < 10 ? mp + 3 : mp - 9);
    c.year = (int32_t)(yoe + era * 400 + (c.month <= 2));
    return c;
}

bool
nb_is_leap_year(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int
nb_days_in_month(int64_t year, int month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && nb_is_leap_year(year) ? 29 : days[month - 1];
}

/* ---- to text ---------------------------------------------------------------------------------------------------------------------------- */

static char *
put2(char *p, int v)
{
    p[0] = (char)('0' + v / 10);
    p[1] = (char)('0' + v % 10);
    return p + 2;
}

static char *
put_year(char *p, int64_t year)
{
    char digits[12];
    int n = 0;

    if (year < 0) {
        *p++ = '-';
        year = -year;
    } else if (year > 9999) {
        *p++ = '+';
    }
    while (year > 0 || n < 4) {
        digits[n++] = (char)('0' + year % 10);
        year /= 10;
    }
    while (n > 0) {
        *p++ = digits[--n];
    }
    return p;
}

int
nb_format_date(char *out, int32_t days)
{
    nb_civil c = nb_civil_from_days(days);
    char *p = put_year(out, c.year);

    *p++ = '-';
    p = put2(p, c.month);
    *p++ = '-';
    p = put2(p, c.day);
    return (int)(p - out);
}

static char *
put_time(char *p, int64_t seconds, int64_t fraction, int fraction_digits)
{
    p = put2(p, (int)(seconds / 3600));
    *p++ = ':';
    p = put2(p, (int)(seconds / 60 % 60));
    *p++ = ':';
    p = put2(p, (int)(seconds % 60));
    if (fraction != 0) {
        *p++ = '.';
        for (int i = fraction_digits - 1; i >= 0; i--) {
            p[i] = (char)('0' + fraction % 10);
            fraction /= 10;
        }
        p += fraction_digits;
        while (p[-1] == '0') {
            p--;
        }
    }
    return p;
}

int
nb_format_timestamp(char *out, int64_t local_us)
{
    int64_t days = local_us / NB_US_PER_DAY, rest = local_us % NB_US_PER_DAY;
    char *p;

    if (rest < 0) {
        rest += NB_US_PER_DAY;
        days--;
    }
    p = out + nb_format_date(out, (int32_t)days);
    *p++ = ' ';
    p = put_time(p, rest / NB_US_PER_SECOND, rest % NB_US_PER_SECOND, 6);
    return (int)(p - out);
}

int
nb_format_time(char *out, int64_t ns)
{
    return (int)(put_time(out, ns / 1000000000, ns % 1000000000, 9) - out);
}

/* ---- from text -------------------------------------------------------------------------------------------------------------------------- */

/* White space and ISO control characters, as UTF8String.trimAll. */
static bool
is_space(char c)
{
    return (unsigned char)c <= ' ' || c == 127;
}

static void
trim(const char **p, size_t *n)
{
    while (*n > 0 && is_space(**p)) {
        (*p)++;
        (*n)--;
    }
    while (*n > 0 && is_space((*p)[*n - 1])) {
        (*n)--;
    }
}

static bool
make_days(bool negative, int64_t year, int month, int day, int32_t *days)
{
    year = negative ? -year : year;
    if (month < 1 || month > 12 || day < 1 || day > nb_days_in_month(year, month) ||
        year > 5881580 || year < -5877641) {
        return false;
    }
    *days = nb_days_from_civil((int32_t)year, month, day);
    return true;
}

bool
nb_parse_date(const char *p, size_t n, int32_t *days)
{
    int64_t fields[3] = {1, 1, 1};
    const char *end;
    bool negative = false;
    int field = 0, digits = 0;

    trim(&p, &n);
    end = p + n;
    if (p < end && (*p == '-' || *p == '+')) {
        negative = *p++ == '-';
    }
    if (p == end) {
        return false;
    }
    fields[0] = 0;
    for (; p < end; p++) {
        if (nb_is_digit(*p)) {
            fields[field] = digits == 0 ? *p - '0' : fields[field] * 10 + (*p - '0');
            if (++digits > (field == 0 ? 7 : 2)) {
                return false;
            }
        } else if (*p == '-' && field < 2) {
            if (field == 0 ? digits < 4 : digits == 0) {
                return false;
            }
            field++;
            digits = 0;
        } else if (field == 2 && digits > 0 && (*p == ' ' || *p == 'T')) {
            break;
        } else {
            return false;
        }
    }
    if (field == 0 ? digits < 4 : digits == 0) {
        return false;
    }
    return make_days(negative, fields[0], (int)fields[1], (int)fields[2], days);
}

/* Reads up to max digits; returns how many. */
static int
read_digits(const char **p, const char *end, int max, int64_t *out)
{
    int n = 0;

    *out = 0;
    while (*p < end && nb_is_digit(**p)) {
        if (++n > max) {
            return n;
        }
        *out = *out * 10 + (*(*p)++ - '0');
    }
    return n;
}

/* h[h] at the end of the text, or h[h]:m[m][:s[s][.fraction]] up to the end or a zone. */
static bool
read_time(const char **at, const char *end, int64_t *time_us)
{
    const char *p = *at;
    int64_t h, m, s = 0, us = 0;
    int n = read_digits(&p, end, 2, &h);

    if (n < 1 || n > 2 || h > 23) {
        return false;
    }
    if (p == end) {
        *time_us = h * 3600 * NB_US_PER_SECOND;
        *at = p;
        return true;
    }
    if (*p != ':') {
        return false;
    }
    p++;
    n = read_digits(&p, end, 2, &m);
    if (n < 1 || n > 2 || m > 59) {
        return false;
    }
    if (p < end && *p == ':') {
        p++;
        n = read_digits(&p, end, 2, &s);
        if (n < 1 || n > 2 || s > 59) {
            return false;
        }
        if (p < end && *p == '.') {
            int64_t scale = 100000;

            for (p++; p < end && nb_is_digit(*p); p++) { /* digits beyond the sixth are cut */
                us += (*p - '0') * scale;
                scale /= 10;
            }
        }
    }
    *time_us = ((h * 60 + m) * 60 + s) * NB_US_PER_SECOND + us;
    *at = p;
    return true;
}

bool
nb_parse_iso_date(const char *p, size_t n, int32_t *days)
{
    static const uint16_t BEFORE[13] = {0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    static const uint8_t LENGTH[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    uint32_t y4;
    uint16_t m2, d2;
    uint64_t v;
    unsigned y, m, day, leap;

    if (n != 10 || p[4] != '-' || p[7] != '-') {
        return false;
    }
    memcpy(&y4, p, 4);
    memcpy(&m2, p + 5, 2);
    memcpy(&d2, p + 8, 2);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = (uint64_t)__builtin_bswap32(y4) | (uint64_t)__builtin_bswap16(m2) << 32 |
        (uint64_t)__builtin_bswap16(d2) << 48;
#else
    v = (uint64_t)y4 | (uint64_t)m2 << 32 | (uint64_t)d2 << 48;
#endif
    if (((v & 0xF0F0F0F0F0F0F0F0u) | ((v + 0x0606060606060606u) & 0xF0F0F0F0F0F0F0F0u) >> 4) !=
        0x3333333333333333u) {
        return false;
    }
    v = (v & 0x0F0F0F0F0F0F0F0Fu) * 2561 >> 8; /* pairs of digits in bytes 0, 2, 4 and 6 */
    y = (unsigned)(v & 0xFF) * 100 + (unsigned)(v >> 16 & 0xFF);
    m = (unsigned)(v >> 32 & 0xFF);
    day = (unsigned)(v >> 48 & 0xFF);
    if (m < 1 || m > 12) {
        return false;
    }
    leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    if (day < 1 || day > LENGTH[m] + (m == 2 ? leap : 0u)) {
        return false;
    }
    *days = (int32_t)(y * 365 + (y + 3) / 4 - (y + 99) / 100 + (y + 399) / 400 + BEFORE[m] +
                      (m > 2 && leap) + day - 1) -
            719528;
    return true;
}

bool
nb_parse_timestamp_text(const char *p, size_t n, nb_timestamp_text *out)
{
    const char *end;
    bool negative = false;
    int64_t year, month = 1, day = 1;
    int digits;

    *out = (nb_timestamp_text){0};
    trim(&p, &n);
    end = p + n;
    if (n == 0) {
        return false;
    }
    if (*p == 'T' ||
        (n > 1 && nb_is_digit(*p) && (p[1] == ':' || (n > 2 && p[2] == ':')))) { /* a time only */
        p += *p == 'T';
        if (!read_time(&p, end, &out->time_us)) {
            return false;
        }
        out->zone = (nb_str){p, (size_t)(end - p)};
        trim(&out->zone.data, &out->zone.len);
        return true;
    }
    if (*p == '-' || *p == '+') {
        negative = *p++ == '-';
    }
    digits = read_digits(&p, end, 7, &year);
    if (digits < 4 || digits > 7) {
        return false;
    }
    if (p < end) {
        if (*p != '-') {
            return false;
        }
        p++;
        digits = read_digits(&p, end, 2, &month);
        if (digits < 1 || digits > 2) {
            return false;
        }
        if (p < end) {
            if (*p != '-') {
                return false;
            }
            p++;
            digits = read_digits(&p, end, 2, &day);
            if (digits < 1 || digits > 2) {
                return false;
            }
        }
    }
    out->has_date = true;
    if (!make_days(negative, year, (int)month, (int)day, &out->days)) {
        return false;
    }
    if (p == end) {
        return true;
    }
    if (*p != ' ' && *p != 'T') {
        return false;
    }
    p++;
    if (p == end || !read_time(&p, end, &out->time_us)) {
        return false;
    }
    out->zone = (nb_str){p, (size_t)(end - p)};
    trim(&out->zone.data, &out->zone.len);
    return true;
}

bool
nb_parse_zone_offset(nb_str zone, int32_t *seconds)
{
    const char *p = zone.data, *end = zone.data + zone.len;
    int64_t h, m = 0, s = 0;
    bool negative;
    int n;

    if (nb_str_equal(zone, NB_STR("Z")) || nb_str_equal(zone, NB_STR("UTC")) ||
        nb_str_equal(zone, NB_STR("GMT")) || nb_str_equal(zone, NB_STR("UT"))) {
        *seconds = 0;
        return true;
    }
    if (nb_str_starts_with(zone, NB_STR("UTC")) || nb_str_starts_with(zone, NB_STR("GMT"))) {
        p += 3;
    } else if (nb_str_starts_with(zone, NB_STR("UT"))) {
        p += 2;
    }
    if (p == end || (*p != '+' && *p != '-')) {
        return false;
    }
    negative = *p++ == '-';
    n = read_digits(&p, end, 2, &h);
    if (n < 1 || n > 2) {
        return false;
    }
    if (p < end && *p == ':') {
        p++;
        n = read_digits(&p, end, 2, &m);
        if (n < 1 || n > 2) {
            return false;
        }
        if (p < end && *p == ':') {
            p++;
            n = read_digits(&p, end, 2, &s);
            if (n != 2) {
                return false;
            }
        }
    } else if (p < end) {
        n = read_digits(&p, end, 2, &m);
        if (n != 2) {
            return false;
        }
    }
    if (p < end || m > 59 || s > 59 || h * 3600 + m * 60 + s > 18 * 3600) {
        return false;
    }
    *seconds = (int32_t)(h * 3600 + m * 60 + s) * (negative ? -1 : 1);
    return true;
}
