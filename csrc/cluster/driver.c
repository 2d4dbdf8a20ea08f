/* SPDX-License-Identifier: Apache-2.0 */
/*
 * driver.c: one query on the cluster, from its plan to its rows.
 *
 *   cut into stages → fragments as bytes → the scheduler gets the stages → until they are done: run what is the driver's own, wait
 *   → gather the last stages' rows and run the final part here → workers forget the query
 *
 * What cannot be read from a worker is made again; the driver tries once more when it is there. Files are accepted and committed when all
 * tasks of the stage that writes them are done: one attempt of each, whatever others have left behind. A query for which no worker is left
 * fails after NO_WORKER_MS.
 */
#include "cluster/cluster_internal.h"

#include <stdio.h>
#include "base/clock.h"
#include "cluster/block.h"
#include "cluster/task.h"
#include "exec/watch.h"

#define NO_WORKER_MS 30000
#define WAIT_MS      20
#define FEW_BYTES    ((size_t)64 << 10) /* travel inside of a task */
#define MUCH_OF      5                  /* a worker with a fifth of a task's input is preferred */

typedef struct drive {
    nb_exchange base;
    nb_cluster *c;
    nb_driven q;
    const nb_exec_ctx *ctx;
    nb_arena *arena; /* the query's; the driver's thread only */
    nb_write_job *job;
    nb_fetch fetch;
    nb_strbuf own; /* blocks of the driver's stage under way */
    nb_pointers own_segments;
} drive;

/* ---- tasks ----------------------------------------------------------------------------------- */

