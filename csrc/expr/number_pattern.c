/* SPDX-License-Identifier: Apache-2.0 */
/*
 * number_pattern.c: patterns of numbers: read, checked, written by and read by.
 *
 * A pattern is cut into tokens; neighbouring digits and separators make one group, whose runs are compared from the right, as people write
 * numbers. Spark judges a pattern in a fixed order (check below), and the first complaint is the one it raises. Cases:
 * tests/data/oracle/functions/numbers.txt.
 */
#include "expr/number_pattern.h"
#include "base/ascii.h"

typedef enum token_kind {
    T_GROUP, /* digits and separators */
    T_POINT,
    T_DOLLAR,
    T_SIGN,  /* S */
    T_MINUS, /* MI */
    T_OPEN,  /* the angle before a negative number: PR puts it at the front */
    T_CLOSE, /* PR */
    T_UNKNOWN
} token_kind;

typedef struct token {
    token_kind kind;
    int64_t from, n; /* GROUP: runs; UNKNOWN: from is where its character stands */
} token;

/* A run of digits, or one separator. */
typedef struct run {
    int64_t n; /* digits; 0: a separator */
    bool exact;
} run;

struct nb_number_pattern {
    token *tokens;
    run *runs;
    int64_t n_tokens, n_runs;
    int64_t whole, fraction; /* digits before and behind the point */
    nb_str text;
};

static const char *const TOKEN_TEXT[] = {"digit sequence", ". or D", "$", "S", "MI", "PR", "PR"};

static void
add_token(nb_number_pattern *p, token_kind kind, size_t at)
{
    p->tokens[p->n_tokens++] = (token){kind, (int64_t)at, 0};
}

static void
add_run(nb_number_pattern *p, run r)
{
    if (p->n_tokens == 0 || p->tokens[p->n_tokens - 1].kind != T_GROUP) {
        add_token(p, T_GROUP, (size_t)p->n_runs);
    }
    p->tokens[p->n_tokens - 1].n++;
    p->runs[p->n_runs++] = r;
}

/* Cuts the text into tokens. Each character makes at most one, PR two: one at the front. */
static void
tokenize(nb_number_pattern *p)
{
    nb_str s = p->text;
    bool behind = false;
    int64_t n_open = 0;

    for (size_t i = 0; i < s.len;) {
        char c = s.data[i], next = 0;
        size_t from = i++;

        if (i < s.len) {
            next = s.data[i];
        }
        switch (c) {
        case '0':
        case '9':
            while (i < s.len && (s.data[i] == '0' || s.data[i] == '9')) {
                i++;
            }
            *(behind ? &p->fraction : &p->whole) += (int64_t)(i - from);
            add_run(p, (run){(int64_t)(i - from), c == '0' && !behind});
            break;
        case ',':
        case 'G': add_run(p, (run){0, false}); break;
        case '.':
        case 'D':
            add_token(p, T_POINT, from);
            behind = true;
            break;
        case '$': add_token(p, T_DOLLAR, from); break;
        case 'S': add_token(p, T_SIGN, from); break;
        default:
            if (c == 'M' && next == 'I') {
                add_token(p, T_MINUS, from);
                i++;
            } else if (c == 'P' && next == 'R') {
                add_token(p, T_CLOSE, from);
                n_open++;
                i++;
            } else {
                add_token(p, T_UNKNOWN, from);
                /* one character, however many bytes it takes */
                while (i < s.len && ((unsigned char)s.data[i] & 0xC0) == 0x80) {
                    i++;
                }
            }
            break;
        }
    }
    if (n_open > 0) {
        memmove(p->tokens + n_open, p->tokens, (size_t)p->n_tokens * sizeof(token));
        for (int64_t i = 0; i < n_open; i++) {
            p->tokens[i] = (token){T_OPEN, 0, 0};
        }
        p->n_tokens += n_open;
    }
}

static nb_status
refuse(nb_arena *arena, nb_condition cond, const nb_number_pattern *p, const char *token,
       nb_error *err)
{
    return nb_raise(
        err, cond, "format",
        nb_arena_printf(arena, "'%.*s'", (int)NB_MIN(p->text.len, (size_t)1000), p->text.data),
        "token", token, NULL);
}

static int64_t
first_of(const nb_number_pattern *p, token_kind kind)
{
    for (int64_t i = 0; i < p->n_tokens; i++) {
        if (p->tokens[i].kind == kind) {
            return i;
        }
    }
    return -1;
}

