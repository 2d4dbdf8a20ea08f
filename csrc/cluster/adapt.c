/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adapt.c: see adapt.h.
 */
#include "cluster/adapt_internal.h"
#include "cluster/stages_internal.h"

#include <stdlib.h>

/* So many times larger than the threshold a side may be when it costs less to give it to every task than to shuffle both. */
#define FAR  4
#define MUCH 8 /* of what a side that goes to every task may have, at least one such part */

nb_adapt_options
nb_adapt_options_of(const nb_config *config, int parallelism)
{
    nb_adapt_options o = {.parallelism = NB_MAX(parallelism, 1), .advisory_bytes = 64 << 20};

    if (config != NULL) {
        o.enabled = nb_config_bool(config, NB_CONF_ADAPTIVE);
        o.coalesce = nb_config_bool(config, NB_CONF_ADAPTIVE_COALESCE);
        o.skew = nb_config_bool(config, NB_CONF_SKEW_JOIN);
        o.broadcast_bytes = nb_config_int(config, NB_CONF_AUTO_BROADCAST);
        o.advisory_bytes = NB_MAX(nb_config_int(config, NB_CONF_ADVISORY_BYTES), 1);
        o.min_bytes = nb_config_int(config, NB_CONF_ADAPTIVE_MIN_BYTES);
        o.skew_bytes = nb_config_int(config, NB_CONF_SKEW_BYTES);
        o.skew_factor = NB_MAX(nb_config_double(config, NB_CONF_SKEW_FACTOR), 1);
    }
    return o;
}

int64_t
nb_adapt_bytes(const nb_stages *stages, int stage, const nb_adapt_sizes *sizes)
{
    const nb_stage *s = &stages->stages[stage];
    int64_t total = 0;

    for (int t = 0; t < s->n_tasks; t++) {
        for (int b = 0; b < s->n_buckets; b++) {
            total += sizes->bytes(sizes->payload, stage, t, b);
        }
    }
    return total;
}

double
nb_adapt_estimate(const nb_stage *stage)
{
    double bytes = 0;

    for (int p = 0; p < stage->n_parts; p++) {
        bytes += NB_MAX(nb_cut_bytes(stage->parts[p].root->children[0]), 0);
    }
    return bytes;
}

/* ---- trees ----------------------------------------------------------------------------------- */

/* The tree with `instead` in place of the READ of a stage; NULL: out of memory. */
static nb_node *
replace(nb_arena *arena, const nb_node *node, int stage, nb_node *instead)
{
    nb_node *copy;

    if (node->kind == NB_NODE_READ && node->u.read.stage == stage) {
        return instead;
    }
    if (nb_stage_read_of(node, stage) == NULL) {
        return (nb_node *)(uintptr_t)node;
    }
    copy = NB_ARENA_NEW(arena, nb_node);
    if (copy == NULL) {
        return NULL;
    }
    *copy = *node;
    copy->children = NB_ARENA_ARRAY(arena, nb_node *, node->n_children + 1);
    for (int i = 0; i < node->n_children; i++) {
        if (copy->children == NULL ||
            (copy->children[i] = replace(arena, node->children[i], stage, instead)) == NULL) {
            return NULL;
        }
    }
    return copy;
}

static nb_node *
read_as(nb_arena *arena, const nb_node *read, nb_read_kind kind, int stage)
{
    nb_node *copy = NB_ARENA_NEW(arena, nb_node);

    if (copy != NULL) {
        *copy = *read;
        copy->u.read.kind = kind;
        copy->u.read.stage = stage;
    }
    return copy;
}

static void
note_inputs(const nb_node *node, nb_stage *stage)
{
    bool known = node->kind != NB_NODE_READ;

    for (int i = 0; i < stage->n_inputs && !known; i++) {
        known = stage->inputs[i] == node->u.read.stage;
    }
    if (!known) {
        stage->inputs[stage->n_inputs++] = node->u.read.stage;
    }
    for (int i = 0; i < node->n_children; i++) {
        note_inputs(node->children[i], stage);
    }
}

