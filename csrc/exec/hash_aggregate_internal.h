/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash_aggregate_internal.h: what the sink, the merge and the spill of the aggregate share.
 */
#ifndef NB_EXEC_HASH_AGGREGATE_INTERNAL_H
#define NB_EXEC_HASH_AGGREGATE_INTERNAL_H

#include <pthread.h>
#include "exec/group_table.h"
#include "exec/operators.h"
#include "exec/pipeline.h"
#include "exec/spill_file.h"

/* Spilled runs and merges are cut into so many ranges of the hash. */
#define NB_AGG_SPILL_PARTS 256

typedef struct agg_fn {
    nb_expr *expr; /* NB_EXPR_AGG */
    const nb_agg_ops *ops;
    int offset;    /* of its state in a row */
    int first_arg; /* position among the sink's expressions */
    int filter;    /* the same; -1: none */
    int distinct;  /* number of the set that it is fed from; -1: from the input */
} agg_fn;

/* Arguments of one or more DISTINCT aggregates: a table of keys and arguments finds out what is new. */
typedef struct agg_distinct {
    nb_key_layout layout; /* keys, then arguments */
    int first_arg, n_args, filter;
} agg_distinct;

/* A run: rows of a group table in order of their hashes, on disk. */
typedef struct agg_run {
    nb_spill_file *file;
    int64_t part_at[NB_AGG_SPILL_PARTS + 1]; /* byte offsets of the ranges */
    uint32_t part_rows[NB_AGG_SPILL_PARTS];
} agg_run;

typedef struct agg_runs {
    agg_run *runs;
    int n, cap;
} agg_runs;

/* Rows of a table that was emptied: aggregate_aside.c. */
typedef struct agg_wave {
    uint32_t *hashes; /* one allocation with the rows, of n_bytes */
    uint8_t *rows;
    size_t n_bytes;
    uint32_t part_at[NB_AGG_SPILL_PARTS + 1];
} agg_wave;

typedef struct agg_aside {
    agg_wave *waves;
    int n, cap;
    int64_t n_rows;
    size_t n_bytes;
    int64_t limit;              /* rows of the table at which it is emptied; 0: not known yet */
    int64_t n_in;               /* rows that came since it was */
    int64_t late_in, late_rows; /* these and the table's, when few were left to the limit */
    int64_t look_at;            /* rows put aside: then groups are counted */
} agg_aside;

typedef struct agg_entries {
    uint64_t *entries;
    size_t cap, n;
} agg_entries;

/* A range of the hash of many waves or lists: groups, and rows that are to be merged into their states. */
typedef struct agg_gather {
    nb_pool *pool;
    uint8_t **out, **into, **from; /* of cap entries */
    uint32_t *hashes;              /* of out */
    int64_t n_out, n_pairs, cap;
    uint64_t *slots; /* hash32 << 32 | number in out + 1 */
    size_t n_slots;
    agg_entries *lists; /* of the tables */
    int n_lists;
} agg_gather;

/* What one thread has gathered; lives until the operator is closed. */
typedef struct agg_state {
    nb_arena *memory;      /* what hangs off the states */
    nb_group_table groups; /* with keys */
    uint8_t *single;       /* without: one row of states */
    nb_group_table *distinct;
    agg_runs runs;           /* of groups */
    agg_runs *distinct_runs; /* of distinct[i] */
    agg_aside aside;         /* of groups */
    agg_aside *distinct_aside;
} agg_state;

typedef struct agg_totals agg_totals;

/* Rows that are passed on: aggregate_pass.c. */
typedef struct agg_pass {
    nb_operator *put; /* NULL: never */
    int first;        /* of what is passed, among the sink's expressions */
} agg_pass;

typedef struct agg_pass_local {
    void *put;
    bool on;
    int64_t rows; /* since groups were last counted */
    uint32_t groups;
} agg_pass_local;

typedef struct aggregate_op {
    nb_operator base;
    const nb_exec_ctx *ctx;
    nb_arena *arena; /* of the run */
    nb_pool *pool;
    size_t reserve; /* with less than this left, tables go to disk */
    size_t share;   /* that a thread's tables may take */
    nb_key_layout layout;
    int n_keys, n_aggs, n_distinct;
    agg_fn *aggs;
    agg_distinct *distinct;
    nb_expr **exprs; /* keys, then arguments and filters */
    int n_exprs;
    agg_totals *totals; /* NULL: no aggregate is served */
    agg_pass pass;
    int row_width;
    bool has_init;
    bool fed_only; /* all groups come from the tables of DISTINCT sets */
    const nb_morsel_range
        *ranges; /* of the key, per morsel: groups leave with their morsel; NULL: they do not */
    int64_t n_ranges;
    pthread_mutex_t lock; /* guards states while threads start */
    agg_state **states;
    int n_states, cap_states;
} aggregate_op;

typedef struct agg_near agg_near;

