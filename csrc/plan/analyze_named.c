/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_named.c: arguments by name, f(x, limit => 3), in the order in which the function takes them.
 *
 * Only functions with a signature in the table can be called so, as in Spark. What a call leaves out gets the signature's default.
 */
#include "plan/analyzer_internal.h"
#include "sql/parser.h"

#define MAX_PARAMETERS 5

typedef struct signature {
    const char *function;
    struct {
        const char *name, *value; /* SQL of the default; NULL: must be given */
    } parameters[MAX_PARAMETERS];
} signature;

static const signature signatures[] = {
    {"explode", {{"collection", NULL}}},
    {"explode_outer", {{"collection", NULL}}},
    {"mask",
     {{"str", NULL},
      {"upperChar", "'X'"},
      {"lowerChar", "'x'"},
      {"digitChar", "'n'"},
      {"otherChar", "NULL"}}},
};

static const signature *
find_signature(nb_str name)
{
    for (size_t i = 0; i < NB_COUNT_OF(signatures); i++) {
        if (nb_str_equal_nocase(name, nb_str_of(signatures[i].function))) {
            return &signatures[i];
        }
    }
    return NULL;
}

static const char *
quoted(nb_analyzer *an, nb_str name)
{
    return nb_arena_printf(an->arena, "`%.*s`", (int)name.len, name.data);
}

static nb_status
unknown_parameter(nb_analyzer *an, const signature *s, nb_str routine, nb_str wanted, nb_error *err)
{
    nb_str names[MAX_PARAMETERS];
    int n = 0;

    while (n < MAX_PARAMETERS && s->parameters[n].name) {
        names[n] = nb_str_of(s->parameters[n].name);
        n++;
    }
    nb_sort_by_likeness(wanted, names, n);
    nb_strbuf b = {0};
    for (int i = 0; i < n && i < 3; i++) {
        nb_strbuf_addf(&b, "%s`%.*s`", i ? " " : "", (int)names[i].len, names[i].data);
    }
    nb_status st =
        nb_raise(err, NB_COND_UNRECOGNIZED_PARAMETER_NAME, "routineName", quoted(an, routine),
                 "argumentName", quoted(an, wanted), "proposal", b.data ? b.data : "", NULL);
    nb_strbuf_free(&b);
    return st;
}

/* Puts a named argument into its place. */
static nb_status
place(nb_analyzer *an, const signature *s, nb_str routine, const Sc__NamedArgumentExpression *named,
      size_t n_positional, Sc__Expression **out, int *last, nb_error *err)
{
    nb_str wanted = nb_pb_str(named->key);

    for (int i = 0; i < MAX_PARAMETERS && s->parameters[i].name; i++) {
        if (!nb_str_equal_nocase(wanted, nb_str_of(s->parameters[i].name))) {
            continue;
        }
        if (out[i]) {
            return nb_raise(
                err,
                (size_t)i < n_positional
                    ? NB_COND_DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT_BOTH_POSITIONAL_AND_NAMED
                    : NB_COND_DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT_DOUBLE_NAMED_ARGUMENT_REFERENCE,
                "routineName", quoted(an, routine), "parameterName",
                quoted(an, nb_str_of(s->parameters[i].name)), NULL);
        }
        out[i] = named->value;
        *last = NB_MAX(*last, i);
        return NB_OK;
    }
    return unknown_parameter(an, s, routine, wanted, err);
}

nb_status
nb_positional_arguments(nb_analyzer *an, nb_str routine, Sc__Expression ***args, size_t *n,
                        nb_error *err)
{
    const signature *s = NULL;
    Sc__Expression **out;
    size_t n_positional = 0;
    int last = -1;

    while (n_positional < *n && (*args)[n_positional]->expr_type_case !=
                                    SC__EXPRESSION__EXPR_TYPE_NAMED_ARGUMENT_EXPRESSION) {
        n_positional++;
    }
    if (n_positional == *n) {
        return NB_OK;
    }
    s = find_signature(routine);
    if (!s) {
        return nb_raise(err, NB_COND_NAMED_PARAMETERS_NOT_SUPPORTED, "functionName",
                        quoted(an, routine), NULL);
    }
    out = NB_ARENA_ARRAY(an->arena, Sc__Expression *, *n + MAX_PARAMETERS);
    NB_NEED(out);
    memset(out, 0, sizeof *out * (*n + MAX_PARAMETERS));
    memcpy(out, *args, sizeof *out * n_positional);
    last = (int)n_positional - 1;
    for (size_t i = n_positional; i < *n; i++) {
        const Sc__Expression *e = (*args)[i];
        if (e->expr_type_case != SC__EXPRESSION__EXPR_TYPE_NAMED_ARGUMENT_EXPRESSION) {
            return nb_raise(err, NB_COND_UNEXPECTED_POSITIONAL_ARGUMENT, "routineName",
                            quoted(an, routine), "parameterName",
                            quoted(an, nb_pb_str((*args)[i - 1]->named_argument_expression->key)),
                            NULL);
        }
        NB_TRY(place(an, s, routine, e->named_argument_expression, n_positional, out, &last, err));
    }
    for (int i = 0; i < MAX_PARAMETERS && s->parameters[i].name; i++) {
        if (out[i]) {
            continue;
        }
        if (!s->parameters[i].value) {
            return nb_raise(err, NB_COND_REQUIRED_PARAMETER_NOT_FOUND, "routineName",
                            quoted(an, routine), "parameterName",
                            quoted(an, nb_str_of(s->parameters[i].name)), "index",
                            nb_arena_printf(an->arena, "%d", i), NULL);
        }
        NB_TRY(nb_sql_parse_expression(an->arena, nb_str_of(s->parameters[i].value), &out[i], err));
        last = NB_MAX(last, i);
    }
    *args = out;
    *n = (size_t)last + 1;
    return NB_OK;
}
