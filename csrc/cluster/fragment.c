/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fragment.c: the frame of fragments: types, texts, literals, the session's settings. See fragment.h.
 */
#include "cluster/fragment_internal.h"

#include "expr/zone.h"
#include "plan/message_unpack.h"
#include "plan/type_proto.h"

nb_status
nb_fragment_bad(nb_error *err, const char *what)
{
    return nb_raise(err, NB_COND_CONNECT_INVALID_PLAN_CANNOT_PARSE, "errorMsg", what, NULL);
}

nb_status
nb_pointers_add(nb_arena *arena, nb_pointers *list, void *item)
{
    if (list->n == list->cap) {
        size_t cap = list->cap ? 2 * list->cap : 16;
        void **grown = NB_ARENA_ARRAY(arena, void *, cap);

        if (grown == NULL) {
            return NB_NOMEM;
        }
        if (list->n > 0) {
            memcpy(grown, list->items, list->n * sizeof(*grown));
        }
        list->items = grown;
        list->cap = cap;
    }
    list->items[list->n++] = item;
    return NB_OK;
}

void *
nb_wire_new(nb_arena *arena, const ProtobufCMessageDescriptor *descriptor)
{
    ProtobufCMessage *m = nb_arena_zalloc(arena, descriptor->sizeof_message);

    if (m != NULL) {
        m->descriptor = descriptor;
    }
    return m;
}

nb_status
nb_fragment_type_id(nb_fragment_writer *w, const nb_type *type, uint32_t *out)
{
    size_t i = 0;

    while (i < w->types.n && w->types.items[i] != type) {
        i++;
    }
    *out = (uint32_t)i;
    return i < w->types.n ? NB_OK : nb_pointers_add(w->arena, &w->types, (void *)(uintptr_t)type);
}

nb_status
nb_fragment_type_at(nb_fragment_reader *r, uint32_t id, const nb_type **out, nb_error *err)
{
    if (id >= r->m->n_types) {
        return nb_fragment_bad(err, "a type is missing");
    }
    *out = r->types[id];
    return NB_OK;
}

/* ---- writing --------------------------------------------------------------------------------- */

static nb_status
write_session(nb_arena *arena, const nb_session_info *info, Nbc__Fragment *m)
{
    Nbc__SessionInfo *s = NB_WIRE_NEW(arena, Nbc__SessionInfo, nbc__session_info);
    nb_str key, value;
    int n = 0;

    if (s == NULL) {
        return NB_NOMEM;
    }
    NB_WIRE_SET(s, ansi, info->ansi);
    NB_WIRE_SET(s, time_zone, nb_wire_bytes(info->time_zone));
    NB_WIRE_SET(s, query_start_us, info->query_start_us);
    NB_WIRE_SET(s, user, nb_wire_bytes(info->user));
    NB_WIRE_SET(s, catalog, nb_wire_bytes(info->catalog));
    NB_WIRE_SET(s, database, nb_wire_bytes(info->database));
    NB_WIRE_SET(s, version, nb_wire_bytes(info->version));
    while (info->config != NULL && nb_config_at(info->config, n, &key, &value)) {
        n++;
    }
    s->conf = NB_ARENA_ARRAY(arena, Nbc__Pair *, n + 1);
    if (s->conf == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n && nb_config_at(info->config, i, &key, &value); i++) {
        Nbc__Pair *p = NB_WIRE_NEW(arena, Nbc__Pair, nbc__pair);

        if (p == NULL) {
            return NB_NOMEM;
        }
        NB_WIRE_SET(p, key, nb_wire_bytes(key));
        NB_WIRE_SET(p, value, nb_wire_bytes(value));
        s->conf[s->n_conf++] = p;
    }
    m->session = s;
    return NB_OK;
}

static nb_status
write_types(nb_fragment_writer *w, Nbc__Fragment *m)
{
    m->types = NB_ARENA_ARRAY(w->arena, ProtobufCBinaryData, w->types.n + 1);
    if (m->types == NULL) {
        return NB_NOMEM;
    }
    for (size_t i = 0; i < w->types.n; i++) {
        nb_str bytes = nb_type_to_bytes(w->arena, w->types.items[i]);

        if (bytes.data == NULL) {
            return NB_NOMEM;
        }
        m->types[m->n_types++] = nb_wire_bytes(bytes);
    }
    return NB_OK;
}

