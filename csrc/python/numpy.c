/* SPDX-License-Identifier: Apache-2.0 */
/*
 * numpy.c: columns as arrays and arrays as columns. NumPy is imported at the first array.
 *
 * Out: a number column of one chunk without nulls is the engine's own memory; the array's base is a capsule that holds the
 * table. In: a contiguous array is used where it lies and kept alive by a reference that any thread may give back.
 */
#include "python/table.h"

#include <numpy/arrayobject.h>
#include "python/errors.h"

static int
need_numpy(void)
{
    if (PyArray_API == NULL) {
        import_array1(-1);
    }
    return 0;
}

/* --- out --------------------------------------------------------------------------------------- */

static void
free_base(PyObject *capsule)
{
    nb_held_table_unref(PyCapsule_GetPointer(capsule, "nbaspark.table"));
}

/* The NumPy type of a column without nulls; -1 when it has none. *unit: datetime64 and timedelta64 in µs. */
static int
numpy_type(const nb_type *t, bool *is_time)
{
    *is_time = false;
    switch (t->id) {
    case NB_TYPE_BOOL: return NPY_BOOL;
    case NB_TYPE_INT8: return NPY_INT8;
    case NB_TYPE_INT16: return NPY_INT16;
    case NB_TYPE_INT32: return NPY_INT32;
    case NB_TYPE_INT64: return NPY_INT64;
    case NB_TYPE_FLOAT32: return NPY_FLOAT32;
    case NB_TYPE_FLOAT64: return NPY_FLOAT64;
    case NB_TYPE_TIMESTAMP:
    case NB_TYPE_TIMESTAMP_NTZ: *is_time = true; return NPY_DATETIME;
    case NB_TYPE_INTERVAL_DT: *is_time = true; return NPY_TIMEDELTA;
    default: return -1;
    }
}

static PyArray_Descr *
descriptor(int type, bool is_time)
{
    PyObject *text;
    PyArray_Descr *d = NULL;

    if (!is_time) {
        return PyArray_DescrFromType(type);
    }
    text = PyUnicode_FromString(type == NPY_DATETIME ? "M8[us]" : "m8[us]");
    if (text == NULL || !PyArray_DescrConverter(text, &d)) {
        d = NULL;
    }
    Py_XDECREF(text);
    return d;
}

static bool
column_has_nulls(const nb_table *t, int column)
{
    for (int k = 0; k < t->n_chunks; k++) {
        const nb_vector *v = &t->chunks[k]->cols[column];
        const nb_vector *values = v->kind == NB_VEC_DICT ? v->dict : v;
        if (values->validity != NULL) {
            return true;
        }
    }
    return false;
}

/* The column's own memory as an array. */
static PyObject *
wrap_column(nb_held_table *held, const nb_vector *v, PyArray_Descr *d)
{
    npy_intp n = v->n_rows;
    PyObject *array, *base;

    array = PyArray_NewFromDescr(&PyArray_Type, d, 1, &n, NULL, v->data, 0, NULL);
    base = array ? PyCapsule_New(held, "nbaspark.table", free_base) : NULL;
    if (base == NULL) {
        Py_XDECREF(array);
        return NULL;
    }
    nb_held_table_ref(held);
    if (PyArray_SetBaseObject((PyArrayObject *)array, base) < 0) {
        Py_DECREF(array);
        return NULL;
    }
    return array;
}

/* Copies flat rows to 64-bit floats with NaN, or to times with NaT, for nulls. */
static void
put_rows(const nb_vector *v, bool widen, bool is_time, char *out)
{
    int width = nb_phys_width(nb_type_storage(v->type)->phys);
    double *d = (double *)out;

    if (!widen) {
        memcpy(out, v->data, (size_t)v->n_rows * (size_t)width);
        if (v->validity == NULL) {
            return;
        }
    }
    for (int64_t i = 0; i < v->n_rows; i++) {
        bool valid = nb_is_valid(v->validity, i);
        if (is_time) {
            ((int64_t *)out)[i] = valid ? ((int64_t *)out)[i] : NPY_DATETIME_NAT;
        } else if (!widen) {
            if (!valid && width == 8) {
                d[i] = __builtin_nan("");
            } else if (!valid) {
                ((float *)out)[i] = __builtin_nanf("");
            }
        } else if (!valid) {
            d[i] = __builtin_nan("");
        } else {
            d[i] = width == 1   ? NB_DATA(int8_t, v)[i]
                   : width == 2 ? NB_DATA(int16_t, v)[i]
                   : width == 4 ? NB_DATA(int32_t, v)[i]
                                : (double)NB_DATA(int64_t, v)[i];
        }
    }
}

