/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block_files.c: writers that threads borrow.
 */
#include "exec/block_files.h"

nb_status
nb_block_files_init(nb_block_files *f, nb_arena *arena, nb_str dir, int most)
{
    *f = (nb_block_files){.most = most,
                          .writers = NB_ARENA_ARRAY(arena, nb_block_writer, most),
                          .taken = nb_arena_zalloc(arena, (size_t)most * sizeof(bool)),
                          .files = nb_arena_zalloc(arena, (size_t)most * sizeof(nb_spill_file *))};
    if (f->writers == NULL || f->taken == NULL || f->files == NULL) {
        *f = (nb_block_files){0};
        return NB_NOMEM;
    }
    for (int i = 0; i < most; i++) {
        nb_block_writer_init(&f->writers[i], dir);
    }
    pthread_mutex_init(&f->lock, NULL);
    return NB_OK;
}

void
nb_block_files_free(nb_block_files *f)
{
    if (f->writers == NULL) {
        return;
    }
    for (int i = 0; i < f->most; i++) {
        nb_block_writer_free(&f->writers[i]);
        nb_spill_file_free(f->files[i]);
    }
    pthread_mutex_destroy(&f->lock);
    *f = (nb_block_files){0};
}

nb_block_writer *
nb_block_files_take(nb_block_files *f, int *out)
{
    int i = 0;

    pthread_mutex_lock(&f->lock);
    while (f->taken[i]) {
        i++;
        NB_ASSERT(i < f->most);
    }
    f->taken[i] = true;
    f->n_writers = NB_MAX(f->n_writers, i + 1);
    pthread_mutex_unlock(&f->lock);
    *out = i;
    return &f->writers[i];
}

void
nb_block_files_give_back(nb_block_files *f, int number)
{
    pthread_mutex_lock(&f->lock);
    f->taken[number] = false;
    pthread_mutex_unlock(&f->lock);
}

nb_status
nb_block_files_end(nb_block_files *f, nb_error *err)
{
    for (; f->n_files < f->n_writers; f->n_files++) {
        NB_TRY(nb_block_writer_finish(&f->writers[f->n_files], &f->files[f->n_files], err));
    }
    return NB_OK;
}

int64_t
nb_block_rows(const nb_table *rows, int64_t block_bytes)
{
    size_t bytes = 0;
    int64_t n;

    for (int c = 0; c < rows->n_chunks; c++) {
        for (int b = 0; b < rows->chunks[c]->n_buffers; b++) {
            bytes += rows->chunks[c]->buffers[b]->n_bytes;
        }
    }
    n = block_bytes / ((int64_t)(bytes / (size_t)NB_MAX(rows->n_rows, 1)) + 1);
    return NB_MIN(NB_MAX(n, 8), NB_BATCH_ROWS);
}
