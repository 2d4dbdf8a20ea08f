/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statistics.c: see statistics.h.
 *
 * Columns of files know the range and the number of their values (io/relation.h); aliases of columns and grouping keys take that over. Values
 * are taken as evenly spread and columns as independent, except that two bounds of one column are one interval.
 */
#include "plan/statistics.h"

#include <math.h>

#include "io/relation.h"

#define SHARE_UNKNOWN 0.25
#define SHARE_RANGE   0.33
#define SHARE_LIKE    0.1
#define ROWS_UNKNOWN  1e6
#define BYTES_PER_ROW 64.0
#define MOST_BOUNDS   16
#define MOST_TABLES   8

typedef struct attr_entry {
    uint64_t id;
    bool known;
    nb_column_stats stats;
    const nb_plan *scan; /* asked when first needed; whose column it is, or is computed from */
    int column;
} attr_entry;

typedef struct rows_entry {
    const nb_plan *plan;
    double rows;
} rows_entry;

struct nb_stats {
    nb_arena *arena;
    attr_entry *attrs; /* open addressing by id, 0 = empty */
    int n_attrs, cap_attrs;
    rows_entry *rows; /* by address */
    int n_rows, cap_rows;
};

static size_t
mix(uint64_t v, int cap)
{
    return (size_t)((v * 0x9e3779b97f4a7c15ULL) >> 32) & (size_t)(cap - 1);
}

nb_stats *
nb_stats_new(nb_arena *arena)
{
    nb_stats *s = NB_ARENA_NEW(arena, nb_stats);

    if (s) {
        s->arena = arena;
    }
    return s;
}

static attr_entry *
find_attr(const nb_stats *s, uint64_t id)
{
    size_t i;

    if (s->cap_attrs == 0) {
        return NULL;
    }
    for (i = mix(id, s->cap_attrs); s->attrs[i].id && s->attrs[i].id != id;) {
        i = (i + 1) & (size_t)(s->cap_attrs - 1);
    }
    return s->attrs[i].id ? &s->attrs[i] : NULL;
}

static void
put_attr(nb_stats *s, const attr_entry *e)
{
    size_t i;

    if (s->n_attrs * 2 >= s->cap_attrs) {
        nb_stats wider = {.cap_attrs = s->cap_attrs ? s->cap_attrs * 2 : 64};
        wider.attrs = nb_arena_zalloc(s->arena, sizeof(attr_entry) * (size_t)wider.cap_attrs);
        if (!wider.attrs) {
            return;
        }
        for (int k = 0; k < s->cap_attrs; k++) {
            if (s->attrs[k].id) {
                for (i = mix(s->attrs[k].id, wider.cap_attrs); wider.attrs[i].id;) {
                    i = (i + 1) & (size_t)(wider.cap_attrs - 1);
                }
                wider.attrs[i] = s->attrs[k];
            }
        }
        s->attrs = wider.attrs;
        s->cap_attrs = wider.cap_attrs;
    }
    for (i = mix(e->id, s->cap_attrs); s->attrs[i].id && s->attrs[i].id != e->id;) {
        i = (i + 1) & (size_t)(s->cap_attrs - 1);
    }
    s->n_attrs += s->attrs[i].id == 0;
    s->attrs[i] = *e;
}

static const nb_column_stats *
stats_of(nb_stats *s, uint64_t id)
{
    attr_entry *e = find_attr(s, id);

    if (e && !e->known) {
        nb_relation_column_stats(e->scan->u.scan.relation, e->column, &e->stats);
        e->known = true;
    }
    return e ? &e->stats : NULL;
}

double
nb_stats_distinct(nb_stats *s, uint64_t attr)
{
    const nb_column_stats *c = stats_of(s, attr);

    return c ? c->distinct : -1;
}

/* ---- conditions ------------------------------------------------------------------------------ */

static const nb_expr *
bare(const nb_expr *e)
{
    while (e->kind == NB_EXPR_CAST || e->kind == NB_EXPR_ALIAS) {
        e = e->args[0];
    }
    return e;
}

