/* SPDX-License-Identifier: Apache-2.0 */
/*
 * history.c: see history.h.
 *
 * Locks     `lock` guards the index and the list of open applications, and is never held while a log is read as a whole. An
 *           application's own lock is held from open_app to close_app; its number of users keeps it from being closed meanwhile.
 * Identity  an open log is known by its inode: when its writer renames it from ".inprogress", reading goes on in the same file.
 */
#include "monitor/history.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/ascii.h"
#include "base/clock.h"
#include "base/log.h"
#include "monitor/log_index.h"
#include "monitor/log_source.h"

#define OPEN_MOST   8
#define TOTAL_BYTES ((size_t)2 << 30)
#define KEEP_BYTES \
    ((size_t)256 << 20) /* of applications that nobody looks at, when another is opened */
#define TAIL_BYTES ((size_t)64 * 1024)
#define INDEX_NAME ".nbaspark-history"

typedef struct open_app {
    nb_app *app;
    nb_log_source *source; /* NULL: all was read */
    int64_t inode;
    int users;
    uint64_t used; /* when last */
} open_app;

struct nb_history {
    nb_pool *pool;
    nb_site site;
    nb_strbuf dir, index_path;
    size_t app_memory;
    int poll_ms;
    pthread_mutex_t lock;
    pthread_mutex_t polling; /* one at a time */
    pthread_cond_t wake;
    bool stop, has_thread, index_dirty, index_warned;
    pthread_t thread;
    nb_log_index index;
    uint64_t round;
    open_app open[OPEN_MOST];
    uint64_t clock;
    atomic_llong n_opened, n_bytes, open_ns;
    int64_t poll_ns;
};

/* ---- what a list needs ------------------------------------------------------------------------- */

typedef struct peek {
    nb_app *app;
    bool only_start; /* the end is not there yet, or looked for elsewhere */
} peek;

/* Looked for near the beginning of a line; what it really is says the reader. */
static bool
is_event(nb_str line, const char *name)
{
    return memmem(line.data, NB_MIN(line.len, 80), name, strlen(name)) != NULL;
}

static bool
peek_line(void *payload, nb_str line)
{
    peek *p = payload;

    if (is_event(line, "SparkListenerApplication") || is_event(line, "SparkListenerLogStart")) {
        nb_app_take(p->app, line);
    }
    return !(p->only_start && p->app->started_ms > 0);
}

/* The last lines of a plain file. */
static void
peek_tail(const char *path, nb_app *app)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    char *text = nb_pool_alloc(app->pool, TAIL_BYTES);
    struct stat st;
    ssize_t n = -1;

    if (fd >= 0 && text && fstat(fd, &st) == 0) {
        off_t from = st.st_size > (off_t)TAIL_BYTES ? st.st_size - (off_t)TAIL_BYTES : 0;
        n = pread(fd, text, TAIL_BYTES, from);
    }
    for (ssize_t at = 0; at < n;) {
        const char *end = memchr(text + at, '\n', (size_t)(n - at));
        size_t len = end ? (size_t)(end - text - at) : (size_t)(n - at);
        nb_str line = {text + at, len};

        if (is_event(line, "SparkListenerApplicationEnd")) {
            nb_app_take(app, line);
        }
        at += (ssize_t)len + 1;
    }
    if (text) {
        nb_pool_dealloc(app->pool, text, TAIL_BYTES);
    }
    if (fd >= 0) {
        close(fd);
    }
}

typedef struct found {
    char name[NAME_MAX + 1];
    int64_t inode, size, mtime_ns;
    bool is_dir, in_progress;
} found;

