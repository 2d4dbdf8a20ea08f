/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan.c: the CSV source: relations opened, and their rows.
 *
 * Each thread claims splits from a shared counter. Only the columns asked for are cut out and converted. Whether a record with too many or too few fields
 * counts as malformed depends, as in Spark, on all columns being read (column pruning hides it).
 */
#include "io/csv/convert.h"
#include "io/csv/csv.h"
#include "io/csv/formats.h"
#include "io/csv/records.h"

#include "base/config.h"
#include "base/log.h"
#include "io/file_source.h"
#include "io/schema_cache.h"

#include <stdlib.h>

#define MORSEL_BYTES (4 << 20)

typedef struct csv_source {
    nb_file_source file;
    const nb_csv_relation *csv;
    int n_columns; /* that go out */
    int *
        slot_of; /* per column: index into need, -1 = corrupt record, else ~partition column - 1 → see OUT_ */
    nb_csv_column *columns; /* per column, where it comes from the file */
    int *need;              /* positions in the record */
    int n_need;
    bool check_count, count_only, keep_bad;
    nb_csv_formats *formats;
    int64_t limit;
} csv_source;

#define FROM_CORRUPT   (-1)
#define FROM_PARTITION (-2) /* and below: ~(column) - 1 */

typedef struct csv_local {
    nb_csv_records records;
    nb_morsel_run run;
    int split; /* index of the claimed split, or -1 */
    int64_t rows_of_split;

} csv_local;

/* ---- header checks ------------------------------------------------------------------------------------------------------------ */

static nb_str
cell_str(const nb_csv_records *r, nb_csv_cell c)
{
    if (c.len == NB_CELL_NULL) {
        return (nb_str){NULL, 0};
    }
    return (nb_str){(c.len & NB_CELL_SIDE ? r->tok.side : r->text) + c.off, NB_CELL_LEN(c)};
}

static void
add_names(nb_strbuf *b, const csv_source *s, const nb_csv_records *r, const nb_csv_cell *cells,
          int n)
{
    const nb_type *schema = s->file.rel->data_schema;
    bool first = true;

    nb_strbuf_adds(b, "\n Header: ");
    for (int i = 0; i < n; i++) {
        nb_str v = cell_str(r, cells[i]);
        nb_strbuf_addf(b, "%s%.*s", i ? ", " : "", v.data ? (int)v.len : 4,
                       v.data ? v.data : "null");
    }
    nb_strbuf_adds(b, "\n Schema: ");
    for (int i = 0; i < schema->n_children; i++) {
        if (i != s->csv->corrupt) {
            nb_strbuf_addf(b, "%s%.*s", first ? "" : ", ", (int)schema->children[i].name.len,
                           schema->children[i].name.data);
            first = false;
        }
    }
}

/* Spark's CSVHeaderChecker: a header that does not fit the schema is a warning, or with enforceSchema=false an error. */
static nb_status
check_header(void *payload, nb_csv_records *r, const nb_csv_cell *cells, int n, nb_error *err)
{
    const csv_source *s = payload;
    const nb_type *schema = s->file.rel->data_schema;
    nb_strbuf b = {0};
    nb_status st = NB_OK;
    nb_str url = s->file.rel->files.files[r->file_index].url;

    if (n != s->csv->n_file_columns) {
        nb_strbuf_addf(&b,
                       "Number of column in CSV header is not equal to number of fields in the "
                       "schema:\n Header length: %d, schema size: %d\nCSV file: %.*s",
                       n, s->csv->n_file_columns, (int)url.len, url.data);
    }
    for (int i = 0, col = 0; i < schema->n_children && b.len == 0; i++) {
        nb_str want = schema->children[i].name, have;
        if (i == s->csv->corrupt) {
            continue;
        }
        have = cell_str(r, cells[col++]);
        if (have.data == NULL || !(s->csv->case_sensitive ? nb_str_equal(have, want)
                                                          : nb_str_equal_nocase(have, want))) {
            nb_strbuf_adds(&b, "CSV header does not conform to the schema.");
            add_names(&b, s, r, cells, n);
            nb_strbuf_addf(&b, "\nExpected: %.*s but found: %.*s\nCSV file: %.*s", (int)want.len,
                           want.data, have.data ? (int)have.len : 4, have.data ? have.data : "null",
                           (int)url.len, url.data);
        }
    }
    if (b.failed) { /* there is something to say, and no memory to say it */
        st = NB_NOMEM;
    } else if (b.len > 0) {
        if (s->csv->o.enforce_schema) {
            nb_log(NB_LOG_WARN, "csv", "%s", b.data ? b.data : "");
        } else {
            st = nb_raise(err, NB_COND_FAILED_READ_FILE, "path", url.data, "reason",
                          b.data ? b.data : "", NULL);
        }
    }
    nb_strbuf_free(&b);
    return st;
}

