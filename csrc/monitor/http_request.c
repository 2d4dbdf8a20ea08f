/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_request.c: who is let in, and what becomes of a request; knows nothing of sockets. See http_internal.h.
 *
 * Rebinding  an open listener on loopback answers only requests whose Host is a name of loopback, so that a page from elsewhere cannot
 *            read it through a name of its own.
 */
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include "io/codec.h"
#include "monitor/http_internal.h"

#define PATH_BYTES 2048

/* Undoes %XX, and in queries "+", once. False: not well-formed, control characters, or not UTF-8. */
static bool
decode(const char *text, bool query, char *out, size_t cap, size_t *n)
{
    *n = 0;
    for (; *text; text++) {
        int c = (unsigned char)*text;

        if (*n + 1 >= cap) {
            return false;
        }
        if (c == '%') {
            int high = nb_hex_digit(text[1]), low = high < 0 ? -1 : nb_hex_digit(text[2]);

            if (low < 0) {
                return false;
            }
            c = high * 16 + low;
            text += 2;
        } else if (c == '+' && query) {
            c = ' ';
        }
        if (c < 0x20 || c == 0x7f) {
            return false;
        }
        out[(*n)++] = (char)c;
    }
    out[*n] = 0;
    return nb_utf8_is_valid(out, *n);
}

/* "..", empty parts and backslashes have no place in a path of ours. */
static bool
good_path(nb_str path)
{
    if (path.len == 0 || path.data[0] != '/') {
        return false;
    }
    for (size_t i = 0; i < path.len; i++) {
        if (path.data[i] == '\\' ||
            (path.data[i] == '/' && i + 1 < path.len && path.data[i + 1] == '/')) {
            return false;
        }
        if (path.data[i] == '/' && i + 2 < path.len && path.data[i + 1] == '.' &&
            path.data[i + 2] == '.' && (i + 3 == path.len || path.data[i + 3] == '/')) {
            return false;
        }
    }
    return true;
}

bool
nb_http_query(const nb_http_request *r, const char *name, nb_str *value)
{
    const char *raw = r->value(r->head, NB_HTTP_ARGUMENT, name);
    size_t cap = raw ? strlen(raw) + 1 : 0, n;
    char *text = raw ? nb_arena_alloc(r->arena, cap) : NULL;

    if (!text || !decode(raw, true, text, cap, &n)) {
        return false;
    }
    *value = (nb_str){text, n};
    return true;
}

bool
nb_http_query_int(const nb_http_request *r, const char *name, int64_t *value)
{
    nb_str text;
    int64_t given;

    if (!nb_http_query(r, name, &text) || text.len == 0) {
        return true;
    }
    if (!nb_str_to_int64(text, &given) || given < INT32_MIN || given > INT32_MAX) {
        return false;
    }
    *value = given;
    return true;
}

bool
nb_http_is_post(const nb_http_request *r)
{
    return r->post;
}

/* Takes the same time wherever the first difference is. */
static bool
same_secret(nb_str a, nb_str b)
{
    unsigned char diff = a.len != b.len;

    for (size_t i = 0; i < a.len; i++) {
        diff |= (unsigned char)(a.data[i] ^ (b.len ? b.data[i % b.len] : 1));
    }
    return diff == 0;
}

static bool
is_let_in(const nb_http_gate *g, const nb_http_request *r)
{
    nb_str token = g->token;
    const char *given = r->value(r->head, NB_HTTP_HEADER, "Authorization");

    if (token.len == 0) {
        return true;
    }
    if (given && strncasecmp(given, "Bearer ", 7) == 0 &&
        same_secret(nb_str_trim(nb_str_of(given + 7)), token)) {
        return true;
    }
    given = r->value(r->head, NB_HTTP_COOKIE, NB_HTTP_COOKIE_NAME);
    return given && same_secret(nb_str_of(given), token);
}

/* localhost, 127.x.y.z, [::1], with or without a port */
static bool
is_loopback_name(const char *host)
{
    size_t n = host ? strcspn(host, host[0] == '[' ? "]" : ":") : 0;
    nb_str name = {host, n};

    return host &&
           (nb_str_equal_nocase(name, NB_STR("localhost")) || nb_str_equal(name, NB_STR("[::1")) ||
            (nb_str_starts_with(name, NB_STR("127.")) && strspn(host, "0123456789.") == n));
}

/* A browser says where a request comes from; other programs need not. The cookie goes to no other site's requests anyway. */
static bool
is_own_page(const nb_http_request *r)
{
    const char *site = r->value(r->head, NB_HTTP_HEADER, "Sec-Fetch-Site");

    return !site || strcmp(site, "same-origin") == 0;
}

/* ---- answers --------------------------------------------------------------------------------- */

static void
refuse(nb_http_answer *a, int status, const char *text)
{
    *a = (nb_http_answer){
        .status = status, .type = "text/plain; charset=utf-8", .fixed = nb_str_of(text)};
}

bool
nb_http_admit(const nb_http_gate *g, nb_http_request *r, const char *method, const char *url,
              nb_http_answer *a)
{
    r->post = strcmp(method, "POST") == 0;
    if (g->check_host && !is_loopback_name(r->value(r->head, NB_HTTP_HEADER, "Host"))) {
        refuse(a, 403, "this listener is for its own machine\n");
    } else if (!r->post && strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        refuse(a, 405, "read only\n");
    } else if (!r->post) {
        return true;
    } else if (g->post_path.len == 0 || !nb_str_equal(nb_str_of(url), g->post_path)) {
        refuse(a, 405, "read only\n");
    } else if (!is_let_in(g, r)) {
        refuse(a, 401, "this page wants a token\n");
    } else if (!is_own_page(r)) {
        refuse(a, 403, "only from these pages\n");
    } else {
        return true;
    }
    return false;
}

/* GET /?token=… of a browser becomes a cookie and disappears from the address. */
static bool
wants_cookie(const nb_http_gate *g, const nb_http_request *r, nb_str path)
{
    nb_str given;

    return g->token.len > 0 && nb_str_equal(path, NB_STR("/")) &&
           nb_http_query(r, "token", &given) && same_secret(given, g->token);
}

void
nb_http_respond(const nb_http_gate *g, const nb_http_request *r, const char *url, nb_http_answer *a,
                bool *set_cookie)
{
    char text[PATH_BYTES];
    nb_str path = {text, 0};
    nb_status st;

    *a = (nb_http_answer){0};
    *set_cookie = false;
    if (!decode(url, false, text, sizeof(text), &path.len) || !good_path(path)) {
        refuse(a, is_let_in(g, r) ? 404 : 401, "not found\n");
        return;
    }
    if (nb_str_equal(path, NB_STR("/health"))) { /* tells nothing but that we answer */
        a->type = "text/plain; charset=utf-8";
        a->fixed = NB_STR("ok\n");
        return;
    }
    if (wants_cookie(g, r, path)) {
        a->status = 303;
        a->location = "/";
        *set_cookie = true;
        return;
    }
    if (!is_let_in(g, r)) {
        refuse(a, 401, "this page wants a token: /?token=…\n");
        return;
    }
    st = g->handler(g->payload, r, path, a);
    if (st < 0 || a->body.failed) {
        if (a->file > 0) {
            close(a->file);
        }
        nb_strbuf_free(&a->body);
        refuse(a, 500, "this did not work\n");
    }
}
