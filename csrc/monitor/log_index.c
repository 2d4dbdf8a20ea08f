/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_index.c: see log_index.h. On disk: JSON, a line per log. Lines that are not understood are left out, and their logs read anew.
 */
#include "monitor/log_index.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include "monitor/event_read.h"
#include "monitor/json_out.h"
#include "monitor/log_source.h"

#define FORMAT 1

bool
nb_log_entry_set(nb_log_index *x, char **text, nb_str value)
{
    char *copy = nb_pool_alloc(x->pool, value.len + 1);

    if (!copy) {
        return false;
    }
    if (value.len) {
        memcpy(copy, value.data, value.len);
    }
    copy[value.len] = 0;
    for (size_t i = 0; i < value.len; i++) { /* these are C texts */
        copy[i] = copy[i] ? copy[i] : ' ';
    }
    if (*text) {
        nb_pool_dealloc(x->pool, *text, strlen(*text) + 1);
    }
    *text = copy;
    return true;
}

static void
entry_free(nb_log_index *x, nb_log_entry *e)
{
    char *texts[] = {e->name, e->id, e->app_name, e->user, e->version, e->attempt, e->problem};

    for (size_t i = 0; i < NB_COUNT_OF(texts); i++) {
        if (texts[i]) {
            nb_pool_dealloc(x->pool, texts[i], strlen(texts[i]) + 1);
        }
    }
    nb_pool_dealloc(x->pool, e, sizeof(*e));
}

void
nb_log_index_free(nb_log_index *x)
{
    for (size_t i = 0; i < x->n; i++) {
        entry_free(x, x->entries[i]);
    }
    if (x->entries) {
        nb_pool_dealloc(x->pool, x->entries, x->cap * sizeof(*x->entries));
    }
    *x = (nb_log_index){.pool = x->pool};
}

