/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_numbers.c: a relation that adds nothing to a plan, as a hint that is only advice, still answers to its own number: df.hint("rebase")["id"].
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connect/fixture.h"
#include "connect/plans.h"

static Sc__Relation *
relation(int64_t number, Sc__Relation__RelTypeCase kind)
{
    Sc__Relation *rel = NB_MESSAGE(arena, Sc__Relation, sc__relation);

    rel->common = NB_MESSAGE(arena, Sc__RelationCommon, sc__relation_common);
    rel->common->has_plan_id = true;
    rel->common->plan_id = number;
    rel->rel_type_case = kind;
    return rel;
}

/* Its id, by the number of the relation that it comes from. */
static Sc__Expression *
id_of(int64_t number)
{
    Sc__Expression *e = NB_MESSAGE(arena, Sc__Expression, sc__expression);
    Sc__Expression__UnresolvedAttribute *a = NB_MESSAGE(arena, Sc__Expression__UnresolvedAttribute,
                                                        sc__expression__unresolved_attribute);

    a->has_unparsed_identifier = true;
    a->unparsed_identifier = nb_pb_bytes(NB_STR("id"));
    a->has_plan_id = true;
    a->plan_id = number;
    e->expr_type_case = SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_ATTRIBUTE;
    e->unresolved_attribute = a;
    return e;
}

static void
test_numbers__of_a_hint(void **state)
{
    Sc__Relation *range = relation(1, SC__RELATION__REL_TYPE_RANGE);
    Sc__Relation *hint = relation(2, SC__RELATION__REL_TYPE_HINT);

    (void)state;
    range->range = NB_MESSAGE(arena, Sc__Range, sc__range);
    range->range->has_end = range->range->has_step = true;
    range->range->end = 9;
    range->range->step = 1;
    hint->hint = NB_MESSAGE(arena, Sc__Hint, sc__hint);
    hint->hint->input = range;
    hint->hint->has_name = true;
    hint->hint->name = nb_pb_bytes(NB_STR("rebase"));
    for (int64_t number = 1; number <= 2; number++) {
        Sc__Relation *ids = relation(2 + number, SC__RELATION__REL_TYPE_PROJECT);
        nb_error err = NB_ERROR_INIT;
        nb_result *result = NULL;

        ids->project = NB_MESSAGE(arena, Sc__Project, sc__project);
        ids->project->input = hint;
        ids->project->n_expressions = 1;
        ids->project->expressions = NB_ARENA_NEW(arena, Sc__Expression *);
        ids->project->expressions[0] = id_of(number);
        if (nb_session_execute(session, plan_of_relation(arena, ids), NULL, NULL, &result, &err) <
            0) {
            fail_msg("%s", nb_error_message(&err));
        }
        assert_int_equal(result->table->n_rows, 9);
        nb_result_free(result);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_numbers__of_a_hint)};

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
