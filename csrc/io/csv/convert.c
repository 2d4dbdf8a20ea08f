/* SPDX-License-Identifier: Apache-2.0 */
/*
 * convert.c: typed columns from text. What number_quick.h does not take goes to the general parsers.
 */
#include "io/csv/convert.h"

#include <stdlib.h>

#include "base/decimal.h"
#include "expr/date_text.h"
#include "expr/local_time.h"
#include "expr/number_quick.h"
#include "expr/number_text.h"
#include "io/csv/formats.h"

typedef struct text {
    const char *p;
    size_t n;
} text;

/* The cell's text; false when it is null. */
NB_INLINE bool
cell_text(const nb_csv_column *col, nb_csv_cell c, const char *base, const char *side, text *out)
{
    if (c.len == NB_CELL_NULL) {
        return false;
    }
    out->p = (c.len & NB_CELL_SIDE ? side : base) + c.off;
    out->n = NB_CELL_LEN(c);
    if (NB_LIKELY(col->o->null_value.len == 0)) {
        return out->n != 0;
    }
    return out->n != col->o->null_value.len || memcmp(out->p, col->o->null_value.data, out->n) != 0;
}

/* ---- digits ------------------------------------------------------------------------------------------------------------------- */

/* Java's Long.parseLong. */
NB_INLINE bool
parse_long(const char *p, size_t n, int64_t *out)
{
    bool negative = false;
    uint64_t v;

    if (n > 0 && (*p == '-' || *p == '+')) {
        negative = *p == '-';
        p++;
        n--;
    }
    if (NB_UNLIKELY(n == 0)) {
        return false;
    }
    while (NB_UNLIKELY(n > 18) && *p == '0') {
        p++;
        n--;
    }
    if (NB_LIKELY(n <= 18)) {
        if (!nb_digits18(p, n, &v)) {
            return false;
        }
    } else {
        uint64_t last;
        if (n > 19 || !nb_digits18(p, 18, &v) || !nb_digits8(p + 18, 1, &last)) {
            return false;
        }
        v = v * 10 + last; /* below 10^19, fits 64 bits */
        if (v > (uint64_t)INT64_MAX + negative) {
            return false;
        }
    }
    *out = negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

bool
nb_csv_parse_int64(const char *p, size_t n, int64_t *out)
{
    return parse_long(p, n, out);
}

bool
nb_csv_parse_int32(const char *p, size_t n, int32_t *out)
{
    int64_t v;

    if (!parse_long(p, n, &v) || v < INT32_MIN || v > INT32_MAX) {
        return false;
    }
    *out = (int32_t)v;
    return true;
}

NB_INLINE bool
quick_double(const char *p, size_t n, double *out)
{
    bool negative = n > 0 && *p == '-';
    uint64_t m;
    unsigned scale;

    return nb_plain_decimal(p + negative, n - negative, &m, &scale) &&
           nb_exact_double(m, scale, negative, out);
}

/* Java's Double.parseDouble takes "NaN" and "Infinity" as they stand only. */
static bool
java_word(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] == 'n' || p[i] == 'N' || p[i] == 'i' || p[i] == 'I') {
            nb_str s = nb_str_trim((nb_str){p, n});
            if (s.len && (*s.data == '-' || *s.data == '+')) {
                s.data++;
                s.len--;
            }
            return nb_str_equal(s, NB_STR("NaN")) || nb_str_equal(s, NB_STR("Infinity"));
        }
    }
    return true;
}

/* Java's hexadecimal notation, "0x1.8p3": the exponent is required. */
static bool
hex_double(const char *p, size_t n, double *out)
{
    char copy[128], *end;
    nb_str s = nb_str_trim((nb_str){p, n});
    size_t at;

    if (s.len == 0 || s.len >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, s.data, s.len);
    copy[s.len] = '\0';
    at = copy[0] == '-' || copy[0] == '+';
    if (copy[at] != '0' || (copy[at + 1] | 32) != 'x' || strpbrk(copy, "pP") == NULL) {
        return false;
    }
    *out = strtod(copy, &end);
    if ((*end | 32) == 'd' || (*end | 32) == 'f') {
        end++;
    }
    return *end == '\0';
}

static bool
general_double(const char *p, size_t n, double *out)
{
    return java_word(p, n) && (nb_parse_double(p, n, out) || hex_double(p, n, out));
}

bool
nb_csv_parse_double(const char *p, size_t n, double *out)
{
    return quick_double(p, n, out) || general_double(p, n, out);
}

bool
nb_csv_parse_bool(const char *p, size_t n, bool *out)
{
    return nb_str_to_bool((nb_str){p, n}, out);
}

