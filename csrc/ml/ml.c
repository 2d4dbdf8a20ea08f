/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ml.c: the models of a session, and the commands.
 */
#include "ml/ml.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include "base/random.h"
#include "ml/model.h"
#include "plan/message_unpack.h"

#define HELPER "______ML_CONNECT_HELPER______"

/* A model under its name. */
typedef struct entry entry;
struct entry {
    char id[40];
    nb_arena *arena; /* holds the model */
    nb_ml_model model;
    int refs; /* the table's, and those of calls that are looking at it */
    entry *next;
};

struct nb_ml {
    nb_pool *pool;
    pthread_mutex_t lock; /* entries, refs */
    entry *entries;
    nb_random rng;
};

nb_status
nb_ml_new(nb_pool *pool, nb_ml **out)
{
    nb_ml *ml = nb_pool_zalloc(pool, sizeof *ml);

    if (ml == NULL) {
        return NB_NOMEM;
    }
    ml->pool = pool;
    ml->rng.state = nb_random_seed();
    pthread_mutex_init(&ml->lock, NULL);
    *out = ml;
    return NB_OK;
}

static void
entry_free(nb_ml *ml, entry *e)
{
    nb_arena_free(e->arena);
    nb_pool_dealloc(ml->pool, e, sizeof *e);
}

static void
entry_release(nb_ml *ml, entry *e)
{
    bool last;

    if (e == NULL) {
        return;
    }
    pthread_mutex_lock(&ml->lock);
    last = --e->refs == 0;
    pthread_mutex_unlock(&ml->lock);
    if (last) {
        entry_free(ml, e);
    }
}

static bool
forget(nb_ml *ml, nb_str id)
{
    entry *found = NULL;

    pthread_mutex_lock(&ml->lock);
    for (entry **at = &ml->entries; *at; at = &(*at)->next) {
        if (nb_str_equal(nb_str_of((*at)->id), id)) {
            found = *at;
            *at = found->next;
            break;
        }
    }
    pthread_mutex_unlock(&ml->lock);
    entry_release(ml, found);
    return found != NULL;
}

void
nb_ml_free(nb_ml *ml)
{
    if (ml == NULL) {
        return;
    }
    while (ml->entries) {
        forget(ml, nb_str_of(ml->entries->id));
    }
    pthread_mutex_destroy(&ml->lock);
    nb_pool_dealloc(ml->pool, ml, sizeof *ml);
}

/* With a reference for the caller. */
static nb_status
lookup(nb_ml *ml, nb_str id, entry **out, nb_error *err)
{
    char text[128];

    pthread_mutex_lock(&ml->lock);
    *out = NULL;
    for (entry *e = ml->entries; e; e = e->next) {
        if (nb_str_equal(nb_str_of(e->id), id)) {
            e->refs++;
            *out = e;
            break;
        }
    }
    pthread_mutex_unlock(&ml->lock);
    if (*out != NULL) {
        return NB_OK;
    }
    snprintf(text, sizeof text, "%.*s", (int)NB_MIN(id.len, 100), id.data);
    return nb_raise(err, NB_COND_CONNECT_ML_CACHE_ITEM_NOT_FOUND, "objectName", text, NULL);
}

static nb_status
entry_new(nb_ml *ml, const nb_ml_class *cls, entry **out)
{
    entry *e = nb_pool_zalloc(ml->pool, sizeof *e);

    if (e == NULL) {
        return NB_NOMEM;
    }
    e->arena = nb_arena_new(ml->pool);
    if (e->arena == NULL) {
        nb_pool_dealloc(ml->pool, e, sizeof *e);
        return NB_NOMEM;
    }
    e->refs = 1;
    e->model.cls = cls;
    e->model.params.arena = e->arena;
    e->model.values.arena = e->arena;
    *out = e;
    return NB_OK;
}

/* The entry belongs to the table from now on. */
static void
keep(nb_ml *ml, entry *e)
{
    uint64_t a, b;

    pthread_mutex_lock(&ml->lock);
    a = nb_random_u64(&ml->rng);
    b = nb_random_u64(&ml->rng);
    snprintf(e->id, sizeof e->id, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(a >> 32),
             (unsigned)(a >> 16) & 0xffff, (unsigned)a & 0xffff, (unsigned)(b >> 48),
             (unsigned long long)(b & 0xffffffffffffull));
    e->next = ml->entries;
    ml->entries = e;
    pthread_mutex_unlock(&ml->lock);
}

/* ---- arguments ------------------------------------------------------------------------------------------------------------------ */

static nb_status
read_args(nb_arena *arena, const nb_ml_class *cls, nb_str uid, const Sc__MlParams *params,
          const nb_ml_bag *model, nb_ml_args *out, nb_error *err)
{
    *out = (nb_ml_args){.cls = cls, .uid = uid, .model = model, .arena = arena};
    out->given.arena = arena;
    for (size_t i = 0; params && i < params->n_params; i++) {
        nb_ml_value v;

        if (params->params[i]->value == NULL) {
            continue;
        }
        NB_TRY(nb_ml_from_literal(arena, params->params[i]->value, &v, err));
        NB_TRY(nb_ml_args_put(out, nb_str_of(params->params[i]->key), v, err));
    }
    return NB_OK;
}

