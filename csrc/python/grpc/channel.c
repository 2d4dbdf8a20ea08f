/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel.c: _grpc.Channel: a connection, and the calls that are made on it.
 *
 * Calls wait without the GIL and look for signals every NB_RPC_POLL_MS. What is sent is copied by gRPC, so that none of its threads ever
 * needs the GIL.
 */
#include "python/grpc/module.h"
#include "rpc/retry.h"

#define MAX_HEADERS 24

typedef struct channel_object {
    PyObject_HEAD
    nb_rpc_channel *channel; /* NULL once closed */
} channel_object;

/* ---- making one ---- */

static int
text_of(PyObject *object, const char *what, nb_str *out)
{
    Py_ssize_t len;

    if (!PyUnicode_Check(object)) {
        PyErr_Format(PyExc_TypeError, "%s is str, not %.200s", what, Py_TYPE(object)->tp_name);
        return -1;
    }
    out->data = PyUnicode_AsUTF8AndSize(object, &len);
    out->len = (size_t)len;
    return out->data ? 0 : -1;
}

static int
headers_of(PyObject *pairs, nb_rpc_header *out, int *n)
{
    *n = (int)PyTuple_GET_SIZE(pairs);
    if (*n > MAX_HEADERS) {
        PyErr_Format(PyExc_ValueError, "at most %d headers", MAX_HEADERS);
        return -1;
    }
    for (int i = 0; i < *n; i++) {
        PyObject *name, *value;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(pairs, i), "OO", &name, &value) ||
            text_of(name, "a header's name", &out[i].name) < 0 ||
            text_of(value, "a header's value", &out[i].value) < 0) {
            return -1;
        }
    }
    return 0;
}

PyDoc_STRVAR(channel_doc,
             "Channel(target, *, tls=False, ca='', cert='', key='', server_name='', token='',\n"
             "        headers=(), user_agent='', keepalive_ms=0, max_message_bytes=0)\n--\n\n"
             "A connection to a server, made at the first call. Certificates are PEM text.");

static PyObject *
channel_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"target",
                            "tls",
                            "ca",
                            "cert",
                            "key",
                            "server_name",
                            "token",
                            "headers",
                            "user_agent",
                            "keepalive_ms",
                            "max_message_bytes",
                            NULL};
    nb_rpc_channel_options o = NB_RPC_CHANNEL_OPTIONS_INIT;
    nb_grpc_state *state = PyType_GetModuleState(type);
    nb_rpc_header headers[MAX_HEADERS];
    nb_rpc_status status = NB_RPC_STATUS_INIT;
    nb_error err = NB_ERROR_INIT;
    nb_rpc_channel *channel;
    PyObject *pairs = NULL;
    channel_object *self;
    int tls = 0;
    long long longest = 0;
    nb_status st;
    struct {
        const char *data;
        Py_ssize_t len;
    } target, t[6] = {{NULL, 0}};
    nb_str *texts[6] = {&o.ca, &o.cert, &o.key, &o.server_name, &o.token, &o.user_agent};

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "s#|$ps#s#s#s#s#O!s#iL", names, &target.data,
                                     &target.len, &tls, &t[0].data, &t[0].len, &t[1].data,
                                     &t[1].len, &t[2].data, &t[2].len, &t[3].data, &t[3].len,
                                     &t[4].data, &t[4].len, &PyTuple_Type, &pairs, &t[5].data,
                                     &t[5].len, &o.keepalive_ms, &longest) ||
        (pairs != NULL && headers_of(pairs, headers, &o.n_headers) < 0)) {
        return NULL;
    }
    o.target = (nb_str){target.data, (size_t)target.len};
    for (int i = 0; i < 6; i++) {
        *texts[i] = (nb_str){t[i].data, (size_t)t[i].len};
    }
    o.tls = tls;
    o.headers = headers;
    o.max_message_bytes = longest;
    Py_BEGIN_ALLOW_THREADS
    st = nb_rpc_channel_new(&o, &channel, &err);
    Py_END_ALLOW_THREADS
    if (st < 0) {
        return nb_grpc_raise(state, st, &status, &err);
    }
    self = (channel_object *)type->tp_alloc(type, 0);
    if (self == NULL) {
        nb_rpc_channel_release(channel);
        return NULL;
    }
    self->channel = channel;
    return (PyObject *)self;
}

/* ---- calls ---- */

/* A reference for the time of a call, because another thread may close the channel meanwhile. */
static nb_rpc_channel *
open_channel(PyObject *self)
{
    nb_rpc_channel *channel = ((channel_object *)self)->channel;

    if (channel == NULL) {
        PyErr_SetString(PyExc_ValueError, "the channel has been closed");
        return NULL;
    }
    return nb_rpc_channel_ref(channel);
}

static nb_str
view_text(const Py_buffer *view)
{
    return (nb_str){view->buf, (size_t)view->len};
}

