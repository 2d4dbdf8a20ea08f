/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fragment_expr.c: bound expressions as messages, and back.
 *
 * Writing goes over the tree, arguments first. Reading binds calls again and insists that the binder changes nothing: an argument that it
 * would cast, or another type of result, means that the message was not made from a bound expression.
 */
#include "cluster/fragment_internal.h"

#include "expr/aggregate_phase.h"

/* ---- writing --------------------------------------------------------------------------------- */

static nb_status
write_origin(nb_fragment_writer *w, const nb_origin *o, Nbc__Expr *m)
{
    Nbc__Origin *om;
    size_t i;

    if (o == NULL) {
        return NB_OK;
    }
    for (i = w->origins.n; i > 0 && w->origins.items[i - 1] != o; i--) {
    }
    if (i == 0) {
        om = NB_WIRE_NEW(w->arena, Nbc__Origin, nbc__origin);
        if (om == NULL) {
            return NB_NOMEM;
        }
        if (o->sql_text.len > 0) {
            size_t t;

            for (t = w->texts.n; t > 0 && w->texts.items[t - 1] != o->sql_text.data; t--) {
            }
            if (t == 0) {
                NB_TRY(nb_pointers_add(w->arena, &w->texts, (void *)(uintptr_t)o->sql_text.data));
                NB_TRY(
                    nb_pointers_add(w->arena, &w->text_sizes, (void *)(uintptr_t)o->sql_text.len));
                t = w->texts.n;
            }
            NB_WIRE_SET(om, text, (uint32_t)t);
        }
        NB_WIRE_SET(om, start, o->start);
        NB_WIRE_SET(om, stop, o->stop);
        NB_WIRE_SET(om, line, o->line);
        NB_WIRE_SET(om, position, o->position);
        if (o->fragment.len > 0) {
            NB_WIRE_SET(om, fragment, nb_wire_bytes(o->fragment));
        }
        if (o->call_site.len > 0) {
            NB_WIRE_SET(om, call_site, nb_wire_bytes(o->call_site));
        }
        NB_TRY(nb_pointers_add(w->arena, &w->origins, (void *)(uintptr_t)o));
        NB_TRY(nb_pointers_add(w->arena, &w->origin_messages, om));
        i = w->origins.n;
    }
    NB_WIRE_SET(m, origin, (uint32_t)i);
    return NB_OK;
}

/* Literals of one type are one column. */
static nb_status
write_literal(nb_fragment_writer *w, const nb_vector *value, Nbc__Expr *m)
{
    nb_batch one = {.n_rows = 1, .n_cols = 1, .n_base = 1, .arena = w->arena};
    nb_field field = {.name = NB_STR("v"), .type = value->type, .nullable = true};
    nb_vector v = *value;
    nb_chunk_builder *b;
    size_t i;

    for (i = 0; i < w->literal_types.n && w->literal_types.items[i] != value->type; i++) {
    }
    if (i == w->literal_types.n) {
        const nb_type *schema = nb_type_struct(&field, 1);

        if (schema == NULL) {
            return NB_NOMEM;
        }
        NB_TRY(nb_chunk_builder_new(w->pool, schema, &b));
        if (nb_pointers_add(w->arena, &w->builders, b) < 0) {
            nb_chunk_builder_free(b);
            return NB_NOMEM;
        }
        NB_TRY(nb_pointers_add(w->arena, &w->literal_types, (void *)(uintptr_t)value->type));
    }
    b = w->builders.items[i];
    NB_WIRE_SET(m, row, (uint32_t)nb_chunk_builder_rows(b));
    one.cols = &v;
    return nb_chunk_builder_append(b, &one);
}

static nb_status
write_optional(nb_fragment_writer *w, const nb_expr *e, protobuf_c_boolean *has, uint32_t *out,
               nb_error *err)
{
    uint32_t at;

    if (e == NULL) {
        return NB_OK;
    }
    NB_TRY(nb_fragment_write_expr(w, e, &at, err));
    *has = 1;
    *out = at + 1;
    return NB_OK;
}

