/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eval.c: evaluates expressions batch by batch.
 *
 *     nb_eval_new → (nb_eval_set_partition → nb_eval_run | nb_eval_filter*)* → nb_eval_free      one thread
 *
 * Constants are computed for one row and stay constant vectors; a function of one dictionary column runs over the dictionary's entries and
 * keeps the result while batches bring the same dictionary. Failing calls get the place of their expression as error context.
 */
#include "expr/eval_internal.h"

/* ---- from expressions to programs ---------------------------------------------------------------------------------------------------- */

static bool
is_lazy(const nb_eval *ev, const nb_expr *e, int arg)
{
    switch (e->kind) {
    case NB_EXPR_AND:
    case NB_EXPR_OR:
    case NB_EXPR_COALESCE:
    case NB_EXPR_CASE: return arg > 0;
    default:
        return e->args[arg]->kind == NB_EXPR_LAMBDA || (ev->guarding && nb_eval_is_guarded(e, arg));
    }
}

static nb_status
add_owner(nb_eval *ev, nb_step *s)
{
    if (ev->n_owners == ev->cap_owners) {
        int cap = ev->cap_owners ? 2 * ev->cap_owners : 8;
        nb_step **owners = NB_ARENA_ARRAY(ev->arena, nb_step *, cap);

        if (owners == NULL) {
            return NB_NOMEM;
        }
        if (ev->n_owners > 0) {
            memcpy(owners, ev->owners, (size_t)ev->n_owners * sizeof(nb_step *));
        }
        ev->owners = owners;
        ev->cap_owners = cap;
    }
    ev->owners[ev->n_owners++] = s;
    return NB_OK;
}

static int
count_nodes(const nb_eval *ev, const nb_expr *e)
{
    int n = 1;

    for (int i = 0; i < e->n_args; i++) {
        if (!is_lazy(ev, e, i) && e->kind != NB_EXPR_IN) {
            n += count_nodes(ev, e->args[i]);
        } else if (e->kind == NB_EXPR_IN && i == 0) {
            n += count_nodes(ev, e->args[0]);
        }
    }
    return n;
}

/* Appends the steps of e; *reg is where its value will be. */
static nb_status
compile(nb_eval *ev, nb_program *p, const nb_expr *e, int *reg, nb_error *err)
{
    nb_step s = {.e = e};

    while (e->kind == NB_EXPR_ALIAS) {
        e = e->args[0];
        s.e = e;
    }
    if (e->deterministic) {
        s.hash = nb_expr_hash(e);
        for (int i = 0; i < p->n_steps; i++) {
            if (p->steps[i].hash == s.hash && p->steps[i].e->deterministic &&
                nb_expr_equal(p->steps[i].e, e)) {
                *reg = i;
                return NB_OK;
            }
        }
    }
    if (e->kind == NB_EXPR_COLUMN && e->u.column.ordinal < 0) {
        return nb_raise_internal(err, "column %.*s is not bound", (int)e->u.column.name.len,
                                 e->u.column.name.data);
    }
    if (e->kind == NB_EXPR_AGG || e->kind == NB_EXPR_WINDOW) { /* where a query has no groups */
        return nb_expr_raise_misplaced(ev->arena, e, err);
    }
    if (e->kind == NB_EXPR_SUBQUERY) {
        return nb_raise_internal(err, "an expression that only plans may hold reached execution");
    }
    if (e->n_args > 0) {
        s.args = NB_ARENA_ARRAY(ev->arena, int, e->n_args);
        s.subs = nb_arena_zalloc(ev->arena, (size_t)e->n_args * sizeof(nb_program *));
        s.inputs = nb_arena_zalloc(ev->arena, (size_t)e->n_args * sizeof(nb_vector));
        if (s.args == NULL || s.subs == NULL || s.inputs == NULL) {
            return NB_NOMEM;
        }
    }
    for (int i = 0; i < e->n_args; i++) {
        s.args[i] = -1;
        if (e->kind == NB_EXPR_IN && i > 0) {
            break;
        }
        if (is_lazy(ev, e, i)) {
            bool is_lambda = e->args[i]->kind == NB_EXPR_LAMBDA;

            s.guarded |= e->kind == NB_EXPR_CALL && !is_lambda;
            NB_TRY(nb_program_new(ev, is_lambda ? e->args[i]->args[0] : e->args[i], true,
                                  &s.subs[i], err));
        } else {
            NB_TRY(compile(ev, p, e->args[i], &s.args[i], err));
        }
    }
    ev->guards |= s.guarded;
    if (e->kind == NB_EXPR_IN) {
        NB_TRY(nb_in_set_new(ev->arena, e->args + 1, e->n_args - 1, &s.set));
    }
    if (e->kind == NB_EXPR_CALL && (e->u.call.fn->flags & NB_FN_STATEFUL)) {
        s.state = nb_arena_zalloc(ev->arena, NB_FN_STATE_BYTES);
        if (s.state == NULL) {
            return NB_NOMEM;
        }
    }
    NB_ASSERT(p->n_steps < p->cap);
    p->steps[p->n_steps] = s;
    p->steps[p->n_steps].always = !p->lazy;
    *reg = p->n_steps++;
    return s.state != NULL ? add_owner(ev, &p->steps[*reg]) : NB_OK;
}

