/* SPDX-License-Identifier: Apache-2.0 */
/*
 * classes.c: parameters, their defaults and checks. Defaults are Spark's.
 */
#include "ml/classes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const nb_ml_param kmeans_params[] = {
    {"featuresCol", 's', "features", NULL},
    {"predictionCol", 's', "prediction", NULL},
    {"k", 'i', "2", ">1"},
    {"initMode", 's', "k-means||", "random\nk-means||"},
    {"initSteps", 'i', "2", ">0"},
    {"tol", 'd', "1e-4", ">=0"},
    {"maxIter", 'i', "20", ">=0"},
    {"seed", 'l', "-1689246527", NULL},
    {"distanceMeasure", 's', "euclidean", "euclidean\ncosine"},
    {"weightCol", 's', NULL, NULL},
    {"solver", 's', "auto", "auto\nrow\nblock"},
    {"maxBlockSizeInMB", 'd', "0", ">=0"},
};
static const nb_ml_param clustering_evaluator_params[] = {
    {"featuresCol", 's', "features", NULL},
    {"predictionCol", 's', "prediction", NULL},
    {"metricName", 's', "silhouette", "silhouette"},
    {"distanceMeasure", 's', "squaredEuclidean", "squaredEuclidean\ncosine"},
    {"weightCol", 's', NULL, NULL},
};
static const nb_ml_param linear_regression_params[] = {
    {"featuresCol", 's', "features", NULL},
    {"labelCol", 's', "label", NULL},
    {"predictionCol", 's', "prediction", NULL},
    {"maxIter", 'i', "100", ">=0"},
    {"regParam", 'd', "0", ">=0"},
    {"elasticNetParam", 'd', "0", "[0,1]"},
    {"tol", 'd', "1e-6", ">=0"},
    {"fitIntercept", 'b', "true", NULL},
    {"standardization", 'b', "true", NULL},
    {"solver", 's', "auto", "auto\nnormal\nl-bfgs"},
    {"weightCol", 's', NULL, NULL},
    {"aggregationDepth", 'i', "2", ">1"},
    {"loss", 's', "squaredError", "squaredError\nhuber"},
    {"epsilon", 'd', "1.35", ">1"},
    {"maxBlockSizeInMB", 'd', "0", ">=0"},
};
static const nb_ml_param min_max_scaler_params[] = {
    {"inputCol", 's', NULL, NULL},
    {"outputCol", 's', NULL, NULL},
    {"min", 'd', "0", NULL},
    {"max", 'd', "1", NULL},
};
static const nb_ml_param one_hot_encoder_params[] = {
    {"inputCol", 's', NULL, NULL},
    {"outputCol", 's', NULL, NULL},
    {"inputCols", 'S', NULL, NULL},
    {"outputCols", 'S', NULL, NULL},
    {"handleInvalid", 's', "error", "error\nkeep"},
    {"dropLast", 'b', "true", NULL},
};
static const nb_ml_param regression_evaluator_params[] = {
    {"predictionCol", 's', "prediction", NULL},
    {"labelCol", 's', "label", NULL},
    {"metricName", 's', "rmse", "mse\nrmse\nr2\nmae\nvar"},
    {"weightCol", 's', NULL, NULL},
    {"throughOrigin", 'b', "false", NULL},
};
static const nb_ml_param standard_scaler_params[] = {
    {"inputCol", 's', NULL, NULL},
    {"outputCol", 's', NULL, NULL},
    {"withMean", 'b', "false", NULL},
    {"withStd", 'b', "true", NULL},
};
static const nb_ml_param string_indexer_params[] = {
    {"inputCol", 's', NULL, NULL},
    {"outputCol", 's', NULL, NULL},
    {"inputCols", 'S', NULL, NULL},
    {"outputCols", 'S', NULL, NULL},
    {"handleInvalid", 's', "error", "error\nskip\nkeep"},
    {"stringOrderType", 's', "frequencyDesc",
     "frequencyDesc\nfrequencyAsc\nalphabetDesc\nalphabetAsc"},
};
static const nb_ml_param vector_assembler_params[] = {
    {"inputCols", 'S', NULL, NULL},
    {"outputCol", 's', NULL, NULL},
    {"handleInvalid", 's', "error", "skip\nerror\nkeep"},
};

#define PREFIX "org.apache.spark.ml."

static const nb_ml_class classes[] = {
#define NB_ML_CLASS(class_id, kind, class_name, list) \
    {.id = NB_ML_##class_id,                          \
     .role = NB_ML_ROLE_##kind,                       \
     .name = PREFIX class_name,                       \
     .params = list,                                  \
     .n_params = (int)NB_COUNT_OF(list)},
#include "ml/classes.def"
#undef NB_ML_CLASS
};

const nb_ml_class *
nb_ml_class_of(nb_ml_class_id id)
{
    return &classes[id];
}

const nb_ml_class *
nb_ml_class_find(nb_str name)
{
    for (size_t i = 0; i < NB_COUNT_OF(classes); i++) {
        if (nb_str_equal(name, nb_str_of(classes[i].name))) {
            return &classes[i];
        }
    }
    return NULL;
}

nb_status
nb_ml_raise_illegal(nb_error *err, nb_arena *arena, const char *format, ...)
{
    char text[1024];
    va_list ap;

    (void)arena;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message", text, NULL);
}

