/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_recursive.c: WITH RECURSIVE: the query is run while it is analysed, one level after the other.
 *
 *     rows of level 0 = the first branch of the UNION ALL (the anchor)
 *     rows of level i = the second branch, in which the query's own name means the rows of level i - 1
 *
 * until a level is empty. The relation is the union of all levels: tables in memory, kept for the time of the query, made once however often the
 * name is used. A LIMIT right above says how many rows are wanted at most, and levels beyond are not run: so an endless recursion may be limited.
 * What is around the whole query cannot be named inside (correlation).
 */
#include "base/config.h"
#include "plan/analyzer_internal.h"
#include "sql/encoding.h"

#define MAX_ROWS 1000000 /* spark.sql.cteRecursionRowLimit */

/* The name while its own query is analysed. */
struct nb_recursion {
    nb_str name;
    nb_table *rows; /* of the level before; NULL: the name may not stand here */
    const nb_str *columns;
    bool used;
    nb_recursion *outer;
};

/* All levels of a query that has been run. */
struct nb_recursed {
    const Sc__Relation *message;
    nb_table **levels;
    int n_levels, cap_levels;
    int64_t n_rows;
    bool is_whole;
    nb_str *columns;
    bool *nullable;
    nb_recursed *next;
};

/* nullable NULL: any column may be null, as the query's own columns inside of it. */
static nb_status
level_plan(nb_analyzer *an, nb_table *rows, const nb_str *columns, const bool *nullable,
           nb_plan **out, nb_error *err)
{
    NB_TRY(nb_plan_of_table(an, rows, out, err));
    for (int i = 0; i < (*out)->n_attrs; i++) {
        (*out)->attrs[i].name = columns[i];
        (*out)->attrs[i].nullable = !nullable || nullable[i];
    }
    return NB_OK;
}

nb_status
nb_read_recursion(nb_analyzer *an, nb_str name, nb_plan **out, nb_error *err)
{
    for (nb_recursion *r = an->recursion; r; r = r->outer) {
        if (nb_names_equal(an, r->name, name)) {
            r->used = true;
            if (!r->rows) {
                return nb_raise(err, NB_COND_INVALID_RECURSIVE_CTE, NULL);
            }
            NB_TRY(level_plan(an, r->rows, r->columns, NULL, out, err));
            return nb_plan_alias(an, *out, &r->name, 1, out, err);
        }
    }
    return NB_DONE;
}

/* The set operation below names of columns. */
static const Sc__SetOperation *
union_of(const Sc__Relation *r, const Sc__ToDF **names)
{
    *names = NULL;
    while (r && r->rel_type_case == SC__RELATION__REL_TYPE_TO_DF) {
        *names = *names ? *names : r->to_df;
        r = r->to_df->input;
    }
    return r && r->rel_type_case == SC__RELATION__REL_TYPE_SET_OP &&
                   r->set_op->set_op_type == SC__SET_OPERATION__SET_OP_TYPE__SET_OP_TYPE_UNION
               ? r->set_op
               : NULL;
}

static nb_status
run(nb_analyzer *an, nb_plan *plan, nb_recursed *to, nb_error *err)
{
    nb_table *table;
    nb_status st;

    if (!an->cfg.run) {
        return nb_raise_unsupported(err, "WITH RECURSIVE");
    }
    NB_TRY(an->cfg.run(an->cfg.run_payload, plan, &table, err));
    st = nb_analyzer_keep_table(an, table);
    nb_table_release(table); /* the analyzer has its own reference */
    NB_TRY(st);
    to->levels =
        nb_arena_grow(an->arena, to->levels, to->n_levels, &to->cap_levels, sizeof *to->levels);
    NB_NEED(to->levels);
    to->levels[to->n_levels++] = table;
    to->n_rows += table->n_rows;
    return NB_OK;
}

