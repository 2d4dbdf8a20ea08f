/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_channel.c: channels against servers that come late, go away, hang or send much; a server in the same process.
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
#include "base/clock.h"
#include "rpc/retry.h"
#include "rpc/server.h"

#define BIG_BYTES 300000

static atomic_int released, posts_seen, hangs;

static nb_status
echo(nb_rpc_call *call, void *payload, nb_error *err)
{
    atomic_fetch_add(&posts_seen, 1);
    return nb_rpc_call_send(call, nb_rpc_call_request(call), err);
}

/* Messages of BIG_BYTES without end, byte i of message m being (i * 7 + m) % 251. */
static nb_status
flood(nb_rpc_call *call, void *payload, nb_error *err)
{
    uint8_t *bytes = malloc(BIG_BYTES);
    nb_status st = NB_OK;

    for (int m = 0; st == NB_OK; m++) {
        for (int i = 0; i < BIG_BYTES; i++) {
            bytes[i] = (uint8_t)((i * 7 + m) % 251);
        }
        st = nb_rpc_call_send(call, (nb_str){(char *)bytes, BIG_BYTES}, err);
    }
    free(bytes);
    return st;
}

static nb_status
hang(nb_rpc_call *call, void *payload, nb_error *err)
{
    const nb_cancel_flag *gone = nb_rpc_call_cancelled(call);

    atomic_fetch_add(&hangs, 1);
    while (!atomic_load(&gone->requested)) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return NB_CANCELLED;
}

static nb_status
say_header(nb_rpc_call *call, void *payload, nb_error *err)
{
    nb_strbuf text = {0};
    nb_status st;

    nb_strbuf_add(&text, nb_rpc_call_metadata(call, "x-of-channel"));
    nb_strbuf_addc(&text, '|');
    nb_strbuf_add(&text, nb_rpc_call_metadata(call, "x-of-call"));
    nb_strbuf_addc(&text, '|');
    nb_strbuf_add(&text, nb_rpc_call_metadata(call, "authorization"));
    st = nb_rpc_call_send(call, nb_strbuf_str(&text), err);
    nb_strbuf_free(&text);
    return st;
}

/* Names as long as real ones: gRPC keeps short texts in place, and a lost reference to one would not show. */
static const nb_rpc_method METHODS[] = {
    {"/nbaspark.tests.rpc.Channel/echo", echo, NULL, false, false},
    {"/nbaspark.tests.rpc.Channel/flood", flood, NULL, false, true},
    {"/nbaspark.tests.rpc.Channel/hang", hang, NULL, false, true},
    {"/nbaspark.tests.rpc.Channel/header", say_header, NULL, false, false},
};

static nb_rpc_server *
serve(int *port)
{
    nb_rpc_server_options options = NB_RPC_SERVER_OPTIONS_INIT;
    nb_error err = NB_ERROR_INIT;
    nb_rpc_server *server = NULL;
    char address[64];

    snprintf(address, sizeof address, "127.0.0.1:%d", *port);
    assert_int_equal(nb_rpc_server_new(&options, &server, &err), NB_OK);
    assert_int_equal(nb_rpc_server_add(server, METHODS, NB_COUNT_OF(METHODS), &err), NB_OK);
    assert_int_equal(nb_rpc_server_listen(server, address, NULL, port, &err), NB_OK);
    assert_int_equal(nb_rpc_server_start(server, &err), NB_OK);
    return server;
}

static nb_rpc_channel *
connect_to(int port)
{
    nb_rpc_channel_options options = NB_RPC_CHANNEL_OPTIONS_INIT;
    nb_rpc_header header = {NB_STR("x-of-channel"), NB_STR("one")};
    nb_error err = NB_ERROR_INIT;
    nb_rpc_channel *channel = NULL;
    char target[64];

    snprintf(target, sizeof target, "127.0.0.1:%d", port);
    options.target = nb_str_of(target);
    options.token = NB_STR("secret");
    options.headers = &header;
    options.n_headers = 1;
    assert_int_equal(nb_rpc_channel_new(&options, &channel, &err), NB_OK);
    assert_true(nb_str_equal(nb_rpc_channel_target(channel), options.target));
    return channel;
}

