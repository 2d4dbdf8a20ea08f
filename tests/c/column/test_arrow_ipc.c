/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_arrow_ipc.c: tables to streams of bytes and back, and what happens when memory runs out on the way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "column/arrow.h"
#include "column/column_util.h"

static nb_table *
make_table(nb_pool *pool, int64_t n, nulls_kind nulls, int n_chunks)
{
    const nb_type *schema;
    nb_field f[32];
    nb_table *t;
    int n_cols = 0;

    for (const nb_type *const *type = test_types(); *type != NULL; type++) {
        f[n_cols++] = (nb_field){NB_STR("c"), nb_type_storage(*type), true, NB_STR("{\"a\":1}")};
    }
    schema = nb_type_struct(f, n_cols);
    assert_int_equal(nb_table_new(pool, schema, &t), NB_OK);
    for (int k = 0; k < n_chunks; k++) {
        nb_chunk *c;
        assert_int_equal(nb_chunk_new(pool, n_cols, &c), NB_OK);
        c->n_rows = n;
        for (int i = 0; i < n_cols; i++) {
            make_vector(c->arena, f[i].type, n, nulls, (uint64_t)(i + k), &c->cols[i]);
        }
        assert_int_equal(nb_table_append(t, c), NB_OK);
    }
    return t;
}

static void
write_all(nb_table *t, nb_arrow_codec codec, nb_strbuf *out)
{
    nb_arrow_options o = NB_ARROW_OPTIONS_INIT;
    nb_error err = NB_ERROR_INIT;

    if (nb_arrow_ipc_write_table(t, &o, codec, out, &err) != NB_OK) {
        fail_msg("%s", nb_error_message(&err));
    }
}

static nb_status
read_all(nb_pool *pool, const nb_strbuf *bytes, nb_table **out, nb_error *err)
{
    nb_buffer *buf;
    nb_status st = nb_buffer_wrap(bytes->data, bytes->len, NULL, NULL, &buf);

    assert_int_equal(st, NB_OK);
    st = nb_arrow_ipc_read(pool, buf, NULL, out, err);
    nb_buffer_release(buf);
    return st;
}

static void
test_arrow_ipc__round_trip(void **state)
{
    static const nb_arrow_codec codecs[] = {NB_ARROW_PLAIN, NB_ARROW_LZ4, NB_ARROW_ZSTD};

    for (size_t l = 0; l < NB_COUNT_OF(test_lengths); l++) {
        for (nulls_kind nulls = NO_NULLS; nulls <= ALL_NULLS; nulls++) {
            nb_pool *pool = nb_pool_new(NULL, "test", 0);
            nb_table *t = make_table(pool, test_lengths[l], nulls, 2), *back = NULL;
            nb_strbuf bytes = {0}, again = {0};
            write_all(t, codecs[l % 3], &bytes);
            assert_int_equal(read_all(pool, &bytes, &back, NULL), NB_OK);
            assert_ptr_equal(back->schema, t->schema);
            assert_int_equal(back->n_rows, t->n_rows);
            for (int k = 0; k < back->n_chunks; k++) {
                for (int c = 0; c < t->schema->n_children; c++) {
                    for (int64_t i = 0; i < back->chunks[k]->n_rows; i++) {
                        assert_rows_equal(&t->chunks[k]->cols[c], i, &back->chunks[k]->cols[c], i);
                    }
                }
            }
            write_all(back, codecs[l % 3], &again);
            assert_int_equal(again.len, bytes.len);
            assert_memory_equal(again.data, bytes.data, bytes.len);
            nb_strbuf_free(&again);
            nb_table_release(t);
            nb_table_release(back);
            nb_strbuf_free(&bytes);
            assert_int_equal(nb_pool_used(pool), 0);
            nb_pool_free(pool);
        }
    }
}

/* Every cut of a stream gives an error, or, where a batch ends, the rows before it. */
static void
test_arrow_ipc__cut_anywhere(void **state)
{
    nb_pool *pool = nb_pool_new(NULL, "test", 0);
    nb_table *t = make_table(pool, 3, SOME_NULLS, 1), *back;
    nb_strbuf bytes = {0};
    int failed = 0;

    write_all(t, NB_ARROW_PLAIN, &bytes);
    for (size_t n = 0; n < bytes.len; n++) {
        nb_strbuf cut = {.data = malloc(n), .len = n, .cap = n};
        nb_error err = NB_ERROR_INIT;
        memcpy(cut.data, bytes.data, n);
        back = NULL;
        failed += read_all(pool, &cut, &back, &err) < 0;
        nb_table_release(back);
        nb_error_clear(&err);
        free(cut.data);
    }
    assert_true(failed >= (int)bytes.len - 2);
    nb_strbuf_free(&bytes);
    nb_table_release(t);
    assert_int_equal(nb_pool_used(pool), 0);
    nb_pool_free(pool);
}

