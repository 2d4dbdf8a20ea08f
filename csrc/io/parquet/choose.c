/* SPDX-License-Identifier: Apache-2.0 */
/*
 * choose.c: which rows of a row group are wanted.
 *
 * 1. A filter or probe whose range does not meet the footer's range of the column drops the row group unread; so does a bloom filter that does not have the
 *    value asked for. A page index leaves the rows of pages that may have some (choose_index.c).
 * 2. Filters of one coded column, and probes, are asked once per entry of the dictionary; rows are chosen by their codes. Page by page, and
 *    only pages where a row is left.
 * 3. What is left (several columns, values without a dictionary) is evaluated over the values of the rows chosen so far.
 *
 * Only filters that cannot fail are applied here: others may be guarded by conditions that the plan checks first.
 */
#include "io/parquet/scan_internal.h"

#include "expr/registry.h"

/* ---- plan ------------------------------------------------------------------------------------ */

typedef struct column_list {
    nb_pq_source *s;
    int *slots, n, cap;
    bool fits;
} column_list;

static bool
add_column(nb_expr *e, void *payload)
{
    column_list *c = payload;
    int slot;

    if (e->kind == NB_EXPR_LAMBDA) {
        c->fits = false; /* its parameters are columns, but not ours */
    }
    if (e->kind != NB_EXPR_COLUMN || !c->fits) {
        return c->fits;
    }
    slot = nb_pq_slot_of(c->s, e->u.column.ordinal);
    for (int i = 0; i < c->n; i++) {
        if (c->slots[i] == slot) {
            return true;
        }
    }
    if (slot < 0 || c->n == c->cap || c->s->slots[slot].source < 0) {
        return c->fits = false;
    }
    c->slots[c->n++] = slot;
    return true;
}

/* column < constant and the like, of columns whose chunks' ranges are in the same unit. */
static void
find_range(nb_pq_filter *f)
{
    static const char *const names[5] = {"<", "<=", ">", ">=", "="};
    const nb_expr *e = f->e, *column, *literal;
    int64_t v;
    bool flip, less, greater;

    f->low = INT64_MIN;
    f->high = INT64_MAX;
    if (e->kind != NB_EXPR_CALL || e->n_args != 2) {
        return;
    }
    flip = e->args[0]->kind == NB_EXPR_LITERAL;
    column = e->args[flip];
    literal = e->args[!flip];
    if (column->kind != NB_EXPR_COLUMN || literal->kind != NB_EXPR_LITERAL ||
        column->type != literal->type || nb_vector_is_null(literal->u.literal.value, 0)) {
        return;
    }
    switch (column->type->phys) {
    case NB_PHYS_INT32: v = NB_DATA(int32_t, literal->u.literal.value)[0]; break;
    case NB_PHYS_INT64: v = NB_DATA(int64_t, literal->u.literal.value)[0]; break;
    default: return;
    }
    for (int k = 0; k < 5; k++) {
        if (e->u.call.fn == nb_function_find(nb_str_of(names[k]))) {
            less = k == 4 || (k < 2) != flip;
            greater = k == 4 || (k < 2) == flip;
            f->has_range = true;
            f->high = less ? v : f->high;
            f->low = greater ? v : f->low;
        }
    }
}