static nb_status
ask(nb_rpc_channel *channel, const char *method, nb_str request, const nb_rpc_options *options,
    char out[128], nb_rpc_status *status)
{
    nb_rpc_piece piece = NB_RPC_PIECE(request);
    nb_rpc_message *answer = NULL;
    nb_error err = NB_ERROR_INIT;
    nb_status st = nb_rpc_unary(channel, method, &piece, options, &answer, status, &err);
    size_t n;

    if (st == NB_OK) {
        n = NB_MIN(nb_rpc_message_size(answer), (size_t)127);
        nb_rpc_message_read(answer, 0, n, out);
        out[n] = 0;
    }
    assert_true(st != NB_ERROR || err.set);
    nb_rpc_message_free(answer);
    nb_error_clear(&err);
    return st;
}

static void
test_channel__headers(void **state)
{
    nb_rpc_header header = {NB_STR("x-of-call"), NB_STR("two")};
    nb_rpc_options options = {.headers = &header, .n_headers = 1, .deadline_ms = 20000};
    nb_rpc_channel_options bad = {
        .target = NB_STR("localhost:1"), .headers = &header, .n_headers = 1};
    nb_error err = NB_ERROR_INIT;
    nb_rpc_channel *channel, *none = NULL;
    nb_rpc_server *server;
    char text[128];
    int port = 0;

    server = serve(&port);
    channel = connect_to(port);
    assert_int_equal(
        ask(channel, "/nbaspark.tests.rpc.Channel/header", NB_STR(""), &options, text, NULL),
        NB_OK);
    assert_string_equal(text, "one|two|Bearer secret");
    header.value = NB_STR("line\nbreak");
    assert_int_equal(
        ask(channel, "/nbaspark.tests.rpc.Channel/header", NB_STR(""), &options, text, NULL),
        NB_ERROR);
    assert_int_equal(nb_rpc_channel_new(&bad, &none, &err), NB_ERROR);
    nb_error_clear(&err);
    nb_rpc_channel_release(channel);
    nb_rpc_server_free(server);
}

/* ---- servers that are not there ---- */

typedef struct late {
    int port;
    nb_rpc_server *server;
} late;

static void *
serve_late(void *payload)
{
    late *l = payload;

    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    l->server = serve(&l->port);
    return NULL;
}

static void
test_channel__server_restarts(void **state)
{
    nb_rpc_retry_policy policy = {40, 1.5, 10, 100, 0, 1000};
    nb_rpc_options options = {.deadline_ms = 20000};
    nb_rpc_status status = NB_RPC_STATUS_INIT;
    nb_rpc_piece hello = {NB_STR("hello"), NULL, NULL};
    nb_error err = NB_ERROR_INIT;
    nb_rpc_message *answer = NULL;
    nb_rpc_channel *channel;
    pthread_t thread;
    late l = {0, NULL};
    char text[128];

    l.server = serve(&l.port);
    channel = connect_to(l.port);
    assert_int_equal(
        ask(channel, "/nbaspark.tests.rpc.Channel/echo", NB_STR("a"), &options, text, NULL), NB_OK);
    nb_rpc_server_free(l.server);
    assert_int_equal(
        ask(channel, "/nbaspark.tests.rpc.Channel/echo", NB_STR("b"), &options, text, &status),
        NB_ERROR);
    assert_int_equal(status.code, NB_RPC_UNAVAILABLE);
    assert_true(nb_rpc_retry_allowed(&status));
    nb_rpc_status_clear(&status);
    assert_int_equal(pthread_create(&thread, NULL, serve_late, &l), 0);
    assert_int_equal(nb_rpc_unary_retried(channel, "/nbaspark.tests.rpc.Channel/echo", &hello,
                                          &options, &policy, &answer, &status, &err),
                     NB_OK);
    assert_int_equal(nb_rpc_message_size(answer), 5);
    nb_rpc_message_free(answer);
    pthread_join(thread, NULL);
    nb_rpc_channel_release(channel);
    nb_rpc_server_free(l.server);
}

