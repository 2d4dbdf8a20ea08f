/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fit_linear.c: the estimator LinearRegression, and summaries: of its training, and of other rows.
 */
#include <math.h>
#include "ml/linear.h"
#include "ml/model.h"
#include "ml/regression_metrics.h"

static nb_status
put(nb_ml_bag *values, const char *name, nb_ml_value v)
{
    return nb_ml_put(values, nb_str_of(name), v);
}

/* Standard errors, t and p values: only where the normal equations were solved. */
static nb_status
significance(nb_arena *arena, const nb_linear_result *r, int d, bool intercept, double variance,
             double degrees, nb_ml_bag *values)
{
    int n = d + intercept;
    double *errors = NB_ARENA_ARRAY(arena, double, n + 1),
           *t = NB_ARENA_ARRAY(arena, double, n + 1);
    double *p = NB_ARENA_ARRAY(arena, double, n + 1);

    NB_ML_NEED(errors && t && p);
    for (int i = 0; i < n; i++) {
        errors[i] = sqrt(r->inverse[i] * variance);
        t[i] = (i < d ? r->coefficients[i] : r->intercept) / errors[i];
        p[i] = nb_student_t_p(t[i], degrees);
    }
    NB_TRY(put(values, "summary.coefficientStandardErrors", nb_ml_doubles(errors, n)));
    NB_TRY(put(values, "summary.tValues", nb_ml_doubles(t, n)));
    return put(values, "summary.pValues", nb_ml_doubles(p, n));
}

/* Labels and what was predicted for them. */
typedef struct guesses {
    const double *labels, *predictions, *weights; /* weights NULL: all 1 */
    int64_t n_rows;
    int n_features;
} guesses;

/* What every summary has; the weighted squared errors are its measure of noise. */
static nb_status
summarize(const nb_ml_args *args, const guesses *rows, nb_ml_bag *values, double *squares)
{
    nb_arena *arena = args->arena;
    bool intercept = nb_ml_arg_bool(args, "fitIntercept");
    nb_ml_regression g = {0};
    double *extremes = NB_ARENA_ARRAY(arena, double, 2);
    double spread = 0, explained = 0, mean, r2;
    double free_n = (double)(rows->n_rows - rows->n_features - intercept);

    NB_ML_NEED(extremes);
    extremes[0] = NAN; /* NaN is the largest of all, as in min() and max() */
    extremes[1] = -INFINITY;
    for (int64_t i = 0; i < rows->n_rows; i++) {
        double w = rows->weights ? rows->weights[i] : 1, y = rows->labels[i];
        double deviance = sqrt(w) * (y - rows->predictions[i]);

        nb_ml_regression_add(&g, y, rows->predictions[i], w);
        extremes[0] = fmin(extremes[0], deviance);
        extremes[1] = deviance > extremes[1] || isnan(deviance) ? deviance : extremes[1];
    }
    mean = g.label / g.weight;
    for (int64_t i = 0; i < rows->n_rows; i++) {
        double w = rows->weights ? rows->weights[i] : 1;

        spread += w * (rows->labels[i] - mean) * (rows->labels[i] - mean);
        explained += w * (rows->predictions[i] - mean) * (rows->predictions[i] - mean);
    }
    r2 = nb_ml_regression_r2(&g, spread, !intercept);
    *squares = g.squares;
    NB_TRY(put(values, "summary.r2", nb_ml_double(r2)));
    NB_TRY(put(values, "summary.r2adj",
               nb_ml_double(1 - (1 - r2) * (double)(rows->n_rows - intercept) / free_n)));
    NB_TRY(put(values, "summary.meanSquaredError", nb_ml_double(g.squares / g.weight)));
    NB_TRY(put(values, "summary.rootMeanSquaredError", nb_ml_double(sqrt(g.squares / g.weight))));
    NB_TRY(put(values, "summary.meanAbsoluteError", nb_ml_double(g.absolute / g.weight)));
    NB_TRY(put(values, "summary.explainedVariance", nb_ml_double(explained / g.weight)));
    NB_TRY(put(values, "summary.numInstances", nb_ml_long(rows->n_rows)));
    NB_TRY(put(values, "summary.degreesOfFreedom", nb_ml_long((int64_t)free_n)));
    NB_TRY(put(values, "summary.devianceResiduals", nb_ml_doubles(extremes, 2)));
    NB_TRY(put(values, "summary.featuresCol", nb_ml_string(nb_ml_arg_str(args, "featuresCol"))));
    NB_TRY(put(values, "summary.labelCol", nb_ml_string(nb_ml_arg_str(args, "labelCol"))));
    return put(values, "summary.predictionCol", nb_ml_string(nb_ml_arg_str(args, "predictionCol")));
}

