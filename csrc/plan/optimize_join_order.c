/* SPDX-License-Identifier: Apache-2.0 */
/*
 * optimize_join_order.c: puts inner joins in the order that looks cheapest.
 *
 * A tree of inner joins is taken apart into its relations (everything that is not such a join) and its conditions. Equalities of columns form
 * classes: a.x = b.y and b.y = c.z let a meet c as well, and a filter of one member by constants holds for all. Semi and anti joins whose left side
 * is such a tree are steps of their own: they may come at any time once the columns that they compare are there. Projections that only rename columns
 * and add constants do not part a tree: what they make is made above it.
 *
 * Up to MOST_EXACT members every split of every subset is tried (dynamic programming); beyond, the pair that gives the fewest rows is joined
 * next. The cost of a plan is the rows that its joins build, probe and give; how many rows a subset has does not depend on the order. Trees of two
 * relations stay as they are: the planner chooses the build side.
 */
#include "plan/optimizer.h"

#include <math.h>
#include <stdlib.h>

#include "plan/statistics.h"

#define MOST_EXACT   12
#define MOST_MEMBERS 60 /* bits of a mask; larger trees stay as they are */
#define BUILD_COST   2.5
#define OUTPUT_COST  0.5
#define CROSS_COST   20.0
#define KEY_SHARE    0.9 /* a column with as many values per row is a key */

typedef uint64_t mask;
#define BIT(i) ((mask)1 << (i))

typedef struct member {
    nb_plan *plan;
    nb_plan
        *step;  /* the SEMI or ANTI join that this member is the right side of; NULL: a relation */
    mask needs; /* step: relations whose columns its condition reads */
    double rows, base; /* base: before its filters */
    double share;      /* step: of the rows that pass */
    bool single;
} member;

typedef struct class_ref {
    int member;
    nb_expr *column;
    double distinct; /* in the rows that pass the filters */
    double of_base;  /* in the rows before filters; -1: unknown */
} class_ref;

typedef struct key_class {
    class_ref *refs;
    int n, cap;
    mask members;
} key_class;

typedef struct condition {
    nb_expr *e;
    mask needs;
    bool equal; /* left = right of different members: connects */
    double share;
} condition;

/* Two members with several keys between them. */
typedef struct key_pair {
    mask both;
    double factor; /* what that multiplies the estimate by, in which each key divides for itself */
} key_pair;

typedef struct graph {
    nb_arena *arena;
    const nb_session_info *info;
    nb_stats *stats;
    member *members;
    int n_members, cap_members;
    key_class *classes;
    int n_classes, cap_classes;
    nb_attr_map renamed; /* columns of projections inside, by columns of the members */
    nb_expr **conjuncts;
    int n_conjuncts, cap_conjuncts;
    condition *conditions;
    int n_conditions;
    key_pair *pairs; /* the greatest factor first */
    int n_pairs;
} graph;

typedef struct best {
    double cost, rows;
    mask left; /* 0: a single relation */
} best;

static nb_status
order(nb_arena *arena, const nb_session_info *info, nb_plan **plan, bool by_name, nb_error *err);

/* ---- taking apart ---------------------------------------------------------------------------- */

static bool
is_step(const nb_plan *p)
{
    return p->kind == NB_PLAN_JOIN && p->u.join.condition &&
           (p->u.join.type == NB_JOIN_SEMI || p->u.join.type == NB_JOIN_ANTI);
}

static bool
is_inner(const nb_plan *p)
{
    return p->kind == NB_PLAN_JOIN &&
           (p->u.join.type == NB_JOIN_INNER || p->u.join.type == NB_JOIN_CROSS) &&
           (!p->u.join.condition || p->u.join.condition->deterministic);
}

static nb_status
add_member(graph *g, nb_plan *p, nb_plan *step)
{
    if (g->n_members == g->cap_members) {
        int cap = g->cap_members ? g->cap_members * 2 : 16;
        member *wider = nb_arena_zalloc(g->arena, sizeof(member) * (size_t)cap);
        if (!wider) {
            return NB_NOMEM;
        }
        if (g->n_members) {
            memcpy(wider, g->members, sizeof(member) * (size_t)g->n_members);
        }
        g->members = wider;
        g->cap_members = cap;
    }
    g->members[g->n_members++] = (member){.plan = p, .step = step};
    return NB_OK;
}

