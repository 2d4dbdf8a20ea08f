/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline.c: runs streams on N threads.
 *
 * Threads   branches whose sources exist are run together: each thread works through them in order, without waiting for the others,
 *           pulling batches until the source has no more for it. A drain (rows that an operator held back until all
 *           input was seen) starts after a barrier. Combine runs in parallel after the last branch, finalize alone after that.
 * Failures  the first failure stops all threads at their next batch; among several the one of the least morsel is reported, so that
 *           the message does not depend on who was faster.
 * Metrics   counted per thread, added up at the end. Times are exclusive: nb_emit stops the clock of one operator and
 *           starts the next one's.
 */
#include "exec/pipeline.h"

#include <pthread.h>
#include "base/clock.h"
#include "base/thread.h"
#include "exec/reshape.h"
#include "exec/watch.h"

typedef struct kept {
    nb_operator *op;
    nb_source *source;
    nb_table *shared;
    int share; /* whose rows these are */
} kept;

struct nb_run {
    const nb_exec_ctx *ctx;
    nb_arena *arena;
    kept *kept;
    int n_kept, cap_kept;
};

typedef struct op_stats {
    int64_t rows, batches, ns;
} op_stats;

/* How far a thread is; each on a cache line of its own. */
typedef struct progress {
    _Alignas(64) atomic_ullong order;
} progress;

/* One pipeline that runs. */
typedef struct job {
    nb_run *run;
    nb_stream *stream;
    nb_operator *sink;
    int first, end; /* branches of this round */
    int n_threads;
    void **sink_locals;  /* per thread, for all rounds */
    nb_arena **memories; /* per thread, for all rounds */
    atomic_int failed;   /* a thread failed: stop */
    nb_watch_stage stage;
    nb_watch_task *tasks; /* per thread, for all rounds */
    progress *progress;   /* per thread */
    pthread_mutex_t lock;
    nb_status status; /* under lock, as the two below */
    nb_error err;
    uint64_t err_order;
} job;

struct nb_thread_ctx {
    job *job;
    int number;
    int op;            /* that is running; -1 = source */
    int n_ops;         /* without the sink */
    nb_operator **ops; /* n_ops, then the sink */
    void **locals;     /* as ops */
    op_stats *stats;   /* n_ops + 2: [0] source, then ops, then sink */
    nb_arena *scratch;
    nb_arena *memory;        /* of the sink, for all branches */
    nb_arena *branch_memory; /* of the branch's operators */
    int64_t mark;            /* when the running operator's clock was started */
    uint64_t order;          /* of the batch under way */
    uint64_t held; /* the earliest morsel that an operator has rows of; UINT64_MAX: none */
    nb_watch_task *task;
};

/* ---- run ------------------------------------------------------------------------------------- */

nb_status
nb_run_new(const nb_exec_ctx *ctx, nb_run **out)
{
    nb_arena *arena = nb_arena_new(ctx->pool);
    nb_run *run = arena ? NB_ARENA_NEW(arena, nb_run) : NULL;

    if (run == NULL) {
        nb_arena_free(arena);
        return NB_NOMEM;
    }
    run->ctx = ctx;
    run->arena = arena;
    *out = run;
    return NB_OK;
}

void
nb_run_free(nb_run *run)
{
    if (run == NULL) {
        return;
    }
    for (int i = run->n_kept - 1; i >= 0; i--) {
        if (run->kept[i].op != NULL) {
            run->kept[i].op->ops->close(run->kept[i].op);
        } else if (run->kept[i].source != NULL) {
            run->kept[i].source->ops->free(run->kept[i].source);
        }
        nb_table_release(run->kept[i].shared);
    }
    nb_arena_free(run->arena);
}

const nb_exec_ctx *
nb_run_ctx(const nb_run *run)
{
    return run->ctx;
}

nb_arena *
nb_run_arena(nb_run *run)
{
    return run->arena;
}

static nb_status
keep(nb_run *run, kept k)
{
    if (run->n_kept == run->cap_kept) {
        int cap = run->cap_kept ? 2 * run->cap_kept : 16;
        kept *grown = NB_ARENA_ARRAY(run->arena, kept, cap);

        if (grown == NULL) {
            return NB_NOMEM;
        }
        if (run->n_kept > 0) {
            memcpy(grown, run->kept, (size_t)run->n_kept * sizeof(kept));
        }
        run->kept = grown;
        run->cap_kept = cap;
    }
    run->kept[run->n_kept++] = k;
    return NB_OK;
}