static nb_status
summarize_training(const nb_ml_args *args, const nb_ml_data *data, const nb_linear_result *r,
                   nb_ml_bag *values)
{
    nb_arena *arena = args->arena;
    const nb_matrix *m = data->m;
    bool intercept = nb_ml_arg_bool(args, "fitIntercept");
    double *x = NB_ARENA_ARRAY(arena, double, m->d + 1);
    double *predictions = NB_ARENA_ARRAY(arena, double, m->n_rows + 1);
    double *history = nb_arena_zalloc(arena, sizeof(double));
    double free_n = (double)(m->n_rows - m->d - intercept), squares;
    guesses rows = {data->labels, predictions, m->weights, m->n_rows, m->d};

    NB_ML_NEED(x && predictions && history);
    for (int64_t i = 0; i < m->n_rows; i++) {
        predictions[i] = r->intercept;
        nb_matrix_get_row(m, i, x);
        for (int j = 0; j < m->d; j++) {
            predictions[i] += r->coefficients[j] * x[j];
        }
    }
    NB_TRY(summarize(args, &rows, values, &squares));
    NB_TRY(put(values, "summary.objectiveHistory", nb_ml_doubles(history, 1)));
    NB_TRY(put(values, "summary.totalIterations", nb_ml_int(r->n_iter)));
    if (r->inverse == NULL) {
        return NB_OK;
    }
    return significance(arena, r, m->d, intercept, squares / free_n, free_n, values);
}

/* All labels one value other than 0? */
static bool
is_constant(const nb_ml_data *rows)
{
    for (int64_t i = 1; i < rows->m->n_rows; i++) {
        if (rows->labels[i] != rows->labels[0]) {
            return false;
        }
    }
    return rows->labels[0] != 0;
}

nb_status
nb_ml_fit_linear(nb_analyzer *an, const nb_ml_args *args, nb_plan *data, nb_ml_model *model,
                 nb_error *err)
{
    nb_str solver = nb_ml_arg_str(args, "solver");
    nb_linear_config config = {
        .reg_param = nb_ml_arg_double(args, "regParam"),
        .elastic_net = nb_ml_arg_double(args, "elasticNetParam"),
        .tol = nb_ml_arg_double(args, "tol"),
        .max_iter = (int)nb_ml_arg_int(args, "maxIter"),
        .intercept = nb_ml_arg_bool(args, "fitIntercept"),
        .standardize = nb_ml_arg_bool(args, "standardization"),
        .unbiased = nb_str_equal(solver, NB_STR("l-bfgs")),
    };
    nb_linear_result r;
    nb_ml_data rows;
    nb_status st;

    if (nb_str_equal(nb_ml_arg_str(args, "loss"), NB_STR("huber"))) {
        return nb_raise_unsupported(err, "LinearRegression with the huber loss");
    }
    if (config.max_iter == 0) {
        return nb_ml_raise_illegal(err, args->arena,
                                   "requirement failed: maxIter must be a positive integer: 0");
    }
    NB_TRY(nb_ml_load(an, data, nb_ml_arg_str(args, "featuresCol"), nb_ml_arg_str(args, "labelCol"),
                      nb_ml_arg_str(args, "weightCol"), true, &rows, err));
    for (int64_t i = 0; i < rows.m->n_rows; i++) {
        if (!isfinite(rows.labels[i])) {
            nb_matrix_free(rows.m);
            return nb_raise(err, NB_COND_USER_RAISED_EXCEPTION, "errorMessage",
                            "Labels MUST NOT be Null or NaN", NULL);
        }
    }
    if (rows.m->n_rows == 0) {
        nb_matrix_free(rows.m);
        return nb_raise(err, NB_COND_ASSERTION_ERROR, "message", "Training dataset is empty.",
                        NULL);
    }
    if (!config.intercept && config.reg_param > 0 && config.standardize && is_constant(&rows)) {
        nb_matrix_free(rows.m);
        return nb_ml_raise_illegal(
            err, args->arena,
            "requirement failed: The standard deviation of the label is zero. "
            "Model cannot be regularized when labels are standardized.");
    }
    st = nb_linear_fit(rows.m, rows.labels, &config, args->arena, &r);
    st = st < 0 ? st : put(&model->values, "coefficients", nb_ml_vector(r.coefficients, rows.m->d));
    st = st < 0 ? st : put(&model->values, "intercept", nb_ml_double(r.intercept));
    st = st < 0 ? st : put(&model->values, "scale", nb_ml_double(1));
    st = st < 0 ? st : summarize_training(args, &rows, &r, &model->values);
    nb_matrix_free(rows.m);
    return st;
}

