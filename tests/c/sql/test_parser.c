/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_parser.c: shapes of messages, commands, errors, and texts that want to exhaust stack or time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include "sql/parser.h"
#include "sql/sql_dump.h"

/* An expression as text: f(a, b) for functions, names and literals bare. */
static void
show(const Sc__Expression *e, nb_strbuf *out)
{
    switch (e->expr_type_case) {
    case SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_FUNCTION: {
        const Sc__Expression__UnresolvedFunction *f = e->unresolved_function;
        nb_strbuf_add(out, (nb_str){(const char *)f->function_name.data, f->function_name.len});
        nb_strbuf_adds(out, f->is_distinct ? "(distinct " : "(");
        for (size_t i = 0; i < f->n_arguments; i++) {
            nb_strbuf_adds(out, i ? ", " : "");
            show(f->arguments[i], out);
        }
        nb_strbuf_addc(out, ')');
        break;
    }
    case SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_ATTRIBUTE:
        nb_strbuf_add(out, (nb_str){(const char *)e->unresolved_attribute->unparsed_identifier.data,
                                    e->unresolved_attribute->unparsed_identifier.len});
        break;
    case SC__EXPRESSION__EXPR_TYPE_LITERAL:
        if (e->literal->literal_type_case == SC__EXPRESSION__LITERAL__LITERAL_TYPE_INTEGER) {
            nb_strbuf_addf(out, "%d", e->literal->integer);
            break;
        }
        if (e->literal->literal_type_case == SC__EXPRESSION__LITERAL__LITERAL_TYPE_STRING) {
            nb_strbuf_addf(out, "'%.*s'", (int)e->literal->string.len,
                           (const char *)e->literal->string.data);
            break;
        }
        /* fall through */
    default: sql_dump(&e->base, out); break;
    }
}

static void
expect_expr(const char *text, const char *shape)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_error err = NB_ERROR_INIT;
    nb_strbuf got = {0};
    Sc__Expression *e = NULL;

    if (nb_sql_parse_expression(arena, nb_str_of(text), &e, &err) < 0) {
        fail_msg("%s: %s", text, nb_error_message(&err));
    }
    show(e, &got);
    assert_string_equal(got.data, shape);
    nb_strbuf_free(&got);
    nb_arena_free(arena);
}

static void
expect_query(const char *text, const char *part)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_error err = NB_ERROR_INIT;
    nb_strbuf got = {0};
    Sc__Relation *rel = NULL;

    if (nb_sql_parse_query(arena, nb_str_of(text), &rel, &err) < 0) {
        fail_msg("%s: %s", text, nb_error_message(&err));
    }
    sql_dump(&rel->base, &got);
    if (!strstr(got.data, part)) {
        fail_msg("%s\n  is   %s\n  want %s", text, got.data, part);
    }
    nb_strbuf_free(&got);
    nb_arena_free(arena);
}

static void
expect_error(const char *text, nb_condition condition, const char *part)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_error err = NB_ERROR_INIT;
    nb_sql_statement out;

    assert_int_equal(nb_sql_parse_statement(arena, nb_str_of(text), NULL, &out, &err), NB_ERROR);
    if (err.condition != condition || !strstr(nb_error_message(&err), part)) {
        fail_msg("%s: %s", text, nb_error_message(&err));
    }
    nb_error_clear(&err);
    nb_arena_free(arena);
}

static void
test_parser__precedence(void **state)
{
    expect_expr("a or b and not c = d + e * -f", "or(a, and(b, not(==(c, +(d, *(e, -(f)))))))");
    expect_expr("a | b ^ c & d << 1 + 2", "|(a, ^(b, &(c, <<(d, +(1, 2)))))");
    expect_expr("1 - 2 - 3", "-(-(1, 2), 3)");
    expect_expr("a = b = c", "==(==(a, b), c)");
    expect_expr("a >> 1 >>> 2", ">>>(>>(a, 1), 2)");
    expect_expr("-1 - -2", "-(-1, -2)");
    expect_expr("a between 1 and 2 and b", "and(between(a, 1, 2), b)");
    expect_expr("a not in (1, 2) or b is not null", "or(not(in(a, 1, 2)), isnotnull(b))");
    expect_expr("not exists(a, x)", "not(exists(a, x))");
    expect_expr("a <> b", "not(==(a, b))");
    expect_expr("a is distinct from b", "not(<=>(a, b))");
    expect_expr("a || b || c", "concat(concat(a, b), c)");
    expect_expr("a div b % c", "%(div(a, b), c)");
    expect_expr("a and b and c and d", "and(and(a, b), and(c, d))");
    expect_expr("a like 'x' escape '!'", "like(a, 'x', '!')");
    expect_expr("a not like all ('x', 'y')", "nbaspark.like_not_all(a, 'x', 'y')");
}

