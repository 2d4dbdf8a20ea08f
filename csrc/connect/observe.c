/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observe.c: see observe.h.
 */
#include "connect/observe.h"

#include "plan/analyzer_internal.h"

nb_status
nb_observe_session(const nb_config *config, int n_threads, size_t memory, nb_monitor **out,
                   nb_error *err)
{
    nb_executor_info driver = {
        .id = "driver", .host = "localhost", .n_cores = n_threads, .memory = (int64_t)memory};

    NB_TRY(nb_monitor_open(config, (nb_str){"", 0}, 0, out, err));
    nb_monitor_executor_added(*out, &driver);
    return NB_OK;
}

/* ---- titles ---------------------------------------------------------------------------------- */

static nb_str
field_name(const ProtobufCMessageDescriptor *d, unsigned number)
{
    const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field(d, number);

    return f ? nb_str_of(f->name) : NB_STR("query");
}

static nb_str
title_of(nb_arena *arena, const Sc__Relation *r)
{
    const Sc__Relation *shown = NULL;
    nb_str what;
    char *text;

    if (r->rel_type_case == SC__RELATION__REL_TYPE_SHOW_STRING) {
        shown = r->show_string->input;
    } else if (r->rel_type_case == SC__RELATION__REL_TYPE_HTML_STRING) {
        shown = r->html_string->input;
    }
    r = shown ? shown : r;
    what = r->rel_type_case == SC__RELATION__REL_TYPE_SQL
               ? nb_str_trim(nb_pb_str(r->sql->query))
               : field_name(&sc__relation__descriptor, r->rel_type_case);
    if (!shown) {
        return what;
    }
    text = nb_arena_printf(arena, "show: %.*s", (int)NB_MIN(what.len, 100000), what.data);
    return nb_str_of(text ? text : "show");
}

nb_str
nb_observe_title(nb_arena *arena, const Sc__Relation *root, const Sc__Command *command)
{
    if (root) {
        return title_of(arena, root);
    }
    if (!command) {
        return NB_STR("query");
    }
    if (command->command_type_case == SC__COMMAND__COMMAND_TYPE_SQL_COMMAND) {
        const Sc__SqlCommand *sql = command->sql_command;
        return sql->input ? title_of(arena, sql->input) : nb_str_trim(nb_pb_str(sql->sql));
    }
    if (command->command_type_case == SC__COMMAND__COMMAND_TYPE_WRITE_OPERATION) {
        const Sc__WriteOperation *w = command->write_operation;
        nb_str path = nb_pb_str(w->path),
               format = w->has_source ? nb_pb_str(w->source) : NB_STR("parquet");
        char *text = nb_arena_printf(arena, "write %.*s %.*s", (int)format.len, format.data,
                                     (int)path.len, path.data);
        return nb_str_of(text ? text : "write");
    }
    return field_name(&sc__command__descriptor, command->command_type_case);
}

/* ---- plans ----------------------------------------------------------------------------------- */

static bool
fill(nb_monitor *m, nb_arena *arena, nb_node *n, nb_plan_info *out)
{
    nb_plan_info *children = NB_ARENA_ARRAY(arena, nb_plan_info, n->n_children + 1);
    nb_metric_info *metrics = NB_ARENA_ARRAY(arena, nb_metric_info, NB_N_NODE_METRICS);
    nb_strbuf text = {0};

    nb_node_text(&text, arena, n);
    *out = (nb_plan_info){.name = nb_str_of(nb_node_name(n->kind)),
                          .text = nb_strbuf_finish(arena, &text),
                          .n_children = n->n_children,
                          .children = children,
                          .metrics = metrics};
    nb_strbuf_free(&text);
    if (!children || !metrics || !out->text.data) {
        return false;
    }
    if (n->metrics) {
        n->metrics->first_id = nb_monitor_ids(m, NB_MONITOR_METRIC, NB_N_NODE_METRICS);
        out->n_metrics = NB_N_NODE_METRICS;
        for (int i = 0; i < NB_N_NODE_METRICS; i++) {
            metrics[i] = (nb_metric_info){nb_node_metric_infos[i].name, n->metrics->first_id + i,
                                          nb_node_metric_infos[i].type};
        }
    }
    for (int i = 0; i < n->n_children; i++) {
        if (!fill(m, arena, n->children[i], &children[i])) {
            return false;
        }
    }
    return true;
}

