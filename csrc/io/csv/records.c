/* SPDX-License-Identifier: Apache-2.0 */
/*
 * records.c: blocks of whole lines, and lines into cells.
 *
 *   alloc ┌────────┬──────────────────────────────┬──────────┐
 *         │ 64 pad │ buf: … done │ region │ tail   │ 64+ pad  │    region: whole lines, indexed; tail: begin of a line that goes on
 *         └────────┴───────────── pos ─────────────┴──────────┘
 *
 * Line breaks are \n and \r alike: what lies between \r and \n is an empty line, and empty lines do not count (as in Spark).
 */
#include "io/csv/records.h"

#define PAD 128

nb_status
nb_csv_records_init(nb_csv_records *r, nb_pool *pool, const nb_relation *rel,
                    const nb_csv_options *o, const int *need, int n_need)
{
    memset(r, 0, sizeof(*r));
    r->pool = pool;
    r->rel = rel;
    r->o = o;
    r->need = need;
    r->n_need = r->n_need_max = n_need;
    r->block_bytes = NB_CSV_BLOCK;
    r->index.pool = pool;
    nb_csv_tokenizer_init(&r->tok, pool, o);
    r->cells = nb_pool_alloc(pool, (size_t)NB_MAX(n_need, 1) * NB_BATCH_ROWS * sizeof(nb_csv_cell));
    r->line_off = nb_pool_alloc(pool, NB_BATCH_ROWS * sizeof(uint32_t));
    r->line_len = nb_pool_alloc(pool, NB_BATCH_ROWS * sizeof(uint32_t));
    return r->cells && r->line_off && r->line_len ? NB_OK : NB_NOMEM;
}

static void
close_input(nb_csv_records *r)
{
    nb_reader_free(r->reader);
    nb_file_close(r->file);
    r->reader = NULL;
    r->file = NULL;
}

void
nb_csv_records_free(nb_csv_records *r)
{
    close_input(r);
    nb_csv_index_free(&r->index);
    nb_csv_tokenizer_free(&r->tok);
    if (r->cells) {
        nb_pool_dealloc(r->pool, r->cells,
                        (size_t)NB_MAX(r->n_need_max, 1) * NB_BATCH_ROWS * sizeof(nb_csv_cell));
    }
    if (r->line_off) {
        nb_pool_dealloc(r->pool, r->line_off, NB_BATCH_ROWS * sizeof(uint32_t));
    }
    if (r->line_len) {
        nb_pool_dealloc(r->pool, r->line_len, NB_BATCH_ROWS * sizeof(uint32_t));
    }
    if (r->alloc) {
        nb_pool_dealloc_aligned(r->pool, r->alloc, r->cap + 2 * PAD);
    }
    if (r->fixed) {
        nb_pool_dealloc_aligned(r->pool, r->fixed, r->fixed_cap + 2 * PAD);
    }
    r->cells = NULL;
    r->line_off = r->line_len = NULL;
    r->alloc = r->fixed = NULL;
}

bool
nb_csv_splittable(const nb_relation *rel, const nb_csv_options *o, int file)
{
    return !o->multi_line && o->charset == NB_CHARSET_UTF8 && o->line_sep.len <= 1 &&
           nb_codec_of_path(rel->files.files[file].path) == NB_CODEC_NONE;
}

