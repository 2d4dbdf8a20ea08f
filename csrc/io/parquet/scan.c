/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan.c: Parquet files as a source: a morsel is a row group.
 *
 * A thread takes one or two row groups, chooses the rows that filters and probes leave (choose.c), reads the values of these rows from the column chunks that are
 * asked for, and passes them on in slices. A row group belongs to the split of the file in which it begins, as in Spark.
 */
#include "io/parquet/scan_internal.h"

#include "base/config.h"
#include "io/parquet/convert.h"
#include "io/parquet/rebase.h"

/* A row group in hand costs up to so many times its stored bytes; a second one is taken where it is no more than this part of what is left. */
#define GROUP_FACTOR  8
#define PARTNER_SHARE 8

int
nb_pq_slot_of(nb_pq_source *s, int column)
{
    for (int i = 0; i < s->n_slots; i++) {
        if (s->slots[i].column == column) {
            return i;
        }
    }
    s->slots[s->n_slots] = (nb_pq_slot){.column = column,
                                        .source = s->file.rel->source_of[column],
                                        .type = s->file.rel->columns->children[column].type};
    return s->n_slots++;
}

static void
close_local(nb_source *src, void *local)
{
    nb_pq_local *l = local;

    atomic_fetch_add(&src->bytes_unpacked, l->counts.bytes_unpacked);
    atomic_fetch_add(&src->values_decoded, l->counts.values_decoded);
    nb_eval_free(l->eval);
    nb_file_close(l->file);
    nb_arena_free(l->arena);
    nb_arena_free(l->parked.arena);
    nb_arena_free(l->scratch);
    nb_arena_free(l->memory);
    nb_pool_dealloc(l->pool, l, sizeof *l);
}

static nb_status
fill_local(const nb_pq_source *s, nb_pq_local *l, nb_error *err)
{
    l->arena = nb_arena_new(l->pool);
    l->parked.arena = nb_arena_new(l->pool);
    l->scratch = nb_arena_new(l->pool);
    l->memory = nb_arena_new(l->pool);
    if (!l->arena || !l->parked.arena || !l->scratch || !l->memory) {
        return NB_NOMEM;
    }
    l->slots = NB_ARENA_ARRAY(l->memory, nb_pq_slot_state, s->n_slots + 1);
    l->parked.slots = NB_ARENA_ARRAY(l->memory, nb_pq_slot_state, s->n_slots + 1);
    l->probe_seen = nb_arena_zalloc(l->memory, sizeof(int64_t) * (size_t)(s->n_probes + 1));
    l->probe_kept = nb_arena_zalloc(l->memory, sizeof(int64_t) * (size_t)(s->n_probes + 1));
    l->index_misses = nb_arena_zalloc(l->memory, sizeof(int) * (size_t)(s->n_filters + 1));
    if (!l->slots || !l->parked.slots || !l->probe_seen || !l->probe_kept || !l->index_misses) {
        return NB_NOMEM;
    }
    return s->n_filters ? nb_eval_new(l->memory, s->exprs, s->n_filters, s->info, &l->eval, err)
                        : NB_OK;
}

static nb_status
open_local(nb_source *src, nb_pool *pool, void **out, nb_error *err)
{
    nb_pq_local *l = nb_pool_zalloc(pool, sizeof *l);
    nb_status st;

    if (!l) {
        return NB_NOMEM;
    }
    l->pool = pool;
    l->open_file = -1;
    st = fill_local((const nb_pq_source *)src, l, err);
    if (st < 0) { /* nobody closes what was not opened */
        close_local(src, l);
        return st;
    }
    atomic_fetch_add(&((nb_pq_source *)src)->n_locals, 1);
    *out = l;
    return NB_OK;
}

nb_status
nb_pq_open_file(nb_pq_source *s, nb_pq_local *l, nb_error *err)
{
    int file = s->groups[l->group].file;

    if (l->open_file != file) {
        nb_file_close(l->file);
        l->file = NULL;
        l->open_file = -1;
        NB_TRY(nb_file_open(l->pool, s->file.rel->files.files[file].path.data, &l->file, err));
        l->open_file = file;
    }
    return NB_OK;
}

