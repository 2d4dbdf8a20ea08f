/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_monitor.c: many threads report to one application while others read its pages; the log says the same; out of memory is no crash.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "monitor/app.h"
#include "monitor/history.h"
#include "monitor/http.h"
#include "monitor/log_source.h"
#include "monitor/monitor.h"

#define THREADS 4
#define TASKS   50

/* One request over loopback; the status. */
static int
ask(int port, const char *path, nb_strbuf *body)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), status = 0;
    char text[4096];
    ssize_t n;

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    n = snprintf(text, sizeof(text), "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", path);
    assert_int_equal(write(fd, text, (size_t)n), n);
    body->len = 0;
    while ((n = read(fd, text, sizeof(text))) > 0) {
        nb_strbuf_add(body, (nb_str){text, (size_t)n});
    }
    close(fd);
    assert_true(body->len > 12);
    sscanf(body->data, "HTTP/1.%*d %d", &status);
    return status;
}

static int
port_of(const char *url)
{
    return atoi(strrchr(url, ':') + 1);
}

typedef struct reporter {
    nb_monitor *monitor;
    int64_t stage, first_task;
    int number;
} reporter;

static void *
report(void *payload)
{
    reporter *r = payload;

    for (int i = 0; i < TASKS; i++) {
        nb_metric_update rows = {1, "number of output rows", 10};
        nb_task_metrics m = {.run_ms = 1, .input_rows = 10};
        nb_task_info t = {.id = r->first_task + r->number * TASKS + i,
                          .stage = r->stage,
                          .index = r->number * TASKS + i,
                          .executor = "driver",
                          .host = "localhost",
                          .launched_ms = 1000};

        nb_monitor_task_started(r->monitor, &t);
        t.finished_ms = 1002;
        nb_monitor_task_ended(r->monitor, &t, &m, &rows, 1,
                              i == 7 ? NB_TASK_FAILED : NB_TASK_SUCCEEDED, i == 7 ? "no" : NULL);
    }
    return NULL;
}

static void
read_pages(int port, const char *app)
{
    static const char *const paths[] = {"jobs", "stages", "stages/0/0/taskList?length=1000", "sql",
                                        "graph/0"};
    nb_strbuf body = {0}, path = {0};

    assert_int_equal(ask(port, "/", &body), 200);
    assert_int_equal(ask(port, "/metrics", &body), 200);
    assert_int_equal(ask(port, "/api/v1/applications", &body), 200);
    for (size_t i = 0; i < NB_COUNT_OF(paths); i++) {
        path.len = 0;
        nb_strbuf_addf(&path, "/api/v1/applications/%s/%s", app, paths[i]);
        assert_int_equal(ask(port, path.data, &body), 200);
    }
    nb_strbuf_free(&body);
    nb_strbuf_free(&path);
}

static nb_config *
settings(const char *dir)
{
    nb_config *c = nb_config_new();
    nb_str pairs[][2] = {{NB_STR("spark.eventLog.enabled"), NB_STR("true")},
                         {NB_STR("spark.eventLog.dir"), nb_str_of(dir)},
                         {NB_STR("spark.ui.enabled"), NB_STR("true")},
                         {NB_STR("spark.ui.port"), NB_STR("0")},
                         {NB_STR("spark.app.id"), NB_STR("app")},
                         {NB_STR("spark.app.name"), NB_STR("<b>threads</b>")}};

    for (size_t i = 0; i < NB_COUNT_OF(pairs); i++) {
        assert_int_equal(nb_config_set(c, pairs[i][0], pairs[i][1], NULL), NB_OK);
    }
    return c;
}

