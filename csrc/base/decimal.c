/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decimal.c: arithmetic, text and doubles of 128-bit fixed-point numbers.
 *
 * Products and shifted dividends have up to 256 bits; they are kept as two unsigned halves, and divided by schoolbook
 * division over 32-bit digits (Knuth, volume 2, algorithm D). Everything that fits into 128 bits takes the compiler's division.
 */
#include "base/decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const int64_t nb_pow10_64[19] = {
    1,
    10,
    100,
    1000,
    10000,
    100000,
    1000000,
    10000000,
    100000000,
    1000000000LL,
    10000000000LL,
    100000000000LL,
    1000000000000LL,
    10000000000000LL,
    100000000000000LL,
    1000000000000000LL,
    10000000000000000LL,
    100000000000000000LL,
    1000000000000000000LL,
};

const nb_int128 nb_pow10_128[NB_DECIMAL_MAX_PRECISION + 1] = {
    (nb_int128)1LL,
    (nb_int128)10LL,
    (nb_int128)100LL,
    (nb_int128)1000LL,
    (nb_int128)10000LL,
    (nb_int128)100000LL,
    (nb_int128)1000000LL,
    (nb_int128)10000000LL,
    (nb_int128)100000000LL,
    (nb_int128)1000000000LL,
    (nb_int128)10000000000LL,
    (nb_int128)100000000000LL,
    (nb_int128)1000000000000LL,
    (nb_int128)10000000000000LL,
    (nb_int128)100000000000000LL,
    (nb_int128)1000000000000000LL,
    (nb_int128)10000000000000000LL,
    (nb_int128)100000000000000000LL,
    (nb_int128)1000000000000000000LL,
    (nb_int128)1000000000000000000LL * 10LL,
    (nb_int128)1000000000000000000LL * 100LL,
    (nb_int128)1000000000000000000LL * 1000LL,
    (nb_int128)1000000000000000000LL * 10000LL,
    (nb_int128)1000000000000000000LL * 100000LL,
    (nb_int128)1000000000000000000LL * 1000000LL,
    (nb_int128)1000000000000000000LL * 10000000LL,
    (nb_int128)1000000000000000000LL * 100000000LL,
    (nb_int128)1000000000000000000LL * 1000000000LL,
    (nb_int128)1000000000000000000LL * 10000000000LL,
    (nb_int128)1000000000000000000LL * 100000000000LL,
    (nb_int128)1000000000000000000LL * 1000000000000LL,
    (nb_int128)1000000000000000000LL * 10000000000000LL,
    (nb_int128)1000000000000000000LL * 100000000000000LL,
    (nb_int128)1000000000000000000LL * 1000000000000000LL,
    (nb_int128)1000000000000000000LL * 10000000000000000LL,
    (nb_int128)1000000000000000000LL * 100000000000000000LL,
    (nb_int128)1000000000000000000LL * 1000000000000000000LL,
    (nb_int128)1000000000000000000LL * 1000000000000000000LL * 10LL,
    (nb_int128)1000000000000000000LL * 1000000000000000000LL * 100LL,
};

typedef struct u256 {
    nb_uint128 high, low;
} u256;

static nb_uint128
magnitude(nb_int128 v)
{
    return v < 0 ? -(nb_uint128)v : (nb_uint128)v;
}

static u256
multiply_full(nb_uint128 a, nb_uint128 b)
{
    uint64_t a0 = (uint64_t)a, a1 = (uint64_t)(a >> 64), b0 = (uint64_t)b, b1 = (uint64_t)(b >> 64);
    nb_uint128 p00 = (nb_uint128)a0 * b0, p01 = (nb_uint128)a0 * b1;
    nb_uint128 p10 = (nb_uint128)a1 * b0, p11 = (nb_uint128)a1 * b1;
    nb_uint128 middle = (p00 >> 64) + (uint64_t)p01 + (uint64_t)p10;

    return (u256){.low = (middle << 64) | (uint64_t)p00,
                  .high = p11 + (p01 >> 64) + (p10 >> 64) + (middle >> 64)};
}