static void
test_parser__names(void **state)
{
    expect_expr("a.b.`c d`", "a.b.`c d`");
    expect_expr("`a``b`", "`a``b`");
    expect_expr("select", "select");
    expect_expr("date", "date");
    expect_expr("current_date", "current_date");
    expect_expr("t.*", "(Expression unresolved_star=(UnresolvedStar unparsed_target='t.*'))");
    expect_expr("a.b(1)", "(Expression call_function=(CallFunction function_name='a.b' "
                          "arguments=[(Expression literal=(Literal integer=1))]))");
    expect_expr("identifier('a.b')", "a.b");
    expect_expr("* except (a, b.c)",
                "nbaspark.star_except((Expression unresolved_star=(UnresolvedStar)), a, b.c)");
}

static void
test_parser__calls(void **state)
{
    expect_expr("count(*)", "count(1)");
    expect_expr("count(distinct a, b)", "count(distinct a, b)");
    expect_expr("sum(a) filter (where b > 1)", "nbaspark.filter(sum(a), >(b, 1))");
    expect_expr("first(a ignore nulls)", "nbaspark.ignore_nulls(first(a))");
    expect_expr("first(a, true)", "first(a, (Expression literal=(Literal boolean=true)))");
    expect_expr("trim(both 'x' from a)", "trim('x', a)");
    expect_expr("trim(leading from a)", "ltrim(a)");
    expect_expr("trim(a)", "trim(a)");
    expect_expr("position('a' in b)", "locate('a', b)");
    expect_expr("position(a, b)", "position(a, b)");
    expect_expr("substring(a from 1 for 2)", "substring(a, 1, 2)");
    expect_expr("substr(a, 1)", "substr(a, 1)");
    expect_expr("overlay(a placing b from 2)", "overlay(a, b, 2, -1)");
    expect_expr("extract(year from a)", "extract('year', a)");
    expect_expr("timestampadd(month, 1, a)", "timestampadd('month', 1, a)");
    expect_expr("date_add(day, 1)", "date_add(day, 1)");
    expect_expr("case a when 1 then 2 else 3 end", "when(==(a, 1), 2, 3)");
    expect_expr("case when a then 2 end", "when(a, 2)");
    expect_expr("(t.a, 1, 2 as c)",
                "named_struct('a', t.a, 'col2', 1, 'c', (Expression alias=(Alias expr=(Expression "
                "literal=(Literal integer=2)) name=['c'])))");
    expect_expr("if(a, 1, 2)", "if(a, 1, 2)");
    expect_expr("left(a, 2)", "left(a, 2)");
    expect_expr(
        "array(1)[0]",
        "(Expression unresolved_extract_value=(UnresolvedExtractValue child=(Expression "
        "unresolved_function=(UnresolvedFunction function_name='array' arguments=[(Expression "
        "literal=(Literal integer=1))])) extraction=(Expression literal=(Literal integer=0))))");
    expect_expr("x -> x + y",
                "(Expression lambda_function=(LambdaFunction function=(Expression "
                "unresolved_function=(UnresolvedFunction "
                "function_name='+' arguments=[(Expression "
                "unresolved_named_lambda_variable=(UnresolvedNamedLambdaVariable "
                "name_parts=['x'])) (Expression unresolved_attribute=(UnresolvedAttribute "
                "unparsed_identifier='y'))])) "
                "arguments=[(UnresolvedNamedLambdaVariable name_parts=['x'])]))");
}

