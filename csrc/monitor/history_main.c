/* SPDX-License-Identifier: Apache-2.0 */
/*
 * history_main.c: nbasparkd history.
 *
 * Settings come from spark-defaults.conf (--properties-file, else $SPARK_CONF_DIR/spark-defaults.conf), then from options. The token of the pages comes
 * from $NBASPARK_UI_TOKEN or the settings, never from the command line, which other users of the machine can read.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/config.h"
#include "base/log.h"
#include "monitor/event_log.h"
#include "monitor/history.h"
#include "monitor/http.h"

static const char USAGE[] =
    "Usage: nbasparkd history [--dir FOLDER] [--host ADDRESS] [--port PORT] [--index FILE]\n"
    "                         [--properties-file FILE] [--insecure]\n"
    "\n"
    "  --dir FOLDER            of event logs; else spark.history.fs.logDirectory\n"
    "  --host ADDRESS          to listen on; 127.0.0.1 unless given\n"
    "  --port PORT             else spark.history.ui.port, 18080; 0 = any\n"
    "  --index FILE            where it remembers the logs it has seen; else "
    "FOLDER/.nbaspark-history\n"
    "  --properties-file FILE  else $SPARK_CONF_DIR/spark-defaults.conf\n"
    "  --insecure              without a token, let others than this machine in\n"
    "\n"
    "$NBASPARK_UI_TOKEN or nbaspark.ui.token: what browsers give as /?token=…, others as "
    "Authorization: Bearer …\n";

typedef struct options {
    const char *dir, *host, *port, *index, *properties;
    bool insecure, help;
} options;

static bool
parse(int argc, char **argv, options *o)
{
    const struct {
        const char *name;
        const char **value;
    } with_value[] = {{"--dir", &o->dir},     {"-d", &o->dir},
                      {"--host", &o->host},   {"--port", &o->port},
                      {"--index", &o->index}, {"--properties-file", &o->properties}};

    for (int i = 1; i < argc; i++) {
        size_t k = 0;

        if (strcmp(argv[i], "--insecure") == 0) {
            o->insecure = true;
            continue;
        }
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            o->help = true;
            return true;
        }
        while (k < NB_COUNT_OF(with_value) && strcmp(argv[i], with_value[k].name) != 0) {
            k++;
        }
        if (k == NB_COUNT_OF(with_value) || i + 1 == argc) {
            fprintf(stderr, "nbasparkd history: %s: %s\n", argv[i],
                    k == NB_COUNT_OF(with_value) ? "unknown option" : "wants a value");
            return false;
        }
        *with_value[k].value = argv[++i];
    }
    return true;
}

static nb_status
load(nb_config *config, const options *o, nb_error *err)
{
    const char *folder = getenv("SPARK_CONF_DIR");
    nb_strbuf path = {0};
    nb_status st = NB_OK;

    if (o->properties) {
        NB_TRY(nb_config_load(config, o->properties, false, err));
    } else if (folder && *folder) {
        nb_strbuf_addf(&path, "%s/spark-defaults.conf", folder);
        st = path.failed ? NB_NOMEM : nb_config_load(config, path.data, false, err);
        nb_strbuf_free(&path);
        NB_TRY(st);
    }
    if (o->port) {
        NB_TRY(nb_config_set(config, NB_STR("spark.history.ui.port"), nb_str_of(o->port), err));
    }
    return NB_OK;
}

static nb_status
serve(const nb_config *config, const options *o, nb_history *history, const sigset_t *stop,
      nb_error *err)
{
    const char *token = getenv("NBASPARK_UI_TOKEN");
    nb_http_options http_options = {.host = o->host,
                                    .port = (int)nb_config_int(config, NB_CONF_HISTORY_PORT),
                                    .token = token ? nb_str_of(token)
                                                   : nb_config_str(config, NB_CONF_UI_TOKEN),
                                    .insecure = o->insecure};
    nb_http *http;
    int which;

    NB_TRY(nb_http_start(&http_options, nb_site_handle, (void *)(uintptr_t)nb_history_site(history),
                         &http, err));
    if (o->insecure && http_options.token.len == 0) {
        nb_log(NB_LOG_WARN, "History",
               "no token: everybody who reaches this port sees all applications");
    }
    nb_log(NB_LOG_INFO, "History", "http://%s:%d shows %s", o->host ? o->host : "127.0.0.1",
           nb_http_port(http), nb_history_site(history)->title);
    sigwait(stop, &which);
    nb_log(NB_LOG_INFO, "History", "stopping");
    nb_http_stop(http);
    return NB_OK;
}

static nb_status
run(const options *o, nb_error *err)
{
    nb_config *config = nb_config_new();
    nb_strbuf dir = {0};
    nb_history *history = NULL;
    nb_str uri;
    sigset_t stop;
    nb_status st = config ? NB_OK : NB_NOMEM;

    /* before the first thread is made, so that none takes the signal that ends the process */
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
    NB_TRY_GOTO(st, st, done);
    NB_TRY_GOTO(st, load(config, o, err), done);
    uri = o->dir ? nb_str_of(o->dir) : nb_config_str(config, NB_CONF_HISTORY_DIR);
    if (!nb_event_log_path(uri, &uri)) {
        st = nb_raise_unsupported(err, "event logs on anything but a local file system");
        goto done;
    }
    nb_strbuf_add(&dir, uri);
    if (dir.failed) {
        st = NB_NOMEM;
        goto done;
    }
    NB_TRY_GOTO(
        st,
        nb_history_open(&(nb_history_options){.dir = dir.data, .index = o->index}, &history, err),
        done);
    st = serve(config, o, history, &stop, err);
done:
    nb_history_close(history);
    nb_strbuf_free(&dir);
    nb_config_free(config);
    return st;
}

int
nb_history_main(int argc, char **argv)
{
    options o = {0};
    nb_error err = NB_ERROR_INIT;
    nb_status st;

    if (!parse(argc, argv, &o)) {
        fputs(USAGE, stderr);
        return 2;
    }
    if (o.help) {
        fputs(USAGE, stdout);
        return 0;
    }
    nb_log_set_level(NB_LOG_INFO);
    st = run(&o, &err);
    if (st < 0) {
        fprintf(stderr, "nbasparkd history: %s\n",
                err.set ? nb_error_message(&err) : "out of memory");
    }
    nb_error_clear(&err);
    return st < 0 ? 1 : 0;
}