nb_status
nb_program_new(nb_eval *ev, const nb_expr *e, bool lazy, nb_program **out, nb_error *err)
{
    nb_program *p = NB_ARENA_NEW(ev->arena, nb_program);

    if (p == NULL) {
        return NB_NOMEM;
    }
    p->cap = count_nodes(ev, e);
    p->steps = NB_ARENA_ARRAY(ev->arena, nb_step, p->cap);
    p->regs = nb_arena_zalloc(ev->arena, (size_t)p->cap * sizeof(nb_vector));
    if (p->steps == NULL || p->regs == NULL) {
        return NB_NOMEM;
    }
    p->can_fail = e->can_fail;
    p->lazy = lazy;
    NB_TRY(compile(ev, p, e, &p->root, err));
    *out = p;
    return NB_OK;
}

nb_status
nb_eval_new(nb_arena *arena, nb_expr *const *exprs, int n, const nb_session_info *info,
            nb_eval **out, nb_error *err)
{
    nb_eval *ev = NB_ARENA_NEW(arena, nb_eval);

    if (ev == NULL) {
        return NB_NOMEM;
    }
    ev->arena = arena;
    ev->info = info;
    ev->exprs = exprs;
    ev->n = n;
    ev->partition = -1;
    ev->programs = NB_ARENA_ARRAY(arena, nb_program *, n + 1);
    if (ev->programs == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        NB_TRY(nb_expr_check_depth(exprs[i], err));
        NB_TRY(nb_program_new(ev, exprs[i], false, &ev->programs[i], err));
    }
    *out = ev;
    return NB_OK;
}

void
nb_eval_set_partition(nb_eval *ev, int32_t partition, int64_t row0)
{
    bool fresh = partition != ev->partition || row0 == 0 || row0 < ev->row0;

    ev->partition = partition;
    ev->row0 = row0;
    for (int i = 0; i < ev->n_owners; i++) {
        nb_step *s = ev->owners[i];

        if (s->state == NULL) {
            continue;
        }
        if (fresh) {
            memset(s->state, 0, NB_FN_STATE_BYTES);
        }
        if (fresh || s->always) {
            s->row0 = row0;
        }
    }
}

void
nb_eval_free(nb_eval *ev)
{
    if (ev == NULL) {
        return;
    }
    for (int i = 0; i < ev->n_owners; i++) {
        nb_arena_free(ev->owners[i]->dict_arena);
        ev->owners[i]->dict_arena = NULL;
        ev->owners[i]->dict_result = NULL;
    }
}

/* ---- calls --------------------------------------------------------------------------------------------------------------------------- */

/* out: FLAT with room for n rows; validity = where all inputs are valid (a bitmap of its own, or NULL). *all_null: a constant is null. */
static nb_status
prepare_output(nb_arena *arena, const nb_type *type, const nb_vector *in, int n_in, int64_t n,
               bool nulls, nb_vector *out, bool *all_null)
{
    *all_null = false;
    NB_TRY(nb_vector_alloc(arena, type, n, out));
    if (!nulls) {
        return NB_OK;
    }
    for (int i = 0; i < n_in; i++) {
        if (in[i].type == NULL) {
            continue; /* a lambda */
        }
        if (in[i].type->id == NB_TYPE_NULL ||
            (in[i].kind == NB_VEC_CONST && nb_vector_is_null(&in[i], 0))) {
            *all_null = true;
            return NB_OK;
        }
        if (in[i].kind == NB_VEC_CONST || in[i].validity == NULL) {
            continue;
        }
        if (out->validity == NULL) {
            NB_TRY(nb_vector_need_validity(arena, out));
            nb_bitmap_copy(in[i].validity, 0, out->validity, 0, n);
        } else {
            nb_bitmap_and(out->validity, in[i].validity, out->validity, n);
        }
    }
    return NB_OK;
}

