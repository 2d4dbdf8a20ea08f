/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zone.c: reads TZif files (RFC 9636) and keeps zones for the life of the process.
 *
 * Only the 64-bit part (version 2 and later) is read. Its footer, a POSIX TZ string, says what happens after the last recorded change: the
 * rule is expanded into 400 years of changes, after which the Gregorian calendar, and so the rule, repeats.
 */
#include "expr/zone.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/ascii.h"
#include "expr/date_text.h"

#define ZONE_DIRECTORY "/usr/share/zoneinfo"
#define MAX_FILE       (1 << 20)
#define CYCLE_SECONDS  (146097LL * 86400)
#define MAX_OFFSET     (18 * 3600)

static pthread_mutex_t zones_lock = PTHREAD_MUTEX_INITIALIZER;
static nb_arena *zones_arena;
typedef struct zone_node {
    nb_zone zone;
    struct zone_node *next;
} zone_node;
static zone_node *zones;

/* ---- the file ------------------------------------------------------------------------------------------------------------------------ */

static int64_t
big_endian(const uint8_t *p, int n)
{
    uint64_t v = p[0] & 0x80 ? ~(uint64_t)0 : 0;

    for (int i = 0; i < n; i++) {
        v = v << 8 | p[i];
    }
    return (int64_t)v;
}

/* A change of a POSIX rule: in month m, week w (5 = last), day of week d (0 = Sunday), at `time` seconds after local midnight; or Jn, n. */
typedef struct posix_change {
    char kind; /* 'M', 'J', 'N' */
    int month, week, day;
    int32_t time;
} posix_change;

typedef struct posix_rule {
    char std_name[16], dst_name[16];
    int32_t std_offset, dst_offset;
    bool has_dst;
    posix_change start, end;
} posix_rule;

static bool
rule_name(const char **p, char *out)
{
    size_t n = 0;
    bool quoted = **p == '<';

    *p += quoted;
    while (**p && (quoted ? **p != '>' : nb_is_letter(**p))) {
        if (n < 15) {
            out[n++] = **p;
        }
        ++*p;
    }
    *p += quoted && **p == '>';
    out[n] = 0;
    return n > 0;
}

static bool
rule_number(const char **p, int *out)
{
    int v = 0, digits = 0;

    for (; **p >= '0' && **p <= '9' && digits < 4; ++*p, digits++) {
        v = v * 10 + (**p - '0');
    }
    *out = v;
    return digits > 0;
}

/* [+-]h[h][:mm[:ss]] */
static bool
rule_time(const char **p, int32_t *out)
{
    int sign = 1, part[3] = {0, 0, 0};

    if (**p == '-' || **p == '+') {
        sign = *(*p)++ == '-' ? -1 : 1;
    }
    for (int i = 0; i < 3; i++) {
        if (i > 0) {
            if (**p != ':') {
                break;
            }
            ++*p;
        }
        if (!rule_number(p, &part[i])) {
            return false;
        }
    }
    *out = sign * (part[0] * 3600 + part[1] * 60 + part[2]);
    return true;
}

static bool
rule_change(const char **p, posix_change *c)
{
    *c = (posix_change){.time = 7200};
    if (*(*p)++ != ',') {
        return false;
    }
    if (**p == 'M') {
        c->kind = *(*p)++;
        if (!rule_number(p, &c->month) || *(*p)++ != '.' || !rule_number(p, &c->week) ||
            *(*p)++ != '.' || !rule_number(p, &c->day) || c->month < 1 || c->month > 12 ||
            c->week < 1 || c->week > 5 || c->day > 6) {
            return false;
        }
    } else {
        c->kind = 'N';
        if (**p == 'J') {
            c->kind = *(*p)++;
        }
        if (!rule_number(p, &c->day) || c->day > 366) {
            return false;
        }
    }
    if (**p == '/') {
        ++*p;
        return rule_time(p, &c->time);
    }
    return true;
}

static bool
parse_rule(const char *p, posix_rule *r)
{
    int32_t west;

    *r = (posix_rule){0};
    if (!rule_name(&p, r->std_name) || !rule_time(&p, &west)) {
        return false;
    }
    r->std_offset = -west;
    if (*p == 0) {
        return true;
    }
    if (!rule_name(&p, r->dst_name)) {
        return false;
    }
    r->has_dst = true;
    r->dst_offset = r->std_offset + 3600;
    if (*p && *p != ',') {
        if (!rule_time(&p, &west)) {
            return false;
        }
        r->dst_offset = -west;
    }
    return rule_change(&p, &r->start) && rule_change(&p, &r->end) && *p == 0;
}

