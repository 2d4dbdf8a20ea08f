/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows_in.c: Python objects to columns.
 *
 * Each column has a `sink` that grows as values come; a sink of a nested type has children. The GIL is held throughout. A value
 * that does not fit raises TypeError or ValueError with the path of its field; the caller may then let PySpark's verifier
 * find the words.
 *
 * Strict mode takes the classes that PySpark's verifier takes (int for integers, float for floats, Decimal for decimals ...);
 * otherwise numbers convert as Python's own constructors do.
 */
#include "expr/date_text.h"
#include "python/table.h"

#include <datetime.h>
#include <math.h>
#include "base/decimal.h"
#include "python/errors.h"

#define FIRST_ROWS 64
#define HEAP_BLOCK ((size_t)64 * 1024)
#define DAY_US     INT64_C(86400000000)

typedef struct sink {
    const nb_type *type; /* as the schema says */
    const nb_type *storage;
    struct sink *parent;
    nb_str name; /* of the field; "element", "key", "value" inside */
    bool nullable;
    int width;
    int64_t n, cap;
    void *data;
    uint64_t *validity; /* from the first null on */
    struct sink *children;
    int n_children;
    PyObject **names; /* of a struct: its fields as str; owned */
} sink;

typedef struct builder {
    nb_arena *arena; /* the chunk's */
    char *heap;
    size_t heap_left;
    bool strict;
} builder;

/* --- errors ------------------------------------------------------------------------------------ */

static void
add_path(nb_strbuf *b, const sink *s)
{
    if (s->parent != NULL && s->parent->parent != NULL) {
        add_path(b, s->parent);
        nb_strbuf_addc(b, '.');
    }
    nb_strbuf_add(b, s->name);
}

static int
fail(const sink *s, PyObject *exception, const char *what, PyObject *value)
{
    nb_strbuf path = {0};
    nb_arena *arena = nb_arena_new(NULL);
    const char *type = arena ? nb_type_simple_string(arena, s->type) : NULL;

    add_path(&path, s);
    if (arena != NULL) {
        PyErr_Format(exception, "field %.400s: %s (%.100s, got %.200R of %.100s)",
                     path.data ? path.data : "", what, type ? type : "", value,
                     Py_TYPE(value)->tp_name);
    } else {
        PyErr_NoMemory();
    }
    nb_strbuf_free(&path);
    nb_arena_free(arena);
    return -1;
}

static int
wrong_type(const sink *s, PyObject *value)
{
    return fail(s, PyExc_TypeError, "a value of this class is not accepted", value);
}

/* --- growing ----------------------------------------------------------------------------------- */

