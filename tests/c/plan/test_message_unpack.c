/* SPDX-License-Identifier: Apache-2.0 */
/* test_message_unpack.c: well-formed plans arrive whole, hostile ones are refused on any stack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/str.h"
#include "plan/message_table.h"
#include "plan/message_unpack.h"
#include "spark/connect/base.pb-c.h"

/* Bytes that are written from the last to the first. */
typedef struct back {
    uint8_t *bytes;
    size_t capacity, n;
} back;

static void
put(back *b, const void *bytes, size_t n)
{
    assert_true(b->n + n <= b->capacity);
    b->n += n;
    memcpy(b->bytes + b->capacity - b->n, bytes, n);
}

static void
put_varint(back *b, uint64_t value)
{
    uint8_t bytes[10];
    size_t n = 0;

    for (; value >= 0x80; value >>= 7) {
        bytes[n++] = (uint8_t)(value | 0x80);
    }
    bytes[n++] = (uint8_t)value;
    put(b, bytes, n);
}

/* Makes what was written since end a sub-message. */
static void
wrap(back *b, unsigned field, size_t end)
{
    put_varint(b, b->n - end);
    put_varint(b, field << 3 | 2);
}

/* Plan{root: Filter^depth(Range)}, as bytes; the caller frees *to_free. */
static nb_str
deep_plan(int depth, void **to_free)
{
    back b = {.capacity = (size_t)depth * 16 + 64};

    b.bytes = *to_free = malloc(b.capacity);
    assert_non_null(b.bytes);
    wrap(&b, 15, 0); /* Relation.range */
    for (int i = 0; i < depth; i++) {
        wrap(&b, 1, 0); /* Filter.input */
        wrap(&b, 4, 0); /* Relation.filter */
    }
    wrap(&b, 1, 0); /* Plan.root */
    return (nb_str){(char *)b.bytes + b.capacity - b.n, b.n};
}

static nb_status
unpack(const ProtobufCMessageDescriptor *descriptor, nb_str bytes, nb_arena **arena, void *out,
       nb_error *err)
{
    ProtobufCMessage *message = NULL;

    *arena = nb_arena_new(NULL);
    assert_non_null(*arena);
    nb_status st = nb_message_unpack(*arena, descriptor, bytes.data, bytes.len, &message, err);
    memcpy(out, &message, sizeof message);
    return st;
}

static void
test_message_unpack__fields(void **state)
{
    (void)state;
    /* range{start: 0 (written), end: -5, step: 1, num_partitions: 4} and two unknown fields */
    static const uint8_t bytes[] = {0x0a, 0x1e, 0x7a, 0x1c, 0x08, 0x00, 0x10, 0xfb,
                                    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                    0x01, 0x18, 0x01, 0x20, 0x04, 0x50, 0x05, 0x5d,
                                    0x01, 0x02, 0x03, 0x04, 0x62, 0x02, 0x68, 0x69};
    nb_arena *arena = NULL;
    nb_error err = NB_ERROR_INIT;
    Sc__Plan *plan = NULL;

    assert_int_equal(unpack(&sc__plan__descriptor, (nb_str){(const char *)bytes, sizeof bytes},
                            &arena, &plan, &err),
                     NB_OK);
    assert_int_equal(plan->op_type_case, SC__PLAN__OP_TYPE_ROOT);
    assert_int_equal(plan->root->rel_type_case, SC__RELATION__REL_TYPE_RANGE);
    Sc__Range *range = plan->root->range;
    assert_true(range->has_start);
    assert_int_equal(range->start, 0);
    assert_int_equal(range->end, -5);
    assert_int_equal(range->step, 1);
    assert_true(range->has_num_partitions);
    assert_int_equal(range->num_partitions, 4);
    nb_arena_free(arena);
}

static void
test_message_unpack__empty_and_truncated(void **state)
{
    (void)state;
    void *bytes = NULL;
    nb_str plan_bytes = deep_plan(3, &bytes);
    nb_arena *arena = NULL;
    Sc__Plan *plan = NULL;

    assert_int_equal(unpack(&sc__plan__descriptor, (nb_str){NULL, 0}, &arena, &plan, NULL), NB_OK);
    assert_int_equal(plan->op_type_case, SC__PLAN__OP_TYPE__NOT_SET);
    nb_arena_free(arena);
    for (size_t n = 1; n < plan_bytes.len; n++) {
        nb_error err = NB_ERROR_INIT;
        assert_int_equal(
            unpack(&sc__plan__descriptor, (nb_str){plan_bytes.data, n}, &arena, &plan, &err),
            NB_ERROR);
        assert_string_equal(nb_condition_get(err.condition)->name,
                            "CONNECT_INVALID_PLAN.CANNOT_PARSE");
        nb_error_clear(&err);
        nb_arena_free(arena);
    }
    free(bytes);
}

