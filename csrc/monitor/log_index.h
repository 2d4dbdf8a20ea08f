/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_index.h: what a list of applications needs to know of each log, in memory and on disk.
 */
#ifndef NB_MONITOR_LOG_INDEX_H
#define NB_MONITOR_LOG_INDEX_H

#include "base/arena.h"
#include "base/error.h"
#include "base/pool.h"

/* One log. Text is owned by the entry. */
typedef struct nb_log_entry {
    char *name; /* in the folder */
    int64_t inode, size, mtime_ns;
    bool in_progress; /* by its name */
    char *id, *app_name, *user, *version, *attempt, *problem;
    int64_t started_ms, ended_ms, updated_ms;
    uint64_t round; /* when it was last there */
} nb_log_entry;

typedef struct nb_log_index {
    nb_pool *pool;
    nb_log_entry **entries; /* sorted by name */
    size_t n, cap;
} nb_log_index;

void nb_log_index_free(nb_log_index *x);
nb_log_entry *nb_log_index_find(const nb_log_index *x, const char *name);
/* A new entry; NULL when out of memory. */
nb_log_entry *nb_log_index_add(nb_log_index *x, const char *name);
void nb_log_index_remove(nb_log_index *x, size_t i);
/* Replaces a text of an entry; false when out of memory. */
bool nb_log_entry_set(nb_log_index *x, char **text, nb_str value);

/* A file that is not there or not an index gives no entries. */
void nb_log_index_load(nb_log_index *x, const char *path);
/* Written beside and renamed. False with errno. */
bool nb_log_index_save(const nb_log_index *x, const char *path);

#endif
