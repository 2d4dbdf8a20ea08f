/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pools.c: see pools.h.
 *
 * Reads the elements that Spark's file has, and comments; no entities, no other attributes, no declarations but <?xml …?>. Everything else
 * is an error: a pool that is misspelt must not silently be another one.
 */
#include "cluster/pools.h"

#include <errno.h>
#include <stdio.h>

#define MOST_BYTES ((size_t)1 << 20)

static nb_status
bad(nb_error *err, const char *what)
{
    return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message", what, NULL);
}

static void
skip_spaces(nb_str *at)
{
    while (at->len > 0 &&
           (*at->data == ' ' || *at->data == '\t' || *at->data == '\n' || *at->data == '\r')) {
        at->data++;
        at->len--;
    }
}

static bool
take(nb_str *at, const char *word)
{
    nb_str w = nb_str_of(word);

    if (!nb_str_starts_with(*at, w)) {
        return false;
    }
    at->data += w.len;
    at->len -= w.len;
    return true;
}

/* Up to `end`, which is skipped; false: it is not there. */
static bool
take_until(nb_str *at, const char *end, nb_str *out)
{
    nb_str e = nb_str_of(end);

    for (size_t i = 0; i + e.len <= at->len; i++) {
        if (nb_str_starts_with((nb_str){at->data + i, at->len - i}, e)) {
            *out = (nb_str){at->data, i};
            at->data += i + e.len;
            at->len -= i + e.len;
            return true;
        }
    }
    return false;
}

/* Spaces, comments and <?xml …?>. */
static bool
skip_between(nb_str *at)
{
    nb_str skipped;

    for (skip_spaces(at);; skip_spaces(at)) {
        if (take(at, "<!--")) {
            if (!take_until(at, "-->", &skipped)) {
                return false;
            }
        } else if (take(at, "<?")) {
            if (!take_until(at, "?>", &skipped)) {
                return false;
            }
        } else {
            return true;
        }
    }
}

static bool
take_number(nb_str *at, const char *end, int *out)
{
    nb_str text;
    int64_t n;

    if (!take_until(at, end, &text) || !nb_str_to_int64(nb_str_trim(text), &n) || n < 0 ||
        n > INT32_MAX) {
        return false;
    }
    *out = (int)n;
    return true;
}

static nb_status
read_pool(nb_scheduler *s, nb_str *at, nb_error *err)
{
    nb_sched_pool pool = {.weight = 1};
    nb_str mode;

    skip_spaces(at);
    if (!take(at, "name=\"") || !take_until(at, "\"", &pool.name)) {
        return bad(err, "a pool of spark.scheduler.allocation.file has no name");
    }
    skip_spaces(at);
    if (!take(at, ">")) {
        return bad(err, "a pool of spark.scheduler.allocation.file has something besides its name");
    }
    for (;;) {
        bool ok = skip_between(at);

        if (ok && take(at, "</pool>")) {
            return nb_scheduler_pool(s, &pool);
        }
        if (ok && take(at, "<schedulingMode>")) {
            ok = take_until(at, "</schedulingMode>", &mode);
            mode = ok ? nb_str_trim(mode) : mode;
            pool.fair = ok && nb_str_equal_nocase(mode, NB_STR("FAIR"));
            ok = ok && (pool.fair || nb_str_equal_nocase(mode, NB_STR("FIFO")));
        } else if (ok && take(at, "<weight>")) {
            ok = take_number(at, "</weight>", &pool.weight);
        } else if (ok && take(at, "<minShare>")) {
            ok = take_number(at, "</minShare>", &pool.min_share);
        } else {
            ok = false;
        }
        if (!ok) {
            return bad(err, "a pool of spark.scheduler.allocation.file is malformed: it has "
                            "schedulingMode (FIFO or FAIR), weight and minShare (numbers)");
        }
    }
}

nb_status
nb_pools_parse(nb_scheduler *s, nb_str text, nb_error *err)
{
    nb_str at = text;

    if (!skip_between(&at) || !take(&at, "<allocations>")) {
        return bad(err, "spark.scheduler.allocation.file has no <allocations>");
    }
    for (;;) {
        if (!skip_between(&at)) {
            return bad(err, "a comment of spark.scheduler.allocation.file does not end");
        }
        if (take(&at, "</allocations>")) {
            return NB_OK;
        }
        if (!take(&at, "<pool")) {
            return bad(err, "spark.scheduler.allocation.file has something besides pools");
        }
        NB_TRY(read_pool(s, &at, err));
    }
}

nb_status
nb_pools_load(nb_scheduler *s, nb_str path, nb_error *err)
{
    char name[4096], part[4096];
    nb_strbuf text = {0};
    nb_status st;
    FILE *f;
    size_t n;

    snprintf(name, sizeof(name), "%.*s", (int)path.len, path.data);
    f = fopen(name, "re");
    if (f == NULL) {
        return nb_raise_errno(err, "open", name, errno);
    }
    while ((n = fread(part, 1, sizeof(part), f)) > 0 && text.len < MOST_BYTES) {
        nb_strbuf_add(&text, (nb_str){part, n});
    }
    fclose(f);
    st = text.failed ? NB_NOMEM : nb_pools_parse(s, nb_strbuf_str(&text), err);
    nb_strbuf_free(&text);
    return st;
}
