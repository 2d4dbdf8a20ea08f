/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transform.c: transformers as projections: the input's columns, then the new ones with their attribute metadata.
 */
#include "ml/model.h"

#include "ml/json.h"
#include "ml/vectors.h"

static nb_arena *
arena_of(nb_analyzer *an)
{
    return nb_analyzer_config_of(an)->arena;
}

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
need_free_name(nb_analyzer *an, const nb_plan *child, nb_str name, const char *format,
               nb_error *err)
{
    if (has_column(child, name)) {
        return nb_ml_raise_illegal(err, arena_of(an), format, (int)name.len, name.data);
    }
    return NB_OK;
}

/* The child's visible columns and n new ones. */
static nb_status
append(nb_analyzer *an, nb_plan *child, nb_expr **made, const nb_str *names, const nb_str *metadata,
       int n, nb_plan **out)
{
    nb_arena *arena = arena_of(an);
    nb_plan *p = nb_plan_new(arena, NB_PLAN_PROJECT, 1, child->n_attrs + n);
    int at = 0;

    NB_ML_NEED(p);
    p->children[0] = child;
    p->u.project.exprs = NB_ARENA_ARRAY(arena, nb_expr *, child->n_attrs + n + 1);
    NB_ML_NEED(p->u.project.exprs);
    for (int i = 0; i < child->n_attrs; i++) {
        if (!child->attrs[i].hidden) {
            p->attrs[at] = child->attrs[i];
            p->u.project.exprs[at] = nb_attr_expr(arena, &child->attrs[i]);
            NB_ML_NEED(p->u.project.exprs[at]);
            at++;
        }
    }
    for (int i = 0; i < n; i++) {
        nb_expr *e = nb_expr_alias(arena, made[i], names[i], nb_attr_next_id());

        NB_ML_NEED(e);
        e->u.alias.metadata = metadata ? metadata[i] : NB_STR("");
        p->u.project.exprs[at] = e;
        p->attrs[at++] = nb_attr_of_expr(e);
    }
    p->n_attrs = at;
    *out = p;
    return NB_OK;
}

static nb_status
filter(nb_analyzer *an, nb_plan *child, nb_expr *condition, nb_plan **out)
{
    nb_plan *p = nb_plan_new(arena_of(an), NB_PLAN_FILTER, 1, child->n_attrs);

    NB_ML_NEED(p && condition);
    p->children[0] = child;
    p->u.filter.condition = condition;
    memcpy(p->attrs, child->attrs, (size_t)child->n_attrs * sizeof(nb_attr));
    *out = p;
    return NB_OK;
}

nb_status
nb_ml_select(nb_analyzer *an, nb_plan *child, const nb_str *names, int n, nb_plan **out,
             nb_error *err)
{
    nb_arena *arena = arena_of(an);
    nb_plan *p = nb_plan_new(arena, NB_PLAN_PROJECT, 1, n);

    NB_ML_NEED(p);
    p->children[0] = child;
    p->u.project.exprs = NB_ARENA_ARRAY(arena, nb_expr *, n + 1);
    NB_ML_NEED(p->u.project.exprs);
    for (int i = 0; i < n; i++) {
        const nb_attr *a;

        NB_TRY(nb_ml_attr(an, child, names[i], &a, err));
        p->attrs[i] = *a;
        p->u.project.exprs[i] = nb_attr_expr(arena, a);
        NB_ML_NEED(p->u.project.exprs[i]);
    }
    *out = p;
    return NB_OK;
}

/* ---- attribute metadata ------------------------------------------------------------------------------------------------------- */

/* The number behind "num_attrs": in our metadata; -1 when it is not there. */
static int
n_attrs_in(nb_str metadata)
{
    const char *at =
        metadata.len ? memmem(metadata.data, metadata.len, "\"num_attrs\":", 12) : NULL;
    int64_t n = 0;
    bool any = false;

    if (at == NULL) {
        return -1;
    }
    for (at += 12; at < metadata.data + metadata.len && *at >= '0' && *at <= '9' && n < 1 << 30;
         at++) {
        n = n * 10 + (*at - '0');
        any = true;
    }
    return any ? (int)n : -1;
}