/* The second branch's columns against the anchor's. */
static nb_status
check_types(nb_analyzer *an, const nb_table *anchor, const nb_plan *step, bool *nullable,
            nb_error *err)
{
    nb_expr **cols;
    int n;

    NB_TRY(nb_columns_of(an, step, &cols, &n));
    if (n != anchor->schema->n_children) {
        return nb_raise(err, NB_COND_NUM_COLUMNS_MISMATCH, "operator", "UNION", "firstNumColumns",
                        nb_arena_printf(an->arena, "%d", anchor->schema->n_children),
                        "invalidOrdinalNum", "second", "invalidNumColumns",
                        nb_arena_printf(an->arena, "%d", n), NULL);
    }
    for (int i = 0; i < n; i++) {
        const nb_type *a = anchor->schema->children[i].type;
        nullable[i] |= cols[i]->nullable;
        if (!nb_type_same_ignoring_null(a, cols[i]->type)) {
            return nb_raise(
                err, NB_COND_CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE, "left",
                nb_arena_printf(an->arena, "\"%s\"", nb_type_sql(an->arena, a)), "right",
                nb_arena_printf(an->arena, "\"%s\"", nb_type_sql(an->arena, cols[i]->type)), NULL);
        }
    }
    return NB_OK;
}

static int64_t
level_limit(nb_analyzer *an, const Sc__Relation *r)
{
    nb_str mark = nb_pb_str(r->common->source_info), value;
    size_t n = strlen(NB_SQL_MARK_RECURSIVE);
    int64_t limit = 100;

    if (mark.len > n + 1) { /* nbaspark:recursive:n */
        value = (nb_str){mark.data + n + 1, mark.len - n - 1};
        return nb_str_to_int64(value, &limit) ? limit : 100;
    }
    if (an->cfg.info->config &&
        nb_config_get(an->cfg.info->config, NB_STR("spark.sql.cteRecursionLevelLimit"), &value)) {
        (void)nb_str_to_int64(value, &limit);
    }
    return limit;
}

/* Runs levels until one is empty, or wanted rows are there (wanted < 0: all). NB_DONE when the second branch does not name the query. */
static nb_status
run_levels(nb_analyzer *an, const Sc__Relation *r, const Sc__SetOperation *u, nb_recursion *self,
           nb_recursed *to, int64_t wanted, nb_error *err)
{
    int64_t limit = level_limit(an, r);
    nb_plan *step;

    for (int level = 1;; level++) {
        self->rows = to->levels[level - 1];
        NB_TRY(nb_analyze_relation(an, u->right_input, &step, err));
        if (!self->used) {
            return NB_DONE;
        }
        if (level == 1) {
            if (!u->is_all) {
                return nb_raise(err, NB_COND_UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE, NULL);
            }
            NB_TRY(check_types(an, to->levels[0], step, to->nullable, err));
        }
        if (wanted >= 0 && to->n_rows >= wanted) {
            return NB_OK;
        }
        if (level > limit && limit >= 0) {
            return nb_raise(err, NB_COND_RECURSION_LEVEL_LIMIT_EXCEEDED, "levelLimit",
                            nb_arena_printf(an->arena, "%lld", (long long)limit), NULL);
        }
        NB_TRY(run(an, step, to, err));
        if (to->levels[level]->n_rows == 0) {
            to->is_whole = true;
            return NB_OK;
        }
        if (to->n_rows > MAX_ROWS) {
            return nb_raise(err, NB_COND_RECURSION_ROW_LIMIT_EXCEEDED, "rowLimit", "1000000", NULL);
        }
    }
}

static nb_status
union_of_levels(nb_analyzer *an, const nb_recursed *r, nb_str name, nb_plan **out, nb_error *err)
{
    nb_plan *p =
        nb_plan_new(an->arena, NB_PLAN_UNION, r->n_levels, r->levels[0]->schema->n_children);

    NB_NEED(p);
    for (int i = 0; i < r->n_levels; i++) {
        NB_TRY(level_plan(an, r->levels[i], r->columns, r->nullable, &p->children[i], err));
    }
    for (int i = 0; i < p->n_attrs; i++) {
        p->attrs[i] = p->children[0]->attrs[i];
        p->attrs[i].id = nb_attr_next_id();
    }
    return nb_plan_alias(an, p, &name, 1, out, err);
}

