/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_hash.c: hash(), xxhash64() and rand() give the numbers that Spark 4.2 gives.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include "base/hash.h"
#include "base/random.h"

static void
test_hash__murmur3_is_sparks(void **state)
{
    int32_t h;

    (void)state;
    assert_int_equal(nb_murmur3_int(1, 42), -559580957);
    assert_int_equal(nb_murmur3_long(1, 42), -1712319331);
    assert_int_equal(nb_murmur3_bytes("abc", 3, 42), 1322437556);
    assert_int_equal(nb_murmur3_bytes("abcdefgh\xc3\xa9x", 11, 42), 630378376);
    h = nb_murmur3_int(1, 42);
    h = nb_murmur3_long(2, h);
    assert_int_equal(nb_murmur3_bytes("z", 1, h), -2051099810);
}

static void
test_hash__xxhash64_is_sparks(void **state)
{
    static const char LONG_TEXT[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";

    (void)state;
    assert_true(nb_xxh64_int(1, 42) == -6698625589789238999);
    assert_true(nb_xxh64_long(1, 42) == -7001672635703045582);
    assert_true(nb_xxh64_bytes("abc", 3, 42) == 1423657621850124518);
    assert_true(nb_xxh64_bytes(LONG_TEXT, sizeof(LONG_TEXT) - 1, 42) == -1782802557466636359);
    assert_true(nb_xxh64_bytes("q", 1, nb_xxh64_int(1, 42)) == 1953140018122629416);
}

static void
test_hash__xorshift_is_sparks(void **state)
{
    static const double UNIFORM[] = {0.619189370225301, 0.5096018842446481, 0.8325259388871524,
                                     0.26322809041172357};
    static const double NORMAL[] = {2.384479054241165, 0.1920934041293524, 0.7337336533286575,
                                    -0.5224480195716871};
    nb_xorshift r;

    (void)state;
    nb_xorshift_init(&r, 42);
    for (int i = 0; i < 4; i++) {
        assert_true(nb_xorshift_double(&r) == UNIFORM[i]);
    }
    nb_xorshift_init(&r, 42);
    for (int i = 0; i < 4; i++) {
        assert_true(fabs(nb_xorshift_gaussian(&r) - NORMAL[i]) < 1e-15);
    }
    nb_xorshift_init(&r, -7);
    assert_true(nb_xorshift_double(&r) == 0.14773215621571878);
    nb_xorshift_init(&r, 0);
    assert_true(fabs(nb_xorshift_gaussian(&r) - 1.6034991609278433) < 1e-15);
}

static void
test_hash__table_hashes_spread(void **state)
{
    uint32_t seen[256] = {0};

    (void)state;
    for (uint64_t i = 0; i < 65536; i++) {
        seen[nb_hash_u64(i << 20) >> 56]++;
    }
    for (int i = 0; i < 256; i++) {
        assert_in_range(seen[i], 160, 360);
    }
    assert_true(nb_hash_combine(nb_hash_u64(1), nb_hash_u64(2)) !=
                nb_hash_combine(nb_hash_u64(2), nb_hash_u64(1)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash__murmur3_is_sparks),
        cmocka_unit_test(test_hash__xxhash64_is_sparks),
        cmocka_unit_test(test_hash__xorshift_is_sparks),
        cmocka_unit_test(test_hash__table_hashes_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
