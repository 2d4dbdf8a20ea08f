/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_arrow.c: tables out through the Arrow C stream interface and back in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "column/arrow.h"
#include "column/column_util.h"

static const nb_type *
schema_of_all(void)
{
    nb_field f[32];
    int n = 0;

    for (const nb_type *const *t = test_types(); *t != NULL; t++, n++) {
        f[n] = (nb_field){NB_STR("c"), *t, true, n % 2 ? NB_STR("{\"a\":1}") : NB_STR("")};
    }
    return nb_type_struct(f, n);
}

/* The schema as it comes back: UDTs are their storage. */
static const nb_type *
without_udt(const nb_type *t)
{
    nb_field f[32];

    for (int i = 0; i < t->n_children; i++) {
        f[i] = t->children[i];
        f[i].type = nb_type_storage(f[i].type);
    }
    return nb_type_struct(f, t->n_children);
}

static nb_table *
make_table(nb_pool *pool, const nb_type *schema, int64_t n, nulls_kind nulls, int n_chunks)
{
    nb_table *t;

    assert_int_equal(nb_table_new(pool, schema, &t), NB_OK);
    for (int k = 0; k < n_chunks; k++) {
        nb_chunk *c;
        assert_int_equal(nb_chunk_new(pool, schema->n_children, &c), NB_OK);
        c->n_rows = n;
        for (int i = 0; i < schema->n_children; i++) {
            if (k == 1) {
                make_dict(c->arena, schema->children[i].type, n, 11, nulls, &c->cols[i]);
            } else {
                make_vector(c->arena, schema->children[i].type, n, nulls, (uint64_t)(i + k),
                            &c->cols[i]);
            }
        }
        assert_int_equal(nb_table_append(t, c), NB_OK);
    }
    return t;
}

static int owners;

static void
owner_retain(void *owner)
{
    (void)owner;
    owners++;
}

static void
owner_release(void *owner)
{
    (void)owner;
    owners--;
}

static void
round_trip(int64_t n, nulls_kind nulls, nb_arrow_options o)
{
    nb_pool *pool = nb_pool_new(NULL, "test", 0);
    nb_table *t = make_table(pool, schema_of_all(), n, nulls, 3), *back = NULL;
    struct ArrowArrayStream stream;
    nb_error err = NB_ERROR_INIT;
    int64_t row = 0;
    int chunk = 0;

    o.retain = owner_retain;
    o.release = owner_release;
    assert_int_equal(nb_arrow_export_table(t, &o, &stream, &err), NB_OK);
    nb_table_ref(t);
    nb_table_release(t); /* the stream and its arrays hold it too */
    if (nb_arrow_import_stream(pool, &stream, NULL, &back, &err) != NB_OK) {
        fail_msg("%s", nb_error_message(&err));
    }
    assert_ptr_equal(back->schema, without_udt(t->schema));
    assert_int_equal(back->n_rows, n * 3);
    for (int k = 0; k < 3; k++) {
        for (int64_t i = 0; i < n; i++) {
            for (int c = 0; c < back->schema->n_children; c++) {
                assert_rows_equal(&t->chunks[k]->cols[c], i, &back->chunks[chunk]->cols[c], row);
            }
            if (++row == back->chunks[chunk]->n_rows) {
                row = 0;
                chunk++;
            }
        }
    }
    nb_table_release(t);
    nb_table_release(back);
    assert_int_equal(owners, 0);
    assert_int_equal(nb_pool_used(pool), 0);
    nb_pool_free(pool);
}

static void
test_arrow__round_trip(void **state)
{
    for (size_t l = 0; l < NB_COUNT_OF(test_lengths); l++) {
        for (nulls_kind nulls = NO_NULLS; nulls <= ALL_NULLS; nulls++) {
            nb_arrow_options o = NB_ARROW_OPTIONS_INIT;
            round_trip(test_lengths[l], nulls, o);
        }
    }
}