static void
test_channel__gives_up(void **state)
{
    nb_rpc_retry_policy policy = {3, 2.0, 5, 20, 0, 1000};
    nb_rpc_channel_options options = {.target = NB_STR("unix:/nonexistent/socket")};
    nb_rpc_options wait = {.deadline_ms = 100, .wait_for_ready = true};
    nb_rpc_status status = NB_RPC_STATUS_INIT;
    nb_error err = NB_ERROR_INIT;
    nb_cancel_flag cancel = {1};
    nb_rpc_options cancelled = {.cancel = &cancel};
    nb_rpc_message *answer = NULL;
    nb_rpc_piece piece = NB_RPC_PIECE(NB_STR("x"));
    nb_rpc_channel *channel = NULL;
    char text[128];

    assert_int_equal(nb_rpc_channel_new(&options, &channel, &err), NB_OK);
    assert_int_equal(nb_rpc_unary_retried(channel, "/nbaspark.tests.rpc.Channel/echo", &piece, NULL,
                                          &policy, &answer, &status, &err),
                     NB_ERROR);
    assert_int_equal(status.code, NB_RPC_UNAVAILABLE);
    nb_error_clear(&err);
    nb_rpc_status_clear(&status);
    assert_int_equal(
        ask(channel, "/nbaspark.tests.rpc.Channel/echo", NB_STR(""), &wait, text, &status),
        NB_ERROR);
    assert_int_equal(status.code, NB_RPC_DEADLINE_EXCEEDED);
    nb_rpc_status_clear(&status);
    assert_int_equal(
        ask(channel, "/nbaspark.tests.rpc.Channel/echo", NB_STR(""), &cancelled, text, NULL),
        NB_CANCELLED);
    nb_rpc_post(channel, "/nbaspark.tests.rpc.Channel/echo", NB_STR("lost"), 1000);
    nb_rpc_channel_release(channel);
}

/* ---- waiting ---- */

static bool
stop_at_third(void *payload)
{
    int *n = payload;

    return ++*n >= 3;
}

static void
test_channel__stops_waiting(void **state)
{
    int port = 0, asked = 0;
    nb_rpc_server *server = serve(&port);
    nb_rpc_channel *channel = connect_to(port);
    nb_rpc_options stop = {.stop = stop_at_third, .payload = &asked};
    nb_rpc_options deadline = {.deadline_ms = 50};
    nb_rpc_status status = NB_RPC_STATUS_INIT;
    char text[128];

    assert_int_equal(
        ask(channel, "/nbaspark.tests.rpc.Channel/hang", NB_STR(""), &stop, text, NULL),
        NB_CANCELLED);
    assert_true(asked >= 3);
    assert_int_equal(
        ask(channel, "/nbaspark.tests.rpc.Channel/hang", NB_STR(""), &deadline, text, &status),
        NB_ERROR);
    assert_int_equal(status.code, NB_RPC_DEADLINE_EXCEEDED);
    nb_rpc_status_clear(&status);
    nb_rpc_channel_release(channel);
    nb_rpc_server_free(server);
}

typedef struct reader {
    nb_rpc_stream *stream;
    nb_rpc_channel *channel;
    int n;
    nb_status st;
} reader;

static void *
read_all(void *payload)
{
    nb_rpc_message *message = NULL;
    nb_error err = NB_ERROR_INIT;
    reader *r = payload;

    while ((r->st = nb_rpc_receive(r->stream, &message, NULL, &err)) == NB_OK) {
        __atomic_fetch_add(&r->n, 1, __ATOMIC_RELAXED);
        nb_rpc_message_free(message);
    }
    nb_error_clear(&err);
    return NULL;
}

