/* SPDX-License-Identifier: Apache-2.0 */
/*
 * infer.c: names and types of a CSV relation, from a full pass over the files.
 *
 * As Spark's CSVInferSchema: each column starts as null and climbs int → bigint → decimal → double → date → timestamp → boolean → string; a value is only tried
 * against the type its column has by now, so most cells cost one parse, and a column that has become string is not cut out any more. Threads climb
 * on their own splits and are joined at the end: what two of them found is widened like two values are.
 */
#include "io/csv/convert.h"
#include "io/csv/csv.h"
#include "io/csv/formats.h"
#include "io/csv/records.h"
#include "io/line_sample.h"
#include "io/lines.h"

#include "base/config.h"
#include "base/decimal.h"
#include "base/thread.h"
#include "expr/date_text.h"
#include "expr/local_time.h"
#include "expr/number_quick.h"

#define MORSEL_BYTES (4 << 20)
#define MAX_THREADS  256

typedef enum guess {
    G_NULL,
    G_INT,
    G_LONG,
    G_DECIMAL,
    G_DOUBLE,
    G_DATE,
    G_NTZ,
    G_TIMESTAMP,
    G_BOOL,
    G_STRING
} guess;

typedef struct column_guess {
    guess kind;
    int precision; /* of G_DECIMAL; its scale is 0 */
} column_guess;

typedef struct inference {
    nb_relation *rel;
    const nb_csv_relation *csv;
    const nb_read_request *request;
    const nb_csv_formats *formats;
    nb_file_split *splits;
    int64_t n_splits;
    atomic_int next_split;
    nb_str header_line; /* its text: every line like it is passed over */
    int n_columns;
    bool ntz;     /* spark.sql.timestampType */
    bool samples; /* samplingRatio leaves lines out */
    /* one per thread */
    column_guess *guesses; /* [thread * n_columns + i] */
    nb_status status[MAX_THREADS];
    nb_error errors[MAX_THREADS];
} inference;

static bool
same_text(const char *p, size_t n, nb_str s)
{
    return n == s.len && memcmp(p, s.data, n) == 0;
}

/* ---- one value ---------------------------------------------------------------------------------------------------------------- */

static guess
try_bool(const char *p, size_t n)
{
    bool v;

    return nb_csv_parse_bool(p, n, &v) ? G_BOOL : G_STRING;
}

static guess
try_timestamp(const inference *f, const char *p, size_t n)
{
    int64_t us;
    nb_str s = {p, n};
    bool ok = f->formats->timestamp ? nb_csv_format_timestamp(f->formats, s, &us)
                                    : nb_parse_timestamp(f->formats->info, s, &us);

    return ok ? G_TIMESTAMP : try_bool(p, n);
}

static guess
try_ntz(const inference *f, const char *p, size_t n)
{
    int64_t us;
    nb_str s = {p, n};

    if (!f->ntz) { /* Spark tries it only where it is the default timestamp type */
        return try_timestamp(f, p, n);
    }
    if (f->formats->timestamp_ntz ? nb_csv_format_timestamp_ntz(f->formats, s, &us)
                                  : nb_csv_default_ntz(s, &us)) {
        return G_NTZ;
    }
    return try_timestamp(f, p, n);
}

static guess
try_date(const inference *f, const char *p, size_t n)
{
    int32_t days;
    bool ok = f->formats->date ? nb_csv_format_date(f->formats, (nb_str){p, n}, &days)
                               : nb_parse_iso_date(p, n, &days);

    return ok ? G_DATE : try_ntz(f, p, n);
}

static guess
try_double(const inference *f, const char *p, size_t n)
{
    const nb_csv_options *o = &f->csv->o;
    double d;

    if (nb_csv_parse_double(p, n, &d) || same_text(p, n, o->nan_value) ||
        same_text(p, n, o->negative_inf) || same_text(p, n, o->positive_inf)) {
        return G_DOUBLE;
    }
    return o->prefer_date ? try_date(f, p, n) : try_ntz(f, p, n);
}

static guess
try_decimal(const inference *f, const char *p, size_t n, int *precision)
{
    char plain[64];
    nb_str number = {p, n};
    nb_int128 v;
    int scale;

    if (n <= 64 &&
        (f->csv->o.locale == nb_locale_default() ||
         nb_locale_decimal(f->csv->o.locale, number, plain, sizeof plain, &number)) &&
        nb_decimal_parse_exact(number, &v, precision, &scale) == NB_DECIMAL_OK && scale == 0 &&
        memchr(p, 'e', n) == NULL && memchr(p, 'E', n) == NULL) {
        return G_DECIMAL;
    }
    return try_double(f, p, n);
}

