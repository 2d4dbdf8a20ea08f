/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread.h: the process's worker threads and deep stacks.
 *
 * Workers are started at the first need, have stacks of 16 MiB, block all signals (the main thread keeps them) and live
 * until the process ends. After a fork the child starts its own.
 */
#ifndef NB_BASE_THREAD_H
#define NB_BASE_THREAD_H

#include <stdbool.h>
#include "base/status.h"

/* How many threads local[*] means: what the affinity mask and the cgroup's CPU quota leave, at least 1. */
int nb_threads_available(void);

/* Runs fn(payload, i) once for each i in [0, n) and returns when all are done. The calling thread takes part, so it also works
 * inside of another run and when no worker can be started; which thread runs which i, and when, is open, so no fn
 * may wait for another one of its run. */
void nb_threads_run(int n, void (*fn)(void *payload, int i), void *payload);

/* A worker that is about to wait for something other than the processor says so, and when it has done: another one takes its place, so that
 * who reads its result slowly does not slow others down. Other threads may say it in vain. */
void nb_threads_wait_begin(void);
void nb_threads_wait_end(void);

/* What a deep stack holds: reserved, and touched only as deep as it gets. */
#define NB_DEEP_STACK_BYTES ((size_t)512 << 20)

/* Runs fn(payload) on a thread with a deep stack and does not wait. Threads that have ended their work are used again. False: none can be
 * had. */
bool nb_threads_start(void (*fn)(void *payload), void *payload);

/* Gives back the memory of the running thread's stack below what is in use: for who waits long after something that may have gone deep. */
void nb_stack_trim(void);

/* Runs fn(payload) on a stack of at least so many bytes (NB_DEEP_STACK_BYTES at most) and waits: for recursion over plans that users can nest
 * deeply. Runs it right here where that much is left, and when no thread can be had. */
void nb_run_on_big_stack(size_t n_bytes, void (*fn)(void *payload), void *payload);
/* Bytes left on the running thread's stack: recursive functions refuse to go on below 64 KiB or so. */
size_t nb_stack_left(void);

#endif