/* Runs the kernel for n rows; inputs are FLAT or CONST. */
static nb_status
run_kernel(nb_eval *ev, nb_step *s, nb_batch *batch, nb_arena *arena, nb_vector *in, int64_t n,
           nb_vector *out, nb_error *err)
{
    const nb_expr *e = s->e;
    unsigned flags = e->u.call.fn->flags;
    nb_kernel_ctx ctx = {.arena = arena,
                         .info = ev->info,
                         .expr = e,
                         .state = s->state,
                         .partition = ev->partition,
                         .row0 = s->row0,
                         .eval = ev,
                         .step = s,
                         .batch = batch,
                         .err = err};
    nb_status st;
    bool all_null;

    NB_TRY(prepare_output(arena, e->type, in, e->n_args, n, (flags & NB_FN_NULLS) == 0, out,
                          &all_null));
    if (all_null) {
        return nb_vector_const_null(arena, e->type, n, out);
    }
    st = e->u.call.kernel(&ctx, in, e->n_args, n, out);
    if (st == NB_ERROR && (flags & NB_FN_NO_CONTEXT) == 0) {
        nb_expr_error_context(e->origin, err);
    }
    s->row0 += s->state != NULL ? n : 0;
    return st;
}

/* One dictionary argument, the others constant: once per entry. */
static nb_status
run_over_dictionary(nb_eval *ev, nb_step *s, nb_batch *batch, nb_vector *in, int dict_arg,
                    int64_t n, nb_vector *out, nb_error *err)
{
    nb_vector column = in[dict_arg];
    const nb_vector *dict = column.dict;
    nb_vector *result = NULL;
    bool lasts = column.dict_id != 0;

    /* a column that is constant in this batch is another one in the next */
    for (int i = 0; i < s->e->n_args; i++) {
        lasts &= i == dict_arg || s->e->args[i]->foldable;
    }
    if (lasts && s->dict_id == column.dict_id && s->dict_result != NULL) {
        result = s->dict_result;
    } else if (lasts) { /* worth keeping: other batches will bring it again */
        nb_vector fresh;

        if (s->dict_arena == NULL) {
            s->dict_arena = nb_arena_new(NULL);
            if (s->dict_arena == NULL) {
                return NB_NOMEM;
            }
            if (s->state == NULL) {
                NB_TRY(add_owner(ev, s));
            }
        }
        s->dict_result = NULL;
        nb_arena_reset(s->dict_arena);
        in[dict_arg] = *dict;
        NB_TRY(run_kernel(ev, s, batch, batch->arena, in, dict->n_rows, &fresh, err));
        result = NB_ARENA_NEW(s->dict_arena, nb_vector);
        if (result == NULL) {
            return NB_NOMEM;
        }
        NB_TRY(nb_vector_copy(s->dict_arena, &fresh, result));
        s->dict_id = column.dict_id;
        s->dict_result = result;
    } else {
        nb_vector fresh;

        in[dict_arg] = *dict;
        NB_TRY(run_kernel(ev, s, batch, batch->arena, in, dict->n_rows, &fresh, err));
        result = NB_ARENA_NEW(batch->arena, nb_vector);
        if (result == NULL) {
            return NB_NOMEM;
        }
        NB_TRY(nb_vector_flatten(batch->arena, &fresh, result));
    }
    *out = (nb_vector){.type = s->e->type,
                       .kind = NB_VEC_DICT,
                       .n_rows = (int32_t)n,
                       .indices = column.indices,
                       .dict = result};
    return NB_OK;
}

