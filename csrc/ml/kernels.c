/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernels.c: see kernels.h.
 */
#include "ml/kernels.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include "base/hash.h"
#include "expr/number_text.h"
#include "ml/vectors.h"

nb_status
nb_ml_raise_assemble(const nb_ml_assemble *payload, bool is_nan, nb_error *err)
{
    return nb_raise(
        err, NB_COND_FAILED_EXECUTE_UDF, "functionName", "`VectorAssembler`", "signature",
        payload->signature, "result",
        "struct<type:tinyint,size:int,indices:array<int>,values:array<double>>", "reason",
        is_nan ? "org.apache.spark.SparkException: Encountered NaN while assembling a row "
                 "with handleInvalid = \"error\". Consider\nremoving NaNs from dataset or "
                 "using handleInvalid = \"keep\" or \"skip\"."
               : "org.apache.spark.SparkException: Encountered null while assembling a row "
                 "with handleInvalid = \"error\". Consider\nremoving nulls from dataset or "
                 "using handleInvalid = \"keep\" or \"skip\".",
        NULL);
}

static nb_status
raise_udf(nb_error *err, const char *name, const char *signature, const char *result,
          const char *reason)
{
    return nb_raise(err, NB_COND_FAILED_EXECUTE_UDF, "functionName", name, "signature", signature,
                    "result", result, "reason", reason, NULL);
}

static nb_status
raise_sizes(nb_error *err, int expected, int got)
{
    char text[160];

    snprintf(
        text, sizeof text,
        "requirement failed: Both vectors should have same length, found v1 is %d while v2 is %d",
        expected, got);
    return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message", text, NULL);
}

/* Value i of a numeric column. */
NB_INLINE double
number_at(const nb_vector *v, int64_t i)
{
    i = v->kind == NB_VEC_CONST ? 0 : i;
    switch (v->type->phys) {
    case NB_PHYS_INT32: return NB_DATA(int32_t, v)[i];
    case NB_PHYS_INT64: return (double)NB_DATA(int64_t, v)[i];
    case NB_PHYS_FLOAT: return (double)NB_DATA(float, v)[i];
    default: return NB_DATA(double, v)[i];
    }
}

/* ---- VectorAssembler -------------------------------------------------------------------------------------------------------- */

typedef struct input {
    const nb_vector *v;
    bool is_vector;
    nb_ml_column column;
    int size; /* of vectors: as the first row says, when metadata does not */
} input;

static nb_status
open_inputs(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, const int *sizes, input **out,
            int *width)
{
    input *in = NB_ARENA_ARRAY(ctx->arena, input, n_args + 1);

    if (in == NULL) {
        return NB_NOMEM;
    }
    *width = 0;
    for (int a = 0; a < n_args; a++) {
        in[a] = (input){.v = &args[a], .is_vector = nb_ml_is_vector_type(args[a].type), .size = 1};
        if (in[a].is_vector) {
            NB_TRY(nb_ml_column_open(ctx->arena, &args[a], &in[a].column));
            in[a].size = sizes ? sizes[a] : -1;
            for (int64_t i = 0; i < in[a].column.n_rows && in[a].size < 0; i++) {
                if (!nb_vector_is_null(&args[a], i)) {
                    in[a].size = nb_ml_column_row(&in[a].column, i).size;
                }
            }
            in[a].size = NB_MAX(in[a].size, 0);
        }
        *width += in[a].size;
    }
    *out = in;
    return NB_OK;
}

/* Copies column after column into the rows of a block, so that the type is looked at once per column. */
static void
fill_numbers(const nb_vector *v, int64_t n, int width, double *to)
{
#define FILL(T)                              \
    do {                                     \
        const T *from = v->data;             \
        for (int64_t i = 0; i < n; i++) {    \
            to[i * width] = (double)from[i]; \
        }                                    \
    } while (0)
    if (v->kind == NB_VEC_CONST) {
        double x = number_at(v, 0);

        for (int64_t i = 0; i < n; i++) {
            to[i * width] = x;
        }
        return;
    }
    switch (v->type->phys) {
    case NB_PHYS_INT32: FILL(int32_t); break;
    case NB_PHYS_INT64: FILL(int64_t); break;
    case NB_PHYS_FLOAT: FILL(float); break;
    default: FILL(double);
    }
#undef FILL
}

