/* SPDX-License-Identifier: Apache-2.0 */
/* Our Snappy decompressor beside the library's: the same bytes, alone and in pairs, and the same verdict on damaged blocks. */
#include "io/parquet/snappy.h"

#include <setjmp.h>
#include <snappy-c.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t seed = 88172645463325252ULL;

static uint64_t
dice(uint64_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % n;
}

/* n bytes of one of several kinds: noise, runs, numbers, words, repeats at all distances. */
static void
fill(uint8_t *p, size_t n, int kind)
{
    for (size_t i = 0; i < n; i++) {
        switch (kind) {
        case 0: p[i] = (uint8_t)dice(256); break;
        case 1: p[i] = i ? p[i - 1] + (dice(50) == 0) : 0; break;
        case 2: p[i] = i % 8 < 3 ? (uint8_t)dice(256) : 0; break;
        case 3: p[i] = "the quick brown fox "[dice(4) ? i % 20 : dice(20)]; break;
        default: p[i] = i > 300 && dice(40) ? p[i - 1 - dice(20)] : (uint8_t)dice(256); break;
        }
    }
}

typedef struct sample {
    uint8_t *plain, *packed, *out;
    size_t n, n_packed;
} sample;

static sample
make(size_t n, int kind)
{
    sample s = {.n = n, .n_packed = snappy_max_compressed_length(n)};
    uint8_t *room = malloc(s.n_packed);

    s.plain = malloc(n + 1);
    s.out = malloc(n + NB_SNAPPY_SLACK);
    fill(s.plain, n, kind);
    assert_int_equal(snappy_compress((char *)s.plain, n, (char *)room, &s.n_packed), SNAPPY_OK);
    s.packed = malloc(s.n_packed); /* exactly as long, so that reading on is seen */
    memcpy(s.packed, room, s.n_packed);
    free(room);
    return s;
}

static void
drop(sample *s)
{
    free(s->plain);
    free(s->packed);
    free(s->out);
}

static nb_snappy_block
block_of(const sample *s)
{
    return (nb_snappy_block){.in = s->packed, .n_in = s->n_packed, .out = s->out, .n_out = s->n};
}

static void
test_snappy__round_trips(void **state)
{
    static const size_t sizes[] = {0, 1, 15, 16, 17, 60, 61, 64, 255, 4096, 65535, 65536, 200000};

    (void)state;
    for (int kind = 0; kind < 5; kind++) {
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            sample a = make(sizes[k], kind), b = make(sizes[dice(13)], (int)dice(5));
            nb_snappy_block x = block_of(&a), y = block_of(&b);

            nb_snappy_decompress(&x, NULL);
            assert_true(x.ok);
            assert_memory_equal(a.out, a.plain, a.n);
            memset(a.out, 0xee, a.n);
            nb_snappy_decompress(&x, &y);
            assert_true(x.ok && y.ok);
            assert_memory_equal(a.out, a.plain, a.n);
            assert_memory_equal(b.out, b.plain, b.n);
            x.n_out = a.n + 1; /* the size must be the block's */
            nb_snappy_decompress(&x, NULL);
            assert_false(x.ok);
            drop(&a);
            drop(&b);
        }
    }
}

static void
test_snappy__damage(void **state)
{
    (void)state;
    for (int round = 0; round < 3000; round++) {
        sample a = make(1 + dice(3000), (int)dice(5)), b = make(1 + dice(3000), (int)dice(5));
        nb_snappy_block x = block_of(&a), y = block_of(&b);
        size_t cut = dice(4) ? a.n_packed : dice(a.n_packed + 1), n = a.n;
        uint8_t *bytes = malloc(cut ? cut : 1);
        char *theirs = malloc(a.n + 1);
        bool same_size;

        memcpy(bytes, a.packed, cut);
        for (uint64_t i = dice(4); i > 0 && cut; i--) {
            bytes[dice(cut)] = (uint8_t)dice(256);
        }
        x.in = bytes;
        x.n_in = cut;
        nb_snappy_decompress(&x, &y);
        assert_true(y.ok);
        assert_memory_equal(b.out, b.plain, b.n);
        same_size = snappy_uncompressed_length((char *)bytes, cut, &n) == SNAPPY_OK && n == a.n;
        if (same_size && snappy_uncompress((char *)bytes, cut, theirs, &n) == SNAPPY_OK) {
            assert_true(x.ok);
            assert_memory_equal(a.out, theirs, a.n);
        } else {
            assert_false(x.ok);
        }
        free(theirs);
        free(bytes);
        drop(&a);
        drop(&b);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_snappy__round_trips),
        cmocka_unit_test(test_snappy__damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
