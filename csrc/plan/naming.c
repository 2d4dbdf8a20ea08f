/* SPDX-License-Identifier: Apache-2.0 */
/*
 * naming.c: the names that Spark gives to expressions without an alias: "(a + 1)", "count(1)", "CAST(a AS INT)".
 *
 * Made from the message, before coercion adds casts: Spark leaves those out of names as well (its toPrettySQL). Columns go by their last
 * part; literals by their text; functions by the name that Spark's expression shows, which for a few differs from the one called.
 */
#include "expr/aggregate.h"
#include "base/ascii.h"
#include "expr/cast.h"
#include "expr/registry.h"
#include "plan/analyzer_internal.h"
#include "plan/type_proto.h"
#include "sql/encoding.h"
#include "sql/parser.h"

static nb_status name_of(nb_analyzer *an, const Sc__Expression *e, nb_strbuf *b, nb_error *err);

static nb_str
called_function(const Sc__Expression *e)
{
    return e && e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_FUNCTION
               ? nb_pb_str(e->unresolved_function->function_name)
               : (nb_str){"", 0};
}

typedef struct rename_row {
    const char *called, *shown;
} rename_row;

/* Sorted by the first. Names under which Spark's expressions print themselves. */
static const rename_row renames[] = {
    {"acos", "ACOS"},
    {"acosh", "ACOSH"},
    {"array_agg", "collect_list"},
    {"array_to_vector", "UDF"},
    {"asin", "ASIN"},
    {"asinh", "ASINH"},
    {"atan", "ATAN"},
    {"atan2", "ATAN2"},
    {"atanh", "ATANH"},
    {"cbrt", "CBRT"},
    {"ceil", "CEIL"},
    {"cos", "COS"},
    {"cosh", "COSH"},
    {"cot", "COT"},
    {"csc", "CSC"},
    {"curdate", "current_date"},
    {"current_database", "current_schema"},
    {"dateadd", "date_add"},
    {"degrees", "DEGREES"},
    {"dense_rank", "DENSE_RANK"},
    {"e", "E"},
    {"exp", "EXP"},
    {"expm1", "EXPM1"},
    {"floor", "FLOOR"},
    {"hypot", "HYPOT"},
    {"isNaN", "isnan"},
    {"isnotnull", "isnotnull"},
    {"isnull", "isnull"},
    {"log", "LOG"},
    {"log10", "LOG10"},
    {"log1p", "LOG1P"},
    {"log2", "LOG2"},
    {"percent_rank", "PERCENT_RANK"},
    {"pi", "PI"},
    {"power", "POWER"},
    {"radians", "RADIANS"},
    {"random", "rand"},
    {"rank", "RANK"},
    {"regexp", "REGEXP"},
    {"regexp_like", "REGEXP_LIKE"},
    {"rlike", "RLIKE"},
    {"sec", "SEC"},
    {"signum", "SIGNUM"},
    {"sin", "SIN"},
    {"sinh", "SINH"},
    {"spark_partition_id", "SPARK_PARTITION_ID"},
    {"sqrt", "SQRT"},
    {"tan", "TAN"},
    {"tanh", "TANH"},
    {"to_varchar", "to_char"},
    {"vector_to_array", "UDF"},
};

/* Functions whose schema and options are no part of Spark's expression, so are not shown. */
static const char *const of_one_argument[] = {"from_json",      "to_json",       "from_csv",
                                              "to_csv",         "schema_of_csv", "schema_of_json",
                                              "vector_to_array"};

/* What Spark's expression holds, and shows, when a call leaves it out. */
static const struct default_row {
    const char *called;
    size_t n; /* arguments of the call */
    const char *more;
} defaults[] = {
    {"aggregate", 3, ", lambdafunction(namedlambdavariable(), namedlambdavariable())"},
    {"reduce", 3, ", lambdafunction(namedlambdavariable(), namedlambdavariable())"},
    {"approx_percentile", 2, ", 10000"},
    {"percentile_approx", 2, ", 10000"},
    {"substring", 2, ", 2147483647"},
    {"substr", 2, ", 2147483647"},
    {"locate", 2, ", 1"},
    {"position", 2, ", 1"},
    {"percentile", 2, ", 1"},
    {"lag", 1, ", 1, NULL"},
    {"lag", 2, ", NULL"},
    {"lead", 1, ", 1, NULL"},
    {"lead", 2, ", NULL"},
    {"round", 1, ", 0"},
    {"bround", 1, ", 0"},
    {"split", 2, ", -1"},
    {"overlay", 3, ", -1"},
    {"regexp_replace", 3, ", 1"},
    {"regexp_extract_all", 2, ", 1"},
    {"from_unixtime", 1, ", yyyy-MM-dd HH:mm:ss"},
    {"listagg", 1, ", NULL"},
    {"string_agg", 1, ", NULL"},
    {"lpad", 2, ",  "},
    {"rpad", 2, ",  "},
    {"mask", 1, ", X, x, n, NULL"},
    {"mask", 2, ", x, n, NULL"},
    {"mask", 3, ", n, NULL"},
    {"mask", 4, ", NULL"},
    {"months_between", 2, ", true"},
    {"regexp_extract", 2, ", 1"},
    {"regexp_instr", 2, ", 0"},
    {"replace", 2, ", "},
    {"str_to_map", 1, ", ,, :"},
    {"str_to_map", 2, ", :"},
    {"to_unix_timestamp", 1, ", yyyy-MM-dd HH:mm:ss"},
    {"unix_timestamp", 1, ", yyyy-MM-dd HH:mm:ss"},
};

