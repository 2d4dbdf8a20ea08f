/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_log_codec.c: what is flushed can be read, in pieces of any size, and damage is found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "monitor/log_codec.h"

#define LINES 4000

static void
make_text(nb_strbuf *text)
{
    for (int i = 0; i < LINES; i++) {
        nb_strbuf_addf(text, "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":%d}\n", i * 7919);
    }
    assert_false(text->failed);
}

/* Decodes in pieces of `step` bytes of input. */
static nb_status
decode(nb_log_codec codec, nb_str packed, size_t step, nb_strbuf *out, const char **why)
{
    nb_log_decoder *d = nb_log_decoder_new(codec);
    nb_status st = NB_OK;
    char piece[1000];

    assert_non_null(d);
    while (packed.len > 0 && st == NB_OK) {
        nb_str in = {packed.data, NB_MIN(step, packed.len)};
        size_t n;

        packed.data += in.len;
        packed.len -= in.len;
        do {
            st = nb_log_decode(d, &in, piece, sizeof(piece), &n, why);
            if (st == NB_OK) {
                nb_strbuf_add(out, (nb_str){piece, n});
            }
        } while (st == NB_OK && (n > 0 || in.len > 0));
    }
    nb_log_decoder_free(d);
    return st;
}

static void
test_log_codec__round_trip_with_flushes(void **state)
{
    static const nb_log_codec codecs[] = {NB_LOG_PLAIN, NB_LOG_ZSTD, NB_LOG_LZ4};
    nb_strbuf text = {0};
    const char *why = NULL;

    (void)state;
    make_text(&text);
    for (size_t c = 0; c < NB_COUNT_OF(codecs); c++) {
        nb_log_encoder *e = nb_log_encoder_new(codecs[c]);
        nb_strbuf packed = {0}, back = {0};
        size_t half = text.len / 2, flushed;

        assert_non_null(e);
        assert_true(nb_log_encode(e, (nb_str){text.data, half}, true, false, &packed));
        flushed = packed.len;
        assert_int_equal(decode(codecs[c], (nb_str){packed.data, flushed}, 100, &back, &why),
                         NB_OK);
        assert_int_equal(back.len, half);
        assert_true(
            nb_log_encode(e, (nb_str){text.data + half, text.len - half}, true, true, &packed));
        back.len = 0;
        for (size_t step = 1; step < 100000; step *= 37) {
            back.len = 0;
            assert_int_equal(decode(codecs[c], nb_strbuf_str(&packed), step, &back, &why), NB_OK);
            assert_int_equal(back.len, text.len);
            assert_memory_equal(back.data, text.data, text.len);
        }
        nb_log_encoder_free(e);
        nb_strbuf_free(&packed);
        nb_strbuf_free(&back);
    }
    nb_strbuf_free(&text);
}

static void
test_log_codec__damage_is_found(void **state)
{
    nb_log_encoder *e = nb_log_encoder_new(NB_LOG_LZ4);
    nb_strbuf text = {0}, packed = {0}, back = {0};
    const char *why = NULL;

    (void)state;
    make_text(&text);
    assert_true(nb_log_encode(e, nb_strbuf_str(&text), true, true, &packed));
    packed.data[200] ^= 1;
    assert_int_equal(decode(NB_LOG_LZ4, nb_strbuf_str(&packed), 4096, &back, &why), NB_ERROR);
    assert_non_null(why);
    packed.data[200] ^= 1;
    memset(packed.data + 13, 0xff, 4); /* a block that says it holds 4 GB */
    assert_int_equal(decode(NB_LOG_LZ4, nb_strbuf_str(&packed), 4096, &back, &why), NB_ERROR);
    assert_int_equal(decode(NB_LOG_UNKNOWN, NB_STR("ZV"), 4096, &back, &why), NB_ERROR);
    assert_int_equal(decode(NB_LOG_SNAPPY, NB_STR("\x82SNAPPY\0\0\0\0\1\0\0\0\1\xff\xff\xff\xff"),
                            4096, &back, &why),
                     NB_ERROR);
    nb_log_encoder_free(e);
    nb_strbuf_free(&text);
    nb_strbuf_free(&packed);
    nb_strbuf_free(&back);
}

static void
test_log_codec__names(void **state)
{
    (void)state;
    assert_int_equal(nb_log_codec_of_name(NB_STR("app-1")), NB_LOG_PLAIN);
    assert_int_equal(nb_log_codec_of_name(NB_STR("app-1.zstd.inprogress")), NB_LOG_ZSTD);
    assert_int_equal(nb_log_codec_of_name(NB_STR("app-1.lz4")), NB_LOG_LZ4);
    assert_int_equal(nb_log_codec_of_name(NB_STR("app-1.lzf")), NB_LOG_UNKNOWN);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log_codec__round_trip_with_flushes),
        cmocka_unit_test(test_log_codec__damage_is_found),
        cmocka_unit_test(test_log_codec__names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
