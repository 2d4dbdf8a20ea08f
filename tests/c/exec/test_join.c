/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_join.c: every type of join with either side built, against two nested loops.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "exec/exec_util.h"
#include "expr/registry.h"

static int64_t modulus;
static int key_col; /* 0 long, 1 string, 2 long far apart */

static bool
rows(int64_t row, int col, int64_t *value)
{
    int64_t k = (int64_t)(((uint64_t)row * 0x9e3779b97f4a7c15u >> 20) % (uint64_t)modulus);

    *value = col == 3 ? row : col == 2 ? k * 1000003 : k;
    return col == 3 || row % 17 != 4;
}

#define SCHEMA "k:long s:string w:long id:long"

typedef struct pair {
    int64_t left, right; /* ids; -1 = null */
} pair;

static int
by_pair(const void *a, const void *b)
{
    const pair *x = a, *y = b;

    if (x->left != y->left) {
        return x->left < y->left ? -1 : 1;
    }
    return (x->right > y->right) - (x->right < y->right);
}

/* key equal? and, with a residual, left id < right id */
static bool
matches(int64_t l, int64_t r, int n_keys, bool residual)
{
    int64_t a, b;
    bool left = rows(l, key_col, &a), right = rows(r, key_col, &b), both = left && right;

    return (n_keys == 0 || (both && a == b)) && (!residual || l < r);
}

static int64_t
expect(nb_join_type type, int64_t n_left, int64_t n_right, int n_keys, bool residual, pair *out)
{
    int64_t n = 0;
    bool *hit = calloc((size_t)n_right + 1, 1);

    for (int64_t l = 0; l < n_left; l++) {
        bool any = false;

        for (int64_t r = 0; r < n_right; r++) {
            if (matches(l, r, n_keys, residual)) {
                any = hit[r] = true;
                if (type <= NB_JOIN_FULL || type == NB_JOIN_CROSS) {
                    out[n++] = (pair){l, r};
                }
            }
        }
        if ((type == NB_JOIN_LEFT || type == NB_JOIN_FULL) && !any) {
            out[n++] = (pair){l, -1};
        } else if ((type == NB_JOIN_SEMI && any) || (type == NB_JOIN_ANTI && !any)) {
            out[n++] = (pair){l, -1};
        } else if (type == NB_JOIN_MARK) {
            out[n++] = (pair){l, any};
        }
    }
    for (int64_t r = 0; r < n_right && (type == NB_JOIN_RIGHT || type == NB_JOIN_FULL); r++) {
        if (!hit[r]) {
            out[n++] = (pair){-1, r};
        }
    }
    free(hit);
    return n;
}

static nb_expr *
less_than(exec_fixture *f, const nb_type *left, const nb_type *right)
{
    nb_expr *args[2] = {column(f, left, 3), column(f, right, 3)}, *out = NULL;
    const nb_function *fn = nb_function_find(NB_STR("<"));
    nb_error err = NB_ERROR_INIT;

    args[1]->u.column.ordinal += left->n_children;
    if (fn == NULL) {
        return NULL;
    }
    assert_int_equal(
        nb_function_bind(f->arena, &f->info, fn, NB_STR("<"), args, 2, NULL, &out, &err), NB_OK);
    return out;
}

