/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_layout.h: reading objects that look like those before, without looking at each byte.
 *
 * Records name their fields in the same order nearly always, though some may be missing. A layout holds these names as they are written, from the quote to
 * the white space behind the colon. A line is walked from name to name by the quotes that an index found: where exactly the bytes of a known name
 * stand at its place, a string ends at the quote behind the next one, and a number where the comma before the next name is. Only what lies so is given; the
 * reader checks the values, and with that the line is known to be what a careful parser would have found (its quotes are the real ones by induction:
 * up to each name all is accounted for). Anything else, be it well-formed or not, is lost: it is for the careful parser.
 *
 *     nb_json_walk_begin → nb_json_walk_next until it is not NB_JSON_STEP; nb_json_walk_ended behind what was read from nb_json_walk_cursor
 *     after a line that was lost: nb_json_layout_learn
 */
#ifndef NB_EXPR_JSON_LAYOUT_H
#define NB_EXPR_JSON_LAYOUT_H

#include "expr/json.h"
#include "expr/json_index.h"
#include "expr/number_quick.h"

#define NB_JSON_LAYOUT_FIELDS 512 /* at most; records of more are read carefully */
#define NB_JSON_LAYOUT_CREDIT 64
#define NB_JSON_LAYOUT_NAME   64 /* bytes of a name with its quotes, colon and white space, at most */

typedef struct nb_json_layout_field {
    uint64_t head[2], mask[2]; /* the first 16 bytes of text, and which of them count */
    uint64_t tail[2];          /* its last 16 bytes, if it has more */
    uint16_t len, name_len;
    int field; /* what the reader makes of it; NB_JSON_UNRESOLVED until it has */
    char text[NB_JSON_LAYOUT_NAME];
} nb_json_layout_field;

#define NB_JSON_UNRESOLVED (-2)

typedef struct nb_json_layout {
    nb_json_layout_field *fields;
    int n;   /* behind them stands one that nothing is like */
    int gap; /* bytes between a comma and the quote of the name behind it, at most 2 */
    uint32_t between,
        between_mask; /* all of these, from the comma to the quote, and which of the four bytes count */
    int credit;       /* what it gains by lines that fit, and loses by others */
    int asleep;       /* lines until it is tried again */
} nb_json_layout;

#define NB_JSON_LAYOUT_BYTES ((NB_JSON_LAYOUT_FIELDS + 1) * sizeof(nb_json_layout_field))

/* memory: NB_JSON_LAYOUT_BYTES, borrowed; may be NULL, as the layout's fields are then. */
void nb_json_layout_init(nb_json_layout *l, void *memory);
/* Takes in the names of a line that was lost. The reader resolves those that are new. */
void nb_json_layout_learn(nb_json_layout *l, nb_str line, const nb_json *how);

/* The name itself. */
NB_INLINE nb_str
nb_json_layout_name(const nb_json_layout_field *f)
{
    return (nb_str){f->text + 1, f->name_len};
}

/* Behind the value at the cursor; NULL when it is malformed. */
const char *nb_json_skip_from(nb_json j);

/* Is the layout worth a try? Records without an order would only cost twice. */
NB_INLINE bool
nb_json_layout_awake(nb_json_layout *l)
{
    if (NB_UNLIKELY(l->asleep > 0)) {
        l->asleep--;
        return false;
    }
    return true;
}

NB_INLINE void
nb_json_layout_fits(nb_json_layout *l)
{
    l->credit += l->credit < NB_JSON_LAYOUT_CREDIT;
}

typedef enum nb_json_step { NB_JSON_STEP, NB_JSON_DONE, NB_JSON_LOST } nb_json_step;

typedef struct nb_json_walk {
    const nb_json_layout_field *at, *end; /* the next that may come */
    const char *text;                     /* of the window */
    const char *line, *line_end, *origin;
    const uint16_t *quote, *quote_end;
    const nb_json_index *index;
    uint32_t between, between_mask;
    int gap; /* bytes between a comma and the quote */
    bool last;
    /* a value: */
    const nb_json_layout_field *field;
    const char *from, *to; /* its bytes, a string's with the quotes; of a nested value only from */
    bool nested;
} nb_json_walk;

/* false: lost. */
NB_INLINE bool
nb_json_walk_begin(nb_json_walk *w, const nb_json_layout *l, const nb_json_line *line)
{
    *w = (nb_json_walk){.at = l->fields,
                        .end = l->fields + l->n,
                        .text = line->index->text,
                        .line = line->text.data,
                        .line_end = line->text.data + line->text.len,
                        .origin = line->origin,
                        .quote = line->quote,
                        .quote_end = line->quote_end,
                        .index = line->index,
                        .between = l->between,
                        .between_mask = l->between_mask,
                        .gap = l->gap};
    return line->quote_end - line->quote >= 2 && *line->text.data == '{' &&
           w->text + *w->quote == line->text.data + 1;
}

