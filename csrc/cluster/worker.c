/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.c: nbasparkd worker: runs tasks on its cores and serves the blocks that they have put out.
 *
 *   attach   one stream to the master brings commands: its number, tasks, attempts to stop, queries to forget. When the stream ends, all that
 *            runs is stopped and all blocks go: to the master this worker is lost. Then it attaches again, as a new one.
 *   beat     says every heartbeat that it is alive
 *   cores    a thread each takes tasks from the queue, runs them and reports (worker_task.c)
 *   blocks   outputs.h
 *
 * Memory   every task has a pool below the worker's, whose limit is --memory.
 */
#include "cluster/worker_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/log.h"
#include "base/thread.h"
#include "cluster/fragment_internal.h"
#include "io/file.h"
#include "plan/message_unpack.h"
#include "rpc/runtime.h"

#define ATTACH           "/nbaspark.cluster.Master/Attach"
#define BEAT             "/nbaspark.cluster.Master/Beat"
#define GRACE_MS         5000
#define MOST_USES        64 /* tasks that a heartbeat tells of */
#define STALLED_BEATS    4  /* as many as the master waits for */
#define LEAST_MEMORY     ((size_t)1 << 20)
#define CORE_STACK_BYTES ((size_t)1 << 20) /* of a core's thread, beside what a task needs */

/* ---- cores ----------------------------------------------------------------------------------- */

