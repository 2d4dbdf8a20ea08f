/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_read.c: see event_read.h.
 *
 * Names and texts without escapes, which is nearly all of them, are slices of the line and cost no copy.
 */
#include "monitor/event_read.h"

static void
skip_space(nb_json *j)
{
    while (j->p < j->end && (*j->p == ' ' || *j->p == '\t' || *j->p == '\n' || *j->p == '\r')) {
        j->p++;
    }
}

bool
nb_event_read_text(nb_event_reader *r, nb_str *out)
{
    nb_json *j = &r->json;
    nb_strbuf text = {0};
    const char *from, *p;

    skip_space(j);
    if (j->p == j->end || *j->p != '"') {
        return false;
    }
    from = p = j->p + 1;
    while (p < j->end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20) {
        p++;
    }
    if (p < j->end && *p == '"') {
        *out = (nb_str){from, (size_t)(p - from)};
        j->p = p + 1;
        return true;
    }
    if (!nb_json_string(j, &text)) {
        nb_strbuf_free(&text);
        return false;
    }
    *out = nb_arena_str(r->scratch, nb_strbuf_str(&text));
    r->no_memory |= text.failed || !out->data;
    nb_strbuf_free(&text);
    return !r->no_memory;
}

bool
nb_event_read_name(nb_event_reader *r, nb_str *out)
{
    if (!nb_event_read_text(r, out)) {
        return false;
    }
    skip_space(&r->json);
    if (r->json.p == r->json.end || *r->json.p != ':') {
        return false;
    }
    r->json.p++;
    return true;
}

bool
nb_event_read_null(nb_event_reader *r)
{
    return nb_json_peek(&r->json) == NB_JSON_NULL && nb_json_word(&r->json, "null");
}

bool
nb_event_read_int(nb_event_reader *r, int64_t *out)
{
    nb_str text;
    nb_json_kind kind = nb_json_number(&r->json, &text);

    if (kind == NB_JSON_FLOAT) {
        for (size_t i = 0; i < text.len; i++) {
            if (text.data[i] == '.') {
                text.len = i;
            } else if (text.data[i] == 'e' || text.data[i] == 'E') {
                return false;
            }
        }
    } else if (kind != NB_JSON_INT) {
        return false;
    }
    return nb_str_to_int64(text, out);
}

static bool
read_bool(nb_event_reader *r, bool *out)
{
    nb_json_kind kind = nb_json_peek(&r->json);

    *out = kind == NB_JSON_TRUE;
    return kind == NB_JSON_TRUE    ? nb_json_word(&r->json, "true")
           : kind == NB_JSON_FALSE ? nb_json_word(&r->json, "false")
                                   : false;
}

static bool
read_field(nb_event_reader *r, const nb_event_field *f, void *base)
{
    char *at = (char *)base + f->offset;

    if (nb_event_read_null(r)) {
        return true;
    }
    switch (f->kind) {
    case NB_FIELD_INT: return nb_event_read_int(r, (int64_t *)(void *)at);
    case NB_FIELD_BOOL: return read_bool(r, (bool *)at);
    case NB_FIELD_TEXT: return nb_event_read_text(r, (nb_str *)(void *)at);
    case NB_FIELD_OBJECT: return nb_event_read_object(r, f->table, base);
    case NB_FIELD_READ: return f->read(r, base);
    }
    return false;
}

static bool
is_field(const nb_event_field *f, nb_str name)
{
    return f->name && strncmp(f->name, name.data, name.len) == 0 && f->name[name.len] == 0;
}

bool
nb_event_read_object(nb_event_reader *r, const nb_event_field *table, void *base)
{
    const nb_event_field *expected = table, *f;
    bool first = true, bad = false;
    nb_str name;

    if (nb_json_peek(&r->json) != NB_JSON_OBJECT || !nb_json_enter(&r->json)) {
        return false;
    }
    while (nb_json_more(&r->json, '}', &first, &bad)) {
        if (!nb_event_read_name(r, &name)) {
            return false;
        }
        f = expected;
        if (!is_field(f, name)) {
            for (f = table; f->name && !is_field(f, name); f++) {
            }
        }
        if (!f->name) {
            if (!nb_json_skip(&r->json)) {
                return false;
            }
            continue;
        }
        expected = f + 1;
        if (!read_field(r, f, base)) {
            return false;
        }
    }
    return !bad;
}
