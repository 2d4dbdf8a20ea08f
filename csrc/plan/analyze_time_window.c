/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_time_window.c: window(), session_window() and window_time().
 *
 *     GROUP BY window(ts, '10 minutes', '5 minutes'), session_window(ts, '5 minutes')
 *
 * Such a call is a column {start, end} that the operator's input does not have yet: the input gets it on the way, and the call is that
 * attribute from then on, wherever it stands in the operator again.
 *
 *   tumbling  FILTER the time is there → PROJECT adds the column
 *   sliding   EXPAND: each row once per window that may hold its time → FILTER those that do
 *   session   PROJECT adds [time, time + gap) → FILTER those that are not empty. As a key of an aggregation, spans that touch are merged
 *             per group of the other keys: window functions number them, and the column becomes their union.
 *
 * As in Spark: lengths are fixed numbers of microseconds, so a day has 24 hours whatever the clocks do; windows are aligned to 1970-01-01 UTC;
 * one such call per operator; a time of null is in no window.
 */
#include "plan/analyzer_internal.h"
#include "expr/date_text.h"

/* A window slides by at least this part of its length: each row becomes as many. */
#define MAX_OVERLAP 10000

struct nb_time_window {
    struct nb_time_window *next;
    bool is_session;
    nb_expr *time, *gap;
    int64_t length, slide, offset;
    nb_attr column;     /* the struct */
    nb_attr start, end; /* sessions: its parts */
    nb_plan *made;      /* the input with the column */
};

bool
nb_is_time_window(nb_str name)
{
    return nb_str_equal_nocase(name, NB_STR("window")) ||
           nb_str_equal_nocase(name, NB_STR("session_window")) ||
           nb_str_equal_nocase(name, NB_STR("window_time"));
}

static bool
is_span(const nb_type *t)
{
    return t->id == NB_TYPE_STRUCT && t->n_children == 2 &&
           nb_str_equal(t->children[0].name, NB_STR("start")) &&
           nb_str_equal(t->children[1].name, NB_STR("end")) &&
           t->children[0].type->id == t->children[1].type->id &&
           (t->children[0].type->id == NB_TYPE_TIMESTAMP ||
            t->children[0].type->id == NB_TYPE_TIMESTAMP_NTZ);
}

static nb_status
wrong_type(nb_analyzer *an, const char *call, const nb_expr *arg, const char *required,
           nb_error *err)
{
    return nb_raise(
        err, NB_COND_DATATYPE_MISMATCH_UNEXPECTED_INPUT_TYPE, "sqlExpr",
        nb_arena_printf(an->arena, "\"%s\"", call), "paramIndex", "first", "requiredType", required,
        "inputSql", nb_arena_printf(an->arena, "\"%s\"", nb_expr_sql(an->arena, arg, false)),
        "inputType", nb_arena_printf(an->arena, "\"%s\"", nb_type_sql(an->arena, arg->type)), NULL);
}

/* The last moment of a window: its end less one microsecond. */
static nb_status
window_time(nb_analyzer *an, nb_expr *e, nb_expr **out, nb_error *err)
{
    nb_expr *end, *less = nb_expr_int64(an->arena, -1);

    NB_NEED(less);
    if (!is_span(e->type)) {
        return wrong_type(
            an, nb_arena_printf(an->arena, "window_time(%s)", nb_expr_sql(an->arena, e, false)), e,
            "\"STRUCT\"", err);
    }
    NB_TRY(nb_extract_field(an, e, NB_STR("end"), &end, err));
    return nb_call2(an, "nb_add_micros", end, less, out, err);
}

/* The time of a call: an instant, local time, or what stands for a window. */
static nb_status
time_argument(nb_analyzer *an, nb_expr **time, nb_error *err)
{
    nb_type_id id = (*time)->type->id;

    if (is_span((*time)->type)) {
        return window_time(an, *time, time, err);
    }
    if (id == NB_TYPE_TIMESTAMP || id == NB_TYPE_TIMESTAMP_NTZ) {
        return NB_OK;
    }
    if (id == NB_TYPE_DATE || id == NB_TYPE_NULL || nb_type_is_string((*time)->type)) {
        return nb_expr_cast(an->arena, *time, nb_type_of(NB_TYPE_TIMESTAMP),
                            an->cfg.info->ansi ? NB_CAST_ANSI : NB_CAST_LEGACY, time, err);
    }
    return NB_DONE;
}

