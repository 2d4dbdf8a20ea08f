/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block_files.h: the spill files of an operator: as many as there are threads that write at the same time.
 *
 *     nb_block_files_init → (take → nb_block_write* → give back)* → nb_block_files_end → nb_block_files_get for reading → free
 *
 * Blocks of any number of runs or partitions go into each. After the end a new round of writing may begin with init.
 */
#ifndef NB_EXEC_BLOCK_FILES_H
#define NB_EXEC_BLOCK_FILES_H

#include <pthread.h>
#include "column/table.h"
#include "exec/row_block.h"

typedef struct nb_block_files {
    pthread_mutex_t lock; /* guards what follows until the end */
    nb_block_writer *writers;
    bool *taken;
    int n_writers, most;
    nb_spill_file **files; /* of the writers, once they have ended */
    int n_files;
} nb_block_files;

/* most: threads that write at the same time. Memory from the arena. */
nb_status nb_block_files_init(nb_block_files *f, nb_arena *arena, nb_str dir, int most);
void nb_block_files_free(nb_block_files *f); /* a zeroed one is fine */
/* A writer that no other thread has; its number in *out. */
nb_block_writer *nb_block_files_take(nb_block_files *f, int *out);
void nb_block_files_give_back(nb_block_files *f, int number);
nb_status nb_block_files_end(nb_block_files *f, nb_error *err);
NB_INLINE const nb_spill_file *
nb_block_files_get(const nb_block_files *f, int number)
{
    return f->files[number];
}

/* How many of such rows make a block of about so many bytes. */
int64_t nb_block_rows(const nb_table *rows, int64_t block_bytes);

#endif