static void *
core_main(void *payload)
{
    nb_worker *w = payload;

    pthread_mutex_lock(&w->lock);
    while (!w->stopping) {
        nb_worker_job *j = w->queue;
        uint32_t self = w->id;

        if (j == NULL) {
            nb_stack_trim();
            pthread_cond_wait(&w->work, &w->lock);
            continue;
        }
        w->queue = j->next;
        j->next = w->running;
        w->running = j;
        pthread_mutex_unlock(&w->lock);
        nb_worker_do_job(w, j, self);
        pthread_mutex_lock(&w->lock);
        for (nb_worker_job **at = &w->running; *at != NULL; at = &(*at)->next) {
            if (*at == j) {
                *at = j->next;
                break;
            }
        }
        pthread_cond_broadcast(&w->ended);
        nb_arena_free(j->arena);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* ---- commands -------------------------------------------------------------------------------- */

/* Stops what matches; the lock is held. */
static void
drop_jobs(nb_worker *w, uint64_t query, const Nbc__Attempt *only, bool all)
{
    nb_worker_job **at = &w->queue;

    while (*at != NULL) {
        const Nbc__Attempt *a = (*at)->task->attempt;

        if (all || (a->query == query &&
                    (only == NULL || (a->stage == only->stage && a->task == only->task &&
                                      a->attempt == only->attempt)))) {
            nb_worker_job *j = *at;

            *at = j->next;
            nb_arena_free(j->arena);
        } else {
            at = &(*at)->next;
        }
    }
    for (nb_worker_job *j = w->running; j != NULL; j = j->next) {
        const Nbc__Attempt *a = j->task->attempt;

        if (all || (a->query == query &&
                    (only == NULL || (a->stage == only->stage && a->task == only->task &&
                                      a->attempt == only->attempt)))) {
            j->dropped = true;
            atomic_store(&j->cancel.requested, 1);
        }
    }
}

static nb_status
obey(nb_worker *w, nb_rpc_message *message, nb_error *err)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_str bytes = arena ? nb_rpc_message_copy(message, arena) : (nb_str){NULL, 0};
    ProtobufCMessage *m;
    const Nbc__Command *c;
    nb_status st = NB_NOMEM;
    nb_worker_job *j, **at;

    if (bytes.data != NULL) {
        st = nb_message_unpack(arena, &nbc__command__descriptor, bytes.data, bytes.len, &m, err);
    }
    if (st < 0) {
        nb_arena_free(arena);
        return st;
    }
    c = (const Nbc__Command *)m;
    pthread_mutex_lock(&w->lock);
    if (c->has_worker) {
        w->id = c->worker;
        w->heartbeat_ms = (int)NB_MAX(c->heartbeat_ms, 10);
        nb_log(NB_LOG_INFO, "worker", "attached to %s as worker %u", w->master, w->id);
    }
    if (c->kill != NULL) {
        drop_jobs(w, c->kill->query, c->kill, false);
    }
    if (c->has_release) {
        drop_jobs(w, c->release, NULL, false);
        nb_outputs_forget(w->outputs, c->release);
    }
    if (c->launch != NULL && c->launch->attempt != NULL) {
        j = NB_ARENA_NEW(arena, nb_worker_job);
        if (j == NULL) {
            st = NB_NOMEM;
        } else {
            j->arena = arena;
            j->task = c->launch;
            arena = NULL;
            for (at = &w->queue; *at != NULL; at = &(*at)->next) {
            }
            *at = j;
            pthread_cond_signal(&w->work);
        }
    }
    pthread_mutex_unlock(&w->lock);
    nb_arena_free(arena);
    return st;
}

/* It tries again and again, and says why when that is another reason than before. */
static void
say_trouble(nb_worker *w, nb_status st, const nb_error *err)
{
    const char *why = st == NB_NOMEM ? "out of memory" : nb_error_message(err);
    bool stopping;

    pthread_mutex_lock(&w->lock);
    stopping = w->stopping;
    pthread_mutex_unlock(&w->lock);
    if (stopping || st >= 0 || st == NB_CANCELLED ||
        strncmp(why, w->trouble, sizeof(w->trouble) - 1) == 0) {
        return;
    }
    snprintf(w->trouble, sizeof(w->trouble), "%s", why);
    nb_log(NB_LOG_WARN, "worker", "cannot attach to %s: %s", w->master, why);
}

/* One attachment, from its begin to its end. */
static void
attach(nb_worker *w)
{
    nb_arena *arena = nb_arena_new(NULL);
    Nbc__WorkerInfo *m = arena ? NB_WIRE_NEW(arena, Nbc__WorkerInfo, nbc__worker_info) : NULL;
    nb_rpc_options options = NB_RPC_OPTIONS_INIT;
    nb_rpc_message *message;
    nb_rpc_stream *stream;
    nb_error err = NB_ERROR_INIT;
    nb_status st;
    nb_str bytes;

    if (m == NULL) {
        nb_arena_free(arena);
        return;
    }
    NB_WIRE_SET(m, address, nb_wire_bytes(nb_str_of(w->address)));
    NB_WIRE_SET(m, cores, (uint32_t)w->cores);
    NB_WIRE_SET(m, memory, w->memory);
    NB_WIRE_SET(m, version, nb_wire_bytes(NB_STR(NB_VERSION)));
    NB_WIRE_SET(m, local_name, nb_wire_bytes(nb_handoff_name(w->handoff)));
    bytes.len = protobuf_c_message_get_packed_size(&m->base);
    bytes.data = nb_arena_alloc(arena, bytes.len + 1);
    if (bytes.data == NULL) {
        nb_arena_free(arena);
        return;
    }
    protobuf_c_message_pack(&m->base, (uint8_t *)(uintptr_t)bytes.data);
    st = nb_rpc_open(w->channel, ATTACH, &NB_RPC_PIECE(bytes), true, &options, &stream, &err);
    if (st == NB_OK) {
        bool attached;

        pthread_mutex_lock(&w->lock);
        w->stream = stream;
        if (w->stopping) {
            nb_rpc_cancel(stream);
        }
        pthread_mutex_unlock(&w->lock);
        while ((st = nb_rpc_receive(stream, &message, NULL, &err)) == NB_OK) {
            st = obey(w, message, &err);
            nb_rpc_message_free(message);
            if (st < 0) {
                break;
            }
        }
        pthread_mutex_lock(&w->lock);
        attached = w->id != 0;
        w->stream = NULL;
        w->id = 0;
        drop_jobs(w, 0, NULL, true);
        nb_outputs_forget_all(w->outputs);
        while (w->running != NULL) { /* cores are counted anew */
            pthread_cond_wait(&w->ended, &w->lock);
        }
        nb_outputs_forget_all(w->outputs);
        pthread_mutex_unlock(&w->lock);
        nb_rpc_close(stream);
        if (attached) {
            nb_log(NB_LOG_WARN, "worker", "no longer attached to %s", w->master);
            w->trouble[0] = '\0';
        }
    }
    say_trouble(w, st, &err);
    nb_error_clear(&err);
    nb_arena_free(arena);
}

static void *
attach_main(void *payload)
{
    nb_worker *w = payload;
    bool stopping = false;

    while (!stopping) {
        struct timespec until;

        attach(w);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 200 * 1000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_mutex_lock(&w->lock);
        if (!w->stopping) {
            pthread_cond_timedwait(&w->wake, &w->lock, &until);
        }
        stopping = w->stopping;
        pthread_mutex_unlock(&w->lock);
    }
    return NULL;
}

/* What tasks use; the lock is held. */
typedef struct uses {
    uint64_t queries[MOST_USES];
    int64_t bytes[MOST_USES];
    size_t n;
} uses;

static void
read_uses(const nb_worker *w, uses *out)
{
    out->n = 0;
    for (const nb_worker_job *j = w->running; j != NULL && out->n < MOST_USES; j = j->next) {
        if (j->pool != NULL) {
            out->queries[out->n] = j->task->attempt->query;
            out->bytes[out->n++] = (int64_t)nb_pool_used(j->pool);
        }
    }
}

static void
beat(nb_worker *w, uint32_t id, bool leaving, uses *used)
{
    Nbc__Beat m = {.base = {.descriptor = &nbc__beat__descriptor},
                   .has_worker = 1,
                   .worker = id,
                   .has_leaving = leaving,
                   .leaving = leaving,
                   .has_memory = 1,
                   .memory = (int64_t)nb_pool_used(w->pool),
                   .n_queries = used->n,
                   .queries = used->queries,
                   .n_query_memory = used->n,
                   .query_memory = used->bytes};
    uint8_t bytes[48 + 22 * MOST_USES];
    size_t n = protobuf_c_message_pack(&m.base, bytes);
    nb_rpc_options options = NB_RPC_OPTIONS_INIT;
    nb_rpc_message *answer = NULL;
    nb_arena *arena = nb_arena_new(NULL);
    nb_error err = NB_ERROR_INIT;
    ProtobufCMessage *a;

    options.deadline_ms = 5000;
    if (arena != NULL &&
        nb_rpc_unary(w->channel, BEAT, &NB_RPC_PIECE(((nb_str){(const char *)bytes, n})), &options,
                     &answer, NULL, &err) == NB_OK) {
        nb_str text = nb_rpc_message_copy(answer, arena);

        if (text.data != NULL &&
            nb_message_unpack(arena, &nbc__beat_answer__descriptor, text.data, text.len, &a,
                              &err) == NB_OK &&
            !((const Nbc__BeatAnswer *)a)->known) {
            pthread_mutex_lock(&w->lock);
            if (w->stream != NULL && w->id == id) {
                nb_rpc_cancel(w->stream);
            }
            pthread_mutex_unlock(&w->lock);
        }
    }
    nb_rpc_message_free(answer);
    nb_error_clear(&err);
    nb_arena_free(arena);
}

static void *
beat_main(void *payload)
{
    nb_worker *w = payload;

    for (;;) {
        struct timespec until;
        uint32_t id;
        int64_t ms;
        bool leaving;
        uses used;

        pthread_mutex_lock(&w->lock);
        id = w->id;
        ms = id != 0 ? w->heartbeat_ms : 50;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += (ms % 1000) * 1000000;
        until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        while (!w->stopping && pthread_cond_timedwait(&w->wake, &w->lock, &until) == 0) {
        }
        if (w->stopping) {
            pthread_mutex_unlock(&w->lock);
            return NULL;
        }
        id = w->id;
        for (nb_worker_job *j = w->running; j != NULL; j = j->next) {
            if (j->fetch != NULL) {
                nb_fetch_check(j->fetch, STALLED_BEATS * (int64_t)w->heartbeat_ms);
            }
        }
        read_uses(w, &used);
        leaving = w->leaving;
        pthread_mutex_unlock(&w->lock);
        if (id != 0) {
            beat(w, id, leaving, &used);
        }
    }
}

/* ---- the process ----------------------------------------------------------------------------- */

static const char USAGE[] =
    "Usage: nbasparkd worker [OPTION …] spark://HOST:PORT\n\n"
    "  -c, --cores N               tasks at once (SPARK_WORKER_CORES; all cores)\n"
    "  -m, --memory SIZE           of all tasks (SPARK_WORKER_MEMORY; 60 % of the machine's)\n"
    "  -h, --host HOST             where peers reach this worker (SPARK_LOCAL_IP; 127.0.0.1)\n"
    "  -p, --port PORT             of the same (SPARK_WORKER_PORT; any free one)\n"
    "      --webui-port PORT       of the web page (SPARK_WORKER_WEBUI_PORT; 8081)\n"
    "  -d, --work-dir DIR          for blocks and spilled data (SPARK_WORKER_DIR), where neither\n"
    "                              SPARK_LOCAL_DIRS nor spark.local.dir says so; /tmp\n"
    "      --properties-file FILE  instead of spark-defaults.conf\n"
    "      --insecure              listen beyond loopback without authentication\n"
    "      --log-json              log as lines of JSON\n"
    "      --log-level LEVEL       DEBUG, INFO, WARN, ERROR\n"
    "      --help, --version\n";

static const char *
setting(const char *option, const char *variable, const char *otherwise)
{
    const char *value = option ? option : getenv(variable);

    return value && *value ? value : otherwise;
}

/* What the worker puts on disk goes to SPARK_LOCAL_DIRS, else spark.local.dir, else its own directory. Directories that cannot be written are
 * left out by who writes (nb_file_nameless); where none can, no task could do its work. */
static nb_status
choose_dirs(nb_worker *w, nb_error *err)
{
    const char *own = setting(w->work_dir, "SPARK_WORKER_DIR", NULL);
    char path[512];
    nb_str dir;
    int good = 0;

    w->local_dir = nb_config_str(w->config, NB_CONF_LOCAL_DIR);
    if (own != NULL && !nb_config_is_set(w->config, NB_STR("spark.local.dir"))) {
        w->local_dir = nb_str_of(own);
    }
    for (int i = 0; (dir = nb_dir_of_list(w->local_dir, i)).len > 0; i++) {
        int fd = nb_file_nameless(dir, "spill", path, sizeof path);

        if (fd >= 0) {
            close(fd);
            good++;
        } else if (nb_dir_of_list(w->local_dir, i + 1).len == 0 && good == 0) {
            return nb_raise_errno(err, "create", path, errno);
        } else {
            nb_log(NB_LOG_WARN, "worker", "%.*s is not used: %s", (int)dir.len, dir.data,
                   strerror(errno));
        }
    }
    return NB_OK;
}

/* "2g", "512m": as Spark reads it. */
static nb_status
read_sizes(nb_worker *w, nb_error *err)
{
    const char *memory = setting(w->memory_text, "SPARK_WORKER_MEMORY", NULL);
    const char *cores = setting(w->cores_text, "SPARK_WORKER_CORES", NULL);
    nb_config *scratch = nb_config_new();
    int64_t n = nb_threads_available();
    nb_status st = NB_OK;

    if (scratch == NULL) {
        return NB_NOMEM;
    }
    if (cores != NULL && (!nb_str_to_int64(nb_str_of(cores), &n) || n < 1 || n > 4096)) {
        st = nb_daemon_bad_option(err, "--cores (SPARK_WORKER_CORES)", "a number from 1 to 4096",
                                  nb_str_of(cores));
    }
    w->cores = (int)n;
    if (st == NB_OK && memory != NULL) {
        if (nb_config_set(scratch, NB_STR("spark.memory.limit"), nb_str_of(memory), NULL) ==
            NB_OK) {
            w->memory = (size_t)nb_config_int(scratch, NB_CONF_MEMORY_LIMIT);
        }
        if (w->memory < LEAST_MEMORY) {
            st =
                nb_daemon_bad_option(err, "--memory (SPARK_WORKER_MEMORY)",
                                     "a size of 1m or more, such as 512m or 2g", nb_str_of(memory));
        }
    }
    if (w->memory == 0) {
        w->memory = (size_t)sysconf(_SC_PHYS_PAGES) / 5 * 3 * (size_t)sysconf(_SC_PAGESIZE);
    }
    nb_config_free(scratch);
    return st;
}

/* The worker itself, for its page. */
static nb_status
list_self(void *payload, nb_monitor_emit_worker emit, void *to)
{
    nb_worker *w = payload;
    nb_str address = nb_str_of(w->address);
    nb_monitor_worker shown = {.cores = w->cores,
                               .memory = (int64_t)w->memory,
                               .memory_used = (int64_t)nb_pool_used(w->pool)};
    const char *colon = strrchr(w->address, ':');
    char id[24];

    pthread_mutex_lock(&w->lock);
    snprintf(id, sizeof(id), "worker-%u", w->id);
    shown.state = w->id ? NB_STR("ALIVE") : NB_STR("WAITING");
    for (const nb_worker_job *j = w->running; j != NULL; j = j->next) {
        shown.cores_used++;
    }
    pthread_mutex_unlock(&w->lock);
    shown.tasks = shown.cores_used;
    shown.id = nb_str_of(id);
    shown.host = (nb_str){address.data, colon ? (size_t)(colon - w->address) : address.len};
    shown.port = colon ? atoi(colon + 1) : 0;
    emit(to, &shown);
    return NB_OK;
}

static nb_status
serve_pages(nb_worker *w, nb_error *err)
{
    nb_monitor_pages pages = {.is_worker = true,
                              .title = w->address,
                              .host = w->host,
                              .insecure = w->options.insecure,
                              .payload = w,
                              .list_workers = list_self};

    pages.token = nb_strbuf_str(w->secrets.ui.len > 0      ? &w->secrets.ui
                                : w->secrets.token.len > 0 ? &w->secrets.token
                                                           : &w->secrets.secret);
    return nb_daemon_serve_pages("worker", w->config, w->options.webui_port, &pages, &w->pages,
                                 err);
}

static bool
is_master_url(nb_str url)
{
    const char *colon = url.len > 8 ? strrchr(url.data, ':') : NULL;
    int64_t port;

    return nb_str_starts_with(url, NB_STR("spark://")) && colon > url.data + 8 &&
           nb_str_to_int64(nb_str_of(colon + 1), &port) && port > 0 && port <= 65535;
}

static nb_status
start(nb_worker *w, nb_error *err)
{
    static const nb_rpc_method methods[] = {
        {.path = NB_FETCH_METHOD, .handler = nb_outputs_serve, .is_long = true}};
    nb_rpc_server_options options = NB_RPC_SERVER_OPTIONS_INIT;
    nb_rpc_channel_options to_master = NB_RPC_CHANNEL_OPTIONS_INIT;
    nb_rpc_method method = methods[0];
    nb_rpc_tls tls;
    nb_str url = nb_str_of(w->master);
    char address[300];
    int port, bound;

    NB_TRY(nb_daemon_config(w->options.properties_file, &w->config, err));
    NB_TRY(nb_secrets_load(w->config, &w->secrets, err));
    NB_TRY(nb_tls_files_load(w->config, &w->tls, err));
    NB_TRY(read_sizes(w, err));
    NB_TRY(choose_dirs(w, err));
    if (!is_master_url(url)) {
        return nb_daemon_bad_option(err, "the master", "spark://HOST:PORT", url);
    }
    url = (nb_str){url.data + 8, url.len - 8};
    w->host = setting(w->options.host, "SPARK_LOCAL_IP", "127.0.0.1");
    if (!nb_is_loopback(w->host) && !nb_secrets_any(&w->secrets) && !w->options.insecure) {
        return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message",
                        "listening beyond loopback needs authentication: set "
                        "spark.authenticate.secret, or say --insecure",
                        NULL);
    }
    if (!nb_is_loopback(w->host) && !nb_secrets_any(&w->secrets)) {
        nb_log(NB_LOG_WARN, "worker",
               "INSECURE: anybody who can reach %s may read what tasks have put out", w->host);
    }
    port = nb_daemon_port(w->options.port, "SPARK_WORKER_PORT", w->config, "spark.worker.port", 0,
                          err);
    if (port < 0) {
        return NB_ERROR;
    }
    w->pool = nb_pool_new(NULL, "worker", w->memory);
    if (w->pool == NULL) {
        return NB_NOMEM;
    }
    to_master.target = url;
    to_master.token =
        nb_strbuf_str(w->secrets.secret.len > 0 ? &w->secrets.secret : &w->secrets.token);
    nb_tls_to_peer(&w->tls, &to_master);
    NB_TRY(nb_peers_init(&w->peers, &to_master));
    NB_TRY(nb_outputs_new(&w->outputs));
    NB_TRY(nb_rpc_channel_new(&to_master, &w->channel, err));
    options.gate = nb_secrets_gate;
    options.gate_payload = &w->secrets;
    NB_TRY(nb_rpc_server_new(&options, &w->server, err));
    method.payload = w->outputs;
    NB_TRY(nb_rpc_server_add(w->server, &method, 1, err));
    nb_daemon_address(address, w->host, port);
    tls = nb_tls_of_server(&w->tls);
    NB_TRY(nb_rpc_server_listen(w->server, address, w->tls.enabled ? &tls : NULL, &bound, err));
    nb_daemon_address(w->address, w->host, bound);
    NB_TRY(nb_rpc_server_start(w->server, err));
    if (nb_config_bool(w->config, NB_CONF_CLUSTER_HANDOFF)) {
        NB_TRY(nb_handoff_serve(nb_outputs_open, w->outputs, &w->handoff, err));
    }
    return serve_pages(w, err);
}

