/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join_internal.h: what the join_*.c files share.
 */
#ifndef NB_EXEC_JOIN_INTERNAL_H
#define NB_EXEC_JOIN_INTERNAL_H

#include "exec/join.h"
#include "exec/join_spill.h"
#include "exec/operators.h"

/* What happens to rows; derived from join type and build side. */
typedef struct join_shape {
    bool pairs;         /* matched pairs come out */
    bool keep_probe;    /* probe rows without match come out, with nulls */
    bool keep_build;    /* the same for build rows (drain) */
    bool probe_matched; /* SEMI: probe rows with a match, once */
    bool probe_missing; /* ANTI: those without */
    bool drain_matched; /* SEMI, ANTI with the build side on the left */
    bool drain_missing;
    bool mark;   /* a boolean behind the probe's columns */
    bool single; /* a second match is an error */
} join_shape;

/* A column of the build side as codes. */
typedef struct nb_join_codes nb_join_codes;

typedef struct join_op {
    nb_operator base;
    const nb_exec_ctx *ctx;
    nb_arena *arena;
    nb_pool *pool;
    join_shape shape;
    const nb_type *build_schema; /* columns of the child, then computed keys */
    nb_table *build;             /* NULL: nothing held */
    int *build_key_cols;
    int *
        same_as; /* per build column the probe column that has the same value in every pair; -1: none */
    nb_join_table *table;
    nb_row_index index;
    nb_join_codes **codes; /* per build column, where it has them; NULL: none has */
    uint8_t *matched;      /* per build row; NULL when nobody asks */
    nb_expr **probe_keys;
    bool *null_safe;
    int n_keys, n_probe, n_build; /* columns */
    nb_expr *residual;
    /* Per column of a pair; a column of the build side that is taken from the probe side has both. */
    bool *residual_uses, *reads;
    bool build_left, null_aware;
    bool has_nulls; /* of all rounds, as the next */
    bool has_build;
    /* on disk, round by round; NULL: all build rows are held */
    nb_join_spill *spill;
    bool owns_spill; /* round 0 */
    int round, n_passes, pass;
} join_op;

typedef struct join_local {
    nb_eval *keys, *residual;
    uint32_t *heads;
    uint8_t *nulls;
    /* the piece under way */
    uint32_t *probe_rows, *build_rows;
    int64_t n;
    uint32_t *all_probe, *all_build; /* with probe rows that have no match */
    nb_arena *pairs; /* columns of one batch of pairs: a probe batch may have any number of them */
    uint8_t *found;  /* per probe row of the batch: has a match */
    /* with a spill */
    nb_chunk_builder *later; /* round 0: probe rows of other rounds */
    uint64_t order;          /* of the batches under way, and their rows before this one */
    int64_t row0;
    bool begun;
} join_local;

/* ---- join_codes.c ---- */

/* Sets j->codes of a build side that is held. */
nb_status nb_join_code_texts(join_op *j);
/* Rows of the column as a dictionary vector; NB_NO_ROW gives nulls where the join keeps rows without a partner. */
nb_status nb_join_gather_codes(const nb_join_codes *codes, const uint32_t *rows, int64_t n,
                               nb_arena *arena, nb_vector *out);

/* ---- join_rows.c ---- */

/* Columns of build rows; NB_NO_ROW gives nulls. wanted: per column, others are nulls; NULL: all. probe: the columns of the rows that they are paired with; keys are taken from there,
 * where all rows have a partner. May be NULL. */
nb_status nb_join_gather_build(const join_op *j, const bool *wanted, const uint32_t *rows,
                               int64_t n, const nb_vector *probe, nb_arena *arena, nb_vector *out);
/* Left columns, then right columns, of pairs in the order of the probe rows. wanted as above, not NULL. The pairs last as long as the arrays. */
nb_status
nb_join_make_pairs(const join_op *j, const bool *wanted, nb_batch *batch, const uint32_t *probe,
                   const uint32_t *build, int64_t n, nb_arena *arena, nb_batch *out);
/* The build rows that come out when the probe side has passed. */
nb_status nb_join_drain_new(join_op *j, const nb_exec_ctx *ctx, nb_source **out);

/* ---- join.c ---- */

/* The pairs in l->probe_rows and l->build_rows are matches: notes them and emits what the type asks for. [from, to) are the probe rows of which all
 * matches have been listed with them. */
nb_status nb_join_settle(join_op *j, join_local *l, nb_thread_ctx *t, nb_batch *batch, int64_t from,
                         int64_t to, nb_error *err);

/* ---- join_reads.c ---- */

/* Marks the columns of a pair that the residual condition looks at. */
void nb_join_mark_residual(const nb_node *join, bool *uses);

/* ---- join_few.c ---- */

/* Is the build side so small that the condition is worth one look per build row? */
bool nb_join_has_few(const join_op *j);
/* Lists the matches of a batch, without keys. */
nb_status
nb_join_push_few(join_op *j, join_local *l, nb_thread_ctx *t, nb_batch *batch, nb_error *err);

/* ---- join_rounds.c ---- */

/* Round 0: rows of the batch that belong to other rounds are put aside, the others stay selected. */
nb_status
nb_join_put_aside(join_op *j, join_local *l, nb_batch *batch, const nb_vector *keys, nb_error *err);
nb_status nb_join_write_aside(join_op *j, join_local *l, nb_error *err);
/* Where a batch's found flags stay between the passes of a round. */
uint8_t *nb_join_found(join_op *j, join_local *l, const nb_batch *batch);

#endif
