/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_data.c: see model_data.h. A model is one row, whose columns have the names of its values; K-means has a row per center.
 * Layouts as Spark 4.2's writers leave them.
 */
#include "ml/model_data.h"

#include "io/write.h"
#include "ml/vectors.h"

typedef struct layout {
    nb_ml_class_id cls;
    const char *column;
    nb_ml_kind kind;
    bool nullable;
} layout;

/* In the order of the files' columns. */
static const layout layouts[] = {
    {NB_ML_KMEANS_MODEL, "clusterIdx", NB_ML_INT, false},
    {NB_ML_KMEANS_MODEL, "clusterCenter", NB_ML_VECTOR, true},
    {NB_ML_LINEAR_REGRESSION_MODEL, "intercept", NB_ML_DOUBLE, false},
    {NB_ML_LINEAR_REGRESSION_MODEL, "coefficients", NB_ML_VECTOR, true},
    {NB_ML_LINEAR_REGRESSION_MODEL, "scale", NB_ML_DOUBLE, false},
    {NB_ML_MIN_MAX_SCALER_MODEL, "originalMin", NB_ML_VECTOR, true},
    {NB_ML_MIN_MAX_SCALER_MODEL, "originalMax", NB_ML_VECTOR, true},
    {NB_ML_ONE_HOT_ENCODER_MODEL, "categorySizes", NB_ML_INTS, true},
    {NB_ML_STANDARD_SCALER_MODEL, "std", NB_ML_VECTOR, true},
    {NB_ML_STANDARD_SCALER_MODEL, "mean", NB_ML_VECTOR, true},
    {NB_ML_STRING_INDEXER_MODEL, "labelsArray", NB_ML_LISTS, true},
};
enum { MAX_COLUMNS = 3 };

/* Rows of values: cells[row * n_columns + column]. */
typedef struct rows {
    nb_arena *arena;
    const layout *columns;
    int n_columns;
    nb_ml_value *cells;
    int64_t n, cap;
} rows;

static void
rows_init(rows *r, nb_arena *arena, const nb_ml_class *cls)
{
    *r = (rows){.arena = arena};
    for (size_t i = 0; i < NB_COUNT_OF(layouts); i++) {
        if (layouts[i].cls == cls->id) {
            r->columns = r->columns ? r->columns : &layouts[i];
            r->n_columns++;
        }
    }
}

/* The cells of one more row; NULL when out of memory. */
static nb_ml_value *
rows_add(rows *r)
{
    if (r->n == r->cap) {
        int64_t cap = r->cap ? 2 * r->cap : 1;
        nb_ml_value *cells = NB_ARENA_ARRAY(r->arena, nb_ml_value, cap * r->n_columns);

        if (cells == NULL) {
            return NULL;
        }
        if (r->n > 0) {
            memcpy(cells, r->cells, (size_t)(r->n * r->n_columns) * sizeof *cells);
        }
        r->cells = cells;
        r->cap = cap;
    }
    return r->cells + r->n++ * r->n_columns;
}

static const nb_type *
type_of(nb_ml_kind kind)
{
    const nb_type *strings;

    switch (kind) {
    case NB_ML_INT: return nb_type_of(NB_TYPE_INT32);
    case NB_ML_DOUBLE: return nb_type_of(NB_TYPE_FLOAT64);
    case NB_ML_INTS: return nb_type_array(nb_type_of(NB_TYPE_INT32), false);
    case NB_ML_VECTOR: return nb_type_ml_vector();
    default:
        strings = nb_type_array(nb_type_of(NB_TYPE_STRING), true);
        return strings ? nb_type_array(strings, true) : NULL;
    }
}

static const nb_type *
schema_of(const rows *r)
{
    nb_field fields[MAX_COLUMNS];

    for (int c = 0; c < r->n_columns; c++) {
        fields[c] = (nb_field){nb_str_of(r->columns[c].column),
                               type_of(r->columns[c].kind),
                               r->columns[c].nullable,
                               {"", 0}};
        if (fields[c].type == NULL) {
            return NULL;
        }
    }
    return nb_type_struct(fields, r->n_columns);
}