/* What follows from the stage's parts. */
static nb_status
renumber(nb_arena *arena, const nb_stages *stages, nb_stage *stage)
{
    stage->inputs = NB_ARENA_ARRAY(arena, int, stages->n + 1);
    if (stage->inputs == NULL) {
        return NB_NOMEM;
    }
    stage->n_inputs = stage->n_tasks = 0;
    for (int p = 0; p < stage->n_parts; p++) {
        stage->parts[p].first_task = stage->n_tasks;
        stage->n_tasks += stage->parts[p].n_tasks;
        note_inputs(stage->parts[p].root, stage);
    }
    return NB_OK;
}

/* The stage that reads buckets of this one: there is one, above. */
static nb_stage *
reader_of(nb_stages *stages, int stage)
{
    for (int s = stage + 1; s < stages->n; s++) {
        for (int p = 0; p < stages->stages[s].n_parts; p++) {
            if (nb_stage_read_of(stages->stages[s].parts[p].root, stage) != NULL) {
                return &stages->stages[s];
            }
        }
    }
    return NULL;
}

static void
drop_tasks(nb_stage *stage)
{
    stage->n_parts = stage->n_tasks = stage->n_inputs = 0;
}

/* ---- broadcast ------------------------------------------------------------------------------- */

static bool
reads_parts(const nb_node *node)
{
    bool found = node->kind == NB_NODE_READ && node->u.read.kind != NB_READ_ALL;

    for (int i = 0; i < node->n_children && !found; i++) {
        found = reads_parts(node->children[i]);
    }
    return found;
}

/* Of tasks that read what others have put out there are as many as were planned. */
void
nb_adapt_limit_tasks(const nb_adapt_options *options, int64_t bytes, nb_stage_part *part)
{
    if (bytes > options->broadcast_bytes / MUCH && part->n_tasks > options->parallelism &&
        !part->whole_partitions && !reads_parts(part->root)) {
        part->n_tasks = options->parallelism;
    }
}

/* One part of the join's stage becomes as many as the probe side's stage has. */
static nb_status
take_over(nb_arena *arena, const nb_stage_part *part, const nb_stage *probe, int build,
          nb_stage_part *out)
{
    const nb_node *build_read = nb_stage_read_of(part->root, build);

    for (int i = 0; i < probe->n_parts; i++) {
        nb_node *all = read_as(arena, build_read, NB_READ_ALL, build), *root = NULL;

        if (all != NULL) {
            root = replace(arena, part->root, build, all);
        }
        if (root != NULL) {
            root = replace(arena, root, probe->id, probe->parts[i].root->children[0]);
        }
        if (root == NULL) {
            return NB_NOMEM;
        }
        out[i] = *part;
        out[i].root = root;
        out[i].n_tasks = probe->parts[i].n_tasks;
        out[i].whole_partitions = probe->parts[i].whole_partitions;
    }
    return NB_OK;
}

static nb_status
broadcast(nb_arena *arena, const nb_adapt_options *options, nb_stages *stages, nb_stage *probe,
          int64_t bytes)
{
    nb_stage *join = reader_of(stages, probe->id);
    nb_stage_part *parts;
    int n = 0;

    if (join == NULL) {
        return NB_OK;
    }
    parts = NB_ARENA_ARRAY(arena, nb_stage_part, join->n_parts + probe->n_parts);
    if (parts == NULL) {
        return NB_NOMEM;
    }
    for (int p = 0; p < join->n_parts; p++) {
        if (nb_stage_read_of(join->parts[p].root, probe->id) == NULL) {
            parts[n++] = join->parts[p];
        } else {
            NB_TRY(take_over(arena, &join->parts[p], probe, probe->advice, &parts[n]));
            for (int i = 0; i < probe->n_parts; i++) {
                nb_adapt_limit_tasks(options, bytes, &parts[n++]);
            }
        }
    }
    join->parts = parts;
    join->n_parts = n;
    drop_tasks(probe);
    return renumber(arena, stages, join);
}

