/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls.c: waiting without the GIL, and errors.
 */
#include "python/grpc/module.h"

bool
nb_grpc_signals(void *payload)
{
    nb_grpc_wait *wait = payload;

    if (!wait->raised) {
        PyEval_RestoreThread(wait->thread);
        wait->raised = PyErr_CheckSignals() < 0;
        wait->thread = PyEval_SaveThread();
    }
    return wait->raised;
}

PyObject *
nb_grpc_raise(nb_grpc_state *state, nb_status st, nb_rpc_status *status, nb_error *err)
{
    PyObject *args;

    if (PyErr_Occurred()) {
        /* a signal's handler has raised */
    } else if (st == NB_NOMEM) {
        PyErr_NoMemory();
    } else {
        /* No status: the call did not begin. */
        bool begun = status->code != NB_RPC_OK;
        const char *text = begun && status->message.data ? status->message.data
                           : st == NB_CANCELLED          ? "the call was cancelled"
                                                         : nb_error_message(err);
        args = Py_BuildValue("(iNy#)",
                             begun                ? (int)status->code
                             : st == NB_CANCELLED ? (int)NB_RPC_CANCELLED
                                                  : (int)NB_RPC_FAILED_PRECONDITION,
                             PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace"),
                             status->details.data ? status->details.data : "",
                             (Py_ssize_t)status->details.len);
        if (args != NULL) {
            PyErr_SetObject(state->error, args);
            Py_DECREF(args);
        }
    }
    nb_rpc_status_clear(status);
    nb_error_clear(err);
    return NULL;
}