/* ---- writing ----------------------------------------------------------------------------------------------------------------------- */

static nb_status
rows_of_centers(rows *r, const nb_ml_value *m)
{
    for (int i = 0; i < m->rows; i++) {
        double *x = NB_ARENA_ARRAY(r->arena, double, m->cols + 1);
        nb_ml_value *cells = rows_add(r);

        NB_ML_NEED(x && cells);
        for (int j = 0; j < m->cols; j++) {
            x[j] = m->x[m->transposed ? (int64_t)i * m->cols + j : (int64_t)j * m->rows + i];
        }
        cells[0] = nb_ml_int(i);
        cells[1] = nb_ml_vector(x, m->cols);
    }
    return NB_OK;
}

static nb_status
rows_of_values(rows *r, const nb_ml_class *cls, const nb_ml_bag *values)
{
    nb_ml_value *cells;

    if (cls->id == NB_ML_KMEANS_MODEL) {
        return rows_of_centers(r, nb_ml_get(values, "clusterCenterMatrix"));
    }
    cells = rows_add(r);
    NB_ML_NEED(cells);
    for (int c = 0; c < r->n_columns; c++) {
        cells[c] = *nb_ml_get(values, r->columns[c].column);
    }
    return NB_OK;
}

/* The texts of a value as rows [from, from + n) of a vector of strings. */
static void
put_strings(nb_vector *v, int64_t from, const nb_ml_value *strings)
{
    for (int i = 0; i < strings->n; i++) {
        NB_DATA(nb_view, v)
        [from + i] = nb_view_make(strings->strings[i].data, strings->strings[i].len);
    }
}

/* A list of lists in the only row of out. */
static nb_status
put_lists(nb_arena *arena, const nb_ml_value *lists, nb_vector *out)
{
    nb_vector *inner = &out->children[0];
    int64_t total = 0, at = 0;

    for (int i = 0; i < lists->n; i++) {
        total += lists->lists[i].n;
    }
    if (total > INT32_MAX) {
        return NB_NOMEM;
    }
    NB_TRY(nb_vector_alloc(arena, inner->type, lists->n, inner));
    NB_TRY(nb_vector_alloc(arena, inner->type->children[0].type, total, &inner->children[0]));
    for (int i = 0; i < lists->n; i++) {
        NB_DATA(nb_list, inner)[i] = (nb_list){(uint32_t)at, (uint32_t)lists->lists[i].n};
        put_strings(&inner->children[0], at, &lists->lists[i]);
        at += lists->lists[i].n;
    }
    NB_DATA(nb_list, out)[0] = (nb_list){0, (uint32_t)lists->n};
    return NB_OK;
}

static nb_status
put_vectors(nb_arena *arena, const rows *r, int64_t from, int column, nb_vector *out)
{
    nb_ml_builder b;

    NB_TRY(nb_ml_builder_open(arena, out, 0, &b));
    for (int64_t i = 0; i < out->n_rows; i++) {
        const nb_ml_value *v = &r->cells[(from + i) * r->n_columns + column];
        double *x;

        NB_TRY(nb_ml_builder_dense(&b, i, v->n, &x));
        memcpy(x, v->x, (size_t)v->n * sizeof(double));
    }
    return nb_ml_builder_close(&b);
}

