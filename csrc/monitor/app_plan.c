/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app_plan.c: SQL executions: plans as graphs, and what their metrics counted.
 *
 * Nodes get the numbers that Spark's pages give them: a node before its children, a WholeStageCodegen before what is in it;
 * InputAdapter and the query stages of adaptive execution have none, and an exchange that is used again is drawn once.
 */
#include "monitor/app_events.h"

#include <stddef.h>

#define EXCHANGES_MOST 1000 /* compared with; a hostile plan must not cost a square */
#define PLAN_DEPTH     900  /* below NB_JSON_DEPTH, which holds for objects and lists together */

typedef struct plan plan;
struct plan {
    nb_str name, text;
    nb_app_metric *metrics;
    int n_metrics;
    plan *child, *next; /* first child, next sibling */
};

typedef struct execution_event {
    int64_t id, root_id, time;
    nb_str description, details, plan_text, error, query_id;
    bool has_error;
    plan *root;
} execution_event;

/* ---- reading --------------------------------------------------------------------------------- */

typedef struct metric_event {
    nb_str name, type;
    int64_t id;
} metric_event;

static const nb_event_field METRIC[] = {
    {"name", NB_FIELD_TEXT, offsetof(metric_event, name), NULL, NULL},
    {"accumulatorId", NB_FIELD_INT, offsetof(metric_event, id), NULL, NULL},
    {"metricType", NB_FIELD_TEXT, offsetof(metric_event, type), NULL, NULL},
    {NULL, NB_FIELD_INT, 0, NULL, NULL},
};

static nb_app_metric_type
metric_type(nb_str type)
{
    return nb_str_equal(type, NB_STR("size"))       ? NB_APP_METRIC_SIZE
           : nb_str_equal(type, NB_STR("timing"))   ? NB_APP_METRIC_TIMING
           : nb_str_equal(type, NB_STR("nsTiming")) ? NB_APP_METRIC_NS
           : nb_str_equal(type, NB_STR("average"))  ? NB_APP_METRIC_AVERAGE
                                                    : NB_APP_METRIC_SUM;
}

static bool
read_metrics(nb_event_reader *r, void *base)
{
    plan *p = base;
    bool first = true, bad = false;
    int cap = 0;

    p->n_metrics = 0; /* should there be two lists, the last one counts */
    if (nb_json_peek(&r->json) != NB_JSON_ARRAY || !nb_json_enter(&r->json)) {
        return false;
    }
    while (nb_json_more(&r->json, ']', &first, &bad)) {
        metric_event m = {.id = -1};

        if (!nb_event_read_object(r, METRIC, &m)) {
            return false;
        }
        if (p->n_metrics == cap) {
            nb_app_metric *wider = NB_ARENA_ARRAY(r->scratch, nb_app_metric, cap ? cap * 2 : 8);

            if (!wider) {
                r->no_memory = true;
                return false;
            }
            if (cap) {
                memcpy(wider, p->metrics, (size_t)cap * sizeof(*wider));
            }
            cap = cap ? cap * 2 : 8;
            p->metrics = wider;
        }
        p->metrics[p->n_metrics++] = (nb_app_metric){m.name, m.id, metric_type(m.type)};
    }
    return !bad;
}

static bool read_children(nb_event_reader *r, void *base);

static const nb_event_field PLAN[] = {
    {"nodeName", NB_FIELD_TEXT, offsetof(plan, name), NULL, NULL},
    {"simpleString", NB_FIELD_TEXT, offsetof(plan, text), NULL, NULL},
    {"children", NB_FIELD_READ, 0, NULL, read_children},
    {"metrics", NB_FIELD_READ, 0, NULL, read_metrics},
    {NULL, NB_FIELD_INT, 0, NULL, NULL},
};

static bool
read_plan(nb_event_reader *r, plan **out)
{
    plan *p = NB_ARENA_NEW(r->scratch, plan);

    if (!p) {
        r->no_memory = true;
        return false;
    }
    p->name = p->text = (nb_str){"", 0};
    *out = p;
    return nb_event_read_object(r, PLAN, p);
}