/* Position of an output's first segment of the bucket or a later one; segments are in the order of buckets. */
static size_t
first_segment(const Nbc__Output *o, int bucket)
{
    size_t low = 0, high = o->n_segments / 3;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (o->segments[3 * middle] < bucket) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* An output as a task needs it: the segments that it takes; few bytes that the driver has, at once. */
static Nbc__Output *
output_for(nb_arena *arena, const nb_stage_part *part, int index, const nb_node *read,
           const nb_stage *from, const Nbc__Output *o)
{
    Nbc__Output *copy = NB_WIRE_NEW(arena, Nbc__Output, nbc__output);
    int task = (int)o->task, first = 0, last = from->n_buckets;
    size_t n = 0, at, end;
    uint8_t *bytes;

    if (read->u.read.kind == NB_READ_BUCKET) {
        first = part->slices ? part->slices[index].from : index;
        last = part->slices ? part->slices[index].to : index + 1;
    }
    at = first_segment(o, first);
    end = nb_stage_takes(part, index, read, from, task, first) ? first_segment(o, last) : at;
    if (copy == NULL) {
        return NULL;
    }
    *copy = *o;
    copy->n_segments = 3 * (end - at);
    copy->segments = NB_ARENA_ARRAY(arena, int64_t, copy->n_segments + 1);
    if (copy->segments == NULL) {
        return NULL;
    }
    memcpy(copy->segments, o->segments + 3 * at, copy->n_segments * sizeof(int64_t));
    for (size_t i = 0; i < copy->n_segments; i += 3) {
        n += (size_t)copy->segments[i + 2];
    }
    if (!o->has_blocks) {
        return copy;
    }
    copy->has_blocks = n <= FEW_BYTES;
    copy->blocks = (ProtobufCBinaryData){0, NULL};
    if (copy->has_blocks) {
        bytes = nb_arena_alloc(arena, n + 1);
        if (bytes == NULL) {
            return NULL;
        }
        n = 0;
        for (size_t i = 0; i < copy->n_segments; i += 3) {
            size_t len = (size_t)copy->segments[i + 2];

            memcpy(bytes + n, o->blocks.data + copy->segments[i + 1], len);
            copy->segments[i + 1] = (int64_t)n;
            n += len;
        }
        copy->blocks = (ProtobufCBinaryData){n, bytes};
    }
    return copy;
}

/* NULL, and no error, when the part does not read the stage. */
static nb_status
input_for(nb_driven *q, nb_arena *arena, const nb_stage_part *part, int stage, int index,
          Nbc__Input **out)
{
    const nb_stage *from = &q->stages.stages[stage];
    const nb_node *read = nb_stage_read_of(part->root, stage);
    Nbc__Input *in;

    *out = NULL;
    if (read == NULL) {
        return NB_OK;
    }
    in = NB_WIRE_NEW(arena, Nbc__Input, nbc__input);
    if (in == NULL ||
        (in->outputs = NB_ARENA_ARRAY(arena, Nbc__Output *, from->n_tasks + 1)) == NULL) {
        return NB_NOMEM;
    }
    NB_WIRE_SET(in, stage, (uint32_t)stage);
    for (int t = 0; t < from->n_tasks; t++) {
        Nbc__Output *o = q->outputs[stage][t]
                             ? output_for(arena, part, index, read, from, q->outputs[stage][t])
                             : NULL;

        if (o == NULL) {
            return NB_NOMEM;
        }
        if (o->n_segments > 0) {
            in->outputs[in->n_outputs++] = o;
        }
    }
    *out = in;
    return NB_OK;
}

Nbc__Task *
nb_driven_task(nb_driven *q, nb_arena *arena, const nb_sched_action *a)
{
    const nb_stage *stage = &q->stages.stages[a->stage];
    Nbc__Task *m = NB_WIRE_NEW(arena, Nbc__Task, nbc__task);
    const nb_stage_part *part;
    int p = 0;

    while (p + 1 < stage->n_parts && a->task >= stage->parts[p + 1].first_task) {
        p++;
    }
    part = &stage->parts[p];
    if (m == NULL || (m->attempt = NB_WIRE_NEW(arena, Nbc__Attempt, nbc__attempt)) == NULL ||
        (m->inputs = NB_ARENA_ARRAY(arena, Nbc__Input *, stage->n_inputs + 1)) == NULL) {
        return NULL;
    }
    NB_WIRE_SET(m->attempt, query, q->id);
    NB_WIRE_SET(m->attempt, stage, (uint32_t)a->stage);
    NB_WIRE_SET(m->attempt, task, (uint32_t)a->task);
    NB_WIRE_SET(m->attempt, attempt, (uint32_t)a->attempt);
    NB_WIRE_SET(m, fragment, nb_wire_bytes(q->fragments[a->stage][p]));
    NB_WIRE_SET(m, index, (uint32_t)(a->task - part->first_task));
    NB_WIRE_SET(m, n, (uint32_t)part->n_tasks);
    NB_WIRE_SET(m, whole_partitions, part->whole_partitions);
    NB_WIRE_SET(m, by_task, part->by_task);
    NB_WIRE_SET(m, parallelism, (uint32_t)q->parallelism);
    NB_WIRE_SET(m, batch_rows, (uint32_t)q->batch_rows);
    NB_WIRE_SET(m, force_spill, q->force_spill);
    NB_WIRE_SET(m, compress, q->compress);
    if (stage->write != NULL) {
        NB_WIRE_SET(m, write_job, nb_wire_bytes(q->write_job));
    }
    for (int i = 0; i < stage->n_inputs; i++) {
        Nbc__Input *in;

        if (input_for(q, arena, part, stage->inputs[i], a->task - part->first_task, &in) < 0) {
            return NULL;
        }
        if (in != NULL) {
            m->inputs[m->n_inputs++] = in;
        }
    }
    return m;
}

/* ---- the driver's own part ------------------------------------------------------------------- */

/* A bucket (-1: all) of what a stage has put out. */
static nb_status
gather(drive *d, nb_pool *pool, int stage, int bucket, const nb_type *schema, nb_table **out,
       nb_error *err)
{
    nb_arena *arena = nb_arena_new(NULL);
    Nbc__Output **outputs = NULL;
    nb_table *table = NULL;
    size_t n_outputs = 0;
    nb_status st = NB_NOMEM;

    if (arena != NULL) {
        pthread_mutex_lock(&d->c->lock);
        outputs = NB_ARENA_ARRAY(arena, Nbc__Output *, d->q.n_outputs[stage] + 1);
        for (int t = 0; outputs != NULL && t < d->q.n_outputs[stage]; t++) {
            if (d->q.outputs[stage][t] != NULL) {
                outputs[n_outputs++] = d->q.outputs[stage][t];
            }
        }
        pthread_mutex_unlock(&d->c->lock);
    }
    if (outputs != NULL) {
        st = nb_table_new(pool, schema, &table);
    }
    if (st == NB_OK) {
        st = nb_fetch_run(&d->fetch, stage, bucket, outputs, n_outputs, pool, table, err);
    }
    nb_arena_free(arena);
    if (st < 0) {
        nb_table_release(table);
        return st;
    }
    *out = table;
    return NB_OK;
}

static nb_status
read_stage(nb_exchange *ex, nb_pool *pool, const nb_node *node, nb_table **out, nb_error *err)
{
    return gather((drive *)ex, pool, node->u.read.stage, -1, node->schema, out, err);
}

static nb_status
put_own(nb_exchange *ex, int bucket, nb_chunk *chunk, const nb_type *schema, nb_error *err)
{
    drive *d = (drive *)ex;
    int64_t *segment = NB_ARENA_ARRAY(d->arena, int64_t, 3);

    if (segment == NULL) {
        return NB_NOMEM;
    }
    segment[0] = bucket;
    segment[1] = (int64_t)d->own.len;
    NB_TRY(nb_wire_block_write(d->ctx->pool, schema, chunk, d->q.compress, &d->own, err));
    segment[2] = (int64_t)d->own.len - segment[1];
    return nb_pointers_add(d->arena, &d->own_segments, segment);
}

/* What the driver has put out, under the lock. */
static nb_status
keep_own(drive *d, int stage)
{
    nb_driven *q = &d->q;
    Nbc__Output *o = NB_WIRE_NEW(q->arena, Nbc__Output, nbc__output);
    int64_t *segments = NB_ARENA_ARRAY(q->arena, int64_t, 3 * d->own_segments.n + 1);
    nb_str blocks = nb_arena_str(q->arena, nb_strbuf_str(&d->own));

    if (o == NULL || segments == NULL || blocks.data == NULL || d->own.failed) {
        return NB_NOMEM;
    }
    for (size_t i = 0; i < d->own_segments.n; i++) {
        memcpy(segments + 3 * i, d->own_segments.items[i], 3 * sizeof(int64_t));
    }
    NB_WIRE_SET(o, worker, NB_SCHED_DRIVER);
    NB_WIRE_SET(o, blocks, nb_wire_bytes(blocks));
    o->segments = segments;
    o->n_segments = 3 * d->own_segments.n;
    nb_segments_sort(segments, o->n_segments);
    q->outputs[stage][0] = o;
    nb_scheduler_task_done(d->c->scheduler, q->id, stage, 0, 0, NB_SCHED_DRIVER, true, 0);
    nb_cluster_pump(d->c);
    return NB_OK;
}

/* A stage of the driver: its rows first, so that they can be dealt out evenly. */
static nb_status
run_own(drive *d, int stage, nb_error *err)
{
    nb_exec_ctx ctx = *d->ctx;
    nb_node put = *d->q.stages.stages[stage].parts[0].root, table = {.kind = NB_NODE_TABLE};
    nb_node *child = &table;
    nb_table *rows = NULL, *nothing = NULL;
    nb_status st;

    ctx.exchange = &d->base;
    ctx.delivery = NULL;
    d->own.len = 0;
    d->own_segments.n = 0;
    NB_TRY(nb_exec_run(&ctx, put.children[0], &rows, err));
    table.schema = put.children[0]->schema;
    table.u.table.table = rows;
    table.u.table.limit = -1;
    put.children = &child;
    put.u.put.n_rows = rows->n_rows;
    ctx.watch = NULL;
    st = nb_exec_run(&ctx, &put, &nothing, err);
    nb_table_release(nothing);
    nb_table_release(rows);
    if (st == NB_OK) {
        pthread_mutex_lock(&d->c->lock);
        st = keep_own(d, stage);
        pthread_mutex_unlock(&d->c->lock);
    }
    nb_strbuf_free(&d->own);
    return st;
}

/* One attempt of each task that wrote, then the job. */
static nb_status
commit(drive *d, nb_error *err)
{
    for (int s = 0; s < d->q.stages.n; s++) {
        const nb_stage *stage = &d->q.stages.stages[s];

        for (int t = 0; t < stage->n_tasks && stage->write != NULL; t++) {
            uint32_t worker;
            int attempt = 0;
            char label[40];
            bool done;

            pthread_mutex_lock(&d->c->lock);
            done = nb_scheduler_output(d->c->scheduler, d->q.id, s, t, &worker, &attempt);
            pthread_mutex_unlock(&d->c->lock);
            if (!done) {
                return nb_raise_internal(err, "task %d has written nothing", t);
            }
            snprintf(label, sizeof(label), "%d.%d", t, attempt);
            NB_TRY(nb_write_accept(d->job, nb_str_of(label), err));
        }
    }
    NB_TRY(nb_write_commit(d->job, err));
    d->job = NULL;
    return NB_OK;
}

static nb_status
run_final(drive *d, nb_table **out, nb_error *err)
{
    nb_exec_ctx ctx = *d->ctx;

    if (d->job != NULL) {
        NB_TRY(commit(d, err));
    }
    ctx.exchange = &d->base;
    return nb_exec_run(&ctx, d->q.stages.final, out, err);
}

/* ---- before it begins ------------------------------------------------------------------------ */

/* Room for what the tasks of a stage put out; the lock is held once tasks run. */
static nb_status
make_room(drive *d, int stage)
{
    nb_driven *q = &d->q;
    int n = q->stages.stages[stage].n_tasks;
    Nbc__Output **outputs = nb_arena_zalloc(d->arena, ((size_t)n + 1) * sizeof(*outputs));

    if (outputs == NULL) {
        return NB_NOMEM;
    }
    q->outputs[stage] = outputs;
    q->n_outputs[stage] = n;
    return NB_OK;
}

static nb_status
write_fragments(drive *d, int stage, nb_error *err)
{
    const nb_stage *s = &d->q.stages.stages[stage];
    nb_str *fragments = NB_ARENA_ARRAY(d->arena, nb_str, s->n_parts + 1);

    if (fragments == NULL) {
        return NB_NOMEM;
    }
    for (int p = 0; p < s->n_parts; p++) {
        NB_TRY(nb_fragment_write(d->arena, s->parts[p].root, d->ctx->info, &fragments[p], err));
    }
    d->q.fragments[stage] = fragments;
    return NB_OK;
}

static nb_status
prepare(drive *d, nb_error *err)
{
    nb_driven *q = &d->q;
    int n = q->stages.n;

    q->fragments = NB_ARENA_ARRAY(d->arena, nb_str *, n + 1);
    q->outputs = NB_ARENA_ARRAY(d->arena, Nbc__Output **, n + 1);
    q->n_outputs = NB_ARENA_ARRAY(d->arena, int, n + 1);
    if (q->fragments == NULL || q->outputs == NULL || q->n_outputs == NULL) {
        return NB_NOMEM;
    }
    for (int s = 0; s < n; s++) {
        nb_stage *stage = &q->stages.stages[s];

        NB_TRY(make_room(d, s));
        if (!stage->on_driver && !stage->late) {
            NB_TRY(write_fragments(d, s, err));
        }
        if (stage->write != NULL) {
            NB_TRY(nb_write_begin(d->ctx->pool, stage->write, &d->job, err));
            if (d->job == NULL) {
                return NB_DONE; /* mode ignore, and there is something */
            }
            NB_TRY(nb_write_share(d->job, err));
            q->write_job = nb_str_of(nb_write_job_uuid(d->job));
        }
    }
    return NB_OK;
}

/* ---- stages that are planned when their inputs are done -------------------------------------- */

static int64_t
bytes_of(void *payload, int stage, int task, int bucket)
{
    const nb_driven *q = payload;
    const Nbc__Output *o = task < q->n_outputs[stage] ? q->outputs[stage][task] : NULL;
    int64_t n = 0;

    for (size_t i = o ? first_segment(o, bucket) : 0;
         o != NULL && i < o->n_segments / 3 && o->segments[3 * i] == bucket; i++) {
        n += o->segments[3 * i + 2];
    }
    return n;
}

/* Who has most of what a task reads; NB_SCHED_DRIVER: nobody has much of it. */
static uint32_t
preferred(const nb_driven *q, const nb_stage *stage, const nb_stage_part *part, int index,
          nb_pointers *seen, nb_arena *scratch)
{
    typedef struct holder {
        uint32_t worker;
        int64_t bytes;
    } holder;
    holder *best = NULL;
    int64_t total = 0;

    seen->n = 0;
    for (int i = 0; i < stage->n_inputs; i++) {
        const nb_stage *from = &q->stages.stages[stage->inputs[i]];
        const nb_node *read = nb_stage_read_of(part->root, from->id);

        for (int t = 0; t < from->n_tasks && read != NULL; t++) {
            const Nbc__Output *o = q->outputs[from->id][t];
            int64_t bytes = 0;
            holder *h = NULL;

            if (o == NULL || o->has_blocks || read->u.read.kind == NB_READ_ALL) {
                continue;
            }
            for (size_t k = 0; k < o->n_segments; k += 3) {
                if (nb_stage_takes(part, index, read, from, t, (int)o->segments[k])) {
                    bytes += o->segments[k + 2];
                }
            }
            for (size_t k = 0; k < seen->n && h == NULL; k++) {
                h = seen->items[k];
                h = h->worker == o->worker ? h : NULL;
            }
            if (h == NULL) {
                h = NB_ARENA_NEW(scratch, holder);
                if (h == NULL || nb_pointers_add(scratch, seen, h) < 0) {
                    return NB_SCHED_DRIVER;
                }
                h->worker = o->worker;
            }
            h->bytes += bytes;
            total += bytes;
            best = best == NULL || h->bytes > best->bytes ? h : best;
        }
    }
    return best != NULL && best->bytes * MUCH_OF >= total ? best->worker : NB_SCHED_DRIVER;
}

static const uint32_t *
preferences(drive *d, const nb_stage *stage)
{
    uint32_t *prefer = NB_ARENA_ARRAY(d->arena, uint32_t, stage->n_tasks + 1);
    nb_arena *scratch = nb_arena_new(NULL);

    for (int p = 0; p < stage->n_parts && prefer != NULL && scratch != NULL; p++) {
        const nb_stage_part *part = &stage->parts[p];

        for (int i = 0; i < part->n_tasks; i++) {
            nb_pointers seen = {0};

            prefer[part->first_task + i] = preferred(&d->q, stage, part, i, &seen, scratch);
            nb_arena_reset(scratch);
        }
    }
    if (scratch == NULL) { /* nobody prefers */
        prefer = NULL;
    }
    nb_arena_free(scratch);
    return prefer;
}

/* Does a READ node of a stage with one task stand for all rows of the stage below, and has the driver got them? Adds their bytes. Numbers of
 * partitions, and samples, are for tasks. */
static bool
has_rows(const nb_driven *q, const nb_stage_part *part, const nb_node *read, size_t *bytes)
{
    const nb_stage *from = &q->stages.stages[read->u.read.stage];
    const nb_task_slice *s = part->slices;
    bool has = read->u.read.kind == NB_READ_ALL ||
               (read->u.read.kind == NB_READ_BUCKET && s != NULL && s->from == 0 &&
                s->to == from->n_buckets && s->split < 0);

    for (int p = 0; p < from->n_parts && has; p++) {
        nb_put_kind kind = from->parts[p].root->u.put.kind;

        has = kind == NB_PUT_SINGLE || kind == NB_PUT_HASH;
    }
    for (int t = 0; t < from->n_tasks && has; t++) {
        const Nbc__Output *o = q->outputs[from->id][t];

        has = o != NULL && o->has_blocks;
        *bytes += has ? o->blocks.len : 0;
    }
    return has;
}

/* Does the node make no more rows than it reads, all of which the driver has? */
static bool
makes_few(const nb_driven *q, const nb_stage_part *part, const nb_node *node, size_t *bytes)
{
    switch (node->kind) {
    case NB_NODE_READ: return has_rows(q, part, node, bytes);
    case NB_NODE_AGGREGATE:
        if (node->u.aggregate.passes) { /* who puts it away must know what it gives */
            return false;
        }
        break;
    case NB_NODE_FILTER:
    case NB_NODE_PROJECT:
    case NB_NODE_SORT:
    case NB_NODE_TOPN:
    case NB_NODE_LIMIT: break;
    default: return false;
    }
    return makes_few(q, part, node->children[0], bytes);
}

/* One task over a few rows, which came with reports: it takes longer to ask a worker for it than to do it. */
static bool
is_little(const nb_driven *q, const nb_stage *stage)
{
    const nb_stage_part *part = stage->parts;
    size_t bytes = 0;

    return stage->n_parts == 1 && stage->n_tasks == 1 && stage->write == NULL &&
           (part->root->u.put.kind == NB_PUT_SINGLE || part->root->u.put.kind == NB_PUT_HASH) &&
           makes_few(q, part, part->root->children[0], &bytes) && bytes <= FEW_BYTES;
}

/* Under the lock: others look at stages and outputs. */
static nb_status
adapt(drive *d, int stage, const nb_table *sample)
{
    const nb_adapt_sizes sizes = {bytes_of, &d->q};

    if (sample != NULL) {
        NB_TRY(nb_adapt_bounds(d->arena, &d->q.adapt, &d->q.stages, stage, &sizes, sample));
    }
    NB_TRY(nb_adapt_stage(d->arena, &d->q.adapt, &d->q.stages, stage, &sizes));
    for (int s = stage; s < d->q.stages.n; s++) {
        if (d->q.n_outputs[s] != d->q.stages.stages[s].n_tasks) {
            NB_TRY(make_room(d, s));
        }
    }
    d->q.stages.stages[stage].on_driver = is_little(&d->q, &d->q.stages.stages[stage]);
    return NB_OK;
}

static nb_status
plan_late(drive *d, int stage, nb_error *err)
{
    nb_stage *s = &d->q.stages.stages[stage];
    const nb_type *keys = nb_adapt_sample_type();
    nb_table *sample = NULL;
    const uint32_t *prefer;
    nb_status st;

    if (s->ranges != NB_RANGES_NONE && s->n_parts > 0) {
        int input = s->inputs[0];

        if (keys == NULL) {
            return NB_NOMEM;
        }
        NB_TRY(gather(d, d->ctx->pool, input, d->q.stages.stages[input].n_buckets, keys, &sample,
                      err));
    }
    pthread_mutex_lock(&d->c->lock);
    st = adapt(d, stage, sample);
    pthread_mutex_unlock(&d->c->lock);
    nb_table_release(sample);
    NB_TRY(st);
    if (!s->on_driver) {
        NB_TRY(write_fragments(d, stage, err)); /* nobody reads them yet */
    }
    pthread_mutex_lock(&d->c->lock);
    prefer = preferences(d, s);
    st = nb_scheduler_stage_plan(d->c->scheduler, d->q.id, stage, s->n_tasks, s->on_driver,
                                 s->inputs, s->n_inputs, prefer);
    nb_cluster_pump(d->c);
    pthread_mutex_unlock(&d->c->lock);
    return st;
}

/* ---- executors ------------------------------------------------------------------------------- */

#define MAX_EXECUTORS 256 /* that pages tell apart */

typedef struct executors {
    nb_executor_info list[MAX_EXECUTORS];
    char ids[MAX_EXECUTORS][16], hosts[MAX_EXECUTORS][128];
    int n;
} executors;

static void
add_executor(void *to, const nb_monitor_worker *worker)
{
    executors *e = to;
    nb_str id = worker->id; /* "worker-7" */
    int i = e->n;

    while (id.len > 0 && id.data[0] != '-') {
        id = (nb_str){id.data + 1, id.len - 1};
    }
    if (i == MAX_EXECUTORS || id.len < 2) {
        return;
    }
    e->n++;
    snprintf(e->ids[i], sizeof(e->ids[i]), "%.*s", (int)id.len - 1, id.data + 1);
    snprintf(e->hosts[i], sizeof(e->hosts[i]), "%.*s", (int)NB_MIN(worker->host.len, (size_t)127),
             worker->host.data);
    e->list[i] = (nb_executor_info){.id = e->ids[i],
                                    .host = e->hosts[i],
                                    .port = worker->port,
                                    .n_cores = worker->cores,
                                    .memory = worker->memory};
}

/* An application hears which workers there are. */
static void
tell_executors(nb_cluster *c, nb_monitor *monitor)
{
    nb_arena *arena = nb_arena_new(NULL);
    executors *e = arena ? NB_ARENA_NEW(arena, executors) : NULL;

    if (e != NULL && nb_cluster_list_workers(c, add_executor, e) == NB_OK) {
        nb_monitor_executors(monitor, e->list, e->n);
    }
    nb_arena_free(arena);
}

/* ---- from begin to end ----------------------------------------------------------------------- */

static nb_status
begin(drive *d)
{
    nb_driven *q = &d->q;
    nb_sched_stage *stages = NB_ARENA_ARRAY(d->arena, nb_sched_stage, q->stages.n + 1);
    nb_str pool = NB_STR("");
    nb_status st;

    if (stages == NULL) {
        return NB_NOMEM;
    }
    for (int s = 0; s < q->stages.n; s++) {
        const nb_stage *stage = &q->stages.stages[s];

        int *inputs = NB_ARENA_ARRAY(d->arena, int, stage->n_inputs + stage->n_reductions + 1),
            n = 0;

        if (inputs == NULL) {
            return NB_NOMEM;
        }
        for (; n < stage->n_inputs; n++) {
            inputs[n] = stage->inputs[n];
        }
        if (stage->advice >= 0) {
            inputs[n++] = stage->advice;
        }
        for (int i = 0; i < stage->n_reductions; i++) {
            inputs[n++] = stage->reductions[i].from;
        }
        stages[s] = (nb_sched_stage){.n_tasks = stage->n_tasks,
                                     .inputs = inputs,
                                     .n_inputs = n,
                                     .on_driver = stage->on_driver,
                                     .durable = stage->write != NULL,
                                     .late = stage->late,
                                     .unsettled = stage->unsettled};
    }
    if (d->ctx->info->config != NULL) {
        pool = nb_config_str(d->ctx->info->config, NB_CONF_SCHEDULER_POOL);
    }
    if (d->ctx->watch != NULL) {
        tell_executors(d->c, d->ctx->watch->monitor);
    }
    pthread_mutex_lock(&d->c->lock);
    q->id = d->fetch.query = ++d->c->last_query;
    st = nb_scheduler_query_add(d->c->scheduler, q->id, stages, q->stages.n, pool);
    if (st == NB_OK) {
        q->next = d->c->queries;
        d->c->queries = q;
        nb_watched_begin(&q->watched, q->arena, d->ctx, &q->stages);
        nb_cluster_pump(d->c);
    }
    pthread_mutex_unlock(&d->c->lock);
    return st;
}

static void
end(drive *d, nb_status st, const nb_error *err)
{
    nb_cluster *c = d->c;

    pthread_mutex_lock(&c->lock);
    nb_watched_end(&d->q.watched, st >= 0              ? NULL
                                  : st == NB_CANCELLED ? "cancelled"
                                  : err->set           ? nb_error_message(err)
                                                       : "out of memory");
    nb_scheduler_query_end(c->scheduler, d->q.id);
    for (nb_driven **at = &c->queries; *at != NULL; at = &(*at)->next) {
        if (*at == &d->q) {
            *at = d->q.next;
            break;
        }
    }
    nb_cluster_pump(c);
    nb_cluster_release(c, d->q.id);
    pthread_mutex_unlock(&c->lock);
}

/* What could not be read is made again; true: then it is worth another try. */
static bool
try_again(drive *d, nb_status st, nb_error *err)
{
    if (st != NB_ERROR || !d->fetch.failed) {
        return false;
    }
    nb_error_clear(err);
    pthread_mutex_lock(&d->c->lock);
    nb_scheduler_output_lost(d->c->scheduler, d->q.id, d->fetch.lost_worker, NB_SCHED_DRIVER);
    atomic_store(&d->fetch.stalled, false);
    nb_cluster_pump(d->c);
    pthread_mutex_unlock(&d->c->lock);
    d->fetch.failed = false;
    return true;
}

/* Waits for something to do; the lock is held on return of RUNNING states only inside. */
static nb_sched_state
await(drive *d, int *stage, int64_t *alone_since)
{
    nb_cluster *c = d->c;
    nb_sched_state state;
    int task;

    pthread_mutex_lock(&c->lock);
    for (;;) {
        struct timespec until;

        state = nb_scheduler_query_state(c->scheduler, d->q.id, stage, &task);
        if (nb_scheduler_workers(c->scheduler) > 0) {
            *alone_since = nb_clock_mono_ns();
        }
        if (state != NB_SCHED_RUNNING || nb_cancelled(d->ctx->cancel) || c->stopping ||
            nb_clock_mono_ns() - *alone_since > (int64_t)NO_WORKER_MS * 1000000) {
            break;
        }
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += WAIT_MS * 1000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&d->q.due, &c->lock, &until);
    }
    if (state == NB_SCHED_RUNNING) {
        state = NB_SCHED_LOST;
    }
    pthread_mutex_unlock(&c->lock);
    return state;
}

