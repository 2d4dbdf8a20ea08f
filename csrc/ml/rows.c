/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows.c: from a plan to the numbers that estimators and evaluators work on.
 *
 * Where the features come straight from a VectorAssembler, its inputs are asked for instead of vectors: a cached DataFrame is then read in
 * place, column by column, and no vector is ever made.
 */
#include "ml/model.h"

#include <math.h>
#include <stdio.h>
#include "base/thread.h"
#include "ml/vectors.h"

nb_status
nb_ml_attr(nb_analyzer *an, const nb_plan *plan, nb_str name, const nb_attr **out, nb_error *err)
{
    nb_arena *arena = nb_analyzer_config_of(an)->arena;
    nb_strbuf fields = {0};
    nb_status st;

    for (int i = 0; i < plan->n_attrs; i++) {
        if (!plan->attrs[i].hidden && nb_str_equal(plan->attrs[i].name, name)) {
            *out = &plan->attrs[i];
            return NB_OK;
        }
    }
    for (int i = 0, n = 0; i < plan->n_attrs; i++) {
        if (!plan->attrs[i].hidden) {
            nb_strbuf_adds(&fields, n++ ? ", `" : "`");
            nb_strbuf_add(&fields, plan->attrs[i].name);
            nb_strbuf_addc(&fields, '`');
        }
    }
    st = nb_raise(err, NB_COND_FIELD_NOT_FOUND_ML, "fieldName",
                  nb_arena_printf(arena, "`%.*s`", (int)name.len, name.data), "fields",
                  fields.data ? fields.data : "", NULL);
    nb_strbuf_free(&fields);
    return st;
}

nb_status
nb_ml_vector_attr(nb_analyzer *an, const nb_plan *plan, nb_str name, const nb_attr **out,
                  nb_error *err)
{
    nb_arena *arena = nb_analyzer_config_of(an)->arena;

    NB_TRY(nb_ml_attr(an, plan, name, out, err));
    if (!nb_ml_is_vector_type((*out)->type)) {
        return nb_ml_raise_illegal(
            err, arena,
            "requirement failed: Column %.*s must be of type equal to one of the following types: "
            "[struct<type:tinyint,size:int,indices:array<int>,values:array<double>>, "
            "array<double>, "
            "array<float>] but was actually of type %s.",
            (int)name.len, name.data, nb_type_catalog_string(arena, (*out)->type));
    }
    return NB_OK;
}

nb_status
nb_ml_number_expr(nb_analyzer *an, const nb_plan *plan, nb_str name, nb_expr **out, nb_error *err)
{
    nb_arena *arena = nb_analyzer_config_of(an)->arena;
    const nb_attr *a;

    NB_TRY(nb_ml_attr(an, plan, name, &a, err));
    if (!nb_type_is_numeric(a->type)) {
        return nb_ml_raise_illegal(
            err, arena,
            "requirement failed: Column %.*s must be of type numeric but was actually of type %s.",
            (int)name.len, name.data, nb_type_catalog_string(arena, a->type));
    }
    *out = nb_attr_expr(arena, a);
    NB_ML_NEED(*out);
    return nb_expr_cast(arena, *out, nb_type_of(NB_TYPE_FLOAT64), NB_CAST_LEGACY, out, err);
}

/* ---- gathering -------------------------------------------------------------------------------------------------------------- */

static bool
is_plain(const nb_plan *plan, nb_expr *const *exprs, int n)
{
    for (int i = 0; i < n; i++) {
        if (exprs[i]->kind != NB_EXPR_COLUMN || !nb_plan_find_attr(plan, exprs[i]->u.column.attr)) {
            return false;
        }
    }
    return plan->kind == NB_PLAN_CACHED;
}