/* The next "name":"…" behind *at: text between the quotes, still escaped. */
static bool
next_name(nb_str metadata, size_t *at, nb_str *name)
{
    const char *p = *at < metadata.len
                        ? memmem(metadata.data + *at, metadata.len - *at, "\"name\":\"", 8)
                        : NULL;
    size_t from, to;

    if (p == NULL) {
        return false;
    }
    from = to = (size_t)(p - metadata.data) + 8;
    while (to < metadata.len && metadata.data[to] != '"') {
        to += metadata.data[to] == '\\' ? 2 : 1;
    }
    if (to > metadata.len) {
        return false;
    }
    *name = (nb_str){metadata.data + from, to - from};
    *at = to + 1;
    return true;
}

static nb_status
finish_metadata(nb_arena *arena, nb_strbuf *b, nb_str *out)
{
    *out = nb_strbuf_finish(arena, b);
    return out->data ? NB_OK : NB_NOMEM;
}

/* Names of the elements that the inputs put side by side; empty when the size of one is not known. */
static nb_status
assembled_metadata(nb_arena *arena, const nb_attr **inputs, int n, nb_str *out)
{
    nb_strbuf b = {0};
    int at = 0;

    nb_strbuf_adds(&b, "{\"ml_attr\":{\"attrs\":{\"numeric\":[");
    for (int i = 0; i < n; i++) {
        bool is_vector = nb_ml_is_vector_type(inputs[i]->type);
        int size = is_vector ? n_attrs_in(inputs[i]->metadata) : 1;
        size_t pos = 0;

        if (size < 0) {
            nb_strbuf_free(&b);
            *out = NB_STR("");
            return NB_OK;
        }
        for (int j = 0; j < size; j++) {
            nb_str inner;

            nb_strbuf_addf(&b, "%s{\"idx\":%d,\"name\":", at ? "," : "", at);
            at++;
            nb_json_add_string(&b, inputs[i]->name);
            b.len -= b.len > 0; /* the closing quote */
            if (is_vector && next_name(inputs[i]->metadata, &pos, &inner)) {
                nb_strbuf_addc(&b, '_');
                nb_strbuf_add(&b, inner);
            } else if (is_vector) {
                nb_strbuf_addf(&b, "_%d", j);
            }
            nb_strbuf_adds(&b, "\"}");
        }
    }
    nb_strbuf_addf(&b, "]},\"num_attrs\":%d}}", at);
    return finish_metadata(arena, &b, out);
}

static nb_status
labels_metadata(nb_arena *arena, nb_str name, const nb_str *labels, int n, bool keep, nb_str *out)
{
    nb_strbuf b = {0};

    nb_strbuf_adds(&b, "{\"ml_attr\":{\"name\":");
    nb_json_add_string(&b, name);
    nb_strbuf_adds(&b, ",\"type\":\"nominal\",\"vals\":[");
    for (int i = 0; i < n; i++) {
        nb_strbuf_adds(&b, i ? "," : "");
        nb_json_add_string(&b, labels[i]);
    }
    nb_strbuf_adds(&b, keep ? (n ? ",\"__unknown\"]}}" : "\"__unknown\"]}}") : "]}}");
    return finish_metadata(arena, &b, out);
}

static nb_status
size_metadata(nb_arena *arena, int size, nb_str *out)
{
    char *text = nb_arena_printf(arena, "{\"ml_attr\":{\"num_attrs\":%d}}", size);

    NB_ML_NEED(text);
    *out = nb_str_of(text);
    return NB_OK;
}

/* One binary attribute per category, named by its label where the input's metadata knows labels. */
static nb_status
categories_metadata(nb_arena *arena, nb_str input, int n, bool drop_last, bool keep, nb_str *out)
{
    const nb_json *attr = NULL, *vals = NULL;
    nb_strbuf b = {0};
    nb_json j;

    if (input.len > 0 && nb_json_parse(arena, input, &j) == NB_OK) {
        attr = nb_json_get(&j, "ml_attr");
        vals = attr ? nb_json_get(attr, "vals") : NULL;
    }
    n += keep - drop_last;
    nb_strbuf_adds(&b, "{\"ml_attr\":{\"attrs\":{\"binary\":[");
    for (int i = 0; i < n; i++) {
        nb_strbuf_addf(&b, "%s{\"idx\":%d,\"name\":", i ? "," : "", i);
        if (vals && i < vals->n) {
            nb_json_add_string(&b, vals->items[i].text);
        } else if (keep && !drop_last && i == n - 1) {
            nb_strbuf_adds(&b, "\"invalidValues\"");
        } else {
            nb_strbuf_addf(&b, "\"%d\"", i);
        }
        nb_strbuf_addc(&b, '}');
    }
    nb_strbuf_addf(&b, "]},\"num_attrs\":%d}}", n);
    return finish_metadata(arena, &b, out);
}