static bool
read_children(nb_event_reader *r, void *base)
{
    plan *p = base, **at = &p->child;
    bool first = true, bad = false;

    if (nb_json_peek(&r->json) != NB_JSON_ARRAY || r->json.depth > PLAN_DEPTH ||
        !nb_json_enter(&r->json)) {
        return false;
    }
    while (nb_json_more(&r->json, ']', &first, &bad)) {
        if (!read_plan(r, at)) {
            return false;
        }
        at = &(*at)->next;
    }
    return !bad;
}

static bool
read_root(nb_event_reader *r, void *base)
{
    return read_plan(r, &((execution_event *)base)->root);
}

static bool
read_error(nb_event_reader *r, void *base)
{
    execution_event *e = base;

    e->has_error = true;
    return nb_event_read_text(r, &e->error);
}

static const nb_event_field EXECUTION[] = {
    {"executionId", NB_FIELD_INT, offsetof(execution_event, id), NULL, NULL},
    {"rootExecutionId", NB_FIELD_INT, offsetof(execution_event, root_id), NULL, NULL},
    {"description", NB_FIELD_TEXT, offsetof(execution_event, description), NULL, NULL},
    {"details", NB_FIELD_TEXT, offsetof(execution_event, details), NULL, NULL},
    {"physicalPlanDescription", NB_FIELD_TEXT, offsetof(execution_event, plan_text), NULL, NULL},
    {"sparkPlanInfo", NB_FIELD_READ, 0, NULL, read_root},
    {"time", NB_FIELD_INT, offsetof(execution_event, time), NULL, NULL},
    {"errorMessage", NB_FIELD_READ, 0, NULL, read_error},
    {"queryId", NB_FIELD_TEXT, offsetof(execution_event, query_id), NULL, NULL},
    {NULL, NB_FIELD_INT, 0, NULL, NULL},
};

static bool
read_execution(nb_event_reader *r, execution_event *e)
{
    nb_str none = {"", 0};

    *e = (execution_event){.id = -1,
                           .root_id = -1,
                           .description = none,
                           .details = none,
                           .plan_text = none,
                           .error = none,
                           .query_id = none};
    return nb_event_read_object(r, EXECUTION, e) && e->id >= 0;
}

/* ---- graphs ---------------------------------------------------------------------------------- */

typedef struct exchange {
    const plan *plan;
    int32_t node;
} exchange;

typedef struct graph {
    nb_app *app;
    nb_app_execution *x;
    exchange *exchanges; /* in scratch memory */
    int64_t n_exchanges, cap_exchanges;
} graph;

static bool
contains(nb_str s, const char *part)
{
    return s.len > 0 && memmem(s.data, s.len, part, strlen(part)) != NULL;
}

static bool
equals(nb_str s, const char *text)
{
    return nb_str_equal(s, nb_str_of(text));
}

/* Equal plans: the same text and the same metrics, all the way down. */
static bool
same(const plan *a, const plan *b)
{
    if (!nb_str_equal(a->name, b->name) || !nb_str_equal(a->text, b->text) ||
        a->n_metrics != b->n_metrics) {
        return false;
    }
    for (int i = 0; i < a->n_metrics; i++) {
        if (a->metrics[i].id != b->metrics[i].id) {
            return false;
        }
    }
    for (a = a->child, b = b->child; a && b; a = a->next, b = b->next) {
        if (!same(a, b)) {
            return false;
        }
    }
    return a == b;
}

static const exchange *
find_exchange(const graph *g, const plan *p)
{
    for (int64_t i = 0; p && i < g->n_exchanges; i++) {
        if (same(g->exchanges[i].plan, p)) {
            return &g->exchanges[i];
        }
    }
    return NULL;
}

static bool
add_edge(graph *g, int32_t from, int32_t to)
{
    int64_t cap = g->x->cap_edges;

    if (to < 0) {
        return true;
    }
    if (!nb_app_grow(g->app, &g->x->edges, g->x->n_edges, &cap, sizeof(nb_app_edge))) {
        return false;
    }
    g->x->cap_edges = (int)cap;
    g->x->edges[g->x->n_edges++] = (nb_app_edge){from, to};
    return true;
}