/* A key as a small number: the entry of a dictionary, or how far an integer is from the least one. */
typedef struct agg_codes {
    uint64_t dict_id;        /* 0: no dictionary, or one that will not come again */
    int64_t least, greatest; /* integers that have come */
    int64_t base;
    uint32_t n;          /* how many; 0: not known yet */
    nb_vector_kind kind; /* that the last batch had */
    int like;            /* a key whose code tells this one's, counted from 1; 0: none */
} agg_codes;

/* Combinations of dictionary entries that a DISTINCT set has had. */
typedef struct agg_seen {
    uint64_t *dict_ids; /* per column */
    uint64_t *bits;
    bool stands; /* bits are those of dict_ids */
} agg_seen;

/* One thread's way through push. */
typedef struct aggregate_local {
    agg_state *state;
    nb_eval *eval;
    uint64_t order;
    int64_t row0; /* rows of the morsel so far */
    uint32_t *numbers;
    uint8_t **rows;
    uint64_t *hashes;
    uint32_t *window; /* value - base → row + 1; NULL: not (yet) in use */
    uint32_t window_null;
    int64_t window_base;
    int64_t window_size;
    bool window_off, window_was_widened;
    int64_t n_seen;      /* rows */
    agg_codes *codes;    /* per key */
    uint32_t *code_rows; /* combination of codes → row + 1 */
    size_t cap_codes;
    bool codes_stand; /* code_rows are those of codes */
    int n_ranges;     /* that were made, and large tables */
    bool ranges_off;
    agg_seen *seen; /* per DISTINCT set */
    agg_near *near; /* groups of the morsel under way; NULL: all go to the table */
    agg_pass_local pass;
} aggregate_local;

nb_agg_ctx nb_aggregate_ctx(const aggregate_op *op, const agg_fn *fn, nb_arena *memory,
                            nb_arena *scratch, uint64_t order, nb_error *err);
/* Makes the states of rows [from, table->n_rows) empty. */
void nb_aggregate_init_rows(const aggregate_op *op, nb_arena *memory, uint8_t *rows, int64_t n);

/* Writes a thread's rows (of groups for set -1, else of a DISTINCT set) as a run, and empties the table. */
nb_status nb_aggregate_spill(aggregate_op *op, agg_state *s, int set, nb_error *err);
/* Keys and results of n rows as a batch of order and partition 0. */
nb_status nb_agg_rows_out(const aggregate_op *op, uint8_t **rows, int64_t n, nb_arena *arena,
                          nb_batch *out, nb_error *err);
nb_status nb_aggregate_source_new(aggregate_op *op, nb_source **out);

/* The table of the groups (set -1) or of a DISTINCT set, and what was put aside of it. */
nb_group_table *nb_agg_table(agg_state *s, int set);
agg_aside *nb_agg_aside(agg_state *s, int set);
/* Is it time to write it out? While there is still room to work, and before it grows into what others need. */
bool nb_agg_must_spill(const aggregate_op *op, agg_state *s, int set);
/* The thread's groups (set -1), or its table of a DISTINCT set, go to disk. */
nb_status nb_agg_spill_table(aggregate_op *op, aggregate_local *l, int set, nb_error *err);

/* ---- aggregate_find.c ------------------------------------------------------------------------ */

/* Sets l->numbers and l->rows for n rows; memory lives as long as l. On NB_NOMEM rows that were made stay; the call may be repeated. */
nb_status nb_agg_find_groups(aggregate_op *op, aggregate_local *l, nb_arena *memory,
                             const nb_vector *keys, int64_t n, nb_arena *scratch);
/* Row numbers of idx[0..n) (NULL: 0..n) of the keys, through the hash table; out[i] belongs to idx[i]. */
nb_status nb_agg_find_by_hash(aggregate_op *op, aggregate_local *l, const nb_vector *keys,
                              const uint32_t *idx, int64_t n, nb_arena *scratch, uint32_t *out);
/* The caches name rows of the table: it is about to be emptied. */
void nb_agg_forget_rows(aggregate_local *l);

/* ---- aggregate_aside.c: rows of large tables put aside, so that tables stay in the caches ---- */

/* Tests have few rows: with tiny batches, tables are put aside when they have few. */
NB_INLINE bool
nb_agg_is_tested(const nb_exec_ctx *ctx)
{
    return ctx->batch_rows > 0 && ctx->batch_rows < 8;
}

/* After n rows have been looked up in the table of the groups (set -1) or of a DISTINCT set: is it time to empty it? true: it was, so that row
 * numbers are no longer valid. */
bool nb_agg_aside_look(const aggregate_op *op, agg_state *s, int set, int64_t n);
void nb_agg_aside_free(agg_aside *a, nb_pool *pool);

/* Rows of a range (one of NB_AGG_SPILL_PARTS) of what states have in their tables, which have been settled, and aside: g->out has the groups in the order of
 * hash and key, g->hashes their hashes; g->from[i] is to be merged into g->into[i]. A gather serves one set and the same states each time. */