static bool
only_renames(const nb_plan *p)
{
    if (p->kind != NB_PLAN_PROJECT || p->u.project.observed) {
        return false;
    }
    for (int i = 0; i < p->n_attrs; i++) {
        const nb_expr *e = p->u.project.exprs[i];
        if (e->kind != NB_EXPR_COLUMN &&
            (e->kind != NB_EXPR_ALIAS ||
             (e->args[0]->kind != NB_EXPR_COLUMN && e->args[0]->kind != NB_EXPR_LITERAL))) {
            return false;
        }
    }
    return true;
}

/* Does the tree go on below p? */
static bool
goes_on(const nb_plan *p)
{
    while (only_renames(p) || (p->kind == NB_PLAN_FILTER && p->u.filter.condition->deterministic)) {
        p = p->children[0];
    }
    return is_inner(p) || is_step(p);
}

static nb_status
collect(graph *g, nb_plan **plan, nb_error *err)
{
    nb_plan *p = *plan;

    if (is_inner(p)) {
        if (p->u.join.condition) {
            NB_TRY(nb_split_conjuncts(g->arena, p->u.join.condition, &g->conjuncts, &g->n_conjuncts,
                                      &g->cap_conjuncts));
        }
        NB_TRY(collect(g, &p->children[0], err));
        return collect(g, &p->children[1], err);
    }
    if (is_step(p)) {
        nb_plan *step = nb_plan_new(g->arena, NB_PLAN_JOIN, 2, p->n_attrs);
        if (!step) {
            return NB_NOMEM;
        }
        NB_TRY(collect(g, &p->children[0], err));
        NB_TRY(order(g->arena, g->info, &p->children[1], true, err));
        step->u.join = p->u.join;
        NB_TRY(nb_expr_substitute(g->arena, p->u.join.condition, &g->renamed,
                                  &step->u.join.condition, err));
        return add_member(g, p->children[1], step);
    }
    if (p->kind == NB_PLAN_FILTER && goes_on(p)) {
        NB_TRY(nb_split_conjuncts(g->arena, p->u.filter.condition, &g->conjuncts, &g->n_conjuncts,
                                  &g->cap_conjuncts));
        return collect(g, &p->children[0], err);
    }
    if (only_renames(p) && goes_on(p)) {
        NB_TRY(collect(g, &p->children[0], err));
        for (int i = 0; i < p->n_attrs; i++) {
            nb_expr *e = p->u.project.exprs[i];
            if (e->kind == NB_EXPR_ALIAS) {
                NB_TRY(nb_expr_substitute(g->arena, e->args[0], &g->renamed, &e, err));
                NB_TRY(nb_attr_map_put(&g->renamed, p->attrs[i].id, e));
            }
        }
        return NB_OK;
    }
    NB_TRY(order(g->arena, g->info, plan, true, err));
    return add_member(g, *plan, NULL);
}

static int
member_of(const graph *g, uint64_t attr)
{
    for (int i = 0; i < g->n_members; i++) {
        if (!g->members[i].step && nb_plan_find_attr(g->members[i].plan, attr)) {
            return i;
        }
    }
    return -1;
}

static nb_status
needs_of(const graph *g, const nb_expr *e, mask *out)
{
    nb_attr_set used = {.arena = g->arena};

    *out = 0;
    NB_TRY(nb_attr_set_add_expr(&used, e));
    for (int i = 0; i < used.cap; i++) {
        int m = used.ids[i] ? member_of(g, used.ids[i]) : -1;
        *out |= m >= 0 ? BIT(m) : 0;
    }
    return NB_OK;
}

/* ---- classes of equal columns ---------------------------------------------------------------- */

static bool
is_equality(const nb_expr *e)
{
    return e->kind == NB_EXPR_CALL && e->n_args == 2 &&
           e->u.call.fn == nb_function_find(NB_STR("=")) && e->args[0]->type == e->args[1]->type;
}

static int
class_of(const graph *g, uint64_t attr)
{
    for (int i = 0; i < g->n_classes; i++) {
        for (int k = 0; k < g->classes[i].n; k++) {
            if (g->classes[i].refs[k].column->u.column.attr == attr) {
                return i;
            }
        }
    }
    return -1;
}