/* Does each separator of the group stand between digits? */
static bool
separators_are_inside(const nb_number_pattern *p, const token *group)
{
    const run *r = p->runs + group->from;

    for (int64_t i = 0; i < group->n; i++) {
        if (r[i].n == 0 && (i == 0 || i + 1 == group->n || r[i - 1].n == 0 || r[i + 1].n == 0)) {
            return false;
        }
    }
    return true;
}

static bool
has_separator(const nb_number_pattern *p, const token *group)
{
    for (int64_t i = 0; i < group->n; i++) {
        if (p->runs[group->from + i].n == 0) {
            return true;
        }
    }
    return false;
}

/* The order of tokens: at each place at most one of a set. */
static const unsigned PLACES[] = {
    1U << T_OPEN,   1U << T_MINUS | 1U << T_SIGN,
    1U << T_DOLLAR, 1U << T_GROUP,
    1U << T_POINT,  1U << T_GROUP,
    1U << T_DOLLAR, 1U << T_MINUS | 1U << T_SIGN | 1U << T_CLOSE,
};

/* Refuses what Spark refuses, in its order. */
static nb_status
check(nb_arena *arena, const nb_number_pattern *p, nb_error *err)
{
    static const token_kind ONCE[] = {T_POINT, T_SIGN, T_MINUS, T_DOLLAR, T_CLOSE};
    int64_t digits = first_of(p, T_GROUP), dollar = first_of(p, T_DOLLAR);
    int64_t point = first_of(p, T_POINT), at = 0;

    if (p->text.len == 0) {
        return refuse(arena, NB_COND_INVALID_FORMAT_EMPTY, p, "", err);
    }
    if (digits < 0) {
        return refuse(arena, NB_COND_INVALID_FORMAT_WRONG_NUM_DIGIT, p, "", err);
    }
    if (dollar > digits) {
        return refuse(arena, NB_COND_INVALID_FORMAT_CUR_MUST_BEFORE_DIGIT, p, "", err);
    }
    if (point >= 0 && dollar > point) {
        return refuse(arena, NB_COND_INVALID_FORMAT_CUR_MUST_BEFORE_DEC, p, "", err);
    }
    for (int64_t i = point; point >= 0 && i < p->n_tokens; i++) {
        if (p->tokens[i].kind == T_GROUP && has_separator(p, &p->tokens[i])) {
            return refuse(arena, NB_COND_INVALID_FORMAT_THOUSANDS_SEPS_MUST_BEFORE_DEC, p, "", err);
        }
    }
    for (int64_t i = 0; i < p->n_tokens; i++) {
        if (p->tokens[i].kind == T_GROUP && !separators_are_inside(p, &p->tokens[i])) {
            return refuse(arena, NB_COND_INVALID_FORMAT_CONT_THOUSANDS_SEPS, p, "", err);
        }
    }
    for (size_t k = 0; k < NB_COUNT_OF(ONCE); k++) {
        int64_t count = 0;

        for (int64_t i = 0; i < p->n_tokens; i++) {
            count += p->tokens[i].kind == ONCE[k];
        }
        if (count > 1) {
            return refuse(arena, NB_COND_INVALID_FORMAT_WRONG_NUM_TOKEN, p, TOKEN_TEXT[ONCE[k]],
                          err);
        }
    }
    for (size_t k = 0; k < NB_COUNT_OF(PLACES) && at < p->n_tokens; k++) {
        at += (PLACES[k] >> p->tokens[at].kind) & 1;
    }
    if (at < p->n_tokens) {
        const token *t = &p->tokens[at];
        const char *name;

        if (t->kind == T_UNKNOWN) {
            size_t n = 1, from = (size_t)t->from;

            while (from + n < p->text.len &&
                   ((unsigned char)p->text.data[from + n] & 0xC0) == 0x80) {
                n++;
            }
            name = nb_arena_printf(arena, "character '%.*s''", (int)n, p->text.data + from);
            if (name == NULL) {
                return NB_NOMEM;
            }
        } else {
            name = TOKEN_TEXT[t->kind];
        }
        return refuse(arena, NB_COND_INVALID_FORMAT_UNEXPECTED_TOKEN, p, name, err);
    }
    return NB_OK;
}