static void
peek_log(nb_history *h, const found *f, const char *path, nb_app *app, const char **why,
         nb_log_source **source)
{
    bool plain = !f->is_dir && strstr(f->name, ".zstd") == NULL &&
                 strstr(f->name, ".lz4") == NULL && strstr(f->name, ".snappy") == NULL &&
                 strstr(f->name, ".lzf") == NULL;
    peek p = {app, plain || f->in_progress};

    (void)h;
    *source = nb_log_source_new(path);
    if (!*source) {
        *why = "out of memory";
        return;
    }
    if (nb_log_source_read(*source, !f->in_progress, peek_line, &p, why) < 0) {
        return;
    }
    *why = NULL;
    if (plain && !f->in_progress) {
        peek_tail(path, app);
    }
}

/* Reads the log for the list; without the lock. NULL app: out of memory. */
static nb_app *
peek_app(nb_history *h, const found *f, nb_strbuf *problem)
{
    nb_app *app = nb_app_new(h->pool, (size_t)64 << 20);
    nb_strbuf path = {0};
    nb_log_source *source = NULL;
    const char *why = NULL;

    nb_strbuf_addf(&path, "%s/%s", h->dir.data, f->name);
    if (app && !path.failed) {
        peek_log(h, f, path.data, app, &why, &source);
    }
    if (why) {
        nb_strbuf_adds(problem, why);
    }
    nb_log_source_free(source);
    nb_strbuf_free(&path);
    return app;
}

static bool
update_entry(nb_history *h, const found *f, const nb_app *app, nb_str problem)
{
    nb_log_index *x = &h->index;
    nb_log_entry *e = nb_log_index_find(x, f->name);

    if (!e) {
        e = nb_log_index_add(x, f->name);
    }
    if (!e) {
        return false;
    }
    e->inode = f->inode;
    e->size = f->size;
    e->mtime_ns = f->mtime_ns;
    e->in_progress = f->in_progress;
    e->started_ms = app->started_ms;
    e->ended_ms = app->ended_ms;
    e->updated_ms = f->mtime_ns / 1000000;
    e->round = h->round;
    h->index_dirty = true;
    return nb_log_entry_set(x, &e->id, app->id) && nb_log_entry_set(x, &e->app_name, app->name) &&
           nb_log_entry_set(x, &e->user, app->user) &&
           nb_log_entry_set(x, &e->version, app->version) &&
           nb_log_entry_set(x, &e->attempt, app->attempt) &&
           nb_log_entry_set(x, &e->problem, problem);
}

/* ---- the folder ------------------------------------------------------------------------------ */

/* Adds up the files of a rolled log. */
static void
look_inside(int at, found *f)
{
    int fd = openat(at, f->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;
    struct stat st;

    f->size = 0;
    f->in_progress = false;
    while (dir && (entry = readdir(dir)) != NULL) {
        nb_str name = nb_str_of(entry->d_name);

        if (nb_str_starts_with(name, NB_STR("appstatus_"))) {
            f->in_progress |= nb_str_ends_with(name, NB_STR(".inprogress"));
        }
        if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(st.st_mode)) {
            int64_t mtime = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
            f->size += st.st_size;
            f->mtime_ns = NB_MAX(f->mtime_ns, mtime);
        }
    }
    if (dir) {
        closedir(dir);
    } else if (fd >= 0) {
        close(fd);
    }
}