/* ---- dates -------------------------------------------------------------------------------------------------------------------- */

/* yyyy-MM-dd[ T]HH:mm:ss[.f{1,6}]: local µs. */
static bool
iso_timestamp(const char *p, size_t n, int64_t *us)
{
    static const int64_t UNIT[7] = {0, 100000, 10000, 1000, 100, 10, 1};
    int32_t days;
    uint64_t h, m, s, f = 0;

    if (n < 19 || n > 26 || n == 20 || (p[10] != ' ' && p[10] != 'T') || p[13] != ':' ||
        p[16] != ':' || !nb_parse_iso_date(p, 10, &days)) {
        return false;
    }
    if (!nb_digits8(p + 11, 2, &h) || !nb_digits8(p + 14, 2, &m) || !nb_digits8(p + 17, 2, &s) ||
        h > 23 || m > 59 || s > 59) {
        return false;
    }
    if (n > 19) {
        if (p[19] != '.' || !nb_digits8(p + 20, n - 20, &f)) {
            return false;
        }
        f *= (uint64_t)UNIT[n - 20];
    }
    *us = (int64_t)days * NB_US_PER_DAY + (int64_t)((h * 60 + m) * 60 + s) * NB_US_PER_SECOND +
          (int64_t)f;
    return true;
}

/* ---- columns ------------------------------------------------------------------------------------------------------------------ */

/* The frame of each converter: PARSE is run for every cell that is not null, with `t` its text and `*at` the slot; it yields bool. */
#define CONVERT_LOOP(T, PARSE)                                               \
    do {                                                                     \
        uint64_t words[NB_BITMAP_WORDS(NB_BATCH_ROWS)];                      \
        uint64_t missing = 0;                                                \
        T *data;                                                             \
        NB_TRY(nb_vector_alloc(arena, col->type, n, out));                   \
        data = NB_DATA(T, out);                                              \
        for (int64_t from = 0; from < n; from += 64) {                       \
            int64_t to = NB_MIN(from + 64, n);                               \
            uint64_t valid = 0;                                              \
            for (int64_t i = from; i < to; i++) {                            \
                text t;                                                      \
                T *at = &data[i];                                            \
                if (NB_LIKELY(cell_text(col, cells[i], base, side, &t))) {   \
                    bool ok = (PARSE);                                       \
                    valid |= (uint64_t)ok << (i - from);                     \
                    if (NB_UNLIKELY(!ok)) {                                  \
                        *at = (T){0};                                        \
                        nb_bit_set(bad, i);                                  \
                    }                                                        \
                } else {                                                     \
                    *at = (T){0};                                            \
                }                                                            \
            }                                                                \
            words[from >> 6] = valid;                                        \
            missing |= ~valid & nb_bitmap_tail_mask(n, (size_t)(from >> 6)); \
        }                                                                    \
        return keep_validity(arena, words, n, missing, out);                 \
    } while (0)

#define CONVERTER(name)                                                                        \
    static nb_status name(const nb_csv_column *col, const nb_csv_cell *cells, int64_t n,       \
                          const char *base, const char *side, nb_arena *arena, nb_vector *out, \
                          uint64_t *bad)

static nb_status
keep_validity(nb_arena *arena, const uint64_t *words, int64_t n, uint64_t missing, nb_vector *out)
{
    if (missing) {
        out->validity = nb_arena_alloc(arena, NB_BITMAP_BYTES(n));
        if (out->validity == NULL) {
            return NB_NOMEM;
        }
        memcpy(out->validity, words, NB_BITMAP_BYTES(n));
    }
    return NB_OK;
}

NB_INLINE bool
fit(const char *p, size_t n, int64_t lo, int64_t hi, int64_t *v)
{
    return parse_long(p, n, v) && *v >= lo && *v <= hi;
}

CONVERTER(to_int8)
{
    int64_t v;
    CONVERT_LOOP(int8_t, fit(t.p, t.n, INT8_MIN, INT8_MAX, &v) && (*at = (int8_t)v, true));
}

CONVERTER(to_int16)
{
    int64_t v;
    CONVERT_LOOP(int16_t, fit(t.p, t.n, INT16_MIN, INT16_MAX, &v) && (*at = (int16_t)v, true));
}

CONVERTER(to_int32)
{
    int64_t v;
    CONVERT_LOOP(int32_t, fit(t.p, t.n, INT32_MIN, INT32_MAX, &v) && (*at = (int32_t)v, true));
}

CONVERTER(to_int64)
{
    CONVERT_LOOP(int64_t, parse_long(t.p, t.n, at));
}

