/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_csv.c: the CSV reader. Byte 0 chooses options, byte 1 seeds the cuts, the rest is the file.
 *
 * Properties: the file read as one split, as 1 to 64 splits at any bytes and in small blocks gives the same cells; the structural scan
 * agrees with the tokenizer; inference and conversion to typed columns end without a fault.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/csv/records.h"

#define MEMORY_LIMIT ((size_t)256 << 20)
#define N_COLUMNS    4

static const char *const OPTIONS[][6] = {
    {NULL},
    {"header", "true", NULL},
    {"escape", "\"", NULL},
    {"sep", "\t", "quote", "'", NULL},
    {"ignoreLeadingWhiteSpace", "true", "ignoreTrailingWhiteSpace", "true", NULL},
    {"comment", "#", "nullValue", "x", NULL},
    {"escape", "", "emptyValue", "E", NULL},
    {"quote", "", NULL},
    {"maxCharsPerColumn", "8", "maxColumns", "6", NULL},
    /* from here on through the tokenizer only */
    {"sep", "||", NULL},
    {"lineSep", ";", NULL},
    {"unescapedQuoteHandling", "STOP_AT_CLOSING_QUOTE", NULL},
    {"unescapedQuoteHandling", "BACK_TO_DELIMITER", NULL},
    {"unescapedQuoteHandling", "SKIP_VALUE", NULL},
    {"unescapedQuoteHandling", "RAISE_ERROR", NULL},
    {"multiLine", "true", NULL},
    {"multiLine", "true", "escape", "\"", NULL},
    {"multiLine", "true", "lineSep", "\r\n", NULL},
    {"encoding", "UTF-16", NULL},
    {"encoding", "ISO-8859-1", "charToEscapeQuoteEscaping", "#", NULL},
};

static char path[64];

static int
options_of(uint8_t which, nb_option *out)
{
    const char *const *o = OPTIONS[which % NB_COUNT_OF(OPTIONS)];
    int n = 0;

    for (; o[2 * n] != NULL; n++) {
        out[n] = (nb_option){nb_str_of(o[2 * n]), nb_str_of(o[2 * n + 1])};
    }
    return n;
}

static void
add_cell(nb_strbuf *all, const nb_csv_records *r, nb_csv_cell c)
{
    if (c.len == NB_CELL_NULL) {
        nb_strbuf_addc(all, '\1');
    } else {
        nb_strbuf_add(
            all, (nb_str){(c.len & NB_CELL_SIDE ? r->tok.side : r->text) + c.off, NB_CELL_LEN(c)});
    }
    nb_strbuf_addc(all, '\2');
}

/* All cells of the file, read in n splits; false when a record was refused. */
static bool
read_all(nb_pool *pool, nb_relation *rel, const nb_csv_options *o, const int64_t *cuts, int n,
         size_t block_bytes, nb_strbuf *all)
{
    static const int NEED[N_COLUMNS] = {0, 1, 2, 3};
    nb_csv_records r;
    nb_error err = NB_ERROR_INIT;
    nb_status st = nb_csv_records_init(&r, pool, rel, o, NEED, N_COLUMNS);

    r.block_bytes = block_bytes;
    r.skip_header = o->header;
    for (int i = 0; i < n && st == NB_OK; i++) {
        nb_file_split split = {.file = 0, .from = cuts[i], .to = cuts[i + 1]};
        st = nb_csv_records_open(&r, &split, &err);
        while (st == NB_OK) {
            int64_t n_rows = 0;
            st = nb_csv_records_next(&r, &n_rows, &err);
            if (st < 0 || n_rows == 0) {
                break;
            }
            for (int64_t row = 0; row < n_rows; row++) {
                for (int k = 0; k < N_COLUMNS; k++) {
                    add_cell(all, &r, r.cells[k * NB_BATCH_ROWS + row]);
                }
                nb_strbuf_addc(all, '\n');
            }
        }
    }
    nb_csv_records_free(&r);
    nb_error_clear(&err);
    return st >= 0;
}

static void
print_escaped(const nb_strbuf *b, size_t from)
{
    for (size_t i = from; i < b->len && i < from + 300; i++) {
        unsigned char c = (unsigned char)b->data[i];
        fprintf(stderr, c >= ' ' && c < 127 ? "%c" : "\\x%02x", c);
    }
    fprintf(stderr, "\n---\n");
}

static void
check_same(const nb_strbuf *a, const nb_strbuf *b, const char *what)
{
    size_t at = 0;

    if (!nb_str_equal(nb_strbuf_str(a), nb_strbuf_str(b))) {
        fprintf(stderr, "%s differ:\n", what);
        while (at < a->len && at < b->len && a->data[at] == b->data[at]) {
            at++;
        }
        print_escaped(a, at - NB_MIN(at, 100));
        print_escaped(b, at - NB_MIN(at, 100));
        abort();
    }
}

