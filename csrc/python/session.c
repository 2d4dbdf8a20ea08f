/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.c: _core.Session: the engine in this process.
 *
 * Long calls run on a thread of their own without the GIL, while the caller waits and looks for signals every POLL_MS: so Ctrl-C
 * reaches a query that sits in C. The interrupt sets the query's cancel flag, waits for the engine to let go, and
 * raises KeyboardInterrupt; the session goes on.
 */
#include "python/session.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>
#include "cluster/simulate.h"
#include "python/errors.h"
#include "python/table.h"

#define POLL_MS 20

typedef struct session_object {
    PyObject_HEAD
    nb_session_handle *handle; /* NULL once closed */
} session_object;

nb_session_handle *
nb_session_handle_ref(nb_session_handle *handle)
{
    __atomic_fetch_add(&handle->refs, 1, __ATOMIC_RELAXED);
    return handle;
}

void
nb_session_handle_unref(nb_session_handle *handle)
{
    PyThreadState *ts = NULL;

    if (handle == NULL || __atomic_sub_fetch(&handle->refs, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    /* The end of a session waits for threads, and those may need the GIL to let go of arrays. */
    if (PyGILState_Check()) {
        ts = PyEval_SaveThread();
    }
    nb_session_free(handle->session);
    if (ts != NULL) {
        PyEval_RestoreThread(ts);
    }
    PyMem_RawFree(handle);
}

/* --- calls that may be interrupted ------------------------------------------------------------- */

typedef struct call {
    nb_session *session;
    nb_str request;
    bool analyze;
    nb_cancel_flag cancel;
    nb_result *result;  /* of execute */
    nb_strbuf response; /* of analyze */
    nb_error err;
    nb_status status;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done; /* under lock */
} call;

static void *
call_run(void *payload)
{
    call *c = payload;

    if (c->analyze) {
        c->status = nb_session_analyze(c->session, c->request, &c->response, &c->err);
    } else {
        c->status =
            nb_session_execute(c->session, c->request, &c->cancel, NULL, &c->result, &c->err);
    }
    pthread_mutex_lock(&c->lock);
    c->done = true;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* Waits at most POLL_MS; whether the call is done. */
static bool
call_wait(call *c)
{
    struct timespec until;
    bool done;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += POLL_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&c->lock);
    while (!c->done && pthread_cond_timedwait(&c->changed, &c->lock, &until) != ETIMEDOUT) {
    }
    done = c->done;
    pthread_mutex_unlock(&c->lock);
    return done;
}

/* 0, or -1 with an exception: that of a signal handler, or that no thread could be had. */
static int
call_perform(call *c)
{
    pthread_condattr_t attr;
    pthread_t thread;
    int failed, interrupted = 0;
    bool done = false;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, &attr);
    pthread_condattr_destroy(&attr);
    failed = pthread_create(&thread, NULL, call_run, c);
    if (failed) {
        errno = failed;
        PyErr_SetFromErrno(PyExc_OSError);
    }
    while (!failed && !done) {
        Py_BEGIN_ALLOW_THREADS
        done = call_wait(c);
        Py_END_ALLOW_THREADS
        if (!done && !interrupted && PyErr_CheckSignals() < 0) {
            interrupted = 1;
            atomic_store(&c->cancel.requested, 1);
            if (c->analyze) {
                Py_BEGIN_ALLOW_THREADS
                nb_session_interrupt(c->session);
                Py_END_ALLOW_THREADS
            }
        }
    }
    if (!failed) {
        pthread_join(thread, NULL);
    }
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->changed);
    return failed || interrupted ? -1 : 0;
}

/* --- methods ----------------------------------------------------------------------------------- */

/* The handle with a reference of the call's own, because another thread may close the session meanwhile. */
static nb_session_handle *
open_handle(PyObject *self)
{
    nb_session_handle *handle = ((session_object *)self)->handle;

    if (handle == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the session has been stopped");
        return NULL;
    }
    return nb_session_handle_ref(handle);
}

static nb_str
text_of(PyObject *text)
{
    Py_ssize_t len = 0;
    const char *p = PyUnicode_Check(text) ? PyUnicode_AsUTF8AndSize(text, &len) : NULL;

    if (p == NULL && !PyErr_Occurred()) {
        PyErr_Format(PyExc_TypeError, "configuration keys and values are str, not %.200s",
                     Py_TYPE(text)->tp_name);
    }
    return (nb_str){p, (size_t)len};
}