static guess
try_long(const inference *f, const char *p, size_t n, int *precision)
{
    int64_t v;

    return nb_csv_parse_int64(p, n, &v) ? G_LONG : try_decimal(f, p, n, precision);
}

/* Dates and timestamps in one column are timestamps where the timestamp parser would read the dates too. */
static bool
dates_are_timestamps(const inference *f, guess timestamp)
{
    static const char *const LENIENT[] = {"yyyy-MM-dd", "yyyy-M-d", "yyyy-M-dd", "yyyy-MM-d",
                                          "yyyy-MM",    "yyyy-M",   "yyyy"};
    nb_str date = f->csv->o.date_format.data ? f->csv->o.date_format : NB_STR("yyyy-MM-dd");

    if (timestamp == G_NTZ ? f->formats->timestamp_ntz != NULL : f->formats->timestamp != NULL) {
        return false;
    }
    for (size_t i = 0; i < NB_COUNT_OF(LENIENT); i++) {
        if (nb_str_equal(date, nb_str_of(LENIENT[i]))) {
            return true;
        }
    }
    return false;
}

static void
widen(const inference *f, column_guess *a, guess kind, int precision)
{
    if (kind == G_NULL || (a->kind == kind && kind != G_DECIMAL)) {
        return;
    }
    if (a->kind == G_NULL) {
        *a = (column_guess){kind, precision};
        return;
    }
    if (a->kind <= G_DECIMAL && kind <= G_DECIMAL) {
        if (a->kind < G_DECIMAL && kind < G_DECIMAL) {
            a->kind = G_LONG;
            return;
        }
        int pa = a->kind == G_DECIMAL ? a->precision : a->kind == G_LONG ? 20 : 10;
        int pb = kind == G_DECIMAL ? precision : kind == G_LONG ? 20 : 10;
        *a = (column_guess){G_DECIMAL, NB_MAX(pa, pb)};
        return;
    }
    if (a->kind <= G_DOUBLE && kind <= G_DOUBLE) {
        a->kind = G_DOUBLE;
    } else if ((a->kind == G_NTZ && kind == G_TIMESTAMP) ||
               (a->kind == G_TIMESTAMP && kind == G_NTZ)) {
        a->kind = G_TIMESTAMP;
    } else if (a->kind == G_DATE && (kind == G_NTZ || kind == G_TIMESTAMP)) {
        a->kind = dates_are_timestamps(f, kind) ? kind : G_STRING;
    } else if (kind == G_DATE && (a->kind == G_NTZ || a->kind == G_TIMESTAMP)) {
        a->kind = dates_are_timestamps(f, a->kind) ? a->kind : G_STRING;
    } else {
        a->kind = G_STRING;
    }
}

static NB_NOINLINE void
climb(const inference *f, column_guess *g, const char *p, size_t n)
{
    guess kind = G_STRING;
    int precision = 0;
    int32_t small;

    switch (g->kind) {
    case G_NULL:
    case G_INT:
        kind = nb_csv_parse_int32(p, n, &small) ? G_INT : try_long(f, p, n, &precision);
        break;
    case G_LONG: kind = try_long(f, p, n, &precision); break;
    case G_DECIMAL: kind = try_decimal(f, p, n, &precision); break;
    case G_DOUBLE: kind = try_double(f, p, n); break;
    case G_DATE: kind = try_date(f, p, n); break;
    case G_NTZ: kind = try_ntz(f, p, n); break;
    case G_TIMESTAMP: kind = try_timestamp(f, p, n); break;
    case G_BOOL: kind = try_bool(p, n); break;
    case G_STRING: return;
    }
    widen(f, g, kind, precision);
}

/* ---- columns of a batch --------------------------------------------------------------------------------------------------------- */