static void
list(nb_analyzer *an, Sc__Expression *const *args, size_t n, nb_strbuf *b, const char *sep,
     nb_status *st, nb_error *err)
{
    for (size_t i = 0; i < n && *st >= 0; i++) {
        if (i) {
            nb_strbuf_adds(b, sep);
        }
        *st = name_of(an, args[i], b, err);
    }
}

static bool
is_operator(nb_str f)
{
    static const char *const ops[] = {"+", "-",  "*",  "/",  "%",   "div", "=",   "==", "<=>",
                                      "<", "<=", ">",  ">=", "!=",  "<>",  "and", "or", "&",
                                      "|", "^",  "<<", ">>", ">>>", "AND", "OR"};

    for (size_t i = 0; i < NB_COUNT_OF(ops); i++) {
        if (nb_str_equal(f, nb_str_of(ops[i]))) {
            return true;
        }
    }
    return false;
}

static nb_status function_name(nb_analyzer *an, nb_str f, Sc__Expression *const *args, size_t n,
                               bool distinct, nb_strbuf *b, nb_error *err);
static nb_status
sort_name(nb_analyzer *an, const Sc__Expression__SortOrder *o, nb_strbuf *b, nb_error *err);

/* f(x) IGNORE NULLS and RESPECT NULLS: with either word first_value is first, and last_value last. */
static nb_status
marked_name(nb_analyzer *an, const Sc__Expression *e, nb_strbuf *b, nb_error *err)
{
    const Sc__Expression__UnresolvedFunction *f;
    nb_str name;

    if (e->expr_type_case != SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_FUNCTION) {
        return name_of(an, e, b, err);
    }
    f = e->unresolved_function;
    name = nb_pb_str(f->function_name);
    name = nb_str_equal_nocase(name, NB_STR("first_value"))  ? NB_STR("first")
           : nb_str_equal_nocase(name, NB_STR("last_value")) ? NB_STR("last")
                                                             : name;
    return function_name(an, name, f->arguments, f->n_arguments,
                         f->has_is_distinct && f->is_distinct, b, err);
}

/* f(x) WITHIN GROUP (ORDER BY …): of the inverse distribution functions only DESC is shown, of mode where it is not said, and listagg shows the
 * whole order. */
static nb_status
within_group_name(nb_analyzer *an, Sc__Expression *const *args, size_t n, nb_strbuf *b,
                  nb_error *err)
{
    nb_str called = args[0]->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_FUNCTION
                        ? nb_pb_str(args[0]->unresolved_function->function_name)
                        : NB_STR("");
    bool whole = nb_str_equal_nocase(called, NB_STR("listagg")) ||
                 nb_str_equal_nocase(called, NB_STR("string_agg"));
    bool plain = nb_str_equal_nocase(called, NB_STR("mode"));

    if (whole) { /* under this name only */
        const Sc__Expression__UnresolvedFunction *f = args[0]->unresolved_function;
        NB_TRY(function_name(an, NB_STR("listagg"), f->arguments, f->n_arguments,
                             f->has_is_distinct && f->is_distinct, b, err));
    } else {
        NB_TRY(name_of(an, args[0], b, err));
    }
    nb_strbuf_adds(b, " WITHIN GROUP (ORDER BY ");
    for (size_t i = 1; i < n; i++) {
        const Sc__Expression__SortOrder *o =
            args[i]->expr_type_case == SC__EXPRESSION__EXPR_TYPE_SORT_ORDER ? args[i]->sort_order
                                                                            : NULL;
        nb_strbuf_adds(b, i > 1 ? ", " : "");
        if (!o || whole) {
            NB_TRY(name_of(an, args[i], b, err));
            continue;
        }
        NB_TRY(name_of(an, o->child, b, err));
        nb_strbuf_adds(
            b, plain != (o->direction ==
                         SC__EXPRESSION__SORT_ORDER__SORT_DIRECTION__SORT_DIRECTION_DESCENDING)
                   ? " DESC"
                   : "");
    }
    nb_strbuf_addc(b, ')');
    return NB_OK;
}

/* A date and days: Spark has made date_add or date_sub of it before the name is taken. What else has an interval beside a date or time has no brackets. */
static nb_status
date_and_interval(nb_analyzer *an, const nb_expr *made, bool minus, Sc__Expression *const *args,
                  nb_strbuf *b, bool *done, nb_error *err)
{
    int at;

    *done = false;
    if (!made || made->kind != NB_EXPR_CALL || made->n_args != 2) {
        return NB_OK;
    }
    /* the bound call has the date first */
    if (made->args[0]->type->id != NB_TYPE_DATE || made->args[1]->type->id != NB_TYPE_INTERVAL_DT ||
        made->type->id != NB_TYPE_DATE) {
        return NB_OK;
    }
    at = args[0]->expr_type_case == SC__EXPRESSION__EXPR_TYPE_LITERAL &&
                 args[0]->literal->literal_type_case ==
                     SC__EXPRESSION__LITERAL__LITERAL_TYPE_DAY_TIME_INTERVAL
             ? 1
             : 0;
    *done = true;
    nb_strbuf_adds(b, "date_add(");
    NB_TRY(name_of(an, args[at], b, err));
    nb_strbuf_adds(b, minus ? ", (- extractansiintervaldays(" : ", extractansiintervaldays(");
    NB_TRY(name_of(an, args[1 - at], b, err));
    nb_strbuf_adds(b, minus ? ")))" : "))");
    return NB_OK;
}