static void
look_at(nb_history *h, int dir, const char *name)
{
    found f = {0};
    nb_strbuf problem = {0};
    nb_log_entry *e;
    struct stat st;
    nb_app *app;
    bool known;

    if (strlen(name) >= sizeof(f.name) || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) ||
        !nb_log_source_is_log(name, S_ISDIR(st.st_mode))) {
        return;
    }
    snprintf(f.name, sizeof(f.name), "%s", name);
    f.inode = (int64_t)st.st_ino;
    f.size = st.st_size;
    f.mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    f.is_dir = S_ISDIR(st.st_mode);
    f.in_progress = nb_str_ends_with(nb_str_of(name), NB_STR(".inprogress"));
    if (f.is_dir) {
        look_inside(dir, &f);
    }
    pthread_mutex_lock(&h->lock);
    e = nb_log_index_find(&h->index, name);
    known = e && e->inode == f.inode && e->started_ms > 0 && e->in_progress == f.in_progress &&
            (f.in_progress || (e->size == f.size && e->mtime_ns == f.mtime_ns));
    if (known) { /* of a log that grows only the sizes change */
        h->index_dirty |= e->size != f.size;
        e->size = f.size;
        e->mtime_ns = f.mtime_ns;
        e->updated_ms = f.mtime_ns / 1000000;
    }
    if (e) {
        e->round = h->round;
        known |= e->inode == f.inode && e->size == f.size && e->mtime_ns == f.mtime_ns &&
                 e->in_progress == f.in_progress;
    }
    pthread_mutex_unlock(&h->lock);
    if (known) {
        return;
    }
    app = peek_app(h, &f, &problem);
    if (app) {
        pthread_mutex_lock(&h->lock);
        if (!update_entry(h, &f, app, nb_strbuf_str(&problem))) {
            nb_log(NB_LOG_ERROR, "History", "out of memory for the list of applications");
        }
        pthread_mutex_unlock(&h->lock);
    }
    nb_app_free(app);
    nb_strbuf_free(&problem);
}

static void
save_index(nb_history *h)
{
    if (h->index_path.len == 0 || !h->index_dirty) {
        return;
    }
    h->index_dirty = false;
    if (!nb_log_index_save(&h->index, h->index_path.data) && !h->index_warned) {
        h->index_warned = true;
        nb_log(NB_LOG_WARN, "History", "%s: %s; the next start reads all logs again",
               h->index_path.data, strerror(errno));
    }
}

void
nb_history_poll(nb_history *h)
{
    int64_t start = nb_clock_mono_ns();
    DIR *dir;
    struct dirent *entry;

    pthread_mutex_lock(&h->polling);
    dir = opendir(h->dir.data);
    if (!dir) {
        nb_log(NB_LOG_WARN, "History", "%s: %s", h->dir.data, strerror(errno));
        pthread_mutex_unlock(&h->polling);
        return;
    }
    pthread_mutex_lock(&h->lock);
    h->round++;
    pthread_mutex_unlock(&h->lock);
    while ((entry = readdir(dir)) != NULL) {
        look_at(h, dirfd(dir), entry->d_name);
    }
    closedir(dir);
    pthread_mutex_lock(&h->lock);
    for (size_t i = h->index.n; i-- > 0;) {
        if (h->index.entries[i]->round != h->round) {
            nb_log_index_remove(&h->index, i);
            h->index_dirty = true;
        }
    }
    save_index(h);
    h->poll_ns = nb_clock_mono_ns() - start;
    pthread_mutex_unlock(&h->lock);
    pthread_mutex_unlock(&h->polling);
}