static int
grow(builder *b, sink *s)
{
    int64_t cap = s->cap ? s->cap * 2 : FIRST_ROWS;
    void *data = NULL;

    if (cap > INT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "a column has more than 2^31 values");
        return -1;
    }
    if (s->width > 0) {
        data = nb_arena_alloc64(b->arena, (size_t)cap * (size_t)s->width);
        if (data == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        if (s->n > 0) {
            memcpy(data, s->data, (size_t)s->n * (size_t)s->width);
        }
    }
    if (s->validity != NULL) {
        uint64_t *bits = nb_arena_zalloc(b->arena, NB_BITMAP_BYTES(cap));
        if (bits == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        memcpy(bits, s->validity, NB_BITMAP_BYTES(s->n));
        s->validity = bits;
    }
    s->data = data;
    s->cap = cap;
    return 0;
}

static int put(builder *b, sink *s, PyObject *value);

static int
put_null(builder *b, sink *s)
{
    if (s->type->id == NB_TYPE_NULL) {
        s->n++;
        return 0;
    }
    if (s->n == s->cap && grow(b, s) < 0) {
        return -1;
    }
    if (s->validity == NULL) {
        s->validity = nb_arena_zalloc(b->arena, NB_BITMAP_BYTES(s->cap));
        if (s->validity == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        nb_bitmap_fill(s->validity, s->n, true);
    }
    if (s->width > 0) {
        memset((char *)s->data + s->n * s->width, 0, (size_t)s->width);
    }
    if (s->storage->phys == NB_PHYS_STRUCT) {
        for (int i = 0; i < s->n_children; i++) {
            if (put_null(b, &s->children[i]) < 0) {
                return -1;
            }
        }
    }
    nb_bit_clear(s->validity, s->n);
    s->n++;
    return 0;
}

/* --- values ------------------------------------------------------------------------------------ */

/* Integers that fit into [low, high]. */
static int
get_integer(builder *b, sink *s, PyObject *value, int64_t low, int64_t high, int64_t *out)
{
    int overflow = 0;
    long long v;

    if (PyBool_Check(value) ? b->strict : !PyLong_Check(value)) {
        if (b->strict) {
            return wrong_type(s, value);
        }
        value = PyNumber_Long(value);
        if (value == NULL) {
            return -1;
        }
        v = PyLong_AsLongLongAndOverflow(value, &overflow);
        Py_DECREF(value);
    } else {
        v = PyLong_AsLongLongAndOverflow(value, &overflow);
    }
    if (v == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (overflow || v < low || v > high) {
        return fail(s, PyExc_ValueError, "the value is out of range", value);
    }
    *out = v;
    return 0;
}

static int
get_double(builder *b, sink *s, PyObject *value, double *out)
{
    if (PyFloat_Check(value)) {
        *out = PyFloat_AS_DOUBLE(value);
        return 0;
    }
    if (b->strict) {
        return wrong_type(s, value);
    }
    *out = PyFloat_AsDouble(value);
    return *out == -1.0 && PyErr_Occurred() ? -1 : 0;
}

/* Whether the module's class `name` is value's class or a base of it; cheap for builtins that fail early. */
static int
is_decimal(PyObject *value)
{
    PyObject *module, *cls;
    int is;

    if (strcmp(Py_TYPE(value)->tp_name, "decimal.Decimal") == 0) {
        return 1;
    }
    module = PyImport_ImportModule("decimal");
    cls = module ? PyObject_GetAttrString(module, "Decimal") : NULL;
    is = cls ? PyObject_IsInstance(value, cls) : -1;
    Py_XDECREF(cls);
    Py_XDECREF(module);
    return is;
}

/* v / 10^n, ties to even, as decimal's ROUND_HALF_EVEN. */
static nb_int128
round_half_even(nb_int128 v, int n)
{
    nb_int128 p, q, r, twice;

    if (n > NB_DECIMAL_MAX_PRECISION) {
        return 0;
    }
    p = nb_pow10_128[n];
    q = v / p;
    r = v % p;
    r = r < 0 ? -r : r;
    twice = r - (p - r);
    if (twice > 0 || (twice == 0 && (q & 1))) {
        q += v < 0 ? -1 : 1;
    }
    return q;
}

/* 1 stored, 0 NaN (a null), -1 failed */
static int
get_decimal(builder *b, sink *s, PyObject *value, nb_int128 *out)
{
    int precision, scale, is = is_decimal(value);
    PyObject *text;
    const char *p;
    Py_ssize_t len;
    nb_int128 v;
    bool fits = false;

    if (is < 0 || (!is && (b->strict || !PyLong_Check(value)))) {
        return is < 0 ? -1 : wrong_type(s, value);
    }
    text = PyObject_Str(value);
    p = text ? PyUnicode_AsUTF8AndSize(text, &len) : NULL;
    if (p == NULL) {
        Py_XDECREF(text);
        return -1;
    }
    if (strstr(p, "NaN") != NULL) {
        Py_DECREF(text);
        return 0;
    }
    switch (nb_decimal_parse_exact((nb_str){p, (size_t)len}, &v, &precision, &scale)) {
    case NB_DECIMAL_OK:
        if (scale > s->storage->scale) {
            v = round_half_even(v, scale - s->storage->scale);
            fits = nb_decimal_fits(v, s->storage->precision);
        } else {
            fits = nb_decimal_rescale(v, scale, s->storage->scale, s->storage->precision, &v);
        }
        break;
    case NB_DECIMAL_OVERFLOW: /* more than 38 digits: most of them may be rounded away */
        fits = nb_decimal_parse((nb_str){p, (size_t)len}, s->storage->precision, s->storage->scale,
                                &v) == NB_DECIMAL_OK;
        break;
    case NB_DECIMAL_MALFORMED: /* Infinity */ break;
    }
    Py_DECREF(text);
    if (!fits) {
        return fail(s, PyExc_ValueError, "the decimal does not fit", value);
    }
    *out = v;
    return 1;
}

static int
put_text(builder *b, sink *s, const char *p, size_t len)
{
    nb_view *out = (nb_view *)s->data + s->n;

    if (len > UINT32_MAX / 2) {
        PyErr_SetString(PyExc_OverflowError, "a string is longer than 2 GiB");
        return -1;
    }
    if (len > NB_VIEW_INLINE) {
        if (len > b->heap_left) {
            size_t n = NB_MAX(HEAP_BLOCK, len);
            b->heap = nb_arena_alloc(b->arena, n);
            if (b->heap == NULL) {
                b->heap_left = 0;
                PyErr_NoMemory();
                return -1;
            }
            b->heap_left = n;
        }
        memcpy(b->heap, p, len);
        p = b->heap;
        b->heap += len;
        b->heap_left -= len;
    }
    *out = nb_view_make(p, len);
    return 0;
}

static int
put_string(builder *b, sink *s, PyObject *value)
{
    PyObject *text = NULL;
    const char *p;
    Py_ssize_t len;
    int r;

    if (PyBool_Check(value)) { /* as Spark writes them */
        return put_text(b, s, value == Py_True ? "true" : "false", value == Py_True ? 4 : 5);
    }
    if (!PyUnicode_Check(value)) {
        value = text = PyObject_Str(value);
        if (text == NULL) {
            return -1;
        }
    }
    p = PyUnicode_AsUTF8AndSize(value, &len);
    if (p != NULL) {
        r = put_text(b, s, p, (size_t)len);
    } else {
        PyErr_Clear();
        r = fail(s, PyExc_ValueError, "not valid text", value);
    }
    Py_XDECREF(text);
    return r;
}

static int
put_binary(builder *b, sink *s, PyObject *value)
{
    if (PyBytes_Check(value)) {
        return put_text(b, s, PyBytes_AS_STRING(value), (size_t)PyBytes_GET_SIZE(value));
    }
    if (PyByteArray_Check(value)) {
        return put_text(b, s, PyByteArray_AS_STRING(value), (size_t)PyByteArray_GET_SIZE(value));
    }
    return wrong_type(s, value);
}

static int64_t
datetime_us(PyObject *d)
{
    int64_t days = nb_days_from_any_civil(PyDateTime_GET_YEAR(d), PyDateTime_GET_MONTH(d),
                                          PyDateTime_GET_DAY(d));
    int64_t s = PyDateTime_DATE_GET_HOUR(d) * 3600 + PyDateTime_DATE_GET_MINUTE(d) * 60 +
                PyDateTime_DATE_GET_SECOND(d);

    return days * DAY_US + s * 1000000 + PyDateTime_DATE_GET_MICROSECOND(d);
}

/* Of what is shorter than 292,271 years. */
static int64_t
delta_us(PyObject *d)
{
    return PyDateTime_DELTA_GET_DAYS(d) * DAY_US +
           PyDateTime_DELTA_GET_SECONDS(d) * INT64_C(1000000) +
           PyDateTime_DELTA_GET_MICROSECONDS(d);
}

/* A datetime with a zone is an instant; one without is local time of this process, as in PySpark. */
static int
get_timestamp(sink *s, PyObject *value, int64_t *out)
{
    PyObject *offset;

    if (!PyDateTime_Check(value)) {
        return wrong_type(s, value);
    }
    *out = datetime_us(value);
    if (!((PyDateTime_DateTime *)value)->hastzinfo) {
        *out = nb_local_to_utc(*out, PyDateTime_DATE_GET_FOLD(value));
        return 0;
    }
    offset = PyObject_CallMethod(value, "utcoffset", NULL);
    if (offset == NULL) {
        return -1;
    }
    *out = offset == Py_None ? nb_local_to_utc(*out, PyDateTime_DATE_GET_FOLD(value))
                             : *out - delta_us(offset);
    Py_DECREF(offset);
    return 0;
}

static int
get_timestamp_ntz(sink *s, PyObject *value, int64_t *out)
{
    if (!PyDateTime_Check(value)) {
        return wrong_type(s, value);
    }
    if (((PyDateTime_DateTime *)value)->hastzinfo) {
        return fail(s, PyExc_ValueError, "a timestamp_ntz has no zone", value);
    }
    *out = datetime_us(value);
    return 0;
}

static int
get_time(sink *s, PyObject *value, int64_t *out)
{
    if (!PyTime_Check(value)) {
        return wrong_type(s, value);
    }
    *out = (PyDateTime_TIME_GET_HOUR(value) * INT64_C(3600) +
            PyDateTime_TIME_GET_MINUTE(value) * 60 + PyDateTime_TIME_GET_SECOND(value)) *
               1000000000 +
           PyDateTime_TIME_GET_MICROSECOND(value) * INT64_C(1000);
    return 0;
}

/* Values of INT64 storage: bigint, decimal, timestamps, time, day-time intervals. 1 stored, 0 null, -1 failed. */
static int
get_int64(builder *b, sink *s, PyObject *value, int64_t *out)
{
    nb_int128 wide;
    int r;

    switch (s->storage->id) {
    case NB_TYPE_DECIMAL:
        r = get_decimal(b, s, value, &wide);
        *out = r > 0 ? (int64_t)wide : 0;
        return r;
    case NB_TYPE_TIMESTAMP: r = get_timestamp(s, value, out); break;
    case NB_TYPE_TIMESTAMP_NTZ: r = get_timestamp_ntz(s, value, out); break;
    case NB_TYPE_TIME: r = get_time(s, value, out); break;
    case NB_TYPE_INTERVAL_DT:
        if (!PyDelta_Check(value)) {
            return wrong_type(s, value);
        }
        if (PyDateTime_DELTA_GET_DAYS(value) > INT64_MAX / DAY_US - 1 ||
            PyDateTime_DELTA_GET_DAYS(value) < INT64_MIN / DAY_US + 1) {
            return fail(s, PyExc_OverflowError, "too long for an interval", value);
        }
        *out = delta_us(value);
        return 1;
    default: r = get_integer(b, s, value, INT64_MIN, INT64_MAX, out);
    }
    return r < 0 ? -1 : 1;
}

static int
get_int32(builder *b, sink *s, PyObject *value, int64_t *out)
{
    if (s->storage->id != NB_TYPE_DATE) {
        return get_integer(b, s, value, INT32_MIN, INT32_MAX, out);
    }
    if (!PyDate_Check(value)) {
        return wrong_type(s, value);
    }
    *out = nb_days_from_any_civil(PyDateTime_GET_YEAR(value), PyDateTime_GET_MONTH(value),
                                  PyDateTime_GET_DAY(value));
    return 0;
}

/* --- nested ------------------------------------------------------------------------------------ */

static int
put_elements(builder *b, sink *s, PyObject *value)
{
    PyObject *items;
    Py_ssize_t n;
    nb_list *out;

    if (PyUnicode_Check(value) || PyBytes_Check(value) || PyDict_Check(value)) {
        return wrong_type(s, value);
    }
    items = PySequence_Fast(value, "not a sequence"); /* lists, tuples, array.array, ndarray */
    if (items == NULL) {
        PyErr_Clear();
        return wrong_type(s, value);
    }
    n = PySequence_Fast_GET_SIZE(items);
    out = (nb_list *)s->data + s->n;
    *out = (nb_list){(uint32_t)s->children[0].n, (uint32_t)n};
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *v;
        int r;
        if (i >= PySequence_Fast_GET_SIZE(items)) { /* foreign code may run meanwhile */
            PyErr_SetString(PyExc_RuntimeError, "a list changed its size");
            Py_DECREF(items);
            return -1;
        }
        v = PySequence_Fast_GET_ITEM(items, i);
        Py_INCREF(v);
        r = put(b, &s->children[0], v);
        Py_DECREF(v);
        if (r < 0) {
            Py_DECREF(items);
            return -1;
        }
    }
    Py_DECREF(items);
    return 0;
}

static int
put_map(builder *b, sink *s, PyObject *value)
{
    PyObject *items, *copy;
    Py_ssize_t n;

    if (!PyDict_Check(value)) {
        return wrong_type(s, value);
    }
    items = PyDict_Items(value);
    if (items == NULL) {
        return -1;
    }
    n = PyList_GET_SIZE(items);
    ((nb_list *)s->data)[s->n] = (nb_list){(uint32_t)s->children[0].n, (uint32_t)n};
    for (Py_ssize_t i = 0; i < n; i++) {
        copy = PyList_GET_ITEM(items, i);
        if (put(b, &s->children[0], PyTuple_GET_ITEM(copy, 0)) < 0 ||
            put(b, &s->children[1], PyTuple_GET_ITEM(copy, 1)) < 0) {
            Py_DECREF(items);
            return -1;
        }
    }
    Py_DECREF(items);
    return 0;
}

static int
put_named(builder *b, sink *s, PyObject *dict)
{
    for (int i = 0; i < s->n_children; i++) {
        PyObject *v = PyDict_GetItemWithError(dict, s->names[i]);
        if (v == NULL && PyErr_Occurred()) {
            return -1;
        }
        v = v ? v : Py_None;
        Py_INCREF(v);
        if (put(b, &s->children[i], v) < 0) {
            Py_DECREF(v);
            return -1;
        }
        Py_DECREF(v);
    }
    return 0;
}

/* Tuples and lists by position, dicts and attributes by name. */
static int
put_struct(builder *b, sink *s, PyObject *value)
{
    PyObject *dict;
    int r;

    if (PyTuple_Check(value) || PyList_Check(value)) {
        if (PySequence_Fast_GET_SIZE(value) != s->n_children) {
            return fail(s, PyExc_ValueError, "the number of values is not that of the fields",
                        value);
        }
        for (int i = 0; i < s->n_children; i++) {
            PyObject *v;
            if (i >= PySequence_Fast_GET_SIZE(value)) {
                PyErr_SetString(PyExc_RuntimeError, "a row changed its size");
                return -1;
            }
            v = PySequence_Fast_GET_ITEM(value, i);
            Py_INCREF(v);
            r = put(b, &s->children[i], v);
            Py_DECREF(v);
            if (r < 0) {
                return -1;
            }
        }
        return 0;
    }
    if (PyDict_Check(value)) {
        return put_named(b, s, value);
    }
    dict = PyObject_GetAttrString(value, "__dict__");
    if (dict == NULL || !PyDict_Check(dict)) {
        Py_XDECREF(dict);
        PyErr_Clear();
        return wrong_type(s, value);
    }
    r = put_named(b, s, dict);
    Py_DECREF(dict);
    return r;
}

/* The stored form of an object of a user-defined type; what is stored already stays. New reference. */
static PyObject *
serialize_udt(PyObject *value)
{
    PyObject *udt = PyObject_GetAttrString(value, "__UDT__"), *out;

    if (udt == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return NULL;
        }
        PyErr_Clear();
        Py_INCREF(value);
        return value;
    }
    out = PyObject_CallMethod(udt, "serialize", "O", value);
    Py_DECREF(udt);
    return out;
}

/* 1 stored, 0 a null after all, -1 failed. There is room for one more row. */
static int
put_value(builder *b, sink *s, PyObject *value)
{
    int64_t n = s->n, v = 0;
    nb_int128 wide = 0;
    double d = 0;
    int r;

    switch (s->storage->phys) {
    case NB_PHYS_BOOL:
        if (!PyBool_Check(value)) {
            if (b->strict) {
                return wrong_type(s, value);
            }
            r = PyObject_IsTrue(value);
            ((uint8_t *)s->data)[n] = r > 0;
            return r < 0 ? -1 : 1;
        }
        ((uint8_t *)s->data)[n] = value == Py_True;
        return 1;
    case NB_PHYS_INT8:
        r = get_integer(b, s, value, INT8_MIN, INT8_MAX, &v);
        ((int8_t *)s->data)[n] = (int8_t)v;
        return r < 0 ? -1 : 1;
    case NB_PHYS_INT16:
        r = get_integer(b, s, value, INT16_MIN, INT16_MAX, &v);
        ((int16_t *)s->data)[n] = (int16_t)v;
        return r < 0 ? -1 : 1;
    case NB_PHYS_INT32:
        r = get_int32(b, s, value, &v);
        ((int32_t *)s->data)[n] = (int32_t)v;
        return r < 0 ? -1 : 1;
    case NB_PHYS_INT64:
        r = get_int64(b, s, value, &v);
        ((int64_t *)s->data)[n] = v;
        return r;
    case NB_PHYS_INT128:
        r = get_decimal(b, s, value, &wide);
        ((nb_int128 *)s->data)[n] = wide;
        return r;
    case NB_PHYS_FLOAT:
        r = get_double(b, s, value, &d);
        ((float *)s->data)[n] = (float)d;
        return r < 0 ? -1 : 1;
    case NB_PHYS_DOUBLE:
        r = get_double(b, s, value, &d);
        ((double *)s->data)[n] = d;
        return r < 0 ? -1 : 1;
    case NB_PHYS_STRING:
        r = s->storage->id == NB_TYPE_BINARY ? put_binary(b, s, value) : put_string(b, s, value);
        return r < 0 ? -1 : 1;
    case NB_PHYS_LIST:
        r = s->storage->id == NB_TYPE_MAP ? put_map(b, s, value) : put_elements(b, s, value);
        return r < 0 ? -1 : 1;
    case NB_PHYS_STRUCT: return put_struct(b, s, value) < 0 ? -1 : 1;
    case NB_PHYS_NONE:
    case NB_PHYS_INTERVAL: break;
    }
    return wrong_type(s, value);
}

static int
put(builder *b, sink *s, PyObject *value)
{
    int r;

    if (value == Py_None) {
        return s->nullable || !b->strict
                   ? put_null(b, s)
                   : fail(s, PyExc_ValueError, "None is not allowed here", value);
    }
    if (s->n == s->cap && grow(b, s) < 0) {
        return -1;
    }
    if (Py_EnterRecursiveCall(" while reading a nested value")) {
        return -1;
    }
    if (s->type->id == NB_TYPE_UDT) {
        value = serialize_udt(value);
        r = value ? put_value(b, s, value) : -1;
        Py_XDECREF(value);
    } else {
        r = put_value(b, s, value);
    }
    Py_LeaveRecursiveCall();
    if (r <= 0) {
        return r < 0 ? -1 : put_null(b, s);
    }
    if (s->validity != NULL) {
        nb_bit_set(s->validity, s->n);
    }
    s->n++;
    return 0;
}

/* --- tables ------------------------------------------------------------------------------------ */

static int
sink_init(builder *b, sink *s, sink *parent, const nb_field *field, int64_t cap)
{
    *s = (sink){.type = field->type,
                .storage = nb_type_storage(field->type),
                .parent = parent,
                .name = field->name,
                .nullable = field->nullable};
    s->width = nb_phys_width(s->storage->phys);
    if (s->storage->n_children > 0 || s->storage->phys == NB_PHYS_STRUCT) {
        s->children = nb_arena_zalloc(b->arena, sizeof(sink) * (size_t)s->storage->n_children);
        s->names = nb_arena_zalloc(b->arena, sizeof(PyObject *) * (size_t)s->storage->n_children);
        if (s->children == NULL || s->names == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        s->n_children = s->storage->n_children;
        for (int i = 0; i < s->n_children; i++) {
            const nb_field *f = &s->storage->children[i];
            s->names[i] = PyUnicode_FromStringAndSize(f->name.data, (Py_ssize_t)f->name.len);
            if (s->names[i] == NULL ||
                sink_init(b, &s->children[i], s, f, s->storage->phys == NB_PHYS_STRUCT ? cap : 0) <
                    0) {
                return -1;
            }
            PyUnicode_InternInPlace(&s->names[i]);
        }
    }
    if (cap > 0 && s->width > 0) {
        s->data = nb_arena_alloc64(b->arena, (size_t)cap * (size_t)s->width);
        if (s->data == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    s->cap = cap;
    return 0;
}

static void
sink_clear(sink *s)
{
    for (int i = 0; i < s->n_children; i++) {
        Py_XDECREF(s->names ? s->names[i] : NULL);
        sink_clear(&s->children[i]);
    }
}

static int
sink_finish(builder *b, sink *s, nb_vector *out)
{
    nb_vector v;

    if (nb_vector_alloc(b->arena, s->type, 0, &v) < 0) {
        PyErr_NoMemory();
        return -1;
    }
    v.n_rows = (int32_t)s->n;
    v.data = s->n > 0 ? s->data : v.data;
    v.validity = s->validity;
    for (int i = 0; i < s->n_children; i++) {
        if (sink_finish(b, &s->children[i], &v.children[i]) < 0) {
            return -1;
        }
    }
    *out = v;
    return 0;
}

nb_table *
nb_table_from_rows(const nb_type *schema, PyObject *rows, bool strict)
{
    nb_field field = {NB_STR("row"), schema, false, {"", 0}};
    nb_pool *pool = nb_python_pool();
    builder b = {.strict = strict};
    nb_table *table = NULL;
    nb_chunk *chunk = NULL;
    nb_vector top;
    PyObject *items;
    Py_ssize_t n;
    sink root = {0};
    int ok = -1;

    PyDateTime_IMPORT;
    if (PyDateTimeAPI == NULL || pool == NULL) {
        return NULL;
    }
    items = PySequence_Fast(rows, "rows must be a sequence");
    if (items == NULL) {
        return NULL;
    }
    n = PySequence_Fast_GET_SIZE(items);
    if (n > INT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "more than 2^31 rows");
        goto done;
    }
    if (nb_table_new(pool, schema, &table) < 0 ||
        nb_chunk_new(pool, schema->n_children, &chunk) < 0) {
        PyErr_NoMemory();
        goto done;
    }
    b.arena = chunk->arena;
    if (sink_init(&b, &root, NULL, &field, NB_MAX(n, 1)) < 0) {
        goto done;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *row;
        if (i >= PySequence_Fast_GET_SIZE(items)) {
            PyErr_SetString(PyExc_RuntimeError, "the rows changed their number");
            ok = -1;
            goto done;
        }
        row = PySequence_Fast_GET_ITEM(items, i);
        Py_INCREF(row);
        ok = put(&b, &root, row);
        Py_DECREF(row);
        if (ok < 0) {
            goto done;
        }
    }
    ok = sink_finish(&b, &root, &top);
    if (ok == 0) {
        memcpy(chunk->cols, top.children, sizeof(nb_vector) * (size_t)schema->n_children);
        chunk->n_rows = n;
        if (n > 0 && nb_table_append(table, chunk) == NB_OK) {
            chunk = NULL;
        } else if (n > 0) {
            PyErr_NoMemory();
            ok = -1;
        }
    }
done:
    sink_clear(&root);
    nb_chunk_free(chunk);
    Py_DECREF(items);
    if (ok < 0) {
        nb_table_release(table);
        return NULL;
    }
    return table;
}

/* --- inference --------------------------------------------------------------------------------- */

PyDoc_STRVAR(
    same_shape_doc,
    "same_shape(rows, start, classes)\n--\n\n"
    "Return the index of the first row from start on that is not a plain tuple of values of these\n"
    "classes (None fits everywhere), or len(rows).\n");

/* No Python code runs in here, so the list cannot change. */
static PyObject *
same_shape(PyObject *module, PyObject *args)
{
    PyObject *rows, *classes;
    Py_ssize_t i, n;

    if (!PyArg_ParseTuple(args, "O!nO!", &PyList_Type, &rows, &i, &PyTuple_Type, &classes)) {
        return NULL;
    }
    n = PyTuple_GET_SIZE(classes);
    for (i = NB_MAX(i, 0); i < PyList_GET_SIZE(rows); i++) {
        PyObject *row = PyList_GET_ITEM(rows, i);
        Py_ssize_t k = 0;
        if (!PyTuple_CheckExact(row) || PyTuple_GET_SIZE(row) != n) {
            break;
        }
        for (; k < n; k++) {
            PyObject *v = PyTuple_GET_ITEM(row, k);
            if ((PyObject *)Py_TYPE(v) != PyTuple_GET_ITEM(classes, k) && v != Py_None) {
                break;
            }
        }
        if (k < n) {
            break;
        }
    }
    return PyLong_FromSsize_t(i);
}

PyMethodDef nb_rows_in_methods[] = {
    {"same_shape", same_shape, METH_VARARGS, same_shape_doc},
    {NULL, NULL, 0, NULL},
};