static nb_status
function_name(nb_analyzer *an, nb_str f, Sc__Expression *const *args, size_t n, bool distinct,
              nb_strbuf *b, nb_error *err)
{
    nb_status st = NB_OK;
    Sc__Expression **ordered = (Sc__Expression **)args;

    NB_TRY(nb_positional_arguments(an, f, &ordered, &n, err));
    args = ordered;
    if (n > 1 && (nb_str_equal_nocase(f, NB_STR("from_json")) ||
                  nb_str_equal_nocase(f, NB_STR("approx_count_distinct")))) {
        n = 1; /* the other arguments are settings, which Spark does not show */
    }
    if (n == 2 && nb_str_equal_nocase(f, NB_STR("mode")) &&
        args[1]->expr_type_case == SC__EXPRESSION__EXPR_TYPE_LITERAL &&
        args[1]->literal->literal_type_case == SC__EXPRESSION__LITERAL__LITERAL_TYPE_BOOLEAN) {
        if (!args[1]->literal->boolean) {
            n = 1;
        } else { /* the deterministic one takes the first in this order */
            nb_strbuf_adds(b, "mode() WITHIN GROUP (ORDER BY ");
            NB_TRY(name_of(an, args[0], b, err));
            nb_strbuf_adds(b, " DESC)");
            return NB_OK;
        }
    }
    if (n == 2 && is_operator(f)) {
        nb_str shown = nb_str_equal(f, NB_STR("==")) ? NB_STR("=") : f;
        nb_strbuf_addc(b, '(');
        st = name_of(an, args[0], b, err);
        nb_strbuf_addc(b, ' ');
        if (nb_str_equal_nocase(f, NB_STR("and")) || nb_str_equal_nocase(f, NB_STR("or"))) {
            nb_strbuf_adds(b, f.len == 3 ? "AND" : "OR");
        } else {
            nb_strbuf_add(b, shown);
        }
        nb_strbuf_addc(b, ' ');
        if (st >= 0) {
            st = name_of(an, args[1], b, err);
        }
        nb_strbuf_addc(b, ')');
        return st;
    }
    if (n == 1 && (nb_str_equal_nocase(f, NB_STR("not")) || nb_str_equal(f, NB_STR("!")))) {
        nb_strbuf_adds(b, "(NOT ");
        st = name_of(an, args[0], b, err);
        nb_strbuf_addc(b, ')');
        return st;
    }
    if (n == 1 &&
        (nb_str_equal_nocase(f, NB_STR("isnull")) || nb_str_equal_nocase(f, NB_STR("isnotnull")))) {
        nb_strbuf_addc(b, '(');
        st = name_of(an, args[0], b, err);
        nb_strbuf_adds(b, f.len == 6 ? " IS NULL)" : " IS NOT NULL)");
        return st;
    }
    if (n == 1 && nb_str_equal(f, NB_STR("~"))) {
        nb_strbuf_addc(b, '~');
        return name_of(an, args[0], b, err);
    }
    if (n == 1 && (nb_str_equal(f, NB_STR("-")) || nb_str_equal(f, NB_STR("+")))) {
        nb_strbuf_addf(b, "(%c ", f.data[0]);
        st = name_of(an, args[0], b, err);
        nb_strbuf_addc(b, ')');
        return st;
    }
    if (n == 1 && nb_str_equal_nocase(f, NB_STR("positive"))) {
        nb_strbuf_adds(b, "(+ ");
        st = name_of(an, args[0], b, err);
        nb_strbuf_addc(b, ')');
        return st;
    }
    if (nb_str_equal_nocase(f, NB_STR("in")) && n >= 1) {
        nb_strbuf_addc(b, '(');
        st = name_of(an, args[0], b, err);
        nb_strbuf_adds(b, " IN (");
        list(an, args + 1, n - 1, b, ", ", &st, err);
        nb_strbuf_adds(b, "))");
        return st;
    }
    if (nb_str_equal_nocase(f, NB_STR("like")) && n == 2) {
        st = name_of(an, args[0], b, err);
        nb_strbuf_adds(b, " LIKE ");
        return st < 0 ? st : name_of(an, args[1], b, err);
    }
    if (nb_str_equal_nocase(f, NB_STR("like")) && n == 3) {
        st = name_of(an, args[0], b, err);
        nb_strbuf_adds(b, " LIKE ");
        st = st < 0 ? st : name_of(an, args[1], b, err);
        nb_strbuf_adds(b, " ESCAPE '");
        st = st < 0 ? st : name_of(an, args[2], b, err);
        nb_strbuf_addc(b, '\'');
        return st;
    }
    if (nb_str_equal_nocase(f, NB_STR("extract")) && n == 2) {
        nb_strbuf_adds(b, "extract(");
        list(an, args, n, b, " FROM ", &st, err);
        nb_strbuf_addc(b, ')');
        return st;
    }
    if (n == 2 &&
        (nb_str_equal_nocase(f, NB_STR("trim")) || nb_str_equal_nocase(f, NB_STR("ltrim")) ||
         nb_str_equal_nocase(f, NB_STR("rtrim")))) {
        nb_strbuf_addf(b, "TRIM(%s ",
                       f.len == 4                             ? "BOTH"
                       : f.data[0] == 'l' || f.data[0] == 'L' ? "LEADING"
                                                              : "TRAILING");
        list(an, args, n, b, " FROM ", &st, err);
        nb_strbuf_addc(b, ')');
        return st;
    }
    if (n <= 2 && n >= 1 && nb_str_equal_nocase(f, NB_STR("log"))) {
        nb_strbuf_adds(b, n == 1 ? "LOG(E(), " : "LOG(");
        list(an, args, n, b, ", ", &st, err);
        nb_strbuf_addc(b, ')');
        return st;
    }
    if (nb_str_equal_nocase(f, NB_STR("rlike")) && n == 2) {
        nb_strbuf_adds(b, "RLIKE(");
        list(an, args, n, b, ", ", &st, err);
        nb_strbuf_addc(b, ')');
        return st;
    }
    if (nb_str_equal_nocase(f, NB_STR("between")) && n == 3) {
        nb_strbuf_adds(b, "between(");
        list(an, args, n, b, ", ", &st, err);
        nb_strbuf_addc(b, ')');
        return st;
    }
    if (nb_str_equal_nocase(f, NB_STR("when"))) {
        nb_strbuf_adds(b, "CASE");
        for (size_t i = 0; i + 1 < n && st >= 0; i += 2) {
            nb_strbuf_adds(b, " WHEN ");
            st = name_of(an, args[i], b, err);
            nb_strbuf_adds(b, " THEN ");
            if (st >= 0) {
                st = name_of(an, args[i + 1], b, err);
            }
        }
        if (n % 2 == 1 && st >= 0) {
            nb_strbuf_adds(b, " ELSE ");
            st = name_of(an, args[n - 1], b, err);
        }
        nb_strbuf_adds(b, " END");
        return st;
    }
    if (nb_str_equal_nocase(f, NB_STR("if")) && n == 3) {
        nb_strbuf_adds(b, "(IF(");
        list(an, args, n, b, ", ", &st, err);
        nb_strbuf_adds(b, "))");
        return st;
    }
    if (nb_str_starts_with(f, NB_STR(NB_SQL_FN_LIKE_MANY)) && n >= 1) {
        nb_str kind = {f.data + strlen(NB_SQL_FN_LIKE_MANY), f.len - strlen(NB_SQL_FN_LIKE_MANY)};
        bool negated = nb_str_starts_with(kind, NB_STR("not_"));
        kind = negated ? (nb_str){kind.data + 4, kind.len - 4} : kind;
        nb_strbuf_addf(b, "%slike%.*s(", negated ? "not" : "", (int)kind.len, kind.data);
        st = name_of(an, args[0], b, err);
        nb_strbuf_addc(b, ')');
        return st;
    }
    if (nb_str_starts_with(f, NB_STR("nbaspark.")) && n >= 1) {
        if (nb_str_equal(f, NB_STR(NB_SQL_FN_WITHIN_GROUP))) {
            return within_group_name(an, args, n, b, err);
        }
        if (nb_str_equal(f, NB_STR(NB_SQL_FN_IGNORE_NULLS)) ||
            nb_str_equal(f, NB_STR(NB_SQL_FN_RESPECT_NULLS))) {
            return marked_name(an, args[0], b, err);
        }
        if (nb_str_equal(f, NB_STR(NB_SQL_FN_FILTER)) && n == 2) {
            st = name_of(an, args[0], b, err);
            nb_strbuf_adds(b, " FILTER (WHERE ");
            if (st >= 0) {
                st = name_of(an, args[1], b, err);
            }
            nb_strbuf_addc(b, ')');
            return st;
        }
        if (nb_str_equal(f, NB_STR(NB_SQL_FN_TIMESTAMP))) {
            nb_strbuf text = {0};
            nb_str quoted;
            st = name_of(an, args[0], &text, err); /* TIMESTAMP_NTZ '…' */
            quoted = nb_strbuf_str(&text);
            nb_strbuf_adds(b, "TIMESTAMP");
            if (nb_str_starts_with(quoted, NB_STR("TIMESTAMP_NTZ"))) {
                nb_strbuf_add(b, (nb_str){quoted.data + 13, quoted.len - 13});
            }
            b->failed |= text.failed;
            nb_strbuf_free(&text);
            return st;
        }
        st = name_of(an, args[0], b, err);
        return st;
    }
    if (n == 1 && nb_cast_function_type(f)) {
        return name_of(an, args[0], b, err);
    }
    {
        char *lower = nb_arena_strdup(an->arena, f);
        nb_str shown = {lower, f.len};
        NB_NEED(lower);
        if (nb_function_find(f) || nb_aggregate_find(f) ||
            nb_str_equal_nocase(f, NB_STR("grouping")) ||
            nb_str_equal_nocase(
                f, NB_STR("grouping_id"))) { /* else the user's own, as it is written */
            for (size_t i = 0; i < f.len; i++) {
                lower[i] = nb_to_lower(lower[i]);
            }
        } else {
            nb_catalog_function(an->cfg.catalog, f, &shown);
        }
        for (size_t i = 0; i < NB_COUNT_OF(renames); i++) {
            if (nb_str_equal_nocase(f, nb_str_of(renames[i].called))) {
                shown = nb_str_of(renames[i].shown);
            }
        }
        nb_strbuf_add(b, shown);
        if (nb_str_equal_nocase(f, NB_STR("window")) ||
            nb_str_equal_nocase(f, NB_STR("session_window"))) {
            return st; /* the column that the call is */
        }
    }
    nb_strbuf_addc(b, '(');
    if (distinct) {
        nb_strbuf_adds(b, "DISTINCT ");
    }
    if (n == 1 && nb_is_star(args[0]) && nb_str_equal_nocase(f, NB_STR("count"))) {
        nb_strbuf_addc(b, '1');
    } else if (nb_str_equal_nocase(f, NB_STR("struct")) ||
               nb_str_equal_nocase(f, NB_STR("named_struct"))) {
        for (size_t i = 0; i < n && st >= 0; i++) {
            if (i) {
                nb_strbuf_adds(b, ", ");
            }
            st = name_of(an, args[i], b, err);
        }
    } else {
        bool first = n == 2 && (nb_str_equal_nocase(f, NB_STR("first")) ||
                                nb_str_equal_nocase(f, NB_STR("last")) ||
                                nb_str_equal_nocase(f, NB_STR("any_value")) ||
                                nb_str_equal_nocase(f, NB_STR("mode")) ||
                                nb_str_equal_nocase(f, NB_STR("first_value")) ||
                                nb_str_equal_nocase(f, NB_STR("last_value")));
        for (size_t i = 0; i < NB_COUNT_OF(of_one_argument); i++) {
            first |= n > 1 && nb_str_equal_nocase(f, nb_str_of(of_one_argument[i]));
        }
        list(an, args, first ? 1 : n, b, ", ", &st, err); /* whether nulls count is not shown */
        for (size_t i = 0; i < NB_COUNT_OF(defaults); i++) {
            if (defaults[i].n == n && nb_str_equal_nocase(f, nb_str_of(defaults[i].called))) {
                nb_strbuf_adds(b, defaults[i].more);
            }
        }
    }
    nb_strbuf_addc(b, ')');
    return st;
}

