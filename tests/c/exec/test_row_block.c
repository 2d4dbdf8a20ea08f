/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_row_block.c: columns of all layouts go to disk and come back; sort keys order as values do; a disk that is full says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include "base/random.h"
#include "exec/row_block.h"
#include "exec/sort_key.h"

static nb_xorshift rng;

static int
draw(int most)
{
    return nb_xorshift_int(&rng, most);
}

static const nb_type *
type_number(int i)
{
    static const nb_type_id PLAIN[] = {
        NB_TYPE_NULL,  NB_TYPE_BOOL,    NB_TYPE_INT8,    NB_TYPE_INT16,  NB_TYPE_INT32,
        NB_TYPE_INT64, NB_TYPE_FLOAT32, NB_TYPE_FLOAT64, NB_TYPE_STRING, NB_TYPE_INTERVAL};
    nb_field fields[2];

    if (i < (int)NB_COUNT_OF(PLAIN)) {
        return nb_type_of(PLAIN[i]);
    }
    switch (i - (int)NB_COUNT_OF(PLAIN)) {
    case 0: return nb_type_decimal(30, 2);
    case 1: return nb_type_array(nb_type_of(NB_TYPE_STRING), true);
    case 2: return nb_type_array(nb_type_array(nb_type_of(NB_TYPE_INT32), true), true);
    case 3:
        fields[0] = (nb_field){NB_STR("a"), nb_type_of(NB_TYPE_FLOAT64), true, {"", 0}};
        fields[1] = (nb_field){NB_STR("b"), type_number(11), true, {"", 0}};
        return nb_type_struct(fields, 2);
    default: return NULL;
    }
}

static void
fill(nb_arena *arena, const nb_type *type, int64_t n, nb_vector *v)
{
    static const double DOUBLES[] = {0.0, -0.0, NAN, INFINITY, -INFINITY, 1.5, -1e300};
    nb_phys phys = nb_type_storage(type)->phys;
    int64_t children = 0;

    assert_int_equal(nb_vector_alloc(arena, type, n, v), NB_OK);
    for (int64_t i = 0; i < n; i++) {
        int x = draw(7);

        if (draw(5) == 0 && phys != NB_PHYS_NONE) {
            assert_int_equal(nb_vector_need_validity(arena, v), NB_OK);
            nb_bit_clear(v->validity, i);
        }
        switch (phys) {
        case NB_PHYS_BOOL: NB_DATA(uint8_t, v)[i] = x & 1; break;
        case NB_PHYS_INT8: NB_DATA(int8_t, v)[i] = (int8_t)((x - 3) * 40); break;
        case NB_PHYS_INT16: NB_DATA(int16_t, v)[i] = (int16_t)((x - 3) * 10000); break;
        case NB_PHYS_INT32: NB_DATA(int32_t, v)[i] = (x - 3) * 700000000; break;
        case NB_PHYS_INT64: NB_DATA(int64_t, v)[i] = (x - 3) * 3000000000000000000; break;
        case NB_PHYS_INT128:
            NB_DATA(nb_int128, v)[i] = (nb_int128)(x - 3) * 3000000000000000000 * 1000;
            break;
        case NB_PHYS_FLOAT: NB_DATA(float, v)[i] = (float)DOUBLES[x]; break;
        case NB_PHYS_DOUBLE: NB_DATA(double, v)[i] = DOUBLES[x]; break;
        case NB_PHYS_INTERVAL: NB_DATA(nb_interval, v)[i] = (nb_interval){x - 3, -x, x}; break;
        case NB_PHYS_STRING: {
            static const char *const TEXTS[] = {"",
                                                "a",
                                                "a\0",
                                                "a\0b",
                                                "\377",
                                                "a longer string of text",
                                                "a longer string of texts"};
            static const size_t LENS[] = {0, 1, 2, 3, 1, 23, 24};

            if (nb_is_valid(v->validity, i)) {
                NB_DATA(nb_view, v)[i] = nb_view_make(TEXTS[x], LENS[x]);
            }
            break;
        }
        case NB_PHYS_LIST:
            if (nb_is_valid(v->validity, i)) {
                NB_DATA(nb_list, v)[i] = (nb_list){(uint32_t)children, (uint32_t)draw(4)};
                children += 3;
            }
            break;
        default: break;
        }
    }
    if (phys == NB_PHYS_LIST) {
        fill(arena, type->children[0].type, children, &v->children[0]);
    }
    for (int c = 0; phys == NB_PHYS_STRUCT && c < type->n_children; c++) {
        fill(arena, type->children[c].type, n, &v->children[c]);
    }
}