/* Cells that agree with the guess are passed over quickly; the first that does not makes it climb. */
static void
infer_column(const inference *f, column_guess *g, const nb_csv_cell *cells, const uint64_t *skip,
             int64_t n, const char *base, const char *side)
{
    nb_str null_value = f->csv->o.null_value;

    for (int64_t i = 0; i < n && g->kind != G_STRING; i++) {
        nb_csv_cell c = cells[i];
        const char *p;
        size_t len;
        bool fits = false;
        int32_t i32;
        int64_t i64;
        double d;
        size_t point, sign;
        if (c.len == NB_CELL_NULL || NB_CELL_LEN(c) == 0 || (skip && nb_bit_get(skip, i))) {
            continue;
        }
        p = (c.len & NB_CELL_SIDE ? side : base) + c.off;
        len = NB_CELL_LEN(c);
        sign = *p == '-';
        if (g->kind <= G_DOUBLE && len > sign && len - sign <= (g->kind == G_INT ? 9u : 16u) &&
            nb_is_plain_number(p + sign, len - sign, &point) &&
            (point == len - sign || g->kind == G_DOUBLE) && g->kind != G_NULL &&
            g->kind != G_DECIMAL) {
            continue;
        }
        switch (g->kind) {
        case G_INT: fits = nb_csv_parse_int32(p, len, &i32); break;
        case G_LONG: fits = nb_csv_parse_int64(p, len, &i64); break;
        case G_DOUBLE: fits = nb_csv_parse_double(p, len, &d); break;
        case G_DATE: fits = f->formats->date == NULL && nb_parse_iso_date(p, len, &i32); break;
        default: break;
        }
        if (!fits && !(null_value.len && same_text(p, len, null_value))) {
            climb(f, g, p, len);
        }
    }
}

/* Marks rows that repeat the header's text, or that the sample (NULL: of all) leaves out. */
static bool
rows_to_skip(const inference *f, const nb_csv_records *r, int64_t n, nb_line_sample *sample,
             uint64_t *skip)
{
    bool any = false;

    if (f->header_line.data == NULL && sample == NULL) {
        return false;
    }
    memset(skip, 0, NB_BITMAP_BYTES(n));
    for (int64_t i = 0; i < n; i++) {
        bool out = f->header_line.data != NULL &&
                   same_text(r->text + r->line_off[i], r->line_len[i], f->header_line);
        if (sample != NULL) {
            out |= !nb_line_sample_takes(sample);
        }
        if (out) {
            nb_bit_set(skip, i);
            any = true;
        }
    }
    return any;
}

/* ---- a sample of lines ---------------------------------------------------------------------------------------------------------- */

static nb_status
infer_line(const inference *f, column_guess *guesses, nb_csv_records *r, nb_str line, nb_error *err)
{
    nb_csv_result result;

    if (nb_csv_passes_over(&f->csv->o, line) ||
        (f->header_line.data != NULL && nb_str_equal(line, f->header_line))) {
        return NB_OK;
    }
    nb_csv_tokenizer_reset(&r->tok);
    result = nb_csv_tokenize_line(&r->tok, line.data, line.len);
    if (result > NB_CSV_NOTHING) {
        return nb_csv_records_raise(r, result, err);
    }
    for (int i = 0; i < NB_MIN(f->n_columns, r->tok.n_cells); i++) {
        infer_column(f, &guesses[i], &r->tok.cells[i], NULL, 1, line.data, r->tok.side);
    }
    return NB_OK;
}

/* The sampled lines of one file's split. Comments, empty lines and the header are drawn for like all others, and only then passed over. */
static nb_status
sample_split(const inference *f, column_guess *guesses, nb_csv_records *r, nb_lines *lines,
             const nb_file_split *split, nb_line_sample *sample, nb_error *err)
{
    r->file_index = split->file;
    NB_TRY(nb_lines_open(lines, split, err));
    for (;;) {
        nb_str line;
        bool found;

        NB_TRY(nb_lines_next(lines, &line, &found, err));
        if (!found) {
            return NB_OK;
        }
        if (nb_line_sample_takes(sample)) {
            NB_TRY(infer_line(f, guesses, r, line, err));
        }
    }
}

