/* SPDX-License-Identifier: Apache-2.0 */
/* A whole Parquet file: footer, statistics, pages of every codec, read to the end with a filter or fails with an error. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/pool.h"
#include "column/batch.h"
#include "expr/registry.h"
#include "io/relation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* first column = its value 3, where such a comparison exists. */
static nb_expr *
filter_of(nb_arena *arena, const nb_session_info *info, const nb_type *schema)
{
    nb_expr *args[2], *out = NULL;
    nb_error err = NB_ERROR_INIT;

    if (schema->n_children == 0) {
        return NULL;
    }
    args[0] = nb_expr_column(arena, 1, NB_STR("c"), schema->children[0].type, true);
    args[1] = nb_expr_int32(arena, 3);
    if (args[0] && args[1]) {
        args[0]->u.column.ordinal = 0;
        (void)nb_function_bind(arena, info, nb_function_find(NB_STR("<=>")), NB_STR("<=>"), args, 2,
                               NULL, &out, &err);
    }
    nb_error_clear(&err);
    return out;
}

static void
read_all(nb_relation *rel, nb_pool *pool, const nb_session_info *info, bool filtered)
{
    const nb_type *schema = nb_relation_schema(rel);
    nb_arena *arena = nb_arena_new(pool);
    int n = schema->n_children < 64 ? schema->n_children : 64;
    int columns[64];
    bool applied[1] = {false};
    nb_expr *filter = filtered ? filter_of(arena, info, schema) : NULL;
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
        read_all(rel, pool, &info, false);
        read_all(rel, pool, &info, true);
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
