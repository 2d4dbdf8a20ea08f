/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.c: see json.h.
 */
#include "ml/json.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include "base/utf8.h"
#include "expr/number_text.h"

#define MAX_DEPTH 16

typedef struct reader {
    nb_arena *arena;
    const char *p, *end;
} reader;

static void
skip_space(reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r')) {
        r->p++;
    }
}

/* One escape behind the backslash; the text is never longer than its source. */
static bool
unescape(reader *r, char *to, size_t *n)
{
    static const char from[] = "\"\\/bfnrt", made[] = "\"\\/\b\f\n\r\t";
    int64_t c, low;
    const char *at;

    if (r->p >= r->end) {
        return false;
    }
    if (*r->p != 'u') {
        at = strchr(from, *r->p);
        if (at == NULL || *at == 0) {
            return false;
        }
        to[(*n)++] = made[at - from];
        r->p++;
        return true;
    }
    c = r->end - r->p < 5 ? -1 : nb_hex_number(r->p + 1, 4);
    if (c < 0) {
        return false;
    }
    r->p += 5;
    if (c >= 0xd800 && c < 0xdc00 && r->end - r->p >= 6 && r->p[0] == '\\' && r->p[1] == 'u') {
        low = nb_hex_number(r->p + 2, 4);
        if (low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            r->p += 6;
        }
    }
    *n += nb_utf8_encode((uint32_t)c, to + *n);
    return true;
}

static nb_status
read_string(reader *r, nb_str *out)
{
    char *text;
    size_t n = 0;

    if (r->p >= r->end || *r->p != '"') {
        return NB_ERROR;
    }
    r->p++;
    text = nb_arena_alloc(r->arena, (size_t)(r->end - r->p) + 1);
    if (text == NULL) {
        return NB_NOMEM;
    }
    while (r->p < r->end && *r->p != '"') {
        if ((unsigned char)*r->p < 0x20) {
            return NB_ERROR;
        }
        if (*r->p == '\\') {
            r->p++;
            if (!unescape(r, text, &n)) {
                return NB_ERROR;
            }
        } else {
            text[n++] = *r->p++;
        }
    }
    if (r->p >= r->end) {
        return NB_ERROR;
    }
    r->p++;
    text[n] = 0;
    *out = (nb_str){text, n};
    return NB_OK;
}

static nb_status read_value(reader *r, nb_json *out, int depth);

static nb_status
read_items(reader *r, nb_json *out, bool object, int depth)
{
    int cap = 0;

    r->p++;
    skip_space(r);
    if (r->p < r->end && *r->p == (object ? '}' : ']')) {
        r->p++;
        return NB_OK;
    }
    for (;;) {
        if (out->n == cap) {
            int next = cap ? 2 * cap : 8;
            nb_json *items = NB_ARENA_ARRAY(r->arena, nb_json, next);
            nb_str *keys = NB_ARENA_ARRAY(r->arena, nb_str, next);

            if (items == NULL || keys == NULL) {
                return NB_NOMEM;
            }
            if (cap > 0) {
                memcpy(items, out->items, (size_t)cap * sizeof *items);
                memcpy(keys, out->keys, (size_t)cap * sizeof *keys);
            }
            out->items = items;
            out->keys = keys;
            cap = next;
        }
        skip_space(r);
        if (object) {
            NB_TRY(read_string(r, &out->keys[out->n]));
            skip_space(r);
            if (r->p >= r->end || *r->p++ != ':') {
                return NB_ERROR;
            }
        }
        NB_TRY(read_value(r, &out->items[out->n], depth + 1));
        out->n++;
        skip_space(r);
        if (r->p >= r->end) {
            return NB_ERROR;
        }
        if (*r->p == (object ? '}' : ']')) {
            r->p++;
            return NB_OK;
        }
        if (*r->p++ != ',') {
            return NB_ERROR;
        }
    }
}

static bool
word(reader *r, const char *w)
{
    size_t n = strlen(w);

    if ((size_t)(r->end - r->p) < n || memcmp(r->p, w, n) != 0) {
        return false;
    }
    r->p += n;
    return true;
}

static nb_status
read_value(reader *r, nb_json *out, int depth)
{
    const char *from;

    *out = (nb_json){0};
    skip_space(r);
    if (r->p >= r->end || depth > MAX_DEPTH) {
        return NB_ERROR;
    }
    switch (*r->p) {
    case '{': out->kind = NB_JSON_OBJECT; return read_items(r, out, true, depth);
    case '[': out->kind = NB_JSON_ARRAY; return read_items(r, out, false, depth);
    case '"': out->kind = NB_JSON_STRING; return read_string(r, &out->text);
    case 't':
    case 'f':
        out->kind = NB_JSON_BOOL;
        out->boolean = *r->p == 't';
        return word(r, out->boolean ? "true" : "false") ? NB_OK : NB_ERROR;
    case 'n': return word(r, "null") ? NB_OK : NB_ERROR;
    default: break;
    }
    from = r->p;
    while (r->p < r->end && strchr("+-0123456789.eE", *r->p) && *r->p) {
        r->p++;
    }
    out->kind = NB_JSON_NUMBER;
    out->text = (nb_str){from, (size_t)(r->p - from)};
    return r->p > from && nb_parse_double(from, out->text.len, &out->number) ? NB_OK : NB_ERROR;
}

nb_status
nb_json_parse(nb_arena *arena, nb_str text, nb_json *out)
{
    reader r = {arena, text.data, text.data + text.len};

    NB_TRY(read_value(&r, out, 0));
    skip_space(&r);
    return r.p == r.end ? NB_OK : NB_ERROR;
}

const nb_json *
nb_json_get(const nb_json *object, const char *key)
{
    for (int i = 0; object->kind == NB_JSON_OBJECT && i < object->n; i++) {
        if (nb_str_equal(object->keys[i], nb_str_of(key))) {
            return &object->items[i];
        }
    }
    return NULL;
}

void
nb_json_add_string(nb_strbuf *out, nb_str s)
{
    nb_strbuf_addc(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];

        if (c == '"' || c == '\\') {
            nb_strbuf_addc(out, '\\');
            nb_strbuf_addc(out, (char)c);
        } else if (c < 0x20) {
            nb_strbuf_addf(out, "\\u%04x", c);
        } else {
            nb_strbuf_addc(out, (char)c);
        }
    }
    nb_strbuf_addc(out, '"');
}

static int
remove_one(const char *path, const struct stat *s, int kind, struct FTW *where)
{
    (void)s;
    (void)kind;
    (void)where;
    return remove(path);
}

int
nb_tree_remove(const char *path)
{
    return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
