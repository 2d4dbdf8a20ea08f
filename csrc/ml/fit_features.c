/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fit_features.c: StandardScaler, MinMaxScaler, StringIndexer, OneHotEncoder: one look at the rows each.
 */
#include <math.h>
#include <stdlib.h>
#include "expr/number_text.h"
#include "ml/model.h"

static nb_status
load_input(nb_analyzer *an, const nb_ml_args *args, nb_plan *data, nb_matrix **out, nb_error *err)
{
    nb_ml_data rows;
    nb_str output;

    if (!nb_ml_arg_is_set(args, "inputCol")) {
        return nb_ml_raise_illegal(err, args->arena, "Failed to find a default value for inputCol");
    }
    output = nb_ml_arg_str(args, "outputCol");
    for (int i = 0; i < data->n_attrs; i++) {
        if (!data->attrs[i].hidden && nb_str_equal_nocase(data->attrs[i].name, output)) {
            return nb_ml_raise_illegal(err, args->arena,
                                       "requirement failed: Output column %.*s already exists.",
                                       (int)output.len, output.data);
        }
    }
    NB_TRY(nb_ml_load(an, data, nb_ml_arg_str(args, "inputCol"), NB_STR(""), NB_STR(""), false,
                      &rows, err));
    if (rows.m->n_rows == 0) {
        nb_matrix_free(rows.m);
        return nb_ml_raise_illegal(
            err, args->arena, "requirement failed: Nothing has been added to this summarizer.");
    }
    *out = rows.m;
    return NB_OK;
}

nb_status
nb_ml_fit_standard_scaler(nb_analyzer *an, const nb_ml_args *args, nb_plan *data,
                          nb_ml_model *model, nb_error *err)
{
    nb_arena *arena = args->arena;
    nb_matrix *m;
    double *mean, *std;
    int d;

    NB_TRY(load_input(an, args, data, &m, err));
    d = m->d;
    mean = nb_arena_zalloc(arena, (size_t)m->d * sizeof(double) + 8);
    std = nb_arena_zalloc(arena, (size_t)m->d * sizeof(double) + 8);
    for (int j = 0; j < m->d && mean && std; j++) {
        double sum = 0, squares = 0;

        for (int64_t i = 0; i < m->n_rows; i++) {
            sum += *nb_matrix_at(m, i, j);
        }
        mean[j] = sum / (double)m->n_rows;
        for (int64_t i = 0; i < m->n_rows; i++) {
            double diff = *nb_matrix_at(m, i, j) - mean[j];

            squares += diff * diff;
        }
        std[j] = m->n_rows > 1 ? sqrt(squares / (double)(m->n_rows - 1)) : 0; /* of the sample */
    }
    nb_matrix_free(m);
    NB_ML_NEED(mean && std);
    NB_TRY(nb_ml_put(&model->values, NB_STR("mean"), nb_ml_vector(mean, d)));
    return nb_ml_put(&model->values, NB_STR("std"), nb_ml_vector(std, d));
}

nb_status
nb_ml_fit_min_max_scaler(nb_analyzer *an, const nb_ml_args *args, nb_plan *data, nb_ml_model *model,
                         nb_error *err)
{
    nb_arena *arena = args->arena;
    double low = nb_ml_arg_double(args, "min"), high = nb_ml_arg_double(args, "max");
    nb_matrix *m;
    double *min, *max;
    int d;

    if (!(low < high)) {
        char a[NB_DOUBLE_TEXT], b[NB_DOUBLE_TEXT];
        int n_a = nb_format_double(a, low), n_b = nb_format_double(b, high);

        return nb_ml_raise_illegal(
            err, arena,
            "requirement failed: The specified min(%.*s) is larger or equal to max(%.*s)", n_a, a,
            n_b, b);
    }
    NB_TRY(load_input(an, args, data, &m, err));
    d = m->d;
    min = nb_arena_zalloc(arena, (size_t)d * sizeof(double) + 8);
    max = nb_arena_zalloc(arena, (size_t)d * sizeof(double) + 8);
    for (int j = 0; j < d && min && max; j++) {
        min[j] = INFINITY;
        max[j] = -INFINITY;
        for (int64_t i = 0; i < m->n_rows; i++) {
            double x = *nb_matrix_at(m, i, j);

            min[j] = x < min[j] ? x : min[j]; /* NaN is passed over */
            max[j] = x > max[j] ? x : max[j];
        }
    }
    nb_matrix_free(m);
    NB_ML_NEED(min && max);
    NB_TRY(nb_ml_put(&model->values, NB_STR("originalMin"), nb_ml_vector(min, d)));
    return nb_ml_put(&model->values, NB_STR("originalMax"), nb_ml_vector(max, d));
}

/* ---- StringIndexer ------------------------------------------------------------------------------------------------------------ */

typedef struct label {
    nb_str text;
    int64_t count;
} label;