static void
test_parser__literals(void **state)
{
    expect_expr("'a' \"b\" r'\\n'", "'ab\\n'");
    expect_expr("'it''s \\'\\t\\101\\u0041\\%'", "'it's '\tAA\\%'");
    expect_expr("-2147483648", "-2147483648");
    expect_expr("2147483648", "(Expression literal=(Literal long=2147483648))");
    expect_expr(
        "1.50",
        "(Expression literal=(Literal decimal=(Decimal value='1.50' precision=3 scale=2)))");
    expect_expr(
        "-.05",
        "(Expression literal=(Literal decimal=(Decimal value='-0.05' precision=2 scale=2)))");
    expect_expr("1e2BD",
                "(Expression literal=(Literal decimal=(Decimal value='100' precision=3 scale=0)))");
    expect_expr("1e3", "(Expression literal=(Literal double=1000))");
    expect_expr("date'2020-02-29'", "(Expression literal=(Literal date=18321))");
    expect_expr("timestamp'1970-01-01 00:00:01+01:00'",
                "(Expression literal=(Literal timestamp=-3599000000))");
    expect_expr("timestamp'1970-01-02'",
                "nbaspark.timestamp((Expression literal=(Literal timestamp_ntz=86400000000)))");
    expect_expr("x'1Ff'", "(Expression literal=(Literal binary='\x01\xFF'))");
    expect_expr("interval 1 day 2 hours",
                "(Expression literal=(Literal day_time_interval=93600000000 data_type=(DataType "
                "day_time_interval=(DayTimeInterval start_field=0 end_field=1))))");
    expect_expr("interval '-1-2' year to month",
                "(Expression literal=(Literal year_month_interval=-14 data_type=(DataType "
                "year_month_interval=(YearMonthInterval start_field=0 end_field=1))))");
    expect_expr("interval '1 02:03:04.5' day to second",
                "(Expression literal=(Literal day_time_interval=93784500000 data_type=(DataType "
                "day_time_interval=(DayTimeInterval start_field=0 end_field=3))))");
}

static void
test_parser__queries(void **state)
{
    expect_query("select 1",
                 "project=(Project expressions=[(Expression literal=(Literal integer=1))])");
    expect_query("select a from t where b",
                 "filter=(Filter input=(Relation common=(RelationCommon) read=(Read named_table=");
    expect_query("select a from t group by a having b",
                 "source_info='nbaspark:having') filter=(Filter input=(Relation "
                 "common=(RelationCommon source_info='nbaspark:select') aggregate=");
    expect_query("select a from t group by rollup(a, b)", "group_type=GROUP_TYPE_ROLLUP");
    expect_query("select a from t group by a with cube", "group_type=GROUP_TYPE_CUBE");
    expect_query("select a from t group by a, grouping sets ((b), ())",
                 "group_type=GROUP_TYPE_GROUPING_SETS");
    expect_query("select * from a join b using (x, y)",
                 "join_type=JOIN_TYPE_INNER using_columns=['x' 'y']");
    expect_query("select * from a left semi join b on true", "join_type=JOIN_TYPE_LEFT_SEMI");
    expect_query("select * from a natural full outer join b", "join_type=JOIN_TYPE_FULL_OUTER");
    expect_query("select * from t limit 3 offset 2",
                 "limit=(Limit input=(Relation common=(RelationCommon) offset=(Offset ");
    expect_query("select a from t union select b from t intersect all select c from t",
                 "set_op_type=SET_OP_TYPE_INTERSECT is_all=true");
    expect_query("with a(x) as (select 1) select * from a",
                 "references=[(Relation common=(RelationCommon) subquery_alias=(SubqueryAlias "
                 "input=(Relation common=(RelationCommon) to_df=(ToDF ");
    expect_query("select * from t where a in (select b from u)",
                 "subquery_type=SUBQUERY_TYPE_IN in_subquery_values=");
    expect_query("select * from t lateral view outer explode(a) v as b",
                 "join_type=JOIN_TYPE_LEFT_OUTER");
    expect_query("values (1, 'a'), (2, 'b')", "function_name='nbaspark.values'");
    expect_query("from t select a", "project=(Project");
    expect_query("select * from t tablesample (10 percent) repeatable (7)",
                 "upper_bound=0.1 with_replacement=false seed=7");
    expect_query("select sum(a) over w from t window w as (partition by b)", "partition_spec=[");
    expect_query("select /*+ broadcast(t) */ * from t", "hint=(Hint ");
    expect_query("select distinct a from t", "deduplicate=(Deduplicate ");
    expect_query("select a from t order by a desc nulls first",
                 "direction=SORT_DIRECTION_DESCENDING null_ordering=SORT_NULLS_FIRST");
    expect_query("select a from", "alias=(Alias expr=");
    expect_query("select * from csv.`/tmp/x y`", "unparsed_identifier='csv.`/tmp/x y`'");
    expect_query("select * from (select 1 a)", "alias='__auto_generated_subquery_name'");
    expect_query("select * from t pivot (sum(a) as s for b in (1 as x, 2))",
                 "function_name='nbaspark.pivot'");
    expect_query("select * from t unpivot (v for n in (a as x, b))",
                 "function_name='nbaspark.unpivot'");
}