/* A reader of a column's chunk in the current row group. */
static nb_status
open_chunk(nb_pq_source *s, nb_pq_local *l, int column, nb_pq_reader **out, nb_error *err)
{
    const nb_pq_group_ref *ref = &s->groups[l->group];
    const nb_pq_relation *p = s->file.rel->payload;
    const nb_pq_meta *meta = p->metas[ref->file];
    const nb_pq_group *g = &meta->groups[ref->group];
    const nb_pq_column *c = &meta->columns[column];
    const nb_pq_chunk *chunk = &g->chunks[column];
    bool flat = c->max_rep == 0;
    uint8_t *bytes;
    size_t got;

    if (!c->type) {
        return nb_pq_refuse(c, err);
    }
    NB_TRY(nb_pq_open_file(s, l, err));
    bytes = nb_arena_alloc64(l->arena, (size_t)chunk->n_bytes + 64);
    if (!bytes) {
        return NB_NOMEM;
    }
    NB_TRY(nb_file_read_at(l->file, chunk->offset, bytes, (size_t)chunk->n_bytes, &got, err));
    if (got != (size_t)chunk->n_bytes) {
        return nb_pq_damaged(nb_file_path(l->file), "it is cut off", err);
    }
    memset(bytes + chunk->n_bytes, 0, 64);
    atomic_fetch_add_explicit(&s->file.base.bytes_read, chunk->n_bytes, memory_order_relaxed);
    NB_TRY(nb_pq_reader_open(c, chunk, bytes, flat ? g->n_rows : chunk->n_values,
                             nb_file_path(l->file), l->arena, out, err));
    nb_pq_reader_watch(*out, s->file.base.cancel, &l->counts);
    return NB_OK;
}

nb_status
nb_pq_slot_reader(nb_pq_source *s, nb_pq_local *l, int slot, nb_pq_reader **out, nb_error *err)
{
    const nb_pq_group_ref *ref = &s->groups[l->group];
    int at = s->slots[slot].source < 0 ? -1 : s->file_columns[ref->file][slot];

    *out = l->slots[slot].reader;
    if (*out || at < 0) {
        return NB_OK;
    }
    NB_TRY(open_chunk(s, l, at, out, err));
    l->slots[slot].reader = *out;
    return NB_OK;
}

typedef struct leaf_source {
    nb_pq_source *s;
    nb_pq_local *l;
} leaf_source;

static nb_status
open_leaf(void *payload, int leaf, nb_pq_reader **out, nb_error *err)
{
    leaf_source *from = payload;

    return open_chunk(from->s, from->l, leaf, out, err);
}

/* The values of all rows of a column of lists, maps or structs; then of the chosen ones. */
static nb_status
load_nested(nb_pq_source *s, nb_pq_local *l, const nb_pq_nested *plan, nb_vector *out,
            nb_error *err)
{
    const nb_pq_group_ref *ref = &s->groups[l->group];
    const nb_pq_relation *p = s->file.rel->payload;
    const nb_pq_meta *meta = p->metas[ref->file];
    leaf_source from = {s, l};
    nb_vector all;

    NB_TRY(nb_pq_nested_read(l->arena, meta, plan, meta->groups[ref->group].n_rows,
                             s->file.rel->files.files[ref->file].path.data,
                             s->info ? s->info->time_zone : NB_STR(""), open_leaf, &from, &all,
                             err));
    if (!l->rows) {
        *out = all;
        return NB_OK;
    }
    return nb_vector_gather(l->arena, &all, l->rows, l->n_rows, out);
}

/* From the file's calendar and type to those of the schema, where they differ. */
static nb_status
finish_values(nb_pq_source *s, nb_pq_local *l, int slot, nb_vector *values, nb_error *err)
{
    const nb_pq_relation *p = s->file.rel->payload;
    int file = s->groups[l->group].file;
    const nb_pq_meta *meta = p->metas[file];
    const nb_pq_column *c = &meta->columns[s->file_columns[file][slot]];

    if (c->is_legacy) {
        NB_TRY(nb_pq_rebase(l->arena, meta, c, s->info ? s->info->time_zone : NB_STR(""), values,
                            values, err));
    }
    return values->type == s->slots[slot].type
               ? NB_OK
               : nb_pq_convert(l->arena, c, values, s->slots[slot].type, values);
}