static nb_status
run_call(nb_eval *ev, nb_program *p, nb_step *s, nb_batch *batch, nb_vector *out, nb_error *err)
{
    const nb_expr *e = s->e;
    unsigned flags = e->u.call.fn->flags;
    int64_t n = batch->n_rows;
    int n_const = 0, n_dict = 0, dict_arg = -1, n_lambda = 0;

    if (ev->info && nb_cancelled(ev->info->cancel)) { /* one row may hold as much as a table */
        return NB_CANCELLED;
    }
    if (s->guarded) {
        NB_TRY(nb_eval_guarded_inputs(ev, p, s, batch, err));
        return run_kernel(ev, s, batch, batch->arena, s->inputs, n, out, err);
    }
    for (int i = 0; i < e->n_args; i++) {
        if (s->args[i] < 0) {
            s->inputs[i] = (nb_vector){0};
            n_lambda++;
            continue;
        }
        s->inputs[i] = p->regs[s->args[i]];
        n_const += s->inputs[i].kind == NB_VEC_CONST;
        if (s->inputs[i].kind == NB_VEC_DICT) {
            n_dict++;
            dict_arg = i;
        }
    }
    if (n_const == e->n_args && (flags & (NB_FN_NONDETERMINISTIC | NB_FN_STATEFUL)) == 0 &&
        n_lambda == 0) {
        NB_TRY(run_kernel(ev, s, batch, batch->arena, s->inputs, 1, out, err));
        out->kind = NB_VEC_CONST;
        out->n_rows = (int32_t)n;
        return NB_OK;
    }
    if (n_dict == 1 && n_const == e->n_args - 1 &&
        (flags & (NB_FN_NULLS | NB_FN_CAN_FAIL | NB_FN_NONDETERMINISTIC | NB_FN_STATEFUL)) == 0 &&
        !e->can_fail && s->inputs[dict_arg].dict->n_rows <= 2 * n) {
        return run_over_dictionary(ev, s, batch, s->inputs, dict_arg, n, out, err);
    }
    for (int i = 0; n_dict > 0 && i < e->n_args; i++) {
        if (s->inputs[i].kind == NB_VEC_DICT) {
            nb_vector flat;

            NB_TRY(nb_vector_flatten(batch->arena, &s->inputs[i], &flat));
            s->inputs[i] = flat;
        }
    }
    return run_kernel(ev, s, batch, batch->arena, s->inputs, n, out, err);
}

/* ---- programs ------------------------------------------------------------------------------------------------------------------------- */

static nb_status
run_step(nb_eval *ev, nb_program *p, nb_step *s, nb_batch *batch, nb_vector *out, nb_error *err)
{
    const nb_expr *e = s->e;

    switch (e->kind) {
    case NB_EXPR_LITERAL:
        *out = *e->u.literal.value;
        out->n_rows = batch->n_rows;
        return NB_OK;
    case NB_EXPR_COLUMN: {
        const nb_vector *column;

        if (e->u.column.ordinal >= batch->n_cols) {
            return nb_raise_internal(err, "column %d of a batch of %d", e->u.column.ordinal,
                                     batch->n_cols);
        }
        NB_TRY(nb_batch_column(batch, e->u.column.ordinal, &column));
        *out = *column;
        return NB_OK;
    }
    case NB_EXPR_CALL: return run_call(ev, p, s, batch, out, err);
    case NB_EXPR_CAST: {
        nb_kernel_ctx ctx = {.arena = batch->arena,
                             .info = ev->info,
                             .expr = e,
                             .partition = ev->partition,
                             .eval = ev,
                             .batch = batch,
                             .err = err};
        nb_status st = nb_cast_vector(&ctx, &p->regs[s->args[0]], e->type, e->u.cast.mode, out);

        if (st == NB_ERROR) {
            nb_expr_error_context(e->origin, err);
        }
        return st;
    }
    case NB_EXPR_AND:
    case NB_EXPR_OR: return nb_eval_and_or(ev, p, s, batch, out, err);
    case NB_EXPR_CASE: return nb_eval_case(ev, p, s, batch, out, err);
    case NB_EXPR_COALESCE: return nb_eval_coalesce(ev, p, s, batch, out, err);
    case NB_EXPR_IN:
        return nb_in_set_probe(s->set, batch->arena, &p->regs[s->args[0]], batch->n_rows, out);
    default: return nb_raise_internal(err, "expression kind %d cannot be evaluated", (int)e->kind);
    }
}

