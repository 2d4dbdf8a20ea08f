/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyzer.h: from spark.connect messages to a resolved logical plan.
 *
 * Names become attributes, functions are bound with Spark's coercions, `*` is expanded, views are read from the catalog, files are
 * looked at (nb_relation_open). Recursive: call it on a thread with a large stack (nb_run_on_big_stack); beyond NB_PLAN_MAX_DEPTH levels it raises.
 */
#ifndef NB_PLAN_ANALYZER_H
#define NB_PLAN_ANALYZER_H

#include "base/thread.h"
#include "plan/catalog.h"
#include "plan/logical.h"
#include "spark/connect/relations.pb-c.h"

#define NB_PLAN_MAX_DEPTH   20000
#define NB_PLAN_STACK_BYTES NB_DEEP_STACK_BYTES /* 20,000 levels of a few frames each */

typedef struct nb_analyzer nb_analyzer;

/* Lets a layer above (ml) take part: relations that the analyzer cannot resolve itself. */
typedef struct nb_relation_hook {
    nb_status (*resolve)(void *payload, nb_analyzer *an, const Sc__Relation *rel, nb_plan **out,
                         nb_error *err);
    void *payload;
} nb_relation_hook;

typedef struct nb_analyzer_config {
    nb_arena *arena; /* of the query: everything goes there */
    nb_pool *pool;
    const nb_session_info *info;
    nb_catalog *catalog;
    const nb_cancel_flag *cancel;
    int n_threads;
    int n_partitions;    /* of ranges and exchanges that name no number */
    nb_relation_hook ml; /* resolve NULL: MlRelation is refused */
    /* Relations that run while planning (pivot without values, show strings ...). */
    nb_status (*run)(void *payload, nb_plan *plan, nb_table **out, nb_error *err);
    void *run_payload;
} nb_analyzer_config;

nb_status nb_analyzer_new(const nb_analyzer_config *config, nb_analyzer **out);
void nb_analyzer_free(
    nb_analyzer *an); /* lets relations and tables go; the plan must not be used afterwards */
const nb_analyzer_config *nb_analyzer_config_of(const nb_analyzer *an);

nb_status
nb_analyze_relation(nb_analyzer *an, const Sc__Relation *rel, nb_plan **out, nb_error *err);

/* Keeps a relation (files) or table alive until nb_analyzer_free. */
nb_status nb_analyzer_keep_table(nb_analyzer *an, nb_table *table);

#endif
