/* SPDX-License-Identifier: Apache-2.0 */
/*
 * artifacts.c: a session's folder of uploaded files.
 *
 *     nbaspark-artifacts-XXXXXX/       mode 0700
 *         upload-3                     under way
 *         tree/pyfiles/helpers.py      finished
 *
 * A finished file is moved into the tree under the lock. Copies of a session have hard links of its files: no file of a tree is ever written to again.
 */
#include "connect/artifacts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connect/query.h"
#include "io/allowed.h"
#include "io/file.h"

#define MAX_NAME  1024
#define MAX_PATH  (512 + 16 + MAX_NAME)
#define MAX_DEPTH 64 /* of folders, for copies */

struct nb_artifact {
    nb_session *session;
    int fd;
    bool for_file_system; /* its place is outside the session's folder */
    bool finished;
    int64_t n_bytes;
    char name[MAX_NAME + 1]; /* for messages */
    char staging[MAX_PATH + 32], place[MAX_PATH];
};

/* ---- the folder ------------------------------------------------------------------------------ */

void
nb_artifacts_init(nb_artifacts *a, const nb_config *config)
{
    a->limit = nb_config_int(config, NB_CONF_ARTIFACT_BYTES);
    a->to_file_system = nb_config_bool(config, NB_CONF_CONNECT_TO_LOCAL);
    pthread_mutex_init(&a->lock, NULL);
}

void
nb_artifacts_end(nb_artifacts *a)
{
    nb_error quiet = NB_ERROR_INIT;

    if (a->dir[0] && a->owner == getpid() && nb_remove_tree(a->dir, &quiet) < 0) {
        nb_error_clear(&quiet); /* nobody is left to hear of it */
    }
    pthread_mutex_destroy(&a->lock);
}

/* Makes the folder unless it is there. Called under the lock. */
static nb_status
need_folder(nb_session *s, nb_error *err)
{
    nb_artifacts *a = &s->artifacts;
    nb_str local;
    char dir[sizeof a->dir], tree[sizeof a->dir + 8];
    int n;

    if (a->dir[0]) {
        return NB_OK;
    }
    pthread_mutex_lock(&s->lock);
    local = nb_dir_of_list(nb_config_str(s->started, NB_CONF_LOCAL_DIR), 0);
    n = snprintf(dir, sizeof dir, "%.*s/nbaspark-artifacts-XXXXXX", (int)local.len, local.data);
    pthread_mutex_unlock(&s->lock);
    if (n >= (int)sizeof dir) {
        return nb_raise_errno(err, "mkdir", "spark.local.dir", ENAMETOOLONG);
    }
    if (!mkdtemp(dir)) {
        return nb_raise_errno(err, "mkdir", dir, errno);
    }
    snprintf(tree, sizeof tree, "%s/tree", dir);
    if (mkdir(tree, 0700) != 0) {
        nb_status st = nb_raise_errno(err, "mkdir", tree, errno);

        rmdir(dir);
        return st;
    }
    memcpy(a->dir, dir, sizeof dir);
    a->owner = getpid();
    return NB_OK;
}

/* Counts bytes that come. */
static nb_status
charge(nb_session *s, int64_t n, nb_error *err)
{
    int64_t limit = s->artifacts.limit;
    bool fits;

    pthread_mutex_lock(&s->artifacts.lock);
    fits = n <= limit - s->artifacts.n_bytes;
    s->artifacts.n_bytes += fits ? n : 0;
    pthread_mutex_unlock(&s->artifacts.lock);
    if (!fits) {
        char text[24];

        snprintf(text, sizeof text, "%lld", (long long)limit);
        return nb_raise(err, NB_COND_ARTIFACT_LIMIT_EXCEEDED, "limit", text, "config",
                        "nbaspark.connect.artifacts.maxBytes", NULL);
    }
    return NB_OK;
}

/* ---- names ----------------------------------------------------------------------------------- */

