/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faults.c: see faults.h.
 */
#include "base/faults.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void __sanitizer_print_stack_trace(void) __attribute__((weak));

static int armed; /* fault_kind; atomic, as the others */
static long left;
static int code_of_fault;
static bool lasting, struck;

void
fault_arm(fault_kind kind, long nth, int code, bool lasts)
{
    __atomic_store_n(&left, nth, __ATOMIC_SEQ_CST);
    __atomic_store_n(&code_of_fault, code, __ATOMIC_SEQ_CST);
    __atomic_store_n(&lasting, lasts, __ATOMIC_SEQ_CST);
    __atomic_store_n(&struck, false, __ATOMIC_SEQ_CST);
    __atomic_store_n(&armed, (int)kind, __ATOMIC_SEQ_CST);
}

bool
fault_disarm(void)
{
    __atomic_store_n(&armed, FAULT_NONE, __ATOMIC_SEQ_CST);
    return __atomic_load_n(&struck, __ATOMIC_SEQ_CST);
}

/* 0, or what this call has to fail with. */
static int
fault(fault_kind kind)
{
    long n;

    if (__atomic_load_n(&armed, __ATOMIC_RELAXED) != (int)kind) {
        return 0;
    }
    n = __atomic_sub_fetch(&left, 1, __ATOMIC_SEQ_CST);
    if (n > 0 || (n < 0 && !__atomic_load_n(&lasting, __ATOMIC_RELAXED))) {
        return 0;
    }
    __atomic_store_n(&struck, true, __ATOMIC_SEQ_CST);
    if (__sanitizer_print_stack_trace != NULL && getenv("NBASPARK_FAULT_TRACE") != NULL) {
        fprintf(stderr, "fault of kind %d\n", (int)kind);
        __sanitizer_print_stack_trace();
    }
    return __atomic_load_n(&code_of_fault, __ATOMIC_RELAXED);
}

/* Is this call to fail? Sets errno. Short transfers mean nothing to most calls. */
static bool
fails(fault_kind kind)
{
    int code = fault(kind);

    if (code > 0) {
        errno = code;
    }
    return code > 0;
}

#define WRAP(type, name, params, args, kind, failed)      \
    type __real_##name params;                            \
    type __wrap_##name params;                            \
    type __wrap_##name params                             \
    {                                                     \
        return fails(kind) ? failed : __real_##name args; \
    }

WRAP(void *, malloc, (size_t n), (n), FAULT_ALLOC, NULL)
WRAP(void *, calloc, (size_t n, size_t size), (n, size), FAULT_ALLOC, NULL)
WRAP(void *, realloc, (void *p, size_t n), (p, n), FAULT_ALLOC, NULL)
WRAP(void *, aligned_alloc, (size_t align, size_t n), (align, n), FAULT_ALLOC, NULL)
WRAP(char *, strdup, (const char *s), (s), FAULT_ALLOC, NULL)
WRAP(char *, strndup, (const char *s, size_t n), (s, n), FAULT_ALLOC, NULL)
WRAP(void *, mmap, (void *at, size_t n, int prot, int flags, int fd, off_t offset),
     (at, n, prot, flags, fd, offset), FAULT_ALLOC, MAP_FAILED)
WRAP(int, mkostemp, (char *path, int flags), (path, flags), FAULT_OPEN, -1)
WRAP(FILE *, fopen, (const char *path, const char *mode), (path, mode), FAULT_OPEN, NULL)
WRAP(int, rename, (const char *from, const char *to), (from, to), FAULT_NAME, -1)
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode), FAULT_NAME, -1)
WRAP(int, unlink, (const char *path), (path), FAULT_NAME, -1)
WRAP(int, unlinkat, (int dir, const char *path, int flags), (dir, path, flags), FAULT_NAME, -1)
WRAP(int, rmdir, (const char *path), (path), FAULT_NAME, -1)
WRAP(int, stat, (const char *path, struct stat *out), (path, out), FAULT_LOOK, -1)
WRAP(int, lstat, (const char *path, struct stat *out), (path, out), FAULT_LOOK, -1)
WRAP(int, fstat, (int fd, struct stat *out), (fd, out), FAULT_LOOK, -1)
WRAP(int, fstatat, (int dir, const char *path, struct stat *out, int flags),
     (dir, path, out, flags), FAULT_LOOK, -1)