static nb_status
see_through(drive *d, nb_table **out, nb_error *err)
{
    int64_t alone_since = nb_clock_mono_ns();

    for (;;) {
        int stage;
        nb_sched_state state = await(d, &stage, &alone_since);
        nb_status st;

        if (nb_cancelled(d->ctx->cancel)) {
            return NB_CANCELLED;
        }
        switch (state) {
        case NB_SCHED_DRIVE:
            st = run_own(d, stage, err);
            if (st < 0 && !try_again(d, st, err)) {
                return st;
            }
            break;
        case NB_SCHED_PLAN:
            st = plan_late(d, stage, err);
            if (st < 0 && !try_again(d, st, err)) {
                return st;
            }
            break;
        case NB_SCHED_READY:
            st = run_final(d, out, err);
            if (st >= 0 || (d->ctx->delivery != NULL && d->ctx->delivery->begun) ||
                !try_again(d, st, err)) {
                return st;
            }
            break;
        case NB_SCHED_FAILED:
            pthread_mutex_lock(&d->c->lock);
            nb_error_move(&d->q.error, err);
            pthread_mutex_unlock(&d->c->lock);
            return err != NULL && err->set ? NB_ERROR
                                           : nb_raise(err, NB_COND_JOB_ABORTED, "message",
                                                      "a task has failed too often", NULL);
        default:
            return nb_raise(err, NB_COND_JOB_ABORTED, "message",
                            "too many workers were lost while the query ran", NULL);
        }
    }
}