#define TIMES                                                                             \
    "(\"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)\" or \"STRUCT<start: TIMESTAMP, end: " \
    "TIMESTAMP>\" or \"STRUCT<start: TIMESTAMP_NTZ, end: TIMESTAMP_NTZ>\")"

/* A constant length in microseconds. */
static nb_status
length_argument(nb_analyzer *an, nb_expr *e, int64_t *out, nb_error *err)
{
    nb_expr *made, *text;
    const nb_vector *v;

    if (!e->foldable || !(nb_type_is_string(e->type) || e->type->id == NB_TYPE_INT32 ||
                          e->type->id == NB_TYPE_INT64)) {
        return nb_raise(err, NB_COND_WINDOW_LENGTH_NO_LITERAL, NULL);
    }
    if (!nb_type_is_string(e->type)) {
        NB_TRY(nb_expr_cast(an->arena, e, nb_type_of(NB_TYPE_INT64), NB_CAST_ANSI, &made, err));
        NB_TRY(nb_expr_fold(an->arena, made, an->cfg.info, &made, err));
        v = made->u.literal.value;
        if (nb_vector_is_null(v, 0)) {
            return nb_raise(err, NB_COND_WINDOW_LENGTH_NO_LITERAL, NULL);
        }
        *out = *NB_DATA(int64_t, v);
        return NB_OK;
    }
    NB_TRY(nb_expr_fold(an->arena, e, an->cfg.info, &text, err));
    NB_TRY(nb_expr_cast(an->arena, text, nb_type_of(NB_TYPE_INTERVAL), NB_CAST_TRY, &made, err));
    NB_TRY(nb_expr_fold(an->arena, made, an->cfg.info, &made, err));
    v = made->u.literal.value;
    if (nb_vector_is_null(v, 0)) {
        nb_str said = nb_vector_is_null(text->u.literal.value, 0)
                          ? NB_STR("null")
                          : nb_view_str(NB_DATA(nb_view, text->u.literal.value));
        return nb_raise(err, NB_COND_CANNOT_PARSE_INTERVAL, "intervalString",
                        nb_arena_printf(an->arena, "'%.*s'", (int)said.len, said.data), NULL);
    }
    nb_interval i = *NB_DATA(nb_interval, v);
    int64_t days;
    if (i.months != 0) {
        nb_str said = nb_view_str(NB_DATA(nb_view, text->u.literal.value));
        return nb_raise(err, NB_COND_WINDOW_LENGTH_IN_MONTHS, "interval",
                        nb_arena_printf(an->arena, "%.*s", (int)said.len, said.data), NULL);
    }
    if (__builtin_mul_overflow((int64_t)i.days, NB_US_PER_DAY, &days) ||
        __builtin_add_overflow(days, i.us, out)) {
        return nb_raise(err, NB_COND_WINDOW_LENGTH_NO_LITERAL, NULL);
    }
    return NB_OK;
}

static nb_status
check_positive(nb_analyzer *an, const char *call, const char *what, int64_t value, nb_error *err)
{
    return value > 0 ? NB_OK
                     : nb_raise(err, NB_COND_DATATYPE_MISMATCH_VALUE_OUT_OF_RANGE, "sqlExpr",
                                nb_arena_printf(an->arena, "\"%s\"", call), "exprName", what,
                                "valueRange", "(0, 9223372036854775807]", "currentValue",
                                nb_arena_printf(an->arena, "%lldL", (long long)value), NULL);
}