/* The change in a year, in local seconds. */
static int64_t
change_in_year(const posix_change *c, int year)
{
    int64_t day;

    if (c->kind == 'M') {
        int first = nb_days_from_civil(year, c->month, 1),
            weekday = (int)((((int64_t)first + 4) % 7 + 7) % 7);
        day = first + (c->day - weekday + 7) % 7 + (c->week - 1) * 7;
        while (day >= (int64_t)first + nb_days_in_month(year, c->month)) {
            day -= 7;
        }
    } else if (c->kind == 'J') {
        day = (int64_t)nb_days_from_civil(year, 1, 1) + c->day - 1 +
              (c->day >= 60 && nb_is_leap_year(year));
    } else {
        day = (int64_t)nb_days_from_civil(year, 1, 1) + c->day;
    }
    return day * 86400 + c->time;
}

typedef struct zone_builder {
    int64_t *at;
    int32_t *offset;
    const char **names;
    int n, cap;
} zone_builder;

static void
add_change(zone_builder *b, int64_t at, int32_t offset, const char *name)
{
    if (b->n < b->cap && (b->n == 0 || at > b->at[b->n - 1])) {
        b->at[b->n] = at;
        b->offset[++b->n] = offset;
        b->names[b->n] = name;
    }
}

static bool
expand_rule(nb_arena *arena, const char *footer, zone_builder *b, int64_t *cycle_from)
{
    posix_rule r;
    char *std_name, *dst_name;
    int64_t last = b->n ? b->at[b->n - 1] : -(1LL << 40);
    int from;

    if (!parse_rule(footer, &r) || !r.has_dst) {
        return true; /* no rule: the last offset stays */
    }
    std_name = nb_arena_strdup(arena, nb_str_of(r.std_name));
    dst_name = nb_arena_strdup(arena, nb_str_of(r.dst_name));
    if (std_name == NULL || dst_name == NULL) {
        return false;
    }
    from = nb_civil_from_days((int32_t)NB_MAX(last / 86400, -365LL * 170)).year;
    for (int year = from; year <= from + 401; year++) {
        int64_t start = change_in_year(&r.start, year) - r.std_offset,
                end = change_in_year(&r.end, year) - r.dst_offset;
        if (start < end) {
            add_change(b, start, r.dst_offset, dst_name);
            add_change(b, end, r.std_offset, std_name);
        } else {
            add_change(b, end, r.std_offset, std_name);
            add_change(b, start, r.dst_offset, dst_name);
        }
    }
    *cycle_from = (int64_t)nb_days_from_civil(from + 401, 1, 1) * 86400;
    return true;
}

