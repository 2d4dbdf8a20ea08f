/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.c: system calls on files, with EINTR, short transfers and errors dealt with in one place.
 */
#include "io/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "io/allowed.h"

struct nb_file {
    nb_pool *pool;
    int fd;
    int64_t size;
    size_t bytes; /* of this struct with its path */
    char path[];
};

static nb_status
file_new(nb_pool *pool, const char *path, int flags, nb_file **out, nb_error *err)
{
    size_t len = strlen(path);
    size_t bytes = sizeof(nb_file) + len + 1;
    nb_file *f = nb_pool_alloc(pool, bytes);
    struct stat st;
    int fd;

    if (f == NULL) {
        return NB_NOMEM;
    }
    if (flags & O_CREAT && nb_allowed_check(path, err) < 0) {
        nb_pool_dealloc(pool, f, bytes);
        return NB_ERROR;
    }
    do {
        fd = open(path, flags | O_CLOEXEC, 0666);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0 || fstat(fd, &st) != 0) {
        int saved = errno;
        if (fd >= 0) {
            close(fd);
        }
        nb_pool_dealloc(pool, f, bytes);
        if ((saved == ENOENT || saved == EACCES) && !(flags & O_CREAT)) { /* Java tells both so */
            nb_strbuf url = {0};

            nb_strbuf_adds(&url, "file://");
            nb_strbuf_adds(&url, path);
            nb_raise(err, NB_COND_FILE_NOT_EXIST, "path", url.failed ? path : url.data, "reason",
                     saved == ENOENT ? "No such file or directory" : "Permission denied", NULL);
            nb_strbuf_free(&url);
            return NB_ERROR;
        }
        return nb_raise_errno(err, flags & O_CREAT ? "create" : "open", path, saved);
    }
    if (nb_allowed_check_open(fd, path, err) < 0) {
        close(fd);
        nb_pool_dealloc(pool, f, bytes);
        return NB_ERROR;
    }
    f->pool = pool;
    f->fd = fd;
    f->size = st.st_size;
    f->bytes = bytes;
    memcpy(f->path, path, len + 1);
    *out = f;
    return NB_OK;
}

nb_status
nb_file_open(nb_pool *pool, const char *path, nb_file **out, nb_error *err)
{
    return file_new(pool, path, O_RDONLY, out, err);
}

nb_status
nb_file_create(nb_pool *pool, const char *path, nb_file **out, nb_error *err)
{
    return file_new(pool, path, O_WRONLY | O_CREAT | O_EXCL, out, err);
}

void
nb_file_close(nb_file *file)
{
    if (file != NULL) {
        close(file->fd);
        nb_pool_dealloc(file->pool, file, file->bytes);
    }
}

nb_status
nb_file_finish(nb_file *file, nb_error *err)
{
    nb_status st = NB_OK;

    if (close(file->fd) != 0 && errno != EINTR) {
        st = nb_raise_errno(err, "close", file->path, errno);
    }
    nb_pool_dealloc(file->pool, file, file->bytes);
    return st;
}

const char *
nb_file_path(const nb_file *file)
{
    return file->path;
}

int64_t
nb_file_size(const nb_file *file)
{
    return file->size;
}

static _Thread_local int64_t read_by_thread, written_by_thread;

nb_status
nb_file_read_at(nb_file *file, int64_t offset, void *buf, size_t n, size_t *n_read, nb_error *err)
{
    size_t done = 0;

    while (done < n) {
        ssize_t got =
            pread(file->fd, (char *)buf + done, n - done, (off_t)(offset + (int64_t)done));
        if (got < 0) {
            if (errno == EINTR) {
                continue;
            }
            return nb_raise_errno(err, "read", file->path, errno);
        }
        if (got == 0) {
            break;
        }
        done += (size_t)got;
    }
    *n_read = done;
    read_by_thread += (int64_t)done;
    return NB_OK;
}

int64_t
nb_file_bytes_read_by_thread(void)
{
    return read_by_thread;
}

int64_t
nb_file_bytes_written_by_thread(void)
{
    return written_by_thread;
}

nb_status
nb_file_write(nb_file *file, const void *buf, size_t n, nb_error *err)
{
    size_t done = 0;

    while (done < n) {
        ssize_t put = write(file->fd, (const char *)buf + done, n - done);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return nb_raise_errno(err, "write", file->path, put < 0 ? errno : ENOSPC);
        }
        done += (size_t)put;
    }
    written_by_thread += (int64_t)n;
    return NB_OK;
}

nb_str
nb_dir_of_list(nb_str list, int i)
{
    while (list.len > 0) {
        const char *comma = memchr(list.data, ',', list.len);
        size_t n = comma ? (size_t)(comma - list.data) : list.len;
        nb_str dir = nb_str_trim((nb_str){list.data, n});

        if (dir.len > 0 && i-- == 0) {
            return dir;
        }
        n += comma != NULL;
        list = (nb_str){list.data + n, list.len - n};
    }
    return (nb_str){NULL, 0};
}

