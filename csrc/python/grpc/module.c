/* SPDX-License-Identifier: Apache-2.0 */
/*
 * module.c: the extension module nbaspark._grpc.
 */
#include "python/grpc/module.h"

#include "rpc/retry.h"

PyDoc_STRVAR(
    retry_pause_doc,
    "retry_pause(tries, code, details, message)\n--\n\n"
    "Milliseconds to wait before making a failed call again, or -1 if that would be of no\n"
    "use. tries: how often it has failed.");

static PyObject *
retry_pause(PyObject *module, PyObject *args)
{
    nb_rpc_status status = NB_RPC_STATUS_INIT;
    nb_rpc_retry_policy policy = NB_RPC_RETRY_DEFAULT;
    const char *details, *message;
    Py_ssize_t n_details, n_message;
    int tries, code;
    int64_t pause;

    if (!PyArg_ParseTuple(args, "iiy#s#", &tries, &code, &details, &n_details, &message,
                          &n_message)) {
        return NULL;
    }
    status.code = (nb_rpc_code)code;
    nb_strbuf_add(&status.details, (nb_str){details, (size_t)n_details});
    nb_strbuf_add(&status.message, (nb_str){message, (size_t)n_message});
    pause = nb_rpc_retry_pause(&policy, tries, &status);
    nb_rpc_status_clear(&status);
    return PyLong_FromLongLong(pause);
}

static PyMethodDef functions[] = {
    {"retry_pause", retry_pause, METH_VARARGS, retry_pause_doc},
    {NULL, NULL, 0, NULL},
};

static int
grpc_exec(PyObject *module)
{
    nb_grpc_state *state = PyModule_GetState(module);

    state->pool = nb_pool_new(NULL, "grpc", 0);
    state->error = PyErr_NewExceptionWithDoc(
        "nbaspark._grpc.RpcError", "A call failed: (code, message, details).", NULL, NULL);
    if (state->pool == NULL || state->error == NULL) {
        return state->error ? -1 : (PyErr_NoMemory(), -1);
    }
    if (PyModule_AddObjectRef(module, "RpcError", state->error) < 0 ||
        nb_grpc_message_exec(module) < 0 || nb_grpc_stream_exec(module) < 0 ||
        nb_grpc_channel_exec(module) < 0) {
        return -1;
    }
    return PyModule_AddFunctions(module, functions);
}

static void
grpc_free(void *module)
{
    nb_grpc_state *state = PyModule_GetState((PyObject *)module);

    if (state != NULL) {
        Py_CLEAR(state->error);
        Py_CLEAR(state->message_type);
        Py_CLEAR(state->stream_type);
    }
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)grpc_exec},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "nbaspark._grpc",
    .m_doc = PyDoc_STR("Calls over gRPC: bytes in, bytes out."),
    .m_size = sizeof(nb_grpc_state),
    .m_slots = slots,
    .m_free = grpc_free,
};

PyMODINIT_FUNC PyInit__grpc(void);

PyMODINIT_FUNC
PyInit__grpc(void)
{
    return PyModuleDef_Init(&definition);
}
