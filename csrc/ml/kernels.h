/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernels.h: what transformers do to rows, as scalar calls that stream through projections and filters.
 *
 * They are not in the function registry: only ml/ makes them. Two calls of one kernel with different payloads are different computations, so
 * each call gets a literal with a number of its own as its last argument, which the kernels do not look at.
 */
#ifndef NB_ML_KERNELS_H
#define NB_ML_KERNELS_H

#include "expr/registry.h"

/* A vector of numbers (INT32, INT64, FLOAT, DOUBLE) and vectors, side by side. */
typedef struct nb_ml_assemble {
    bool keep;             /* handleInvalid: NaN where a value is null or NaN; else they raise */
    const int *sizes;      /* per argument: elements, -1 unknown */
    const char *signature; /* "struct<x:double,y:double>", for errors */
} nb_ml_assemble;

typedef struct nb_ml_centers {
    int k, d;
    double *centers; /* row-major */
    bool cosine;
} nb_ml_centers;

/* out = (x - shift) * scale + offset, feature by feature; NULL parts are left out. */
typedef struct nb_ml_scale {
    int d;
    const double *shift, *scale, *offset;
    bool sparse;  /* sparse rows stay sparse: shift and offset are NULL */
    bool min_max; /* features that do not vary become offset_const */
    const double *offset_const;
    const char *name;
} nb_ml_scale;

typedef struct nb_ml_index {
    struct nb_ml_lookup *lookup;
    bool keep; /* unknown labels get the number behind the last */
    int n;
    nb_str column; /* for the error */
} nb_ml_index;

typedef struct nb_ml_onehot {
    int n_categories; /* of the model */
    bool drop_last, keep;
} nb_ml_onehot;

typedef struct nb_ml_linear {
    int d;
    double *coefficients;
    double intercept;
} nb_ml_linear;

/* Labels → their numbers. Lives in the arena. */
nb_status nb_ml_lookup_new(nb_arena *arena, const nb_str *labels, int n, struct nb_ml_lookup **out);
int nb_ml_lookup_find(const struct nb_ml_lookup *l, nb_str label); /* -1 when unknown */

typedef enum nb_ml_call {
    NB_ML_CALL_ASSEMBLE, /* args… → vector; payload nb_ml_assemble */
    NB_ML_CALL_COMPLETE, /* args… → boolean: no null and no NaN among them */
    NB_ML_CALL_CLUSTER,  /* vector → int; nb_ml_centers */
    NB_ML_CALL_SCALE,    /* vector → vector; nb_ml_scale */
    NB_ML_CALL_INDEX,    /* string → double; nb_ml_index */
    NB_ML_CALL_KNOWN,    /* string → boolean: is it a label; nb_ml_index */
    NB_ML_CALL_ONEHOT,   /* double → vector; nb_ml_onehot */
    NB_ML_CALL_LINEAR,   /* vector → double; nb_ml_linear */
    NB_N_ML_CALLS
} nb_ml_call;

/* A call in the arena; NULL when out of memory. The payload is borrowed for as long as the plan lives. */
nb_expr *
nb_ml_call_new(nb_arena *arena, nb_ml_call call, nb_expr **args, int n, const void *payload);
/* The arguments of an assemble call (without the number at the end); NULL when e is something else. */
nb_expr **nb_ml_assemble_args(const nb_expr *e, int *n, const nb_ml_assemble **payload);
nb_status nb_ml_raise_assemble(const nb_ml_assemble *payload, bool is_nan, nb_error *err);

/* Single rows, also for predict(). */
int nb_ml_nearest(const nb_ml_centers *c, const double *x, double *distance);
/* What is wrong with x as a row to predict: a NaN. NULL: nothing. */
const char *nb_ml_norms_fault(nb_arena *arena, const nb_ml_centers *c, const double *x);

#endif