nb_status
nb_csv_records_open(nb_csv_records *r, const nb_file_split *split, nb_error *err)
{
    const nb_file_entry *entry = &r->rel->files.files[split->file];
    nb_codec codec = nb_codec_of_path(entry->path);

    close_input(r);
    r->file_index = split->file;
    NB_TRY(nb_file_open(r->pool, entry->path.data, &r->file, err));
    r->size = nb_file_size(r->file);
    if (codec != NB_CODEC_NONE || r->o->charset != NB_CHARSET_UTF8) {
        nb_file *file = r->file;
        r->file = NULL;
        NB_TRY(nb_reader_new(r->pool, file, codec, r->o->charset, &r->reader, err));
    }
    r->offset = split->from > 0 ? split->from - 1 : 0;
    r->to = r->reader || !nb_csv_splittable(r->rel, r->o, split->file) ? INT64_MAX : split->to;
    r->len = r->pos = r->region = 0;
    r->input_end = r->split_done = false;
    r->at_start = true;
    r->mid_file = split->from > 0;
    r->header_done = !(r->skip_header && split->from == 0);
    r->indexed = false;
    r->counted = 0;
    r->bytes = 0;
    return NB_OK;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------------ */

static nb_status
grow(nb_csv_records *r, size_t need, nb_error *err)
{
    size_t cap = NB_MAX(need, r->cap + r->cap / 2);
    char *alloc;

    if (need <= r->cap) {
        return NB_OK;
    }
    if (cap > NB_CELL_MAX) {
        return nb_raise(err, NB_COND_FAILED_READ_FILE, "path",
                        r->rel->files.files[r->file_index].url.data, "reason",
                        "a record is longer than 2 GiB", NULL);
    }
    alloc = nb_pool_alloc_aligned(r->pool, cap + 2 * PAD);
    if (alloc == NULL) {
        return NB_NOMEM;
    }
    if (r->alloc) {
        memcpy(alloc + PAD, r->buf, r->len);
        nb_pool_dealloc_aligned(r->pool, r->alloc, r->cap + 2 * PAD);
    }
    r->alloc = alloc;
    r->buf = alloc + PAD;
    r->cap = cap;
    return NB_OK;
}

/* Appends what the file has next, at most a block. */
static nb_status
read_more(nb_csv_records *r, nb_error *err)
{
    size_t want = r->block_bytes, got;

    if (nb_cancelled(r->cancel)) {
        return NB_CANCELLED;
    }
    if (r->to != INT64_MAX) { /* behind the split only the end of its last line is wanted */
        int64_t left = r->to - (r->offset + (int64_t)r->len);
        want = left >= (int64_t)want ? want
               : left > 0            ? (size_t)left + 256
                                     : NB_MIN(want, 16384 + r->len);
    }
    NB_TRY(grow(r, r->len + want, err));
    if (r->reader) {
        NB_TRY(nb_reader_read(r->reader, r->buf + r->len, want, &got, err));
        r->input_end = got == 0;
    } else {
        NB_TRY(nb_file_read_at(r->file, r->offset + (int64_t)r->len, r->buf + r->len, want, &got,
                               err));
        r->input_end = got < want;
    }
    r->len += got;
    r->bytes += (int64_t)got;
    memset(r->buf + r->len, 0, PAD);
    return NB_OK;
}

/* Offset of the first byte behind the first (last) line break in [from, to), or 0 when there is none. */
static size_t
behind_break(const nb_csv_records *r, size_t from, size_t to, bool last)
{
    nb_str sep = r->o->line_sep;
    const char *p = r->buf + from;
    size_t n = to - from, at;

    if (from >= to) {
        return 0;
    }
    if (sep.data == NULL) {
        at = last ? nb_csv_last_break(p, n) : nb_csv_first_break(p, n);
        return at < n ? from + at + 1 : 0;
    }
    if (!last) {
        const char *hit = memmem(p, n, sep.data, sep.len);
        return hit ? (size_t)(hit - r->buf) + sep.len : 0;
    }
    for (at = n + 1; at-- > sep.len;) {
        if (memcmp(p + at - sep.len, sep.data, sep.len) == 0) {
            return from + at;
        }
    }
    return 0;
}

/* Skips the line that began before the split. */
static nb_status
skip_to_first_line(nb_csv_records *r, nb_error *err)
{
    for (;;) {
        size_t at;
        if (r->offset + 1 >= r->to) {
            r->split_done = true;
            return NB_OK;
        }
        NB_TRY(read_more(r, err));
        at = behind_break(r, 0, r->len, false);
        if (at != 0) {
            r->split_done = r->offset + (int64_t)at >= r->to;
            r->pos = at;
            return NB_OK;
        }
        if (r->input_end) {
            r->split_done = true;
            return NB_OK;
        }
        r->offset += (int64_t)r->len;
        r->len = 0;
    }
}

static void
skip_utf8_mark(nb_csv_records *r)
{
    if (r->len >= 3 && memcmp(r->buf, "\xEF\xBB\xBF", 3) == 0) {
        r->pos = 3;
    }
}

/* Makes [pos, region) whole lines; region == pos and split_done when there are no more. */
static nb_status
fill_lines(nb_csv_records *r, nb_error *err)
{
    if (r->at_start) {
        r->at_start = false;
        if (r->mid_file || r->to == 0) {
            NB_TRY(skip_to_first_line(r, err));
        } else {
            NB_TRY(read_more(r, err));
            skip_utf8_mark(r);
        }
        r->region = r->pos;
    }
    if (r->split_done) {
        r->pos = r->region;
        return NB_OK;
    }
    /* The tail of the block before moves to the front. */
    r->pos = r->region;
    memmove(r->buf, r->buf + r->pos, r->len - r->pos);
    r->offset += (int64_t)r->pos;
    r->len -= r->pos;
    r->pos = r->region = 0;
    size_t seen = 0; /* no break lies before it: a record of many blocks is searched once */
    for (bool first = true;; first = false) {
        size_t end = 0;
        if (!r->input_end && (!first || r->len < r->block_bytes / 2)) {
            NB_TRY(read_more(r, err));
        }
        if (r->to != INT64_MAX && r->offset + (int64_t)r->len >= r->to) {
            size_t last = (size_t)NB_MAX(r->to - 1 - r->offset, 0);
            end = behind_break(r, NB_MAX(last, seen), r->len, false);
            if (end != 0) {
                r->split_done = true;
                r->region = end;
                return NB_OK;
            }
            end = behind_break(r, seen, last, true);
        } else {
            end = behind_break(r, seen, r->len, true);
        }
        seen = r->len - NB_MIN(r->len, r->o->line_sep.len);
        if (r->input_end) {
            r->split_done = true;
            r->region = r->len;
            return NB_OK;
        }
        if (end != 0) {
            r->region = end;
            return NB_OK;
        }
    }
}

/* ---- records ------------------------------------------------------------------------------------------------------------------ */

nb_status
nb_csv_records_raise(nb_csv_records *r, nb_csv_result result, nb_error *err)
{
    const char *reason =
        "com.univocity.parsers.common.TextParsingException: the record could not be parsed";
    nb_strbuf b = {0};

    if (result == NB_CSV_NO_MEMORY) {
        return NB_NOMEM;
    }
    if (result == NB_CSV_TOO_MANY_COLUMNS) {
        nb_strbuf_addf(&b,
                       "com.univocity.parsers.common.TextParsingException: a record has more than "
                       "%lld columns (option maxColumns)",
                       (long long)r->o->max_columns);
    } else if (result == NB_CSV_TOO_LONG) {
        nb_strbuf_addf(&b,
                       "com.univocity.parsers.common.TextParsingException: a value has more than "
                       "%lld characters (option maxCharsPerColumn)",
                       (long long)r->o->max_chars);
    } else if (result == NB_CSV_BAD_QUOTE) {
        nb_strbuf_adds(&b, "com.univocity.parsers.common.TextParsingException: Unescaped quote "
                           "character inside quoted value of CSV field");
    }
    nb_raise(err, NB_COND_FAILED_READ_FILE, "path", r->rel->files.files[r->file_index].url.data,
             "reason", b.data ? b.data : reason, NULL);
    nb_strbuf_free(&b);
    return NB_ERROR;
}

NB_INLINE bool
has_text(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)p[i] > ' ') {
            return true;
        }
    }
    return false;
}

