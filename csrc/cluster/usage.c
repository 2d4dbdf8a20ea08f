/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage.c: what workers and applications use of the cluster, for pages and REST.
 *
 * Cores are those whose tasks the driver has launched and not heard the end of; memory is what workers said with their last heartbeat.
 */
#include <stdio.h>

#include "base/clock.h"
#include "cluster/cluster_internal.h"

void
nb_cluster_note_use(nb_cluster *c, const Nbc__Beat *m)
{
    for (nb_attached *w = c->workers; w != NULL; w = w->next) {
        if (w->id != m->worker) {
            continue;
        }
        w->memory_used = NB_MAX(m->memory, 0);
        w->n_used = 0;
        for (size_t i = 0; i < NB_MIN(m->n_queries, m->n_query_memory); i++) {
            if (w->n_used < NB_MOST_USES && m->query_memory[i] > 0) {
                w->used[w->n_used++] = (nb_query_use){m->queries[i], m->query_memory[i]};
            }
        }
    }
}

static int
running_tasks(const nb_watched *w)
{
    int n = 0;

    for (int s = 0; w->on && s < w->stages->n; s++) {
        const nb_watched_stage *stage = &w->state[s];

        for (int64_t t = 0; stage->tasks != NULL && t < 2 * stage->info.n_tasks; t++) {
            n += stage->tasks[t].running;
        }
    }
    return n;
}

bool
nb_cluster_app_use(nb_cluster *c, nb_str app_id, int *cores, int64_t *memory)
{
    bool any;

    *cores = 0;
    *memory = 0;
    pthread_mutex_lock(&c->lock);
    any = c->workers != NULL;
    for (const nb_driven *q = c->queries; q != NULL; q = q->next) {
        if (q->watched.monitor == NULL ||
            !nb_str_equal(app_id, nb_str_of(nb_monitor_app_id(q->watched.monitor)))) {
            continue;
        }
        *cores += running_tasks(&q->watched);
        for (const nb_attached *w = c->workers; w != NULL; w = w->next) {
            for (int i = 0; i < w->n_used; i++) {
                *memory += w->used[i].query == q->id ? w->used[i].bytes : 0;
            }
        }
    }
    pthread_mutex_unlock(&c->lock);
    return any;
}

nb_status
nb_cluster_list_workers(void *payload, nb_monitor_emit_worker emit, void *to)
{
    nb_cluster *c = payload;

    pthread_mutex_lock(&c->lock);
    for (const nb_attached *w = c->workers; w != NULL; w = w->next) {
        nb_sched_worker_state now;
        nb_monitor_worker shown = {
            .state = NB_STR("ALIVE"), .memory = w->memory, .memory_used = w->memory_used};
        size_t host = w->address.len;
        char id[16];

        if (w->lost || !nb_scheduler_worker_state(c->scheduler, w->id, &now)) {
            continue;
        }
        while (host > 0 && w->address.data[host - 1] != ':') {
            host--;
        }
        snprintf(id, sizeof(id), "worker-%u", w->id);
        shown.id = nb_str_of(id);
        shown.host = (nb_str){w->address.data, host > 0 ? host - 1 : w->address.len};
        for (size_t i = host; host > 0 && i < w->address.len && shown.port < 65536; i++) {
            shown.port = shown.port * 10 + (w->address.data[i] - '0');
        }
        shown.cores = now.cores;
        shown.cores_used = shown.tasks = now.running;
        shown.heartbeat_ms = nb_clock_us() / 1000 - (nb_clock_mono_ns() / 1000000 - now.beat_ms);
        emit(to, &shown);
    }
    pthread_mutex_unlock(&c->lock);
    return NB_OK;
}