static nb_status
find_class(nb_arena *arena, const Sc__MlOperator *op, const nb_ml_class **out, nb_error *err)
{
    nb_str name = op ? nb_ml_text(op->name) : NB_STR("");

    *out = nb_ml_class_find(name);
    return *out ? NB_OK : nb_raise_unsupported(err, "%.*s", (int)name.len, name.data);
}

static nb_status
params_message(nb_arena *arena, const nb_ml_bag *bag, Sc__MlParams **out)
{
    Sc__MlParams *m = NB_ML_MESSAGE(arena, Sc__MlParams, sc__ml_params);

    NB_ML_NEED(m);
    m->params = NB_ARENA_ARRAY(arena, Sc__MlParams__ParamsEntry *, bag->n + 1);
    NB_ML_NEED(m->params);
    for (int i = 0; i < bag->n; i++) {
        Sc__MlParams__ParamsEntry *e =
            NB_ML_MESSAGE(arena, Sc__MlParams__ParamsEntry, sc__ml_params__params_entry);

        NB_ML_NEED(e);
        e->key = nb_arena_strdup(arena, bag->names[i]);
        NB_ML_NEED(e->key);
        NB_TRY(nb_ml_to_literal(arena, &bag->values[i], &e->value));
        m->params[m->n_params++] = e;
    }
    *out = m;
    return NB_OK;
}

static nb_status
info_result(nb_arena *arena, const entry *e, nb_str name, nb_str uid, const nb_ml_bag *params,
            Sc__MlCommandResult *out)
{
    Sc__MlCommandResult__MlOperatorInfo *info = NB_ML_MESSAGE(
        arena, Sc__MlCommandResult__MlOperatorInfo, sc__ml_command_result__ml_operator_info);

    NB_ML_NEED(info);
    if (e != NULL) {
        char *id = nb_arena_strdup(arena, nb_str_of(e->id));

        info->type_case = SC__ML_COMMAND_RESULT__ML_OPERATOR_INFO__TYPE_OBJ_REF;
        info->obj_ref = NB_ML_MESSAGE(arena, Sc__ObjectRef, sc__object_ref);
        NB_ML_NEED(info->obj_ref && id);
        info->obj_ref->has_id = true;
        info->obj_ref->id = nb_ml_bytes(nb_str_of(id));
    } else {
        info->type_case = SC__ML_COMMAND_RESULT__ML_OPERATOR_INFO__TYPE_NAME;
        info->name = nb_ml_bytes(name);
    }
    uid = nb_arena_str(arena, uid);
    NB_ML_NEED(uid.data);
    info->has_uid = true;
    info->uid = nb_ml_bytes(uid);
    NB_TRY(params_message(arena, params, &info->params));
    out->result_type_case = SC__ML_COMMAND_RESULT__RESULT_TYPE_OPERATOR_INFO;
    out->operator_info = info;
    return NB_OK;
}

static nb_status
value_result(nb_arena *arena, const nb_ml_value *v, Sc__MlCommandResult *out)
{
    out->result_type_case = SC__ML_COMMAND_RESULT__RESULT_TYPE_PARAM;
    return nb_ml_to_literal(arena, v, &out->param);
}

/* A new model of copies, and what is said of it. */
static nb_status
keep_model(nb_ml *ml, nb_arena *arena, const nb_ml_class *cls, nb_str uid, const nb_ml_bag *params,
           const nb_ml_bag *values, Sc__MlCommandResult *out)
{
    entry *e;
    nb_status st;

    NB_TRY(entry_new(ml, cls, &e));
    e->model.uid = nb_arena_str(e->arena, uid);
    st = e->model.uid.data ? nb_ml_copy_all(&e->model.params, params) : NB_NOMEM;
    st = st < 0 ? st : nb_ml_copy_all(&e->model.values, values);
    if (st < 0) {
        entry_free(ml, e);
        return st;
    }
    keep(ml, e);
    return info_result(arena, e, NB_STR(""), e->model.uid, &e->model.params, out);
}

/* ---- fit and evaluate --------------------------------------------------------------------------------------------------------- */

static const struct {
    nb_ml_class_id estimator, model;
    nb_ml_fit_fn fit;
} estimators[] = {
    {NB_ML_KMEANS, NB_ML_KMEANS_MODEL, nb_ml_fit_kmeans},
    {NB_ML_LINEAR_REGRESSION, NB_ML_LINEAR_REGRESSION_MODEL, nb_ml_fit_linear},
    {NB_ML_MIN_MAX_SCALER, NB_ML_MIN_MAX_SCALER_MODEL, nb_ml_fit_min_max_scaler},
    {NB_ML_ONE_HOT_ENCODER, NB_ML_ONE_HOT_ENCODER_MODEL, nb_ml_fit_one_hot},
    {NB_ML_STANDARD_SCALER, NB_ML_STANDARD_SCALER_MODEL, nb_ml_fit_standard_scaler},
    {NB_ML_STRING_INDEXER, NB_ML_STRING_INDEXER_MODEL, nb_ml_fit_string_indexer},
};

