/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fragment_node_read.c: physical nodes from messages; fragment_node.c has the table of what a message has for which kind.
 *
 * Nothing is trusted: every number is within what the node's code takes, every expression has the type that it needs, and the columns of a node
 * are those that follow from its parts.
 */
#include "cluster/fragment_internal.h"

#include "base/thread.h"

#include "io/listing.h"

#define MAX_BUCKETS 65536

/* The expressions of list i over the columns of `input`; NULL input: of nothing. types: what they must have, or NULL. */
static nb_status
read_list(nb_fragment_reader *r, const Nbc__Node *m, size_t i, const nb_type *input,
          const nb_field *types, nb_expr ***out, int *n, nb_error *err)
{
    const Nbc__List *list;

    if (i >= m->n_lists) {
        return nb_fragment_bad(err, "a node has too few expressions");
    }
    list = m->lists[i];
    *out = NB_ARENA_ARRAY(r->arena, nb_expr *, list->n_exprs + 1);
    if (*out == NULL) {
        return NB_NOMEM;
    }
    for (size_t k = 0; k < list->n_exprs; k++) {
        nb_expr *e;

        NB_TRY(nb_fragment_take_expr(r, r->m->n_exprs, list->exprs[k], &e, err));
        NB_TRY(nb_fragment_check_columns(e, input, err));
        if (types != NULL && !nb_type_same_ignoring_null(e->type, types[k].type)) {
            return nb_fragment_bad(err, "a column of a node has another type");
        }
        (*out)[k] = e;
    }
    *n = (int)list->n_exprs;
    return NB_OK;
}

static nb_status
scalars_only(nb_expr *const *exprs, int n, nb_error *err)
{
    for (int i = 0; i < n; i++) {
        if (exprs[i]->kind == NB_EXPR_AGG || exprs[i]->kind == NB_EXPR_WINDOW ||
            exprs[i]->kind == NB_EXPR_LAMBDA) {
            return nb_fragment_bad(err, "an aggregate stands where a value is wanted");
        }
    }
    return NB_OK;
}

static nb_status
read_values(nb_fragment_reader *r, const Nbc__Node *m, size_t i, const nb_type *input,
            nb_expr ***out, int *n, nb_error *err)
{
    NB_TRY(read_list(r, m, i, input, NULL, out, n, err));
    return scalars_only(*out, *n, err);
}

/* One value per column of the schema. */
static nb_status
read_columns(nb_fragment_reader *r, const Nbc__Node *m, size_t i, const nb_type *input,
             const nb_type *schema, nb_expr ***out, nb_error *err)
{
    int n;

    if (i >= m->n_lists || m->lists[i]->n_exprs != (size_t)schema->n_children) {
        return nb_fragment_bad(err, "a node has other columns than expressions");
    }
    NB_TRY(read_list(r, m, i, input, schema->children, out, &n, err));
    return scalars_only(*out, n, err);
}

static nb_status
read_keys(nb_fragment_reader *r, const Nbc__Node *m, const nb_type *input, nb_sort_key **out,
          int *n, nb_error *err)
{
    *out = NB_ARENA_ARRAY(r->arena, nb_sort_key, m->n_keys + 1);
    if (*out == NULL) {
        return NB_NOMEM;
    }
    for (size_t k = 0; k < m->n_keys; k++) {
        nb_expr *e;

        NB_TRY(nb_fragment_take_expr(r, r->m->n_exprs, m->keys[k]->expr, &e, err));
        NB_TRY(nb_fragment_check_columns(e, input, err));
        NB_TRY(scalars_only(&e, 1, err));
        (*out)[k] = (nb_sort_key){e, m->keys[k]->descending, m->keys[k]->nulls_last};
    }
    *n = (int)m->n_keys;
    return NB_OK;
}

