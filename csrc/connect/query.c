/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query.c: see query.h.
 */
#include "connect/query.h"

#include <stdlib.h>
#include <unistd.h>
#include "base/clock.h"
#include "connect/observe.h"
#include "exec/exec.h"
#include "expr/zone.h"
#include "plan/optimizer.h"
#include "plan/subquery.h"

static nb_status
run_from_analyzer(void *payload, nb_plan *plan, nb_table **out, nb_error *err)
{
    return nb_query_run(payload, plan, out, err);
}

/* What TZ says, else what /etc/localtime points at, else UTC. */
nb_str
nb_system_zone(nb_arena *arena)
{
    const char *tz = getenv("TZ"), *at;
    char path[512];
    ssize_t n;

    if (tz && *tz) {
        nb_str name = nb_str_of(*tz == ':' ? tz + 1 : tz);
        return nb_zone_lookup(name) ? name : NB_STR("UTC");
    }
    n = readlink("/etc/localtime", path, sizeof path - 1);
    if (n > 0) {
        path[n] = 0;
        at = strstr(path, "zoneinfo/");
        if (at && nb_zone_lookup(nb_str_of(at + 9))) {
            nb_str name = nb_arena_str(arena, nb_str_of(at + 9));
            return name.data ? name : NB_STR("UTC");
        }
    }
    return NB_STR("UTC");
}

/* Where the process writes, and what functions in Python may take: a client may set these as in Spark, without effect. */
static nb_status
hold_settings(nb_query *q)
{
    static const nb_conf held[] = {NB_CONF_LOCAL_DIR, NB_CONF_PYTHON, NB_CONF_PYTHON_MEMORY};

    for (size_t i = 0; i < NB_COUNT_OF(held); i++) {
        NB_TRY(nb_config_take(q->config, q->session->started, held[i]));
    }
    return NB_OK;
}

nb_status
nb_query_begin(nb_session *s, const nb_cancel_flag *cancel, nb_query *q, nb_error *err)
{
    nb_status st = NB_NOMEM;
    nb_analyzer_config ac;
    int threads, partitions;

    memset(q, 0, sizeof *q);
    q->session = s;
    atomic_store(&q->first_execution, -1);
    atomic_store(&q->last_execution, -1);
    q->cancel = cancel ? cancel : &q->own_cancel;
    pthread_mutex_lock(&s->lock);
    q->config = nb_config_copy(s->config);
    q->runner = s->runner;
    q->next = s->running;
    s->running = q;
    s->n_running++;
    pthread_mutex_unlock(&s->lock);
    q->pool = nb_pool_new(s->pool, "query", 0);
    q->arena = q->pool ? nb_arena_new(q->pool) : NULL;
    if (!q->config || !q->arena) {
        goto fail;
    }
    NB_TRY_GOTO(st, hold_settings(q), fail);
    nb_pool_fail_nth(q->pool, (long)nb_config_int(q->config, NB_CONF_DEBUG_FAIL_ALLOCATION));
    threads = (int)nb_config_int(q->config, NB_CONF_DEBUG_THREADS);
    q->n_threads = threads > 0 ? threads : s->n_threads;
    partitions = (int)nb_config_int(q->config, NB_CONF_DEFAULT_PARALLELISM);
    q->info.ansi = nb_config_bool(q->config, NB_CONF_ANSI_ENABLED);
    q->info.config = q->config;
    q->info.query_start_us = nb_clock_us();
    q->info.cancel = q->cancel;
    q->info.time_zone = nb_config_str(q->config, NB_CONF_SESSION_TIME_ZONE);
    q->info.user = NB_STR("nbaspark");
    q->info.catalog = NB_STR("spark_catalog");
    q->info.database = nb_catalog_current_database(s->catalog);
    q->info.version = NB_STR("4.2.0");
    if (q->info.time_zone.len == 0) {
        q->info.time_zone = nb_system_zone(q->arena);
    }
    NB_TRY_GOTO(st, nb_zone_find(q->info.time_zone, &q->info.zone, err), fail);
    ac = (nb_analyzer_config){.arena = q->arena,
                              .pool = q->pool,
                              .info = &q->info,
                              .catalog = s->catalog,
                              .cancel = q->cancel,
                              .n_threads = q->n_threads,
                              .n_partitions = partitions > 0 ? partitions : q->n_threads,
                              .ml = {nb_ml_resolve, s->ml},
                              .run = run_from_analyzer,
                              .run_payload = q};
    NB_TRY_GOTO(st, nb_analyzer_new(&ac, &q->analyzer), fail);
    return NB_OK;
fail:
    nb_query_end(q);
    return st;
}

void
nb_query_end(nb_query *q)
{
    nb_session *s = q->session;

    nb_analyzer_free(q->analyzer);
    nb_arena_free(q->arena);
    nb_pool_free(q->pool);
    nb_config_free(q->config);
    pthread_mutex_lock(&s->lock);
    for (nb_query **at = &s->running; *at; at = &(*at)->next) {
        if (*at == q) {
            *at = q->next;
            break;
        }
    }
    if (--s->n_running == 0) {
        pthread_cond_broadcast(&s->idle);
    }
    pthread_mutex_unlock(&s->lock);
}