/* Where name is or would be. */
static size_t
place(const nb_log_index *x, const char *name)
{
    size_t low = 0, high = x->n;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (strcmp(x->entries[mid]->name, name) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

nb_log_entry *
nb_log_index_find(const nb_log_index *x, const char *name)
{
    size_t i = place(x, name);

    return i < x->n && strcmp(x->entries[i]->name, name) == 0 ? x->entries[i] : NULL;
}

nb_log_entry *
nb_log_index_add(nb_log_index *x, const char *name)
{
    nb_log_entry *e = nb_pool_zalloc(x->pool, sizeof(*e));
    nb_str none = {"", 0};
    size_t i;

    if (!e) {
        return NULL;
    }
    if (!nb_log_entry_set(x, &e->name, nb_str_of(name)) || !nb_log_entry_set(x, &e->id, none) ||
        !nb_log_entry_set(x, &e->app_name, none) || !nb_log_entry_set(x, &e->user, none) ||
        !nb_log_entry_set(x, &e->version, none) || !nb_log_entry_set(x, &e->attempt, none) ||
        !nb_log_entry_set(x, &e->problem, none)) {
        entry_free(x, e);
        return NULL;
    }
    if (x->n == x->cap) {
        size_t cap = x->cap ? x->cap * 2 : 64;
        nb_log_entry **wider =
            nb_pool_realloc(x->pool, x->entries, x->cap * sizeof(*wider), cap * sizeof(*wider));
        if (!wider) {
            entry_free(x, e);
            return NULL;
        }
        x->entries = wider;
        x->cap = cap;
    }
    i = place(x, name);
    memmove(&x->entries[i + 1], &x->entries[i], (x->n - i) * sizeof(*x->entries));
    x->entries[i] = e;
    x->n++;
    return e;
}

void
nb_log_index_remove(nb_log_index *x, size_t i)
{
    entry_free(x, x->entries[i]);
    x->n--;
    memmove(&x->entries[i], &x->entries[i + 1], (x->n - i) * sizeof(*x->entries));
}

/* ---- on disk --------------------------------------------------------------------------------- */

typedef struct line {
    int64_t format, inode, size, mtime, started, ended, updated;
    bool in_progress;
    nb_str name, id, app_name, user, version, attempt, problem;
} line;

#define INT(name, member)  {name, NB_FIELD_INT, offsetof(line, member), NULL, NULL}
#define TEXT(name, member) {name, NB_FIELD_TEXT, offsetof(line, member), NULL, NULL}
static const nb_event_field LINE[] = {
    INT("v", format),
    TEXT("log", name),
    INT("inode", inode),
    INT("size", size),
    INT("mtime", mtime),
    {"inProgress", NB_FIELD_BOOL, offsetof(line, in_progress), NULL, NULL},
    TEXT("id", id),
    TEXT("name", app_name),
    TEXT("user", user),
    TEXT("version", version),
    TEXT("attempt", attempt),
    TEXT("problem", problem),
    INT("started", started),
    INT("ended", ended),
    INT("updated", updated),
    {NULL, NB_FIELD_INT, 0, NULL, NULL}};

typedef struct loader {
    nb_log_index *index;
    nb_arena *scratch;
} loader;

static bool
load_line(void *payload, nb_str text)
{
    loader *l = payload;
    nb_event_reader r = {.json = nb_json_of(text), .scratch = l->scratch};
    nb_str none = {"", 0};
    line v = {.name = none,
              .id = none,
              .app_name = none,
              .user = none,
              .version = none,
              .attempt = none,
              .problem = none};
    char *name;
    nb_log_entry *e;

    nb_arena_reset(l->scratch);
    if (!nb_event_read_object(&r, LINE, &v) || v.format != FORMAT || v.name.len == 0 ||
        memchr(v.name.data, '/', v.name.len) || memchr(v.name.data, 0, v.name.len)) {
        return true;
    }
    name = nb_arena_strdup(l->scratch, v.name);
    if (!name || nb_log_index_find(l->index, name)) {
        return name != NULL;
    }
    e = nb_log_index_add(l->index, name);
    if (!e) {
        return false;
    }
    e->inode = v.inode;
    e->size = v.size;
    e->mtime_ns = v.mtime;
    e->in_progress = v.in_progress;
    e->started_ms = v.started;
    e->ended_ms = v.ended;
    e->updated_ms = v.updated;
    return nb_log_entry_set(l->index, &e->id, v.id) &&
           nb_log_entry_set(l->index, &e->app_name, v.app_name) &&
           nb_log_entry_set(l->index, &e->user, v.user) &&
           nb_log_entry_set(l->index, &e->version, v.version) &&
           nb_log_entry_set(l->index, &e->attempt, v.attempt) &&
           nb_log_entry_set(l->index, &e->problem, v.problem);
}

void
nb_log_index_load(nb_log_index *x, const char *path)
{
    nb_log_source *s = nb_log_source_new(path);
    loader l = {x, nb_arena_new(x->pool)};
    const char *why;

    if (s && l.scratch) {
        (void)nb_log_source_read(s, false, load_line, &l,
                                 &why); /* what is not there is read anew */
    }
    nb_arena_free(l.scratch);
    nb_log_source_free(s);
}

static void
put_entry(nb_strbuf *out, const nb_log_entry *e)
{
    nb_json_out o = {out, false};

    nb_out_open(&o, NULL, '{');
    nb_out_int(&o, "v", FORMAT);
    nb_out_text(&o, "log", e->name);
    nb_out_int(&o, "inode", e->inode);
    nb_out_int(&o, "size", e->size);
    nb_out_int(&o, "mtime", e->mtime_ns);
    nb_out_bool(&o, "inProgress", e->in_progress);
    nb_out_text(&o, "id", e->id);
    nb_out_text(&o, "name", e->app_name);
    nb_out_text(&o, "user", e->user);
    nb_out_text(&o, "version", e->version);
    nb_out_text(&o, "attempt", e->attempt);
    nb_out_text(&o, "problem", e->problem);
    nb_out_int(&o, "started", e->started_ms);
    nb_out_int(&o, "ended", e->ended_ms);
    nb_out_int(&o, "updated", e->updated_ms);
    nb_out_close(&o, '}');
    nb_strbuf_addc(out, '\n');
}

bool
nb_log_index_save(const nb_log_index *x, const char *path)
{
    nb_strbuf text = {0}, temporary = {0};
    bool ok = false;
    size_t at = 0;
    int fd = -1;

    for (size_t i = 0; i < x->n; i++) {
        put_entry(&text, x->entries[i]);
    }
    nb_strbuf_addf(&temporary, "%s.new", path);
    errno = ENOMEM;
    if (text.failed || temporary.failed) {
        goto done;
    }
    unlink(temporary.data);
    fd = open(temporary.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) {
        goto done;
    }
    while (at < text.len) {
        ssize_t n = write(fd, text.data + at, text.len - at);

        if (n < 0 && errno != EINTR) {
            goto done;
        }
        at += n > 0 ? (size_t)n : 0;
    }
    ok = rename(temporary.data, path) == 0;
done:
    if (fd >= 0) {
        close(fd);
        if (!ok) {
            unlink(temporary.data);
        }
    }
    nb_strbuf_free(&text);
    nb_strbuf_free(&temporary);
    return ok;
}