static void
run_job(nb_monitor *m, int port)
{
    nb_metric_info rows = {"number of output rows", nb_monitor_ids(m, NB_MONITOR_METRIC, 1),
                           NB_METRIC_SUM};
    nb_plan_info plan = {
        .name = NB_STR("Range"), .text = NB_STR("Range (0, 10)"), .n_metrics = 1, .metrics = &rows};
    nb_stage_info stage = {.id = nb_monitor_ids(m, NB_MONITOR_STAGE, 1),
                           .name = NB_STR("stage"),
                           .n_tasks = THREADS * TASKS,
                           .submitted_ms = 999};
    nb_execution_info x = {.id = nb_monitor_ids(m, NB_MONITOR_EXECUTION, 1),
                           .description = NB_STR("query"),
                           .root = &plan};
    nb_job_info job = {.id = nb_monitor_ids(m, NB_MONITOR_JOB, 1), .stages = &stage, .n_stages = 1};
    int64_t first = nb_monitor_ids(m, NB_MONITOR_TASK, THREADS * TASKS);
    reporter r[THREADS];
    pthread_t threads[THREADS];

    nb_monitor_execution_started(m, &x);
    nb_monitor_job_started(m, &job);
    nb_monitor_stage_submitted(m, &stage);
    for (int i = 0; i < THREADS; i++) {
        r[i] = (reporter){m, stage.id, first, i};
        assert_int_equal(pthread_create(&threads[i], NULL, report, &r[i]), 0);
    }
    read_pages(port, nb_monitor_app_id(m));
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    nb_monitor_stage_completed(m, &stage, NULL);
    nb_monitor_job_ended(m, job.id, NULL);
    nb_monitor_execution_ended(m, x.id, NULL);
}

static void
test_monitor__threads(void **state)
{
    char dir[] = "/tmp/nb_monitor_XXXXXX", path[128];
    nb_strbuf body = {0};
    nb_history *h;
    nb_http *http;
    nb_monitor *m;
    nb_config *c;

    (void)state;
    assert_non_null(mkdtemp(dir));
    c = settings(dir);
    assert_int_equal(nb_monitor_open(c, (nb_str){"", 0}, 0, &m, NULL), NB_OK);
    assert_non_null(m);
    nb_monitor_executor_added(
        m, &(nb_executor_info){.id = "driver", .host = "localhost", .n_cores = 4, .memory = 1});
    run_job(m, port_of(nb_monitor_url(m)));
    read_pages(port_of(nb_monitor_url(m)), nb_monitor_app_id(m));
    nb_monitor_close(m);
    nb_config_free(c);

    /* the log says the same */
    assert_int_equal(nb_history_open(&(nb_history_options){.dir = dir, .poll_ms = 50}, &h, NULL),
                     NB_OK);
    assert_int_equal(nb_http_start(&(nb_http_options){0}, nb_site_handle,
                                   (void *)(uintptr_t)nb_history_site(h), &http, NULL),
                     NB_OK);
    assert_int_equal(ask(nb_http_port(http), "/api/v1/applications/app/jobs/0", &body), 200);
    assert_non_null(strstr(body.data, "\"numCompletedTasks\":196,"));
    assert_non_null(strstr(body.data, "\"numFailedTasks\":4,"));
    assert_int_equal(ask(nb_http_port(http), "/api/v1/applications/app/sql/0", &body), 200);
    assert_non_null(strstr(body.data, "\"value\":\"2,000\""));
    nb_http_stop(http);
    nb_history_close(h);
    nb_strbuf_free(&body);
    snprintf(path, sizeof(path), "%s/app.zstd", dir);
    unlink(path);
    snprintf(path, sizeof(path), "%s/.nbaspark-history", dir);
    unlink(path);
    assert_int_equal(rmdir(dir), 0);
}

static nb_status
one_worker(void *payload, nb_monitor_emit_worker emit, void *to)
{
    (void)payload;
    emit(to, &(nb_monitor_worker){.id = NB_STR("worker-1"),
                                  .host = NB_STR("<b>host</b>"),
                                  .state = NB_STR("ALIVE"),
                                  .url = {"", 0},
                                  .cores = 4,
                                  .cores_used = 1,
                                  .tasks = 1});
    return NB_OK;
}

static void
numbers(void *payload, nb_strbuf *out)
{
    nb_monitor_metric(out, "nbaspark_queries_running", "gauge", "Queries.", *(double *)payload);
}

