/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema_cache.c: see schema_cache.h.
 *
 * A place holds 128 bits of hash and a type, which lives for ever (column/type.h interns it), so that nothing is owned. Places are taken in turn.
 */
#include "io/schema_cache.h"

#include <pthread.h>
#include "base/clock.h"
#include "base/config.h"
#include "base/hash.h"

#define N_PLACES 256
/* Longer than a file system's clock takes for a step. */
#define SETTLED_MS 2000

typedef struct place {
    nb_schema_key key;
    const nb_type *schema;
} place;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the places */
static place places[N_PLACES];
static int next_place;

static void
add(nb_strbuf *b, nb_str s)
{
    nb_strbuf_addf(b, "%zu:", s.len);
    nb_strbuf_add(b, s);
}

nb_status
nb_schema_key_of(const nb_relation *rel, const nb_session_info *info, nb_schema_key *out)
{
    const nb_config *config = info ? info->config : NULL;
    int64_t now = nb_clock_us() / 1000;
    nb_strbuf b = {0};
    nb_str key, value;
    nb_status st = NB_OK;

    *out = (nb_schema_key){{0, 0}};
    if (rel->kept_fd > 0) {
        return NB_OK; /* a file without a name */
    }
    for (int i = 0; i < rel->files.n_files; i++) {
        if (rel->files.files[i].modified_ms > now - SETTLED_MS) {
            return NB_OK;
        }
    }
    nb_strbuf_adds(&b, rel->format->title);
    for (int i = 0; i < rel->n_options; i++) {
        add(&b, rel->options[i].key);
        add(&b, rel->options[i].value);
    }
    if (info) {
        nb_strbuf_addf(&b, "|%d", info->ansi);
        add(&b, info->time_zone);
    }
    for (int i = 0; config && nb_config_at(config, i, &key, &value); i++) {
        add(&b, key);
        add(&b, value);
    }
    for (int i = 0; i < rel->files.n_files; i++) {
        const nb_file_entry *f = &rel->files.files[i];
        add(&b, f->path);
        nb_strbuf_addf(&b, "|%lld|%lld", (long long)f->n_bytes, (long long)f->modified_ms);
    }
    nb_strbuf_addc(&b, '.');
    if (b.failed) {
        st = NB_NOMEM;
    } else {
        out->hash[0] = nb_hash_bytes(b.data, b.len);
        b.data[b.len - 1] = '!';
        out->hash[1] = nb_hash_bytes(b.data, b.len);
    }
    nb_strbuf_free(&b);
    return st;
}

static bool
is_same(const nb_schema_key *a, const nb_schema_key *b)
{
    return a->hash[0] == b->hash[0] && a->hash[1] == b->hash[1];
}

static bool
is_none(const nb_schema_key *key)
{
    return (key->hash[0] | key->hash[1]) == 0;
}

const nb_type *
nb_schema_cache_find(const nb_schema_key *key)
{
    const nb_type *found = NULL;

    if (is_none(key)) {
        return NULL;
    }
    pthread_mutex_lock(&lock);
    for (int i = 0; i < N_PLACES && found == NULL; i++) {
        found = is_same(&places[i].key, key) ? places[i].schema : NULL;
    }
    pthread_mutex_unlock(&lock);
    return found;
}

void
nb_schema_cache_put(const nb_schema_key *key, const nb_type *schema)
{
    if (is_none(key) || schema == NULL) {
        return;
    }
    pthread_mutex_lock(&lock);
    places[next_place] = (place){*key, schema};
    next_place = (next_place + 1) % N_PLACES;
    pthread_mutex_unlock(&lock);
}