static void
test_parser__statements(void **state)
{
    static const struct {
        const char *text;
        nb_sql_kind kind;
    } cases[] = {
        {"set a.b = 1", NB_SQL_SET},
        {"SET -v", NB_SQL_SET},
        {"reset a.b", NB_SQL_RESET},
        {"create or replace temp view v as select 1", NB_SQL_CREATE_VIEW},
        {"create temporary view v using csv options (path '/x', header true)",
         NB_SQL_CREATE_VIEW_USING},
        {"drop view if exists v", NB_SQL_DROP_VIEW},
        {"create table if not exists t (a int, b string) using parquet", NB_SQL_CREATE_TABLE},
        {"insert into t select 1", NB_SQL_INSERT},
        {"show tables in db like 'a*'", NB_SQL_SHOW_TABLES},
        {"show databases", NB_SQL_SHOW_DATABASES},
        {"describe function extended abs", NB_SQL_DESCRIBE_FUNCTION},
        {"desc t", NB_SQL_DESCRIBE_TABLE},
        {"describe query select 1", NB_SQL_DESCRIBE_QUERY},
        {"explain extended select 1", NB_SQL_EXPLAIN},
        {"cache lazy table t", NB_SQL_CACHE_TABLE},
        {"uncache table t", NB_SQL_UNCACHE_TABLE},
        {"use db", NB_SQL_USE},
        {"set time zone 'UTC'", NB_SQL_SET_TIME_ZONE},
        {"select 1;", NB_SQL_QUERY},
    };

    for (size_t i = 0; i < NB_COUNT_OF(cases); i++) {
        nb_arena *arena = nb_arena_new(NULL);
        nb_error err = NB_ERROR_INIT;
        nb_sql_statement out;
        if (nb_sql_parse_statement(arena, nb_str_of(cases[i].text), NULL, &out, &err) < 0) {
            fail_msg("%s: %s", cases[i].text, nb_error_message(&err));
        }
        assert_int_equal(out.kind, cases[i].kind);
        nb_arena_free(arena);
    }
}

static void
test_parser__errors(void **state)
{
    expect_error("select 1 +", NB_COND_PARSE_SYNTAX_ERROR,
                 "\n[PARSE_SYNTAX_ERROR] Syntax error at or near end of input. SQLSTATE: 42601 "
                 "(line 1, pos 10)\n\n"
                 "== SQL ==\nselect 1 +\n----------^^^\n");
    expect_error("select 1\n  2", NB_COND_PARSE_SYNTAX_ERROR,
                 "at or near '2': extra input '2'. SQLSTATE: 42601 (line 2, pos 2)\n\n== SQL "
                 "==\nselect 1\n  2\n--^^^\n");
    expect_error("", NB_COND_PARSE_EMPTY_STATEMENT, "(line 1, pos 0)");
    expect_error("select date'2020-13-01'", NB_COND_INVALID_TYPED_LITERAL,
                 "== SQL (line 1, position 8) ==");
    expect_error("select a is null is null", NB_COND_PARSE_SYNTAX_ERROR, "pos 20");
    expect_error("select * from a-b", NB_COND_INVALID_IDENTIFIER, "`a-b`");
    expect_error("select 300Y", NB_COND_INVALID_NUMERIC_LITERAL_RANGE, "tinyint");
    expect_error("select :x", NB_COND_UNBOUND_SQL_PARAMETER, "x");
    expect_error("select sum(a) over w from t", NB_COND_MISSING_WINDOW_SPECIFICATION, "w");
    expect_error("select * from t join", NB_COND_PARSE_SYNTAX_ERROR, "end of input");
    expect_error("select cast(1 as foo)", NB_COND_UNSUPPORTED_DATATYPE, "\"FOO\"");
    expect_error("with a as (select 1), A as (select 2) select 1", NB_COND_DUPLICATED_CTE_NAMES,
                 "");
}