/* A master's pages: workers, and the applications of the process while they run and afterwards. */
static void
test_monitor__master(void **state)
{
    double running = 3;
    nb_monitor_pages pages = {.title = "spark://localhost:7077",
                              .payload = &running,
                              .list_workers = one_worker,
                              .metrics = numbers};
    nb_monitor_server *server;
    nb_config *c = nb_config_new();
    nb_monitor *m, *other;
    nb_strbuf body = {0}, path = {0};
    int port;

    (void)state;
    pages.host = "0.0.0.0";
    assert_int_equal(nb_monitor_serve(&pages, &server, NULL), NB_ERROR);
    pages.host = NULL;
    assert_int_equal(nb_monitor_serve(&pages, &server, NULL), NB_OK);
    port = nb_monitor_server_port(server);
    assert_int_equal(nb_monitor_open(c, (nb_str){"", 0}, 5000, &m, NULL), NB_OK);
    assert_int_equal(nb_monitor_open(c, (nb_str){"", 0}, 5000, &other, NULL), NB_OK);
    assert_string_not_equal(nb_monitor_app_id(m), nb_monitor_app_id(other));
    run_job(m, port);
    nb_strbuf_addf(&path, "/api/v1/applications/%s/jobs/0", nb_monitor_app_id(m));
    nb_monitor_close(m);
    assert_int_equal(ask(port, path.data, &body), 200);
    assert_non_null(strstr(body.data, "\"status\":\"SUCCEEDED\""));
    assert_int_equal(ask(port, "/api/v1/workers", &body), 200);
    assert_non_null(strstr(body.data, "\"host\":\"<b>host</b>\""));
    assert_int_equal(ask(port, "/metrics", &body), 200);
    assert_non_null(strstr(body.data, "\nnbaspark_queries_running 3\n"));
    assert_int_equal(ask(port, "/api/v1/applications?status=running", &body), 200);
    assert_non_null(strstr(body.data, nb_monitor_app_id(other)));
    assert_null(strstr(body.data, path.data));
    nb_monitor_server_stop(server);
    nb_monitor_close(other);
    nb_config_free(c);
    nb_strbuf_free(&body);
    nb_strbuf_free(&path);
}

static int64_t
begin_query(nb_monitor *m, const char *details)
{
    nb_plan_info plan = {.name = NB_STR("Range"), .text = NB_STR("Range (0, 10)")};
    nb_execution_info x = {.id = nb_monitor_ids(m, NB_MONITOR_EXECUTION, 1),
                           .description = NB_STR("query"),
                           .details = nb_str_of(details),
                           .root = &plan};

    nb_monitor_execution_started(m, &x);
    return x.id;
}

static void
check_state(nb_monitor_server *server, const char *app, const char *what, int64_t id,
            const char *state)
{
    nb_strbuf body = {0}, path = {0};

    nb_strbuf_addf(&path, "/api/v1/applications/%s/%s/%d", app, what, (int)id);
    assert_int_equal(ask(nb_monitor_server_port(server), path.data, &body), 200);
    assert_non_null(strstr(body.data, state));
    nb_strbuf_free(&body);
    nb_strbuf_free(&path);
}

/* Events that nobody looks at are bounded: what runs is never dropped, of what has ended the latest are kept. */
static void
test_monitor__many_queries(void **state)
{
    enum { QUERIES = 3000 };
    static char details[4096];
    nb_monitor_pages pages = {.title = "spark://localhost:7077"};
    nb_monitor_server *server;
    nb_config *c = nb_config_new();
    nb_strbuf body = {0}, path = {0};
    nb_monitor *m;
    int64_t long_one;

    (void)state;
    memset(details, 'x', sizeof details - 1);
    assert_int_equal(nb_monitor_serve(&pages, &server, NULL), NB_OK);
    assert_int_equal(nb_monitor_open(c, (nb_str){"", 0}, 5000, &m, NULL), NB_OK);
    nb_monitor_execution_ended(m, begin_query(m, "the first"), NULL);
    long_one = begin_query(m, "the long one");
    for (int i = 0; i < QUERIES; i++) {
        nb_monitor_execution_ended(m, begin_query(m, details), NULL);
    }
    nb_monitor_execution_ended(m, begin_query(m, "the last"), NULL);
    check_state(server, nb_monitor_app_id(m), "sql", long_one, "RUNNING");
    check_state(server, nb_monitor_app_id(m), "sql", long_one + QUERIES + 1, "COMPLETED");
    nb_strbuf_addf(&path, "/api/v1/applications/%s/sql/%d", nb_monitor_app_id(m), QUERIES / 3);
    assert_int_equal(ask(nb_monitor_server_port(server), path.data, &body), 404);
    nb_monitor_close(m);
    nb_monitor_server_stop(server);
    nb_config_free(c);
    nb_strbuf_free(&body);
    nb_strbuf_free(&path);
}

