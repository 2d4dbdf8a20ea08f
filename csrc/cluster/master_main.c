/* SPDX-License-Identifier: Apache-2.0 */
/*
 * master_main.c: nbasparkd master: from options to a server that answers, to a clean end.
 *
 * Options win over environment, environment over spark-defaults.conf. Listening beyond loopback needs a token or secret, unless --insecure
 * says that whoever reaches the port may run queries and read the files of this process's user.
 */
#include <stdio.h>
#include <stdlib.h>
#include "base/log.h"
#include "cluster/cluster.h"
#include "cluster/daemon.h"
#include "connect/service.h"
#include "monitor/monitor.h"
#include "rpc/runtime.h"

#define GRACE_MS 10000 /* that calls have to end after SIGTERM */

typedef struct master {
    nb_daemon_options options;
    const char *connect_port; /* NULL: not given */
    nb_config *config;
    nb_secrets secrets;
    nb_tls_files tls;
    nb_cluster *cluster;
    nb_service *service;
    nb_rpc_server *server;
    int bound, bound_connect;
    nb_monitor_server *pages;
    char title[300];
} master;

static const char USAGE[] =
    "Usage: nbasparkd master [OPTION …]\n\n"
    "  -h, --host HOST             address to listen on (SPARK_MASTER_HOST; 127.0.0.1)\n"
    "  -p, --port PORT             of the cluster (SPARK_MASTER_PORT; 7077)\n"
    "      --connect-port PORT     of Spark Connect (spark.connect.grpc.binding.port; 15002)\n"
    "      --webui-port PORT       of the web page (SPARK_MASTER_WEBUI_PORT; 8080)\n"
    "      --properties-file FILE  instead of spark-defaults.conf\n"
    "      --insecure              listen beyond loopback without authentication\n"
    "      --log-json              log as lines of JSON\n"
    "      --log-level LEVEL       DEBUG, INFO, WARN, ERROR\n"
    "      --help, --version\n\n"
    "Port 0 takes a free one. SPARK_CONNECT_AUTHENTICATE_TOKEN is the token that clients must "
    "show.\n";

/* What sessions start with: the file's settings without secrets, and where they run. */
static nb_status
make_service(master *m, nb_error *err)
{
    nb_service_options options = NB_SERVICE_OPTIONS_INIT;
    nb_arena *arena = nb_arena_new(NULL);
    nb_conf_pair *pairs;
    nb_str key, value;
    nb_status st;
    int n = 0;

    if (!arena) {
        return NB_NOMEM;
    }
    while (nb_config_at(m->config, n, &key, &value)) {
        n++;
    }
    pairs = NB_ARENA_ARRAY(arena, nb_conf_pair, n + 1);
    if (!pairs) {
        nb_arena_free(arena);
        return NB_NOMEM;
    }
    for (int i = 0; nb_config_at(m->config, i, &key, &value); i++) {
        if (!nb_conf_is_secret(key) && !nb_str_starts_with(key, NB_STR("spark.ssl.")) &&
            !nb_str_equal(key, NB_STR("spark.master"))) {
            pairs[options.n_conf++] = (nb_conf_pair){key, value};
        }
    }
    pairs[options.n_conf++] = (nb_conf_pair){NB_STR("spark.master"), NB_STR("local[*]")};
    options.conf = pairs;
    options.runner = nb_cluster_runner(m->cluster);
    options.memory_limit = (size_t)nb_config_int(m->config, NB_CONF_MEMORY_LIMIT);
    options.detached_ms = (int)nb_config_duration_ms(
        m->config, "spark.connect.execute.manager.detachedTimeout", options.detached_ms, 1);
    options.session_idle_ms = (int)nb_config_limit_ms(
        m->config, "spark.connect.session.manager.defaultSessionTimeout", options.session_idle_ms);
    st = nb_service_new(&options, &m->service, err);
    nb_arena_free(arena);
    return st;
}

static nb_status
listen_on(master *m, const char *host, int port, int *bound, nb_error *err)
{
    nb_rpc_tls tls = nb_tls_of_server(&m->tls);
    char address[300];

    nb_daemon_address(address, host, port);
    return nb_rpc_server_listen(m->server, address, m->tls.enabled ? &tls : NULL, bound, err);
}

static nb_status
list_workers(void *payload, nb_monitor_emit_worker emit, void *to)
{
    return nb_cluster_list_workers(((master *)payload)->cluster, emit, to);
}

static bool
app_use(void *payload, nb_str app_id, int *cores, int64_t *memory)
{
    return nb_cluster_app_use(((master *)payload)->cluster, app_id, cores, memory);
}

static bool
kill_query(void *payload, nb_str app_id, int64_t execution)
{
    return nb_service_kill(((master *)payload)->service, app_id, execution);
}

static void
interrupt_queries(void *payload)
{
    nb_service_interrupt(((master *)payload)->service);
}