nb_status
nb_run_open(nb_run *run, nb_operator *op, nb_error *err)
{
    nb_status st = keep(run, (kept){.op = op});

    if (st < 0) {
        op->ops->close(op);
        return st;
    }
    return op->ops->open_global ? op->ops->open_global(op, run->ctx, err) : NB_OK;
}

nb_status
nb_run_keep_source(nb_run *run, nb_source *source)
{
    nb_status st = keep(run, (kept){.source = source});

    if (st < 0) {
        source->ops->free(source);
    }
    return st;
}

nb_status
nb_run_keep_shared(nb_run *run, int share, nb_table *rows)
{
    nb_status st = keep(run, (kept){.shared = rows, .share = share});

    if (st < 0) {
        nb_table_release(rows);
    }
    return st;
}

nb_table *
nb_run_shared(const nb_run *run, int share)
{
    for (int i = 0; i < run->n_kept; i++) {
        if (run->kept[i].shared != NULL && run->kept[i].share == share) {
            return run->kept[i].shared;
        }
    }
    return NULL;
}

/* Closes one of what the run has, before its end. */
static void
let_go(nb_run *run, const nb_operator *op, const nb_source *source)
{
    if (op == NULL && source == NULL) {
        return;
    }
    for (int i = run->n_kept - 1; i >= 0; i--) {
        kept *k = &run->kept[i];

        if (op != NULL && k->op == op) {
            k->op->ops->close(k->op);
            k->op = NULL;
            return;
        }
        if (source != NULL && k->source == source) {
            k->source->ops->free(k->source);
            k->source = NULL;
            return;
        }
    }
}

void *
nb_operator_new(nb_run *run, size_t size, const nb_operator_ops *ops, nb_node *node)
{
    nb_operator *op = nb_arena_zalloc(run->arena, size);

    if (op != NULL) {
        op->ops = ops;
        op->node = node;
    }
    return op;
}

/* ---- streams --------------------------------------------------------------------------------- */

static nb_status
add_branch(nb_run *run, nb_stream *s, nb_branch branch)
{
    if (s->n_branches == s->cap_branches) {
        int cap = s->cap_branches ? 2 * s->cap_branches : 2;
        nb_branch *grown = NB_ARENA_ARRAY(run->arena, nb_branch, cap);

        if (grown == NULL) {
            return NB_NOMEM;
        }
        if (s->n_branches > 0) {
            memcpy(grown, s->branches, (size_t)s->n_branches * sizeof(nb_branch));
        }
        s->branches = grown;
        s->cap_branches = cap;
    }
    s->branches[s->n_branches++] = branch;
    return NB_OK;
}

/* Numbers of partitions come from users, and from other processes. */
static int
add_partitions(int a, int b)
{
    return a > INT32_MAX - b ? INT32_MAX : a + b;
}