static void
test_arrow__large_strings_and_slices(void **state)
{
    nb_arrow_options o = NB_ARROW_OPTIONS_INIT;

    o.large_strings = true;
    o.max_rows = 100;
    o.time_zone = NB_STR("America/Sao_Paulo");
    round_trip(2049, SOME_NULLS, o);
    o.max_rows = 1;
    round_trip(65, SOME_NULLS, o);
}

/* The export's own schema with "vu" and "vz" for all strings, as a request. */
static void
request_views(struct ArrowSchema *s)
{
    if (strcmp(s->format, "u") == 0) {
        s->format = "vu";
    } else if (strcmp(s->format, "z") == 0) {
        s->format = "vz";
    }
    for (int64_t i = 0; i < s->n_children; i++) {
        request_views(s->children[i]);
    }
}

static void
test_arrow__views(void **state)
{
    nb_arrow_options o = NB_ARROW_OPTIONS_INIT;
    struct ArrowSchema request, got;

    assert_int_equal(nb_arrow_export_schema(schema_of_all(), &o, &request, NULL), NB_OK);
    request_views(&request);
    o.requested = &request;
    assert_int_equal(nb_arrow_export_schema(schema_of_all(), &o, &got, NULL), NB_OK);
    assert_string_equal(got.children[10]->format, "vu");
    assert_string_equal(got.children[16]->children[0]->format, "vu");
    got.release(&got);
    round_trip(2049, SOME_NULLS, o);
    request.release(&request);
}

/* Numbers leave and come back without a copy. */
static void
test_arrow__zero_copy(void **state)
{
    nb_pool *pool = nb_pool_new(NULL, "test", 0);
    nb_field f = {NB_STR("x"), nb_type_of(NB_TYPE_FLOAT64), true, {"", 0}};
    nb_table *t = make_table(pool, nb_type_struct(&f, 1), 2048, NO_NULLS, 1), *back;
    nb_arrow_options o = NB_ARROW_OPTIONS_INIT;
    struct ArrowArrayStream stream;
    void *data = t->chunks[0]->cols[0].data;

    assert_int_equal(nb_arrow_export_table(t, &o, &stream, NULL), NB_OK);
    nb_table_release(t);
    assert_int_equal(nb_arrow_import_stream(pool, &stream, NULL, &back, NULL), NB_OK);
    assert_ptr_equal(back->chunks[0]->cols[0].data, data);
    nb_table_release(back);
    assert_int_equal(nb_pool_used(pool), 0);
    nb_pool_free(pool);
}

/* Children may be moved out of a parent that is released at once. */
static void
test_arrow__moved_children(void **state)
{
    nb_pool *pool = nb_pool_new(NULL, "test", 0);
    nb_table *t = make_table(pool, schema_of_all(), 65, SOME_NULLS, 1);
    nb_arrow_options o = NB_ARROW_OPTIONS_INIT;
    struct ArrowArray array, child;
    struct ArrowSchema schema, field;

    assert_int_equal(nb_arrow_export_chunk(t, t->chunks[0], 1, 64, &o, &array, NULL), NB_OK);
    assert_int_equal(nb_arrow_export_schema(t->schema, &o, &schema, NULL), NB_OK);
    nb_table_release(t);
    child = *array.children[4];
    array.children[4]->release = NULL;
    array.release(&array);
    field = *schema.children[4];
    schema.children[4]->release = NULL;
    schema.release(&schema);
    assert_int_equal(child.length, 64);
    assert_string_equal(field.format, "i");
    assert_true(((const int32_t *)child.buffers[1])[63] != 1);
    child.release(&child);
    field.release(&field);
    assert_int_equal(nb_pool_used(pool), 0);
    nb_pool_free(pool);
}

static void
no_release(struct ArrowArray *a)
{
    a->release = NULL;
}

