/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task.c: see task.h.
 */
#include "cluster/task.h"

#include "base/clock.h"
#include "base/thread.h"
#include "cluster/block.h"
#include "exec/operators.h"
#include "io/file.h"

#define ORDER_SHIFT 52 /* morsels and branches of one task stay below */
#define RANGE_ALL   INT32_MAX

typedef struct task {
    nb_exchange base;
    const nb_task_env *env;
    const nb_task_spec *spec;
    const nb_task_io *io;
    nb_task_counts *metrics;
    nb_exec_ctx ctx;
    nb_strbuf block;
    nb_error *err;
    nb_status st;
} task;

static nb_status
task_read(nb_exchange *ex, nb_pool *pool, const nb_node *node, nb_table **out, nb_error *err)
{
    task *t = (task *)ex;
    nb_table *table;
    nb_status st;

    NB_TRY(nb_table_new(pool, node->schema, &table));
    st = t->io->fetch(t->io->payload, node, pool, table, err);
    if (st < 0) {
        nb_table_release(table);
        return st;
    }
    t->metrics->rows_in += table->n_rows;
    t->metrics->rows_fetched += table->n_rows;
    *out = table;
    return NB_OK;
}

static nb_status
task_put(nb_exchange *ex, int bucket, nb_chunk *chunk, const nb_type *schema, nb_error *err)
{
    task *t = (task *)ex;

    t->block.len = 0;
    NB_TRY(nb_wire_block_write(t->env->pool, schema, chunk, t->io->compress, &t->block, err));
    t->metrics->rows_out += chunk->n_rows;
    t->metrics->bytes_out += (int64_t)t->block.len;
    return t->io->append(t->io->payload, bucket, nb_strbuf_str(&t->block), chunk->n_rows, err);
}

/* Rows of one task have one number where Spark's partitions are not known. */
static nb_status
task_write_begin(nb_exchange *ex, const nb_write_request *request, nb_write_job **job,
                 int *partition, nb_error *err)
{
    task *t = (task *)ex;

    *partition = t->spec->by_task ? t->spec->number : -1;
    return nb_write_attach(t->env->pool, request, t->spec->write_job, t->spec->write_label, job,
                           err);
}

static void
task_write_end(nb_exchange *ex, nb_write_job *job, int64_t n_rows, nb_status st)
{
    ((task *)ex)->metrics->rows_out += n_rows;
    nb_write_detach(job, st == NB_OK);
}

/* The task's share of ranges; relations have theirs set. */
static void
take_share(const nb_task_spec *spec, nb_node *node)
{
    if (node->kind == NB_NODE_RANGE) {
        int64_t n = node->u.range.n_partitions;

        node->u.range.first = (int)(n * spec->index / spec->n);
        node->u.range.last = (int)(n * (spec->index + 1) / spec->n);
        if (node->u.range.last == 0) { /* 0 would mean all of them */
            node->u.range.first = RANGE_ALL;
            node->u.range.last = RANGE_ALL;
        }
    }
    for (int i = 0; i < node->n_children; i++) {
        take_share(spec, node->children[i]);
    }
}

static void
add_up(const nb_node *node, nb_task_counts *m)
{
    if (node->metrics != NULL) {
        m->bytes_spilled += atomic_load(&node->metrics->bytes_spilled);
        if (node->n_children == 0 && node->kind != NB_NODE_READ) {
            m->rows_in += atomic_load(&node->metrics->rows_out);
        }
    }
    for (int i = 0; i < node->n_children; i++) {
        add_up(node->children[i], m);
    }
}

static void
run(void *payload)
{
    task *t = payload;
    const nb_task_spec *spec = t->spec;
    nb_fragment *f = NULL;
    nb_table *nothing = NULL;
    int64_t start = nb_clock_mono_ns();
    int64_t bytes_read = nb_file_bytes_read_by_thread();
    int64_t bytes_written = nb_file_bytes_written_by_thread();
    nb_error own = NB_ERROR_INIT;

    t->st = nb_fragment_read(t->env->pool, spec->fragment, &f, &own);
    if (t->st == NB_OK) {
        f->info.cancel = t->env->cancel;
        for (int i = 0; i < f->n_relations; i++) {
            nb_relation_set_share(f->relations[i],
                                  (nb_scan_share){spec->index, spec->n, spec->whole_partitions});
        }
        take_share(spec, f->root);
        t->ctx = (nb_exec_ctx){.pool = t->env->pool,
                               .info = &f->info,
                               .cancel = t->env->cancel,
                               .n_threads = t->env->n_threads,
                               .batch_rows = t->env->batch_rows,
                               .force_spill = t->env->force_spill,
                               .spill_dir = t->env->spill_dir,
                               .exchange = &t->base,
                               .parallelism = t->env->parallelism,
                               .order_base = (uint64_t)spec->number << ORDER_SHIFT};
        t->st = nb_exec_run(&t->ctx, f->root, &nothing, &own);
        nb_table_release(nothing);
        add_up(f->root, t->metrics);
        t->metrics->peak_bytes = (int64_t)nb_pool_peak(t->env->pool);
        t->metrics->n_operators = nb_operators_read(f->root, t->metrics->operators);
    }
    nb_fragment_free(f);
    nb_error_move(&own, t->err);
    t->metrics->bytes_read = nb_file_bytes_read_by_thread() - bytes_read;
    t->metrics->bytes_written = nb_file_bytes_written_by_thread() - bytes_written;
    t->metrics->ns = nb_clock_mono_ns() - start;
}

nb_status
nb_task_run(const nb_task_env *env, const nb_task_spec *spec, const nb_task_io *io,
            nb_task_counts *metrics, nb_error *err)
{
    nb_task_counts unused = {0};
    task t = {.base = {task_read, task_put, task_write_begin, task_write_end},
              .env = env,
              .spec = spec,
              .io = io,
              .metrics = metrics ? metrics : &unused,
              .err = err};

    if (spec->n < 1 || spec->index < 0 || spec->index >= spec->n || spec->number < 0) {
        return nb_raise_internal(err, "task %d of %d", spec->index, spec->n);
    }
    nb_run_on_big_stack(NB_TASK_STACK_BYTES, run, &t);
    nb_strbuf_free(&t.block);
    return t.st;
}
