/* SPDX-License-Identifier: Apache-2.0 */
/*
 * python_udf.c: functions of users, in Python: nb_python(definition, executable, name, settings, null of the result's type,
 * arguments…).
 *
 * The first five are literals, so that the call can be sent to other processes as any other. Rows go to a Python process as an Arrow IPC
 * stream and come back as one (python_worker.h).
 */
#include <stdlib.h>
#include "base/config.h"
#include "base/hash.h"
#include "column/arrow.h"
#include "expr/binders.h"
#include "expr/python_worker.h"

enum { DEFINITION, EXECUTABLE, NAME, SETTINGS, RESULT, ARGUMENTS };

/* The arguments as a table of rows; a call without any gets a column that nobody looks at, for their number. */
static nb_status
table_of(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_pool *pool,
         nb_table **out)
{
    nb_field *fields = NB_ARENA_ARRAY(ctx->arena, nb_field, NB_MAX(n_args, 1));
    int n_cols = NB_MAX(n_args, 1);
    nb_chunk_builder *builder;
    const nb_type *schema;
    nb_batch batch;
    nb_chunk *chunk = NULL;
    nb_status st;

    if (fields == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_batch_init(ctx->arena, n_cols, n, &batch));
    if (n_args == 0) {
        NB_TRY(nb_vector_const_null(ctx->arena, nb_type_of(NB_TYPE_INT8), n, &batch.cols[0]));
    }
    for (int i = 0; i < n_args; i++) {
        batch.cols[i] = args[i];
        batch.cols[i].n_rows = (int32_t)n;
    }
    for (int i = 0; i < n_cols; i++) {
        fields[i] = (nb_field){.name = NB_STR("_"), .type = batch.cols[i].type, .nullable = true};
    }
    schema = nb_type_struct(fields, n_cols);
    if (schema == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_chunk_builder_new(pool, schema, &builder));
    st = nb_chunk_builder_append(builder, &batch);
    st = st < 0 ? st : nb_chunk_builder_finish(builder, &chunk);
    nb_chunk_builder_free(builder);
    NB_TRY(st);
    st = nb_table_new(pool, schema, out);
    st = st < 0 || chunk == NULL ? st : nb_table_append(*out, chunk);
    if (st < 0) {
        nb_chunk_free(chunk);
    }
    return st;
}

static nb_status
raise_answer(nb_kernel_ctx *ctx, const char *what)
{
    return nb_raise(ctx->err, NB_COND_PYTHON_EXCEPTION, "msg", "", "traceback", what, NULL);
}

/* Arrow's intervals of days and times do not say which of their fields a type has; their values are the same. */
static bool
is_form_of(const nb_type *came, const nb_type *declared)
{
    came = nb_type_storage(came);
    declared = nb_type_storage(declared);
    if (nb_type_same_ignoring_null(came, declared)) {
        return true;
    }
    if (came->id != declared->id || came->n_children != declared->n_children) {
        return false;
    }
    for (int i = 0; i < came->n_children; i++) {
        if (!nb_str_equal(came->children[i].name, declared->children[i].name) ||
            !is_form_of(came->children[i].type, declared->children[i].type)) {
            return false;
        }
    }
    return came->n_children > 0 || came->id == NB_TYPE_INTERVAL_DT;
}

static void
declare(nb_vector *v, const nb_type *type)
{
    const nb_type *storage = nb_type_storage(type);

    v->type = type;
    for (int i = 0; i < v->n_children && v->n_children == storage->n_children; i++) {
        declare(&v->children[i], storage->children[i].type);
    }
}

/* The only column of the answer, copied. */
static nb_status
take_answer(nb_kernel_ctx *ctx, nb_table *table, int64_t n, nb_vector *out)
{
    const nb_type *type = out->type;
    const nb_vector **parts = NB_ARENA_ARRAY(ctx->arena, const nb_vector *, table->n_chunks + 1);
    nb_vector all;

    if (parts == NULL) {
        return NB_NOMEM;
    }
    if (table->n_rows != n || table->schema->n_children != 1) {
        return raise_answer(ctx, "The function gave another number of results than it got rows.");
    }
    if (!is_form_of(table->schema->children[0].type, type)) {
        return raise_answer(ctx, "The function's results came in another type than it declares.");
    }
    if (n == 0) {
        return NB_OK;
    }
    for (int i = 0; i < table->n_chunks; i++) {
        parts[i] = &table->chunks[i]->cols[0];
    }
    NB_TRY(nb_vector_concat(ctx->arena, parts, table->n_chunks, &all));
    NB_TRY(nb_vector_copy(ctx->arena, &all, out));
    declare(out, type);
    return NB_OK;
}