nb_status
nb_pq_choose_plan(nb_pq_source *s, const nb_scan_request *request)
{
    int n = request->n_filters;

    s->filters = nb_arena_zalloc(s->file.arena, sizeof(nb_pq_filter) * (size_t)(n + 1));
    s->exprs = NB_ARENA_ARRAY(s->file.arena, nb_expr *, n + 1);
    s->probes = NB_ARENA_ARRAY(s->file.arena, nb_pq_probe, request->n_probes + 1);
    if (!s->filters || !s->exprs || !s->probes) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        nb_pq_filter *f = &s->filters[s->n_filters];
        column_list c = {.s = s, .cap = s->file.rel->columns->n_children, .fits = true};
        nb_expr *e = request->filters[i];
        if (request->applied) {
            request->applied[i] = false;
        }
        c.slots = NB_ARENA_ARRAY(s->file.arena, int, c.cap + 1);
        if (!c.slots) {
            return NB_NOMEM;
        }
        if (!request->applied || !e->deterministic || e->can_fail) {
            continue;
        }
        nb_expr_visit(e, add_column, &c);
        if (!c.fits || c.n == 0) {
            continue;
        }
        *f = (nb_pq_filter){
            .e = e, .slot = c.n == 1 ? c.slots[0] : -1, .slots = c.slots, .n_slots = c.n};
        find_range(f);
        f->test = f->slot >= 0 ? nb_pq_test_of(e) : (nb_pq_test){.kind = NB_PQ_NO_TEST};
        request->applied[i] = true;
        s->exprs[s->n_filters++] = e;
    }
    for (int i = 0; i < request->n_probes; i++) {
        int slot = nb_pq_slot_of(s, request->probes[i].column);
        if (slot < 0) {
            return NB_NOMEM;
        }
        if (s->slots[slot].source >= 0) {
            s->probes[s->n_probes++] = (nb_pq_probe){slot, request->probes[i].filter};
        }
    }
    return NB_OK;
}

/* ---- one row group --------------------------------------------------------------------------- */

/* Is the slot's column in this file, of the very type of the schema, and as it stands there? */
static bool
has_own_type(const nb_pq_source *s, const nb_pq_local *l, int slot)
{
    const nb_pq_group_ref *ref = &s->groups[l->group];
    const nb_pq_relation *p = s->file.rel->payload;
    int at = s->file_columns[ref->file][slot];

    return at >= 0 && p->metas[ref->file]->columns[at].type == s->slots[slot].type &&
           !p->metas[ref->file]->columns[at].is_legacy;
}

const nb_pq_chunk *
nb_pq_own_chunk(const nb_pq_source *s, const nb_pq_local *l, int slot, const nb_pq_column **column)
{
    const nb_pq_group_ref *ref = &s->groups[l->group];
    const nb_pq_relation *p = s->file.rel->payload;
    const nb_pq_meta *m = p->metas[ref->file];
    int at = s->file_columns[ref->file][slot];

    if (!has_own_type(s, l, slot)) {
        return NULL;
    }
    *column = &m->columns[at];
    return &m->groups[ref->group].chunks[at];
}

/* The same, whose range is in our unit. */
static const nb_pq_chunk *
chunk_of(const nb_pq_source *s, const nb_pq_local *l, int slot)
{
    const nb_pq_column *column;
    const nb_pq_chunk *k = nb_pq_own_chunk(s, l, slot, &column);

    return k && column->unit_per_us == 1 ? k : NULL;
}

bool
nb_pq_is_out_of_range(const nb_pq_source *s, const nb_pq_local *l)
{
    for (int i = 0; i < s->n_filters; i++) {
        const nb_pq_filter *f = &s->filters[i];
        const nb_pq_column *column;
        const nb_pq_chunk *k = f->has_range ? chunk_of(s, l, f->slot) : NULL;
        if (k && k->has_range && (k->low > f->high || k->high < f->low)) {
            return true;
        }
        k = f->test.kind ? nb_pq_own_chunk(s, l, f->slot, &column) : NULL;
        if (k && nb_pq_test_excludes(&f->test, column, k->low_bytes, k->high_bytes)) {
            return true;
        }
    }
    for (int i = 0; i < s->n_probes; i++) {
        const nb_pq_chunk *k = chunk_of(s, l, s->probes[i].slot);
        int64_t low, high;
        if (!nb_key_filter_range(s->probes[i].filter, &low, &high) ||
            (k && k->has_range && (k->low > high || k->high < low) &&
             (k->n_nulls == 0 || !nb_key_filter_keeps_nulls(s->probes[i].filter)))) {
            return true; /* no keys at all, or none here */
        }
    }
    return false;
}