static void
test_row_block__round_trip(void **state)
{
    nb_pool *pool = nb_pool_new(NULL, "test", 0);

    (void)state;
    nb_xorshift_init(&rng, 7);
    for (int t = 0; type_number(t) != NULL; t++) {
        static const int64_t LENGTHS[] = {1, 63, 64, 65, 2048};
        nb_field field = {NB_STR("x"), type_number(t), true, {"", 0}};
        const nb_type *schema = nb_type_struct(&field, 1);
        nb_arena *arena = nb_arena_new(pool);
        nb_block_writer w;
        nb_block_reader r;
        nb_block_ref refs[2 * NB_COUNT_OF(LENGTHS)];
        nb_vector cols[2 * NB_COUNT_OF(LENGTHS)], *got;
        nb_spill_file *file;
        nb_error err = NB_ERROR_INIT;
        size_t n = 0;

        nb_block_writer_init(&w, NB_STR("/tmp"));
        for (size_t i = 0; i < NB_COUNT_OF(LENGTHS); i++) {
            uint32_t *idx = NB_ARENA_ARRAY(arena, uint32_t, LENGTHS[i]);

            fill(arena, field.type, LENGTHS[i], &cols[n++]);
            for (int64_t k = 0; k < LENGTHS[i]; k++) {
                idx[k] = (uint32_t)draw((int)LENGTHS[i]);
            }
            /* rows out of order, lists that share elements */
            assert_int_equal(nb_vector_gather(arena, &cols[n - 1], idx, LENGTHS[i], &cols[n]),
                             NB_OK);
            n++;
        }
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(nb_block_write(&w, &cols[i], 1, cols[i].n_rows, &refs[i], &err),
                             NB_OK);
        }
        assert_int_equal(nb_block_writer_finish(&w, &file, &err), NB_OK);
        assert_int_equal(nb_block_reader_init(&r, pool), NB_OK);
        for (size_t i = n; i-- > 0;) {
            assert_int_equal(nb_block_read(&r, file, &refs[i], schema, &got, &err), NB_OK);
            for (int64_t k = 0; k < refs[i].n_rows; k++) {
                assert_int_equal(nb_vector_compare(&cols[i], k, got, k), 0);
            }
        }
        nb_block_reader_free(&r);
        nb_spill_file_free(file);
        nb_arena_free(arena);
    }
    assert_int_equal(nb_pool_used(pool), 0);
    nb_pool_free(pool);
}

static int
sign(int x)
{
    return (x > 0) - (x < 0);
}

static void
test_sort_key__order_of_values(void **state)
{
    nb_arena *arena = nb_arena_new(NULL);

    (void)state;
    nb_xorshift_init(&rng, 8);
    for (int t = 0; type_number(t) != NULL; t++) {
        nb_vector v;

        fill(arena, type_number(t), 80, &v);
        for (int64_t i = 0; i < 80; i++) {
            for (int64_t k = 0; k < 80; k++) {
                for (int flags = 0; flags < 4; flags++) {
                    bool null_i = nb_vector_is_null(&v, i), null_k = nb_vector_is_null(&v, k);
                    int expected = nb_vector_compare(&v, i, &v, k);
                    nb_strbuf a = {0}, b = {0};

                    if (null_i || null_k) {
                        expected = flags & 2 ? null_i - null_k : null_k - null_i;
                    } else if (flags & 1) {
                        expected = -expected;
                    }
                    nb_sort_key_put(&v, i, flags & 1, flags & 2, &a);
                    nb_sort_key_put(&v, k, flags & 1, flags & 2, &b);
                    assert_int_equal(sign(nb_str_compare(nb_strbuf_str(&a), nb_strbuf_str(&b))),
                                     sign(expected));
                    nb_strbuf_free(&a);
                    nb_strbuf_free(&b);
                }
            }
        }
    }
    nb_arena_free(arena);
}

static void
test_row_block__disk_full(void **state)
{
    struct rlimit old, small;
    nb_arena *arena = nb_arena_new(NULL);
    nb_block_writer w;
    nb_block_ref ref;
    nb_vector v;
    nb_error err = NB_ERROR_INIT;
    nb_status st = NB_OK;
    char bytes[64] = "";

    (void)state;
    signal(SIGXFSZ, SIG_IGN); /* files end here instead of the disk */
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 1 << 20;
    setrlimit(RLIMIT_FSIZE, &small);
    assert_int_equal(nb_vector_alloc(arena, nb_type_of(NB_TYPE_INT64), 2048, &v), NB_OK);
    nb_block_writer_init(&w, NB_STR("/tmp"));
    for (int i = 0; i < 1000 && st == NB_OK; i++) {
        for (int k = 0; k < 2048; k++) {
            NB_DATA(int64_t, &v)[k] = (int64_t)((uint64_t)(i * 2048 + k) * 0x9e3779b97f4a7c15u);
        }
        st = nb_block_write(&w, &v, 1, 2048, &ref, &err);
    }
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(st, NB_ERROR);
    assert_non_null(strstr(nb_error_message(&err), "/tmp/nbaspark-spill-"));
    assert_int_equal(sscanf(strstr(nb_error_message(&err), "write "), "write %63s bytes", bytes),
                     1);
    assert_true(strtoll(bytes, NULL, 10) > 0);
    nb_error_clear(&err);
    nb_block_writer_free(&w);
    nb_arena_free(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_row_block__round_trip),
        cmocka_unit_test(test_sort_key__order_of_values),
        cmocka_unit_test(test_row_block__disk_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