nb_status
nb_ml_gather(nb_analyzer *an, nb_plan *plan, nb_expr **exprs, int n, nb_ml_table *out,
             nb_error *err)
{
    const nb_analyzer_config *cfg = nb_analyzer_config_of(an);
    nb_plan *p;

    while (plan->kind == NB_PLAN_ALIAS) {
        plan = plan->children[0];
    }
    out->columns = NB_ARENA_ARRAY(cfg->arena, int, n + 1);
    NB_ML_NEED(out->columns);
    if (is_plain(plan, exprs, n)) { /* rows that are there already: columns are taken as they lie */
        for (int i = 0; i < n; i++) {
            out->columns[i] = (int)(nb_plan_find_attr(plan, exprs[i]->u.column.attr) - plan->attrs);
        }
        return cfg->run(cfg->run_payload, plan, &out->table, err);
    }
    p = nb_plan_new(cfg->arena, NB_PLAN_PROJECT, 1, n);
    NB_ML_NEED(p);
    p->children[0] = plan;
    p->u.project.exprs = NB_ARENA_ARRAY(cfg->arena, nb_expr *, n + 1);
    NB_ML_NEED(p->u.project.exprs);
    for (int i = 0; i < n; i++) {
        nb_expr *e = exprs[i];

        if (e->kind != NB_EXPR_COLUMN) {
            e = nb_expr_alias(cfg->arena, e, NB_STR("value"), nb_attr_next_id());
            NB_ML_NEED(e);
        }
        p->u.project.exprs[i] = e;
        p->attrs[i] = nb_attr_of_expr(e);
        out->columns[i] = i;
    }
    return cfg->run(cfg->run_payload, p, &out->table, err);
}

nb_status
nb_ml_doubles_of(nb_arena *arena, const nb_ml_table *t, int column, double **out)
{
    double *x = NB_ARENA_ARRAY(arena, double, t->table->n_rows + 1);
    int64_t at = 0;

    NB_ML_NEED(x);
    for (int c = 0; c < t->table->n_chunks; c++) {
        const nb_chunk *chunk = t->table->chunks[c];
        nb_vector v;

        NB_TRY(nb_vector_flatten(arena, &chunk->cols[t->columns[column]], &v));
        for (int64_t i = 0; i < chunk->n_rows; i++) {
            x[at + i] = nb_is_valid(v.validity, i) ? NB_DATA(double, &v)[i] : NAN;
        }
        at += chunk->n_rows;
    }
    *out = x;
    return NB_OK;
}

/* ---- matrices ---------------------------------------------------------------------------------------------------------------- */

/* Rows of one chunk go to the matrix piece by piece, in parallel. */
typedef struct fill {
    nb_matrix *m;
    int64_t row0, n_rows;        /* of the chunk, in the matrix */
    const nb_vector *columns;    /* d flat numeric columns; or */
    const nb_ml_column *vectors; /* one column of vectors */
    int *bad;                    /* per piece: 1 null, 2 NaN, 4 infinite, 8 wrong size */
} fill;

#define PIECE 8192

static int
fill_column(const nb_vector *v, int64_t from, int64_t to, double *base, size_t d, int64_t row0)
{
    int bad = 0;

#define COPY(T)                                                              \
    for (int64_t i = from; i < to; i++) {                                    \
        int64_t row = row0 + i;                                              \
        double x = (double)NB_DATA(T, v)[i];                                 \
        base[(size_t)(row >> 3) * d * NB_TILE_ROWS + (size_t)(row & 7)] = x; \
        bad |= (x - x != 0) ? (x != x ? 2 : 4) : 0;                          \
    }
    switch (v->type->phys) {
    case NB_PHYS_INT32: COPY(int32_t); break;
    case NB_PHYS_INT64: COPY(int64_t); break;
    case NB_PHYS_FLOAT: COPY(float); break;
    default: COPY(double);
    }
#undef COPY
    for (int64_t i = from; i < to && v->validity; i++) {
        if (!nb_is_valid(v->validity, i)) {
            return bad | 1;
        }
    }
    return bad;
}