static nb_status
class_add(graph *g, key_class *c, nb_expr *column)
{
    if (c->n == c->cap) {
        int cap = c->cap ? c->cap * 2 : 4;
        class_ref *wider = nb_arena_zalloc(g->arena, sizeof(class_ref) * (size_t)cap);
        if (!wider) {
            return NB_NOMEM;
        }
        if (c->n) {
            memcpy(wider, c->refs, sizeof(class_ref) * (size_t)c->n);
        }
        c->refs = wider;
        c->cap = cap;
    }
    c->refs[c->n] = (class_ref){member_of(g, column->u.column.attr), column, -1, -1};
    c->members |= BIT(c->refs[c->n++].member);
    return NB_OK;
}

static nb_status
make_equal(graph *g, nb_expr *a, nb_expr *b)
{
    int ca = class_of(g, a->u.column.attr), cb = class_of(g, b->u.column.attr);

    if (ca < 0 && cb < 0) {
        ca = g->n_classes++;
        NB_TRY(class_add(g, &g->classes[ca], a));
        return class_add(g, &g->classes[ca], b);
    }
    if (ca < 0) {
        return class_add(g, &g->classes[cb], a);
    }
    if (cb < 0) {
        return class_add(g, &g->classes[ca], b);
    }
    for (int i = 0; i < g->classes[cb].n && ca != cb; i++) {
        NB_TRY(class_add(g, &g->classes[ca], g->classes[cb].refs[i].column));
    }
    if (ca != cb) { /* the place that becomes free is the next new class's */
        g->classes[cb] = g->classes[--g->n_classes];
        g->classes[g->n_classes] = (key_class){0};
    }
    return NB_OK;
}

/* A filter of constants on one member of a class holds for the others, too. */
static nb_status
spread_filters(graph *g, nb_error *err)
{
    for (int i = 0; i < g->n_members; i++) {
        nb_plan *p = g->members[i].plan;
        nb_expr **list = NULL;
        int n = 0, cap = 0;
        if (p->kind != NB_PLAN_FILTER || g->members[i].step) {
            continue;
        }
        NB_TRY(nb_split_conjuncts(g->arena, p->u.filter.condition, &list, &n, &cap));
        for (int k = 0; k < n; k++) {
            nb_attr_set used = {.arena = g->arena};
            uint64_t attr = 0;
            int c;
            NB_TRY(nb_attr_set_add_expr(&used, list[k]));
            for (int u = 0; u < used.cap; u++) {
                attr = used.ids[u] ? used.ids[u] : attr;
            }
            c = used.n == 1 && list[k]->deterministic && !list[k]->can_fail ? class_of(g, attr)
                                                                            : -1;
            for (int r = 0; c >= 0 && r < g->classes[c].n; r++) {
                class_ref *ref = &g->classes[c].refs[r];
                nb_attr_map map = {.arena = g->arena};
                member *to = &g->members[ref->member];
                nb_expr *made, **all = NULL;
                int n_all = 0, cap_all = 0;
                bool there = false;
                if (ref->column->u.column.attr == attr || ref->member == i) {
                    continue;
                }
                NB_TRY(nb_attr_map_put(&map, attr, ref->column));
                NB_TRY(nb_expr_substitute(g->arena, list[k], &map, &made, err));
                if (to->plan->kind == NB_PLAN_FILTER) {
                    NB_TRY(nb_split_conjuncts(g->arena, to->plan->u.filter.condition, &all, &n_all,
                                              &cap_all));
                }
                for (int j = 0; j < n_all; j++) {
                    there |= nb_expr_equal(all[j], made);
                }
                if (!there) {
                    nb_plan *f = nb_plan_new(g->arena, NB_PLAN_FILTER, 1, to->plan->n_attrs);
                    if (!f) {
                        return NB_NOMEM;
                    }
                    memcpy(f->attrs, to->plan->attrs, sizeof(nb_attr) * (size_t)f->n_attrs);
                    f->children[0] = to->plan;
                    f->u.filter.condition = made;
                    NB_TRY(nb_optimize_push_filters(g->arena, &f, err));
                    to->plan = f;
                }
            }
        }
    }
    return NB_OK;
}

/* ---- sizes ----------------------------------------------------------------------------------- */

static double
base_rows(graph *g, const nb_plan *p)
{
    while (p->kind == NB_PLAN_FILTER || p->kind == NB_PLAN_PROJECT) {
        p = p->children[0];
    }
    return nb_stats_rows(g->stats, p);
}

