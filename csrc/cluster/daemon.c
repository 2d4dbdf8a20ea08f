/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon.c: see daemon.h.
 */
#include "cluster/daemon.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/log.h"
#include "io/allowed.h"

static sigset_t ending;

void
nb_daemon_begin(void)
{
    struct rlimit files;

    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ending, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN); /* a terminal that closes is no reason to end */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    nb_log_set_level(NB_LOG_INFO);
}

int
nb_daemon_wait(void)
{
    int which = SIGTERM;

    while (sigwait(&ending, &which) == EINTR) {
    }
    return which;
}

void
nb_daemon_stop_server(const char *name, nb_rpc_server *server, int grace_ms)
{
    if (!nb_rpc_server_stop(server, grace_ms)) {
        nb_log(NB_LOG_FATAL, name, "ended although calls still run: they do not end");
        _exit(1);
    }
}

/* ---- options ---- */

enum { WEBUI_PORT = 256, PROPERTIES, INSECURE, LOG_JSON, LOG_LEVEL, HELP, VERSION, OWN };

#define MOST_OWN 8

static const struct option COMMON[] = {
    {"host", required_argument, NULL, 'h'},
    {"ip", required_argument, NULL, 'h'},
    {"port", required_argument, NULL, 'p'},
    {"webui-port", required_argument, NULL, WEBUI_PORT},
    {"properties-file", required_argument, NULL, PROPERTIES},
    {"insecure", no_argument, NULL, INSECURE},
    {"log-json", no_argument, NULL, LOG_JSON},
    {"log-level", required_argument, NULL, LOG_LEVEL},
    {"help", no_argument, NULL, HELP},
    {"version", no_argument, NULL, VERSION},
};

static int
complain(const char *usage)
{
    fputs(usage, stderr);
    return 2;
}

int
nb_daemon_read_options(int argc, char **argv, const char *usage, const nb_daemon_option *own,
                       int n_own, int n_arguments, nb_daemon_options *out)
{
    struct option options[MOST_OWN + NB_COUNT_OF(COMMON) + 1] = {{0}};
    char letters[2 * MOST_OWN + 8] = "h:i:p:";
    nb_log_level level;
    int c;

    for (int i = 0; i < n_own; i++) {
        size_t n = strlen(letters);

        options[i] = (struct option){own[i].name, required_argument, NULL, OWN + i};
        if (own[i].letter != 0) {
            letters[n] = (char)own[i].letter;
            letters[n + 1] = ':';
        }
    }
    memcpy(options + n_own, COMMON, sizeof(COMMON));
    while ((c = getopt_long(argc, argv, letters, options, NULL)) != -1) {
        switch (c) {
        case 'h':
        case 'i': out->host = optarg; break;
        case 'p': out->port = optarg; break;
        case WEBUI_PORT: out->webui_port = optarg; break;
        case PROPERTIES: out->properties_file = optarg; break;
        case INSECURE: out->insecure = true; break;
        case LOG_JSON: nb_log_set_json(true); break;
        case LOG_LEVEL:
            if (!nb_log_level_parse(nb_str_of(optarg), &level)) {
                fprintf(stderr, "no such log level: %s\n", optarg);
                return 2;
            }
            nb_log_set_level(level);
            break;
        case HELP: fputs(usage, stdout); return 0;
        case VERSION: puts("nbasparkd " NB_VERSION); return 0;
        default: {
            int i = 0;

            while (i < n_own && c != OWN + i && c != own[i].letter) {
                i++;
            }
            if (i == n_own) {
                return complain(usage);
            }
            *own[i].value = optarg;
        }
        }
    }
    return optind + n_arguments == argc ? -1 : complain(usage);
}

/* ---- configuration ---- */

nb_status
nb_daemon_config(const char *properties_file, nb_config **out, nb_error *err)
{
    static const struct {
        const char *variable, *below;
    } places[] = {{"SPARK_CONF_DIR", ""}, {"NBASPARK_HOME", "/conf"}, {"SPARK_HOME", "/conf"}};
    const char *local = getenv("SPARK_LOCAL_DIRS");
    nb_config *config = nb_config_new();
    nb_status st = NB_DONE;
    char path[4096];

    if (!config) {
        return NB_NOMEM;
    }
    if (properties_file) {
        st = nb_config_load(config, properties_file, false, err);
        if (st == NB_DONE) {
            st = nb_raise_errno(err, "open", properties_file, ENOENT);
        }
    }
    for (size_t i = 0; i < NB_COUNT_OF(places) && st == NB_DONE; i++) {
        const char *folder = getenv(places[i].variable);
        if (folder && *folder) {
            snprintf(path, sizeof path, "%s%s/spark-defaults.conf", folder, places[i].below);
            st = nb_config_load(config, path, false, err);
        }
    }
    if (st >= 0 && local && *local) {
        st = nb_config_set(config, NB_STR("spark.local.dir"), nb_str_of(local), err);
    }
    st = st < 0 ? st : nb_allowed_set(config, err);
    if (st < 0) {
        nb_config_free(config);
        return st;
    }
    *out = config;
    return NB_OK;
}

