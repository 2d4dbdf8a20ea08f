/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glob.h: Hadoop's path patterns: * ? [a-z] [^a] {x,y} and \ before a character that stands for itself.
 *
 * A pattern never matches across '/'. Braces are expanded first (they may hold a '/'), so that the matcher sees one name at a time.
 */
#ifndef NB_IO_GLOB_H
#define NB_IO_GLOB_H

#include <stdbool.h>
#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

bool nb_glob_is_pattern(nb_str text); /* holds one of { } [ ] * ? \ */
/* Raises where Hadoop refuses a pattern: a class or group that is not closed, an escape of nothing. */
nb_status nb_glob_check(nb_str pattern, nb_error *err);
bool nb_glob_match(nb_str pattern, nb_str name);

typedef struct nb_str_list {
    nb_str *items;
    int n, cap;
} nb_str_list;

/* Appends to a list in the arena; NB_NOMEM when out of memory. */
nb_status nb_str_list_add(nb_arena *arena, nb_str_list *list, nb_str item);
/* The alternatives of a pattern with braces; the pattern itself when it has none. At most 10,000; more are cut off by NB_NOMEM. */
nb_status nb_glob_expand(nb_arena *arena, nb_str pattern, nb_str_list *out);

#endif
