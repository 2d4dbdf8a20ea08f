/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spill_file.c: buffered writing to a file without a name.
 */
#include "exec/spill_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/pool.h"
#include "io/file.h"

#define BUFFER ((size_t)256 * 1024)

struct nb_spill_file {
    int fd;
    int64_t size;
    size_t used;
    nb_pool *pool; /* a root of its own: the budget has nothing left when spilling starts */
    char *buffer;
    char path[512];
};

static nb_status
raise(nb_error *err, const char *path, size_t n, int reason)
{
    char bytes[24], text[96];

    snprintf(bytes, sizeof(bytes), "%zu", n);
    return nb_raise(err, NB_COND_SPILL_FILE_FAILED, "bytes", bytes, "path", path, "reason",
                    strerror_r(reason, text, sizeof(text)), NULL);
}

nb_status
nb_spill_file_new(nb_str dirs, nb_spill_file **out, nb_error *err)
{
    nb_pool *pool = nb_pool_new(NULL, "spill", 0);
    nb_spill_file *f = pool ? nb_pool_zalloc(pool, sizeof(*f)) : NULL;

    if (f == NULL) {
        nb_pool_free(pool);
        return NB_NOMEM;
    }
    f->pool = pool;
    f->fd = -1;
    f->buffer = nb_pool_alloc(pool, BUFFER);
    if (f->buffer == NULL) {
        nb_spill_file_free(f);
        return NB_NOMEM;
    }
    f->fd = nb_file_nameless(dirs, "spill", f->path, sizeof(f->path));
    if (f->fd < 0) {
        nb_status st = raise(err, f->path, 0, errno);
        nb_spill_file_free(f);
        return st;
    }
    *out = f;
    return NB_OK;
}

void
nb_spill_file_free(nb_spill_file *f)
{
    nb_pool *pool;

    if (f == NULL) {
        return;
    }
    pool = f->pool;
    if (f->fd >= 0) {
        close(f->fd);
    }
    if (f->buffer != NULL) {
        nb_pool_dealloc(pool, f->buffer, BUFFER);
    }
    nb_pool_dealloc(pool, f, sizeof(*f));
    nb_pool_free(pool);
}

static nb_status
write_all(nb_spill_file *f, const char *p, size_t n, nb_error *err)
{
    while (n > 0) {
        ssize_t done = write(f->fd, p, n);

        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return raise(err, f->path, n, done < 0 ? errno : ENOSPC);
        }
        p += done;
        n -= (size_t)done;
    }
    return NB_OK;
}

nb_status
nb_spill_file_write(nb_spill_file *f, const void *p, size_t n, nb_error *err)
{
    f->size += (int64_t)n;
    if (f->used + n > BUFFER) {
        NB_TRY(write_all(f, f->buffer, f->used, err));
        f->used = 0;
        if (n >= BUFFER) {
            return write_all(f, p, n, err);
        }
    }
    memcpy(f->buffer + f->used, p, n);
    f->used += n;
    return NB_OK;
}

nb_status
nb_spill_file_finish(nb_spill_file *f, nb_error *err)
{
    NB_TRY(write_all(f, f->buffer, f->used, err));
    f->used = 0;
    nb_pool_dealloc(f->pool, f->buffer, BUFFER);
    f->buffer = NULL;
    return NB_OK;
}

int64_t
nb_spill_file_size(const nb_spill_file *f)
{
    return f->size;
}

const char *
nb_spill_file_path(const nb_spill_file *f)
{
    return f->path;
}

nb_status
nb_spill_file_map(const nb_spill_file *f, void *at, size_t n, nb_error *err)
{
    if (mmap(at, n, PROT_READ, MAP_PRIVATE | MAP_FIXED, f->fd, 0) == MAP_FAILED) {
        return nb_raise_errno(err, "map", f->path, errno);
    }
    return NB_OK;
}

int
nb_spill_file_open_again(const nb_spill_file *f)
{
    char path[40];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", f->fd); /* the file itself has no name */
    return open(path, O_RDONLY | O_CLOEXEC);
}

nb_status
nb_spill_file_read(const nb_spill_file *f, int64_t offset, void *p, size_t n, nb_error *err)
{
    char *to = p;

    while (n > 0) {
        ssize_t got = pread(f->fd, to, n, offset);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return nb_raise_errno(err, "read", f->path, got < 0 ? errno : EIO);
        }
        to += got;
        offset += got;
        n -= (size_t)got;
    }
    return NB_OK;
}
