/* SPDX-License-Identifier: Apache-2.0 */
/*
 * records.h: a split of a file as batches of cells.
 *
 *     nb_csv_records_init → (nb_csv_records_open → nb_csv_records_next* until 0 rows)* → nb_csv_records_free
 *
 * A plain UTF-8 file is read by pread in blocks of whole lines; a split owns the lines that begin in [from, to). Compressed files, other character
 * sets and multiLine are streams: one split per file. Blocks without anything unusual are cut by the structural scan, else line by line through the tokenizer.
 * Memory is one block, unless a single record is larger: then the block grows with it, charged to the pool.
 */
#ifndef NB_IO_CSV_RECORDS_H
#define NB_IO_CSV_RECORDS_H

#include "io/csv/structural.h"
#include "io/csv/tokenizer.h"

#define NB_CSV_BLOCK (512 * 1024)

typedef struct nb_csv_records {
    /* set by init */
    nb_pool *pool;
    const nb_relation *rel;
    const nb_csv_options *o;
    const nb_cancel_flag *cancel;
    const int *need;        /* ascending positions of the wanted columns in the file */
    int n_need, n_need_max; /* may shrink between calls */
    int n_expected;         /* fields a record should have; 0 = any number will do */
    bool count_only;        /* lines are counted, not parsed */
    bool skip_header;
    nb_status (*on_header)(void *payload, struct nb_csv_records *r, const nb_csv_cell *cells, int n,
                           nb_error *err); /* may be NULL */
    void *payload;
    size_t block_bytes;
    bool one_row; /* stop after the first record */
    /* result of next */
    nb_csv_cell *cells;            /* [k * NB_BATCH_ROWS + row] */
    uint32_t *line_off, *line_len; /* raw record: text + off */
    uint64_t ragged[NB_BITMAP_WORDS(NB_BATCH_ROWS)];
    bool any_ragged;
    const char *text; /* base of cells and lines */
    /* private */
    int file_index;
    nb_file *file;
    nb_reader *reader;
    int64_t offset, to, size; /* of buf[0] in the file; end of the split; of the file */
    char *alloc, *buf;
    size_t cap, len, pos, region;
    char *fixed; /* repaired text */
    size_t fixed_cap;
    bool input_end, split_done, at_start, header_done;
    bool mid_file;   /* the split begins behind the file's first byte */
    int64_t counted; /* rows that count_only still has to hand out */
    nb_csv_index index;
    size_t line;
    bool indexed;
    nb_csv_tokenizer tok;
    int64_t bytes; /* read since open */
} nb_csv_records;

nb_status nb_csv_records_init(nb_csv_records *r, nb_pool *pool, const nb_relation *rel,
                              const nb_csv_options *o, const int *need, int n_need);
nb_status nb_csv_records_open(nb_csv_records *r, const nb_file_split *split, nb_error *err);
/* Up to NB_BATCH_ROWS records; 0: the split is done. Cells live until the next call. */
nb_status nb_csv_records_next(nb_csv_records *r, int64_t *n_rows, nb_error *err);
/* The error of a record that could not be parsed. */
nb_status nb_csv_records_raise(nb_csv_records *r, nb_csv_result result, nb_error *err);
/* Is the line blank or a comment? */
bool nb_csv_passes_over(const nb_csv_options *o, nb_str line);
void nb_csv_records_free(nb_csv_records *r);

bool nb_csv_splittable(const nb_relation *rel, const nb_csv_options *o, int file);

#endif