static nb_status
infer_sampled(inference *f, column_guess *guesses, nb_error *err)
{
    nb_csv_records r; /* its tokenizer, and its messages */
    nb_lines lines;
    int none = 0;
    int64_t at;
    nb_status st;

    nb_lines_init(&lines, f->rel->pool, f->rel, f->request->cancel);
    lines.sep = f->csv->o.line_sep;
    lines.charset = f->csv->o.charset;
    NB_TRY_GOTO(st, nb_csv_records_init(&r, f->rel->pool, f->rel, &f->csv->o, &none, 0), done);
    while ((at = atomic_fetch_add(&f->next_split, 1)) < f->n_splits) {
        nb_line_sample sample;

        if (!nb_split_begins_partition(f->splits, at)) {
            continue;
        }
        nb_line_sample_begin(&sample, f->csv->o.sampling_ratio, false, f->splits[at].partition);
        do {
            st = sample_split(f, guesses, &r, &lines, &f->splits[at], &sample, err);
            if (!nb_relation_skips(f->rel, st, err)) {
                NB_TRY_GOTO(st, st, done);
            }
        } while (++at < f->n_splits && !nb_split_begins_partition(f->splits, at));
    }
    st = NB_OK;
done:
    nb_csv_records_free(&r);
    nb_lines_free(&lines);
    return st;
}

/* ---- all lines ------------------------------------------------------------------------------------------------------------------ */

static nb_status
infer_splits(inference *f, column_guess *guesses, nb_error *err)
{
    nb_csv_records r;
    uint64_t skip[NB_BITMAP_WORDS(NB_BATCH_ROWS)];
    nb_arena *arena = nb_arena_new(f->rel->pool);
    int *need = arena ? NB_ARENA_ARRAY(arena, int, f->n_columns + 1) : NULL;
    int *all = arena ? NB_ARENA_ARRAY(arena, int, f->n_columns + 1) : NULL;
    nb_status st = NB_NOMEM;
    int at;

    if (need == NULL || all == NULL) {
        nb_arena_free(arena);
        return NB_NOMEM;
    }
    for (int i = 0; i < f->n_columns; i++) {
        all[i] = need[i] = i;
    }
    NB_TRY_GOTO(st, nb_csv_records_init(&r, f->rel->pool, f->rel, &f->csv->o, need, f->n_columns),
                done);
    r.cancel = f->request->cancel;
    r.skip_header = f->csv->o.multi_line && f->csv->o.header;
    while ((at = atomic_fetch_add(&f->next_split, 1)) < f->n_splits) {
        nb_line_sample sample;
        if (f->samples) { /* of multiLine, where a file is a partition */
            nb_line_sample_begin(&sample, f->csv->o.sampling_ratio, true, at);
        }
        st = nb_csv_records_open(&r, &f->splits[at], err);
        for (;;) {
            int64_t n;
            int kept = 0;
            bool skips;
            st = st < 0 ? st : nb_csv_records_next(&r, &n, err);
            if (nb_relation_skips(f->rel, st, err)) {
                break;
            }
            NB_TRY_GOTO(st, st, done);
            if (n == 0) {
                break;
            }
            skips = rows_to_skip(f, &r, n, f->samples ? &sample : NULL, skip);
            for (int k = 0; k < r.n_need; k++) {
                infer_column(f, &guesses[need[k]], &r.cells[k * NB_BATCH_ROWS], skips ? skip : NULL,
                             n, r.text, r.tok.side);
                if (guesses[need[k]].kind != G_STRING) {
                    all[kept++] = need[k];
                }
            }
            if (kept <
                r.n_need) { /* strings stay strings: from the next batch on they are not looked at */
                memcpy(need, all, (size_t)kept * sizeof(int));
                r.n_need = kept;
            }
        }
    }
    st = NB_OK;
done:
    nb_csv_records_free(&r);
    nb_arena_free(arena);
    return st;
}

static void
infer_thread(void *payload, int i)
{
    inference *f = payload;
    column_guess *guesses = f->guesses + (size_t)i * (size_t)f->n_columns;

    f->status[i] = f->samples && !f->csv->o.multi_line ? infer_sampled(f, guesses, &f->errors[i])
                                                       : infer_splits(f, guesses, &f->errors[i]);
}

/* ---- the header ----------------------------------------------------------------------------------------------------------------- */

static nb_str
text_of(const nb_csv_records *r, nb_csv_cell c)
{
    if (c.len == NB_CELL_NULL) {
        return (nb_str){NULL, 0};
    }
    return (nb_str){(c.len & NB_CELL_SIDE ? r->tok.side : r->text) + c.off, NB_CELL_LEN(c)};
}