/* What runs has a while to end; the master hears that nothing more is wanted. */
static void
finish_tasks(nb_worker *w)
{
    struct timespec until;
    uses used;
    uint32_t id;

    pthread_mutex_lock(&w->lock);
    w->leaving = true;
    read_uses(w, &used);
    id = w->id;
    pthread_mutex_unlock(&w->lock);
    if (used.n > 0) {
        nb_log(NB_LOG_INFO, "worker", "tasks that run have %d s to end", GRACE_MS / 1000);
    }
    if (id != 0) {
        beat(w, id, true, &used);
    }
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += GRACE_MS / 1000;
    pthread_mutex_lock(&w->lock);
    while ((w->running != NULL || w->queue != NULL) &&
           pthread_cond_timedwait(&w->ended, &w->lock, &until) == 0) {
    }
    pthread_mutex_unlock(&w->lock);
}

static void
run(nb_worker *w)
{
    pthread_t *threads = nb_pool_alloc(w->pool, (size_t)(w->cores + 2) * sizeof(pthread_t));
    pthread_attr_t
        deep; /* tasks run on the threads of the cores themselves, without a change of threads */
    int n = 0;

    pthread_attr_init(&deep);
    pthread_attr_setstacksize(&deep, NB_TASK_STACK_BYTES + CORE_STACK_BYTES);
    for (int i = 0; threads != NULL && i < w->cores; i++) {
        n += pthread_create(&threads[n], &deep, core_main, w) == 0;
    }
    pthread_attr_destroy(&deep);
    if (threads != NULL) {
        n += pthread_create(&threads[n], NULL, attach_main, w) == 0;
        n += pthread_create(&threads[n], NULL, beat_main, w) == 0;
        nb_log(NB_LOG_INFO, "worker", "nbasparkd " NB_VERSION ": %d cores, %zu MiB, blocks at %s",
               w->cores, w->memory >> 20, w->address);
        nb_daemon_wait();
        finish_tasks(w);
    }
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    if (w->stream != NULL) {
        nb_rpc_cancel(w->stream);
    }
    pthread_cond_broadcast(&w->work);
    pthread_cond_broadcast(&w->wake);
    pthread_mutex_unlock(&w->lock);
    for (int i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
    }
    nb_pool_dealloc(w->pool, threads, (size_t)(w->cores + 2) * sizeof(pthread_t));
}

