/* SPDX-License-Identifier: Apache-2.0 */
/*
 * result.c: _core.Result: what an execution gave.
 */
#include "python/errors.h"
#include "python/session.h"
#include "python/table.h"

typedef struct result_object {
    PyObject_HEAD
    nb_held_table *held; /* a table without columns for commands that give no rows */
    PyObject *commands;  /* list of bytes */
    PyObject *observed;  /* list of bytes */
    PyObject *metrics;   /* JSON text */
    PyObject *time_zone; /* of the session when the query ran; bytes */
} result_object;

/* What a result's table keeps alive. */
typedef struct owner {
    nb_session_handle *handle;
    nb_result *result;
} owner;

static void
owner_release(void *payload)
{
    owner *o = payload;

    nb_result_free(o->result);
    nb_session_handle_unref(o->handle);
    PyMem_RawFree(o);
}

/* The result's table with its owner; result is moved, also on failure. */
static nb_held_table *
hold(nb_session_handle *handle, nb_result *result)
{
    owner *o = PyMem_RawCalloc(1, sizeof(*o));
    nb_table *table = NULL;
    nb_held_table *held;

    if (o == NULL) {
        nb_result_free(result);
        PyErr_NoMemory();
        return NULL;
    }
    *o = (owner){nb_session_handle_ref(handle), result};
    if (result->table != NULL) {
        table = nb_table_ref(result->table);
    } else if (nb_python_pool() == NULL ||
               nb_table_new(nb_python_pool(), nb_type_of(NB_TYPE_STRUCT), &table) < 0) {
        PyErr_NoMemory();
        owner_release(o);
        return NULL;
    }
    held = nb_held_table_new(table, o, owner_release);
    if (held == NULL) {
        nb_table_release(table);
        owner_release(o);
    }
    return held;
}

static PyObject *
list_of(const nb_str *messages, int n)
{
    PyObject *list = PyList_New(n);

    for (int i = 0; list != NULL && i < n; i++) {
        nb_str r = messages[i];
        PyObject *bytes = PyBytes_FromStringAndSize(r.data, (Py_ssize_t)r.len);
        if (bytes == NULL) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, i, bytes);
        }
    }
    return list;
}

static PyObject *
zone_of(nb_session *session)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_str zone = {NULL, 0};
    PyObject *out;

    if (arena != NULL) {
        Py_BEGIN_ALLOW_THREADS
        zone = nb_session_time_zone(session, arena);
        Py_END_ALLOW_THREADS
    }
    out = zone.data ? PyBytes_FromStringAndSize(zone.data, (Py_ssize_t)zone.len) : PyErr_NoMemory();

    nb_arena_free(arena);
    return out;
}

PyObject *
nb_result_object_new(nb_module_state *state, nb_session_handle *handle, nb_result *result)
{
    PyTypeObject *type = (PyTypeObject *)state->result_type;
    result_object *self = (result_object *)type->tp_alloc(type, 0);

    if (self == NULL) {
        nb_result_free(result);
        return NULL;
    }
    self->commands = list_of(result->responses, result->n_responses);
    self->observed = list_of(result->metrics, result->n_metrics);
    self->metrics = PyUnicode_DecodeUTF8(result->metrics_json.data ? result->metrics_json.data : "",
                                         (Py_ssize_t)result->metrics_json.len, "replace");
    self->time_zone = zone_of(handle->session);
    self->held = hold(handle, result);
    if (self->commands == NULL || self->observed == NULL || self->metrics == NULL ||
        self->time_zone == NULL || self->held == NULL) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static PyObject *
result_arrow_c_stream(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"requested_schema", NULL};
    result_object *r = (result_object *)self;
    PyObject *requested = NULL;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O", names, &requested)) {
        return NULL;
    }
    return nb_held_stream(
        r->held, requested,
        (nb_str){PyBytes_AS_STRING(r->time_zone), (size_t)PyBytes_GET_SIZE(r->time_zone)});
}

static PyObject *
result_rows(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"row_factory", "udt", NULL};
    PyObject *factory = Py_None, *udt = Py_None;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OO", names, &factory, &udt)) {
        return NULL;
    }
    return nb_held_rows(((result_object *)self)->held, factory, udt);
}

