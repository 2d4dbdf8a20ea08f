/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_config.c: checked values, defaults, unknown keys, files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/config.h"

static void
test_config__values_are_checked(void **state)
{
    nb_config *c = nb_config_new();
    nb_error err = NB_ERROR_INIT;

    (void)state;
    assert_true(nb_config_bool(c, NB_CONF_ANSI_ENABLED));
    assert_int_equal(nb_config_set(c, NB_STR("spark.sql.ansi.enabled"), NB_STR("abc"), &err),
                     NB_ERROR);
    assert_string_equal(nb_error_message(&err),
                        "[INVALID_CONF_VALUE.TYPE_MISMATCH] The value 'abc' in the config "
                        "\"spark.sql.ansi.enabled\" "
                        "is invalid. It should be a/an 'boolean' value. SQLSTATE: 22022");
    nb_error_clear(&err);
    assert_int_equal(nb_config_set(c, NB_STR("spark.sql.ansi.enabled"), NB_STR("FALSE"), &err),
                     NB_OK);
    assert_false(nb_config_bool(c, NB_CONF_ANSI_ENABLED));
    assert_int_equal(nb_config_set(c, NB_STR("spark.sql.shuffle.partitions"), NB_STR("-1"), &err),
                     NB_ERROR);
    assert_string_equal(
        nb_error_message(&err),
        "[INVALID_CONF_VALUE.REQUIREMENT] The value '-1' in the config "
        "\"spark.sql.shuffle.partitions\" "
        "is invalid. The value of spark.sql.shuffle.partitions must be positive SQLSTATE: 22022");
    nb_error_clear(&err);
    assert_int_equal(nb_config_set_runtime(c, NB_STR("spark.sql.warehouse.dir"), NB_STR("x"), &err),
                     NB_ERROR);
    assert_string_equal(nb_error_message(&err),
                        "[CANNOT_MODIFY_STATIC_CONFIG] Cannot modify the value of the static "
                        "Spark config: \"spark.sql.warehouse.dir\". SQLSTATE: 46110");
    nb_error_clear(&err);
    nb_config_free(c);
}

static void
test_config__units_and_copies(void **state)
{
    nb_config *c = nb_config_new(), *copy;
    nb_str v, k;

    (void)state;
    assert_int_equal(nb_config_int(c, NB_CONF_MAX_PARTITION_BYTES), 134217728);
    assert_int_equal(nb_config_set(c, NB_STR("spark.memory.limit"), NB_STR("2g"), NULL), NB_OK);
    assert_true(nb_config_int(c, NB_CONF_MEMORY_LIMIT) == (int64_t)2 << 30);
    assert_int_equal(nb_config_set(c, NB_STR("spark.driver.memory"), NB_STR("512"), NULL), NB_OK);
    assert_true(nb_config_int(c, NB_CONF_DRIVER_MEMORY) == (int64_t)512 << 20);
    assert_int_equal(nb_config_set(c, NB_STR("spark.memory.limit"), NB_STR("12q"), NULL), NB_ERROR);
    assert_int_equal(nb_config_set(c, NB_STR("foo.bar"), NB_STR("1"), NULL), NB_OK);
    assert_int_equal(nb_config_set(c, NB_STR("a.b"), NB_STR("2"), NULL), NB_OK);
    copy = nb_config_copy(c);
    nb_config_free(c);
    assert_true(nb_config_get(copy, NB_STR("foo.bar"), &v) && nb_str_equal(v, NB_STR("1")));
    assert_true(nb_config_at(copy, 0, &k, &v) && nb_str_equal(k, NB_STR("a.b")));
    assert_true(nb_config_at(copy, 3, &k, &v) && nb_str_equal(k, NB_STR("spark.memory.limit")));
    assert_false(nb_config_at(copy, 4, &k, &v));
    assert_int_equal(nb_config_unset_runtime(copy, NB_STR("foo.bar"), NULL), NB_OK);
    assert_false(nb_config_get(copy, NB_STR("foo.bar"), &v));
    assert_false(nb_config_get(copy, NB_STR("spark.master"), &v));
    nb_config_free(copy);
}