static PyObject *
copy_column(nb_held_table *held, int column, PyArray_Descr *d, bool widen, bool is_time)
{
    const nb_table *t = held->table;
    npy_intp n = (npy_intp)t->n_rows;
    nb_arena *arena = nb_arena_new(NULL);
    PyObject *array;
    char *out;

    if (arena == NULL) {
        Py_DECREF(d);
        return PyErr_NoMemory();
    }
    array = PyArray_NewFromDescr(&PyArray_Type, d, 1, &n, NULL, NULL, 0, NULL);
    out = array ? PyArray_DATA((PyArrayObject *)array) : NULL;
    for (int k = 0; array != NULL && k < t->n_chunks; k++) {
        nb_vector flat;
        if (nb_vector_flatten(arena, &t->chunks[k]->cols[column], &flat) < 0) {
            Py_CLEAR(array);
            PyErr_NoMemory();
            break;
        }
        put_rows(&flat, widen, is_time, out);
        out += flat.n_rows * PyArray_ITEMSIZE((PyArrayObject *)array);
        nb_arena_reset(arena);
    }
    nb_arena_free(arena);
    return array;
}

static PyObject *
object_column(nb_held_table *held, int column, PyObject *factory, PyObject *udt)
{
    npy_intp n = (npy_intp)held->table->n_rows;
    PyObject *list = nb_held_column_list(held, column, factory, udt), *array, **out;

    if (list == NULL) {
        return NULL;
    }
    array = PyArray_SimpleNew(1, &n, NPY_OBJECT);
    if (array != NULL) {
        out = PyArray_DATA((PyArrayObject *)array);
        for (npy_intp i = 0; i < n; i++) {
            PyObject *old = out[i], *item = PyList_GET_ITEM(list, i);
            Py_INCREF(item);
            out[i] = item;
            Py_XDECREF(old);
        }
    }
    Py_DECREF(list);
    return array;
}

PyObject *
nb_held_column_numpy(nb_held_table *held, int column, PyObject *factory, PyObject *udt)
{
    const nb_table *t = held->table;
    bool is_time, nulls, floats;
    PyArray_Descr *d;
    int type;

    if (column < 0 || column >= t->schema->n_children) {
        PyErr_SetString(PyExc_IndexError, "there is no such column");
        return NULL;
    }
    if (need_numpy() < 0) {
        return NULL;
    }
    type = numpy_type(t->schema->children[column].type, &is_time);
    nulls = column_has_nulls(t, column);
    if (type < 0 || (type == NPY_BOOL && nulls)) {
        return object_column(held, column, factory, udt);
    }
    floats = type == NPY_FLOAT32 || type == NPY_FLOAT64;
    d = descriptor(nulls && !floats && !is_time ? NPY_FLOAT64 : type, is_time);
    if (d == NULL) {
        return NULL;
    }
    if (!nulls && t->n_chunks == 1 && t->chunks[0]->cols[column].kind == NB_VEC_FLAT) {
        return wrap_column(held, &t->chunks[0]->cols[column], d);
    }
    return copy_column(held, column, d, nulls && !floats && !is_time, is_time);
}

/* --- in ---------------------------------------------------------------------------------------- */

static void
release_object(void *object)
{
    PyGILState_STATE gil;

#if PY_VERSION_HEX >= 0x030D0000
    if (Py_IsFinalizing()) {
        return;
    }
#else
    if (_Py_IsFinalizing()) {
        return; /* the process ends: its memory goes with it */
    }
#endif
    gil = PyGILState_Ensure();
    Py_DECREF((PyObject *)object);
    PyGILState_Release(gil);
}

