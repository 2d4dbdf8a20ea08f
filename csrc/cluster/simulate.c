/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simulate.c: see simulate.h.
 */
#include "cluster/simulate.h"

#include <stdio.h>
#include "base/config.h"
#include "cluster/adapt.h"
#include "cluster/block.h"
#include "cluster/stages.h"
#include "cluster/task.h"

typedef struct segment {
    int bucket;
    size_t from, to;
} segment;

/* What one task has put out. */
typedef struct output {
    nb_strbuf bytes;
    segment *segments;
    int n, cap;
} output;

typedef struct simulation {
    nb_exchange base; /* of the driver's final part */
    const nb_exec_ctx *ctx;
    nb_arena *arena;
    nb_stages stages;
    output **outputs;          /* [stage][task] */
    output *into;              /* of the task under way */
    const nb_stage_part *part; /* the task itself */
    int index;
    nb_write_job *job;
} simulation;

static nb_status
append(void *payload, int bucket, nb_str block, int64_t n_rows, nb_error *err)
{
    simulation *sim = payload;
    output *o = sim->into;

    (void)n_rows;
    (void)err;
    if (o->n == o->cap) {
        int cap = o->cap ? 2 * o->cap : 8;
        segment *grown = NB_ARENA_ARRAY(sim->arena, segment, cap);

        if (grown == NULL) {
            return NB_NOMEM;
        }
        if (o->n > 0) {
            memcpy(grown, o->segments, (size_t)o->n * sizeof(*grown));
        }
        o->segments = grown;
        o->cap = cap;
    }
    o->segments[o->n++] = (segment){bucket, o->bytes.len, o->bytes.len + block.len};
    nb_strbuf_add(&o->bytes, block);
    return o->bytes.failed ? NB_NOMEM : NB_OK;
}

static nb_status
read_segment(const output *o, const segment *s, nb_pool *pool, nb_table *into, nb_error *err)
{
    nb_buffer *bytes;
    nb_status st;

    NB_TRY(nb_buffer_new(pool, s->to - s->from, &bytes));
    memcpy(bytes->data, o->bytes.data + s->from, s->to - s->from);
    st = nb_wire_block_read(pool, bytes, 0, s->to - s->from, into, err);
    nb_buffer_release(bytes);
    return st;
}

/* One bucket, in the order of the tasks. part NULL: all of it, else what the task under way takes. */
static nb_status
fetch_bucket(simulation *sim, const nb_stage_part *part, const nb_node *read, int stage, int bucket,
             nb_pool *pool, nb_table *into, nb_error *err)
{
    const nb_stage *from = &sim->stages.stages[stage];

    for (int t = 0; t < from->n_tasks; t++) {
        output *o = &sim->outputs[stage][t];

        if (part != NULL && !nb_stage_takes(part, sim->index, read, from, t, bucket)) {
            continue;
        }
        for (int i = 0; i < o->n; i++) {
            if (o->segments[i].bucket == bucket) {
                NB_TRY(read_segment(o, &o->segments[i], pool, into, err));
            }
        }
    }
    return NB_OK;
}

static nb_status
fetch(void *payload, const nb_node *read, nb_pool *pool, nb_table *into, nb_error *err)
{
    simulation *sim = payload;
    int stage = read->u.read.stage;

    for (int b = 0; b < sim->stages.stages[stage].n_buckets; b++) {
        NB_TRY(fetch_bucket(sim, sim->part, read, stage, b, pool, into, err));
    }
    return NB_OK;
}

static nb_status
read_all(nb_exchange *ex, nb_pool *pool, const nb_node *node, nb_table **out, nb_error *err)
{
    simulation *sim = (simulation *)ex;
    nb_table *table;
    nb_status st;

    NB_TRY(nb_table_new(pool, node->schema, &table));
    sim->part = NULL;
    st = fetch(sim, node, pool, table, err);
    if (st < 0) {
        nb_table_release(table);
        return st;
    }
    *out = table;
    return NB_OK;
}

/* Blocks that the driver itself puts out. */
static nb_status
put_own(nb_exchange *ex, int bucket, nb_chunk *chunk, const nb_type *schema, nb_error *err)
{
    simulation *sim = (simulation *)ex;
    nb_strbuf block = {0};
    nb_status st = nb_wire_block_write(sim->ctx->pool, schema, chunk, false, &block, err);

    if (st == NB_OK) {
        st = append(sim, bucket, nb_strbuf_str(&block), chunk->n_rows, err);
    }
    nb_strbuf_free(&block);
    return st;
}