/* Rows [from, from + n) of one column. */
static nb_status
put_column(nb_arena *arena, const rows *r, int64_t from, int64_t n, int column, nb_vector *out)
{
    const nb_ml_value *v = &r->cells[from * r->n_columns + column];

    NB_TRY(nb_vector_alloc(arena, type_of(r->columns[column].kind), n, out));
    switch (r->columns[column].kind) {
    case NB_ML_VECTOR: return put_vectors(arena, r, from, column, out);
    case NB_ML_LISTS: return put_lists(arena, v, out);
    case NB_ML_INTS:
        NB_TRY(nb_vector_alloc(arena, out->type->children[0].type, v->n, &out->children[0]));
        memcpy(out->children[0].data, v->ints, (size_t)v->n * sizeof(int32_t));
        NB_DATA(nb_list, out)[0] = (nb_list){0, (uint32_t)v->n};
        return NB_OK;
    case NB_ML_INT:
        for (int64_t i = 0; i < n; i++) {
            NB_DATA(int32_t, out)[i] = (int32_t)v[i * r->n_columns].i;
        }
        return NB_OK;
    default:
        for (int64_t i = 0; i < n; i++) {
            NB_DATA(double, out)[i] = v[i * r->n_columns].d;
        }
        return NB_OK;
    }
}

static nb_status
push_rows(nb_write_task *task, const rows *r, nb_error *err)
{
    for (int64_t from = 0; from < r->n; from += NB_BATCH_ROWS) {
        int64_t n = NB_MIN(r->n - from, NB_BATCH_ROWS);
        nb_batch batch;

        NB_TRY(nb_batch_init(r->arena, r->n_columns, n, &batch));
        for (int c = 0; c < r->n_columns; c++) {
            NB_TRY(put_column(r->arena, r, from, n, c, &batch.cols[c]));
        }
        NB_TRY(nb_write_task_push(task, &batch, NULL, NULL, err));
    }
    return NB_OK;
}

nb_status
nb_ml_data_write(const nb_analyzer_config *cfg, nb_arena *arena, const char *path,
                 const nb_ml_class *cls, const nb_ml_bag *values, nb_error *err)
{
    nb_write_request request = {.format = NB_STR("parquet"),
                                .path = nb_str_of(path),
                                .mode = NB_SAVE_ERROR_IF_EXISTS,
                                .info = cfg->info,
                                .cancel = cfg->cancel};
    nb_write_task *task;
    nb_write_job *job;
    nb_status st;
    rows r;

    rows_init(&r, arena, cls);
    NB_TRY(rows_of_values(&r, cls, values));
    request.schema = schema_of(&r);
    NB_ML_NEED(request.schema);
    NB_TRY(nb_write_begin(cfg->pool, &request, &job, err));
    st = nb_write_task_open(job, 0, &task, err);
    if (st >= 0) {
        st = push_rows(task, &r, err);
        if (st < 0) {
            nb_write_task_abort(task);
        } else {
            st = nb_write_task_close(task, err);
        }
    }
    st = st < 0 ? st : nb_write_commit(job, err);
    if (st < 0) {
        nb_write_abort(job);
    }
    return st;
}

/* ---- reading ----------------------------------------------------------------------------------------------------------------------- */

static nb_status
corrupt(nb_error *err, const char *path)
{
    return nb_raise(err, NB_COND_FAILED_READ_FILE, "path", path, NULL);
}

/* Texts of row i of a column of lists of strings; a null is an empty text. */
static nb_status
take_strings(nb_arena *arena, const nb_vector *lists, int64_t i, nb_ml_value *out)
{
    nb_list list = NB_DATA(nb_list, lists)[i];
    nb_vector texts;

    *out = (nb_ml_value){.kind = NB_ML_STRINGS, .n = (int)list.len};
    NB_TRY(nb_vector_flatten(arena, &lists->children[0], &texts));
    out->strings = NB_ARENA_ARRAY(arena, nb_str, list.len + 1);
    NB_ML_NEED(out->strings);
    for (uint32_t k = 0; k < list.len; k++) {
        if (nb_vector_is_null(&texts, list.offset + k)) {
            out->strings[k] = NB_STR("");
            continue;
        }
        out->strings[k] =
            nb_arena_str(arena, nb_view_str(&NB_DATA(nb_view, &texts)[list.offset + k]));
        NB_ML_NEED(out->strings[k].data);
    }
    return NB_OK;
}

