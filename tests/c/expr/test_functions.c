/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_functions.c: scalar functions against answers of Spark, recorded in tests/data/oracle/functions/<family>.tsv.
 *
 * A line is: expression, its type, its value cast to string; or "!" and the error condition. Texts are parsed by sql/ and bound by a few
 * lines here that know literals, casts and calls, so that this needs no analyzer. Each expression is folded, and also evaluated with
 * its string and number literals replaced by columns of three rows, so that kernels see more than constants.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include <stdlib.h>

#include "expr/registry.h"
#include "expr/zone.h"
#include "plan/type_proto.h"
#include "sql/parser.h"

static nb_session_info info = {
    .ansi = true, .time_zone = {"UTC", 3}, .query_start_us = 1700000000000000};

typedef struct columns {
    nb_vector *list[64];
    int n;
    bool use; /* literals become columns */
} columns;

static nb_status
vector_literal(nb_arena *a, const nb_type *t, const void *value, size_t width, nb_expr **out)
{
    nb_vector *v = NB_ARENA_NEW(a, nb_vector);

    *v = (nb_vector){.type = t, .kind = NB_VEC_CONST, .n_rows = 1, .data = nb_arena_alloc(a, 16)};
    memcpy(v->data, value, width);
    *out = nb_expr_literal(a, v);
    return NB_OK;
}

static nb_status
bind_literal(nb_arena *a, const Sc__Expression__Literal *l, nb_expr **out, nb_error *err)
{
    switch (l->literal_type_case) {
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_NULL:
        *out = nb_expr_null(a, nb_type_of(NB_TYPE_NULL));
        return NB_OK;
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_BOOLEAN:
        *out = nb_expr_bool(a, l->boolean);
        return NB_OK;
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_INTEGER:
        *out = nb_expr_int32(a, l->integer);
        return NB_OK;
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_BYTE: {
        int8_t x = (int8_t)l->byte;
        return vector_literal(a, nb_type_of(NB_TYPE_INT8), &x, 1, out);
    }
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_SHORT: {
        int16_t x = (int16_t)l->short_;
        return vector_literal(a, nb_type_of(NB_TYPE_INT16), &x, 2, out);
    }
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_FLOAT:
        return vector_literal(a, nb_type_of(NB_TYPE_FLOAT32), &l->float_, 4, out);
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_LONG:
        *out = nb_expr_int64(a, l->long_);
        return NB_OK;
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_DOUBLE:
        *out = nb_expr_double(a, l->double_);
        return NB_OK;
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_STRING:
        *out = nb_expr_string(a, (nb_str){(const char *)l->string.data, l->string.len});
        return NB_OK;
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_BINARY: {
        nb_view view = nb_view_make((const char *)l->binary.data, l->binary.len);
        return vector_literal(a, nb_type_of(NB_TYPE_BINARY), &view, sizeof view, out);
    }
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_DATE:
        return vector_literal(a, nb_type_of(NB_TYPE_DATE), &l->date, 4, out);
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_TIMESTAMP:
        return vector_literal(a, nb_type_of(NB_TYPE_TIMESTAMP), &l->timestamp, 8, out);
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_TIMESTAMP_NTZ:
        return vector_literal(a, nb_type_of(NB_TYPE_TIMESTAMP_NTZ), &l->timestamp_ntz, 8, out);
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_DECIMAL: {
        nb_expr *text = nb_expr_string(
            a, (nb_str){(const char *)l->decimal->value.data, l->decimal->value.len});
        return nb_expr_cast(a, text, nb_type_decimal(l->decimal->precision, l->decimal->scale),
                            NB_CAST_ANSI, out, err);
    }
    default: return nb_raise_unsupported(err, "literal kind %d", (int)l->literal_type_case);
    }
}