static nb_status
check_lengths(nb_analyzer *an, const struct nb_time_window *w, const char *call, nb_error *err)
{
    int64_t away = w->offset < 0 ? -w->offset : w->offset;
    bool too_far;

    NB_TRY(check_positive(an, call, "`window_duration`", w->length, err));
    NB_TRY(check_positive(an, call, "`slide_duration`", w->slide, err));
    too_far = w->slide <= w->length;
    if (too_far && away < w->slide) {
        return NB_OK;
    }
    return nb_raise(
        err, NB_COND_DATATYPE_MISMATCH_PARAMETER_CONSTRAINT_VIOLATION, "sqlExpr",
        nb_arena_printf(an->arena, "\"%s\"", call), "leftExprName",
        too_far ? "`abs(start_time)`" : "`slide_duration`", "leftExprValue",
        nb_arena_printf(an->arena, "%lldL", (long long)(too_far ? away : w->slide)), "constraint",
        too_far ? "<" : "<=", "rightExprName", too_far ? "`slide_duration`" : "`window_duration`",
        "rightExprValue",
        nb_arena_printf(an->arena, "%lldL", (long long)(too_far ? w->slide : w->length)), NULL);
}

static nb_status
span(nb_analyzer *an, nb_expr *start, nb_expr *end, nb_expr **out, nb_error *err)
{
    nb_expr *args[4] = {nb_expr_string(an->arena, NB_STR("start")), start,
                        nb_expr_string(an->arena, NB_STR("end")), end};

    NB_NEED(args[0] && args[2]);
    return nb_call(an, "named_struct", args, 4, out, err);
}

/* A projection of everything that p has, and one column more. */
static nb_status
add_column(nb_analyzer *an, nb_plan *p, const char *name, nb_expr *e, bool hidden, nb_attr *attr,
           nb_plan **out, nb_error *err)
{
    nb_expr **list = NB_ARENA_ARRAY(an->arena, nb_expr *, p->n_attrs + 1);
    nb_lateral *keep = an->lateral;
    nb_plan *made = NULL;
    nb_status st;

    NB_NEED(list);
    for (int i = 0; i < p->n_attrs; i++) {
        list[i] = nb_attr_expr(an->arena, &p->attrs[i]);
        NB_NEED(list[i]);
    }
    list[p->n_attrs] = nb_expr_alias(an->arena, e, nb_str_of(name), nb_attr_next_id());
    NB_NEED(list[p->n_attrs]);
    an->lateral = NULL; /* the select list's aliases are nothing to this one */
    st = nb_plan_project(an, p, list, p->n_attrs + 1, &made, err);
    an->lateral = keep;
    NB_TRY(st);
    for (int i = 0; i < p->n_attrs; i++) {
        made->attrs[i] = p->attrs[i];
    }
    made->attrs[p->n_attrs].hidden = hidden;
    *attr = made->attrs[p->n_attrs];
    *out = made;
    return NB_OK;
}

static nb_status
start_of(nb_analyzer *an, const struct nb_time_window *w, int64_t back, nb_expr **out,
         nb_error *err)
{
    nb_expr *args[4] = {w->time, nb_expr_int64(an->arena, w->slide),
                        nb_expr_int64(an->arena, w->offset), nb_expr_int64(an->arena, back)};

    NB_NEED(args[1] && args[2] && args[3]);
    return nb_call(an, "nb_window_start", args, 4, out, err);
}

static nb_status
end_of(nb_analyzer *an, const struct nb_time_window *w, nb_expr *start, nb_expr **out,
       nb_error *err)
{
    nb_expr *length = nb_expr_int64(an->arena, w->length);

    NB_NEED(length);
    return nb_call2(an, "nb_add_micros", start, length, out, err);
}

static nb_status
tumble(nb_analyzer *an, nb_plan *input, struct nb_time_window *w, bool hidden, nb_error *err)
{
    nb_expr *start, *end, *column, *there;

    NB_TRY(nb_call(an, "isnotnull", &w->time, 1, &there, err));
    NB_TRY(nb_plan_filter(an, input, there, &input, err));
    NB_TRY(start_of(an, w, 0, &start, err));
    NB_TRY(end_of(an, w, start, &end, err));
    NB_TRY(span(an, start, end, &column, err));
    return add_column(an, input, "window", column, hidden, &w->column, &w->made, err);
}