NB_INLINE bool
same(text t, nb_str s)
{
    return t.n == s.len && memcmp(t.p, s.data, t.n) == 0;
}

static NB_NOINLINE bool
odd_double(const nb_csv_column *col, text t, double *at)
{
    const nb_csv_options *o = col->o;

    if (same(t, o->nan_value)) {
        *at = __builtin_nan("");
        return true;
    }
    if (same(t, o->negative_inf) || same(t, o->positive_inf)) {
        *at = same(t, o->negative_inf) ? -__builtin_inf() : __builtin_inf();
        return true;
    }
    return general_double(t.p, t.n, at);
}

CONVERTER(to_double)
{
    CONVERT_LOOP(double, quick_double(t.p, t.n, at) || odd_double(col, t, at));
}

static bool
parse_float(const nb_csv_column *col, text t, float *at)
{
    uint64_t m;
    unsigned scale;
    double d;
    bool negative = t.n > 0 && *t.p == '-';

    if (nb_plain_decimal(t.p + negative, t.n - negative, &m, &scale) && m < (uint64_t)1 << 24 &&
        scale <= 10) {
        float v = (float)m / (float)NB_POW10_DOUBLE[scale]; /* both exact: one rounding */
        *at = negative ? -v : v;
        return true;
    }
    if (same(t, col->o->nan_value) || same(t, col->o->negative_inf) ||
        same(t, col->o->positive_inf)) {
        odd_double(col, t, &d);
        *at = (float)d;
        return true;
    }
    if (java_word(t.p, t.n) && nb_parse_float(t.p, t.n, at)) {
        return true;
    }
    if (hex_double(t.p, t.n, &d)) {
        *at = (float)d;
        return true;
    }
    return false;
}

CONVERTER(to_float)
{
    CONVERT_LOOP(float, parse_float(col, t, at));
}

CONVERTER(to_bool)
{
    bool v;
    CONVERT_LOOP(uint8_t, nb_str_to_bool((nb_str){t.p, t.n}, &v) && (*at = v, true));
}

/* BigDecimal of the text as its locale writes numbers, rounded HALF_UP to the type. */
static NB_NOINLINE bool
odd_decimal(const nb_csv_column *col, text t, nb_int128 *out)
{
    char plain[512];
    nb_str number = {t.p, t.n};

    if (col->o->locale != nb_locale_default() || memchr(t.p, ',', t.n) != NULL) {
        if (!nb_locale_decimal(col->o->locale, number, plain, sizeof plain, &number)) {
            return false;
        }
    }
    return nb_decimal_parse(number, col->type->precision, col->type->scale, out) == NB_DECIMAL_OK;
}

NB_INLINE bool
quick_decimal(const nb_csv_column *col, text t, int64_t *at)
{
    bool negative = t.n > 0 && *t.p == '-';
    uint64_t m;
    unsigned scale;
    nb_int128 wide;

    if (NB_LIKELY(nb_plain_decimal(t.p + negative, t.n - negative, &m, &scale) &&
                  (col->o->locale->point[0] == '.' || memchr(t.p, '.', t.n) == NULL) &&
                  (int)scale <= col->type->scale &&
                  m <=
                      (uint64_t)INT64_MAX / (uint64_t)nb_pow10_64[col->type->scale - (int)scale])) {
        m *= (uint64_t)nb_pow10_64[col->type->scale - (int)scale];
        if (NB_LIKELY(m < (uint64_t)nb_pow10_64[col->type->precision])) {
            *at = negative ? -(int64_t)m : (int64_t)m;
            return true;
        }
        return false;
    }
    if (!odd_decimal(col, t, &wide)) {
        return false;
    }
    *at = (int64_t)wide;
    return true;
}

CONVERTER(to_decimal64)
{
    CONVERT_LOOP(int64_t, quick_decimal(col, t, at));
}

CONVERTER(to_decimal128)
{
    CONVERT_LOOP(nb_int128, odd_decimal(col, t, at));
}

CONVERTER(to_date)
{
    if (col->formats->date != NULL) {
        CONVERT_LOOP(int32_t, nb_csv_read_date(col->formats, (nb_str){t.p, t.n}, at));
    }
    CONVERT_LOOP(int32_t, nb_parse_iso_date(t.p, t.n, at) ||
                              nb_csv_read_date(col->formats, (nb_str){t.p, t.n}, at));
}