static bool
parse_file(nb_arena *arena, const uint8_t *p, size_t len, nb_zone *zone)
{
    const uint8_t *end = p + len;
    int64_t count[6]; /* isutc, isstd, leap, time, type, char */

    for (int part = 0; part < 2; part++) {
        if (end - p < 44 || memcmp(p, "TZif", 4) != 0 || p[4] < '2') {
            return false;
        }
        for (int i = 0; i < 6; i++) {
            count[i] = big_endian(p + 20 + 4 * i, 4);
            if (count[i] < 0 || count[i] > MAX_FILE) {
                return false;
            }
        }
        p += 44;
        int width = part ? 8 : 4;
        int64_t size = count[3] * (width + 1) + count[4] * 6 + count[5] + count[2] * (width + 4) +
                       count[1] + count[0];
        if (size > end - p) {
            return false;
        }
        if (part == 0) {
            p += size;
        }
    }
    int64_t n = count[3], n_types = count[4], n_chars = count[5];
    const uint8_t *index = p + n * 8, *types = index + n, *chars = types + n_types * 6;
    const uint8_t *footer = chars + n_chars + count[2] * 12 + count[1] + count[0];
    zone_builder b = {.cap = (int)n + 810};
    b.at = NB_ARENA_ARRAY(arena, int64_t, b.cap);
    b.offset = NB_ARENA_ARRAY(arena, int32_t, b.cap + 1);
    b.names = NB_ARENA_ARRAY(arena, const char *, b.cap + 1);
    char *names = nb_arena_alloc(arena, (size_t)n_chars + 1);
    if (b.at == NULL || b.offset == NULL || b.names == NULL || names == NULL || n_types == 0) {
        return false;
    }
    memcpy(names, chars, (size_t)n_chars);
    names[n_chars] = 0;
    b.offset[0] = (int32_t)big_endian(types, 4);
    b.names[0] = names + NB_MIN((int64_t)types[5], n_chars);
    for (int64_t i = 0; i < n; i++) {
        int64_t type = index[i];
        if (type >= n_types) {
            return false;
        }
        int64_t offset = big_endian(types + type * 6, 4);
        if (offset < -26 * 3600 || offset > 26 * 3600) {
            return false;
        }
        add_change(&b, big_endian(p + i * 8, 8), (int32_t)offset,
                   names + NB_MIN((int64_t)types[type * 6 + 5], n_chars));
    }
    zone->cycle_from = INT64_MAX;
    if (footer < end && *footer == '\n') {
        const uint8_t *stop = memchr(footer + 1, '\n', (size_t)(end - footer - 1));
        if (stop) {
            char *text = nb_arena_strdup(
                arena, (nb_str){(const char *)footer + 1, (size_t)(stop - footer - 1)});
            if (text == NULL || !expand_rule(arena, text, &b, &zone->cycle_from)) {
                return false;
            }
        }
    }
    int64_t *local = NB_ARENA_ARRAY(arena, int64_t, b.n + 1);
    if (local == NULL) {
        return false;
    }
    for (int i = 0; i < b.n; i++) {
        local[i] = b.at[i] + NB_MAX(b.offset[i], b.offset[i + 1]);
    }
    zone->n = b.n;
    zone->at = b.at;
    zone->local_at = local;
    zone->offset = b.offset;
    zone->abbreviation = b.names;
    return true;
}

/* Region names only: letters first, no way out of the directory. */
static bool
is_region_name(nb_str name)
{
    if (name.len < 2 || name.len > 100) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        if (!nb_is_letter(c) && (i == 0 || !(nb_is_digit(c) || strchr("/_+-", c)))) {
            return false;
        }
    }
    return true;
}

static bool
load_region(nb_arena *arena, nb_str name, nb_zone *zone)
{
    const char *directory = getenv("TZDIR");
    char *path =
        nb_arena_printf(arena, "%s/%.*s", directory && *directory ? directory : ZONE_DIRECTORY,
                        (int)name.len, name.data);
    uint8_t *bytes = nb_arena_alloc(arena, MAX_FILE);
    size_t n = 0;
    bool ok;

    if (path == NULL || bytes == NULL) {
        return false;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    for (;;) {
        ssize_t got = read(fd, bytes + n, MAX_FILE - n);
        if (got <= 0) {
            break;
        }
        n += (size_t)got;
    }
    close(fd);
    ok = parse_file(zones_arena, bytes, n, zone);
    return ok;
}

/* ---- names --------------------------------------------------------------------------------------------------------------------------- */

static const char *const short_ids[][2] = {
    {"ACT", "Australia/Darwin"},
    {"AET", "Australia/Sydney"},
    {"AGT", "America/Argentina/Buenos_Aires"},
    {"ART", "Africa/Cairo"},
    {"AST", "America/Anchorage"},
    {"BET", "America/Sao_Paulo"},
    {"BST", "Asia/Dhaka"},
    {"CAT", "Africa/Harare"},
    {"CNT", "America/St_Johns"},
    {"CST", "America/Chicago"},
    {"CTT", "Asia/Shanghai"},
    {"EAT", "Africa/Addis_Ababa"},
    {"ECT", "Europe/Paris"},
    {"EST", "-05:00"},
    {"HST", "-10:00"},
    {"IET", "America/Indiana/Indianapolis"},
    {"IST", "Asia/Kolkata"},
    {"JST", "Asia/Tokyo"},
    {"MIT", "Pacific/Apia"},
    {"MST", "-07:00"},
    {"NET", "Asia/Yerevan"},
    {"NST", "Pacific/Auckland"},
    {"PLT", "Asia/Karachi"},
    {"PNT", "America/Phoenix"},
    {"PRT", "America/Puerto_Rico"},
    {"PST", "America/Los_Angeles"},
    {"SST", "Pacific/Guadalcanal"},
    {"VST", "Asia/Ho_Chi_Minh"},
};

static bool
digits(const char *p, size_t n, int *out)
{
    *out = 0;
    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9') {
            return false;
        }
        *out = *out * 10 + (p[i] - '0');
    }
    return true;
}