/* One column made by hand, imported as a table. */
static nb_status
import_one(nb_pool *pool, struct ArrowSchema *field, struct ArrowArray *column, nb_table **out,
           nb_error *err)
{
    struct ArrowSchema *fields[1] = {field},
                       schema = {.format = "+s", .n_children = 1, .children = fields};
    struct ArrowArray *columns[1] = {column};
    const void *none[1] = {NULL};
    struct ArrowArray array = {.length = column->length,
                               .n_buffers = 1,
                               .n_children = 1,
                               .children = columns,
                               .buffers = none,
                               .release = no_release};
    const nb_type *type;
    nb_chunk *chunk;

    NB_TRY(nb_arrow_import_type(&schema, NULL, &type, err));
    NB_TRY(nb_arrow_import_chunk(pool, &schema, type, &array, &chunk, err));
    assert_int_equal(nb_table_new(pool, type, out), NB_OK);
    return nb_table_append(*out, chunk);
}

#define IMPORT_NUMBERS(FORMAT, T, ID, OUT_T, ...)                                                  \
    do {                                                                                           \
        const T values[] = __VA_ARGS__;                                                            \
        const void *buffers[2] = {NULL, values};                                                   \
        struct ArrowSchema field = {.format = FORMAT, .name = "x", .flags = ARROW_FLAG_NULLABLE};  \
        struct ArrowArray column = {.length = 2, .offset = 1, .n_buffers = 2, .buffers = buffers}; \
        nb_table *t_ = NULL;                                                                       \
        assert_int_equal(import_one(pool, &field, &column, &t_, NULL), NB_OK);                     \
        assert_int_equal(t_->schema->children[0].type->id, ID);                                    \
        assert_true((NB_DATA(OUT_T, &t_->chunks[0]->cols[0])[0]) == want[0]);                      \
        assert_true((NB_DATA(OUT_T, &t_->chunks[0]->cols[0])[1]) == want[1]);                      \
        nb_table_release(t_);                                                                      \
    } while (0)

static void
test_arrow__foreign_layouts(void **state)
{
    nb_pool *pool = nb_pool_new(NULL, "test", 0);

    {
        int want[] = {255, 1};
        IMPORT_NUMBERS("C", uint8_t, NB_TYPE_INT16, int16_t, {0, 255, 1});
    }
    {
        int64_t want[] = {65535, 65535};
        IMPORT_NUMBERS("S", uint16_t, NB_TYPE_INT32, int32_t, {0, 65535, 65535});
        want[0] = want[1] = UINT32_MAX;
        IMPORT_NUMBERS("I", uint32_t, NB_TYPE_INT64, int64_t, {0, UINT32_MAX, UINT32_MAX});
    }
    {
        nb_int128 want[] = {(nb_int128)UINT64_MAX, 1};
        IMPORT_NUMBERS("L", uint64_t, NB_TYPE_DECIMAL, nb_int128, {0, UINT64_MAX, 1});
    }
    {
        double want[] = {1.5, -0x1p-24};
        IMPORT_NUMBERS("e", uint16_t, NB_TYPE_FLOAT32, float, {0, 0x3E00, 0x8001});
    }
    {
        int64_t want[] = {-1, 1};
        IMPORT_NUMBERS("tdm", int64_t, NB_TYPE_DATE, int32_t, {0, -1, 86400000});
        IMPORT_NUMBERS("tsn:UTC", int64_t, NB_TYPE_TIMESTAMP, int64_t, {0, -1, 1999});
    }
    {
        int64_t want[] = {-1000000, 2000000};
        IMPORT_NUMBERS("tss:", int64_t, NB_TYPE_TIMESTAMP_NTZ, int64_t, {0, -1, 2});
        IMPORT_NUMBERS("tDs", int64_t, NB_TYPE_INTERVAL_DT, int64_t, {0, -1, 2});
        want[0] = 1000000;
        IMPORT_NUMBERS("ttm", int32_t, NB_TYPE_TIME, int64_t, {0, 1, 2});
    }
    {
        int64_t want[] = {-123, 123};
        IMPORT_NUMBERS("d:5,2,32", int32_t, NB_TYPE_DECIMAL, int64_t, {0, -123, 123});
        IMPORT_NUMBERS("d:5,2,64", int64_t, NB_TYPE_DECIMAL, int64_t, {0, -123, 123});
        IMPORT_NUMBERS("d:5,2", nb_int128, NB_TYPE_DECIMAL, int64_t, {0, -123, 123});
    }
    assert_int_equal(nb_pool_used(pool), 0);
    nb_pool_free(pool);
}