static nb_stage_options
options_of(nb_cluster *c, const nb_exec_ctx *ctx)
{
    nb_stage_options o = {.min_rows = 100000, .share_bytes = 4 << 20};
    const nb_config *config = ctx->info->config;

    pthread_mutex_lock(&c->lock);
    o.parallelism = c->stopping ? 0 : nb_scheduler_cores(c->scheduler);
    pthread_mutex_unlock(&c->lock);
    o.file_threads = o.parallelism; /* as nb_driven_task says */
    if (config != NULL) {
        o.min_rows = nb_config_int(config, NB_CONF_CLUSTER_MIN_ROWS);
        o.share_bytes = nb_config_int(config, NB_CONF_CLUSTER_SHARE_BYTES);
    }
    o.adapt = nb_adapt_options_of(config, o.parallelism);
    return o;
}

/* Do blocks go between hosts? Within one they are not sent at all. */
static bool
has_hosts(nb_cluster *c)
{
    const nb_attached *first = c->workers;
    bool several = false;

    for (const nb_attached *w = first; w != NULL && !several; w = w->next) {
        size_t n = w->address.len;

        while (n > 0 && w->address.data[n - 1] != ':') {
            n--;
        }
        several = first->address.len < n || memcmp(first->address.data, w->address.data, n) != 0;
    }
    return several;
}

