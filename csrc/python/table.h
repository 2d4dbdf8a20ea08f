/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h: tables in Python's hands, and how rows, arrays and streams are made from them and into them.
 */
#ifndef NB_PYTHON_TABLE_H
#define NB_PYTHON_TABLE_H

#include "python/module.h"

#include "column/table.h"

/* A table together with what its memory is charged to. Shared by Python objects, exported Arrow arrays and NumPy arrays; any
 * thread may give a reference back, with or without the GIL. */
typedef struct nb_held_table {
    int64_t refs;
    nb_table *table; /* owned */
    void *owner;     /* released after the table; NULL = nothing */
    void (*release)(void *owner);
} nb_held_table;

/* Takes the reference to table; owner is moved. NULL with MemoryError (then both stay the caller's). */
nb_held_table *nb_held_table_new(nb_table *table, void *owner, void (*release)(void *owner));
nb_held_table *nb_held_table_ref(nb_held_table *held);
void nb_held_table_unref(void *held); /* NULL is fine */

/* The memory of tables that Python makes; lives as long as the process. NULL with MemoryError. */
nb_pool *nb_python_pool(void);

/* table.c: what Table and Result share. New references. */
PyObject *nb_held_schema(nb_held_table *held);
PyObject *nb_held_stream(nb_held_table *held, PyObject *requested, nb_str time_zone);
/* The table of a _core.Table; NULL with TypeError. Borrowed. */
nb_held_table *nb_table_object_held(nb_module_state *state, PyObject *object);
PyObject *nb_table_object_new(nb_module_state *state, nb_held_table *held); /* held is moved */
int nb_table_exec(PyObject *module);

/* rows_in.c: rows (a sequence) of a schema. NULL with an exception. strict: only the classes that PySpark's verifier takes. */
nb_table *nb_table_from_rows(const nb_type *schema, PyObject *rows, bool strict);

extern PyMethodDef nb_rows_in_methods[];

/* rows_out.c: a list of rows.
 *
 * factory  a subclass of tuple (allocated directly, field names in its attribute __fields__), None (plain tuples), or a
 *          callable that takes field names and values
 * udt      callable (python_class, jvm_class, serialized_class) → object with deserialize(), or None
 */
PyObject *nb_held_rows(nb_held_table *held, PyObject *factory, PyObject *udt);
/* Rows of one column as a list of Python values. */
PyObject *nb_held_column_list(nb_held_table *held, int column, PyObject *factory, PyObject *udt);

/* numpy.c: a column as an ndarray, by reference where it can be; arrays as the columns of a table. */
PyObject *nb_held_column_numpy(nb_held_table *held, int column, PyObject *factory, PyObject *udt);
nb_table *nb_table_from_numpy(PyObject *columns, bool nan_as_null);

/* time_zone.c: the zone of this process, by which datetimes without zone are read and written, as in PySpark. */
int64_t nb_local_to_utc(int64_t local_us, int fold);
int64_t nb_utc_to_local(int64_t utc_us);

/* Civil dates. */

#endif