/* ---- the source --------------------------------------------------------------------------------------------------------------- */

static nb_status
open_local(nb_source *src, nb_pool *pool, void **out, nb_error *err)
{
    csv_source *s = (csv_source *)src;
    csv_local *l = nb_pool_zalloc(pool, sizeof(*l));
    nb_status st;

    if (l == NULL) {
        return NB_NOMEM;
    }
    st = nb_csv_records_init(&l->records, pool, s->file.rel, &s->csv->o, s->need, s->n_need);
    if (st < 0) {
        nb_csv_records_free(&l->records);
        nb_pool_dealloc(pool, l, sizeof(*l));
        return st;
    }
    l->records.cancel = src->cancel;
    l->records.n_expected = s->check_count ? s->csv->n_file_columns : 0;
    l->records.count_only = s->count_only;
    l->records.skip_header = s->csv->o.header;
    if (!s->csv->inferred || !s->csv->o.enforce_schema) {
        l->records.on_header = check_header;
    }
    l->records.payload = s;
    l->split = -1;
    *out = l;
    return NB_OK;
}

static void
close_local(nb_source *src, void *local)
{
    csv_local *l = local;
    nb_pool *pool = l->records.pool;

    nb_csv_records_free(&l->records);
    nb_pool_dealloc(pool, l, sizeof(*l));
}

/* "[1,null,x]" of the row's cells, for FAILFAST. */
static nb_status
raise_malformed(const csv_source *s, csv_local *l, nb_batch *batch, int64_t row, nb_error *err)
{
    nb_strbuf b = {0};
    nb_str url = s->file.rel->files.files[l->records.file_index].url;

    nb_strbuf_adds(&b, "[MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION] Malformed records are "
                       "detected in record parsing: [");
    for (int j = 0; j < s->n_columns; j++) {
        int k = s->slot_of[j];
        nb_str v = {NULL, 0};
        if (k >= 0 && !nb_vector_is_null(&batch->cols[j], row)) {
            v = cell_str(&l->records, l->records.cells[k * NB_BATCH_ROWS + row]);
        }
        nb_strbuf_addf(&b, "%s%.*s", j ? "," : "", v.data ? (int)NB_MIN(v.len, 1000) : 4,
                       v.data ? v.data : "null");
    }
    nb_strbuf_adds(&b, "]. \nParse Mode: FAILFAST. To process malformed records as null result, "
                       "try setting the option 'mode' as 'PERMISSIVE'. SQLSTATE: 22023");
    nb_raise(err, NB_COND_FAILED_READ_FILE, "path", url.data, "reason", b.data ? b.data : "", NULL);
    nb_strbuf_free(&b);
    return NB_ERROR;
}

static nb_status
corrupt_column(const csv_source *s, csv_local *l, const uint64_t *bad, int64_t n, nb_arena *arena,
               const nb_type *type, nb_vector *out)
{
    NB_TRY(nb_vector_alloc(arena, type, n, out));
    out->validity = nb_arena_zalloc(arena, NB_BITMAP_BYTES(n));
    if (out->validity == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        if (nb_bit_get(bad, i)) {
            const char *line = l->records.text + l->records.line_off[i];
            size_t len = l->records.line_len[i];
            if (len > 0 &&
                (line[len - 1] == '\n' || line[len - 1] == '\r')) { /* Scala's stripLineEnd */
                len -= len > 1 && line[len - 1] == '\n' && line[len - 2] == '\r' ? 2 : 1;
            }
            nb_bit_set(out->validity, i);
            NB_DATA(nb_view, out)[i] = nb_view_make(line, len);
        }
    }
    return NB_OK;
}

