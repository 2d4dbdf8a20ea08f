/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.c: _core.Table: local data on its way in, and the Arrow stream that tables and results share.
 */
#include "python/table.h"

#include "column/arrow.h"
#include "plan/type_proto.h"
#include "python/errors.h"

typedef struct table_object {
    PyObject_HEAD
    nb_held_table *held;
} table_object;

/* --- holders ----------------------------------------------------------------------------------- */

nb_held_table *
nb_held_table_new(nb_table *table, void *owner, void (*release)(void *owner))
{
    nb_held_table *held = PyMem_RawCalloc(1, sizeof(*held));

    if (held == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    *held = (nb_held_table){1, table, owner, release};
    return held;
}

nb_held_table *
nb_held_table_ref(nb_held_table *held)
{
    __atomic_fetch_add(&held->refs, 1, __ATOMIC_RELAXED);
    return held;
}

void
nb_held_table_unref(void *payload)
{
    nb_held_table *held = payload;

    if (held == NULL || __atomic_sub_fetch(&held->refs, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    nb_table_release(held->table);
    if (held->release != NULL) {
        held->release(held->owner);
    }
    PyMem_RawFree(held);
}

static void
retain_held(void *held)
{
    nb_held_table_ref(held);
}

nb_pool *
nb_python_pool(void)
{
    static nb_pool *pool; /* made under the GIL */

    if (pool == NULL && (pool = nb_pool_new(NULL, "python", 0)) == NULL) {
        PyErr_NoMemory();
    }
    return pool;
}

PyObject *
nb_held_schema(nb_held_table *held)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_str bytes = {NULL, 0};
    PyObject *out;

    if (arena != NULL) {
        bytes = nb_type_to_bytes(arena, held->table->schema);
    }
    out = bytes.data ? PyBytes_FromStringAndSize(bytes.data, (Py_ssize_t)bytes.len)
                     : PyErr_NoMemory();
    nb_arena_free(arena);
    return out;
}

/* --- Arrow out --------------------------------------------------------------------------------- */

static void
free_stream_capsule(PyObject *capsule)
{
    struct ArrowArrayStream *stream = PyCapsule_GetPointer(capsule, "arrow_array_stream");

    if (stream != NULL) {
        if (stream->release != NULL) {
            stream->release(stream);
        }
        PyMem_RawFree(stream);
    }
}

PyObject *
nb_held_stream(nb_held_table *held, PyObject *requested, nb_str time_zone)
{
    nb_arrow_options o = NB_ARROW_OPTIONS_INIT;
    struct ArrowArrayStream *stream;
    nb_error err = NB_ERROR_INIT;
    PyObject *capsule;
    nb_status st;

    if (requested != NULL && requested != Py_None &&
        (o.requested = PyCapsule_GetPointer(requested, "arrow_schema")) == NULL) {
        return NULL;
    }
    stream = PyMem_RawCalloc(1, sizeof(*stream));
    if (stream == NULL) {
        return PyErr_NoMemory();
    }
    o.time_zone = time_zone;
    o.owner = held;
    o.retain = retain_held;
    o.release = nb_held_table_unref;
    st = nb_arrow_export_table(held->table, &o, stream, &err);
    if (st < 0) {
        PyMem_RawFree(stream);
        return nb_raise_python(st, &err);
    }
    capsule = PyCapsule_New(stream, "arrow_array_stream", free_stream_capsule);
    if (capsule == NULL) {
        stream->release(stream);
        PyMem_RawFree(stream);
    }
    return capsule;
}

/* --- Arrow in ---------------------------------------------------------------------------------- */

static nb_table *
import_stream(PyObject *capsule, const nb_arrow_import_options *options)
{
    struct ArrowArrayStream *stream = PyCapsule_GetPointer(capsule, "arrow_array_stream");
    struct ArrowArrayStream moved;
    nb_error err = NB_ERROR_INIT;
    nb_pool *pool = nb_python_pool();
    nb_table *table = NULL;
    nb_status st;

    if (stream == NULL || pool == NULL) {
        return NULL;
    }
    if (stream->release == NULL) {
        PyErr_SetString(PyExc_ValueError, "the Arrow stream has been consumed already");
        return NULL;
    }
    moved = *stream;
    stream->release = NULL;
    Py_BEGIN_ALLOW_THREADS
    st = nb_arrow_import_stream(pool, &moved, options, &table, &err);
    Py_END_ALLOW_THREADS
    if (st < 0) {
        nb_raise_python(st, &err);
        return NULL;
    }
    return table;
}

static nb_table *
import_array(PyObject *pair, const nb_arrow_import_options *options)
{
    struct ArrowSchema *schema;
    struct ArrowArray *array, moved;
    nb_error err = NB_ERROR_INIT;
    nb_pool *pool = nb_python_pool();
    const nb_type *type;
    nb_table *table = NULL;
    nb_chunk *chunk = NULL;
    nb_status st;

    if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
        PyErr_SetString(PyExc_TypeError, "__arrow_c_array__ did not return two capsules");
        return NULL;
    }
    schema = PyCapsule_GetPointer(PyTuple_GET_ITEM(pair, 0), "arrow_schema");
    array = schema ? PyCapsule_GetPointer(PyTuple_GET_ITEM(pair, 1), "arrow_array") : NULL;
    if (array == NULL || pool == NULL) {
        return NULL;
    }
    NB_TRY_GOTO(st, nb_arrow_import_type(schema, options, &type, &err), fail);
    moved = *array;
    array->release = NULL;
    NB_TRY_GOTO(st, nb_arrow_import_chunk(pool, schema, type, &moved, &chunk, &err), fail);
    NB_TRY_GOTO(st, nb_table_new(pool, type, &table), fail);
    NB_TRY_GOTO(st, nb_table_append(table, chunk), fail);
    return table;
fail:
    nb_chunk_free(chunk);
    nb_table_release(table);
    nb_raise_python(st, &err);
    return NULL;
}

static nb_table *
from_arrow(PyObject *object, const nb_arrow_import_options *options)
{
    static const char *const methods[] = {"__arrow_c_stream__", "__arrow_c_array__"};

    for (int i = 0; i < 2; i++) {
        PyObject *method = PyObject_GetAttrString(object, methods[i]), *got;
        nb_table *table;
        if (method == NULL) {
            if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
                return NULL;
            }
            PyErr_Clear();
            continue;
        }
        got = PyObject_CallNoArgs(method);
        Py_DECREF(method);
        if (got == NULL) {
            return NULL;
        }
        table = (i == 0 ? import_stream : import_array)(got, options);
        Py_DECREF(got);
        return table;
    }
    PyErr_Format(PyExc_TypeError, "%.200s has neither __arrow_c_stream__ nor __arrow_c_array__",
                 Py_TYPE(object)->tp_name);
    return NULL;
}