static void
fill_piece(void *payload, int piece)
{
    fill *f = payload;
    nb_matrix *m = f->m;
    int64_t from = (int64_t)piece * PIECE, to = NB_MIN(from + PIECE, f->n_rows);
    int bad = 0;

    if (f->columns != NULL) {
        for (int64_t at = from; at < to; at += 512) { /* tiles stay in the cache over all columns */
            for (int j = 0; j < m->d; j++) {
                bad |= fill_column(&f->columns[j], at, NB_MIN(at + 512, to),
                                   m->data + (size_t)j * NB_TILE_ROWS, (size_t)m->d, f->row0);
            }
        }
        f->bad[piece] = bad;
        return;
    }
    for (int64_t i = from; i < to; i++) {
        double *p = nb_matrix_at(m, f->row0 + i, 0);
        nb_ml_row row;

        if (!nb_is_valid(f->vectors->validity, i)) {
            bad |= 1;
            continue;
        }
        row = nb_ml_column_row(f->vectors, i);
        if (row.size != m->d) {
            bad |= 8;
            continue;
        }
        if (row.index != NULL) {
            for (int j = 0; j < m->d; j++) {
                p[(size_t)j * NB_TILE_ROWS] = 0;
            }
        }
        for (int j = 0; j < row.n; j++) {
            int at = row.index ? row.index[j] : j;
            double x = row.x[j];

            if (at >= 0 && at < m->d) {
                p[(size_t)at * NB_TILE_ROWS] = x;
            }
            bad |= (x - x != 0) ? (x != x ? 2 : 4) : 0;
        }
    }
    f->bad[piece] = bad;
}

static nb_status
raise_bad_row(nb_arena *arena, const fill *f, const nb_ml_assemble *assembled, int bad,
              nb_error *err)
{
    double *x = NB_ARENA_ARRAY(arena, double, f->m->d + 1);
    nb_ml_row row = {f->m->d, f->m->d, x, NULL};
    const char *text;

    NB_ML_NEED(x);
    if (bad & 8) {
        return nb_ml_raise_illegal(err, arena,
                                   "requirement failed: Vectors must have the same length, found "
                                   "one that does not have %d elements",
                                   f->m->d);
    }
    if (bad & 1) {
        return assembled ? nb_ml_raise_assemble(assembled, false, err)
                         : nb_raise(err, NB_COND_USER_RAISED_EXCEPTION, "errorMessage",
                                    "Vectors MUST NOT be Null", NULL);
    }
    if ((bad & 2) && assembled) {
        return nb_ml_raise_assemble(assembled, true, err);
    }
    for (int64_t i = f->row0; i < f->row0 + f->n_rows; i++) {
        bool finite = true;

        nb_matrix_get_row(f->m, i, x);
        for (int j = 0; j < f->m->d; j++) {
            finite &= isfinite(x[j]) != 0;
        }
        if (!finite) {
            break;
        }
    }
    text = nb_ml_row_text(arena, &row);
    return nb_raise(err, NB_COND_USER_RAISED_EXCEPTION, "errorMessage",
                    nb_arena_printf(arena, "Vector values MUST NOT be NaN or Infinity, but got %s",
                                    text ? text : ""),
                    NULL);
}

static int
width_of(const nb_ml_column *c)
{
    for (int64_t i = 0; i < c->n_rows; i++) {
        if (nb_is_valid(c->validity, i)) {
            return nb_ml_column_row(c, i).size;
        }
    }
    return -1;
}

