/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines.h: the lines of a split of a file, as bytes; for the text and JSON sources.
 *
 *     nb_lines_init (then set sep, whole, charset) → (nb_lines_open → nb_lines_next until none is found)* → nb_lines_free
 *
 * Lines end at \n, \r\n or \r, or at sep only. A split owns the lines that begin in it; a \r\n that lies across its end belongs to the line before.
 * Compressed files, other character sets than UTF-8, separators of several bytes and files that are read whole are not split. Memory is one
 * block, unless a line is longer.
 */
#ifndef NB_IO_LINES_H
#define NB_IO_LINES_H

#include "io/format.h"

typedef struct nb_lines {
    nb_pool *pool;
    const nb_relation *rel;
    const nb_cancel_flag *cancel;
    nb_str sep; /* data NULL: the default */
    bool whole; /* a file is one line */
    nb_charset charset;
    int64_t n_bytes; /* read since open */
    /* private */
    nb_file *file;
    nb_reader *reader;
    int64_t offset, to; /* of buf[0] in the file; end of the split */
    char *buf;
    size_t cap, len, pos;
    bool mid_file, input_end, at_start, whole_given;
} nb_lines;

void
nb_lines_init(nb_lines *l, nb_pool *pool, const nb_relation *rel, const nb_cancel_flag *cancel);
nb_status nb_lines_open(nb_lines *l, const nb_file_split *split, nb_error *err);
/* The bytes of a line without its break; they live until a call that reads a new block. *found false: the split has no more. */
nb_status nb_lines_next(nb_lines *l, nb_str *line, bool *found, nb_error *err);
/* Does the next line lie in memory already, so that reading it moves none of those before? */
bool nb_lines_ready(const nb_lines *l);
/* What lies in memory from the next line on, up to where no line of the split begins; its last line may have no end. 64 bytes behind it are readable.
 * Empty before the first line and where a file is one. Whole lines of it, n bytes with their breaks, may be taken at once. */
nb_str nb_lines_ahead(const nb_lines *l);
void nb_lines_take(nb_lines *l, size_t n);
void nb_lines_free(nb_lines *l);

bool
nb_lines_splittable(const nb_relation *rel, int file, nb_str sep, bool whole, nb_charset charset);

#endif
