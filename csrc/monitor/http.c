/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.c: see http.h; on libmicrohttpd with a few threads.
 *
 * Slow clients  the library closes a connection that makes no progress. A client that makes a little again and again would keep it open
 *               for ever, so every connection is on a list with the time since when it has been busy with one thing (sending its
 *               head, taking its answer); a thread looks at the list each second and shuts down what took too long.
 * Library       it is loaded when the first listener starts: programs that never serve a page do not pay for it (with TLS below it, it
 *               takes milliseconds to load).
 * Requests      who is let in, and what becomes of a path: http_request.c.
 */
#include "monitor/http_internal.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/arena.h"
#include "base/ascii.h"
#include "base/clock.h"
#include "base/pool.h"

#define THREADS     8
#define HEAD_BYTES  ((size_t)32 * 1024)
#define BODY_BYTES  ((size_t)64 * 1024)
#define FILE_BLOCKS ((size_t)256 * 1024)

typedef struct connection {
    struct connection *next, **at;
    int fd;
    bool answering;
    int64_t since_ms;
} connection;

struct nb_http {
    nb_pool *pool;
    struct MHD_Daemon *daemon;
    nb_http_gate gate;
    nb_strbuf token, post_path; /* of the gate */
    int port, head_seconds, answer_seconds;
    pthread_mutex_t lock; /* connections, stop */
    pthread_cond_t wake;
    connection *connections;
    bool stop, has_reaper;
    pthread_t reaper;
};

typedef struct taken_request {
    nb_http_request base;
    size_t body;
} taken_request;

/* clang-format off */
#define MHD_FUNCTIONS(F) \
    F(start_daemon) \
    F(stop_daemon) \
    F(get_connection_info) \
    F(lookup_connection_value) \
    F(create_response_from_buffer) \
    F(create_response_from_fd64) \
    F(add_response_header) \
    F(queue_response) \
    F(destroy_response)
/* clang-format on */

#define POINTER(name) __typeof__(MHD_##name) *name;
static struct {
    bool ready;
    MHD_FUNCTIONS(POINTER)
} mhd;
#undef POINTER

static void
load_library(void)
{
    void *lib = dlopen("libmicrohttpd.so.12", RTLD_NOW | RTLD_LOCAL);

    if (!lib) {
        return;
    }
    mhd.ready = true;
#define LOAD(name)                                             \
    mhd.name = (__typeof__(mhd.name))dlsym(lib, "MHD_" #name); \
    mhd.ready &= mhd.name != NULL;
    MHD_FUNCTIONS(LOAD)
#undef LOAD
}

/* ---- slow clients ---------------------------------------------------------------------------- */

static int64_t
mono_ms(void)
{
    return nb_clock_mono_ns() / 1000000;
}

static void
on_connection(void *payload, struct MHD_Connection *c, void **context,
              enum MHD_ConnectionNotificationCode code)
{
    nb_http *h = payload;
    connection *k = *context;

    pthread_mutex_lock(&h->lock);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            mhd.get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);

        k = nb_pool_zalloc(h->pool, sizeof(*k));
        if (k && info) {
            k->fd = info->connect_fd;
            k->since_ms = mono_ms();
            k->next = h->connections;
            k->at = &h->connections;
            if (k->next) {
                k->next->at = &k->next;
            }
            h->connections = k;
        }
        *context = k;
    } else if (k) {
        if (k->at) {
            *k->at = k->next;
            if (k->next) {
                k->next->at = k->at;
            }
        }
        nb_pool_dealloc(h->pool, k, sizeof(*k));
        *context = NULL;
    }
    pthread_mutex_unlock(&h->lock);
}

static void
set_phase(nb_http *h, struct MHD_Connection *c, bool answering)
{
    const union MHD_ConnectionInfo *info =
        mhd.get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    connection *k = info ? info->socket_context : NULL;

    if (k) {
        pthread_mutex_lock(&h->lock);
        k->answering = answering;
        k->since_ms = mono_ms();
        pthread_mutex_unlock(&h->lock);
    }
}

