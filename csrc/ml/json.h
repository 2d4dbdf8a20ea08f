/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h: the JSON of saved models: strict, nested at most a few levels, decoded into the arena.
 */
#ifndef NB_ML_JSON_H
#define NB_ML_JSON_H

#include "base/arena.h"
#include "base/str.h"

typedef enum nb_json_kind {
    NB_JSON_NULL,
    NB_JSON_BOOL,
    NB_JSON_NUMBER, /* text as written, and as a double */
    NB_JSON_STRING,
    NB_JSON_ARRAY,
    NB_JSON_OBJECT, /* keys[i]: items[i] */
} nb_json_kind;

typedef struct nb_json nb_json;
struct nb_json {
    nb_json_kind kind;
    bool boolean;
    double number;
    nb_str text;
    int n;
    nb_str *keys;
    nb_json *items;
};

/* NB_ERROR when the text is not JSON (nothing is raised). */
nb_status nb_json_parse(nb_arena *arena, nb_str text, nb_json *out);
const nb_json *nb_json_get(const nb_json *object, const char *key); /* NULL when absent */
void nb_json_add_string(nb_strbuf *out, nb_str s);

/* Removes a directory with all below it, or a file; 0, or -1 with errno. */
int nb_tree_remove(const char *path);

#endif