/* n / d; the quotient must be known to fit into 256 bits (it does), d != 0. */
static u256
divide_full(u256 n, nb_uint128 d, nb_uint128 *remainder)
{
    uint32_t u[9], v[4], q[8] = {0};
    int n_digits = 4, shift;

    if (n.high == 0) {
        *remainder = n.low % d;
        return (u256){.low = n.low / d};
    }
    if ((d >> 32) == 0) {
        nb_uint128 r = 0;
        for (int i = 7; i >= 0; i--) {
            uint32_t digit = (uint32_t)((i < 4 ? n.low : n.high) >> (32 * (i & 3)));
            r = (r << 32) | digit;
            q[i] = (uint32_t)(r / d);
            r %= d;
        }
        *remainder = r;
    } else {
        while ((uint32_t)(d >> (32 * (n_digits - 1))) == 0) {
            n_digits--;
        }
        shift = __builtin_clz((uint32_t)(d >> (32 * (n_digits - 1))));
        for (int i = 0; i < n_digits; i++) {
            v[i] = (uint32_t)((d << shift) >> (32 * i));
        }
        u[8] = shift ? (uint32_t)(n.high >> (128 - shift)) : 0;
        for (int i = 7; i >= 0; i--) {
            nb_uint128 half =
                i < 4 ? n.low << shift : (n.high << shift) | (shift ? n.low >> (128 - shift) : 0);
            u[i] = (uint32_t)(half >> (32 * (i & 3)));
        }
        for (int j = 8 - n_digits; j >= 0; j--) {
            uint64_t top = (uint64_t)u[j + n_digits] << 32 | u[j + n_digits - 1];
            uint64_t guess = top / v[n_digits - 1], rest = top % v[n_digits - 1], carry = 0;
            int64_t borrow = 0;

            while (guess >> 32 || guess * v[n_digits - 2] > (rest << 32 | u[j + n_digits - 2])) {
                guess--;
                rest += v[n_digits - 1];
                if (rest >> 32) {
                    break;
                }
            }
            for (int i = 0; i < n_digits; i++) {
                uint64_t p = guess * v[i] + carry;
                int64_t t = (int64_t)u[i + j] - borrow - (int64_t)(uint32_t)p;
                u[i + j] = (uint32_t)t;
                borrow = t < 0;
                carry = p >> 32;
            }
            int64_t t = (int64_t)u[j + n_digits] - borrow - (int64_t)carry;
            u[j + n_digits] = (uint32_t)t;
            if (t < 0) { /* one too many: add back */
                carry = 0;
                guess--;
                for (int i = 0; i < n_digits; i++) {
                    uint64_t s = (uint64_t)u[i + j] + v[i] + carry;
                    u[i + j] = (uint32_t)s;
                    carry = s >> 32;
                }
                u[j + n_digits] += (uint32_t)carry;
            }
            q[j] = (uint32_t)guess;
        }
        *remainder = 0;
        for (int i = n_digits - 1; i >= 0; i--) {
            *remainder = (*remainder << 32) | u[i];
        }
        *remainder >>= shift;
    }
    return (u256){
        .high = (nb_uint128)((uint64_t)q[7] << 32 | q[6]) << 64 | ((uint64_t)q[5] << 32 | q[4]),
        .low = (nb_uint128)((uint64_t)q[3] << 32 | q[2]) << 64 | ((uint64_t)q[1] << 32 | q[0]),
    };
}

/* Gives the magnitude its sign if it has at most `precision` digits. */
static bool
finish(u256 q, bool negative, int precision, nb_int128 *out)
{
    if (q.high != 0 || q.low >= (nb_uint128)nb_pow10_128[precision]) {
        return false;
    }
    *out = negative ? -(nb_int128)q.low : (nb_int128)q.low;
    return true;
}

