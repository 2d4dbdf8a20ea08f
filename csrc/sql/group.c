/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group.c: GROUP BY with ROLLUP, CUBE and GROUPING SETS.
 *
 * What Connect's Aggregate can say directly (one ROLLUP or CUBE over plain expressions) is said so; all other combinations are
 * multiplied out here into grouping sets, as Spark's analyzer does.
 */
#include "sql/parse_state.h"

#define MAX_KEYS    1024 /* expressions in grouping sets; Spark's analyzer stops at 64 */
#define MAX_SETS    65536
#define MAX_MEMBERS ((size_t)1 << 18) /* in all sets of a clause */

typedef struct group_expr {
    Sc__Expression *expr;
    struct group_expr *same; /* the first that reads the same; itself when it is the first */
    size_t start, end;       /* tokens: two texts that read the same are the same expression */
} group_expr;

typedef struct group_part {
    enum { PLAIN, ROLLUP, CUBE, SETS } kind;
    nb_ptrs
        sets; /* nb_ptrs * of group_expr *: of PLAIN one with one expression; of SETS the sets themselves */
    bool composite; /* ROLLUP or CUBE of something else than single expressions */
} group_part;

static nb_status
parse_group_expr(nb_sql_parser *p, nb_ptrs *set)
{
    group_expr *g = NB_ARENA_NEW(p->arena, group_expr);

    NB_SQL_NEED(g);
    g->start = p->pos;
    NB_TRY(nb_sql_parse_expr(p, &g->expr));
    g->end = p->pos;
    return nb_ptrs_push(p, set, g);
}

/* (a, b), (), or a */
static nb_status
parse_set(nb_sql_parser *p, group_part *part)
{
    nb_ptrs *set = NB_ARENA_NEW(p->arena, nb_ptrs);
    const nb_token *t = nb_sql_cur(p);

    NB_SQL_NEED(set);
    if (t->kind == NB_T_LPAREN && !t->is_query && t->match &&
        (p->tokens.items[t->match + 1].kind == NB_T_COMMA ||
         p->tokens.items[t->match + 1].kind == NB_T_RPAREN)) {
        nb_sql_skip(p);
        if (!nb_sql_is(p, NB_T_RPAREN)) {
            do {
                NB_TRY(parse_group_expr(p, set));
            } while (nb_sql_accept(p, NB_T_COMMA));
        }
        NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
    } else {
        NB_TRY(parse_group_expr(p, set));
    }
    part->composite |= set->n != 1;
    return nb_ptrs_push(p, &part->sets, set);
}

/* Puts the members of one set behind those of another; *n_members counts over the whole clause. */
static nb_status
append(nb_sql_parser *p, nb_ptrs *to, const nb_ptrs *from, size_t *n_members)
{
    *n_members += from->n;
    if (*n_members > MAX_MEMBERS) {
        return nb_sql_too_complex(p);
    }
    for (size_t i = 0; i < from->n; i++) {
        NB_TRY(nb_ptrs_push(p, to, from->items[i]));
    }
    return NB_OK;
}

/* The grouping sets that one part stands for. */
static nb_status
expand_part(nb_sql_parser *p, const group_part *part, nb_ptrs *out, size_t *n_members)
{
    size_t n = part->sets.n, n_sets;

    if (part->kind == PLAIN || part->kind == SETS) {
        *out = part->sets;
        return NB_OK;
    }
    if (part->kind == CUBE && n > 16) {
        return nb_sql_too_complex(p);
    }
    n_sets = part->kind == ROLLUP ? n + 1 : (size_t)1 << n;
    for (
        size_t k = n_sets;
        k-- >
        0;) { /* ROLLUP: the first k; CUBE: those whose bit in k is set, the first being the highest */
        nb_ptrs *set = NB_ARENA_NEW(p->arena, nb_ptrs);
        NB_SQL_NEED(set);
        for (size_t i = 0; i < n; i++) {
            if (part->kind == ROLLUP ? i < k : k >> (n - 1 - i) & 1) {
                NB_TRY(append(p, set, part->sets.items[i], n_members));
            }
        }
        NB_TRY(nb_ptrs_push(p, out, set));
    }
    return NB_OK;
}

static nb_status parse_analytics(nb_sql_parser *p, group_part *part, bool *found);

