/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_out.c: see json_out.h.
 */
#include "monitor/json_out.h"

#include <time.h>
#include "expr/json.h"
#include "expr/number_text.h"

static void
begin(nb_json_out *o, const char *key)
{
    if (o->comma) {
        nb_strbuf_addc(o->to, ',');
    }
    if (key) {
        nb_strbuf_addc(o->to, '"');
        nb_strbuf_adds(o->to, key);
        nb_strbuf_adds(o->to, "\":");
    }
    o->comma = true;
}

void
nb_out_open(nb_json_out *o, const char *key, char bracket)
{
    begin(o, key);
    nb_strbuf_addc(o->to, bracket);
    o->comma = false;
}

void
nb_out_close(nb_json_out *o, char bracket)
{
    nb_strbuf_addc(o->to, bracket);
    o->comma = true;
}

void
nb_out_str(nb_json_out *o, const char *key, nb_str value)
{
    begin(o, key);
    nb_json_put_string(o->to, value);
}

void
nb_out_text(nb_json_out *o, const char *key, const char *value)
{
    nb_out_str(o, key, nb_str_of(value));
}

void
nb_out_int(nb_json_out *o, const char *key, int64_t value)
{
    begin(o, key);
    nb_strbuf_addf(o->to, "%lld", (long long)value);
}

void
nb_out_double(nb_json_out *o, const char *key, double value)
{
    char text[40];
    size_t n = value - value == 0 ? (size_t)nb_format_double(text, value) : 0;

    begin(o, key);
    nb_strbuf_add(o->to, n ? (nb_str){text, n} : NB_STR("0.0"));
}

void
nb_out_bool(nb_json_out *o, const char *key, bool value)
{
    begin(o, key);
    nb_strbuf_adds(o->to, value ? "true" : "false");
}

void
nb_out_time(nb_json_out *o, const char *key, int64_t ms)
{
    int64_t s = ms / 1000 - (ms % 1000 < 0);
    time_t t = (time_t)s;
    struct tm tm;
    char text[64];

    begin(o, key);
    if (!gmtime_r(&t, &tm) || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
        text[0] = 0;
    }
    nb_strbuf_addf(o->to, "\"%s.%03dGMT\"", text, (int)(ms - s * 1000));
}