static PyObject *
session_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"conf", NULL};
    nb_session_handle *handle = NULL;
    nb_conf_pair *pairs = NULL;
    nb_error err = NB_ERROR_INIT;
    PyObject *conf = NULL, *key, *value;
    session_object *self = NULL;
    Py_ssize_t at = 0;
    nb_status st;
    int n = 0;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O!", names, &PyDict_Type, &conf)) {
        return NULL;
    }
    handle = PyMem_RawCalloc(1, sizeof(*handle));
    pairs = PyMem_Calloc(conf ? (size_t)PyDict_GET_SIZE(conf) + 1 : 1, sizeof(*pairs));
    if (handle == NULL || pairs == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    while (conf != NULL && PyDict_Next(conf, &at, &key, &value)) {
        pairs[n].key = text_of(key);
        pairs[n].value = pairs[n].key.data ? text_of(value) : (nb_str){NULL, 0};
        if (pairs[n].value.data == NULL) {
            goto done;
        }
        n++;
    }
    handle->refs = 1;
    Py_BEGIN_ALLOW_THREADS
    st = nb_session_new(pairs, n, &handle->session, &err);
    if (st == NB_OK) { /* for tests: nbaspark.debug.stages */
        nb_session_set_runner(handle->session,
                              &(nb_runner){.run = nb_simulate_run, .simulates = true});
    }
    Py_END_ALLOW_THREADS
    if (st < 0) {
        nb_raise_python(st, &err);
        goto done;
    }
    self = (session_object *)type->tp_alloc(type, 0);
    if (self == NULL) {
        nb_session_handle_unref(handle);
        handle = NULL;
        goto done;
    }
    self->handle = handle;
    handle = NULL;
done:
    PyMem_Free(pairs);
    PyMem_RawFree(handle);
    return (PyObject *)self;
}

static PyObject *
session_call(PyObject *self, PyObject *arg, bool analyze)
{
    nb_session_handle *handle = open_handle(self);
    call c = {.analyze = analyze};
    PyObject *out = NULL;
    Py_buffer bytes;
    int interrupted;

    if (handle == NULL) {
        return NULL;
    }
    if (PyObject_GetBuffer(arg, &bytes, PyBUF_SIMPLE) < 0) {
        nb_session_handle_unref(handle);
        return NULL;
    }
    c.session = handle->session;
    c.request = (nb_str){bytes.buf, (size_t)bytes.len};
    interrupted = call_perform(&c);
    PyBuffer_Release(&bytes);
    if (interrupted || c.status < 0) {
        nb_raise_python(c.status, &c.err);
        nb_result_free(c.result);
    } else if (analyze) {
        out = c.response.failed ? PyErr_NoMemory()
                                : PyBytes_FromStringAndSize(c.response.data ? c.response.data : "",
                                                            (Py_ssize_t)c.response.len);
    } else {
        out = nb_result_object_new(PyType_GetModuleState(Py_TYPE(self)), handle, c.result);
    }
    nb_strbuf_free(&c.response);
    nb_session_handle_unref(handle);
    return out;
}

PyDoc_STRVAR(execute_doc, "execute(plan)\n--\n\n"
                          "Run a packed spark.connect.Plan; return a Result.");

static PyObject *
session_execute(PyObject *self, PyObject *plan)
{
    return session_call(self, plan, false);
}

PyDoc_STRVAR(analyze_doc, "analyze(request)\n--\n\n"
                          "Answer a packed AnalyzePlanRequest by a packed AnalyzePlanResponse.");

static PyObject *
session_analyze(PyObject *self, PyObject *request)
{
    return session_call(self, request, true);
}

PyDoc_STRVAR(config_doc, "config(request)\n--\n\n"
                         "Answer a packed ConfigRequest by a packed ConfigResponse.");

static PyObject *
session_config(PyObject *self, PyObject *arg)
{
    nb_session_handle *handle = open_handle(self);
    nb_error err = NB_ERROR_INIT;
    nb_strbuf response = {0};
    PyObject *out = NULL;
    Py_buffer bytes;
    nb_status st;

    if (handle == NULL) {
        return NULL;
    }
    if (PyObject_GetBuffer(arg, &bytes, PyBUF_SIMPLE) == 0) {
        Py_BEGIN_ALLOW_THREADS
        st = nb_session_config(handle->session, (nb_str){bytes.buf, (size_t)bytes.len}, &response,
                               &err);
        Py_END_ALLOW_THREADS
        PyBuffer_Release(&bytes);
        if (st < 0) {
            nb_raise_python(st, &err);
        } else {
            out = response.failed ? PyErr_NoMemory()
                                  : PyBytes_FromStringAndSize(response.data ? response.data : "",
                                                              (Py_ssize_t)response.len);
        }
    }
    nb_strbuf_free(&response);
    nb_session_handle_unref(handle);
    return out;
}