/* GROUPING SETS ( element, … ): sets, or again ROLLUP, CUBE, GROUPING SETS */
static nb_status
parse_sets(nb_sql_parser *p, group_part *part)
{
    size_t n_members = 0;

    part->kind = SETS;
    NB_TRY(nb_sql_expect(p, NB_T_LPAREN));
    do {
        group_part inner = {.kind = PLAIN};
        bool nested = false;
        NB_TRY(parse_analytics(p, &inner, &nested));
        if (nested) {
            nb_ptrs sets = {0};
            NB_TRY(expand_part(p, &inner, &sets, &n_members));
            for (size_t i = 0; i < sets.n; i++) {
                NB_TRY(nb_ptrs_push(p, &part->sets, sets.items[i]));
            }
        } else {
            NB_TRY(parse_set(p, part));
        }
        if (part->sets.n > MAX_SETS) {
            return nb_sql_too_complex(p);
        }
    } while (nb_sql_accept(p, NB_T_COMMA));
    return nb_sql_expect(p, NB_T_RPAREN);
}

static nb_status
parse_analytics(nb_sql_parser *p, group_part *part, bool *found)
{
    *found = false;
    if ((nb_sql_is_kw(p, NB_KW_ROLLUP) || nb_sql_is_kw(p, NB_KW_CUBE)) &&
        nb_sql_ahead(p, 1)->kind == NB_T_LPAREN) {
        part->kind = nb_sql_is_kw(p, NB_KW_ROLLUP) ? ROLLUP : CUBE;
        nb_sql_skip(p);
        nb_sql_skip(p);
        do {
            NB_TRY(parse_set(p, part));
        } while (nb_sql_accept(p, NB_T_COMMA));
        *found = true;
        return nb_sql_expect(p, NB_T_RPAREN);
    }
    if (nb_sql_is_kw(p, NB_KW_GROUPING) && nb_sql_ahead_is_kw(p, 1, NB_KW_SETS) &&
        nb_sql_ahead(p, 2)->kind == NB_T_LPAREN) {
        NB_TRY(nb_sql_enter(p));
        nb_sql_skip(p);
        nb_sql_skip(p);
        *found = true;
        NB_TRY(parse_sets(p, part));
        nb_sql_leave(p);
    }
    return NB_OK;
}

static bool
same_text(const nb_sql_parser *p, const group_expr *a, const group_expr *b)
{
    if (a->end - a->start != b->end - b->start) {
        return false;
    }
    for (size_t i = 0; i < a->end - a->start; i++) {
        const nb_token *x = &p->tokens.items[a->start + i], *y = &p->tokens.items[b->start + i];
        nb_str s = nb_sql_token_text(p, x), t = nb_sql_token_text(p, y);
        if (x->kind != y->kind ||
            !(x->kind == NB_T_WORD ? nb_str_equal_nocase(s, t) : nb_str_equal(s, t))) {
            return false;
        }
    }
    return true;
}

/* Finds the first that reads like g among all, or makes g one of them. */
static nb_status
unify(nb_sql_parser *p, group_expr *g, nb_ptrs *all)
{
    for (size_t i = 0; i < all->n && !g->same; i++) {
        if (same_text(p, all->items[i], g)) {
            g->same = all->items[i];
        }
    }
    if (!g->same) {
        g->same = g;
        return all->n < MAX_KEYS ? nb_ptrs_push(p, all, g) : nb_sql_too_complex(p);
    }
    return NB_OK;
}

static nb_status
set_grouping_sets(nb_sql_parser *p, Sc__Aggregate *agg, const nb_ptrs *sets, nb_ptrs *all)
{
    nb_ptrs messages = {0}, exprs = {0};

    for (size_t i = 0; i < sets->n; i++) {
        const nb_ptrs *set = sets->items[i];
        Sc__Aggregate__GroupingSets *m =
            NB_SQL_NEW(p, Sc__Aggregate__GroupingSets, SC__AGGREGATE__GROUPING_SETS__INIT);
        nb_ptrs members = {0};
        NB_SQL_NEED(m);
        for (size_t k = 0; k < set->n; k++) {
            group_expr *g = set->items[k];
            NB_TRY(unify(p, g, all));
            NB_TRY(nb_ptrs_push(p, &members, g->same->expr));
        }
        m->grouping_set = (Sc__Expression **)members.items;
        m->n_grouping_set = members.n;
        NB_TRY(nb_ptrs_push(p, &messages, m));
    }
    for (size_t i = 0; i < all->n; i++) {
        NB_TRY(nb_ptrs_push(p, &exprs, ((group_expr *)all->items[i])->expr));
    }
    agg->group_type = SC__AGGREGATE__GROUP_TYPE__GROUP_TYPE_GROUPING_SETS;
    agg->grouping_sets = (Sc__Aggregate__GroupingSets **)messages.items;
    agg->n_grouping_sets = messages.n;
    agg->grouping_expressions = (Sc__Expression **)exprs.items;
    agg->n_grouping_expressions = exprs.n;
    return NB_OK;
}