static nb_status
fit(nb_ml *ml, nb_analyzer *an, const Sc__MlCommand__Fit *c, Sc__MlCommandResult *out,
    nb_error *err)
{
    nb_arena *arena = nb_analyzer_config_of(an)->arena;
    nb_ml_model made = {0};
    const nb_ml_class *cls;
    nb_ml_args args;
    nb_plan *plan;
    size_t at = 0;

    NB_TRY(find_class(arena, c->estimator, &cls, err));
    while (at < NB_COUNT_OF(estimators) && estimators[at].estimator != cls->id) {
        at++;
    }
    if (at == NB_COUNT_OF(estimators) || c->dataset == NULL) {
        return nb_raise_unsupported(err, "Fitting %s", cls->name);
    }
    NB_TRY(read_args(arena, cls, nb_ml_text(c->estimator->uid), c->params, NULL, &args, err));
    NB_TRY(nb_analyze_relation(an, c->dataset, &plan, err));
    made.params.arena = made.values.arena = arena;
    NB_TRY(estimators[at].fit(an, &args, plan, &made, err));
    return keep_model(ml, arena, nb_ml_class_of(estimators[at].model), args.uid, &args.given,
                      &made.values, out);
}

static nb_status
evaluate(nb_analyzer *an, const Sc__MlCommand__Evaluate *c, Sc__MlCommandResult *out, nb_error *err)
{
    nb_arena *arena = nb_analyzer_config_of(an)->arena;
    const nb_ml_class *cls;
    nb_ml_args args;
    nb_ml_value v;
    nb_plan *plan;
    double x;

    NB_TRY(find_class(arena, c->evaluator, &cls, err));
    if (cls->role != NB_ML_ROLE_EVALUATOR || c->dataset == NULL) {
        return nb_raise_unsupported(err, "Evaluating by %s", cls->name);
    }
    NB_TRY(read_args(arena, cls, nb_ml_text(c->evaluator->uid), c->params, NULL, &args, err));
    NB_TRY(nb_analyze_relation(an, c->dataset, &plan, err));
    NB_TRY((cls->id == NB_ML_CLUSTERING_EVALUATOR
                ? nb_ml_evaluate_clustering
                : nb_ml_evaluate_regression)(an, &args, plan, &x, err));
    v = nb_ml_double(x);
    return value_result(arena, &v, out);
}

/* ---- attributes of models ------------------------------------------------------------------------------------------------------- */

static nb_status
describe(nb_arena *arena, const nb_ml_model *m, nb_ml_value *out)
{
    const nb_ml_value *v;
    const char *name = strrchr(m->cls->name, '.') + 1, *text;
    nb_ml_args args = {.cls = m->cls, .uid = m->uid, .model = &m->params, .arena = arena};
    int uid_len = (int)m->uid.len;
    const char *uid = m->uid.data;
    nb_str *columns;

    switch (m->cls->id) {
    case NB_ML_KMEANS_MODEL: {
        nb_str measure = nb_ml_arg_str(&args, "distanceMeasure");

        v = nb_ml_get(&m->values, "clusterCenterMatrix");
        text =
            nb_arena_printf(arena, "%s: uid=%.*s, k=%d, distanceMeasure=%.*s, numFeatures=%d", name,
                            uid_len, uid, v->rows, (int)measure.len, measure.data, v->cols);
        break;
    }
    case NB_ML_LINEAR_REGRESSION_MODEL:
        text = nb_arena_printf(arena, "%s: uid=%.*s, numFeatures=%d", name, uid_len, uid,
                               nb_ml_get(&m->values, "coefficients")->n);
        break;
    case NB_ML_STANDARD_SCALER_MODEL:
        text = nb_arena_printf(arena, "%s: uid=%.*s, numFeatures=%d, withMean=%s, withStd=%s", name,
                               uid_len, uid, nb_ml_get(&m->values, "mean")->n,
                               nb_ml_arg_bool(&args, "withMean") ? "true" : "false",
                               nb_ml_arg_bool(&args, "withStd") ? "true" : "false");
        break;
    case NB_ML_MIN_MAX_SCALER_MODEL: {
        char low[40], high[40];
        nb_strbuf b = {0};
        nb_ml_value min = nb_ml_double(nb_ml_arg_double(&args, "min"));
        nb_ml_value max = nb_ml_double(nb_ml_arg_double(&args, "max"));

        nb_ml_print(&b, &min);
        snprintf(low, sizeof low, "%s", b.data ? b.data : "");
        nb_strbuf_free(&b);
        nb_ml_print(&b, &max);
        snprintf(high, sizeof high, "%s", b.data ? b.data : "");
        nb_strbuf_free(&b);
        text = nb_arena_printf(arena, "%s: uid=%.*s, numFeatures=%d, min=%s, max=%s", name, uid_len,
                               uid, nb_ml_get(&m->values, "originalMin")->n, low, high);
        break;
    }
    default: {
        nb_str invalid = nb_ml_arg_str(&args, "handleInvalid");
        int n = nb_ml_arg_columns(&args, "inputCols", NULL, &columns);
        const char *drop = m->cls->id != NB_ML_ONE_HOT_ENCODER_MODEL ? ""
                           : nb_ml_arg_bool(&args, "dropLast")       ? ", dropLast=true"
                                                                     : ", dropLast=false";
        char many[80] = "";

        if (n > 0) {
            snprintf(many, sizeof many, ", numInputCols=%d, numOutputCols=%d", n, n);
        }
        text = nb_arena_printf(arena, "%s: uid=%.*s%s, handleInvalid=%.*s%s", name, uid_len, uid,
                               drop, (int)invalid.len, invalid.data, many);
    }
    }
    NB_ML_NEED(text);
    *out = nb_ml_string(nb_str_of(text));
    return NB_OK;
}

