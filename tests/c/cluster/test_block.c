/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_block.c: rows as blocks, and back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cluster/block.h"

#define ROWS 1000

/* A flat column, one by a dictionary and a constant null, all of decimal(10, 2). */
static nb_chunk *
decimals(nb_pool *pool, const nb_type *type)
{
    nb_chunk *chunk = NULL;
    nb_vector *dict;
    uint32_t *indices;

    assert_int_equal(nb_chunk_new(pool, 3, &chunk), NB_OK);
    chunk->n_rows = ROWS;
    dict = NB_ARENA_NEW(chunk->arena, nb_vector);
    indices = NB_ARENA_ARRAY(chunk->arena, uint32_t, ROWS);
    assert_int_equal(nb_vector_alloc(chunk->arena, type, ROWS, &chunk->cols[0]), NB_OK);
    assert_int_equal(nb_vector_alloc(chunk->arena, type, 2, dict), NB_OK);
    NB_DATA(int64_t, dict)[0] = -1;
    NB_DATA(int64_t, dict)[1] = 9999999999;
    for (int i = 0; i < ROWS; i++) {
        NB_DATA(int64_t, &chunk->cols[0])[i] = i * (i % 2 ? 1000003 : -1);
        indices[i] = (uint32_t)i % 2;
    }
    chunk->cols[1] = (nb_vector){
        .type = type, .kind = NB_VEC_DICT, .n_rows = ROWS, .indices = indices, .dict = dict};
    assert_int_equal(nb_vector_const_null(chunk->arena, type, ROWS, &chunk->cols[2]), NB_OK);
    return chunk;
}

static void
test_block__decimals_of_64_bits_travel_as_they_are(void **state)
{
    const nb_type *type = nb_type_decimal(10, 2), *schema;
    nb_field fields[3] = {{.name = NB_STR("a"), .type = type, .nullable = true},
                          {.name = NB_STR("b"), .type = type, .nullable = true},
                          {.name = NB_STR("c"), .type = type, .nullable = true}};
    nb_pool *pool = nb_pool_new(NULL, "blocks", 0);
    nb_chunk *chunk = decimals(pool, type);
    nb_error err = NB_ERROR_INIT;
    nb_strbuf block = {0};
    nb_table *table = NULL;
    nb_buffer *bytes;

    (void)state;
    schema = nb_type_struct(fields, 3);
    assert_int_equal(nb_wire_block_write(pool, schema, chunk, false, &block, &err), NB_OK);
    assert_in_range(block.len, 2 * 8 * ROWS, 3 * 8 * ROWS);
    assert_int_equal(nb_buffer_new(pool, block.len, &bytes), NB_OK);
    memcpy(bytes->data, block.data, block.len);
    assert_int_equal(nb_table_new(pool, schema, &table), NB_OK);
    assert_int_equal(nb_wire_block_read(pool, bytes, 0, block.len, table, &err), NB_OK);
    assert_int_equal(table->n_rows, ROWS);
    for (int c = 0; c < 3; c++) {
        const nb_vector *v = &table->chunks[0]->cols[c];

        assert_ptr_equal(v->type, type);
        for (int i = 0; i < ROWS; i++) {
            assert_int_equal(nb_vector_is_null(v, i), c == 2);
            if (c < 2) {
                assert_int_equal(NB_DATA(int64_t, v)[nb_vector_slot(v, i)],
                                 c == 0  ? i * (i % 2 ? 1000003 : -1)
                                 : i % 2 ? 9999999999
                                         : -1);
            }
        }
    }
    nb_table_release(table);
    nb_buffer_release(bytes);
    nb_strbuf_free(&block);
    nb_chunk_free(chunk);
    nb_pool_free(pool);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_block__decimals_of_64_bits_travel_as_they_are),
    };

    return cmocka_run_group_tests_name("block", tests, NULL, NULL);
}