WRAP(DIR *, opendir, (const char *path), (path), FAULT_LOOK, NULL)
WRAP(DIR *, fdopendir, (int fd), (fd), FAULT_LOOK, NULL)
WRAP(struct dirent *, readdir, (DIR * d), (d), FAULT_LOOK, NULL)

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);

static mode_t
mode_in(int flags, va_list ap)
{
    return flags & O_CREAT ? va_arg(ap, mode_t) : 0;
}

int
__wrap_open(const char *path, int flags, ...)
{
    va_list ap;
    mode_t mode;

    va_start(ap, flags);
    mode = mode_in(flags, ap);
    va_end(ap);
    return fails(FAULT_OPEN) ? -1 : __real_open(path, flags, mode);
}

int
__wrap_openat(int dir, const char *path, int flags, ...)
{
    va_list ap;
    mode_t mode;

    va_start(ap, flags);
    mode = mode_in(flags, ap);
    va_end(ap);
    return fails(FAULT_OPEN) ? -1 : __real_openat(dir, path, flags, mode);
}

/* How much of n bytes is transferred under code; 0 for a failure, with errno set. */
static size_t
share(int code, size_t n)
{
    if (code > 0) {
        errno = code;
        return 0;
    }
    return code == FAULT_SHORT ? (n + 1) / 2 : n;
}

#define WRAP_TRANSFER(name, params, kind, n, call)           \
    ssize_t __real_##name params;                            \
    ssize_t __wrap_##name params;                            \
    ssize_t __wrap_##name params                             \
    {                                                        \
        size_t part = share(fault(kind), n);                 \
        return part == 0 && n > 0 ? -1 : __real_##name call; \
    }

WRAP_TRANSFER(read, (int fd, void *p, size_t n), FAULT_READ, n, (fd, p, part))
WRAP_TRANSFER(pread, (int fd, void *p, size_t n, off_t at), FAULT_READ, n, (fd, p, part, at))
WRAP_TRANSFER(write, (int fd, const void *p, size_t n), FAULT_WRITE, n, (fd, p, part))

/* Streams: a failure gives fewer items, whatever the code. */
size_t __real_fread(void *p, size_t size, size_t n, FILE *f);
size_t __wrap_fread(void *p, size_t size, size_t n, FILE *f);
size_t __real_fwrite(const void *p, size_t size, size_t n, FILE *f);
size_t __wrap_fwrite(const void *p, size_t size, size_t n, FILE *f);

size_t
__wrap_fread(void *p, size_t size, size_t n, FILE *f)
{
    return fails(FAULT_READ) ? 0 : __real_fread(p, size, n, f);
}

size_t
__wrap_fwrite(const void *p, size_t size, size_t n, FILE *f)
{
    return fails(FAULT_WRITE) ? 0 : __real_fwrite(p, size, n, f);
}

int __real_close(int fd);
int __wrap_close(int fd);
int __real_fclose(FILE *f);
int __wrap_fclose(FILE *f);

int
__wrap_close(int fd)
{
    int code = fault(FAULT_CLOSE), result = __real_close(fd);

    if (code > 0) {
        errno = code;
        result = -1;
    }
    return result;
}

int
__wrap_fclose(FILE *f)
{
    int code = fault(FAULT_CLOSE), result = __real_fclose(f);

    if (code > 0) {
        errno = code;
        result = EOF;
    }
    return result;
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
                          void *payload);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
                          void *payload);

int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
                      void *payload)
{
    return fault(FAULT_SPAWN) ? EAGAIN : __real_pthread_create(thread, attr, run, payload);
}