static int
by_frequency_desc(const void *a, const void *b)
{
    const label *x = a, *y = b;

    return x->count != y->count ? (x->count < y->count) - (x->count > y->count)
                                : nb_str_compare(x->text, y->text);
}

static int
by_frequency_asc(const void *a, const void *b)
{
    const label *x = a, *y = b;

    return x->count != y->count ? (x->count > y->count) - (x->count < y->count)
                                : nb_str_compare(x->text, y->text);
}

static int
by_text_asc(const void *a, const void *b)
{
    return nb_str_compare(((const label *)a)->text, ((const label *)b)->text);
}

static int
by_text_desc(const void *a, const void *b)
{
    return by_text_asc(b, a);
}

static int
compare_strs(const void *a, const void *b)
{
    return nb_str_compare(*(const nb_str *)a, *(const nb_str *)b);
}

/* The labels of one string column, ordered; numbers: of texts of numbers, among which NaN counts as missing. */
static nb_status
count_labels(nb_arena *arena, const nb_ml_table *t, int column, bool numbers,
             int (*order)(const void *, const void *), nb_ml_value *out)
{
    nb_str *all = NB_ARENA_ARRAY(arena, nb_str, t->table->n_rows + 1);
    label *labels = NB_ARENA_ARRAY(arena, label, t->table->n_rows + 1);
    size_t n = 0, n_labels = 0;

    NB_ML_NEED(all && labels);
    for (int c = 0; c < t->table->n_chunks; c++) {
        const nb_chunk *chunk = t->table->chunks[c];
        nb_vector v;

        NB_TRY(nb_vector_flatten(arena, &chunk->cols[t->columns[column]], &v));
        for (int64_t i = 0; i < chunk->n_rows; i++) {
            if (nb_is_valid(v.validity, i)) {
                all[n] = nb_view_str(&NB_DATA(nb_view, &v)[i]);
                n += !(numbers && nb_str_equal(all[n], NB_STR("NaN")));
            }
        }
    }
    qsort(all, n, sizeof *all, compare_strs);
    for (size_t i = 0; i < n; i++) {
        if (n_labels == 0 || !nb_str_equal(labels[n_labels - 1].text, all[i])) {
            labels[n_labels++] = (label){all[i], 0};
        }
        labels[n_labels - 1].count++;
    }
    qsort(labels, n_labels, sizeof *labels, order);
    *out = (nb_ml_value){.kind = NB_ML_STRINGS, .n = (int)n_labels};
    out->strings = NB_ARENA_ARRAY(arena, nb_str, n_labels + 1);
    NB_ML_NEED(out->strings);
    for (size_t i = 0; i < n_labels; i++) {
        out->strings[i] = nb_arena_str(arena, labels[i].text);
        NB_ML_NEED(out->strings[i].data);
    }
    return NB_OK;
}

/* One column or several, and as many results. */
static nb_status
check_columns(const nb_ml_args *args, const char *what, int n, nb_error *err)
{
    static const char *const pairs[][2] = {{"inputCol", "inputCols"}, {"outputCol", "outputCols"}};
    nb_str *outputs;

    if (nb_ml_arg_is_set(args, pairs[0][0]) && nb_ml_arg_is_set(args, pairs[0][1])) {
        return nb_ml_raise_illegal(err, args->arena,
                                   "requirement failed: %s %.*s requires exactly one of inputCol, "
                                   "inputCols Params to be set, but both are set.",
                                   what, (int)args->uid.len, args->uid.data);
    }
    if (nb_ml_arg_is_set(args, pairs[1][1]) &&
        nb_ml_arg_columns(args, pairs[1][1], pairs[1][0], &outputs) != n) {
        return nb_ml_raise_illegal(
            err, args->arena,
            "requirement failed: The number of input columns does not match output columns");
    }
    return NB_OK;
}