static nb_status
n_features(const nb_ml_model *m, nb_ml_value *out)
{
    const nb_ml_value *v = nb_ml_get(&m->values, "clusterCenterMatrix");

    if (v == NULL) {
        v = nb_ml_get(&m->values, "coefficients");
    }
    *out = nb_ml_int(v == NULL ? -1 : v->kind == NB_ML_MATRIX ? v->cols : v->n);
    return NB_OK;
}

static nb_status
predict(nb_arena *arena, const nb_ml_model *m, const nb_ml_value *x, nb_ml_value *out,
        nb_error *err)
{
    nb_ml_args args = {.cls = m->cls, .uid = m->uid, .model = &m->params, .arena = arena};
    const nb_ml_value *v;
    nb_ml_value size;
    double *dense;

    n_features(m, &size);
    if (x == NULL || (x->kind != NB_ML_VECTOR && x->kind != NB_ML_SPARSE) || size.i < 0) {
        return nb_ml_raise_illegal(err, arena, "predict takes a vector");
    }
    if ((x->kind == NB_ML_VECTOR ? x->n : x->size) != size.i) {
        return nb_ml_raise_illegal(
            err, arena,
            "requirement failed: Both vectors should have same length, found "
            "v1 is %d while v2 is %d",
            (int)size.i, x->kind == NB_ML_VECTOR ? x->n : x->size);
    }
    dense = nb_arena_zalloc(arena, (size_t)(size.i + 1) * sizeof(double));
    NB_ML_NEED(dense);
    for (int i = 0; i < x->n; i++) {
        dense[x->kind == NB_ML_SPARSE ? x->ints[i] : i] = x->x[i];
    }
    if (m->cls->id == NB_ML_KMEANS_MODEL) {
        nb_ml_centers centers = {
            .cosine = nb_str_equal(nb_ml_arg_str(&args, "distanceMeasure"), NB_STR("cosine"))};
        const char *fault;

        v = nb_ml_get(&m->values, "clusterCenterMatrix");
        centers.k = v->rows;
        centers.d = v->cols;
        centers.centers = v->x;
        fault = nb_ml_norms_fault(arena, &centers, dense);
        if (fault != NULL) {
            return nb_ml_raise_illegal(err, arena, "%s", fault);
        }
        *out = nb_ml_int(nb_ml_nearest(&centers, dense, NULL));
    } else {
        double sum = 0;

        v = nb_ml_get(&m->values, "coefficients");
        for (int j = 0; j < v->n; j++) {
            sum += v->x[j] * dense[j];
        }
        *out = nb_ml_double(sum + nb_ml_get(&m->values, "intercept")->d);
    }
    return NB_OK;
}

