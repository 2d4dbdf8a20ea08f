/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write_commit.c: how a job ends, and tasks of it in other processes.
 *
 *   commit   overwrite: the old files (of dynamic overwriting: those of the partitions that were written) are set aside, into
 *            _temporary; every new file is renamed into place; _SUCCESS is
 *            written; _temporary goes. When a step fails, those before are undone.
 *   abort    _temporary goes, and the target too when this job made it
 *
 * Until commit readers see the old data whole: names that begin with '_' are skipped by every reader. Nothing is deleted before all tasks have
 * closed their files without an error, a full disk included.
 */
#include "io/write_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/allowed.h"

typedef struct moved_file {
    struct moved_file *before;
    char path[];
} moved_file;

/* ---- _temporary --------------------------------------------------------------------------------------------------------------- */

static bool
remove_if_empty(const char *dir)
{
    return rmdir(dir) == 0 || errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST;
}

/* One try; whether nothing of ours is left. Directories of other jobs stay, unless this job's output is all that counts. */
static bool
try_remove_temporary(nb_write_job *job)
{
    nb_strbuf b = {0};
    bool gone = false;

    nb_strbuf_addf(&b, "%s/_temporary", job->path);
    if (!b.failed && job->mode == NB_SAVE_OVERWRITE) {
        gone = nb_remove_tree(b.data, NULL) == NB_OK;
    } else if (!b.failed) {
        size_t len = b.len;

        nb_strbuf_adds(&b, "/0");
        gone = !b.failed && nb_remove_tree(job->staging, NULL) == NB_OK && remove_if_empty(b.data);
        b.data[len] = 0;
        gone = gone && remove_if_empty(b.data);
    }
    nb_strbuf_free(&b);
    return gone;
}

/* What stays all the same is seen by no reader. */
void
nb_write_remove_temporary(nb_write_job *job)
{
    if (!try_remove_temporary(job)) {
        try_remove_temporary(job);
    }
}

/* ---- commit ------------------------------------------------------------------------------------------------------------------- */

static nb_status
join_path(nb_strbuf *b, const char *dir, const char *rel, const char *name)
{
    b->len = 0;
    nb_strbuf_addf(b, "%s%s%s%s", dir, rel, name[0] ? "/" : "", name);
    return b->failed ? NB_NOMEM : NB_OK;
}

/* Room for the note that a file or a directory is in place is had before it comes there: so undo knows all of them. */
static nb_status
note_moved(nb_write_job *job, const nb_strbuf *path)
{
    moved_file *m = nb_arena_alloc(job->arena, sizeof(*m) + path->len + 1);

    if (m == NULL) {
        return NB_NOMEM;
    }
    memcpy(m->path, path->data, path->len + 1);
    m->before = job->moved;
    job->moved = m;
    return NB_OK;
}

/* Moves the files below source/rel to target/rel. */
static nb_status
move_tree(nb_write_job *job, const char *source, const char *target, const char *rel, nb_error *err)
{
    nb_strbuf from = {0}, to = {0}, below = {0};
    struct dirent *entry;
    bool exists, is_dir;
    int failed = 0;
    nb_status st;
    DIR *d = NULL;

    NB_TRY_GOTO(st, join_path(&from, source, rel, ""), done);
    d = opendir(from.data);
    if (d == NULL) {
        st = nb_raise_errno(err, "list", from.data, errno);
        goto done;
    }
    while (st >= 0 && (entry = nb_dir_next(d, &failed)) != NULL) {
        NB_TRY_GOTO(st, join_path(&from, source, rel, entry->d_name), done);
        NB_TRY_GOTO(st, join_path(&to, target, rel, entry->d_name), done);
        NB_TRY_GOTO(st, nb_path_look(from.data, &exists, &is_dir, err), done);
        if (is_dir) {
            NB_TRY_GOTO(st, join_path(&below, rel, "", entry->d_name), done);
            NB_TRY_GOTO(st, nb_allowed_check(to.data, err), done);
            NB_TRY_GOTO(st, nb_path_look(to.data, &exists, &is_dir, err), done);
            if (!exists && target == job->path) {
                NB_TRY_GOTO(st, note_moved(job, &to), done);
            }
            NB_TRY_GOTO(st, nb_make_dirs(to.data, err), done);
            st = move_tree(job, source, target, below.data, err);
        } else {
            if (target == job->path) {
                NB_TRY_GOTO(st, note_moved(job, &to), done);
            }
            if (rename(from.data, to.data) != 0) {
                st = nb_raise_errno(err, "rename", to.data, errno);
            } else if (nb_str_starts_with(nb_str_of(entry->d_name), NB_STR("part-00000-"))) {
                atomic_store(&job->first_opened, 1);
            }
        }
    }
    if (failed) {
        st = nb_raise_errno(err, "list", from.data, failed);
    }
done:
    if (d != NULL) {
        closedir(d);
    }
    nb_strbuf_free(&from);
    nb_strbuf_free(&to);
    nb_strbuf_free(&below);
    return st;
}

