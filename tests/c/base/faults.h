/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faults.h: makes the n-th allocation, system call on files or start of a thread fail.
 *
 * The tests are linked with --wrap for the functions below (csrc/Makefile), so that calls made by the engine's own objects come here
 * first, while those of libraries and of cmocka's runner do not. Nothing is counted until a test arms a fault. With
 * NBASPARK_FAULT_TRACE in the environment and under a sanitizer, each fault says where it strikes.
 */
#ifndef NB_TESTS_FAULTS_H
#define NB_TESTS_FAULTS_H

#include <stdbool.h>

typedef enum fault_kind {
    FAULT_NONE,
    FAULT_ALLOC, /* malloc, calloc, realloc, aligned_alloc, strdup, strndup, mmap */
    FAULT_OPEN,  /* open, openat, mkostemp, fopen */
    FAULT_READ,  /* pread, read, fread */
    FAULT_WRITE, /* write, fwrite */
    FAULT_CLOSE, /* close, fclose: the descriptor is closed all the same, as Linux does it */
    FAULT_NAME,  /* rename, mkdir, unlink, unlinkat, rmdir */
    FAULT_LOOK,  /* stat, lstat, fstat, fstatat, opendir, fdopendir, readdir */
    FAULT_SPAWN, /* pthread_create */
    FAULT_N_KINDS
} fault_kind;

#define FAULT_SHORT (-1) /* instead of an errno: half of what was asked for is read or written */

/* The nth call of that kind from now on fails with this errno; when it lasts, all after it too. */
void fault_arm(fault_kind kind, long nth, int code, bool lasts);
/* Ends it; whether it has struck. */
bool fault_disarm(void);

#endif