static nb_status
literal_name(nb_analyzer *an, const Sc__Expression__Literal *lit, nb_strbuf *b, nb_error *err)
{
    nb_expr *e, *text;

    NB_TRY(nb_resolve_literal(an, lit, &e, err));
    if (nb_vector_is_null(e->u.literal.value, 0)) {
        nb_strbuf_adds(b, "NULL");
        return NB_OK;
    }
    if (e->type->id == NB_TYPE_INTERVAL_DT || e->type->id == NB_TYPE_INTERVAL_YM ||
        e->type->id == NB_TYPE_INTERVAL) {
        nb_strbuf_adds(b, nb_expr_sql(an->arena, e, false));
        return NB_OK;
    }
    if (e->type->id == NB_TYPE_BINARY) {
        nb_strbuf_adds(b, nb_sql_value(an->arena, e->u.literal.value, 0));
        return NB_OK;
    }
    if (e->type->id == NB_TYPE_DATE) {
        nb_strbuf_adds(b, "DATE '");
    } else if (e->type->id == NB_TYPE_TIMESTAMP) {
        nb_strbuf_adds(b, "TIMESTAMP '");
    } else if (e->type->id == NB_TYPE_TIMESTAMP_NTZ) {
        nb_strbuf_adds(b, "TIMESTAMP_NTZ '");
    }
    NB_TRY(nb_expr_cast(an->arena, e, nb_type_of(NB_TYPE_STRING), NB_CAST_LEGACY, &text, err));
    NB_TRY(nb_expr_fold(an->arena, text, an->cfg.info, &text, err));
    if (text->u.literal.value->data && !nb_vector_is_null(text->u.literal.value, 0)) {
        nb_strbuf_add(b, nb_view_str(NB_DATA(nb_view, text->u.literal.value)));
    }
    if (e->type->id == NB_TYPE_DATE || e->type->id == NB_TYPE_TIMESTAMP ||
        e->type->id == NB_TYPE_TIMESTAMP_NTZ) {
        nb_strbuf_addc(b, '\'');
    }
    return NB_OK;
}