/* Moves the entries of one directory to another, all but _temporary. */
static nb_status
move_entries(const char *from_dir, const char *to_dir, nb_error *err)
{
    DIR *d = opendir(from_dir);
    struct dirent *entry;
    nb_strbuf from = {0}, to = {0};
    nb_status st = NB_OK;
    int failed = 0;

    if (d == NULL) {
        return nb_raise_errno(err, "list", from_dir, errno);
    }
    while (st == NB_OK && (entry = nb_dir_next(d, &failed)) != NULL) {
        if (strcmp(entry->d_name, "_temporary") == 0) {
            continue;
        }
        NB_TRY_GOTO(st, join_path(&from, from_dir, "", entry->d_name), done);
        NB_TRY_GOTO(st, join_path(&to, to_dir, "", entry->d_name), done);
        if (rename(from.data, to.data) != 0) {
            st = nb_raise_errno(err, "rename", from.data, errno);
        }
    }
    if (failed) {
        st = nb_raise_errno(err, "list", from_dir, failed);
    }
done:
    closedir(d);
    nb_strbuf_free(&from);
    nb_strbuf_free(&to);
    return st;
}

/* Moves directories from one tree to another: those that hold files in `like`, where from_dir has them. */
static nb_status
move_partitions(const char *like, const char *from_dir, const char *to_dir, const char *rel,
                nb_error *err)
{
    nb_strbuf path = {0}, to = {0}, below = {0};
    bool exists, is_dir, holds_files = false;
    struct dirent *entry;
    int failed = 0;
    nb_status st;
    DIR *d = NULL;

    NB_TRY_GOTO(st, join_path(&path, like, rel, ""), done);
    d = opendir(path.data);
    if (d == NULL) {
        st = nb_raise_errno(err, "list", path.data, errno);
        goto done;
    }
    while (st >= 0 && (entry = nb_dir_next(d, &failed)) != NULL) {
        NB_TRY_GOTO(st, join_path(&path, like, rel, entry->d_name), done);
        NB_TRY_GOTO(st, nb_path_look(path.data, &exists, &is_dir, err), done);
        if (is_dir) {
            NB_TRY_GOTO(st, join_path(&below, rel, "", entry->d_name), done);
            st = move_partitions(like, from_dir, to_dir, below.data, err);
        }
        holds_files |= !is_dir;
    }
    if (failed) {
        st = nb_raise_errno(err, "list", like, failed);
    }
    if (st == NB_OK && holds_files) {
        NB_TRY_GOTO(st, join_path(&path, from_dir, rel, ""), done);
        NB_TRY_GOTO(st, nb_path_look(path.data, &exists, &is_dir, err), done);
        if (exists) {
            NB_TRY_GOTO(st, join_path(&to, to_dir, rel, ""), done);
            NB_TRY_GOTO(st, nb_make_dirs(to.data, err), done); /* those above it, too */
            if (rename(path.data, to.data) != 0) {
                st = nb_raise_errno(err, "rename", path.data, errno);
            }
        }
    }
done:
    if (d != NULL) {
        closedir(d);
    }
    nb_strbuf_free(&path);
    nb_strbuf_free(&to);
    nb_strbuf_free(&below);
    return st;
}

/* Moves the entries of the one directory that the job replaces. */
static nb_status
move_below(const nb_write_job *job, const char *from_dir, const char *to_dir, nb_error *err)
{
    nb_strbuf from = {0}, to = {0};
    nb_status st;

    NB_TRY_GOTO(st, join_path(&from, from_dir, job->only, ""), done);
    NB_TRY_GOTO(st, join_path(&to, to_dir, job->only, ""), done);
    if (nb_path_is_dir(from.data)) {
        NB_TRY_GOTO(st, nb_make_dirs(to.data, err), done);
        st = move_entries(from.data, to.data, err);
    }
done:
    nb_strbuf_free(&from);
    nb_strbuf_free(&to);
    return st;
}

/* Puts back what was there before: as far as the file system lets it. */
static void
undo(nb_write_job *job)
{
    for (moved_file *m = job->moved; m != NULL; m = m->before) {
        char *slash;

        if (unlink(m->path) != 0) {
            rmdir(m->path); /* a directory into which no file came */
        }
        /* directories of partitions that are empty now */
        while ((slash = strrchr(m->path, '/')) != NULL &&
               strlen(job->path) < (size_t)(slash - m->path)) {
            *slash = 0;
            if (rmdir(m->path) != 0) {
                break;
            }
        }
    }
    job->moved = NULL;
    if (!nb_path_is_dir(job->aside)) {
        return;
    }
    if (job->only) {
        move_below(job, job->aside, job->path, NULL);
    } else if (job->dynamic) {
        move_partitions(job->aside, job->aside, job->path, "", NULL);
    } else {
        move_entries(job->aside, job->path, NULL);
    }
}

