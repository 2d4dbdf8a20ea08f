/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write_task.c: one Spark partition's rows on their way into files.
 *
 * Without partition columns there is one file; with them one per directory, as many of which are open as `most_open` and memory allow. Rows
 * of further directories are the caller's to sort: then one file is open at a time, and every directory has all its rows in one file.
 * What files hold back (row groups) is bounded for all files of a task together: the one that holds most is written first.
 */
#include "io/write_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "expr/registry.h"
#include "io/allowed.h"

#define MOST_OPEN     100
#define NEW_FILE_ROOM ((size_t)4 << 20) /* less memory than this is no time to open one more */
#define HELD_MOST     ((size_t)128 << 20)
#define HELD_LEAST    ((size_t)1 << 20) /* not worth a row group */
#define NO_FILE       (-1)

/* A directory and its file. */
typedef struct dir_file {
    struct nb_file_writer *fw; /* NULL: none is open */
    char *dir;                 /* "a=1/b=2", or "" */
    size_t dir_bytes;
    uint64_t hash;
    bool admitted; /* its rows go into its file, not aside */
    int counter;   /* c000 … */
    int64_t rows;
    size_t held; /* bytes in memory */
    uint32_t n_now,
        at; /* of the batch under way: its rows, and where they end in a list by files */
} dir_file;

struct nb_write_task {
    nb_write_job *job;
    int partition;
    nb_arena *scratch;
    dir_file *files;
    int n_files, cap;
    int32_t *slots; /* files by the hash of their directory */
    size_t n_slots; /* a power of two */
    int n_admitted;
    int current;       /* sorted: whose file is open */
    bool full, sorted; /* no more directories are admitted; one at a time */
    size_t held;
};

nb_status
nb_write_task_open(nb_write_job *job, int partition, nb_write_task **out, nb_error *err)
{
    nb_write_task *task = nb_pool_zalloc(job->pool, sizeof(*task));

    (void)err;
    if (task == NULL || (task->scratch = nb_arena_new(job->pool)) == NULL) {
        nb_pool_dealloc(job->pool, task, sizeof(*task));
        return NB_NOMEM;
    }
    task->job = job;
    task->partition = partition;
    task->current = NO_FILE;
    *out = task;
    return NB_OK;
}

/* ---- files -------------------------------------------------------------------------------------------------------------------- */

/* The directories of path below root, which must be there: a job that is over is not brought back. */
static nb_status
make_dirs_below(const char *root, char *path, nb_error *err)
{
    for (char *at = path + strlen(root) + 1;; at++) {
        char c = *at;

        if (c != '/' && c != 0) {
            continue;
        }
        *at = 0;
        NB_TRY(nb_allowed_check(path, err));
        if (mkdir(path, 0777) != 0 && errno != EEXIST) {
            return nb_raise_errno(err, "mkdir", path, errno);
        }
        *at = c;
        if (c == 0) {
            return NB_OK;
        }
    }
}

static nb_status
open_file(nb_write_task *task, dir_file *f, nb_error *err)
{
    nb_write_job *job = task->job;
    nb_strbuf b = {0};
    nb_status st = NB_OK;

    nb_strbuf_addf(&b, "%s%s%s", job->staging, f->dir[0] ? "/" : "", f->dir);
    if (f->dir[0] && !b.failed) {
        st = make_dirs_below(job->staging, b.data, err);
    }
    nb_strbuf_addf(&b, "/part-%05d-%s%cc%03d%s", task->partition, job->uuid,
                   job->n_partition ? '.' : '-', f->counter, job->extension);
    if (b.failed) {
        st = NB_NOMEM;
    }
    if (st == NB_OK) {
        st = job->format->file_open(job->pool, job->payload, b.data, &f->fw, err);
    }
    nb_strbuf_free(&b);
    f->rows = 0;
    if (task->partition == 0) {
        atomic_store(&job->first_opened, 1);
    }
    return st;
}

static nb_status
close_file(nb_write_task *task, dir_file *f, nb_error *err)
{
    struct nb_file_writer *fw = f->fw;

    if (fw == NULL) {
        return NB_OK;
    }
    f->fw = NULL;
    f->counter++;
    task->held -= f->held;
    f->held = 0;
    return task->job->format->file_close(fw, err);
}

/* Files that hold back too much in all write it, the largest first; all but a little when memory is short. */
static nb_status
let_go(nb_write_task *task, nb_error *err)
{
    const nb_format *format = task->job->format;

    while (task->held > HELD_MOST ||
           (task->held > HELD_LEAST && nb_pool_available(task->job->pool) < task->held / 2)) {
        dir_file *most = &task->files[0];

        for (int i = 1; i < task->n_files; i++) {
            most = task->files[i].held > most->held ? &task->files[i] : most;
        }
        NB_TRY(format->file_flush(most->fw, err));
        task->held -= most->held;
        most->held = 0;
    }
    return NB_OK;
}