/* Evaluates filter i over rows [from, from + n) of the vectors of its columns: *kept of keep[]. */
static nb_status
evaluate(nb_pq_source *s, nb_pq_local *l, int i, const nb_vector *const *columns, int64_t from,
         int64_t n, const uint32_t **keep, int64_t *n_keep, nb_error *err)
{
    const nb_pq_filter *f = &s->filters[i];
    nb_batch batch;

    nb_arena_reset(l->scratch);
    NB_TRY(nb_batch_init(l->scratch, s->file.rel->columns->n_children, n, &batch));
    for (int k = 0; k < f->n_slots; k++) {
        NB_TRY(nb_vector_slice(l->scratch, columns[k], from, n,
                               &batch.cols[s->slots[f->slots[k]].column]));
    }
    return nb_eval_filter(l->eval, i, &batch, keep, n_keep, err);
}

/* keep[entry] &= the filter. */
static nb_status
ask_entries(nb_pq_source *s, nb_pq_local *l, int i, const nb_vector *dict, uint8_t *keep,
            nb_error *err)
{
    for (int64_t at = 0; at < dict->n_rows; at += NB_BATCH_ROWS) {
        int64_t n = NB_MIN(dict->n_rows - at, NB_BATCH_ROWS), n_passed;
        uint8_t passes[NB_BATCH_ROWS] = {0};
        const uint32_t *passed;
        NB_TRY(evaluate(s, l, i, &dict, at, n, &passed, &n_passed, err));
        for (int64_t k = 0; k < n_passed; k++) {
            passes[passed[k]] = 1;
        }
        for (int64_t k = 0; k < n; k++) {
            keep[at + k] &= passes[k];
        }
    }
    return NB_OK;
}

/* Is asking the probe of no use now: it lets nearly everything pass, nobody knows a bound yet, or it would have to be told nulls from values?
 * Which of these holds may change at any time, as other threads learn. */
static bool
is_tired(const nb_pq_source *s, const nb_pq_local *l, int probe)
{
    const nb_key_filter *f = s->probes[probe].filter;
    const nb_pq_column *column;
    const nb_pq_chunk *k;

    if (l->probe_seen[probe] > 100000 &&
        (double)l->probe_kept[probe] > NB_PQ_PROBE_MOST * (double)l->probe_seen[probe]) {
        return true;
    }
    if (nb_key_filter_is_open(f)) {
        return true;
    }
    k = nb_key_filter_keeps_nulls(f) ? nb_pq_own_chunk(s, l, s->probes[probe].slot, &column) : NULL;
    return nb_key_filter_keeps_nulls(f) && (k == NULL || k->n_nulls != 0);
}

/* Counts what a probe lets pass, so that a useless one is given up. */
static void
ask_probe(nb_pq_source *s, nb_pq_local *l, int i, const nb_vector *v, int64_t n, uint8_t *keep)
{
    int64_t before = 0, after = 0;

    for (int64_t k = 0; k < n; k++) {
        before += keep[k];
    }
    nb_key_filter_test(s->probes[i].filter, v, n, keep);
    for (int64_t k = 0; k < n; k++) {
        after += keep[k];
    }
    l->probe_seen[i] += before;
    l->probe_kept[i] += after;
}

/* The slot's reader in the current row group if its dictionary is to be asked; else NULL. */
static nb_status
reader_to_ask(nb_pq_source *s, nb_pq_local *l, int slot, nb_pq_reader **out, nb_error *err)
{
    *out = NULL;
    if (l->n_rows > 0) {
        NB_TRY(nb_pq_slot_reader(s, l, slot, out, err));
    }
    if (*out && (!nb_pq_reader_is_coded(*out) || nb_pq_reader_entries(*out) > l->n_rows ||
                 !has_own_type(s, l, slot))) {
        *out = NULL;
    }
    return NB_OK;
}