static void *
unpack_deep(void *payload)
{
    int depth = *(int *)payload;
    void *bytes = NULL;
    nb_str plan_bytes = deep_plan(depth, &bytes);
    nb_arena *arena = NULL;
    Sc__Plan *plan = NULL;
    nb_error err = NB_ERROR_INIT;
    nb_status st = unpack(&sc__plan__descriptor, plan_bytes, &arena, &plan, &err);

    if (st == NB_OK) {
        Sc__Relation *relation = plan->root;
        int n = 0;
        for (; relation->rel_type_case == SC__RELATION__REL_TYPE_FILTER; n++) {
            relation = relation->filter->input;
        }
        assert_int_equal(n, depth);
    }
    nb_error_clear(&err);
    nb_arena_free(arena);
    free(bytes);
    *(int *)payload = st;
    return NULL;
}

static void
test_message_unpack__depth_on_a_small_stack(void **state)
{
    (void)state;
    const struct {
        int depth;
        nb_status expected;
    } cases[] = {{0, NB_OK}, {1000, NB_OK}, {10000, NB_OK}, {100000, NB_ERROR}};

    for (size_t i = 0; i < NB_COUNT_OF(cases); i++) {
        pthread_attr_t attr;
        pthread_t thread;
        int payload = cases[i].depth;
        pthread_attr_init(&attr);
        pthread_attr_setstacksize(&attr, 512 * 1024);
        assert_int_equal(pthread_create(&thread, &attr, unpack_deep, &payload), 0);
        pthread_join(thread, NULL);
        pthread_attr_destroy(&attr);
        assert_int_equal(payload, cases[i].expected);
    }
}

static void
test_message_unpack__hostile(void **state)
{
    (void)state;
    const struct {
        const char *why;
        nb_str bytes;
    } cases[] = {
        {"a sub-message twice", NB_STR("\x0a\x00\x0a\x00")},
        {"text that is not UTF-8", NB_STR("\x0a\x07\x52\x05\x0a\x03"
                                          "a\xff"
                                          "b")},
        {"an overlong NUL", NB_STR("\x0a\x06\x52\x04\x0a\x02\xc0\x80")},
        {"a group", NB_STR("\x0b\x0c")},
        {"field number zero", NB_STR("\x02\x00")},
        {"a length of 2^63", NB_STR("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f")},
        {"a varint of eleven bytes", NB_STR("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")},
    };

    for (size_t i = 0; i < NB_COUNT_OF(cases); i++) {
        nb_arena *arena = NULL;
        nb_error err = NB_ERROR_INIT;
        Sc__Plan *plan = NULL;
        if (unpack(&sc__plan__descriptor, cases[i].bytes, &arena, &plan, &err) != NB_ERROR) {
            fail_msg("accepted: %s", cases[i].why);
        }
        nb_error_clear(&err);
        nb_arena_free(arena);
    }
}

/* Two bytes on the wire become a struct of some hundred: the budget ends it. */
static void
test_message_unpack__amplification(void **state)
{
    (void)state;
    const size_t n = 4u << 20;
    uint8_t *bytes = calloc(1, n + 16);
    back b = {.bytes = bytes, .capacity = n + 16};
    nb_arena *arena = NULL;
    nb_error err = NB_ERROR_INIT;
    Sc__Plan *plan = NULL;

    for (size_t i = 0; i < n / 2 - 8; i++) {
        put(&b, "\x1a\x00", 2); /* Project.expressions */
    }
    wrap(&b, 3, 0); /* Relation.project */
    wrap(&b, 1, 0); /* Plan.root */
    nb_str input = {(char *)b.bytes + b.capacity - b.n, b.n};
    nb_status st = unpack(&sc__plan__descriptor, input, &arena, &plan, &err);
    assert_true(st == NB_OK || st == NB_ERROR);
    assert_true(nb_arena_bytes(arena) <
                2 * (NB_MESSAGE_BYTES_BASE + NB_MESSAGE_BYTES_FACTOR * input.len));
    nb_error_clear(&err);
    nb_arena_free(arena);
    free(bytes);
}

static void
test_message_table__names(void **state)
{
    (void)state;
    assert_ptr_equal(nb_message_find("spark.connect.Plan", 18), &sc__plan__descriptor);
    assert_ptr_equal(nb_message_find("google.protobuf.Any", 19),
                     &google__protobuf__any__descriptor);
    assert_null(nb_message_find("spark.connect.Pla", 17));
    assert_null(nb_message_find("spark.connect.Plan2", 19));
    assert_null(nb_message_find("", 0));
    assert_null(nb_message_field(&sc__plan__descriptor, 0));
    assert_null(nb_message_field(&sc__plan__descriptor, UINT32_MAX));
    assert_true(nb_message_info_of(&sc__sql__args_entry__descriptor)->is_map_entry);
    assert_false(nb_message_info_of(&sc__plan__descriptor)->is_map_entry);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message_unpack__fields),
        cmocka_unit_test(test_message_unpack__empty_and_truncated),
        cmocka_unit_test(test_message_unpack__depth_on_a_small_stack),
        cmocka_unit_test(test_message_unpack__hostile),
        cmocka_unit_test(test_message_unpack__amplification),
        cmocka_unit_test(test_message_table__names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