nb_status
nb_number_pattern_new(nb_arena *arena, nb_str text, const nb_number_pattern **out, nb_error *err)
{
    nb_number_pattern *p = NB_ARENA_NEW(arena, nb_number_pattern);
    char *copy = nb_arena_strdup(arena, text);

    if (p == NULL || copy == NULL) {
        return NB_NOMEM;
    }
    for (size_t i = 0; i < text.len; i++) {
        copy[i] = (char)(copy[i] >= 'a' && copy[i] <= 'z' ? copy[i] - 32 : copy[i]);
    }
    p->text = (nb_str){copy, text.len};
    p->tokens = nb_arena_alloc(arena, (text.len + 1) * sizeof(token));
    p->runs = nb_arena_alloc(arena, (text.len + 1) * sizeof(run));
    if (p->tokens == NULL || p->runs == NULL) {
        return NB_NOMEM;
    }
    tokenize(p);
    NB_TRY(check(arena, p, err));
    *out = p;
    return NB_OK;
}

nb_str
nb_number_pattern_text(const nb_number_pattern *p)
{
    return p->text;
}

int64_t
nb_number_pattern_precision(const nb_number_pattern *p)
{
    return p->whole + p->fraction;
}

int64_t
nb_number_pattern_scale(const nb_number_pattern *p)
{
    return p->fraction;
}

/* ---- writing ------------------------------------------------------------------------------------------------------------------ */

typedef struct writing {
    const nb_number_pattern *p;
    nb_strbuf *out;
    size_t start; /* of this number in out */
    bool negative, over, behind;
    const char *
        digits; /* of the whole part without leading zeros, then of the fraction without trailing ones */
    int n_whole, n_fraction;
    int64_t place; /* digits of the pattern that have been passed on this side of the point */
    char waiting
        [3]; /* an angle and a sign that stand before the first character that is no space, or behind the first group */
} writing;

static void
put_waiting(writing *w)
{
    nb_strbuf_adds(w->out, w->waiting);
    w->waiting[0] = 0;
}

static void
put(writing *w, char c)
{
    if (c != ' ') {
        put_waiting(w);
    }
    nb_strbuf_addc(w->out, c);
}

static char
last_char(const writing *w)
{
    return w->out->failed || w->out->len == w->start ? 0 : w->out->data[w->out->len - 1];
}

static void
put_group(writing *w, const token *group)
{
    const nb_number_pattern *p = w->p;

    for (int64_t i = 0; i < group->n; i++) {
        const run *r = &p->runs[group->from + i];

        if (r->n == 0) {
            put(w, nb_is_digit(last_char(w)) ? ',' : ' ');
        }
        for (int64_t k = 0; k < r->n; k++, w->place++) {
            int64_t at = w->behind ? w->place : w->place - (p->whole - w->n_whole);
            char c;

            if (w->over) {
                c = '#';
            } else if (w->behind) {
                c = at < w->n_fraction ? w->digits[w->n_whole + at] : '0';
            } else if (at >= 0) {
                c = w->digits[at];
            } else {
                c = r->exact ? '0' : ' ';
            }
            put(w, c);
        }
    }
    put_waiting(w);
}

static void
put_point(writing *w)
{
    char last = last_char(w);

    w->behind = true;
    w->place = 0;
    if (last == ' ') {
        w->out->len--;
        put(w, '0');
    }
    put(w, w->p->fraction > 0 ? '.' : ' ');
}

/* At the end of a number, before the spaces that end it. */
static void
put_behind(writing *w, char c)
{
    size_t n = 0;

    if (w->out->failed) {
        return;
    }
    while (w->out->len - n > w->start && w->out->data[w->out->len - n - 1] == ' ') {
        n++;
    }
    w->out->len -= n;
    nb_strbuf_addc(w->out, c);
    nb_strbuf_fill(w->out, ' ', n);
}

static void
put_sign(writing *w, char c)
{
    if (w->place > 0 || w->behind) {
        put_behind(w, c);
    } else if (c == ' ') {
        nb_strbuf_addc(w->out, c);
    } else {
        w->waiting[strlen(w->waiting)] = c; /* at most an angle and a sign come before the digits */
    }
}

static void
put_tokens(writing *w)
{
    for (int64_t i = 0; i < w->p->n_tokens; i++) {
        const token *t = &w->p->tokens[i];

        switch (t->kind) {
        case T_GROUP: put_group(w, t); break;
        case T_POINT: put_point(w); break;
        case T_DOLLAR: put(w, '$'); break;
        case T_SIGN: put_sign(w, w->negative ? '-' : '+'); break;
        case T_MINUS: put_sign(w, w->negative ? '-' : ' '); break;
        case T_OPEN: w->waiting[0] = w->negative ? '<' : 0; break;
        case T_CLOSE:
            put_behind(w, w->negative ? '>' : ' ');
            nb_strbuf_adds(w->out, w->negative ? "" : " ");
            break;
        case T_UNKNOWN: break;
        }
    }
}