/* ---- small and large buckets ----------------------------------------------------------------- */

typedef struct slicer {
    nb_arena *arena;
    const nb_adapt_options *options;
    const nb_stages *stages;
    const nb_adapt_sizes *sizes;
    int reads[2], n_reads;         /* stages whose buckets the part reads */
    int divisible[2], n_divisible; /* those of a join that may be divided */
    int n_buckets;
    int64_t *bytes; /* per bucket */
    int64_t target;
    nb_task_slice *slices;
    int n, cap;
} slicer;

/* READ nodes of buckets below, and which sides of a join over two of them may be divided: of the build side only those joins in which each
 * pair of rows counts for itself; of the probe side not those that give out the build side's rows without a match. */
static void
find_reads(slicer *s, const nb_node *node)
{
    if (node->kind == NB_NODE_READ && node->u.read.kind == NB_READ_BUCKET && s->n_reads < 2) {
        s->reads[s->n_reads++] = node->u.read.stage;
    }
    if (node->kind == NB_NODE_JOIN && node->children[0]->kind == NB_NODE_READ &&
        node->children[1]->kind == NB_NODE_READ &&
        node->children[0]->u.read.kind == NB_READ_BUCKET &&
        node->children[1]->u.read.kind == NB_READ_BUCKET) {
        nb_join_type type = node->u.join.type;
        bool left = type == NB_JOIN_INNER || type == NB_JOIN_LEFT || type == NB_JOIN_SEMI ||
                    type == NB_JOIN_ANTI || type == NB_JOIN_MARK || type == NB_JOIN_SINGLE;
        bool right = type == NB_JOIN_INNER || type == NB_JOIN_RIGHT;

        if (left) {
            s->divisible[s->n_divisible++] = node->children[0]->u.read.stage;
        }
        if (right) {
            s->divisible[s->n_divisible++] = node->children[1]->u.read.stage;
        }
    }
    for (int i = 0; i < node->n_children; i++) {
        find_reads(s, node->children[i]);
    }
}

static nb_status
add_slice(slicer *s, nb_task_slice slice)
{
    if (s->n == s->cap) {
        int cap = 2 * s->cap + 8;
        nb_task_slice *grown = NB_ARENA_ARRAY(s->arena, nb_task_slice, cap);

        if (grown == NULL) {
            return NB_NOMEM;
        }
        if (s->n > 0) {
            memcpy(grown, s->slices, (size_t)s->n * sizeof(*grown));
        }
        s->slices = grown;
        s->cap = cap;
    }
    s->slices[s->n++] = slice;
    return NB_OK;
}

static int
by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* From how many bytes on a bucket is one of those to be split; INT64_MAX: none is. */
static nb_status
skew_limit(const slicer *s, int64_t *out)
{
    int64_t *sorted;

    *out = INT64_MAX;
    if (!s->options->skew || s->n_divisible == 0) {
        return NB_OK;
    }
    sorted = NB_ARENA_ARRAY(s->arena, int64_t, s->n_buckets);
    if (sorted == NULL) {
        return NB_NOMEM;
    }
    memcpy(sorted, s->bytes, (size_t)s->n_buckets * sizeof(*sorted));
    qsort(sorted, (size_t)s->n_buckets, sizeof(*sorted), by_size);
    *out = NB_MAX(
        (int64_t)NB_MIN(s->options->skew_factor * (double)sorted[(s->n_buckets - 1) / 2], 1e18),
        s->options->skew_bytes);
    return NB_OK;
}

