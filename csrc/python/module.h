/* SPDX-License-Identifier: Apache-2.0 */
/* module.h: what the files of nbaspark._core share. */
#ifndef NB_PYTHON_MODULE_H
#define NB_PYTHON_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#endif