static nb_status
sort_name(nb_analyzer *an, const Sc__Expression__SortOrder *o, nb_strbuf *b, nb_error *err)
{
    NB_TRY(name_of(an, o->child, b, err));
    nb_strbuf_addf(b, " %s NULLS %s", nb_sort_is_descending(o) ? "DESC" : "ASC",
                   nb_sort_is_nulls_last(o) ? "LAST" : "FIRST");
    return NB_OK;
}

static nb_status
bound_name(nb_analyzer *an, const Sc__Expression__Window__WindowFrame__FrameBoundary *f, bool lower,
           nb_strbuf *b, nb_error *err)
{
    switch (f ? (int)f->boundary_case : 0) {
    case SC__EXPRESSION__WINDOW__WINDOW_FRAME__FRAME_BOUNDARY__BOUNDARY_CURRENT_ROW:
        nb_strbuf_adds(b, "CURRENT ROW");
        return NB_OK;
    case SC__EXPRESSION__WINDOW__WINDOW_FRAME__FRAME_BOUNDARY__BOUNDARY_VALUE: {
        nb_strbuf v = {0};
        nb_status st = name_of(an, f->value, &v, err);
        nb_str text = nb_strbuf_str(&v);
        if (text.len && text.data[0] == '-') {
            nb_strbuf_addf(b, "%.*s PRECEDING", (int)text.len - 1, text.data + 1);
        } else {
            nb_strbuf_addf(b, "%.*s FOLLOWING", (int)text.len, text.data);
        }
        b->failed |= v.failed;
        nb_strbuf_free(&v);
        return st;
    }
    default: nb_strbuf_adds(b, lower ? "UNBOUNDED PRECEDING" : "UNBOUNDED FOLLOWING"); return NB_OK;
    }
}

