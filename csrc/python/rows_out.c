/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows_out.c: columns to Python objects.
 *
 * A `maker` per column knows how its values are made; rows are assembled chunk by chunk. Rows of a subclass of tuple are
 * allocated directly and get their field names as the attribute __fields__, without running Python code. Values of a
 * dictionary column are made once per entry. The garbage collector rests meanwhile: what is made here has no cycles,
 * and a million new tuples would start it dozens of times.
 */
#include "expr/date_text.h"
#include "python/table.h"

#include <datetime.h>
#include "base/decimal.h"

#define DAY_US INT64_C(86400000000)

typedef struct maker {
    const nb_type *type;
    const nb_type *storage;
    PyObject *udt;    /* of a UDT: has deserialize(); owned */
    PyObject *fields; /* of a struct: list of names; owned */
    struct maker *children;
    int n_children;
} maker;

typedef struct context {
    nb_arena *arena; /* makers */
    PyObject *factory;
    PyTypeObject *row_type;  /* factory as a subclass of tuple, else NULL */
    PyObject *dunder_fields; /* "__fields__"; owned */
    PyObject *decimal;       /* decimal.Decimal; owned, NULL until needed */
    PyObject *udt;           /* borrowed */
} context;

/* Entries of a dictionary vector that have been made already. */
typedef struct entries {
    PyObject **made;
    int64_t n;
} entries;

static PyObject *make(context *c, const maker *m, const nb_vector *v, int64_t row);

/* The hook of nbaspark itself, when the caller brings none. */
static PyObject *
find_udt(context *c, const nb_type *type)
{
    PyObject *hook = c->udt, *module, *out;
    nb_str p = type->udt_py_class, j = type->udt_class, s = type->udt_serialized;

    if (hook != Py_None) {
        return PyObject_CallFunction(hook, "s#s#s#", p.data, (Py_ssize_t)p.len, j.data,
                                     (Py_ssize_t)j.len, s.data, (Py_ssize_t)s.len);
    }
    module = PyImport_ImportModule("nbaspark.sql.types_proto");
    if (module == NULL) {
        return NULL;
    }
    out = PyObject_CallMethod(module, "user_defined_type", "z#z#", p.len ? p.data : NULL,
                              (Py_ssize_t)p.len, j.len ? j.data : NULL, (Py_ssize_t)j.len);
    Py_DECREF(module);
    return out;
}