static nb_status
take_lists(nb_arena *arena, const nb_vector *v, int64_t i, nb_ml_value *out)
{
    nb_list list = NB_DATA(nb_list, v)[i];
    nb_vector inner;

    *out = (nb_ml_value){.kind = NB_ML_LISTS, .n = (int)list.len};
    NB_TRY(nb_vector_flatten(arena, &v->children[0], &inner));
    out->lists = NB_ARENA_ARRAY(arena, nb_ml_value, list.len + 1);
    NB_ML_NEED(out->lists);
    for (uint32_t k = 0; k < list.len; k++) {
        if (nb_vector_is_null(&inner, list.offset + k)) {
            return NB_ERROR;
        }
        NB_TRY(take_strings(arena, &inner, list.offset + k, &out->lists[k]));
    }
    return NB_OK;
}

/* A vector without a null in it; NB_ERROR, without a message, when its parts do not fit together. */
static nb_status
take_vector(nb_arena *arena, const nb_vector *v, int64_t i, nb_ml_value *out)
{
    nb_ml_column c;
    nb_ml_row row;
    double *x;

    NB_TRY(nb_ml_column_open(arena, v, &c));
    row = nb_ml_column_row(&c, i);
    if (row.size < 0 || row.n > row.size) {
        return NB_ERROR;
    }
    x = NB_ARENA_ARRAY(arena, double, (size_t)row.size + 1);
    NB_ML_NEED(x);
    nb_ml_row_dense(&row, x);
    *out = nb_ml_vector(x, row.size);
    return NB_OK;
}

static nb_status
take_cell(nb_arena *arena, const nb_vector *v, int64_t i, nb_ml_kind kind, nb_ml_value *out)
{
    nb_vector ints;
    nb_list list;

    if (nb_vector_is_null(v, i)) {
        return NB_ERROR;
    }
    switch (kind) {
    case NB_ML_INT: *out = nb_ml_int(NB_DATA(int32_t, v)[i]); return NB_OK;
    case NB_ML_DOUBLE: *out = nb_ml_double(NB_DATA(double, v)[i]); return NB_OK;
    case NB_ML_VECTOR: return take_vector(arena, v, i, out);
    case NB_ML_LISTS: return take_lists(arena, v, i, out);
    default: break;
    }
    list = NB_DATA(nb_list, v)[i];
    *out = (nb_ml_value){.kind = NB_ML_INTS, .n = (int)list.len};
    NB_TRY(nb_vector_flatten(arena, &v->children[0], &ints));
    out->ints = NB_ARENA_ARRAY(arena, int32_t, list.len + 1);
    NB_ML_NEED(out->ints);
    memcpy(out->ints, NB_DATA(int32_t, &ints) + list.offset, list.len * sizeof(int32_t));
    return NB_OK;
}

static nb_status
take_batch(rows *r, const nb_batch *batch)
{
    for (int64_t i = 0; i < batch->n_rows; i++) {
        nb_ml_value *cells = rows_add(r);

        NB_ML_NEED(cells);
        for (int c = 0; c < r->n_columns; c++) {
            nb_vector flat;

            NB_TRY(nb_vector_flatten(r->arena, &batch->cols[c], &flat));
            NB_TRY(take_cell(r->arena, &flat, i, r->columns[c].kind, &cells[c]));
        }
    }
    return NB_OK;
}

static nb_status
read_source(nb_source *source, nb_pool *pool, rows *r, const char *path, nb_error *err)
{
    nb_arena *scratch = nb_arena_new(pool);
    void *local = NULL;
    nb_status st;

    NB_ML_NEED(scratch);
    st = source->ops->open_local(source, pool, &local, err);
    if (st >= 0) {
        for (;;) {
            nb_batch batch;

            nb_arena_reset(scratch);
            st = source->ops->next(source, local, scratch, &batch, err);
            if (st != NB_OK) {
                break;
            }
            st = take_batch(r, &batch);
            if (st < 0) {
                st = st == NB_ERROR ? corrupt(err, path) : st;
                break;
            }
        }
        source->ops->close_local(source, local);
    }
    nb_arena_free(scratch);
    return st == NB_DONE ? NB_OK : st;
}

