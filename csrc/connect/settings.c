/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings.c: ConfigRequest: spark.conf from a client.
 */
#include <stdio.h>
#include "connect/requests.h"
#include "expr/zone.h"
#include "plan/message_unpack.h"

typedef struct answer {
    nb_arena *arena;
    Sc__ConfigResponse *response;
    size_t cap;
} answer;

static nb_status
add_pair(answer *a, nb_str key, bool has_value, nb_str value)
{
    Sc__KeyValue *kv = NB_MESSAGE(a->arena, Sc__KeyValue, sc__key_value);

    if (!kv) {
        return NB_NOMEM;
    }
    if (a->response->n_pairs == a->cap) {
        size_t cap = a->cap ? a->cap * 2 : 16;
        Sc__KeyValue **pairs = NB_ARENA_ARRAY(a->arena, Sc__KeyValue *, cap);
        if (!pairs) {
            return NB_NOMEM;
        }
        if (a->cap) {
            memcpy(pairs, a->response->pairs, sizeof *pairs * a->response->n_pairs);
        }
        a->response->pairs = pairs;
        a->cap = cap;
    }
    kv->has_key = true;
    kv->key = nb_pb_bytes(nb_arena_str(a->arena, key));
    kv->has_value = has_value;
    if (has_value) {
        kv->value = nb_pb_bytes(nb_arena_str(a->arena, value));
    }
    if (kv->key.data == NULL || (has_value && kv->value.data == NULL)) {
        return NB_NOMEM;
    }
    a->response->pairs[a->response->n_pairs++] = kv;
    return NB_OK;
}

static nb_str
text(ProtobufCBinaryData b)
{
    return (nb_str){b.data ? (const char *)b.data : "", b.len};
}

static nb_status
not_found(nb_arena *arena, nb_str key, nb_error *err)
{
    return nb_raise(err, NB_COND_SQL_CONF_NOT_FOUND, "sqlConf",
                    nb_arena_printf(arena, "\"%.*s\"", (int)key.len, key.data), NULL);
}

/* As nb_config_get; the time zone that nobody set is the system's. */
static bool
look_up(nb_session *s, nb_arena *arena, nb_str key, nb_str *value)
{
    if (nb_config_get(s->config, key, value)) {
        return true;
    }
    if (nb_str_equal(key, NB_STR("spark.sql.session.timeZone"))) {
        *value = nb_system_zone(arena);
        return true;
    }
    return false;
}

nb_status
nb_setting_check(nb_str key, nb_str value, nb_error *err)
{
    const nb_zone *zone;
    nb_error ignored = NB_ERROR_INIT;
    nb_strbuf text = {0};
    nb_status st;

    if (!nb_str_equal(key, NB_STR("spark.sql.session.timeZone"))) {
        return NB_OK;
    }
    st = nb_zone_find(value, &zone, &ignored);
    nb_error_clear(&ignored);
    if (st == NB_ERROR) {
        nb_strbuf_add(&text, value);
        nb_raise(err, NB_COND_INVALID_CONF_VALUE_TIME_ZONE, "confName",
                 "spark.sql.session.timeZone", "confValue", text.data ? text.data : "", NULL);
    }
    nb_strbuf_free(&text);
    return st;
}