/* The value of a chain of attributes. */
static nb_status
attribute(nb_arena *arena, const nb_ml_model *m, const Sc__Fetch *f, nb_ml_value *out,
          nb_error *err)
{
    /* of linear models, where the way of solving does not give them */
    static const struct {
        const char *attribute, *what;
    } statistics[] = {{"coefficientStandardErrors", "Std. Error of coefficients"},
                      {"tValues", "t-statistic"},
                      {"pValues", "p-value"}};
    const Sc__Fetch__Method *last = f->methods[f->n_methods - 1];
    nb_str name = nb_ml_text(last->method);
    char path[160];
    const nb_ml_value *v;
    nb_ml_value argument;
    bool summary = f->n_methods > 1 || m->evaluated.data != NULL;

    snprintf(path, sizeof path, "%s%.*s", summary ? "summary." : "", (int)NB_MIN(name.len, 100),
             name.data);
    v = nb_ml_get(&m->values, path);
    if (v != NULL) {
        *out = *v;
        return NB_OK;
    }
    if (!summary && nb_str_equal(name, NB_STR("toString"))) {
        return describe(arena, m, out);
    }
    if (!summary && nb_str_equal(name, NB_STR("numFeatures"))) {
        return n_features(m, out);
    }
    if (!summary && nb_str_equal(name, NB_STR("predict")) && last->n_args == 1 &&
        last->args[0]->args_type_case == SC__FETCH__METHOD__ARGS__ARGS_TYPE_PARAM) {
        NB_TRY(nb_ml_from_literal(arena, last->args[0]->param, &argument, err));
        return predict(arena, m, &argument, out, err);
    }
    if (!summary && nb_str_equal(name, NB_STR("hasSummary"))) {
        *out = nb_ml_bool(m->values.n > 0 && nb_ml_get(&m->values, "summary.featuresCol") != NULL);
        return NB_OK;
    }
    for (size_t i = 0; summary && i < NB_COUNT_OF(statistics); i++) {
        if (nb_str_equal(name, nb_str_of(statistics[i].attribute))) {
            return nb_raise(err, NB_COND_ML_NO_STATISTIC, "statistic", statistics[i].what, NULL);
        }
    }
    return nb_raise_unsupported(err, "The attribute %.*s of %s", (int)name.len, name.data,
                                m->cls->name);
}

/* The values of a helper's arguments; false when one is no value. */
static nb_status
helper_values(nb_arena *arena, const Sc__Fetch__Method *m, nb_ml_value *out, bool *ok,
              nb_error *err)
{
    *ok = m->n_args == 2;
    for (size_t i = 0; i < m->n_args && *ok; i++) {
        *ok = m->args[i]->args_type_case == SC__FETCH__METHOD__ARGS__ARGS_TYPE_PARAM;
        if (*ok) {
            NB_TRY(nb_ml_from_literal(arena, m->args[i]->param, &out[i], err));
        }
    }
    return NB_OK;
}

/* A StringIndexerModel from labels that are given: of one column, or a list per column. */
static nb_status
indexer_of_labels(nb_ml *ml, nb_arena *arena, nb_str uid, const nb_ml_value *labels,
                  Sc__MlCommandResult *out, nb_error *err)
{
    nb_ml_value lists = *labels, none = {.kind = NB_ML_STRINGS};
    nb_ml_bag values = {.arena = arena}, none_given = {0};

    if (labels->kind != NB_ML_LISTS) {
        none = labels->n == 0 ? none : *labels;
        lists = (nb_ml_value){.kind = NB_ML_LISTS, .n = 1, .lists = &none};
    }
    for (int i = 0; i < lists.n; i++) {
        if (lists.lists[i].kind != NB_ML_STRINGS) {
            return nb_ml_raise_illegal(err, arena, "labels are texts");
        }
    }
    NB_TRY(nb_ml_put(&values, NB_STR("labels"), lists.lists[0]));
    NB_TRY(nb_ml_put(&values, NB_STR("labelsArray"), lists));
    return keep_model(ml, arena, nb_ml_class_of(NB_ML_STRING_INDEXER_MODEL), uid, &none_given,
                      &values, out);
}

static nb_status
helper(nb_ml *ml, nb_arena *arena, const Sc__Fetch *f, Sc__MlCommandResult *out, nb_error *err)
{
    const Sc__Fetch__Method *m = f->methods[0];
    nb_str name = nb_ml_text(m->method);
    nb_ml_value args[2], done = nb_ml_bool(true);
    bool ok;

    NB_TRY(helper_values(arena, m, args, &ok, err));
    if (ok && nb_str_equal(name, NB_STR("handleOverwrite"))) {
        NB_TRY(nb_ml_prepare_path(args[0].s, args[1].i != 0, arena, err));
        return value_result(arena, &done, out);
    }
    if (ok && args[0].kind == NB_ML_STRING &&
        (nb_str_equal(name, NB_STR("stringIndexerModelFromLabels")) ||
         nb_str_equal(name, NB_STR("stringIndexerModelFromLabelsArray")))) {
        return indexer_of_labels(ml, arena, args[0].s, &args[1], out, err);
    }
    return nb_raise_unsupported(err, "The ML helper %.*s", (int)name.len, name.data);
}