/* --- the type ---------------------------------------------------------------------------------- */

PyObject *
nb_table_object_new(nb_module_state *state, nb_held_table *held)
{
    PyTypeObject *type = (PyTypeObject *)state->table_type;
    table_object *self = (table_object *)type->tp_alloc(type, 0);

    if (self == NULL) {
        nb_held_table_unref(held);
        return NULL;
    }
    self->held = held;
    return (PyObject *)self;
}

nb_held_table *
nb_table_object_held(nb_module_state *state, PyObject *object)
{
    if (!PyObject_TypeCheck(object, (PyTypeObject *)state->table_type)) {
        PyErr_Format(PyExc_TypeError, "a _core.Table is needed, not %.200s",
                     Py_TYPE(object)->tp_name);
        return NULL;
    }
    return ((table_object *)object)->held;
}

/* A new Table; takes the reference to table, which may be NULL with an exception set. */
static PyObject *
table_result(PyTypeObject *cls, nb_table *table)
{
    nb_module_state *state = PyType_GetModuleState(cls);
    nb_held_table *held = table ? nb_held_table_new(table, NULL, NULL) : NULL;

    if (held == NULL) {
        nb_table_release(table);
        return NULL;
    }
    return nb_table_object_new(state, held);
}

/* A struct schema from packed spark.connect.DataType; NULL with an exception. */
static const nb_type *
schema_argument(Py_buffer *bytes)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_error err = NB_ERROR_INIT;
    const nb_type *type = NULL;
    nb_status st = NB_NOMEM;

    if (arena != NULL) {
        st = nb_type_from_bytes(arena, (nb_str){bytes->buf, (size_t)bytes->len}, &type, &err);
    }
    nb_arena_free(arena);
    if (st < 0) {
        nb_raise_python(st, &err);
        return NULL;
    }
    if (type->id != NB_TYPE_STRUCT) {
        PyErr_SetString(PyExc_TypeError, "the schema of a table must be a struct");
        return NULL;
    }
    return type;
}