/* Under the session's lock. */
static nb_status
handle(nb_session *s, const Sc__ConfigRequest__Operation *op, answer *a, nb_error *err)
{
    nb_str value;

    switch (op->op_type_case) {
    case SC__CONFIG_REQUEST__OPERATION__OP_TYPE_SET:
        for (size_t i = 0; i < op->set->n_pairs; i++) {
            nb_str key = text(op->set->pairs[i]->key);

            value = text(op->set->pairs[i]->value);
            NB_TRY(nb_setting_check(key, value, err));
            NB_TRY(nb_config_set_runtime(s->config, key, value, err));
        }
        return NB_OK;
    case SC__CONFIG_REQUEST__OPERATION__OP_TYPE_GET:
        for (size_t i = 0; i < op->get->n_keys; i++) {
            nb_str key = text(op->get->keys[i]);
            if (!look_up(s, a->arena, key, &value)) {
                return not_found(a->arena, key, err);
            }
            NB_TRY(add_pair(a, key, true, value));
        }
        return NB_OK;
    case SC__CONFIG_REQUEST__OPERATION__OP_TYPE_GET_WITH_DEFAULT:
        for (size_t i = 0; i < op->get_with_default->n_pairs; i++) {
            const Sc__KeyValue *kv = op->get_with_default->pairs[i];
            bool found = look_up(s, a->arena, text(kv->key), &value);
            NB_TRY(add_pair(a, text(kv->key), found || kv->has_value,
                            found ? value : text(kv->value)));
        }
        return NB_OK;
    case SC__CONFIG_REQUEST__OPERATION__OP_TYPE_GET_OPTION:
        for (size_t i = 0; i < op->get_option->n_keys; i++) {
            nb_str key = text(op->get_option->keys[i]);
            bool found = look_up(s, a->arena, key, &value);
            NB_TRY(add_pair(a, key, found, found ? value : (nb_str){"", 0}));
        }
        return NB_OK;
    case SC__CONFIG_REQUEST__OPERATION__OP_TYPE_GET_ALL: {
        nb_str key, prefix = text(op->get_all->prefix);
        for (int i = 0; nb_config_at(s->config, i, &key, &value); i++) {
            if (nb_str_starts_with(key, prefix)) {
                NB_TRY(add_pair(a, (nb_str){key.data + prefix.len, key.len - prefix.len}, true,
                                value));
            }
        }
        return NB_OK;
    }
    case SC__CONFIG_REQUEST__OPERATION__OP_TYPE_UNSET:
        for (size_t i = 0; i < op->unset->n_keys; i++) {
            NB_TRY(nb_config_unset_runtime(s->config, text(op->unset->keys[i]), err));
        }
        return NB_OK;
    case SC__CONFIG_REQUEST__OPERATION__OP_TYPE_IS_MODIFIABLE:
        for (size_t i = 0; i < op->is_modifiable->n_keys; i++) {
            nb_str key = text(op->is_modifiable->keys[i]);
            NB_TRY(add_pair(a, key, true,
                            nb_config_is_modifiable(key) ? NB_STR("true") : NB_STR("false")));
        }
        return NB_OK;
    default:
        return nb_raise(err, NB_COND_INVALID_PLAN, "message", "an unknown configuration request",
                        NULL);
    }
}

static bool
names_application(const Sc__ConfigRequest__Operation *op)
{
    bool is_set = op->op_type_case == SC__CONFIG_REQUEST__OPERATION__OP_TYPE_SET, named = false;

    for (size_t i = 0; is_set && i < op->set->n_pairs; i++) {
        named |= nb_str_equal(text(op->set->pairs[i]->key), NB_STR("spark.app.name"));
    }
    return named;
}

nb_status
nb_session_config(nb_session *s, nb_str request, nb_strbuf *response, nb_error *err)
{
    nb_arena *arena = nb_arena_new(NULL);
    answer a = {.arena = arena};
    ProtobufCMessage *m;
    nb_status st = NB_NOMEM;
    nb_str packed;

    if (!arena) {
        return nb_status_explain(st, err);
    }
    NB_TRY_GOTO(st,
                nb_message_unpack(arena, &sc__config_request__descriptor, request.data, request.len,
                                  &m, err),
                done);
    a.response = NB_MESSAGE(arena, Sc__ConfigResponse, sc__config_response);
    if (!a.response) {
        st = NB_NOMEM;
        goto done;
    }
    if (!((const Sc__ConfigRequest *)m)->operation) {
        st = nb_raise(err, NB_COND_INVALID_PLAN, "message",
                      "a configuration request without operation", NULL);
        goto done;
    }
    pthread_mutex_lock(&s->lock);
    st = handle(s, ((const Sc__ConfigRequest *)m)->operation, &a, err);
    if (names_application(((const Sc__ConfigRequest *)m)->operation)) {
        nb_monitor_configured(s->monitor, s->config);
    }
    pthread_mutex_unlock(&s->lock);
    if (st >= 0) {
        a.response->has_session_id = true;
        a.response->session_id = ((const Sc__ConfigRequest *)m)->session_id;
        a.response->has_server_side_session_id = true;
        a.response->server_side_session_id = nb_pb_bytes(nb_str_of(s->id));
        packed = nb_message_bytes(arena, &a.response->base);
        nb_strbuf_add(response, packed);
        st = packed.data && !response->failed ? NB_OK : NB_NOMEM;
    }
done:
    nb_arena_free(arena);
    return nb_status_explain(st, err);
}