PyDoc_STRVAR(add_local_doc, "add_local_relation(hash, table)\n--\n\n"
                            "Make a Table known under the hash by which plans refer to it.");

static PyObject *
session_add_local(PyObject *self, PyObject *args)
{
    nb_module_state *state = PyType_GetModuleState(Py_TYPE(self));
    nb_session_handle *handle;
    nb_error err = NB_ERROR_INIT;
    nb_held_table *held;
    PyObject *table;
    const char *hash;
    Py_ssize_t len;
    nb_status st;

    if (!PyArg_ParseTuple(args, "s#O", &hash, &len, &table) ||
        (held = nb_table_object_held(state, table)) == NULL ||
        (handle = open_handle(self)) == NULL) {
        return NULL;
    }
    /* Engine calls may wait for locks whose holders need the GIL to let go of arrays. */
    Py_BEGIN_ALLOW_THREADS
    st = nb_session_add_local(handle->session, (nb_str){hash, (size_t)len}, held->table, &err);
    Py_END_ALLOW_THREADS
    nb_session_handle_unref(handle);
    if (st < 0) {
        return nb_raise_python(st, &err);
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(remove_local_doc, "remove_local_relation(hash)\n--\n\n"
                               "Let data go that no DataFrame refers to any more.");

static PyObject *
session_remove_local(PyObject *self, PyObject *name)
{
    nb_session_handle *handle = ((session_object *)self)->handle;
    nb_str hash = text_of(name);

    if (hash.data == NULL) {
        return NULL;
    }
    if (handle == NULL) { /* closed, and the data is gone with it */
        Py_RETURN_NONE;
    }
    nb_session_handle_ref(handle);
    Py_BEGIN_ALLOW_THREADS
    nb_session_remove_local(handle->session, hash);
    Py_END_ALLOW_THREADS
    nb_session_handle_unref(handle);
    Py_RETURN_NONE;
}

static PyObject *
session_interrupt(PyObject *self, PyObject *none)
{
    nb_session_handle *handle = open_handle(self);

    if (handle == NULL) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    nb_session_interrupt(handle->session);
    Py_END_ALLOW_THREADS
    nb_session_handle_unref(handle);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(close_doc,
             "close()\n--\n\n"
             "End the session: what runs is cancelled, results that are held stay valid.");

static PyObject *
session_close(PyObject *self, PyObject *none)
{
    nb_session_handle *handle = ((session_object *)self)->handle;

    ((session_object *)self)->handle = NULL;
    if (handle != NULL) {
        Py_BEGIN_ALLOW_THREADS
        nb_session_interrupt(handle->session);
        Py_END_ALLOW_THREADS
        nb_session_handle_unref(handle);
    }
    Py_RETURN_NONE;
}

static void
session_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    nb_session_handle_unref(((session_object *)self)->handle);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef session_methods[] = {
    {"execute", session_execute, METH_O, execute_doc},
    {"analyze", session_analyze, METH_O, analyze_doc},
    {"config", session_config, METH_O, config_doc},
    {"add_local_relation", session_add_local, METH_VARARGS, add_local_doc},
    {"remove_local_relation", session_remove_local, METH_O, remove_local_doc},
    {"interrupt", session_interrupt, METH_NOARGS, PyDoc_STR("Cancel whatever the session runs.")},
    {"close", session_close, METH_NOARGS, close_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot session_slots[] = {
    {Py_tp_doc, (void *)"Session(conf={})\n--\n\nThe engine in this process."},
    {Py_tp_new, (void *)session_new},
    {Py_tp_dealloc, (void *)session_dealloc},
    {Py_tp_methods, session_methods},
    {0, NULL},
};

static PyType_Spec session_spec = {
    .name = "nbaspark._core.Session",
    .basicsize = sizeof(session_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = session_slots,
};

int
nb_session_exec(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &session_spec, NULL);
    int r = type ? PyModule_AddObjectRef(module, "Session", type) : -1;

    Py_XDECREF(type);
    return r;
}