/* A stage of the driver: its rows first, so that they can be dealt out evenly. */
static nb_status
run_own(simulation *sim, nb_stage *stage, nb_error *err)
{
    nb_exec_ctx ctx = *sim->ctx;
    nb_node *put = stage->parts[0].root, *made = put->children[0], table = {.kind = NB_NODE_TABLE};
    nb_table *rows, *nothing;
    nb_status st;

    ctx.exchange = &sim->base;
    ctx.delivery = NULL;
    sim->into = &sim->outputs[stage->id][0];
    NB_TRY(nb_exec_run(&ctx, made, &rows, err));
    table.schema = made->schema;
    table.u.table.table = rows;
    table.u.table.limit = -1;
    put->children[0] = &table;
    put->u.put.n_rows = rows->n_rows;
    st = nb_exec_run(&ctx, put, &nothing, err);
    put->children[0] = made; /* what its keys reduce asks how many rows it has */
    if (st == NB_OK) {
        nb_table_release(nothing);
    }
    nb_table_release(rows);
    return st;
}

static nb_status
run_part(simulation *sim, nb_stage *stage, const nb_stage_part *part, nb_error *err)
{
    const nb_exec_ctx *ctx = sim->ctx;
    nb_task_io io = {.fetch = fetch, .append = append, .payload = sim, .compress = true};
    nb_task_env env = {.pool = ctx->pool,
                       .cancel = ctx->cancel,
                       .n_threads = 1,
                       .parallelism = ctx->n_threads,
                       .batch_rows = ctx->batch_rows,
                       .force_spill = ctx->force_spill,
                       .spill_dir = ctx->spill_dir};
    nb_task_spec spec = {
        .n = part->n_tasks, .whole_partitions = part->whole_partitions, .by_task = part->by_task};

    NB_TRY(nb_fragment_write(sim->arena, part->root, ctx->info, &spec.fragment, err));
    for (int t = 0; t < part->n_tasks; t++) {
        char label[32];

        sim->part = part;
        sim->index = spec.index = t;
        spec.number = part->first_task + t;
        sim->into = &sim->outputs[stage->id][spec.number];
        if (sim->job != NULL) {
            snprintf(label, sizeof(label), "%d.0", spec.number);
            spec.write_job = nb_str_of(nb_write_job_uuid(sim->job));
            spec.write_label = nb_str_of(label);
        }
        NB_TRY(nb_task_run(&env, &spec, &io, NULL, err));
        if (sim->job != NULL) {
            NB_TRY(nb_write_accept(sim->job, spec.write_label, err));
        }
    }
    return NB_OK;
}

static int64_t
bytes_of(void *payload, int stage, int task, int bucket)
{
    const simulation *sim = payload;
    const output *o = &sim->outputs[stage][task];
    int64_t n = 0;

    for (int i = 0; i < o->n; i++) {
        n += o->segments[i].bucket == bucket ? (int64_t)(o->segments[i].to - o->segments[i].from)
                                             : 0;
    }
    return n;
}

/* Everything that can be corrected is: buckets are split and put together at sizes that real data never has. */
static const nb_adapt_options ADAPT = {.enabled = true,
                                       .coalesce = true,
                                       .skew = true,
                                       .broadcast_bytes = 1200,
                                       .advisory_bytes = 4096,
                                       .min_bytes = 1000,
                                       .skew_bytes = 600,
                                       .skew_factor = 1.2};

static nb_status
plan_late(simulation *sim, nb_stage *stage, nb_error *err)
{
    const nb_adapt_sizes sizes = {bytes_of, sim};
    nb_adapt_options options = ADAPT;

    options.parallelism = (int)nb_config_int(sim->ctx->info->config, NB_CONF_DEBUG_STAGES);
    if (stage->ranges != NB_RANGES_NONE && stage->n_parts > 0) {
        const nb_type *keys = nb_adapt_sample_type();
        int input = stage->inputs[0];
        nb_table *sample;
        nb_status st;

        if (keys == NULL) {
            return NB_NOMEM;
        }
        NB_TRY(nb_table_new(sim->ctx->pool, keys, &sample));
        st = fetch_bucket(sim, NULL, NULL, input, sim->stages.stages[input].n_buckets,
                          sim->ctx->pool, sample, err);
        if (st == NB_OK) {
            st = nb_adapt_bounds(sim->arena, &options, &sim->stages, stage->id, &sizes, sample);
        }
        nb_table_release(sample);
        NB_TRY(st);
    }
    return nb_adapt_stage(sim->arena, &options, &sim->stages, stage->id, &sizes);
}

