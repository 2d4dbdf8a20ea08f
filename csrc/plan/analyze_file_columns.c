/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_file_columns.c: what a query may ask of the files that its rows come from: input_file_name() and its kin, and the struct _metadata.
 *
 * A scan has columns for these (nb_file_column), which nobody sees. A query that asks gets one from the scan below, and the nodes between pass it on as a
 * hidden attribute. Which fields of _metadata are made is the optimizer's matter (optimize_fields.c).
 *
 * As in Spark: _metadata is no part of `*`, a column of that name comes first, and it cannot be seen through an aggregation, a union, a view, a common table
 * expression or a join USING columns. The functions tell which file the running task reads, so nothing is known behind an exchange: they are '' and -1 there.
 */
#include "plan/analyzer_internal.h"

static nb_status
of_scan(nb_analyzer *an, nb_plan *p, nb_file_column which, uint64_t *id)
{
    const nb_type *all = nb_relation_columns(p->u.scan.relation);
    int at = nb_relation_schema(p->u.scan.relation)->n_children + (int)which;
    int *columns;

    for (int i = 0; i < p->n_attrs; i++) {
        if (p->u.scan.columns[i] == at) {
            *id = p->attrs[i].id;
            return NB_OK;
        }
    }
    columns = NB_ARENA_ARRAY(an->arena, int, p->n_attrs + 1);
    NB_NEED(columns);
    if (p->n_attrs) {
        memcpy(columns, p->u.scan.columns, sizeof(int) * (size_t)p->n_attrs);
    }
    columns[p->n_attrs] = at;
    p->u.scan.columns = columns;
    *id = nb_attr_next_id();
    return nb_add_hidden(an, p,
                         &(nb_attr){.id = *id,
                                    .name = all->children[at].name,
                                    .type = all->children[at].type,
                                    .metadata = all->children[at].metadata});
}

typedef struct search {
    nb_file_column which;
    bool of_task; /* the file that the task reads, not the one that the row is from */
    const nb_str *qualifier;
    int n_qualifier; /* an alias on the way must have this name; 0: once it was found, or when none is given */
} search;

static nb_status find(nb_analyzer *an, nb_plan *p, search s, uint64_t *id);

static nb_status
through_project(nb_analyzer *an, nb_plan *p, uint64_t id)
{
    const nb_attr *a = nb_plan_find_attr(p->children[0], id);
    nb_expr **exprs = NB_ARENA_ARRAY(an->arena, nb_expr *, p->n_attrs + 1);

    NB_NEED(exprs);
    if (p->n_attrs) {
        memcpy(exprs, p->u.project.exprs, sizeof(nb_expr *) * (size_t)p->n_attrs);
    }
    exprs[p->n_attrs] = nb_attr_expr(an->arena, a);
    NB_NEED(exprs[p->n_attrs]);
    p->u.project.exprs = exprs;
    return nb_add_hidden(an, p, a);
}

/* '' and -1. */
static nb_expr *
nothing(nb_analyzer *an, nb_file_column which)
{
    return which == NB_FILE_URL ? nb_expr_string(an->arena, NB_STR(""))
                                : nb_expr_int64(an->arena, -1);
}