/* The relative path that a name means, without "." and ".."; false: it means none, or leads out. */
static bool
clean(nb_str name, char out[MAX_NAME + 1])
{
    size_t n = 0;

    if (name.len == 0 || name.len > MAX_NAME || name.data[0] == '/' ||
        name.data[name.len - 1] == '/' || memchr(name.data, '\0', name.len)) {
        return false;
    }
    for (size_t at = 0, end; at < name.len; at = end + 1) {
        nb_str part;

        for (end = at; end < name.len && name.data[end] != '/'; end++) {
        }
        part = (nb_str){name.data + at, end - at};
        if (part.len == 0 || nb_str_equal(part, NB_STR("."))) {
            continue;
        }
        if (nb_str_equal(part, NB_STR(".."))) {
            if (n == 0) {
                return false;
            }
            while (n > 0 && out[--n] != '/') {
            }
            continue;
        }
        if (n > 0) {
            out[n++] = '/';
        }
        memcpy(out + n, part.data, part.len);
        n += part.len;
    }
    out[n] = '\0';
    return n > 0;
}

static nb_status
raise_invalid(nb_str name, nb_error *err)
{
    char shown[200];

    snprintf(shown, sizeof shown, "%.*s", (int)NB_MIN(name.len, sizeof shown - 1),
             name.len ? name.data : "");
    return nb_raise(err, NB_COND_INVALID_ARTIFACT_PATH, "name", shown, NULL);
}

/* Where a file for a path of this machine goes, and where it is put together, which is beside that. */
static nb_status
place_outside(nb_artifact *a, nb_str path, uint64_t number, nb_error *err)
{
    nb_session *s = a->session;
    char *last;
    bool allowed;

    pthread_mutex_lock(&s->lock);
    allowed = s->artifacts.to_file_system || nb_config_bool(s->config, NB_CONF_ARTIFACTS_TO_LOCAL);
    pthread_mutex_unlock(&s->lock);
    if (!allowed) {
        return nb_raise(err, NB_COND_UNSUPPORTED_OPERATION_EXCEPTION, "message",
                        "Uploading artifact file to local file system destination path is not "
                        "supported.",
                        NULL);
    }
    if (path.len < 2 || path.len > MAX_NAME / 2 || path.data[0] != '/' ||
        memchr(path.data, '\0', path.len)) {
        return raise_invalid(path, err);
    }
    snprintf(a->place, sizeof a->place, "%.*s", (int)path.len, path.data);
    NB_TRY(nb_allowed_check(a->place, err));
    if (nb_path_is_dir(a->place)) { /* into it, under its last name, as Spark puts it */
        nb_str base = path;

        while (base.len > 0 && base.data[base.len - 1] == '/') {
            base.len--;
        }
        for (size_t i = base.len; i > 0; i--) {
            if (base.data[i - 1] == '/') {
                base = (nb_str){base.data + i, base.len - i};
                break;
            }
        }
        snprintf(a->place, sizeof a->place, "%.*s/%.*s", (int)path.len, path.data, (int)base.len,
                 base.data);
    }
    snprintf(a->staging, sizeof a->staging, "%s", a->place);
    last = strrchr(a->staging, '/');
    *last = '\0';
    if (a->staging[0]) {
        NB_TRY(nb_make_dirs(a->staging, err));
    }
    snprintf(last, sizeof a->staging - (size_t)(last - a->staging), "/.upload-%d-%llu.tmp",
             (int)getpid(), (unsigned long long)number);
    a->for_file_system = true;
    return NB_OK;
}

static nb_status
place_inside(nb_artifact *a, nb_str name, uint64_t number, nb_error *err)
{
    const char *dir = a->session->artifacts.dir;
    char path[MAX_NAME + 1];

    if (nb_str_starts_with(name, NB_STR("archives/"))) { /* less the folder it is unpacked into */
        for (size_t i = 0; i < name.len; i++) {
            name.len = name.data[i] == '#' ? i : name.len;
        }
    }
    if (!clean(name, path)) {
        return raise_invalid(name, err);
    }
    snprintf(a->place, sizeof a->place, "%s/tree/%s", dir, path);
    snprintf(a->staging, sizeof a->staging, "%s/upload-%llu", dir, (unsigned long long)number);
    return NB_OK;
}

