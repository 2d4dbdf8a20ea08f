/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.c: sessions, and the three calls: execute, analyze (analyze.c), config (settings.c).
 *
 * Each call runs on a thread with a large stack, because plans may be nested deeply; execution itself spreads over the engine's threads.
 */
#include "connect/session.h"

#include <stdio.h>
#include <unistd.h>
#include <zstd.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/thread.h"
#include "connect/observe.h"
#include "connect/query.h"
#include "connect/requests.h"
#include "exec/operators.h"
#include "io/allowed.h"
#include "plan/message_unpack.h"

#define PLAN_MAX_BYTES ((size_t)1 << 30) /* of a compressed plan, unpacked */

/* 60 % of the machine's or the control group's memory. */
size_t
nb_session_default_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    double bytes = pages > 0 && size > 0 ? (double)pages * (double)size : 8e9;
    FILE *f = fopen("/sys/fs/cgroup/memory.max", "r");
    unsigned long long cap;

    if (f) {
        if (fscanf(f, "%llu", &cap) == 1 && (double)cap < bytes) {
            bytes = (double)cap;
        }
        fclose(f);
    }
    return (size_t)(bytes * 0.6);
}

/* local, local[4], local[*], local[4,2] (retries mean nothing here) */
static int
threads_of_master(nb_str master)
{
    int n = 0;

    if (nb_str_starts_with(master, NB_STR("local["))) {
        for (size_t i = 6;
             i < master.len && master.data[i] >= '0' && master.data[i] <= '9' && n < 10000; i++) {
            n = n * 10 + (master.data[i] - '0');
        }
        return n > 0 ? NB_MIN(n, 1024) : nb_threads_available();
    }
    return nb_str_equal(master, NB_STR("local")) ? 1 : nb_threads_available();
}

static void
make_uuid(char out[37])
{
    uint64_t a = nb_hash_u64((uint64_t)nb_clock_mono_ns() ^ ((uint64_t)getpid() << 40)),
             b = nb_hash_u64(a + (uint64_t)nb_clock_us());

    snprintf(out, 37, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
             (unsigned)(a >> 16) & 0xffff, (unsigned)a & 0xfff,
             0x8000u | ((unsigned)(b >> 48) & 0x3fff), (unsigned long long)(b & 0xffffffffffffULL));
}

nb_status
nb_session_new(const nb_conf_pair *conf, int n_conf, nb_session **out, nb_error *err)
{
    return nb_session_new_in(NULL, conf, n_conf, out, err);
}

nb_status
nb_session_new_in(nb_pool *parent, const nb_conf_pair *conf, int n_conf, nb_session **out,
                  nb_error *err)
{
    nb_session *s = NULL;
    nb_config *config = nb_config_new();
    nb_pool *pool = NULL;
    nb_status st = NB_NOMEM;
    size_t limit;

    if (!config) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n_conf; i++) {
        NB_TRY_GOTO(st, nb_setting_check(conf[i].key, conf[i].value, err), fail);
        NB_TRY_GOTO(st, nb_config_set(config, conf[i].key, conf[i].value, err), fail);
    }
    NB_TRY_GOTO(st, nb_allowed_set(config, err), fail);
    st = NB_NOMEM;
    if (nb_config_bool(config, NB_CONF_DEBUG_EQUAL_HASHES)) {
        nb_hash_debug_equal = true;
    }
    limit = (size_t)nb_config_int(config, NB_CONF_MEMORY_LIMIT);
    pool = nb_pool_new(parent, "session", limit || parent ? limit : nb_session_default_memory());
    s = pool ? nb_pool_zalloc(pool, sizeof *s) : NULL;
    if (!s) {
        goto fail;
    }
    s->pool = pool;
    s->config = config;
    s->cache_pool = nb_pool_new(pool, "cache", 0);
    if (!s->cache_pool) {
        goto fail;
    }
    NB_TRY_GOTO(st, nb_catalog_new(s->cache_pool, &s->catalog), fail);
    NB_TRY_GOTO(st, nb_ml_new(s->cache_pool, &s->ml), fail);
    s->n_threads = threads_of_master(nb_config_str(config, NB_CONF_MASTER));
    NB_TRY_GOTO(st,
                nb_observe_session(config, s->n_threads,
                                   limit ? limit : nb_session_default_memory(), &s->monitor, err),
                fail);
    if (!parent) { /* nobody sets it up by calls */
        nb_monitor_begin(s->monitor);
    }
    if (s->monitor) {
        NB_TRY_GOTO(st,
                    nb_config_set(config, NB_STR("spark.app.id"),
                                  nb_str_of(nb_monitor_app_id(s->monitor)), err),
                    fail);
        NB_TRY_GOTO(st,
                    nb_config_set(config, NB_STR("nbaspark.ui.url"),
                                  nb_str_of(nb_monitor_url(s->monitor)), err),
                    fail);
    }
    s->started = nb_config_copy(config);
    if (!s->started) {
        st = NB_NOMEM;
        goto fail;
    }
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->idle, NULL);
    nb_artifacts_init(&s->artifacts, config);
    make_uuid(s->id);
    *out = s;
    return NB_OK;