nb_status
nb_pq_slot_load(nb_pq_source *s, nb_pq_local *l, int slot, nb_error *err)
{
    nb_pq_slot_state *state = &l->slots[slot];
    const nb_type *want = s->slots[slot].type;
    int file = s->groups[l->group].file;
    nb_pq_reader *r;

    if (state->loaded) {
        return NB_OK;
    }
    if (s->slots[slot].source < 0) {
        const nb_pq_group_ref *ref = &s->groups[l->group];
        NB_TRY(nb_relation_split_column(s->file.rel, ref->split, ~s->slots[slot].source, l->arena,
                                        l->n_rows, ref->first_row, l->rows, &state->values));
        state->loaded = true;
        return NB_OK;
    }
    NB_TRY(nb_pq_slot_reader(s, l, slot, &r, err));
    if (r) {
        NB_TRY(nb_pq_reader_read(r, l->rows, l->n_rows, &state->values, err));
        NB_TRY(finish_values(s, l, slot, &state->values, err));
    } else if (s->file_nested[file][slot]) {
        NB_TRY(load_nested(s, l, s->file_nested[file][slot], &state->values, err));
    } else {
        NB_TRY(nb_vector_const_null(l->arena, want, l->n_rows, &state->values));
    }
    state->loaded = true;
    return NB_OK;
}

/* Adds the readers of the current row group whose dictionaries will be needed: the longest first. */
static nb_status
list_readers(nb_pq_source *s, nb_pq_local *l, nb_pq_reader **readers, int *n, nb_error *err)
{
    for (int j = 0; j < s->n_columns && l->n_rows > 0; j++) {
        int slot = s->out_slots[j], at;
        nb_pq_reader *r = NULL;
        if (slot < 0 || l->slots[slot].loaded) {
            continue;
        }
        if (s->slots[slot].source >= 0) {
            NB_TRY(nb_pq_slot_reader(s, l, slot, &r, err));
        }
        if (!r) {
            continue;
        }
        for (at = (*n)++; at > 0 && nb_pq_reader_entries(readers[at - 1]) < nb_pq_reader_entries(r);
             at--) {
            readers[at] = readers[at - 1];
        }
        readers[at] = r;
    }
    return NB_OK;
}

/* Dictionaries of the columns that will be loaded, those of about the same length next to each other. */
static nb_status
prepare(nb_pq_source *s, nb_pq_local *l, nb_error *err)
{
    nb_pq_reader **readers = NB_ARENA_ARRAY(l->arena, nb_pq_reader *, 2 * s->n_columns + 1);
    int n = 0;

    if (!readers) {
        return NB_NOMEM;
    }
    NB_TRY(list_readers(s, l, readers, &n, err));
    if (l->has_parked) {
        nb_status st;
        nb_pq_swap(l);
        st = list_readers(s, l, readers, &n, err);
        nb_pq_swap(l);
        NB_TRY(st);
    }
    return nb_pq_readers_prepare(readers, n);
}

static bool
waits_for_bound(const nb_pq_source *s)
{
    for (int i = 0; i < s->n_probes; i++) {
        if (nb_key_filter_is_open(s->probes[i].filter)) {
            return true;
        }
    }
    return false;
}

/* The rows of the next window, where a row group has too many to be loaded at once. One that has none that are wanted needs no windows. */
static nb_status
next_window(const nb_pq_source *s, nb_pq_local *l)
{
    int64_t all = l->n_rows, most = waits_for_bound(s) ? NB_PQ_FIRST_WINDOW : NB_PQ_WINDOW;
    uint32_t *rows;

    if (l->window == 0 && all <= most) {
        return NB_OK;
    }
    if (nb_pq_is_out_of_range(s, l)) {
        l->n_rows = l->window = 0;
        return NB_OK;
    }
    l->n_rows = NB_MIN(all - l->window, most);
    rows = NB_ARENA_ARRAY(l->arena, uint32_t, l->n_rows + 8);
    if (!rows) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < l->n_rows; i++) {
        rows[i] = (uint32_t)(l->window + i);
    }
    l->rows = rows;
    l->window = l->window + l->n_rows < all ? l->window + l->n_rows : 0;
    return NB_OK;
}

static int64_t
rows_of(const nb_pq_source *s, int64_t group)
{
    const nb_pq_relation *p = s->file.rel->payload;

    return p->metas[s->groups[group].file]->groups[s->groups[group].group].n_rows;
}

static nb_status
begin_group(nb_pq_source *s, nb_pq_local *l, int64_t group)
{
    int64_t n_left = rows_of(s, group) - l->window;

    nb_arena_reset(l->arena);
    memset(l->slots, 0, sizeof(nb_pq_slot_state) * (size_t)s->n_slots);
    l->group = group;
    l->at = 0;
    l->rows = NULL;
    l->n_rows = rows_of(s, group);
    NB_TRY(next_window(s, l));
    atomic_fetch_add_explicit(&s->file.base.rows_read, l->n_rows > 0 ? l->n_rows : n_left,
                              memory_order_relaxed);
    return NB_OK;
}

