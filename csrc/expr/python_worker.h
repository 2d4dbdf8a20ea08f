/* SPDX-License-Identifier: Apache-2.0 */
/*
 * python_worker.h: processes that run users' functions in Python.
 *
 * A function that crashes, exits, loops or eats memory takes its process along, and nothing else. A process is started when a call finds
 * none idle, and kept for later calls. Any thread may call. The other side is nbaspark/worker.py.
 */
#ifndef NB_EXPR_PYTHON_WORKER_H
#define NB_EXPR_PYTHON_WORKER_H

#include "base/buffer.h"
#include "base/cancel.h"
#include "base/error.h"
#include "base/str.h"

typedef struct nb_python_function {
    const char *name;   /* for errors */
    const char *python; /* executable: a path, or a name that PATH finds */
    const char *memory; /* bytes that a process may have, as digits; "0": no bound */
    nb_str owner;       /* the user, who shares processes with nobody */
    nb_str definition;  /* a packed spark.connect.PythonUDF */
    nb_str
        settings; /* of the session, "key=value" in lines: what functions over pandas and Arrow look at */
    uint64_t id; /* hash of both: a process that has them need not get them again */
} nb_python_function;

/* Rows of arguments, as an Arrow IPC stream, to rows of one column of results in the same form. Raises PYTHON_EXCEPTION with the traceback,
 * or PYTHON_WORKER_EXITED when the process has come to an end. no_arguments: only the number of rows counts. */
nb_status nb_python_call(const nb_python_function *f, nb_str rows, bool no_arguments, nb_pool *pool,
                         const nb_cancel_flag *cancel, nb_buffer **out, nb_error *err);

#endif