/* n / d rounded HALF_UP. */
static u256
divide_rounded(u256 n, nb_uint128 d)
{
    nb_uint128 rest;
    u256 q = divide_full(n, d, &rest);

    if (rest >= d - rest) {
        q.low++;
        q.high += q.low == 0;
    }
    return q;
}

int
nb_decimal_digits(nb_int128 v)
{
    nb_uint128 m = magnitude(v);
    int n = 1;

    while (n < NB_DECIMAL_MAX_PRECISION && m >= (nb_uint128)nb_pow10_128[n]) {
        n++;
    }
    return n == NB_DECIMAL_MAX_PRECISION && m >= (nb_uint128)nb_pow10_128[n] ? n + 1 : n;
}

nb_int128
nb_decimal_round_off(nb_int128 v, int n)
{
    nb_int128 d, q, r;

    if (n <= 0) {
        return v;
    }
    if (n > NB_DECIMAL_MAX_PRECISION) {
        return 0;
    }
    d = nb_pow10_128[n];
    q = v / d;
    r = v % d;
    if (r < 0 ? -r >= d + r : r >= d - r) {
        q += v < 0 ? -1 : 1;
    }
    return q;
}

nb_int128
nb_decimal_floor_off(nb_int128 v, int n)
{
    nb_int128 d;

    if (n <= 0) {
        return v;
    }
    if (n > NB_DECIMAL_MAX_PRECISION) {
        return v < 0 ? -1 : 0;
    }
    d = nb_pow10_128[n];
    return v / d - (v % d < 0);
}

nb_int128
nb_decimal_ceil_off(nb_int128 v, int n)
{
    nb_int128 d;

    if (n <= 0) {
        return v;
    }
    if (n > NB_DECIMAL_MAX_PRECISION) {
        return v > 0 ? 1 : 0;
    }
    d = nb_pow10_128[n];
    return v / d + (v % d > 0);
}

bool
nb_decimal_rescale(nb_int128 v, int from_scale, int to_scale, int precision, nb_int128 *out)
{
    if (to_scale <= from_scale) {
        v = nb_decimal_round_off(v, from_scale - to_scale);
    } else if (v != 0) {
        int up = to_scale - from_scale;

        if (up > NB_DECIMAL_MAX_PRECISION || __builtin_mul_overflow(v, nb_pow10_128[up], &v)) {
            return false;
        }
    }
    if (!nb_decimal_fits(v, precision)) {
        return false;
    }
    *out = v;
    return true;
}

bool
nb_decimal_multiply(nb_int128 a, nb_int128 b, int drop, int precision, nb_int128 *out)
{
    u256 p;
    nb_int128 small;

    if (drop == 0 && !__builtin_mul_overflow(a, b, &small)) {
        if (!nb_decimal_fits(small, precision)) {
            return false;
        }
        *out = small;
        return true;
    }
    p = multiply_full(magnitude(a), magnitude(b));
    for (; drop > NB_DECIMAL_MAX_PRECISION; drop--) { /* only from scales beyond 38 */
        nb_uint128 rest;
        p = divide_full(p, 10, &rest);
    }
    if (drop > 0) {
        p = divide_rounded(p, (nb_uint128)nb_pow10_128[drop]);
    }
    return finish(p, (a < 0) != (b < 0), precision, out);
}

bool
nb_decimal_divide(nb_int128 a, nb_int128 b, int shift, int precision, nb_int128 *out)
{
    int first = NB_MIN(shift, NB_DECIMAL_MAX_PRECISION), second = shift - first;
    u256 n = multiply_full(magnitude(a), (nb_uint128)nb_pow10_128[first]);

    if (second > 0) {
        u256 low = multiply_full(n.low, (nb_uint128)nb_pow10_128[second]);
        u256 high = multiply_full(n.high, (nb_uint128)nb_pow10_128[second]);

        if (high.high != 0 || __builtin_add_overflow(low.high, high.low, &n.high)) {
            return false;
        }
        n.low = low.low;
    }
    return finish(divide_rounded(n, magnitude(b)), (a < 0) != (b < 0), precision, out);
}