static nb_status
write_aggregate(nb_fragment_writer *w, const nb_expr *e, const nb_expr *whole, Nbc__Expr *m,
                nb_error *err)
{
    nb_function shadow = {.names = e->u.agg.fn->names};

    if (whole != e) {
        NB_TRY(write_optional(w, whole, &m->has_filter, &m->filter, err));
        return NB_OK;
    }
    NB_WIRE_SET(m, name, nb_wire_bytes(nb_function_name(&shadow)));
    NB_WIRE_SET(m, distinct, e->u.agg.distinct);
    NB_WIRE_SET(m, ignore_nulls, e->u.agg.ignore_nulls);
    return write_optional(w, e->u.agg.filter, &m->has_filter, &m->filter, err);
}

static nb_status
write_window(nb_fragment_writer *w, const nb_expr *e, Nbc__Expr *m, nb_error *err)
{
    const nb_frame *f = &e->u.window.spec->frame;

    NB_TRY(write_optional(w, e->u.window.fn, &m->has_filter, &m->filter, err));
    NB_WIRE_SET(m, ignore_nulls, e->u.window.ignore_nulls);
    NB_WIRE_SET(m, is_rows, f->is_rows);
    NB_WIRE_SET(m, lower, f->lower);
    NB_WIRE_SET(m, upper, f->upper);
    if (f->lower == NB_BOUND_OFFSET) {
        NB_TRY(write_optional(w, f->lower_offset, &m->has_lower_offset, &m->lower_offset, err));
    }
    if (f->upper == NB_BOUND_OFFSET) {
        NB_TRY(write_optional(w, f->upper_offset, &m->has_upper_offset, &m->upper_offset, err));
    }
    return NB_OK;
}

nb_status
nb_fragment_write_expr(nb_fragment_writer *w, const nb_expr *e, uint32_t *out, nb_error *err)
{
    Nbc__Expr *m = NB_WIRE_NEW(w->arena, Nbc__Expr, nbc__expr);
    nb_agg_phase phase = NB_AGG_WHOLE;
    const nb_expr *whole = e;
    int n_args = e->n_args;
    uint32_t type;

    if (m == NULL) {
        return NB_NOMEM;
    }
    if (e->kind == NB_EXPR_AGG) {
        phase = nb_agg_phase_of(e, &whole);
        n_args = phase == NB_AGG_FIRST ? 0 : n_args; /* those of the whole one */
    }
    m->args = NB_ARENA_ARRAY(w->arena, uint32_t, n_args + 1);
    if (m->args == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n_args; i++) {
        NB_TRY(nb_fragment_write_expr(w, e->args[i], &m->args[i], err));
    }
    m->n_args = (size_t)n_args;
    NB_TRY(nb_fragment_type_id(w, e->type, &type));
    NB_WIRE_SET(m, kind, e->kind);
    NB_WIRE_SET(m, type, type);
    NB_WIRE_SET(m, nullable, e->nullable);
    NB_TRY(write_origin(w, e->origin, m));
    switch (e->kind) {
    case NB_EXPR_LITERAL: NB_TRY(write_literal(w, e->u.literal.value, m)); break;
    case NB_EXPR_COLUMN:
        if (e->u.column.ordinal < 0) {
            return nb_raise_internal(err, "a column of a fragment is not bound");
        }
        NB_WIRE_SET(m, name, nb_wire_bytes(e->u.column.name));
        NB_WIRE_SET(m, attr, e->u.column.attr);
        NB_WIRE_SET(m, ordinal, (uint32_t)e->u.column.ordinal);
        break;
    case NB_EXPR_CALL: NB_WIRE_SET(m, name, nb_wire_bytes(nb_function_name(e->u.call.fn))); break;
    case NB_EXPR_CAST:
        NB_WIRE_SET(m, mode, e->u.cast.mode);
        NB_WIRE_SET(m, explicit_, e->u.cast.is_explicit);
        break;
    case NB_EXPR_AGG:
        NB_WIRE_SET(m, mode, phase);
        NB_WIRE_SET(m, explicit_, phase == NB_AGG_SECOND && nb_agg_has_rows(e));
        NB_TRY(write_aggregate(w, e, whole, m, err));
        break;
    case NB_EXPR_WINDOW: NB_TRY(write_window(w, e, m, err)); break;
    case NB_EXPR_LAMBDA:
        m->attrs = e->u.lambda.attrs;
        m->n_attrs = (size_t)e->u.lambda.n_attrs;
        break;
    case NB_EXPR_AND:
    case NB_EXPR_OR:
    case NB_EXPR_CASE:
    case NB_EXPR_COALESCE:
    case NB_EXPR_IN: break;
    default: return nb_raise_internal(err, "an expression of kind %d in a fragment", (int)e->kind);
    }
    *out = (uint32_t)w->exprs.n;
    return nb_pointers_add(w->arena, &w->exprs, m);
}

