/* SPDX-License-Identifier: Apache-2.0 */
/*
 * type_json.h: Spark's JSON form of data types ({"type":"struct","fields":[...]}), as DataType.json() gives it.
 */
#ifndef NB_PLAN_TYPE_JSON_H
#define NB_PLAN_TYPE_JSON_H

#include "base/arena.h"
#include "column/type.h"

/* Raises INVALID_JSON_DATA_TYPE for anything that is not such a type. Names are copied into the type. */
nb_status nb_type_from_json(nb_arena *arena, nb_str text, const nb_type **out, nb_error *err);

#endif
