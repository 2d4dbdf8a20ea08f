/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry.h: scalar functions as rows of tables.
 *
 * Each family has a functions/<family>.def; registry.c includes them all. A row:
 *
 *   NB_FUNCTION("name|alias|alias", min_args, max_args (-1 = any), binder, flags, "one line of help", "example SQL", "its result")
 *
 * The analyzer calls nb_function_bind with typed arguments. The binder looks at the argument types, inserts casts (nb_bind_cast), chooses the
 * kernel and result type, and may prepare a payload (compiled pattern, constant argument). What it leaves open:
 *   nulls      by default a row is null when an argument is: the evaluator sets out->validity before the kernel runs, and the kernel writes
 *              any value there but must not fail on it. NB_FN_NULLS: the kernel looks at and sets validity itself.
 *   constants  arguments that are all constant are evaluated for one row; kernels see FLAT or CONST arguments, never DICT.
 *              A function of one DICT argument (others constant) runs over the dictionary's entries, unless it can fail or is NB_FN_NULLS.
 *   rows       any n >= 0: inside lambdas it is the number of elements, which may be above NB_BATCH_ROWS.
 */
#ifndef NB_EXPR_REGISTRY_H
#define NB_EXPR_REGISTRY_H

#include "expr/expr.h"

enum {
    NB_FN_NULLS = 1 << 0, /* kernel handles nulls itself */
    NB_FN_NONDETERMINISTIC = 1 << 1,
    NB_FN_CAN_FAIL = 1 << 2,     /* may raise for some values */
    NB_FN_STATEFUL = 1 << 3,     /* wants per-thread state and partition */
    NB_FN_NULLABLE = 1 << 4,     /* result may be null though no argument is */
    NB_FN_NOT_NULL = 1 << 5,     /* result is never null */
    NB_FN_WINDOW_ONLY = 1 << 6,  /* row_number() ...: only inside OVER */
    NB_FN_NO_CONTEXT = 1 << 8,   /* Spark's errors of it do not point into the query */
    NB_FN_HIGHER_ORDER = 1 << 7, /* takes LAMBDA arguments; the kernel evaluates them through ctx */
    NB_FN_RIGHT_FIRST = 1 << 12, /* the last argument is evaluated first, and its null ends it */
    NB_FN_UNNAMED = 1 << 11,     /* plans made here call it; a user's text or message cannot */
    NB_FN_NO_FOLD = 1 << 10, /* not computed while planning, though its arguments are constant */
    NB_FN_NO_SQL = 1 << 9,   /* for DataFrames: SQL text does not know the name */
};

/* What a kernel gets besides its arguments. */
struct nb_kernel_ctx {
    nb_arena *arena; /* scratch: results and temporary memory, lives until the batch is done */
    const nb_session_info *info;
    const nb_expr *expr; /* the CALL: types, payload, arguments' types, origin */
    void *state;         /* NB_FN_STATEFUL: 3 KiB, one per thread, zeroed when a partition begins */
    int32_t partition;
    int64_t row0;         /* number of the first row within the partition */
    nb_batch *batch;      /* the outer batch: higher-order functions */
    nb_eval *eval;        /* private to the evaluator */
    struct nb_step *step; /* private to the evaluator */
    nb_error *err;
};

/* nb_kernel_fn: computes rows [0, n) into *out. Before the call out is FLAT with data allocated for n rows of the result type (STRUCT: with children; LIST:
 * children empty) and validity set from the arguments (NULL when no null). A kernel may replace out's data by its own (arena) or point into its
 * arguments (strings). On failure it raises into ctx->err. */

typedef struct nb_bound_call {
    nb_arena *arena;
    const nb_session_info *info;
    const nb_function *fn;
    nb_str name;    /* as the user wrote it */
    nb_expr **args; /* in: typed arguments; the binder may replace them (casts) */
    int n_args;
    bool is_distinct;
    const nb_origin *origin;
    /* out: */
    const nb_type *type;
    bool nullable; /* preset: any argument nullable, or NB_FN_NULLABLE */
    nb_kernel_fn kernel;
    const void *payload;
    bool can_fail; /* this overload may raise though the row has no NB_FN_CAN_FAIL */
    nb_expr *
        replacement; /* set: the call is this expression instead (nvl -> COALESCE, if -> CASE ...) */
} nb_bound_call;

typedef nb_status (*nb_bind_fn)(nb_bound_call *call, nb_error *err);

struct nb_function {
    const char *names; /* "substring|substr" */
    int min_args, max_args;
    nb_bind_fn bind;
    unsigned flags;
    const char *help, *example, *result;
};

/* By name, any case; NULL when unknown. */
const nb_function *nb_function_find(nb_str name);
/* Binds a call; *out is a CALL or the binder's replacement. Raises WRONG_NUM_ARGS, DATATYPE_MISMATCH.* ... */
nb_status
nb_function_bind(nb_arena *arena, const nb_session_info *info, const nb_function *fn, nb_str name,
                 nb_expr **args, int n_args, const nb_origin *origin, nb_expr **out, nb_error *err);
