/* SPDX-License-Identifier: Apache-2.0 */
/* errors.h: from the engine's errors to Python's exceptions. */
#ifndef NB_PYTHON_ERRORS_H
#define NB_PYTHON_ERRORS_H

#include "python/module.h"

/* Raises what a failed call left behind and clears err; needs the GIL.
 *
 * status  of the failed call: NB_ERROR, NB_NOMEM or NB_CANCELLED
 * err     filled by the call, or empty where the status says enough; may be NULL
 * return  NULL always, so that a method can end with `return nb_raise_python(st, &err);`
 *
 * An exception that is set already (KeyboardInterrupt, a fault of a callback) is the cause and stays.
 */
PyObject *nb_raise_python(nb_status status, nb_error *err);

#endif