/* It never has a name where the file system can do that: a process may be killed between making a file and unlinking it. */
static int
nameless_in(nb_str dir, const char *what, char *path, size_t cap)
{
    int n = snprintf(path, cap, "%.*s/nbaspark-%s-XXXXXX", (int)dir.len, dir.data, what), fd;

    if (n < 0 || (size_t)n >= cap) {
        errno = ENAMETOOLONG;
        return -1;
    }
    path[dir.len] = '\0';
    fd = open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    path[dir.len] = '/';
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
        fd = mkostemp(path, O_CLOEXEC);
        if (fd >= 0) {
            unlink(path);
        }
    }
    return fd;
}

int
nb_file_nameless(nb_str list, const char *what, char *path, size_t cap)
{
    static atomic_uint turn;
    unsigned n = 0, first;
    int fd = -1;

    while (nb_dir_of_list(list, (int)n).len > 0) {
        n++;
    }
    if (n == 0) {
        return nameless_in(NB_STR("/tmp"), what, path, cap);
    }
    first = atomic_fetch_add_explicit(&turn, 1, memory_order_relaxed);
    for (unsigned i = 0; fd < 0 && i < n; i++) {
        nb_str dir = nb_dir_of_list(list, (int)((first + i) % n));

        fd = nameless_in(dir, what, path, cap);
        if (fd < 0 && errno == ENOENT) {
            path[dir.len] = '\0';
            nb_make_dirs(path, NULL); /* that it cannot be made is seen by the next line */
            fd = nameless_in(dir, what, path, cap);
        }
    }
    return fd;
}

nb_status
nb_make_dirs(const char *path, nb_error *err)
{
    nb_strbuf b = {0};
    nb_status st = NB_OK;

    nb_strbuf_adds(&b, path);
    if (b.failed) {
        nb_strbuf_free(&b);
        return NB_NOMEM;
    }
    for (char *p = b.data + 1;; p++) {
        char c = *p;
        if (c != '/' && c != '\0') {
            continue;
        }
        *p = '\0';
        if (mkdir(b.data, 0777) != 0 && !(errno == EEXIST && nb_path_is_dir(b.data))) {
            st = nb_raise_errno(err, "mkdir", b.data, errno == ENOENT ? ENOTDIR : errno);
            break;
        }
        *p = c;
        if (c == '\0' || p[1] == '\0') {
            break;
        }
    }
    nb_strbuf_free(&b);
    return st;
}

/* Works on directory descriptors, so that a tree of any depth needs no long paths; the depth of the recursion is bounded. */
static int
remove_at(int dir, const char *name, int depth)
{
    struct stat st;
    struct dirent *entry;
    DIR *d;
    int fd, failed = 0;

    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? 0 : errno;
    }
    if (!S_ISDIR(st.st_mode)) {
        return unlinkat(dir, name, 0) == 0 || errno == ENOENT ? 0 : errno;
    }
    if (depth > 1000) {
        return ELOOP;
    }
    fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    d = fdopendir(fd);
    if (d == NULL) {
        failed = errno;
        close(fd);
        return failed;
    }
    while (!failed && (entry = nb_dir_next(d, &failed)) != NULL) {
        failed = remove_at(fd, entry->d_name, depth + 1);
    }
    closedir(d);
    if (!failed && unlinkat(dir, name, AT_REMOVEDIR) != 0 && errno != ENOENT) {
        failed = errno;
    }
    return failed;
}

nb_status
nb_remove_tree(const char *path, nb_error *err)
{
    int failed = remove_at(AT_FDCWD, path, 0);

    return failed ? nb_raise_errno(err, "remove", path, failed) : NB_OK;
}

nb_status
nb_path_look(const char *path, bool *exists, bool *is_dir, nb_error *err)
{
    struct stat st;

    *exists = *is_dir = false;
    if (stat(path, &st) == 0) {
        *exists = true;
        *is_dir = S_ISDIR(st.st_mode);
        return NB_OK;
    }
    /* a link to nothing is there too; what may not be looked at is not there, as for Java */
    if (errno == ENOENT || errno == ENOTDIR || errno == EACCES) {
        *exists = lstat(path, &st) == 0;
        return NB_OK;
    }
    return nb_raise_errno(err, "stat", path, errno);
}

struct dirent *
nb_dir_next(DIR *dir, int *failed)
{
    struct dirent *entry;

    do {
        errno = 0;
        entry = readdir(dir);
    } while (entry != NULL &&
             (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
    *failed = entry == NULL ? errno : 0;
    return entry;
}

bool
nb_path_exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

bool
nb_path_is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}