/* The summary of a model's predictions for other rows: kept under a name of its own, with the model and where the rows come from. */
static nb_status
evaluate_model(nb_ml *ml, nb_analyzer *an, const nb_ml_model *m, Sc__Relation *rows,
               Sc__MlCommandResult *out, nb_error *err)
{
    nb_arena *arena = nb_analyzer_config_of(an)->arena;
    nb_ml_bag values = {.arena = arena};
    size_t n = protobuf_c_message_get_packed_size(&rows->base);
    uint8_t *bytes;
    nb_ml_args args;
    nb_plan *plan;
    entry *e;
    nb_status st;
    char *id;

    NB_TRY(read_args(arena, m->cls, m->uid, NULL, &m->params, &args, err));
    NB_TRY(nb_analyze_relation(an, rows, &plan, err));
    NB_TRY(nb_ml_evaluate_linear(an, &args, m, plan, &values, err));
    NB_TRY(entry_new(ml, m->cls, &e));
    bytes = nb_arena_alloc(e->arena, n + 1);
    e->model.uid = nb_arena_str(e->arena, m->uid);
    st = bytes && e->model.uid.data ? nb_ml_copy_all(&e->model.params, &m->params) : NB_NOMEM;
    for (int i = 0; i < m->values.n && st >= 0; i++) {
        if (!nb_str_starts_with(m->values.names[i], NB_STR("summary."))) {
            st = nb_ml_put(&values, m->values.names[i], m->values.values[i]);
        }
    }
    st = st < 0 ? st : nb_ml_copy_all(&e->model.values, &values);
    if (st < 0) {
        entry_free(ml, e);
        return st;
    }
    n = protobuf_c_message_pack(&rows->base, bytes);
    e->model.evaluated = (nb_str){(const char *)bytes, n};
    keep(ml, e);
    id = nb_arena_strdup(arena, nb_str_of(e->id));
    NB_ML_NEED(id);
    out->result_type_case = SC__ML_COMMAND_RESULT__RESULT_TYPE_SUMMARY;
    out->summary = nb_ml_bytes(nb_str_of(id));
    return NB_OK;
}

/* model.evaluate(rows) */
static bool
is_evaluation(const nb_ml_model *m, const Sc__Fetch *f)
{
    const Sc__Fetch__Method *method = f->methods[0];

    return m->cls->id == NB_ML_LINEAR_REGRESSION_MODEL && m->evaluated.data == NULL &&
           f->n_methods == 1 && nb_str_equal(nb_ml_text(method->method), NB_STR("evaluate")) &&
           method->n_args == 1 &&
           method->args[0]->args_type_case == SC__FETCH__METHOD__ARGS__ARGS_TYPE_INPUT;
}

static nb_status
fetch(nb_ml *ml, nb_analyzer *an, const Sc__Fetch *f, Sc__MlCommandResult *out, nb_error *err)
{
    nb_arena *arena = nb_analyzer_config_of(an)->arena;
    nb_ml_value v;
    entry *e;
    nb_status st;

    if (f->obj_ref == NULL || f->n_methods == 0) {
        return nb_raise_unsupported(err, "An ML fetch of nothing");
    }
    if (nb_str_equal(nb_ml_text(f->obj_ref->id), NB_STR(HELPER))) {
        return helper(ml, arena, f, out, err);
    }
    NB_TRY(lookup(ml, nb_ml_text(f->obj_ref->id), &e, err));
    if (is_evaluation(&e->model, f)) {
        st = evaluate_model(ml, an, &e->model, f->methods[0]->args[0]->input, out, err);
        entry_release(ml, e);
        return st;
    }
    st = attribute(arena, &e->model, f, &v, err);
    st = st < 0 ? st : nb_ml_copy_value(arena, &v, &v);
    entry_release(ml, e);
    NB_TRY(st);
    return value_result(arena, &v, out);
}

/* ---- files ------------------------------------------------------------------------------------------------------------------------ */

static nb_status
write_object(nb_ml *ml, const nb_analyzer_config *cfg, const Sc__MlCommand__Write *c,
             Sc__MlCommandResult *out, nb_error *err)
{
    nb_arena *arena = cfg->arena;
    nb_str path = nb_ml_text(c->path);
    const nb_ml_class *cls;
    nb_ml_args args;
    nb_ml_bag params = {.arena = arena};
    nb_ml_value done = nb_ml_bool(true);
    entry *e = NULL;
    nb_status st;

    if (c->type_case == SC__ML_COMMAND__WRITE__TYPE_OBJ_REF) {
        NB_TRY(lookup(ml, nb_ml_text(c->obj_ref->id), &e, err));
        st = read_args(arena, e->model.cls, e->model.uid, c->params, NULL, &args, err);
        st = st < 0 ? st : nb_ml_copy_all(&params, &e->model.params);
        st = st < 0 ? st : nb_ml_copy_all(&params, &args.given);
        st = st < 0 ? st : nb_ml_prepare_path(path, c->should_overwrite, arena, err);
        st = st < 0 ? st
                    : nb_ml_save(cfg, path, e->model.cls, e->model.uid, &params, &e->model.values,
                                 err);
        entry_release(ml, e);
        NB_TRY(st);
    } else {
        NB_TRY(find_class(arena, c->operator_, &cls, err));
        NB_TRY(read_args(arena, cls, nb_ml_text(c->operator_->uid), c->params, NULL, &args, err));
        NB_TRY(nb_ml_prepare_path(path, c->should_overwrite, arena, err));
        NB_TRY(nb_ml_save(cfg, path, cls, args.uid, &args.given, NULL, err));
    }
    return value_result(arena, &done, out);
}