static nb_status
bind_expr(nb_arena *a, columns *c, const Sc__Expression *m, nb_expr **out, nb_error *err)
{
    switch (m->expr_type_case) {
    case SC__EXPRESSION__EXPR_TYPE_LITERAL:
        NB_TRY(bind_literal(a, m->literal, out, err));
        if (c->use && (*out)->kind == NB_EXPR_LITERAL && (*out)->type->id != NB_TYPE_NULL &&
            c->n < 64) {
            nb_vector one = *(*out)->u.literal.value, *three = NB_ARENA_NEW(a, nb_vector);
            one.n_rows = 3;
            NB_TRY(nb_vector_flatten(a, &one, three));
            *out = nb_expr_column(a, (uint64_t)c->n + 1, NB_STR("c"), one.type, true);
            (*out)->u.column.ordinal = c->n;
            c->list[c->n++] = three;
        }
        return NB_OK;
    case SC__EXPRESSION__EXPR_TYPE_CAST: {
        const nb_type *t;
        NB_TRY(bind_expr(a, c, m->cast->expr, out, err));
        NB_TRY(nb_type_from_proto(a, m->cast->type, &t, err));
        if (!nb_can_cast((*out)->type, t, true)) {
            return nb_raise(err, NB_COND_DATATYPE_MISMATCH_CAST_WITHOUT_SUGGESTION, NULL);
        }
        return nb_expr_cast(a, *out, t, m->cast->eval_mode == 3 ? NB_CAST_TRY : NB_CAST_ANSI, out,
                            err);
    }
    case SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_FUNCTION: {
        const Sc__Expression__UnresolvedFunction *f = m->unresolved_function;
        nb_str name = {(const char *)f->function_name.data, f->function_name.len};
        const nb_function *fn = nb_function_find(name);
        nb_expr **args = NB_ARENA_ARRAY(a, nb_expr *, f->n_arguments + 1);
        static const struct {
            const char *name;
            nb_type_id type;
        } casts[] = {{"timestamp", NB_TYPE_TIMESTAMP}, {"date", NB_TYPE_DATE},
                     {"string", NB_TYPE_STRING},       {"binary", NB_TYPE_BINARY},
                     {"double", NB_TYPE_FLOAT64},      {"int", NB_TYPE_INT32},
                     {"bigint", NB_TYPE_INT64},        {"nbaspark.timestamp", NB_TYPE_TIMESTAMP}};
        for (size_t i = 0; i < NB_COUNT_OF(casts) && fn == NULL && f->n_arguments == 1; i++) {
            if (nb_str_equal_nocase(name, nb_str_of(casts[i].name))) {
                NB_TRY(bind_expr(a, c, f->arguments[0], out, err));
                return nb_expr_cast(a, *out, nb_type_of(casts[i].type), NB_CAST_ANSI, out, err);
            }
        }
        if (fn == NULL) {
            return nb_raise(err, NB_COND_UNRESOLVED_ROUTINE, "routineName",
                            nb_arena_strdup(a, name), "searchPath", "", NULL);
        }
        for (size_t i = 0; i < f->n_arguments; i++) {
            NB_TRY(bind_expr(a, c, f->arguments[i], &args[i], err));
        }
        return nb_function_bind(a, &info, fn, name, args, (int)f->n_arguments, NULL, out, err);
    }
    default: return nb_raise_unsupported(err, "expression kind %d", (int)m->expr_type_case);
    }
}