/* Columns [from, …) of a schema are those of `part`. */
static bool
has_columns(const nb_type *schema, int from, const nb_type *part)
{
    if (schema->n_children - from < part->n_children) {
        return false;
    }
    for (int i = 0; i < part->n_children; i++) {
        if (!nb_type_same_ignoring_null(schema->children[from + i].type, part->children[i].type)) {
            return false;
        }
    }
    return true;
}

static bool
same_columns(const nb_type *schema, const nb_type *part)
{
    return schema->n_children == part->n_children && has_columns(schema, 0, part);
}

/* numbers[from …): positions among n columns. */
static nb_status
read_positions(nb_fragment_reader *r, const Nbc__Node *m, size_t from, int n, int **out, int *n_out,
               nb_error *err)
{
    *n_out = (int)(m->n_numbers - from);
    *out = NB_ARENA_ARRAY(r->arena, int, *n_out + 1);
    if (*out == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < *n_out; i++) {
        if (m->numbers[from + (size_t)i] < 0 || m->numbers[from + (size_t)i] >= n) {
            return nb_fragment_bad(err, "a column is out of range");
        }
        (*out)[i] = (int)m->numbers[from + (size_t)i];
    }
    return NB_OK;
}

static nb_status
read_pairs(nb_arena *arena, Nbc__Pair *const *pairs, size_t n, nb_option **out, int *n_out)
{
    *out = NB_ARENA_ARRAY(arena, nb_option, n + 1);
    if (*out == NULL) {
        return NB_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        nb_str value = nb_wire_str(pairs[i]->has_value, pairs[i]->value);

        (*out)[i].key = nb_arena_str(arena, nb_wire_text(pairs[i]->key));
        (*out)[i].value = value.data ? nb_arena_str(arena, value) : value;
    }
    *n_out = (int)n;
    return NB_OK;
}

static bool
is_plain_path(nb_str s)
{
    return s.len > 0 && s.data[0] == '/' && memchr(s.data, 0, s.len) == NULL;
}

static nb_status
read_relation(nb_fragment_reader *r, const Nbc__Relation *m, nb_relation **out, nb_error *err)
{
    nb_file_list files = {0};
    nb_relation_parts parts = {.files = &files, .given = m->given};
    nb_option *options;

    parts.format = nb_wire_text(m->format);
    NB_TRY(read_pairs(r->arena, m->options, m->n_options, &options, &parts.n_options));
    parts.options = options;
    NB_TRY(nb_fragment_type_at(r, m->data_schema, &parts.data_schema, err));
    NB_TRY(nb_fragment_type_at(r, m->schema, &parts.schema, err));
    NB_TRY(nb_fragment_type_at(r, m->metadata, &parts.metadata, err));
    if (parts.data_schema->id != NB_TYPE_STRUCT || parts.schema->id != NB_TYPE_STRUCT) {
        return nb_fragment_bad(err, "a relation has no columns");
    }
    files.n_partition = (int)m->n_partition_names;
    files.files = NB_ARENA_ARRAY(r->arena, nb_file_entry, m->n_files + 1);
    files.partition_names = NB_ARENA_ARRAY(r->arena, nb_str, m->n_partition_names + 1);
    if (files.files == NULL || files.partition_names == NULL) {
        return NB_NOMEM;
    }
    for (size_t k = 0; k < m->n_partition_names; k++) {
        files.partition_names[k] = nb_wire_text(m->partition_names[k]);
    }
    for (size_t i = 0; i < m->n_files; i++) {
        const Nbc__File *f = m->files[i];
        nb_file_entry *entry = &files.files[files.n_files++];

        *entry = (nb_file_entry){.path = nb_wire_text(f->path),
                                 .url = nb_wire_text(f->url),
                                 .n_bytes = f->n_bytes,
                                 .modified_ms = f->modified_ms};
        if (!is_plain_path(entry->path) || f->n_bytes < 0 || f->n_bytes > INT64_MAX / 1024 ||
            f->n_partition != m->n_partition_names) {
            return nb_fragment_bad(err, "a file of a relation is malformed");
        }
        entry->partition = NB_ARENA_ARRAY(r->arena, nb_str, f->n_partition + 1);
        if (entry->partition == NULL) {
            return NB_NOMEM;
        }
        for (size_t k = 0; k < f->n_partition; k++) {
            entry->partition[k] = nb_wire_str(f->partition[k]->has_value, f->partition[k]->value);
        }
    }
    return nb_relation_restore(r->pool, &parts, &r->out->info, out, err);
}