static void
test_config__reads_defaults_files(void **state)
{
    char path[] = "/tmp/nb_test_config_XXXXXX";
    int fd = mkstemp(path);
    FILE *f = fdopen(fd, "w");
    nb_config *c = nb_config_new();
    nb_error err = NB_ERROR_INIT;

    (void)state;
    fputs("# comment\n\nspark.master  local[2]\nspark.sql.ansi.enabled=false\n  spark.app.name :  "
          "a b \n",
          f);
    fclose(f);
    nb_config_set(c, NB_STR("spark.app.name"), NB_STR("mine"), NULL);
    assert_int_equal(nb_config_load(c, path, true, &err), NB_OK);
    assert_true(nb_str_equal(nb_config_str(c, NB_CONF_MASTER), NB_STR("local[2]")));
    assert_true(nb_str_equal(nb_config_str(c, NB_CONF_APP_NAME), NB_STR("mine")));
    assert_int_equal(nb_config_load(c, path, false, &err), NB_OK);
    assert_true(nb_str_equal(nb_config_str(c, NB_CONF_APP_NAME), NB_STR("a b")));
    assert_false(nb_config_bool(c, NB_CONF_ANSI_ENABLED));
    unlink(path);
    assert_int_equal(nb_config_load(c, path, false, &err), NB_DONE);
    nb_config_free(c);
}

/* As java.util.Properties gave them, values trimmed as Spark does. */
static void
test_config__reads_what_java_writes(void **state)
{
    static const struct {
        const char *text, *key, *value;
    } cases[] = {
        {"a b\\\n   c", "a", "bc"},
        {"a b\\\\\nc d", "a", "b\\"},
        {"a b\\", "a", "b"},
        {"! no\na=x\\\n# y", "a", "x# y"},
        {"a\\ b\\==c", "a b=", "c"},
        {"a\\:b : = c", "a:b", "= c"},
        {"a \\u00e9\\t\\x\\u12", "a", "\xc3\xa9\txu12"},
        {"a \\uD83D\\uDE00", "a", "\xf0\x9f\x98\x80"},
        {"\t a=  1  \r\n", "a", "1"},
        {"a", "a", ""},
    };
    char path[] = "/tmp/nb_test_config_XXXXXX";

    (void)state;
    close(mkstemp(path));
    for (size_t i = 0; i < NB_COUNT_OF(cases); i++) {
        FILE *f = fopen(path, "w");
        nb_config *c = nb_config_new();
        nb_str value = {0};

        fputs(cases[i].text, f);
        fclose(f);
        assert_int_equal(nb_config_load(c, path, false, NULL), NB_OK);
        assert_true(nb_config_get(c, nb_str_of(cases[i].key), &value));
        assert_int_equal(value.len, strlen(cases[i].value));
        assert_memory_equal(value.data, cases[i].value, value.len);
        nb_config_free(c);
    }
    unlink(path);
}

/* Keys and values in the middle of messages have no NUL behind them. */
static void
test_config__texts_end_where_they_say(void **state)
{
    static const char *const KEYS[] = {"spark.app.name", "mine.own", "spark.sql.ansi.enabled"};
    nb_config *c = nb_config_new();
    nb_str got;

    (void)state;
    for (int i = 0; i < 3; i++) {
        size_t n = strlen(KEYS[i]);
        char *key = malloc(n), *value = malloc(4);

        memcpy(key, KEYS[i], n);
        memcpy(value, "true", 4);
        assert_int_equal(nb_config_set(c, (nb_str){key, n}, (nb_str){value, 4}, NULL), NB_OK);
        free(key);
        free(value);
        assert_true(nb_config_get(c, nb_str_of(KEYS[i]), &got));
        assert_true(nb_str_equal(got, NB_STR("true")));
    }
    nb_config_free(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config__values_are_checked),
        cmocka_unit_test(test_config__units_and_copies),
        cmocka_unit_test(test_config__reads_defaults_files),
        cmocka_unit_test(test_config__reads_what_java_writes),
        cmocka_unit_test(test_config__texts_end_where_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