/* An old one may stay. */
static nb_status
write_success(nb_write_job *job, nb_error *err)
{
    nb_strbuf b = {0};
    nb_file *file;
    bool exists, is_dir;
    nb_status st;

    NB_TRY_GOTO(st, join_path(&b, job->path, "", "_SUCCESS"), done);
    NB_TRY_GOTO(st, nb_path_look(b.data, &exists, &is_dir, err), done);
    if (!exists) {
        NB_TRY_GOTO(st, note_moved(job, &b), done);
        NB_TRY_GOTO(st, nb_file_create(job->pool, b.data, &file, err), done);
        st = nb_file_finish(file, err);
    }
done:
    nb_strbuf_free(&b);
    return st;
}

static nb_status
put_in_place(nb_write_job *job, nb_error *err)
{
    if (job->mode == NB_SAVE_OVERWRITE && !job->made_target) {
        NB_TRY(nb_make_dirs(job->aside, err));
        NB_TRY(job->only      ? move_below(job, job->path, job->aside, err)
               : job->dynamic ? move_partitions(job->staging, job->path, job->aside, "", err)
                              : move_entries(job->path, job->aside, err));
    }
    NB_TRY(move_tree(job, job->staging, job->path, "", err));
    return write_success(job, err);
}

nb_status
nb_write_commit(nb_write_job *job, nb_error *err)
{
    nb_write_task *task;
    nb_status st;

    if (job->attempts != NULL) {
        NB_TRY(nb_remove_tree(job->attempts, err));
    }
    if (job->n_partition == 0 && !atomic_load(&job->first_opened)) {
        NB_TRY(nb_write_task_open(job, 0, &task, err));
        NB_TRY(nb_write_task_close(task, err));
    }
    st = put_in_place(job, err);
    if (st < 0) {
        undo(job);
        return st;
    }
    nb_write_remove_temporary(job);
    nb_arena_free(job->arena);
    return NB_OK;
}

void
nb_write_abort(nb_write_job *job)
{
    if (job == NULL) {
        return;
    }
    nb_write_remove_temporary(job);
    if (job->made_target) {
        rmdir(job->path);
    }
    nb_arena_free(job->arena);
}

/* ---- tasks in other processes -------------------------------------------------------------------------------------------------- */

nb_status
nb_write_share(nb_write_job *job, nb_error *err)
{
    job->attempts = nb_arena_printf(job->arena, "%s/_attempts", job->staging);
    if (job->attempts == NULL) {
        return NB_NOMEM;
    }
    return mkdir(job->attempts, 0777) == 0 ? NB_OK
                                           : nb_raise_errno(err, "mkdir", job->attempts, errno);
}

const char *
nb_write_job_uuid(const nb_write_job *job)
{
    return job->uuid;
}

static bool
plain_name(nb_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool ok =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || (c == '.' && i > 0);

        if (!ok) {
            return false;
        }
    }
    return name.len > 0 && name.len < 64;
}

nb_status
nb_write_accept(nb_write_job *job, nb_str label, nb_error *err)
{
    nb_strbuf from = {0};
    nb_status st;

    if (job->attempts == NULL || !plain_name(label)) {
        return nb_raise_internal(err, "an attempt to write that was not asked for");
    }
    nb_strbuf_addf(&from, "%s/%.*s", job->attempts, (int)label.len, label.data);
    st = from.failed ? NB_NOMEM : move_tree(job, from.data, job->staging, "", err);
    nb_strbuf_free(&from);
    return st;
}

nb_status
nb_write_attach(nb_pool *pool, const nb_write_request *rq, nb_str uuid, nb_str label,
                nb_write_job **out, nb_error *err)
{
    nb_write_job *job;
    nb_status st = NB_OK;

    if (!plain_name(uuid) || uuid.len >= sizeof(job->uuid) || !plain_name(label)) {
        return nb_raise_internal(err, "a job to write without a proper name");
    }
    NB_TRY(nb_write_job_new(pool, rq, &job, err));
    memcpy(job->uuid, uuid.data, uuid.len);
    job->staging = nb_arena_printf(job->arena, "%s/_temporary/0/%s/_attempts/%.*s", job->path,
                                   job->uuid, (int)label.len, label.data);
    if (job->staging == NULL) {
        st = NB_NOMEM;
    } else if (mkdir(job->staging, 0777) != 0) {
        st = nb_raise_errno(err, "mkdir", job->staging, errno);
    }
    if (st < 0) {
        nb_arena_free(job->arena);
        return st;
    }
    *out = job;
    return NB_OK;
}

void
nb_write_detach(nb_write_job *job, bool keep)
{
    if (job != NULL) {
        if (!keep) {
            nb_remove_tree(job->staging, NULL);
        }
        nb_arena_free(job->arena);
    }
}
