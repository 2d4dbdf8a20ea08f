/* SPDX-License-Identifier: Apache-2.0 */
/*
 * module.c: the extension module nbaspark._core.
 *
 * Multi-phase initialisation; types are heap types and live in the module's state.
 */
#include "python/module.h"

#include "python/session.h"
#include "python/table.h"

/* Each file's functions. */
static PyMethodDef *const method_tables[] = {
    nb_message_pack_methods,
    nb_message_unpack_methods,
    nb_rows_in_methods,
};

/* Each file's types and state, in this order. */
static int (*const execs[])(PyObject *module) = {
    nb_message_exec,
    nb_table_exec,
    nb_result_exec,
    nb_session_exec,
};

static int
core_exec(PyObject *module)
{
    for (size_t i = 0; i < NB_COUNT_OF(execs); i++) {
        if (execs[i](module) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < NB_COUNT_OF(method_tables); i++) {
        if (PyModule_AddFunctions(module, method_tables[i]) < 0) {
            return -1;
        }
    }
    return PyModule_AddStringConstant(module, "__version__", NB_VERSION);
}

static void
core_free(void *module)
{
    nb_module_state *state = nb_module_get_state((PyObject *)module);

    if (state != NULL) {
        nb_message_clear(state);
        Py_CLEAR(state->table_type);
        Py_CLEAR(state->result_type);
    }
}

static PyModuleDef_Slot core_slots[] = {
    {Py_mod_exec, (void *)core_exec},
    {0, NULL},
};

static struct PyModuleDef core_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "nbaspark._core",
    .m_doc = PyDoc_STR("The engine of nbaspark."),
    .m_size = sizeof(nb_module_state),
    .m_slots = core_slots,
    .m_free = core_free,
};

PyMODINIT_FUNC PyInit__core(void);

PyMODINIT_FUNC
PyInit__core(void)
{
    return PyModuleDef_Init(&core_def);
}