nb_status
nb_ml_fit_string_indexer(nb_analyzer *an, const nb_ml_args *args, nb_plan *data, nb_ml_model *model,
                         nb_error *err)
{
    nb_arena *arena = args->arena;
    nb_str *inputs, how = nb_ml_arg_str(args, "stringOrderType");
    int n = nb_ml_arg_columns(args, "inputCols", "inputCol", &inputs);
    nb_expr **exprs = NB_ARENA_ARRAY(arena, nb_expr *, n + 1);
    bool *numbers = nb_arena_zalloc(arena, (size_t)n + 1);
    nb_ml_value all = {.kind = NB_ML_LISTS, .n = n};
    nb_ml_table t;
    nb_status st = NB_OK;

    all.lists = NB_ARENA_ARRAY(arena, nb_ml_value, n + 1);
    NB_ML_NEED(exprs && numbers && all.lists);
    if (n == 0) {
        return nb_ml_raise_illegal(
            err, arena, "requirement failed: StringIndexer requires inputCol or inputCols");
    }
    NB_TRY(check_columns(args, "StringIndexer", n, err));
    for (int i = 0; i < n; i++) {
        const nb_attr *a;

        NB_TRY(nb_ml_attr(an, data, inputs[i], &a, err));
        if (!nb_type_is_string(a->type) && !nb_type_is_numeric(a->type) &&
            a->type->id != NB_TYPE_BOOL) {
            return nb_ml_raise_illegal(
                err, arena,
                "requirement failed: The input column %.*s must be either string type or numeric "
                "type, but got %s.",
                (int)inputs[i].len, inputs[i].data, nb_type_catalog_string(arena, a->type));
        }
        numbers[i] = nb_type_is_numeric(a->type);
        exprs[i] = nb_attr_expr(arena, a);
        NB_ML_NEED(exprs[i]);
        NB_TRY(nb_expr_cast(arena, exprs[i], nb_type_of(NB_TYPE_STRING), NB_CAST_LEGACY, &exprs[i],
                            err));
    }
    NB_TRY(nb_ml_gather(an, data, exprs, n, &t, err));
    for (int i = 0; i < n && st >= 0; i++) {
        st = count_labels(arena, &t, i, numbers[i],
                          nb_str_equal(how, NB_STR("frequencyDesc"))  ? by_frequency_desc
                          : nb_str_equal(how, NB_STR("frequencyAsc")) ? by_frequency_asc
                          : nb_str_equal(how, NB_STR("alphabetDesc")) ? by_text_desc
                                                                      : by_text_asc,
                          &all.lists[i]);
    }
    nb_table_release(t.table);
    NB_TRY(st);
    NB_TRY(nb_ml_put(&model->values, NB_STR("labels"), all.lists[0]));
    return nb_ml_put(&model->values, NB_STR("labelsArray"), all);
}

/* ---- OneHotEncoder ------------------------------------------------------------------------------------------------------------ */

/* How many values the column's metadata promises; -1 when it does not say. */
static int
values_in(nb_str metadata)
{
    const char *p = metadata.len ? memmem(metadata.data, metadata.len, "\"vals\":[", 8) : NULL;
    int n = 0;
    bool quoted = false, any = false;

    if (p == NULL) {
        return -1;
    }
    for (p += 8; p < metadata.data + metadata.len && (quoted || *p != ']'); p++) {
        if (*p == '\\') {
            p++;
        } else if (*p == '"') {
            quoted = !quoted;
            any = true;
        } else if (*p == ',' && !quoted) {
            n++;
        }
    }
    return any ? n + 1 : 0;
}

nb_status
nb_ml_fit_one_hot(nb_analyzer *an, const nb_ml_args *args, nb_plan *data, nb_ml_model *model,
                  nb_error *err)
{
    nb_arena *arena = args->arena;
    bool keep = nb_str_equal(nb_ml_arg_str(args, "handleInvalid"), NB_STR("keep"));
    nb_str *inputs;
    int n = nb_ml_arg_columns(args, "inputCols", "inputCol", &inputs);
    nb_expr **exprs = NB_ARENA_ARRAY(arena, nb_expr *, n + 1);
    nb_ml_value sizes = {.kind = NB_ML_INTS, .n = n};
    nb_ml_table t = {NULL, NULL};
    nb_status st = NB_OK;

    sizes.ints = NB_ARENA_ARRAY(arena, int32_t, n + 1);
    NB_ML_NEED(exprs && sizes.ints);
    if (n == 0) {
        return nb_ml_raise_illegal(
            err, arena, "requirement failed: OneHotEncoder requires inputCol or inputCols");
    }
    NB_TRY(check_columns(args, "OneHotEncoder", n, err));
    for (int i = 0; i < n; i++) {
        const nb_attr *a;

        NB_TRY(nb_ml_attr(an, data, inputs[i], &a, err));
        sizes.ints[i] = values_in(a->metadata);
        NB_TRY(nb_ml_number_expr(an, data, inputs[i], &exprs[i], err));
    }
    NB_TRY(nb_ml_gather(an, data, exprs, n, &t, err));
    for (int i = 0; i < n && st >= 0; i++) {
        double *x, max = 0;

        if (sizes.ints[i] >= 0) {
            continue;
        }
        st = nb_ml_doubles_of(arena, &t, i, &x);
        for (int64_t r = 0; st >= 0 && r < t.table->n_rows; r++) {
            if (!(x[r] >= 0) || x[r] != floor(x[r]) || x[r] > 1e9) {
                st =
                    keep && x[r] >= 0
                        ? NB_OK
                        : nb_ml_raise_illegal(err, arena,
                                              "requirement failed: Values from column %.*s must be "
                                              "indices, but got %g.",
                                              (int)inputs[i].len, inputs[i].data, x[r]);
                continue;
            }
            max = x[r] > max ? x[r] : max;
        }
        sizes.ints[i] = (int32_t)max + 1;
    }
    nb_table_release(t.table);
    NB_TRY(st);
    return nb_ml_put(&model->values, NB_STR("categorySizes"), sizes);
}