static nb_status
note_held(nb_write_task *task, dir_file *f, nb_error *err)
{
    const nb_format *format = task->job->format;

    if (format->file_bytes == NULL) {
        return NB_OK;
    }
    task->held -= f->held;
    f->held = format->file_bytes(f->fw);
    task->held += f->held;
    return let_go(task, err);
}

/* n rows of dense columns into a directory's file, a new file every max_records rows. */
static nb_status
push_rows(nb_write_task *task, int file, const nb_vector *cols, int64_t n, nb_error *err)
{
    nb_write_job *job = task->job;
    dir_file *f = &task->files[file];
    const nb_vector **ptrs = NB_ARENA_ARRAY(task->scratch, const nb_vector *, job->n_data + 1);
    nb_vector *part = NB_ARENA_ARRAY(task->scratch, nb_vector, job->n_data + 1);

    if (ptrs == NULL || part == NULL) {
        return NB_NOMEM;
    }
    if (task->sorted && task->current != file) {
        if (task->current != NO_FILE) {
            NB_TRY(close_file(task, &task->files[task->current], err));
        }
        task->current = file;
    }
    for (int64_t done = 0, k; done < n; done += k) {
        k = n - done;
        if (job->max_records > 0) {
            if (f->rows >= job->max_records) {
                NB_TRY(close_file(task, f, err));
            }
            k = NB_MIN(k, job->max_records - (f->fw ? f->rows : 0));
        }
        if (f->fw == NULL) {
            NB_TRY(open_file(task, f, err));
        }
        for (int j = 0; j < job->n_data; j++) {
            ptrs[j] = &cols[j];
            if (done > 0 || k < n) {
                NB_TRY(nb_vector_slice(task->scratch, &cols[j], done, k, &part[j]));
                ptrs[j] = &part[j];
            }
        }
        NB_TRY(job->format->file_push(f->fw, ptrs, k, task->scratch, err));
        f->rows += k;
        NB_TRY(note_held(task, f, err));
    }
    return NB_OK;
}

/* ---- directories -------------------------------------------------------------------------------------------------------------- */

static void
put_in_slots(nb_write_task *task, int file)
{
    size_t at = task->files[file].hash & (task->n_slots - 1);

    while (task->slots[at] != 0) {
        at = (at + 1) & (task->n_slots - 1);
    }
    task->slots[at] = file + 1;
}

static nb_status
grow_slots(nb_write_task *task)
{
    size_t n = task->n_slots ? 2 * task->n_slots : 16;
    int32_t *slots = nb_pool_zalloc(task->job->pool, n * sizeof(*slots));

    if (slots == NULL) {
        return NB_NOMEM;
    }
    if (task->slots != NULL) {
        nb_pool_dealloc(task->job->pool, task->slots, task->n_slots * sizeof(*slots));
    }
    task->slots = slots;
    task->n_slots = n;
    for (int i = 0; i < task->n_files; i++) {
        put_in_slots(task, i);
    }
    return NB_OK;
}

static nb_status
add_dir(nb_write_task *task, nb_str dir, uint64_t hash)
{
    nb_pool *pool = task->job->pool;
    dir_file *f;

    if (2 * (size_t)(task->n_files + 1) > task->n_slots) {
        NB_TRY(grow_slots(task));
    }
    if (task->n_files == task->cap) {
        int cap = task->cap ? task->cap * 2 : 4;
        dir_file *files = nb_pool_realloc(pool, task->files, (size_t)task->cap * sizeof(*files),
                                          (size_t)cap * sizeof(*files));
        if (files == NULL) {
            return NB_NOMEM;
        }
        task->files = files;
        task->cap = cap;
    }
    f = &task->files[task->n_files];
    *f = (dir_file){.dir_bytes = dir.len + 1, .hash = hash};
    f->dir = nb_pool_alloc(pool, f->dir_bytes);
    if (f->dir == NULL) {
        return NB_NOMEM;
    }
    memcpy(f->dir, dir.data, dir.len);
    f->dir[dir.len] = 0;
    put_in_slots(task, task->n_files++);
    return NB_OK;
}