/* ---- the classes -------------------------------------------------------------------------------------------------------------- */

/* The column as an argument of kernels: vectors as they are, numbers as INT32, INT64, FLOAT or DOUBLE. */
static nb_status
kernel_argument(nb_arena *arena, const nb_attr *a, nb_expr **out, nb_error *err)
{
    *out = nb_attr_expr(arena, a);
    NB_ML_NEED(*out);
    switch (a->type->id) {
    case NB_TYPE_INT32:
    case NB_TYPE_INT64:
    case NB_TYPE_FLOAT32:
    case NB_TYPE_FLOAT64: return NB_OK;
    default:
        return nb_ml_is_vector_type(a->type)
                   ? NB_OK
                   : nb_expr_cast(arena, *out, nb_type_of(NB_TYPE_FLOAT64), NB_CAST_LEGACY, out,
                                  err);
    }
}

static nb_status
assemble(nb_analyzer *an, const nb_ml_args *args, nb_plan *child, nb_plan **out, nb_error *err)
{
    nb_arena *arena = arena_of(an);
    nb_str *inputs, output = nb_ml_arg_str(args, "outputCol"), metadata;
    nb_str invalid = nb_ml_arg_str(args, "handleInvalid");
    int n = nb_ml_arg_columns(args, "inputCols", NULL, &inputs);
    const nb_attr **attrs = NB_ARENA_ARRAY(arena, const nb_attr *, n + 1);
    nb_expr **exprs = NB_ARENA_ARRAY(arena, nb_expr *, n + 1), *made;
    int *sizes = NB_ARENA_ARRAY(arena, int, n + 1);
    nb_ml_assemble *payload = NB_ARENA_NEW(arena, nb_ml_assemble);
    nb_field *fields;

    NB_ML_NEED(attrs && exprs && sizes && payload);
    if (!nb_ml_arg_is_set(args, "inputCols")) {
        return nb_ml_raise_illegal(err, arena, "Failed to find a default value for inputCols");
    }
    for (int i = 0; i < n; i++) {
        const nb_type *t;

        NB_TRY(nb_ml_attr(an, child, inputs[i], &attrs[i], err));
        t = attrs[i]->type;
        if (!nb_type_is_numeric(t) && t->id != NB_TYPE_BOOL &&
            !(t->id == NB_TYPE_UDT && nb_ml_is_vector_type(t))) {
            return nb_ml_raise_illegal(err, arena, "Data type %s of column %.*s is not supported.",
                                       nb_type_catalog_string(arena, t), (int)inputs[i].len,
                                       inputs[i].data);
        }
        NB_TRY(kernel_argument(arena, attrs[i], &exprs[i], err));
        sizes[i] = nb_ml_is_vector_type(t) ? n_attrs_in(attrs[i]->metadata) : 1;
    }
    NB_TRY(need_free_name(an, child, output, "Output column %.*s already exists.", err));
    NB_TRY(assembled_metadata(arena, attrs, n, &metadata));
    if (nb_str_equal(invalid, NB_STR("skip"))) {
        NB_TRY(
            filter(an, child, nb_ml_call_new(arena, NB_ML_CALL_COMPLETE, exprs, n, NULL), &child));
    }
    payload->keep = nb_str_equal(invalid, NB_STR("keep"));
    payload->sizes = sizes;
    fields = NB_ARENA_ARRAY(arena, nb_field, n + 1);
    NB_ML_NEED(fields);
    for (int i = 0; i < n; i++) {
        fields[i] = (nb_field){.name = inputs[i], .type = attrs[i]->type};
    }
    payload->signature = nb_type_catalog_string(arena, nb_type_struct(fields, n));
    NB_ML_NEED(payload->signature);
    made = nb_ml_call_new(arena, NB_ML_CALL_ASSEMBLE, exprs, n, payload);
    NB_ML_NEED(made);
    made->nullable = true; /* as Spark's schema says */
    return append(an, child, &made, &output, &metadata, 1, out);
}