static nb_status
slide(nb_analyzer *an, nb_plan *input, struct nb_time_window *w, bool hidden, nb_error *err)
{
    int64_t n = w->length / w->slide + (w->length % w->slide != 0);
    int base = input->n_attrs;
    nb_plan *p = nb_plan_new(an->arena, NB_PLAN_EXPAND, 1, base + 1);
    nb_expr *column, *end, *from, *inside;

    NB_NEED(p);
    if (n > MAX_OVERLAP) {
        return nb_raise_unsupported(err, "A time in more than %d windows", MAX_OVERLAP);
    }
    p->children[0] = input;
    memcpy(p->attrs, input->attrs, sizeof(nb_attr) * (size_t)base);
    p->u.expand.n_projections = (int)n;
    p->u.expand.projections = NB_ARENA_ARRAY(an->arena, nb_expr **, n);
    NB_NEED(p->u.expand.projections);
    for (int64_t i = 0; i < n; i++) {
        nb_expr **row = NB_ARENA_ARRAY(an->arena, nb_expr *, base + 1);
        NB_NEED(row);
        for (int c = 0; c < base; c++) {
            row[c] = nb_attr_expr(an->arena, &input->attrs[c]);
            NB_NEED(row[c]);
        }
        NB_TRY(start_of(an, w, i * w->slide, &from, err));
        NB_TRY(end_of(an, w, from, &end, err));
        NB_TRY(span(an, from, end, &row[base], err));
        p->u.expand.projections[i] = row;
    }
    w->column = (nb_attr){.id = nb_attr_next_id(),
                          .name = NB_STR("window"),
                          .type = p->u.expand.projections[0][base]->type,
                          .nullable = true,
                          .hidden = hidden};
    p->attrs[base] = w->column;
    column = nb_attr_expr(an->arena, &w->column);
    NB_NEED(column);
    /* the last of them may end too early; null times are in none */
    NB_TRY(nb_extract_field(an, column, NB_STR("end"), &end, err));
    NB_TRY(nb_call2(an, "<", w->time, end, &inside, err));
    return nb_plan_filter(an, p, inside, &w->made, err);
}

static nb_status
session(nb_analyzer *an, nb_plan *input, struct nb_time_window *w, bool hidden, nb_error *err)
{
    nb_expr *end, *start, *some, *column;

    NB_TRY(nb_call2(an, "+", w->time, w->gap, &end, err));
    NB_TRY(nb_expr_cast(an->arena, end, w->time->type, NB_CAST_ANSI, &end, err));
    NB_TRY(add_column(an, input, "_start", w->time, true, &w->start, &input, err));
    NB_TRY(add_column(an, input, "_end", end, true, &w->end, &input, err));
    w->start.nullable = w->end.nullable =
        true; /* as those of merged sessions, so that both have one type */
    start = nb_attr_expr(an->arena, &w->start);
    end = nb_attr_expr(an->arena, &w->end);
    NB_NEED(start && end);
    NB_TRY(nb_call2(an, ">", end, start, &some, err));
    NB_TRY(nb_plan_filter(an, input, some, &input, err));
    NB_TRY(span(an, start, end, &column, err));
    return add_column(an, input, "session_window", column, hidden, &w->column, &w->made, err);
}

static nb_status
gap_argument(nb_analyzer *an, nb_expr *e, nb_expr **out, nb_error *err)
{
    if (nb_type_is_string(e->type)) {
        return nb_expr_cast(an->arena, e, nb_type_of(NB_TYPE_INTERVAL), NB_CAST_TRY, out, err);
    }
    *out = e;
    if (e->type->id == NB_TYPE_INTERVAL) {
        return NB_OK;
    }
    return nb_raise(err, NB_COND_SESSION_GAP_NO_INTERVAL, "dt",
                    nb_type_class_name(an->arena, e->type), NULL);
}