CONVERTER(to_timestamp)
{
    nb_zone_cursor cursor = {.zone = col->formats->zone};
    int64_t local;

    if (col->formats->timestamp != NULL) {
        CONVERT_LOOP(int64_t, nb_csv_read_timestamp(col->formats, (nb_str){t.p, t.n}, at));
    }
    CONVERT_LOOP(int64_t, iso_timestamp(t.p, t.n, &local)
                              ? (*at = nb_zone_to_utc(&cursor, local), true)
                              : nb_csv_read_timestamp(col->formats, (nb_str){t.p, t.n}, at));
}

CONVERTER(to_timestamp_ntz)
{
    if (col->formats->timestamp_ntz != NULL) {
        CONVERT_LOOP(int64_t, nb_csv_format_timestamp_ntz(col->formats, (nb_str){t.p, t.n}, at));
    }
    CONVERT_LOOP(int64_t,
                 iso_timestamp(t.p, t.n, at) || nb_csv_default_ntz((nb_str){t.p, t.n}, at));
}

CONVERTER(to_string)
{
    CONVERT_LOOP(nb_view, (*at = nb_view_make(t.p, t.n), true));
}

/* CHAR(n) pads, both check the length; done by the cast above the scan in Spark: the reader gives plain strings. */

CONVERTER(to_null)
{
    (void)cells;
    (void)base;
    (void)side;
    (void)bad;
    return nb_vector_const_null(arena, col->type, n, out);
}

bool
nb_csv_supports(const nb_type *type)
{
    switch (nb_type_storage(type)->id) {
    case NB_TYPE_BOOL:
    case NB_TYPE_INT8:
    case NB_TYPE_INT16:
    case NB_TYPE_INT32:
    case NB_TYPE_INT64:
    case NB_TYPE_FLOAT32:
    case NB_TYPE_FLOAT64:
    case NB_TYPE_DECIMAL:
    case NB_TYPE_STRING:
    case NB_TYPE_CHAR:
    case NB_TYPE_VARCHAR:
    case NB_TYPE_BINARY:
    case NB_TYPE_DATE:
    case NB_TYPE_TIMESTAMP:
    case NB_TYPE_TIMESTAMP_NTZ: return true;
    default: return false;
    }
}

void
nb_csv_column_init(nb_csv_column *col, const nb_type *type, const nb_csv_options *o,
                   const nb_session_info *info, const nb_csv_formats *formats)
{
    static const nb_csv_convert_fn CONVERTERS[NB_N_TYPES] = {
        [NB_TYPE_BOOL] = to_bool,
        [NB_TYPE_INT8] = to_int8,
        [NB_TYPE_INT16] = to_int16,
        [NB_TYPE_INT32] = to_int32,
        [NB_TYPE_INT64] = to_int64,
        [NB_TYPE_FLOAT32] = to_float,
        [NB_TYPE_FLOAT64] = to_double,
        [NB_TYPE_DECIMAL] = to_decimal64,
        [NB_TYPE_STRING] = to_string,
        [NB_TYPE_CHAR] = to_string,
        [NB_TYPE_VARCHAR] = to_string,
        [NB_TYPE_BINARY] = to_string,
        [NB_TYPE_DATE] = to_date,
        [NB_TYPE_TIMESTAMP] = to_timestamp,
        [NB_TYPE_TIMESTAMP_NTZ] = to_timestamp_ntz,
    };
    const nb_type *storage = nb_type_storage(type);

    *col = (nb_csv_column){.type = type, .o = o, .info = info, .formats = formats};
    col->convert = CONVERTERS[storage->id] ? CONVERTERS[storage->id] : to_null;
    if (storage->id == NB_TYPE_DECIMAL && storage->phys == NB_PHYS_INT128) {
        col->convert = to_decimal128;
    }
    if (storage->id == NB_TYPE_DATE) {
        col->refused = formats->refused_date;
    } else if (storage->id == NB_TYPE_TIMESTAMP) {
        col->refused = formats->refused_timestamp;
    }
}

nb_status
nb_csv_refuse(const nb_csv_column *col, const nb_csv_cell *cells, int64_t n, const char *base,
              const char *side, nb_arena *arena, nb_error *err)
{
    const nb_datetime_format *none;
    bool dates = nb_type_storage(col->type)->id == NB_TYPE_DATE;
    int32_t days;
    int64_t us;
    text t;

    for (int64_t i = 0; i < n; i++) {
        if (cell_text(col, cells[i], base, side, &t) &&
            !(dates ? nb_csv_read_date(col->formats, (nb_str){t.p, t.n}, &days)
                    : nb_csv_read_timestamp(col->formats, (nb_str){t.p, t.n}, &us))) {
            return nb_datetime_format_new(arena, col->refused, true, nb_locale_default(), &none,
                                          err);
        }
    }
    return NB_OK;
}