static nb_node *
join_node(exec_fixture *f, nb_join_type type, nb_node *left, nb_node *right, int n_keys,
          bool build_left, bool residual)
{
    nb_field fields[8];
    int n = 0;
    nb_node *node;

    for (int c = 0; c < left->schema->n_children; c++) {
        fields[n++] = left->schema->children[c];
    }
    for (int c = 0; c < right->schema->n_children; c++) {
        if (type <= NB_JOIN_FULL || type >= NB_JOIN_CROSS) {
            fields[n++] = right->schema->children[c];
        }
    }
    if (type == NB_JOIN_MARK) {
        fields[n++] = (nb_field){NB_STR("mark"), nb_type_of(NB_TYPE_BOOL), true, {"", 0}};
    }
    node = new_node(f, NB_NODE_JOIN, nb_type_struct(fields, n), NULL);
    node->n_children = 2;
    node->children = NB_ARENA_ARRAY(f->arena, nb_node *, 2);
    node->children[0] = left;
    node->children[1] = right;
    node->u.join.type = type;
    node->u.join.n_keys = n_keys;
    node->u.join.build_left = build_left;
    node->u.join.left_keys = NB_ARENA_NEW(f->arena, nb_expr *);
    node->u.join.right_keys = NB_ARENA_NEW(f->arena, nb_expr *);
    node->u.join.null_safe = NB_ARENA_NEW(f->arena, bool);
    node->u.join.left_keys[0] = column(f, left->schema, key_col);
    node->u.join.right_keys[0] = column(f, right->schema, key_col);
    node->u.join.residual = residual ? less_than(f, left->schema, right->schema) : NULL;
    return node;
}

static void
check(nb_join_type type, int64_t n_left, int64_t n_right, int n_keys, bool build_left,
      bool residual)
{
    pair *want = malloc(sizeof(pair) * (size_t)((n_left + 1) * (n_right + 1) + 1));
    int64_t n_want = expect(type, n_left, n_right, n_keys, residual, want);
    nb_table *first = NULL;
    exec_fixture f;

    qsort(want, (size_t)n_want, sizeof(pair), by_pair);
    exec_begin(&f, 1, 0);
    for (int mode = 0; mode < 5; mode++) { /* 3, 4: on disk */
        nb_table *left, *right, *out;
        pair *got;

        f.ctx.n_threads = mode == 0 || mode == 3 ? 1 : 2;
        f.ctx.batch_rows = mode == 2 ? 7 : mode > 2 ? 60 : 0;
        f.ctx.force_spill = mode > 2;
        left = make_table(&f, schema_of(SCHEMA), n_left, 400, rows);
        right = make_table(&f, schema_of(SCHEMA), n_right, 300, rows);
        out = run_plan(&f, join_node(&f, type, table_node(&f, left), table_node(&f, right), n_keys,
                                     build_left, residual));
        assert_int_equal(out->n_rows, n_want);
        got = malloc(sizeof(pair) * (size_t)(n_want + 1));
        for (int64_t i = 0; i < n_want; i++) {
            got[i] = (pair){null_at(out, i, 3) ? -1 : long_at(out, i, 3), -1};
            if (type == NB_JOIN_MARK) {
                const nb_chunk *c = out->chunks[0];
                int64_t row = i;
                for (int k = 1; row >= c->n_rows; k++) {
                    row -= c->n_rows;
                    c = out->chunks[k];
                }
                got[i].right = NB_DATA(uint8_t, &c->cols[4])[row];
            } else if (out->schema->n_children == 8) {
                got[i].right = null_at(out, i, 7) ? -1 : long_at(out, i, 7);
            }
        }
        qsort(got, (size_t)n_want, sizeof(pair), by_pair);
        for (int64_t i = 0; i < n_want; i++) {
            assert_int_equal(got[i].left, want[i].left);
            assert_int_equal(got[i].right, want[i].right);
        }
        free(got);
        nb_table_release(left);
        nb_table_release(right);
        if (first == NULL) {
            first = out;
        } else if (mode > 2) {
            nb_table_release(out);
        } else {
            assert_tables_equal(first, out);
            nb_table_release(out);
        }
    }
    nb_table_release(first);
    exec_end(&f);
    free(want);
}

static const nb_join_type TYPES[] = {NB_JOIN_INNER, NB_JOIN_LEFT, NB_JOIN_RIGHT, NB_JOIN_FULL,
                                     NB_JOIN_SEMI,  NB_JOIN_ANTI, NB_JOIN_MARK};

