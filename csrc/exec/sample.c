/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample.c: df.sample and randomSplit: rows drawn by a generator seeded per partition.
 *
 * Spark    without replacement a row stays when XORShiftRandom(seed + partition).nextDouble() lies in [lower, upper), as
 *          BernoulliCellSampler does it: the same rows as Spark's for the same partitions. With replacement each row comes Poisson(upper - lower)
 *          times, drawn as Spark's PoissonSampler does; above a fraction of 39 another method is used there, so that counts agree on average only.
 * Threads  the generator steps once per row of a partition, so the stream is sequential.
 */
#include "base/random.h"
#include "base/well.h"
#include "exec/operators.h"

typedef struct sample_local {
    nb_xorshift rng;
    nb_well *well; /* with replacement */
    int32_t partition;
} sample_local;

static nb_status
sample_open_local(nb_operator *op, nb_thread_ctx *t, void **local, nb_error *err)
{
    sample_local *l = NB_ARENA_NEW(nb_thread_memory(t), sample_local);

    (void)err;
    if (l == NULL) {
        return NB_NOMEM;
    }
    if (op->node->u.sample.with_replacement) {
        l->well = NB_ARENA_NEW(nb_thread_memory(t), nb_well);
        if (l->well == NULL) {
            return NB_NOMEM;
        }
    }
    l->partition = -1;
    *local = l;
    return NB_OK;
}

/* Each row as often as it is drawn, in batches of their own. */
static nb_status
push_repeated(nb_operator *op, sample_local *l, nb_thread_ctx *t, nb_batch *batch, nb_error *err)
{
    double mean = op->node->u.sample.upper - op->node->u.sample.lower;
    uint32_t *idx = NB_ARENA_ARRAY(batch->arena, uint32_t, NB_BATCH_ROWS);
    int64_t n = 0;

    if (idx == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_batch_flatten_selection(batch));
    for (int64_t i = 0; i <= batch->n_rows; i++) {
        int64_t times = i < batch->n_rows ? nb_well_poisson(l->well, mean) : 0;

        while (times > 0 || (i == batch->n_rows && n > 0)) {
            if (times > 0 && n < NB_BATCH_ROWS) {
                idx[n++] = (uint32_t)i;
                times--;
                continue;
            }
            nb_batch out;

            NB_TRY(nb_batch_init(batch->arena, batch->n_cols, n, &out));
            out.order = batch->order;
            out.partition = batch->partition;
            for (int c = 0; c < batch->n_cols; c++) {
                NB_TRY(nb_vector_gather(batch->arena, &batch->cols[c], idx, n, &out.cols[c]));
            }
            NB_TRY(nb_emit(t, &out, err));
            n = 0;
        }
    }
    return NB_OK;
}

static nb_status
sample_push(nb_operator *op, void *local, nb_thread_ctx *t, nb_batch *batch, nb_error *err)
{
    sample_local *l = local;
    double lower = op->node->u.sample.lower, upper = op->node->u.sample.upper;
    uint32_t *keep = NB_ARENA_ARRAY(batch->arena, uint32_t, batch->n_rows);
    int64_t n = 0;

    if (keep == NULL) {
        return NB_NOMEM;
    }
    if (batch->partition != l->partition) {
        l->partition = batch->partition;
        if (l->well != NULL) {
            nb_well_init(l->well, nb_java_random_long(op->node->u.sample.seed, l->partition));
        } else {
            nb_xorshift_init(&l->rng, op->node->u.sample.seed + l->partition);
        }
    }
    if (op->node->u.sample.with_replacement) {
        return push_repeated(op, l, t, batch, err);
    }
    for (int32_t i = 0; i < batch->n_rows && upper > lower; i++) {
        double x = nb_xorshift_double(&l->rng);

        keep[n] = (uint32_t)i;
        n += x >= lower && x < upper;
    }
    if (n == 0) {
        return NB_OK;
    }
    NB_TRY(nb_batch_select(batch, keep, n));
    return nb_emit(t, batch, err);
}

static void
sample_close(nb_operator *op)
{
    (void)op;
}

static const nb_operator_ops SAMPLE = {
    .name = "Sample",
    .open_local = sample_open_local,
    .push = sample_push,
    .close = sample_close,
};

nb_status
nb_sample_new(nb_run *run, nb_node *node, nb_operator **out)
{
    *out = NB_OPERATOR_NEW(run, nb_operator, &SAMPLE, node);
    return *out ? NB_OK : NB_NOMEM;
}