static PyObject *
result_column_numpy(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"i", "row_factory", "udt", NULL};
    PyObject *factory = Py_None, *udt = Py_None;
    int i;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i|OO", names, &i, &factory, &udt)) {
        return NULL;
    }
    return nb_held_column_numpy(((result_object *)self)->held, i, factory, udt);
}

PyDoc_STRVAR(
    table_doc,
    "table()\n--\n\nReturn the rows as a Table, which may become local data of a session.");

static PyObject *
result_table(PyObject *self, PyObject *none)
{
    return nb_table_object_new(PyType_GetModuleState(Py_TYPE(self)),
                               nb_held_table_ref(((result_object *)self)->held));
}

static PyObject *
result_schema(PyObject *self, void *closure)
{
    return nb_held_schema(((result_object *)self)->held);
}

static PyObject *
result_n_rows(PyObject *self, void *closure)
{
    return PyLong_FromLongLong(((result_object *)self)->held->table->n_rows);
}

static PyObject *
result_commands(PyObject *self, void *closure)
{
    return Py_NewRef(((result_object *)self)->commands);
}

static PyObject *
result_observed(PyObject *self, void *closure)
{
    return Py_NewRef(((result_object *)self)->observed);
}

static PyObject *
result_metrics(PyObject *self, void *closure)
{
    PyObject *text = ((result_object *)self)->metrics, *json, *out;

    if (PyUnicode_GET_LENGTH(text) == 0) {
        return PyDict_New();
    }
    json = PyImport_ImportModule("json");
    out = json ? PyObject_CallMethod(json, "loads", "O", text) : NULL;
    Py_XDECREF(json);
    return out;
}

static void
result_dealloc(PyObject *self)
{
    result_object *r = (result_object *)self;
    PyTypeObject *type = Py_TYPE(self);

    nb_held_table_unref(r->held);
    Py_XDECREF(r->commands);
    Py_XDECREF(r->observed);
    Py_XDECREF(r->metrics);
    Py_XDECREF(r->time_zone);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef result_methods[] = {
    {"__arrow_c_stream__", (PyCFunction)(void (*)(void))result_arrow_c_stream,
     METH_VARARGS | METH_KEYWORDS, PyDoc_STR("The rows as an Arrow C stream.")},
    {"rows", (PyCFunction)(void (*)(void))result_rows, METH_VARARGS | METH_KEYWORDS,
     PyDoc_STR("rows(row_factory=None, udt=None)\n--\n\nAs Table.rows.")},
    {"column_numpy", (PyCFunction)(void (*)(void))result_column_numpy, METH_VARARGS | METH_KEYWORDS,
     PyDoc_STR("column_numpy(i, row_factory=None, udt=None)\n--\n\nAs Table.column_numpy.")},
    {"table", result_table, METH_NOARGS, table_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef result_getset[] = {
    {"schema", result_schema, NULL, PyDoc_STR("The packed spark.connect.DataType."), NULL},
    {"n_rows", result_n_rows, NULL, PyDoc_STR("The number of rows."), NULL},
    {"commands", result_commands, NULL,
     PyDoc_STR("Packed spark.connect.ExecutePlanResponse messages that carry no rows."), NULL},
    {"observed", result_observed, NULL,
     PyDoc_STR("Packed spark.connect.ExecutePlanResponse.ObservedMetrics messages."), NULL},
    {"metrics", result_metrics, NULL, PyDoc_STR("What each operator did."), NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot result_slots[] = {
    {Py_tp_doc, (void *)"What an execution gave."},
    {Py_tp_dealloc, (void *)result_dealloc},
    {Py_tp_methods, result_methods},
    {Py_tp_getset, result_getset},
    {0, NULL},
};

static PyType_Spec result_spec = {
    .name = "nbaspark._core.Result",
    .basicsize = sizeof(result_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = result_slots,
};

int
nb_result_exec(PyObject *module)
{
    nb_module_state *state = nb_module_get_state(module);

    state->result_type = PyType_FromModuleAndSpec(module, &result_spec, NULL);
    if (state->result_type == NULL) {
        return -1;
    }
    return PyModule_AddObjectRef(module, "Result", state->result_type);
}