static bool
same_call(const struct nb_time_window *a, const struct nb_time_window *b)
{
    return a->is_session == b->is_session && nb_expr_equal(a->time, b->time) &&
           a->length == b->length && a->slide == b->slide && a->offset == b->offset &&
           (!a->is_session || nb_expr_equal(a->gap, b->gap));
}

/* The column of an equal call that the inputs have. NB_DONE: they have none. */
static nb_status
find_made(nb_analyzer *an, const nb_scope *scope, const struct nb_time_window *w, nb_expr **out,
          nb_error *err)
{
    for (const struct nb_time_window *x = an->time_windows; x; x = x->next) {
        const nb_attr *a = NULL;
        for (int i = 0; i < scope->n_plans && !a; i++) {
            a = nb_plan_find_attr(scope->plans[i], x->column.id);
        }
        if (a && same_call(x, w)) {
            *out = nb_attr_expr(an->arena, a);
            return *out ? NB_OK : NB_NOMEM;
        }
        if (scope->n_plans == 1 && scope->plans[0] == x->made) {
            return nb_raise(err, NB_COND_MULTIPLE_TIME_WINDOWS, NULL);
        }
    }
    return NB_DONE;
}

static bool
no_alias(nb_expr *e, void *payload)
{
    return !nb_is_lateral(payload, e);
}

nb_status
nb_time_window(nb_analyzer *an, const nb_scope *scope, nb_str name, nb_expr **args, int n,
               nb_expr **out, nb_error *err)
{
    struct nb_time_window *w = NB_ARENA_NEW(an->arena, struct nb_time_window);
    const char *call;
    bool hidden, ambiguous = false;
    nb_status st;

    NB_NEED(w);
    *w = (struct nb_time_window){.is_session = nb_str_equal_nocase(name, NB_STR("session_window"))};
    if (nb_str_equal_nocase(name, NB_STR("window_time"))) {
        NB_TRY(nb_bind_check_arity(name, 1, 1, n, err));
        return window_time(an, args[0], out, err);
    }
    NB_TRY(nb_bind_check_arity(name, 2, w->is_session ? 2 : 4, n, err));
    w->time = args[0];
    if (w->is_session) {
        call = nb_arena_printf(an->arena, "sessionwindow(%s, %s)",
                               nb_expr_sql(an->arena, args[0], false),
                               nb_expr_sql(an->arena, args[1], false));
        NB_TRY(gap_argument(an, args[1], &w->gap, err));
    } else {
        NB_TRY(length_argument(an, args[1], &w->length, err));
        w->slide = w->length;
        if (n > 2) {
            NB_TRY(length_argument(an, args[2], &w->slide, err));
        }
        if (n > 3) {
            NB_TRY(length_argument(an, args[3], &w->offset, err));
        }
        call = nb_arena_printf(an->arena, "window(%s, %lld, %lld, %lld)",
                               nb_expr_sql(an->arena, args[0], false), (long long)w->length,
                               (long long)w->slide, (long long)w->offset);
    }
    NB_NEED(call);
    st = time_argument(an, &w->time, err);
    if (st == NB_DONE) {
        return wrong_type(an, call, args[0], TIMES, err);
    }
    NB_TRY(st);
    if (!w->is_session) {
        NB_TRY(check_lengths(an, w, call, err));
    }
    st = find_made(an, scope, w, out, err);
    if (st != NB_DONE) {
        return st;
    }
    if (scope->grows == NB_GROWS_NOT) {
        return nb_raise_unsupported(err, "A time window in this clause");
    }
    hidden = scope->grows == NB_GROWS_HIDDEN ||
             nb_find_by_name(an, scope->plans[0], name, &ambiguous) || ambiguous;
    if (nb_has_agg(w->time) || (w->gap && nb_has_agg(w->gap))) {
        return nb_raise_unsupported(err, "A time window of an aggregate");
    }
    if (!nb_expr_visit(w->time, no_alias, an) || (w->gap && !nb_expr_visit(w->gap, no_alias, an))) {
        return nb_raise_unsupported(err, "A time window of an alias in the same list");
    }
    NB_TRY(w->is_session           ? session(an, scope->plans[0], w, hidden, err)
           : w->slide == w->length ? tumble(an, scope->plans[0], w, hidden, err)
                                   : slide(an, scope->plans[0], w, hidden, err));
    w->column.metadata = w->is_session ? NB_STR("{\"spark.sessionWindow\":true}")
                                       : NB_STR("{\"spark.timeWindow\":true}");
    for (int i = 0; i < w->made->n_attrs; i++) {
        if (w->made->attrs[i].id == w->column.id) {
            w->made->attrs[i].metadata = w->column.metadata;
        }
    }
    w->next = an->time_windows;
    an->time_windows = w;
    scope->plans[0] = w->made;
    *out = nb_attr_expr(an->arena, &w->column);
    return *out ? NB_OK : NB_NOMEM;
}