/* Without the words IGNORE NULLS or RESPECT NULLS. */
static const Sc__Expression *
without_mark(const Sc__Expression *e)
{
    nb_str name = called_function(e);

    return nb_str_equal(name, NB_STR(NB_SQL_FN_IGNORE_NULLS)) ||
                   nb_str_equal(name, NB_STR(NB_SQL_FN_RESPECT_NULLS))
               ? e->unresolved_function->arguments[0]
               : e;
}

/* Is it a cast to an array, map or struct? */
static bool
is_nested_cast(nb_analyzer *an, const Sc__Expression *e)
{
    const nb_expr *made = nb_resolved_of(an, e);

    return made && made->kind == NB_EXPR_CAST &&
           (made->type->id == NB_TYPE_ARRAY || made->type->id == NB_TYPE_MAP ||
            made->type->id == NB_TYPE_STRUCT);
}

/* Ranks bring a frame of their own: rows up to the current one. */
static bool
counts_rows(const Sc__Expression *e)
{
    static const char *const names[] = {"dense_rank", "ntile", "percent_rank", "rank",
                                        "row_number"};

    for (size_t i = 0; i < NB_COUNT_OF(names); i++) {
        if (nb_str_equal_nocase(called_function(e), nb_str_of(names[i]))) {
            return true;
        }
    }
    return false;
}

/* lag and lead look at one row only, so many after the current one. */
typedef struct offset_frame {
    bool is_offset;
    int by;
} offset_frame;

static offset_frame
frame_of_offset(const Sc__Expression *e)
{
    bool lag = nb_str_equal_nocase(called_function(e), NB_STR("lag"));
    int by = 1;

    if (!lag && !nb_str_equal_nocase(called_function(e), NB_STR("lead"))) {
        return (offset_frame){false, 0};
    }
    if (e->unresolved_function->n_arguments > 1) {
        const Sc__Expression *n = e->unresolved_function->arguments[1];
        if (n->expr_type_case != SC__EXPRESSION__EXPR_TYPE_LITERAL ||
            n->literal->literal_type_case != SC__EXPRESSION__LITERAL__LITERAL_TYPE_INTEGER) {
            return (offset_frame){false, 0};
        }
        by = n->literal->integer;
    }
    return (offset_frame){true, lag ? -by : by};
}

static nb_status
window_name(nb_analyzer *an, const Sc__Expression__Window *w, nb_strbuf *b, nb_error *err)
{
    nb_status st = name_of(an, w->window_function, b, err);
    const Sc__Expression__Window__WindowFrame *f = w->frame_spec;
    const Sc__Expression *call = without_mark(w->window_function);
    offset_frame shift = f ? (offset_frame){false, 0} : frame_of_offset(call);
    bool rows =
        f ? f->frame_type == SC__EXPRESSION__WINDOW__WINDOW_FRAME__FRAME_TYPE__FRAME_TYPE_ROW
          : w->n_order_spec == 0 || shift.is_offset || counts_rows(call);
    const char *gap = "";

    if (call != w->window_function &&
        nb_str_equal_nocase(called_function(call), NB_STR("nth_value")) &&
        nb_str_equal(called_function(w->window_function), NB_STR(NB_SQL_FN_IGNORE_NULLS))) {
        nb_strbuf_adds(b, " ignore nulls");
    }

    nb_strbuf_adds(b, " OVER (");
    if (w->n_partition_spec && st >= 0) {
        nb_strbuf_adds(b, "PARTITION BY ");
        list(an, w->partition_spec, w->n_partition_spec, b, ", ", &st, err);
        gap = " ";
    }
    for (size_t i = 0; i < w->n_order_spec && st >= 0; i++) {
        nb_strbuf_adds(b, i ? ", " : gap);
        nb_strbuf_adds(b, i ? "" : "ORDER BY ");
        st = sort_name(an, w->order_spec[i], b, err);
        gap = " ";
    }
    nb_strbuf_addf(b, "%s%s BETWEEN ", gap, rows ? "ROWS" : "RANGE");
    if (shift.is_offset) {
        nb_strbuf_addf(b, "%d FOLLOWING AND %d FOLLOWING)", shift.by, shift.by);
        return st;
    }
    if (st >= 0) {
        st = bound_name(an, f ? f->lower : NULL, true, b, err);
    }
    nb_strbuf_adds(b, " AND ");
    if (st >= 0) {
        if (!f && w->n_order_spec) {
            nb_strbuf_adds(b, "CURRENT ROW");
        } else {
            st = bound_name(an, f ? f->upper : NULL, false, b, err);
        }
    }
    nb_strbuf_addc(b, ')');
    return st;
}