/* Does the line begin with the comment character? */
static bool
is_comment(const nb_csv_options *o, const char *p, size_t n)
{
    char text[4];
    size_t k = 1;

    if (o->comment == 0) {
        return false;
    }
    if (o->comment < 0x80) {
        return n > 0 && p[0] == (char)o->comment;
    }
    if (o->comment < 0x800) {
        text[0] = (char)(0xC0 | o->comment >> 6);
        text[1] = (char)(0x80 | (o->comment & 63));
        k = 2;
    } else {
        text[0] = (char)(0xE0 | o->comment >> 12);
        text[1] = (char)(0x80 | (o->comment >> 6 & 63));
        text[2] = (char)(0x80 | (o->comment & 63));
        k = 3;
    }
    return n >= k && memcmp(p, text, k) == 0;
}

/* The tokenizer's cells become row `row`. */
static void
take_cells(nb_csv_records *r, int64_t row)
{
    for (int k = 0; k < r->n_need; k++) {
        int c = r->need[k];
        r->cells[k * NB_BATCH_ROWS + row] =
            c < r->tok.n_cells ? r->tok.cells[c] : (nb_csv_cell){0, NB_CELL_NULL};
    }
    if (r->n_expected && r->tok.n_cells != r->n_expected) {
        nb_bit_set(r->ragged, row);
        r->any_ragged = true;
    }
}