/* The value of text as Spark's cast to string shows it, or "!" and the condition. */
static char *
evaluate(nb_arena *a, const char *text, bool use_columns, const char **type)
{
    nb_error err = NB_ERROR_INIT;
    columns c = {.use = use_columns};
    Sc__Expression *m;
    nb_expr *e, *shown;
    nb_vector v, flat;
    nb_batch batch;
    nb_eval *ev = NULL;
    char *out = NULL;
    nb_status st;

    *type = "";
    NB_TRY_GOTO(st, nb_sql_parse_expression(a, nb_str_of(text), &m, &err), done);
    NB_TRY_GOTO(st, bind_expr(a, &c, m, &e, &err), done);
    *type = nb_type_simple_string(a, e->type);
    NB_TRY_GOTO(st, nb_expr_cast(a, e, nb_type_of(NB_TYPE_STRING), NB_CAST_ANSI, &shown, &err),
                done);
    NB_TRY_GOTO(st, nb_batch_init(a, c.n, 3, &batch), done);
    for (int i = 0; i < c.n; i++) {
        batch.cols[i] = *c.list[i];
    }
    NB_TRY_GOTO(st, nb_eval_new(a, &shown, 1, &info, &ev, &err), done);
    NB_TRY_GOTO(st, nb_eval_run(ev, 0, &batch, &v, &err), done);
    NB_TRY_GOTO(st, nb_vector_flatten(a, &v, &flat), done);
    for (int i = 1; i < 3; i++) {
        assert_int_equal(nb_vector_compare(&flat, 0, &flat, i), 0);
    }
    out = nb_vector_is_null(&flat, 0) ? "NULL" : nb_arena_strdup(a, nb_view_str(flat.data));
done:
    if (st < 0) {
        out = nb_arena_printf(a, "!%s", err.set ? nb_condition_get(err.condition)->name : "NOMEM");
    }
    nb_eval_free(ev);
    nb_error_clear(&err);
    return out;
}

/* Undoes \t, \n, \\ of the recorded files. */
static void
unescape(char *s)
{
    char *to = s;

    for (; *s; s++) {
        if (*s == '\\' && s[1]) {
            s++;
            *to++ = *s == 't' ? '\t' : *s == 'n' ? '\n' : *s == 'r' ? '\r' : *s;
        } else {
            *to++ = *s;
        }
    }
    *to = 0;
}

static int
run_file(const char *path)
{
    static char line[1 << 16];
    FILE *f = fopen(path, "r");
    int failed = 0, n = 0;

    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        char *text = line, *type = strchr(line, '\t'), *want;
        const char *got_type;
        line[strcspn(line, "\n")] = 0;
        if (type == NULL || line[0] == '#') {
            continue;
        }
        *type++ = 0;
        want = strchr(type, '\t');
        if (want) {
            *want++ = 0;
            unescape(want);
        } else {
            want = type;
            type = "";
        }
        unescape(text);
        for (int way = 0; way < 2; way++) {
            nb_arena *a = nb_arena_new(NULL);
            char *got = evaluate(a, text, way == 1, &got_type);
            /* Patterns, units and the like must be constants: with columns the call may be refused, or fail elsewhere. */
            bool refused = way == 1 && got[0] == '!' &&
                           (strstr(got, "UNEXPECTED_INPUT") || strstr(got, "FOLDABLE"));
            bool type_differs = want[0] != '!' && strcmp(got_type, type) != 0 && way == 0;
            if (!refused && (strcmp(got, want) != 0 || type_differs)) {
                print_message("%s%s\n    is   %s %s\n    want %s %s\n", text,
                              way ? " (columns)" : "", got_type, got, type, want);
                failed++;
                nb_arena_free(a);
                break;
            }
            nb_arena_free(a);
        }
        n++;
    }
    fclose(f);
    print_message("%s: %d expressions, %d wrong\n", path, n, failed);
    return failed;
}

static void
test_functions__equal_spark(void **state)
{
    /* The families that need no more of the analyzer than what is above; tests/python runs them all. */
    static const char *const families[] = {"datetime", "json", "string"};
    const char *only = getenv("NB_TEST_FAMILY");
    int failed = 0;

    (void)state;
    info.zone = nb_zone_utc();
    for (size_t i = 0; i < NB_COUNT_OF(families); i++) {
        char path[128];
        if (only == NULL || strcmp(families[i], only) == 0) {
            snprintf(path, sizeof path, "tests/data/oracle/functions/%s.tsv", families[i]);
            failed += run_file(path);
        }
    }
    assert_int_equal(failed, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions__equal_spark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