/* ---- reading --------------------------------------------------------------------------------- */

nb_status
nb_fragment_take_expr(nb_fragment_reader *r, size_t before, uint32_t id, nb_expr **out,
                      nb_error *err)
{
    *out = NULL;
    if (id >= before || r->exprs[id] == NULL) {
        return nb_fragment_bad(err, "an expression is missing, or used twice");
    }
    *out = r->exprs[id];
    r->exprs[id] = NULL;
    return NB_OK;
}

/* id counts from 1. */
static nb_status
optional_at(nb_fragment_reader *r, size_t before, uint32_t id, nb_expr **out, nb_error *err)
{
    *out = NULL;
    return id == 0 ? nb_fragment_bad(err, "a part of an expression is missing")
                   : nb_fragment_take_expr(r, before, id - 1, out, err);
}

/* Only plans hold these; nobody evaluates them. */
static bool
is_value(const nb_expr *e)
{
    return e->kind != NB_EXPR_LAMBDA && e->kind != NB_EXPR_AGG && e->kind != NB_EXPR_WINDOW;
}

static bool
is_type(const nb_expr *e, const nb_type *type)
{
    return nb_type_same_ignoring_null(e->type, type);
}

static nb_status
read_literal(nb_fragment_reader *r, const nb_type *type, uint32_t row, nb_expr **out, nb_error *err)
{
    int64_t at = row;

    for (size_t i = 0; i < r->m->n_literals; i++) {
        const Nbc__Literals *group = r->m->literals[i];
        nb_vector v;

        if (!group->has_type || group->type >= r->m->n_types || r->types[group->type] != type) {
            continue;
        }
        if (r->literals[i] == NULL) {
            nb_field field = {.name = NB_STR("v"), .type = type, .nullable = true};
            const nb_type *schema = nb_type_struct(&field, 1);
            nb_buffer *bytes;
            nb_status st;

            if (schema == NULL) {
                return NB_NOMEM;
            }
            NB_TRY(nb_table_new(r->pool, schema, &r->literals[i]));
            NB_TRY(nb_buffer_new(r->pool, group->block.len, &bytes));
            if (group->block.len > 0) {
                memcpy(bytes->data, group->block.data, group->block.len);
            }
            st = nb_wire_block_read(r->pool, bytes, 0, group->block.len, r->literals[i], err);
            nb_buffer_release(bytes);
            NB_TRY(st);
        }
        for (int c = 0; c < r->literals[i]->n_chunks; c++) {
            const nb_chunk *chunk = r->literals[i]->chunks[c];

            if (at < chunk->n_rows) {
                NB_TRY(nb_vector_slice(r->arena, &chunk->cols[0], at, 1, &v));
                *out = nb_expr_literal(r->arena, &v);
                return *out ? NB_OK : NB_NOMEM;
            }
            at -= chunk->n_rows;
        }
        break;
    }
    return nb_fragment_bad(err, "a literal is missing");
}

typedef struct parameters {
    const uint64_t *attrs;
    const nb_type **types;
    int n;
    bool wrong;
} parameters;

static bool
check_parameter(nb_expr *e, void *payload)
{
    parameters *p = payload;

    for (int i = 0; e->kind == NB_EXPR_COLUMN && i < p->n; i++) {
        p->wrong |= e->u.column.attr == p->attrs[i] && !is_type(e, p->types[i]);
    }
    return !p->wrong;
}