static void
scan_typed(nb_pool *pool, const nb_option *options, int n_options)
{
    nb_str paths = nb_str_of(path);
    nb_option with[8];
    nb_read_request request = {
        .format = NB_STR("csv"), .paths = &paths, .n_paths = 1, .options = with, .n_threads = 1};
    nb_error err = NB_ERROR_INIT;
    nb_relation *rel = NULL;
    nb_source *src = NULL;
    nb_arena *scratch = nb_arena_new(pool);

    memcpy(with, options, (size_t)n_options * sizeof(*options));
    with[n_options] = (nb_option){NB_STR("inferSchema"), NB_STR("true")};
    request.n_options = n_options + 1;
    if (scratch != NULL && nb_relation_open(pool, &request, &rel, &err) == NB_OK) {
        int n = nb_relation_schema(rel)->n_children;
        int *columns = NB_ARENA_ARRAY(scratch, int, n + 1);
        nb_scan_request scan = {.columns = columns, .n_columns = n, .limit = -1, .n_threads = 1};
        void *local = NULL;
        for (int i = 0; i < n; i++) {
            columns[i] = i;
        }
        if (nb_relation_scan(rel, pool, &scan, &src, &err) == NB_OK &&
            src->ops->open_local(src, pool, &local, &err) == NB_OK) {
            nb_arena *batch_arena = nb_arena_new(pool);
            nb_batch batch;
            while (src->ops->next(src, local, batch_arena, &batch, &err) == NB_OK) {
                nb_arena_reset(batch_arena);
            }
            nb_arena_free(batch_arena);
            src->ops->close_local(src, local);
        }
        if (src) {
            src->ops->free(src);
        }
        nb_relation_release(rel);
    }
    nb_arena_free(scratch);
    nb_error_clear(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nb_pool *pool;
    nb_arena *arena;
    nb_option options[8];
    nb_csv_options o;
    nb_relation rel = {.n_rows = -1};
    nb_file_entry entry;
    nb_strbuf whole = {0}, cut = {0}, careful = {0};
    int64_t cuts[66], ends[2];
    int n_options, n_cuts;
    uint64_t random;
    FILE *f;
    bool ok;

    if (size < 2 || size > 100000) {
        return 0;
    }
    if (path[0] == '\0') {
        snprintf(path, sizeof(path), "/dev/shm/fuzz_csv_%ld", (long)getpid());
    }
    f = fopen(path, "wb");
    if (f == NULL) {
        return 0;
    }
    fwrite(data + 2, 1, size - 2, f);
    fclose(f);
    pool = nb_pool_new(NULL, "fuzz", MEMORY_LIMIT);
    arena = nb_arena_new(pool);
    n_options = options_of(data[0], options);
    if (nb_csv_options_read(arena, options, n_options, &o, NULL) == NB_OK) {
        ends[0] = 0;
        ends[1] = (int64_t)size - 2;
        entry =
            (nb_file_entry){.path = nb_str_of(path), .url = nb_str_of(path), .n_bytes = ends[1]};
        rel.files.files = &entry;
        rel.files.n_files = 1;
        ok = read_all(pool, &rel, &o, ends, 1, NB_CSV_BLOCK, &whole);
        random = data[1] * 0x9E3779B97F4A7C15u + size;
        n_cuts = 1 + data[1] % 64;
        cuts[0] = 0;
        for (int i = 1; i < n_cuts; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            cuts[i] = NB_MIN(cuts[i - 1] + (int64_t)(random % (2 * size / (unsigned)n_cuts + 2)),
                             ends[1]);
        }
        cuts[n_cuts] = ends[1];
        if (ok && !o.header &&
            nb_csv_splittable(&rel, &o, 0)) { /* a header is looked for in the first split only */
            read_all(pool, &rel, &o, cuts, n_cuts, 64, &cut);
            check_same(&whole, &cut, "splits");
        }
        if (ok && o.simple && !o.multi_line && o.charset == NB_CHARSET_UTF8) {
            o.simple = false;
            read_all(pool, &rel, &o, ends, 1, 64, &careful);
            check_same(&whole, &careful, "structural scan and tokenizer");
        }
    }
    scan_typed(pool, options, n_options);
    nb_strbuf_free(&whole);
    nb_strbuf_free(&cut);
    nb_strbuf_free(&careful);
    nb_arena_free(arena);
    nb_pool_free(pool);
    return 0;
}
