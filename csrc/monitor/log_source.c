/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_source.c: see log_source.h.
 */
#include "monitor/log_source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/pool.h"
#include "monitor/log_codec.h"

#define BLOCK  ((size_t)256 * 1024)
#define ROLLED "events_"

struct nb_log_source {
    nb_pool *pool;
    nb_strbuf path;
    nb_strbuf file; /* of the file that is open */
    int64_t rolled; /* number of that file in a folder; 0: none yet */
    bool is_dir, known;
    int fd;
    nb_log_decoder *decoder;
    char *in, *out; /* of BLOCK bytes */
    nb_str rest;    /* of in, not yet decoded */
    nb_strbuf line; /* the beginning of a line */
    bool too_long;  /* the line under way is skipped */
    int64_t n_lines, n_bytes;
    nb_strbuf why;
};

nb_log_source *
nb_log_source_new(const char *path)
{
    nb_pool *pool = nb_pool_new(NULL, "log source", 0);
    nb_log_source *s = pool ? nb_pool_zalloc(pool, sizeof(*s)) : NULL;

    if (!s) {
        nb_pool_free(pool);
        return NULL;
    }
    s->pool = pool;
    s->fd = -1;
    s->in = nb_pool_alloc(pool, BLOCK);
    s->out = nb_pool_alloc(pool, BLOCK);
    nb_strbuf_adds(&s->path, path);
    if (!s->in || !s->out || s->path.failed) {
        nb_log_source_free(s);
        return NULL;
    }
    return s;
}

static void
close_file(nb_log_source *s)
{
    if (s->fd >= 0) {
        close(s->fd);
        s->fd = -1;
    }
    nb_log_decoder_free(s->decoder);
    s->decoder = NULL;
    s->rest.len = 0;
}

void
nb_log_source_free(nb_log_source *s)
{
    nb_pool *pool;

    if (!s) {
        return;
    }
    pool = s->pool;
    close_file(s);
    if (s->in) {
        nb_pool_dealloc(pool, s->in, BLOCK);
    }
    if (s->out) {
        nb_pool_dealloc(pool, s->out, BLOCK);
    }
    nb_strbuf_free(&s->path);
    nb_strbuf_free(&s->file);
    nb_strbuf_free(&s->line);
    nb_strbuf_free(&s->why);
    nb_pool_dealloc(pool, s, sizeof(*s));
    nb_pool_free(pool);
}

bool
nb_log_source_is_log(const char *name, bool is_dir)
{
    return is_dir ? strncmp(name, "eventlog_v2_", 12) == 0
                  : name[0] != '.' && name[0] != '_' && strncmp(name, "eventlog_v2_", 12) != 0;
}

static nb_status
fail(nb_log_source *s, const char **why, const char *what)
{
    s->why.len = 0;
    nb_strbuf_addf(&s->why, "%s: %s", s->file.data ? s->file.data : s->path.data, what);
    *why = s->why.data ? s->why.data : what;
    return NB_ERROR;
}

/* The number in "events_12_application"; 0 when it is no such name. */
static int64_t
rolled_number(const char *name)
{
    int64_t n = 0;

    if (strncmp(name, ROLLED, sizeof(ROLLED) - 1) != 0) {
        return 0;
    }
    name += sizeof(ROLLED) - 1;
    while (*name >= '0' && *name <= '9' && n < (int64_t)1 << 40) {
        n = n * 10 + (*name++ - '0');
    }
    return *name == '_' ? n : 0;
}

/* The file with the least number above the current one goes into s->file; NB_DONE when there is none. A compacted file stands for all
 * up to its number, and is preferred at the start. */
static nb_status
find_next(nb_log_source *s, const char **why)
{
    DIR *dir = opendir(s->path.data);
    int64_t best = 0;
    bool compact = false;
    struct dirent *entry;

    if (!dir) {
        return fail(s, why, strerror(errno));
    }
    while ((entry = readdir(dir)) != NULL) {
        int64_t n = rolled_number(entry->d_name);
        bool is_compact = nb_str_ends_with(nb_str_of(entry->d_name), NB_STR(".compact"));
        bool better = best == 0 || (s->rolled == 0 && is_compact && (!compact || n > best)) ||
                      (!(compact && s->rolled == 0) && n < best);

        if (n > s->rolled && better) {
            best = n;
            compact = is_compact;
            s->file.len = 0;
            nb_strbuf_addf(&s->file, "%s/%s", s->path.data, entry->d_name);
        }
    }
    closedir(dir);
    if (best == 0) {
        return NB_DONE;
    }
    s->rolled = best;
    return s->file.failed ? NB_NOMEM : NB_OK;
}