static nb_status
assemble(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_ml_assemble *p = ctx->expr->u.call.payload;
    nb_ml_builder b;
    input *in;
    int width, at = 0;
    double *block;

    n_args--; /* the number at the end */
    out->validity = NULL;
    NB_TRY(open_inputs(ctx, args, n_args, p->sizes, &in, &width));
    block = NB_ARENA_ARRAY(ctx->arena, double, (size_t)n *(size_t)width + 1);
    if (block == NULL) {
        return NB_NOMEM;
    }
    for (int a = 0; a < n_args; at += in[a++].size) {
        if (!in[a].is_vector) {
            fill_numbers(in[a].v, n, width, block + at);
        }
        for (int64_t i = 0; i < n; i++) {
            double *to = block + i * width + at;

            if (nb_vector_is_null(in[a].v, i)) {
                if (!p->keep) {
                    return nb_ml_raise_assemble(p, false, ctx->err);
                }
                for (int j = 0; j < in[a].size; j++) {
                    to[j] = NAN;
                }
            } else if (in[a].is_vector) {
                nb_ml_row row = nb_ml_column_row(&in[a].column, i);

                if (row.size != in[a].size) {
                    return raise_sizes(ctx->err, in[a].size, row.size);
                }
                nb_ml_row_dense(&row, to);
            } else if (!p->keep && isnan(*to)) {
                return nb_ml_raise_assemble(p, true, ctx->err);
            }
        }
    }
    NB_TRY(nb_ml_builder_open(ctx->arena, out, (size_t)n * (size_t)width, &b));
    for (int64_t i = 0; i < n; i++) {
        NB_TRY(nb_ml_builder_compressed(&b, i, block + i * width, width));
    }
    return nb_ml_builder_close(&b);
}

static nb_status
complete(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    uint8_t *ok = NB_DATA(uint8_t, out);

    (void)ctx;
    out->validity = NULL;
    memset(ok, 1, (size_t)n);
    for (int a = 0; a < n_args - 1; a++) {
        bool is_number = !nb_ml_is_vector_type(args[a].type);

        for (int64_t i = 0; i < n; i++) {
            if (nb_vector_is_null(&args[a], i) || (is_number && isnan(number_at(&args[a], i)))) {
                ok[i] = 0;
            }
        }
    }
    return NB_OK;
}

/* ---- models over vectors ---------------------------------------------------------------------------------------------------- */

int
nb_ml_nearest(const nb_ml_centers *c, const double *x, double *distance)
{
    double best = INFINITY, norm = 1;
    int label = 0;

    if (c->cosine) {
        norm = 0;
        for (int j = 0; j < c->d; j++) {
            norm += x[j] * x[j];
        }
        norm = sqrt(norm);
    }
    for (int k = 0; k < c->k; k++) {
        const double *center = c->centers + (size_t)k * (size_t)c->d;
        double s = 0;

        if (c->cosine) {
            for (int j = 0; j < c->d; j++) {
                s += x[j] * center[j];
            }
            s = 1 - s / norm;
        } else {
            for (int j = 0; j < c->d; j++) {
                s += (x[j] - center[j]) * (x[j] - center[j]);
            }
        }
        if (s < best) {
            best = s;
            label = k;
        }
    }
    if (distance != NULL) {
        *distance = best;
    }
    return label;
}

static nb_status
raise_null(nb_error *err, const char *name, const char *result)
{
    return raise_udf(err, name, "vector", result, "java.lang.NullPointerException");
}

/* Each valid row as a dense vector of d elements; raises when a row has another size. */
static nb_status
dense_row(nb_kernel_ctx *ctx, const nb_ml_column *c, int64_t i, int d, double *scratch,
          const double **x)
{
    nb_ml_row row = nb_ml_column_row(c, i);

    if (row.size != d) {
        return raise_sizes(ctx->err, d, row.size);
    }
    if (row.index == NULL) {
        *x = row.x;
    } else {
        nb_ml_row_dense(&row, scratch);
        *x = scratch;
    }
    return NB_OK;
}

const char *
nb_ml_norms_fault(nb_arena *arena, const nb_ml_centers *c, const double *x)
{
    double norm = 0;
    char text[NB_DOUBLE_TEXT];
    bool nan = false;

    for (int j = 0; j < c->d; j++) {
        norm += c->centers[j] * c->centers[j];
        nan |= isnan(x[j]);
    }
    if (!nan) {
        return NULL;
    }
    return nb_arena_printf(
        arena,
        "requirement failed: Both norms should be greater or equal to 0.0, found "
        "norm1=%.*s, norm2=NaN",
        nb_format_double(text, sqrt(norm)), text);
}