/* Are row groups taken in an order of their own? Not where a thread is to have those of a partition. */
static bool
is_reordered(const nb_pq_source *s)
{
    return s->visit != NULL && !s->file.base.whole_partitions;
}

/* What a row group costs while it is in hand, about: its stored bytes, decompressed, and as vectors. */
static size_t
group_bytes(const nb_pq_source *s, int64_t group)
{
    const nb_pq_relation *p = s->file.rel->payload;
    const nb_pq_group_ref *ref = &s->groups[group];
    size_t stored = 0;

    for (int i = 0; i < s->n_slots; i++) {
        int at = s->slots[i].source < 0 ? -1 : s->file_columns[ref->file][i];
        stored += at < 0 ? 0 : (size_t)p->metas[ref->file]->groups[ref->group].chunks[at].n_bytes;
    }
    return stored > SIZE_MAX / GROUP_FACTOR ? SIZE_MAX : GROUP_FACTOR * stored;
}

/* Would a second row group in every thread be a small part of the memory that is left? */
static bool
has_room_for(const nb_pq_source *s, const nb_pq_local *l, int64_t group)
{
    size_t threads = (size_t)NB_MAX(atomic_load(&s->n_locals), 1);

    return nb_pool_available(l->pool) / PARTNER_SHARE / threads >= group_bytes(s, group);
}

/* Takes a second row group while there is enough left for all threads; one that comes by windows comes alone. */
static nb_status
begin_partner(nb_pq_source *s, nb_pq_local *l)
{
    int64_t next = l->group + 1, spare = 2 * (int64_t)atomic_load(&s->n_locals) - 1;
    nb_status st = NB_OK;
    bool own = l->run.at < l->run.end; /* the next one is this thread's already */

    l->has_parked =
        (own || (!s->file.base.whole_partitions && s->file.base.n_morsels - next >= spare)) &&
        l->rows == NULL && !is_reordered(s) && !waits_for_bound(s) && has_room_for(s, l, next) &&
        s->groups[next].file == s->groups[l->group].file && rows_of(s, l->group) <= NB_PQ_WINDOW &&
        rows_of(s, next) <= NB_PQ_WINDOW;
    if (l->has_parked && own) {
        l->run.at++;
    } else if (l->has_parked) {
        l->has_parked =
            atomic_compare_exchange_strong(&s->file.base.next_morsel, &(long long){next}, next + 1);
    }
    if (l->has_parked) {
        nb_pq_swap(l);
        st = begin_group(s, l, next);
        nb_pq_swap(l);
    }
    return st;
}

static nb_status
load_columns(nb_pq_source *s, nb_pq_local *l, nb_error *err)
{
    for (int j = 0; j < s->n_columns && l->n_rows > 0; j++) {
        int slot = s->out_slots[j];
        if (slot >= 0) {
            NB_TRY(nb_pq_slot_load(s, l, slot, err));
        }
    }
    return NB_OK;
}

static nb_status
next(nb_source *src, void *local, nb_arena *scratch, nb_batch *out, nb_error *err)
{
    nb_pq_source *s = (nb_pq_source *)src;
    nb_pq_local *l = local;
    nb_status st;
    int64_t n;

    while (l->at >= l->n_rows) {
        st = NB_OK;
        if (nb_cancelled(s->file.base.cancel)) {
            return NB_CANCELLED;
        }
        if (l->has_parked) {
            nb_pq_swap(l);
            l->has_parked = false;
        } else {
            int64_t group = l->window ? l->group : nb_source_claim(src, &l->run);
            if (group < 0) {
                return NB_DONE;
            }
            group = is_reordered(s) && !l->window ? s->visit[group] : group;
            st = begin_group(s, l, group);
            st = st < 0 ? st : begin_partner(s, l);
            st = st < 0 ? st : nb_pq_choose(s, l, err);
            st = st < 0 ? st : prepare(s, l, err);
        }
        st = st < 0 ? st : load_columns(s, l, err);
        if (nb_relation_skips(s->file.rel, st, err)) {
            l->n_rows = l->at = 0;
        } else {
            NB_TRY(st);
        }
    }
    n = NB_MIN(l->n_rows - l->at, NB_BATCH_ROWS);
    NB_TRY(nb_batch_init(scratch, s->n_columns, n, out));
    for (int j = 0; j < s->n_columns; j++) {
        if (s->out_slots[j] < 0) {
            NB_TRY(nb_vector_const_null(scratch, s->file.base.schema->children[j].type, n,
                                        &out->cols[j]));
        } else {
            NB_TRY(nb_vector_slice(scratch, &l->slots[s->out_slots[j]].values, l->at, n,
                                   &out->cols[j]));
        }
    }
    out->order = (uint64_t)l->group;
    out->partition = s->groups[l->group].partition;
    l->at += n;
    return NB_OK;
}

