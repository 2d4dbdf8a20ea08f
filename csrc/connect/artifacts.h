/* SPDX-License-Identifier: Apache-2.0 */
/*
 * artifacts.h: files that clients upload into a session: modules of Python, archives, plain files, or files for a path of this machine.
 *
 *     nb_artifact_begin → nb_artifact_write* → nb_artifact_finish → nb_artifact_free
 *
 * They lie in a folder of the session's own below spark.local.dir, which goes with the session. Names are relative paths and lead nowhere else. A file
 * has its name when all of it has come and not before, and what has a name is not changed: other content under the same name is refused, as by
 * Spark. Uploads of one session may run at the same time, each from one thread.
 */
#ifndef NB_CONNECT_ARTIFACTS_H
#define NB_CONNECT_ARTIFACTS_H

#include <pthread.h>

#include "base/config.h"
#include "base/error.h"
#include "connect/session.h"

/* Of a session. */
typedef struct nb_artifacts {
    pthread_mutex_t lock;
    int64_t limit; /* bytes; as the server was started: settings of clients do not change it */
    bool to_file_system; /* likewise: files may go to paths of this machine */
    pid_t owner;         /* of the folder: a forked child leaves it alone */
    char dir[512];       /* "" until the first upload */
    int64_t n_bytes;     /* in all, uploads under way included */
    uint64_t n_begun;    /* for names of uploads under way */
} nb_artifacts;

typedef struct nb_artifact nb_artifact; /* an upload under way */

void nb_artifacts_init(nb_artifacts *a, const nb_config *config);
/* Removes the folder. */
void nb_artifacts_end(nb_artifacts *a);
/* What one session has becomes another's, too. */
nb_status nb_artifacts_copy(nb_session *from, nb_session *to, nb_error *err);

/* name: as clients send it: "pyfiles/…", "files/…", "archives/….zip#alias", "forward_to_fs/path" and so on. Raises INVALID_ARTIFACT_PATH. */
nb_status nb_artifact_begin(nb_session *s, nb_str name, nb_artifact **out, nb_error *err);
nb_status nb_artifact_write(nb_artifact *a, const void *data, size_t n, nb_error *err);
/* Raises ARTIFACT_ALREADY_EXISTS when the name has other content. */
nb_status nb_artifact_finish(nb_artifact *a, nb_error *err);
/* What was not finished goes; NULL is fine. */
void nb_artifact_free(nb_artifact *a);

#endif