static void
test_parser__schemas(void **state)
{
    static const struct {
        const char *text, *dump;
    } cases[] = {
        {"a INT NOT NULL COMMENT 'x\"y', b ARRAY<STRUCT<x:INT>>",
         "(DataType struct=(Struct fields=[(StructField name='a' data_type=(DataType "
         "integer=(Integer)) nullable=false "
         "metadata='{\"comment\":\"x\\\"y\"}') (StructField name='b' data_type=(DataType "
         "array=(Array element_type=(DataType "
         "struct=(Struct fields=[(StructField name='x' data_type=(DataType integer=(Integer)) "
         "nullable=true)])) "
         "contains_null=true)) nullable=true)]))"},
        {"int", "(DataType struct=(Struct fields=[(StructField name='value' data_type=(DataType "
                "integer=(Integer)) nullable=true)]))"},
        {"struct<a:decimal(10,2)>", "(DataType struct=(Struct fields=[(StructField name='a' "
                                    "data_type=(DataType decimal=(Decimal scale=2 "
                                    "precision=10)) nullable=true)]))"},
        {"", "(DataType struct=(Struct))"},
        {"date date, timestamp timestamp",
         "(DataType struct=(Struct fields=[(StructField name='date' data_type=(DataType "
         "date=(Date)) "
         "nullable=true) (StructField name='timestamp' data_type=(DataType timestamp=(Timestamp)) "
         "nullable=true)]))"},
    };

    for (size_t i = 0; i < NB_COUNT_OF(cases); i++) {
        nb_arena *arena = nb_arena_new(NULL);
        nb_error err = NB_ERROR_INIT;
        nb_strbuf got = {0};
        Sc__DataType *type = NULL;
        if (nb_sql_parse_table_schema(arena, nb_str_of(cases[i].text), &type, &err) < 0) {
            fail_msg("%s: %s", cases[i].text, nb_error_message(&err));
        }
        sql_dump(&type->base, &got);
        assert_string_equal(got.data, cases[i].dump);
        nb_strbuf_free(&got);
        nb_arena_free(arena);
    }
}

/* --- hostile texts, on a small stack ------------------------------------------------------------ */

#ifdef __SANITIZE_THREAD__
#define SMALL_STACK (4096 * 1024) /* instrumented frames are several times as large */
#else
#define SMALL_STACK (512 * 1024)
#endif

typedef struct repeated {
    const char *head, *unit, *middle, *close, *tail;
    size_t n;
    bool may_fail; /* FAILED_TO_PARSE_TOO_COMPLEX or a syntax error; never a crash */
} repeated;

static void *
parse_repeated(void *payload)
{
    const repeated *r = payload;
    nb_arena *arena = nb_arena_new(NULL);
    nb_error err = NB_ERROR_INIT;
    nb_strbuf text = {0};
    nb_sql_statement out;
    nb_status st;

    nb_strbuf_adds(&text, r->head);
    for (size_t i = 0; i < r->n; i++) {
        nb_strbuf_adds(&text, r->unit);
    }
    nb_strbuf_adds(&text, r->middle);
    for (size_t i = 0; i < r->n && r->close[0]; i++) {
        nb_strbuf_adds(&text, r->close);
    }
    nb_strbuf_adds(&text, r->tail);
    st = nb_sql_parse_statement(arena, nb_strbuf_str(&text), NULL, &out, &err);
    assert_true(r->may_fail ? st == NB_OK || st == NB_ERROR : st == NB_OK);
    nb_error_clear(&err);
    nb_strbuf_free(&text);
    nb_arena_free(arena);
    return NULL;
}