/* Streams end when they, or all of the channel's, are cancelled from another thread. */
static void
test_channel__cancelled_streams(void **state)
{
    int port = 0;
    nb_rpc_server *server = serve(&port);
    nb_rpc_channel *channel = connect_to(port);
    nb_rpc_piece none = NB_RPC_PIECE(NB_STR(""));
    nb_error err = NB_ERROR_INIT;
    reader readers[4] = {{0}};
    pthread_t threads[4];
    char text[128];

    for (int i = 0; i < 4; i++) {
        assert_int_equal(nb_rpc_open(channel,
                                     i % 2 ? "/nbaspark.tests.rpc.Channel/hang"
                                           : "/nbaspark.tests.rpc.Channel/flood",
                                     &none, true, NULL, &readers[i].stream, &err),
                         NB_OK);
        assert_int_equal(pthread_create(&threads[i], NULL, read_all, &readers[i]), 0);
    }
    while (__atomic_load_n(&readers[0].n, __ATOMIC_RELAXED) < 3) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    nb_rpc_cancel(readers[0].stream);
    nb_rpc_cancel(readers[1].stream);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    assert_int_equal(
        ask(channel, "/nbaspark.tests.rpc.Channel/echo", NB_STR("x"), NULL, text, NULL), NB_OK);
    nb_rpc_channel_shutdown(channel);
    pthread_join(threads[2], NULL);
    pthread_join(threads[3], NULL);
    assert_int_equal(
        ask(channel, "/nbaspark.tests.rpc.Channel/echo", NB_STR("x"), NULL, text, NULL),
        NB_CANCELLED);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(readers[i].st, NB_CANCELLED);
        nb_rpc_close(readers[i].stream);
    }
    nb_rpc_close(NULL);
    nb_rpc_channel_release(channel);
    nb_rpc_server_free(server);
}

/* A stream that is closed with messages on their way, and one whose server goes. */
static void
test_channel__streams_left_early(void **state)
{
    int port = 0;
    nb_rpc_server *server = serve(&port);
    nb_rpc_channel *channel = connect_to(port);
    nb_rpc_piece none = NB_RPC_PIECE(NB_STR(""));
    nb_rpc_status status = NB_RPC_STATUS_INIT;
    nb_error err = NB_ERROR_INIT;
    nb_rpc_message *message = NULL;
    nb_rpc_stream *stream = NULL;
    nb_status st;

    for (int i = 0; i < 20; i++) {
        assert_int_equal(nb_rpc_open(channel, "/nbaspark.tests.rpc.Channel/flood", &none, true,
                                     NULL, &stream, &err),
                         NB_OK);
        for (int m = 0; m < i % 3; m++) {
            assert_int_equal(nb_rpc_receive(stream, &message, NULL, &err), NB_OK);
            nb_rpc_message_free(message);
        }
        nb_rpc_close(stream);
    }
    assert_int_equal(
        nb_rpc_open(channel, "/nbaspark.tests.rpc.Channel/flood", &none, true, NULL, &stream, &err),
        NB_OK);
    assert_int_equal(nb_rpc_receive(stream, &message, NULL, &err), NB_OK);
    nb_rpc_message_free(message);
    nb_rpc_server_stop(server, 0);
    while ((st = nb_rpc_receive(stream, &message, &status, &err)) == NB_OK) {
        nb_rpc_message_free(message);
    }
    assert_int_equal(st, NB_ERROR);
    assert_true(status.code != NB_RPC_OK);
    nb_rpc_status_clear(&status);
    nb_error_clear(&err);
    nb_rpc_close(stream);
    nb_rpc_channel_release(channel);
    nb_rpc_server_free(server);
}

/* ---- bytes ---- */

static void
test_channel__messages_are_gathered(void **state)
{
    int port = 0;
    nb_rpc_server *server = serve(&port);
    nb_rpc_channel *channel = connect_to(port);
    nb_pool *pool = nb_pool_new(NULL, "test", 0);
    nb_rpc_piece none = NB_RPC_PIECE(NB_STR(""));
    nb_error err = NB_ERROR_INIT;
    nb_rpc_message *message = NULL;
    nb_rpc_stream *stream = NULL;
    nb_buffer *buffer = NULL;
    size_t skip = 0;

    assert_int_equal(
        nb_rpc_open(channel, "/nbaspark.tests.rpc.Channel/flood", &none, true, NULL, &stream, &err),
        NB_OK);
    for (size_t m = 0; m < 5; m++) {
        size_t align_at = m * 37;
        uint8_t part[1000];
        assert_int_equal(nb_rpc_receive(stream, &message, NULL, &err), NB_OK);
        assert_int_equal(nb_rpc_message_size(message), BIG_BYTES);
        assert_int_equal(nb_rpc_message_gather(message, pool, align_at, &buffer, &skip), NB_OK);
        assert_int_equal((uintptr_t)(buffer->data + skip + align_at) % 64, 0);
        for (size_t i = 0; i < BIG_BYTES; i++) {
            if (buffer->data[skip + i] != (i * 7 + m) % 251) {
                fail_msg("byte %zu of message %zu", i, m);
            }
        }
        for (size_t from = 0; from + sizeof part <= BIG_BYTES; from += 64999) {
            nb_rpc_message_read(message, from, sizeof part, part);
            assert_memory_equal(part, buffer->data + skip + from, sizeof part);
        }
        nb_buffer_release(buffer);
        nb_rpc_message_free(message);
    }
    nb_rpc_message_free(NULL);
    nb_rpc_close(stream);
    nb_pool_free(pool);
    nb_rpc_channel_release(channel);
    nb_rpc_server_free(server);
}