static bool
add_node(graph *g, const plan *p, int32_t parent, int32_t cluster, bool is_cluster)
{
    int64_t cap = g->x->cap_nodes;
    nb_app_node node = {.name = nb_app_keep(g->app, p->name),
                        .text = nb_app_keep(g->app, p->text),
                        .parent = parent,
                        .cluster = cluster,
                        .is_cluster = is_cluster,
                        .metrics = NB_ARENA_ARRAY(g->app->arena, nb_app_metric, p->n_metrics + 1),
                        .n_metrics = p->n_metrics};

    if (!node.name.data || !node.text.data || !node.metrics || g->x->n_nodes == INT32_MAX ||
        !nb_app_grow(g->app, &g->x->nodes, g->x->n_nodes, &cap, sizeof(node))) {
        return false;
    }
    g->x->cap_nodes = (int)cap;
    for (int i = 0; i < p->n_metrics; i++) {
        nb_app_metric m = p->metrics[i];
        nb_app_value *v = nb_app_value_get(g->app, m.id);

        m.name = nb_app_keep(g->app, m.name);
        if (!m.name.data || !v) {
            return false;
        }
        v->is_sum |= m.type == NB_APP_METRIC_SUM;
        node.metrics[i] = m;
    }
    g->x->nodes[g->x->n_nodes++] = node;
    return true;
}

static bool
remember_exchange(graph *g, const plan *p, int32_t node)
{
    if (g->n_exchanges == EXCHANGES_MOST) {
        return true;
    }
    if (g->n_exchanges == g->cap_exchanges) {
        int64_t cap = g->cap_exchanges ? g->cap_exchanges * 2 : 16;
        exchange *wider = NB_ARENA_ARRAY(g->app->scratch, exchange, cap);

        if (!wider) {
            return false;
        }
        if (g->n_exchanges) {
            memcpy(wider, g->exchanges, (size_t)g->n_exchanges * sizeof(*wider));
        }
        g->exchanges = wider;
        g->cap_exchanges = cap;
    }
    g->exchanges[g->n_exchanges++] = (exchange){p, node};
    return true;
}

/* The depth of plans was bounded when they were read. False: out of memory. */
static bool
build(graph *g, const plan *p, int32_t parent, int32_t cluster)
{
    const exchange *again;
    bool stage = equals(p->name, "BroadcastQueryStage") || equals(p->name, "ResultQueryStage") ||
                 equals(p->name, "ShuffleQueryStage") || equals(p->name, "TableCacheQueryStage");
    bool subquery = equals(p->name, "Subquery") || equals(p->name, "SubqueryBroadcast");
    int32_t node = g->x->n_nodes;

    if (nb_str_starts_with(p->name, NB_STR("WholeStageCodegen")) && p->child) {
        return add_node(g, p, -1, -1, true) && build(g, p->child, parent, node);
    }
    if (equals(p->name, "InputAdapter") && p->child) {
        return build(g, p->child, parent, -1);
    }
    if ((stage || equals(p->name, "ReusedExchange") || equals(p->name, "ReusedSubquery")) &&
        p->child) {
        again = find_exchange(g, p->child);
        if (again) {
            return add_edge(g, again->node, parent);
        }
        if (stage || equals(p->name, "ReusedSubquery")) {
            return build(g, p->child, parent, -1);
        }
    }
    if (subquery) {
        cluster = -1;
        again = find_exchange(g, p);
        if (again) {
            return add_edge(g, again->node, parent);
        }
    }
    if (!add_node(g, p, parent, cluster, false) || !add_edge(g, node, parent)) {
        return false;
    }
    if ((contains(p->name, "Exchange") || contains(p->name, "Subquery")) &&
        !remember_exchange(g, p, node)) {
        return false;
    }
    for (const plan *c = p->child; c; c = c->next) {
        if (!build(g, c, node, cluster)) {
            return false;
        }
    }
    return true;
}

static bool
set_plan(nb_app *app, nb_app_execution *x, const execution_event *e)
{
    graph g = {.app = app, .x = x};

    x->plan = nb_app_keep(app, e->plan_text);
    x->nodes = NULL;
    x->edges = NULL;
    x->n_nodes = x->cap_nodes = x->n_edges = x->cap_edges = 0;
    return x->plan.data && (!e->root || build(&g, e->root, -1, -1));
}

/* ---- events ---------------------------------------------------------------------------------- */

/* Reads an event, and finds its execution or makes it; *x NULL: out of memory. */
static bool
read_known(nb_app *app, nb_event_reader *r, execution_event *e, nb_app_execution **x)
{
    *x = NULL;
    if (!read_execution(r, e)) {
        return false;
    }
    *x = nb_app_execution_get(app, e->id);
    app->full |= !*x;
    return true;
}