/* A column of doubles; Spark takes no nulls here. */
static nb_status
known_doubles(nb_arena *arena, const nb_ml_table *t, int column, double **out, nb_error *err)
{
    for (int c = 0; c < t->table->n_chunks; c++) {
        const nb_chunk *chunk = t->table->chunks[c];
        nb_vector v;

        NB_TRY(nb_vector_flatten(arena, &chunk->cols[t->columns[column]], &v));
        for (int64_t i = 0; i < chunk->n_rows; i++) {
            if (!nb_is_valid(v.validity, i)) {
                return nb_raise(err, NB_COND_USER_RAISED_EXCEPTION, "errorMessage",
                                "Labels, features and weights MUST NOT be Null", NULL);
            }
        }
    }
    return nb_ml_doubles_of(arena, t, column, out);
}

nb_status
nb_ml_evaluate_linear(nb_analyzer *an, const nb_ml_args *args, const nb_ml_model *model,
                      nb_plan *data, nb_ml_bag *values, nb_error *err)
{
    nb_str weight = nb_ml_arg_str(args, "weightCol");
    const nb_ml_value *coefficients = nb_ml_get(&model->values, "coefficients");
    double *columns[3] = {NULL}, squares;
    nb_expr *exprs[3];
    int n = 2;
    nb_ml_table t;
    guesses rows;
    nb_status st = NB_OK;

    NB_TRY(nb_ml_transform(an, args, model, data, &data, err));
    NB_TRY(nb_ml_number_expr(an, data, nb_ml_arg_str(args, "labelCol"), &exprs[0], err));
    NB_TRY(nb_ml_number_expr(an, data, nb_ml_arg_str(args, "predictionCol"), &exprs[1], err));
    if (weight.len > 0) {
        NB_TRY(nb_ml_number_expr(an, data, weight, &exprs[n++], err));
    }
    NB_TRY(nb_ml_gather(an, data, exprs, n, &t, err));
    for (int i = 0; i < n && st >= 0; i++) {
        st = known_doubles(args->arena, &t, i, &columns[i], err);
    }
    rows = (guesses){columns[0], columns[1], columns[2], t.table->n_rows, coefficients->n};
    nb_table_release(t.table);
    NB_TRY(st);
    if (rows.n_rows == 0) {
        return nb_ml_raise_illegal(
            err, args->arena, "requirement failed: Nothing has been added to this summarizer.");
    }
    return summarize(args, &rows, values, &squares);
}

nb_status
nb_ml_residuals(nb_analyzer *an, const nb_ml_args *args, nb_plan *predictions, nb_plan **out,
                nb_error *err)
{
    nb_arena *arena = args->arena;
    const nb_session_info *info = nb_analyzer_config_of(an)->info;
    const nb_function *minus = nb_function_find(NB_STR("-"));
    nb_expr *both[2], *made;
    nb_plan *p;

    NB_TRY(nb_ml_number_expr(an, predictions, nb_ml_arg_str(args, "labelCol"), &both[0], err));
    NB_TRY(nb_ml_number_expr(an, predictions, nb_ml_arg_str(args, "predictionCol"), &both[1], err));
    if (minus == NULL) {
        return nb_raise_internal(err, "no function \"-\"");
    }
    NB_TRY(nb_function_bind(arena, info, minus, NB_STR("-"), both, 2, NULL, &made, err));
    made = nb_expr_alias(arena, made, NB_STR("residuals"), nb_attr_next_id());
    p = nb_plan_new(arena, NB_PLAN_PROJECT, 1, 1);
    NB_ML_NEED(made && p);
    p->children[0] = predictions;
    p->u.project.exprs = NB_ARENA_ARRAY(arena, nb_expr *, 1);
    NB_ML_NEED(p->u.project.exprs);
    p->u.project.exprs[0] = made;
    p->attrs[0] = nb_attr_of_expr(made);
    *out = p;
    return NB_OK;
}