static int32_t
partition_of(const nb_source *src, int64_t group)
{
    return ((const nb_pq_source *)src)->groups[group].partition;
}

static const nb_source_ops PARQUET_SOURCE = {.name = "parquet",
                                             .open_local = open_local,
                                             .next = next,
                                             .close_local = close_local,
                                             .free = nb_file_source_free,
                                             .ranges = nb_pq_ranges};

static bool
is_splittable(const nb_relation *rel, int file)
{
    (void)rel;
    (void)file;
    return true;
}

static int64_t
stored_bytes(const nb_pq_meta *m, int group)
{
    int64_t bytes = 0;

    for (int c = 0; c < m->n_columns; c++) {
        bytes += m->groups[group].chunks[c].n_bytes;
    }
    return bytes;
}

/* Leaves the row groups that this task reads: in order, and about as many bytes as all others do. */
static void
take_share(nb_pq_source *s)
{
    const nb_pq_relation *p = s->file.rel->payload;
    const nb_scan_share *share = &s->file.rel->share;
    int64_t total = 0, before = 0, n = 0;

    if (share->n <= 0 || share->whole_partitions) {
        return;
    }
    for (int64_t g = 0; g < s->file.base.n_morsels; g++) {
        total += stored_bytes(p->metas[s->groups[g].file], s->groups[g].group);
    }
    for (int64_t g = 0; g < s->file.base.n_morsels; g++) {
        int64_t bytes = stored_bytes(p->metas[s->groups[g].file], s->groups[g].group);
        double middle = ((double)before + (double)bytes / 2) / (double)NB_MAX(total, 1);

        before += bytes;
        if (NB_MIN((int)(middle * share->n), share->n - 1) == share->index) {
            s->groups[n++] = s->groups[g];
        }
    }
    s->file.base.n_morsels = n;
}

/* Row groups in the order of their splits. */
static nb_status
list_groups(nb_pq_source *s, const nb_file_split *splits, int64_t n_splits)
{
    const nb_pq_relation *p = s->file.rel->payload;
    int64_t total = 0;

    for (int f = 0; f < s->file.rel->files.n_files; f++) {
        total += p->metas[f]->n_groups;
    }
    s->groups = NB_ARENA_ARRAY(s->file.arena, nb_pq_group_ref, total + 1);
    if (!s->groups) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n_splits; i++) {
        const nb_pq_meta *m = p->metas[splits[i].file];
        int64_t first_row = 0;
        for (int g = 0; g < m->n_groups; g++) {
            /* by the middle, as parquet-mr does, so that a group's bytes lie mostly in its split */
            int64_t middle = m->groups[g].offset + stored_bytes(m, g) / 2;
            if (middle >= splits[i].from && middle < splits[i].to &&
                s->file.base.n_morsels < total) {
                s->groups[s->file.base.n_morsels++] = (nb_pq_group_ref){
                    splits[i].file, g, splits[i].partition, first_row, &splits[i]};
            }
            first_row += m->groups[g].n_rows;
        }
    }
    take_share(s);
    return NB_OK;
}

/* Where a slot's column is in a file: by name. */
static nb_status
map_column(nb_pq_source *s, int file, int slot, nb_error *err)
{
    const nb_pq_relation *p = s->file.rel->payload;
    const nb_pq_meta *m = p->metas[file];
    const nb_type *want = s->slots[slot].type;
    const char *path = s->file.rel->files.files[file].url.data;
    const nb_pq_node *node;
    int at;

    s->file_columns[file][slot] = -1;
    s->file_nested[file][slot] = NULL;
    if (s->slots[slot].source < 0) {
        return NB_OK;
    }
    at = nb_pq_find_node(m->fields, m->n_fields,
                         s->file.rel->data_schema->children[s->slots[slot].source].name);
    if (at < 0) {
        return NB_OK;
    }
    node = &m->fields[at];
    if (!nb_pq_node_is_flat(node)) {
        return nb_pq_nested_plan(s->file.arena, m, node, want, path, &s->file_nested[file][slot],
                                 err);
    }
    s->file_columns[file][slot] = node->leaf;
    if (node->type && node->type != want && !nb_pq_can_convert(&m->columns[node->leaf], want)) {
        return nb_pq_type_mismatch(s->file.arena, path, node->name,
                                   m->columns[node->leaf].described, want, err);
    }
    return NB_OK;
}