/* NB_DONE: nothing there yet. */
static nb_status
open_file(nb_log_source *s, const char **why)
{
    nb_str name;
    struct stat st;

    if (!s->known) {
        if (lstat(s->path.data, &st) != 0) {
            return fail(s, why, strerror(errno));
        }
        s->is_dir = S_ISDIR(st.st_mode);
        s->known = true;
    }
    if (s->is_dir) {
        nb_status found = find_next(s, why);
        if (found != NB_OK) {
            return found;
        }
    } else if (s->rolled > 0) {
        return NB_DONE;
    } else {
        s->rolled = 1;
        s->file.len = 0;
        nb_strbuf_adds(&s->file, s->path.data);
    }
    s->fd = open(s->file.data, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (s->fd < 0) {
        return fail(s, why, strerror(errno));
    }
    if (fstat(s->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return fail(s, why, "not a file");
    }
    name = nb_strbuf_str(&s->file);
    if (nb_str_ends_with(name, NB_STR(".compact"))) {
        name.len -= 8;
    }
    s->decoder = nb_log_decoder_new(nb_log_codec_of_name(name));
    return s->decoder ? NB_OK : NB_NOMEM;
}

typedef struct taker {
    bool (*fn)(void *payload, nb_str line);
    void *payload;
    bool stopped;
} taker;

static void
give(nb_log_source *s, taker *t, nb_str line)
{
    s->n_lines++;
    if (line.len > 0 && !t->stopped) {
        t->stopped = !t->fn(t->payload, line);
    }
}

/* Cuts text into lines; what is behind the last line break is kept for the next time. */
static nb_status
cut(nb_log_source *s, taker *t, nb_str text)
{
    while (text.len > 0 && !t->stopped) {
        const char *end = memchr(text.data, '\n', text.len);
        size_t n = end ? (size_t)(end - text.data) : text.len;

        if (s->too_long || s->line.len + n > NB_LOG_LINE_MOST) {
            s->too_long = end == NULL;
            s->n_lines += end != NULL;
            s->line.len = 0;
        } else if (end && s->line.len == 0) {
            give(s, t, (nb_str){text.data, n});
        } else {
            nb_strbuf_add(&s->line, (nb_str){text.data, n});
            if (s->line.failed) {
                return NB_NOMEM;
            }
            if (end) {
                give(s, t, nb_strbuf_str(&s->line));
                s->line.len = 0;
                if (s->line.cap > 4 * BLOCK) { /* one long line need not cost its memory for good */
                    nb_strbuf_free(&s->line);
                }
            }
        }
        text.data += n + (end != NULL);
        text.len -= n + (end != NULL);
    }
    return NB_OK;
}

/* Everything that the open file has. NB_OK: its present end. */
static nb_status
read_file(nb_log_source *s, taker *t, const char **why)
{
    while (!t->stopped) {
        size_t n;
        const char *reason;
        nb_status st;

        if (s->rest.len == 0) {
            ssize_t got = read(s->fd, s->in, BLOCK);

            if (got < 0 && errno == EINTR) {
                continue;
            }
            if (got < 0) {
                return fail(s, why, strerror(errno));
            }
            if (got == 0) {
                return NB_OK;
            }
            s->rest = (nb_str){s->in, (size_t)got};
        }
        do {
            st = nb_log_decode(s->decoder, &s->rest, s->out, BLOCK, &n, &reason);
            if (st < 0) {
                return st == NB_NOMEM ? st : fail(s, why, reason);
            }
            s->n_bytes += (int64_t)n;
            NB_TRY(cut(s, t, (nb_str){s->out, n}));
        } while ((n > 0 || s->rest.len > 0) && !t->stopped);
    }
    return NB_OK;
}

nb_status
nb_log_source_read(nb_log_source *s, bool last, bool (*fn)(void *payload, nb_str line),
                   void *payload, const char **why)
{
    taker t = {fn, payload, false};
    nb_status st;

    while (!t.stopped) {
        if (s->fd < 0) {
            st = open_file(s, why);
            if (st == NB_DONE) {
                break;
            }
            NB_TRY(st);
        }
        NB_TRY(read_file(s, &t, why));
        if (!s->is_dir) {
            break;
        }
        /* a folder's file is complete when the next one is there */
        if (!t.stopped) {
            nb_strbuf current = {0};
            int64_t number = s->rolled;

            nb_strbuf_add(&current, nb_strbuf_str(&s->file));
            st = find_next(s, why);
            s->rolled = number;
            s->file.len = 0;
            nb_strbuf_add(&s->file, nb_strbuf_str(&current));
            nb_strbuf_free(&current);
            NB_TRY(st);
            if (st == NB_DONE) {
                break;
            }
            NB_TRY(read_file(s, &t, why)); /* what came in between */
            close_file(s);
        }
    }
    if (last && !t.stopped && s->line.len > 0) {
        give(s, &t, nb_strbuf_str(&s->line));
        s->line.len = 0;
    }
    return NB_OK;
}

int64_t
nb_log_source_line(const nb_log_source *s)
{
    return s->n_lines;
}

int64_t
nb_log_source_bytes(const nb_log_source *s)
{
    return s->n_bytes;
}