const nb_plan_info *
nb_observe_plan(nb_monitor *m, nb_arena *arena, nb_node *root)
{
    nb_plan_info *info = NB_ARENA_NEW(arena, nb_plan_info);

    return info && fill(m, arena, root, info) ? info : NULL;
}

/* ---- queries --------------------------------------------------------------------------------- */

void
nb_observed_begin(nb_query *q, nb_node *root, nb_observed *o)
{
    nb_execution_info x;
    nb_strbuf plan = {0};
    const nb_plan_info *info;

    *o = (nb_observed){.arena = q->arena, .root = root, .execution = -1};
    if (q->session->monitor == NULL) {
        return;
    }
    info = nb_observe_plan(q->session->monitor, q->arena, root);
    if (!info) {
        return;
    }
    o->monitor = q->session->monitor;
    o->execution = nb_monitor_ids(o->monitor, NB_MONITOR_EXECUTION, 1);
    if (atomic_load(&q->first_execution) < 0) {
        atomic_store(&q->first_execution, o->execution);
    }
    atomic_store(&q->last_execution, o->execution);
    nb_physical_text(&plan, q->arena, root);
    x = (nb_execution_info){.id = o->execution,
                            .root_id = atomic_load(&q->first_execution),
                            .description = {q->title.data, NB_MIN(q->title.len, 200)},
                            .details = q->title,
                            .plan = nb_strbuf_str(&plan),
                            .root = info};
    nb_monitor_execution_started(o->monitor, &x);
    nb_strbuf_free(&plan);
    nb_watch_init(&o->watch, o->monitor, o->execution, x.description, root, q->n_threads);
}

static int
count_nodes(const nb_node *n)
{
    int count = 1;

    for (int i = 0; i < n->n_children; i++) {
        count += count_nodes(n->children[i]);
    }
    return count;
}

/* What tasks have not reported: time of merging, spill, peaks. */
static int
collect_rest(const nb_node *n, nb_metric_update *out)
{
    const nb_node_metrics *m = n->metrics;
    int count = 0;

    if (m && m->first_id) {
        int64_t rest[NB_N_NODE_METRICS] = {
            [NB_NODE_METRIC_ROWS] = atomic_load(&m->rows_out) - atomic_load(&m->told_rows),
            [NB_NODE_METRIC_NS] = atomic_load(&m->ns) - atomic_load(&m->told_ns),
            [NB_NODE_METRIC_SPILLED] = atomic_load(&m->bytes_spilled),
            [NB_NODE_METRIC_PEAK] = atomic_load(&m->peak_bytes),
            [NB_NODE_METRIC_UNPACKED] = atomic_load(&m->bytes_unpacked),
            [NB_NODE_METRIC_DECODED] = atomic_load(&m->values_decoded),
        };
        for (int i = 0; i < NB_N_NODE_METRICS; i++) {
            if (rest[i] > 0) {
                out[count++] = (nb_metric_update){m->first_id + i, "", rest[i]};
            }
        }
    }
    for (int i = 0; i < n->n_children; i++) {
        count += collect_rest(n->children[i], out + count);
    }
    return count;
}

void
nb_observed_end(nb_observed *o, nb_status st, const nb_error *err)
{
    nb_metric_update *rest;
    const char *error = NULL;

    if (o->monitor == NULL) {
        return;
    }
    if (st < 0) {
        error = st == NB_CANCELLED        ? "cancelled"
                : err != NULL && err->set ? nb_error_message(err)
                                          : "out of memory";
    }
    rest = NB_ARENA_ARRAY(o->arena, nb_metric_update,
                          (size_t)count_nodes(o->root) * NB_N_NODE_METRICS);
    if (rest) {
        nb_monitor_metrics(o->monitor, o->execution, rest, collect_rest(o->root, rest));
    }
    nb_watch_end(&o->watch, error);
    nb_monitor_execution_ended(o->monitor, o->execution, error);
}