/* How many of the left side's rows a step lets through. */
static double
step_share(graph *g, const member *m)
{
    nb_expr **list = NULL;
    int n = 0, cap = 0;
    double share = 1;

    if (nb_split_conjuncts(g->arena, m->step->u.join.condition, &list, &n, &cap) < 0) {
        return 0.5;
    }
    for (int i = 0; i < n; i++) {
        if (is_equality(list[i])) {
            double all = -1;
            for (int k = 0; k < 2; k++) {
                if (list[i]->args[k]->kind == NB_EXPR_COLUMN) {
                    uint64_t attr = list[i]->args[k]->u.column.attr;
                    all =
                        nb_plan_find_attr(m->plan, attr) ? all : nb_stats_distinct(g->stats, attr);
                }
            }
            share = fmin(share, all > 0 ? fmin(m->rows / all, 1) : 0.5);
        } else {
            share *= 0.8;
        }
    }
    share = fmax(share, 1e-5);
    return m->step->u.join.type == NB_JOIN_SEMI ? share : fmax(1 - share, 0.2);
}

static const class_ref *
ref_of(const key_class *c, int member)
{
    const class_ref *found = NULL;

    for (int r = 0; r < c->n; r++) {
        found = c->refs[r].member == member ? &c->refs[r] : found;
    }
    return found;
}

/* The factor of a pair. Its keys are one key of both, and rather that of the smaller side, so that it has no more values than that has rows: order lines that name a part and its supplier. But where one of the columns alone
 * tells the rows of the smaller side apart, two are there for the sake of the larger side, whose key they are: lines that came back. */
static double
factor_of_pair(const graph *g, int i, int k)
{
    const member *mi = &g->members[i], *mk = &g->members[k];
    int small = mi->base <= mk->base ? i : k, shared = 0;
    double alone = 1, of_i = 1, of_k = 1, most = 0;

    for (int c = 0; c < g->n_classes; c++) {
        const class_ref *ri = ref_of(&g->classes[c], i), *rk = ref_of(&g->classes[c], k);
        if (ri && rk) {
            shared++;
            alone *= fmax(ri->distinct, rk->distinct);
            of_i *= ri->distinct;
            of_k *= rk->distinct;
            most = fmax(most, small == i ? ri->of_base : rk->of_base);
        }
    }
    if (shared < 2) {
        return 1;
    }
    of_i = fmin(of_i, mi->base);
    of_k = fmin(of_k, mk->base);
    return fmax(1,
                alone / (most * 2 > g->members[small].base ? fmax(of_i, of_k) : fmin(of_i, of_k)));
}

static int
compare_pairs(const void *pa, const void *pb)
{
    const key_pair *a = pa, *b = pb;

    if (a->factor != b->factor) {
        return a->factor > b->factor ? -1 : 1;
    }
    return a->both < b->both ? -1 : a->both > b->both;
}

static nb_status
find_pairs(graph *g)
{
    int n = g->n_members;

    g->pairs = NB_ARENA_ARRAY(g->arena, key_pair, n * n + 1);
    if (!g->pairs) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        for (int k = i + 1; k < n; k++) {
            double factor = factor_of_pair(g, i, k);
            if (factor > 1) {
                g->pairs[g->n_pairs++] = (key_pair){BIT(i) | BIT(k), factor};
            }
        }
    }
    qsort(g->pairs, (size_t)g->n_pairs, sizeof(*g->pairs), compare_pairs);
    return NB_OK;
}

static nb_status
estimate(graph *g)
{
    int n = g->n_members;

    for (int i = 0; i < n; i++) {
        member *m = &g->members[i];
        m->rows = fmax(nb_stats_rows(g->stats, m->plan), 1);
        m->base = fmax(base_rows(g, m->plan), m->rows);
        m->single = nb_plan_is_single_row(m->plan);
    }
    for (int i = 0; i < n; i++) {
        if (g->members[i].step) {
            g->members[i].share = step_share(g, &g->members[i]);
        }
    }
    for (int i = 0; i < g->n_classes; i++) {
        for (int k = 0; k < g->classes[i].n; k++) {
            class_ref *r = &g->classes[i].refs[k];
            double d = nb_stats_distinct(g->stats, r->column->u.column.attr);
            r->of_base = d;
            r->distinct =
                fmax(1, fmin(d > 0 ? d : g->members[r->member].base, g->members[r->member].rows));
        }
    }
    return find_pairs(g);
}

