/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_server.c: a server of blocking handlers, asked by channels of the same process, many threads at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "rpc/call.h"
#include "rpc/server.h"

static atomic_int cancels_seen, released;

static nb_status
echo(nb_rpc_call *call, void *payload, nb_error *err)
{
    return nb_rpc_call_send(call, nb_rpc_call_request(call), err);
}

/* As many messages as the request says, of 1,000 bytes each. */
static nb_status
count(nb_rpc_call *call, void *payload, nb_error *err)
{
    char text[1000] = {0};
    int64_t n = 0;

    nb_str_to_int64(nb_rpc_call_request(call), &n);
    for (int64_t i = 0; i < n; i++) {
        snprintf(text, sizeof text, "%lld", (long long)i);
        NB_TRY(nb_rpc_call_send(call, (nb_str){text, sizeof text}, err));
    }
    return NB_OK;
}

static nb_status
sum(nb_rpc_call *call, void *payload, nb_error *err)
{
    nb_str message = nb_rpc_call_request(call);
    size_t total = 0;
    nb_status st;
    char text[32];

    do {
        total += message.len;
        st = nb_rpc_call_next(call, &message, err);
    } while (st == NB_OK);
    NB_TRY(st);
    snprintf(text, sizeof text, "%zu", total);
    return nb_rpc_call_send(call, nb_str_of(text), err);
}

static nb_status
raise_error(nb_rpc_call *call, void *payload, nb_error *err)
{
    return nb_raise(err, NB_COND_DIVIDE_BY_ZERO, "config", "x", NULL);
}

static nb_status
status(nb_rpc_call *call, void *payload, nb_error *err)
{
    nb_rpc_status s = {.code = NB_RPC_NOT_FOUND};

    nb_strbuf_adds(&s.message, "gone");
    nb_rpc_call_set_status(call, &s);
    return NB_OK;
}

typedef struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool woken;
} waiter;

static void
wake(void *payload)
{
    waiter *w = payload;

    pthread_mutex_lock(&w->lock);
    w->woken = true;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->lock);
}

static nb_status
hang(nb_rpc_call *call, void *payload, nb_error *err)
{
    waiter w = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};

    nb_rpc_call_on_cancel(call, wake, &w);
    pthread_mutex_lock(&w.lock);
    while (!w.woken) {
        pthread_cond_wait(&w.cond, &w.lock);
    }
    pthread_mutex_unlock(&w.lock);
    nb_rpc_call_on_cancel(call, NULL, NULL);
    atomic_fetch_add(&cancels_seen, 1);
    return NB_CANCELLED;
}

static atomic_int may_end, hurries;