fail:
    if (s) {
        nb_monitor_close(s->monitor);
        nb_ml_free(s->ml);
        nb_catalog_free(s->catalog);
        nb_pool_free(s->cache_pool);
        nb_pool_dealloc(pool, s, sizeof *s);
    }
    nb_pool_free(pool);
    nb_config_free(config);
    return st;
}

void
nb_session_free(nb_session *s)
{
    nb_pool *pool;

    if (!s) {
        return;
    }
    pthread_mutex_lock(&s->lock);
    while (s->n_running > 0) {
        pthread_cond_wait(&s->idle, &s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    nb_monitor_close(s->monitor);
    nb_artifacts_end(&s->artifacts);
    nb_ml_free(s->ml);
    nb_catalog_free(s->catalog);
    nb_pool_free(s->cache_pool);
    nb_config_free(s->config);
    nb_config_free(s->started);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->idle);
    pool = s->pool;
    nb_pool_dealloc(pool, s, sizeof *s);
    nb_pool_free(pool);
}

void
nb_session_interrupt(nb_session *s)
{
    pthread_mutex_lock(&s->lock);
    for (nb_query *q = s->running; q; q = q->next) {
        atomic_store(&((nb_cancel_flag *)q->cancel)->requested, 1);
    }
    pthread_mutex_unlock(&s->lock);
}

bool
nb_session_kill(nb_session *s, nb_str app_id, int64_t execution)
{
    bool found = false;

    if (!nb_str_equal(nb_str_of(nb_monitor_app_id(s->monitor)), app_id) || execution < 0) {
        return false;
    }
    pthread_mutex_lock(&s->lock);
    for (nb_query *q = s->running; q && !found; q = q->next) {
        found = execution >= atomic_load(&q->first_execution) &&
                execution <= atomic_load(&q->last_execution) &&
                atomic_load(&q->first_execution) >= 0;
        if (found) {
            atomic_store(&((nb_cancel_flag *)q->cancel)->requested, 1);
        }
    }
    pthread_mutex_unlock(&s->lock);
    return found;
}

void
nb_session_set_runner(nb_session *s, const nb_runner *runner)
{
    pthread_mutex_lock(&s->lock);
    s->runner = *runner;
    pthread_mutex_unlock(&s->lock);
}

nb_str
nb_session_time_zone(nb_session *s, nb_arena *arena)
{
    nb_str zone;

    pthread_mutex_lock(&s->lock);
    zone = nb_arena_str(arena, nb_config_str(s->config, NB_CONF_SESSION_TIME_ZONE));
    pthread_mutex_unlock(&s->lock);
    return zone;
}

int64_t
nb_session_limit_ms(nb_session *s, const char *key, int64_t otherwise)
{
    int64_t ms;

    pthread_mutex_lock(&s->lock);
    ms = nb_config_limit_ms(s->config, key, otherwise);
    pthread_mutex_unlock(&s->lock);
    return ms;
}

nb_pool *
nb_session_pool(nb_session *s)
{
    return s->cache_pool;
}

nb_status
nb_session_add_local(nb_session *s, nb_str hash, nb_table *table, nb_error *err)
{
    (void)err;
    return nb_catalog_add_local(s->catalog, hash, table);
}

nb_status
nb_session_add_blob(nb_session *s, nb_str hash, nb_buffer *bytes, nb_error *err)
{
    (void)err;
    return nb_catalog_add_blob(s->catalog, hash, bytes);
}

bool
nb_session_has_local(nb_session *s, nb_str hash)
{
    return nb_catalog_blob(s->catalog, hash) || nb_catalog_has_local(s->catalog, hash);
}

nb_status
nb_session_copy_state(nb_session *from, nb_session *to, nb_error *err)
{
    nb_config *config, *old;

    pthread_mutex_lock(&from->lock);
    config = nb_config_copy(from->config);
    pthread_mutex_unlock(&from->lock);
    if (!config) {
        return NB_NOMEM;
    }
    pthread_mutex_lock(&to->lock);
    old = to->config;
    to->config = config;
    pthread_mutex_unlock(&to->lock);
    nb_config_free(old);
    NB_TRY(nb_artifacts_copy(from, to, err));
    return nb_catalog_copy(to->catalog, from->catalog);
}

void
nb_session_remove_local(nb_session *s, nb_str hash)
{
    nb_catalog_remove_local(s->catalog, hash);
}

/* ---- execute ---- */

typedef struct execution {
    nb_session *session;
    nb_str plan;
    const nb_cancel_flag *cancel;
    nb_delivery *delivery;
    nb_result *result;
    nb_error *err;
    nb_status st;
} execution;

/* The relation or command inside a plan, decompressed if it has to be. */
static nb_status
open_plan(nb_arena *arena, nb_str bytes, const Sc__Relation **root, const Sc__Command **command,
          nb_error *err)
{
    ProtobufCMessage *m;
    const Sc__Plan *plan;
    const Sc__Plan__CompressedOperation *z;
    unsigned long long size;
    char *inner;
    bool is_command;

    NB_TRY(nb_message_unpack(arena, &sc__plan__descriptor, bytes.data, bytes.len, &m, err));
    plan = (const Sc__Plan *)m;
    if (plan->op_type_case == SC__PLAN__OP_TYPE_ROOT) {
        *root = plan->root;
        return NB_OK;
    }
    if (plan->op_type_case == SC__PLAN__OP_TYPE_COMMAND) {
        *command = plan->command;
        return NB_OK;
    }
    if (plan->op_type_case != SC__PLAN__OP_TYPE_COMPRESSED_OPERATION) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message", "it has neither a root nor a command",
                        NULL);
    }
    z = plan->compressed_operation;
    if (z->compression_codec != SC__COMPRESSION_CODEC__COMPRESSION_CODEC_ZSTD) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message", "its compression is unknown", NULL);
    }
    size = ZSTD_getFrameContentSize(z->data.data, z->data.len);
    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN ||
        size > PLAN_MAX_BYTES) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message",
                        "its compressed size is wrong or too large", NULL);
    }
    inner = nb_arena_alloc(arena, (size_t)size + 1);
    if (!inner) {
        return NB_NOMEM;
    }
    if (ZSTD_decompress(inner, (size_t)size, z->data.data, z->data.len) != size) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message", "its compressed bytes are damaged",
                        NULL);
    }
    is_command = z->op_type == SC__PLAN__COMPRESSED_OPERATION__OP_TYPE__OP_TYPE_COMMAND;
    NB_TRY(nb_message_unpack(arena,
                             is_command ? &sc__command__descriptor : &sc__relation__descriptor,
                             inner, (size_t)size, &m, err));
    if (is_command) {
        *command = (const Sc__Command *)m;
    } else {
        *root = (const Sc__Relation *)m;
    }
    return NB_OK;
}

