/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_index.h: where the lines of a window of text end and where its quotes are, 64 bytes at a time.
 *
 *     nb_json_index_new → (nb_json_index_build → nb_json_index_line until false)* → nb_json_index_free
 *
 * A quote behind an odd number of backslashes is none. Bytes that a plain string does not have (backslashes, control characters) are marked odd. What
 * is inside of a string and what outside is not looked at: who reads a line from its beginning, and finds names and values right where the quotes are,
 * knows it (json_layout.h).
 */
#ifndef NB_EXPR_JSON_INDEX_H
#define NB_EXPR_JSON_INDEX_H

#include <stdbool.h>
#include "base/pool.h"
#include "base/str.h"

#define NB_JSON_WINDOW 32768 /* bytes, at most; they and what is found stay in the caches */

typedef struct nb_json_cut {
    uint16_t end, next; /* of a line, without its break; where the one behind it begins */
    uint16_t quotes;    /* up to its end */
} nb_json_cut;

typedef struct nb_json_index {
    const char *text;
    int n_lines, line;                          /* found; given */
    bool any_odd, any_high;                     /* any_high: a byte ≥ 0x80 somewhere */
    uint64_t odd[NB_JSON_WINDOW / 64];          /* a bit per byte */
    uint16_t quote[NB_JSON_WINDOW + 64];        /* offsets, ascending */
    nb_json_cut lines[NB_JSON_WINDOW + 64 + 1]; /* from 1 on; 0 is where the window begins */
} nb_json_index;

/* A line, and the quotes in it. */
typedef struct nb_json_line {
    nb_str text;
    const char *origin; /* the same bytes where they stay */
    const nb_json_index *index;
    const uint16_t *quote, *quote_end;
} nb_json_line;

nb_json_index *nb_json_index_new(nb_pool *pool); /* NULL when out of memory */
void nb_json_index_free(nb_json_index *ix, nb_pool *pool);
/* Of at most NB_JSON_WINDOW bytes, from the beginning of a line on; 64 bytes behind them are readable. Lines end at \n, with cr_ends at \r and \r\n as well;
 * what has no end in the window is left out. Returns the bytes of the lines found. */
size_t nb_json_index_build(nb_json_index *ix, nb_str text, bool cr_ends);

/* The next of the lines found. */
NB_INLINE bool
nb_json_index_line(nb_json_index *ix, nb_json_line *line)
{
    const nb_json_cut *cut = &ix->lines[ix->line];

    if (ix->line == ix->n_lines) {
        return false;
    }
    *line = (nb_json_line){.text = {ix->text + cut[0].next, (size_t)(cut[1].end - cut[0].next)},
                           .origin = ix->text + cut[0].next,
                           .index = ix,
                           .quote = ix->quote + cut[0].quotes,
                           .quote_end = ix->quote + cut[1].quotes};
    ix->line++;
    return true;
}

/* Is one of the bytes p[0..n) odd? They lie in the window. */
NB_INLINE bool
nb_json_index_is_odd(const nb_json_index *ix, const char *p, size_t n)
{
    size_t from = (size_t)(p - ix->text), to = from + n;

    for (size_t w = from >> 6; w << 6 < to; w++) {
        uint64_t mask = w == from >> 6 ? ~(uint64_t)0 << (from & 63) : ~(uint64_t)0;

        mask &= to - (w << 6) < 64 ? ((uint64_t)1 << (to & 63)) - 1 : ~(uint64_t)0;
        if (ix->odd[w] & mask) {
            return true;
        }
    }
    return false;
}

#endif