static nb_status
run_stage(simulation *sim, nb_stage *stage, nb_error *err)
{
    nb_status st = NB_OK;

    if (stage->late) {
        NB_TRY(plan_late(sim, stage, err));
    }
    sim->outputs[stage->id] =
        nb_arena_zalloc(sim->arena, ((size_t)stage->n_tasks + 1) * sizeof(output));
    if (sim->outputs[stage->id] == NULL) {
        return NB_NOMEM;
    }
    if (stage->on_driver) {
        return run_own(sim, stage, err);
    }
    if (stage->write != NULL) {
        NB_TRY(nb_write_begin(sim->ctx->pool, stage->write, &sim->job, err));
        if (sim->job == NULL) {
            return NB_OK; /* mode ignore, and there is something */
        }
        st = nb_write_share(sim->job, err);
    }
    for (int i = 0; i < stage->n_parts && st == NB_OK; i++) {
        st = run_part(sim, stage, &stage->parts[i], err);
    }
    if (st == NB_OK && sim->job != NULL) {
        st = nb_write_commit(sim->job, err);
    }
    if (st < 0) {
        nb_write_abort(sim->job);
    }
    sim->job = NULL;
    return st;
}

/* Not yet, but all that it waits for has? A stage has outputs when it has run. */
static bool
may_run(const simulation *sim, const nb_stage *stage)
{
    bool may = sim->outputs[stage->id] == NULL &&
               (stage->advice < 0 || sim->outputs[stage->advice] != NULL);

    for (int i = 0; i < stage->n_inputs; i++) {
        may &= sim->outputs[stage->inputs[i]] != NULL;
    }
    for (int i = 0; i < stage->n_reductions; i++) {
        may &= sim->outputs[stage->reductions[i].from] != NULL;
    }
    return may;
}

static nb_status
run_all(simulation *sim, nb_table **out, nb_error *err)
{
    nb_exec_ctx ctx = *sim->ctx;

    sim->outputs = nb_arena_zalloc(sim->arena, ((size_t)sim->stages.n + 1) * sizeof(output *));
    if (sim->outputs == NULL) {
        return NB_NOMEM;
    }
    for (int s = 0, n_run = 0; n_run < sim->stages.n; s = (s + 1) % sim->stages.n) {
        if (may_run(sim, &sim->stages.stages[s])) {
            NB_TRY(run_stage(sim, &sim->stages.stages[s], err));
            n_run++;
        }
    }
    ctx.exchange = &sim->base;
    return nb_exec_run(&ctx, sim->stages.final, out, err);
}

nb_status
nb_simulate_run(void *payload, const nb_exec_ctx *ctx, nb_arena *arena, nb_node *root,
                nb_table **out, nb_error *err)
{
    int n = (int)nb_config_int(ctx->info->config, NB_CONF_DEBUG_STAGES);
    nb_stage_options options = {.parallelism = n,
                                .file_threads = ctx->n_threads,
                                .min_rows = 1,
                                .share_bytes = 1,
                                .adapt = ADAPT};
    simulation sim = {.base = {.read = read_all, .put = put_own}, .ctx = ctx, .arena = arena};
    nb_status st;

    (void)payload;
    if (n <= 0) {
        return nb_exec_run(ctx, root, out, err);
    }
    NB_TRY(nb_stages_cut(arena, &options, ctx->info, root, &sim.stages, err));
    st = run_all(&sim, out, err);
    for (int s = 0; s < sim.stages.n && sim.outputs != NULL; s++) {
        for (int t = 0; sim.outputs[s] != NULL && t < sim.stages.stages[s].n_tasks; t++) {
            nb_strbuf_free(&sim.outputs[s][t].bytes);
        }
    }
    return st;
}
