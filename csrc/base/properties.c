/* SPDX-License-Identifier: Apache-2.0 */
/*
 * properties.c: see properties.h.
 */
#include "base/properties.h"

#include <stdlib.h>
#include "base/utf8.h"

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

static void
clear(nb_strbuf *b)
{
    b->len = 0;
}

/* Puts lines together until one does not go on. NB_DONE: the file has no more. */
static nb_status
read_logical(nb_properties *p)
{
    bool goes_on = true;

    clear(&p->logical);
    while (goes_on) {
        ssize_t n = getline(&p->line, &p->cap, p->file);
        nb_str s = {p->line, n > 0 ? (size_t)n : 0};
        size_t slashes = 0;

        if (n < 0) {
            return p->logical.len > 0 ? NB_OK : NB_DONE;
        }
        while (s.len > 0 && (s.data[s.len - 1] == '\n' || s.data[s.len - 1] == '\r')) {
            s.len--;
        }
        while (s.len > 0 && is_blank(*s.data)) {
            s = (nb_str){s.data + 1, s.len - 1};
        }
        if (p->logical.len == 0 && (s.len == 0 || *s.data == '#' || *s.data == '!')) {
            continue;
        }
        while (slashes < s.len && s.data[s.len - 1 - slashes] == '\\') {
            slashes++;
        }
        goes_on = slashes % 2 == 1;
        nb_strbuf_add(&p->logical, (nb_str){s.data, s.len - goes_on});
    }
    return NB_OK;
}

static void
add_character(nb_strbuf *out, nb_str s, size_t *at)
{
    static const char from[] = "tnrf", made[] = "\t\n\r\f";
    const char *known;
    char c = s.data[(*at)++];

    if (c != '\\' || *at == s.len) {
        nb_strbuf_addc(out, c);
        return;
    }
    c = s.data[(*at)++];
    if (c == 'u' && s.len - *at >= 4 && nb_hex_number(s.data + *at, 4) >= 0) {
        int64_t code = nb_hex_number(s.data + *at, 4), low = -1;
        char text[4];

        *at += 4;
        if (code >= 0xD800 && code < 0xDC00 && s.len - *at >= 6 && s.data[*at] == '\\' &&
            s.data[*at + 1] == 'u') {
            low = nb_hex_number(s.data + *at + 2, 4);
        }
        if (low >= 0xDC00 && low < 0xE000) {
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            *at += 6;
        }
        nb_strbuf_add(out, (nb_str){text, nb_utf8_encode((uint32_t)code, text)});
        return;
    }
    known = c != 0 ? strchr(from, c) : NULL;
    nb_strbuf_addc(out, known ? made[known - from] : c);
}

nb_status
nb_properties_next(nb_properties *p, nb_str *key, nb_str *value)
{
    nb_str s;
    size_t at = 0;

    if (read_logical(p) == NB_DONE) {
        return NB_DONE;
    }
    s = nb_strbuf_str(&p->logical);
    clear(&p->key);
    clear(&p->value);
    while (at < s.len && !is_blank(s.data[at]) && s.data[at] != '=' && s.data[at] != ':') {
        add_character(&p->key, s, &at);
    }
    while (at < s.len && is_blank(s.data[at])) {
        at++;
    }
    if (at < s.len && (s.data[at] == '=' || s.data[at] == ':')) {
        at++;
    }
    while (at < s.len && is_blank(s.data[at])) {
        at++;
    }
    while (at < s.len) {
        add_character(&p->value, s, &at);
    }
    if (p->logical.failed || p->key.failed || p->value.failed) {
        return NB_NOMEM;
    }
    *key = nb_strbuf_str(&p->key);
    *value = nb_str_trim(nb_strbuf_str(&p->value));
    return NB_OK;
}

void
nb_properties_free(nb_properties *p)
{
    free(p->line);
    nb_strbuf_free(&p->logical);
    nb_strbuf_free(&p->key);
    nb_strbuf_free(&p->value);
    *p = (nb_properties){0};
}