/* Pairs that hold the set's members together count; one that closes a ring says nothing new. */
static double
factor_of_set(const graph *g, mask set)
{
    mask parts[MOST_MEMBERS];
    double factor = 1;
    int n = 0;

    for (int i = 0; i < g->n_pairs; i++) {
        mask both = g->pairs[i].both, joined = both;
        bool ring = (both & ~set) != 0;
        int kept = 0;
        for (int k = 0; k < n && !ring; k++) {
            ring = !(both & ~parts[k]);
        }
        if (ring) {
            continue;
        }
        for (int k = 0; k < n; k++) {
            if (parts[k] & both) {
                joined |= parts[k];
            } else {
                parts[kept++] = parts[k];
            }
        }
        parts[kept] = joined;
        n = kept + 1;
        factor *= g->pairs[i].factor;
    }
    return factor;
}

/* Rows of each member that can have a match in the set: a row whose key no other member of the set has is in none of its other columns' values, either. A calendar
 * of two centuries has as many weeks as the facts of five years have. */
static void
rows_with_match(const graph *g, mask set, double *out)
{
    for (int i = 0; i < g->n_members; i++) {
        out[i] = INFINITY;
    }
    for (int c = 0; c < g->n_classes; c++) {
        double least = INFINITY;
        for (int r = 0; r < g->classes[c].n; r++) {
            const class_ref *ref = &g->classes[c].refs[r];
            least = set & BIT(ref->member) ? fmin(least, ref->distinct) : least;
        }
        for (int r = 0; r < g->classes[c].n; r++) {
            const class_ref *ref = &g->classes[c].refs[r];
            if (ref->of_base >= g->members[ref->member].base * KEY_SHARE) {
                out[ref->member] = fmin(out[ref->member], least);
            }
        }
    }
}

static double
rows_of(const graph *g, mask set)
{
    double rows = 1, matched[MOST_MEMBERS];
    int n = g->n_members;

    rows_with_match(g, set, matched);
    for (int i = 0; i < n; i++) {
        if (set & BIT(i)) {
            rows *= g->members[i].step ? g->members[i].share : g->members[i].rows;
        }
    }
    for (int c = 0; c < g->n_classes; c++) { /* all but the rarest of each class divide */
        double least = INFINITY, product = 1;
        int found = 0;
        for (int r = 0; r < g->classes[c].n; r++) {
            const class_ref *ref = &g->classes[c].refs[r];
            if (set & BIT(ref->member)) {
                bool is_key = ref->of_base >= g->members[ref->member].base * KEY_SHARE;
                double distinct =
                    is_key ? ref->distinct : fmin(ref->distinct, matched[ref->member]);
                least = fmin(least, distinct);
                product *= distinct;
                found++;
            }
        }
        rows /= found > 1 ? product / least : 1;
    }
    rows *= factor_of_set(g, set);
    for (int i = 0; i < g->n_conditions; i++) {
        rows *=
            (set & g->conditions[i].needs) == g->conditions[i].needs ? g->conditions[i].share : 1;
    }
    return fmax(rows, 1);
}

static bool
connected(const graph *g, mask a, mask b)
{
    for (int c = 0; c < g->n_classes; c++) {
        if ((g->classes[c].members & a) && (g->classes[c].members & b)) {
            return true;
        }
    }
    for (int i = 0; i < g->n_conditions; i++) {
        mask needs = g->conditions[i].needs;
        if (g->conditions[i].equal && (needs & a) && (needs & b) && !(needs & ~(a | b))) {
            return true;
        }
    }
    return false;
}

/* What joining two sides costs; < 0: not possible this way. */
static double
join_cost(const graph *g, mask a, const best *left, mask b, const best *right, double rows)
{
    bool step = !(b & (b - 1)) && g->members[__builtin_ctzll(b)].step;
    double least = fmin(left->rows, right->rows), most = fmax(left->rows, right->rows);

    if (step) {
        const member *m = &g->members[__builtin_ctzll(b)];
        return m->needs && !(m->needs & ~a)
                   ? left->cost + right->cost + BUILD_COST * right->rows + left->rows
                   : -1;
    }
    if (!connected(g, a, b)) {
        bool single = (!(a & (a - 1)) && g->members[__builtin_ctzll(a)].single) ||
                      (!(b & (b - 1)) && g->members[__builtin_ctzll(b)].single);
        return left->cost + right->cost + (single ? most : CROSS_COST * left->rows * right->rows);
    }
    return left->cost + right->cost + BUILD_COST * least + most + OUTPUT_COST * rows;
}

/* ---- search ---------------------------------------------------------------------------------- */

