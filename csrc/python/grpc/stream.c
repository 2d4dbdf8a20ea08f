/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.c: _grpc.Stream: the answers of a call, as an iterator of messages.
 *
 * One thread iterates; any may cancel. The thread that iterates holds a reference of its own to the C stream while it waits, so that close()
 * on another thread only cancels, and whoever comes last frees it.
 */
#include "python/grpc/module.h"

typedef struct stream_object {
    PyObject_HEAD
    nb_rpc_stream *stream; /* NULL once closed */
    nb_grpc_wait wait;     /* payload of the stream's `stop` */
    bool waiting;          /* a thread is in nb_rpc_receive */
    bool closing;          /* it shall close the stream when it comes back */
    int align[NB_GRPC_MAX_ALIGN];
    int n_align;
    nb_grpc_slab slab;
} stream_object;

PyObject *
nb_grpc_stream_new(nb_grpc_state *state, const int *align, int n_align, nb_rpc_stream ***place,
                   nb_grpc_wait **wait)
{
    PyTypeObject *type = (PyTypeObject *)state->stream_type;
    stream_object *self = (stream_object *)type->tp_alloc(type, 0);

    if (self != NULL) {
        self->n_align = n_align;
        memcpy(self->align, align, (size_t)n_align * sizeof(*align));
        *place = &self->stream;
        *wait = &self->wait;
    }
    return (PyObject *)self;
}

/* With the GIL, and no thread inside. */
static void
close_stream(stream_object *s)
{
    nb_rpc_stream *stream = s->stream;

    nb_buffer_release(s->slab.buffer);
    s->slab.buffer = NULL;
    s->stream = NULL;
    s->wait.raised = true; /* no signal handlers while it ends */
    Py_BEGIN_ALLOW_THREADS
    nb_rpc_close(stream);
    Py_END_ALLOW_THREADS
}

static PyObject *
stream_next(PyObject *self)
{
    nb_grpc_state *state = PyType_GetModuleState(Py_TYPE(self));
    stream_object *s = (stream_object *)self;
    nb_rpc_status status = NB_RPC_STATUS_INIT;
    nb_error err = NB_ERROR_INIT;
    nb_rpc_message *message = NULL;
    nb_status st;

    if (s->waiting) {
        PyErr_SetString(PyExc_ValueError, "another thread waits for this stream");
        return NULL;
    }
    if (s->stream == NULL) {
        return NULL; /* StopIteration */
    }
    s->waiting = true;
    s->wait = (nb_grpc_wait){.thread = PyEval_SaveThread()};
    st = nb_rpc_receive(s->stream, &message, &status, &err);
    PyEval_RestoreThread(s->wait.thread);
    s->waiting = false;
    if (st == NB_OK && !s->closing && !s->wait.raised) {
        return nb_grpc_message_new(state, message, s->align, s->n_align, &s->slab);
    }
    nb_rpc_message_free(message);
    close_stream(s);
    if (st < 0 || PyErr_Occurred()) {
        return nb_grpc_raise(state, st, &status, &err);
    }
    return NULL;
}

static PyObject *
stream_close(PyObject *self, PyObject *none)
{
    stream_object *s = (stream_object *)self;

    if (s->stream != NULL && s->waiting) {
        s->closing = true;
        nb_rpc_cancel(s->stream);
    } else if (s->stream != NULL) {
        close_stream(s);
    }
    Py_RETURN_NONE;
}

static void
stream_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    close_stream((stream_object *)self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef stream_methods[] = {
    {"close", stream_close, METH_NOARGS, PyDoc_STR("End the call; from any thread.")},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot stream_slots[] = {
    {Py_tp_doc, (void *)"The answers of a call, one Message after the other."},
    {Py_tp_dealloc, (void *)stream_dealloc},
    {Py_tp_iter, (void *)PyObject_SelfIter},
    {Py_tp_iternext, (void *)stream_next},
    {Py_tp_methods, stream_methods},
    {0, NULL},
};

static PyType_Spec stream_spec = {
    .name = "nbaspark._grpc.Stream",
    .basicsize = sizeof(stream_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = stream_slots,
};

int
nb_grpc_stream_exec(PyObject *module)
{
    nb_grpc_state *state = PyModule_GetState(module);

    state->stream_type = PyType_FromModuleAndSpec(module, &stream_spec, NULL);
    return state->stream_type ? PyModule_AddObjectRef(module, "Stream", state->stream_type) : -1;
}