/* Columns of a union go by position: each branch gets one more at its end. */
static nb_status
through_union(nb_analyzer *an, nb_plan *p, search s, uint64_t *id)
{
    nb_attr own = {.id = nb_attr_next_id()};
    uint64_t any = 0;

    for (int k = 0; k < p->n_children; k++) {
        nb_plan *child = p->children[k], *project;
        const nb_attr *before = child->attrs; /* others may come between them */
        uint64_t found = 0;
        nb_expr *last;
        NB_TRY(find(an, child, s, &found));
        any |= found;
        last =
            found ? nb_attr_expr(an->arena, nb_plan_find_attr(child, found)) : nothing(an, s.which);
        NB_NEED(last);
        last = nb_expr_alias(an->arena, last, NB_STR("input_file"), nb_attr_next_id());
        NB_NEED(last);
        own.type = last->type;
        own.name = NB_STR("input_file");
        NB_TRY(nb_plan_narrow(an->arena, child, before, p->n_attrs, &project));
        project->u.project.exprs[p->n_attrs] = last; /* there is room for one more */
        NB_TRY(nb_add_hidden(an, project,
                             &(nb_attr){.id = last->u.alias.attr,
                                        .name = own.name,
                                        .type = last->type,
                                        .nullable = last->nullable}));
        own.nullable |= last->nullable;
        p->children[k] = project;
    }
    if (any == 0) {
        return NB_OK;
    }
    *id = own.id;
    return nb_add_hidden(an, p, &own);
}

static nb_status
through_join(nb_analyzer *an, nb_plan *p, search s, uint64_t *id)
{
    nb_join_type type = p->u.join.type;
    bool left_only = type == NB_JOIN_SEMI || type == NB_JOIN_ANTI || type == NB_JOIN_MARK;
    bool right = false;

    NB_TRY(find(an, p->children[0], s, id));
    if (*id == 0 && !left_only) {
        NB_TRY(find(an, p->children[1], s, id));
        right = true;
    }
    if (*id == 0) {
        return NB_OK;
    }
    NB_TRY(nb_plan_refresh(an->arena, p));
    for (int i = 0; i < p->n_attrs; i++) {
        if (p->attrs[i].id == *id) {
            p->attrs[i].nullable |=
                type == NB_JOIN_FULL ||
                (right ? type == NB_JOIN_LEFT || type == NB_JOIN_SINGLE : type == NB_JOIN_RIGHT);
        }
    }
    return NB_OK;
}

static bool
names_fit(const nb_analyzer *an, const nb_plan *alias, const search *s)
{
    for (int i = 0; i < s->n_qualifier; i++) {
        if (s->n_qualifier > alias->u.alias.n_name ||
            !nb_names_equal(an, alias->u.alias.name[alias->u.alias.n_name - s->n_qualifier + i],
                            s->qualifier[i])) {
            return false;
        }
    }
    return true;
}

/* Do rows of p come in the task that reads them? */
static bool
same_task(const nb_plan *p)
{
    return p->kind == NB_PLAN_FILTER || p->kind == NB_PLAN_SAMPLE || p->kind == NB_PLAN_GENERATE ||
           (p->kind == NB_PLAN_EXCHANGE && p->u.exchange.kind == NB_EXCHANGE_COALESCE);
}

/* Makes p put out what is searched for, as the attribute *id; 0: nothing is known there. */
static nb_status
find(nb_analyzer *an, nb_plan *p, search s, uint64_t *id)
{
    switch (p->kind) {
    case NB_PLAN_SCAN: return s.n_qualifier == 0 ? of_scan(an, p, s.which, id) : NB_OK;
    case NB_PLAN_PROJECT:
        if (!s.of_task && p->u.project.is_closed) {
            return NB_OK;
        }
        NB_TRY(find(an, p->children[0], s, id));
        return *id == 0 || nb_plan_find_attr(p, *id) ? NB_OK : through_project(an, p, *id);
    case NB_PLAN_ALIAS:
        if (!s.of_task && p->u.alias.is_closed) {
            return NB_OK;
        }
        if (s.n_qualifier > 0 && names_fit(an, p, &s)) {
            s.n_qualifier = 0;
        }
        NB_TRY(find(an, p->children[0], s, id));
        return *id == 0 || nb_plan_find_attr(p, *id)
                   ? NB_OK
                   : nb_add_hidden(an, p, nb_plan_find_attr(p->children[0], *id));
    case NB_PLAN_JOIN: return through_join(an, p, s, id);
    case NB_PLAN_UNION: return s.of_task ? through_union(an, p, s, id) : NB_OK;
    case NB_PLAN_FILTER:
    case NB_PLAN_SORT:
    case NB_PLAN_LIMIT:
    case NB_PLAN_TAIL:
    case NB_PLAN_EXCHANGE:
    case NB_PLAN_SAMPLE:
    case NB_PLAN_WINDOW:
    case NB_PLAN_GENERATE:
        if (s.of_task && !same_task(p)) {
            return NB_OK;
        }
        NB_TRY(find(an, p->children[0], s, id));
        return *id == 0 || nb_plan_find_attr(p, *id) ? NB_OK : nb_plan_refresh(an->arena, p);
    default: return NB_OK;
    }
}