nb_status nb_agg_gather_part(agg_gather *g, const aggregate_op *op, agg_state *const *states, int n,
                             int set, int part);
nb_status nb_agg_gather_room(agg_gather *g, int64_t n);
void nb_agg_gather_free(agg_gather *g);

/* ---- aggregate_cluster.c: groups that are complete with their morsel ------------------------- */

/* Lets groups leave with their morsels where the rows of the stream below come in order of the key; *done: the operator is to be pushed to that
 * stream, not a sink any more, and has a drain. */
nb_status nb_agg_cluster_plan(nb_run *run, aggregate_op *op, const nb_stream *below, bool *done);
void nb_agg_near_open(const aggregate_op *op, aggregate_local *l);
void nb_agg_near_close(const aggregate_op *op, aggregate_local *l);
/* Before a batch: emits the groups of the morsel before when it is of another one. NB_DONE: no more is wanted. */
nb_status nb_agg_near_begin(aggregate_op *op, aggregate_local *l, nb_thread_ctx *t, uint64_t order,
                            nb_error *err);
/* Sets l->rows of n rows. */
nb_status nb_agg_near_find(aggregate_op *op, aggregate_local *l, const nb_vector *key, int64_t n,
                           nb_arena *scratch, nb_error *err);
nb_status nb_agg_near_flush(aggregate_op *op, aggregate_local *l, nb_thread_ctx *t, nb_error *err);

/* ---- aggregate_distinct.c -------------------------------------------------------------------- */

/* Keys and arguments of a DISTINCT set go to its table. memory lives as long as l. */
nb_status nb_agg_distinct_push(aggregate_op *op, aggregate_local *l, nb_arena *memory, int set,
                               const nb_vector *keys, nb_batch *batch, nb_error *err);
/* Once all threads have pushed: the set's rows go into the groups; its tables are freed. */
nb_status nb_agg_distinct_feed(aggregate_op *op, int set, nb_error *err);

/* ---- aggregate_totals.c: batches added up in 64 bits, while groups are few -------------------- */

/* Sets op->totals; may add expressions. */
nb_status nb_agg_totals_plan(aggregate_op *op);
/* Takes a batch, of which row i belongs to group numbers[i]. *done: the aggregates that it has have been served, and only these. */
nb_status nb_agg_totals_push(const aggregate_op *op, nb_eval *eval, agg_state *state,
                             const uint32_t *numbers, nb_batch *batch, bool *done, nb_error *err);
bool nb_agg_totals_has(const aggregate_op *op, int agg);

/* ---- aggregate_pass.c: rows go on ungrouped when groups hardly repeat ------------------------- */

/* Makes the operator that takes them, if the plan has one. */
nb_status nb_agg_pass_new(nb_run *run, aggregate_op *op);
/* May add expressions. */
nb_status nb_agg_pass_open(aggregate_op *op, nb_error *err);
nb_status
nb_agg_pass_open_local(const aggregate_op *op, nb_thread_ctx *t, agg_pass_local *l, nb_error *err);
/* After a batch that has been grouped: is it worth going on so? */
void
nb_agg_pass_count(const aggregate_op *op, agg_pass_local *l, uint32_t n_groups, int64_t n_rows);
/* Instead of grouping. keys are the batch's. */
nb_status nb_agg_pass_push(const aggregate_op *op, agg_pass_local *l, nb_eval *eval,
                           nb_thread_ctx *t, const nb_vector *keys, nb_batch *batch, nb_error *err);
nb_status nb_agg_pass_finalize(const aggregate_op *op, nb_error *err);
void nb_agg_pass_close_local(const aggregate_op *op, agg_pass_local *l);
void nb_agg_pass_close(aggregate_op *op);

/* ---- merge.c: rows of many tables and runs, equal keys together ------------------------------ */

typedef struct agg_merge agg_merge;

/* set -1: the groups; else a set of DISTINCT arguments. Once, before the first merge of it and after the last look-up. */
nb_status nb_agg_settle(aggregate_op *op, int set);
/* One thread. */
nb_status nb_agg_merge_new(aggregate_op *op, int set, agg_merge **out);
void nb_agg_merge_free(agg_merge *m);
/* The rows of all states with low <= hash32 <= high in order of hash and key, states of equal keys merged. The rows are borrowed
 * until the next call. part: the spill range that holds [low, high]. */
nb_status nb_agg_merge_part(agg_merge *m, int part, uint32_t low, uint32_t high, uint8_t ***rows,
                            int64_t *n, nb_error *err);
/* hash32 of the rows of the last part, as many; borrowed until the next call. */
const uint32_t *nb_agg_merge_hashes(const agg_merge *m);
/* How many parts a merge of this set should have: a power of two from 1 to 1024. */
int nb_agg_merge_parts(const aggregate_op *op, int set);

#endif