nb_pool *
nb_query_release_pool(nb_query *q)
{
    nb_pool *pool = q->pool;

    /* the arena is charged to the pool: it goes first, the tables stay */
    nb_analyzer_free(q->analyzer);
    q->analyzer = NULL;
    nb_arena_free(q->arena);
    q->arena = NULL;
    q->pool = NULL;
    return pool;
}

nb_status
nb_query_analyze(nb_query *q, const Sc__Relation *rel, nb_plan **out, nb_error *err)
{
    return nb_analyze_relation(q->analyzer, rel, out, err);
}

static nb_batch_shape
batch_shape(const nb_config *config)
{
    nb_str name = nb_config_str(config, NB_CONF_DEBUG_VECTORS);

    return nb_str_equal(name, NB_STR("dictionary")) ? NB_SHAPE_DICT
           : nb_str_equal(name, NB_STR("constant")) ? NB_SHAPE_CONST
                                                    : NB_SHAPE_ANY;
}

static nb_status
execute(nb_query *q, nb_node *root, nb_pool *pool, bool to_disk, nb_delivery *delivery,
        nb_table **out, nb_error *err)
{
    nb_exec_ctx ctx = {.pool = pool,
                       .short_pool = pool == q->pool ? NULL : q->pool,
                       .info = &q->info,
                       .cancel = q->cancel,
                       .n_threads = q->n_threads,
                       .batch_rows = (int)nb_config_int(q->config, NB_CONF_DEBUG_BATCH_ROWS),
                       .shape = batch_shape(q->config),
                       .force_spill = nb_config_bool(q->config, NB_CONF_DEBUG_FORCE_SPILL),
                       .spill_dir = nb_config_str(q->config, NB_CONF_LOCAL_DIR),
                       .result_to_disk = to_disk,
                       .delivery = delivery,
                       .progress = q->delivery != NULL ? q->delivery->progress : NULL};
    nb_observed observed;
    nb_status st;

    ctx.batch_rows = NB_MIN(NB_MAX(ctx.batch_rows, 1), NB_BATCH_ROWS);
    nb_observed_begin(q, root, &observed);
    ctx.watch = observed.monitor ? &observed.watch : NULL;
    st = q->runner.run != NULL ? q->runner.run(q->runner.payload, &ctx, q->arena, root, out, err)
                               : nb_exec_run(&ctx, root, out, err);
    nb_observed_end(&observed, st, err);
    return st;
}

/* The first query that reads a cached DataFrame makes its rows; they are charged to the session. */
static nb_status
cached_rows(void *payload, nb_plan *plan, nb_table **out, nb_error *err)
{
    nb_query *q = payload;
    nb_cached *cached = plan->u.cached.cached;
    nb_table *table = nb_cached_table(q->session->catalog, cached);
    nb_status st;

    if (!table) {
        nb_planner_config pc = {.arena = q->arena,
                                .info = &q->info,
                                .n_threads = q->n_threads,
                                .cached = cached_rows,
                                .payload = q};
        nb_node *root;
        if (!q->explaining) {
            NB_TRY(nb_query_observe(q, plan->children[0], err));
        }
        NB_TRY(nb_plan_physical(&pc, plan->children[0], &root, err));
        NB_TRY(execute(q, root, q->session->cache_pool, true, NULL, &table, err));
        nb_cached_fill(q->session->catalog, cached, table);
    }
    st = nb_analyzer_keep_table(q->analyzer, table);
    nb_table_release(table);
    *out = table;
    return st;
}

/* Rows that a correlated subquery needs twice. */
static nb_status
kept_rows(void *payload, nb_plan *plan, nb_table **out, nb_error *err)
{
    nb_query *q = payload;
    nb_table *table;
    nb_status st;

    NB_TRY(nb_query_run(q, plan, &table, err));
    st = nb_analyzer_keep_table(q->analyzer, table);
    nb_table_release(table);
    *out = table;
    return st;
}

nb_status
nb_query_rewrite(nb_query *q, nb_plan **plan, nb_error *err)
{
    nb_rewrite_env env = {.arena = q->arena, .info = &q->info, .rows = kept_rows, .payload = q};

    return nb_rewrite_subqueries(&env, plan, err);
}

/* As it was analysed, to as the planner wants it. */
static nb_status
prepare(nb_query *q, nb_plan **plan, nb_error *err)
{
    NB_TRY(nb_query_rewrite(q, plan, err));
    if (nb_config_bool(q->config, NB_CONF_DEBUG_OPTIMIZER)) {
        NB_TRY(nb_optimize(q->arena, &q->info, plan, err));
        return nb_optimize_fields(q->arena, &q->info, *plan);
    }
    /* a comma join whose filter stays above would never end */
    NB_TRY(nb_optimize_remove_aliases(q->arena, plan));
    return nb_optimize_push_filters(q->arena, plan, err);
}

