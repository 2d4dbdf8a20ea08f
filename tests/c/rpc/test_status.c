/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_status.c: errors as they travel in a gRPC status, there and back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rpc/status.h"

static void
test_status__condition_and_parameters_survive(void **state)
{
    nb_error err = NB_ERROR_INIT, back = NB_ERROR_INIT;
    nb_rpc_status s = NB_RPC_STATUS_INIT;
    nb_strbuf id = {0};

    (void)state;
    nb_raise(&err, NB_COND_DIVIDE_BY_ZERO, "config", "\"spark.sql.ansi.enabled\"", NULL);
    nb_rpc_status_of_error(&s, NB_ERROR, &err, NB_STR("e-1"));
    assert_int_equal(s.code, NB_RPC_INTERNAL);
    assert_int_equal(nb_rpc_status_raise(&s, &id, &back), NB_ERROR);
    assert_int_equal(back.condition, NB_COND_DIVIDE_BY_ZERO);
    assert_string_equal(nb_error_name(&back), "DIVIDE_BY_ZERO");
    assert_string_equal(nb_error_sqlstate(&back), "22012");
    assert_int_equal(nb_error_get_kind(&back), NB_KIND_ARITHMETIC);
    assert_string_equal(nb_error_message(&back), nb_error_message(&err));
    assert_string_equal(nb_error_param(&back, "config"), "\"spark.sql.ansi.enabled\"");
    assert_string_equal(id.data, "e-1");
    nb_strbuf_free(&id);
    nb_rpc_status_clear(&s);
    nb_error_clear(&err);
    nb_error_clear(&back);
}

static void
test_status__every_kind_survives(void **state)
{
    (void)state;
    for (int c = 0; c < NB_N_CONDITIONS; c++) {
        nb_error err = NB_ERROR_INIT, back = NB_ERROR_INIT;
        nb_rpc_status s = NB_RPC_STATUS_INIT;

        nb_raise(&err, (nb_condition)c, NULL);
        nb_rpc_status_of_error(&s, NB_ERROR, &err, NB_STR(""));
        nb_rpc_status_raise(&s, NULL, &back);
        assert_string_equal(nb_error_name(&back), nb_error_name(&err));
        if (strncmp(nb_error_name(&err), "CONNECT_INVALID_PLAN", 20) != 0) {
            assert_int_equal(nb_error_get_kind(&back), nb_error_get_kind(&err));
        }
        nb_rpc_status_clear(&s);
        nb_error_clear(&err);
        nb_error_clear(&back);
    }
}

/* A long message is cut at a character, bytes that are not UTF-8 are replaced, long parameters are left out. */
static void
test_status__hostile_text(void **state)
{
    nb_error err = NB_ERROR_INIT, back = NB_ERROR_INIT;
    nb_rpc_status s = NB_RPC_STATUS_INIT;
    nb_strbuf text = {0};

    (void)state;
    nb_strbuf_adds(&text, "\xff\xc3");
    for (int i = 0; i < 5000; i++) {
        nb_strbuf_adds(&text, "\xc3\xa9");
    }
    nb_raise_internal(&err, "%s", text.data);
    nb_rpc_status_of_error(&s, NB_ERROR, &err, NB_STR(""));
    assert_true(s.message.len <= 2048);
    assert_true(s.details.len < 4096);
    nb_rpc_status_raise(&s, NULL, &back);
    assert_string_equal(nb_error_name(&back), "INTERNAL_ERROR");
    assert_non_null(strstr(nb_error_message(&back), "\xef\xbf\xbd\xef\xbf\xbd\xc3\xa9"));
    assert_int_equal(back.n_params, 0);
    nb_strbuf_free(&text);
    nb_rpc_status_clear(&s);
    nb_error_clear(&err);
    nb_error_clear(&back);
}

static void
test_status__without_or_with_damaged_details(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        nb_error back = NB_ERROR_INIT;
        nb_rpc_status s = {.code = NB_RPC_UNAUTHENTICATED};

        nb_strbuf_adds(&s.message, "no");
        if (i) {
            nb_strbuf_adds(&s.details, "\x1a\x7f!");
        }
        assert_int_equal(nb_rpc_status_raise(&s, NULL, &back), NB_ERROR);
        assert_int_equal(nb_error_get_kind(&back), NB_KIND_CONNECT);
        assert_string_equal(nb_error_message(&back), "UNAUTHENTICATED: no");
        assert_string_equal(nb_error_name(&back), "");
        nb_rpc_status_clear(&s);
        nb_error_clear(&back);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status__condition_and_parameters_survive),
        cmocka_unit_test(test_status__every_kind_survives),
        cmocka_unit_test(test_status__hostile_text),
        cmocka_unit_test(test_status__without_or_with_damaged_details),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
