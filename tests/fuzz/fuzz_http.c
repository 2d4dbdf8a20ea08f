/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_http.c: a request as libmicrohttpd would hand it over, and behind it the events of the application that it asks for.
 *
 *     flags                a digit: 1 a token is set, 2 only names of loopback
 *     METHOD /path?a=b&c
 *     Name: value          … headers
 *                          an empty line
 *     {"Event":…           … lines of an event log
 *
 * Nobody without the token gets beyond the gate, no path that comes through it leaves the tree, and texts are UTF-8.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "io/codec.h"
#include "monitor/http_internal.h"
#include "monitor/site.h"

#define MOST_VALUES 64
#define TOKEN       "secret"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct value {
    nb_http_place place;
    const char *name, *text;
} value;

typedef struct head {
    value values[MOST_VALUES];
    int n;
    nb_site *site;
    bool reached;
} head;

static void
add(head *h, nb_http_place place, const char *name, const char *text)
{
    if (h->n < MOST_VALUES) {
        h->values[h->n++] = (value){place, name, text};
    }
}

/* name=text pairs, cut in place. */
static void
add_pairs(head *h, nb_http_place place, char *text, const char *between)
{
    char *rest = NULL;

    for (char *pair = strtok_r(text, between, &rest); pair; pair = strtok_r(NULL, between, &rest)) {
        char *is = strchr(pair, '=');

        if (is) {
            *is = 0;
        }
        add(h, place, pair, is ? is + 1 : "");
    }
}

static const char *
value_of(void *from, nb_http_place place, const char *name)
{
    const head *h = from;

    for (int i = 0; i < h->n; i++) {
        if (h->values[i].place == place &&
            (place == NB_HTTP_HEADER ? strcasecmp(h->values[i].name, name)
                                     : strcmp(h->values[i].name, name)) == 0) {
            return h->values[i].text;
        }
    }
    return NULL;
}

/* ---- the site -------------------------------------------------------------------------------- */

static nb_status
list_apps(void *payload, nb_site_emit_app emit, void *to)
{
    nb_site_app app = {.id = NB_STR("app-1"),
                       .attempt = NB_STR("1"),
                       .name = NB_STR("<b>a & \"b\"</b>"),
                       .user = NB_STR("user"),
                       .version = NB_STR("4.2.0"),
                       .started_ms = 1000,
                       .log_bytes = -1,
                       .cores = -1,
                       .memory = -1};

    (void)payload;
    emit(to, &app);
    return NB_OK;
}

static nb_app *
open_app(void *payload, nb_str id, nb_str attempt)
{
    (void)attempt;
    if (!nb_str_equal(id, NB_STR("app-1"))) {
        return NULL;
    }
    nb_app_lock(payload);
    return payload;
}

static void
close_app(void *payload, nb_app *app)
{
    (void)payload;
    nb_app_unlock(app);
}

static bool
kill_query(void *payload, nb_str app_id, int64_t execution)
{
    (void)payload;
    return app_id.len > 0 && execution > 0;
}

static nb_status
handle(void *payload, const nb_http_request *request, nb_str path, nb_http_answer *answer)
{
    head *h = payload;

    h->reached = true;
    NB_ASSERT(path.len > 0 && path.data[0] == '/' && nb_utf8_is_valid(path.data, path.len));
    NB_ASSERT(memmem(path.data, path.len, "/../", 4) == NULL);
    NB_ASSERT(!nb_str_ends_with(path, NB_STR("/..")));
    return nb_site_handle(h->site, request, path, answer);
}

/* ---- one input ------------------------------------------------------------------------------- */

static void
fill_app(nb_app *app, const char *events)
{
    nb_app_lock(app);
    while (*events) {
        size_t len = strcspn(events, "\n");

        nb_app_take(app, (nb_str){events, len});
        events += len + (events[len] == '\n');
    }
    nb_app_unlock(app);
}

static void
ask(nb_http_gate *gate, head *h, const char *method, const char *url)
{
    nb_http_request r = {.value = value_of, .head = h, .arena = nb_arena_new(NULL)};
    nb_http_answer a = {0};
    bool set_cookie = false;

    if (r.arena == NULL) {
        return;
    }
    if (nb_http_admit(gate, &r, method, url, &a)) {
        nb_http_respond(gate, &r, url, &a, &set_cookie);
    }
    NB_ASSERT(a.file == 0);
    NB_ASSERT(a.status == 0 || (a.status >= 200 && a.status < 600));
    NB_ASSERT(!a.body.failed && (a.body.len == 0 || nb_utf8_is_valid(a.body.data, a.body.len)));
    NB_ASSERT(!set_cookie || gate->token.len > 0);
    nb_strbuf_free(&a.body);
    nb_arena_free(r.arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *line, *query, *method, *url, *next;
    nb_app *app = nb_app_new(NULL, (size_t)64 << 20);
    nb_site site = {.kind = NB_SITE_MASTER,
                    .title = "fuzz",
                    .payload = app,
                    .list_apps = list_apps,
                    .open_app = open_app,
                    .close_app = close_app,
                    .kill = kill_query};
    head h = {.site = &site};
    nb_http_gate gate = {.handler = handle, .payload = &h, .post_path = NB_STR("/api/v1/kill")};
    bool knows;

    if (text == NULL || app == NULL || size < 2) {
        goto done;
    }
    memcpy(text, data, size);
    text[size] = 0;
    knows = strstr(text, TOKEN) != NULL;
    gate.token = (text[0] & 1) ? NB_STR(TOKEN) : NB_STR("");
    gate.check_host = (text[0] & 2) != 0;
    next = strchr(text, '\n');
    if (next == NULL) {
        goto done;
    }
    method = next + 1;
    next = strchr(method, '\n');
    if (next != NULL) {
        *next++ = 0;
    }
    url = strchr(method, ' ');
    if (url == NULL) {
        goto done;
    }
    *url++ = 0;
    query = strchr(url, '?');
    if (query != NULL) {
        *query++ = 0;
        add_pairs(&h, NB_HTTP_ARGUMENT, query, "&");
    }
    while (next != NULL && *next != '\n' && *next != 0) {
        char *is;

        line = next;
        next = strchr(line, '\n');
        if (next != NULL) {
            *next++ = 0;
        }
        is = strchr(line, ':');
        if (is == NULL) {
            continue;
        }
        *is++ = 0;
        is += strspn(is, " ");
        if (strcasecmp(line, "Cookie") == 0) {
            add_pairs(&h, NB_HTTP_COOKIE, is, "; ");
        } else {
            add(&h, NB_HTTP_HEADER, line, is);
        }
    }
    if (next != NULL) {
        fill_app(app, next);
    }
    ask(&gate, &h, method, url);
    NB_ASSERT(!h.reached || knows || gate.token.len == 0);
done:
    nb_app_free(app);
    free(text);
    return 0;
}