/* ---- an upload ------------------------------------------------------------------------------- */

nb_status
nb_artifact_begin(nb_session *s, nb_str name, nb_artifact **out, nb_error *err)
{
    static const nb_str OUTSIDE = {"forward_to_fs", 13};
    nb_artifact *a = nb_pool_zalloc(s->pool, sizeof *a);
    uint64_t number;
    nb_status st;

    if (!a) {
        return NB_NOMEM;
    }
    a->session = s;
    a->fd = -1;
    snprintf(a->name, sizeof a->name, "%.*s", (int)NB_MIN(name.len, (size_t)MAX_NAME),
             name.len ? name.data : "");
    pthread_mutex_lock(&s->artifacts.lock);
    st = need_folder(s, err);
    number = s->artifacts.n_begun++;
    pthread_mutex_unlock(&s->artifacts.lock);
    NB_TRY_GOTO(st, st, fail);
    if (nb_str_starts_with(name, OUTSIDE) && name.len > OUTSIDE.len &&
        name.data[OUTSIDE.len] == '/') {
        name = (nb_str){name.data + OUTSIDE.len, name.len - OUTSIDE.len};
        NB_TRY_GOTO(st, place_outside(a, name, number, err), fail);
    } else {
        NB_TRY_GOTO(st, place_inside(a, name, number, err), fail);
    }
    a->fd = open(a->staging, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                 a->for_file_system ? 0666 : 0600);
    if (a->fd < 0) {
        st = nb_raise_errno(err, "create", a->staging, errno);
        a->staging[0] = '\0';
        goto fail;
    }
    if (a->for_file_system) { /* a link on the way may have changed since */
        NB_TRY_GOTO(st, nb_allowed_check_open(a->fd, a->place, err), fail);
    }
    *out = a;
    return NB_OK;
fail:
    nb_artifact_free(a);
    return st;
}

nb_status
nb_artifact_write(nb_artifact *a, const void *data, size_t n, nb_error *err)
{
    const char *at = data;

    NB_TRY(charge(a->session, (int64_t)n, err));
    a->n_bytes += (int64_t)n;
    while (n > 0) {
        ssize_t done = write(a->fd, at, n);

        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return nb_raise_errno(err, "write", a->staging, done < 0 ? errno : ENOSPC);
        }
        at += done;
        n -= (size_t)done;
    }
    return NB_OK;
}

/* Do two files have the same content? */
static bool
same_content(const char *x, const char *y)
{
    FILE *f = fopen(x, "rbe"), *g = fopen(y, "rbe");
    bool same = f && g;

    while (same) {
        char left[8192], right[8192];
        size_t n = fread(left, 1, sizeof left, f), m = fread(right, 1, sizeof right, g);

        same = n == m && memcmp(left, right, n) == 0 && !ferror(f) && !ferror(g);
        if (n < sizeof left) {
            break;
        }
    }
    if (f) {
        fclose(f);
    }
    if (g) {
        fclose(g);
    }
    return same;
}

/* Moves the file into the tree, under the lock. Classes may be replaced, as in Spark. */
static nb_status
take_place(nb_artifact *a, nb_error *err)
{
    char *last = strrchr(a->place, '/');
    bool exists, is_dir;

    *last = '\0';
    NB_TRY(nb_make_dirs(a->place, err));
    *last = '/';
    NB_TRY(nb_path_look(a->place, &exists, &is_dir, err));
    if (exists && (is_dir || strncmp(a->name, "classes/", 8) != 0)) {
        return !is_dir && same_content(a->place, a->staging)
                   ? NB_OK
                   : nb_raise(err, NB_COND_ARTIFACT_ALREADY_EXISTS, "normalizedRemoteRelativePath",
                              strstr(a->place, "/tree/") + 6, NULL);
    }
    if (rename(a->staging, a->place) != 0) {
        return nb_raise_errno(err, "rename", a->place, errno);
    }
    a->finished = true;
    return NB_OK;
}

