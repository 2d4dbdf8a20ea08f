/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_cache.c: the rows of a cached DataFrame outlive the query that made them, whatever tables that query had of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connect/fixture.h"
#include "connect/plans.h"

static int64_t
run(nb_str plan)
{
    nb_error err = NB_ERROR_INIT;
    nb_result *result = NULL;
    int64_t n_rows;

    if (nb_session_execute(session, plan, NULL, NULL, &result, &err) < 0) {
        fail_msg("%s", nb_error_message(&err));
    }
    n_rows = result->table ? result->table->n_rows : 0;
    nb_result_free(result);
    return n_rows;
}

/* df.persist(), which names the DataFrame by its number. */
static void
persist(Sc__Relation *rel, int64_t id)
{
    Sc__AnalyzePlanRequest *request =
        NB_MESSAGE(arena, Sc__AnalyzePlanRequest, sc__analyze_plan_request);
    nb_strbuf response = {0};
    nb_error err = NB_ERROR_INIT;

    if (rel->common == NULL) {
        rel->common = NB_MESSAGE(arena, Sc__RelationCommon, sc__relation_common);
    }
    rel->common->has_plan_id = true;
    rel->common->plan_id = id;
    request->analyze_case = SC__ANALYZE_PLAN_REQUEST__ANALYZE_PERSIST;
    request->persist =
        NB_MESSAGE(arena, Sc__AnalyzePlanRequest__Persist, sc__analyze_plan_request__persist);
    request->persist->relation = rel;
    if (nb_session_analyze(session, nb_message_bytes(arena, &request->base), &response, &err) < 0) {
        fail_msg("%s", nb_error_message(&err));
    }
    nb_strbuf_free(&response);
}

static void
test_cache__rows_of_the_query(void **state)
{
    Sc__Relation *rel =
        plan_observed(arena, plan_sql(arena, "select id from range(9)"), "count(*)");

    (void)state;
    persist(rel, 1);
    assert_int_equal(run(plan_of_relation(arena, rel)), 9);
    assert_int_equal(run(plan_of_relation(arena, rel)), 9);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cache__rows_of_the_query)};

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