PyDoc_STRVAR(unary_doc, "unary(method, request, timeout_ms=0)\n--\n\n"
                        "Make a call of one message each way; return the answer as a Message.\n"
                        "Raises RpcError(code, message, details).");

static PyObject *
channel_unary(PyObject *self, PyObject *args)
{
    nb_grpc_state *state = PyType_GetModuleState(Py_TYPE(self));
    nb_rpc_status status = NB_RPC_STATUS_INIT;
    nb_error err = NB_ERROR_INIT;
    nb_rpc_options o = NB_RPC_OPTIONS_INIT;
    nb_rpc_message *answer = NULL;
    nb_grpc_wait wait = {NULL, false};
    nb_rpc_channel *channel;
    nb_rpc_piece request;
    const char *method;
    long long timeout = 0;
    Py_buffer view;
    nb_status st;

    if (!PyArg_ParseTuple(args, "sy*|L", &method, &view, &timeout)) {
        return NULL;
    }
    channel = open_channel(self);
    if (channel == NULL) {
        PyBuffer_Release(&view);
        return NULL;
    }
    request = NB_RPC_PIECE(view_text(&view));
    o.deadline_ms = timeout;
    o.stop = nb_grpc_signals;
    o.payload = &wait;
    wait.thread = PyEval_SaveThread();
    st = nb_rpc_unary(channel, method, &request, &o, &answer, &status, &err);
    nb_rpc_channel_release(channel);
    PyEval_RestoreThread(wait.thread);
    PyBuffer_Release(&view);
    if (st < 0 || wait.raised) {
        nb_rpc_message_free(answer);
        return nb_grpc_raise(state, st, &status, &err);
    }
    return nb_grpc_message_new(state, answer, NULL, 0, NULL);
}

PyDoc_STRVAR(post_doc, "post(method, request, timeout_ms)\n--\n\n"
                       "Send a message and forget about the answer; failures are dropped.");

