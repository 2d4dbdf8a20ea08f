/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_mapped_chunk.c: rows that do not fit into memory stay readable as a table: results of caches, LIMIT, tail, repartition.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "exec/exec_util.h"

#define SCHEMA "a:long b:int c:double d:string e:bool f:longs"

static bool
values(int64_t row, int col, int64_t *value)
{
    uint64_t x = ((uint64_t)row + 1) * 0x9e3779b97f4a7c15u * (uint64_t)(col * 2 + 1);

    *value = col == 5 ? (int64_t)(x % 90) : (int64_t)(x >> 40);
    return (x >> 33) % 11 != 0;
}

/* The plan's result is the same in memory, with every batch on disk, and within a budget that is too small for it. */
static void
check_plan(nb_node *(*plan)(exec_fixture *, nb_node *), int64_t n, size_t limit)
{
    exec_fixture f;
    nb_table *table, *out[3];
    nb_node *root = NULL;

    exec_begin(&f, 2, 0);
    table = make_table(&f, schema_of(SCHEMA), n, 3000, values);
    for (int i = 0; i < 3; i++) {
        nb_node *child = new_node(&f, NB_NODE_UNION, table->schema, table_node(&f, table));

        f.ctx.force_spill = i == 1;
        f.ctx.result_to_disk = i > 0;
        f.ctx.pool = i == 2 ? nb_pool_new(f.pool, "limited", limit) : f.pool;
        root = plan(&f, child);
        out[i] = run_plan(&f, root);
        assert_tables_equal(out[0], out[i]);
        if (i > 0) {
            assert_true(atomic_load(&root->metrics->bytes_spilled) > 0);
        }
    }
    for (int i = 0; i < 3; i++) {
        for (int c = 0; c < out[i]->n_chunks; c++) {
            nb_chunk_forget(out[i]->chunks[c]);
        }
    }
    assert_tables_equal(out[1], out[2]);
    assert_true(nb_pool_peak(f.ctx.pool) <= limit);
    for (int i = 0; i < 3; i++) {
        nb_table_release(out[i]);
    }
    assert_int_equal(nb_pool_used(f.ctx.pool), 0);
    nb_pool_free(f.ctx.pool);
    nb_table_release(table);
    exec_end(&f);
}

static nb_node *
same(exec_fixture *f, nb_node *child)
{
    (void)f;
    return child;
}

static nb_node *
limited(exec_fixture *f, nb_node *child)
{
    return new_node(f, NB_NODE_UNION, child->schema, limit_node(f, child, 55000, 100));
}

static void
test_mapped_chunk__results(void **state)
{
    (void)state;
    check_plan(same, 60000, (size_t)3 << 20);
    check_plan(limited, 60000, (size_t)3 << 20);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mapped_chunk__results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
