/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker_task.c: one task on a worker: its rows come from fetch.h, go to a file of outputs.h, and the master is told.
 *
 * What is little goes with the report, and to the master.
 */
#include "cluster/worker_internal.h"

#include <stdio.h>
#include "base/log.h"
#include "cluster/failure.h"
#include "cluster/fragment_internal.h"

#define REPORT    "/nbaspark.cluster.Master/Report"
#define REPORT_MS 30000
#define FEW_BYTES ((size_t)64 << 10) /* go with the report */

typedef struct run_state {
    nb_worker *w;
    nb_worker_job *j;
    nb_fetch fetch;
    nb_strbuf few; /* what it has put out, as long as it is little */
    nb_spill_file *file;
    nb_pointers segments;
    int64_t written;
    int64_t fetched; /* bytes of blocks */
} run_state;

static nb_status
fetch(void *payload, const nb_node *read, nb_pool *pool, nb_table *into, nb_error *err)
{
    run_state *r = payload;
    int stage = read->u.read.stage;

    for (size_t i = 0; i < r->j->task->n_inputs; i++) {
        const Nbc__Input *in = r->j->task->inputs[i];

        if ((int)in->stage ==
            stage) { /* it names the segments that are this task's, and no others */
            for (size_t o = 0; o < in->n_outputs; o++) {
                for (size_t k = 2; k < in->outputs[o]->n_segments; k += 3) {
                    r->fetched += in->outputs[o]->segments[k];
                }
            }
            return nb_fetch_run(&r->fetch, stage, -1, in->outputs, in->n_outputs, pool, into, err);
        }
    }
    return nb_raise_internal(err, "a task reads stage %d, which it was not given", stage);
}

static nb_status
add_segment(run_state *r, int bucket, size_t len)
{
    int64_t *s = NB_ARENA_ARRAY(r->j->arena, int64_t, 3);

    if (s == NULL) {
        return NB_NOMEM;
    }
    s[0] = bucket;
    s[1] = r->written;
    s[2] = (int64_t)len;
    r->written += (int64_t)len;
    return nb_pointers_add(r->j->arena, &r->segments, s);
}

static nb_status
append(void *payload, int bucket, nb_str block, int64_t n_rows, nb_error *err)
{
    run_state *r = payload;

    (void)n_rows;
    NB_TRY(add_segment(r, bucket, block.len));
    if (r->file == NULL && r->few.len + block.len <= FEW_BYTES) {
        nb_strbuf_add(&r->few, block);
        return r->few.failed ? NB_NOMEM : NB_OK;
    }
    if (r->file == NULL) {
        NB_TRY(nb_spill_file_new(r->w->local_dir, &r->file, err));
        NB_TRY(nb_spill_file_write(r->file, nb_strbuf_str(&r->few).data, r->few.len, err));
    }
    return nb_spill_file_write(r->file, block.data, block.len, err);
}

/* The file stays until the query ends. */
static nb_status
keep_file(run_state *r, nb_error *err)
{
    nb_worker *w = r->w;
    const Nbc__Attempt *a = r->j->task->attempt;
    nb_handoff_key key = {a->query, a->stage, a->task, a->attempt};
    nb_status st = NB_OK;

    if (r->file == NULL) {
        return NB_OK;
    }
    NB_TRY(nb_spill_file_finish(r->file, err));
    pthread_mutex_lock(&w->lock);
    if (!r->j->dropped) { /* else the query has ended meanwhile */
        st = nb_outputs_keep(w->outputs, &key, r->file);
        r->file = NULL;
    }
    pthread_mutex_unlock(&w->lock);
    return st;
}

static nb_status
run_task(run_state *r, nb_task_counts *counts, nb_error *err)
{
    nb_worker *w = r->w;
    const Nbc__Task *m = r->j->task;
    nb_task_io io = {.fetch = fetch, .append = append, .payload = r, .compress = m->compress};
    nb_task_env env = {.cancel = &r->j->cancel,
                       .n_threads = 1,
                       .parallelism = (int)NB_MIN(m->parallelism, 100000),
                       .batch_rows = (int)NB_MIN(NB_MAX(m->batch_rows, 1), NB_BATCH_ROWS),
                       .force_spill = m->force_spill,
                       .spill_dir = w->local_dir};
    nb_task_spec spec = {.fragment = nb_wire_text(m->fragment),
                         .index = (int)m->index,
                         .n = (int)m->n,
                         .number = (int)m->attempt->task,
                         .whole_partitions = m->whole_partitions,
                         .by_task = m->by_task,
                         .write_job = nb_wire_text(m->write_job)};
    char label[40];
    nb_status st;

    snprintf(label, sizeof(label), "%u.%u", m->attempt->task, m->attempt->attempt);
    spec.write_label = nb_str_of(label);
    env.pool = nb_pool_new(w->pool, "task", 0);
    if (env.pool == NULL) {
        return NB_NOMEM;
    }
    pthread_mutex_lock(&w->lock);
    r->j->pool = env.pool;
    pthread_mutex_unlock(&w->lock);
    st = nb_task_run(&env, &spec, &io, counts, err);
    if (st == NB_OK) {
        st = keep_file(r, err);
    }
    pthread_mutex_lock(&w->lock);
    r->j->pool = NULL;
    pthread_mutex_unlock(&w->lock);
    nb_pool_free(env.pool);
    return st;
}