static int
maker_init(context *c, maker *m, const nb_type *type)
{
    *m = (maker){.type = type, .storage = nb_type_storage(type)};
    if (type->id == NB_TYPE_UDT && (m->udt = find_udt(c, type)) == NULL) {
        return -1;
    }
    if (m->storage->n_children == 0 && m->storage->id != NB_TYPE_STRUCT) {
        return 0;
    }
    m->children = nb_arena_zalloc(c->arena, sizeof(maker) * (size_t)m->storage->n_children);
    if (m->children == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    m->n_children = m->storage->n_children;
    if (m->storage->id == NB_TYPE_STRUCT && (m->fields = PyList_New(m->n_children)) == NULL) {
        return -1;
    }
    for (int i = 0; i < m->n_children; i++) {
        const nb_field *f = &m->storage->children[i];
        if (m->fields != NULL) {
            PyObject *name = PyUnicode_DecodeUTF8(f->name.data, (Py_ssize_t)f->name.len, "replace");
            if (name == NULL) {
                return -1;
            }
            PyUnicode_InternInPlace(&name);
            PyList_SET_ITEM(m->fields, i, name);
        }
        if (maker_init(c, &m->children[i], f->type) < 0) {
            return -1;
        }
    }
    return 0;
}

static void
maker_clear(maker *m)
{
    Py_CLEAR(m->udt);
    Py_CLEAR(m->fields);
    for (int i = 0; i < m->n_children; i++) {
        maker_clear(&m->children[i]);
    }
}

/* --- values ------------------------------------------------------------------------------------ */

static int64_t
floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static PyObject *
out_of_range(const char *what)
{
    PyErr_Format(PyExc_ValueError, "the %s lies outside of the years 1 to 9999 that Python has",
                 what);
    return NULL;
}

static PyObject *
make_date(int64_t days)
{
    nb_civil c;

    if (days < -719162 || days > 2932896) { /* 0001-01-01 .. 9999-12-31 */
        return out_of_range("date");
    }
    c = nb_civil_from_days((int32_t)days);
    return PyDate_FromDate(c.year, c.month, c.day);
}

static PyObject *
make_datetime(int64_t us)
{
    int64_t days = floor_div(us, DAY_US), rest = us - days * DAY_US, s = rest / 1000000;
    nb_civil c;

    if (days < -719162 || days > 2932896) {
        return out_of_range("timestamp");
    }
    c = nb_civil_from_days((int32_t)days);
    return PyDateTime_FromDateAndTime(c.year, c.month, c.day, (int)(s / 3600), (int)(s / 60 % 60),
                                      (int)(s % 60), (int)(rest % 1000000));
}

static PyObject *
make_decimal(context *c, nb_int128 v, int scale)
{
    char text[NB_DECIMAL_CHARS];
    PyObject *s, *out;

    if (c->decimal == NULL) {
        PyObject *module = PyImport_ImportModule("decimal");
        c->decimal = module ? PyObject_GetAttrString(module, "Decimal") : NULL;
        Py_XDECREF(module);
        if (c->decimal == NULL) {
            return NULL;
        }
    }
    s = PyUnicode_FromStringAndSize(text, (Py_ssize_t)nb_decimal_format(v, scale, text));
    out = s ? PyObject_CallOneArg(c->decimal, s) : NULL;
    Py_XDECREF(s);
    return out;
}

static PyObject *
make_int64(context *c, const maker *m, int64_t v)
{
    switch (m->storage->id) {
    case NB_TYPE_DECIMAL: return make_decimal(c, v, m->storage->scale);
    case NB_TYPE_TIMESTAMP:
        if (v < INT64_MIN / 2 || v > INT64_MAX / 2) {
            return out_of_range("timestamp");
        }
        return make_datetime(nb_utc_to_local(v));
    case NB_TYPE_TIMESTAMP_NTZ: return make_datetime(v);
    case NB_TYPE_TIME:
        return PyTime_FromTime((int)(v / INT64_C(3600000000000)),
                               (int)(v / INT64_C(60000000000) % 60), (int)(v / 1000000000 % 60),
                               (int)(v / 1000 % 1000000));
    case NB_TYPE_INTERVAL_DT: {
        int64_t days = floor_div(v, DAY_US), rest = v - days * DAY_US;
        return PyDelta_FromDSU((int)days, (int)(rest / 1000000), (int)(rest % 1000000));
    }
    default: return PyLong_FromLongLong(v);
    }
}

static PyObject *
make_list(context *c, const maker *m, const nb_vector *v, nb_list l)
{
    PyObject *out = PyList_New(l.len);

    for (uint32_t k = 0; out != NULL && k < l.len; k++) {
        PyObject *item = make(c, &m->children[0], &v->children[0], (int64_t)l.offset + k);
        if (item == NULL) {
            Py_CLEAR(out);
        } else {
            PyList_SET_ITEM(out, k, item);
        }
    }
    return out;
}

static PyObject *
make_dict(context *c, const maker *m, const nb_vector *v, nb_list l)
{
    PyObject *out = PyDict_New();

    for (uint32_t k = 0; out != NULL && k < l.len; k++) {
        PyObject *key = make(c, &m->children[0], &v->children[0], (int64_t)l.offset + k);
        PyObject *value =
            key ? make(c, &m->children[1], &v->children[1], (int64_t)l.offset + k) : NULL;
        if (value == NULL || PyDict_SetItem(out, key, value) < 0) {
            Py_CLEAR(out);
        }
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return out;
}

/* A row without values yet; tuple items are set by the caller. */
static PyObject *
new_row(context *c, const maker *m)
{
    PyObject *row;

    if (c->row_type == NULL) {
        return PyTuple_New(m->n_children);
    }
    row = c->row_type->tp_alloc(c->row_type, m->n_children);
    if (row != NULL && PyObject_GenericSetAttr(row, c->dunder_fields, m->fields) < 0) {
        Py_CLEAR(row);
    }
    return row;
}

/* What a factory that is no class makes of a full tuple (moved). */
static PyObject *
finish_row(context *c, const maker *m, PyObject *row)
{
    PyObject *out;

    if (c->row_type != NULL || c->factory == Py_None) {
        return row;
    }
    out = PyObject_CallFunctionObjArgs(c->factory, m->fields, row, NULL);
    Py_DECREF(row);
    return out;
}

static PyObject *
make_struct(context *c, const maker *m, const nb_vector *v, int64_t slot)
{
    PyObject *row = new_row(c, m);

    for (int i = 0; row != NULL && i < m->n_children; i++) {
        PyObject *item = make(c, &m->children[i], &v->children[i], slot);
        if (item == NULL) {
            Py_CLEAR(row);
        } else {
            PyTuple_SET_ITEM(row, i, item);
        }
    }
    return row ? finish_row(c, m, row) : NULL;
}

static PyObject *
make_valid(context *c, const maker *m, const nb_vector *v, int64_t slot)
{
    const nb_view *s;

    switch (m->storage->phys) {
    case NB_PHYS_BOOL: return PyBool_FromLong(NB_DATA(uint8_t, v)[slot]);
    case NB_PHYS_INT8: return PyLong_FromLong(NB_DATA(int8_t, v)[slot]);
    case NB_PHYS_INT16: return PyLong_FromLong(NB_DATA(int16_t, v)[slot]);
    case NB_PHYS_INT32:
        return m->storage->id == NB_TYPE_DATE ? make_date(NB_DATA(int32_t, v)[slot])
                                              : PyLong_FromLong(NB_DATA(int32_t, v)[slot]);
    case NB_PHYS_INT64: return make_int64(c, m, NB_DATA(int64_t, v)[slot]);
    case NB_PHYS_INT128: return make_decimal(c, NB_DATA(nb_int128, v)[slot], m->storage->scale);
    case NB_PHYS_FLOAT: return PyFloat_FromDouble(NB_DATA(float, v)[slot]);
    case NB_PHYS_DOUBLE: return PyFloat_FromDouble(NB_DATA(double, v)[slot]);
    case NB_PHYS_STRING:
        s = &NB_DATA(nb_view, v)[slot];
        return m->storage->id == NB_TYPE_BINARY
                   ? PyBytes_FromStringAndSize(nb_view_data(s), s->len)
                   : PyUnicode_DecodeUTF8(nb_view_data(s), s->len, "replace");
    case NB_PHYS_LIST:
        return m->storage->id == NB_TYPE_MAP ? make_dict(c, m, v, NB_DATA(nb_list, v)[slot])
                                             : make_list(c, m, v, NB_DATA(nb_list, v)[slot]);
    case NB_PHYS_STRUCT: return make_struct(c, m, v, slot);
    case NB_PHYS_INTERVAL:
    case NB_PHYS_NONE: break;
    }
    PyErr_SetString(PyExc_TypeError, "values of the type interval have no Python class");
    return NULL;
}

static PyObject *
make(context *c, const maker *m, const nb_vector *v, int64_t row)
{
    PyObject *stored, *out;
    int64_t slot = nb_vector_slot(v, row);

    if (nb_vector_is_null(v, row)) {
        Py_RETURN_NONE;
    }
    v = v->kind == NB_VEC_DICT ? v->dict : v;
    if (m->udt == NULL) {
        return make_valid(c, m, v, slot);
    }
    if (Py_EnterRecursiveCall(" while making a value of a user-defined type")) {
        return NULL;
    }
    /* deserialize() gets a plain tuple, as from PySpark */
    stored = make_valid(c, m, v, slot);
    out = stored ? PyObject_CallMethod(m->udt, "deserialize", "(O)", stored) : NULL;
    Py_XDECREF(stored);
    Py_LeaveRecursiveCall();
    return out;
}

/* --- columns and rows -------------------------------------------------------------------------- */

static int
entries_init(entries *e, const nb_vector *v)
{
    *e = (entries){NULL, 0};
    if (v->kind == NB_VEC_DICT && v->dict->n_rows <= v->n_rows) {
        e->made = PyMem_Calloc((size_t)v->dict->n_rows + 1, sizeof(PyObject *));
        e->n = v->dict->n_rows;
        if (e->made == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    return 0;
}

static void
entries_clear(entries *e)
{
    for (int64_t i = 0; i < e->n; i++) {
        Py_XDECREF(e->made[i]);
    }
    PyMem_Free(e->made);
    *e = (entries){NULL, 0};
}

/* Shares what is immutable between rows of one dictionary entry. */
static PyObject *
make_shared(context *c, const maker *m, const nb_vector *v, entries *e, int64_t row)
{
    PyObject **at;

    if (e->made == NULL || m->children != NULL || m->udt != NULL) {
        return make(c, m, v, row);
    }
    at = &e->made[v->indices[row]];
    if (*at == NULL && (*at = make(c, m, v, row)) == NULL) {
        return NULL;
    }
    Py_INCREF(*at);
    return *at;
}

static int
context_init(context *c, PyObject *factory, PyObject *udt)
{
    *c = (context){.factory = factory, .udt = udt};
    PyDateTime_IMPORT;
    c->dunder_fields = PyUnicode_InternFromString("__fields__");
    c->arena = nb_arena_new(NULL);
    if (PyDateTimeAPI == NULL || c->dunder_fields == NULL) {
        return -1;
    }
    if (c->arena == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (PyType_Check(factory) && PyType_IsSubtype((PyTypeObject *)factory, &PyTuple_Type)) {
        c->row_type = (PyTypeObject *)factory;
    }
    return 0;
}

static void
context_clear(context *c)
{
    Py_CLEAR(c->dunder_fields);
    Py_CLEAR(c->decimal);
    nb_arena_free(c->arena);
}

/* Rows of a chunk into list items [at, at + n_rows): column by column, so that one kind of value is made in one loop. */
static int
fill_chunk(context *c, const maker *top, const nb_chunk *chunk, PyObject *list, Py_ssize_t at)
{
    for (int64_t i = 0; i < chunk->n_rows; i++) {
        PyObject *row = new_row(c, top);
        if (row == NULL) {
            return -1;
        }
        PyList_SET_ITEM(list, at + i, row);
    }
    for (int col = 0; col < top->n_children; col++) {
        const nb_vector *v = &chunk->cols[col];
        entries e;
        if (entries_init(&e, v) < 0) {
            return -1;
        }
        for (int64_t i = 0; i < chunk->n_rows; i++) {
            PyObject *item = make_shared(c, &top->children[col], v, &e, i);
            if (item == NULL) {
                entries_clear(&e);
                return -1;
            }
            PyTuple_SET_ITEM(PyList_GET_ITEM(list, at + i), col, item);
        }
        entries_clear(&e);
    }
    if (c->row_type != NULL || c->factory == Py_None) {
        return 0;
    }
    for (int64_t i = 0; i < chunk->n_rows; i++) {
        PyObject *row = PyList_GET_ITEM(list, at + i), *made;
        Py_INCREF(row);
        made = finish_row(c, top, row);
        if (made == NULL) {
            return -1;
        }
        PyList_SET_ITEM(list, at + i, made);
        Py_DECREF(row);
    }
    return 0;
}

PyObject *
nb_held_rows(nb_held_table *held, PyObject *factory, PyObject *udt)
{
    const nb_table *t = held->table;
    PyObject *list = NULL;
    Py_ssize_t at = 0;
    context c;
    maker top = {0};
    int gc, ok = -1;

    if (context_init(&c, factory, udt) == 0 && maker_init(&c, &top, t->schema) == 0) {
        list = PyList_New((Py_ssize_t)t->n_rows);
    }
    if (list == NULL) {
        goto done;
    }
    gc = PyGC_Disable();
    for (int i = 0; i < t->n_chunks; i++) {
        ok = fill_chunk(&c, &top, t->chunks[i], list, at);
        at += (Py_ssize_t)t->chunks[i]->n_rows;
        if (ok < 0) {
            break;
        }
    }
    if (gc) {
        PyGC_Enable();
    }
    if (t->n_chunks > 0 && ok < 0) {
        Py_CLEAR(list);
    }
done:
    maker_clear(&top);
    context_clear(&c);
    return list;
}

PyObject *
nb_held_column_list(nb_held_table *held, int column, PyObject *factory, PyObject *udt)
{
    const nb_table *t = held->table;
    PyObject *list = NULL;
    Py_ssize_t at = 0;
    context c;
    maker m = {0};

    if (context_init(&c, factory, udt) == 0 &&
        maker_init(&c, &m, t->schema->children[column].type) == 0) {
        list = PyList_New((Py_ssize_t)t->n_rows);
    }
    for (int k = 0; list != NULL && k < t->n_chunks; k++) {
        const nb_vector *v = &t->chunks[k]->cols[column];
        entries e;
        if (entries_init(&e, v) < 0) {
            Py_CLEAR(list);
            break;
        }
        for (int64_t i = 0; i < t->chunks[k]->n_rows; i++) {
            PyObject *item = make_shared(&c, &m, v, &e, i);
            if (item == NULL) {
                Py_CLEAR(list);
                break;
            }
            PyList_SET_ITEM(list, at++, item);
        }
        entries_clear(&e);
    }
    maker_clear(&m);
    context_clear(&c);
    return list;
}