nb_status
nb_artifact_finish(nb_artifact *a, nb_error *err)
{
    int fd = a->fd;
    nb_status st;

    a->fd = -1;
    if (close(fd) != 0) {
        return nb_raise_errno(err, "close", a->staging, errno);
    }
    if (a->for_file_system) {
        if (rename(a->staging, a->place) != 0) {
            return nb_raise_errno(err, "rename", a->place, errno);
        }
        a->staging[0] = '\0'; /* its bytes are not the session's any more */
        return NB_OK;
    }
    pthread_mutex_lock(&a->session->artifacts.lock);
    st = take_place(a, err);
    pthread_mutex_unlock(&a->session->artifacts.lock);
    return st;
}

void
nb_artifact_free(nb_artifact *a)
{
    if (!a) {
        return;
    }
    if (a->fd >= 0) {
        close(a->fd);
    }
    if (!a->finished) {
        nb_artifacts *all = &a->session->artifacts;

        if (a->staging[0]) {
            unlink(a->staging);
        }
        pthread_mutex_lock(&all->lock);
        all->n_bytes -= a->n_bytes;
        pthread_mutex_unlock(&all->lock);
    }
    nb_pool_dealloc(a->session->pool, a, sizeof *a);
}

/* ---- copies of a session --------------------------------------------------------------------- */

static nb_status
link_tree(const char *from, const char *to, int depth, nb_error *err)
{
    DIR *dir = depth < MAX_DEPTH ? opendir(from) : NULL;
    struct dirent *entry;
    nb_status st = NB_OK;
    int failed = 0;

    if (!dir) {
        return nb_raise_errno(err, "open", from, depth < MAX_DEPTH ? errno : ELOOP);
    }
    while (st == NB_OK && (entry = nb_dir_next(dir, &failed)) != NULL) {
        char source[MAX_PATH], target[MAX_PATH];

        if (snprintf(source, sizeof source, "%s/%s", from, entry->d_name) >= (int)sizeof source ||
            snprintf(target, sizeof target, "%s/%s", to, entry->d_name) >= (int)sizeof target) {
            st = nb_raise_errno(err, "link", from, ENAMETOOLONG);
        } else if (nb_path_is_dir(source)) {
            st = mkdir(target, 0700) == 0 || errno == EEXIST
                     ? link_tree(source, target, depth + 1, err)
                     : nb_raise_errno(err, "mkdir", target, errno);
        } else if (link(source, target) != 0 && errno != EEXIST) {
            st = nb_raise_errno(err, "link", target, errno);
        }
    }
    if (failed && st == NB_OK) {
        st = nb_raise_errno(err, "read", from, failed);
    }
    closedir(dir);
    return st;
}

nb_status
nb_artifacts_copy(nb_session *from, nb_session *to, nb_error *err)
{
    char source[MAX_PATH], target[MAX_PATH];
    int64_t n_bytes;
    bool any;
    nb_status st;

    pthread_mutex_lock(&from->artifacts.lock);
    any = from->artifacts.dir[0] != '\0';
    snprintf(source, sizeof source, "%s/tree", from->artifacts.dir);
    n_bytes = from->artifacts.n_bytes;
    pthread_mutex_unlock(&from->artifacts.lock);
    if (!any) {
        return NB_OK;
    }
    pthread_mutex_lock(&to->artifacts.lock);
    st = need_folder(to, err);
    if (st == NB_OK) {
        snprintf(target, sizeof target, "%s/tree", to->artifacts.dir);
        st = link_tree(source, target, 0, err);
        to->artifacts.n_bytes += n_bytes;
    }
    pthread_mutex_unlock(&to->artifacts.lock);
    return st;
}