int
nb_decimal_compare(nb_int128 a, int a_scale, nb_int128 b, int b_scale)
{
    int up = abs(a_scale - b_scale);
    nb_int128 scaled;

    if (a_scale == b_scale || (a < 0) != (b < 0)) {
        return (a > b) - (a < b);
    }
    if (a_scale < b_scale) {
        /* a product that does not fit is larger than anything: its sign decides */
        if (up > NB_DECIMAL_MAX_PRECISION || __builtin_mul_overflow(a, nb_pow10_128[up], &scaled)) {
            return a == 0 ? (0 > b) - (0 < b) : a < 0 ? -1 : 1;
        }
        return (scaled > b) - (scaled < b);
    }
    return -nb_decimal_compare(b, b_scale, a, a_scale);
}

/* ---- text --------------------------------------------------------------------------------------------------------- */

typedef struct digits {
    bool negative;
    nb_int128 value; /* the first 38 significant digits or fewer */
    int n_digits;    /* significant ones in value */
    bool more;       /* digits were cut off behind them */
    char next;       /* the first one that was cut */
    int64_t scale;   /* of value */
} digits;

static bool
scan(nb_str s, digits *d)
{
    size_t i = 0;
    bool any = false, point = false;
    int64_t exponent = 0;

    *d = (digits){.next = '0'};
    if (i < s.len && (s.data[i] == '-' || s.data[i] == '+')) {
        d->negative = s.data[i++] == '-';
    }
    for (; i < s.len; i++) {
        char c = s.data[i];

        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9') {
            break;
        }
        any = true;
        if (d->n_digits < NB_DECIMAL_MAX_PRECISION) {
            d->value = d->value * 10 + (c - '0');
            d->n_digits += d->value != 0;
            d->scale += point;
        } else {
            if (!d->more) {
                d->next = c;
            }
            d->more = true;
            d->scale -= !point;
        }
    }
    if (!any) {
        return false;
    }
    if (i < s.len && (s.data[i] == 'e' || s.data[i] == 'E')) {
        nb_str e = {s.data + i + 1, s.len - i - 1};

        if (!nb_str_to_int64(e, &exponent) || exponent > INT32_MAX || exponent < INT32_MIN) {
            return false;
        }
        i = s.len;
    }
    d->scale -= exponent;
    return i == s.len;
}

nb_decimal_parsed
nb_decimal_parse(nb_str s, int precision, int scale, nb_int128 *out)
{
    digits d;
    nb_int128 v;

    if (!scan(s, &d)) {
        return NB_DECIMAL_MALFORMED;
    }
    v = d.value;
    if (d.more && d.scale <= scale) {
        /* 38 digits and more wanted: only the rounding of the first cut digit is left */
        if (d.scale < scale) {
            return NB_DECIMAL_OVERFLOW;
        }
        v += d.next >= '5';
    }
    if (d.scale - scale > NB_DECIMAL_MAX_PRECISION) {
        v = 0;
    } else if (v != 0 && scale - d.scale > NB_DECIMAL_MAX_PRECISION) {
        return NB_DECIMAL_OVERFLOW;
    } else if (v != 0 && !nb_decimal_rescale(v, (int)d.scale, scale, precision, &v)) {
        return NB_DECIMAL_OVERFLOW;
    }
    *out = d.negative ? -v : v;
    return NB_DECIMAL_OK;
}