PyDoc_STRVAR(from_rows_doc, "from_rows(rows, schema, strict=True)\n--\n\n"
                            "Make a table of rows.\n\n"
                            "Parameters\n----------\n"
                            "rows : sequence\n"
                            "    Tuples, lists, Rows, dicts or objects with attributes.\n"
                            "schema : bytes\n"
                            "    A packed spark.connect.DataType.\n"
                            "strict : bool, optional\n"
                            "    Whether only the classes fit that PySpark's verifier takes.\n\n"
                            "Raises\n------\n"
                            "TypeError, ValueError\n"
                            "    Naming the field whose value does not fit.\n");

static PyObject *
table_from_rows(PyObject *cls, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"rows", "schema", "strict", NULL};
    PyObject *rows, *out = NULL;
    Py_buffer bytes;
    int strict = 1;
    const nb_type *schema;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "Oy*|p", names, &rows, &bytes, &strict)) {
        return NULL;
    }
    schema = schema_argument(&bytes);
    if (schema != NULL) {
        out = table_result((PyTypeObject *)cls, nb_table_from_rows(schema, rows, strict));
    }
    PyBuffer_Release(&bytes);
    return out;
}

PyDoc_STRVAR(
    from_arrow_doc,
    "from_arrow(data, naive_as_ltz=False)\n--\n\n"
    "Make a table of anything with __arrow_c_stream__ or __arrow_c_array__, without a copy\n"
    "where the layout allows it. Timestamps without zone become timestamp_ntz, or, with\n"
    "naive_as_ltz, timestamp (read as UTC).\n");

static PyObject *
table_from_arrow(PyObject *cls, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"data", "naive_as_ltz", NULL};
    nb_arrow_import_options options = {0};
    PyObject *data;
    int naive_as_ltz = 0;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|p", names, &data, &naive_as_ltz)) {
        return NULL;
    }
    options.naive_as_ltz = naive_as_ltz;
    return table_result((PyTypeObject *)cls, from_arrow(data, &options));
}

PyDoc_STRVAR(from_numpy_doc,
             "from_numpy(columns, nan_as_null=False)\n--\n\n"
             "Make a table of one-dimensional arrays, given as a dict from names, without a copy\n"
             "where they are contiguous.\n");

static PyObject *
table_from_numpy(PyObject *cls, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"columns", "nan_as_null", NULL};
    PyObject *columns;
    int nan_as_null = 0;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!|p", names, &PyDict_Type, &columns,
                                     &nan_as_null)) {
        return NULL;
    }
    return table_result((PyTypeObject *)cls, nb_table_from_numpy(columns, nan_as_null));
}

static PyObject *
table_arrow_c_stream(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"requested_schema", "time_zone", NULL};
    PyObject *requested = NULL;
    const char *zone = NULL;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|Oz", names, &requested, &zone)) {
        return NULL;
    }
    return nb_held_stream(((table_object *)self)->held, requested, nb_str_of(zone));
}

PyDoc_STRVAR(
    rows_doc,
    "rows(row_factory=None, udt=None)\n--\n\n"
    "Return the rows as a list: of tuples, of a subclass of tuple that has __fields__, or of\n"
    "what row_factory(names, values) makes. udt(python_class, jvm_class, serialized_class)\n"
    "gives the object whose deserialize() makes values of user-defined types.\n");

static PyObject *
table_rows(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"row_factory", "udt", NULL};
    PyObject *factory = Py_None, *udt = Py_None;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OO", names, &factory, &udt)) {
        return NULL;
    }
    return nb_held_rows(((table_object *)self)->held, factory, udt);
}

PyDoc_STRVAR(
    column_numpy_doc,
    "column_numpy(i, row_factory=None, udt=None)\n--\n\n"
    "Return column i as an array; numbers without nulls come without a copy. Integers with\n"
    "nulls become float64, what NumPy has no type for becomes objects.\n");

static PyObject *
table_column_numpy(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"i", "row_factory", "udt", NULL};
    PyObject *factory = Py_None, *udt = Py_None;
    int i;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i|OO", names, &i, &factory, &udt)) {
        return NULL;
    }
    return nb_held_column_numpy(((table_object *)self)->held, i, factory, udt);
}