static nb_status
copy_doubles(nb_arena *arena, const nb_ml_bag *bag, const char *name, const double **out, int *n)
{
    const nb_ml_value *v = nb_ml_get(bag, name);
    size_t count;
    double *x;

    if (v == NULL) {
        *out = NULL;
        return NB_OK;
    }
    count = v->kind == NB_ML_MATRIX ? (size_t)v->rows * (size_t)v->cols : (size_t)v->n;
    x = NB_ARENA_ARRAY(arena, double, count + 1);
    NB_ML_NEED(x);
    memcpy(x, v->x, count * sizeof(double));
    *out = x;
    *n = v->kind == NB_ML_MATRIX ? v->cols : v->n;
    return NB_OK;
}

static nb_status
cluster(nb_analyzer *an, const nb_ml_args *args, const nb_ml_model *model, nb_plan *child,
        nb_plan **out, nb_error *err)
{
    nb_arena *arena = arena_of(an);
    nb_str output = nb_ml_arg_str(args, "predictionCol"), metadata;
    nb_ml_centers *payload = NB_ARENA_NEW(arena, nb_ml_centers);
    const nb_ml_value *centers = nb_ml_get(&model->values, "clusterCenterMatrix");
    const nb_attr *features;
    const double *x;
    nb_expr *made;
    char *text;

    NB_ML_NEED(payload);
    NB_TRY(nb_ml_vector_attr(an, child, nb_ml_arg_str(args, "featuresCol"), &features, err));
    NB_TRY(
        need_free_name(an, child, output, "requirement failed: Column %.*s already exists.", err));
    NB_TRY(copy_doubles(arena, &model->values, "clusterCenterMatrix", &x, &payload->d));
    payload->k = centers->rows;
    payload->centers = (double *)x;
    payload->cosine = nb_str_equal(nb_ml_arg_str(args, "distanceMeasure"), NB_STR("cosine"));
    made = nb_attr_expr(arena, features);
    NB_ML_NEED(made);
    made = nb_ml_call_new(arena, NB_ML_CALL_CLUSTER, &made, 1, payload);
    text =
        nb_arena_printf(arena, "{\"ml_attr\":{\"num_vals\":%d,\"type\":\"nominal\"}}", payload->k);
    NB_ML_NEED(made && text);
    metadata = nb_str_of(text);
    return append(an, child, &made, &output, &metadata, 1, out);
}

static nb_status
predict(nb_analyzer *an, const nb_ml_args *args, const nb_ml_model *model, nb_plan *child,
        nb_plan **out, nb_error *err)
{
    nb_arena *arena = arena_of(an);
    nb_str output = nb_ml_arg_str(args, "predictionCol"), metadata = NB_STR("");
    nb_ml_linear *payload = NB_ARENA_NEW(arena, nb_ml_linear);
    const nb_attr *features;
    const double *x;
    nb_expr *made;

    NB_ML_NEED(payload);
    NB_TRY(nb_ml_vector_attr(an, child, nb_ml_arg_str(args, "featuresCol"), &features, err));
    NB_TRY(
        need_free_name(an, child, output, "requirement failed: Column %.*s already exists.", err));
    NB_TRY(copy_doubles(arena, &model->values, "coefficients", &x, &payload->d));
    payload->coefficients = (double *)x;
    payload->intercept = nb_ml_get(&model->values, "intercept")->d;
    made = nb_attr_expr(arena, features);
    NB_ML_NEED(made);
    made = nb_ml_call_new(arena, NB_ML_CALL_LINEAR, &made, 1, payload);
    NB_ML_NEED(made);
    return append(an, child, &made, &output, &metadata, 1, out);
}