/* The array's memory in the chunk's hands; the reference to array is moved. */
static int
keep_array(nb_chunk *chunk, PyArrayObject *array)
{
    nb_buffer *buf;

    if (nb_buffer_wrap(PyArray_DATA(array), (size_t)PyArray_NBYTES(array), release_object, array,
                       &buf) < 0) {
        Py_DECREF(array);
        PyErr_NoMemory();
        return -1;
    }
    if (nb_chunk_keep(chunk, buf) < 0) {
        nb_buffer_release(buf);
        PyErr_NoMemory();
        return -1;
    }
    nb_buffer_release(buf);
    return 0;
}

typedef struct array_kind {
    nb_type_id id;
    int cast_to;       /* NPY type to convert to first; -1 = none */
    const char *dtype; /* the same for times, as text; NULL = none */
} array_kind;

/* How an array becomes a column: which type, and what NumPy must convert it to before. */
static int
kind_of(PyArrayObject *array, array_kind *out)
{
    PyArray_Descr *d = PyArray_DESCR(array);

    *out = (array_kind){.cast_to = -1};
    switch (d->kind) {
    case 'b': out->id = NB_TYPE_BOOL; return 0;
    case 'i':
        out->id = PyArray_ITEMSIZE(array) == 1   ? NB_TYPE_INT8
                  : PyArray_ITEMSIZE(array) == 2 ? NB_TYPE_INT16
                  : PyArray_ITEMSIZE(array) == 4 ? NB_TYPE_INT32
                                                 : NB_TYPE_INT64;
        return 0;
    case 'u':
        switch (PyArray_ITEMSIZE(array)) {
        case 1: *out = (array_kind){NB_TYPE_INT16, NPY_INT16, NULL}; return 0;
        case 2: *out = (array_kind){NB_TYPE_INT32, NPY_INT32, NULL}; return 0;
        case 4: *out = (array_kind){NB_TYPE_INT64, NPY_INT64, NULL}; return 0;
        default: break;
        }
        break;
    case 'f':
        if (PyArray_ITEMSIZE(array) == 2) {
            *out = (array_kind){NB_TYPE_FLOAT32, NPY_FLOAT32, NULL};
            return 0;
        }
        if (PyArray_ITEMSIZE(array) <= 8) {
            out->id = PyArray_ITEMSIZE(array) == 4 ? NB_TYPE_FLOAT32 : NB_TYPE_FLOAT64;
            return 0;
        }
        break;
    case 'M': *out = (array_kind){NB_TYPE_TIMESTAMP_NTZ, -1, "M8[us]"}; return 0;
    case 'm': *out = (array_kind){NB_TYPE_INTERVAL_DT, -1, "m8[us]"}; return 0;
    default: break;
    }
    PyErr_Format(PyExc_TypeError, "an array of dtype %R has no Spark type", (PyObject *)d);
    return -1;
}

/* A contiguous, aligned array of native byte order and the wanted dtype: the same object where it is that already. */
static PyArrayObject *
plain_array(PyArrayObject *array, const array_kind *kind)
{
    PyArray_Descr *d = NULL;

    if (kind->dtype != NULL) {
        d = descriptor(kind->id == NB_TYPE_TIMESTAMP_NTZ ? NPY_DATETIME : NPY_TIMEDELTA, true);
    } else {
        d = PyArray_DescrFromType(kind->cast_to >= 0 ? kind->cast_to : PyArray_TYPE(array));
    }
    if (d == NULL) {
        return NULL;
    }
    return (PyArrayObject *)PyArray_FromArray(array, d,
                                              NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED |
                                                  NPY_ARRAY_FORCECAST | NPY_ARRAY_NOTSWAPPED);
}