/* The number of a directory's file; NO_FILE when its rows go aside. */
static nb_status
file_of(nb_write_task *task, nb_str dir, int *out)
{
    const nb_write_job *job = task->job;
    int most_open = job->format->most_open ? job->format->most_open : MOST_OPEN;
    uint64_t hash = nb_hash_bytes(dir.data, dir.len);
    int file = NO_FILE;

    for (size_t at = hash & (task->n_slots - 1); task->n_slots > 0 && task->slots[at] != 0;
         at = (at + 1) & (task->n_slots - 1)) {
        const dir_file *f = &task->files[task->slots[at] - 1];

        if (f->hash == hash && nb_str_equal((nb_str){f->dir, f->dir_bytes - 1}, dir)) {
            file = task->slots[at] - 1;
            break;
        }
    }
    if (!task->sorted && (file == NO_FILE || !task->files[file].admitted)) {
        task->full |= task->n_admitted >= most_open ||
                      (task->n_admitted > 0 && nb_pool_available(job->pool) < NEW_FILE_ROOM);
        if (task->full) {
            *out = NO_FILE;
            return NB_OK;
        }
    }
    if (file == NO_FILE) {
        NB_TRY(add_dir(task, dir, hash));
        file = task->n_files - 1;
    }
    if (!task->sorted && !task->files[file].admitted) {
        task->files[file].admitted = true;
        task->n_admitted++;
    }
    *out = file;
    return NB_OK;
}

static nb_status
partition_texts(nb_write_task *task, nb_batch *batch, nb_vector *texts, nb_error *err)
{
    const nb_write_job *job = task->job;
    nb_kernel_ctx ctx = {.arena = task->scratch, .info = &job->info, .err = err};

    for (int k = 0; k < job->n_partition; k++) {
        const nb_vector *v;
        nb_vector text;

        NB_TRY(nb_batch_column(batch, job->partition_columns[k], &v));
        if (nb_type_is_string(v->type)) {
            text = *v;
        } else {
            NB_TRY(nb_cast_vector(&ctx, v, nb_type_of(NB_TYPE_STRING), NB_CAST_ANSI, &text));
        }
        NB_TRY(nb_vector_flatten(task->scratch, &text, &texts[k]));
    }
    return NB_OK;
}

/* Have rows i and i - 1 the same texts? */
static bool
is_as_before(const nb_vector *texts, int n, int64_t i)
{
    for (int k = 0; k < n; k++) {
        bool null = nb_vector_is_null(&texts[k], i);

        if (null != nb_vector_is_null(&texts[k], i - 1)) {
            return false;
        }
        if (!null && !nb_str_equal(nb_view_str(&NB_DATA(nb_view, &texts[k])[i]),
                                   nb_view_str(&NB_DATA(nb_view, &texts[k])[i - 1]))) {
            return false;
        }
    }
    return true;
}

