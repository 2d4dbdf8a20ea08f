/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vectors.c: see vectors.h. The vector type is struct<type:tinyint,size:int,indices:array<int>,values:array<double>>.
 */
#include "ml/vectors.h"

#include "expr/number_text.h"

enum { KIND, SIZE, INDICES, VALUES };

static bool
is_ml_vector(const nb_type *t)
{
    return t->id == NB_TYPE_UDT &&
           nb_str_equal(t->udt_class, NB_STR("org.apache.spark.ml.linalg.VectorUDT"));
}

bool
nb_ml_is_vector_type(const nb_type *t)
{
    return is_ml_vector(t) ||
           (t->id == NB_TYPE_ARRAY && (t->children[0].type->id == NB_TYPE_FLOAT64 ||
                                       t->children[0].type->id == NB_TYPE_FLOAT32));
}

/* The elements of a list column as doubles. */
static nb_status
open_values(nb_arena *arena, const nb_vector *lists, nb_ml_column *out)
{
    nb_vector elements;

    out->values = NB_DATA(nb_list, lists);
    NB_TRY(nb_vector_flatten(arena, &lists->children[0], &elements));
    if (elements.type->id == NB_TYPE_FLOAT32) {
        double *data = NB_ARENA_ARRAY(arena, double, elements.n_rows + 1);

        if (data == NULL) {
            return NB_NOMEM;
        }
        for (int64_t i = 0; i < elements.n_rows; i++) {
            data[i] = (double)NB_DATA(float, &elements)[i];
        }
        out->data = data;
    } else {
        out->data = elements.data;
    }
    return NB_OK;
}

nb_status
nb_ml_column_open(nb_arena *arena, const nb_vector *v, nb_ml_column *out)
{
    nb_vector flat, child[4];

    *out = (nb_ml_column){.n_rows = v->n_rows};
    NB_TRY(nb_vector_flatten(arena, v, &flat));
    out->validity = flat.validity;
    if (!is_ml_vector(v->type)) {
        return open_values(arena, &flat, out);
    }
    for (int i = 0; i < 4; i++) {
        NB_TRY(nb_vector_flatten(arena, &flat.children[i], &child[i]));
    }
    out->kinds = child[KIND].data;
    out->sizes = child[SIZE].data;
    out->indices = child[INDICES].data;
    out->index_data = child[INDICES].children ? child[INDICES].children[0].data : NULL;
    return open_values(arena, &child[VALUES], out);
}

void
nb_ml_row_dense(const nb_ml_row *row, double *out)
{
    if (row->index == NULL) {
        memcpy(out, row->x, (size_t)row->n * sizeof(double));
        return;
    }
    memset(out, 0, (size_t)row->size * sizeof(double));
    for (int i = 0; i < row->n; i++) {
        if (row->index[i] >= 0 && row->index[i] < row->size) {
            out[row->index[i]] = row->x[i];
        }
    }
}

char *
nb_ml_row_text(nb_arena *arena, const nb_ml_row *row)
{
    nb_strbuf b = {0};
    char number[NB_DOUBLE_TEXT];

    if (row->index != NULL) {
        nb_strbuf_addf(&b, "(%d,[", row->size);
        for (int i = 0; i < row->n; i++) {
            nb_strbuf_addf(&b, "%s%d", i ? "," : "", row->index[i]);
        }
        nb_strbuf_adds(&b, "],");
    }
    nb_strbuf_addc(&b, '[');
    for (int i = 0; i < row->n; i++) {
        nb_strbuf_adds(&b, i ? "," : "");
        nb_strbuf_add(&b, (nb_str){number, (size_t)nb_format_double(number, row->x[i])});
    }
    nb_strbuf_adds(&b, row->index ? "])" : "]");
    return (char *)nb_strbuf_finish(arena, &b).data;
}

/* ---- making them -------------------------------------------------------------------------------------------------------------- */