static nb_status
cluster(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_ml_centers *p = ctx->expr->u.call.payload;
    double *scratch = NB_ARENA_ARRAY(ctx->arena, double, p->d + 1);
    nb_ml_column c;

    (void)n_args;
    NB_TRY(nb_ml_column_open(ctx->arena, &args[0], &c));
    out->validity = NULL;
    if (scratch == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        const double *x;
        const char *fault;

        if (nb_vector_is_null(&args[0], i)) {
            return raise_null(ctx->err, "`KMeansModel`", "int");
        }
        NB_TRY(dense_row(ctx, &c, args[0].kind == NB_VEC_CONST ? 0 : i, p->d, scratch, &x));
        fault = nb_ml_norms_fault(ctx->arena, p, x);
        if (fault != NULL) {
            const char *reason =
                nb_arena_printf(ctx->arena, "java.lang.IllegalArgumentException: %s", fault);
            return raise_udf(ctx->err, "`KMeansModel`", "vector", "int", reason ? reason : "");
        }
        if (p->cosine) {
            bool zero = true;

            for (int j = 0; j < p->d && zero; j++) {
                zero = x[j] == 0;
            }
            if (zero) {
                return raise_udf(ctx->err, "`KMeansModel`", "vector", "int",
                                 "java.lang.AssertionError: assertion failed: Cosine distance is "
                                 "not defined for zero-length vectors.");
            }
        }
        NB_DATA(int32_t, out)[i] = nb_ml_nearest(p, x, NULL);
    }
    return NB_OK;
}

static nb_status
linear(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_ml_linear *p = ctx->expr->u.call.payload;
    double *scratch = NB_ARENA_ARRAY(ctx->arena, double, p->d + 1);
    nb_ml_column c;

    (void)n_args;
    NB_TRY(nb_ml_column_open(ctx->arena, &args[0], &c));
    out->validity = NULL;
    if (scratch == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        const double *x;
        double sum = 0;

        if (nb_vector_is_null(&args[0], i)) {
            return raise_null(ctx->err, "`LinearRegressionModel`", "double");
        }
        NB_TRY(dense_row(ctx, &c, args[0].kind == NB_VEC_CONST ? 0 : i, p->d, scratch, &x));
        for (int j = 0; j < p->d; j++) {
            sum += x[j] * p->coefficients[j];
        }
        NB_DATA(double, out)[i] = sum + p->intercept;
    }
    return NB_OK;
}

static nb_status
scale(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_ml_scale *p = ctx->expr->u.call.payload;
    double *scratch = NB_ARENA_ARRAY(ctx->arena, double, p->d + 1);
    nb_ml_builder b;
    nb_ml_column c;

    (void)n_args;
    NB_TRY(nb_ml_column_open(ctx->arena, &args[0], &c));
    NB_TRY(nb_ml_builder_open(ctx->arena, out, (size_t)n * (size_t)p->d, &b));
    if (scratch == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t at = args[0].kind == NB_VEC_CONST ? 0 : i;
        const double *x;
        double *to;

        if (nb_vector_is_null(&args[0], i)) {
            nb_ml_builder_null(&b, i);
            continue;
        }
        if (p->sparse && c.kinds != NULL && c.kinds[at] == 0) {
            nb_ml_row row = nb_ml_column_row(&c, at);
            int32_t *index;

            if (row.size != p->d) {
                return raise_sizes(ctx->err, p->d, row.size);
            }
            NB_TRY(nb_ml_builder_sparse(&b, i, row.size, row.n, &index, &to));
            for (int j = 0; j < row.n; j++) {
                index[j] = row.index[j];
                to[j] = p->scale ? row.x[j] * p->scale[row.index[j]] : row.x[j];
            }
            continue;
        }
        NB_TRY(dense_row(ctx, &c, at, p->d, scratch, &x));
        if (p->min_max) {
            for (int j = 0; j < p->d; j++) {
                scratch[j] = isnan(x[j])        ? x[j]
                             : p->scale[j] == 0 ? p->offset_const[j]
                                                : (x[j] - p->shift[j]) * p->scale[j] + p->offset[j];
            }
            NB_TRY(nb_ml_builder_compressed(&b, i, scratch, p->d));
            continue;
        }
        NB_TRY(nb_ml_builder_dense(&b, i, p->d, &to));
        for (int j = 0; j < p->d; j++) {
            double v = p->shift ? x[j] - p->shift[j] : x[j];

            to[j] = p->scale ? v * p->scale[j] : v;
        }
    }
    return nb_ml_builder_close(&b);
}