static void *
poll_main(void *payload)
{
    nb_history *h = payload;

    pthread_mutex_lock(&h->lock);
    while (!h->stop) {
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += h->poll_ms / 1000;
        until.tv_nsec += (long)(h->poll_ms % 1000) * 1000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000;
        }
        pthread_cond_timedwait(&h->wake, &h->lock, &until);
        if (h->stop) {
            break;
        }
        pthread_mutex_unlock(&h->lock);
        nb_history_poll(h);
        pthread_mutex_lock(&h->lock);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

/* ---- open applications ------------------------------------------------------------------------- */

static void
forget(open_app *o)
{
    nb_app_free(o->app);
    nb_log_source_free(o->source);
    *o = (open_app){0};
}

/* A place for one more; the one that was not looked at for the longest time goes. Under the lock. NULL: all are in use. */
static open_app *
make_room(nb_history *h)
{
    open_app *best;

    for (;;) {
        open_app *empty = NULL;
        size_t used = nb_pool_used(h->pool);

        best = NULL;
        for (int i = 0; i < OPEN_MOST; i++) {
            open_app *o = &h->open[i];

            if (!o->app) {
                empty = o;
            } else if (o->users == 0 && (!best || o->used < best->used)) {
                best = o;
            }
        }
        if (empty && (used < KEEP_BYTES || !best)) {
            return empty;
        }
        if (!best) {
            return NULL;
        }
        forget(best);
    }
}

/* The latest log of the application. Under the lock. */
static nb_log_entry *
find_log(const nb_history *h, nb_str id, nb_str attempt)
{
    nb_log_entry *best = NULL;

    for (size_t i = 0; i < h->index.n; i++) {
        nb_log_entry *e = h->index.entries[i];

        if (nb_str_equal(nb_str_of(e->id), id) &&
            (attempt.len == 0 || nb_str_equal(nb_str_of(e->attempt), attempt)) &&
            (!best || e->started_ms > best->started_ms ||
             (e->started_ms == best->started_ms && best->in_progress))) {
            best = e;
        }
    }
    return best;
}

static bool
take_line(void *payload, nb_str line)
{
    open_app *o = payload;

    if (!nb_app_take(o->app, line)) {
        nb_app_note(o->app, "line %lld of the log is not an event",
                    (long long)nb_log_source_line(o->source));
    }
    return !o->app->full;
}

static nb_app *
history_open(void *payload, nb_str id, nb_str attempt)
{
    nb_history *h = payload;
    nb_strbuf path = {0};
    open_app *o = NULL;
    nb_log_entry *e;
    bool in_progress = false;

    if (id.len == 0) {
        return NULL;
    }
    pthread_mutex_lock(&h->lock);
    e = find_log(h, id, attempt);
    for (int i = 0; e && i < OPEN_MOST; i++) {
        if (h->open[i].app && h->open[i].inode == e->inode) {
            o = &h->open[i];
        }
    }
    if (e && !o) {
        o = make_room(h);
        if (o) {
            nb_strbuf_addf(&path, "%s/%s", h->dir.data, e->name);
            o->app = nb_app_new(h->pool, h->app_memory);
            o->source = path.failed ? NULL : nb_log_source_new(path.data);
            o->inode = e->inode;
            nb_strbuf_free(&path);
            if (!o->app || !o->source) {
                forget(o);
                o = NULL;
            }
            atomic_fetch_add(&h->n_opened, 1);
        }
    }
    if (o) {
        o->users++;
        o->used = ++h->clock;
        in_progress = e->in_progress;
    }
    pthread_mutex_unlock(&h->lock);
    if (!o) {
        return NULL;
    }
    nb_app_lock(o->app);
    if (o->source) {
        int64_t start = nb_clock_mono_ns(), before = nb_log_source_bytes(o->source);
        const char *why = NULL;

        if (nb_log_source_read(o->source, !in_progress, take_line, o, &why) < 0) {
            nb_app_note(o->app, "%s", why ? why : "out of memory");
            in_progress = false; /* no use in trying again */
        }
        atomic_fetch_add(&h->n_bytes, nb_log_source_bytes(o->source) - before);
        atomic_fetch_add(&h->open_ns, nb_clock_mono_ns() - start);
        if (!in_progress) {
            nb_log_source_free(o->source);
            o->source = NULL;
        }
    }
    return o->app;
}

static void
history_release(void *payload, nb_app *app)
{
    nb_history *h = payload;

    nb_app_unlock(app);
    pthread_mutex_lock(&h->lock);
    for (int i = 0; i < OPEN_MOST; i++) {
        if (h->open[i].app == app) {
            h->open[i].users--;
        }
    }
    pthread_mutex_unlock(&h->lock);
}

/* ---- the site -------------------------------------------------------------------------------- */

/* Later first. */
static int
by_start(const void *a, const void *b)
{
    const nb_log_entry *x = *(nb_log_entry *const *)a, *y = *(nb_log_entry *const *)b;

    return x->started_ms != y->started_ms ? (x->started_ms < y->started_ms) * 2 - 1
                                          : strcmp(y->name, x->name);
}

static nb_status
history_list(void *payload, nb_site_emit_app emit, void *to)
{
    nb_history *h = payload;
    nb_arena *arena = nb_arena_new(NULL);
    nb_log_entry **sorted;
    size_t n = 0;

    if (!arena) {
        return NB_NOMEM;
    }
    pthread_mutex_lock(&h->lock);
    sorted = NB_ARENA_ARRAY(arena, nb_log_entry *, h->index.n + 1);
    for (size_t i = 0; sorted && i < h->index.n; i++) {
        if (h->index.entries[i]->id[0] || h->index.entries[i]->problem[0]) {
            sorted[n++] = h->index.entries[i];
        }
    }
    if (n > 0) {
        qsort(sorted, n, sizeof(*sorted), by_start);
    }
    for (size_t i = 0; i < n; i++) {
        const nb_log_entry *e = sorted[i];
        nb_site_app a = {.id = nb_str_of(e->id[0] ? e->id : e->name),
                         .attempt = nb_str_of(e->attempt),
                         .name = nb_str_of(e->id[0] ? e->app_name : e->name),
                         .user = nb_str_of(e->user),
                         .version = nb_str_of(e->version),
                         .started_ms = e->started_ms,
                         .ended_ms = e->ended_ms,
                         .updated_ms = e->updated_ms,
                         .completed = !e->in_progress,
                         .source = nb_strbuf_str(&h->dir),
                         .problem = nb_str_of(e->problem),
                         .log_bytes = e->size,
                         .cores = -1,
                         .memory = -1};
        /* one that died while it ran ended with its last event, more or less */
        if (a.completed && a.ended_ms <= 0) {
            a.ended_ms = a.updated_ms;
        }
        emit(to, &a);
    }
    pthread_mutex_unlock(&h->lock);
    nb_arena_free(arena);
    return sorted ? NB_OK : NB_NOMEM;
}

static nb_status
history_send_log(void *payload, nb_str id, nb_str attempt, nb_http_answer *answer)
{
    nb_history *h = payload;
    nb_strbuf path = {0}, name = {0};
    nb_log_entry *e;
    struct stat st;
    int fd = -1;

    pthread_mutex_lock(&h->lock);
    e = id.len > 0 ? find_log(h, id, attempt) : NULL;
    if (e) {
        nb_strbuf_addf(&path, "%s/%s", h->dir.data, e->name);
        for (const char *c = e->name; *c; c++) {
            bool good = nb_is_word(*c) || *c == '.' || *c == '-';
            nb_strbuf_addc(&name, good ? *c : '_');
        }
    }
    pthread_mutex_unlock(&h->lock);
    if (e && !path.failed) {
        fd = open(path.data, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    }
    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        close(fd); /* rolled logs are folders */
        fd = -1;
    }
    nb_strbuf_free(&path);
    if (fd < 0) {
        nb_strbuf_free(&name);
        return NB_DONE;
    }
    answer->file = fd;
    answer->type = "application/octet-stream";
    snprintf(answer->file_name, sizeof(answer->file_name), "%s", name.data ? name.data : "log");
    nb_strbuf_free(&name);
    return NB_OK;
}

static void
history_metrics(void *payload, nb_strbuf *out)
{
    nb_history *h = payload;
    size_t n, running = 0, open = 0;
    double poll;

    pthread_mutex_lock(&h->lock);
    n = h->index.n;
    for (size_t i = 0; i < n; i++) {
        running += h->index.entries[i]->in_progress;
    }
    for (int i = 0; i < OPEN_MOST; i++) {
        open += h->open[i].app != NULL;
    }
    poll = (double)h->poll_ns / 1e9;
    pthread_mutex_unlock(&h->lock);
    nb_monitor_metric(out, "nbaspark_history_logs", "gauge", "Event logs in the folder.",
                      (double)n);
    nb_monitor_metric(out, "nbaspark_history_logs_in_progress", "gauge",
                      "Event logs of applications that run.", (double)running);
    nb_monitor_metric(out, "nbaspark_history_applications_open", "gauge",
                      "Applications that are in memory.", (double)open);
    nb_monitor_metric(out, "nbaspark_history_applications_opened_total", "counter",
                      "Applications that were read into memory.",
                      (double)atomic_load(&h->n_opened));
    nb_monitor_metric(out, "nbaspark_history_read_bytes_total", "counter",
                      "Text of event logs that was read.", (double)atomic_load(&h->n_bytes));
    nb_monitor_metric(out, "nbaspark_history_read_seconds_total", "counter",
                      "Time of reading event logs.", (double)atomic_load(&h->open_ns) / 1e9);
    nb_monitor_metric(out, "nbaspark_history_poll_seconds", "gauge",
                      "How long the last look at the folder took.", poll);
}

/* ---- life ------------------------------------------------------------------------------------ */

nb_status
nb_history_open(const nb_history_options *o, nb_history **out, nb_error *err)
{
    nb_pool *pool = nb_pool_new(NULL, "history", TOTAL_BYTES);
    nb_history *h = pool ? nb_pool_zalloc(pool, sizeof(*h)) : NULL;
    struct stat st;

    if (!h) {
        nb_pool_free(pool);
        return NB_NOMEM;
    }
    h->pool = pool;
    h->index.pool = pool;
    pthread_mutex_init(&h->lock, NULL);
    pthread_mutex_init(&h->polling, NULL);
    pthread_cond_init(&h->wake, NULL);
    h->poll_ms = o->poll_ms > 0 ? o->poll_ms : 5000;
    h->app_memory = o->app_memory > 0 ? o->app_memory : (size_t)1 << 30;
    nb_strbuf_adds(&h->dir, o->dir);
    while (h->dir.len > 1 && h->dir.data[h->dir.len - 1] == '/') {
        h->dir.data[--h->dir.len] = 0;
    }
    if (o->index) {
        nb_strbuf_adds(&h->index_path, o->index);
    } else {
        nb_strbuf_addf(&h->index_path, "%s/" INDEX_NAME, o->dir);
    }
    if (h->dir.failed || h->index_path.failed) {
        nb_history_close(h);
        return NB_NOMEM;
    }
    if (stat(h->dir.data, &st) != 0 || !S_ISDIR(st.st_mode)) {
        int code = errno ? errno : ENOTDIR;
        nb_status failed = nb_raise_errno(err, "read", h->dir.data, code);
        nb_history_close(h);
        return failed;
    }
    if (h->index_path.len > 0) {
        nb_log_index_load(&h->index, h->index_path.data);
    }
    h->site = (nb_site){.kind = NB_SITE_HISTORY,
                        .title = h->dir.data,
                        .payload = h,
                        .list_apps = history_list,
                        .open_app = history_open,
                        .close_app = history_release,
                        .send_log = history_send_log,
                        .metrics = history_metrics};
    nb_history_poll(h);
    h->has_thread = pthread_create(&h->thread, NULL, poll_main, h) == 0;
    *out = h;
    return NB_OK;
}

void
nb_history_close(nb_history *h)
{
    nb_pool *pool;

    if (!h) {
        return;
    }
    if (h->has_thread) {
        pthread_mutex_lock(&h->lock);
        h->stop = true;
        pthread_cond_signal(&h->wake);
        pthread_mutex_unlock(&h->lock);
        pthread_join(h->thread, NULL);
    }
    for (int i = 0; i < OPEN_MOST; i++) {
        forget(&h->open[i]);
    }
    nb_log_index_free(&h->index);
    nb_strbuf_free(&h->dir);
    nb_strbuf_free(&h->index_path);
    pthread_mutex_destroy(&h->lock);
    pthread_mutex_destroy(&h->polling);
    pthread_cond_destroy(&h->wake);
    pool = h->pool;
    nb_pool_dealloc(pool, h, sizeof(*h));
    nb_pool_free(pool);
}

const nb_site *
nb_history_site(const nb_history *h)
{
    return &h->site;
}