static void
report(nb_worker *w, nb_worker_job *j, uint32_t self, run_state *r, nb_status st,
       const nb_error *err, const nb_task_counts *counts)
{
    Nbc__Report *m = NB_WIRE_NEW(j->arena, Nbc__Report, nbc__report);
    nb_rpc_options options = NB_RPC_OPTIONS_INIT;
    nb_rpc_message *answer = NULL;
    nb_error ignored = NB_ERROR_INIT;
    nb_str bytes;

    if (m == NULL) {
        return;
    }
    NB_WIRE_SET(m, worker, self);
    m->attempt = (Nbc__Attempt *)(uintptr_t)j->task->attempt;
    NB_WIRE_SET(m, ok, st == NB_OK);
    NB_WIRE_SET(m, rows, counts->rows_out);
    NB_WIRE_SET(m, bytes, counts->bytes_out);
    NB_WIRE_SET(m, ns, counts->ns);
    NB_WIRE_SET(m, rows_in, counts->rows_in);
    NB_WIRE_SET(m, spilled, counts->bytes_spilled);
    NB_WIRE_SET(m, peak, counts->peak_bytes);
    NB_WIRE_SET(m, rows_fetched, counts->rows_fetched);
    NB_WIRE_SET(m, bytes_fetched, r->fetched);
    NB_WIRE_SET(m, bytes_read, counts->bytes_read);
    NB_WIRE_SET(m, bytes_written, counts->bytes_written);
    m->operators = (int64_t *)(uintptr_t)counts->operators;
    m->n_operators = (size_t)counts->n_operators;
    if (st == NB_OK) {
        m->segments = NB_ARENA_ARRAY(j->arena, int64_t, 3 * r->segments.n + 1);
        for (size_t i = 0; m->segments != NULL && i < r->segments.n; i++) {
            memcpy(m->segments + 3 * i, r->segments.items[i], 3 * sizeof(int64_t));
            m->n_segments += 3;
        }
        if (r->written == (int64_t)r->few.len && r->few.len > 0) {
            NB_WIRE_SET(m, blocks, nb_wire_bytes(nb_strbuf_str(&r->few)));
        }
    } else {
        m->failure = nb_failure_write(j->arena, st, err);
        if (r->fetch.failed) {
            NB_WIRE_SET(m, is_lost, 1);
            NB_WIRE_SET(m, lost_worker, r->fetch.lost_worker);
        }
    }
    bytes.len = protobuf_c_message_get_packed_size(&m->base);
    bytes.data = nb_arena_alloc(j->arena, bytes.len + 1);
    if (bytes.data == NULL) {
        return;
    }
    protobuf_c_message_pack(&m->base, (uint8_t *)(uintptr_t)bytes.data);
    options.deadline_ms = REPORT_MS;
    if (nb_rpc_unary(w->channel, REPORT, &NB_RPC_PIECE(bytes), &options, &answer, NULL, &ignored) <
        0) {
        nb_log(NB_LOG_WARN, "worker", "a report did not arrive: %s", nb_error_message(&ignored));
        pthread_mutex_lock(&w->lock);
        if (w->stream != NULL && w->id == self) { /* the master must not wait for it in vain */
            nb_rpc_cancel(w->stream);
        }
        pthread_mutex_unlock(&w->lock);
    }
    nb_rpc_message_free(answer);
    nb_error_clear(&ignored);
}

void
nb_worker_do_job(nb_worker *w, nb_worker_job *j, uint32_t self)
{
    run_state r = {.w = w, .j = j};
    nb_task_counts counts = {0};
    nb_error err = NB_ERROR_INIT;
    nb_status st;

    r.fetch = (nb_fetch){NB_FETCH_INIT,
                         .peers = &w->peers,
                         .driver = w->channel,
                         .cancel = &j->cancel,
                         .query = j->task->attempt->query,
                         .self = self,
                         .open = nb_outputs_open,
                         .payload = w->outputs};
    pthread_mutex_lock(&w->lock);
    j->fetch = &r.fetch;
    pthread_mutex_unlock(&w->lock);
    st = run_task(&r, &counts, &err);
    pthread_mutex_lock(&w->lock);
    j->fetch = NULL;
    pthread_mutex_unlock(&w->lock);
    if (!j->dropped) {
        report(w, j, self, &r, st, &err, &counts);
    }
    nb_spill_file_free(r.file);
    nb_strbuf_free(&r.few);
    nb_error_clear(&err);
}