/* Every part's sets combined with every other's. */
static nb_status
multiply_out(nb_sql_parser *p, Sc__Aggregate *agg, const nb_ptrs *parts)
{
    nb_ptrs sets = {0}, all = {0};
    size_t n_members = 0;

    for (size_t i = 0; i < parts->n; i++) {
        nb_ptrs mine = {0}, next = {0};
        NB_TRY(expand_part(p, parts->items[i], &mine, &n_members));
        if (i == 0) {
            sets = mine;
            continue;
        }
        if (sets.n * mine.n > MAX_SETS) {
            return nb_sql_too_complex(p);
        }
        for (size_t a = 0; a < sets.n; a++) {
            for (size_t b = 0; b < mine.n; b++) {
                nb_ptrs *set = NB_ARENA_NEW(p->arena, nb_ptrs);
                NB_SQL_NEED(set);
                NB_TRY(append(p, set, sets.items[a], &n_members));
                NB_TRY(append(p, set, mine.items[b], &n_members));
                NB_TRY(nb_ptrs_push(p, &next, set));
            }
        }
        sets = next;
    }
    /* expressions in the order of the text */
    for (size_t i = 0; i < parts->n; i++) {
        const group_part *part = parts->items[i];
        for (size_t k = 0; k < part->sets.n; k++) {
            const nb_ptrs *set = part->sets.items[k];
            for (size_t m = 0; m < set->n; m++) {
                NB_TRY(unify(p, set->items[m], &all));
            }
        }
    }
    return set_grouping_sets(p, agg, &sets, &all);
}

nb_status
nb_sql_parse_group_by(nb_sql_parser *p, Sc__Aggregate *agg)
{
    nb_ptrs parts = {0}, exprs = {0};
    size_t n_plain = 0;

    agg->has_group_type = true;
    agg->group_type = SC__AGGREGATE__GROUP_TYPE__GROUP_TYPE_GROUPBY;
    do {
        group_part *part = NB_ARENA_NEW(p->arena, group_part);
        bool analytics;
        NB_SQL_NEED(part);
        NB_TRY(parse_analytics(p, part, &analytics));
        if (!analytics) {
            nb_ptrs *set = NB_ARENA_NEW(p->arena, nb_ptrs);
            NB_SQL_NEED(set);
            NB_TRY(parse_group_expr(p, set));
            NB_TRY(nb_ptrs_push(p, &part->sets, set));
            n_plain++;
        }
        NB_TRY(nb_ptrs_push(p, &parts, part));
    } while (nb_sql_accept(p, NB_T_COMMA));

    if (n_plain == parts.n || (parts.n == 1 && ((group_part *)parts.items[0])->kind != SETS &&
                               !((group_part *)parts.items[0])->composite)) {
        for (size_t i = 0; i < parts.n; i++) {
            const group_part *part = parts.items[i];
            for (size_t k = 0; k < part->sets.n; k++) {
                const nb_ptrs *set = part->sets.items[k];
                NB_TRY(nb_ptrs_push(p, &exprs, ((group_expr *)set->items[0])->expr));
            }
        }
        agg->grouping_expressions = (Sc__Expression **)exprs.items;
        agg->n_grouping_expressions = exprs.n;
        if (n_plain < parts.n) {
            agg->group_type = ((group_part *)parts.items[0])->kind == ROLLUP
                                  ? SC__AGGREGATE__GROUP_TYPE__GROUP_TYPE_ROLLUP
                                  : SC__AGGREGATE__GROUP_TYPE__GROUP_TYPE_CUBE;
            return NB_OK;
        }
        if (nb_sql_accept_kw2(p, NB_KW_WITH, NB_KW_ROLLUP)) {
            agg->group_type = SC__AGGREGATE__GROUP_TYPE__GROUP_TYPE_ROLLUP;
        } else if (nb_sql_accept_kw2(p, NB_KW_WITH, NB_KW_CUBE)) {
            agg->group_type = SC__AGGREGATE__GROUP_TYPE__GROUP_TYPE_CUBE;
        } else if (nb_sql_is_kw(p, NB_KW_GROUPING) && nb_sql_ahead_is_kw(p, 1, NB_KW_SETS)) {
            group_part sets = {.kind = SETS};
            nb_ptrs all = {0};
            nb_sql_skip(p);
            nb_sql_skip(p);
            NB_TRY(parse_sets(p, &sets));
            for (size_t i = 0; i < parts.n; i++) {
                const nb_ptrs *set = ((group_part *)parts.items[i])->sets.items[0];
                NB_TRY(unify(p, set->items[0], &all));
            }
            return set_grouping_sets(p, agg, &sets.sets, &all);
        }
        return NB_OK;
    }
    return multiply_out(p, agg, &parts);
}