static nb_status
make_batch(csv_source *s, csv_local *l, int64_t n, nb_arena *scratch, nb_batch *out, nb_error *err)
{
    uint64_t bad[NB_BITMAP_WORDS(NB_BATCH_ROWS)];
    const nb_csv_records *r = &l->records;
    bool any_bad = false;

    memset(bad, 0, sizeof(bad));
    if (r->any_ragged) {
        memcpy(bad, r->ragged, sizeof(bad));
    }
    NB_TRY(nb_batch_init(scratch, s->n_columns, n, out));
    for (int j = 0; j < s->n_columns; j++) {
        int k = s->slot_of[j];
        if (k >= 0) {
            NB_TRY(nb_csv_convert(&s->columns[j], &r->cells[k * NB_BATCH_ROWS], n, r->text,
                                  r->tok.side, scratch, &out->cols[j], bad, err));
        } else if (k <= FROM_PARTITION) {
            NB_TRY(nb_relation_split_column(s->file.rel, &s->file.splits[l->split],
                                            FROM_PARTITION - k, scratch, n, 0, NULL,
                                            &out->cols[j]));
        }
    }
    if (s->keep_bad || s->csv->o.mode != NB_PARSE_PERMISSIVE) {
        for (size_t w = 0; w < NB_BITMAP_WORDS(n); w++) {
            any_bad |= (bad[w] & nb_bitmap_tail_mask(n, w)) != 0;
        }
    }
    for (int j = 0; j < s->n_columns && s->keep_bad; j++) {
        if (s->slot_of[j] == FROM_CORRUPT) {
            NB_TRY(corrupt_column(s, l, bad, n, scratch, s->file.base.schema->children[j].type,
                                  &out->cols[j]));
        }
    }
    if (any_bad && s->csv->o.mode == NB_PARSE_FAILFAST) {
        for (int64_t i = 0; i < n; i++) {
            if (nb_bit_get(bad, i)) {
                return raise_malformed(s, l, out, i, err);
            }
        }
    }
    if (any_bad && s->csv->o.mode == NB_PARSE_DROPMALFORMED) {
        uint32_t *keep = NB_ARENA_ARRAY(scratch, uint32_t, n);
        int64_t m = 0;
        if (keep == NULL) {
            return NB_NOMEM;
        }
        for (int64_t i = 0; i < n; i++) {
            if (!nb_bit_get(bad, i)) {
                keep[m++] = (uint32_t)i;
            }
        }
        NB_TRY(nb_batch_select(out, keep, m));
    }
    return NB_OK;
}

static nb_status
next(nb_source *src, void *local, nb_arena *scratch, nb_batch *out, nb_error *err)
{
    csv_source *s = (csv_source *)src;
    csv_local *l = local;

    for (;;) {
        nb_status st = NB_OK;
        int64_t n, bytes;
        if (nb_cancelled(src->cancel)) {
            return NB_CANCELLED;
        }
        if (l->split < 0) {
            int64_t i = nb_source_claim(src, &l->run);
            if (i < 0) {
                return NB_DONE;
            }
            l->split = (int)i;
            l->rows_of_split = 0;
            st = nb_csv_records_open(&l->records, &s->file.splits[i], err);
        }
        bytes = l->records.bytes;
        st = st < 0 ? st : nb_csv_records_next(&l->records, &n, err);
        if (nb_relation_skips(s->file.rel, st, err)) {
            l->split = -1;
            continue;
        }
        NB_TRY(st);
        atomic_fetch_add_explicit(&src->bytes_read, l->records.bytes - bytes, memory_order_relaxed);
        if (n == 0 || (s->limit >= 0 && l->rows_of_split >= s->limit)) {
            l->split = -1;
            continue;
        }
        l->rows_of_split += n;
        atomic_fetch_add_explicit(&src->rows_read, n, memory_order_relaxed);
        NB_TRY(make_batch(s, l, n, scratch, out, err));
        nb_file_source_place(&s->file, l->split, out);
        if (out->n_rows == 0) {
            continue;
        }
        return NB_OK;
    }
}

