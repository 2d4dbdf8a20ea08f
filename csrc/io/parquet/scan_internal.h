/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan_internal.h: what scan.c (the source) and choose.c (which rows of a row group are wanted) share.
 *
 * A *slot* is a column of the relation that the scan has to do with: because it is asked for, or because a filter or probe reads it.
 */
#ifndef NB_IO_PARQUET_SCAN_INTERNAL_H
#define NB_IO_PARQUET_SCAN_INTERNAL_H

#include "column/key_filter.h"
#include "io/file_source.h"
#include "io/parquet/nested.h"
#include "io/parquet/parquet.h"
#include "io/parquet/prune.h"
#include "io/parquet/reader.h"

typedef struct nb_pq_filter {
    nb_expr *e;
    bool applied;
    int slot;   /* the only column it reads; -1: several */
    int *slots; /* all of them */
    int n_slots;
    bool has_range; /* no row outside of it passes; in the stored unit */
    int64_t low, high;
    nb_pq_test test; /* for what the file says of chunks and pages */
} nb_pq_filter;

typedef struct nb_pq_probe {
    int slot;
    const nb_key_filter *filter;
} nb_pq_probe;

typedef struct nb_pq_slot {
    int column; /* position among the relation's columns */
    int source; /* as nb_relation.source_of */
    const nb_type *type;
} nb_pq_slot;

typedef struct nb_pq_group_ref {
    int file, group;
    int32_t partition;
    int64_t first_row; /* in the file */
    const nb_file_split *split;
} nb_pq_group_ref;

typedef struct nb_pq_source {
    nb_file_source file;
    const nb_session_info *info;
    nb_pq_group_ref *groups;
    int64_t *visit; /* the order in which groups are taken; NULL: as they are */
    atomic_int n_locals;
    nb_pq_slot *slots;
    int n_slots;
    int *out_slots; /* per column asked for; -1: nobody reads it */
    int n_columns;
    int **
        file_columns; /* [file][slot]: position in the file of a flat column, -1 = absent there, or nested */
    nb_pq_nested ***file_nested; /* [file][slot]: NULL = absent there, or flat */
    nb_pq_filter *filters;
    int n_filters;
    nb_expr **exprs; /* of the filters, for the evaluator */
    nb_pq_probe *probes;
    int n_probes;
} nb_pq_source;

/* A slot's state within the current row group. */
typedef struct nb_pq_slot_state {
    nb_pq_reader *reader;
    bool loaded;
    nb_vector values; /* of the chosen rows */
} nb_pq_slot_state;

/* What a thread knows of a row group in its hands: rows are NULL while all are chosen, n_rows of them; room and kept are for choosing. The arena is reset when
 * the next row group comes. */
#define NB_PQ_TURN                    \
    nb_arena *arena;                  \
    nb_pq_slot_state *slots;          \
    int64_t group, at, n_rows;        \
    const uint32_t *rows;             \
    bool *filters_done, *probes_done; \
    uint32_t *room, *kept;

typedef struct nb_pq_turn {
    NB_PQ_TURN
} nb_pq_turn;

/* Up to two row groups are in hand at once, so that their dictionaries can be decompressed in pairs. */
typedef struct nb_pq_local {
    union {
        nb_pq_turn turn; /* the current one */
        struct {
            NB_PQ_TURN
        };
    };
    nb_pq_turn parked; /* the other one */
    bool has_parked;
    nb_morsel_run run;
    nb_pool *pool;
    nb_arena *scratch; /* evaluation of filters */
    nb_arena *memory;  /* as long as the thread */
    nb_eval *eval;
    nb_file *file;
    int open_file;
    int64_t window; /* first row of the next window of the row group; 0: the next row group */
    int64_t *probe_seen, *probe_kept;
    nb_pq_counts counts;
    int *index_misses; /* per filter: row groups in a row whose page index excluded nothing */
} nb_pq_local;

/* The parked row group becomes the current one, and the other way round. */
NB_INLINE void
nb_pq_swap(nb_pq_local *l)
{
    nb_pq_turn turn = l->turn;

    l->turn = l->parked;
    l->parked = turn;
}

/* Rows that are loaded at once, at most: row groups of more come by windows. */
#define NB_PQ_WINDOW ((int64_t)1310720)
/* The same while a bound is not known that the first rows will tell: they may exclude the rest of the row group. */
#define NB_PQ_FIRST_WINDOW ((int64_t)16384)

/* A probe that lets more than this pass is not worth asking. */
#define NB_PQ_PROBE_MOST 0.9

/* The reader of a slot's chunk in the current row group; *out NULL where the file does not have it. */
nb_status
nb_pq_slot_reader(nb_pq_source *s, nb_pq_local *l, int slot, nb_pq_reader **out, nb_error *err);
/* Loads a slot's values for the chosen rows, if they are not there. */
nb_status nb_pq_slot_load(nb_pq_source *s, nb_pq_local *l, int slot, nb_error *err);

/* Takes the request's filters and probes; says which filters will be applied. Adds slots. */
nb_status nb_pq_choose_plan(nb_pq_source *s, const nb_scan_request *request);
/* Does the chunk's bloom filter exclude that a row passes? */
nb_status nb_pq_choose_by_bloom(nb_pq_source *s, nb_pq_local *l, bool *none, nb_error *err);
/* Leaves rows of pages that page indexes do not exclude, in l->room. */
nb_status nb_pq_choose_by_pages(nb_pq_source *s, nb_pq_local *l, nb_error *err);
/* The file of the current row group, opened. */
nb_status nb_pq_open_file(nb_pq_source *s, nb_pq_local *l, nb_error *err);
/* The chunk of a slot's flat column in the current row group, when it has the type of the schema; *column is its own. NULL: there is none. */
const nb_pq_chunk *
nb_pq_own_chunk(const nb_pq_source *s, const nb_pq_local *l, int slot, const nb_pq_column **column);
/* Does the footer exclude that any row of the row group passes filters and probes? */
bool nb_pq_is_out_of_range(const nb_pq_source *s, const nb_pq_local *l);
/* Sets rows and n_rows of the row groups in hand. */
nb_status nb_pq_choose(nb_pq_source *s, nb_pq_local *l, nb_error *err);
/* The `ranges` of the source: from the statistics of row groups, when the file is in order of the column. */
nb_status
nb_pq_ranges(nb_source *src, int column, nb_arena *arena, nb_morsel_range **out, int64_t *n);
/* Where a bound is to be found: the row groups that most likely have the first rows come first. */
nb_status nb_pq_order_groups(nb_pq_source *s);
/* The slot of a column, made when there is none; -1: out of memory. */
int nb_pq_slot_of(nb_pq_source *s, int column);

#endif
