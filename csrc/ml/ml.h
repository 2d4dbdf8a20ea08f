/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ml.h: the machine learning of a session: its models, the commands that make and ask them, and the relations that they transform.
 *
 *   MlCommand   fit → a model is kept under a name; fetch, evaluate → a value; write, read, delete …
 *   MlRelation  becomes a projection (and a filter) over its input: transformers are scalar calls (kernels.h) that stream
 *
 * Thread-safe: models are immutable once kept, and looked at under a lock; what a plan needs of one is copied into the query's arena.
 */
#ifndef NB_ML_ML_H
#define NB_ML_ML_H

#include "plan/analyzer.h"
#include "spark/connect/ml.pb-c.h"

typedef struct nb_ml nb_ml;

/* Models are charged to the pool, which is borrowed. */
nb_status nb_ml_new(nb_pool *pool, nb_ml **out);
void nb_ml_free(nb_ml *ml); /* NULL is fine */

/* The answer is in the analyzer's arena. The analyzer's `run` gives the rows that are needed. */
nb_status nb_ml_command(nb_ml *ml, nb_analyzer *an, const Sc__MlCommand *command,
                        Sc__MlCommandResult **out, nb_error *err);

/* An nb_relation_hook; payload is the nb_ml. */
nb_status
nb_ml_resolve(void *ml, nb_analyzer *an, const Sc__Relation *rel, nb_plan **out, nb_error *err);

#endif