static bool
compresses(nb_cluster *c, const nb_config *config)
{
    bool several;

    if (config != NULL && nb_config_is_set(config, NB_STR("spark.shuffle.compress"))) {
        return nb_config_bool(config, NB_CONF_SHUFFLE_COMPRESS);
    }
    pthread_mutex_lock(&c->lock);
    several = has_hosts(c);
    pthread_mutex_unlock(&c->lock);
    return several;
}

nb_status
nb_cluster_run(void *payload, const nb_exec_ctx *ctx, nb_arena *arena, nb_node *root,
               nb_table **out, nb_error *err)
{
    nb_cluster *c = payload;
    nb_stage_options options = options_of(c, ctx);
    drive d = {.base = {.read = read_stage, .put = put_own}, .c = c, .ctx = ctx, .arena = arena};
    nb_error own = NB_ERROR_INIT;
    nb_status st;

    if (options.parallelism == 0) {
        return nb_exec_run(ctx, root, out, err);
    }
    NB_TRY(nb_stages_cut(arena, &options, ctx->info, root, &d.q.stages, err));
    if (d.q.stages.n == 0) {
        return nb_exec_run(ctx, d.q.stages.final, out, err);
    }
    d.q.arena = nb_arena_new(ctx->pool);
    if (d.q.arena == NULL) {
        return NB_NOMEM;
    }
    pthread_cond_init(&d.q.due, NULL);
    d.q.adapt = options.adapt;
    d.q.parallelism = options.parallelism;
    d.q.batch_rows = ctx->batch_rows;
    d.q.force_spill = ctx->force_spill;
    d.q.compress = compresses(c, ctx->info->config);
    d.fetch = (nb_fetch){NB_FETCH_INIT, .peers = &c->peers, .cancel = ctx->cancel,
                         .self = NB_SCHED_DRIVER};
    d.q.fetch = &d.fetch;
    st = prepare(&d, &own);
    if (st == NB_DONE) {
        st = nb_table_new(ctx->pool, root->schema, out);
    } else if (st == NB_OK) {
        st = begin(&d);
        if (st == NB_OK) {
            st = see_through(&d, out, &own);
            end(&d, st, &own);
        }
    }
    if (d.job != NULL) {
        nb_write_abort(d.job);
    }
    nb_error_clear(&d.q.error);
    pthread_cond_destroy(&d.q.due);
    nb_arena_free(d.q.arena);
    nb_error_move(&own, err);
    return st;
}