static bool
passes(const char *check, const nb_ml_value *v)
{
    double x = nb_ml_number(v);

    if (check == NULL) {
        return true;
    }
    if (strcmp(check, ">0") == 0) {
        return x > 0;
    }
    if (strcmp(check, ">1") == 0) {
        return x > 1;
    }
    if (strcmp(check, ">=0") == 0) {
        return x >= 0;
    }
    if (strcmp(check, "[0,1]") == 0) {
        return x >= 0 && x <= 1;
    }
    while (*check) { /* options, one per line */
        const char *end = strchr(check, '\n');
        size_t n = end ? (size_t)(end - check) : strlen(check);

        if (v->kind == NB_ML_STRING && nb_str_equal(v->s, (nb_str){check, n})) {
            return true;
        }
        check += n + (end != NULL);
    }
    return false;
}

static bool
fits(char type, nb_ml_value *v)
{
    switch (type) {
    case 'i':
    case 'l':
        if (v->kind == NB_ML_INT || v->kind == NB_ML_LONG) {
            v->kind = type == 'i' ? NB_ML_INT : NB_ML_LONG;
            return true;
        }
        return false;
    case 'd':
        if (v->kind == NB_ML_INT || v->kind == NB_ML_LONG) {
            *v = nb_ml_double((double)v->i);
        }
        return v->kind == NB_ML_DOUBLE;
    case 'b': return v->kind == NB_ML_BOOL;
    case 's': return v->kind == NB_ML_STRING;
    default:
        if (v->n == 0 && v->kind == NB_ML_DOUBLES) { /* an empty list has no type */
            v->kind = NB_ML_STRINGS;
        }
        return v->kind == NB_ML_STRINGS;
    }
}

static const nb_ml_param *
param_of(const nb_ml_class *cls, nb_str name)
{
    for (int i = 0; i < cls->n_params; i++) {
        if (nb_str_equal(nb_str_of(cls->params[i].name), name)) {
            return &cls->params[i];
        }
    }
    return NULL;
}

nb_status
nb_ml_args_put(nb_ml_args *args, nb_str name, nb_ml_value value, nb_error *err)
{
    const nb_ml_param *p = param_of(args->cls, name);
    nb_strbuf text = {0};
    nb_status st;

    if (p == NULL) {
        return nb_ml_raise_illegal(err, args->arena, "Param %.*s does not exist.", (int)name.len,
                                   name.data);
    }
    if (value.kind == NB_ML_NULL) {
        return NB_OK;
    }
    if (!fits(p->type, &value) || !passes(p->check, &value)) {
        nb_ml_print(&text, &value);
        st = nb_ml_raise_illegal(err, args->arena, "%.*s parameter %s given invalid value %s.",
                                 (int)args->uid.len, args->uid.data, p->name,
                                 text.data ? text.data : "");
        nb_strbuf_free(&text);
        return st;
    }
    return nb_ml_put(&args->given, name, value);
}

static const nb_ml_value *
find(const nb_ml_args *args, const char *name)
{
    const nb_ml_value *v = nb_ml_get(&args->given, name);

    return v == NULL && args->model != NULL ? nb_ml_get(args->model, name) : v;
}

static const char *
standard(const nb_ml_args *args, const char *name)
{
    const nb_ml_param *p = param_of(args->cls, nb_str_of(name));

    return p && p->standard ? p->standard : "";
}

bool
nb_ml_arg_is_set(const nb_ml_args *args, const char *name)
{
    return find(args, name) != NULL;
}

int64_t
nb_ml_arg_int(const nb_ml_args *args, const char *name)
{
    const nb_ml_value *v = find(args, name);

    return v ? v->i : strtoll(standard(args, name), NULL, 10);
}

double
nb_ml_arg_double(const nb_ml_args *args, const char *name)
{
    const nb_ml_value *v = find(args, name);

    return v ? nb_ml_number(v) : strtod(standard(args, name), NULL);
}

bool
nb_ml_arg_bool(const nb_ml_args *args, const char *name)
{
    const nb_ml_value *v = find(args, name);

    return v ? v->i != 0 : strcmp(standard(args, name), "true") == 0;
}

nb_str
nb_ml_arg_str(const nb_ml_args *args, const char *name)
{
    const nb_ml_value *v = find(args, name);

    if (v == NULL && strcmp(name, "outputCol") == 0 && args->uid.len > 0) {
        char *text =
            nb_arena_printf(args->arena, "%.*s__output", (int)args->uid.len, args->uid.data);

        return nb_str_of(text ? text : "output");
    }
    return v ? v->s : nb_str_of(standard(args, name));
}

int
nb_ml_arg_columns(const nb_ml_args *args, const char *many, const char *one, nb_str **out)
{
    const nb_ml_value *v = find(args, many);

    if (v != NULL) {
        *out = v->strings;
        return v->n;
    }
    if (one == NULL || (!nb_ml_arg_is_set(args, one) && strcmp(one, "outputCol") != 0)) {
        return 0;
    }
    *out = NB_ARENA_ARRAY(args->arena, nb_str, 1);
    if (*out == NULL) {
        return 0;
    }
    (*out)[0] = nb_ml_arg_str(args, one);
    return 1;
}