nb_status
nb_daemon_bad_option(nb_error *err, const char *what, const char *wanted, nb_str given)
{
    char text[400];

    snprintf(text, sizeof text, "%s must be %s, not '%.*s'", what, wanted,
             (int)NB_MIN(given.len, 200), given.data);
    return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message", text, NULL);
}

int
nb_daemon_port(const char *option, const char *variable, const nb_config *config, const char *key,
               int otherwise, nb_error *err)
{
    const char *text = option ? option : variable ? getenv(variable) : NULL;
    nb_str s = nb_str_of(text);
    int64_t port;

    if ((!text || !*text) && (!key || !nb_config_get(config, nb_str_of(key), &s))) {
        return otherwise;
    }
    if (!nb_str_to_int64(nb_str_trim(s), &port) || port < 0 || port > 65535) {
        nb_daemon_bad_option(err,
                             option          ? "a port"
                             : text && *text ? variable
                                             : key,
                             "a number from 0 to 65535", s);
        return -1;
    }
    return (int)port;
}

bool
nb_is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (strcmp(host, "localhost") == 0) {
        return true;
    }
    if (inet_pton(AF_INET, host, &v4) == 1) {
        return (ntohl(v4.s_addr) >> 24) == 127;
    }
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

void
nb_daemon_address(char out[300], const char *host, int port)
{
    snprintf(out, 300, strchr(host, ':') ? "[%.255s]:%d" : "%.255s:%d", host, port);
}

/* ---- secrets ---- */

static void
wipe(nb_strbuf *b)
{
    if (b->data) {
        explicit_bzero(b->data, b->cap);
    }
    nb_strbuf_free(b);
}

static void
take_secret(const char *variable, const nb_config *config, const char *key, nb_strbuf *out)
{
    char *text = getenv(variable);
    nb_str s;

    if (text && *text) {
        nb_strbuf_adds(out, text);
        explicit_bzero(text, strlen(text)); /* /proc/PID/environ shows these very bytes */
    } else if (nb_config_get(config, nb_str_of(key), &s)) {
        nb_strbuf_add(out, s);
    }
    unsetenv(variable); /* not for those who read the environment of this process's children */
}

nb_status
nb_secrets_load_ui(const nb_config *config, nb_secrets *out)
{
    take_secret("NBASPARK_UI_TOKEN", config, "nbaspark.ui.token", &out->ui);
    return out->ui.failed ? NB_NOMEM : NB_OK;
}

nb_status
nb_secrets_load(const nb_config *config, nb_secrets *out, nb_error *err)
{
    nb_str on;
    bool wanted = false;

    NB_TRY(nb_secrets_load_ui(config, out));
    take_secret("SPARK_CONNECT_AUTHENTICATE_TOKEN", config, "spark.connect.authenticate.token",
                &out->token);
    take_secret("SPARK_AUTHENTICATE_SECRET", config, "spark.authenticate.secret", &out->secret);
    if (nb_config_get(config, NB_STR("spark.authenticate"), &on)) {
        nb_str_to_bool(on, &wanted);
    }
    if (wanted && out->secret.len == 0) {
        return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message",
                        "spark.authenticate needs spark.authenticate.secret", NULL);
    }
    return out->token.failed || out->secret.failed ? NB_NOMEM : NB_OK;
}

void
nb_secrets_free(nb_secrets *s)
{
    wipe(&s->token);
    wipe(&s->secret);
    wipe(&s->ui);
}

bool
nb_secrets_any(const nb_secrets *s)
{
    return s->token.len > 0 || s->secret.len > 0;
}

static bool
shows(nb_str header, const nb_strbuf *secret)
{
    return secret->len > 0 && nb_rpc_secret_equal(header, nb_strbuf_str(secret));
}

nb_rpc_code
nb_secrets_gate(nb_rpc_call *call, void *payload)
{
    const nb_secrets *s = payload;
    nb_str header = nb_rpc_call_metadata(call, "authorization");
    bool is_client, ok;

    if (!nb_secrets_any(s)) {
        return NB_RPC_OK;
    }
    if (!nb_str_starts_with(header, NB_STR("Bearer "))) {
        return NB_RPC_UNAUTHENTICATED;
    }
    header = (nb_str){header.data + 7, header.len - 7};
    is_client = nb_str_starts_with(nb_rpc_call_path(call), NB_STR("/spark.connect."));
    ok = shows(header, &s->secret);
    if (is_client || s->secret.len == 0) {
        ok = shows(header, &s->token) || ok;
    }
    return ok ? NB_RPC_OK : NB_RPC_UNAUTHENTICATED;
}