nb_status
nb_program_run(nb_eval *ev, nb_program *p, nb_batch *batch, const nb_vector **out, nb_error *err)
{
    if (batch->n_rows == 0) { /* no row, so nothing may fail either */
        NB_TRY(nb_vector_alloc(batch->arena, p->steps[p->root].e->type, 0, &p->regs[p->root]));
        *out = &p->regs[p->root];
        return NB_OK;
    }
    for (int i = 0; i < p->n_steps; i++) {
        NB_TRY(run_step(ev, p, &p->steps[i], batch, &p->regs[i], err));
    }
    *out = &p->regs[p->root];
    return NB_OK;
}

nb_status
nb_eval_run(nb_eval *ev, int i, nb_batch *batch, nb_vector *out, nb_error *err)
{
    const nb_vector *result;
    nb_status st = nb_program_run(ev, ev->programs[i], batch, &result, err);

    if (st == NB_ERROR) {
        st = nb_eval_rerun(ev, i, batch, &result, err);
    }
    NB_TRY(st);
    *out = *result;
    return NB_OK;
}

/* ---- lambdas -------------------------------------------------------------------------------------------------------------------------- */

static bool
reads_column(const nb_program *p, int ordinal)
{
    for (int i = 0; i < p->n_steps; i++) {
        const nb_step *s = &p->steps[i];

        if (s->e->kind == NB_EXPR_COLUMN && s->e->u.column.ordinal == ordinal) {
            return true;
        }
        for (int k = 0; k < s->e->n_args; k++) {
            if (s->subs[k] != NULL && reads_column(s->subs[k], ordinal)) {
                return true;
            }
        }
    }
    return false;
}

nb_status
nb_kernel_lambda(nb_kernel_ctx *ctx, int arg, const uint32_t *outer_rows, const nb_vector *params,
                 int n_params, int64_t m, nb_vector *out)
{
    nb_program *body = ctx->step->subs[arg];
    nb_batch *outer = ctx->batch;
    const nb_vector *result;
    nb_batch inner;

    NB_TRY(nb_batch_init(ctx->arena, outer->n_cols + n_params, m, &inner));
    inner.order = outer->order;
    inner.partition = outer->partition;
    for (int i = 0; i < outer->n_cols; i++) {
        const nb_vector *column;

        if (!reads_column(body, i)) {
            NB_TRY(nb_vector_const_null(ctx->arena, nb_type_of(NB_TYPE_NULL), m, &inner.cols[i]));
            continue;
        }
        NB_TRY(nb_batch_column(outer, i, &column));
        NB_TRY(nb_vector_gather(ctx->arena, column, outer_rows, m, &inner.cols[i]));
    }
    for (int i = 0; i < n_params; i++) {
        inner.cols[outer->n_cols + i] = params[i];
        inner.cols[outer->n_cols + i].n_rows = (int32_t)m;
    }
    NB_TRY(nb_program_run(ctx->eval, body, &inner, &result, ctx->err));
    *out = *result;
    return NB_OK;
}

/* ---- folding -------------------------------------------------------------------------------------------------------------------------- */

nb_status
nb_expr_fold(nb_arena *arena, nb_expr *e, const nb_session_info *info, nb_expr **out, nb_error *err)
{
    nb_arena *scratch;
    nb_eval *ev = NULL;
    nb_batch batch;
    nb_vector v;
    nb_status st;

    if (e->kind == NB_EXPR_LITERAL) {
        *out = e;
        return NB_OK;
    }
    scratch = nb_arena_new(NULL);
    if (scratch == NULL) {
        return NB_NOMEM;
    }
    NB_TRY_GOTO(st, nb_eval_new(scratch, &e, 1, info, &ev, err), done);
    NB_TRY_GOTO(st, nb_batch_init(scratch, 0, 1, &batch), done);
    NB_TRY_GOTO(st, nb_eval_run(ev, 0, &batch, &v, err), done);
    *out = nb_expr_literal(arena, &v);
    st = *out == NULL ? NB_NOMEM : NB_OK;
    if (*out != NULL) {
        (*out)->origin = e->origin;
    }
done:
    nb_eval_free(ev);
    nb_arena_free(scratch);
    return st;
}
