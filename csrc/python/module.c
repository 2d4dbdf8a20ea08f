/* SPDX-License-Identifier: Apache-2.0 */
/*
 * module.c: the extension module nbaspark._core.
 *
 * Multi-phase initialisation; types are heap types and live in the module's state. A file of this
 * folder brings its functions as a PyMethodDef table and its types by an `…_register` function;
 * both are listed in module.h.
 */
#include "python/module.h"

static int
core_exec(PyObject *module)
{
    return PyModule_AddStringConstant(module, "__version__", NB_VERSION);
}

static PyModuleDef_Slot core_slots[] = {
    {Py_mod_exec, core_exec},
    {0, NULL},
};

static struct PyModuleDef core_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "nbaspark._core",
    .m_doc = PyDoc_STR("The engine of nbaspark."),
    .m_size = 0,
    .m_slots = core_slots,
};

PyMODINIT_FUNC PyInit__core(void);

PyMODINIT_FUNC
PyInit__core(void)
{
    return PyModuleDef_Init(&core_def);
}