int
nb_worker_main(int argc, char **argv)
{
    nb_worker w = {0};
    const nb_daemon_option own[] = {{"cores", 'c', &w.cores_text},
                                    {"memory", 'm', &w.memory_text},
                                    {"work-dir", 'd', &w.work_dir}};
    nb_error err = NB_ERROR_INIT;
    int code;
    nb_status st;

    nb_daemon_begin();
    code = nb_daemon_read_options(argc, argv, USAGE, own, NB_COUNT_OF(own), 1, &w.options);
    if (code >= 0) {
        return code;
    }
    w.master = argv[optind];
    pthread_mutex_init(&w.lock, NULL);
    pthread_cond_init(&w.work, NULL);
    pthread_cond_init(&w.ended, NULL);
    pthread_cond_init(&w.wake, NULL);
    st = start(&w, &err);
    code = st < 0;
    if (st < 0) {
        nb_log(NB_LOG_FATAL, "worker", "%s",
               st == NB_NOMEM ? "out of memory" : nb_error_message(&err));
    } else {
        run(&w);
        nb_daemon_stop_server("worker", w.server, GRACE_MS);
    }
    nb_monitor_server_stop(w.pages);
    nb_handoff_stop(w.handoff);
    nb_rpc_server_free(w.server);
    nb_rpc_channel_release(w.channel);
    nb_outputs_free(w.outputs);
    nb_peers_free(&w.peers);
    nb_tls_files_free(&w.tls);
    nb_secrets_free(&w.secrets);
    nb_config_free(w.config);
    nb_pool_free(w.pool);
    nb_error_clear(&err);
    nb_rpc_stop();
    return code;
}