static nb_status
write_literals(nb_fragment_writer *w, Nbc__Fragment *m, nb_error *err)
{
    m->literals = NB_ARENA_ARRAY(w->arena, Nbc__Literals *, w->builders.n + 1);
    if (m->literals == NULL) {
        return NB_NOMEM;
    }
    for (size_t i = 0; i < w->builders.n; i++) {
        const nb_type *type = w->literal_types.items[i], *schema;
        nb_field field = {.name = NB_STR("v"), .type = type, .nullable = true};
        Nbc__Literals *group = NB_WIRE_NEW(w->arena, Nbc__Literals, nbc__literals);
        nb_strbuf bytes = {0};
        nb_chunk *chunk;
        nb_status st;
        nb_str kept;

        schema = nb_type_struct(&field, 1);
        if (group == NULL || schema == NULL) {
            return NB_NOMEM;
        }
        NB_TRY(nb_chunk_builder_finish(w->builders.items[i], &chunk));
        st = nb_wire_block_write(w->pool, schema, chunk, false, &bytes, err);
        nb_chunk_free(chunk);
        kept = st < 0 ? (nb_str){NULL, 0} : nb_arena_str(w->arena, nb_strbuf_str(&bytes));
        nb_strbuf_free(&bytes);
        NB_TRY(st);
        if (kept.data == NULL) {
            return NB_NOMEM;
        }
        group->has_type = 1;
        NB_TRY(nb_fragment_type_id(w, type, &group->type));
        NB_WIRE_SET(group, block, nb_wire_bytes(kept));
        m->literals[m->n_literals++] = group;
    }
    return NB_OK;
}

static nb_status
write_all(nb_fragment_writer *w, const nb_node *root, const nb_session_info *info, nb_str *out,
          nb_error *err)
{
    Nbc__Fragment *m = NB_WIRE_NEW(w->arena, Nbc__Fragment, nbc__fragment);
    uint32_t at;
    uint8_t *bytes;
    size_t n;

    if (m == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_fragment_write_node(w, root, &at, err));
    NB_TRY(write_literals(w, m, err));
    NB_TRY(write_types(w, m));
    NB_TRY(write_session(w->arena, info, m));
    m->texts = NB_ARENA_ARRAY(w->arena, ProtobufCBinaryData, w->texts.n + 1);
    if (m->texts == NULL) {
        return NB_NOMEM;
    }
    for (size_t i = 0; i < w->texts.n; i++) {
        m->texts[m->n_texts++] =
            nb_wire_bytes((nb_str){w->texts.items[i], (size_t)(uintptr_t)w->text_sizes.items[i]});
    }
    m->origins = (Nbc__Origin **)w->origin_messages.items;
    m->n_origins = w->origin_messages.n;
    m->exprs = (Nbc__Expr **)w->exprs.items;
    m->n_exprs = w->exprs.n;
    m->nodes = (Nbc__Node **)w->nodes.items;
    m->n_nodes = w->nodes.n;
    n = protobuf_c_message_get_packed_size(&m->base);
    bytes = nb_arena_alloc(w->arena, n + 1);
    if (bytes == NULL) {
        return NB_NOMEM;
    }
    protobuf_c_message_pack(&m->base, bytes);
    *out = (nb_str){(const char *)bytes, n};
    return NB_OK;
}

nb_status
nb_fragment_write(nb_arena *arena, const nb_node *root, const nb_session_info *info, nb_str *out,
                  nb_error *err)
{
    nb_fragment_writer w = {.arena = arena, .pool = nb_pool_new(NULL, "fragment", 0)};
    nb_status st;

    if (w.pool == NULL) {
        return NB_NOMEM;
    }
    st = write_all(&w, root, info, out, err);
    for (size_t i = 0; i < w.builders.n; i++) {
        nb_chunk_builder_free(w.builders.items[i]);
    }
    nb_pool_free(w.pool);
    return st;
}

/* ---- reading --------------------------------------------------------------------------------- */

static nb_status
read_session(nb_fragment_reader *r, nb_error *err)
{
    const Nbc__SessionInfo *s = r->m->session;
    nb_session_info *info = &r->out->info;
    nb_config *config = r->out->config;

    if (s == NULL) {
        return nb_fragment_bad(err, "the session of a fragment is missing");
    }
    for (size_t i = 0; i < s->n_conf; i++) {
        nb_str key = nb_arena_str(r->arena, nb_wire_text(s->conf[i]->key));
        nb_str value = nb_arena_str(r->arena, nb_wire_text(s->conf[i]->value));

        if (key.data == NULL || value.data == NULL) {
            return NB_NOMEM;
        }
        NB_TRY(nb_config_set(config, key, value, err));
    }
    info->ansi = s->ansi;
    info->config = config;
    info->query_start_us = s->query_start_us;
    info->time_zone = nb_arena_str(r->arena, nb_wire_text(s->time_zone));
    info->user = nb_arena_str(r->arena, nb_wire_text(s->user));
    info->catalog = nb_arena_str(r->arena, nb_wire_text(s->catalog));
    info->database = nb_arena_str(r->arena, nb_wire_text(s->database));
    info->version = nb_arena_str(r->arena, nb_wire_text(s->version));
    if (info->time_zone.data == NULL || info->user.data == NULL || info->catalog.data == NULL ||
        info->database.data == NULL || info->version.data == NULL) {
        return NB_NOMEM;
    }
    return nb_zone_find(info->time_zone, &info->zone, err);
}

