/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalog_functions.c: spark.catalog about functions. They are built in, or the session's own in Python: in no database, and without a class.
 */
#include <stdlib.h>

#include "connect/describe.h"
#include "connect/tables.h"
#include "plan/analyzer_internal.h"

typedef struct found {
    nb_str name;
    const char *help;
} found;

/* All names of a row. */
static nb_status
add_names(nb_arena *arena, found **list, int *n, int *cap, const char *names, const char *help)
{
    nb_str name;

    while (nb_next_name(&names, &name)) {
        *list = nb_arena_grow(arena, *list, *n, cap, sizeof **list);
        NB_NEED(*list);
        (*list)[(*n)++] = (found){name, help};
    }
    return NB_OK;
}

static int
by_name(const void *a, const void *b)
{
    return nb_str_compare(((const found *)a)->name, ((const found *)b)->name);
}

static nb_status
answer(nb_query *q, const found *list, int n, nb_table **out)
{
    nb_str *columns[5];
    bool *temporary = NB_ARENA_ARRAY(q->arena, bool, n + 1);

    for (int c = 0; c < 5; c++) {
        columns[c] = NB_ARENA_ARRAY(q->arena, nb_str, n + 1);
        NB_NEED(columns[c]);
    }
    NB_NEED(temporary);
    for (int i = 0; i < n; i++) {
        columns[0][i] = list[i].name;
        columns[3][i] = list[i].help ? nb_str_of(list[i].help) : (nb_str){NULL, 0};
        columns[1][i] = columns[2][i] = columns[4][i] = (nb_str){NULL, 0};
        temporary[i] = true;
    }
    return nb_query_answer(q,
                           (nb_answer_column[]){{"name", columns[0], NULL},
                                                {"catalog", columns[1], NULL},
                                                {"namespace", columns[2], NULL},
                                                {"description", columns[3], NULL},
                                                {"className", columns[4], NULL},
                                                {"isTemporary", NULL, temporary}},
                           6, n, out);
}

/* What a registered function has for help, as in Spark. */
static const char of_user[] = "N/A.";

static nb_status
registered(nb_query *q, nb_str name, found *out)
{
    *out = (found){nb_arena_lower(q->arena, name), of_user};
    return out->name.data ? NB_OK : NB_NOMEM;
}

/* Those that fit the pattern, each once, by name. */
static nb_status
known(nb_query *q, nb_str pattern, found **out, int *n_out)
{
    found *list = NULL;
    int n = 0, cap = 0, kept = 0, n_own;
    nb_str *own;

    for (int i = 0; nb_function_at(i); i++) {
        if (nb_function_at(i)->flags & (NB_FN_UNNAMED | NB_FN_NO_SQL)) {
            continue;
        }
        NB_TRY(add_names(q->arena, &list, &n, &cap, nb_function_at(i)->names,
                         nb_function_at(i)->help));
    }
    for (int i = 0; nb_aggregate_at(i); i++) {
        if (nb_aggregate_at(i)->flags & NB_AGG_NO_SQL) {
            continue;
        }
        NB_TRY(add_names(q->arena, &list, &n, &cap, nb_aggregate_at(i)->names,
                         nb_aggregate_at(i)->help));
    }
    for (int i = 0; nb_generator_name(i); i++) {
        NB_TRY(add_names(q->arena, &list, &n, &cap, nb_generator_name(i),
                         nb_generator_help(nb_str_of(nb_generator_name(i)))));
    }
    NB_TRY(nb_catalog_function_names(q->session->catalog, q->arena, &own, &n_own));
    for (int i = 0; i < n_own; i++) {
        list = nb_arena_grow(q->arena, list, n, &cap, sizeof *list);
        NB_NEED(list);
        NB_TRY(registered(q, own[i], &list[n]));
        n++;
    }
    qsort(list, (size_t)n, sizeof *list, by_name);
    for (int i = 0; i < n; i++) {
        bool again = kept > 0 && nb_str_equal(list[kept - 1].name, list[i].name);
        bool inner = nb_str_starts_with(list[i].name, NB_STR("nb_")); /* what others are made of */

        if (!again && !inner && nb_name_fits(q->arena, pattern, list[i].name)) {
            list[kept++] = list[i];
        }
    }
    *out = list;
    *n_out = kept;
    return NB_OK;
}