/* The parameters in the body of a lambda have the types that the function will give them. */
static nb_status
check_lambda(nb_fragment_reader *r, const nb_function *fn, nb_expr *const *args, int arg,
             nb_error *err)
{
    nb_expr *lambda = args[arg];
    int n = lambda->u.lambda.n_attrs;
    const nb_type **types = NB_ARENA_ARRAY(r->arena, const nb_type *, n + 1);
    bool *nullable = NB_ARENA_ARRAY(r->arena, bool, n + 1);
    parameters p = {.attrs = lambda->u.lambda.attrs, .types = types, .n = n};

    if (types == NULL || nullable == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(
        nb_function_lambda_types(r->arena, &r->out->info, fn, args, arg, n, types, nullable, err));
    nb_expr_visit(lambda->args[0], check_parameter, &p);
    return p.wrong ? nb_fragment_bad(err, "a parameter of a lambda has another type") : NB_OK;
}

static nb_status
read_call(nb_fragment_reader *r, const Nbc__Expr *m, const nb_type *type, nb_expr **args, int n,
          const nb_origin *origin, nb_expr **out, nb_error *err)
{
    const nb_function *fn = nb_function_find(nb_wire_text(m->name));
    nb_expr *e;

    if (fn == NULL) {
        return nb_fragment_bad(err, "a function is unknown");
    }
    for (int i = 0; i < n; i++) {
        if (args[i]->kind == NB_EXPR_LAMBDA) {
            if ((fn->flags & NB_FN_HIGHER_ORDER) == 0) {
                return nb_fragment_bad(err, "a function takes no lambda");
            }
            NB_TRY(check_lambda(r, fn, args, i, err));
        } else if (!is_value(args[i])) {
            return nb_fragment_bad(err, "an argument of a function is no value");
        }
    }
    NB_TRY(
        nb_function_bind(r->arena, &r->out->info, fn, (nb_str){NULL, 0}, args, n, origin, &e, err));
    if (e->kind != NB_EXPR_CALL || e->u.call.fn != fn || e->type != type || e->n_args != n) {
        return nb_fragment_bad(err, "a function is bound to something else");
    }
    for (int i = 0; i < n; i++) {
        if (e->args[i] != args[i]) {
            return nb_fragment_bad(err, "an argument of a function is not what it takes");
        }
    }
    *out = e;
    return NB_OK;
}

static nb_status
read_phase(nb_fragment_reader *r, size_t i, const Nbc__Expr *m, nb_expr **args, int n,
           nb_expr **out, nb_error *err)
{
    nb_expr *whole;
    const nb_expr *innermost;

    NB_TRY(optional_at(r, i, m->filter, &whole, err));
    if (whole->kind != NB_EXPR_AGG || nb_agg_phase_of(whole, &innermost) != NB_AGG_WHOLE) {
        return nb_fragment_bad(err, "a step of an aggregate has no aggregate");
    }
    if (m->mode == NB_AGG_FIRST && n == 0) {
        return nb_agg_first_phase(r->arena, whole, out);
    }
    if (m->mode == NB_AGG_SECOND && n >= 1 && args[0]->type->id == NB_TYPE_BINARY) {
        bool rows = m->explicit_;

        for (int k = 0; rows && n == 1 + whole->n_args && k < whole->n_args; k++) {
            if (!nb_type_same_ignoring_null(args[k + 1]->type, whole->args[k]->type)) {
                return nb_fragment_bad(err, "a step of an aggregate has other arguments");
            }
        }
        if (n == (rows ? 1 + whole->n_args : 1)) {
            return nb_agg_second_phase(r->arena, whole, args[0], rows ? args + 1 : NULL, out);
        }
    }
    return nb_fragment_bad(err, "a step of an aggregate is unknown");
}

static nb_status
read_aggregate(nb_fragment_reader *r, size_t i, const Nbc__Expr *m, const nb_type *type,
               nb_expr **args, int n, const nb_origin *origin, nb_expr **out, nb_error *err)
{
    const nb_aggregate *fn;
    nb_expr *filter = NULL, *e;

    if (m->mode != NB_AGG_WHOLE) {
        return read_phase(r, i, m, args, n, out, err);
    }
    fn = nb_aggregate_find(nb_wire_text(m->name));
    if (fn == NULL) {
        return nb_fragment_bad(err, "an aggregate is unknown");
    }
    if (m->has_filter) {
        NB_TRY(optional_at(r, i, m->filter, &filter, err));
        if (filter->type->id != NB_TYPE_BOOL) {
            return nb_fragment_bad(err, "the filter of an aggregate is no condition");
        }
    }
    NB_TRY(nb_aggregate_bind(r->arena, &r->out->info, fn, nb_wire_text(m->name), args, n,
                             m->distinct, filter, origin, &e, err));
    if (e->kind != NB_EXPR_AGG || e->u.agg.fn != fn || e->type != type || e->n_args != n ||
        e->u.agg.distinct != (bool)m->distinct) {
        return nb_fragment_bad(err, "an aggregate is bound to something else");
    }
    for (int k = 0; k < n; k++) {
        if (e->args[k] != args[k] || !is_value(args[k])) {
            return nb_fragment_bad(err, "an argument of an aggregate is not what it takes");
        }
    }
    e->u.agg.ignore_nulls = m->ignore_nulls;
    *out = e;
    return NB_OK;
}

static nb_status
read_window(nb_fragment_reader *r, size_t i, const Nbc__Expr *m, nb_expr *e, nb_error *err)
{
    nb_window_spec *spec = NB_ARENA_NEW(r->arena, nb_window_spec);

    if (spec == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(optional_at(r, i, m->filter, &e->u.window.fn, err));
    if ((e->u.window.fn->kind != NB_EXPR_AGG && e->u.window.fn->kind != NB_EXPR_CALL) ||
        e->u.window.fn->type != e->type || m->lower > NB_BOUND_OFFSET ||
        m->upper > NB_BOUND_OFFSET) {
        return nb_fragment_bad(err, "a window function is none");
    }
    e->u.window.ignore_nulls = m->ignore_nulls;
    e->u.window.spec = spec;
    spec->frame.is_rows = m->is_rows;
    spec->frame.lower = (nb_bound_kind)m->lower;
    spec->frame.upper = (nb_bound_kind)m->upper;
    if (spec->frame.lower == NB_BOUND_OFFSET) {
        NB_TRY(optional_at(r, i, m->lower_offset, &spec->frame.lower_offset, err));
    }
    if (spec->frame.upper == NB_BOUND_OFFSET) {
        NB_TRY(optional_at(r, i, m->upper_offset, &spec->frame.upper_offset, err));
    }
    return NB_OK;
}

/* Do the arguments of a node without a function fit its kind? */
static bool
args_fit(const nb_expr *e)
{
    int n = e->n_args;

    for (int i = 0; i < n; i++) {
        const nb_expr *a = e->args[i];
        bool condition = a->type->id == NB_TYPE_BOOL, value = is_type(a, e->type);

        if (!is_value(a)) {
            return false;
        }
        switch (e->kind) {
        case NB_EXPR_AND:
        case NB_EXPR_OR:
            if (!condition || e->type->id != NB_TYPE_BOOL) {
                return false;
            }
            break;
        case NB_EXPR_CASE: /* condition, value, …, [else] */
            if (i % 2 == 0 && i + 1 < n ? !condition : !value) {
                return false;
            }
            break;
        case NB_EXPR_COALESCE:
            if (!value) {
                return false;
            }
            break;
        case NB_EXPR_IN:
            if (e->type->id != NB_TYPE_BOOL || !is_type(a, e->args[0]->type) ||
                (i > 0 && a->kind != NB_EXPR_LITERAL)) {
                return false;
            }
            break;
        default: break;
        }
    }
    return n > 0;
}

static nb_status
read_plain(nb_fragment_reader *r, size_t i, const Nbc__Expr *m, nb_expr *e, nb_error *err)
{
    switch (e->kind) {
    case NB_EXPR_COLUMN:
        if (m->ordinal > INT32_MAX || e->n_args != 0) {
            return nb_fragment_bad(err, "a column is out of range");
        }
        e->u.column.ordinal = (int)m->ordinal;
        e->u.column.attr = m->attr;
        e->u.column.name = nb_arena_str(r->arena, nb_wire_text(m->name));
        return e->u.column.name.data ? NB_OK : NB_NOMEM;
    case NB_EXPR_CAST:
        if (!args_fit(e) || e->n_args != 1 || m->mode > NB_CAST_TRY) {
            return nb_fragment_bad(err, "a cast is malformed");
        }
        e->u.cast.mode = (nb_cast_mode)m->mode;
        e->u.cast.is_explicit = m->explicit_;
        return NB_OK;
    case NB_EXPR_LAMBDA:
        if (e->n_args != 1 || m->n_attrs > 8 || !is_value(e->args[0])) {
            return nb_fragment_bad(err, "a lambda is malformed");
        }
        e->u.lambda.n_attrs = (int)m->n_attrs;
        e->u.lambda.attrs = NB_ARENA_ARRAY(r->arena, uint64_t, m->n_attrs + 1);
        if (e->u.lambda.attrs == NULL) {
            return NB_NOMEM;
        }
        for (size_t k = 0; k < m->n_attrs; k++) {
            e->u.lambda.attrs[k] = m->attrs[k];
        }
        return NB_OK;
    case NB_EXPR_WINDOW:
        if (e->n_args != 0) {
            return nb_fragment_bad(err, "a window function is malformed");
        }
        return read_window(r, i, m, e, err);
    case NB_EXPR_AND:
    case NB_EXPR_OR:
    case NB_EXPR_CASE:
    case NB_EXPR_COALESCE:
    case NB_EXPR_IN:
        return args_fit(e) ? NB_OK : nb_fragment_bad(err, "arguments do not fit an expression");
    default: return nb_fragment_bad(err, "an expression of unknown kind");
    }
}

nb_status
nb_fragment_read_expr(nb_fragment_reader *r, size_t i, nb_error *err)
{
    const Nbc__Expr *m = r->m->exprs[i];
    const nb_origin *origin = NULL;
    const nb_type *type;
    nb_expr *e, **args = NB_ARENA_ARRAY(r->arena, nb_expr *, m->n_args + 1);
    int n = (int)m->n_args;

    if (args == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_fragment_type_at(r, m->type, &type, err));
    for (int k = 0; k < n; k++) {
        NB_TRY(nb_fragment_take_expr(r, i, m->args[k], &args[k], err));
    }
    if (m->origin > r->m->n_origins) {
        return nb_fragment_bad(err, "the origin of an expression is missing");
    }
    if (m->origin > 0) {
        origin = &r->origins[m->origin - 1];
    }
    switch (m->kind) {
    case NB_EXPR_LITERAL: NB_TRY(read_literal(r, type, m->row, &e, err)); break;
    case NB_EXPR_CALL: NB_TRY(read_call(r, m, type, args, n, origin, &e, err)); break;
    case NB_EXPR_AGG: NB_TRY(read_aggregate(r, i, m, type, args, n, origin, &e, err)); break;
    default:
        e = m->kind <= NB_EXPR_ALIAS
                ? nb_expr_new(r->arena, (nb_expr_kind)m->kind, type, m->nullable, n)
                : NULL;
        if (e == NULL) {
            return m->kind <= NB_EXPR_ALIAS ? NB_NOMEM
                                            : nb_fragment_bad(err, "an expression of unknown kind");
        }
        if (n > 0) {
            memcpy(e->args, args, (size_t)n * sizeof(*args));
        }
        NB_TRY(read_plain(r, i, m, e, err));
        nb_expr_set_flags(e);
        break;
    }
    if (e->type != type) {
        return nb_fragment_bad(err, "an expression has another type than it says");
    }
    e->nullable = m->nullable;
    if (e->origin == NULL) {
        e->origin = origin;
    }
    r->exprs[i] = e;
    return nb_expr_check_depth(e, err);
}

/* ---- columns --------------------------------------------------------------------------------- */

/* Parameters of lambdas follow the columns of the input. */
static nb_status
check_columns(const nb_expr *e, const nb_type *input, int n_parameters, nb_error *err)
{
    if (e->kind == NB_EXPR_COLUMN) {
        int at = e->u.column.ordinal;

        if (at >= input->n_children + n_parameters ||
            (at < input->n_children && !is_type(e, input->children[at].type))) {
            return nb_fragment_bad(err, "a column is not among the inputs");
        }
        return NB_OK;
    }
    if (e->kind == NB_EXPR_LAMBDA) {
        n_parameters += e->u.lambda.n_attrs;
    }
    if (e->kind == NB_EXPR_CALL && (e->u.call.fn->flags & NB_FN_WINDOW_ONLY)) {
        return nb_fragment_bad(err, "a window function outside of a window");
    }
    for (int i = 0; i < e->n_args; i++) {
        NB_TRY(check_columns(e->args[i], input, n_parameters, err));
    }
    if (e->kind == NB_EXPR_AGG && e->u.agg.filter != NULL) {
        NB_TRY(check_columns(e->u.agg.filter, input, 0, err));
    }
    if (e->kind == NB_EXPR_WINDOW) {
        const nb_expr *fn = e->u.window.fn;

        for (int i = 0; i < fn->n_args; i++) {
            NB_TRY(check_columns(fn->args[i], input, 0, err));
        }
        if (fn->kind == NB_EXPR_AGG && fn->u.agg.filter != NULL) {
            NB_TRY(check_columns(fn->u.agg.filter, input, 0, err));
        }
    }
    return NB_OK;
}

nb_status
nb_fragment_check_columns(const nb_expr *e, const nb_type *input, nb_error *err)
{
    return check_columns(e, input, 0, err);
}

/* ---- before the journey ---------------------------------------------------------------------- */

static bool
binds_again(nb_expr *e, void *payload)
{
    nb_fragment_reader *r = payload;
    nb_expr *again = NULL;
    const nb_expr *whole;
    nb_status st;

    switch (e->kind) {
    case NB_EXPR_CALL:
        if (nb_function_find(nb_function_name(e->u.call.fn)) != e->u.call.fn) {
            return false;
        }
        st = nb_function_bind(r->arena, &r->out->info, e->u.call.fn, (nb_str){NULL, 0}, e->args,
                              e->n_args, e->origin, &again, NULL);
        break;
    case NB_EXPR_AGG: {
        nb_function shadow = {.names = e->u.agg.fn->names};

        if (nb_agg_phase_of(e, &whole) != NB_AGG_WHOLE) {
            return true;
        }
        if (nb_aggregate_find(nb_function_name(&shadow)) != e->u.agg.fn) {
            return false;
        }
        st = nb_aggregate_bind(r->arena, &r->out->info, e->u.agg.fn, nb_function_name(&shadow),
                               e->args, e->n_args, e->u.agg.distinct, e->u.agg.filter, e->origin,
                               &again, NULL);
        break;
    }
    case NB_EXPR_CAST:
    case NB_EXPR_AND:
    case NB_EXPR_OR:
    case NB_EXPR_CASE:
    case NB_EXPR_COALESCE:
    case NB_EXPR_IN: return e->kind == NB_EXPR_CAST ? e->n_args == 1 : args_fit(e);
    case NB_EXPR_SUBQUERY:
    case NB_EXPR_ALIAS: return false;
    default: return true;
    }
    if (st < 0 || again == NULL || again->kind != e->kind || again->type != e->type ||
        again->n_args != e->n_args) {
        return false;
    }
    for (int i = 0; i < e->n_args; i++) {
        if (again->args[i] != e->args[i]) {
            return false;
        }
    }
    return e->kind == NB_EXPR_CALL
               ? again->u.call.fn == e->u.call.fn && again->u.call.kernel == e->u.call.kernel
               : again->u.agg.ops == e->u.agg.ops && again->u.agg.distinct == e->u.agg.distinct;
}

bool
nb_fragment_carries(nb_arena *arena, const nb_session_info *info, const nb_expr *e)
{
    nb_fragment out = {.arena = arena, .info = *info};
    nb_fragment_reader r = {.arena = arena, .out = &out};

    return nb_expr_visit((nb_expr *)(uintptr_t)e, binds_again, &r);
}
