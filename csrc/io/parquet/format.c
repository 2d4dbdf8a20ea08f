/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format.c: Parquet as a format: footers are read once, when the relation is opened; the schema is the first file's.
 */
#include "io/parquet/parquet.h"

/* A footer that cannot be read is told as such where the columns are wanted of it; with a schema Spark's tasks are the first to read. */
static nb_status
read_footer(nb_relation *rel, int f, bool given, nb_pq_meta **out, nb_error *err)
{
    const char *path = rel->files.files[f].path.data, *reason;
    nb_error fault = NB_ERROR_INIT;
    nb_file *file;
    nb_status st = nb_file_open(rel->pool, path, &file, &fault);

    if (st >= 0) {
        st = nb_pq_meta_read(file, rel->pool, rel->arena, out, &fault);
        nb_file_close(file);
    }
    if (st == NB_ERROR && given == (fault.condition == NB_COND_CANNOT_READ_FILE_FOOTER)) {
        reason = nb_error_param(&fault, "reason");
        if (given) {
            nb_raise_unreadable(err, path, reason ? reason : "");
        } else {
            nb_raise(err, NB_COND_CANNOT_READ_FILE_FOOTER, "path",
                     nb_path_message(rel->arena, rel->files.files[f].path), "reason",
                     reason ? reason : "", NULL);
        }
        nb_error_clear(&fault);
    } else if (st == NB_ERROR) {
        nb_error_move(&fault, err);
    }
    return st;
}

static nb_status
pq_open(nb_relation *rel, const nb_read_request *request, nb_error *err)
{
    nb_pq_relation *p = NB_ARENA_NEW(rel->arena, nb_pq_relation);
    int64_t rows = 0;
    bool unused;

    if (!p) {
        return NB_NOMEM;
    }
    NB_TRY(nb_option_to_bool(rel->options, rel->n_options, "mergeSchema", false, &unused, err));
    rel->payload = p;
    p->metas = NB_ARENA_ARRAY(rel->arena, nb_pq_meta *, rel->files.n_files + 1);
    if (!p->metas) {
        return NB_NOMEM;
    }
    for (int f = 0; f < rel->files.n_files;) {
        nb_status st = read_footer(rel, f, request->schema != NULL, &p->metas[f], err);
        if (nb_relation_skips(rel, st, err)) {
            rel->files.n_files--;
            memmove(&rel->files.files[f], &rel->files.files[f + 1],
                    (size_t)(rel->files.n_files - f) * sizeof(*rel->files.files));
            continue;
        }
        NB_TRY(st);
        rows += p->metas[f++]->n_rows;
    }
    rel->n_rows = rows;
    if (!rel->data_schema && rel->files.n_files) {
        NB_TRY(nb_pq_infer(rel, request->info, &rel->data_schema, err));
    }
    return NB_OK;
}

static bool
pq_supports(const nb_type *type, bool writing)
{
    switch (type->id) {
    case NB_TYPE_BOOL:
    case NB_TYPE_INT8:
    case NB_TYPE_INT16:
    case NB_TYPE_INT32:
    case NB_TYPE_INT64:
    case NB_TYPE_FLOAT32:
    case NB_TYPE_FLOAT64:
    case NB_TYPE_DECIMAL:
    case NB_TYPE_STRING:
    case NB_TYPE_CHAR:
    case NB_TYPE_VARCHAR:
    case NB_TYPE_BINARY:
    case NB_TYPE_DATE:
    case NB_TYPE_TIMESTAMP:
    case NB_TYPE_TIMESTAMP_NTZ:
    case NB_TYPE_INTERVAL_YM:
    case NB_TYPE_INTERVAL_DT:
    case NB_TYPE_NULL: return true;
    case NB_TYPE_ARRAY:
    case NB_TYPE_MAP:
    case NB_TYPE_STRUCT:
    case NB_TYPE_UDT:
        for (int i = 0; i < type->n_children; i++) {
            if (!pq_supports(type->children[i].type, writing)) {
                return false;
            }
        }
        return !writing || type->id != NB_TYPE_STRUCT || type->n_children > 0;
    default: return false;
    }
}

const nb_format nb_format_parquet = {
    .title = "Parquet",
    .numbers_rows = true,
    .reads_fields = true,
    .open = pq_open,
    .scan = nb_pq_scan,
    .column_stats = nb_pq_column_stats,
    .column_bounds = nb_pq_column_bounds,
    .supports = pq_supports,
    .write_open = nb_pq_write_open,
    .file_open = nb_pq_file_open,
    .file_push = nb_pq_file_push,
    .file_close = nb_pq_file_close,
    .file_abort = nb_pq_file_abort,
    .file_bytes = nb_pq_file_bytes,
    .file_flush = nb_pq_file_flush,
    .most_open = 16, /* more would leave few rows to each row group */
};