/* Per row the number of its file: of directory "a=1/b=x". */
static nb_status
files_of_rows(nb_write_task *task, nb_batch *batch, int **out, nb_error *err)
{
    const nb_write_job *job = task->job;
    int *files = NB_ARENA_ARRAY(task->scratch, int, batch->n_rows);
    nb_vector *texts = NB_ARENA_ARRAY(task->scratch, nb_vector, job->n_partition);
    nb_strbuf b = {0};
    nb_status st = NB_OK;

    if (files == NULL || texts == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(partition_texts(task, batch, texts, err));
    for (int64_t i = 0; i < batch->n_rows && st == NB_OK; i++) {
        if (i > 0 && is_as_before(texts, job->n_partition, i)) {
            files[i] = files[i - 1];
            continue;
        }
        b.len = 0;
        for (int k = 0; k < job->n_partition; k++) {
            nb_strbuf_adds(&b, k ? "/" : "");
            nb_strbuf_adds(&b, job->partition_names[k]);
            nb_strbuf_addc(&b, '=');
            if (nb_vector_is_null(&texts[k], i) || NB_DATA(nb_view, &texts[k])[i].len == 0) {
                nb_strbuf_adds(&b, NB_NULL_PARTITION);
            } else {
                nb_partition_escape(&b, nb_view_str(&NB_DATA(nb_view, &texts[k])[i]));
            }
        }
        st = b.failed ? NB_NOMEM : file_of(task, nb_strbuf_str(&b), &files[i]);
    }
    nb_strbuf_free(&b);
    *out = files;
    return st;
}

/* Rows by their files, each file's in order. */
static nb_status
push_by_files(nb_write_task *task, const nb_batch *batch, const int *file_of_row,
              const nb_vector *cols, uint32_t *aside, int64_t *n_aside, nb_error *err)
{
    int n_data = task->job->n_data, n_touched = 0;
    int *touched = NB_ARENA_ARRAY(task->scratch, int, batch->n_rows);
    uint32_t *rows = NB_ARENA_ARRAY(task->scratch, uint32_t, batch->n_rows), end = 0;
    nb_vector *some = NB_ARENA_ARRAY(task->scratch, nb_vector, n_data + 1);

    if (touched == NULL || rows == NULL || some == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < batch->n_rows; i++) {
        if (file_of_row[i] == NO_FILE) {
            aside[(*n_aside)++] = (uint32_t)i;
        } else if (task->files[file_of_row[i]].n_now++ == 0) {
            touched[n_touched++] = file_of_row[i];
        }
    }
    for (int k = 0; k < n_touched; k++) {
        task->files[touched[k]].at = end;
        end += task->files[touched[k]].n_now;
    }
    for (int64_t i = 0; i < batch->n_rows; i++) {
        if (file_of_row[i] != NO_FILE) {
            rows[task->files[file_of_row[i]].at++] = (uint32_t)i;
        }
    }
    for (int k = 0; k < n_touched; k++) {
        dir_file *f = &task->files[touched[k]];
        int64_t n = f->n_now;
        const nb_vector *of = cols;

        f->n_now = 0;
        if (n < batch->n_rows) {
            for (int j = 0; j < n_data; j++) {
                NB_TRY(nb_vector_gather(task->scratch, &cols[j], rows + f->at - n, n, &some[j]));
            }
            of = some;
        }
        NB_TRY(push_rows(task, touched[k], of, n, err));
    }
    return NB_OK;
}

nb_status
nb_write_task_push(nb_write_task *task, nb_batch *batch, uint32_t *aside, int64_t *n_aside,
                   nb_error *err)
{
    nb_write_job *job = task->job;
    int *files, only;
    nb_vector *cols;

    nb_arena_reset(task->scratch);
    if (job->n_partition > 0) {
        *n_aside = 0;
    }
    if (batch->n_rows == 0) {
        return NB_OK;
    }
    cols = NB_ARENA_ARRAY(task->scratch, nb_vector, job->n_data + 1);
    if (cols == NULL) {
        return NB_NOMEM;
    }
    for (int j = 0; j < job->n_data; j++) {
        const nb_vector *v;
        NB_TRY(nb_batch_column(batch, job->data_columns[j], &v));
        cols[j] = *v;
    }
    if (job->n_partition == 0) {
        NB_TRY(file_of(task, NB_STR(""), &only));
        return push_rows(task, only, cols, batch->n_rows, err);
    }
    NB_TRY(files_of_rows(task, batch, &files, err));
    return push_by_files(task, batch, files, cols, aside, n_aside, err);
}

/* ---- ends --------------------------------------------------------------------------------------------------------------------- */

nb_status
nb_write_task_rest(nb_write_task *task, nb_error *err)
{
    for (int i = 0; i < task->n_files; i++) {
        NB_TRY(close_file(task, &task->files[i], err));
        task->files[i].admitted = false;
    }
    task->n_admitted = 0;
    task->full = task->sorted = false;
    task->current = NO_FILE;
    nb_arena_reset(task->scratch);
    return NB_OK;
}

nb_status
nb_write_task_sorted(nb_write_task *task, nb_error *err)
{
    NB_TRY(nb_write_task_rest(task, err));
    task->sorted = true;
    return NB_OK;
}

static void
free_task(nb_write_task *task)
{
    nb_pool *pool = task->job->pool;

    for (int i = 0; i < task->n_files; i++) {
        if (task->files[i].fw) {
            task->job->format->file_abort(task->files[i].fw);
        }
        nb_pool_dealloc(pool, task->files[i].dir, task->files[i].dir_bytes);
    }
    if (task->files) {
        nb_pool_dealloc(pool, task->files, (size_t)task->cap * sizeof(*task->files));
    }
    if (task->slots) {
        nb_pool_dealloc(pool, task->slots, task->n_slots * sizeof(*task->slots));
    }
    nb_arena_free(task->scratch);
    nb_pool_dealloc(pool, task, sizeof(*task));
}

nb_status
nb_write_task_close(nb_write_task *task, nb_error *err)
{
    nb_status st = NB_OK;
    int only;

    /* The first partition leaves a file even when it had no rows, so that the output has a schema to be read by. */
    if (task->partition == 0 && task->n_files == 0 && task->job->n_partition == 0) {
        st = file_of(task, NB_STR(""), &only);
        st = st == NB_OK ? open_file(task, &task->files[only], err) : st;
    }
    if (st == NB_OK) {
        st = nb_write_task_rest(task, err);
    }
    free_task(task);
    return st;
}

void
nb_write_task_abort(nb_write_task *task)
{
    if (task != NULL) {
        free_task(task);
    }
}