/* Statuses without a text get one. */
nb_status
nb_status_explain(nb_status st, nb_error *err)
{
    if (st == NB_NOMEM) {
        return nb_raise(err, NB_COND_OUT_OF_MEMORY, NULL);
    }
    if (st == NB_CANCELLED) {
        nb_raise(err, NB_COND_OPERATION_CANCELED, NULL);
        return NB_CANCELLED;
    }
    return st;
}

static void
execute(void *payload)
{
    execution *x = payload;
    nb_query q;
    const Sc__Relation *root = NULL;
    const Sc__Command *command = NULL;

    x->st = nb_query_begin(x->session, x->cancel, &q, x->err);
    if (x->st < 0) {
        return;
    }
    q.delivery = x->delivery;
    x->st = open_plan(q.arena, x->plan, &root, &command, x->err);
    if (x->st >= 0) {
        if (x->session->monitor) {
            q.title = nb_observe_title(q.arena, root, command);
        }
        x->st = root ? nb_query_relation(&q, root, &x->result->table, x->err)
                     : nb_query_command(&q, command, x->result, x->err);
    }
    if (x->st >= 0 && x->delivery && x->result->table && x->result->table->n_rows > 0) {
        x->st = nb_deliver_table(x->delivery, x->result->table, x->err); /* rows that were there */
    }
    if (x->st >= 0) {
        x->st = nb_query_take_metrics(&q, x->result);
    }
    if (x->st >= 0 || x->delivery) {
        x->result->pool = nb_query_release_pool(&q);
    }
    nb_query_end(&q);
}

nb_status
nb_session_execute(nb_session *s, nb_str plan, const nb_cancel_flag *cancel, nb_delivery *delivery,
                   nb_result **out, nb_error *err)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_result *r = arena ? NB_ARENA_NEW(arena, nb_result) : NULL;
    execution x = {s, plan, cancel, delivery, r, err, NB_NOMEM};

    if (!r) {
        nb_arena_free(arena);
        return nb_status_explain(NB_NOMEM, err);
    }
    r->arena = arena;
    nb_run_on_big_stack(NB_PLAN_STACK_BYTES, execute, &x);
    if (x.st < 0 && !delivery) {
        nb_result_free(r);
        return nb_status_explain(x.st, err);
    }
    *out = r;
    return x.st < 0 ? nb_status_explain(x.st, err) : NB_OK;
}

void
nb_result_free(nb_result *r)
{
    if (!r) {
        return;
    }
    nb_table_release(r->table);
    nb_pool_free(r->pool);
    nb_arena_free(r->arena);
}

nb_status
nb_result_add(nb_result *r, Sc__ExecutePlanResponse *response)
{
    nb_str *list = NB_ARENA_ARRAY(r->arena, nb_str, r->n_responses + 1);

    if (!list) {
        return NB_NOMEM;
    }
    if (r->n_responses) {
        memcpy(list, r->responses, sizeof(nb_str) * (size_t)r->n_responses);
    }
    list[r->n_responses] = nb_message_bytes(r->arena, &response->base);
    if (!list[r->n_responses].data) {
        return NB_NOMEM;
    }
    r->responses = list;
    r->n_responses++;
    return NB_OK;
}
