/* SPDX-License-Identifier: Apache-2.0 */
/*
 * classes.h: the estimators, transformers, evaluators and models that there are: rows of classes.def.
 */
#ifndef NB_ML_CLASSES_H
#define NB_ML_CLASSES_H

#include "ml/value.h"

typedef enum nb_ml_class_id {
#define NB_ML_CLASS(id, kind, name, params) NB_ML_##id,
#include "ml/classes.def"
#undef NB_ML_CLASS
    NB_N_ML_CLASSES
} nb_ml_class_id;

typedef enum nb_ml_role {
    NB_ML_ROLE_ESTIMATOR,
    NB_ML_ROLE_TRANSFORMER,
    NB_ML_ROLE_EVALUATOR,
    NB_ML_ROLE_MODEL
} nb_ml_role;

/* name, type (i l d b s S), default as text (NULL: none), check: ">0", ">=0", ">1", "[0,1]", "a|b|c" or NULL */
typedef struct nb_ml_param {
    const char *name;
    char type;
    const char *standard, *check;
} nb_ml_param;

typedef struct nb_ml_class {
    nb_ml_class_id id;
    nb_ml_role role;
    const char *name; /* org.apache.spark.ml.clustering.KMeans */
    const nb_ml_param *params;
    int n_params;
} nb_ml_class;

const nb_ml_class *nb_ml_class_of(nb_ml_class_id id);
const nb_ml_class *nb_ml_class_find(nb_str name); /* NULL when unknown */

/* Parameters of one use of a class: those given, then those that a model was made with, then defaults. */
typedef struct nb_ml_args {
    const nb_ml_class *cls;
    nb_str uid;
    nb_ml_bag given;
    const nb_ml_bag *model; /* may be NULL */
    nb_arena *arena;
} nb_ml_args;

/* Puts a parameter after checking it: IllegalArgumentException as Spark words it. Unknown names raise; an absent value unsets. */
nb_status nb_ml_args_put(nb_ml_args *args, nb_str name, nb_ml_value value, nb_error *err);
bool nb_ml_arg_is_set(const nb_ml_args *args, const char *name);
int64_t nb_ml_arg_int(const nb_ml_args *args, const char *name);
double nb_ml_arg_double(const nb_ml_args *args, const char *name);
bool nb_ml_arg_bool(const nb_ml_args *args, const char *name);
nb_str nb_ml_arg_str(const nb_ml_args *args, const char *name); /* "" when not set */
/* inputCols or a single inputCol: n names; 0 when neither is set. */
int nb_ml_arg_columns(const nb_ml_args *args, const char *many, const char *one, nb_str **out);

nb_status
nb_ml_raise_illegal(nb_error *err, nb_arena *arena, const char *format, ...) NB_PRINTF(3, 4);

#endif