/* ---- labels ------------------------------------------------------------------------------------------------------------------ */

struct nb_ml_lookup {
    const nb_str *labels;
    int *slots; /* -1: free */
    uint32_t mask;
};

nb_status
nb_ml_lookup_new(nb_arena *arena, const nb_str *labels, int n, struct nb_ml_lookup **out)
{
    struct nb_ml_lookup *l = NB_ARENA_NEW(arena, struct nb_ml_lookup);
    uint32_t cap = 16;

    while (cap < 2 * (uint32_t)n) {
        cap *= 2;
    }
    if (l == NULL || !(l->slots = NB_ARENA_ARRAY(arena, int, cap))) {
        return NB_NOMEM;
    }
    l->labels = labels;
    l->mask = cap - 1;
    memset(l->slots, 0xff, cap * sizeof *l->slots);
    for (int i = 0; i < n; i++) {
        uint32_t at = (uint32_t)nb_hash_bytes(labels[i].data, labels[i].len) & l->mask;

        while (l->slots[at] >= 0) {
            at = (at + 1) & l->mask;
        }
        l->slots[at] = i;
    }
    *out = l;
    return NB_OK;
}

int
nb_ml_lookup_find(const struct nb_ml_lookup *l, nb_str label)
{
    uint32_t at = (uint32_t)nb_hash_bytes(label.data, label.len) & l->mask;

    while (l->slots[at] >= 0 && !nb_str_equal(l->labels[l->slots[at]], label)) {
        at = (at + 1) & l->mask;
    }
    return l->slots[at];
}

static nb_str
label_at(const nb_vector *v, int64_t i)
{
    return nb_view_str(&NB_DATA(nb_view, v)[v->kind == NB_VEC_CONST ? 0 : i]);
}

static nb_status
index_labels(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_ml_index *p = ctx->expr->u.call.payload;

    (void)n_args;
    out->validity = NULL;
    for (int64_t i = 0; i < n; i++) {
        bool null = nb_vector_is_null(&args[0], i);
        int at = null ? -1 : nb_ml_lookup_find(p->lookup, label_at(&args[0], i));

        if (at < 0 && !p->keep) {
            nb_str label = null ? NB_STR("NULL") : label_at(&args[0], i);
            char *reason = nb_arena_printf(
                ctx->arena,
                null ? "org.apache.spark.SparkException: StringIndexer encountered NULL value. To "
                       "handle or skip NULLS, try setting StringIndexer.handleInvalid.%.*s"
                     : "org.apache.spark.SparkException: Unseen label: %.*s. To handle unseen "
                       "labels, "
                       "set Param handleInvalid to keep.",
                null ? 0 : (int)label.len, label.data);

            return raise_udf(ctx->err, "`StringIndexerModel`", "string", "double",
                             reason ? reason : "");
        }
        NB_DATA(double, out)[i] = at < 0 ? p->n : at;
    }
    return NB_OK;
}

static nb_status
known_labels(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_ml_index *p = ctx->expr->u.call.payload;

    (void)n_args;
    out->validity = NULL;
    for (int64_t i = 0; i < n; i++) {
        NB_DATA(uint8_t, out)
        [i] = !nb_vector_is_null(&args[0], i) &&
              nb_ml_lookup_find(p->lookup, label_at(&args[0], i)) >= 0;
    }
    return NB_OK;
}

static nb_status
onehot(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_ml_onehot *p = ctx->expr->u.call.payload;
    int size = p->n_categories + (p->keep ? 1 : 0) - (p->drop_last ? 1 : 0);
    nb_ml_builder b;

    (void)n_args;
    NB_TRY(nb_ml_builder_open(ctx->arena, out, (size_t)n, &b));
    for (int64_t i = 0; i < n; i++) {
        double v, *x;
        int32_t *index;

        if (nb_vector_is_null(&args[0], i)) {
            nb_ml_builder_null(&b, i);
            continue;
        }
        v = number_at(&args[0], i);
        if (!(v >= 0 && v < p->n_categories)) {
            if (!p->keep) {
                char text[NB_DOUBLE_TEXT];
                char *reason = nb_arena_printf(
                    ctx->arena,
                    v < 0 ? "org.apache.spark.SparkException: Negative value: %.*s. Input can't be "
                            "negative. To handle invalid values, set Param handleInvalid to keep."
                          : "org.apache.spark.SparkException: Unseen value: %.*s. To handle unseen "
                            "values, set Param handleInvalid to keep.",
                    nb_format_double(text, v), text);

                return raise_udf(ctx->err, "`OneHotEncoderModel`", "double, int", "vector",
                                 reason ? reason : "");
            }
            v = p->n_categories;
        }
        if ((int)v < size) {
            NB_TRY(nb_ml_builder_sparse(&b, i, size, 1, &index, &x));
            index[0] = (int32_t)v;
            x[0] = 1;
        } else {
            NB_TRY(nb_ml_builder_sparse(&b, i, size, 0, &index, &x));
        }
    }
    return nb_ml_builder_close(&b);
}