/* [+-]h, hh, h:mm, hh:m, hh:mm, hhmm, hh:mm:ss, hhmmss, up to 18 hours. */
static bool
parse_offset(nb_str s, int32_t *seconds)
{
    int part[3] = {0, 0, 0}, n = 0;
    size_t i = 1;

    if (s.len < 2 || (s.data[0] != '+' && s.data[0] != '-')) {
        return false;
    }
    if (memchr(s.data, ':', s.len) == NULL && s.len > 3) {
        if ((s.len != 5 && s.len != 7) || !digits(s.data + 1, 2, &part[0]) ||
            !digits(s.data + 3, 2, &part[1]) || !digits(s.data + 5, s.len - 5, &part[2])) {
            return false;
        }
    } else {
        for (;;) {
            size_t k = i;
            while (k < s.len && s.data[k] != ':') {
                k++;
            }
            if (n == 3 || k == i || k - i > 2 || (n == 2 && k - i != 2) ||
                !digits(s.data + i, k - i, &part[n++])) {
                return false;
            }
            if (k == s.len) {
                break;
            }
            i = k + 1;
        }
    }
    if (part[1] > 59 || part[2] > 59) {
        return false;
    }
    int32_t total = part[0] * 3600 + part[1] * 60 + part[2];
    *seconds = s.data[0] == '-' ? -total : total;
    return total <= MAX_OFFSET;
}

static bool
make_fixed(nb_zone *zone, const char *prefix, int32_t seconds)
{
    int32_t *offset = NB_ARENA_NEW(zones_arena, int32_t);
    const char **name = NB_ARENA_NEW(zones_arena, const char *);
    char *text;

    if (seconds == 0) {
        text = nb_arena_strdup(zones_arena, *prefix ? nb_str_of(prefix) : NB_STR("Z"));
    } else {
        int32_t a = abs(seconds);
        text = nb_arena_printf(zones_arena, a % 60 ? "%s%c%02d:%02d:%02d" : "%s%c%02d:%02d", prefix,
                               seconds < 0 ? '-' : '+', a / 3600, a / 60 % 60, a % 60);
    }
    if (offset == NULL || name == NULL || text == NULL) {
        return false;
    }
    *offset = seconds;
    *name = text;
    zone->n = 0;
    zone->offset = offset;
    zone->abbreviation = name;
    zone->id = nb_str_of(text);
    zone->cycle_from = INT64_MAX;
    return true;
}

static bool
load(nb_str name, nb_zone *zone)
{
    int32_t seconds;
    nb_arena *scratch;
    bool ok;

    for (size_t i = 0; i < NB_COUNT_OF(short_ids); i++) {
        if (nb_str_equal(name, nb_str_of(short_ids[i][0]))) {
            name = nb_str_of(short_ids[i][1]);
            break;
        }
    }
    if (nb_str_equal(name, NB_STR("Z"))) {
        return make_fixed(zone, "", 0);
    }
    if (parse_offset(name, &seconds)) {
        return make_fixed(zone, "", seconds);
    }
    static const char *const prefixes[] = {"UTC", "GMT", "UT"};
    for (size_t i = 0; i < NB_COUNT_OF(prefixes); i++) {
        nb_str prefix = nb_str_of(prefixes[i]);
        if (nb_str_equal(name, prefix)) {
            return make_fixed(zone, prefixes[i], 0);
        }
        if (nb_str_starts_with(name, prefix) &&
            parse_offset((nb_str){name.data + prefix.len, name.len - prefix.len}, &seconds)) {
            return make_fixed(zone, prefixes[i], seconds);
        }
    }
    if (!is_region_name(name) || (scratch = nb_arena_new(NULL)) == NULL) {
        return false;
    }
    ok = load_region(scratch, name, zone);
    zone->id = nb_arena_str(zones_arena, name);
    zone->is_region = true;
    nb_arena_free(scratch);
    return ok;
}

