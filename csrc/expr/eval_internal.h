/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eval_internal.h: what eval.c, eval_logic.c and eval_in.c share.
 *
 * An expression becomes a program: steps in the order of evaluation, each writing one register. Strict arguments are earlier steps (equal
 * ones once); what runs only for some rows (later arguments of AND, OR, COALESCE, the branches of CASE, bodies of lambdas) is a program of its
 * own below the step, run over a view of the batch.
 */
#ifndef NB_EXPR_EVAL_INTERNAL_H
#define NB_EXPR_EVAL_INTERNAL_H

#include "expr/registry.h"

#define NB_FN_STATE_BYTES \
    3072 /* room of a stateful function's state: the widest is a Mersenne twister */

typedef struct nb_in_set nb_in_set;
typedef struct nb_program nb_program;

typedef struct nb_step {
    const nb_expr *e;
    uint64_t hash;
    int *args;            /* registers of strict arguments; -1 for lambdas */
    nb_program **subs;    /* lazy arguments, by argument position; NULL entries are strict */
    nb_vector *inputs;    /* scratch of calls, n_args */
    void *state;          /* NB_FN_STATEFUL */
    int64_t row0;         /* NB_FN_STATEFUL: rows of the partition seen so far */
    bool always;          /* sees every row */
    bool guarded;         /* a call with lazy arguments: see eval_guard.c */
    nb_in_set *set;       /* IN */
    nb_arena *dict_arena; /* result over the dictionary dict_id; owned */
    uint64_t dict_id;
    nb_vector *dict_result;
} nb_step;

struct nb_program {
    nb_step *steps;
    int n_steps, cap;
    nb_vector *regs;
    int root;
    bool can_fail;
    bool lazy; /* below another step: runs for some rows only */
};

struct nb_eval {
    nb_arena *arena;
    const nb_session_info *info;
    nb_expr *const *exprs;
    nb_program **programs;
    nb_program **guarded; /* eval_guard.c: made when programs[i] fails for the first time */
    bool guards;          /* while a guarded program is made: it has a guarded step */
    bool guarding;        /* a guarded program is being made */
    int n;
    int32_t partition;
    int64_t row0;
    nb_step **owners; /* steps that hold state or arenas */
    int n_owners, cap_owners;
};

/* Runs a program for all rows of the batch. *out is borrowed from the program, until its next run. */
nb_status
nb_program_run(nb_eval *ev, nb_program *p, nb_batch *batch, const nb_vector **out, nb_error *err);

/* Makes the program of an expression. */
nb_status nb_program_new(nb_eval *ev, const nb_expr *e, bool lazy, nb_program **out, nb_error *err);

/* eval_guard.c: */
bool nb_eval_is_guarded(const nb_expr *e, int arg);
nb_status
nb_eval_guarded_inputs(nb_eval *ev, nb_program *p, nb_step *s, nb_batch *batch, nb_error *err);
/* After programs[i] has failed with *err: the value by its guarded program; the error stays where that fails too or would do nothing else. */
nb_status nb_eval_rerun(nb_eval *ev, int i, nb_batch *batch, const nb_vector **out, nb_error *err);

/* eval_logic.c: the lazy kinds, and what evaluates for some rows. */
nb_status nb_eval_and_or(nb_eval *ev, nb_program *p, nb_step *s, nb_batch *batch, nb_vector *out,
                         nb_error *err);
nb_status nb_eval_case(nb_eval *ev, nb_program *p, nb_step *s, nb_batch *batch, nb_vector *out,
                       nb_error *err);
nb_status nb_eval_coalesce(nb_eval *ev, nb_program *p, nb_step *s, nb_batch *batch, nb_vector *out,
                           nb_error *err);
/* eval_choose.c: a CASE whose two values are at hand; *done: it was such a one. */
nb_status nb_eval_choose(nb_eval *ev, nb_program *p, nb_step *s, nb_batch *batch, nb_vector *out,
                         bool *done, nb_error *err);
/* Evaluates p for rows[0..n) of the batch (NULL = all). */
nb_status nb_program_run_for(nb_eval *ev, nb_program *p, nb_batch *batch, const uint32_t *rows,
                             int64_t n, const nb_vector **out, nb_error *err);
/* v has a value for each of rows[0..n_rows); out has n rows, the others null. */
nb_status nb_eval_spread(nb_arena *arena, const nb_type *type, const nb_vector *v,
                         const uint32_t *rows, int64_t n_rows, int64_t n, nb_vector *out);
/* Rows of a boolean vector that are true (want) or not; the array is in the arena. */
nb_status nb_bool_rows(nb_arena *arena, const nb_vector *v, int64_t n, bool want,
                       const uint32_t **rows, int64_t *n_rows);

/* eval_in.c */
nb_status nb_in_set_new(nb_arena *arena, nb_expr *const *items, int n, nb_in_set **out);
nb_status nb_in_set_probe(const nb_in_set *set, nb_arena *arena, const nb_vector *v, int64_t n,
                          nb_vector *out);

#endif