static bool
only_step(const graph *g, mask set)
{
    return !(set & (set - 1)) && g->members[__builtin_ctzll(set)].step;
}

static nb_status
search_all(const graph *g, best **out)
{
    mask full = BIT(g->n_members) - 1;
    best *table = nb_arena_zalloc(g->arena, sizeof(best) * (size_t)(full + 1));

    if (!table) {
        return NB_NOMEM;
    }
    for (mask set = 1; set <= full; set++) {
        best *b = &table[set];
        if (!(set & (set - 1))) {
            const member *m = &g->members[__builtin_ctzll(set)];
            *b = (best){m->base * 0.2, m->rows, 0};
            continue;
        }
        *b = (best){INFINITY, rows_of(g, set), 0};
        for (mask right = (set - 1) & set; right; right = (right - 1) & set) {
            mask left = set & ~right;
            double cost;
            if (only_step(g, left) || (!only_step(g, right) && left < right) ||
                isinf(table[left].cost) || isinf(table[right].cost)) {
                continue; /* a step is a right side; of two relations each pair is tried once */
            }
            cost = join_cost(g, left, &table[left], right, &table[right], b->rows);
            if (cost >= 0 && cost < b->cost) {
                b->cost = cost;
                b->left = left;
            }
        }
    }
    *out = table;
    return NB_OK;
}

/* ---- putting together ------------------------------------------------------------------------ */

static nb_status
conditions_between(graph *g, mask a, mask b, nb_expr **out, nb_error *err)
{
    nb_expr **list = NB_ARENA_ARRAY(g->arena, nb_expr *, g->n_classes + g->n_conditions + 1);
    int n = 0;

    if (!list) {
        return NB_NOMEM;
    }
    for (int c = 0; c < g->n_classes; c++) {
        nb_expr *in_a = NULL, *in_b = NULL;
        for (int r = 0; r < g->classes[c].n; r++) {
            const class_ref *ref = &g->classes[c].refs[r];
            in_a = a & BIT(ref->member) && !in_a ? ref->column : in_a;
            in_b = b & BIT(ref->member) && !in_b ? ref->column : in_b;
        }
        if (in_a && in_b) {
            nb_expr **args = NB_ARENA_ARRAY(g->arena, nb_expr *, 2);
            if (!args) {
                return NB_NOMEM;
            }
            args[0] = in_a;
            args[1] = in_b;
            NB_TRY(nb_function_bind(g->arena, g->info, nb_function_find(NB_STR("=")), NB_STR("="),
                                    args, 2, NULL, &list[n++], err));
        }
    }
    for (int i = 0; i < g->n_conditions; i++) {
        mask needs = g->conditions[i].needs;
        if (!(needs & ~(a | b)) && (needs & ~a) && (needs & ~b)) {
            list[n++] = g->conditions[i].e;
        }
    }
    return nb_join_conjuncts(g->arena, list, n, out);
}

static nb_status
join_two(graph *g, nb_plan *left, mask a, nb_plan *right, mask b, nb_plan **out, nb_error *err)
{
    nb_plan *p;

    if (only_step(g, b)) {
        nb_plan *step = g->members[__builtin_ctzll(b)].step;
        p = nb_plan_new(g->arena, NB_PLAN_JOIN, 2, left->n_attrs);
        if (!p) {
            return NB_NOMEM;
        }
        p->u.join = step->u.join;
        memcpy(p->attrs, left->attrs, sizeof(nb_attr) * (size_t)left->n_attrs);
    } else {
        p = nb_plan_new(g->arena, NB_PLAN_JOIN, 2, left->n_attrs + right->n_attrs);
        if (!p) {
            return NB_NOMEM;
        }
        NB_TRY(conditions_between(g, a, b, &p->u.join.condition, err));
        p->u.join.type = p->u.join.condition ? NB_JOIN_INNER : NB_JOIN_CROSS;
        memcpy(p->attrs, left->attrs, sizeof(nb_attr) * (size_t)left->n_attrs);
        memcpy(p->attrs + left->n_attrs, right->attrs, sizeof(nb_attr) * (size_t)right->n_attrs);
    }
    p->children[0] = left;
    p->children[1] = right;
    *out = p;
    return NB_OK;
}