/* The n-th allocation fails: a clean status, nothing left behind, and the next try works. */
static void
test_arrow_ipc__out_of_memory(void **state)
{
    nb_pool *pool = nb_pool_new(NULL, "test", 0);
    nb_table *t = make_table(pool, 65, SOME_NULLS, 2), *back = NULL;
    nb_arrow_options o = NB_ARROW_OPTIONS_INIT;
    nb_strbuf bytes = {0};
    size_t held = nb_pool_used(pool);
    int failed = 0;

    write_all(t, NB_ARROW_LZ4, &bytes);
    for (long nth = 1; nth < 120; nth++) {
        struct ArrowArrayStream stream;
        nb_strbuf out = {0};
        nb_error err = NB_ERROR_INIT;
        nb_status st;

        nb_pool_fail_nth(pool, nth);
        st = nb_arrow_ipc_write_table(t, &o, NB_ARROW_PLAIN, &out, &err);
        failed += st < 0;
        nb_strbuf_free(&out);
        nb_error_clear(&err);
        nb_pool_fail_nth(pool, nth);
        st = read_all(pool, &bytes, &back, &err);
        failed += st < 0;
        if (st == NB_OK) {
            nb_table_release(back);
        }
        nb_error_clear(&err);
        nb_pool_fail_nth(pool, nth);
        if (nb_arrow_export_table(t, &o, &stream, &err) == NB_OK) {
            st = nb_arrow_import_stream(pool, &stream, NULL, &back, &err);
            failed += st < 0;
            if (st == NB_OK) {
                nb_table_release(back);
            }
        }
        nb_error_clear(&err);
        nb_pool_fail_nth(pool, 0);
        assert_int_equal(nb_pool_used(pool), held);
    }
    assert_true(failed > 30);
    assert_int_equal(read_all(pool, &bytes, &back, NULL), NB_OK);
    nb_table_release(back);
    nb_strbuf_free(&bytes);
    nb_table_release(t);
    nb_pool_free(pool);
}

/* A kilobyte that claims gigabytes is refused before anything is allocated. */
static void
test_arrow_ipc__claims(void **state)
{
    nb_pool *pool = nb_pool_new(NULL, "test", (size_t)64 << 20);
    nb_field f = {NB_STR("x"), nb_type_of(NB_TYPE_INT64), true, {"", 0}};
    nb_table *t, *back = NULL;
    nb_chunk *c;
    nb_strbuf bytes = {0};
    nb_error err = NB_ERROR_INIT;
    int64_t claim = INT64_C(10) << 30, length = 100000;

    assert_int_equal(nb_table_new(pool, nb_type_struct(&f, 1), &t), NB_OK);
    assert_int_equal(nb_chunk_new(pool, 1, &c), NB_OK);
    assert_int_equal(nb_vector_alloc(c->arena, f.type, length, &c->cols[0]), NB_OK);
    memset(c->cols[0].data, 0, (size_t)length * 8);
    c->n_rows = length;
    assert_int_equal(nb_table_append(t, c), NB_OK);
    write_all(t, NB_ARROW_ZSTD, &bytes);
    length *= 8; /* the length in front of the compressed bytes */
    for (size_t i = 0; i + 8 <= bytes.len; i += 8) {
        if (memcmp(bytes.data + i, &length, 8) == 0) {
            memcpy(bytes.data + i, &claim, 8);
        }
    }
    assert_true(bytes.len < 1024);
    assert_int_equal(read_all(pool, &bytes, &back, &err), NB_ERROR);
    assert_non_null(strstr(nb_error_message(&err), "claims more"));
    nb_error_clear(&err);
    nb_strbuf_free(&bytes);
    nb_table_release(t);
    assert_true(nb_pool_peak(pool) < (size_t)4 << 20);
    nb_pool_free(pool);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arrow_ipc__round_trip),
        cmocka_unit_test(test_arrow_ipc__cut_anywhere),
        cmocka_unit_test(test_arrow_ipc__out_of_memory),
        cmocka_unit_test(test_arrow_ipc__claims),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