nb_status
nb_stream_from(nb_run *run, nb_source *source, nb_node *node, nb_stream **out)
{
    nb_stream *s;

    NB_TRY(nb_run_keep_source(run, source));
    s = NB_ARENA_NEW(run->arena, nb_stream);
    if (s == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(add_branch(run, s, (nb_branch){.source = source, .source_node = node}));
    s->n_partitions = source->n_partitions;
    *out = s;
    return NB_OK;
}

nb_status
nb_stream_add_drain(nb_run *run, nb_stream *s, nb_operator *op, nb_node *node, int partition)
{
    s->n_partitions = NB_MAX(s->n_partitions, add_partitions(partition, 1));
    return add_branch(
        run, s, (nb_branch){.source_of = op, .source_node = node, .partition_base = partition});
}

static nb_status
append_op(nb_run *run, nb_branch *b, nb_operator *op)
{
    if (b->n_ops == b->cap_ops) {
        int cap = b->cap_ops ? 2 * b->cap_ops : 4;
        nb_operator **grown = NB_ARENA_ARRAY(run->arena, nb_operator *, cap);

        if (grown == NULL) {
            return NB_NOMEM;
        }
        if (b->n_ops > 0) {
            memcpy(grown, b->ops, (size_t)b->n_ops * sizeof(*grown));
        }
        b->ops = grown;
        b->cap_ops = cap;
    }
    b->ops[b->n_ops++] = op;
    return NB_OK;
}

nb_status
nb_stream_push(nb_run *run, nb_stream *s, nb_operator *op, nb_error *err)
{
    NB_TRY(nb_run_open(run, op, err));
    return nb_stream_append_all(run, s, op);
}

nb_status
nb_stream_append_all(nb_run *run, nb_stream *s, nb_operator *op)
{
    for (int i = 0; i < s->n_branches; i++) {
        NB_TRY(append_op(run, &s->branches[i], op));
    }
    return NB_OK;
}

nb_status
nb_stream_append(nb_run *run, nb_stream *s, nb_operator *op)
{
    return append_op(run, &s->branches[s->n_branches - 1], op);
}

/* Adds to the numbers of partitions, behind an operator that has made them. */
typedef struct rebase_op {
    nb_operator base;
    int add;
} rebase_op;

static nb_status
rebase_push(nb_operator *op, void *local, nb_thread_ctx *t, nb_batch *batch, nb_error *err)
{
    (void)local;
    batch->partition = add_partitions(batch->partition, ((rebase_op *)op)->add);
    return nb_emit(t, batch, err);
}

static void
rebase_close(nb_operator *op)
{
    (void)op;
}

static const nb_operator_ops REBASE = {
    .name = "Rebase",
    .push = rebase_push,
    .close = rebase_close,
};

nb_status
nb_stream_number_from(nb_run *run, nb_stream *s, int first, nb_error *err)
{
    for (int i = 0; i < s->n_branches && first > 0; i++) {
        nb_branch *branch = &s->branches[i];

        /* what counts rows below counts partitions from 0, as in Spark */
        if (branch->sealed || s->sequential) {
            rebase_op *op = NB_OPERATOR_NEW(run, rebase_op, &REBASE, NULL);

            if (op == NULL) {
                return NB_NOMEM;
            }
            op->add = first;
            NB_TRY(nb_run_open(run, &op->base, err));
            NB_TRY(append_op(run, branch, &op->base));
        } else {
            branch->partition_base = add_partitions(branch->partition_base, first);
        }
    }
    s->n_partitions = add_partitions(s->n_partitions, first);
    return NB_OK;
}

nb_status
nb_stream_concat(nb_run *run, nb_stream *a, nb_stream *b, nb_error *err)
{
    NB_TRY(nb_stream_number_from(run, b, a->n_partitions, err));
    for (int i = 0; i < b->n_branches; i++) {
        NB_TRY(add_branch(run, a, b->branches[i]));
    }
    a->n_partitions = b->n_partitions;
    a->sequential |= b->sequential;
    return NB_OK;
}

/* ---- threads --------------------------------------------------------------------------------- */

nb_arena *
nb_thread_scratch(nb_thread_ctx *t)
{
    return t->scratch;
}

nb_arena *
nb_thread_memory(nb_thread_ctx *t)
{
    return t->op == t->n_ops ? t->memory : t->branch_memory;
}

const nb_exec_ctx *
nb_thread_exec(nb_thread_ctx *t)
{
    return t->job->run->ctx;
}

int
nb_thread_number(nb_thread_ctx *t)
{
    return t->number;
}

int
nb_thread_count(const nb_thread_ctx *t)
{
    return t->job->n_threads;
}

uint64_t
nb_thread_progress(const nb_thread_ctx *t, int of)
{
    return atomic_load(&t->job->progress[of].order);
}

void
nb_thread_hold(nb_thread_ctx *t, uint64_t order)
{
    t->held = order;
}

static void
switch_clock(nb_thread_ctx *t, int to)
{
    int64_t now = nb_clock_mono_ns();

    t->stats[t->op + 1].ns += now - t->mark;
    t->mark = now;
    t->op = to;
}

static bool
must_stop(const job *j)
{
    return atomic_load_explicit(&j->failed, memory_order_relaxed) ||
           nb_cancelled(j->run->ctx->cancel);
}

nb_status
nb_emit(nb_thread_ctx *t, nb_batch *batch, nb_error *err)
{
    int from = t->op;
    nb_status st;

    if (batch->n_rows == 0) {
        return NB_OK;
    }
    if (must_stop(t->job)) { /* an operator may make thousands of batches of one */
        return NB_CANCELLED;
    }
    t->stats[from + 1].rows += batch->n_rows;
    t->stats[from + 1].batches++;
    switch_clock(t, from + 1);
    st = t->ops[from + 1]->ops->push(t->ops[from + 1], t->locals[from + 1], t, batch, err);
    switch_clock(t, from);
    return st;
}

static void
report(job *j, nb_thread_ctx *t, nb_status st, nb_error *err)
{
    pthread_mutex_lock(&j->lock);
    /* being stopped is no reason of its own; a real one replaces it */
    if (j->status >= 0 || (j->status == NB_CANCELLED && st != NB_CANCELLED) ||
        (st != NB_CANCELLED && t->order < j->err_order)) {
        j->status = st;
        j->err_order = t->order;
        nb_error_clear(&j->err);
        nb_error_move(err, &j->err);
    }
    pthread_mutex_unlock(&j->lock);
    nb_error_clear(err);
    atomic_store(&j->failed, 1);
}

void
nb_thread_wrote(nb_thread_ctx *t, int64_t n_rows)
{
    nb_watch_task_wrote(t->task, n_rows);
}

bool
nb_thread_must_stop(const nb_thread_ctx *t)
{
    return must_stop(t->job);
}

/* Gives a batch of the source to the first operator, in pieces or with other vectors when tests want that. */
static nb_status
push_batch(nb_thread_ctx *t, nb_batch *batch, nb_error *err)
{
    const nb_exec_ctx *ctx = t->job->run->ctx;
    int max = ctx->shape == NB_SHAPE_CONST ? 1 : ctx->batch_rows;
    nb_status st = NB_OK;

    if (ctx->shape == NB_SHAPE_ANY && (max <= 0 || batch->n_rows <= max)) {
        return nb_emit(t, batch, err);
    }
    NB_TRY(nb_batch_flatten_selection(batch));
    for (int at = 0; at < batch->n_rows && st == NB_OK; at += max) {
        nb_batch piece;
        int n = NB_MIN(max, batch->n_rows - at);

        NB_TRY(nb_batch_init(batch->arena, batch->n_cols, n, &piece));
        piece.order = batch->order;
        piece.partition = batch->partition;
        for (int c = 0; c < batch->n_cols; c++) {
            NB_TRY(nb_vector_slice(batch->arena, &batch->cols[c], at, n, &piece.cols[c]));
            NB_TRY(nb_vector_reshape(batch->arena, ctx->shape, &piece.cols[c]));
        }
        st = nb_emit(t, &piece, err);
    }
    return st;
}

static nb_status
run_batches(nb_thread_ctx *t, int branch, nb_source *source, void *source_local, nb_error *err)
{
    nb_branch *b = &t->job->stream->branches[branch];

    for (;;) {
        nb_batch batch;
        nb_status st;

        if (must_stop(t->job)) {
            return NB_CANCELLED;
        }
        nb_arena_reset(t->scratch);
        st = source->ops->next(source, source_local, t->scratch, &batch, err);
        if (st != NB_OK) {
            return st == NB_DONE ? NB_OK : st;
        }
        batch.order |= (uint64_t)branch << NB_ORDER_BRANCH_SHIFT;
        batch.order += t->job->run->ctx->order_base;
        batch.partition = add_partitions(batch.partition, b->partition_base);
        t->order = batch.order;
        atomic_store(&t->job->progress[t->number].order, NB_MIN(batch.order, t->held));
        st = push_batch(t, &batch, err);
        if (st != NB_OK) {
            return st == NB_DONE ? NB_OK : st;
        }
    }
}

static _Thread_local int64_t spilled_by_thread;

static void
add_metrics(nb_node *node, const op_stats *s)
{
    if (node == NULL || node->metrics == NULL) {
        return;
    }
    atomic_fetch_add(&node->metrics->rows_out, s->rows);
    atomic_fetch_add(&node->metrics->batches_out, s->batches);
    atomic_fetch_add(&node->metrics->ns, s->ns);
}

void
nb_metrics_spilled(nb_node *node, int64_t n_bytes)
{
    spilled_by_thread += n_bytes;
    if (node != NULL && node->metrics != NULL) {
        atomic_fetch_add(&node->metrics->bytes_spilled, n_bytes);
    }
}

int64_t
nb_metrics_spilled_by_thread(void)
{
    return spilled_by_thread;
}

void
nb_metrics_peak(nb_node *node, int64_t n_bytes)
{
    if (node != NULL && node->metrics != NULL &&
        n_bytes > atomic_load(&node->metrics->peak_bytes)) {
        atomic_store(&node->metrics->peak_bytes, n_bytes);
    }
}

/* One thread's work on one branch. */
static nb_status
run_branch(job *j, int number, int branch, nb_thread_ctx *t, nb_error *err)
{
    nb_branch *b = &j->stream->branches[branch];
    nb_pool *pool = j->run->ctx->pool;
    void *source_local = NULL;
    bool source_open = false;
    int n_open = 0;
    nb_status st;

    t->n_ops = b->n_ops;
    t->ops = NB_ARENA_ARRAY(t->branch_memory, nb_operator *, b->n_ops + 1);
    t->locals = nb_arena_zalloc(t->branch_memory, (size_t)(b->n_ops + 1) * sizeof(void *));
    t->stats = nb_arena_zalloc(t->branch_memory, (size_t)(b->n_ops + 2) * sizeof(op_stats));
    if (t->ops == NULL || t->locals == NULL || t->stats == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < b->n_ops; i++) {
        t->ops[i] = b->ops[i];
    }
    t->ops[b->n_ops] = j->sink;
    t->op = -1;
    t->held = UINT64_MAX;
    t->mark = nb_clock_mono_ns();
    for (; n_open < b->n_ops; n_open++) {
        nb_operator *op = b->ops[n_open];

        t->op = n_open;
        NB_TRY_GOTO(
            st, op->ops->open_local ? op->ops->open_local(op, t, &t->locals[n_open], err) : NB_OK,
            done);
    }
    t->op = b->n_ops;
    if (j->sink_locals[number] == NULL && j->sink->ops->open_local != NULL) {
        NB_TRY_GOTO(st, j->sink->ops->open_local(j->sink, t, &j->sink_locals[number], err), done);
    }
    t->op = -1;
    t->locals[b->n_ops] = j->sink_locals[number];
    if (b->source->ops->open_local != NULL) {
        NB_TRY_GOTO(st, b->source->ops->open_local(b->source, pool, &source_local, err), done);
        source_open = true;
    }
    NB_TRY_GOTO(st, run_batches(t, branch, b->source, source_local, err), done);
    for (int i = 0; i < b->n_ops; i++) {
        if (b->ops[i]->ops->flush != NULL) {
            nb_arena_reset(t->scratch);
            switch_clock(t, i);
            NB_TRY_GOTO(st, b->ops[i]->ops->flush(b->ops[i], t->locals[i], t, err), done);
            st = NB_OK;
        }
    }
    if (j->sink->ops->flush != NULL) {
        switch_clock(t, b->n_ops);
        st = j->sink->ops->flush(j->sink, t->locals[b->n_ops], t, err);
    }
done:
    switch_clock(t, -1);
    if (source_open && b->source->ops->close_local != NULL) {
        b->source->ops->close_local(b->source, source_local);
    }
    for (int i = 0; i < n_open; i++) {
        if (b->ops[i]->ops->close_local != NULL) {
            b->ops[i]->ops->close_local(b->ops[i], t->locals[i]);
        }
    }
    add_metrics(b->source_node, &t->stats[0]);
    nb_watch_task_source(t->task, b->source_node, t->stats[0].rows, t->stats[0].ns);
    for (int i = 0; i < b->n_ops; i++) {
        add_metrics(b->ops[i]->node, &t->stats[i + 1]);
        nb_watch_task_operator(t->task, b->ops[i]->node, t->stats[i + 1].rows, t->stats[i + 1].ns);
    }
    nb_watch_task_sink(t->task, t->stats[b->n_ops].rows);
    t->stats[b->n_ops + 1].rows = t->stats[b->n_ops + 1].batches = 0;
    add_metrics(j->sink->node, &t->stats[b->n_ops + 1]);
    nb_watch_task_operator(t->task, j->sink->node, 0, t->stats[b->n_ops + 1].ns);
    return st;
}

static void
thread_main(void *payload, int number)
{
    job *j = payload;
    nb_error err = NB_ERROR_INIT;
    nb_thread_ctx t = {
        .job = j, .number = number, .memory = j->memories[number], .task = &j->tasks[number]};
    nb_status st = NB_OK;

    t.scratch = nb_arena_new(j->run->ctx->pool);
    if (t.scratch == NULL) {
        st = NB_NOMEM;
    }
    nb_watch_task_begin(&j->stage, number, t.memory, t.task);
    atomic_store(&j->progress[number].order, 0);
    for (int b = j->first; b < j->end && st == NB_OK; b++) {
        t.branch_memory = nb_arena_new(j->run->ctx->pool);
        st = t.branch_memory ? run_branch(j, number, b, &t, &err) : NB_NOMEM;
        nb_arena_free(t.branch_memory);
    }
    atomic_store(&j->progress[number].order, UINT64_MAX);
    nb_arena_free(t.scratch);
    if (st < 0 || j->end == j->stream->n_branches) {
        nb_watch_task_end(&j->stage, t.task, st, &err);
    } else {
        nb_watch_task_pause(t.task);
    }
    if (st < 0) {
        report(j, &t, st, &err);
    }
}

/* What sources count themselves; all threads are done with them. */
static void
add_source_metrics(const nb_stream *s)
{
    for (int b = 0; b < s->n_branches; b++) {
        const nb_branch *branch = &s->branches[b];

        if (branch->source != NULL && branch->source_node != NULL &&
            branch->source_node->metrics != NULL) {
            atomic_fetch_add(&branch->source_node->metrics->bytes_unpacked,
                             atomic_load(&branch->source->bytes_unpacked));
            atomic_fetch_add(&branch->source_node->metrics->values_decoded,
                             atomic_load(&branch->source->values_decoded));
        }
    }
}

static void
combine_main(void *payload, int number)
{
    job *j = payload;
    nb_error err = NB_ERROR_INIT;
    op_stats stats[2] = {{0}};
    nb_thread_ctx t = {.job = j, .number = number, .memory = j->memories[number], .stats = stats};
    nb_status st = NB_OK;

    if (j->sink_locals[number] != NULL && !atomic_load(&j->failed) &&
        j->sink->ops->combine != NULL) {
        t.mark = nb_clock_mono_ns();
        t.scratch = nb_arena_new(j->run->ctx->pool);
        st = t.scratch == NULL ? NB_NOMEM
                               : j->sink->ops->combine(j->sink, j->sink_locals[number], &t, &err);
        nb_arena_free(t.scratch);
        stats[0].ns = nb_clock_mono_ns() - t.mark;
        add_metrics(j->sink->node, &stats[0]);
    }
    if (st < 0) {
        report(j, &t, st, &err);
    }
}

/* The stream has given all its rows: memory of its parts is wanted by what comes next. */
static void
close_stream(nb_run *run, nb_stream *s)
{
    for (int b = 0; b < s->n_branches; b++) {
        let_go(run, NULL, s->branches[b].source);
    }
    for (int b = 0; b < s->n_branches; b++) {
        for (int i = s->branches[b].n_ops - 1; i >= 0; i--) {
            let_go(run, s->branches[b].ops[i], NULL);
        }
        let_go(run, s->branches[b].maker, NULL);
    }
}

/* No more than find something to do: waking a thread costs more than a small query. */
int
nb_stream_threads(const nb_run *run, const nb_stream *s)
{
    int64_t enough = 0, most = NB_MAX(run->ctx->n_threads, 1);

    if (s->sequential) {
        return 1;
    }
    for (int b = 0; b < s->n_branches && enough < most; b++) {
        const nb_source *source = s->branches[b].source;

        enough += source != NULL && source->enough_threads > 0 ? source->enough_threads : most;
    }
    return (int)NB_MAX(NB_MIN(enough, most), 1);
}

/* Opens the sink as if the sources had the memory already that they will want: it plans with what is left. */
static nb_status
open_sink(nb_run *run, const nb_stream *s, nb_operator *sink, int n_threads, nb_error *err)
{
    nb_pool *pool = run->ctx->pool;
    size_t most = 0, wanted;
    nb_status st;

    for (int b = 0; b < s->n_branches; b++) {
        most = NB_MAX(most, s->branches[b].source ? s->branches[b].source->thread_bytes : 0);
    }
    wanted = NB_MIN(most, nb_pool_available(pool) / 2 / (size_t)n_threads) * (size_t)n_threads;
    if (wanted > 0 && nb_pool_reserve(pool, wanted) < 0) {
        wanted = 0;
    }
    st = nb_run_open(run, sink, err);
    nb_pool_unreserve(pool, wanted);
    return st;
}

nb_status
nb_stream_run(nb_run *run, nb_stream *s, nb_operator *sink, nb_error *err)
{
    job j = {.run = run, .stream = s, .sink = sink, .n_threads = nb_stream_threads(run, s)};
    nb_status st;
    int64_t start;

    NB_TRY(open_sink(run, s, sink, j.n_threads, err));
    j.sink_locals = nb_arena_zalloc(run->arena, (size_t)j.n_threads * sizeof(void *));
    j.memories = nb_arena_zalloc(run->arena, (size_t)j.n_threads * sizeof(nb_arena *));
    j.tasks = nb_arena_zalloc(run->arena, (size_t)j.n_threads * sizeof(nb_watch_task));
    j.progress = nb_arena_zalloc(run->arena, (size_t)(j.n_threads + 1) * sizeof(progress));
    if (j.sink_locals == NULL || j.memories == NULL || j.tasks == NULL || j.progress == NULL) {
        return NB_NOMEM;
    }
    j.progress = (progress *)NB_ALIGN_UP((uintptr_t)j.progress, _Alignof(progress));
    for (int i = 0; i < j.n_threads; i++) {
        atomic_store(&j.progress[i].order, UINT64_MAX);
    }
    pthread_mutex_init(&j.lock, NULL);
    j.err = NB_ERROR_INIT;
    st = NB_OK;
    for (int i = 0; i < j.n_threads; i++) {
        j.memories[i] = nb_arena_new(run->ctx->pool);
        st = j.memories[i] ? st : NB_NOMEM;
    }
    nb_watch_stream_begin(run, s, sink, j.n_threads, &j.stage);
    while (st == NB_OK && j.first < s->n_branches) {
        nb_branch *b = &s->branches[j.first];

        if (b->source == NULL) {
            nb_source *made = NULL;

            st = b->source_of->ops->make_source(b->source_of, run->ctx, &made, err);
            if (st < 0) {
                break;
            }
            NB_TRY_GOTO(st, nb_run_keep_source(run, made), done);
            b->source = made;
        }
        j.end = j.first + 1;
        while (j.end < s->n_branches && s->branches[j.end].source != NULL) {
            j.end++;
        }
        nb_threads_run(j.n_threads, thread_main, &j);
        st = j.status;
        j.first = j.end;
    }
    if (st == NB_OK) {
        nb_threads_run(j.n_threads, combine_main, &j);
        st = j.status;
    }
    if (j.status < 0) {
        nb_error_move(&j.err, err);
    } else if (st == NB_OK && sink->ops->finalize != NULL) {
        op_stats stats = {0};

        start = nb_clock_mono_ns();
        st = sink->ops->finalize(sink, run->ctx, err);
        stats.ns = nb_clock_mono_ns() - start;
        add_metrics(sink->node, &stats);
    }
    add_source_metrics(s);
    if (st == NB_OK) {
        close_stream(run, s);
    }
done:
    for (int i = 0; i < j.n_threads; i++) {
        nb_watch_task_end(&j.stage, &j.tasks[i], st, err);
    }
    nb_watch_stage_end(&j.stage, st, err);
    for (int i = 0; i < j.n_threads; i++) {
        if (j.sink_locals[i] != NULL && sink->ops->close_local != NULL) {
            sink->ops->close_local(sink, j.sink_locals[i]);
        }
        nb_arena_free(j.memories[i]);
    }
    pthread_mutex_destroy(&j.lock);
    return st;
}
