/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fixture.h: a session of two threads and an arena, for a group of tests.
 */
#ifndef NB_TESTS_FIXTURE_H
#define NB_TESTS_FIXTURE_H

#include "connect/query.h"

extern nb_session *session;
extern nb_arena *arena;

/* For cmocka_run_group_tests. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

#endif