/* n_columns numeric columns, to be assembled, or (n_columns == 0) one column of vectors, come first in the table. */
static nb_status
to_matrix(nb_analyzer *an, const nb_ml_table *t, int n_columns, const nb_ml_assemble *assemble,
          bool finite, bool weighted, nb_matrix **out, nb_error *err)
{
    const nb_analyzer_config *cfg = nb_analyzer_config_of(an);
    nb_arena *arena = nb_arena_new(cfg->pool);
    nb_ml_column *vectors = NULL;
    nb_matrix *m = NULL;
    int d = n_columns;
    int64_t at = 0;
    nb_status st = NB_NOMEM;

    if (arena == NULL) {
        return NB_NOMEM;
    }
    if (n_columns == 0) {
        vectors = NB_ARENA_ARRAY(arena, nb_ml_column, t->table->n_chunks + 1);
        if (vectors == NULL) {
            goto done;
        }
        d = -1;
        for (int c = 0; c < t->table->n_chunks; c++) {
            NB_TRY_GOTO(
                st,
                nb_ml_column_open(arena, &t->table->chunks[c]->cols[t->columns[0]], &vectors[c]),
                done);
            vectors[c].n_rows = t->table->chunks[c]->n_rows;
            d = d < 0 ? width_of(&vectors[c]) : d;
        }
        d = NB_MAX(d, 0);
    }
    NB_TRY_GOTO(st, nb_matrix_new(cfg->pool, t->table->n_rows, d, weighted, &m), done);
    for (int c = 0; c < t->table->n_chunks; c++) {
        const nb_chunk *chunk = t->table->chunks[c];
        int n_pieces = (int)((chunk->n_rows + PIECE - 1) / PIECE), bad = 0;
        fill f = {.m = m, .row0 = at, .n_rows = chunk->n_rows};

        st = NB_NOMEM;
        f.bad = nb_arena_zalloc(arena, (size_t)n_pieces * sizeof(int) + 1);
        if (f.bad == NULL) {
            goto done;
        }
        if (vectors != NULL) {
            f.vectors = &vectors[c];
        } else {
            nb_vector *columns = NB_ARENA_ARRAY(arena, nb_vector, d + 1);

            if (columns == NULL) {
                goto done;
            }
            for (int j = 0; j < d; j++) {
                NB_TRY_GOTO(st, nb_vector_flatten(arena, &chunk->cols[t->columns[j]], &columns[j]),
                            done);
            }
            f.columns = columns;
        }
        /* pieces are multiples of a tile only within a chunk: neighbours share at most cache lines, never elements */
        if (cfg->n_threads > 1 && n_pieces > 1) {
            nb_threads_run(n_pieces, fill_piece, &f);
        } else {
            for (int i = 0; i < n_pieces; i++) {
                fill_piece(&f, i);
            }
        }
        for (int i = 0; i < n_pieces; i++) {
            bad |= f.bad[i];
        }
        if ((bad & 9) || (bad && finite)) {
            st = raise_bad_row(cfg->arena, &f, n_columns > 0 ? assemble : NULL, bad, err);
            goto done;
        }
        at += chunk->n_rows;
    }
    *out = m;
    m = NULL;
    st = NB_OK;
done:
    nb_matrix_free(m);
    nb_arena_free(arena);
    return st;
}

static nb_status
load_weights(nb_analyzer *an, const nb_ml_table *t, int column, nb_matrix *m, nb_error *err)
{
    double *w;

    NB_TRY(nb_ml_doubles_of(nb_analyzer_config_of(an)->arena, t, column, &w));
    for (int64_t i = 0; i < m->n_rows; i++) {
        if (isnan(w[i])) {
            return nb_raise(err, NB_COND_USER_RAISED_EXCEPTION, "errorMessage",
                            "Weights MUST NOT be Null or NaN", NULL);
        }
        if (w[i] < 0 || isinf(w[i])) {
            char text[96];

            snprintf(text, sizeof text, "Weights MUST NOT be Negative or Infinity, but got %g",
                     w[i]);
            return nb_raise(err, NB_COND_USER_RAISED_EXCEPTION, "errorMessage", text, NULL);
        }
        m->weights[i] = w[i];
    }
    return NB_OK;
}