static nb_status
header_names(inference *f, const nb_csv_records *r, nb_str *names)
{
    const nb_csv_options *o = &f->csv->o;
    nb_arena *arena = f->rel->arena;
    int n = f->n_columns;

    for (int i = 0; i < n; i++) {
        nb_str v = text_of(r, r->tok.cells[i]);
        bool twice = false;
        char *name;
        for (int k = 0; k < n && v.len && o->header; k++) {
            nb_str other = text_of(r, r->tok.cells[k]);
            twice |=
                k != i && other.data &&
                (f->csv->case_sensitive ? nb_str_equal(v, other) : nb_str_equal_nocase(v, other));
        }
        if (!o->header || v.len == 0 || nb_str_equal(v, o->null_value)) {
            name = nb_arena_printf(arena, "_c%d", i);
        } else if (twice) {
            name = nb_arena_printf(arena, "%.*s%d", (int)v.len, v.data, i);
        } else {
            name = nb_arena_strdup(arena, v);
        }
        if (name == NULL) {
            return NB_NOMEM;
        }
        names[i] = nb_str_of(name);
    }
    return NB_OK;
}

/* Reads the first record of the first file that has one. */
static nb_status
read_header(inference *f, nb_str **names, nb_error *err)
{
    nb_csv_records r;
    int first = 0;
    nb_status st;

    *names = NULL;
    NB_TRY_GOTO(st, nb_csv_records_init(&r, f->rel->pool, f->rel, &f->csv->o, &first, 1), done);
    r.cancel = f->request->cancel;
    r.block_bytes = 65536;
    r.one_row = true;
    for (int i = 0; i < f->rel->files.n_files; i++) {
        nb_file_split whole = {
            .file = i, .from = 0, .to = NB_MAX(f->rel->files.files[i].n_bytes, 1)};
        nb_csv_result result;
        int64_t n;
        st = nb_csv_records_open(&r, &whole, err);
        st = st < 0 ? st : nb_csv_records_next(&r, &n, err);
        if (nb_relation_skips(f->rel, st, err)) {
            continue;
        }
        NB_TRY_GOTO(st, st, done);
        if (n == 0) {
            continue;
        }
        if (!f->csv->o.multi_line) {
            /* once more through the tokenizer, for all cells */
            nb_str line = {r.text + r.line_off[0], r.line_len[0]};
            result = nb_csv_tokenize_line(&r.tok, line.data, line.len);
            if (result > NB_CSV_NOTHING) {
                st = nb_csv_records_raise(&r, result, err);
                goto done;
            }
            if (f->csv->o.header) {
                f->header_line = nb_arena_str(f->rel->arena, line);
                NB_TRY_GOTO(st, f->header_line.data ? NB_OK : NB_NOMEM, done);
            }
        }
        f->n_columns = r.tok.n_cells;
        *names = NB_ARENA_ARRAY(f->rel->arena, nb_str, f->n_columns + 1);
        st = *names ? header_names(f, &r, *names) : NB_NOMEM;
        goto done;
    }
    st = NB_OK;
done:
    nb_csv_records_free(&r);
    return st;
}

static bool
is_splittable(const nb_relation *rel, int file)
{
    const nb_csv_relation *csv = rel->payload;

    return nb_csv_splittable(rel, &csv->o, file);
}

static nb_status
infer_types(inference *f, nb_arena *arena, column_guess *out, nb_error *err)
{
    int n = NB_MAX(1, NB_MIN(f->request->n_threads, MAX_THREADS)), partitions;
    nb_status st = NB_OK;

    NB_TRY(nb_relation_splits(f->rel, arena, f->request->info, n, is_splittable, MORSEL_BYTES,
                              &f->splits, &f->n_splits, &partitions));
    n = (int)NB_MAX(1, NB_MIN(n, f->n_splits));
    f->guesses = nb_arena_zalloc(arena, (size_t)n * (size_t)f->n_columns * sizeof(*f->guesses) + 1);
    if (f->guesses == NULL) {
        return NB_NOMEM;
    }
    nb_threads_run(n, infer_thread, f);
    for (int t = 0; t < n; t++) {
        if (f->status[t] < 0 && st == NB_OK) {
            st = f->status[t];
            if (err) {
                nb_error_move(&f->errors[t], err);
            }
        }
        nb_error_clear(&f->errors[t]);
        for (int i = 0; i < f->n_columns; i++) {
            column_guess g = f->guesses[t * f->n_columns + i];
            widen(f, &out[i], g.kind, g.precision);
        }
    }
    return st;
}

