/* SPDX-License-Identifier: Apache-2.0 */
/* A whole Parquet file: footer, statistics, indexes, bloom filters, pages of every codec and encoding, lists and structs, read to the end with a filter or fails with an error. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/pool.h"
#include "column/batch.h"
#include "expr/registry.h"
#include "io/relation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A constant of a type that bounds, bloom filters and page indexes are asked for. */
static nb_expr *
constant_of(nb_arena *arena, const nb_type *type)
{
    switch (type->id) {
    case NB_TYPE_INT64: return nb_expr_int64(arena, 3);
    case NB_TYPE_FLOAT64: return nb_expr_double(arena, 3);
    case NB_TYPE_STRING: return nb_expr_string(arena, NB_STR("3"));
    default: return nb_expr_int32(arena, 3);
    }
}

/* first column <op> 3, where such a comparison exists. */
static nb_expr *
filter_of(nb_arena *arena, const nb_session_info *info, const nb_type *schema, const char *op)
{
    nb_expr *args[2], *out = NULL;
    nb_error err = NB_ERROR_INIT;

    if (schema->n_children == 0) {
        return NULL;
    }
    args[0] = nb_expr_column(arena, 1, NB_STR("c"), schema->children[0].type, true);
    args[1] = constant_of(arena, schema->children[0].type);
    if (args[0] && args[1]) {
        args[0]->u.column.ordinal = 0;
        (void)nb_function_bind(arena, info, nb_function_find(nb_str_of(op)), nb_str_of(op), args, 2,
                               NULL, &out, &err);
    }
    nb_error_clear(&err);
    return out;
}

/* op: of a filter; NULL: none. */
static void
read_all(nb_relation *rel, nb_pool *pool, const nb_session_info *info, const char *op)
{
    const nb_type *schema = nb_relation_schema(rel);
    nb_arena *arena = nb_arena_new(pool);
    int n = schema->n_children < 64 ? schema->n_children : 64;
    int columns[64];
    bool applied[1] = {false};
    nb_expr *filter = op ? filter_of(arena, info, schema, op) : NULL;
    nb_scan_request request = {.columns = columns,
                               .n_columns = n,
                               .filters = &filter,
                               .n_filters = filter != NULL,
                               .applied = applied,
                               .limit = -1,
                               .n_threads = 2,
                               .info = info};
    nb_source *source = NULL;
    nb_error err = NB_ERROR_INIT;
    void *local = NULL;
    nb_batch batch;

    for (int c = 0; c < n; c++) {
        nb_column_stats stats;
        columns[c] = c;
        nb_relation_column_stats(rel, c, &stats);
    }
    if (nb_relation_scan(rel, pool, &request, &source, &err) == NB_OK) {
        if (source->ops->open_local(source, pool, &local, &err) == NB_OK) {
            nb_arena *scratch = nb_arena_new(pool);
            while (source->ops->next(source, local, scratch, &batch, &err) == NB_OK) {
                for (int c = 0; c < batch.n_cols; c++) {
                    uint64_t hashes[NB_BATCH_ROWS];
                    nb_vector_hash(&batch.cols[c], batch.n_rows, hashes, false);
                }
                nb_arena_reset(scratch);
            }
            nb_arena_free(scratch);
        }
        if (local) {
            source->ops->close_local(source, local);
        }
        source->ops->free(source);
    }
    nb_error_clear(&err);
    nb_arena_free(arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[] = "/tmp/nbaspark-fuzz-XXXXXX.parquet";
    int fd = mkstemps(path, 8);
    nb_pool *pool = nb_pool_new(NULL, "fuzz", (size_t)1 << 30);
    nb_session_info info = {.ansi = true, .time_zone = NB_STR("UTC")};
    nb_str paths[1] = {nb_str_of(path)};
    nb_read_request request = {
        .format = NB_STR("parquet"), .paths = paths, .n_paths = 1, .info = &info, .n_threads = 1};
    nb_relation *rel = NULL;
    nb_error err = NB_ERROR_INIT;

    if (fd >= 0 && pool && write(fd, data, size) == (ssize_t)size &&
        nb_relation_open(pool, &request, &rel, &err) == NB_OK) {
        read_all(rel, pool, &info, NULL);
        read_all(rel, pool, &info, "=");
        read_all(rel, pool, &info, "<=>");
    }
    nb_relation_release(rel);
    nb_error_clear(&err);
    nb_pool_free(pool);
    if (fd >= 0) {
        close(fd);
        unlink(path);
    }
    return 0;
}