/* What a column of a projection is made of, so that it can be asked of the projection's input. */
static nb_expr *
definition(const nb_plan *project, nb_expr *e)
{
    if (e->kind == NB_EXPR_COLUMN) {
        for (int i = 0; i < project->n_attrs; i++) {
            nb_expr *made = project->u.project.exprs[i];

            if (project->attrs[i].id == e->u.column.attr) {
                return made->kind == NB_EXPR_ALIAS ? made->args[0] : made;
            }
        }
    }
    return NULL;
}

nb_status
nb_ml_load(nb_analyzer *an, nb_plan *plan, nb_str features, nb_str label, nb_str weight,
           bool finite, nb_ml_data *out, nb_error *err)
{
    nb_arena *arena = nb_analyzer_config_of(an)->arena;
    const nb_attr *a;
    const nb_ml_assemble *assemble = NULL;
    nb_expr *vector, **args = NULL, **exprs, *others[2] = {NULL};
    nb_expr *named[2] = {NULL, NULL};
    nb_ml_table t = {NULL, NULL};
    int n = 0, total = 0;
    nb_status st;

    *out = (nb_ml_data){NULL, NULL};
    while (plan->kind == NB_PLAN_ALIAS) {
        plan = plan->children[0];
    }
    NB_TRY(nb_ml_vector_attr(an, plan, features, &a, err));
    vector = nb_attr_expr(arena, a);
    NB_ML_NEED(vector);
    for (int i = 0; i < 2; i++) {
        nb_str name = i == 0 ? label : weight;

        if (name.len > 0) {
            NB_TRY(nb_ml_attr(an, plan, name, &a, err));
            NB_TRY(nb_ml_number_expr(an, plan, name, &others[i], err));
            named[i] = nb_attr_expr(arena, a);
            NB_ML_NEED(named[i]);
        }
    }
    if (plan->kind == NB_PLAN_PROJECT) {
        nb_expr *made = definition(plan, vector), *below[2] = {NULL};
        bool can = made != NULL;

        args = can ? nb_ml_assemble_args(made, &n, &assemble) : NULL;
        can = args != NULL && !assemble->keep && n > 0;
        for (int i = 0; i < n && can; i++) {
            can = !nb_ml_is_vector_type(args[i]->type);
        }
        for (int i = 0; i < 2 && can; i++) {
            if (named[i] != NULL) {
                below[i] = definition(plan, named[i]);
                can = below[i] != NULL && below[i]->deterministic;
                if (can) {
                    NB_TRY(nb_expr_cast(arena, below[i], nb_type_of(NB_TYPE_FLOAT64),
                                        NB_CAST_LEGACY, &below[i], err));
                }
            }
        }
        if (can) {
            plan = plan->children[0];
            others[0] = below[0];
            others[1] = below[1];
        } else {
            args = NULL;
        }
    }
    exprs = NB_ARENA_ARRAY(arena, nb_expr *, n + 3);
    NB_ML_NEED(exprs);
    if (args == NULL) {
        n = 0;
        exprs[total++] = vector;
    }
    for (int i = 0; i < n; i++) {
        exprs[total++] = args[i];
    }
    for (int i = 0; i < 2; i++) {
        if (others[i] != NULL) {
            exprs[total++] = others[i];
        }
    }
    NB_TRY(nb_ml_gather(an, plan, exprs, total, &t, err));
    NB_TRY_GOTO(st, to_matrix(an, &t, n, assemble, finite, others[1] != NULL, &out->m, err), done);
    if (others[0] != NULL) {
        NB_TRY_GOTO(st, nb_ml_doubles_of(arena, &t, n ? n : 1, &out->labels), done);
    }
    if (others[1] != NULL) {
        NB_TRY_GOTO(st, load_weights(an, &t, total - 1, out->m, err), done);
    }
done:
    nb_table_release(t.table);
    if (st < 0) {
        nb_matrix_free(out->m);
        out->m = NULL;
    }
    return st;
}