/* All that can be asked by entries of the slot's dictionary. */
static nb_status
choose_by_codes(nb_pq_source *s, nb_pq_local *l, int slot, nb_error *err)
{
    nb_pq_reader *r;
    const nb_vector *dict = NULL;
    uint8_t *keep = NULL;
    int64_t n;

    NB_TRY(reader_to_ask(s, l, slot, &r, err));
    if (!r) {
        return NB_OK;
    }
    for (int i = 0; i < s->n_filters + s->n_probes; i++) {
        bool is_filter = i < s->n_filters;
        int probe = i - s->n_filters;
        if ((is_filter ? s->filters[i].slot : s->probes[probe].slot) != slot ||
            (!is_filter && is_tired(s, l, probe))) {
            continue;
        }
        if (!keep) {
            NB_TRY(nb_pq_reader_dictionary(r, &dict, err));
            keep = nb_arena_alloc(l->arena, (size_t)dict->n_rows + 1);
            if (!keep) {
                return NB_NOMEM;
            }
            memset(keep, 1, (size_t)dict->n_rows + 1);
        }
        if (is_filter) {
            NB_TRY(ask_entries(s, l, i, dict, keep, err));
            l->filters_done[i] = true;
        } else {
            ask_probe(s, l, probe, dict, dict->n_rows, keep);
            l->probes_done[probe] = true;
        }
    }
    if (!keep || !memchr(keep, 0, (size_t)dict->n_rows)) {
        return NB_OK; /* every row passes */
    }
    if (!memchr(keep, 1, (size_t)dict->n_rows)) {
        l->n_rows = 0;
        return NB_OK;
    }
    NB_TRY(nb_pq_reader_select(r, keep, l->rows, l->n_rows, l->room, &n, err));
    if (n < l->n_rows) {
        l->rows = l->room;
        l->n_rows = n;
    }
    return NB_OK;
}

/* Only positions kept[0..n) of the chosen rows stay; loaded values follow. */
static nb_status
narrow(nb_pq_source *s, nb_pq_local *l, const uint32_t *kept, int64_t n)
{
    uint32_t *room = l->room;

    if (n == l->n_rows) {
        return NB_OK;
    }
    for (int64_t k = 0; k < n; k++) { /* ascending: in place is fine */
        room[k] = l->rows ? l->rows[kept[k]] : kept[k];
    }
    l->rows = room;
    l->n_rows = n;
    for (int i = 0; i < s->n_slots; i++) {
        nb_pq_slot_state *state = &l->slots[i];
        if (state->loaded) {
            nb_vector made;
            NB_TRY(nb_vector_gather(l->arena, &state->values, kept, n, &made));
            state->values = made;
        }
    }
    return NB_OK;
}

static nb_status
choose_by_values(nb_pq_source *s, nb_pq_local *l, int filter, nb_error *err)
{
    uint32_t *kept = l->kept;
    const nb_pq_filter *f = &s->filters[filter];
    const nb_vector **columns = NB_ARENA_ARRAY(l->arena, const nb_vector *, f->n_slots + 1);
    int64_t n_kept = 0;

    if (!columns) {
        return NB_NOMEM;
    }
    for (int k = 0; k < f->n_slots; k++) {
        NB_TRY(nb_pq_slot_load(s, l, f->slots[k], err));
        columns[k] = &l->slots[f->slots[k]].values;
    }
    for (int64_t at = 0; at < l->n_rows; at += NB_BATCH_ROWS) {
        int64_t n = NB_MIN(l->n_rows - at, NB_BATCH_ROWS), m;
        const uint32_t *keep;
        NB_TRY(evaluate(s, l, filter, columns, at, n, &keep, &m, err));
        for (int64_t k = 0; k < m; k++) {
            kept[n_kept++] = (uint32_t)at + keep[k];
        }
    }
    return narrow(s, l, kept, n_kept);
}

static nb_status
probe_by_values(nb_pq_source *s, nb_pq_local *l, int probe, nb_error *err)
{
    uint32_t *kept = l->kept;
    int slot = s->probes[probe].slot;
    int64_t n_kept = 0;
    nb_vector flat;
    uint8_t *keep;

    NB_TRY(nb_pq_slot_load(s, l, slot, err));
    NB_TRY(nb_vector_flatten(l->arena, &l->slots[slot].values, &flat));
    keep = nb_arena_alloc(l->arena, (size_t)l->n_rows + 1);
    if (!keep) {
        return NB_NOMEM;
    }
    memset(keep, 1, (size_t)l->n_rows + 1);
    ask_probe(s, l, probe, &flat, l->n_rows, keep);
    for (int64_t k = 0; k < l->n_rows; k++) {
        kept[n_kept] = (uint32_t)k;
        n_kept += keep[k];
    }
    return narrow(s, l, kept, n_kept);
}