nb_status
nb_catalog_list_functions(nb_query *q, nb_str pattern, nb_table **out)
{
    found *list;
    int n;

    NB_TRY(known(q, pattern, &list, &n));
    return answer(q, list, n, out);
}

nb_status
nb_show_functions(nb_query *q, const nb_sql_statement *s, nb_table **out)
{
    static const char *const names[] = {"function"};
    nb_str *cells;
    found *list;
    int n, shown = 0;

    NB_TRY(known(q, s->pattern, &list, &n));
    cells = NB_ARENA_ARRAY(q->arena, nb_str, n + 1);
    NB_NEED(cells);
    for (int i = 0; i < n; i++) {
        if (list[i].help == of_user || !nb_str_equal_nocase(s->value, NB_STR("USER"))) {
            cells[shown++] = list[i].name;
        }
    }
    return nb_table_of_texts(q->pool, names, 1, cells, shown, out);
}

/* Looks a name up as SQL would. *out name NULL: there is no such function. */
static nb_status
find(nb_query *q, nb_str text, found *out, nb_str **parts, size_t *n, nb_error *err)
{
    nb_str name;
    bool built_in;

    NB_TRY(nb_sql_parse_identifier(q->arena, text, parts, n, err));
    name = (*parts)[*n - 1];
    built_in = *n == 1 || (*n == 3 && nb_str_equal_nocase((*parts)[0], NB_STR("system")) &&
                           nb_str_equal_nocase((*parts)[1], NB_STR("builtin")));
    if (*n > 2 && !built_in &&
        (*n > 3 || !nb_str_equal_nocase((*parts)[0], NB_STR("spark_catalog")))) {
        char *quoted;

        NB_TRY(nb_backquote(q->analyzer, *parts, (int)*n, &quoted));
        return nb_raise(err, NB_COND_REQUIRES_SINGLE_PART_NAMESPACE, "sessionCatalog",
                        "spark_catalog", "identifier", quoted, NULL);
    }
    *out = (found){{NULL, 0}, NULL};
    if (built_in) {
        const nb_function *f = nb_function_find(name);
        const nb_aggregate *a = f ? NULL : nb_aggregate_find(name);

        if (f || a || nb_is_generator(name)) {
            *out = (found){name, f ? f->help : a ? a->help : nb_generator_help(name)};
        } else if (*n == 1) {
            nb_str own;

            if (nb_catalog_function(q->session->catalog, name, &own).len > 0) {
                NB_TRY(registered(q, own, out));
            }
        }
    }
    return NB_OK;
}

nb_status
nb_catalog_function_exists(nb_query *q, nb_str name, bool in_database, bool *out, nb_error *err)
{
    found one;
    nb_str *parts;
    size_t n;

    NB_TRY(find(q, name, &one, &parts, &n, err));
    *out = one.name.data && !in_database;
    return NB_OK;
}

nb_status
nb_catalog_get_function(nb_query *q, nb_str name, nb_table **out, nb_error *err)
{
    found one;
    nb_str *parts;
    char *quoted;
    size_t n;

    NB_TRY(find(q, name, &one, &parts, &n, err));
    if (one.name.data) {
        return answer(q, &one, 1, out);
    }
    NB_TRY(nb_backquote(q->analyzer, parts, (int)n, &quoted));
    return nb_raise(err, NB_COND_UNRESOLVED_ROUTINE, "routineName", quoted, "searchPath",
                    nb_search_path(q, 0), NULL);
}
