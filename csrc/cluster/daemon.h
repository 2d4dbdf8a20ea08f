/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon.h: what the processes of nbasparkd share: start, configuration files, signals, secrets.
 *
 * Each subcommand is one function with main's arguments (argv[0] is its name), listed in programs.def.
 */
#ifndef NB_CLUSTER_DAEMON_H
#define NB_CLUSTER_DAEMON_H

#include "base/config.h"
#include "monitor/monitor.h"
#include "rpc/channel.h"
#include "rpc/server.h"

int nb_master_main(int argc, char **argv);
int nb_worker_main(int argc, char **argv);

/* One of a process's own options: takes a value. */
typedef struct nb_daemon_option {
    const char *name;
    int letter; /* 0: only the long form */
    const char **value;
} nb_daemon_option;

/* What all processes can be told. */
typedef struct nb_daemon_options {
    const char *host, *port, *webui_port, *properties_file;
    bool insecure;
} nb_daemon_options;

/* Reads the command line: the options that all have (--host, --port, --webui-port, --properties-file, --insecure, --log-json, --log-level,
 * --help, --version), and `own`, which come first when letters meet. -1: go on with the arguments at optind, of which there are n_arguments;
 * else the exit code. */
int nb_daemon_read_options(int argc, char **argv, const char *usage, const nb_daemon_option *own,
                           int n_own, int n_arguments, nb_daemon_options *out);

/* First of all: signals that end the process are kept for nb_daemon_wait (also by threads made later), as many files as the system
 * lets us, log level INFO. */
void nb_daemon_begin(void);
/* Sleeps until SIGTERM or SIGINT; which one it was. */
int nb_daemon_wait(void);
/* Stops the server. When handlers do not end, nothing that they use may be freed: then the process ends here, with code 1. */
void nb_daemon_stop_server(const char *name, nb_rpc_server *server, int grace_ms);

/* properties_file, or else spark-defaults.conf in $SPARK_CONF_DIR, $NBASPARK_HOME/conf, $SPARK_HOME/conf (the first that is there);
 * SPARK_LOCAL_DIRS wins over its spark.local.dir. */
nb_status nb_daemon_config(const char *properties_file, nb_config **out, nb_error *err);

/* "WHAT must be WANTED, not 'GIVEN'" */
nb_status nb_daemon_bad_option(nb_error *err, const char *what, const char *wanted, nb_str given);
/* A TCP port: the option's text if any, else the environment's, else the configuration's, else `otherwise`. -1 and an error when it is none. */
int nb_daemon_port(const char *option, const char *variable, const nb_config *config,
                   const char *key, int otherwise, nb_error *err);
bool nb_is_loopback(const char *host);
/* "host:port" for gRPC and in URLs; numeric IPv6 hosts get brackets. */
void nb_daemon_address(char out[300], const char *host, int port);

/* What callers must show. Empty = not set. */
typedef struct nb_secrets {
    nb_strbuf
        token; /* of clients: SPARK_CONNECT_AUTHENTICATE_TOKEN, spark.connect.authenticate.token */
    nb_strbuf
        secret; /* between processes: SPARK_AUTHENTICATE_SECRET, spark.authenticate.secret with spark.authenticate */
    nb_strbuf ui; /* of readers of pages: NBASPARK_UI_TOKEN, nbaspark.ui.token */
} nb_secrets;

/* Takes them out of the environment, also out of what the system shows of it (/proc/PID/environ), and says nothing of them anywhere.
 * Before other threads are made: these may read the environment. */
nb_status nb_secrets_load(const nb_config *config, nb_secrets *out, nb_error *err);
/* Only `ui`. */
nb_status nb_secrets_load_ui(const nb_config *config, nb_secrets *out);
void nb_secrets_free(nb_secrets *s); /* wipes them */
bool nb_secrets_any(const nb_secrets *s);
/* For nb_rpc_server_options, payload: the nb_secrets. Clients' methods (spark.connect) take token or secret, all others the secret, or
 * the token when there is no secret; without either all may come in. They come as "authorization: Bearer …". */
nb_rpc_code nb_secrets_gate(nb_rpc_call *call, void *secrets);
/* Keys whose values must not be seen: neither in sessions nor in logs, user interfaces, event logs. */
bool nb_conf_is_secret(nb_str key);

/* Serves a process's pages, whose title, host, token, payload and functions are set: the port from option, environment or configuration. A
 * process is of use without pages too: what prevents them is said in the log and no failure (*out NULL). name: "master", "worker". */
nb_status nb_daemon_serve_pages(const char *name, const nb_config *config, const char *port_option,
                                nb_monitor_pages *pages, nb_monitor_server **out, nb_error *err);

/* spark.ssl.{enabled,certChain,privateKey,trustStore,needClientAuth}, also as spark.ssl.rpc.*: PEM files. *enabled false: no TLS.
 * What is read is wiped by nb_tls_files_free. */
typedef struct nb_tls_files {
    bool enabled, need_client;
    nb_strbuf chain, key, roots;
} nb_tls_files;
/* What a server listens with, and what a connection to another process of the cluster is made with: the same certificate says who
 * we are. Both borrow. */
nb_rpc_tls nb_tls_of_server(const nb_tls_files *t);
void nb_tls_to_peer(const nb_tls_files *t, nb_rpc_channel_options *options);
nb_status nb_tls_files_load(const nb_config *config, nb_tls_files *out, nb_error *err);
void nb_tls_files_free(nb_tls_files *t);

#endif