static nb_status
read_scan(nb_fragment_reader *r, const Nbc__Node *m, nb_node *n, nb_error *err)
{
    const nb_type *schema;
    int n_columns;

    if (m->relation == NULL || m->n_numbers < 1) {
        return nb_fragment_bad(err, "a scan has no relation");
    }
    NB_TRY(read_relation(r, m->relation, &n->u.scan.relation, err));
    r->out->relations[r->out->n_relations++] = n->u.scan.relation;
    schema = nb_relation_columns(n->u.scan.relation);
    n->u.scan.limit = m->numbers[0];
    NB_TRY(read_positions(r, m, 1, schema->n_children, &n->u.scan.columns, &n_columns, err));
    if (n_columns != n->schema->n_children) {
        return nb_fragment_bad(err, "a scan has other columns");
    }
    for (int i = 0; i < n_columns; i++) {
        if (!nb_type_same_ignoring_null(schema->children[n->u.scan.columns[i]].type,
                                        n->schema->children[i].type)) {
            return nb_fragment_bad(err, "a column of a scan has another type");
        }
    }
    return read_values(r, m, 0, schema, &n->u.scan.filters, &n->u.scan.n_filters, err);
}

static nb_status
read_write(nb_fragment_reader *r, const Nbc__Node *m, nb_node *n, nb_error *err)
{
    nb_write_request *rq = NB_ARENA_NEW(r->arena, nb_write_request);
    const Nbc__Write *w = m->write;
    nb_option *options;
    nb_str *names;

    if (w == NULL || w->mode > NB_SAVE_IGNORE) {
        return nb_fragment_bad(err, "a write is malformed");
    }
    names = NB_ARENA_ARRAY(r->arena, nb_str, w->n_partition_by + 1);
    if (rq == NULL || names == NULL) {
        return NB_NOMEM;
    }
    rq->format = nb_arena_str(r->arena, nb_wire_text(w->format));
    rq->path = nb_arena_str(r->arena, nb_wire_text(w->path));
    rq->mode = (nb_save_mode)w->mode;
    NB_TRY(read_pairs(r->arena, w->options, w->n_options, &options, &rq->n_options));
    rq->options = options;
    NB_TRY(nb_fragment_type_at(r, w->schema, &rq->schema, err));
    if (rq->schema->id != NB_TYPE_STRUCT || !same_columns(rq->schema, n->children[0]->schema)) {
        return nb_fragment_bad(err, "a write has other columns than its rows");
    }
    for (size_t k = 0; k < w->n_partition_by; k++) {
        names[k] = nb_arena_str(r->arena, nb_wire_text(w->partition_by[k]));
    }
    rq->partition_by = names;
    rq->n_partition_by = (int)w->n_partition_by;
    rq->info = &r->out->info;
    n->u.write.request = rq;
    return NB_OK;
}

static bool
join_has_columns(const nb_node *n)
{
    const nb_type *left = n->children[0]->schema, *right = n->children[1]->schema;
    const nb_type *s = n->schema;

    switch (n->u.join.type) {
    case NB_JOIN_SEMI:
    case NB_JOIN_ANTI: return same_columns(s, left);
    case NB_JOIN_MARK:
        return s->n_children == left->n_children + 1 && has_columns(s, 0, left) &&
               s->children[left->n_children].type->id == NB_TYPE_BOOL;
    default:
        return s->n_children == left->n_children + right->n_children && has_columns(s, 0, left) &&
               has_columns(s, left->n_children, right);
    }
}

