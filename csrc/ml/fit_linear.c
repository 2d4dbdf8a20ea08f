/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fit_linear.c: the estimator LinearRegression, and the summary of its training.
 */
#include <math.h>
#include "ml/linear.h"
#include "ml/model.h"
#include "ml/regression_metrics.h"

static nb_status
put(nb_ml_model *m, const char *name, nb_ml_value v)
{
    return nb_ml_put(&m->values, nb_str_of(name), v);
}

/* Standard errors, t and p values: only where the normal equations were solved. */
static nb_status
significance(nb_arena *arena, const nb_linear_result *r, int d, bool intercept, double variance,
             double degrees, nb_ml_model *model)
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
    NB_TRY(put(model, "summary.coefficientStandardErrors", nb_ml_doubles(errors, n)));
    NB_TRY(put(model, "summary.tValues", nb_ml_doubles(t, n)));
    return put(model, "summary.pValues", nb_ml_doubles(p, n));
}

static nb_status
summarize(const nb_ml_args *args, const nb_ml_data *rows, const nb_linear_result *r,
          nb_ml_model *model)
{
    nb_arena *arena = args->arena;
    const nb_matrix *m = rows->m;
    bool intercept = nb_ml_arg_bool(args, "fitIntercept");
    nb_ml_regression g = {0};
    double *x = NB_ARENA_ARRAY(arena, double, m->d + 1);
    double *history = nb_arena_zalloc(arena, sizeof(double));
    double *extremes = NB_ARENA_ARRAY(arena, double, 2);
    double spread = 0, explained = 0, mean, r2;
    double free_n = (double)(m->n_rows - m->d - intercept);

    NB_ML_NEED(x && history && extremes);
    extremes[0] = INFINITY;
    extremes[1] = -INFINITY;
    for (int pass = 0; pass < 2; pass++) {
        mean = pass ? g.label / g.weight : 0;
        for (int64_t i = 0; i < m->n_rows; i++) {
            double w = nb_matrix_weight(m, i), y = rows->labels[i], guess = r->intercept, deviance;

            nb_matrix_get_row(m, i, x);
            for (int j = 0; j < m->d; j++) {
                guess += r->coefficients[j] * x[j];
            }
            if (pass == 0) {
                nb_ml_regression_add(&g, y, guess, w);
                deviance = sqrt(w) * (y - guess);
                extremes[0] = fmin(extremes[0], deviance);
                extremes[1] = fmax(extremes[1], deviance);
            } else {
                spread += w * (y - mean) * (y - mean);
                explained += w * (guess - mean) * (guess - mean);
            }
        }
    }
    r2 = nb_ml_regression_r2(&g, spread, !intercept);
    NB_TRY(put(model, "summary.r2", nb_ml_double(r2)));
    NB_TRY(put(model, "summary.r2adj",
               nb_ml_double(1 - (1 - r2) * (double)(m->n_rows - intercept) / free_n)));
    NB_TRY(put(model, "summary.meanSquaredError", nb_ml_double(g.squares / g.weight)));
    NB_TRY(put(model, "summary.rootMeanSquaredError", nb_ml_double(sqrt(g.squares / g.weight))));
    NB_TRY(put(model, "summary.meanAbsoluteError", nb_ml_double(g.absolute / g.weight)));
    NB_TRY(put(model, "summary.explainedVariance", nb_ml_double(explained / g.weight)));
    NB_TRY(put(model, "summary.numInstances", nb_ml_long(m->n_rows)));
    NB_TRY(put(model, "summary.degreesOfFreedom", nb_ml_long((int64_t)free_n)));
    NB_TRY(put(model, "summary.devianceResiduals", nb_ml_doubles(extremes, 2)));
    NB_TRY(put(model, "summary.objectiveHistory", nb_ml_doubles(history, 1)));
    NB_TRY(put(model, "summary.totalIterations", nb_ml_int(r->n_iter)));
    NB_TRY(put(model, "summary.featuresCol", nb_ml_string(nb_ml_arg_str(args, "featuresCol"))));
    NB_TRY(put(model, "summary.labelCol", nb_ml_string(nb_ml_arg_str(args, "labelCol"))));
    NB_TRY(put(model, "summary.predictionCol", nb_ml_string(nb_ml_arg_str(args, "predictionCol"))));
    if (r->inverse == NULL) {
        return NB_OK;
    }
    return significance(arena, r, m->d, intercept, g.squares / free_n, free_n, model);
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
    st = nb_linear_fit(rows.m, rows.labels, &config, args->arena, &r);
    st = st < 0 ? st : put(model, "coefficients", nb_ml_vector(r.coefficients, rows.m->d));
    st = st < 0 ? st : put(model, "intercept", nb_ml_double(r.intercept));
    st = st < 0 ? st : put(model, "scale", nb_ml_double(1));
    st = st < 0 ? st : summarize(args, &rows, &r, model);
    nb_matrix_free(rows.m);
    return st;
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
