/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint.c: df.checkpoint() and localCheckpoint(): the rows, made now, under a name by which plans refer to them.
 *
 * They are kept as local data of the session until the client says that it needs them no more, or the session ends. A checkpoint that is not local
 * wants spark.checkpoint.dir, as Spark does, but nothing is written there: what it would outlive is this process.
 */
#include "connect/query.h"
#include "plan/analyzer_internal.h"

nb_status
nb_query_checkpoint(nb_query *q, const Sc__CheckpointCommand *c, nb_result *result, nb_error *err)
{
    Sc__ExecutePlanResponse *response =
        NB_MESSAGE(q->arena, Sc__ExecutePlanResponse, sc__execute_plan_response);
    Sc__CheckpointCommandResult *made =
        NB_MESSAGE(q->arena, Sc__CheckpointCommandResult, sc__checkpoint_command_result);
    Sc__CachedRemoteRelation *relation =
        NB_MESSAGE(q->arena, Sc__CachedRemoteRelation, sc__cached_remote_relation);
    nb_table *table = NULL;
    nb_plan *plan;
    nb_str dir, name;
    uint64_t n;
    nb_status st;

    NB_NEED(response && made && relation);
    if (!c->local && !nb_config_get(q->config, NB_STR("spark.checkpoint.dir"), &dir)) {
        return nb_raise(err, NB_COND_CHECKPOINT_DIR_NOT_SET, NULL);
    }
    NB_TRY(nb_query_analyze(q, c->relation, &plan, err));
    NB_TRY(nb_query_run(q, plan, &table, err));
    pthread_mutex_lock(&q->session->lock);
    n = q->session->next_hash++;
    pthread_mutex_unlock(&q->session->lock);
    name = nb_str_of(
        nb_arena_printf(q->arena, "checkpoint-%s-%llu", q->session->id, (unsigned long long)n));
    st = name.data ? nb_query_keep_table(q, &table, err) : NB_NOMEM;
    if (st >= 0) {
        st = nb_catalog_add_local(q->session->catalog, name, table);
    }
    nb_table_release(table);
    NB_TRY(st);
    relation->has_relation_id = true;
    relation->relation_id = nb_pb_bytes(name);
    made->relation = relation;
    response->response_type_case =
        SC__EXECUTE_PLAN_RESPONSE__RESPONSE_TYPE_CHECKPOINT_COMMAND_RESULT;
    response->checkpoint_command_result = made;
    return nb_result_add(result, response);
}
