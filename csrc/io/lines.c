/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines.c: blocks read from a file or a stream, and cut at line breaks.
 */
#include "io/lines.h"

#define BLOCK_BYTES \
    (256 * 1024) /* what was read is still in the second cache when it is looked at */
#define PAD 64

void
nb_lines_init(nb_lines *l, nb_pool *pool, const nb_relation *rel, const nb_cancel_flag *cancel)
{
    *l = (nb_lines){.pool = pool, .rel = rel, .cancel = cancel, .charset = NB_CHARSET_UTF8};
}

static void
close_input(nb_lines *l)
{
    nb_reader_free(l->reader);
    nb_file_close(l->file);
    l->reader = NULL;
    l->file = NULL;
}

void
nb_lines_free(nb_lines *l)
{
    close_input(l);
    if (l->buf) {
        nb_pool_dealloc(l->pool, l->buf, l->cap + PAD);
    }
    l->buf = NULL;
}

bool
nb_lines_splittable(const nb_relation *rel, int file, nb_str sep, bool whole, nb_charset charset)
{
    return !whole && sep.len <= 1 && charset == NB_CHARSET_UTF8 &&
           nb_codec_of_path(rel->files.files[file].path) == NB_CODEC_NONE;
}

nb_status
nb_lines_open(nb_lines *l, const nb_file_split *split, nb_error *err)
{
    nb_str path = l->rel->files.files[split->file].path;
    nb_codec codec = nb_codec_of_path(path);

    close_input(l);
    NB_TRY(nb_file_open(l->pool, path.data, &l->file, err));
    if (codec != NB_CODEC_NONE || l->charset != NB_CHARSET_UTF8) {
        nb_file *file = l->file;
        l->file = NULL;
        NB_TRY(nb_reader_new(l->pool, file, codec, l->charset, &l->reader, err));
    }
    l->mid_file = split->from > 0;
    l->offset = split->from > 0 ? split->from - 1 : 0;
    l->to = nb_lines_splittable(l->rel, split->file, l->sep, l->whole, l->charset) ? split->to
                                                                                   : INT64_MAX;
    l->len = l->pos = 0;
    l->input_end = l->whole_given = false;
    l->at_start = true;
    l->n_bytes = 0;
    return NB_OK;
}

static nb_status
read_more(nb_lines *l, nb_error *err)
{
    size_t got;

    if (nb_cancelled(l->cancel)) {
        return NB_CANCELLED;
    }
    if (l->pos > 0) {
        memmove(l->buf, l->buf + l->pos, l->len - l->pos);
        l->offset += (int64_t)l->pos;
        l->len -= l->pos;
        l->pos = 0;
    }
    if (l->len + BLOCK_BYTES > l->cap) {
        size_t cap = NB_MAX(l->len + BLOCK_BYTES, l->cap + l->cap / 2);
        char *buf = cap < INT32_MAX
                        ? nb_pool_realloc(l->pool, l->buf, l->buf ? l->cap + PAD : 0, cap + PAD)
                        : NULL;
        if (buf == NULL) {
            return NB_NOMEM;
        }
        l->buf = buf;
        l->cap = cap;
    }
    if (l->reader) {
        NB_TRY(nb_reader_read(l->reader, l->buf + l->len, BLOCK_BYTES, &got, err));
        l->input_end = got == 0;
    } else {
        NB_TRY(nb_file_read_at(l->file, l->offset + (int64_t)l->len, l->buf + l->len, BLOCK_BYTES,
                               &got, err));
        l->input_end = got < BLOCK_BYTES;
    }
    l->len += got;
    l->n_bytes += (int64_t)got;
    return NB_OK;
}

/* The next line break at or behind from: its place and width. */
static bool
find_break(const nb_lines *l, nb_str sep, size_t from, size_t *at, size_t *width)
{
    const char *p = l->buf + from, *hit;
    size_t n = l->len - from;

    if (sep.data != NULL) {
        hit = memmem(p, n, sep.data, sep.len);
        *width = sep.len;
    } else {
        const char *cr;
        hit = memchr(p, '\n', n);
        cr = memchr(p, '\r', hit ? (size_t)(hit - p) : n);
        *width = 1;
        if (cr) {
            hit = cr;
            *width = cr + 1 < l->buf + l->len && cr[1] == '\n' ? 2 : 1;
        }
    }
    if (hit == NULL) {
        return false;
    }
    *at = (size_t)(hit - l->buf);
    return true;
}

nb_status
nb_lines_next(nb_lines *l, nb_str *line, bool *found, nb_error *err)
{
    size_t at, width;

    *found = false;
    if (l->at_start) {
        l->at_start = false;
        NB_TRY(read_more(l, err));
        if (l->mid_file) {
            /* The line that began before the split belongs to the one before. */
            while (!find_break(l, l->sep, 0, &at, &width) ||
                   (l->buf[at] == '\r' && at + 1 == l->len && !l->input_end)) {
                if (l->input_end || l->offset + (int64_t)l->len > l->to) {
                    return NB_OK;
                }
                l->pos = l->len > 0 && l->buf[l->len - 1] == '\r' ? l->len - 1 : l->len;
                NB_TRY(read_more(l, err));
            }
            l->pos = at + width;
        } else if (l->len >= 3 && memcmp(l->buf, "\xEF\xBB\xBF", 3) == 0) {
            l->pos = 3;
        }
    }
    if (l->offset + (int64_t)l->pos >= l->to) {
        return NB_OK;
    }
    for (size_t from = l->pos, keep, back;; from = l->pos + keep - back) {
        if (!l->whole && find_break(l, l->sep, from, &at, &width) &&
            !(l->sep.data == NULL && l->buf[at] == '\r' && at + 1 == l->len && !l->input_end)) {
            *line = (nb_str){l->buf + l->pos, at - l->pos};
            l->pos = at + width;
            *found = true;
            return NB_OK;
        }
        if (l->input_end) {
            *found =
                l->pos < l->len || (l->whole && l->offset == 0 && l->pos == 0 && !l->whole_given);
            l->whole_given = true;
            *line = (nb_str){l->buf + l->pos, l->len - l->pos};
            l->pos = l->len;
            return NB_OK;
        }
        /* A line of many blocks is searched once, but for what may be the beginning of its end. */
        keep = l->len - l->pos;
        back = l->sep.data != NULL ? l->sep.len - 1 : 1;
        back = NB_MIN(back, keep);
        NB_TRY(read_more(l, err));
    }
}

bool
nb_lines_ready(const nb_lines *l)
{
    size_t at, width;

    return find_break(l, l->sep, l->pos, &at, &width) && at + width < l->len;
}

nb_str
nb_lines_ahead(const nb_lines *l)
{
    int64_t n = NB_MIN(l->to - l->offset, (int64_t)l->len) - (int64_t)l->pos;

    return l->at_start || l->whole || n <= 0 ? (nb_str){NULL, 0}
                                             : (nb_str){l->buf + l->pos, (size_t)n};
}

void
nb_lines_take(nb_lines *l, size_t n)
{
    l->pos += n;
}
