/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h: files as the readers and writers see them: opened, read at offsets, written in order.
 *
 * All calls retry EINTR and short transfers; a fault is raised through nb_raise_errno with the path. Readers use pread and not mmap: a file that
 * is cut while it is read gives a short read instead of SIGBUS, and blocks of up to 1 MiB stay in the core's cache, which measured as fast.
 */
#ifndef NB_IO_FILE_H
#define NB_IO_FILE_H

#include <dirent.h>
#include <stdbool.h>
#include <sys/types.h>
#include "base/error.h"
#include "base/pool.h"
#include "base/str.h"

typedef struct nb_file nb_file;

/* path is a plain, NUL-terminated path. The file is owned by the caller. */
nb_status nb_file_open(nb_pool *pool, const char *path, nb_file **out, nb_error *err);
nb_status nb_file_create(nb_pool *pool, const char *path, nb_file **out,
                         nb_error *err); /* O_CREAT|O_EXCL, parents must exist */
/* Closes; NULL is fine. Errors of close after writing are reported by nb_file_finish. */
void nb_file_close(nb_file *file);
/* fsync-free end of writing: flushes and closes, raises what the kernel reports. Frees the file, also on failure. */
nb_status nb_file_finish(nb_file *file, nb_error *err);

const char *nb_file_path(const nb_file *file);
int64_t nb_file_size(const nb_file *file); /* at the time of opening */

/* Up to n bytes at offset; *n_read is less only at the end of the file. Any thread. */
nb_status
nb_file_read_at(nb_file *file, int64_t offset, void *buf, size_t n, size_t *n_read, nb_error *err);
/* What the running thread has read and written through these calls, ever; for metrics. */
int64_t nb_file_bytes_read_by_thread(void);
int64_t nb_file_bytes_written_by_thread(void);
nb_status nb_file_write(nb_file *file, const void *buf, size_t n, nb_error *err);

/* Number i of a list of directories as spark.local.dir is one ("/a, /b"); empty: there are not so many. */
nb_str nb_dir_of_list(nb_str list, int i);
/* A file that has no name, for reading and writing, in one of the list's directories, which take turns. Those that are not there are made; those
 * that cannot take it are passed over. path: its place, for messages. -1 and errno: none can. */
int nb_file_nameless(nb_str list, const char *what, char *path, size_t cap);
/* mkdir -p. */
nb_status nb_make_dirs(const char *path, nb_error *err);
/* rm -r; a path that does not exist is fine. */
nb_status nb_remove_tree(const char *path, nb_error *err);
/* What is there? A path that does not exist (or leads through a file) is no failure; a path that cannot be looked at is. */
nb_status nb_path_look(const char *path, bool *exists, bool *is_dir, nb_error *err);
/* The next entry of a directory but "." and ".."; NULL at the end, with *failed 0 or the errno. */
struct dirent *nb_dir_next(DIR *dir, int *failed);
bool nb_path_exists(const char *path);
bool nb_path_is_dir(const char *path);

#endif