const nb_zone *
nb_zone_lookup(nb_str name)
{
    const nb_zone *found = NULL;

    pthread_mutex_lock(&zones_lock);
    for (zone_node *z = zones; z; z = z->next) {
        if (nb_str_equal(z->zone.name, name)) {
            found = &z->zone;
            break;
        }
    }
    if (found == NULL && name.len > 0 && name.len <= 100 &&
        (zones_arena || (zones_arena = nb_arena_new(NULL)))) {
        nb_zone zone = {0};
        zone_node *node = load(name, &zone) ? NB_ARENA_NEW(zones_arena, zone_node) : NULL;
        if (node) {
            zone.name = nb_arena_str(zones_arena, name);
            node->zone = zone;
            if (zone.name.data) {
                node->next = zones;
                zones = node;
                found = &node->zone;
            }
        }
    }
    pthread_mutex_unlock(&zones_lock);
    return found;
}

const nb_zone *
nb_zone_utc(void)
{
    static const int32_t offset[1] = {0};
    static const char *const names[1] = {"UTC"};
    static const nb_zone utc = {.name = {"UTC", 3},
                                .id = {"UTC", 3},
                                .offset = offset,
                                .abbreviation = names,
                                .cycle_from = INT64_MAX};

    return &utc;
}

nb_status
nb_zone_find(nb_str name, const nb_zone **out, nb_error *err)
{
    char text[128];

    *out = nb_zone_lookup(name);
    if (*out) {
        return NB_OK;
    }
    snprintf(text, sizeof text, "%.*s", (int)NB_MIN(name.len, 100), name.data);
    return nb_raise(err, NB_COND_INVALID_TIMEZONE, "timeZone", text, NULL);
}

/* ---- look-ups ------------------------------------------------------------------------------------------------------------------------ */

#define US 1000000LL

static int64_t
floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* How many of the changes are at or before t. */
static int
span_of(const int64_t *at, int n, int64_t t)
{
    int low = 0, high = n;

    while (low < high) {
        int mid = low + (high - low) / 2;
        if (at[mid] <= t) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

/* Seconds to take off so that t falls into the part of the table that repeats. */
static int64_t
cycles(const nb_zone *zone, int64_t t)
{
    return t < zone->cycle_from ? 0 : ((t - zone->cycle_from) / CYCLE_SECONDS + 1) * CYCLE_SECONDS;
}

static int64_t
bound(int64_t seconds, int64_t shift)
{
    int64_t us;

    return __builtin_add_overflow(seconds, shift, &us) || __builtin_mul_overflow(us, US, &us)
               ? (seconds < 0 ? INT64_MIN : INT64_MAX)
               : us;
}

void
nb_zone_cursor_seek_utc(nb_zone_cursor *c, int64_t utc_us)
{
    const nb_zone *z = c->zone;
    int64_t t = floor_div(utc_us, US), shift = cycles(z, t);
    int i = span_of(z->at, z->n, t - shift);

    c->utc_from = i > 0 ? bound(z->at[i - 1], shift) : INT64_MIN;
    c->utc_to = i < z->n ? bound(z->at[i], shift) : INT64_MAX;
    c->utc_offset = z->offset[i] * US;
}

void
nb_zone_cursor_seek_local(nb_zone_cursor *c, int64_t local_us)
{
    const nb_zone *z = c->zone;
    int64_t t = floor_div(local_us, US), shift = cycles(z, t);
    int i = span_of(z->local_at, z->n, t - shift);

    c->local_from = i > 0 ? bound(z->local_at[i - 1], shift) : INT64_MIN;
    c->local_to = i < z->n ? bound(z->local_at[i], shift) : INT64_MAX;
    c->local_offset = z->offset[i] * US;
}

int32_t
nb_zone_offset_utc(const nb_zone *zone, int64_t utc_us)
{
    int64_t t = floor_div(utc_us, US);

    return zone->offset[span_of(zone->at, zone->n, t - cycles(zone, t))];
}

int32_t
nb_zone_offset_local(const nb_zone *zone, int64_t local_us)
{
    int64_t t = floor_div(local_us, US);

    return zone->offset[span_of(zone->local_at, zone->n, t - cycles(zone, t))];
}

const char *
nb_zone_abbreviation(const nb_zone *zone, int64_t utc_us)
{
    int64_t t = floor_div(utc_us, US);

    return zone->abbreviation[span_of(zone->at, zone->n, t - cycles(zone, t))];
}
