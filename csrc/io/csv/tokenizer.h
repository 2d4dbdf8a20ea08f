/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tokenizer.h: one record into its fields, exactly as the parser behind Spark does it, odd quotes included.
 *
 * This is the careful way, character by character. Records without anything odd take the fast way (structural.h) and never come here.
 *
 * A cell is where a field's text lies: in the block (offset from its base), or, with NB_CELL_SIDE, in the tokenizer's side buffer when it had
 * to be built (escapes, doubled quotes).
 */
#ifndef NB_IO_CSV_TOKENIZER_H
#define NB_IO_CSV_TOKENIZER_H

#include "io/csv/options.h"

#define NB_CELL_NULL   0xFFFFFFFFu /* as len: nothing between the delimiters */
#define NB_CELL_SIDE   0x80000000u /* flag in len */
#define NB_CELL_LEN(c) ((c).len & ~NB_CELL_SIDE)
#define NB_CELL_MAX    0x7FFFFFF0u

typedef struct nb_csv_cell {
    uint32_t off, len;
} nb_csv_cell;

typedef enum nb_csv_result {
    NB_CSV_RECORD,    /* t->cells[0..n_cells) */
    NB_CSV_NOTHING,   /* the input is used up */
    NB_CSV_NEED_MORE, /* the record goes on behind `end`, and that is not the end of the input */
    NB_CSV_BAD_QUOTE, /* unescapedQuoteHandling RAISE_ERROR met one */
    NB_CSV_TOO_MANY_COLUMNS,
    NB_CSV_TOO_LONG, /* a value has more than maxCharsPerColumn characters */
    NB_CSV_NO_MEMORY,
} nb_csv_result;

typedef struct nb_csv_tokenizer {
    const nb_csv_options *o;
    nb_pool *pool;
    /* result */
    nb_csv_cell *cells;
    int n_cells, cap_cells;
    char *side; /* text of SIDE cells; grows until nb_csv_tokenizer_reset */
    size_t side_len, side_cap;
    size_t side_used; /* up to here it belongs to finished records */
    /* A record that ended inside a value (see unescaped_quote): what stands behind it begins the next one. Owned copies, for the side buffer
     * may be reset between the two. */
    nb_csv_cell *held;
    char *held_text;
    int n_held, cap_held;
    size_t cap_held_text;
    /* line breaks: code points; nl2 0 = one character. newline is what a line break is turned into */
    int32_t nl1, nl2, newline;
    /* state of the record */
    const char *p, *end, *start;
    int32_t ch, prev;
    bool unescaped, trim, normalize, skip_value, no_memory;
    bool sep_off;    /* delimiters are not looked for: see unescaped_in_value */
    bool own_breaks; /* in a plain value only the file's own line break counts */
    bool more;       /* `end` is not the end of the input */
    nb_csv_result fault;
    int row_end; /* so many cells are this record, the others begin the next one; 0 = all are this record */
    size_t value;  /* begin of the value in side */
    size_t blanks; /* trailing white space that does not count */
} nb_csv_tokenizer;

void nb_csv_tokenizer_init(nb_csv_tokenizer *t, nb_pool *pool, const nb_csv_options *o);
void nb_csv_tokenizer_free(nb_csv_tokenizer *t);
void nb_csv_tokenizer_reset(nb_csv_tokenizer *t); /* forgets the side buffer's text */
/* Looks for the line break that a multiLine file uses: the first of \n, \r\n, \r. */
void nb_csv_detect_newline(nb_csv_tokenizer *t, const char *p, size_t n);

/* One line without its line break. */
nb_csv_result nb_csv_tokenize_line(nb_csv_tokenizer *t, const char *line, size_t n);
/* The next record of a stream (multiLine), skipping empty lines and comments; *next is behind it, *begin at its first character. */
nb_csv_result nb_csv_tokenize_record(nb_csv_tokenizer *t, const char *p, const char *end,
                                     bool at_eof, const char **begin, const char **next);

#endif