/* NaN and NaT as nulls. */
static int
mark_nulls(nb_chunk *chunk, nb_vector *v)
{
    nb_type_id id = v->type->id;
    bool time = id == NB_TYPE_TIMESTAMP_NTZ || id == NB_TYPE_INTERVAL_DT;

    for (int64_t i = 0; i < v->n_rows; i++) {
        bool null = time                    ? NB_DATA(int64_t, v)[i] == NPY_DATETIME_NAT
                    : id == NB_TYPE_FLOAT64 ? NB_DATA(double, v)[i] != NB_DATA(double, v)[i]
                                            : NB_DATA(float, v)[i] != NB_DATA(float, v)[i];
        if (!null) {
            continue;
        }
        if (nb_vector_need_validity(chunk->arena, v) < 0) {
            PyErr_NoMemory();
            return -1;
        }
        nb_bit_clear(v->validity, i);
    }
    return 0;
}

static int
put_array(nb_chunk *chunk, PyObject *object, bool nan_as_null, nb_field *field, nb_vector *v)
{
    PyArrayObject *plain;
    array_kind kind;
    bool floats;

    if (!PyArray_Check(object) || PyArray_NDIM((PyArrayObject *)object) != 1) {
        PyErr_SetString(PyExc_TypeError, "columns must be one-dimensional arrays");
        return -1;
    }
    if (kind_of((PyArrayObject *)object, &kind) < 0 ||
        (plain = plain_array((PyArrayObject *)object, &kind)) == NULL) {
        return -1;
    }
    if (chunk->n_rows >= 0 && PyArray_SIZE(plain) != chunk->n_rows) {
        Py_DECREF(plain);
        PyErr_SetString(PyExc_ValueError, "columns differ in length");
        return -1;
    }
    if (PyArray_SIZE(plain) > INT32_MAX) {
        Py_DECREF(plain);
        PyErr_SetString(PyExc_OverflowError, "more than 2^31 rows");
        return -1;
    }
    chunk->n_rows = PyArray_SIZE(plain);
    field->type = nb_type_of(kind.id);
    field->nullable = true;
    *v = (nb_vector){.type = field->type,
                     .kind = NB_VEC_FLAT,
                     .n_rows = (int32_t)chunk->n_rows,
                     .data = PyArray_DATA(plain)};
    floats = kind.id == NB_TYPE_FLOAT32 || kind.id == NB_TYPE_FLOAT64;
    if (keep_array(chunk, plain) < 0) {
        return -1;
    }
    return (floats && nan_as_null) || kind.dtype != NULL ? mark_nulls(chunk, v) : 0;
}

nb_table *
nb_table_from_numpy(PyObject *columns, bool nan_as_null)
{
    nb_pool *pool = nb_python_pool();
    int n = (int)PyDict_GET_SIZE(columns), i = 0;
    nb_table *table = NULL;
    nb_chunk *chunk = NULL;
    const nb_type *schema;
    nb_field *fields;
    PyObject *name, *array;
    Py_ssize_t at = 0;

    if (pool == NULL || need_numpy() < 0) {
        return NULL;
    }
    if (nb_chunk_new(pool, n, &chunk) < 0 ||
        (fields = NB_ARENA_ARRAY(chunk->arena, nb_field, n)) == NULL) {
        PyErr_NoMemory();
        goto fail;
    }
    chunk->n_rows = -1;
    while (PyDict_Next(columns, &at, &name, &array)) {
        Py_ssize_t len;
        const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8AndSize(name, &len) : NULL;
        if (text == NULL) {
            if (!PyErr_Occurred()) {
                PyErr_SetString(PyExc_TypeError, "column names must be str");
            }
            goto fail;
        }
        fields[i] = (nb_field){.name = {text, (size_t)len}, .metadata = {"", 0}};
        if (put_array(chunk, array, nan_as_null, &fields[i], &chunk->cols[i]) < 0) {
            goto fail;
        }
        i++;
    }
    chunk->n_rows = NB_MAX(chunk->n_rows, 0);
    schema = nb_type_struct(fields, n);
    if (schema == NULL || nb_table_new(pool, schema, &table) < 0) {
        PyErr_NoMemory();
        goto fail;
    }
    if (chunk->n_rows == 0) {
        nb_chunk_free(chunk);
    } else if (nb_table_append(table, chunk) < 0) {
        PyErr_NoMemory();
        goto fail;
    }
    return table;
fail:
    nb_chunk_free(chunk);
    nb_table_release(table);
    return NULL;
}
