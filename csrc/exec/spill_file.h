/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spill_file.h: a temporary file that is written once, front to back, and read in pieces.
 *
 * The file is unlinked as soon as it is open, so nothing is left behind whatever happens. Writing is for one thread; reading
 * by position for any number.
 */
#ifndef NB_EXEC_SPILL_FILE_H
#define NB_EXEC_SPILL_FILE_H

#include "base/error.h"
#include "base/str.h"

typedef struct nb_spill_file nb_spill_file;

/* dirs: one directory or a list of them: nb_file_nameless. */
nb_status nb_spill_file_new(nb_str dirs, nb_spill_file **out, nb_error *err);
void nb_spill_file_free(nb_spill_file *f); /* NULL is fine */
nb_status nb_spill_file_write(nb_spill_file *f, const void *p, size_t n, nb_error *err);
/* Nothing stays in the buffer; the size is final. */
nb_status nb_spill_file_finish(nb_spill_file *f, nb_error *err);
int64_t nb_spill_file_size(const nb_spill_file *f);     /* written so far */
const char *nb_spill_file_path(const nb_spill_file *f); /* for messages */
/* Shows the finished file, read only, at `at` (a page's beginning, reserved by the caller). What lies behind its end must not be read. */
nb_status nb_spill_file_map(const nb_spill_file *f, void *at, size_t n, nb_error *err);
/* A descriptor of the finished file that can only be read; owned by the caller. -1: none is left. */
int nb_spill_file_open_again(const nb_spill_file *f);
/* Exactly n bytes from offset. */
nb_status
nb_spill_file_read(const nb_spill_file *f, int64_t offset, void *p, size_t n, nb_error *err);

#endif