static nb_status
read_join(nb_fragment_reader *r, const Nbc__Node *m, nb_node *n, nb_error *err)
{
    const nb_type *left = n->children[0]->schema, *right = n->children[1]->schema, *both;
    nb_field *fields = NB_ARENA_ARRAY(r->arena, nb_field, left->n_children + right->n_children + 1);
    nb_expr **residual;
    int n_right, n_residual;

    if (fields == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(read_values(r, m, 0, left, &n->u.join.left_keys, &n->u.join.n_keys, err));
    NB_TRY(read_values(r, m, 1, right, &n->u.join.right_keys, &n_right, err));
    for (int i = 0; i < left->n_children; i++) {
        fields[i] = left->children[i];
    }
    for (int i = 0; i < right->n_children; i++) {
        fields[left->n_children + i] = right->children[i];
    }
    both = nb_type_struct(fields, left->n_children + right->n_children);
    if (both == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(read_values(r, m, 2, both, &residual, &n_residual, err));
    if (n_right != n->u.join.n_keys || n_residual > 1 ||
        m->n_numbers != (size_t)(4 + n->u.join.n_keys) || m->numbers[0] < 0 ||
        m->numbers[0] > NB_JOIN_SINGLE ||
        (n_residual == 1 && residual[0]->type->id != NB_TYPE_BOOL)) {
        return nb_fragment_bad(err, "a join is malformed");
    }
    n->u.join.type = (nb_join_type)m->numbers[0];
    n->u.join.build_left = m->numbers[1] != 0;
    n->u.join.null_aware = m->numbers[2] != 0;
    n->u.join.reduces = m->numbers[3] != 0;
    n->u.join.residual = n_residual ? residual[0] : NULL;
    n->u.join.null_safe = NB_ARENA_ARRAY(r->arena, bool, n->u.join.n_keys + 1);
    if (n->u.join.null_safe == NULL) {
        return NB_NOMEM;
    }
    for (int k = 0; k < n->u.join.n_keys; k++) {
        n->u.join.null_safe[k] = m->numbers[4 + k] != 0;
        if (!nb_type_same_ignoring_null(n->u.join.left_keys[k]->type,
                                        n->u.join.right_keys[k]->type)) {
            return nb_fragment_bad(err, "the keys of a join have different types");
        }
    }
    if (n->u.join.reduces && (n->u.join.type != NB_JOIN_SEMI || n->u.join.build_left ||
                              n->u.join.null_aware || n_residual > 0 || n_right == 0)) {
        return nb_fragment_bad(err, "a join is malformed");
    }
    if ((n->u.join.null_aware && n->u.join.n_keys != 1) || !join_has_columns(n)) {
        return nb_fragment_bad(err, "a join has other columns than its sides");
    }
    return NB_OK;
}

static nb_status
read_aggregate(nb_fragment_reader *r, const Nbc__Node *m, nb_node *n, nb_error *err)
{
    const nb_type *input = n->children[0]->schema;
    const nb_field *fields = n->schema->children;

    if (m->n_lists != 3 || m->n_numbers != 2 ||
        m->lists[0]->n_exprs + m->lists[1]->n_exprs + m->lists[2]->n_exprs !=
            (size_t)n->schema->n_children) {
        return nb_fragment_bad(err, "an aggregate has other columns");
    }
    n->u.aggregate.passes = m->numbers[0] != 0;
    n->u.aggregate.rehash = m->numbers[1] != 0;
    NB_TRY(read_list(r, m, 0, input, fields, &n->u.aggregate.keys, &n->u.aggregate.n_keys, err));
    NB_TRY(scalars_only(n->u.aggregate.keys, n->u.aggregate.n_keys, err));
    fields += n->u.aggregate.n_keys;
    NB_TRY(
        read_list(r, m, 1, input, fields, &n->u.aggregate.passed, &n->u.aggregate.n_passed, err));
    NB_TRY(scalars_only(n->u.aggregate.passed, n->u.aggregate.n_passed, err));
    fields += n->u.aggregate.n_passed;
    NB_TRY(read_list(r, m, 2, input, fields, &n->u.aggregate.aggs, &n->u.aggregate.n_aggs, err));
    for (int i = 0; i < n->u.aggregate.n_aggs; i++) {
        if (n->u.aggregate.aggs[i]->kind != NB_EXPR_AGG) {
            return nb_fragment_bad(err, "an aggregate has a function that is none");
        }
    }
    return n->u.aggregate.n_passed > 0 && !n->u.aggregate.passes
               ? nb_fragment_bad(err, "an aggregate passes values that nobody wants")
               : nb_node_mark_unread(r->arena, n);
}

static bool
generate_fits(const nb_node *n)
{
    const nb_type *s = n->schema, *input = n->children[0]->schema, *list;
    int at = n->u.generate.n_keep, n_made = s->n_children - at;
    const nb_type *made;

    if (n_made < 1 || n->u.generate.n_args < 1) {
        return false;
    }
    for (int i = 0; i < at; i++) {
        if (!nb_type_same_ignoring_null(s->children[i].type,
                                        input->children[n->u.generate.keep[i]].type)) {
            return false;
        }
    }
    if (n->u.generate.kind == NB_GENERATE_STACK) {
        for (int i = 1; i < n->u.generate.n_args; i++) {
            if (!nb_type_same_ignoring_null(n->u.generate.args[i]->type,
                                            s->children[at + (i - 1) % n_made].type)) {
                return false;
            }
        }
        return true;
    }
    if (n->u.generate.kind == NB_GENERATE_POSEXPLODE &&
        s->children[at++].type->id != NB_TYPE_INT32) {
        return false;
    }
    list = n->u.generate.args[0]->type;
    if (list->id == NB_TYPE_NULL) {
        return n->u.generate.kind != NB_GENERATE_INLINE && s->n_children == at + 1 &&
               s->children[at].type->id == NB_TYPE_NULL;
    }
    if (list->phys != NB_PHYS_LIST) {
        return false;
    }
    made = n->u.generate.kind == NB_GENERATE_INLINE ? list->children[0].type : list;
    if (n->u.generate.kind == NB_GENERATE_INLINE && made->id != NB_TYPE_STRUCT) {
        return false;
    }
    return s->n_children - at == made->n_children && has_columns(s, at, made);
}

static nb_status
read_generate(nb_fragment_reader *r, const Nbc__Node *m, nb_node *n, nb_error *err)
{
    const nb_type *input = n->children[0]->schema;

    if (m->n_numbers < 2 || m->numbers[0] < 0 || m->numbers[0] > NB_GENERATE_STACK) {
        return nb_fragment_bad(err, "a generator is unknown");
    }
    n->u.generate.kind = (nb_generator_kind)m->numbers[0];
    n->u.generate.outer = m->numbers[1] != 0;
    NB_TRY(read_positions(r, m, 2, input->n_children, &n->u.generate.keep, &n->u.generate.n_keep,
                          err));
    NB_TRY(read_values(r, m, 0, input, &n->u.generate.args, &n->u.generate.n_args, err));
    if (!generate_fits(n)) {
        return nb_fragment_bad(err, "a generator has other columns");
    }
    return NB_OK;
}

static nb_status
read_window(nb_fragment_reader *r, const Nbc__Node *m, nb_node *n, nb_error *err)
{
    const nb_type *input = n->children[0]->schema;

    NB_TRY(
        read_values(r, m, 0, input, &n->u.window.partition_by, &n->u.window.n_partition_by, err));
    if (m->n_lists != 2 || !has_columns(n->schema, 0, input) ||
        m->lists[1]->n_exprs != (size_t)(n->schema->n_children - input->n_children)) {
        return nb_fragment_bad(err, "a window has other columns");
    }
    NB_TRY(read_list(r, m, 1, input, n->schema->children + input->n_children,
                     &n->u.window.functions, &n->u.window.n_functions, err));
    for (int i = 0; i < n->u.window.n_functions; i++) {
        if (n->u.window.functions[i]->kind != NB_EXPR_WINDOW) {
            return nb_fragment_bad(err, "a window has a function that is none");
        }
    }
    if (m->n_numbers != 2 || m->numbers[0] < 0) {
        return nb_fragment_bad(err, "a window has the wrong numbers");
    }
    n->u.window.limit = m->numbers[0];
    n->u.window.limits_values = m->numbers[1] != 0;
    return read_keys(r, m, input, &n->u.window.order_by, &n->u.window.n_order_by, err);
}

static nb_status
read_expand(nb_fragment_reader *r, const Nbc__Node *m, nb_node *n, nb_error *err)
{
    n->u.expand.n_projections = (int)m->n_lists;
    n->u.expand.projections = NB_ARENA_ARRAY(r->arena, nb_expr **, m->n_lists + 1);
    if (n->u.expand.projections == NULL) {
        return NB_NOMEM;
    }
    for (size_t i = 0; i < m->n_lists; i++) {
        NB_TRY(read_columns(r, m, i, n->children[0]->schema, n->schema, &n->u.expand.projections[i],
                            err));
    }
    return NB_OK;
}

static nb_status
read_range(const Nbc__Node *m, nb_node *n, nb_error *err)
{
    const nb_type *s = n->schema;

    if (m->n_numbers != 6 || m->numbers[2] == 0 || m->numbers[3] < 1 || m->numbers[3] > INT32_MAX ||
        m->numbers[4] < 0 || m->numbers[4] > INT32_MAX || m->numbers[5] < 0 ||
        m->numbers[5] > INT32_MAX || s->n_children > 1 ||
        (s->n_children == 1 && s->children[0].type->id != NB_TYPE_INT64)) {
        return nb_fragment_bad(err, "a range is malformed");
    }
    n->u.range.start = m->numbers[0];
    n->u.range.end = m->numbers[1];
    n->u.range.step = m->numbers[2];
    n->u.range.n_partitions = (int)m->numbers[3];
    n->u.range.first = (int)m->numbers[4];
    n->u.range.last = (int)m->numbers[5];
    return NB_OK;
}

static nb_status
read_put(nb_fragment_reader *r, const Nbc__Node *m, nb_node *n, nb_error *err)
{
    const nb_type *input = n->children[0]->schema;
    int n_keys, n_order;
    bool ok;

    if (m->n_numbers != 3 || m->numbers[0] < 0 || m->numbers[0] > NB_PUT_RANGE ||
        m->numbers[1] < 1 || m->numbers[1] > MAX_BUCKETS || m->numbers[2] < 0) {
        return nb_fragment_bad(err, "a shuffle is malformed");
    }
    n->u.put.kind = (nb_put_kind)m->numbers[0];
    n->u.put.n_buckets = (int)m->numbers[1];
    n->u.put.n_rows = m->numbers[2];
    NB_TRY(read_values(r, m, 0, input, &n->u.put.keys, &n_keys, err));
    NB_TRY(read_keys(r, m, input, &n->u.put.order, &n_order, err));
    n->u.put.n_keys = nb_put_is_ordered(n->u.put.kind) ? n_order : n_keys;
    switch (n->u.put.kind) {
    case NB_PUT_HASH: ok = n_keys > 0; break;
    case NB_PUT_MOD: ok = n_keys == 1 && n->u.put.keys[0]->type->id == NB_TYPE_INT32; break;
    case NB_PUT_SAMPLE: ok = n_order > 0 && m->numbers[1] == 1; break;
    case NB_PUT_RANGE:
        ok = n_order > 0 && m->n_bounds + 1 == (size_t)m->numbers[1];
        n->u.put.bounds = NB_ARENA_ARRAY(r->arena, nb_str, m->n_bounds + 1);
        if (n->u.put.bounds == NULL) {
            return NB_NOMEM;
        }
        for (size_t i = 0; i < m->n_bounds; i++) {
            n->u.put.bounds[i] = nb_wire_text(m->bounds[i]);
        }
        break;
    default: ok = true; break;
    }
    return ok ? NB_OK : nb_fragment_bad(err, "a shuffle has other keys than it needs");
}

static nb_status
read_exchange(nb_fragment_reader *r, const Nbc__Node *m, nb_node *n, nb_error *err)
{
    const nb_type *input = n->children[0]->schema;
    int n_keys, n_order;

    if (m->n_numbers != 2 || m->numbers[0] < 0 || m->numbers[0] > NB_EXCHANGE_COALESCE ||
        m->numbers[1] < 1 || m->numbers[1] > INT32_MAX) {
        return nb_fragment_bad(err, "a repartition is malformed");
    }
    n->u.exchange.kind = (nb_exchange_kind)m->numbers[0];
    n->u.exchange.n_partitions = (int)m->numbers[1];
    NB_TRY(read_values(r, m, 0, input, &n->u.exchange.keys, &n_keys, err));
    NB_TRY(read_keys(r, m, input, &n->u.exchange.order, &n_order, err));
    n->u.exchange.n_keys = n->u.exchange.kind == NB_EXCHANGE_RANGE ? n_order : n_keys;
    return NB_OK;
}

static nb_status
read_parts(nb_fragment_reader *r, const Nbc__Node *m, nb_node *n, nb_error *err)
{
    const nb_type *input = n->n_children > 0 ? n->children[0]->schema : NULL;
    nb_expr **exprs;
    int count;

    switch (n->kind) {
    case NB_NODE_RANGE: return read_range(m, n, err);
    case NB_NODE_SCAN: return read_scan(r, m, n, err);
    case NB_NODE_FILTER:
        NB_TRY(read_values(r, m, 0, input, &exprs, &count, err));
        if (count != 1 || exprs[0]->type->id != NB_TYPE_BOOL || m->n_numbers != 1) {
            return nb_fragment_bad(err, "a filter has no condition");
        }
        n->u.filter.condition = exprs[0];
        n->u.filter.is_scans = m->numbers[0] != 0 && n->children[0]->kind == NB_NODE_SCAN;
        return NB_OK;
    case NB_NODE_PROJECT:
        NB_TRY(read_columns(r, m, 0, input, n->schema, &n->u.project.exprs, err));
        return nb_node_mark_unread(r->arena, n);
    case NB_NODE_AGGREGATE: return read_aggregate(r, m, n, err);
    case NB_NODE_SORT:
        if (m->n_numbers != 1) {
            break;
        }
        n->u.sort.global = m->numbers[0] != 0;
        n->u.sort.limit = -1;
        return read_keys(r, m, input, &n->u.sort.keys, &n->u.sort.n_keys, err);
    case NB_NODE_TOPN:
        if (m->n_numbers != 2) {
            break;
        }
        n->u.sort.global = true;
        n->u.sort.limit = m->numbers[0];
        n->u.sort.offset = m->numbers[1];
        return read_keys(r, m, input, &n->u.sort.keys, &n->u.sort.n_keys, err);
    case NB_NODE_LIMIT:
        if (m->n_numbers != 2) {
            break;
        }
        n->u.limit.limit = m->numbers[0];
        n->u.limit.offset = m->numbers[1];
        return NB_OK;
    case NB_NODE_TAIL:
        if (m->n_numbers != 1) {
            break;
        }
        n->u.limit.limit = m->numbers[0];
        return NB_OK;
    case NB_NODE_JOIN: return read_join(r, m, n, err);
    case NB_NODE_UNION:
        if (m->n_numbers != 1 || m->numbers[0] < 0 || m->numbers[0] > INT32_MAX) {
            break;
        }
        n->u.all_of.first = (int)m->numbers[0];
        return NB_OK;
    case NB_NODE_EXCHANGE: return read_exchange(r, m, n, err);
    case NB_NODE_SAMPLE:
        if (m->n_numbers != 2 || m->n_reals != 2) {
            break;
        }
        n->u.sample.lower = m->reals[0];
        n->u.sample.upper = m->reals[1];
        n->u.sample.with_replacement = m->numbers[0] != 0;
        n->u.sample.seed = m->numbers[1];
        return NB_OK;
    case NB_NODE_GENERATE: return read_generate(r, m, n, err);
    case NB_NODE_WINDOW: return read_window(r, m, n, err);
    case NB_NODE_EXPAND: return read_expand(r, m, n, err);
    case NB_NODE_WRITE: return read_write(r, m, n, err);
    case NB_NODE_READ:
        if (m->n_numbers != 3 || m->numbers[0] < 0 || m->numbers[0] > NB_READ_OUTPUT ||
            m->numbers[1] < 0 || m->numbers[1] > INT32_MAX || m->numbers[2] < 0 ||
            m->numbers[2] > INT32_MAX) {
            break;
        }
        n->u.read.kind = (nb_read_kind)m->numbers[0];
        n->u.read.stage = (int)m->numbers[1];
        n->u.read.n_partitions = (int)m->numbers[2];
        return NB_OK;
    case NB_NODE_PUT: return read_put(r, m, n, err);
    default: break;
    }
    return nb_fragment_bad(err, "a node is of an unknown kind, or has the wrong numbers");
}

/* How many children a kind has; -1: one or more. */
static int
children_of(nb_node_kind kind)
{
    switch (kind) {
    case NB_NODE_RANGE:
    case NB_NODE_SCAN:
    case NB_NODE_READ: return 0;
    case NB_NODE_JOIN: return 2;
    case NB_NODE_UNION: return -1;
    default: return 1;
    }
}

/* Kinds whose columns are those of their child. */
static bool
keeps_columns(nb_node_kind kind)
{
    switch (kind) {
    case NB_NODE_FILTER:
    case NB_NODE_SORT:
    case NB_NODE_TOPN:
    case NB_NODE_LIMIT:
    case NB_NODE_TAIL:
    case NB_NODE_UNION:
    case NB_NODE_EXCHANGE:
    case NB_NODE_SAMPLE: return true;
    default: return false;
    }
}

nb_status
nb_fragment_read_node(nb_fragment_reader *r, size_t i, nb_error *err)
{
    const Nbc__Node *m = r->m->nodes[i];
    nb_node *n = NB_ARENA_NEW(r->arena, nb_node);
    int wanted;

    if (n == NULL) {
        return NB_NOMEM;
    }
    if (m->kind >= NB_N_NODES) {
        return nb_fragment_bad(err, "a node of unknown kind");
    }
    n->kind = (nb_node_kind)m->kind;
    n->id = (int)i;
    n->est_rows = -1;
    n->metrics = NB_ARENA_NEW(r->arena, nb_node_metrics);
    n->children = NB_ARENA_ARRAY(r->arena, nb_node *, m->n_children + 1);
    if (n->metrics == NULL || n->children == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_fragment_type_at(r, m->schema, &n->schema, err));
    wanted = children_of(n->kind);
    if (n->schema->id != NB_TYPE_STRUCT ||
        (wanted < 0 ? m->n_children == 0 : m->n_children != (size_t)wanted)) {
        return nb_fragment_bad(err, "a node has the wrong number of children");
    }
    for (size_t k = 0; k < m->n_children; k++) {
        nb_node *child = m->children[k] < i ? r->nodes[m->children[k]] : NULL;

        if (child == NULL) {
            return nb_fragment_bad(err, "a child of a node is missing, or used twice");
        }
        r->nodes[m->children[k]] = NULL;
        n->children[n->n_children++] = child;
        if (keeps_columns(n->kind) && !same_columns(n->schema, child->schema)) {
            return nb_fragment_bad(err, "a node has other columns than its child");
        }
    }
    NB_TRY(read_parts(r, m, n, err));
    r->nodes[i] = n;
    return NB_OK;
}