/* The number behind a literal, in the unit of nb_column_stats. */
static bool
number_of(const nb_expr *e, double *out)
{
    const nb_vector *v;

    e = bare(e);
    if (e->kind != NB_EXPR_LITERAL || nb_vector_is_null(e->u.literal.value, 0)) {
        return false;
    }
    v = e->u.literal.value;
    switch (v->type->phys) {
    case NB_PHYS_INT8: *out = NB_DATA(int8_t, v)[0]; break;
    case NB_PHYS_INT16: *out = NB_DATA(int16_t, v)[0]; break;
    case NB_PHYS_INT32: *out = NB_DATA(int32_t, v)[0]; break;
    case NB_PHYS_INT64: *out = (double)NB_DATA(int64_t, v)[0]; break;
    case NB_PHYS_INT128: *out = (double)NB_DATA(nb_int128, v)[0]; break;
    case NB_PHYS_FLOAT: *out = (double)NB_DATA(float, v)[0]; break;
    case NB_PHYS_DOUBLE: *out = NB_DATA(double, v)[0]; break;
    default: return false;
    }
    if (v->type->id == NB_TYPE_DECIMAL) {
        *out *= pow(10, -v->type->scale);
    }
    return true;
}

typedef struct bound {
    uint64_t attr;
    double low, high;
} bound;

/* column < number and the like: the interval that is left of the column. */
static bool
bound_of(const nb_expr *e, bound *out)
{
    static const char *const names[4] = {"<", "<=", ">", ">="};

    for (int k = 0; k < 4 && e->kind == NB_EXPR_CALL && e->n_args == 2; k++) {
        double v;
        bool flip = bare(e->args[1])->kind == NB_EXPR_COLUMN, less = (k < 2) != flip;
        const nb_expr *column = bare(e->args[flip]);
        if (e->u.call.fn == nb_function_find(nb_str_of(names[k])) &&
            column->kind == NB_EXPR_COLUMN && number_of(e->args[!flip], &v)) {
            *out = (bound){column->u.column.attr, less ? -INFINITY : v, less ? v : INFINITY};
            return true;
        }
    }
    return false;
}

static double
share_of_bound(nb_stats *s, const bound *b)
{
    const nb_column_stats *c = stats_of(s, b->attr);
    double low, high;

    if (!c || !c->has_range) {
        return isinf(b->low) || isinf(b->high) ? SHARE_RANGE : SHARE_RANGE * SHARE_RANGE;
    }
    low = fmax(b->low, c->low);
    high = fmin(b->high, c->high);
    if (high < low) {
        return 0;
    }
    return c->high > c->low ? fmax((high - low) / (c->high - c->low), 1e-6) : 1;
}

static double
share_of_and(nb_stats *s, const nb_expr *e)
{
    bound bounds[MOST_BOUNDS];
    int n = 0;
    double share = 1;

    for (int i = 0; i < e->n_args; i++) {
        bound b;
        bool merged = false;
        if (!bound_of(e->args[i], &b)) {
            share *= nb_stats_share(s, e->args[i]);
            continue;
        }
        for (int k = 0; k < n && !merged; k++) {
            if (bounds[k].attr == b.attr) {
                bounds[k].low = fmax(bounds[k].low, b.low);
                bounds[k].high = fmin(bounds[k].high, b.high);
                merged = true;
            }
        }
        if (!merged && n < MOST_BOUNDS) {
            bounds[n++] = b;
        } else if (!merged) {
            share *= share_of_bound(s, &b);
        }
    }
    for (int k = 0; k < n; k++) {
        share *= share_of_bound(s, &bounds[k]);
    }
    return share;
}

static double
share_of_equal(nb_stats *s, const nb_expr *e)
{
    double most = -1;

    for (int i = 0; i < 2; i++) {
        const nb_expr *a = bare(e->args[i]);
        if (a->kind == NB_EXPR_COLUMN) {
            most = fmax(most, nb_stats_distinct(s, a->u.column.attr));
        }
    }
    return most > 0 ? 1 / most : 0.1;
}