static void *
reap(void *payload)
{
    nb_http *h = payload;

    pthread_mutex_lock(&h->lock);
    while (!h->stop) {
        struct timespec until;
        int64_t now = mono_ms();

        for (connection *k = h->connections; k; k = k->next) {
            int limit = k->answering ? h->answer_seconds : h->head_seconds;

            if (now - k->since_ms > (int64_t)limit * 1000) {
                shutdown(k->fd, SHUT_RDWR); /* the library notices and closes it */
            }
        }
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec++;
        pthread_cond_timedwait(&h->wake, &h->lock, &until);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

/* ---- answers --------------------------------------------------------------------------------- */

static enum MHD_Result
send_answer(struct MHD_Connection *c, nb_http_answer *a, const nb_http *h, bool set_cookie)
{
    static const char *const headers[][2] = {
        {"Content-Security-Policy",
         "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
         "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
         "frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
    };
    struct MHD_Response *r;
    enum MHD_Result sent;
    struct stat st;

    if (a->file > 0) {
        r = fstat(a->file, &st) == 0 ? mhd.create_response_from_fd64((uint64_t)st.st_size, a->file)
                                     : NULL;
    } else if (a->body.len > 0 && !a->body.failed) {
        r = mhd.create_response_from_buffer(a->body.len, a->body.data, MHD_RESPMEM_MUST_COPY);
    } else {
        r = mhd.create_response_from_buffer(a->fixed.len, (void *)(uintptr_t)a->fixed.data,
                                            MHD_RESPMEM_PERSISTENT);
    }
    nb_strbuf_free(&a->body);
    if (!r) {
        return MHD_NO;
    }
    for (size_t i = 0; i < NB_COUNT_OF(headers); i++) {
        mhd.add_response_header(r, headers[i][0], headers[i][1]);
    }
    mhd.add_response_header(r, "Content-Type", a->type ? a->type : "application/json");
    mhd.add_response_header(r, "Cache-Control", a->cacheable ? "no-cache" : "no-store");
    if (a->location) {
        mhd.add_response_header(r, "Location", a->location);
    }
    if (a->status == 401) {
        mhd.add_response_header(r, "WWW-Authenticate", "Bearer");
    }
    if (a->file_name[0]) {
        char text[320];

        snprintf(text, sizeof(text), "attachment; filename=\"%s\"", a->file_name);
        mhd.add_response_header(r, "Content-Disposition", text);
    }
    if (set_cookie) {
        char text[400];

        snprintf(text, sizeof(text), NB_HTTP_COOKIE_NAME "=%s; HttpOnly; SameSite=Strict; Path=/",
                 h->token.data);
        mhd.add_response_header(r, "Set-Cookie", text);
    }
    sent = mhd.queue_response(c, (unsigned)(a->status ? a->status : 200), r);
    mhd.destroy_response(r);
    return sent;
}

/* ---- requests -------------------------------------------------------------------------------- */

static const char *
value_of(void *head, nb_http_place place, const char *name)
{
    static const enum MHD_ValueKind kinds[] = {[NB_HTTP_HEADER] = MHD_HEADER_KIND,
                                               [NB_HTTP_ARGUMENT] = MHD_GET_ARGUMENT_KIND,
                                               [NB_HTTP_COOKIE] = MHD_COOKIE_KIND};

    return mhd.lookup_connection_value(head, kinds[place], name);
}

static enum MHD_Result
on_request(void *payload, struct MHD_Connection *c, const char *url, const char *method,
           const char *version, const char *data, size_t *data_size, void **context)
{
    nb_http *h = payload;
    taken_request *r = *context;
    nb_http_answer a = {0};
    bool set_cookie;

    (void)version;
    (void)data;
    if (!r) { /* the head is complete */
        nb_arena *arena = nb_arena_new(h->pool);

        r = arena ? NB_ARENA_NEW(arena, taken_request) : NULL;
        if (!r) {
            nb_arena_free(arena);
            return MHD_NO;
        }
        *r = (taken_request){.base = {.value = value_of, .head = c, .arena = arena}};
        *context = r;
        set_phase(h, c, true);
        return nb_http_admit(&h->gate, &r->base, method, url, &a) ? MHD_YES
                                                                  : send_answer(c, &a, h, false);
    }
    if (*data_size > 0) {
        r->body += *data_size;
        *data_size = 0;
        return r->body > BODY_BYTES ? MHD_NO : MHD_YES;
    }
    nb_http_respond(&h->gate, &r->base, url, &a, &set_cookie);
    return send_answer(c, &a, h, set_cookie);
}

static void
on_completed(void *payload, struct MHD_Connection *c, void **context,
             enum MHD_RequestTerminationCode code)
{
    taken_request *r = *context;

    (void)code;
    if (r) {
        nb_arena_free(r->base.arena);
        *context = NULL;
    }
    set_phase(payload, c, false);
}

/* Paths and queries are decoded by us, once. */
static size_t
leave_as_is(void *payload, struct MHD_Connection *c, char *text)
{
    (void)payload;
    (void)c;
    return strlen(text);
}

/* ---- life ------------------------------------------------------------------------------------ */

static bool
is_loopback(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET) {
        return (ntohl(((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr) >> 24) == 127;
    }
    return a->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
}

/* A listening socket; *loopback says what it is bound to. */
static nb_status
cannot(const char *address, const char *reason, nb_error *err)
{
    return nb_raise(err, NB_COND_WEB_PAGES_NOT_STARTED, "address", address, "reason", reason, NULL);
}

static nb_status
listen_on(const nb_http_options *o, int *fd_out, int *port_out, bool *loopback, nb_error *err)
{
    const char *host = o->host && *o->host ? o->host : "127.0.0.1";
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list = NULL;
    int on = 1, code = 0;

    if (getaddrinfo(host, NULL, &hints, &list) != 0 || !list) {
        return cannot(host, "no such address", err);
    }
    *loopback = is_loopback(list->ai_addr);
    if (!*loopback && o->token.len == 0 && !o->insecure) {
        freeaddrinfo(list);
        return cannot(host, "others than this machine are let in only with a token or --insecure",
                      err);
    }
    for (int i = 0; i <= o->port_tries; i++) {
        struct sockaddr_storage bound;
        socklen_t size = sizeof(bound);
        int port = o->port > 0 ? o->port + i : 0;
        int fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0) {
            code = errno;
            break;
        }
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (list->ai_family == AF_INET6) {
            ((struct sockaddr_in6 *)(void *)list->ai_addr)->sin6_port = htons((uint16_t)port);
        } else {
            ((struct sockaddr_in *)(void *)list->ai_addr)->sin_port = htons((uint16_t)port);
        }
        if (port <= 65535 && bind(fd, list->ai_addr, list->ai_addrlen) == 0 &&
            listen(fd, 128) == 0 && getsockname(fd, (struct sockaddr *)&bound, &size) == 0) {
            *port_out = ntohs(bound.ss_family == AF_INET6
                                  ? ((struct sockaddr_in6 *)(void *)&bound)->sin6_port
                                  : ((struct sockaddr_in *)(void *)&bound)->sin_port);
            *fd_out = fd;
            freeaddrinfo(list);
            return NB_OK;
        }
        code = errno;
        close(fd);
        if (code != EADDRINUSE) {
            break;
        }
    }
    freeaddrinfo(list);
    return cannot(host, strerror(code), err);
}

static bool
good_token(nb_str token)
{
    for (size_t i = 0; i < token.len; i++) {
        char c = token.data[i];

        if (!(nb_is_word(c) || c == '-' || c == '.' || c == '~')) {
            return false;
        }
    }
    return token.len <= 256;
}

nb_status
nb_http_start(const nb_http_options *o, nb_http_handler handler, void *payload, nb_http **out,
              nb_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    nb_pool *pool;
    nb_http *h;
    nb_status st;
    bool loopback = true;
    int fd = -1;

    pthread_once(&once, load_library);
    if (!mhd.ready) {
        return cannot(o->host ? o->host : "127.0.0.1",
                      "the library libmicrohttpd.so.12 is not installed", err);
    }
    if (!good_token(o->token)) {
        return cannot(o->host ? o->host : "127.0.0.1",
                      "a token is at most 256 letters, digits and signs of -_.~", err);
    }
    pool = nb_pool_new(NULL, "http", 0);
    h = pool ? nb_pool_zalloc(pool, sizeof(*h)) : NULL;
    if (!h) {
        nb_pool_free(pool);
        return NB_NOMEM;
    }
    h->pool = pool;
    h->head_seconds = o->head_seconds > 0 ? o->head_seconds : 10;
    h->answer_seconds = o->answer_seconds > 0 ? o->answer_seconds : 120;
    nb_strbuf_add(&h->token, o->token);
    nb_strbuf_add(&h->post_path, o->post_path);
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->wake, NULL);
    st = NB_NOMEM;
    if (h->token.failed || h->post_path.failed) {
        goto fail;
    }
    NB_TRY_GOTO(st, listen_on(o, &fd, &h->port, &loopback, err), fail);
    h->gate = (nb_http_gate){.handler = handler,
                             .payload = payload,
                             .token = nb_strbuf_str(&h->token),
                             .post_path = nb_strbuf_str(&h->post_path),
                             .check_host = loopback && o->token.len == 0};
    h->daemon = mhd.start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, h, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)THREADS, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)NB_MAX(o->max_connections > 0 ? o->max_connections : 512, THREADS),
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(o->idle_seconds > 0 ? o->idle_seconds : 30),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEAD_BYTES, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
        h, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_UNESCAPE_CALLBACK, leave_as_is,
        NULL, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (!h->daemon) {
        st = cannot(o->host ? o->host : "127.0.0.1", strerror(errno), err);
        goto fail;
    }
    fd = -1; /* the daemon closes it */
    h->has_reaper = pthread_create(&h->reaper, NULL, reap, h) == 0;
    *out = h;
    return NB_OK;
fail:
    if (fd >= 0) {
        close(fd);
    }
    nb_http_stop(h);
    return st;
}

void
nb_http_stop(nb_http *h)
{
    nb_pool *pool;

    if (!h) {
        return;
    }
    if (h->daemon) {
        mhd.stop_daemon(h->daemon);
    }
    if (h->has_reaper) {
        pthread_mutex_lock(&h->lock);
        h->stop = true;
        pthread_cond_signal(&h->wake);
        pthread_mutex_unlock(&h->lock);
        pthread_join(h->reaper, NULL);
    }
    pool = h->pool;
    nb_strbuf_free(&h->token);
    nb_strbuf_free(&h->post_path);
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->wake);
    nb_pool_dealloc(pool, h, sizeof(*h));
    nb_pool_free(pool);
}

int
nb_http_port(const nb_http *h)
{
    return h->port;
}
