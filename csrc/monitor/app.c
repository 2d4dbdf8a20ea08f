/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app.c: the containers of an application; app_events.c fills them.
 */
#include "monitor/app.h"

#include <stdio.h>

const char *const nb_localities[] = {"PROCESS_LOCAL", "NODE_LOCAL", "NO_PREF",
                                     "RACK_LOCAL",    "ANY",        NULL};

nb_app *
nb_app_new(nb_pool *parent, size_t memory_limit)
{
    nb_pool *pool = nb_pool_new(parent, "application", memory_limit);
    nb_app *app = pool ? nb_pool_zalloc(pool, sizeof(*app)) : NULL;

    if (!app) {
        nb_pool_free(pool);
        return NULL;
    }
    app->pool = pool;
    app->arena = nb_arena_new(pool);
    app->scratch = nb_arena_new(pool);
    pthread_mutex_init(&app->lock, NULL);
    if (!app->arena || !app->scratch) {
        nb_app_free(app);
        return NULL;
    }
    return app;
}

void
nb_app_free(nb_app *app)
{
    nb_pool *pool;

    if (!app) {
        return;
    }
    pool = app->pool;
    for (int64_t i = 0; i < app->n_values; i++) {
        nb_app_value *v = app->values[i];

        if (v->values) {
            nb_pool_dealloc(pool, v->values, (size_t)v->cap_values * sizeof(int64_t));
        }
    }
    nb_id_map_free(&app->job_ids, pool);
    nb_id_map_free(&app->stage_ids, pool);
    nb_id_map_free(&app->execution_ids, pool);
    nb_id_map_free(&app->value_ids, pool);
    nb_id_map_free(&app->task_ids, pool);
    nb_arena_free(app->scratch);
    nb_arena_free(app->arena);
    pthread_mutex_destroy(&app->lock);
    nb_pool_dealloc(pool, app, sizeof(*app));
    nb_pool_free(pool);
}

void
nb_app_lock(nb_app *app)
{
    pthread_mutex_lock(&app->lock);
}

void
nb_app_unlock(nb_app *app)
{
    pthread_mutex_unlock(&app->lock);
}

void
nb_app_note(nb_app *app, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    if (app->problem.len > 0) {
        return;
    }
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    app->problem = nb_app_keep(app, nb_str_of(text));
}

nb_str
nb_app_keep(nb_app *app, nb_str s)
{
    return s.len > 0 ? nb_arena_str(app->arena, s) : (nb_str){"", 0};
}

bool
nb_app_grow(nb_app *app, void *array, int64_t n, int64_t *cap, size_t size)
{
    void **at = array, *wider;
    int64_t more = *cap ? *cap * 2 : 8;

    if (n < *cap) {
        return true;
    }
    wider = nb_arena_array(app->arena, (size_t)more, size);
    if (!wider) {
        return false;
    }
    if (n > 0) {
        memcpy(wider, *at, (size_t)n * size);
    }
    *at = wider;
    *cap = more;
    return true;
}

/* ---- look-ups -------------------------------------------------------------------------------- */

static int64_t
stage_key(int64_t id, int64_t attempt)
{
    return (int64_t)(((uint64_t)id << 16) | ((uint64_t)attempt & 0xffff));
}

nb_app_job *
nb_app_job_find(const nb_app *app, int64_t id)
{
    int64_t at;

    return nb_id_map_get(&app->job_ids, id, &at) ? app->jobs[at] : NULL;
}

nb_app_stage *
nb_app_stage_find(const nb_app *app, int64_t id, int64_t attempt)
{
    int64_t at;

    return nb_id_map_get(&app->stage_ids, stage_key(id, attempt), &at) ? app->stages[at] : NULL;
}

nb_app_execution *
nb_app_execution_find(const nb_app *app, int64_t id)
{
    int64_t at;

    return nb_id_map_get(&app->execution_ids, id, &at) ? app->executions[at] : NULL;
}

const nb_app_value *
nb_app_value_find(const nb_app *app, int64_t id)
{
    int64_t at;

    return nb_id_map_get(&app->value_ids, id, &at) ? app->values[at] : NULL;
}

nb_app_task *
nb_app_task_at(const nb_app_stage *stage, int64_t i)
{
    return &stage->blocks[i / NB_TASK_BLOCK][i % NB_TASK_BLOCK];
}

/* ---- adding ---------------------------------------------------------------------------------- */