static nb_status
scale(nb_analyzer *an, const nb_ml_args *args, const nb_ml_model *model, nb_plan *child,
      nb_plan **out, nb_error *err)
{
    nb_arena *arena = arena_of(an);
    nb_str output = nb_ml_arg_str(args, "outputCol"), metadata;
    nb_ml_scale *p = NB_ARENA_NEW(arena, nb_ml_scale);
    const nb_attr *input;
    nb_expr *made;
    int d = 0;

    NB_ML_NEED(p);
    NB_TRY(nb_ml_vector_attr(an, child, nb_ml_arg_str(args, "inputCol"), &input, err));
    NB_TRY(need_free_name(an, child, output,
                          "requirement failed: Output column %.*s already exists.", err));
    if (model->cls->id == NB_ML_MIN_MAX_SCALER_MODEL) {
        double low = nb_ml_arg_double(args, "min"), high = nb_ml_arg_double(args, "max");
        const double *min, *max;
        double *factor, *offset, *constant;

        NB_TRY(copy_doubles(arena, &model->values, "originalMin", &min, &d));
        NB_TRY(copy_doubles(arena, &model->values, "originalMax", &max, &d));
        factor = NB_ARENA_ARRAY(arena, double, d + 1);
        offset = NB_ARENA_ARRAY(arena, double, d + 1);
        constant = NB_ARENA_ARRAY(arena, double, d + 1);
        NB_ML_NEED(factor && offset && constant);
        for (int j = 0; j < d; j++) {
            factor[j] = max[j] > min[j] ? (high - low) / (max[j] - min[j]) : 0;
            offset[j] = low;
            constant[j] = (low + high) / 2;
        }
        *p = (nb_ml_scale){.d = d,
                           .shift = min,
                           .scale = factor,
                           .offset = offset,
                           .min_max = true,
                           .offset_const = constant};
    } else {
        const double *std, *mean;
        double *factor;

        NB_TRY(copy_doubles(arena, &model->values, "std", &std, &d));
        NB_TRY(copy_doubles(arena, &model->values, "mean", &mean, &d));
        factor = NB_ARENA_ARRAY(arena, double, d + 1);
        NB_ML_NEED(factor);
        for (int j = 0; j < d; j++) {
            factor[j] = std[j] == 0 ? 0 : 1 / std[j];
        }
        p->d = d;
        p->shift = nb_ml_arg_bool(args, "withMean") ? mean : NULL;
        p->scale = nb_ml_arg_bool(args, "withStd") ? factor : NULL;
        p->sparse = p->shift == NULL;
    }
    made = nb_attr_expr(arena, input);
    NB_ML_NEED(made);
    made = nb_ml_call_new(arena, NB_ML_CALL_SCALE, &made, 1, p);
    NB_ML_NEED(made);
    made->nullable = true;
    NB_TRY(size_metadata(arena, d, &metadata));
    return append(an, child, &made, &output, &metadata, 1, out);
}

static nb_status
need_pairs(nb_arena *arena, const nb_ml_args *args, nb_str **inputs, nb_str **outputs, int *n,
           nb_error *err)
{
    int m;

    *n = nb_ml_arg_columns(args, "inputCols", "inputCol", inputs);
    m = nb_ml_arg_columns(args, "outputCols", "outputCol", outputs);
    if (*n == 0 || *n != m) {
        return nb_ml_raise_illegal(
            err, arena,
            "requirement failed: The number of input columns %d must be the same as the number of "
            "output columns %d.",
            *n, m);
    }
    return NB_OK;
}