/* Several tasks for one bucket: each a run of the tasks that filled it. */
static nb_status
split(slicer *s, int bucket)
{
    int64_t most = -1, have = 0;
    int stage = -1, first = 0;

    for (int i = 0; i < s->n_divisible; i++) { /* the larger side */
        int64_t bytes = 0;

        for (int t = 0; t < s->stages->stages[s->divisible[i]].n_tasks; t++) {
            bytes += s->sizes->bytes(s->sizes->payload, s->divisible[i], t, bucket);
        }
        if (bytes > most) {
            most = bytes;
            stage = s->divisible[i];
        }
    }
    for (int t = 0; t < s->stages->stages[stage].n_tasks; t++) {
        int64_t bytes = s->sizes->bytes(s->sizes->payload, stage, t, bucket);

        if (t > first && have + bytes > s->target) {
            NB_TRY(add_slice(s, (nb_task_slice){bucket, bucket + 1, stage, first, t}));
            first = t;
            have = 0;
        }
        have += bytes;
    }
    return add_slice(
        s, (nb_task_slice){bucket, bucket + 1, stage, first, s->stages->stages[stage].n_tasks});
}

static nb_status
slice_part(slicer *s, nb_stage_part *part)
{
    int64_t total = 0, limit, have = 0;
    int from = 0;

    find_reads(s, part->root);
    if (s->n_reads == 0) {
        return NB_OK;
    }
    s->n_buckets = s->stages->stages[s->reads[0]].n_buckets;
    s->bytes = nb_arena_zalloc(s->arena, (size_t)s->n_buckets * sizeof(int64_t));
    if (s->bytes == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < s->n_reads; i++) {
        for (int t = 0; t < s->stages->stages[s->reads[i]].n_tasks; t++) {
            for (int b = 0; b < s->n_buckets; b++) {
                s->bytes[b] += s->sizes->bytes(s->sizes->payload, s->reads[i], t, b);
            }
        }
    }
    for (int b = 0; b < s->n_buckets; b++) {
        total += s->bytes[b];
    }
    s->target = NB_MIN(s->options->advisory_bytes,
                       NB_MAX(total / s->options->parallelism, s->options->min_bytes));
    NB_TRY(skew_limit(s, &limit));
    for (int b = 0; b < s->n_buckets; b++) {
        bool skewed = s->bytes[b] > limit;

        if (b > from && (skewed || !s->options->coalesce || have + s->bytes[b] > s->target)) {
            NB_TRY(add_slice(s, (nb_task_slice){from, b, -1, 0, 0}));
            from = b;
            have = 0;
        }
        have += s->bytes[b];
        if (skewed) {
            NB_TRY(split(s, b));
            from = b + 1;
            have = 0;
        }
    }
    if (from < s->n_buckets) {
        NB_TRY(add_slice(s, (nb_task_slice){from, s->n_buckets, -1, 0, 0}));
    }
    part->slices = s->slices;
    part->n_tasks = s->n;
    return NB_OK;
}

nb_status
nb_adapt_stage(nb_arena *arena, const nb_adapt_options *options, nb_stages *stages, int stage,
               const nb_adapt_sizes *sizes)
{
    nb_stage *s = &stages->stages[stage];
    int64_t bytes = s->advice >= 0 ? nb_adapt_bytes(stages, s->advice, sizes) : 0;
    bool small;

    if (s->n_parts == 0) { /* taken over by the one above */
        return NB_OK;
    }
    if (s->ranges != NB_RANGES_NONE) { /* as many tasks as have made what is put into ranges */
        s->parts[0].n_tasks = stages->stages[s->inputs[0]].n_tasks;
        return renumber(arena, stages, s);
    }
    small =
        s->advice >= 0 && (bytes <= options->broadcast_bytes ||
                           (bytes / FAR <= options->broadcast_bytes &&
                            (double)bytes * (options->parallelism - 1) <= nb_adapt_estimate(s)));
    NB_TRY(nb_adapt_reduce(arena, options, stages, s, small ? s->advice : -1, sizes));
    if (small) {
        return broadcast(arena, options, stages, s, bytes);
    }
    for (int p = 0; p < s->n_parts && options->enabled; p++) {
        slicer slicer = {.arena = arena, .options = options, .stages = stages, .sizes = sizes};

        NB_TRY(slice_part(&slicer, &s->parts[p]));
    }
    return renumber(arena, stages, s);
}

/* ---- ranges ---------------------------------------------------------------------------------- */