double
nb_stats_share(nb_stats *s, const nb_expr *e)
{
    const nb_function *fn = e->kind == NB_EXPR_CALL ? e->u.call.fn : NULL;
    double share = 1;
    bound b;

    switch (e->kind) {
    case NB_EXPR_AND: return share_of_and(s, e);
    case NB_EXPR_OR:
        for (int i = 0; i < e->n_args; i++) {
            share *= 1 - nb_stats_share(s, e->args[i]);
        }
        return 1 - share;
    case NB_EXPR_IN: {
        const nb_expr *a = bare(e->args[0]);
        double n = a->kind == NB_EXPR_COLUMN ? nb_stats_distinct(s, a->u.column.attr) : -1;
        return fmin(1, (e->n_args - 1) / (n > 0 ? n : 20));
    }
    case NB_EXPR_LITERAL: return 1;
    case NB_EXPR_CALL: break;
    default: return SHARE_UNKNOWN;
    }
    if (bound_of(e, &b)) {
        return share_of_bound(s, &b);
    }
    if (fn == nb_function_find(NB_STR("=")) || fn == nb_function_find(NB_STR("<=>"))) {
        return share_of_equal(s, e);
    }
    if (fn == nb_function_find(NB_STR("!=")) || fn == nb_function_find(NB_STR("isnotnull"))) {
        return 0.9;
    }
    if (fn == nb_function_find(NB_STR("not"))) {
        return fmax(1 - nb_stats_share(s, e->args[0]), 0.05);
    }
    if (fn == nb_function_find(NB_STR("like"))) {
        return SHARE_LIKE;
    }
    return SHARE_UNKNOWN;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static double rows_of(nb_stats *s, const nb_plan *p);

/* Aliases take over what is known of the column behind them. */
static void
carry_aliases(nb_stats *s, nb_expr *const *exprs, int n)
{
    for (int i = 0; i < n; i++) {
        const nb_expr *e = exprs[i], *column;
        const nb_column_stats *known;
        if (e->kind != NB_EXPR_ALIAS) {
            continue;
        }
        column = bare(e);
        while (column->kind == NB_EXPR_CALL && column->n_args == 1) { /* year(d): at most as many */
            column = bare(column->args[0]);
        }
        if (column->kind == NB_EXPR_LITERAL) {
            attr_entry made = {.id = e->u.alias.attr, .known = true};
            made.stats = (nb_column_stats){.distinct = 1, .n_nulls = -1};
            put_attr(s, &made);
        }
        known = column->kind == NB_EXPR_COLUMN ? stats_of(s, column->u.column.attr) : NULL;
        if (known) {
            attr_entry made = *find_attr(s, column->u.column.attr);
            made.id = e->u.alias.attr;
            made.stats.has_range &= bare(e)->kind == NB_EXPR_COLUMN;
            put_attr(s, &made);
        }
    }
}

/* Columns of one table have no more values together than the table has rows, which is far fewer than were they independent. */
double
nb_stats_groups(nb_stats *s, nb_expr *const *keys, int n, double rows)
{
    struct {
        const nb_plan *scan;
        double groups;
    } tables[MOST_TABLES];
    int n_tables = 0;
    double groups = 1;

    for (int i = 0; i < n; i++) {
        const nb_expr *e = bare(keys[i]);
        const nb_plan *scan = NULL;
        double d = -1;
        int t = 0;

        while (e->kind == NB_EXPR_CALL && e->n_args == 1) {
            e = bare(e->args[0]);
        }
        if (e->kind == NB_EXPR_COLUMN) {
            const attr_entry *entry = find_attr(s, e->u.column.attr);

            d = nb_stats_distinct(s, e->u.column.attr);
            scan = entry ? entry->scan : NULL;
        }
        d = d > 0 ? d : fmax(sqrt(rows), 10);
        while (t < n_tables && tables[t].scan != scan) {
            t++;
        }
        if (scan == NULL || t == MOST_TABLES) {
            groups *= d;
        } else if (t < n_tables) {
            tables[t].groups *= d;
        } else {
            tables[n_tables].scan = scan;
            tables[n_tables++].groups = d;
        }
    }
    for (int t = 0; t < n_tables; t++) {
        int64_t most = nb_relation_rows(tables[t].scan->u.scan.relation);

        groups *= most >= 0 ? fmin(tables[t].groups, fmax((double)most, 1)) : tables[t].groups;
    }
    return fmin(groups, rows);
}

/* A union's column has at most the values of all branches. */
static void
carry_union(nb_stats *s, const nb_plan *p)
{
    for (int i = 0; i < p->n_attrs; i++) {
        attr_entry made = {.id = p->attrs[i].id, .known = true, .stats = {.n_nulls = -1}};
        for (int k = 0; k < p->n_children && made.stats.distinct >= 0; k++) {
            double d = nb_stats_distinct(s, p->children[k]->attrs[i].id);
            made.stats.distinct = d < 0 ? -1 : made.stats.distinct + d;
        }
        if (made.stats.distinct > 0) {
            put_attr(s, &made);
        }
    }
}

/* The keys of one side of an equi-join. */
typedef struct join_keys {
    double rows, base; /* of the side; of the only table that they are of, or rows */
    double values;     /* together, were they independent */
    double most;       /* of one of them, in all rows */
    const nb_plan *scan;
    int n;
} join_keys;

static double
add_join_key(nb_stats *s, join_keys *keys, const nb_expr *e)
{
    double d = e->kind == NB_EXPR_COLUMN ? nb_stats_distinct(s, e->u.column.attr) : -1;
    const attr_entry *entry = e->kind == NB_EXPR_COLUMN ? find_attr(s, e->u.column.attr) : NULL;
    const nb_plan *scan = entry ? entry->scan : NULL;

    keys->scan = keys->n == 0 || keys->scan == scan ? scan : NULL;
    keys->n++;
    keys->most = fmax(keys->most, d);
    d = d > 0 ? fmin(d, keys->rows) : keys->rows;
    keys->values *= fmax(d, 1);
    return d;
}

/* Values that several keys have together. They are one key of both sides, and rather that of the smaller table, so that it has no more values than that has rows:
 * order lines that name a part and its supplier. But where one column alone tells the rows of the smaller table apart, the keys are the larger one's: lines that
 * came back. */
static double
values_of_keys(join_keys sides[2])
{
    const join_keys *small;

    for (int k = 0; k < 2; k++) {
        int64_t rows = sides[k].scan ? nb_relation_rows(sides[k].scan->u.scan.relation) : -1;
        sides[k].base = rows >= 0 ? (double)rows : sides[k].rows;
        sides[k].values = fmin(sides[k].values, sides[k].base);
    }
    small = sides[0].base <= sides[1].base ? &sides[0] : &sides[1];
    return small->most * 2 > small->base ? fmax(sides[0].values, sides[1].values)
                                         : fmin(sides[0].values, sides[1].values);
}

/* Rows of an equi-join, from the values on both sides. */
static double
joined(nb_stats *s, const nb_plan *p, double left, double right)
{
    nb_expr *const *list = &p->u.join.condition;
    int n = 1;
    double rows = left * right, one = 1;
    nb_attr_set on_left = {.arena = s->arena};
    join_keys sides[2] = {{.rows = left, .values = 1}, {.rows = right, .values = 1}};

    if (!p->u.join.condition || nb_attr_set_add_plan(&on_left, p->children[0]) < 0) {
        return rows;
    }
    if (p->u.join.condition->kind == NB_EXPR_AND) {
        list = p->u.join.condition->args;
        n = p->u.join.condition->n_args;
    }
    for (int i = 0; i < n; i++) {
        const nb_expr *e = list[i];
        if (e->kind == NB_EXPR_CALL && e->n_args == 2 &&
            e->u.call.fn == nb_function_find(NB_STR("="))) {
            const nb_expr *a = bare(e->args[0]), *b = bare(e->args[1]);
            bool flip = !nb_attr_set_covers(&on_left, a);
            one = fmax(add_join_key(s, &sides[flip], a), add_join_key(s, &sides[!flip], b));
        } else {
            rows *= nb_stats_share(s, e);
        }
    }
    return rows / fmax(sides[0].n > 1 ? values_of_keys(sides) : one, 1);
}

static double
join_rows(nb_stats *s, const nb_plan *p)
{
    double left = nb_stats_rows(s, p->children[0]), right = nb_stats_rows(s, p->children[1]);
    double both = joined(s, p, left, right);

    switch (p->u.join.type) {
    case NB_JOIN_SEMI: return fmin(left, fmax(both * 0.5, left * 0.05));
    case NB_JOIN_ANTI: return left * 0.3;
    case NB_JOIN_MARK:
    case NB_JOIN_SINGLE: return left;
    case NB_JOIN_LEFT: return fmax(both, left);
    case NB_JOIN_RIGHT: return fmax(both, right);
    case NB_JOIN_FULL: return fmax(both, left + right);
    default: return both;
    }
}

static double
rows_of(nb_stats *s, const nb_plan *p)
{
    double below = 0;

    if (p->kind != NB_PLAN_JOIN && p->kind != NB_PLAN_UNION && p->n_children > 0) {
        below = nb_stats_rows(s, p->children[0]);
    }
    switch (p->kind) {
    case NB_PLAN_TABLE: return (double)p->u.table.table->n_rows;
    case NB_PLAN_RANGE:
        return fmax(0,
                    ((double)p->u.range.end - (double)p->u.range.start) / (double)p->u.range.step);
    case NB_PLAN_SCAN: {
        int64_t rows = nb_relation_rows(p->u.scan.relation);
        for (int i = 0; i < p->n_attrs; i++) {
            attr_entry e = {.id = p->attrs[i].id, .scan = p, .column = p->u.scan.columns[i]};
            put_attr(s, &e);
        }
        return rows >= 0 ? (double)rows
                         : (double)nb_relation_bytes(p->u.scan.relation) / BYTES_PER_ROW;
    }
    case NB_PLAN_FILTER: return below * nb_stats_share(s, p->u.filter.condition);
    case NB_PLAN_PROJECT: carry_aliases(s, p->u.project.exprs, p->n_attrs); return below;
    case NB_PLAN_AGGREGATE: {
        double groups = 1;
        if (p->u.aggregate.n_keys) {
            groups = nb_stats_groups(s, p->u.aggregate.keys, p->u.aggregate.n_keys, below);
            carry_aliases(s, p->u.aggregate.keys, p->u.aggregate.n_keys);
        }
        if (p->u.aggregate.n_keys == 1) { /* its own values, as often as there are rows */
            attr_entry e = {.id = p->attrs[0].id, .known = true};
            const nb_column_stats *known = stats_of(s, e.id);
            e.stats = known ? *known : (nb_column_stats){.n_nulls = -1};
            e.stats.distinct = groups;
            put_attr(s, &e);
        }
        return groups;
    }
    case NB_PLAN_LIMIT:
        return p->u.limit.limit >= 0 ? fmin(below, (double)p->u.limit.limit) : below;
    case NB_PLAN_TAIL: return fmin(below, (double)p->u.limit.limit);
    case NB_PLAN_JOIN: return join_rows(s, p);
    case NB_PLAN_UNION:
        for (int i = 0; i < p->n_children; i++) {
            below += nb_stats_rows(s, p->children[i]);
        }
        carry_union(s, p);
        return below;
    case NB_PLAN_SAMPLE: return below * (p->u.sample.upper - p->u.sample.lower);
    case NB_PLAN_GENERATE: return below * 4;
    case NB_PLAN_EXPAND: return below * p->u.expand.n_projections;
    default: return p->n_children ? below : ROWS_UNKNOWN;
    }
}

double
nb_stats_rows(nb_stats *s, const nb_plan *p)
{
    size_t i = 0;
    double rows;

    if (s->cap_rows) {
        for (i = mix((uint64_t)(uintptr_t)p, s->cap_rows); s->rows[i].plan;) {
            if (s->rows[i].plan == p) {
                return s->rows[i].rows;
            }
            i = (i + 1) & (size_t)(s->cap_rows - 1);
        }
    }
    rows = rows_of(s, p);
    rows = isnan(rows) || rows < 0 ? ROWS_UNKNOWN : rows;
    if (s->n_rows * 2 >= s->cap_rows) {
        int cap = s->cap_rows ? s->cap_rows * 2 : 64;
        rows_entry *wider = nb_arena_zalloc(s->arena, sizeof(rows_entry) * (size_t)cap);
        if (!wider) {
            return rows;
        }
        for (int k = 0; k < s->cap_rows; k++) {
            if (s->rows[k].plan) {
                for (i = mix((uint64_t)(uintptr_t)s->rows[k].plan, cap); wider[i].plan;) {
                    i = (i + 1) & (size_t)(cap - 1);
                }
                wider[i] = s->rows[k];
            }
        }
        s->rows = wider;
        s->cap_rows = cap;
    }
    for (i = mix((uint64_t)(uintptr_t)p, s->cap_rows); s->rows[i].plan;) {
        i = (i + 1) & (size_t)(s->cap_rows - 1);
    }
    s->rows[i] = (rows_entry){p, rows};
    s->n_rows++;
    return rows;
}

/* ---- what is certain ------------------------------------------------------------------------- */

bool
nb_plan_is_single_row(const nb_plan *p)
{
    while (p->kind == NB_PLAN_PROJECT || p->kind == NB_PLAN_ALIAS) {
        p = p->children[0];
    }
    return p->kind == NB_PLAN_AGGREGATE && p->u.aggregate.n_keys == 0;
}

bool
nb_plan_is_unique(const nb_plan *p, const nb_attr_set *keys)
{
    switch (p->kind) {
    case NB_PLAN_FILTER:
    case NB_PLAN_ALIAS:
    case NB_PLAN_SORT: return nb_plan_is_unique(p->children[0], keys);
    case NB_PLAN_PROJECT: { /* keys that are renamed columns */
        nb_attr_set below = {.arena = keys->arena};
        for (int i = 0; i < p->n_attrs; i++) {
            const nb_expr *e = p->u.project.exprs[i];
            if (nb_attr_set_has(keys, p->attrs[i].id)) {
                e = e->kind == NB_EXPR_ALIAS ? e->args[0] : e;
                if (e->kind == NB_EXPR_COLUMN && nb_attr_set_add(&below, e->u.column.attr) < 0) {
                    return false;
                }
            }
        }
        return nb_plan_is_unique(p->children[0], &below);
    }
    case NB_PLAN_AGGREGATE:
        for (int i = 0; i < p->u.aggregate.n_keys; i++) {
            if (!nb_attr_set_has(keys, p->attrs[i].id)) {
                return false;
            }
        }
        return true;
    default: return false;
    }
}