static PyObject *
channel_post(PyObject *self, PyObject *args)
{
    nb_rpc_channel *channel;
    const char *method;
    long long timeout;
    Py_buffer view;

    if (!PyArg_ParseTuple(args, "sy*L", &method, &view, &timeout)) {
        return NULL;
    }
    channel = open_channel(self);
    if (channel != NULL) {
        Py_BEGIN_ALLOW_THREADS
        nb_rpc_post(channel, method, view_text(&view), timeout);
        nb_rpc_channel_release(channel);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&view);
    if (channel == NULL) {
        return NULL;
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(stream_doc, "stream(method, request, timeout_ms=0, align=())\n--\n\n"
                         "Make a call of one message out and many in; return a Stream.\n"
                         "align: the numbers of the fields on the way to bytes inside of the\n"
                         "answers that shall begin at a multiple of 64.");

static PyObject *
channel_stream(PyObject *self, PyObject *args)
{
    nb_grpc_state *state = PyType_GetModuleState(Py_TYPE(self));
    nb_rpc_status status = NB_RPC_STATUS_INIT;
    nb_error err = NB_ERROR_INIT;
    nb_rpc_options o = NB_RPC_OPTIONS_INIT;
    int align[NB_GRPC_MAX_ALIGN], n_align = 0;
    PyObject *path = NULL, *out = NULL;
    nb_rpc_stream **place = NULL;
    nb_rpc_channel *channel;
    nb_rpc_piece request;
    nb_grpc_wait *wait = NULL;
    const char *method;
    long long timeout = 0;
    Py_buffer view;
    nb_status st;

    if (!PyArg_ParseTuple(args, "sy*|LO!", &method, &view, &timeout, &PyTuple_Type, &path)) {
        return NULL;
    }
    channel = open_channel(self);
    if (channel == NULL) {
        goto done;
    }
    for (Py_ssize_t i = 0; path != NULL && i < PyTuple_GET_SIZE(path) && i < NB_GRPC_MAX_ALIGN;
         i++) {
        align[n_align++] = (int)PyLong_AsLong(PyTuple_GET_ITEM(path, i));
    }
    if (PyErr_Occurred() ||
        (out = nb_grpc_stream_new(state, align, n_align, &place, &wait)) == NULL) {
        goto done;
    }
    request = NB_RPC_PIECE(view_text(&view));
    o.deadline_ms = timeout;
    o.stop = nb_grpc_signals;
    o.payload = wait;
    wait->thread = PyEval_SaveThread();
    st = nb_rpc_open(channel, method, &request, true, &o, place, &err);
    PyEval_RestoreThread(wait->thread);
    if (st < 0) {
        Py_CLEAR(out);
        nb_grpc_raise(state, st, &status, &err);
    }
done:
    PyBuffer_Release(&view);
    Py_BEGIN_ALLOW_THREADS
    nb_rpc_channel_release(channel);
    Py_END_ALLOW_THREADS
    return out;
}

PyDoc_STRVAR(upload_doc, "upload(method, requests, timeout_ms=0)\n--\n\n"
                         "Make a call of many messages out, taken from an iterable, and one in.");

static PyObject *
channel_upload(PyObject *self, PyObject *args)
{
    nb_grpc_state *state = PyType_GetModuleState(Py_TYPE(self));
    nb_rpc_status status = NB_RPC_STATUS_INIT;
    nb_error err = NB_ERROR_INIT;
    nb_rpc_options o = NB_RPC_OPTIONS_INIT;
    nb_grpc_wait wait = {NULL, false};
    PyObject *requests, *iterator, *item, *out = NULL;
    nb_rpc_message *answer = NULL;
    nb_rpc_stream *stream = NULL;
    nb_rpc_channel *channel;
    const char *method;
    long long timeout = 0;
    nb_status st;

    if (!PyArg_ParseTuple(args, "sO|L", &method, &requests, &timeout) ||
        (iterator = PyObject_GetIter(requests)) == NULL) {
        return NULL;
    }
    channel = open_channel(self);
    if (channel == NULL) {
        Py_DECREF(iterator);
        return NULL;
    }
    o.deadline_ms = timeout;
    o.stop = nb_grpc_signals;
    o.payload = &wait;
    wait.thread = PyEval_SaveThread();
    st = nb_rpc_open(channel, method, NULL, false, &o, &stream, &err);
    PyEval_RestoreThread(wait.thread);
    while (st == NB_OK && !wait.raised && (item = PyIter_Next(iterator)) != NULL) {
        nb_rpc_piece bytes;
        Py_buffer view;
        if (PyObject_GetBuffer(item, &view, PyBUF_SIMPLE) == 0) {
            bytes = NB_RPC_PIECE(view_text(&view));
            wait.thread = PyEval_SaveThread();
            st = nb_rpc_send(stream, &bytes, &err);
            PyEval_RestoreThread(wait.thread);
            PyBuffer_Release(&view);
        }
        Py_DECREF(item);
        if (PyErr_Occurred()) {
            break;
        }
    }
    if (st >= 0 && !PyErr_Occurred()) {
        /* Also when the server would take no more: it says why at the end. */
        wait.thread = PyEval_SaveThread();
        if (st == NB_OK) {
            nb_rpc_send_end(stream);
        }
        st = nb_rpc_receive(stream, &answer, &status, &err);
        if (st == NB_OK) {
            nb_rpc_message *more = NULL;
            st = nb_rpc_receive(stream, &more, &status, &err);
            nb_rpc_message_free(more);
        }
        PyEval_RestoreThread(wait.thread);
    }
    if (st < 0 || PyErr_Occurred() || answer == NULL) {
        nb_rpc_message_free(answer);
        nb_grpc_raise(state, st, &status, &err);
    } else {
        out = nb_grpc_message_new(state, answer, NULL, 0, NULL);
    }
    wait.raised = true; /* no signal handlers while it ends */
    Py_BEGIN_ALLOW_THREADS
    nb_rpc_close(stream);
    nb_rpc_channel_release(channel);
    Py_END_ALLOW_THREADS
    Py_DECREF(iterator);
    return out;
}

PyDoc_STRVAR(close_doc, "close()\n--\n\nEnd all calls; posted messages get a moment to leave.");

static PyObject *
channel_close(PyObject *self, PyObject *none)
{
    nb_rpc_channel *channel = ((channel_object *)self)->channel;

    ((channel_object *)self)->channel = NULL;
    if (channel != NULL) {
        Py_BEGIN_ALLOW_THREADS
        nb_rpc_channel_shutdown(channel);
        nb_rpc_channel_release(channel);
        Py_END_ALLOW_THREADS
    }
    Py_RETURN_NONE;
}

static void
channel_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    nb_rpc_channel *channel = ((channel_object *)self)->channel;

    Py_BEGIN_ALLOW_THREADS
    nb_rpc_channel_release(channel);
    Py_END_ALLOW_THREADS
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef channel_methods[] = {
    {"unary", channel_unary, METH_VARARGS, unary_doc},
    {"post", channel_post, METH_VARARGS, post_doc},
    {"stream", channel_stream, METH_VARARGS, stream_doc},
    {"upload", channel_upload, METH_VARARGS, upload_doc},
    {"close", channel_close, METH_NOARGS, close_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot channel_slots[] = {
    {Py_tp_doc, (void *)channel_doc},
    {Py_tp_new, (void *)channel_new},
    {Py_tp_dealloc, (void *)channel_dealloc},
    {Py_tp_methods, channel_methods},
    {0, NULL},
};

static PyType_Spec channel_spec = {
    .name = "nbaspark._grpc.Channel",
    .basicsize = sizeof(channel_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = channel_slots,
};

int
nb_grpc_channel_exec(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &channel_spec, NULL);
    int r = type ? PyModule_AddObjectRef(module, "Channel", type) : -1;

    Py_XDECREF(type);
    return r;
}