PyDoc_STRVAR(ipc_doc, "ipc(compression=None, start=0, stop=2**63 - 1)\n--\n\n"
                      "Return rows as an Arrow IPC stream. compression is None, 'lz4' or 'zstd'.");

static PyObject *
table_ipc(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"compression", "start", "stop", NULL};
    nb_held_table *held = ((table_object *)self)->held;
    long long start = 0, stop = INT64_MAX;
    nb_table *rows = NULL;
    nb_arrow_options o = NB_ARROW_OPTIONS_INIT;
    nb_arrow_codec codec = NB_ARROW_PLAIN;
    const char *compression = NULL;
    nb_error err = NB_ERROR_INIT;
    nb_strbuf bytes = {0};
    PyObject *out = NULL;
    nb_status st;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|zLL", names, &compression, &start, &stop)) {
        return NULL;
    }
    if (nb_python_pool() == NULL) {
        return NULL;
    }
    if (start < 0 || stop < start) {
        PyErr_SetString(PyExc_ValueError, "the rows must be a range");
        return NULL;
    }
    if (compression != NULL && strcmp(compression, "lz4") == 0) {
        codec = NB_ARROW_LZ4;
    } else if (compression != NULL && strcmp(compression, "zstd") == 0) {
        codec = NB_ARROW_ZSTD;
    } else if (compression != NULL) {
        PyErr_Format(PyExc_ValueError, "unknown compression '%.50s'", compression);
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    stop = NB_MIN(stop, held->table->n_rows);
    st = nb_table_slice(nb_python_pool(), held->table, start, NB_MAX(stop - start, 0), &rows);
    if (st == NB_OK) {
        st = nb_arrow_ipc_write_table(rows, &o, codec, &bytes, &err);
    }
    nb_table_release(rows);
    Py_END_ALLOW_THREADS
    if (st < 0) {
        nb_raise_python(st, &err);
    } else {
        out = PyBytes_FromStringAndSize(bytes.data, (Py_ssize_t)bytes.len);
    }
    nb_strbuf_free(&bytes);
    return out;
}

static void
release_view(void *payload)
{
    PyGILState_STATE gil = PyGILState_Ensure();

    PyBuffer_Release(payload);
    PyMem_Free(payload);
    PyGILState_Release(gil);
}

PyDoc_STRVAR(from_ipc_doc,
             "from_ipc(data)\n--\n\n"
             "Make a table of an Arrow IPC stream, which is checked and then used where it lies.");

static PyObject *
table_from_ipc(PyObject *cls, PyObject *data)
{
    nb_pool *pool = nb_python_pool();
    nb_error err = NB_ERROR_INIT;
    nb_buffer *bytes = NULL;
    nb_table *table = NULL;
    Py_buffer *view;
    nb_status st;

    if (pool == NULL || (view = PyMem_Calloc(1, sizeof(*view))) == NULL) {
        return PyErr_NoMemory();
    }
    if (PyObject_GetBuffer(data, view, PyBUF_SIMPLE) < 0) {
        PyMem_Free(view);
        return NULL;
    }
    st = nb_buffer_wrap(view->buf, (size_t)view->len, release_view, view, &bytes);
    if (st < 0) {
        release_view(view);
        return nb_raise_python(st, &err);
    }
    Py_BEGIN_ALLOW_THREADS
    st = nb_arrow_ipc_read(pool, bytes, NULL, &table, &err);
    nb_buffer_release(bytes);
    Py_END_ALLOW_THREADS
    return st < 0 ? nb_raise_python(st, &err) : table_result((PyTypeObject *)cls, table);
}

/* What a joined table keeps alive: the tables whose chunks it shares. */
typedef struct parts {
    Py_ssize_t n;
    nb_held_table *held[];
} parts;

static void
parts_release(void *payload)
{
    parts *p = payload;

    for (Py_ssize_t i = 0; i < p->n; i++) {
        nb_held_table_unref(p->held[i]);
    }
    PyMem_RawFree(p);
}

PyDoc_STRVAR(join_doc,
             "join(tables, schema)\n--\n\n"
             "Make a table of the rows of several, in order and without a copy. schema, a packed\n"
             "spark.connect.DataType, may give their columns other types that lie alike.");