static const nb_source_ops CSV_SOURCE = {
    .name = "csv",
    .open_local = open_local,
    .next = next,
    .close_local = close_local,
    .free = nb_file_source_free,
};

static bool
is_splittable(const nb_relation *rel, int file)
{
    const nb_csv_relation *csv = rel->payload;

    return nb_csv_splittable(rel, &csv->o, file);
}

static int
compare_ints(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* Which fields of the records are wanted, and where each column gets its values. */
static nb_status
plan_columns(csv_source *s, const nb_scan_request *request, nb_error *err)
{
    const nb_relation *rel = s->file.rel;
    const nb_csv_relation *csv = s->csv;
    int n = request->n_columns, n_data = 0, n_corrupt = 0;
    nb_field *fields = NB_ARENA_ARRAY(s->file.arena, nb_field, n + 1);

    s->n_columns = n;
    s->slot_of = NB_ARENA_ARRAY(s->file.arena, int, n + 1);
    s->need = NB_ARENA_ARRAY(s->file.arena, int, n + csv->n_file_columns + 1);
    s->columns = nb_arena_zalloc(s->file.arena, (size_t)(n + 1) * sizeof(*s->columns));
    if (fields == NULL || s->slot_of == NULL || s->need == NULL || s->columns == NULL) {
        return NB_NOMEM;
    }
    for (int j = 0; j < n; j++) {
        int source = rel->source_of[request->columns[j]];
        fields[j] = rel->columns->children[request->columns[j]];
        if (source < 0) {
            s->slot_of[j] = FROM_PARTITION - ~source;
        } else if (source == csv->corrupt) {
            s->slot_of[j] = FROM_CORRUPT;
            s->keep_bad = true;
            n_corrupt++;
        } else {
            int column = csv->file_column[source], known = 0;
            n_data++;
            for (int k = 0; k < s->n_need; k++) {
                known |= s->need[k] == column;
            }
            if (!known) {
                s->need[s->n_need++] = column;
            }
        }
    }
    if (n_corrupt > 0 && n_data == 0 && csv->n_file_columns > 0) {
        return nb_raise(err, NB_COND_QUERY_ONLY_CORRUPT_RECORD_COLUMN, NULL);
    }
    /* Without pruning every record is parsed in full and its number of fields checked. */
    s->check_count = s->n_need == csv->n_file_columns || !csv->o.column_pruning;
    s->count_only = s->n_need == 0 && csv->o.column_pruning && !s->keep_bad && !csv->o.multi_line;
    if (s->n_need > 1) {
        qsort(s->need, (size_t)s->n_need, sizeof(int), compare_ints);
    }
    for (int j = 0; j < n; j++) {
        int source = rel->source_of[request->columns[j]];
        if (source >= 0 && source != csv->corrupt) {
            for (int k = 0; k < s->n_need; k++) {
                if (s->need[k] == csv->file_column[source]) {
                    s->slot_of[j] = k;
                }
            }
            nb_csv_column_init(&s->columns[j], fields[j].type, &csv->o, s->formats->info,
                               s->formats);
        }
    }
    s->file.base.schema = nb_type_struct(fields, n);
    return s->file.base.schema ? NB_OK : NB_NOMEM;
}

static nb_status
csv_scan(nb_relation *rel, nb_pool *pool, const nb_scan_request *request, nb_source **out,
         nb_error *err)
{
    nb_file_source *made;
    csv_source *s;
    nb_status st;

    NB_TRY(nb_file_source_new(rel, pool, request, &CSV_SOURCE, sizeof(*s), &made));
    s = (csv_source *)made;
    s->csv = rel->payload;
    s->limit = request->limit;
    st = nb_csv_formats_new(made->arena, &s->csv->o, request->info, false, &s->formats, err);
    st = st < 0 ? st : plan_columns(s, request, err);
    st = st < 0 ? st : nb_file_source_split(made, request, is_splittable, MORSEL_BYTES);
    if (st < 0) {
        nb_file_source_free(&made->base);
        return st;
    }
    *out = &made->base;
    return NB_OK;
}

/* ---- the relation ------------------------------------------------------------------------------------------------------------- */

static nb_status
csv_open(nb_relation *rel, const nb_read_request *request, nb_error *err)
{
    nb_csv_relation *csv = NB_ARENA_NEW(rel->arena, nb_csv_relation);
    nb_schema_key key;
    nb_str v;

    if (csv == NULL) {
        return NB_NOMEM;
    }
    rel->payload = csv;
    NB_TRY(nb_csv_options_read(rel->arena, rel->options, rel->n_options, &csv->o, err));
    if (request->info && request->info->config) {
        if (nb_config_get(request->info->config, NB_STR("spark.sql.caseSensitive"), &v)) {
            nb_str_to_bool(v, &csv->case_sensitive);
        }
        if (nb_option_find(rel->options, rel->n_options, "columnNameOfCorruptRecord").data ==
                NULL &&
            nb_config_get(request->info->config, NB_STR("spark.sql.columnNameOfCorruptRecord"),
                          &v)) {
            csv->o.corrupt_column = nb_arena_str(rel->arena, v);
            if (csv->o.corrupt_column.data == NULL) {
                return NB_NOMEM;
            }
        }
    }
    if (csv->o.sep.len == 0 && rel->files.n_files > 0) { /* Spark's tasks find that out */
        return nb_raise(err, NB_COND_FAILED_READ_FILE, "path", rel->files.files[0].url.data,
                        "reason", "Delimiter cannot be empty", NULL);
    }
    if (nb_option_find(rel->options, rel->n_options, "columnPruning").data == NULL) {
        csv->o.column_pruning &= nb_config_bool(request->info ? request->info->config : NULL,
                                                NB_CONF_CSV_PARSER_PRUNING);
    }
    if (rel->data_schema == NULL) {
        if (rel->files.n_files == 0) {
            return NB_OK; /* UNABLE_TO_INFER_SCHEMA */
        }
        NB_TRY(nb_schema_key_of(rel, request->info, &key));
        rel->data_schema = nb_schema_cache_find(&key);
        if (rel->data_schema == NULL) {
            NB_TRY(nb_csv_infer(rel, csv, request, &rel->data_schema, err));
            nb_schema_cache_put(&key, rel->data_schema);
        }
    }
    csv->inferred = request->schema == NULL;
    csv->corrupt = -1;
    csv->file_column = NB_ARENA_ARRAY(rel->arena, int, rel->data_schema->n_children + 1);
    if (csv->file_column == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < rel->data_schema->n_children; i++) {
        if (csv->corrupt < 0 && request->schema != NULL &&
            nb_str_equal(rel->data_schema->children[i].name, csv->o.corrupt_column)) {
            NB_TRY(nb_check_corrupt_column(rel->arena, &rel->data_schema->children[i], err));
            csv->corrupt = i;
            csv->file_column[i] = -1;
        } else {
            csv->file_column[i] = csv->n_file_columns++;
        }
    }
    return NB_OK;
}

static bool
csv_supports(const nb_type *type, bool writing)
{
    switch (nb_type_storage(type)->id) {
    case NB_TYPE_INTERVAL_YM:
    case NB_TYPE_INTERVAL_DT: return writing;
    default: return nb_csv_supports(type);
    }
}

const nb_format nb_format_csv = {
    .title = "CSV",
    .takes_same_names = true,
    .open = csv_open,
    .scan = csv_scan,
    .supports = csv_supports,
    .write_open = nb_csv_write_open,
    .file_open = nb_csv_file_open,
    .file_push = nb_csv_file_push,
    .file_close = nb_csv_file_close,
    .file_abort = nb_csv_file_abort,
};