nb_status
nb_query_physical(nb_query *q, nb_plan *plan, nb_node **out, nb_error *err)
{
    bool optimized = nb_config_bool(q->config, NB_CONF_DEBUG_OPTIMIZER);
    bool in_stages = q->runner.run != NULL &&
                     (!q->runner.simulates || nb_config_int(q->config, NB_CONF_DEBUG_STAGES) > 0);
    nb_planner_config pc = {.arena = q->arena,
                            .info = &q->info,
                            .n_threads = q->n_threads,
                            .in_process = optimized && !in_stages,
                            .cached = cached_rows,
                            .payload = q};

    if (!q->explaining) {
        NB_TRY(nb_query_observe(q, plan, err));
    }
    NB_TRY(prepare(q, &plan, err));
    return nb_plan_physical(&pc, plan, out, err);
}

nb_status
nb_query_execute(nb_query *q, nb_node *root, nb_table **out, nb_error *err)
{
    return execute(q, root, q->pool, false, NULL, out, err);
}

nb_status
nb_query_keep_table(nb_query *q, nb_table **table, nb_error *err)
{
    nb_table *copy = NULL;
    nb_chunk_builder *b = NULL;
    nb_chunk *chunk = NULL;
    nb_status st;

    (void)err;
    NB_TRY(nb_table_new(q->session->cache_pool, (*table)->schema, &copy));
    NB_TRY_GOTO(st, nb_chunk_builder_new(q->session->cache_pool, (*table)->schema, &b), done);
    for (int i = 0; i < (*table)->n_chunks; i++) {
        nb_batch batch;
        NB_TRY_GOTO(st,
                    nb_chunk_batch((*table)->chunks[i], (*table)->schema->n_children, 0,
                                   (*table)->chunks[i]->n_rows, q->arena, &batch),
                    done);
        NB_TRY_GOTO(st, nb_chunk_builder_append(b, &batch), done);
    }
    NB_TRY_GOTO(st, nb_chunk_builder_finish(b, &chunk), done);
    if (chunk) {
        NB_TRY_GOTO(st, nb_table_append(copy, chunk), done);
        chunk = NULL;
    }
    nb_table_release(*table);
    *table = copy;
    copy = NULL;
done:
    nb_chunk_free(chunk);
    nb_chunk_builder_free(b);
    nb_table_release(copy);
    return st;
}

static nb_status
run(nb_query *q, nb_plan *plan, nb_delivery *delivery, nb_table **out, nb_error *err)
{
    nb_node *root;

    if (plan->kind == NB_PLAN_CACHED) { /* rows that are there: no copy */
        nb_table *table = nb_cached_table(q->session->catalog, plan->u.cached.cached);

        if (table == NULL) {
            NB_TRY(prepare(q, &plan->children[0], err));
        }
        nb_table_release(table);
        NB_TRY(cached_rows(q, plan, &table, err));
        *out = nb_table_ref(table);
        return NB_OK;
    }
    NB_TRY(nb_query_physical(q, plan, &root, err));
    return execute(q, root, q->pool, false, delivery, out, err);
}

nb_status
nb_query_run_kept(nb_query *q, nb_plan *plan, nb_table **out, nb_error *err)
{
    nb_node *root;

    NB_TRY(nb_query_physical(q, plan, &root, err));
    return execute(q, root, q->pool, true, NULL, out, err);
}

nb_status
nb_query_run(nb_query *q, nb_plan *plan, nb_table **out, nb_error *err)
{
    return run(q, plan, NULL, out, err);
}

nb_status
nb_query_relation(nb_query *q, const Sc__Relation *rel, nb_table **out, nb_error *err)
{
    nb_plan *plan;

    switch (rel->rel_type_case) {
    case SC__RELATION__REL_TYPE_SHOW_STRING:
    case SC__RELATION__REL_TYPE_HTML_STRING: return nb_query_show(q, rel, out, err);
    case SC__RELATION__REL_TYPE_CATALOG: return nb_query_catalog(q, rel->catalog, out, err);
    default:
        NB_TRY(nb_query_analyze(q, rel, &plan, err));
        return run(q, plan, q->delivery, out, err);
    }
}

void *
nb_message_new(nb_arena *arena, const ProtobufCMessageDescriptor *descriptor)
{
    ProtobufCMessage *m = nb_arena_zalloc(arena, descriptor->sizeof_message);

    if (m) {
        m->descriptor = descriptor;
    }
    return m;
}

nb_str
nb_message_bytes(nb_arena *arena, const ProtobufCMessage *m)
{
    size_t n = protobuf_c_message_get_packed_size(m);
    uint8_t *p = nb_arena_alloc(arena, n + 1);

    if (!p) {
        return (nb_str){NULL, 0};
    }
    n = protobuf_c_message_pack(m, p);
    return (nb_str){(const char *)p, n};
}