NB_INLINE bool
nb_json_layout_is(const nb_json_layout_field *f, const char *p)
{
    uint64_t a, b;

    memcpy(&a, p, 8);
    memcpy(&b, p + 8, 8);
    if ((((a ^ f->head[0]) & f->mask[0]) | ((b ^ f->head[1]) & f->mask[1])) != 0) {
        return false;
    }
    if (f->len <= 16) {
        return true;
    }
    if (f->len > 32) {
        return memcmp(p + 16, f->text + 16, f->len - (size_t)16) == 0;
    }
    memcpy(&a, p + f->len - 16, 8);
    memcpy(&b, p + f->len - 8, 8);
    return a == f->tail[0] && b == f->tail[1];
}

/* Notes where the value ends: with the comma before the next name, or the brace behind the last. false: lost. */
NB_INLINE bool
nb_json_walk_ends(nb_json_walk *w, const char *to)
{
    uint32_t behind;

    w->to = to;
    memcpy(&behind, to, 4);
    if (NB_LIKELY((behind & w->between_mask) == w->between)) {
        return true; /* so that the quote there is the next one of the line */
    }
    w->last = true;
    return *to == '}' && w->quote >= w->quote_end;
}

/* Where a byte of the line stays. */
NB_INLINE const char *
nb_json_walk_origin(const nb_json_walk *w, const char *p)
{
    return w->origin + (p - w->line);
}

/* A value was read by the careful parser, to there (NULL: it is malformed). Is that where it should end? Quotes in nested values are passed over. */
NB_INLINE bool
nb_json_walk_ended(nb_json_walk *w, const char *to)
{
    if (to == NULL) {
        return false;
    }
    to = w->line + (to - w->origin);
    if (!w->nested) {
        return to == w->to;
    }
    while (w->quote < w->quote_end && w->text + *w->quote < to) {
        w->quote++;
    }
    return nb_json_walk_ends(w, to);
}

NB_INLINE nb_json_step
nb_json_walk_next(nb_json_walk *w)
{
    const char *name, *to;

    if (w->last) {
        return NB_JSON_DONE;
    }
    name = w->text + *w->quote;
    while (NB_UNLIKELY(!nb_json_layout_is(w->at, name))) {
        if (w->at == w->end) {
            return NB_JSON_LOST;
        }
        w->at++;
    }
    w->field = w->at++;
    w->from = name + w->field->len;
    if (*w->from == '"') {
        if (NB_UNLIKELY(w->quote_end - w->quote < 4)) {
            return NB_JSON_LOST;
        }
        to = w->text + w->quote[3] + 1;
        w->quote += 4;
        w->nested = false;
    } else {
        w->quote += 2;
        w->nested = (*w->from | 0x20) == '{'; /* or '[' */
        if (NB_UNLIKELY(w->nested)) {
            w->to = w->from;
            return NB_JSON_STEP;
        }
        to = w->quote < w->quote_end ? w->text + *w->quote - 1 - w->gap : w->line_end - 1;
    }
    return nb_json_walk_ends(w, to) ? NB_JSON_STEP : NB_JSON_LOST;
}

/* Is the string a plain one, that is, all between its quotes? */
NB_INLINE bool
nb_json_walk_is_plain(const nb_json_walk *w)
{
    return NB_LIKELY(!w->index->any_odd) ||
           !nb_json_index_is_odd(w->index, w->from, (size_t)(w->to - w->from));
}

/* Are these bytes a short number without exponent, by JSON's grammar? *point is where its point is behind digits, or n when there is none. */
NB_INLINE bool
nb_json_number_at(const char *from, const char *to, bool *negative, const char **digits, size_t *n,
                  size_t *point)
{
    *negative = *from == '-';
    *digits = from + *negative;
    *n = (size_t)(to - *digits);
    return *n - 1 < 16 && nb_is_plain_number(*digits, *n, point) &&
           (**digits != '0' || *point == 1);
}

/* A cursor at the value where it stays, for the careful parser. */
NB_INLINE nb_json
nb_json_walk_cursor(const nb_json_walk *w, const nb_json *how)
{
    nb_json j = *how;

    j.p = nb_json_walk_origin(w, w->from);
    j.end = nb_json_walk_origin(w, w->line_end);
    j.depth = 1;
    return j;
}

/* The value is one that nobody wants: is it well-formed, and does it end where it should? */
NB_INLINE bool
nb_json_walk_skip(nb_json_walk *w, const nb_json *how)
{
    bool negative;
    const char *digits;
    size_t n, point;

    if (*w->from == '"' ? nb_json_walk_is_plain(w)
                        : nb_json_number_at(w->from, w->to, &negative, &digits, &n, &point)) {
        return true;
    }
    return nb_json_walk_ended(w, nb_json_skip_from(nb_json_walk_cursor(w, how)));
}

#endif