nb_status
nb_analyze_recursive(nb_analyzer *an, const Sc__Relation *r, nb_plan **out, nb_error *err)
{
    nb_str name = nb_pb_str(r->subquery_alias->alias);
    nb_recursion self = {.name = name, .outer = an->recursion};
    const Sc__ToDF *names;
    const Sc__SetOperation *u = union_of(r->subquery_alias->input, &names);
    const nb_scope *keep_outer = an->outer;
    int64_t wanted = an->row_goal;
    nb_recursed *made;
    nb_plan *anchor;
    nb_expr **cols;
    nb_str *columns;
    int n;
    nb_status st;

    for (nb_recursed *old = an->recursed; old; old = old->next) {
        if (old->message == r && (old->is_whole || (wanted >= 0 && old->n_rows >= wanted))) {
            return union_of_levels(an, old, name, out, err);
        }
    }
    an->row_goal = -1;
    an->outer = NULL;
    an->recursion = &self;
    if (!u) {
        st = nb_analyze_relation(an, r, out, err);
        goto done;
    }
    made = NB_ARENA_NEW(an->arena, nb_recursed);
    if (!made) {
        st = NB_NOMEM;
        goto done;
    }
    made->message = r;
    NB_TRY_GOTO(st, nb_analyze_relation(an, u->left_input, &anchor, err), done);
    NB_TRY_GOTO(st, nb_columns_of(an, anchor, &cols, &n), done);
    columns = NB_ARENA_ARRAY(an->arena, nb_str, n + 1);
    made->nullable = NB_ARENA_ARRAY(an->arena, bool, n + 1);
    if (!columns || !made->nullable) {
        st = NB_NOMEM;
        goto done;
    }
    if (names && names->n_column_names != (size_t)n) {
        an->recursion = self.outer; /* the ordinary way says what is wrong */
        st = nb_analyze_relation(an, r, out, err);
        goto done;
    }
    for (int i = 0; i < n; i++) {
        made->nullable[i] = cols[i]->nullable;
        columns[i] = names ? nb_pb_str(names->column_names[i]) : cols[i]->u.column.name;
    }
    made->columns = columns;
    self.columns = columns;
    NB_TRY_GOTO(st, run(an, anchor, made, err), done);
    st = run_levels(an, r, u, &self, made, wanted, err);
    if (st == NB_DONE) { /* not recursive after all */
        an->recursion = self.outer;
        st = nb_analyze_relation(an, r, out, err);
    } else if (st >= 0) {
        made->next = an->recursed;
        an->recursed = made;
        st = union_of_levels(an, made, name, out, err);
    }
done:
    an->recursion = self.outer;
    an->outer = keep_outer;
    an->row_goal = wanted;
    return st;
}

/* Does the relation put out its input's rows, one for one? Then a limit above it is one on its input. */
bool
nb_keeps_rows(const Sc__Relation *r)
{
    switch (r->rel_type_case) {
    case SC__RELATION__REL_TYPE_SUBQUERY_ALIAS:
    case SC__RELATION__REL_TYPE_TO_DF:
    case SC__RELATION__REL_TYPE_WITH_RELATIONS:
    case SC__RELATION__REL_TYPE_SQL:
    case SC__RELATION__REL_TYPE_LIMIT:
    case SC__RELATION__REL_TYPE_READ: return true;
    case SC__RELATION__REL_TYPE_PROJECT:
        for (size_t i = 0; i < r->project->n_expressions; i++) {
            const Sc__Expression *e = r->project->expressions[i];
            if (e->expr_type_case != SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_STAR &&
                e->expr_type_case != SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_ATTRIBUTE) {
                return false;
            }
        }
        return true;
    default: return false;
    }
}