bool
nb_csv_passes_over(const nb_csv_options *o, nb_str line)
{
    return !has_text(line.data, line.len) || is_comment(o, line.data, line.len);
}

static nb_status
careful_line(nb_csv_records *r, const char *p, size_t n, int64_t row, nb_error *err)
{
    nb_csv_result result = nb_csv_tokenize_line(&r->tok, p, n);

    if (result > NB_CSV_NOTHING) {
        return nb_csv_records_raise(r, result, err);
    }
    take_cells(r, row);
    return NB_OK;
}

/* Cuts a line without anything odd by the index: fields a..b, the last ends at the line's break. */
NB_INLINE bool
cut_line(nb_csv_records *r, size_t a, size_t b, size_t begin, int64_t row)
{
    const uint32_t *pos = r->index.pos;
    const char *text = r->text;
    const nb_csv_options *o = r->o;
    size_t n_fields = b - a + 1;

    for (int k = 0; k < r->n_need; k++) {
        nb_csv_cell *cell = &r->cells[k * NB_BATCH_ROWS + row];
        size_t c = (size_t)r->need[k];
        uint32_t from, to;
        if (NB_UNLIKELY(c >= n_fields)) {
            *cell = (nb_csv_cell){0, NB_CELL_NULL};
            continue;
        }
        from = c == 0 ? (uint32_t)begin : pos[a + c - 1] + 1;
        to = pos[a + c];
        if (o->read_trim_leading) {
            while (from < to && (unsigned char)text[from] <= ' ') {
                from++;
            }
        }
        if (from == to) {
            *cell = (nb_csv_cell){0, NB_CELL_NULL};
            continue;
        }
        if (text[from] == (char)o->quote && o->quote != 0) {
            from++;
            to--;
            if (from == to && (o->empty_read.len || o->escape == 0)) {
                return false;
            }
        } else if (o->read_trim_trailing) {
            while (from < to && (unsigned char)text[to - 1] <= ' ') {
                to--;
            }
            if (from == to) {
                return false;
            }
        }
        *cell = (nb_csv_cell){from, to - from};
    }
    if (r->n_expected && n_fields != (size_t)r->n_expected) {
        nb_bit_set(r->ragged, row);
        r->any_ragged = true;
    }
    return n_fields <= (size_t)o->max_columns;
}

static nb_status
indexed_lines(nb_csv_records *r, int64_t *n_rows, nb_error *err)
{
    const nb_csv_index *ix = &r->index;
    const char *text = r->text;
    int64_t row = 0;
    size_t line = r->line;

    while (row < (r->one_row ? 1 : NB_BATCH_ROWS) && line < ix->n_lines) {
        size_t b = ix->line_end[line];
        size_t a = line ? ix->line_end[line - 1] + 1 : 0;
        size_t begin = line ? ix->pos[a - 1] + 1 : 0;
        size_t end = ix->pos[b];
        line++;
        if (begin == end || (NB_UNLIKELY((unsigned char)text[begin] <= ' ') &&
                             !has_text(text + begin, end - begin))) {
            continue;
        }
        if (r->o->comment && text[begin] == (char)r->o->comment) {
            continue;
        }
        if (NB_UNLIKELY(!r->header_done)) {
            r->header_done = true;
            if (r->on_header) {
                nb_csv_result result = nb_csv_tokenize_line(&r->tok, text + begin, end - begin);
                if (result > NB_CSV_NOTHING) {
                    return nb_csv_records_raise(r, result, err);
                }
                NB_TRY(r->on_header(r->payload, r, r->tok.cells, r->tok.n_cells, err));
            }
            continue;
        }
        r->line_off[row] = (uint32_t)begin;
        r->line_len[row] = (uint32_t)(end - begin);
        if (NB_UNLIKELY((ix->any_odd && nb_csv_index_is_odd(ix, begin, end)) ||
                        r->o->max_chars >= 0) ||
            !cut_line(r, a, b, begin, row)) {
            NB_TRY(careful_line(r, text + begin, end - begin, row, err));
        }
        row++;
    }
    r->line = line;
    *n_rows = row;
    return NB_OK;
}

