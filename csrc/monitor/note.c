/* SPDX-License-Identifier: Apache-2.0 */
/*
 * note.c: see note.h.
 */
#include "monitor/note.h"

#include "monitor/event_json.h"

void
nb_note_write(const nb_note *n, nb_strbuf *out)
{
    switch (n->kind) {
    case NB_NOTE_APP_ENDED: nb_event_app_end(out, n->ms); break;
    case NB_NOTE_EXECUTION_STARTED: nb_event_execution_start(out, n->execution, n->ms); break;
    case NB_NOTE_EXECUTION_REPLANNED: nb_event_execution_replanned(out, n->execution); break;
    case NB_NOTE_EXECUTION_ENDED: nb_event_execution_end(out, n->id, n->error, n->ms); break;
    case NB_NOTE_METRICS: nb_event_metrics(out, n->id, n->updates, n->n_updates); break;
    case NB_NOTE_JOB_STARTED: nb_event_job_start(out, n->job, n->ms); break;
    case NB_NOTE_JOB_ENDED: nb_event_job_end(out, n->id, n->error, n->ms); break;
    case NB_NOTE_STAGE_SUBMITTED: nb_event_stage_submitted(out, n->stage, NULL); break;
    case NB_NOTE_STAGE_COMPLETED: nb_event_stage_completed(out, n->stage, n->error, n->ms); break;
    case NB_NOTE_TASK_STARTED: nb_event_task_start(out, n->task); break;
    case NB_NOTE_TASK_ENDED:
        nb_event_task_end(out, n->task, n->metrics, n->updates, n->n_updates, n->how, n->error);
        break;
    }
}

/* ---- copies ---------------------------------------------------------------------------------- */

/* ok becomes false when memory runs out, and the rest is not copied. */
typedef struct copier {
    nb_arena *arena;
    bool ok;
} copier;

static void *
copy_of(copier *c, const void *from, size_t size)
{
    void *to = from && c->ok ? nb_arena_alloc(c->arena, NB_MAX(size, 1)) : NULL;

    if (to) {
        memcpy(to, from, size);
    } else if (from) {
        c->ok = false;
    }
    return to;
}

static void
own_text(copier *c, nb_str *s)
{
    s->data = s->len ? copy_of(c, s->data, s->len) : "";
    s->len = s->data ? s->len : 0;
}

static void
own_name(copier *c, const char **s)
{
    *s = copy_of(c, *s, *s ? strlen(*s) + 1 : 0);
}

/* Names of metrics live for ever. Recursive: as deep as the plan. */
static void
own_plan(copier *c, nb_plan_info *p)
{
    nb_plan_info *children = copy_of(c, p->children, sizeof *p * (size_t)p->n_children);

    own_text(c, &p->name);
    own_text(c, &p->text);
    p->metrics = copy_of(c, p->metrics, sizeof *p->metrics * (size_t)p->n_metrics);
    p->children = children;
    for (int i = 0; c->ok && i < p->n_children; i++) {
        own_plan(c, &children[i]);
    }
}

static const nb_execution_info *
own_execution(copier *c, const nb_execution_info *from)
{
    nb_execution_info *x = copy_of(c, from, sizeof *x);

    if (x) {
        nb_plan_info *root = copy_of(c, x->root, sizeof *root);

        own_text(c, &x->description);
        own_text(c, &x->details);
        own_text(c, &x->plan);
        x->root = root;
        if (root) {
            own_plan(c, root);
        }
    }
    return x;
}

static void
own_stage_parts(copier *c, nb_stage_info *s)
{
    own_text(c, &s->name);
    own_text(c, &s->details);
    s->parents = copy_of(c, s->parents, sizeof *s->parents * (size_t)s->n_parents);
}

static const nb_stage_info *
own_stage(copier *c, const nb_stage_info *from)
{
    nb_stage_info *s = copy_of(c, from, sizeof *s);

    if (s) {
        own_stage_parts(c, s);
    }
    return s;
}

static const nb_job_info *
own_job(copier *c, const nb_job_info *from)
{
    nb_job_info *job = copy_of(c, from, sizeof *job);

    if (job) {
        nb_stage_info *stages = copy_of(c, job->stages, sizeof *stages * (size_t)job->n_stages);

        own_text(c, &job->description);
        own_text(c, &job->pool);
        job->stages = stages;
        for (int i = 0; c->ok && i < job->n_stages; i++) {
            own_stage_parts(c, &stages[i]);
        }
    }
    return job;
}

static const nb_task_info *
own_task(copier *c, const nb_task_info *from)
{
    nb_task_info *t = copy_of(c, from, sizeof *t);

    if (t) {
        own_name(c, &t->executor);
        own_name(c, &t->host);
        own_name(c, &t->locality);
    }
    return t;
}

nb_note *
nb_note_copy(nb_arena *arena, const nb_note *note)
{
    copier c = {arena, true};
    nb_note *n = copy_of(&c, note, sizeof *n);

    if (!n) {
        return NULL;
    }
    n->execution = own_execution(&c, n->execution);
    n->job = own_job(&c, n->job);
    n->stage = own_stage(&c, n->stage);
    n->task = own_task(&c, n->task);
    n->metrics = copy_of(&c, n->metrics, sizeof *n->metrics);
    n->updates = copy_of(&c, n->updates, sizeof *n->updates * (size_t)n->n_updates);
    own_name(&c, &n->error);
    return c.ok ? n : NULL;
}