bool
nb_conf_is_secret(nb_str key)
{
    static const char *const words[] = {"secret",     "password",   "token",
                                        "credential", "privatekey", "accesskey"};

    for (size_t w = 0; w < NB_COUNT_OF(words); w++) {
        size_t n = strlen(words[w]);
        for (size_t i = 0; i + n <= key.len; i++) {
            if (nb_str_equal_nocase((nb_str){key.data + i, n}, (nb_str){words[w], n})) {
                return true;
            }
        }
    }
    return false;
}

/* ---- TLS ---- */

static bool
ssl_setting(const nb_config *config, const char *name, nb_str *out)
{
    char key[96];

    snprintf(key, sizeof key, "spark.ssl.rpc.%s", name);
    if (nb_config_get(config, nb_str_of(key), out)) {
        return true;
    }
    snprintf(key, sizeof key, "spark.ssl.%s", name);
    return nb_config_get(config, nb_str_of(key), out);
}

static bool
ssl_flag(const nb_config *config, const char *name)
{
    nb_str text;
    bool on = false;

    return ssl_setting(config, name, &text) && nb_str_to_bool(text, &on) && on;
}

static nb_status
read_pem(const nb_config *config, const char *name, bool needed, nb_strbuf *out, nb_error *err)
{
    char path[4096], message[128], part[4096];
    nb_str text;
    FILE *f;
    size_t n;

    if (!ssl_setting(config, name, &text) || text.len == 0) {
        snprintf(message, sizeof message, "spark.ssl.enabled needs spark.ssl.%s, a PEM file", name);
        return needed ? nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message", message, NULL) : NB_OK;
    }
    snprintf(path, sizeof path, "%.*s", (int)text.len, text.data);
    f = fopen(path, "re");
    if (!f) {
        return nb_raise_errno(err, "open", path, errno);
    }
    while ((n = fread(part, 1, sizeof part, f)) > 0 && out->len < (size_t)1 << 20) {
        nb_strbuf_add(out, (nb_str){part, n});
    }
    fclose(f);
    explicit_bzero(part, sizeof part);
    return out->failed ? NB_NOMEM : NB_OK;
}

nb_status
nb_tls_files_load(const nb_config *config, nb_tls_files *out, nb_error *err)
{
    out->enabled = ssl_flag(config, "enabled");
    if (!out->enabled) {
        return NB_OK;
    }
    NB_TRY(read_pem(config, "certChain", true, &out->chain, err));
    NB_TRY(read_pem(config, "privateKey", true, &out->key, err));
    out->need_client = ssl_flag(config, "needClientAuth");
    return read_pem(config, "trustStore", out->need_client, &out->roots, err);
}

nb_rpc_tls
nb_tls_of_server(const nb_tls_files *t)
{
    return (nb_rpc_tls){nb_strbuf_str(&t->chain), nb_strbuf_str(&t->key),
                        t->need_client ? nb_strbuf_str(&t->roots) : NB_STR("")};
}

void
nb_tls_to_peer(const nb_tls_files *t, nb_rpc_channel_options *options)
{
    options->tls = t->enabled;
    options->ca = nb_strbuf_str(&t->roots);
    options->cert = nb_strbuf_str(&t->chain);
    options->key = nb_strbuf_str(&t->key);
}

void
nb_tls_files_free(nb_tls_files *t)
{
    wipe(&t->chain);
    wipe(&t->key);
    wipe(&t->roots);
}

/* ---- pages ----------------------------------------------------------------------------------- */

nb_status
nb_daemon_serve_pages(const char *name, const nb_config *config, const char *port_option,
                      nb_monitor_pages *pages, nb_monitor_server **out, nb_error *err)
{
    nb_error why = NB_ERROR_INIT;
    char address[300];

    pages->port = pages->is_worker ? nb_daemon_port(port_option, "SPARK_WORKER_WEBUI_PORT", config,
                                                    "spark.worker.ui.port", 8081, err)
                                   : nb_daemon_port(port_option, "SPARK_MASTER_WEBUI_PORT", config,
                                                    "spark.master.ui.port", 8080, err);
    if (pages->port < 0) {
        return NB_ERROR;
    }
    *out = NULL;
    if (nb_monitor_serve(pages, out, &why) < 0) {
        nb_log(NB_LOG_WARN, name, "%s", why.set ? nb_error_message(&why) : "out of memory");
        nb_error_clear(&why);
        return NB_OK;
    }
    nb_daemon_address(address, pages->host, nb_monitor_server_port(*out));
    nb_log(NB_LOG_INFO, name, "web pages at http://%s%s", address,
           pages->token.len > 0 ? "/?token=… (the token)" : "");
    return NB_OK;
}