/* One that hears nothing of a cancel. */
static nb_status
ignore(nb_rpc_call *call, void *payload, nb_error *err)
{
    while (!atomic_load(&may_end)) {
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    return NB_OK;
}

static void
hurry(void *payload)
{
    atomic_fetch_add((atomic_int *)payload, 1);
}

static void
count_release(void *payload)
{
    atomic_fetch_add(&released, 1);
}

static nb_status
pieces(nb_rpc_call *call, void *payload, nb_error *err)
{
    nb_rpc_piece list[3] = {{.bytes = NB_STR("abc")},
                            {NB_STR("def"), count_release, NULL},
                            {NB_STR("ghi"), count_release, NULL}};

    return nb_rpc_call_send_pieces(call, list, 3, err);
}

static nb_rpc_code
gate(nb_rpc_call *call, void *payload)
{
    nb_str token = nb_rpc_call_metadata(call, "authorization");

    return nb_rpc_secret_equal(token, NB_STR("Bearer secret")) ? NB_RPC_OK : NB_RPC_UNAUTHENTICATED;
}

static const nb_rpc_method METHODS[] = {
    {"/t/echo", echo, NULL, false, false},     {"/t/count", count, NULL, false, true},
    {"/t/sum", sum, NULL, true, false},        {"/t/fail", raise_error, NULL, false, false},
    {"/t/hang", hang, NULL, false, true},      {"/t/status", status, NULL, false, false},
    {"/t/pieces", pieces, NULL, false, false}, {"/t/ignore", ignore, NULL, false, true},
};

typedef struct world {
    int stop_limit_ms; /* 0: the default */
    nb_rpc_server *server;
    nb_rpc_channel *channel;
    int port;
} world;

static void
start(world *w, const char *token)
{
    nb_rpc_server_options options = NB_RPC_SERVER_OPTIONS_INIT;
    nb_rpc_channel_options c = NB_RPC_CHANNEL_OPTIONS_INIT;
    char target[64];
    nb_error err = NB_ERROR_INIT;

    options.gate = gate;
    options.max_request_bytes = 1 << 20;
    options.request_timeout_ms = 300;
    options.hurry = hurry;
    options.hurry_payload = &hurries;
    if (w->stop_limit_ms) {
        options.stop_limit_ms = w->stop_limit_ms;
    }
    assert_int_equal(nb_rpc_server_new(&options, &w->server, &err), NB_OK);
    assert_int_equal(nb_rpc_server_add(w->server, METHODS, NB_COUNT_OF(METHODS), &err), NB_OK);
    assert_int_equal(nb_rpc_server_listen(w->server, "127.0.0.1:0", NULL, &w->port, &err), NB_OK);
    assert_int_equal(nb_rpc_server_start(w->server, &err), NB_OK);
    snprintf(target, sizeof target, "127.0.0.1:%d", w->port);
    c.target = nb_str_of(target);
    c.token = nb_str_of(token);
    assert_int_equal(nb_rpc_channel_new(&c, &w->channel, &err), NB_OK);
}

static void
stop(world *w)
{
    nb_rpc_channel_release(w->channel);
    nb_rpc_server_free(w->server);
}

/* The answer's text, or "!CODE". */
static void
ask(world *w, const char *path, nb_str request, char out[64])
{
    nb_rpc_piece piece = NB_RPC_PIECE(request);
    nb_rpc_options options = {.deadline_ms = 20000};
    nb_rpc_status s = NB_RPC_STATUS_INIT;
    nb_rpc_message *answer = NULL;
    nb_error err = NB_ERROR_INIT;
    size_t n;

    if (nb_rpc_unary(w->channel, path, &piece, &options, &answer, &s, &err) == NB_OK) {
        n = NB_MIN(nb_rpc_message_size(answer), (size_t)63);
        nb_rpc_message_read(answer, 0, n, out);
        out[n] = 0;
    } else {
        snprintf(out, 64, "!%s%s%s", nb_rpc_code_name(s.code), *nb_error_name(&err) ? " " : "",
                 nb_error_name(&err));
    }
    nb_rpc_message_free(answer);
    nb_rpc_status_clear(&s);
    nb_error_clear(&err);
}

static void
test_server__answers(void **state)
{
    static char large[(1 << 20) + 100];
    char out[64];
    world w = {0};

    start(&w, "secret");
    ask(&w, "/t/echo", NB_STR("hello"), out);
    assert_string_equal(out, "hello");
    ask(&w, "/t/echo", NB_STR(""), out);
    assert_string_equal(out, "");
    ask(&w, "/t/fail", NB_STR("x"), out);
    assert_string_equal(out, "!INTERNAL DIVIDE_BY_ZERO");
    ask(&w, "/t/status", NB_STR("x"), out);
    assert_string_equal(out, "!NOT_FOUND");
    ask(&w, "/t/nothing", NB_STR("x"), out);
    assert_string_equal(out, "!UNIMPLEMENTED");
    ask(&w, "/t/echo", (nb_str){large, sizeof large}, out);
    assert_string_equal(out, "!RESOURCE_EXHAUSTED");
    atomic_store(&released, 0);
    ask(&w, "/t/pieces", NB_STR("x"), out);
    assert_string_equal(out, "abcdefghi");
    stop(&w);
    assert_int_equal(atomic_load(&released), 2);
}

static void
test_server__gate(void **state)
{
    static const char *const TOKENS[] = {"", "wrong", "secretsecret", "secre"};
    char out[64];

    for (size_t i = 0; i < NB_COUNT_OF(TOKENS); i++) {
        world w = {0};
        start(&w, TOKENS[i]);
        for (size_t m = 0; m < NB_COUNT_OF(METHODS); m++) {
            ask(&w, METHODS[m].path, NB_STR("x"), out);
            assert_string_equal(out, "!UNAUTHENTICATED");
        }
        ask(&w, "/t/nothing", NB_STR("x"), out);
        assert_string_equal(out, "!UNAUTHENTICATED");
        stop(&w);
    }
}

static void
test_server__streams(void **state)
{
    nb_rpc_piece request = NB_RPC_PIECE(NB_STR("5000"));
    nb_rpc_options options = {.deadline_ms = 60000};
    nb_rpc_stream *stream;
    nb_rpc_message *m;
    nb_error err = NB_ERROR_INIT;
    int n = 0;
    world w = {0};

    start(&w, "secret");
    assert_int_equal(nb_rpc_open(w.channel, "/t/count", &request, true, &options, &stream, &err),
                     NB_OK);
    while (nb_rpc_receive(stream, &m, NULL, &err) == NB_OK) {
        char text[1000];
        assert_int_equal(nb_rpc_message_size(m), sizeof text);
        nb_rpc_message_read(m, 0, sizeof text, text);
        assert_int_equal(atoi(text), n++);
        nb_rpc_message_free(m);
    }
    assert_false(err.set);
    assert_int_equal(n, 5000);
    nb_rpc_close(stream);

    request = NB_RPC_PIECE(NB_STR("abc"));
    assert_int_equal(nb_rpc_open(w.channel, "/t/sum", &request, false, &options, &stream, &err),
                     NB_OK);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(nb_rpc_send(stream, &request, &err), NB_OK);
    }
    assert_int_equal(nb_rpc_send_end(stream), NB_OK);
    assert_int_equal(nb_rpc_receive(stream, &m, NULL, &err), NB_OK);
    assert_int_equal(nb_rpc_message_size(m), 3);
    nb_rpc_message_free(m);
    nb_rpc_close(stream);
    stop(&w);
}