static void
test_parser__hostile_texts_on_a_small_stack(void **state)
{
    static const repeated cases[] = {
        {"select * from t where ", "a and ", "a", "", "", 50000, false},
        {"select * from t where ", "a = 1 or ", "a", "", "", 50000, false},
        {"select * from t where a in (", "1, ", "2", "", ")", 100000, false},
        {"values ", "(1, 'a'), ", "(2, 'b')", "", "", 50000, false},
        {"select ", "a, ", "a", "", " from t", 50000, false},
        {"select ", "1 + ", "1", "", "", 5000, false},
        {"select ", "1 + ", "1", "", "", 100000, true},
        {"select ", "(", "1", ")", "", 100, false},
        {"select ", "(", "1", ")", "", 100000, true},
        {"select ", "(", "", "", "", 100000, true},
        {"select ", "((", "select 1", "))", "", 50000, true},
        {"", "(", "select 1", ")", "", 50000, true},
        {"select ", "not ", "a", "", "", 50000, true},
        {"select ", "- ", "a", "", "", 50000, true},
        {"select ", "f(", "1", ")", "", 50000, true},
        {"select ", "case when a then ", "1", " end", "", 50000, true},
        {"select ", "a[", "1", "]", "", 50000, true},
        {"select a", "[1]", "", "", "", 50000, true},
        {"select a", ".b", "", "", "", 50000, true},
        {"select a", "::int", "", "", "", 50000, true},
        {"select cast(1 as ", "array<", "int", ">", ")", 50000, true},
        {"select ", "x -> ", "x", "", "", 50000, true},
        {"select * from ", "(select * from ", "t", ")", "", 50000, true},
        {"select * from ", "(", "t", ")", "", 50000, true},
        {"select 1 ", "union select 1 ", "", "", "", 2000, false},
        {"select * from t ", "join t on a = b ", "", "", "", 2000, false},
        {"", "explain ", "select 1", "", "", 50000, true},
        {"select 1 from t group by ", "grouping sets (", "a", ")", "", 50000, true},
        {"select 1 from t group by ", "cube(a, b), ", "a", "", "", 1000, true},
        {"select 1 from t group by a, rollup((a, b), ", "a, ", "a", "", ")", 20000, true},
        {"select 1 from t group by a, ", "rollup(a, b, c), ", "a", "", "", 8, true},
        {"select ", "/*", "", "*/", " 1", 50000, false},
        {"with ", "a as (with ", "b as (select 1) select 1", ") select 1", "", 20000, true},
        {"select 'a' ", "'b' ", "", "", "", 50000, false},
        {"select ", "1", "", "", "", 100000, true},
        {"select interval ", "1 day ", "", "", "", 50000, true},
    };
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, SMALL_STACK);
    for (size_t i = 0; i < NB_COUNT_OF(cases); i++) {
        pthread_t thread;
        assert_int_equal(
            pthread_create(&thread, &attr, parse_repeated, (void *)(uintptr_t)&cases[i]), 0);
        pthread_join(thread, NULL);
    }
    pthread_attr_destroy(&attr);
}

static void
test_parser__parameters(void **state)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_error err = NB_ERROR_INIT;
    nb_sql_statement out;
    nb_sql_options options = NB_SQL_OPTIONS_INIT;
    Sc__Expression *five;
    nb_sql_argument named;
    nb_strbuf got = {0};

    assert_int_equal(nb_sql_parse_expression(arena, NB_STR("5"), &five, &err), NB_OK);
    named = (nb_sql_argument){NB_STR("x"), five};
    options.named = &named;
    options.n_named = 1;
    options.positional = &five;
    options.n_positional = 1;
    assert_int_equal(nb_sql_parse_statement(arena, NB_STR("select :x, ?"), &options, &out, &err),
                     NB_OK);
    sql_dump(&out.query->base, &got);
    assert_non_null(strstr(got.data, "expressions=[(Expression literal=(Literal integer=5)) "
                                     "(Expression literal=(Literal integer=5))]"));
    nb_strbuf_free(&got);
    nb_arena_free(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parser__precedence),
        cmocka_unit_test(test_parser__names),
        cmocka_unit_test(test_parser__calls),
        cmocka_unit_test(test_parser__literals),
        cmocka_unit_test(test_parser__queries),
        cmocka_unit_test(test_parser__statements),
        cmocka_unit_test(test_parser__errors),
        cmocka_unit_test(test_parser__schemas),
        cmocka_unit_test(test_parser__hostile_texts_on_a_small_stack),
        cmocka_unit_test(test_parser__parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