static nb_status
map_columns(nb_pq_source *s, nb_error *err)
{
    int n_files = s->file.rel->files.n_files;

    s->file_columns = NB_ARENA_ARRAY(s->file.arena, int *, n_files + 1);
    s->file_nested = NB_ARENA_ARRAY(s->file.arena, nb_pq_nested **, n_files + 1);
    if (!s->file_columns || !s->file_nested) {
        return NB_NOMEM;
    }
    for (int f = 0; f < n_files; f++) {
        s->file_columns[f] = NB_ARENA_ARRAY(s->file.arena, int, s->n_slots + 1);
        s->file_nested[f] = NB_ARENA_ARRAY(s->file.arena, nb_pq_nested *, s->n_slots + 1);
        if (!s->file_columns[f] || !s->file_nested[f]) {
            return NB_NOMEM;
        }
        for (int j = 0; j < s->n_slots; j++) {
            NB_TRY(map_column(s, f, j, err));
        }
    }
    return NB_OK;
}

/* What is asked for, and whether anybody will look at it. */
static nb_status
plan_columns(nb_pq_source *s, const nb_scan_request *request, nb_error *err)
{
    bool all_applied = request->n_filters > 0 && request->applied;

    s->slots = NB_ARENA_ARRAY(s->file.arena, nb_pq_slot, s->file.rel->columns->n_children + 1);
    s->out_slots = NB_ARENA_ARRAY(s->file.arena, int, request->n_columns + 1);
    if (!s->slots || !s->out_slots) {
        return NB_NOMEM;
    }
    NB_TRY(nb_pq_choose_plan(s, request));
    for (int i = 0; i < request->n_filters && all_applied; i++) {
        all_applied = request->applied[i];
    }
    for (int j = 0; j < request->n_columns; j++) {
        s->out_slots[j] = -1;
        if (!(all_applied && request->unread && request->unread[j])) {
            s->out_slots[j] = nb_pq_slot_of(s, request->columns[j]);
        }
    }
    return map_columns(s, err);
}

nb_status
nb_pq_scan(nb_relation *rel, nb_pool *pool, const nb_scan_request *request, nb_source **out,
           nb_error *err)
{
    nb_scan_request asked = *request;
    nb_file_source *made;
    nb_pq_source *s;
    nb_field *fields;
    nb_file_split *splits;
    int64_t n_splits;
    nb_status st = NB_NOMEM;

    if (!nb_config_bool(request->info ? request->info->config : NULL,
                        NB_CONF_PARQUET_FILTER_PUSHDOWN)) {
        asked.n_filters = 0;
    }
    NB_TRY(nb_file_source_new(rel, pool, request, &PARQUET_SOURCE, sizeof(*s), &made));
    s = (nb_pq_source *)made;
    fields = NB_ARENA_ARRAY(made->arena, nb_field, request->n_columns + 1);
    if (fields) {
        made->base.partition_of = partition_of;
        s->info = request->info;
        s->n_columns = request->n_columns;
        for (int j = 0; j < request->n_columns; j++) {
            fields[j] = rel->columns->children[request->columns[j]];
        }
        made->base.schema = nb_type_struct(fields, request->n_columns);
        st = made->base.schema ? nb_relation_splits(rel, made->arena, request->info,
                                                    request->n_threads, is_splittable, INT64_MAX,
                                                    &splits, &n_splits, &made->base.n_partitions)
                               : NB_NOMEM;
    }
    if (st >= 0) {
        st = list_groups(s, splits, n_splits);
    }
    if (st >= 0) {
        st = plan_columns(s, &asked, err);
        st = st < 0 ? st : nb_pq_order_groups(s);
    }
    if (st < 0) {
        nb_file_source_free(&made->base);
        return st;
    }
    for (int64_t g = 0; g < made->base.n_morsels; g++) {
        made->base.thread_bytes = NB_MAX(made->base.thread_bytes, group_bytes(s, g));
    }
    *out = &made->base;
    return NB_OK;
}