/* Does anything ask the slot's values? */
static bool
is_asked(const nb_pq_source *s, const nb_pq_local *l, int slot)
{
    for (int i = 0; i < s->n_filters; i++) {
        if (s->filters[i].slot == slot) {
            return true;
        }
    }
    for (int i = 0; i < s->n_probes; i++) {
        if (s->probes[i].slot == slot && !is_tired(s, l, i)) {
            return true;
        }
    }
    return false;
}

/* What the file says of the row group's chunks and pages, before any is read. */
static nb_status
begin(nb_pq_source *s, nb_pq_local *l, nb_error *err)
{
    bool none = nb_pq_is_out_of_range(s, l);

    if (!none) {
        NB_TRY(nb_pq_choose_by_bloom(s, l, &none, err));
    }
    if (none) {
        l->n_rows = 0;
    }
    l->filters_done = nb_arena_zalloc(l->arena, (size_t)s->n_filters + 1);
    l->probes_done = nb_arena_zalloc(l->arena, (size_t)s->n_probes + 1);
    l->room = NB_ARENA_ARRAY(l->arena, uint32_t, l->n_rows + 8);
    l->kept = NB_ARENA_ARRAY(l->arena, uint32_t, l->n_rows + 8);
    if (!l->filters_done || !l->probes_done || !l->room || !l->kept) {
        return NB_NOMEM;
    }
    return l->n_rows > 0 ? nb_pq_choose_by_pages(s, l, err) : NB_OK;
}

/* Both dictionaries of a slot at once, when both will be asked. */
static nb_status
prepare_both(nb_pq_source *s, nb_pq_local *l, int slot, nb_error *err)
{
    nb_pq_reader *readers[2];
    nb_status st;

    NB_TRY(reader_to_ask(s, l, slot, &readers[0], err));
    nb_pq_swap(l);
    st = reader_to_ask(s, l, slot, &readers[1], err);
    nb_pq_swap(l);
    NB_TRY(st);
    return readers[0] && readers[1] ? nb_pq_readers_prepare(readers, 2) : NB_OK;
}

static nb_status
choose_rest(nb_pq_source *s, nb_pq_local *l, nb_error *err)
{
    for (int i = 0; i < s->n_filters && l->n_rows > 0; i++) {
        if (!l->filters_done[i]) {
            NB_TRY(choose_by_values(s, l, i, err));
        }
    }
    for (int i = 0; i < s->n_probes && l->n_rows > 0; i++) {
        if (!l->probes_done[i] && !is_tired(s, l, i)) {
            NB_TRY(probe_by_values(s, l, i, err));
        }
    }
    return NB_OK;
}

typedef enum phase { BEGIN, BY_CODES, REST } phase;

static nb_status
run_phase(nb_pq_source *s, nb_pq_local *l, phase what, int slot, nb_error *err)
{
    switch (what) {
    case BEGIN: return begin(s, l, err);
    case BY_CODES: return choose_by_codes(s, l, slot, err);
    default: return choose_rest(s, l, err);
    }
}

/* For each row group in hand. */
static nb_status
for_each_turn(nb_pq_source *s, nb_pq_local *l, phase what, int slot, nb_error *err)
{
    nb_status st;

    NB_TRY(run_phase(s, l, what, slot, err));
    if (!l->has_parked) {
        return NB_OK;
    }
    nb_pq_swap(l);
    st = run_phase(s, l, what, slot, err);
    nb_pq_swap(l);
    return st;
}

nb_status
nb_pq_choose(nb_pq_source *s, nb_pq_local *l, nb_error *err)
{
    if (s->n_filters + s->n_probes == 0) {
        return NB_OK;
    }
    NB_TRY(for_each_turn(s, l, BEGIN, -1, err));
    for (int slot = 0; slot < s->n_slots; slot++) {
        if (is_asked(s, l, slot)) {
            if (l->has_parked) {
                NB_TRY(prepare_both(s, l, slot, err));
            }
            NB_TRY(for_each_turn(s, l, BY_CODES, slot, err));
        }
    }
    return for_each_turn(s, l, REST, -1, err);
}
