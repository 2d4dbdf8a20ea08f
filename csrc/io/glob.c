/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glob.c: patterns of names. The matcher remembers the last star only, so that its time is the product of both lengths at worst.
 */
#include "io/glob.h"

#define MAX_EXPANSIONS 10000

bool
nb_glob_is_pattern(nb_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (memchr("{}[]*?\\", text.data[i], 7) != NULL) {
            return true;
        }
    }
    return false;
}

/* Matches one character class that begins behind '['; *next is set behind its ']'. A class without ']' matches nothing. */
static bool
match_class(nb_str p, size_t at, unsigned char c, size_t *next)
{
    bool negated = false, hit = false, first = true;

    if (at < p.len && (p.data[at] == '^' || p.data[at] == '!')) {
        negated = true;
        at++;
    }
    for (; at < p.len && (p.data[at] != ']' || first); first = false) {
        unsigned char lo = (unsigned char)p.data[at++];
        unsigned char hi = lo;
        if (lo == '\\' && at < p.len) {
            lo = hi = (unsigned char)p.data[at++];
        }
        if (at + 1 < p.len && p.data[at] == '-' && p.data[at + 1] != ']') {
            hi = (unsigned char)p.data[at + 1];
            at += 2;
        }
        hit |= c >= lo && c <= hi;
    }
    *next = at < p.len ? at + 1 : at;
    return at < p.len && hit != negated;
}

bool
nb_glob_match(nb_str p, nb_str s)
{
    size_t i = 0, j = 0, star_i = SIZE_MAX, star_j = 0;

    while (j < s.len) {
        unsigned char c = (unsigned char)s.data[j];
        bool ok = false;
        size_t next = i + 1;
        if (i < p.len && p.data[i] == '*') {
            star_i = ++i;
            star_j = j;
            continue;
        }
        if (i < p.len) {
            switch (p.data[i]) {
            case '?':
                /* One character, not one byte. */
                ok = true;
                while (j + 1 < s.len && ((unsigned char)s.data[j + 1] & 0xC0) == 0x80) {
                    j++;
                }
                break;
            case '[': ok = match_class(p, i + 1, c, &next); break;
            case '\\':
                ok = i + 1 < p.len && (unsigned char)p.data[i + 1] == c;
                next = i + 2;
                break;
            default: ok = (unsigned char)p.data[i] == c; break;
            }
        }
        if (ok) {
            i = next;
            j++;
        } else if (star_i != SIZE_MAX) {
            i = star_i;
            j = ++star_j;
        } else {
            return false;
        }
    }
    while (i < p.len && p.data[i] == '*') {
        i++;
    }
    return i >= p.len;
}

nb_status
nb_glob_check(nb_str p, nb_error *err)
{
    const char *fault = NULL;
    bool in_class = false;
    int groups = 0;
    size_t i;
    nb_strbuf text = {0};

    for (i = 0; i < p.len && fault == NULL; i++) {
        switch (p.data[i]) {
        case '\\':
            if (++i >= p.len) {
                fault = "Missing escaped character";
            }
            break;
        case '[':
            fault = in_class ? "Unclosed character class" : NULL;
            in_class = true;
            break;
        case ']': in_class = false; break;
        case '{': groups += !in_class; break;
        case '}': groups -= !in_class && groups > 0; break;
        default: break;
        }
    }
    if (fault == NULL && (in_class || groups > 0)) {
        fault = in_class ? "Unclosed character class" : "Unclosed group";
        i = p.len + 1;
    }
    if (fault == NULL) {
        return NB_OK;
    }
    nb_strbuf_addf(&text, "Illegal file pattern: error parsing regexp: %s at pos %zu: `%.*s`",
                   fault, i - 1, (int)p.len, p.data);
    nb_raise(err, NB_COND_IO_EXCEPTION, "message", text.failed ? fault : text.data, NULL);
    nb_strbuf_free(&text);
    return NB_ERROR;
}

nb_status
nb_str_list_add(nb_arena *arena, nb_str_list *list, nb_str item)
{
    if (list->n == list->cap) {
        int cap = list->cap ? list->cap * 2 : 8;
        nb_str *items = NB_ARENA_ARRAY(arena, nb_str, cap);
        if (items == NULL) {
            return NB_NOMEM;
        }
        if (list->n) {
            memcpy(items, list->items, (size_t)list->n * sizeof(*items));
        }
        list->items = items;
        list->cap = cap;
    }
    list->items[list->n++] = item;
    return NB_OK;
}

/* Finds the first brace group: [*open, *close]. */
static bool
find_group(nb_str p, size_t *open, size_t *close)
{
    int depth = 0;

    for (size_t i = 0; i < p.len; i++) {
        if (p.data[i] == '\\') {
            i++;
        } else if (p.data[i] == '{') {
            if (depth++ == 0) {
                *open = i;
            }
        } else if (p.data[i] == '}' && depth > 0 && --depth == 0) {
            *close = i;
            return true;
        }
    }
    return false;
}

static nb_status
expand(nb_arena *arena, nb_str p, nb_str_list *out, int depth)
{
    size_t open = 0, close = 0, from;
    int nested = 0;

    if (depth > 64 || !find_group(p, &open, &close)) {
        if (out->n >= MAX_EXPANSIONS) {
            return NB_NOMEM;
        }
        return nb_str_list_add(arena, out, p);
    }
    from = open + 1;
    for (size_t i = open + 1; i <= close; i++) {
        char c = p.data[i];
        if (c == '\\') {
            i++;
        } else if (c == '{') {
            nested++;
        } else if (c == '}' && i < close) {
            nested--;
        } else if (i == close || (c == ',' && nested == 0)) {
            char *text =
                nb_arena_printf(arena, "%.*s%.*s%.*s", (int)open, p.data, (int)(i - from),
                                p.data + from, (int)(p.len - close - 1), p.data + close + 1);
            if (text == NULL) {
                return NB_NOMEM;
            }
            NB_TRY(expand(arena, nb_str_of(text), out, depth + 1));
            from = i + 1;
        }
    }
    return NB_OK;
}

nb_status
nb_glob_expand(nb_arena *arena, nb_str pattern, nb_str_list *out)
{
    return expand(arena, pattern, out, 0);
}