static nb_status
read_object(nb_ml *ml, const nb_analyzer_config *cfg, const Sc__MlCommand__Read *c,
            Sc__MlCommandResult *out, nb_error *err)
{
    nb_arena *arena = cfg->arena;
    nb_str path = nb_ml_text(c->path);
    const nb_ml_class *cls;
    nb_ml_bag params = {.arena = arena};
    entry *e;
    nb_str uid;
    nb_status st;

    NB_TRY(find_class(arena, c->operator_, &cls, err));
    if (cls->role != NB_ML_ROLE_MODEL) {
        NB_TRY(nb_ml_load_saved(cfg, path, cls, &uid, &params, NULL, err));
        return info_result(arena, NULL, nb_str_of(cls->name), uid, &params, out);
    }
    NB_TRY(entry_new(ml, cls, &e));
    st = nb_ml_load_saved(cfg, path, cls, &e->model.uid, &e->model.params, &e->model.values, err);
    if (st < 0) {
        entry_free(ml, e);
        return st;
    }
    keep(ml, e);
    return info_result(arena, e, NB_STR(""), e->model.uid, &e->model.params, out);
}

static nb_status
delete_objects(nb_ml *ml, nb_arena *arena, const Sc__MlCommand__Delete *c, Sc__MlCommandResult *out)
{
    nb_ml_value ids = {.kind = NB_ML_STRINGS};

    ids.strings = NB_ARENA_ARRAY(arena, nb_str, c->n_obj_refs + 1);
    NB_ML_NEED(ids.strings);
    for (size_t i = 0; i < c->n_obj_refs; i++) {
        if (forget(ml, nb_ml_text(c->obj_refs[i]->id))) {
            ids.strings[ids.n++] = nb_ml_text(c->obj_refs[i]->id);
        }
    }
    return value_result(arena, &ids, out);
}

static nb_status
clean(nb_ml *ml, nb_arena *arena, bool only_list, Sc__MlCommandResult *out)
{
    nb_ml_value ids = {.kind = NB_ML_STRINGS}, count;
    int n = 0;

    pthread_mutex_lock(&ml->lock);
    for (entry *e = ml->entries; e; e = e->next) {
        n++;
    }
    ids.strings = NB_ARENA_ARRAY(arena, nb_str, n + 1);
    for (entry *e = ml->entries; e && ids.strings && ids.n < n; e = e->next) {
        nb_str id = nb_arena_str(arena, nb_str_of(e->id));

        ids.strings = id.data ? ids.strings : NULL;
        if (ids.strings) {
            ids.strings[ids.n++] = id;
        }
    }
    pthread_mutex_unlock(&ml->lock);
    NB_ML_NEED(ids.strings);
    if (only_list) {
        return value_result(arena, &ids, out);
    }
    for (int i = 0; i < ids.n; i++) {
        forget(ml, ids.strings[i]);
    }
    count = nb_ml_int(ids.n);
    return value_result(arena, &count, out);
}

nb_status
nb_ml_command(nb_ml *ml, nb_analyzer *an, const Sc__MlCommand *command, Sc__MlCommandResult **out,
              nb_error *err)
{
    nb_arena *arena = nb_analyzer_config_of(an)->arena;
    Sc__MlCommandResult *r = NB_ML_MESSAGE(arena, Sc__MlCommandResult, sc__ml_command_result);

    NB_ML_NEED(r);
    *out = r;
    switch (command->command_case) {
    case SC__ML_COMMAND__COMMAND_FIT: return fit(ml, an, command->fit, r, err);
    case SC__ML_COMMAND__COMMAND_FETCH: return fetch(ml, an, command->fetch, r, err);
    case SC__ML_COMMAND__COMMAND_DELETE: return delete_objects(ml, arena, command->delete_, r);
    case SC__ML_COMMAND__COMMAND_WRITE:
        return write_object(ml, nb_analyzer_config_of(an), command->write, r, err);
    case SC__ML_COMMAND__COMMAND_READ:
        return read_object(ml, nb_analyzer_config_of(an), command->read, r, err);
    case SC__ML_COMMAND__COMMAND_EVALUATE: return evaluate(an, command->evaluate, r, err);
    case SC__ML_COMMAND__COMMAND_CLEAN_CACHE: return clean(ml, arena, false, r);
    case SC__ML_COMMAND__COMMAND_GET_CACHE_INFO: return clean(ml, arena, true, r);
    default:
        return nb_raise_unsupported(err, "The ML command %s",
                                    nb_pb_case(&command->base, (int)command->command_case));
    }
}

/* ---- relations -------------------------------------------------------------------------------------------------------------------- */

