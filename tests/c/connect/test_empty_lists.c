/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_empty_lists.c: a list without elements has no address in a message: functions without arguments, arrays of no numbers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connect/fixture.h"
#include "connect/plans.h"

static void
assert_rows(Sc__Relation *rel, int64_t n_rows)
{
    nb_error err = NB_ERROR_INIT;
    nb_result *result = NULL;

    if (nb_session_execute(session, plan_of_relation(arena, rel), NULL, NULL, &result, &err) < 0) {
        fail_msg("%s", nb_error_message(&err));
    }
    assert_int_equal(result->table->n_rows, n_rows);
    nb_result_free(result);
}

static void
test_empty_lists__no_arguments(void **state)
{
    (void)state;
    assert_rows(plan_sql(arena, "select mode() within group (order by id) from range(3)"), 1);
}

static void
test_empty_lists__no_numbers(void **state)
{
    typedef Sc__Expression__Literal__SpecializedArray array;
    Sc__Relation *rel = NB_MESSAGE(arena, Sc__Relation, sc__relation);

    (void)state;
    rel->rel_type_case = SC__RELATION__REL_TYPE_PROJECT;
    rel->project = NB_MESSAGE(arena, Sc__Project, sc__project);
    rel->project->input = plan_sql(arena, "select 1");
    rel->project->n_expressions = 4;
    rel->project->expressions = NB_ARENA_ARRAY(arena, Sc__Expression *, 4);
    for (int i = 0; i < 4; i++) {
        Sc__Expression *e = NB_MESSAGE(arena, Sc__Expression, sc__expression);
        Sc__Expression__Literal *literal =
            NB_MESSAGE(arena, Sc__Expression__Literal, sc__expression__literal);
        array *none = NB_MESSAGE(arena, array, sc__expression__literal__specialized_array);

        none->value_type_case =
            ((int[]){SC__EXPRESSION__LITERAL__SPECIALIZED_ARRAY__VALUE_TYPE_INTS,
                     SC__EXPRESSION__LITERAL__SPECIALIZED_ARRAY__VALUE_TYPE_LONGS,
                     SC__EXPRESSION__LITERAL__SPECIALIZED_ARRAY__VALUE_TYPE_FLOATS,
                     SC__EXPRESSION__LITERAL__SPECIALIZED_ARRAY__VALUE_TYPE_DOUBLES})[i];
        none->ints = i == 0 ? NB_MESSAGE(arena, Sc__Ints, sc__ints) : none->ints;
        none->longs = i == 1 ? NB_MESSAGE(arena, Sc__Longs, sc__longs) : none->longs;
        none->floats = i == 2 ? NB_MESSAGE(arena, Sc__Floats, sc__floats) : none->floats;
        none->doubles = i == 3 ? NB_MESSAGE(arena, Sc__Doubles, sc__doubles) : none->doubles;
        literal->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_SPECIALIZED_ARRAY;
        literal->specialized_array = none;
        e->expr_type_case = SC__EXPRESSION__EXPR_TYPE_LITERAL;
        e->literal = literal;
        rel->project->expressions[i] = e;
    }
    assert_rows(rel, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_lists__no_arguments),
        cmocka_unit_test(test_empty_lists__no_numbers),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
