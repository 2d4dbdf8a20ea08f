/* SPDX-License-Identifier: Apache-2.0 */
/*
 * function_options.h: what from_json, from_csv and their kin share: options in a map, a constant text, bad records.
 *
 * These functions are rows of expr/functions like all others; their binders live here in io/ because readers and writers of files do the work.
 */
#ifndef NB_IO_FUNCTION_OPTIONS_H
#define NB_IO_FUNCTION_OPTIONS_H

#include "expr/binders.h"
#include "io/format.h"

/* "name(first argument)": Spark shows no schema and no options. */
const char *nb_function_sql(nb_bound_call *call);
/* The constant map of strings at `arg`, if there is such an argument, as options in the call's arena. */
nb_status
nb_function_options(nb_bound_call *call, int arg, const nb_option **out, int *n, nb_error *err);
/* Makes sure that the first argument is a string. */
nb_status nb_function_input(nb_bound_call *call, nb_error *err);
/* The first argument, a constant text; `what` is its name in messages. */
nb_status nb_function_text(nb_bound_call *call, const char *what, nb_str *text, nb_error *err);
/* DROPMALFORMED makes no sense for a function. */
nb_status nb_function_mode(nb_bound_call *call, nb_parse_mode mode, nb_error *err);

/* FAILFAST: "[1,null]", the row of a struct as far as it could be read; "[null]" for other types. */
nb_status nb_function_bad_record(nb_kernel_ctx *ctx, const nb_vector *rows, int64_t row);

#endif