/* The web pages: workers, and sessions as applications. Who may run queries may see them. */
static nb_status
serve_pages(master *m, const char *host, nb_error *err)
{
    nb_monitor_pages pages = {.title = m->title,
                              .host = host,
                              .insecure = m->options.insecure,
                              .payload = m,
                              .list_workers = list_workers,
                              .app_use = app_use,
                              .kill = kill_query};
    char address[300];

    pages.token = nb_strbuf_str(m->secrets.ui.len > 0 ? &m->secrets.ui : &m->secrets.token);
    nb_daemon_address(address, host, m->bound);
    snprintf(m->title, sizeof(m->title), "spark://%.*s", (int)sizeof(m->title) - 9, address);
    return nb_daemon_serve_pages("master", m->config, m->options.webui_port, &pages, &m->pages,
                                 err);
}

static nb_status
start(master *m, nb_error *err)
{
    nb_rpc_server_options options = NB_RPC_SERVER_OPTIONS_INIT;
    nb_rpc_channel_options to_workers = NB_RPC_CHANNEL_OPTIONS_INIT;
    const char *host;
    char address[300], connect_address[300];
    int port, connect_port;

    NB_TRY(nb_daemon_config(m->options.properties_file, &m->config, err));
    NB_TRY(nb_secrets_load(m->config, &m->secrets, err));
    NB_TRY(nb_tls_files_load(m->config, &m->tls, err));
    host = m->options.host ? m->options.host : getenv("SPARK_MASTER_HOST");
    host = host && *host ? host : "127.0.0.1";
    port = nb_daemon_port(m->options.port, "SPARK_MASTER_PORT", m->config, NULL, 7077, err);
    connect_port = nb_daemon_port(m->connect_port, NULL, m->config,
                                  "spark.connect.grpc.binding.port", 15002, err);
    if (port < 0 || connect_port < 0) {
        return NB_ERROR;
    }
    if (!nb_is_loopback(host) && !nb_secrets_any(&m->secrets)) {
        if (!m->options.insecure) {
            return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message",
                            "listening beyond loopback needs authentication: set "
                            "SPARK_CONNECT_AUTHENTICATE_TOKEN (and spark.authenticate.secret for "
                            "workers), or say --insecure",
                            NULL);
        }
        nb_log(NB_LOG_WARN, "master",
               "INSECURE: anybody who can reach %s may run queries and read files here", host);
    }
    to_workers.token =
        nb_strbuf_str(m->secrets.secret.len > 0 ? &m->secrets.secret : &m->secrets.token);
    nb_tls_to_peer(&m->tls, &to_workers);
    NB_TRY(nb_cluster_new(m->config, &to_workers, &m->cluster, err));
    NB_TRY(make_service(m, err));
    options.gate = nb_secrets_gate;
    options.gate_payload = &m->secrets;
    options.hurry = interrupt_queries;
    options.hurry_payload = m;
    NB_TRY(nb_rpc_server_new(&options, &m->server, err));
    NB_TRY(nb_service_register(m->service, m->server, err));
    NB_TRY(nb_cluster_register(m->cluster, m->server, err));
    NB_TRY(listen_on(m, host, port, &m->bound, err));
    NB_TRY(listen_on(m, host, connect_port, &m->bound_connect, err));
    NB_TRY(nb_rpc_server_start(m->server, err));
    nb_daemon_address(address, host, m->bound);
    nb_daemon_address(connect_address, host, m->bound_connect);
    nb_log(NB_LOG_INFO, "master",
           "nbasparkd " NB_VERSION ": spark://%s, Spark Connect at sc://%s%s", address,
           connect_address, m->tls.enabled ? " (TLS)" : "");
    return serve_pages(m, host, err);
}

int
nb_master_main(int argc, char **argv)
{
    master m = {0};
    const nb_daemon_option own = {"connect-port", 0, &m.connect_port};
    nb_error err = NB_ERROR_INIT;
    int code;
    nb_status st;

    nb_daemon_begin();
    code = nb_daemon_read_options(argc, argv, USAGE, &own, 1, 0, &m.options);
    if (code >= 0) {
        return code;
    }
    st = start(&m, &err);
    if (st < 0) {
        nb_log(NB_LOG_FATAL, "master", "%s",
               st == NB_NOMEM ? "out of memory" : nb_error_message(&err));
        code = 1;
    } else {
        int which = nb_daemon_wait();
        nb_log(NB_LOG_INFO, "master", "signal %d: calls that run have %d s to end", which,
               GRACE_MS / 1000);
        nb_daemon_stop_server("master", m.server, GRACE_MS);
        code = 0;
    }
    nb_cluster_stop(m.cluster);
    nb_rpc_server_free(m.server);
    nb_service_free(m.service);
    nb_monitor_server_stop(m.pages);
    nb_cluster_free(m.cluster);
    nb_tls_files_free(&m.tls);
    nb_secrets_free(&m.secrets);
    nb_config_free(m.config);
    nb_error_clear(&err);
    nb_rpc_stop();
    if (code == 0) {
        nb_log(NB_LOG_INFO, "master", "ended");
    }
    return code;
}
