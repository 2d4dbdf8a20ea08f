/* SPDX-License-Identifier: Apache-2.0 */
/*
 * failure.c: see failure.h.
 */
#include "cluster/failure.h"

#include "cluster/fragment_internal.h"

static ProtobufCBinaryData
text_of(const char *s)
{
    return nb_wire_bytes(nb_str_of(s ? s : ""));
}

Nbc__Failure *
nb_failure_write(nb_arena *arena, nb_status st, const nb_error *err)
{
    Nbc__Failure *m = NB_WIRE_NEW(arena, Nbc__Failure, nbc__failure);
    const nb_query_context *c = err->context;

    if (m == NULL) {
        return NULL;
    }
    NB_WIRE_SET(m, condition,
                text_of(err->set         ? nb_condition_get(err->condition)->name
                        : st == NB_NOMEM ? nb_condition_get(NB_COND_UNABLE_TO_ACQUIRE_MEMORY)->name
                                         : nb_condition_get(NB_COND_INTERNAL_ERROR)->name));
    m->parameters = NB_ARENA_ARRAY(arena, Nbc__Pair *, err->n_params + 1);
    if (m->parameters == NULL) {
        return NULL;
    }
    for (int i = 0; err->set && i < err->n_params; i++) {
        Nbc__Pair *p = NB_WIRE_NEW(arena, Nbc__Pair, nbc__pair);

        if (p == NULL) {
            return NULL;
        }
        NB_WIRE_SET(p, key, text_of(err->keys[i]));
        NB_WIRE_SET(p, value, text_of(err->values[i]));
        m->parameters[m->n_parameters++] = p;
    }
    if (err->set && c != NULL) {
        NB_WIRE_SET(m, has_place, 1);
        NB_WIRE_SET(m, is_dataframe, c->is_dataframe);
        NB_WIRE_SET(m, object_type, text_of(c->object_type));
        NB_WIRE_SET(m, object_name, text_of(c->object_name));
        NB_WIRE_SET(m, fragment, text_of(c->fragment));
        NB_WIRE_SET(m, call_site, text_of(c->call_site));
        NB_WIRE_SET(m, line, c->line);
        NB_WIRE_SET(m, position, c->position);
        NB_WIRE_SET(m, start_index, c->start_index);
        NB_WIRE_SET(m, stop_index, c->stop_index);
        NB_WIRE_SET(m, summary, text_of(c->summary));
    }
    return m;
}

static const char *
c_text(nb_arena *arena, ProtobufCBinaryData b)
{
    const char *s = nb_arena_strdup(arena, nb_wire_text(b));

    return s ? s : "";
}

nb_status
nb_failure_raise(const Nbc__Failure *m, nb_error *err)
{
    nb_condition cond = NB_COND_INTERNAL_ERROR;
    nb_arena *arena = nb_arena_new(NULL);

    if (arena == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < NB_N_CONDITIONS; i++) {
        if (nb_str_equal(nb_str_of(nb_condition_get((nb_condition)i)->name),
                         nb_wire_text(m->condition))) {
            cond = (nb_condition)i;
        }
    }
    nb_raise(err, cond, NULL);
    for (size_t i = 0; i < m->n_parameters; i++) {
        nb_error_add_context(err, c_text(arena, m->parameters[i]->key),
                             c_text(arena, m->parameters[i]->value));
    }
    if (m->has_place) {
        nb_query_context c = {
            .is_dataframe = m->is_dataframe,
            .object_type = (char *)(uintptr_t)c_text(arena, m->object_type),
            .object_name = (char *)(uintptr_t)c_text(arena, m->object_name),
            .fragment = (char *)(uintptr_t)c_text(arena, m->fragment),
            .call_site = (char *)(uintptr_t)c_text(arena, m->call_site),
            .line = m->line,
            .position = m->position,
            .start_index = m->start_index,
            .stop_index = m->stop_index,
            .summary = (char *)(uintptr_t)c_text(arena, m->summary),
        };

        nb_error_set_context(err, &c);
    }
    nb_arena_free(arena);
    return NB_ERROR;
}