/* The next of a row's names "a|b|c", also where one is an operator of bars; *at begins at the row's text and moves. false: no more. */
bool nb_next_name(const char **at, nb_str *name);
/* The first of a row's names. */
nb_str nb_function_name(const nb_function *fn);
/* All rows, for docs, DESCRIBE FUNCTION and tests: i from 0 until NULL. */
const nb_function *nb_function_at(int i);

/* Helpers for binders. */
nb_status nb_bind_cast(
    nb_bound_call *call, int arg, const nb_type *to,
    nb_error
        *err); /* implicit cast as Spark allows, else DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE */
nb_status nb_bind_common_type(nb_bound_call *call, int from, int to_excl, const nb_type **common,
                              nb_error *err); /* casts them all */
/* For functions that take only the very type: no cast but of NULL. */
nb_status nb_bind_exact(nb_bound_call *call, int from, int to_excl, nb_type_id type, nb_error *err);
/* Raises DATA_DIFF_TYPES for args [from, to_excl). */
nb_status nb_bind_data_diff_types(nb_bound_call *call, int from, int to_excl, nb_error *err);
nb_status nb_bind_mismatch(nb_bound_call *call, int arg, const char *required, nb_error *err);
/* Raises NON_FOLDABLE_INPUT: an argument, called `input` by Spark, that has to be a constant of that type. */
nb_status nb_bind_not_foldable(nb_bound_call *call, int arg, const char *input, const char *type,
                               nb_error *err);
/* The constant value of a foldable argument, folded now; NULL vector when it is not foldable. */
nb_status nb_bind_constant(nb_bound_call *call, int arg, const nb_vector **value, nb_error *err);

/* Raises WRONG_NUM_ARGS unless min <= n_args <= max (-1 = any). */
nb_status nb_bind_check_arity(nb_str name, int min_args, int max_args, int n_args, nb_error *err);
/* "name(a, b)" as messages show the call. */
const char *nb_bind_call_sql(nb_bound_call *call);
/* Binds another function of the tables by its name, for replacements. */
nb_status nb_bind_again(nb_bound_call *call, const char *name, nb_expr **args, int n_args,
                        nb_expr **out, nb_error *err);

/* ---- higher-order functions ----
 * The analyzer asks for the types of a lambda's parameters before it resolves the lambda's body: `arg` is the lambda's position, args[0..arg)
 * are bound, n is how many parameters the user wrote. Raises when the function does not take such a lambda. */
nb_status nb_function_lambda_types(nb_arena *arena, const nb_session_info *info,
                                   const nb_function *fn, nb_expr *const *args, int arg, int n,
                                   const nb_type **types, bool *nullable, nb_error *err);
/* For kernels: evaluates the LAMBDA argument `arg` for m elements; outer_rows[j] is the row of ctx->batch that element j belongs to, params
 * are vectors of m rows. *out has m rows and may be of any kind. */
nb_status nb_kernel_lambda(nb_kernel_ctx *ctx, int arg, const uint32_t *outer_rows,
                           const nb_vector *params, int n_params, int64_t m, nb_vector *out);

/* For loops of one row that may take long: NB_CANCELLED when the query is to end. */
NB_INLINE nb_status
nb_kernel_look(const nb_kernel_ctx *ctx)
{
    return ctx->info && nb_cancelled(ctx->info->cancel) ? NB_CANCELLED : NB_OK;
}

/* ---- coercion (expr/coerce.c): Spark's TypeCoercion / AnsiTypeCoercion ---- */
const nb_type *
nb_coerce_tightest(const nb_type *a, const nb_type *b,
                   bool ansi); /* without strings and without losing decimals; NULL when none */
const nb_type *
nb_coerce_common(const nb_type *a, const nb_type *b,
                 bool ansi); /* for CASE, IN, COALESCE, UNION ...: incl. string promotion */
bool nb_can_cast(const nb_type *from, const nb_type *to, bool ansi); /* explicit CAST */
/* May values of one type be stored as another? Spark's ANSI rule of store assignment, for INSERT and df.to(). */
bool nb_can_store(const nb_type *from, const nb_type *to);
bool nb_can_implicit_cast(const nb_type *from, const nb_type *to, bool ansi);
/* Decimals wide enough for every value of both / of an integral type; decimal(38, ..) at most. */
const nb_type *nb_coerce_decimals(const nb_type *a, const nb_type *b);
const nb_type *nb_decimal_for(const nb_type *integral);
/* decimal(p, s) fitted into 38 digits as Spark does: the fraction shrinks, but not below 6 digits. */
const nb_type *nb_decimal_adjusted(int precision, int scale, bool keep_scale);
/* A CAST node; e itself when the types are equal; folds casts of literals only if lossless. */
nb_status nb_expr_cast(nb_arena *arena, nb_expr *e, const nb_type *to, nb_cast_mode mode,
                       nb_expr **out, nb_error *err);
/* A cast that the user wrote: checks that the types may be cast at all (DATATYPE_MISMATCH.CAST_...) and marks the
 * node as explicit. */
nb_status nb_expr_explicit_cast(nb_arena *arena, nb_expr *e, const nb_type *to, nb_cast_mode mode,
                                nb_expr **out, nb_error *err);
/* The cast kernel: rows of v as type `to`. */
nb_status nb_cast_vector(nb_kernel_ctx *ctx, const nb_vector *v, const nb_type *to,
                         nb_cast_mode mode, nb_vector *out);

#endif
