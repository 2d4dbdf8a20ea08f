/* SPDX-License-Identifier: Apache-2.0 */
/*
 * properties.h: files of properties, as java.util.Properties reads them and Spark trims their values (spark-defaults.conf).
 *
 * "key value", "key=value" or "key: value"; # or ! begins a comment; a line that ends in an odd number of backslashes goes on in the next;
 * \t \n \r \f \uXXXX are characters, a backslash before another one stands for nothing.
 */
#ifndef NB_BASE_PROPERTIES_H
#define NB_BASE_PROPERTIES_H

#include <stdio.h>
#include "base/str.h"

typedef struct nb_properties {
    FILE *file; /* borrowed */
    char *line;
    size_t cap;
    nb_strbuf logical, key, value;
} nb_properties;

/* The next property, in force until the next call. NB_DONE: there is none. */
nb_status nb_properties_next(nb_properties *p, nb_str *key, nb_str *value);
void nb_properties_free(nb_properties *p);

#endif
