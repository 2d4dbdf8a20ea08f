/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.h: what the parts of ml/ share: models, the rows that they learn from, and the functions of each class.
 */
#ifndef NB_ML_MODEL_H
#define NB_ML_MODEL_H

#include "ml/classes.h"
#include "ml/kernels.h"
#include "ml/matrix.h"
#include "ml/ml.h"

/* A model is its parameters and named values. Names that begin with "summary." are known only after training and not saved. */
typedef struct nb_ml_model {
    const nb_ml_class *cls;
    nb_str uid;
    nb_ml_bag params;
    nb_ml_bag values;
    nb_str
        evaluated; /* packed spark.connect.Relation: this is the model's summary of those rows, asked by name */
} nb_ml_model;

/* ---- rows (rows.c) ---------------------------------------------------------------------------------------------------------- */

/* The attribute of this name; raises FIELD_NOT_FOUND. */
nb_status
nb_ml_attr(nb_analyzer *an, const nb_plan *plan, nb_str name, const nb_attr **out, nb_error *err);
/* The same; its type must do for vectors. */
nb_status nb_ml_vector_attr(nb_analyzer *an, const nb_plan *plan, nb_str name, const nb_attr **out,
                            nb_error *err);
/* A numeric column as an expression of type double. */
nb_status
nb_ml_number_expr(nb_analyzer *an, const nb_plan *plan, nb_str name, nb_expr **out, nb_error *err);

/* Rows of expressions over a plan: table columns[i] holds exprs[i]. The plan is used up. */
typedef struct nb_ml_table {
    nb_table *table; /* owned: nb_table_release */
    int *columns;
} nb_ml_table;
nb_status nb_ml_gather(nb_analyzer *an, nb_plan *plan, nb_expr **exprs, int n, nb_ml_table *out,
                       nb_error *err);
/* Rows of one numeric column of a gathered table as doubles in the arena; null where it is null gives NaN. */
nb_status nb_ml_doubles_of(nb_arena *arena, const nb_ml_table *t, int column, double **out);

/* Features, weights and labels of a plan as a matrix. Names may be empty. Raises on nulls, NaN and infinities where Spark does. */
typedef struct nb_ml_data {
    nb_matrix *m;   /* owned: nb_matrix_free */
    double *labels; /* in the arena; NULL when there is no label column */
} nb_ml_data;
nb_status nb_ml_load(nb_analyzer *an, nb_plan *plan, nb_str features, nb_str label, nb_str weight,
                     bool finite, nb_ml_data *out, nb_error *err);

/* ---- estimators: fill model->values ----------------------------------------------------------------------------------------- */
typedef nb_status (*nb_ml_fit_fn)(nb_analyzer *an, const nb_ml_args *args, nb_plan *data,
                                  nb_ml_model *model, nb_error *err);
nb_status nb_ml_fit_kmeans(nb_analyzer *an, const nb_ml_args *args, nb_plan *data,
                           nb_ml_model *model, nb_error *err);
nb_status nb_ml_fit_standard_scaler(nb_analyzer *an, const nb_ml_args *args, nb_plan *data,
                                    nb_ml_model *model, nb_error *err);
nb_status nb_ml_fit_min_max_scaler(nb_analyzer *an, const nb_ml_args *args, nb_plan *data,
                                   nb_ml_model *model, nb_error *err);
nb_status nb_ml_fit_string_indexer(nb_analyzer *an, const nb_ml_args *args, nb_plan *data,
                                   nb_ml_model *model, nb_error *err);
nb_status nb_ml_fit_one_hot(nb_analyzer *an, const nb_ml_args *args, nb_plan *data,
                            nb_ml_model *model, nb_error *err);
nb_status nb_ml_fit_linear(nb_analyzer *an, const nb_ml_args *args, nb_plan *data,
                           nb_ml_model *model, nb_error *err);

/* ---- evaluators ------------------------------------------------------------------------------------------------------------------ */
nb_status nb_ml_evaluate_clustering(nb_analyzer *an, const nb_ml_args *args, nb_plan *data,
                                    double *out, nb_error *err);
nb_status nb_ml_evaluate_regression(nb_analyzer *an, const nb_ml_args *args, nb_plan *data,
                                    double *out, nb_error *err);
/* Puts the summary of a linear model's predictions for these rows into values. */
nb_status nb_ml_evaluate_linear(nb_analyzer *an, const nb_ml_args *args, const nb_ml_model *model,
                                nb_plan *data, nb_ml_bag *values, nb_error *err);

/* ---- transformers (transform.c) ----------------------------------------------------------------------------------------------- */
/* model NULL: a transformer without one. */
nb_status nb_ml_transform(nb_analyzer *an, const nb_ml_args *args, const nb_ml_model *model,
                          nb_plan *child, nb_plan **out, nb_error *err);
/* label - prediction, as the column "residuals". */
nb_status nb_ml_residuals(nb_analyzer *an, const nb_ml_args *args, nb_plan *predictions,
                          nb_plan **out, nb_error *err);
/* The columns named, in order. */
nb_status nb_ml_select(nb_analyzer *an, nb_plan *child, const nb_str *names, int n, nb_plan **out,
                       nb_error *err);

/* ---- persistence (persist.c) --------------------------------------------------------------------------------------------------- */
nb_status nb_ml_prepare_path(nb_str path, bool overwrite, nb_arena *arena, nb_error *err);
/* values NULL: an object without a model. */
nb_status nb_ml_save(const nb_analyzer_config *cfg, nb_str path, const nb_ml_class *cls, nb_str uid,
                     const nb_ml_bag *params, const nb_ml_bag *values, nb_error *err);
/* uid, params and values are made in the arena of the bags. */
nb_status nb_ml_load_saved(const nb_analyzer_config *cfg, nb_str path, const nb_ml_class *cls,
                           nb_str *uid, nb_ml_bag *params, nb_ml_bag *values, nb_error *err);

#endif