static nb_status
read_origins(nb_fragment_reader *r, nb_error *err)
{
    for (size_t i = 0; i < r->m->n_origins; i++) {
        const Nbc__Origin *m = r->m->origins[i];
        nb_origin *o = &r->origins[i];

        if (m->text > r->m->n_texts) {
            return nb_fragment_bad(err, "the text of a query is missing");
        }
        o->sql_text = m->text > 0 ? nb_wire_text(r->m->texts[m->text - 1]) : NB_STR("");
        o->start = m->start;
        o->stop = m->stop;
        o->line = m->line;
        o->position = m->position;
        o->fragment = nb_wire_text(m->fragment);
        o->call_site = nb_wire_text(m->call_site);
    }
    return NB_OK;
}

static nb_status
read_all(nb_fragment_reader *r, nb_str bytes, nb_error *err)
{
    ProtobufCMessage *m;
    size_t n_relations = 0;

    NB_TRY(nb_message_unpack(r->arena, &nbc__fragment__descriptor, bytes.data, bytes.len, &m, err));
    r->m = (const Nbc__Fragment *)m;
    if (r->m->n_nodes == 0 || r->m->n_nodes > INT32_MAX || r->m->n_exprs > INT32_MAX) {
        return nb_fragment_bad(err, "a fragment without nodes");
    }
    r->types = NB_ARENA_ARRAY(r->arena, const nb_type *, r->m->n_types + 1);
    r->origins = nb_arena_zalloc(r->arena, (r->m->n_origins + 1) * sizeof(nb_origin));
    r->literals = nb_arena_zalloc(r->arena, (r->m->n_literals + 1) * sizeof(nb_table *));
    r->exprs = NB_ARENA_ARRAY(r->arena, nb_expr *, r->m->n_exprs + 1);
    r->nodes = NB_ARENA_ARRAY(r->arena, nb_node *, r->m->n_nodes + 1);
    for (size_t i = 0; i < r->m->n_nodes; i++) {
        n_relations += r->m->nodes[i]->kind == NB_NODE_SCAN;
    }
    r->out->relations = NB_ARENA_ARRAY(r->arena, nb_relation *, n_relations + 1);
    if (r->types == NULL || r->origins == NULL || r->literals == NULL || r->exprs == NULL ||
        r->nodes == NULL || r->out->relations == NULL) {
        return NB_NOMEM;
    }
    for (size_t i = 0; i < r->m->n_types; i++) {
        NB_TRY(nb_type_from_bytes(r->arena, nb_wire_text(r->m->types[i]), &r->types[i], err));
    }
    NB_TRY(read_session(r, err));
    NB_TRY(read_origins(r, err));
    for (size_t i = 0; i < r->m->n_exprs; i++) {
        NB_TRY(nb_fragment_read_expr(r, i, err));
    }
    for (size_t i = 0; i < r->m->n_nodes; i++) {
        NB_TRY(nb_fragment_read_node(r, i, err));
    }
    r->out->root = r->nodes[r->m->n_nodes - 1];
    return NB_OK;
}

nb_status
nb_fragment_read(nb_pool *pool, nb_str bytes, nb_fragment **out, nb_error *err)
{
    nb_arena *arena = nb_arena_new(pool);
    nb_fragment *f = arena ? NB_ARENA_NEW(arena, nb_fragment) : NULL;
    nb_fragment_reader r = {.arena = arena, .pool = pool, .out = f};
    nb_status st = NB_NOMEM;

    if (f != NULL) {
        f->arena = arena;
        f->config = nb_config_new();
        st = f->config ? read_all(&r, bytes, err) : NB_NOMEM;
    }
    for (size_t i = 0; r.literals != NULL && i < r.m->n_literals; i++) {
        nb_table_release(r.literals[i]);
    }
    if (st < 0) {
        if (f != NULL) {
            nb_fragment_free(f);
        } else {
            nb_arena_free(arena);
        }
        return st;
    }
    *out = f;
    return NB_OK;
}

void
nb_fragment_free(nb_fragment *f)
{
    if (f != NULL) {
        for (int i = 0; i < f->n_relations; i++) {
            nb_relation_release(f->relations[i]);
        }
        nb_config_free(f->config);
        nb_arena_free(f->arena);
    }
}
