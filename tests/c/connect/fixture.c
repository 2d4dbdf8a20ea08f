/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fixture.c: see fixture.h.
 */
#include "connect/fixture.h"

nb_session *session;
nb_arena *arena;

int
fixture_setup(void **state)
{
    nb_conf_pair conf[] = {{NB_STR("spark.master"), NB_STR("local[2]")}};
    nb_error err = NB_ERROR_INIT;

    (void)state;
    arena = nb_arena_new(NULL);
    return nb_session_new(conf, 1, &session, &err);
}

int
fixture_teardown(void **state)
{
    (void)state;
    nb_session_free(session);
    nb_arena_free(arena);
    return 0;
}