bool
nb_app_execution_started(nb_app *app, nb_event_reader *r)
{
    execution_event e;
    nb_app_execution *x;
    bool ok = read_known(app, r, &e, &x);

    if (!ok || !x) {
        return ok;
    }
    x->root_id = e.root_id >= 0 ? e.root_id : e.id;
    x->description = nb_app_keep(app, e.description);
    x->details = nb_app_keep(app, e.details);
    x->query_id = nb_app_keep(app, e.query_id);
    x->started_ms = e.time;
    app->full |= !x->description.data || !x->details.data || !set_plan(app, x, &e);
    app->last_event_ms = NB_MAX(app->last_event_ms, e.time);
    return true;
}

bool
nb_app_execution_replanned(nb_app *app, nb_event_reader *r)
{
    execution_event e;
    nb_app_execution *x;

    if (!read_known(app, r, &e, &x)) {
        return false;
    }
    app->full |= !x || !set_plan(app, x, &e);
    return true;
}

bool
nb_app_execution_ended(nb_app *app, nb_event_reader *r)
{
    execution_event e;
    nb_app_execution *x;
    bool ok = read_known(app, r, &e, &x);

    if (!ok || !x) {
        return ok;
    }
    x->ended_ms = e.time;
    x->has_error = e.has_error;
    x->error = nb_app_keep(app, e.error);
    if (e.query_id.len > 0) {
        x->query_id = nb_app_keep(app, e.query_id);
    }
    app->last_event_ms = NB_MAX(app->last_event_ms, e.time);
    return true;
}

void
nb_app_count(nb_app *app, int64_t id, int64_t value, int64_t stage, int64_t attempt, int64_t task)
{
    nb_app_value *v = nb_app_value_get(app, id);

    if (!v) {
        app->full = true;
        return;
    }
    if (v->n == 0 || value > v->max) {
        v->max = value;
        v->max_stage = stage;
        v->max_attempt = attempt;
        v->max_task = task;
    }
    v->min = v->n == 0 ? value : NB_MIN(v->min, value);
    v->n++;
    v->sum = (int64_t)((uint64_t)v->sum + (uint64_t)value);
    if (v->is_sum) {
        return;
    }
    if (v->n_values == v->cap_values) {
        int64_t cap = v->cap_values ? v->cap_values * 2 : 4;
        int64_t *wider =
            nb_pool_realloc(app->pool, v->values, (size_t)v->cap_values * sizeof(int64_t),
                            (size_t)cap * sizeof(int64_t));
        if (!wider) {
            return; /* the median is that of the values so far */
        }
        v->values = wider;
        v->cap_values = cap;
    }
    v->values[v->n_values++] = value;
}

typedef struct updates_event {
    nb_app *app; /* NULL: only checks */
} updates_event;

/* [[id, value], …] */
static bool
read_updates(nb_event_reader *r, void *base)
{
    updates_event *e = base;
    bool first = true, bad = false;
    int64_t id, value;

    if (nb_json_peek(&r->json) != NB_JSON_ARRAY || !nb_json_enter(&r->json)) {
        return false;
    }
    while (nb_json_more(&r->json, ']', &first, &bad)) {
        bool inner = true;

        if (nb_json_peek(&r->json) != NB_JSON_ARRAY || !nb_json_enter(&r->json) ||
            !nb_json_more(&r->json, ']', &inner, &bad) || !nb_event_read_int(r, &id) ||
            !nb_json_more(&r->json, ']', &inner, &bad) || !nb_event_read_int(r, &value) ||
            nb_json_more(&r->json, ']', &inner, &bad) || bad) {
            return false;
        }
        if (e->app) {
            nb_app_count(e->app, id, value, -1, 0, 0);
        }
    }
    return !bad;
}

bool
nb_app_driver_metrics(nb_app *app, nb_event_reader *r)
{
    static const nb_event_field table[] = {
        {"accumUpdates", NB_FIELD_READ, 0, NULL, read_updates},
        {NULL, NB_FIELD_INT, 0, NULL, NULL},
    };
    nb_event_reader check = *r;

    /* first it is read without counting, so that a bad line changes nothing */
    return nb_event_read_object(&check, table, &(updates_event){NULL}) &&
           nb_event_read_object(r, table, &(updates_event){app});
}