/* The attribute of one of the scope's plans, as a column; *out NULL: none of them has it. */
static nb_status
in_scope(nb_analyzer *an, const nb_scope *scope, search s, nb_expr **out)
{
    *out = NULL;
    for (int i = 0; i < scope->n_plans && *out == NULL && !scope->is_copy; i++) {
        uint64_t id = 0;
        NB_TRY(find(an, scope->plans[i], s, &id));
        if (id != 0) {
            *out = nb_attr_expr(an->arena, nb_plan_find_attr(scope->plans[i], id));
            NB_NEED(*out);
        }
    }
    return NB_OK;
}

nb_status
nb_resolve_metadata(nb_analyzer *an, const nb_scope *scope, const nb_str *parts, int n,
                    nb_expr **out, int *n_used)
{
    for (int k = 0; k < n && k < 4; k++) {
        search s = {.which = NB_FILE_METADATA, .qualifier = parts, .n_qualifier = k};
        if (nb_names_equal(an, parts[k], NB_STR("_metadata"))) {
            *n_used = k + 1;
            NB_TRY(in_scope(an, scope, s, out));
            return *out != NULL ? NB_OK : NB_DONE;
        }
    }
    return NB_DONE;
}

/* ---- functions ------------------------------------------------------------------------------- */

/* How many sources of files a plan reads at once, as Spark counts them. */
static int
count_sources(const nb_plan *p)
{
    int n = p->kind == NB_PLAN_SCAN;

    for (int i = 0; i < p->n_children; i++) {
        n += count_sources(p->children[i]);
    }
    return p->kind == NB_PLAN_UNION ? NB_MIN(n, 1) : n;
}

nb_status
nb_input_file(nb_analyzer *an, const nb_scope *scope, nb_str name, nb_expr **out, nb_error *err)
{
    static const struct {
        const char *name;
        nb_file_column column;
    } functions[] = {{"input_file_name", NB_FILE_URL},
                     {"input_file_block_start", NB_FILE_BLOCK_START},
                     {"input_file_block_length", NB_FILE_BLOCK_LENGTH}};
    nb_expr *either[2];
    int n = 0;

    for (size_t i = 0; i < NB_COUNT_OF(functions) && scope != NULL; i++) {
        search s = {.which = functions[i].column, .of_task = true};
        if (!nb_str_equal_nocase(name, nb_str_of(functions[i].name))) {
            continue;
        }
        for (int k = 0; k < scope->n_plans; k++) {
            n += count_sources(scope->plans[k]);
        }
        if (n > 1) {
            return nb_raise(err, NB_COND_MULTI_SOURCES_UNSUPPORTED_FOR_EXPRESSION, "expr",
                            nb_arena_printf(an->arena, "\"%s()\"", functions[i].name), NULL);
        }
        NB_TRY(in_scope(an, scope, s, &either[0]));
        if (either[0] == NULL) {
            return NB_DONE;
        }
        either[0]->deterministic = false; /* as Spark has it: no argument of an aggregate */
        if (!either[0]->nullable) {
            *out = either[0];
            return NB_OK;
        }
        either[1] = nothing(an, s.which);
        NB_NEED(either[1]);
        return nb_call(an, "coalesce", either, 2, out, err);
    }
    return NB_DONE;
}