/* fn over the rows of equal keys, ordered by `order` where that is given. */
static nb_status
over(nb_analyzer *an, const char *fn, nb_expr *arg, nb_expr **keys, int n_keys, nb_expr *order,
     bool before, nb_expr **out, nb_error *err)
{
    nb_window_spec *spec = NB_ARENA_NEW(an->arena, nb_window_spec);
    nb_expr *call, *w;

    NB_NEED(spec);
    *spec = (nb_window_spec){.partition_by = keys, .n_partition_by = n_keys};
    spec->frame.lower = NB_BOUND_UNBOUNDED;
    spec->frame.upper = order ? NB_BOUND_CURRENT : NB_BOUND_UNBOUNDED;
    spec->frame.is_rows = before || !order;
    if (before) { /* all rows before this one */
        spec->frame.upper = NB_BOUND_OFFSET;
        spec->frame.upper_offset = nb_expr_int32(an->arena, -1);
        NB_NEED(spec->frame.upper_offset);
    }
    spec->order_by = NB_ARENA_ARRAY(an->arena, nb_sort_key, 1);
    NB_NEED(spec->order_by);
    if (order) {
        spec->order_by[0] = (nb_sort_key){.expr = order};
        spec->n_order_by = 1;
    }
    NB_TRY(nb_call_agg(an, fn, &arg, 1, false, &call, err));
    w = nb_expr_new(an->arena, NB_EXPR_WINDOW, call->type, true, 0);
    NB_NEED(w);
    w->u.window.fn = call;
    w->u.window.spec = spec;
    nb_expr_set_flags(w);
    w->foldable = false;
    *out = w;
    return NB_OK;
}

