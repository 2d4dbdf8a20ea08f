/* SPDX-License-Identifier: Apache-2.0 */
/*
 * functions.c: vector_to_array and array_to_vector, the functions of pyspark.ml.functions.
 */
#include "expr/binders.h"
#include "ml/vectors.h"

#define VECTOR "struct<type:tinyint,size:int,indices:array<int>,values:array<double>>"

#define REASON_NULL                                                                           \
    "java.lang.IllegalArgumentException: function vector_to_array requires a non-null input " \
    "argument and input type must be "                                                        \
    "`org.apache.spark.ml.linalg.Vector` or `org.apache.spark.mllib.linalg.Vector`, but got null"

static nb_status
raise_null(nb_kernel_ctx *ctx, const char *signature, const char *result, const char *reason)
{
    return nb_raise(ctx->err, NB_COND_FAILED_EXECUTE_UDF, "functionName", "`UDF`", "signature",
                    signature, "result", result, "reason", reason, NULL);
}

/* ---- vector_to_array ----------------------------------------------------------------------------------------------------------- */

/* The elements become one array behind another. */
static nb_status
elements_of_rows(nb_kernel_ctx *ctx, const nb_ml_column *c, int64_t n, nb_list *lists, double **out,
                 int64_t *n_out)
{
    int64_t total = 0;
    double *to;

    for (int64_t i = 0; i < n; i++) {
        int size = nb_ml_column_row(c, i).size;

        lists[i] = (nb_list){(uint32_t)total, (uint32_t)size};
        total += size;
        if (total > INT32_MAX) {
            return NB_NOMEM;
        }
    }
    to = nb_arena_alloc64(ctx->arena, (size_t)(total + 1) * sizeof(double));
    if (to == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        nb_ml_row row = nb_ml_column_row(c, i);

        nb_ml_row_dense(&row, to + lists[i].offset);
    }
    *out = to;
    *n_out = total;
    return NB_OK;
}

static nb_status
vector_to_array_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                       nb_vector *out)
{
    nb_vector *elements = &out->children[0];
    nb_ml_column c;
    double *data;
    int64_t total;

    (void)n_args;
    for (int64_t i = 0; i < n; i++) {
        if (nb_vector_is_null(&args[0], i)) {
            return raise_null(ctx, VECTOR,
                              elements->type->id == NB_TYPE_FLOAT32 ? "array<float>"
                                                                    : "array<double>",
                              REASON_NULL);
        }
    }
    NB_TRY(nb_ml_column_open(ctx->arena, &args[0], &c));
    NB_TRY(elements_of_rows(ctx, &c, n, out->data, &data, &total));
    if (elements->type->id == NB_TYPE_FLOAT64) {
        elements->kind = NB_VEC_FLAT;
        elements->data = data;
        elements->n_rows = (int32_t)total;
        return NB_OK;
    }
    NB_TRY(nb_vector_alloc(ctx->arena, elements->type, total, elements));
    for (int64_t i = 0; i < total; i++) {
        NB_DATA(float, elements)[i] = (float)data[i];
    }
    return NB_OK;
}

nb_status
nb_bind_vector_to_array(nb_bound_call *call, nb_error *err)
{
    bool is_double = true;
    const nb_vector *name;

    if (call->args[0]->type != nb_type_ml_vector()) {
        return nb_bind_mismatch(call, 0, "\"VECTOR\"", err);
    }
    if (call->n_args == 2) {
        nb_str dtype = {"", 0};

        NB_TRY(nb_bind_constant(call, 1, &name, err));
        if (name != NULL && nb_type_is_string(name->type) && !nb_vector_is_null(name, 0)) {
            dtype = nb_view_str(NB_DATA(nb_view, name));
        }
        is_double = nb_str_equal(dtype, NB_STR("float64"));
        if (!is_double && !nb_str_equal(dtype, NB_STR("float32"))) {
            return nb_raise(err, NB_COND_INVALID_PARAMETER_VALUE_DTYPE, "parameter", "`dtype`",
                            "functionName", "`vector_to_array`", "invalidValue",
                            nb_arena_printf(call->arena, "\"%.*s\"", (int)dtype.len, dtype.data),
                            NULL);
        }
    }
    call->type = nb_type_array(nb_type_of(is_double ? NB_TYPE_FLOAT64 : NB_TYPE_FLOAT32), false);
    call->nullable = false;
    call->kernel = vector_to_array_kernel;
    return call->type ? NB_OK : NB_NOMEM;
}

/* ---- array_to_vector ----------------------------------------------------------------------------------------------------------- */

static nb_status
array_to_vector_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                       nb_vector *out)
{
    nb_ml_builder b;
    nb_vector lists, elements;

    (void)n_args;
    NB_TRY(nb_vector_flatten(ctx->arena, &args[0], &lists));
    NB_TRY(nb_vector_flatten(ctx->arena, &lists.children[0], &elements));
    NB_TRY(nb_ml_builder_open(ctx->arena, out, (size_t)elements.n_rows, &b));
    for (int64_t i = 0; i < n; i++) {
        nb_list list = NB_DATA(nb_list, &lists)[i];
        double *x;

        if (nb_vector_is_null(&lists, i)) {
            return raise_null(ctx, "array<double>", VECTOR, "java.lang.NullPointerException");
        }
        for (uint32_t k = 0; elements.validity && k < list.len; k++) {
            if (nb_vector_is_null(&elements, list.offset + k)) {
                return raise_null(ctx, "array<double>", VECTOR,
                                  "[NOT_NULL_ASSERT_VIOLATION] NULL value appeared in "
                                  "non-nullable field: array element class: \"double\"");
            }
        }
        NB_TRY(nb_ml_builder_dense(&b, i, (int)list.len, &x));
        memcpy(x, NB_DATA(double, &elements) + list.offset, list.len * sizeof(double));
    }
    return nb_ml_builder_close(&b);
}

nb_status
nb_bind_array_to_vector(nb_bound_call *call, nb_error *err)
{
    const nb_type *t = call->args[0]->type;
    const nb_type *doubles = nb_type_array(nb_type_of(NB_TYPE_FLOAT64), true);

    if (t->id != NB_TYPE_ARRAY || !nb_type_is_numeric(t->children[0].type)) {
        return nb_bind_mismatch(call, 0, "\"ARRAY<DOUBLE>\"", err);
    }
    NB_TRY(nb_bind_cast(call, 0, doubles, err));
    call->type = nb_type_ml_vector();
    call->kernel = array_to_vector_kernel;
    return call->type ? NB_OK : NB_NOMEM;
}