const nb_type *
nb_adapt_sample_type(void)
{
    nb_field fields[] = {{.name = NB_STR("key"), .type = nb_type_of(NB_TYPE_BINARY)},
                         {.name = NB_STR("rows"), .type = nb_type_of(NB_TYPE_INT64)}};

    return nb_type_struct(fields, 2);
}

typedef struct sampled {
    nb_str key;
    int64_t rows;
} sampled;

static int
by_key(const void *a, const void *b)
{
    return nb_str_compare(((const sampled *)a)->key, ((const sampled *)b)->key);
}

/* The keys are copied: the table may go. */
static nb_status
sort_sample(nb_arena *arena, const nb_table *sample, sampled **out, int64_t *total)
{
    sampled *keys = NB_ARENA_ARRAY(arena, sampled, sample->n_rows + 1);
    int64_t n = 0;

    *total = 0;
    if (keys == NULL) {
        return NB_NOMEM;
    }
    for (int c = 0; c < sample->n_chunks; c++) {
        const nb_chunk *chunk = sample->chunks[c];

        for (int64_t i = 0; i < chunk->n_rows; i++) {
            const nb_vector *key = &chunk->cols[0], *rows = &chunk->cols[1];

            keys[n].key =
                nb_arena_str(arena, nb_view_str(&NB_DATA(nb_view, key)[nb_vector_slot(key, i)]));
            keys[n].rows = NB_DATA(int64_t, rows)[nb_vector_slot(rows, i)];
            if (keys[n].key.data == NULL) {
                return NB_NOMEM;
            }
            *total += keys[n++].rows;
        }
    }
    qsort(keys, (size_t)n, sizeof(*keys), by_key);
    *out = keys;
    return NB_OK;
}

nb_status
nb_adapt_bounds(nb_arena *arena, const nb_adapt_options *options, nb_stages *stages, int stage,
                const nb_adapt_sizes *sizes, const nb_table *sample)
{
    nb_stage *s = &stages->stages[stage], *reader = reader_of(stages, stage);
    int input = s->inputs[0], n = s->n_buckets;
    int64_t bytes = nb_adapt_bytes(stages, input, sizes), total, seen = 0;
    nb_node *root = NB_ARENA_NEW(arena, nb_node);
    sampled *keys;
    size_t at = 0;

    if (s->ranges == NB_RANGES_FREE) {
        if (options->enabled && options->coalesce && bytes <= options->min_bytes) {
            const nb_node *read = NULL;

            for (int p = 0; reader != NULL && p < reader->n_parts; p++) { /* nothing to move */
                read = nb_stage_read_of(reader->parts[p].root, stage);
                if (read != NULL) {
                    nb_node *instead = read_as(arena, read, NB_READ_BUCKET, input);

                    reader->parts[p].root =
                        instead ? replace(arena, reader->parts[p].root, stage, instead) : NULL;
                    if (reader->parts[p].root == NULL) {
                        return NB_NOMEM;
                    }
                }
            }
            drop_tasks(s);
            return reader ? renumber(arena, stages, reader) : NB_OK;
        }
        n = (int)NB_MAX(NB_MIN(bytes / options->advisory_bytes, n), options->parallelism);
    }
    NB_TRY(sort_sample(arena, sample, &keys, &total));
    if (root == NULL) {
        return NB_NOMEM;
    }
    *root = *s->parts[0].root;
    root->u.put.n_buckets = s->n_buckets = n;
    root->u.put.bounds = NB_ARENA_ARRAY(arena, nb_str, n + 1);
    if (root->u.put.bounds == NULL) {
        return NB_NOMEM;
    }
    for (int b = 0; b + 1 < n; b++) {
        int64_t end = (int64_t)((nb_int128)total * (b + 1) / n);

        while (at < (size_t)sample->n_rows && seen + keys[at].rows <= end) {
            seen += keys[at++].rows;
        }
        root->u.put.bounds[b] = at > 0 ? keys[at - 1].key : NB_STR("");
    }
    s->parts[0].root = root;
    return NB_OK;
}