static const nb_type *
type_of_guess(column_guess g)
{
    static const nb_type_id IDS[] = {
        [G_NULL] = NB_TYPE_STRING,         [G_INT] = NB_TYPE_INT32, [G_LONG] = NB_TYPE_INT64,
        [G_DOUBLE] = NB_TYPE_FLOAT64,      [G_DATE] = NB_TYPE_DATE, [G_NTZ] = NB_TYPE_TIMESTAMP_NTZ,
        [G_TIMESTAMP] = NB_TYPE_TIMESTAMP, [G_BOOL] = NB_TYPE_BOOL, [G_STRING] = NB_TYPE_STRING,
    };

    return g.kind == G_DECIMAL ? nb_type_decimal(g.precision, 0) : nb_type_of(IDS[g.kind]);
}

static bool
wants_ntz(const nb_session_info *info)
{
    nb_str v;

    return info && info->config &&
           nb_config_get(info->config, NB_STR("spark.sql.timestampType"), &v) &&
           nb_str_equal_nocase(v, NB_STR("TIMESTAMP_NTZ"));
}

nb_status
nb_csv_infer_record(nb_arena *arena, const nb_csv_options *o, const nb_session_info *info,
                    const nb_csv_tokenizer *record, const char *base, const nb_type **out,
                    nb_error *err)
{
    nb_csv_relation csv = {.o = *o};
    inference *f = NB_ARENA_NEW(arena, inference);
    nb_field *fields = NB_ARENA_ARRAY(arena, nb_field, record->n_cells + 1);
    nb_csv_formats *formats;

    if (f == NULL || fields == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_csv_formats_new(arena, o, info, false, &formats, err));
    f->csv = &csv;
    f->formats = formats;
    f->ntz = wants_ntz(info);
    for (int i = 0; i < record->n_cells; i++) {
        column_guess g = {G_NULL, 0};
        char *name = nb_arena_printf(arena, "_c%d", i);

        if (name == NULL) {
            return NB_NOMEM;
        }
        infer_column(f, &g, &record->cells[i], NULL, 1, base, record->side);
        fields[i] = (nb_field){.name = nb_str_of(name), .type = type_of_guess(g), .nullable = true};
    }
    *out = nb_type_struct(fields, record->n_cells);
    return *out ? NB_OK : NB_NOMEM;
}

nb_status
nb_csv_infer(nb_relation *rel, const nb_csv_relation *csv, const nb_read_request *request,
             const nb_type **out, nb_error *err)
{
    nb_arena *arena = nb_arena_new(rel->pool);
    inference *f = arena ? NB_ARENA_NEW(arena, inference) : NULL;
    column_guess *types = NULL;
    nb_csv_formats *formats;
    nb_field *fields;
    nb_str *names;
    nb_status st = NB_NOMEM;

    if (f == NULL) {
        goto done;
    }
    f->rel = rel;
    f->csv = csv;
    f->request = request;
    NB_TRY_GOTO(st, nb_csv_formats_new(arena, &csv->o, request->info, false, &formats, err), done);
    if (csv->o.infer_schema && formats->refused_timestamp.data != NULL) {
        const nb_datetime_format *none;
        st = nb_datetime_format_new(arena, formats->refused_timestamp, true, nb_locale_default(),
                                    &none, err);
        goto done;
    }
    f->formats = formats;
    f->ntz = wants_ntz(request->info);
    f->samples = csv->o.sampling_ratio <= NB_SAMPLE_ALL_FROM;
    NB_TRY_GOTO(st, read_header(f, &names, err), done);
    types = nb_arena_zalloc(arena, (size_t)(f->n_columns + 1) * sizeof(*types));
    fields = NB_ARENA_ARRAY(arena, nb_field, f->n_columns + 1);
    st = types && fields ? NB_OK : NB_NOMEM;
    if (st == NB_OK && csv->o.infer_schema && f->n_columns > 0) {
        st = infer_types(f, arena, types, err);
    }
    if (st == NB_OK) {
        for (int i = 0; i < f->n_columns; i++) {
            fields[i] =
                (nb_field){.name = names[i], .type = type_of_guess(types[i]), .nullable = true};
        }
        *out = nb_type_struct(fields, f->n_columns);
        st = *out ? NB_OK : NB_NOMEM;
    }
done:
    nb_arena_free(arena);
    return st;
}