static void
count_release(void *payload)
{
    atomic_fetch_add(&released, 1);
}

/* What is lent is given back exactly once, whatever comes of the call. */
static void
test_channel__pieces_are_released(void **state)
{
    static char large[100000];
    int port = 0;
    nb_rpc_server *server = serve(&port);
    nb_rpc_channel *channel = connect_to(port);
    nb_cancel_flag cancel = {1};
    nb_rpc_options cancelled = {.cancel = &cancel};
    nb_rpc_message *answer = NULL;
    nb_error err = NB_ERROR_INIT;
    nb_rpc_stream *stream = NULL;
    size_t sizes[2] = {10, sizeof large};
    int64_t until;

    for (int i = 0; i < 2; i++) {
        nb_rpc_piece piece = {{large, sizes[i]}, count_release, NULL};
        assert_int_equal(nb_rpc_unary(channel, "/nbaspark.tests.rpc.Channel/echo", &piece, NULL,
                                      &answer, NULL, &err),
                         NB_OK);
        assert_int_equal(nb_rpc_message_size(answer), sizes[i]);
        nb_rpc_message_free(answer);
        assert_int_equal(nb_rpc_unary(channel, "/nbaspark.tests.rpc.Channel/nothing", &piece, NULL,
                                      &answer, NULL, &err),
                         NB_ERROR);
        nb_error_clear(&err);
        assert_int_equal(nb_rpc_unary(channel, "/nbaspark.tests.rpc.Channel/echo", &piece,
                                      &cancelled, &answer, NULL, &err),
                         NB_CANCELLED);
        assert_int_equal(nb_rpc_open(channel, "/nbaspark.tests.rpc.Channel/hang", &piece, true,
                                     NULL, &stream, &err),
                         NB_OK);
        nb_rpc_close(stream);
    }
    nb_rpc_channel_release(channel);
    nb_rpc_server_free(server);
    until = nb_clock_mono_ns() + 10 * INT64_C(1000000000);
    while (atomic_load(&released) < 8 && nb_clock_mono_ns() < until) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    assert_int_equal(atomic_load(&released), 8);
}

static void *
post_many(void *payload)
{
    for (int i = 0; i < 50; i++) {
        nb_rpc_post(payload, "/nbaspark.tests.rpc.Channel/echo", NB_STR("posted"), 10000);
    }
    return NULL;
}

/* What was posted arrives, at the latest when the channel goes. */
static void
test_channel__posts(void **state)
{
    int port = 0;
    nb_rpc_server *server = serve(&port);
    nb_rpc_channel *channel = connect_to(port);
    pthread_t threads[4];

    atomic_store(&posts_seen, 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, channel), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    nb_rpc_channel_release(channel);
    assert_int_equal(atomic_load(&posts_seen), 200);
    nb_rpc_server_free(server);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channel__headers),
        cmocka_unit_test(test_channel__server_restarts),
        cmocka_unit_test(test_channel__gives_up),
        cmocka_unit_test(test_channel__stops_waiting),
        cmocka_unit_test(test_channel__cancelled_streams),
        cmocka_unit_test(test_channel__streams_left_early),
        cmocka_unit_test(test_channel__messages_are_gathered),
        cmocka_unit_test(test_channel__pieces_are_released),
        cmocka_unit_test(test_channel__posts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
