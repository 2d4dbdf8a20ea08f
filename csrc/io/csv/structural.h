/* SPDX-License-Identifier: Apache-2.0 */
/*
 * structural.h: where the delimiters and line breaks of a block lie, 64 bytes at a time.
 *
 * Each 64 bytes become bit masks (delimiter, line break, quote, escape). Delimiters between an opening and a closing quote are masked out by a prefix
 * XOR over the quotes; line breaks never are (quotes do not span lines outside multiLine), they reset the state. What does not look like
 * plain RFC 4180 is marked odd: a quote that is not first in its field, a closing quote with anything but a delimiter or line break behind it, an escape
 * inside quotes, a line with an odd number of quotes. Lines with an odd bit go to the tokenizer, all others are cut by the positions found here.
 */
#ifndef NB_IO_CSV_STRUCTURAL_H
#define NB_IO_CSV_STRUCTURAL_H

#include <stdbool.h>
#include "base/pool.h"

typedef struct nb_csv_index {
    nb_pool *pool;
    uint32_t *pos;      /* offsets of delimiters and line breaks, ascending */
    uint32_t *line_end; /* of each line: position in pos of its line break */
    uint64_t *odd;      /* a bit per byte */
    size_t n_pos, n_lines;
    size_t cap; /* bytes that the arrays have room for */
    bool any_odd;
    bool any_high; /* a byte ≥ 0x80 somewhere */
} nb_csv_index;

typedef struct nb_csv_chars {
    uint8_t sep, quote, escape; /* quote 0 = none; escape equal to quote = none */
} nb_csv_chars;

/* Block p[0..n): begins at the start of a line; its last line ends in a line break. 64 bytes behind it must be readable. n < 2^31. */
nb_status nb_csv_index_build(nb_csv_index *ix, const char *p, size_t n, nb_csv_chars chars);
void nb_csv_index_free(nb_csv_index *ix);

NB_INLINE bool
nb_csv_index_is_odd(const nb_csv_index *ix, size_t from, size_t to) /* inclusive */
{
    size_t w = from >> 6, last = to >> 6;
    uint64_t mask = ~(uint64_t)0 << (from & 63);

    for (; w < last; w++, mask = ~(uint64_t)0) {
        if (ix->odd[w] & mask) {
            return true;
        }
    }
    return (ix->odd[w] & mask & (~(uint64_t)0 >> (63 - (to & 63)))) != 0;
}

/* Lines of the block that hold more than white space and do not begin with the comment character (0 = none). Same conditions as build. */
int64_t nb_csv_count_lines(const char *p, size_t n, uint8_t comment);

/* Offset of the first or last line break (\n or \r) in p[0..n), or n when there is none. */
size_t nb_csv_first_break(const char *p, size_t n);
size_t nb_csv_last_break(const char *p, size_t n);

#endif