static nb_status
build(graph *g, const best *table, mask set, nb_plan **out, nb_error *err)
{
    nb_plan *left, *right;

    if (!(set & (set - 1))) {
        *out = g->members[__builtin_ctzll(set)].plan;
        return NB_OK;
    }
    NB_TRY(build(g, table, table[set].left, &left, err));
    NB_TRY(build(g, table, set & ~table[set].left, &right, err));
    return join_two(g, left, table[set].left, right, set & ~table[set].left, out, err);
}

/* The cheapest pair next, until one is left. Pairs without a common key come when there is no other: products of small relations are cheap, and then meet the large ones
 * by several keys at once, before what would have left few of their rows. */
static nb_status
search_greedy(graph *g, nb_plan **out, nb_error *err)
{
    struct {
        mask set;
        best b;
        nb_plan *plan;
    } parts[MOST_MEMBERS];
    int n = g->n_members;

    for (int i = 0; i < n; i++) {
        parts[i].set = BIT(i);
        parts[i].plan = g->members[i].plan;
        parts[i].b = (best){0, g->members[i].rows, 0};
    }
    while (n > 1) {
        double least = INFINITY, rows_found = 0;
        int at[2] = {-1, -1};
        bool related = false;
        for (int i = 0; i < n; i++) {
            for (int k = 0; k < n; k++) {
                double cost, rows;
                bool meet;
                if (i == k || only_step(g, parts[i].set) ||
                    (k < i && !only_step(g, parts[k].set))) {
                    continue;
                }
                meet = only_step(g, parts[k].set) || connected(g, parts[i].set, parts[k].set);
                if (related && !meet) {
                    continue;
                }
                rows = rows_of(g, parts[i].set | parts[k].set);
                cost = join_cost(g, parts[i].set, &parts[i].b, parts[k].set, &parts[k].b, rows);
                if (cost >= 0 && ((meet && !related) ||
                                  cost - parts[i].b.cost - parts[k].b.cost + rows < least)) {
                    related |= meet;
                    least = cost - parts[i].b.cost - parts[k].b.cost + rows;
                    rows_found = rows;
                    at[0] = i;
                    at[1] = k;
                }
            }
        }
        if (at[0] < 0) {
            return nb_raise_internal(err, "a join has no order");
        }
        NB_TRY(join_two(g, parts[at[0]].plan, parts[at[0]].set, parts[at[1]].plan, parts[at[1]].set,
                        &parts[at[0]].plan, err));
        parts[at[0]].set |= parts[at[1]].set;
        parts[at[0]].b = (best){0, rows_found, 0};
        parts[at[1]] = parts[--n];
    }
    *out = parts[0].plan;
    return NB_OK;
}

/* A projection that gives the attributes of the tree in the order of `like`. */
static nb_status
restore(const graph *g, nb_plan *p, const nb_attr *like, int n, nb_plan **out)
{
    nb_plan *project = nb_plan_new(g->arena, NB_PLAN_PROJECT, 1, n);

    if (!project) {
        return NB_NOMEM;
    }
    project->children[0] = p;
    project->u.project.exprs = NB_ARENA_ARRAY(g->arena, nb_expr *, n + 1);
    if (!project->u.project.exprs) {
        return NB_NOMEM;
    }
    memcpy(project->attrs, like, sizeof(nb_attr) * (size_t)n);
    for (int i = 0; i < n; i++) {
        nb_expr *e = nb_attr_map_get(&g->renamed, like[i].id);
        e = e ? nb_expr_alias(g->arena, e, like[i].name, like[i].id)
              : nb_attr_expr(g->arena, &like[i]);
        if (!e) {
            return NB_NOMEM;
        }
        if (e->kind == NB_EXPR_ALIAS) {
            e->u.alias.metadata = like[i].metadata;
        }
        project->u.project.exprs[i] = e;
    }
    *out = project;
    return NB_OK;
}