/* Any separators: line by line through the tokenizer. */
static nb_status
careful_lines(nb_csv_records *r, int64_t *n_rows, nb_error *err)
{
    int64_t row = 0;
    size_t sep = r->o->line_sep.data ? r->o->line_sep.len : 1;

    while (row < (r->one_row ? 1 : NB_BATCH_ROWS) && r->pos < r->region) {
        size_t begin = r->pos;
        size_t next = 0, end;
        const char *p = r->buf + begin;
        r->text = r->buf;
        if (r->o->line_sep.data == NULL) {
            size_t at = nb_csv_first_break(p, r->region - begin);
            next = at < r->region - begin ? begin + at + 1 : 0;
        } else {
            const char *hit = memmem(p, r->region - begin, r->o->line_sep.data, sep);
            next = hit ? begin + (size_t)(hit - p) + sep : 0;
        }
        end = next ? next - sep : r->region;
        r->pos = next ? next : r->region;
        if (nb_csv_passes_over(r->o, (nb_str){p, end - begin})) {
            continue;
        }
        if (!r->header_done) {
            r->header_done = true;
            if (r->on_header) {
                nb_csv_result result = nb_csv_tokenize_line(&r->tok, p, end - begin);
                if (result > NB_CSV_NOTHING) {
                    return nb_csv_records_raise(r, result, err);
                }
                NB_TRY(r->on_header(r->payload, r, r->tok.cells, r->tok.n_cells, err));
            }
            continue;
        }
        r->line_off[row] = (uint32_t)begin;
        r->line_len[row] = (uint32_t)(end - begin);
        if (!r->count_only) {
            NB_TRY(careful_line(r, p, end - begin, row, err));
        }
        row++;
    }
    *n_rows = row;
    return NB_OK;
}

static nb_status
stream_records(nb_csv_records *r, int64_t *n_rows, nb_error *err)
{
    int64_t row = 0;

    if (r->at_start) {
        r->at_start = false;
        NB_TRY(read_more(r, err));
        skip_utf8_mark(r);
        nb_csv_detect_newline(&r->tok, r->buf + r->pos, r->len - r->pos);
    }
    while (row < (r->one_row ? 1 : NB_BATCH_ROWS)) {
        const char *begin, *next;
        size_t n;
        nb_csv_result result = nb_csv_tokenize_record(&r->tok, r->buf + r->pos, r->buf + r->len,
                                                      r->input_end, &begin, &next);
        if (result == NB_CSV_NEED_MORE) {
            size_t done = (size_t)(begin - r->buf);
            if (row > 0) {
                r->pos = done; /* the records so far first: their lines lie in the block */
                break;
            }
            memmove(r->buf, r->buf + done, r->len - done);
            r->len -= done;
            r->offset += (int64_t)done;
            r->pos = 0;
            /* A record of many blocks is tried again after each doubling only. */
            size_t target = r->len * 2;
            do {
                NB_TRY(read_more(r, err));
            } while (r->len < target && !r->input_end);
            continue;
        }
        if (result == NB_CSV_NOTHING) {
            r->pos = r->len;
            break;
        }
        if (result != NB_CSV_RECORD) {
            return nb_csv_records_raise(r, result, err);
        }
        r->pos = (size_t)(next - r->buf);
        if (!r->header_done) {
            r->header_done = true;
            if (r->on_header) {
                NB_TRY(r->on_header(r->payload, r, r->tok.cells, r->tok.n_cells, err));
            }
            continue;
        }
        n = (size_t)(next - begin);
        r->line_off[row] = (uint32_t)(begin - r->buf);
        r->line_len[row] = (uint32_t)n;
        take_cells(r, row);
        row++;
    }
    r->text = r->buf;
    *n_rows = row;
    return NB_OK;
}