void
nb_number_pattern_write(const nb_number_pattern *p, nb_int128 x, int scale, nb_strbuf *out)
{
    char digits[48];
    nb_uint128 u = x < 0 ? -(nb_uint128)x : (nb_uint128)x;
    int from = (int)sizeof(digits), n_digits = 0;
    writing w = {.p = p, .out = out, .start = out->len, .negative = x < 0, .n_fraction = scale};

    while (u || n_digits < scale) {
        digits[--from] = (char)('0' + (int)(u % 10));
        u /= 10;
        n_digits++;
    }
    for (int end = (int)sizeof(digits); w.n_fraction > 0 && digits[end - 1] == '0'; end--) {
        w.n_fraction--;
    }
    w.digits = digits + from;
    w.n_whole = n_digits - scale;
    w.over = w.n_whole > p->whole || w.n_fraction > p->fraction;
    put_tokens(&w);
}

/* ---- reading ------------------------------------------------------------------------------------------------------------------ */

typedef struct reading {
    const nb_number_pattern *p;
    nb_str s;
    size_t at;
    nb_int128 x;
    int n_digits, n_behind; /* in x; behind the point among them */
    bool behind;            /* a point has been read */
} reading;

static bool
is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1C && c <= 0x1F);
}

/* The length of the last run of digits before `end`, which moves to the separator before it or to `from`. Spaces count for nothing. */
static int64_t
run_before(nb_str s, size_t from, size_t *end)
{
    int64_t n = 0;

    for (; *end > from && s.data[*end - 1] != ','; --*end) {
        n += nb_is_digit(s.data[*end - 1]);
    }
    return n;
}

/* Digits, separators and spaces as far as they go; their runs must fit those of the group, from the right. */
static bool
read_group(reading *r, const token *group)
{
    size_t from = r->at, end;
    bool more = true; /* runs of the text */

    for (; r->at < r->s.len; r->at++) {
        char c = r->s.data[r->at];

        if (nb_is_digit(c)) {
            if (r->n_digits >= NB_DECIMAL_MAX_PRECISION) {
                return false;
            }
            r->x = r->x * 10 + (c - '0');
            r->n_digits++;
            r->n_behind += r->behind;
        } else if (c != ',' && !is_blank(c)) {
            break;
        }
    }
    end = r->at;
    for (int64_t i = group->n - 1; i >= 0; i--) {
        const run *want = &r->p->runs[group->from + i];
        int64_t have = 0;

        if (want->n == 0) {
            continue;
        }
        if (more) {
            have = run_before(r->s, from, &end);
            more = end > from;
            end -= more;
        }
        if (have > want->n || (want->exact && have != want->n)) {
            return false;
        }
    }
    return !more;
}

static bool
read_tokens(reading *r, bool *negative)
{
    bool angle = false;

    for (int64_t i = 0; i < r->p->n_tokens; i++) {
        char c = r->at < r->s.len ? r->s.data[r->at] : 0;

        switch (r->p->tokens[i].kind) {
        case T_GROUP:
            if (!read_group(r, &r->p->tokens[i])) {
                return false;
            }
            break;
        case T_POINT:
            r->behind = c == '.';
            r->at += r->behind;
            break;
        case T_DOLLAR:
            if (c != '$') {
                return false;
            }
            r->at++;
            break;
        case T_SIGN:
        case T_MINUS:
            if (c == '-' || (c == '+' && r->p->tokens[i].kind == T_SIGN)) {
                *negative |= c == '-';
                r->at++;
            }
            break;
        case T_OPEN:
            angle = c == '<';
            *negative = angle;
            r->at += angle;
            break;
        case T_CLOSE:
            if (angle != (c == '>')) {
                return false;
            }
            r->at += angle;
            break;
        case T_UNKNOWN: return false;
        }
    }
    return r->at == r->s.len;
}

nb_number_read
nb_number_pattern_read(const nb_number_pattern *p, nb_str s, nb_int128 *out)
{
    reading r = {.p = p, .s = s};
    bool negative = false;
    int more;

    if (!read_tokens(&r, &negative) || r.n_digits == 0) {
        return NB_NUMBER_MISMATCH;
    }
    /* Without a point in the text, a pattern that begins with one takes its digits for whole ones. */
    if (!r.behind && r.x >= nb_pow10_128[p->whole]) {
        return NB_NUMBER_OUT_OF_RANGE;
    }
    more = (int)p->fraction - r.n_behind;
    *out = (negative ? -r.x : r.x) * nb_pow10_128[more];
    return NB_NUMBER_OK;
}
