/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h: what _core.Session and _core.Result share.
 */
#ifndef NB_PYTHON_SESSION_H
#define NB_PYTHON_SESSION_H

#include "connect/session.h"
#include "python/module.h"

/* An engine session with a count: the Session object and every result that is still in somebody's hands (rows, arrays, Arrow
 * streams) have one each, so that memory charged to the session's pools outlives close(). */
typedef struct nb_session_handle {
    int64_t refs;
    nb_session *session; /* owned */
} nb_session_handle;

nb_session_handle *nb_session_handle_ref(nb_session_handle *handle);
void nb_session_handle_unref(
    nb_session_handle *handle); /* NULL is fine; any thread, with or without the GIL */

/* result.c: a new _core.Result; result is moved. */
PyObject *
nb_result_object_new(nb_module_state *state, nb_session_handle *handle, nb_result *result);
int nb_result_exec(PyObject *module);

int nb_session_exec(PyObject *module);

#endif
