/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress.c: see progress.h.
 */
#include "exec/progress.h"

#include <pthread.h>
#include <string.h>
#include "base/arena.h"

#define MAX_STAGES 256

struct nb_progress {
    nb_arena *arena; /* holds this struct */
    pthread_mutex_t lock;
    int n;
    nb_progress_stage stages[MAX_STAGES];
};

nb_progress *
nb_progress_new(void)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_progress *p = arena ? NB_ARENA_NEW(arena, nb_progress) : NULL;

    if (p == NULL) {
        nb_arena_free(arena);
        return NULL;
    }
    p->arena = arena;
    pthread_mutex_init(&p->lock, NULL);
    return p;
}

void
nb_progress_free(nb_progress *p)
{
    if (p != NULL) {
        pthread_mutex_destroy(&p->lock);
        nb_arena_free(p->arena);
    }
}

int
nb_progress_begin(nb_progress *p, int n_tasks)
{
    int stage = -1;

    if (p == NULL) {
        return -1;
    }
    pthread_mutex_lock(&p->lock);
    if (p->n < MAX_STAGES) {
        stage = p->n++;
        p->stages[stage] = (nb_progress_stage){.n_tasks = n_tasks};
    }
    pthread_mutex_unlock(&p->lock);
    return stage;
}

void
nb_progress_task_begin(nb_progress *p, int stage)
{
    if (p != NULL && stage >= 0) {
        pthread_mutex_lock(&p->lock);
        p->stages[stage].n_running++;
        pthread_mutex_unlock(&p->lock);
    }
}

void
nb_progress_task_end(nb_progress *p, int stage, bool done)
{
    if (p != NULL && stage >= 0) {
        nb_progress_stage *s = &p->stages[stage];

        pthread_mutex_lock(&p->lock);
        s->n_running -= s->n_running > 0;
        s->n_done += done && s->n_done < s->n_tasks;
        pthread_mutex_unlock(&p->lock);
    }
}

void
nb_progress_read(nb_progress *p, int stage, int64_t n_bytes)
{
    if (p != NULL && stage >= 0 && n_bytes > 0) {
        pthread_mutex_lock(&p->lock);
        p->stages[stage].bytes_read += n_bytes;
        pthread_mutex_unlock(&p->lock);
    }
}

void
nb_progress_end(nb_progress *p, int stage)
{
    if (p != NULL && stage >= 0) {
        pthread_mutex_lock(&p->lock);
        p->stages[stage].done = true;
        p->stages[stage].n_running = 0;
        pthread_mutex_unlock(&p->lock);
    }
}

int
nb_progress_stages(nb_progress *p, nb_progress_stage *out, int max)
{
    int n = 0;

    if (p != NULL) {
        pthread_mutex_lock(&p->lock);
        n = NB_MIN(p->n, max);
        memcpy(out, p->stages, sizeof(*out) * (size_t)n);
        pthread_mutex_unlock(&p->lock);
    }
    return n;
}