/* What is not UTF-8 in [pos, region) as Java's decoder replaces it, in `fixed`; its length through n. */
static nb_status
repair(nb_csv_records *r, size_t *n_out)
{
    size_t n = r->region - r->pos;

    if (3 * n > NB_CELL_MAX) {
        return NB_NOMEM;
    }
    if (3 * n > r->fixed_cap) {
        if (r->fixed) {
            nb_pool_dealloc_aligned(r->pool, r->fixed, r->fixed_cap + 2 * PAD);
        }
        r->fixed_cap = 3 * n;
        r->fixed = nb_pool_alloc_aligned(r->pool, r->fixed_cap + 2 * PAD);
        if (r->fixed == NULL) {
            r->fixed_cap = 0;
            return NB_NOMEM;
        }
    }
    *n_out = nb_utf8_repair(r->buf + r->pos, n, r->fixed + PAD);
    memset(r->fixed + PAD + *n_out, 0, PAD);
    return NB_OK;
}

/* The repaired text takes the region's place in the block. */
static nb_status
repair_in_place(nb_csv_records *r, nb_error *err)
{
    size_t n = r->region - r->pos, out;

    NB_TRY(repair(r, &out));
    if (out > n) {
        NB_TRY(grow(r, r->len + out - n, err));
    }
    memmove(r->buf + r->pos + out, r->buf + r->region, r->len - r->region);
    memcpy(r->buf + r->pos, r->fixed + PAD, out);
    r->offset -= (int64_t)out - (int64_t)n; /* stays true for what is behind the region */
    r->len = r->len - n + out;
    r->region = r->pos + out;
    memset(r->buf + r->len, 0, PAD);
    return NB_OK;
}

static nb_status
index_region(nb_csv_records *r)
{
    nb_csv_chars chars = {(uint8_t)r->o->sep.data[0], (uint8_t)r->o->quote, (uint8_t)r->o->escape};
    char *p = r->buf + r->pos;
    size_t n = r->region - r->pos;
    char saved = p[n];

    /* The last line of a file may lack its break. */
    bool add = n > 0 && p[n - 1] != '\n' && p[n - 1] != '\r';
    if (add) {
        p[n] = '\n';
    }
    NB_TRY(nb_csv_index_build(&r->index, p, n + add, chars));
    if (r->index.any_high && !nb_utf8_is_valid(p, n)) {
        p[n] = saved;
        NB_TRY(repair(r, &n));
        p = r->fixed + PAD;
        add = n > 0 && p[n - 1] != '\n' && p[n - 1] != '\r';
        if (add) {
            p[n] = '\n';
        }
        NB_TRY(nb_csv_index_build(&r->index, p, n + add, chars));
    }
    r->text = p;
    r->line = 0;
    r->indexed = true;
    return NB_OK;
}

/* Lines of the region, without the header. */
static void
count_region(nb_csv_records *r)
{
    uint8_t comment = r->o->comment < 0x80 ? (uint8_t)r->o->comment : 0;
    char *p = r->buf + r->pos;
    size_t n = r->region - r->pos;

    while (!r->header_done && n > 0) {
        size_t at = nb_csv_first_break(p, n);
        r->header_done = has_text(p, at) && !(comment && p[0] == (char)comment);
        at = NB_MIN(at + 1, n);
        p += at;
        n -= at;
    }
    r->counted += nb_csv_count_lines(p, n, comment);
}

nb_status
nb_csv_records_next(nb_csv_records *r, int64_t *n_rows, nb_error *err)
{
    *n_rows = 0;
    nb_csv_tokenizer_reset(&r->tok);
    if (r->any_ragged) {
        memset(r->ragged, 0, sizeof(r->ragged));
        r->any_ragged = false;
    }
    if (r->o->multi_line) {
        return stream_records(r, n_rows, err);
    }
    for (;;) {
        if (r->count_only && r->o->simple) {
            if (r->counted > 0) {
                *n_rows = NB_MIN(r->counted, NB_BATCH_ROWS);
                r->counted -= *n_rows;
                return NB_OK;
            }
        } else if (r->indexed) {
            NB_TRY(indexed_lines(r, n_rows, err));
        } else {
            NB_TRY(careful_lines(r, n_rows, err));
        }
        if (*n_rows > 0) {
            return NB_OK;
        }
        r->indexed = false;
        NB_TRY(fill_lines(r, err));
        if (r->pos == r->region) {
            return NB_OK;
        }
        if (r->count_only && r->o->simple) {
            count_region(r);
            r->pos = r->region;
        } else if (r->o->simple) {
            NB_TRY(index_region(r));
        } else if (!nb_utf8_is_valid(r->buf + r->pos, r->region - r->pos)) {
            NB_TRY(repair_in_place(r, err));
        }
    }
}