/* All rows of the files. */
static nb_status
read_rows(const nb_analyzer_config *cfg, const char *path, rows *r, nb_error *err)
{
    static const int columns[MAX_COLUMNS] = {0, 1, 2};
    nb_str where = nb_str_of(path);
    nb_read_request request = {.format = NB_STR("parquet"),
                               .paths = &where,
                               .n_paths = 1,
                               .schema = schema_of(r),
                               .info = cfg->info,
                               .cancel = cfg->cancel,
                               .n_threads = 1};
    nb_scan_request scan = {.columns = columns,
                            .n_columns = r->n_columns,
                            .limit = -1,
                            .n_threads = 1,
                            .info = cfg->info,
                            .cancel = cfg->cancel};
    nb_relation *relation;
    nb_source *source;
    nb_status st;

    NB_ML_NEED(request.schema);
    NB_TRY(nb_relation_open(cfg->pool, &request, &relation, err));
    st = nb_relation_scan(relation, cfg->pool, &scan, &source, err);
    if (st >= 0) {
        st = read_source(source, cfg->pool, r, path, err);
        source->ops->free(source);
    }
    nb_relation_release(relation);
    return st;
}

/* The rows by their numbers, 0 to n - 1 once each, as a matrix. */
static nb_status
centers_of_rows(const rows *r, nb_ml_bag *values)
{
    int d = r->n > 0 ? r->cells[1].n : 0;
    double *x;
    bool *seen;

    if (r->n == 0 || r->n > INT32_MAX / NB_MAX(d, 1)) {
        return NB_ERROR;
    }
    x = NB_ARENA_ARRAY(r->arena, double, r->n *d + 1);
    seen = nb_arena_zalloc(r->arena, (size_t)r->n);
    NB_ML_NEED(x && seen);
    for (int64_t i = 0; i < r->n; i++) {
        const nb_ml_value *cells = &r->cells[2 * i];

        if (cells[0].i < 0 || cells[0].i >= r->n || seen[cells[0].i] || cells[1].n != d) {
            return NB_ERROR;
        }
        seen[cells[0].i] = true;
        memcpy(x + cells[0].i * d, cells[1].x, (size_t)d * sizeof(double));
    }
    return nb_ml_put(values, NB_STR("clusterCenterMatrix"), nb_ml_matrix(x, (int)r->n, d, true));
}

static nb_status
values_of_rows(const rows *r, const nb_ml_class *cls, nb_ml_bag *values)
{
    if (cls->id == NB_ML_KMEANS_MODEL) {
        return centers_of_rows(r, values);
    }
    if (r->n != 1) {
        return NB_ERROR;
    }
    for (int c = 0; c < r->n_columns; c++) {
        const nb_ml_value *v = &r->cells[c];

        if (c > 0 && v->kind == NB_ML_VECTOR && r->cells[c - 1].kind == NB_ML_VECTOR &&
            v->n != r->cells[c - 1].n) {
            return NB_ERROR;
        }
        if (v->kind == NB_ML_LISTS) {
            if (v->n == 0) {
                return NB_ERROR;
            }
            NB_TRY(nb_ml_put(values, NB_STR("labels"), v->lists[0]));
        }
        NB_TRY(nb_ml_put(values, nb_str_of(r->columns[c].column), *v));
    }
    return NB_OK;
}

nb_status
nb_ml_data_read(const nb_analyzer_config *cfg, const char *path, const nb_ml_class *cls,
                nb_ml_bag *values, nb_error *err)
{
    nb_status st;
    rows r;

    rows_init(&r, values->arena, cls);
    NB_TRY(read_rows(cfg, path, &r, err));
    st = values_of_rows(&r, cls, values);
    return st == NB_ERROR ? corrupt(err, path) : st;
}
