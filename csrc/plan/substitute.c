/* SPDX-License-Identifier: Apache-2.0 */
/*
 * substitute.c: ${name} in SQL text, replaced before it is parsed (spark.sql.variable.substitute).
 *
 * ${key}, ${spark:key}, ${sparkconf:key}, ${hivevar:key} and ${hiveconf:key} give settings, nothing where they are not set; ${env:NAME} gives a
 * variable of the environment. What names nothing known stays as it is. Values may hold references themselves, but not to what they are a part of.
 */
#include "plan/analyzer_internal.h"

#include <stdlib.h>

#include "base/ascii.h"
#include "base/config.h"

/* The references that are being replaced, from the inside out. */
typedef struct used_ref {
    nb_str name;
    const struct used_ref *outer;
} used_ref;

#define MAX_REFERENCES 100000

typedef struct substitution {
    nb_arena *arena;
    const nb_config *config;
    long *
        left; /* references that may still be replaced: settings that name each other twice would grow without end */
    nb_error *err;
} substitution;

/* A reference at the start of text: its length, prefix and name; 0 when there is none. */
static size_t
reference_at(nb_str text, nb_str *prefix, nb_str *name)
{
    size_t from = 2, end, colon = 2;

    if (text.len < 4 || text.data[0] != '$' || text.data[1] != '{') {
        return 0;
    }
    *prefix = (nb_str){NULL, 0};
    while (colon < text.len && nb_is_word(text.data[colon])) {
        colon++;
    }
    if (colon > 2 && colon + 1 < text.len && text.data[colon] == ':' &&
        text.data[colon + 1] != '}') {
        *prefix = (nb_str){text.data + 2, colon - 2};
        from = colon + 1;
    }
    for (end = from; end < text.len && strchr(" \t\r\n\f\v", text.data[end]) == NULL; end++) {
        if (text.data[end] == '}' && end > from) {
            *name = (nb_str){text.data + from, end - from};
            return end + 1;
        }
    }
    return 0;
}

/* false: the reference stays. */
static bool
look_up(const substitution *s, nb_str prefix, nb_str name, nb_str *value)
{
    static const char *const SETTINGS[] = {"spark", "sparkconf", "hivevar", "hiveconf"};

    if (nb_str_equal(prefix, NB_STR("env"))) {
        const char *key = nb_arena_strdup(s->arena, name);
        const char *text = key ? getenv(key) : NULL;

        *value = nb_str_of(text ? text : "");
        return text != NULL;
    }
    for (size_t i = 0; i < NB_COUNT_OF(SETTINGS); i++) {
        if (prefix.data == NULL || nb_str_equal(prefix, nb_str_of(SETTINGS[i]))) {
            if (!nb_config_get(s->config, name, value)) {
                *value = NB_STR("");
            }
            return true;
        }
    }
    return false;
}

static nb_status
replace(const substitution *s, nb_str text, const used_ref *outer, nb_strbuf *out)
{
    for (size_t i = 0; i < text.len;) {
        nb_str prefix, name, value, rest = {text.data + i, text.len - i};
        size_t n = reference_at(rest, &prefix, &name);
        nb_str whole = prefix.data && n ? (nb_str){prefix.data, prefix.len + 1 + name.len} : name;
        used_ref ref = {whole, outer};

        if (n == 0 || !look_up(s, prefix, name, &value)) {
            n = NB_MAX(n, 1);
            nb_strbuf_add(out, (nb_str){rest.data, n});
            i += n;
            continue;
        }
        for (const used_ref *u = outer; u != NULL; u = u->outer) {
            if (nb_str_equal(u->name, whole) || *s->left <= 0) {
                return nb_raise(s->err, NB_COND_ILLEGAL_ARGUMENT, "message",
                                nb_arena_printf(s->arena,
                                                "requirement failed: Circular reference in "
                                                "%.*s: %.*s",
                                                (int)NB_MIN(text.len, 1000), text.data,
                                                (int)NB_MIN(whole.len, 1000), whole.data),
                                NULL);
            }
        }
        --*s->left;
        NB_TRY(replace(s, value, &ref, out));
        i += n;
    }
    return out->failed ? NB_NOMEM : NB_OK;
}

nb_status
nb_sql_substitute(nb_arena *arena, const nb_config *config, nb_str text, nb_str *out, nb_error *err)
{
    long left = MAX_REFERENCES;
    substitution s = {arena, config, &left, err};
    nb_strbuf b = {0};
    nb_status st;

    *out = text;
    if (config == NULL || !nb_config_bool(config, NB_CONF_VARIABLE_SUBSTITUTE) ||
        memmem(text.data, text.len, "${", 2) == NULL) {
        return NB_OK;
    }
    st = replace(&s, text, NULL, &b);
    if (st < 0) {
        nb_strbuf_free(&b);
        return st;
    }
    *out = nb_strbuf_finish(arena, &b);
    return out->data ? NB_OK : NB_NOMEM;
}
