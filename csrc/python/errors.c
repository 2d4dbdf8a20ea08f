/* SPDX-License-Identifier: Apache-2.0 */
/*
 * errors.c: the one place that turns an nb_error into an exception.
 *
 * The classes are Python's, in nbaspark.errors: its `_from_engine` is looked up when an error happens and
 * makes the exception from kind, condition, SQLSTATE, message, parameters and query contexts.
 */
#include "python/errors.h"

#include <string.h>

/* The names under which nbaspark.errors knows the kinds. */
static const char *const KIND_NAMES[] = {
    [NB_KIND_ANALYSIS] = "ANALYSIS",
    [NB_KIND_PARSE] = "PARSE",
    [NB_KIND_ARITHMETIC] = "ARITHMETIC",
    [NB_KIND_NUMBER_FORMAT] = "NUMBER_FORMAT",
    [NB_KIND_DATETIME] = "DATETIME",
    [NB_KIND_ARRAY_INDEX] = "ARRAY_INDEX_OUT_OF_BOUNDS",
    [NB_KIND_ILLEGAL_ARGUMENT] = "ILLEGAL_ARGUMENT",
    [NB_KIND_UNSUPPORTED] = "UNSUPPORTED_OPERATION",
    [NB_KIND_RUNTIME] = "RUNTIME",
    [NB_KIND_UPGRADE] = "UPGRADE",
    [NB_KIND_EXECUTION] = "SPARK",
    [NB_KIND_NO_SUCH_ELEMENT] = "NO_SUCH_ELEMENT",
    [NB_KIND_PYTHON] = "PYTHON",
    [NB_KIND_UNKNOWN] = "UnknownException",
    [NB_KIND_NOT_IMPLEMENTED] = "PySparkNotImplementedError",
    [NB_KIND_CONNECT] = "CONNECT",
};

/* Messages quote what users wrote, which need not be UTF-8. */
static PyObject *
text_object(const char *text)
{
    text = text != NULL ? text : "";
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

/* Python has no class for some of Java's: PySpark then puts Java's before the text. */
static PyObject *
message_object(const nb_error *err)
{
    PyObject *text = text_object(nb_error_message(err)), *whole;

    if (text == NULL || nb_error_get_kind(err) != NB_KIND_UNKNOWN || err->is_foreign) {
        return text;
    }
    whole = PyUnicode_FromFormat("(%s) %U", nb_error_java_class(err), text);
    Py_DECREF(text);
    return whole;
}

/* None for an error without condition. */
static PyObject *
parameters_object(const nb_error *err)
{
    PyObject *dict;

    if (!*nb_error_name(err) && !err->is_foreign) {
        Py_RETURN_NONE;
    }
    dict = PyDict_New();
    for (int i = 0; dict != NULL && i < err->n_params; i++) {
        PyObject *key = text_object(err->keys[i]);
        PyObject *value = text_object(err->values[i]);
        if (key == NULL || value == NULL || PyDict_SetItem(dict, key, value) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return dict;
}

/* A list of at most one dict, with the field names of FetchErrorDetailsResponse.QueryContext. */
static PyObject *
contexts_object(const nb_error *err)
{
    const nb_query_context *c = err->context;

    if (c == NULL) {
        return PyList_New(0);
    }
    return Py_BuildValue(
        "[{s:s, s:N, s:N, s:i, s:i, s:N, s:N, s:N, s:i, s:i}]", "context_type",
        c->is_dataframe ? "DATAFRAME" : "SQL", "object_type", text_object(c->object_type),
        "object_name", text_object(c->object_name), "start_index", c->start_index, "stop_index",
        c->stop_index, "fragment", text_object(c->fragment), "call_site", text_object(c->call_site),
        "summary", text_object(c->summary), "line", c->line, "position", c->position);
}

static void
raise_error(const nb_error *err)
{
    const char *name = nb_error_name(err), *sqlstate = nb_error_sqlstate(err);
    PyObject *module = PyImport_ImportModule("nbaspark.errors");
    PyObject *make = module != NULL ? PyObject_GetAttrString(module, "_from_engine") : NULL;

    if (make != NULL) {
        PyObject *exception = PyObject_CallFunction(
            make, "szzNNN", KIND_NAMES[nb_error_get_kind(err)], *name ? name : NULL,
            *sqlstate ? sqlstate : NULL, message_object(err), parameters_object(err),
            contexts_object(err));
        if (exception != NULL) {
            PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
            Py_DECREF(exception);
        }
    }
    Py_XDECREF(make);
    Py_XDECREF(module);
}

PyObject *
nb_raise_python(nb_status status, nb_error *err)
{
    nb_error local = NB_ERROR_INIT;

    err = err != NULL ? err : &local;
    if (!PyErr_Occurred()) {
        if (!err->set && status == NB_NOMEM) {
            nb_raise(err, NB_COND_OUT_OF_MEMORY, NULL);
        } else if (!err->set && status == NB_CANCELLED) {
            nb_raise(err, NB_COND_OPERATION_CANCELED, NULL);
        } else if (!err->set) {
            nb_raise_internal(err, "a call failed with status %d and no error", (int)status);
        }
        raise_error(err);
    }
    nb_error_clear(err);
    return NULL;
}