nb_status
nb_merge_sessions(nb_analyzer *an, nb_plan **child, nb_expr *const *keys, int n_keys, nb_error *err)
{
    const struct nb_time_window *w = an->time_windows;
    nb_expr **others, *start, *end, *args[3], *later, *none, *e;
    nb_attr before, begins, number, first, last, merged;
    nb_plan *p = *child;
    int n = 0, at = -1;

    for (; w && (!w->is_session || w->made != p); w = w->next) {
    }
    for (int i = 0; i < n_keys && w; i++) {
        const nb_expr *key = keys[i]->kind == NB_EXPR_ALIAS ? keys[i]->args[0] : keys[i];
        at = key->kind == NB_EXPR_COLUMN && key->u.column.attr == w->column.id ? i : at;
    }
    if (at < 0) {
        return NB_OK;
    }
    others = NB_ARENA_ARRAY(an->arena, nb_expr *, n_keys + 1);
    start = nb_attr_expr(an->arena, &w->start);
    end = nb_attr_expr(an->arena, &w->end);
    NB_NEED(others && start && end);
    for (int i = 0; i < n_keys; i++) {
        nb_expr *key = keys[i]->kind == NB_EXPR_ALIAS ? keys[i]->args[0] : keys[i];
        if (i != at && !(key->kind == NB_EXPR_COLUMN && key->u.column.attr == w->column.id)) {
            others[n++] = key;
        }
    }
    /* A row begins a session when all that came before it ended before it starts. Rows of one start are told apart by the first frame only,
     * so that the sum over peers gives them one number. */
    NB_TRY(over(an, "max", end, others, n, start, true, &e, err));
    NB_TRY(add_column(an, p, "_before", e, true, &before, &p, err));
    args[0] = nb_attr_expr(an->arena, &before);
    NB_NEED(args[0]);
    NB_TRY(nb_call(an, "isnull", args, 1, &none, err));
    NB_TRY(nb_call2(an, ">", start, args[0], &later, err));
    NB_TRY(nb_call2(an, "or", none, later, &args[0], err));
    args[1] = nb_expr_int64(an->arena, 1);
    args[2] = nb_expr_int64(an->arena, 0);
    NB_NEED(args[1] && args[2]);
    NB_TRY(nb_call(an, "if", args, 3, &e, err));
    NB_TRY(add_column(an, p, "_begins", e, true, &begins, &p, err));
    e = nb_attr_expr(an->arena, &begins);
    NB_NEED(e);
    NB_TRY(over(an, "sum", e, others, n, start, false, &e, err));
    NB_TRY(add_column(an, p, "_number", e, true, &number, &p, err));
    others[n] = nb_attr_expr(an->arena, &number);
    NB_NEED(others[n]);
    NB_TRY(over(an, "min", start, others, n + 1, NULL, false, &e, err));
    NB_TRY(add_column(an, p, "_first", e, true, &first, &p, err));
    NB_TRY(over(an, "max", end, others, n + 1, NULL, false, &e, err));
    NB_TRY(add_column(an, p, "_last", e, true, &last, &p, err));
    start = nb_attr_expr(an->arena, &first);
    end = nb_attr_expr(an->arena, &last);
    NB_NEED(start && end);
    NB_TRY(span(an, start, end, &e, err));
    NB_TRY(add_column(an, p, "session_window", e, false, &merged, &p, err));
    /* what was resolved names the row's own span: from here on the merged one has its id */
    for (int i = 0; i < p->n_attrs; i++) {
        if (p->attrs[i].id == w->column.id) {
            uint64_t own = nb_attr_next_id();
            nb_expr *alias = nb_expr_alias(an->arena, p->u.project.exprs[i], w->column.name, own);
            NB_NEED(alias);
            p->u.project.exprs[i] = alias;
            p->attrs[i].id = own;
            p->attrs[i].hidden = true;
        }
    }
    e = p->u.project.exprs[p->n_attrs - 1];
    e->u.alias.attr = w->column.id;
    p->attrs[p->n_attrs - 1].id = w->column.id;
    p->attrs[p->n_attrs - 1].metadata = w->column.metadata;
    *child = p;
    return NB_OK;
}

nb_status
nb_analyze_watermark(nb_analyzer *an, const Sc__WithWatermark *m, nb_plan **out, nb_error *err)
{
    nb_str said = nb_pb_str(m->delay_threshold);
    nb_expr *text = nb_expr_string(an->arena, said), *made;
    const nb_vector *v;

    NB_NEED(text);
    NB_TRY(nb_expr_cast(an->arena, text, nb_type_of(NB_TYPE_INTERVAL), NB_CAST_TRY, &made, err));
    NB_TRY(nb_expr_fold(an->arena, made, an->cfg.info, &made, err));
    v = made->u.literal.value;
    if (nb_vector_is_null(v, 0)) {
        return nb_raise(err, NB_COND_CANNOT_PARSE_INTERVAL, "intervalString",
                        nb_arena_printf(an->arena, "'%.*s'", (int)said.len, said.data), NULL);
    }
    const nb_interval *i = NB_DATA(nb_interval, v);
    double days = i->months * 31.0 + i->days + (double)i->us / (double)NB_US_PER_DAY;
    if (days < 0) {
        return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message",
                        nb_arena_printf(an->arena,
                                        "requirement failed: delay threshold (%.*s) should not be "
                                        "negative.",
                                        (int)said.len, said.data),
                        NULL);
    }
    return nb_analyze_relation(an, m->input, out, err); /* rows of a batch are never late */
}
