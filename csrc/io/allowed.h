/* SPDX-License-Identifier: Apache-2.0 */
/*
 * allowed.h: spark.sql.files.allowedPaths: the directories that queries may read and write.
 *
 *     nb_allowed_set (once, before the first query) → nb_allowed_check, nb_allowed_check_open (any thread)
 *
 * It is for the whole process, set by who starts it: settings of clients cannot change it. Without it everything is allowed. What a path means
 * is decided by where it leads, after links and "..", not by its text; an open file is looked at once more, so that a link that is
 * changed meanwhile does not help. Files of the engine itself (spilled data, event logs, certificates) are not asked about.
 */
#ifndef NB_IO_ALLOWED_H
#define NB_IO_ALLOWED_H

#include "base/config.h"

/* What the configuration says; nothing is changed when it says nothing, or when it has been set before. Directories of tables
 * (spark.sql.warehouse.dir) are allowed besides. Raises when a path is not absolute. */
nb_status nb_allowed_set(const nb_config *config, nb_error *err);

/* Raises PATH_NOT_ALLOWED unless the plain absolute path leads into an allowed directory. What is not there yet is judged by the directory that it would
 * be made in. */
nb_status nb_allowed_check(const char *path, nb_error *err);
/* The same for the file that a descriptor has opened; path is for the message. */
nb_status nb_allowed_check_open(int fd, const char *path, nb_error *err);

#endif