nb_decimal_parsed
nb_decimal_parse_exact(nb_str s, nb_int128 *out, int *precision, int *scale)
{
    digits d;

    if (!scan(s, &d)) {
        return NB_DECIMAL_MALFORMED;
    }
    if (d.scale < 0) { /* 1E3: whole numbers have scale 0 */
        if (d.value != 0 &&
            (d.more || -d.scale > NB_DECIMAL_MAX_PRECISION ||
             !nb_decimal_rescale(d.value, (int)d.scale, 0, NB_DECIMAL_MAX_PRECISION, &d.value))) {
            return NB_DECIMAL_OVERFLOW;
        }
        d.scale = 0;
        d.n_digits = nb_decimal_digits(d.value);
    }
    if (d.more || d.scale > NB_DECIMAL_MAX_PRECISION) {
        return NB_DECIMAL_OVERFLOW;
    }
    *out = d.negative ? -d.value : d.value;
    *scale = (int)d.scale;
    *precision = NB_MAX(NB_MAX(d.n_digits, *scale), 1);
    return NB_DECIMAL_OK;
}

/* Digits of m, the last one first; returns how many. */
static int
reverse_digits(nb_uint128 m, char *out)
{
    int n = 0;

    do {
        uint64_t part = (uint64_t)(m % 1000000000000000000u);
        bool last;

        m /= 1000000000000000000u;
        last = m == 0;
        for (int i = 0; i < 18 && !(last && part == 0); i++) {
            out[n++] = (char)('0' + part % 10);
            part /= 10;
        }
    } while (m != 0);
    if (n == 0) {
        out[n++] = '0';
    }
    return n;
}

size_t
nb_decimal_format(nb_int128 v, int scale, char *out)
{
    char reversed[NB_DECIMAL_CHARS];
    int n = reverse_digits(magnitude(v), reversed);
    size_t len = 0;

    for (; scale < 0 && n < NB_DECIMAL_CHARS - 4 && v != 0; scale++) {
        memmove(reversed + 1, reversed, (size_t)n++);
        reversed[0] = '0';
    }
    while (n <= scale) {
        reversed[n++] = '0';
    }
    if (v < 0) {
        out[len++] = '-';
    }
    while (n > 0) {
        if (n == scale) {
            out[len++] = '.';
        }
        out[len++] = reversed[--n];
    }
    out[len] = 0;
    return len;
}

size_t
nb_decimal_format_sci(nb_int128 v, int scale, char *out)
{
    char reversed[NB_DECIMAL_CHARS];
    int n = reverse_digits(magnitude(v), reversed);
    int adjusted = n - 1 - scale;
    size_t len = 0;

    if (scale >= 0 && adjusted >= -6) {
        return nb_decimal_format(v, scale, out);
    }
    if (v < 0) {
        out[len++] = '-';
    }
    out[len++] = reversed[--n];
    if (n > 0) {
        out[len++] = '.';
    }
    while (n > 0) {
        out[len++] = reversed[--n];
    }
    if (adjusted != 0) {
        len += (size_t)snprintf(out + len, NB_DECIMAL_CHARS - len, "E%+d", adjusted);
    }
    out[len] = 0;
    return len;
}

double
nb_decimal_to_double(nb_int128 v, int scale)
{
    nb_uint128 m = magnitude(v);
    char text[NB_DECIMAL_CHARS + 8];
    size_t n;

    /* both exact as doubles: one correctly rounded division */
    if (m <= ((nb_uint128)1 << 53) && scale >= 0 && scale <= 22) {
        static const double POWERS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                        1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                        1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
        return (double)(int64_t)v / POWERS[scale];
    }
    n = nb_decimal_format(v, 0, text);
    snprintf(text + n, sizeof(text) - n, "e%d", -scale);
    return strtod(text, NULL);
}

bool
nb_decimal_from_double(double d, int precision, int scale, nb_int128 *out)
{
    char text[40];

    if (!isfinite(d)) {
        return false;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*e", digits - 1, d);
        if (digits == 17 || strtod(text, NULL) == d) {
            break;
        }
    }
    return nb_decimal_parse(nb_str_of(text), precision, scale, out) == NB_DECIMAL_OK;
}