/* A zeroed element behind those of a list of pointers, findable under key. */
static void *
add(nb_app *app, void *list, int64_t *n, int64_t *cap, nb_id_map *ids, int64_t key, size_t size)
{
    void *made = nb_arena_zalloc(app->arena, size);

    if (!made || !nb_app_grow(app, list, *n, cap, sizeof(void *)) ||
        !nb_id_map_put(ids, app->pool, key, *n)) {
        return NULL;
    }
    (*(void ***)list)[(*n)++] = made;
    return made;
}

nb_app_job *
nb_app_job_get(nb_app *app, int64_t id)
{
    nb_app_job *job = nb_app_job_find(app, id);

    if (!job) {
        job = add(app, &app->jobs, &app->n_jobs, &app->cap_jobs, &app->job_ids, id, sizeof(*job));
        if (job) {
            job->id = id;
            job->execution = -1;
        }
    }
    return job;
}

nb_app_stage *
nb_app_stage_get(nb_app *app, int64_t id, int64_t attempt)
{
    nb_app_stage *stage = nb_app_stage_find(app, id, attempt);

    if (!stage) {
        stage = add(app, &app->stages, &app->n_stages, &app->cap_stages, &app->stage_ids,
                    stage_key(id, attempt), sizeof(*stage));
        if (stage) {
            stage->id = id;
            stage->attempt = (int32_t)attempt;
            stage->job = -1;
            stage->pool = NB_STR("default");
        }
    }
    return stage;
}

nb_app_execution *
nb_app_execution_get(nb_app *app, int64_t id)
{
    nb_app_execution *x = nb_app_execution_find(app, id);

    if (!x) {
        x = add(app, &app->executions, &app->n_executions, &app->cap_executions,
                &app->execution_ids, id, sizeof(*x));
        if (x) {
            x->id = x->root_id = id;
        }
    }
    return x;
}

nb_app_value *
nb_app_value_get(nb_app *app, int64_t id)
{
    nb_app_value *v = (nb_app_value *)nb_app_value_find(app, id);

    if (!v) {
        v = add(app, &app->values, &app->n_values, &app->cap_values, &app->value_ids, id,
                sizeof(*v));
        if (v) {
            v->id = id;
            v->max_stage = -1;
        }
    }
    return v;
}

int
nb_app_executor_get(nb_app *app, nb_str id)
{
    int64_t cap = app->cap_executors;
    nb_app_executor *x;

    for (int i = 0; i < app->n_executors; i++) {
        if (nb_str_equal(app->executors[i].id, id)) {
            return i;
        }
    }
    if (app->n_executors >= INT16_MAX ||
        !nb_app_grow(app, &app->executors, app->n_executors, &cap, sizeof(*x))) {
        return -1;
    }
    app->cap_executors = (int)cap;
    x = &app->executors[app->n_executors];
    *x = (nb_app_executor){.id = nb_app_keep(app, id), .host = {"", 0}, .removed_reason = {"", 0}};
    return x->id.data ? app->n_executors++ : -1;
}

nb_app_task *
nb_app_task_add(nb_app *app, nb_app_stage *stage)
{
    int64_t block = stage->n_tasks / NB_TASK_BLOCK;
    size_t whole = sizeof(nb_app_task) * NB_TASK_BLOCK;

    if (stage->n_tasks % NB_TASK_BLOCK == 0) {
        size_t size = whole;

        if (block == 0) { /* a stage of few tasks takes no whole block */
            stage->first_block = stage->announced_tasks > 0
                                     ? NB_MIN(stage->announced_tasks, NB_TASK_BLOCK)
                                     : NB_TASK_BLOCK;
            size = sizeof(nb_app_task) * (size_t)stage->first_block;
        }
        if (!nb_app_grow(app, &stage->blocks, block, &stage->cap_blocks, sizeof(void *))) {
            return NULL;
        }
        stage->blocks[block] = nb_arena_zalloc(app->arena, size);
        if (!stage->blocks[block]) {
            return NULL;
        }
    } else if (stage->n_tasks == stage->first_block) { /* more attempts than were announced */
        nb_app_task *wider = nb_arena_zalloc(app->arena, whole);

        if (!wider) {
            return NULL;
        }
        memcpy(wider, stage->blocks[0], sizeof(nb_app_task) * (size_t)stage->n_tasks);
        stage->blocks[0] = wider;
        stage->first_block = NB_TASK_BLOCK;
    }
    return nb_app_task_at(stage, stage->n_tasks++);
}