static nb_status
index_strings(nb_analyzer *an, const nb_ml_args *args, const nb_ml_model *model, nb_plan *child,
              nb_plan **out, nb_error *err)
{
    nb_arena *arena = arena_of(an);
    const nb_ml_value *all = nb_ml_get(&model->values, "labelsArray");
    nb_str *inputs, *outputs, *metadata, invalid = nb_ml_arg_str(args, "handleInvalid");
    nb_expr **made;
    int n;

    NB_TRY(need_pairs(arena, args, &inputs, &outputs, &n, err));
    made = NB_ARENA_ARRAY(arena, nb_expr *, n + 1);
    metadata = NB_ARENA_ARRAY(arena, nb_str, n + 1);
    NB_ML_NEED(made && metadata);
    n = NB_MIN(n, all->n);
    for (int i = 0; i < n; i++) {
        nb_ml_index *p = NB_ARENA_NEW(arena, nb_ml_index);
        nb_ml_value labels;
        const nb_attr *a;
        nb_expr *e;

        NB_ML_NEED(p);
        NB_TRY(nb_ml_attr(an, child, inputs[i], &a, err));
        NB_TRY(need_free_name(an, child, outputs[i],
                              "requirement failed: Output column %.*s already exists.", err));
        NB_TRY(nb_ml_copy_value(arena, &all->lists[i], &labels));
        NB_TRY(nb_ml_lookup_new(arena, labels.strings, labels.n, &p->lookup));
        p->keep = nb_str_equal(invalid, NB_STR("keep"));
        p->n = labels.n;
        p->column = inputs[i];
        e = nb_attr_expr(arena, a);
        NB_ML_NEED(e);
        NB_TRY(nb_expr_cast(arena, e, nb_type_of(NB_TYPE_STRING), NB_CAST_LEGACY, &e, err));
        if (nb_str_equal(invalid, NB_STR("skip"))) {
            NB_TRY(filter(an, child, nb_ml_call_new(arena, NB_ML_CALL_KNOWN, &e, 1, p), &child));
        }
        made[i] = nb_ml_call_new(arena, NB_ML_CALL_INDEX, &e, 1, p);
        NB_ML_NEED(made[i]);
        NB_TRY(labels_metadata(arena, outputs[i], labels.strings, labels.n, p->keep, &metadata[i]));
    }
    return append(an, child, made, outputs, metadata, n, out);
}

static nb_status
one_hot(nb_analyzer *an, const nb_ml_args *args, const nb_ml_model *model, nb_plan *child,
        nb_plan **out, nb_error *err)
{
    nb_arena *arena = arena_of(an);
    const nb_ml_value *sizes = nb_ml_get(&model->values, "categorySizes");
    nb_str *inputs, *outputs, *metadata;
    nb_expr **made;
    int n;

    NB_TRY(need_pairs(arena, args, &inputs, &outputs, &n, err));
    made = NB_ARENA_ARRAY(arena, nb_expr *, n + 1);
    metadata = NB_ARENA_ARRAY(arena, nb_str, n + 1);
    NB_ML_NEED(made && metadata);
    n = NB_MIN(n, sizes->n);
    for (int i = 0; i < n; i++) {
        nb_ml_onehot *p = NB_ARENA_NEW(arena, nb_ml_onehot);
        const nb_attr *a;
        nb_expr *e;

        NB_ML_NEED(p);
        NB_TRY(nb_ml_attr(an, child, inputs[i], &a, err));
        NB_TRY(nb_ml_number_expr(an, child, inputs[i], &e, err));
        NB_TRY(need_free_name(an, child, outputs[i],
                              "requirement failed: Output column %.*s already exists.", err));
        p->n_categories = sizes->ints[i];
        p->drop_last = nb_ml_arg_bool(args, "dropLast");
        p->keep = nb_str_equal(nb_ml_arg_str(args, "handleInvalid"), NB_STR("keep"));
        made[i] = nb_ml_call_new(arena, NB_ML_CALL_ONEHOT, &e, 1, p);
        NB_ML_NEED(made[i]);
        made[i]->nullable = true;
        NB_TRY(categories_metadata(arena, a->metadata, p->n_categories, p->drop_last, p->keep,
                                   &metadata[i]));
    }
    return append(an, child, made, outputs, metadata, n, out);
}

nb_status
nb_ml_transform(nb_analyzer *an, const nb_ml_args *args, const nb_ml_model *model, nb_plan *child,
                nb_plan **out, nb_error *err)
{
    switch (args->cls->id) {
    case NB_ML_VECTOR_ASSEMBLER: return assemble(an, args, child, out, err);
    case NB_ML_KMEANS_MODEL: return cluster(an, args, model, child, out, err);
    case NB_ML_LINEAR_REGRESSION_MODEL: return predict(an, args, model, child, out, err);
    case NB_ML_MIN_MAX_SCALER_MODEL:
    case NB_ML_STANDARD_SCALER_MODEL: return scale(an, args, model, child, out, err);
    case NB_ML_STRING_INDEXER_MODEL: return index_strings(an, args, model, child, out, err);
    case NB_ML_ONE_HOT_ENCODER_MODEL: return one_hot(an, args, model, child, out, err);
    default: return nb_raise_unsupported(err, "Transforming by %s", args->cls->name);
    }
}
