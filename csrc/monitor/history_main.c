/* SPDX-License-Identifier: Apache-2.0 */
/*
 * history_main.c: nbasparkd history: from options to the pages of a folder of event logs, to a clean end.
 */
#include "base/log.h"
#include "cluster/daemon.h"
#include "monitor/event_log.h"
#include "monitor/history.h"
#include "monitor/http.h"

static const char USAGE[] =
    "Usage: nbasparkd history [OPTION …]\n\n"
    "  -d, --dir FOLDER            of event logs (spark.history.fs.logDirectory)\n"
    "  -h, --host HOST             address to listen on (127.0.0.1)\n"
    "  -p, --port PORT             of the pages (spark.history.ui.port; 18080)\n"
    "      --index FILE            where it remembers the logs it has seen; else "
    "FOLDER/.nbaspark-history\n"
    "      --properties-file FILE  instead of spark-defaults.conf\n"
    "      --insecure              without a token, let others than this machine in\n"
    "      --log-json              log as lines of JSON\n"
    "      --log-level LEVEL       DEBUG, INFO, WARN, ERROR\n"
    "      --help, --version\n\n"
    "Port 0 takes a free one. NBASPARK_UI_TOKEN or nbaspark.ui.token: what browsers give as "
    "/?token=…, others as "
    "Authorization: Bearer …\n";

static nb_status
serve(const nb_daemon_options *o, const nb_config *config, const nb_secrets *secrets,
      const nb_history *history, nb_error *err)
{
    nb_http_options http_options = {.host = o->host ? o->host : "127.0.0.1",
                                    .token = nb_strbuf_str(&secrets->ui),
                                    .insecure = o->insecure};
    nb_http *http;
    char address[300];
    int which;

    http_options.port = nb_daemon_port(o->port, NULL, config, "spark.history.ui.port", 18080, err);
    if (http_options.port < 0) {
        return NB_ERROR;
    }
    NB_TRY(nb_http_start(&http_options, nb_site_handle, (void *)(uintptr_t)nb_history_site(history),
                         &http, err));
    if (o->insecure && secrets->ui.len == 0) {
        nb_log(NB_LOG_WARN, "history",
               "INSECURE: everybody who reaches this port sees all applications");
    }
    nb_daemon_address(address, http_options.host, nb_http_port(http));
    nb_log(NB_LOG_INFO, "history", "http://%s shows %s", address, nb_history_site(history)->title);
    which = nb_daemon_wait();
    nb_log(NB_LOG_INFO, "history", "signal %d: stopping", which);
    nb_http_stop(http);
    return NB_OK;
}

static nb_status
run(const nb_daemon_options *o, const char *dir, const char *index, nb_config **config,
    nb_secrets *secrets, nb_error *err)
{
    nb_history *history = NULL;
    nb_strbuf path = {0};
    nb_str uri;
    nb_status st;

    NB_TRY(nb_daemon_config(o->properties_file, config, err));
    NB_TRY(nb_secrets_load_ui(*config, secrets));
    uri = dir ? nb_str_of(dir) : nb_config_str(*config, NB_CONF_HISTORY_DIR);
    if (!nb_event_log_path(uri, &uri)) {
        return nb_raise_unsupported(err, "event logs on anything but a local file system");
    }
    nb_strbuf_add(&path, uri);
    st = path.failed ? NB_NOMEM
                     : nb_history_open(&(nb_history_options){.dir = path.data, .index = index},
                                       &history, err);
    if (st == NB_OK) {
        st = serve(o, *config, secrets, history, err);
    }
    nb_history_close(history);
    nb_strbuf_free(&path);
    return st;
}

int
nb_history_main(int argc, char **argv)
{
    const char *dir = NULL, *index = NULL;
    const nb_daemon_option own[] = {{"dir", 'd', &dir}, {"index", 0, &index}};
    nb_daemon_options o = {0};
    nb_config *config = NULL;
    nb_secrets secrets = {0};
    nb_error err = NB_ERROR_INIT;
    nb_status st;
    int code;

    nb_daemon_begin();
    code = nb_daemon_read_options(argc, argv, USAGE, own, NB_COUNT_OF(own), 0, &o);
    if (code >= 0) {
        return code;
    }
    st = run(&o, dir, index, &config, &secrets, &err);
    if (st < 0) {
        nb_log(NB_LOG_FATAL, "history", "%s",
               st == NB_NOMEM ? "out of memory" : nb_error_message(&err));
    } else {
        nb_log(NB_LOG_INFO, "history", "ended");
    }
    nb_secrets_free(&secrets);
    nb_config_free(config);
    nb_error_clear(&err);
    return st < 0;
}