static nb_status
python_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_python_function *f = ctx->expr->u.call.payload;
    nb_pool *pool = nb_pool_new(nb_arena_pool(ctx->arena), "python", 0);
    nb_table *rows = NULL, *answers = NULL;
    nb_buffer *answer = NULL;
    nb_strbuf stream = {0};
    nb_status st;

    if (pool == NULL) {
        return NB_NOMEM;
    }
    st = table_of(ctx, args + ARGUMENTS, n_args - ARGUMENTS, n, pool, &rows);
    st = st < 0 ? st
                : nb_arrow_ipc_write_table(rows, &NB_ARROW_OPTIONS_INIT, NB_ARROW_PLAIN, &stream,
                                           ctx->err);
    st = st == NB_OK && stream.failed ? NB_NOMEM : st;
    st = st < 0 ? st
                : nb_python_call(f, nb_strbuf_str(&stream), n_args == ARGUMENTS, pool,
                                 ctx->info->cancel, &answer, ctx->err);
    st = st < 0 ? st : nb_arrow_ipc_read(pool, answer, NULL, &answers, ctx->err);
    st = st < 0 ? st : take_answer(ctx, answers, n, out);
    nb_table_release(answers);
    nb_buffer_release(answer);
    nb_strbuf_free(&stream);
    nb_table_release(rows);
    nb_pool_free(pool);
    return st;
}

/* The Python of this process's machine, where the query names none. */
static const char *
python_here(void)
{
    const char *named = getenv("PYSPARK_PYTHON");

    return named != NULL && *named != 0 ? named : "python3";
}

static int64_t
memory_of(const nb_session_info *info)
{
    return info->config ? nb_config_int(info->config, NB_CONF_PYTHON_MEMORY) : 0;
}

nb_status
nb_bind_python(nb_bound_call *call, nb_error *err)
{
    nb_python_function *f = NB_ARENA_NEW(call->arena, nb_python_function);
    nb_str texts[RESULT];

    if (f == NULL) {
        return NB_NOMEM;
    }
    if (call->info->config && nb_config_str(call->info->config, NB_CONF_ALLOWED_PATHS).len > 0) {
        return nb_raise_unsupported(
            err, "A Python function where spark.sql.files.allowedPaths confines queries");
    }
    for (int i = DEFINITION; i < RESULT; i++) {
        const nb_vector *v;

        NB_TRY(nb_bind_constant(call, i, &v, err));
        if (v == NULL || v->type->phys != NB_PHYS_STRING || nb_vector_is_null(v, 0)) {
            return nb_bind_mismatch(call, i, "\"STRING\"", err);
        }
        texts[i] = nb_arena_str(call->arena, nb_view_str(NB_DATA(nb_view, v)));
        if (texts[i].data == NULL) {
            return NB_NOMEM;
        }
    }
    f->python =
        texts[EXECUTABLE].len > 0 ? nb_arena_strdup(call->arena, texts[EXECUTABLE]) : python_here();
    f->memory = nb_arena_printf(call->arena, "%lld", (long long)memory_of(call->info));
    f->name = nb_arena_printf(call->arena, "`%.*s`", (int)texts[NAME].len, texts[NAME].data);
    if (f->python == NULL || f->memory == NULL || f->name == NULL) {
        return NB_NOMEM;
    }
    f->definition = texts[DEFINITION];
    f->settings = texts[SETTINGS];
    /* what a function keeps in its module or its defaults is a query's own */
    f->id = nb_hash_combine(nb_hash_combine(nb_hash_bytes(f->definition.data, f->definition.len),
                                            nb_hash_bytes(f->settings.data, f->settings.len)),
                            (uint64_t)call->info->query_start_us);
    f->owner = nb_arena_str(call->arena, call->info->user);
    if (f->owner.data == NULL) {
        return NB_NOMEM;
    }
    call->type = call->args[RESULT]->type;
    call->nullable = true;
    call->kernel = python_kernel;
    call->payload = f;
    return NB_OK;
}