/* ---- calls ------------------------------------------------------------------------------------------------------------------ */

typedef enum result_type { TO_VECTOR, TO_BOOL, TO_INT, TO_DOUBLE } result_type;

static const struct {
    nb_function fn;
    nb_kernel_fn kernel;
    result_type type;
} calls[NB_N_ML_CALLS] = {
#define CALL(name, k, t, f) {{.names = name, .min_args = 1, .max_args = -1, .flags = (f)}, k, t}
    [NB_ML_CALL_ASSEMBLE] = CALL("vector_assembler", assemble, TO_VECTOR,
                                 NB_FN_NULLS | NB_FN_CAN_FAIL | NB_FN_NOT_NULL),
    [NB_ML_CALL_COMPLETE] =
        CALL("vector_complete", complete, TO_BOOL, NB_FN_NULLS | NB_FN_NOT_NULL),
    [NB_ML_CALL_CLUSTER] =
        CALL("kmeans_predict", cluster, TO_INT, NB_FN_NULLS | NB_FN_CAN_FAIL | NB_FN_NOT_NULL),
    [NB_ML_CALL_SCALE] = CALL("vector_scale", scale, TO_VECTOR, NB_FN_CAN_FAIL),
    [NB_ML_CALL_INDEX] = CALL("string_indexer", index_labels, TO_DOUBLE,
                              NB_FN_NULLS | NB_FN_CAN_FAIL | NB_FN_NOT_NULL),
    [NB_ML_CALL_KNOWN] = CALL("string_known", known_labels, TO_BOOL, NB_FN_NULLS | NB_FN_NOT_NULL),
    [NB_ML_CALL_ONEHOT] = CALL("one_hot_encoder", onehot, TO_VECTOR, NB_FN_CAN_FAIL),
    [NB_ML_CALL_LINEAR] =
        CALL("linear_predict", linear, TO_DOUBLE, NB_FN_NULLS | NB_FN_CAN_FAIL | NB_FN_NOT_NULL),
#undef CALL
};

nb_expr *
nb_ml_call_new(nb_arena *arena, nb_ml_call call, nb_expr **args, int n, const void *payload)
{
    static atomic_llong number;
    const nb_type *type = calls[call].type == TO_VECTOR ? nb_type_ml_vector()
                          : calls[call].type == TO_BOOL ? nb_type_of(NB_TYPE_BOOL)
                          : calls[call].type == TO_INT  ? nb_type_of(NB_TYPE_INT32)
                                                        : nb_type_of(NB_TYPE_FLOAT64);
    bool nullable = (calls[call].fn.flags & NB_FN_NOT_NULL) == 0;
    nb_expr *e;

    if (nullable && call != NB_ML_CALL_SCALE) {
        nullable = false;
        for (int i = 0; i < n; i++) {
            nullable |= args[i]->nullable;
        }
    }
    e = nb_expr_new(arena, NB_EXPR_CALL, type, nullable, n + 1);
    if (e == NULL) {
        return NULL;
    }
    for (int i = 0; i < n; i++) {
        e->args[i] = args[i];
    }
    e->args[n] = nb_expr_int64(arena, atomic_fetch_add(&number, 1));
    if (e->args[n] == NULL) {
        return NULL;
    }
    e->u.call.fn = &calls[call].fn;
    e->u.call.kernel = calls[call].kernel;
    e->u.call.payload = payload;
    nb_expr_set_flags(e);
    return e;
}

nb_expr **
nb_ml_assemble_args(const nb_expr *e, int *n, const nb_ml_assemble **payload)
{
    if (e->kind != NB_EXPR_CALL || e->u.call.fn != &calls[NB_ML_CALL_ASSEMBLE].fn) {
        return NULL;
    }
    *n = e->n_args - 1;
    *payload = e->u.call.payload;
    return e->args;
}
