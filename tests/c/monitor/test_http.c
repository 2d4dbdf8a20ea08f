/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_http.c: clients that are slow, silent, too many or without a token do not keep others waiting.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "monitor/http.h"

static nb_status
hello(void *payload, const nb_http_request *request, nb_str path, nb_http_answer *answer)
{
    nb_str q = {"", 0};

    (void)payload;
    nb_http_query(request, "q", &q);
    nb_strbuf_addf(&answer->body, "%.*s|%.*s", (int)path.len, path.data, (int)q.len, q.data);
    return NB_OK;
}

static int
connect_to(const nb_http *h)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)nb_http_port(h))};
    struct timeval limit = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return fd;
}

/* Sends and reads to the end; what came is in text. */
static void
talk(const nb_http *h, const char *request, char *text, size_t cap)
{
    int fd = connect_to(h);
    size_t len = 0;
    ssize_t n;

    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    while (len + 1 < cap && (n = read(fd, text + len, cap - 1 - len)) > 0) {
        len += (size_t)n;
    }
    text[len] = 0;
    close(fd);
}

static void
test_http__slow_clients(void **state)
{
    nb_http_options options = {.head_seconds = 1, .max_connections = 64};
    char text[4096];
    int64_t start, took;
    int slow[40];
    nb_http *h;

    (void)state;
    assert_int_equal(nb_http_start(&options, hello, NULL, &h, NULL), NB_OK);
    start = nb_clock_mono_ns();
    for (int i = 0; i < 40; i++) {
        slow[i] = connect_to(h);
        assert_int_equal(send(slow[i], "GET / HT", 8, MSG_NOSIGNAL), 8);
    }
    talk(h, "GET /a?q=1%202+3 HTTP/1.0\r\nHost: localhost\r\n\r\n", text, sizeof(text));
    assert_non_null(strstr(text, "/a|1 2 3"));
    /* a byte now and then is progress, but the head has its time */
    for (int i = 0; i < 40; i++) {
        usleep(100000);
        if (send(slow[0], "T", 1, MSG_NOSIGNAL) < 0) {
            break;
        }
    }
    for (int i = 0; i < 40; i++) {
        assert_true(read(slow[i], text, sizeof(text)) <= 0);
        close(slow[i]);
    }
    took = nb_clock_mono_ns() - start;
    assert_true(took < 8000000000);
    nb_http_stop(h);
}

static void
test_http__what_is_refused(void **state)
{
    static const struct {
        const char *request, *status;
    } cases[] = {
        {"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n", " 401 "},
        {"GET / HTTP/1.0\r\nAuthorization: Bearer secreT\r\n\r\n", " 401 "},
        {"GET / HTTP/1.0\r\nAuthorization: Bearer secret2\r\n\r\n", " 401 "},
        {"GET / HTTP/1.0\r\nAuthorization: Basic secret\r\n\r\n", " 401 "},
        {"GET /?token=secre HTTP/1.0\r\n\r\n", " 401 "},
        {"GET /../x HTTP/1.0\r\n\r\n", " 401 "},
        {"GET /health HTTP/1.0\r\n\r\n", " 200 "},
        {"GET / HTTP/1.0\r\nAuthorization: Bearer secret\r\n\r\n", " 200 "},
        {"GET / HTTP/1.0\r\nCookie: a=b; nbaspark_ui=secret\r\n\r\n", " 200 "},
        {"GET /?token=secret HTTP/1.0\r\n\r\n", " 303 "},
        {"GET /a/../b HTTP/1.0\r\nAuthorization: Bearer secret\r\n\r\n", " 404 "},
        {"GET /a%2f..%2fb HTTP/1.0\r\nAuthorization: Bearer secret\r\n\r\n", " 404 "},
        {"GET /a%00b HTTP/1.0\r\nAuthorization: Bearer secret\r\n\r\n", " 404 "},
        {"GET /%c0%af HTTP/1.0\r\nAuthorization: Bearer secret\r\n\r\n", " 404 "},
        {"POST /kill HTTP/1.0\r\nContent-Length: 0\r\n\r\n", " 401 "},
        {"POST /else HTTP/1.0\r\nContent-Length: 0\r\n\r\n", " 405 "},
        {"PUT / HTTP/1.0\r\nAuthorization: Bearer secret\r\nContent-Length: 0\r\n\r\n", " 405 "},
        {"POST /kill HTTP/1.0\r\nAuthorization: Bearer secret\r\nContent-Length: 0\r\n\r\n",
         " 200 "},
    };
    nb_http_options options = {.token = NB_STR("secret"), .post_path = NB_STR("/kill")};
    char text[4096];
    nb_http *h;

    (void)state;
    assert_int_equal(nb_http_start(&options, hello, NULL, &h, NULL), NB_OK);
    for (size_t i = 0; i < NB_COUNT_OF(cases); i++) {
        talk(h, cases[i].request, text, sizeof(text));
        text[16] = 0;
        if (!strstr(text, cases[i].status)) {
            print_message("%s → %s\n", cases[i].request, text);
        }
        assert_non_null(strstr(text, cases[i].status));
    }
    nb_http_stop(h);
    options.token = NB_STR("with space");
    assert_int_equal(nb_http_start(&options, hello, NULL, &h, NULL), NB_ERROR);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http__slow_clients),
        cmocka_unit_test(test_http__what_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