static nb_status
resolve_transform(nb_ml *ml, nb_analyzer *an, const Sc__MlRelation__Transform *t, nb_plan **out,
                  nb_error *err)
{
    nb_arena *arena = nb_analyzer_config_of(an)->arena;
    const nb_ml_class *cls;
    nb_ml_args args;
    nb_plan *child;
    entry *e;
    nb_status st;

    if (t->input == NULL) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message", "a transformer without input", NULL);
    }
    NB_TRY(nb_analyze_relation(an, t->input, &child, err));
    if (t->operator_case == SC__ML_RELATION__TRANSFORM__OPERATOR_OBJ_REF) {
        NB_TRY(lookup(ml, nb_ml_text(t->obj_ref->id), &e, err));
        st = read_args(arena, e->model.cls, e->model.uid, t->params, &e->model.params, &args, err);
        st = st < 0 ? st : nb_ml_transform(an, &args, &e->model, child, out, err);
        entry_release(ml, e);
        return st;
    }
    if (t->operator_case != SC__ML_RELATION__TRANSFORM__OPERATOR_TRANSFORMER) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message", "a transform of no kind", NULL);
    }
    NB_TRY(find_class(arena, t->transformer, &cls, err));
    NB_TRY(read_args(arena, cls, nb_ml_text(t->transformer->uid), t->params, NULL, &args, err));
    return nb_ml_transform(an, &args, NULL, child, out, err);
}

/* The rows that a summary is of: those that the message brings, or those that were kept. */
static nb_status
summary_rows(nb_analyzer *an, const entry *e, const Sc__MlRelation *rel, nb_plan **out,
             nb_error *err)
{
    const Sc__Fetch *f = rel->fetch;
    nb_str kept = e->model.evaluated;
    ProtobufCMessage *m;

    if (kept.data != NULL && f->n_methods == 1) {
        NB_TRY(nb_message_unpack(nb_analyzer_config_of(an)->arena, &sc__relation__descriptor,
                                 kept.data, kept.len, &m, err));
        return nb_analyze_relation(an, (const Sc__Relation *)m, out, err);
    }
    if (kept.data != NULL || f->n_methods != 2 || rel->model_summary_dataset == NULL ||
        !nb_str_equal(nb_ml_text(f->methods[0]->method), NB_STR("summary"))) {
        return nb_raise_unsupported(err, "An ML relation other than those of a summary");
    }
    return nb_analyze_relation(an, rel->model_summary_dataset, out, err);
}

/* predictions, cluster, residuals of a summary: what the model makes of its rows. */
static nb_status
resolve_summary(nb_ml *ml, nb_analyzer *an, const Sc__MlRelation *rel, nb_plan **out, nb_error *err)
{
    const Sc__Fetch *f = rel->fetch;
    nb_str name, columns[1];
    nb_ml_args args;
    nb_plan *child;
    bool transformed = false;
    entry *e;
    nb_status st;

    if (f->obj_ref == NULL || f->n_methods == 0) {
        return nb_raise_unsupported(err, "An ML relation other than those of a summary");
    }
    name = nb_ml_text(f->methods[f->n_methods - 1]->method);
    NB_TRY(lookup(ml, nb_ml_text(f->obj_ref->id), &e, err));
    NB_TRY_GOTO(st, summary_rows(an, e, rel, &child, err), done);
    NB_TRY_GOTO(st,
                read_args(nb_analyzer_config_of(an)->arena, e->model.cls, e->model.uid, NULL,
                          &e->model.params, &args, err),
                done);
    columns[0] = nb_ml_arg_str(&args, "predictionCol");
    for (int i = 0; i < child->n_attrs && !transformed; i++) {
        transformed = nb_str_equal(child->attrs[i].name, columns[0]);
    }
    if (transformed) { /* Spark's client sends what transform() gave, ours the training rows */
        *out = child;
    } else {
        st = nb_ml_transform(an, &args, &e->model, child, out, err);
    }
    if (st >= 0 && nb_str_equal(name, NB_STR("cluster"))) {
        st = nb_ml_select(an, *out, columns, 1, out, err);
    } else if (st >= 0 && nb_str_equal(name, NB_STR("residuals"))) {
        st = nb_ml_residuals(an, &args, *out, out, err);
    } else if (st >= 0 && !nb_str_equal(name, NB_STR("predictions"))) {
        st = nb_raise_unsupported(err, "summary.%.*s", (int)name.len, name.data);
    }
done:
    entry_release(ml, e);
    return st;
}

nb_status
nb_ml_resolve(void *payload, nb_analyzer *an, const Sc__Relation *rel, nb_plan **out, nb_error *err)
{
    const Sc__MlRelation *m = rel->ml_relation;

    switch (m->ml_type_case) {
    case SC__ML_RELATION__ML_TYPE_TRANSFORM:
        return resolve_transform(payload, an, m->transform, out, err);
    case SC__ML_RELATION__ML_TYPE_FETCH: return resolve_summary(payload, an, m, out, err);
    default:
        return nb_raise(err, NB_COND_INVALID_PLAN, "message", "an ML relation of no kind", NULL);
    }
}
