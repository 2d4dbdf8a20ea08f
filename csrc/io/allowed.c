/* SPDX-License-Identifier: Apache-2.0 */
/*
 * allowed.c: see allowed.h.
 *
 * A path is resolved as far as it exists. What follows may not go up: it could do so through a directory that is made, or linked, later.
 */
#include "io/allowed.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/arena.h"

#define MAX_DIRS 256

static struct {
    pthread_mutex_t lock; /* for setting */
    atomic_bool on;       /* what follows is set, and stays as it is */
    nb_arena *arena;
    int n;
    const char *dirs[MAX_DIRS]; /* resolved */
} allowed = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- where a path leads ---------------------------------------------------------------------- */

static bool
goes_up(const char *tail)
{
    for (const char *at = tail; at != NULL && *at; at = strchr(at, '/')) {
        at += strspn(at, "/");
        if (at[0] == '.' && at[1] == '.' && (at[2] == '/' || at[2] == '\0')) {
            return true;
        }
    }
    return false;
}

/* The path without links, as far as it exists, and the rest as it is; false when the rest goes up, or the path cannot be looked at. */
static bool
resolve(const char *path, char out[PATH_MAX])
{
    const char *tail;
    char part[PATH_MAX];
    size_t before = 0, len;

    if (path[0] != '/') {
        if (getcwd(part, sizeof(part)) == NULL) {
            return false;
        }
        before = strlen(part);
        part[before++] = '/';
    }
    if (strlen(path) >= sizeof(part) - before) {
        return false;
    }
    memcpy(part + before, path, strlen(path) + 1);
    len = strlen(part);
    while (realpath(part, out) == NULL) {
        if (errno != ENOENT ||
            len <= 1) { /* a loop of links, a file in place of a directory, no permission … */
            return false;
        }
        if (readlink(part, out, 1) >=
            0) { /* a link to nothing: what is made through it is made elsewhere */
            return false;
        }
        while (len > 1 && part[len - 1] == '/') {
            len--;
        }
        while (len > 1 && part[len - 1] != '/') {
            len--;
        }
        part[len > 1 ? len - 1 : len] = '\0';
        len = strlen(part);
    }
    tail = path + (len > before ? len - before : 0);
    tail += strspn(tail, "/");
    if (goes_up(tail) || strlen(out) + strlen(tail) + 2 > PATH_MAX) {
        return false;
    }
    if (*tail) {
        len = strcmp(out, "/") == 0 ? 0 : strlen(out);
        out[len] = '/';
        memcpy(out + len + 1, tail, strlen(tail) + 1);
    }
    return true;
}

static bool
is_below(const char *path, const char *dir)
{
    size_t n = strlen(dir);

    return strncmp(path, dir, n) == 0 &&
           (path[n] == '\0' || path[n] == '/' || (n == 1 && dir[0] == '/'));
}

static bool
is_allowed(const char *resolved)
{
    for (int i = 0; i < allowed.n; i++) {
        if (is_below(resolved, allowed.dirs[i])) {
            return true;
        }
    }
    return false;
}

static nb_status
refuse(const char *path, nb_error *err)
{
    return nb_raise(err, NB_COND_PATH_NOT_ALLOWED, "path", path, NULL);
}

nb_status
nb_allowed_check(const char *path, nb_error *err)
{
    char resolved[PATH_MAX];

    if (!atomic_load_explicit(&allowed.on, memory_order_acquire)) {
        return NB_OK;
    }
    return resolve(path, resolved) && is_allowed(resolved) ? NB_OK : refuse(path, err);
}

nb_status
nb_allowed_check_open(int fd, const char *path, nb_error *err)
{
    char link[40], resolved[PATH_MAX];
    ssize_t n;

    if (!atomic_load_explicit(&allowed.on, memory_order_acquire)) {
        return NB_OK;
    }
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, resolved, sizeof(resolved) - 1);
    if (n <= 0 || (size_t)n >= sizeof(resolved) - 1) {
        return refuse(path, err);
    }
    resolved[n] = '\0';
    return is_allowed(resolved) ? NB_OK : refuse(path, err);
}

/* ---- setting --------------------------------------------------------------------------------- */

static nb_status
add(nb_str text, nb_error *err)
{
    char path[PATH_MAX], resolved[PATH_MAX];

    text = nb_str_trim(text);
    if (nb_str_starts_with(text, NB_STR("file://"))) {
        text = (nb_str){text.data + 7, text.len - 7};
    } else if (nb_str_starts_with(text, NB_STR("file:"))) {
        text = (nb_str){text.data + 5, text.len - 5};
    }
    if (text.len == 0) {
        return NB_OK;
    }
    snprintf(path, sizeof(path), "%.*s", (int)NB_MIN(text.len, sizeof(path) - 1), text.data);
    if (text.data[0] != '/' || text.len >= sizeof(path) || allowed.n == MAX_DIRS) {
        return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message",
                        "spark.sql.files.allowedPaths is a list of absolute paths", NULL);
    }
    /* One that is not there yet allows what will be there. */
    for (size_t n = strlen(path); n > 1 && path[n - 1] == '/';) {
        path[--n] = '\0';
    }
    if (!resolve(path, resolved)) {
        return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message",
                        "a directory of spark.sql.files.allowedPaths cannot be looked at", NULL);
    }
    allowed.dirs[allowed.n] = nb_arena_strdup(allowed.arena, nb_str_of(resolved));
    return allowed.dirs[allowed.n++] ? NB_OK : NB_NOMEM;
}

static nb_status
add_all(nb_str list, nb_error *err)
{
    while (list.len > 0) {
        const char *comma = memchr(list.data, ',', list.len);
        size_t n = comma ? (size_t)(comma - list.data) : list.len;

        NB_TRY(add((nb_str){list.data, n}, err));
        n += comma != NULL;
        list = (nb_str){list.data + n, list.len - n};
    }
    return NB_OK;
}

/* A relative one is below the process's directory. */
static nb_status
add_warehouse(nb_str dir, nb_error *err)
{
    char here[PATH_MAX], path[2 * PATH_MAX];

    if (dir.len == 0 || dir.data[0] == '/' || nb_str_starts_with(dir, NB_STR("file:/"))) {
        return add(dir, err);
    }
    if (getcwd(here, sizeof(here)) == NULL) {
        return NB_OK;
    }
    snprintf(path, sizeof(path), "%s/%.*s", here, (int)NB_MIN(dir.len, (size_t)PATH_MAX), dir.data);
    return add(nb_str_of(path), err);
}

nb_status
nb_allowed_set(const nb_config *config, nb_error *err)
{
    nb_str list = nb_str_trim(nb_config_str(config, NB_CONF_ALLOWED_PATHS));
    nb_status st = NB_OK;

    if (list.len == 0) {
        return NB_OK;
    }
    pthread_mutex_lock(&allowed.lock);
    if (!atomic_load(&allowed.on)) {
        allowed.n = 0;
        allowed.arena = nb_arena_new(NULL);
        st = allowed.arena ? add_all(list, err) : NB_NOMEM;
        st = st < 0 ? st : add_warehouse(nb_config_str(config, NB_CONF_WAREHOUSE_DIR), err);
        if (st >= 0) {
            atomic_store_explicit(&allowed.on, true, memory_order_release);
        } else {
            nb_arena_free(allowed.arena);
            allowed.arena = NULL;
        }
    }
    pthread_mutex_unlock(&allowed.lock);
    return st;
}