static PyObject *
table_join(PyObject *cls, PyObject *args)
{
    nb_module_state *state = PyType_GetModuleState((PyTypeObject *)cls);
    nb_pool *pool = nb_python_pool();
    nb_error err = NB_ERROR_INIT;
    nb_held_table *held;
    nb_table **tables = NULL, *table = NULL;
    PyObject *list, *out = NULL;
    const nb_type *schema;
    parts *p = NULL;
    Py_buffer bytes;
    nb_status st;

    if (!PyArg_ParseTuple(args, "O!y*", &PyList_Type, &list, &bytes)) {
        return NULL;
    }
    schema = schema_argument(&bytes);
    PyBuffer_Release(&bytes);
    if (schema == NULL || pool == NULL) {
        return NULL;
    }
    p = PyMem_RawCalloc(1, sizeof(*p) + (size_t)PyList_GET_SIZE(list) * sizeof(*p->held));
    tables = PyMem_Calloc((size_t)PyList_GET_SIZE(list) + 1, sizeof(nb_table *));
    if (p == NULL || tables == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    while (p->n < PyList_GET_SIZE(list)) {
        held = nb_table_object_held(state, PyList_GET_ITEM(list, p->n));
        if (held == NULL) {
            goto done;
        }
        tables[p->n] = held->table;
        p->held[p->n++] = nb_held_table_ref(held);
    }
    st = nb_table_join(pool, tables, (int)p->n, schema, &table, &err);
    if (st < 0) {
        nb_raise_python(st, &err);
        goto done;
    }
    held = nb_held_table_new(table, p, parts_release);
    if (held == NULL) {
        nb_table_release(table);
        goto done;
    }
    p = NULL;
    out = nb_table_object_new(state, held);
done:
    if (p != NULL) {
        parts_release(p);
    }
    PyMem_Free(tables);
    return out;
}

static PyObject *
table_schema(PyObject *self, void *closure)
{
    return nb_held_schema(((table_object *)self)->held);
}

static PyObject *
table_n_rows(PyObject *self, void *closure)
{
    return PyLong_FromLongLong(((table_object *)self)->held->table->n_rows);
}

static void
table_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    nb_held_table_unref(((table_object *)self)->held);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef table_methods[] = {
    {"from_rows", (PyCFunction)(void (*)(void))table_from_rows,
     METH_VARARGS | METH_KEYWORDS | METH_CLASS, from_rows_doc},
    {"from_arrow", (PyCFunction)(void (*)(void))table_from_arrow,
     METH_VARARGS | METH_KEYWORDS | METH_CLASS, from_arrow_doc},
    {"from_numpy", (PyCFunction)(void (*)(void))table_from_numpy,
     METH_VARARGS | METH_KEYWORDS | METH_CLASS, from_numpy_doc},
    {"from_ipc", table_from_ipc, METH_O | METH_CLASS, from_ipc_doc},
    {"join", table_join, METH_VARARGS | METH_CLASS, join_doc},
    {"ipc", (PyCFunction)(void (*)(void))table_ipc, METH_VARARGS | METH_KEYWORDS, ipc_doc},
    {"__arrow_c_stream__", (PyCFunction)(void (*)(void))table_arrow_c_stream,
     METH_VARARGS | METH_KEYWORDS, PyDoc_STR("The rows as an Arrow C stream.")},
    {"rows", (PyCFunction)(void (*)(void))table_rows, METH_VARARGS | METH_KEYWORDS, rows_doc},
    {"column_numpy", (PyCFunction)(void (*)(void))table_column_numpy, METH_VARARGS | METH_KEYWORDS,
     column_numpy_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef table_getset[] = {
    {"schema", table_schema, NULL, PyDoc_STR("The packed spark.connect.DataType."), NULL},
    {"n_rows", table_n_rows, NULL, PyDoc_STR("The number of rows."), NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot table_slots[] = {
    {Py_tp_doc, (void *)"Rows held by the engine."},
    {Py_tp_dealloc, (void *)table_dealloc},
    {Py_tp_methods, table_methods},
    {Py_tp_getset, table_getset},
    {0, NULL},
};

static PyType_Spec table_spec = {
    .name = "nbaspark._core.Table",
    .basicsize = sizeof(table_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = table_slots,
};

int
nb_table_exec(PyObject *module)
{
    nb_module_state *state = nb_module_get_state(module);

    state->table_type = PyType_FromModuleAndSpec(module, &table_spec, NULL);
    if (state->table_type == NULL) {
        return -1;
    }
    return PyModule_AddObjectRef(module, "Table", state->table_type);
}