/* Sorts the conjuncts into classes, filters of one member, and conditions between several. */
static nb_status
sort_conjuncts(graph *g)
{
    g->classes = nb_arena_zalloc(g->arena, sizeof(key_class) * (size_t)(g->n_conjuncts + 1));
    g->conditions = nb_arena_zalloc(g->arena, sizeof(condition) * (size_t)(g->n_conjuncts + 1));
    if (!g->classes || !g->conditions) {
        return NB_NOMEM;
    }
    for (int i = 0; i < g->n_conjuncts; i++) {
        nb_expr *e = g->conjuncts[i];
        condition *c = &g->conditions[g->n_conditions];
        if (is_equality(e) && e->args[0]->kind == NB_EXPR_COLUMN &&
            e->args[1]->kind == NB_EXPR_COLUMN) {
            int a = member_of(g, e->args[0]->u.column.attr),
                b = member_of(g, e->args[1]->u.column.attr);
            if (a >= 0 && b >= 0 && a != b) {
                NB_TRY(make_equal(g, e->args[0], e->args[1]));
                continue;
            }
        }
        *c = (condition){.e = e, .share = nb_stats_share(g->stats, e)};
        NB_TRY(needs_of(g, e, &c->needs));
        if (is_equality(e)) {
            mask a, b;
            NB_TRY(needs_of(g, e->args[0], &a));
            NB_TRY(needs_of(g, e->args[1], &b));
            c->equal = a && b && !(a & b);
        }
        g->n_conditions++;
    }
    return NB_OK;
}

/* Two columns of one relation in a class would lose their own equality: that is rare, and then the tree stays. */
static bool
repeats_member(const graph *g)
{
    for (int c = 0; c < g->n_classes; c++) {
        mask seen = 0;
        for (int r = 0; r < g->classes[c].n; r++) {
            if (seen & BIT(g->classes[c].refs[r].member)) {
                return true;
            }
            seen |= BIT(g->classes[c].refs[r].member);
        }
    }
    return false;
}

static nb_status
order_tree(nb_arena *arena, const nb_session_info *info, nb_plan **plan, bool by_name,
           nb_error *err)
{
    graph g = {
        .arena = arena, .info = info, .stats = nb_stats_new(arena), .renamed = {.arena = arena}};
    nb_plan *p = *plan, *made;
    bool fits;

    if (!g.stats) {
        return NB_NOMEM;
    }
    NB_TRY(collect(&g, plan, err));
    for (int i = 0; i < g.n_conjuncts; i++) {
        NB_TRY(nb_expr_substitute(arena, g.conjuncts[i], &g.renamed, &g.conjuncts[i], err));
    }
    fits = g.n_members > 2 && g.n_members <= MOST_MEMBERS;
    for (int i = 0; i < g.n_members && fits; i++) {
        (void)nb_stats_rows(g.stats, g.members[i].plan);
    }
    if (fits) {
        NB_TRY(sort_conjuncts(&g));
        for (int i = 0; i < g.n_conditions;
             i++) { /* of no or one member: not pushed, so there is a reason */
            fits &= (g.conditions[i].needs & (g.conditions[i].needs - 1)) != 0;
        }
        for (int i = 0; i < g.n_members && fits; i++) {
            if (g.members[i].step) {
                NB_TRY(needs_of(&g, g.members[i].step->u.join.condition, &g.members[i].needs));
                fits &= g.members[i].needs != 0;
            }
        }
        fits &= !repeats_member(&g);
    }
    if (!fits) {
        return NB_OK;
    }
    NB_TRY(spread_filters(&g, err));
    g.stats = nb_stats_new(arena);
    if (!g.stats) {
        return NB_NOMEM;
    }
    NB_TRY(estimate(&g));
    if (g.n_members <= MOST_EXACT) {
        best *table;
        NB_TRY(search_all(&g, &table));
        if (isinf(table[BIT(g.n_members) - 1].cost)) {
            return NB_OK;
        }
        NB_TRY(build(&g, table, BIT(g.n_members) - 1, &made, err));
    } else {
        NB_TRY(search_greedy(&g, &made, err));
    }
    *plan = made;
    return by_name && !g.renamed.n ? NB_OK : restore(&g, made, p->attrs, p->n_attrs, plan);
}

/* by_name: whoever reads the plan finds its columns by their ids, so that their order is free. */
static nb_status
order(nb_arena *arena, const nb_session_info *info, nb_plan **plan, bool by_name, nb_error *err)
{
    nb_plan *p = *plan;

    if (is_inner(p) || is_step(p)) {
        return order_tree(arena, info, plan, by_name, err);
    }
    if (p->kind == NB_PLAN_CACHED) {
        return NB_OK;
    }
    for (int i = 0; i < p->n_children; i++) {
        NB_TRY(order(arena, info, &p->children[i],
                     p->kind == NB_PLAN_PROJECT || p->kind == NB_PLAN_AGGREGATE, err));
    }
    return NB_OK;
}

nb_status
nb_optimize_join_order(nb_arena *arena, const nb_session_info *info, nb_plan **plan, nb_error *err)
{
    return order(arena, info, plan, false, err);
}