nb_status
nb_ml_builder_open(nb_arena *arena, nb_vector *out, size_t expected, nb_ml_builder *b)
{
    int64_t n = out->n_rows;

    *b = (nb_ml_builder){.arena = arena, .out = out, .cap_data = NB_MAX(expected, 16)};
    b->data = nb_arena_alloc64(arena, b->cap_data * sizeof(double));
    NB_TRY(nb_vector_need_validity(arena, &out->children[SIZE]));
    NB_TRY(nb_vector_need_validity(arena, &out->children[INDICES]));
    memset(out->children[SIZE].validity, 0, NB_BITMAP_BYTES(n));
    memset(out->children[INDICES].validity, 0, NB_BITMAP_BYTES(n));
    memset(out->children[SIZE].data, 0, (size_t)n * sizeof(int32_t));
    memset(out->children[KIND].data, 1, (size_t)n);
    return b->data ? NB_OK : NB_NOMEM;
}

static nb_status
grow(nb_arena *arena, void **data, size_t *cap, size_t used, size_t wanted, size_t width)
{
    size_t n = NB_MAX(*cap * 2, NB_MAX(wanted, 64));
    void *p;

    if (wanted <= *cap) {
        return NB_OK;
    }
    if (n > UINT32_MAX || !(p = nb_arena_alloc64(arena, n * width))) {
        return NB_NOMEM;
    }
    if (used > 0) {
        memcpy(p, *data, used * width);
    }
    *data = p;
    *cap = n;
    return NB_OK;
}

nb_status
nb_ml_builder_dense(nb_ml_builder *b, int64_t row, int n, double **x)
{
    NB_TRY(grow(b->arena, (void **)&b->data, &b->cap_data, b->n_data, b->n_data + (size_t)n,
                sizeof(double)));
    NB_DATA(nb_list, &b->out->children[VALUES])
    [row] = (nb_list){(uint32_t)b->n_data, (uint32_t)n};
    *x = b->data + b->n_data;
    b->n_data += (size_t)n;
    return NB_OK;
}

nb_status
nb_ml_builder_sparse(nb_ml_builder *b, int64_t row, int size, int n, int32_t **index, double **x)
{
    NB_TRY(nb_ml_builder_dense(b, row, n, x));
    NB_TRY(grow(b->arena, (void **)&b->index, &b->cap_index, b->n_index, b->n_index + (size_t)n,
                sizeof(int32_t)));
    NB_DATA(nb_list, &b->out->children[INDICES])
    [row] = (nb_list){(uint32_t)b->n_index, (uint32_t)n};
    NB_DATA(int8_t, &b->out->children[KIND])[row] = 0;
    NB_DATA(int32_t, &b->out->children[SIZE])[row] = size;
    nb_bit_set(b->out->children[SIZE].validity, row);
    nb_bit_set(b->out->children[INDICES].validity, row);
    *index = b->index + b->n_index;
    b->n_index += (size_t)n;
    return NB_OK;
}

nb_status
nb_ml_builder_compressed(nb_ml_builder *b, int64_t row, const double *x, int n)
{
    int nnz = 0, at = 0;
    int32_t *index;
    double *to;

    for (int j = 0; j < n; j++) {
        nnz += x[j] != 0;
    }
    if (3 * ((int64_t)nnz + 1) >
        2 * ((int64_t)n - 1)) { /* recorded from Spark 4.2, sizes 1 to 12 */
        NB_TRY(nb_ml_builder_dense(b, row, n, &to));
        memcpy(to, x, (size_t)n * sizeof(double));
        return NB_OK;
    }
    NB_TRY(nb_ml_builder_sparse(b, row, n, nnz, &index, &to));
    for (int j = 0; j < n; j++) {
        if (x[j] != 0) {
            index[at] = j;
            to[at++] = x[j];
        }
    }
    return NB_OK;
}

void
nb_ml_builder_null(nb_ml_builder *b, int64_t row)
{
    NB_DATA(nb_list, &b->out->children[VALUES])[row] = (nb_list){0, 0};
}

nb_status
nb_ml_builder_close(nb_ml_builder *b)
{
    nb_vector *values = &b->out->children[VALUES].children[0];
    nb_vector *indices = &b->out->children[INDICES].children[0];

    if (b->n_data > INT32_MAX) {
        return NB_NOMEM;
    }
    values->data = b->data;
    values->n_rows = (int32_t)b->n_data;
    values->kind = NB_VEC_FLAT;
    indices->data = b->index ? (void *)b->index : (void *)b->data;
    indices->n_rows = (int32_t)b->n_index;
    indices->kind = NB_VEC_FLAT;
    return NB_OK;
}