/* What was seen running is seen to end, though what others did meanwhile is dropped. */
static void
test_monitor__seen_running(void **state)
{
    enum { QUERIES = 3000 };
    static char details[4096];
    nb_monitor_pages pages = {.title = "spark://localhost:7077"};
    nb_monitor_server *server;
    nb_config *c = nb_config_new();
    nb_stage_info stage = {.name = NB_STR("Range"), .n_tasks = 1};
    nb_job_info job = {.stages = &stage, .n_stages = 1};
    nb_task_info task = {
        .executor = "driver", .host = "localhost", .locality = "ANY", .launched_ms = 5000};
    nb_task_metrics counted = {.run_ms = 1};
    nb_monitor *m;

    (void)state;
    memset(details, 'x', sizeof details - 1);
    assert_int_equal(nb_monitor_serve(&pages, &server, NULL), NB_OK);
    assert_int_equal(nb_monitor_open(c, (nb_str){"", 0}, 5000, &m, NULL), NB_OK);
    job.execution = begin_query(m, "seen");
    job.id = nb_monitor_ids(m, NB_MONITOR_JOB, 1);
    stage.id = nb_monitor_ids(m, NB_MONITOR_STAGE, 1);
    nb_monitor_job_started(m, &job);
    check_state(server, nb_monitor_app_id(m), "sql", job.execution, "RUNNING");
    stage.submitted_ms = 5000;
    task.stage = stage.id;
    nb_monitor_stage_submitted(m, &stage);
    nb_monitor_task_started(m, &task);
    task.finished_ms = 5001;
    nb_monitor_task_ended(m, &task, &counted, NULL, 0, NB_TASK_SUCCEEDED, NULL);
    nb_monitor_stage_completed(m, &stage, NULL);
    nb_monitor_job_ended(m, job.id, NULL);
    nb_monitor_execution_ended(m, job.execution, NULL);
    for (int i = 0; i < QUERIES; i++) {
        nb_monitor_execution_ended(m, begin_query(m, details), NULL);
    }
    check_state(server, nb_monitor_app_id(m), "sql", job.execution, "COMPLETED");
    check_state(server, nb_monitor_app_id(m), "jobs", job.id, "SUCCEEDED");
    check_state(server, nb_monitor_app_id(m), "stages", stage.id, "COMPLETE");
    nb_monitor_close(m);
    nb_monitor_server_stop(server);
    nb_config_free(c);
}

/* Calls with nobody to report to. */
static void
test_monitor__nobody(void **state)
{
    nb_config *c = nb_config_new();
    nb_monitor *m = (nb_monitor *)c;

    (void)state;
    assert_int_equal(nb_monitor_open(c, (nb_str){"", 0}, 0, &m, NULL), NB_OK);
    assert_null(m);
    nb_monitor_job_ended(m, 1, NULL);
    nb_monitor_metrics(m, 1, NULL, 0);
    assert_int_equal(nb_monitor_ids(m, NB_MONITOR_TASK, 3), -1);
    assert_string_equal(nb_monitor_app_id(m), "");
    nb_monitor_close(m);
    nb_config_free(c);
}

static bool
take(void *payload, nb_str line)
{
    nb_app_take(payload, line);
    return true;
}

/* Each allocation fails once: the application is cut short, and says so. */
static void
test_monitor__memory(void **state)
{
    (void)state;
    for (long nth = 1; nth < 60; nth++) {
        nb_app *app = nb_app_new(NULL, 0);
        nb_log_source *s = nb_log_source_new("tests/fuzz/seeds/event_log/spark_plain");
        const char *why = NULL;

        assert_true(app && s);
        nb_pool_fail_nth(app->pool, nth);
        assert_int_equal(nb_log_source_read(s, true, take, app, &why), NB_OK);
        nb_log_source_free(s);
        nb_app_free(app);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_monitor__threads),      cmocka_unit_test(test_monitor__master),
        cmocka_unit_test(test_monitor__many_queries), cmocka_unit_test(test_monitor__seen_running),
        cmocka_unit_test(test_monitor__nobody),       cmocka_unit_test(test_monitor__memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