/* A client that goes away, in a wait and while the server sends; and a client stream that stops in the middle. */
static void
test_server__clients_that_go(void **state)
{
    nb_rpc_piece request = NB_RPC_PIECE(NB_STR("100000"));
    nb_rpc_options options = {.deadline_ms = 20000};
    nb_rpc_status s = NB_RPC_STATUS_INIT;
    nb_rpc_stream *stream;
    nb_rpc_message *m;
    nb_error err = NB_ERROR_INIT;
    world w = {0};

    start(&w, "secret");
    atomic_store(&cancels_seen, 0);
    for (int i = 0; i < 20; i++) {
        nb_rpc_open(w.channel, i % 2 ? "/t/hang" : "/t/count", &request, true, &options, &stream,
                    &err);
        if (i % 2 == 0) {
            assert_int_equal(nb_rpc_receive(stream, &m, NULL, &err), NB_OK);
            nb_rpc_message_free(m);
        } else {
            nanosleep(&(struct timespec){0, 2000000}, NULL);
        }
        nb_rpc_close(stream);
    }
    nb_rpc_open(w.channel, "/t/sum", &request, false, &options, &stream, &err);
    assert_int_equal(nb_rpc_receive(stream, &m, &s, &err), NB_ERROR);
    assert_int_equal(s.code, NB_RPC_DEADLINE_EXCEEDED); /* after request_timeout_ms */
    nb_rpc_status_clear(&s);
    nb_error_clear(&err);
    nb_rpc_close(stream);
    for (int i = 0; i < 500 && nb_rpc_server_calls(w.server) > 0; i++) {
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    }
    assert_int_equal(nb_rpc_server_calls(w.server), 0);
    stop(&w);
}