static void
test_arrow__dictionary(void **state)
{
    nb_pool *pool = nb_pool_new(NULL, "test", 0);
    const int8_t indices[] = {9, 1, 0, 7, 1};
    const uint8_t valid[] = {0x17};
    const int32_t offsets[] = {0, 1, 15};
    const void *index_buffers[] = {valid, indices},
               *value_buffers[] = {NULL, offsets, "abcdefghijklmno"};
    struct ArrowSchema values = {.format = "u"},
                       field = {.format = "c", .name = "x", .dictionary = &values};
    struct ArrowArray entries = {.length = 2, .n_buffers = 3, .buffers = value_buffers};
    struct ArrowArray column = {.length = 4,
                                .offset = 1,
                                .null_count = 1,
                                .n_buffers = 2,
                                .buffers = index_buffers,
                                .dictionary = &entries};
    nb_table *t = NULL;
    nb_vector *v;

    assert_int_equal(import_one(pool, &field, &column, &t, NULL), NB_OK);
    v = &t->chunks[0]->cols[0];
    assert_int_equal(v->kind, NB_VEC_DICT);
    assert_int_equal(NB_DATA(nb_view, v->dict)[v->indices[0]].len, 14);
    assert_int_equal(NB_DATA(nb_view, v->dict)[v->indices[1]].len, 1);
    assert_true(nb_vector_is_null(v, 2));
    assert_false(nb_vector_is_null(v, 3));
    nb_table_release(t);
    assert_int_equal(nb_pool_used(pool), 0);
    nb_pool_free(pool);
}

static void
test_arrow__faults(void **state)
{
    nb_pool *pool = nb_pool_new(NULL, "test", 0);
    const int32_t offsets[] = {0, 5, 2};
    const void *buffers[] = {NULL, offsets, "abcde"};
    struct ArrowSchema field = {.format = "u", .name = "x"};
    struct ArrowArray column = {.length = 2, .n_buffers = 3, .buffers = buffers};
    nb_error err = NB_ERROR_INIT;
    nb_table *t = NULL;
    const int64_t seconds[] = {INT64_MAX};

    assert_int_equal(import_one(pool, &field, &column, &t, &err), NB_ERROR);
    assert_non_null(strstr(nb_error_message(&err), "'x'"));
    nb_error_clear(&err);
    field.format = "+us:0,1";
    assert_int_equal(import_one(pool, &field, &column, &t, &err), NB_ERROR);
    nb_error_clear(&err);
    field.format = "tss:";
    buffers[1] = seconds;
    column.length = 1;
    assert_int_equal(import_one(pool, &field, &column, &t, &err), NB_ERROR);
    nb_error_clear(&err);
    assert_int_equal(nb_pool_used(pool), 0);
    nb_pool_free(pool);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arrow__round_trip),
        cmocka_unit_test(test_arrow__large_strings_and_slices),
        cmocka_unit_test(test_arrow__views),
        cmocka_unit_test(test_arrow__zero_copy),
        cmocka_unit_test(test_arrow__moved_children),
        cmocka_unit_test(test_arrow__foreign_layouts),
        cmocka_unit_test(test_arrow__dictionary),
        cmocka_unit_test(test_arrow__faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