static void
test_join__all_types(void **state)
{
    static const int64_t SIZES[][3] = {
        {700, 500, 100}, {700, 500, 100000}, {0, 50, 10}, {50, 0, 10}, {3000, 40, 5}};

    (void)state;
    for (key_col = 0; key_col < 3; key_col++) {
        for (size_t s = 0; s < NB_COUNT_OF(SIZES); s++) {
            modulus = SIZES[s][2];
            for (size_t t = 0; t < NB_COUNT_OF(TYPES); t++) {
                for (int build_left = 0; build_left < 2; build_left++) {
                    check(TYPES[t], SIZES[s][0], SIZES[s][1], 1, build_left, false);
                    if (nb_function_find(NB_STR("<")) != NULL) {
                        check(TYPES[t], SIZES[s][0], SIZES[s][1], 1, build_left, true);
                    }
                }
            }
        }
    }
    key_col = 0;
}

static void
test_join__without_keys(void **state)
{
    (void)state;
    modulus = 10;
    for (size_t t = 0; t < NB_COUNT_OF(TYPES); t++) {
        for (int build_left = 0; build_left < 2; build_left++) {
            check(TYPES[t], 130, 90, 0, build_left, false);
            if (nb_function_find(NB_STR("<")) != NULL) {
                check(TYPES[t], 130, 90, 0, build_left, true);
                /* few rows on either side, and pairs of several batches */
                check(TYPES[t], 900, 12, 0, build_left, true);
                check(TYPES[t], 7, 900, 0, build_left, true);
            }
        }
    }
    check(NB_JOIN_CROSS, 100, 300, 0, false, false);
}

static void
test_join__large_build_sides(void **state)
{
    static const int COLS[] = {0, 1, 2};

    (void)state;
    for (size_t c = 0; c < NB_COUNT_OF(COLS); c++) {
        exec_fixture f;
        nb_table *left, *right, *out, *again;
        nb_node *join;
        int64_t n = 0;

        key_col = COLS[c];
        modulus = 300000;
        exec_begin(&f, 2, 0);
        left = make_table(&f, schema_of(SCHEMA), 50000, 9000, rows);
        right = make_table(&f, schema_of(SCHEMA), 200000, 9000, rows);
        join = join_node(&f, NB_JOIN_INNER, table_node(&f, left), table_node(&f, right), 1, false,
                         false);
        out = run_plan(&f, join);
        for (int64_t i = 0; i < out->n_rows; i += 37) {
            assert_true(matches(long_at(out, i, 3), long_at(out, i, 7), 1, false));
            n++;
        }
        assert_true(n > 100);
        f.ctx.n_threads = 1;
        again = run_plan(&f, join);
        assert_tables_equal(out, again);
        nb_table_release(out);
        nb_table_release(again);
        nb_table_release(left);
        nb_table_release(right);
        exec_end(&f);
    }
    key_col = 0;
}

/* Sum of an id over the join's rows. */
static int64_t
sum_over(exec_fixture *f, nb_pool *pool, nb_node *join, int col)
{
    nb_expr *sum = sum_of(f, join->schema, col, false);
    nb_pool *before = f->ctx.pool;
    nb_table *out;
    int64_t total;

    f->ctx.pool = pool;
    out = run_plan(f, aggregate_node(f, join, NULL, 0, &sum, 1));
    total = long_at(out, 0, 0);
    nb_table_release(out);
    f->ctx.pool = before;
    return total;
}