/* How many of a name's last parts are fields of a column: they are shown with it inside of other expressions. */
static size_t
fields_of(nb_analyzer *an, const Sc__Expression *e)
{
    const nb_expr *made = nb_resolved_of(an, e);
    size_t n = 0;

    for (; made && made->kind == NB_EXPR_CALL && made->n_args > 0; made = made->args[0]) {
        n++;
    }
    return n;
}

static nb_status
name_of(nb_analyzer *an, const Sc__Expression *e, nb_strbuf *b, nb_error *err)
{
    nb_str *parts;
    size_t n;

    switch (e->expr_type_case) {
    case SC__EXPRESSION__EXPR_TYPE_LITERAL: return literal_name(an, e->literal, b, err);
    case SC__EXPRESSION__EXPR_TYPE_COMMON_INLINE_USER_DEFINED_FUNCTION: {
        const Sc__CommonInlineUserDefinedFunction *f = e->common_inline_user_defined_function;
        nb_status st = NB_OK;

        nb_strbuf_add(b, nb_pb_str(f->function_name));
        nb_strbuf_addc(b, '(');
        list(an, f->arguments, f->n_arguments, b, ", ", &st, err);
        nb_strbuf_addc(b, ')');
        return st;
    }
    case SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_ATTRIBUTE:
        NB_TRY(nb_split_identifier(an, nb_pb_str(e->unresolved_attribute->unparsed_identifier),
                                   &parts, &n, err));
        if (nb_resolved_of(an, e) && nb_resolved_of(an, e)->kind != NB_EXPR_CALL) {
            nb_strbuf_addf(b, "lateralAliasReference(%.*s)", (int)parts[n - 1].len,
                           parts[n - 1].data); /* an alias before it in the select list */
            return NB_OK;
        }
        for (size_t i = n - 1 - NB_MIN(n - 1, fields_of(an, e)); i < n; i++) {
            nb_strbuf_add(b, parts[i]);
            nb_strbuf_adds(b, i + 1 < n ? "." : "");
        }
        return NB_OK;
    case SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_FUNCTION:
        if (e->unresolved_function->n_arguments == 2 &&
            (nb_str_equal(called_function(e), NB_STR("+")) ||
             nb_str_equal(called_function(e), NB_STR("-")))) {
            bool done;
            NB_TRY(date_and_interval(an, nb_resolved_of(an, e),
                                     nb_str_equal(called_function(e), NB_STR("-")),
                                     e->unresolved_function->arguments, b, &done, err));
            if (done) {
                return NB_OK;
            }
        }
        return function_name(
            an, nb_pb_str(e->unresolved_function->function_name), e->unresolved_function->arguments,
            e->unresolved_function->n_arguments,
            e->unresolved_function->has_is_distinct && e->unresolved_function->is_distinct, b, err);
    case SC__EXPRESSION__EXPR_TYPE_CALL_FUNCTION:
        return function_name(an, nb_pb_str(e->call_function->function_name),
                             e->call_function->arguments, e->call_function->n_arguments, false, b,
                             err);
    case SC__EXPRESSION__EXPR_TYPE_EXPRESSION_STRING: {
        Sc__Expression *parsed;
        NB_TRY(nb_parse_expression_string(an, e, &parsed, err));
        return name_of(an, parsed, b, err);
    }
    case SC__EXPRESSION__EXPR_TYPE_ALIAS:
        if (e->alias->n_name == 1) {
            NB_TRY(name_of(an, e->alias->expr, b, err));
            nb_strbuf_addf(b, " AS %.*s", (int)e->alias->name[0].len,
                           (const char *)e->alias->name[0].data);
        }
        return NB_OK;
    case SC__EXPRESSION__EXPR_TYPE_CAST: {
        const nb_type *to;
        if (is_nested_cast(an, e)) { /* a cast of its elements is not shown */
            return name_of(an, e->cast->expr, b, err);
        }
        bool is_try = e->cast->eval_mode == SC__EXPRESSION__CAST__EVAL_MODE__EVAL_MODE_TRY;
        nb_strbuf_adds(b, is_try ? "TRY_CAST(" : "CAST(");
        NB_TRY(name_of(an, e->cast->expr, b, err));
        if (e->cast->cast_to_type_case == SC__EXPRESSION__CAST__CAST_TO_TYPE_TYPE) {
            NB_TRY(nb_resolve_type(an, e->cast->type, &to, err));
        } else {
            Sc__DataType *parsed;
            NB_TRY(nb_sql_parse_data_type(an->arena, nb_pb_str(e->cast->type_str), &parsed, err));
            NB_TRY(nb_resolve_type(an, parsed, &to, err));
        }
        nb_strbuf_addf(b, " AS %s)", nb_type_sql(an->arena, to));
        return NB_OK;
    }
    case SC__EXPRESSION__EXPR_TYPE_SORT_ORDER: return sort_name(an, e->sort_order, b, err);
    case SC__EXPRESSION__EXPR_TYPE_WINDOW: return window_name(an, e->window, b, err);
    case SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_STAR: nb_strbuf_addc(b, '*'); return NB_OK;
    case SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_EXTRACT_VALUE: {
        const Sc__Expression *key = e->unresolved_extract_value->extraction;
        const nb_expr *item = nb_resolved_of(an, e);
        bool of_map = item && item->n_args > 0 && item->args[0]->type->id == NB_TYPE_MAP;
        NB_TRY(name_of(an, e->unresolved_extract_value->child, b, err));
        if (!of_map && key->expr_type_case == SC__EXPRESSION__EXPR_TYPE_LITERAL &&
            key->literal->literal_type_case == SC__EXPRESSION__LITERAL__LITERAL_TYPE_STRING) {
            nb_strbuf_addc(b, '.');
            nb_strbuf_add(b, nb_pb_str(key->literal->string));
            return NB_OK;
        }
        nb_strbuf_addc(b, '[');
        NB_TRY(name_of(an, key, b, err));
        nb_strbuf_addc(b, ']');
        return NB_OK;
    }
    case SC__EXPRESSION__EXPR_TYPE_LAMBDA_FUNCTION: {
        nb_strbuf_adds(b, "lambdafunction(");
        NB_TRY(name_of(an, e->lambda_function->function, b, err));
        for (size_t i = 0; i < e->lambda_function->n_arguments; i++) {
            const Sc__Expression__UnresolvedNamedLambdaVariable *v =
                e->lambda_function->arguments[i];
            nb_strbuf_adds(b, ", namedlambdavariable()");
            (void)v;
        }
        nb_strbuf_addc(b, ')');
        return NB_OK;
    }
    case SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_NAMED_LAMBDA_VARIABLE:
        nb_strbuf_adds(b, "namedlambdavariable()");
        return NB_OK;
    case SC__EXPRESSION__EXPR_TYPE_UPDATE_FIELDS:
        nb_strbuf_adds(b, "update_fields(");
        NB_TRY(name_of(an, e->update_fields->struct_expression, b, err));
        nb_strbuf_adds(b, e->update_fields->value_expression ? ", WithField(" : ", dropfield()");
        if (e->update_fields->value_expression) {
            NB_TRY(name_of(an, e->update_fields->value_expression, b, err));
            nb_strbuf_addc(b, ')');
        }
        nb_strbuf_addc(b, ')');
        return NB_OK;
    case SC__EXPRESSION__EXPR_TYPE_SUBQUERY_EXPRESSION:
        if (e->subquery_expression->subquery_type ==
                SC__SUBQUERY_EXPRESSION__SUBQUERY_TYPE__SUBQUERY_TYPE_IN &&
            e->subquery_expression->n_in_subquery_values == 1) {
            nb_strbuf_addc(b, '(');
            NB_TRY(name_of(an, e->subquery_expression->in_subquery_values[0], b, err));
            nb_strbuf_adds(b, " IN (listquery()))");
            return NB_OK;
        }
        nb_strbuf_adds(b, e->subquery_expression->subquery_type ==
                                  SC__SUBQUERY_EXPRESSION__SUBQUERY_TYPE__SUBQUERY_TYPE_EXISTS
                              ? "exists("
                              : "scalarsubquery(");
        NB_TRY(nb_outer_names(an, e->subquery_expression, b));
        nb_strbuf_addc(b, ')');
        return NB_OK;
    default: nb_strbuf_adds(b, "expr"); return NB_OK;
    }
}