/* A stop while handlers wait ends them. */
static void
test_server__stops_with_calls(void **state)
{
    nb_rpc_piece request = NB_RPC_PIECE(NB_STR("x"));
    nb_rpc_options options = {.deadline_ms = 20000};
    nb_rpc_stream *streams[20];
    nb_error err = NB_ERROR_INIT;
    char out[64];
    world w = {0};

    start(&w, "secret");
    ask(&w, "/t/echo", NB_STR("x"), out);
    atomic_store(&cancels_seen, 0);
    for (int i = 0; i < 20; i++) {
        nb_rpc_open(w.channel, "/t/hang", &request, true, &options, &streams[i], &err);
    }
    while (nb_rpc_server_calls(w.server) < 20) {
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    nanosleep(&(struct timespec){0, 50000000}, NULL);
    nb_rpc_server_stop(w.server, 20);
    assert_int_equal(atomic_load(&cancels_seen), 20);
    for (int i = 0; i < 20; i++) {
        nb_rpc_close(streams[i]);
    }
    stop(&w);
}

/* A handler that does not end is given up, which is said; when it ends after all the server can be freed. */
static void
test_server__handlers_that_hang(void **state)
{
    nb_rpc_piece request = NB_RPC_PIECE(NB_STR("x"));
    nb_rpc_options options = {.deadline_ms = 20000};
    nb_rpc_stream *stream;
    nb_error err = NB_ERROR_INIT;
    world w = {.stop_limit_ms = 50};

    start(&w, "secret");
    atomic_store(&may_end, 0);
    atomic_store(&hurries, 0);
    assert_int_equal(nb_rpc_open(w.channel, "/t/ignore", &request, true, &options, &stream, &err),
                     NB_OK);
    while (nb_rpc_server_calls(w.server) < 1) {
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    nanosleep(&(struct timespec){0, 50000000}, NULL);
    assert_false(nb_rpc_server_stop(w.server, 10));
    assert_int_equal(atomic_load(&hurries), 1);
    assert_false(nb_rpc_server_stop(w.server, 10));
    assert_int_equal(nb_rpc_server_calls(w.server), 1);
    atomic_store(&may_end, 1);
    nb_rpc_close(stream);
    stop(&w);
}

/* Many handlers that wait do not keep a short one from its answer, and what waits is answered in the end. */
static void
test_server__waiting_handlers(void **state)
{
    nb_rpc_piece request = NB_RPC_PIECE(NB_STR("x"));
    nb_rpc_options options = {.deadline_ms = 60000};
    nb_rpc_stream *streams[64];
    nb_rpc_message *m;
    nb_error err = NB_ERROR_INIT;
    char out[64];
    world w = {0};

    start(&w, "secret");
    atomic_store(&may_end, 0);
    for (int i = 0; i < 64; i++) {
        nb_rpc_open(w.channel, "/t/ignore", &request, true, &options, &streams[i], &err);
    }
    for (int i = 0; i < 20; i++) {
        ask(&w, "/t/echo", NB_STR("short"), out);
        assert_string_equal(out, "short");
    }
    atomic_store(&may_end, 1);
    for (int i = 0; i < 64; i++) {
        assert_int_equal(nb_rpc_receive(streams[i], &m, NULL, &err), NB_DONE);
        nb_rpc_close(streams[i]);
    }
    stop(&w);
}

static void *
ask_often(void *payload)
{
    char out[64], text[32];

    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "%p %d", (void *)&out, i);
        ask(payload, "/t/echo", nb_str_of(text), out);
        if (strcmp(out, text) != 0) {
            return "wrong answer";
        }
    }
    return NULL;
}

static void
test_server__many_threads(void **state)
{
    pthread_t threads[16];
    void *fault;
    world w = {0};

    start(&w, "secret");
    for (int i = 0; i < 16; i++) {
        pthread_create(&threads[i], NULL, ask_often, &w);
    }
    for (int i = 0; i < 16; i++) {
        pthread_join(threads[i], &fault);
        assert_null(fault);
    }
    stop(&w);
}

static void
test_server__what_cannot_listen(void **state)
{
    nb_rpc_server_options options = NB_RPC_SERVER_OPTIONS_INIT;
    nb_rpc_tls tls = {NB_STR("no certificate"), NB_STR("no key"), NB_STR("")};
    nb_rpc_server *server;
    nb_error err = NB_ERROR_INIT;
    char address[64];
    world w = {0};

    start(&w, "secret");
    snprintf(address, sizeof address, "127.0.0.1:%d", w.port);
    assert_int_equal(nb_rpc_server_new(&options, &server, &err), NB_OK);
    assert_int_equal(nb_rpc_server_listen(server, address, NULL, NULL, &err), NB_ERROR);
    assert_string_equal(nb_error_name(&err), "CONNECT_CANNOT_LISTEN");
    nb_error_clear(&err);
    assert_int_equal(nb_rpc_server_listen(server, "127.0.0.1:0", &tls, NULL, &err), NB_ERROR);
    nb_error_clear(&err);
    assert_int_equal(nb_rpc_server_listen(server, "no address", NULL, NULL, &err), NB_ERROR);
    nb_error_clear(&err);
    nb_rpc_server_free(server);
    stop(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server__answers),
        cmocka_unit_test(test_server__gate),
        cmocka_unit_test(test_server__streams),
        cmocka_unit_test(test_server__clients_that_go),
        cmocka_unit_test(test_server__stops_with_calls),
        cmocka_unit_test(test_server__handlers_that_hang),
        cmocka_unit_test(test_server__waiting_handlers),
        cmocka_unit_test(test_server__many_threads),
        cmocka_unit_test(test_server__what_cannot_listen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
