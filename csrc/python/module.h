/* SPDX-License-Identifier: Apache-2.0 */
/*
 * module.h: what the files of nbaspark._core share: the module's state and the functions they bring.
 *
 * To add a file: give it a PyMethodDef table (ended by a NULL name) and, if it has types or state, a
 * `…_exec(PyObject *module)`; declare them here and name them in module.c.
 */
#ifndef NB_PYTHON_MODULE_H
#define NB_PYTHON_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "base/error.h"

typedef struct nb_message_cache nb_message_cache;

/* One per module object; nothing that belongs to Python is kept in a global. */
typedef struct nb_module_state {
    nb_message_cache *messages; /* names of message fields already looked up; owned */
    PyObject *table_type;       /* table.c; owned */
    PyObject *result_type;      /* result.c; owned */
} nb_module_state;

static inline nb_module_state *
nb_module_get_state(PyObject *module)
{
    return (nb_module_state *)PyModule_GetState(module);
}

/* message_pack.c and message_unpack.c */
extern PyMethodDef nb_message_pack_methods[];
extern PyMethodDef nb_message_unpack_methods[];
int nb_message_exec(PyObject *module);
void nb_message_clear(nb_module_state *state);

#endif