/* A column cast to another type keeps its name, and so do arrays, maps and structs that are built on the spot. */
static bool
keeps_name_in_cast(nb_analyzer *an, const Sc__Expression *e)
{
    static const char *const builders[] = {"array", "map", "struct", "named_struct"};

    if (e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_FUNCTION) {
        for (size_t i = 0; i < NB_COUNT_OF(builders); i++) {
            if (nb_str_equal_nocase(nb_pb_str(e->unresolved_function->function_name),
                                    nb_str_of(builders[i]))) {
                return true;
            }
        }
    }
    return e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_ATTRIBUTE &&
           fields_of(an, e) == 0;
}

nb_status
nb_expression_name(nb_analyzer *an, const Sc__Expression *e, nb_str *out, nb_error *err)
{
    nb_strbuf b = {0};
    nb_status st;

    if (e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_CAST &&
        keeps_name_in_cast(an, e->cast->expr)) {
        e = e->cast->expr;
    }
    if (e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_ATTRIBUTE &&
        fields_of(an, e) > 0) { /* a field alone goes by its own name */
        nb_str *parts;
        size_t n;
        NB_TRY(nb_split_identifier(an, nb_pb_str(e->unresolved_attribute->unparsed_identifier),
                                   &parts, &n, err));
        *out = parts[n - 1];
        return NB_OK;
    }
    st = name_of(an, e, &b, err);
    if (st >= 0) {
        *out = nb_strbuf_finish(an->arena, &b);
        st = out->data ? NB_OK : NB_NOMEM;
    }
    nb_strbuf_free(&b);
    return st;
}