/* Build sides of several times the budget; with few keys, partitions that only passes can hold. */
static void
test_join__within_budget(void **state)
{
    static const int64_t MODULI[] = {100000, 700, 2};

    (void)state;
    key_col = 1;
    for (size_t m = 0; m < NB_COUNT_OF(MODULI); m++) {
        for (size_t t = 0; t < NB_COUNT_OF(TYPES); t++) {
            exec_fixture f;
            nb_pool *limited;
            nb_table *left, *right;
            nb_node *unions[2], *join;
            bool wide = TYPES[t] <= NB_JOIN_FULL;

            modulus = MODULI[m];
            exec_begin(&f, 2, 0);
            limited = nb_pool_new(f.pool, "limited", (size_t)12 << 20);
            left = make_table(&f, schema_of(SCHEMA), modulus == 2 ? 300 : 20000, 5000, rows);
            right = make_table(&f, schema_of(SCHEMA), modulus == 700 ? 200000 : 150000, 5000, rows);
            unions[0] = new_node(&f, NB_NODE_UNION, left->schema, table_node(&f, left));
            unions[1] = new_node(&f, NB_NODE_UNION, right->schema, table_node(&f, right));
            join = join_node(&f, TYPES[t], unions[0], unions[1], 1, false, false);
            assert_int_equal(sum_over(&f, f.pool, join, wide ? 7 : 3),
                             sum_over(&f, limited, join, wide ? 7 : 3));
            assert_true(atomic_load(&join->metrics->bytes_spilled) > 0);
            assert_true(nb_pool_peak(limited) <= (size_t)12 << 20);
            assert_int_equal(nb_pool_used(limited), 0);
            nb_pool_free(limited);
            nb_table_release(left);
            nb_table_release(right);
            exec_end(&f);
        }
    }
    key_col = 0;
}

static void
test_join__fails_cleanly(void **state)
{
    int failed = 0;

    (void)state;
    modulus = 6;
    for (long nth = 1; nth < 900; nth += nth < 100 ? 1 : 13) {
        exec_fixture f;
        nb_table *left, *right, *out = NULL;
        nb_error err = NB_ERROR_INIT;

        exec_begin(&f, 2, 0);
        f.ctx.force_spill = true;
        f.ctx.batch_rows = 60;
        left = make_table(&f, schema_of(SCHEMA), 300, 100, rows);
        right = make_table(&f, schema_of(SCHEMA), 500, 100, rows);
        nb_pool_fail_nth(f.pool, nth);
        if (nb_exec_run(&f.ctx,
                        join_node(&f, NB_JOIN_FULL, table_node(&f, left), table_node(&f, right), 1,
                                  false, false),
                        &out, &err) != NB_OK) {
            failed++;
            assert_true(err.set);
        }
        nb_pool_fail_nth(f.pool, 0);
        nb_error_clear(&err);
        nb_table_release(out);
        nb_table_release(left);
        nb_table_release(right);
        exec_end(&f);
    }
    assert_true(failed > 50);
}

static void
test_join__null_aware(void **state)
{
    exec_fixture f;
    nb_table *left, *right, *out;
    nb_node *join;

    (void)state;
    modulus = 10;
    exec_begin(&f, 2, 0);
    left = make_table(&f, schema_of(SCHEMA), 100, 30, rows);
    right = make_table(&f, schema_of(SCHEMA), 4, 30, rows); /* the rows 0 … 3 have no null */
    join =
        join_node(&f, NB_JOIN_ANTI, table_node(&f, left), table_node(&f, right), 1, false, false);
    join->u.join.null_aware = true;
    out = run_plan(&f, join);
    for (int64_t i = 0; i < out->n_rows; i++) {
        assert_false(null_at(out, i, 0));
    }
    assert_true(out->n_rows > 0);
    nb_table_release(out);
    nb_table_release(right);
    right = make_table(&f, schema_of(SCHEMA), 5, 30, rows); /* row 4 is null */
    join->children[1] = table_node(&f, right);
    out = run_plan(&f, join);
    assert_int_equal(out->n_rows, 0);
    nb_table_release(out);
    nb_table_release(right);
    right = make_table(&f, schema_of(SCHEMA), 0, 30, rows);
    join->children[1] = table_node(&f, right);
    out = run_plan(&f, join);
    assert_int_equal(out->n_rows, 100);
    nb_table_release(out);
    nb_table_release(right);
    nb_table_release(left);
    exec_end(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_join__all_types),         cmocka_unit_test(test_join__without_keys),
        cmocka_unit_test(test_join__large_build_sides), cmocka_unit_test(test_join__within_budget),
        cmocka_unit_test(test_join__fails_cleanly),     cmocka_unit_test(test_join__null_aware),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
