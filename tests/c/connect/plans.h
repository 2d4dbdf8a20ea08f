/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plans.h: whole queries as bytes of spark.connect.Plan, for tests of a session.
 *
 * Messages live in the arena. Options and params are pairs "name", "value", ended by NULL.
 */
#ifndef NB_TESTS_PLANS_H
#define NB_TESTS_PLANS_H

#include "connect/query.h"

Sc__Relation *plan_sql(nb_arena *arena, const char *text);
Sc__Relation *plan_read(nb_arena *arena, const char *format, const char *path, const char *schema,
                        const char *const *options);
/* VectorAssembler of columns (ended by NULL) into `features`. */
Sc__Relation *plan_assemble(nb_arena *arena, Sc__Relation *input, const char *const *columns);

/* By its first column. */
Sc__Relation *plan_transposed(nb_arena *arena, Sc__Relation *input);
/* df.observe() under the name `seen`. */
Sc__Relation *plan_observed(nb_arena *arena, Sc__Relation *input, const char *metric);

nb_str plan_of_relation(nb_arena *arena, Sc__Relation *rel);
nb_str plan_of_view(nb_arena *arena, const char *name, Sc__Relation *rel);
nb_str plan_of_write(nb_arena *arena, Sc__Relation *rel, const char *format, const char *path,
                     int mode, const char *partition_by);
/* Integer params. */
nb_str
plan_of_fit(nb_arena *arena, const char *estimator, Sc__Relation *rel, const char *const *params);

#endif
