/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fit_kmeans.c: the estimator KMeans: from parameters and rows to a model.
 */
#include "ml/kmeans.h"
#include "ml/model.h"

static bool
has_column(const nb_plan *plan, nb_str name)
{
    for (int i = 0; i < plan->n_attrs; i++) {
        if (!plan->attrs[i].hidden && nb_str_equal(plan->attrs[i].name, name)) {
            return true;
        }
    }
    return false;
}

static nb_status
fit(nb_analyzer *an, const nb_ml_args *args, nb_matrix *m, nb_ml_model *model, nb_error *err)
{
    const nb_analyzer_config *cfg = nb_analyzer_config_of(an);
    bool cosine = nb_str_equal(nb_ml_arg_str(args, "distanceMeasure"), NB_STR("cosine"));
    nb_kmeans_config config = {
        .k = (int)nb_ml_arg_int(args, "k"),
        .max_iter = (int)nb_ml_arg_int(args, "maxIter"),
        .tol = nb_ml_arg_double(args, "tol"),
        .seed = nb_ml_arg_int(args, "seed"),
        .init_steps = (int)nb_ml_arg_int(args, "initSteps"),
        .cosine = cosine,
        .parallel = cfg->n_threads > 1,
        .cancel = cfg->cancel,
    };
    nb_kmeans_result r;
    nb_ml_value sizes = {.kind = NB_ML_INTS};

    if (m->n_rows == 0) {
        return nb_raise(err, NB_COND_JOB_ABORTED, "message",
                        "java.lang.IllegalArgumentException: requirement failed: Nothing has been "
                        "added to this summarizer.",
                        NULL);
    }
    if (cosine && nb_matrix_normalize(m) >= 0) {
        return nb_raise(err, NB_COND_JOB_ABORTED, "message",
                        "java.lang.AssertionError: assertion failed: Cosine distance is not "
                        "defined for zero-length vectors.",
                        NULL);
    }
    NB_TRY(nb_kmeans_fit(m, &config, cfg->arena, &r));
    sizes.n = r.k;
    sizes.ints = NB_ARENA_ARRAY(cfg->arena, int32_t, r.k + 1);
    NB_ML_NEED(sizes.ints);
    for (int c = 0; c < r.k; c++) {
        sizes.ints[c] = (int32_t)NB_MIN(r.sizes[c], INT32_MAX);
    }
    NB_TRY(nb_ml_put(&model->values, NB_STR("clusterCenterMatrix"),
                     nb_ml_matrix(r.centers, r.k, m->d, true)));
    NB_TRY(nb_ml_put(&model->values, NB_STR("summary.trainingCost"), nb_ml_double(r.cost)));
    NB_TRY(nb_ml_put(&model->values, NB_STR("summary.clusterSizes"), sizes));
    NB_TRY(nb_ml_put(&model->values, NB_STR("summary.numIter"), nb_ml_int(r.n_iter)));
    NB_TRY(nb_ml_put(&model->values, NB_STR("summary.k"), nb_ml_int(config.k)));
    NB_TRY(nb_ml_put(&model->values, NB_STR("summary.featuresCol"),
                     nb_ml_string(nb_ml_arg_str(args, "featuresCol"))));
    return nb_ml_put(&model->values, NB_STR("summary.predictionCol"),
                     nb_ml_string(nb_ml_arg_str(args, "predictionCol")));
}

nb_status
nb_ml_fit_kmeans(nb_analyzer *an, const nb_ml_args *args, nb_plan *data, nb_ml_model *model,
                 nb_error *err)
{
    nb_str prediction = nb_ml_arg_str(args, "predictionCol");
    nb_ml_data rows;
    const nb_attr *features;
    nb_status st;

    NB_TRY(nb_ml_vector_attr(an, data, nb_ml_arg_str(args, "featuresCol"), &features, err));
    if (has_column(data, prediction)) {
        return nb_ml_raise_illegal(err, args->arena,
                                   "requirement failed: Column %.*s already exists.",
                                   (int)prediction.len, prediction.data);
    }
    NB_TRY(nb_ml_load(an, data, nb_ml_arg_str(args, "featuresCol"), NB_STR(""),
                      nb_ml_arg_str(args, "weightCol"), true, &rows, err));
    st = fit(an, args, rows.m, model, err);
    nb_matrix_free(rows.m);
    return st;
}
