/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalog.c: see catalog.h. One lock guards the heads of the lists; nodes do not change once they are linked (except a cached
 * entry's table and dropped flag, under the lock).
 */
#include "plan/catalog.h"

#include <pthread.h>

/* Local data has memory of its own, because it may go before the session does. */
typedef struct local_entry {
    struct local_entry *next;
    nb_table *table;
    bool pinned; /* a view or a cached DataFrame names it: it stays */
    size_t len;
    char hash[];
} local_entry;

typedef struct blob_entry {
    nb_str hash;
    nb_buffer *bytes;
    struct blob_entry *next;
} blob_entry;

/* Nodes stay when their variable is dropped, for the next one of that name. */
typedef struct variable_entry {
    nb_str name;
    nb_table *value, *first; /* NULL: dropped */
    int column;
    struct variable_entry *next;
} variable_entry;

typedef struct function_entry {
    nb_str name, bytes;
    const struct function_entry *next;
} function_entry;

struct nb_catalog {
    const function_entry *functions;
    pthread_mutex_t lock;
    nb_pool *pool;
    blob_entry *blobs;
    nb_arena *arena; /* nodes, names, messages: until the session ends */
    nb_view_def *views;
    nb_table_def *tables;
    nb_database_def *databases;
    nb_str current; /* database */
    local_entry *locals;
    variable_entry *variables;
    nb_cached *cached;
    int n_cached;
};

nb_status
nb_catalog_new(nb_pool *pool, nb_catalog **out)
{
    nb_arena *arena = nb_arena_new(pool);
    nb_catalog *c = arena ? NB_ARENA_NEW(arena, nb_catalog) : NULL;

    if (!c) {
        nb_arena_free(arena);
        return NB_NOMEM;
    }
    c->pool = pool;
    c->arena = arena;
    pthread_mutex_init(&c->lock, NULL);
    c->current = NB_STR("default");
    if (nb_catalog_add_database(
            c, &(nb_database_def){.name = c->current, .comment = NB_STR("default database")}) < 0) {
        nb_catalog_free(c);
        return NB_NOMEM;
    }
    *out = c;
    return NB_OK;
}

static void
free_local(nb_catalog *c, local_entry *l)
{
    nb_table_release(l->table);
    nb_pool_dealloc(c->pool, l, sizeof *l + l->len);
}

void
nb_catalog_free(nb_catalog *c)
{
    if (!c) {
        return;
    }
    for (local_entry *l = c->locals, *next; l; l = next) {
        next = l->next;
        free_local(c, l);
    }
    for (nb_cached *k = c->cached; k; k = k->next) {
        nb_table_release(k->table);
    }
    for (blob_entry *b = c->blobs; b; b = b->next) {
        nb_buffer_release(b->bytes);
    }
    for (variable_entry *v = c->variables; v; v = v->next) {
        nb_table_release(v->value);
        nb_table_release(v->first);
    }
    pthread_mutex_destroy(&c->lock);
    nb_arena_free(c->arena);
}

const nb_view_def *
nb_catalog_views(nb_catalog *c)
{
    const nb_view_def *head;

    pthread_mutex_lock(&c->lock);
    head = c->views;
    pthread_mutex_unlock(&c->lock);
    return head;
}

static bool
same_name(nb_str a, nb_str b, bool case_sensitive)
{
    return case_sensitive ? nb_str_equal(a, b) : nb_str_equal_nocase(a, b);
}

const nb_view_def *
nb_view_find(const nb_view_def *list, nb_object_name name, nb_view_scope scope, bool case_sensitive)
{
    for (const nb_view_def *v = list; v; v = v->next) {
        if (v->scope == scope && same_name(v->name, name.name, case_sensitive) &&
            (scope != NB_VIEW_OF_DATABASE || nb_str_equal_nocase(v->database, name.database))) {
            return v->dropped ? NULL : v;
        }
    }
    return NULL;
}

/* Local data that these bytes of a plan name stays for good. Under the lock. A name that only looks like one does no harm. */
static void
pin_locals(nb_catalog *c, nb_str relation)
{
    for (local_entry *l = c->locals; l; l = l->next) {
        l->pinned |= l->len > 0 && memmem(relation.data, relation.len, l->hash, l->len) != NULL;
    }
}

static nb_status
link_view(nb_catalog *c, nb_object_name name, nb_view_scope scope, nb_str relation, bool dropped,
          const nb_view_def *like)
{
    nb_status st = NB_NOMEM;
    nb_view_def *v;

    pthread_mutex_lock(&c->lock);
    v = NB_ARENA_NEW(c->arena, nb_view_def);
    if (v) {
        v->name = nb_arena_str(c->arena, name.name);
        v->database =
            nb_arena_str(c->arena, scope == NB_VIEW_OF_DATABASE ? name.database : NB_STR(""));
        v->inside = nb_arena_str(c->arena, like ? like->inside : c->current);
        v->relation = nb_arena_str(c->arena, relation);
        v->scope = scope;
        v->dropped = dropped;
        v->next = c->views;
        v->names = like ? like->names : c->views;
        if (v->name.data && v->database.data && v->inside.data && v->relation.data) {
            c->views = v;
            pin_locals(c, v->relation);
            st = NB_OK;
        }
    }
    pthread_mutex_unlock(&c->lock);
    return st;
}

nb_status
nb_catalog_add_view(nb_catalog *c, nb_object_name name, nb_view_scope scope, nb_str relation)
{
    return link_view(c, name, scope, relation, false, NULL);
}

nb_status
nb_catalog_rename_view(nb_catalog *c, const nb_view_def *view, nb_str to)
{
    NB_TRY(link_view(c, (nb_object_name){view->database, to}, view->scope, view->relation, false,
                     view));
    return link_view(c, (nb_object_name){view->database, view->name}, view->scope, NB_STR(""), true,
                     NULL);
}

bool
nb_catalog_drop_view(nb_catalog *c, nb_object_name name, nb_view_scope scope, bool case_sensitive)
{
    if (!nb_view_find(nb_catalog_views(c), name, scope, case_sensitive)) {
        return false;
    }
    return link_view(c, name, scope, NB_STR(""), true, NULL) == NB_OK;
}

const nb_table_def *
nb_catalog_tables(nb_catalog *c)
{
    const nb_table_def *head;

    pthread_mutex_lock(&c->lock);
    head = c->tables;
    pthread_mutex_unlock(&c->lock);
    return head;
}

const nb_table_def *
nb_table_def_find(const nb_table_def *list, nb_object_name name, bool case_sensitive)
{
    for (const nb_table_def *t = list; t; t = t->next) {
        if (nb_str_equal_nocase(t->database, name.database) &&
            same_name(t->name, name.name, case_sensitive)) {
            return t->dropped ? NULL : t;
        }
    }
    return NULL;
}

static bool
copy_texts(nb_arena *arena, const nb_str *from, int n, const nb_str **out)
{
    nb_str *list = NB_ARENA_ARRAY(arena, nb_str, n + 1);

    for (int i = 0; list && i < n; i++) {
        list[i] = nb_arena_str(arena, from[i]);
        if (!list[i].data) {
            return false;
        }
    }
    *out = list;
    return list != NULL;
}

nb_status
nb_catalog_add_table(nb_catalog *c, const nb_table_def *def)
{
    nb_status st = NB_NOMEM;
    nb_table_def *t;

    pthread_mutex_lock(&c->lock);
    t = NB_ARENA_NEW(c->arena, nb_table_def);
    if (t) {
        *t = *def;
        t->name = nb_arena_str(c->arena, def->name);
        t->database = nb_arena_str(c->arena, def->database);
        t->provider = nb_arena_str(c->arena, def->provider);
        t->location = nb_arena_str(c->arena, def->location);
        t->comment = def->comment.data ? nb_arena_str(c->arena, def->comment) : def->comment;
        t->next = c->tables;
        if (t->name.data && t->database.data && t->provider.data && t->location.data &&
            copy_texts(c->arena, def->partition_by, def->n_partition_by, &t->partition_by) &&
            copy_texts(c->arena, def->options, 2 * def->n_options, &t->options) &&
            copy_texts(c->arena, def->properties, 2 * def->n_properties, &t->properties)) {
            c->tables = t;
            st = NB_OK;
        }
    }
    pthread_mutex_unlock(&c->lock);
    return st;
}

const nb_database_def *
nb_catalog_databases(nb_catalog *c)
{
    const nb_database_def *head;

    pthread_mutex_lock(&c->lock);
    head = c->databases;
    pthread_mutex_unlock(&c->lock);
    return head;
}

const nb_database_def *
nb_database_find(const nb_database_def *list, nb_str name)
{
    for (const nb_database_def *d = list; d; d = d->next) {
        if (nb_str_equal_nocase(d->name, name)) {
            return d->dropped ? NULL : d;
        }
    }
    return NULL;
}

nb_status
nb_catalog_add_database(nb_catalog *c, const nb_database_def *def)
{
    nb_status st = NB_NOMEM;
    nb_database_def *d;

    pthread_mutex_lock(&c->lock);
    d = NB_ARENA_NEW(c->arena, nb_database_def);
    if (d) {
        *d = *def;
        d->name = nb_arena_str(c->arena, def->name);
        d->comment = nb_arena_str(c->arena, def->comment);
        d->location = def->location.data ? nb_arena_str(c->arena, def->location) : def->location;
        d->next = c->databases;
        if (d->name.data && d->comment.data && (d->location.data || !def->location.data) &&
            copy_texts(c->arena, def->properties, 2 * def->n_properties, &d->properties)) {
            c->databases = d;
            st = NB_OK;
        }
    }
    pthread_mutex_unlock(&c->lock);
    return st;
}

nb_str
nb_catalog_current_database(nb_catalog *c)
{
    nb_str name;

    pthread_mutex_lock(&c->lock);
    name = c->current;
    pthread_mutex_unlock(&c->lock);
    return name;
}

nb_status
nb_catalog_use_database(nb_catalog *c, nb_str name)
{
    nb_str copy;

    pthread_mutex_lock(&c->lock);
    copy = nb_str_equal(name, c->current) ? c->current : nb_arena_str(c->arena, name);
    c->current = copy.data ? copy : c->current;
    pthread_mutex_unlock(&c->lock);
    return copy.data ? NB_OK : NB_NOMEM;
}

bool
nb_object_of_parts(const nb_str *parts, size_t n, nb_str current, nb_object_name *out)
{
    if (n == 0 || n > 3 || (n == 3 && !nb_str_equal_nocase(parts[0], NB_STR("spark_catalog")))) {
        return false;
    }
    *out = (nb_object_name){n == 1 ? current : parts[n - 2], parts[n - 1]};
    return true;
}

/* Under the lock: the link to the entry of that name, or to the end of the list. */
static local_entry **
find_local(nb_catalog *c, nb_str hash)
{
    local_entry **link = &c->locals;

    while (*link && !nb_str_equal((nb_str){(*link)->hash, (*link)->len}, hash)) {
        link = &(*link)->next;
    }
    return link;
}

nb_status
nb_catalog_add_local(nb_catalog *c, nb_str hash, nb_table *table)
{
    nb_status st = NB_OK;

    pthread_mutex_lock(&c->lock);
    if (!*find_local(c, hash)) { /* equal hash: equal data */
        local_entry *l = nb_pool_alloc(c->pool, sizeof *l + hash.len);

        st = NB_NOMEM;
        if (l) {
            *l = (local_entry){.next = c->locals, .table = nb_table_ref(table), .len = hash.len};
            memcpy(l->hash, hash.data, hash.len);
            c->locals = l;
            st = NB_OK;
        }
    }
    pthread_mutex_unlock(&c->lock);
    return st;
}

void
nb_catalog_remove_local(nb_catalog *c, nb_str hash)
{
    local_entry **link, *gone = NULL;

    pthread_mutex_lock(&c->lock);
    link = find_local(c, hash);
    if (*link && !(*link)->pinned) {
        gone = *link;
        *link = gone->next;
    }
    pthread_mutex_unlock(&c->lock);
    if (gone) {
        free_local(c, gone);
    }
}

bool
nb_catalog_has_local(nb_catalog *c, nb_str hash)
{
    bool has;

    pthread_mutex_lock(&c->lock);
    has = *find_local(c, hash) != NULL;
    pthread_mutex_unlock(&c->lock);
    return has;
}

nb_table *
nb_catalog_local(nb_catalog *c, nb_str hash)
{
    nb_table *t = NULL;
    local_entry *l;

    pthread_mutex_lock(&c->lock);
    l = *find_local(c, hash);
    if (l) {
        t = nb_table_ref(l->table);
    }
    pthread_mutex_unlock(&c->lock);
    return t;
}

nb_status
nb_catalog_add_function(nb_catalog *c, nb_str name, nb_str bytes)
{
    nb_status st = NB_NOMEM;
    function_entry *f;

    pthread_mutex_lock(&c->lock);
    f = NB_ARENA_NEW(c->arena, function_entry);
    if (f) {
        *f = (function_entry){.name = nb_arena_str(c->arena, name),
                              .bytes = nb_arena_str(c->arena, bytes),
                              .next = c->functions};
        if (f->name.data && f->bytes.data) {
            c->functions = f;
            st = NB_OK;
        }
    }
    pthread_mutex_unlock(&c->lock);
    return st;
}

nb_str
nb_catalog_function(nb_catalog *c, nb_str name, nb_str *known)
{
    nb_str bytes = {"", 0};

    pthread_mutex_lock(&c->lock);
    for (const function_entry *f = c->functions; f && bytes.len == 0; f = f->next) {
        if (nb_str_equal_nocase(f->name, name)) {
            bytes = f->bytes;
            if (known) {
                *known = f->name;
            }
        }
    }
    pthread_mutex_unlock(&c->lock);
    return bytes;
}

nb_status
nb_catalog_function_names(nb_catalog *c, nb_arena *arena, nb_str **out, int *n_out)
{
    nb_str *list = NULL;
    int n = 0, cap = 0;
    nb_status st = NB_OK;

    pthread_mutex_lock(&c->lock);
    for (const function_entry *f = c->functions; f && st == NB_OK; f = f->next) {
        list = nb_arena_grow(arena, list, n, &cap, sizeof *list);
        if (list) {
            list[n++] = f->name; /* lives as long as the catalog */
        } else {
            st = NB_NOMEM;
        }
    }
    pthread_mutex_unlock(&c->lock);
    *out = list;
    *n_out = n;
    return st;
}

/* Those that nothing hides. */
static nb_status
copy_functions(nb_catalog *to, const function_entry *list)
{
    for (const function_entry *f = list; f; f = f->next) {
        if (nb_catalog_function(to, f->name, NULL).len == 0) {
            NB_TRY(nb_catalog_add_function(to, f->name, f->bytes));
        }
    }
    return NB_OK;
}

nb_status
nb_catalog_add_blob(nb_catalog *c, nb_str hash, nb_buffer *bytes)
{
    nb_status st = NB_NOMEM;
    blob_entry *b;

    if (nb_catalog_blob(c, hash)) {
        return NB_OK;
    }
    pthread_mutex_lock(&c->lock);
    b = NB_ARENA_NEW(c->arena, blob_entry);
    if (b) {
        b->hash = nb_arena_str(c->arena, hash);
        if (b->hash.data) {
            b->bytes = nb_buffer_ref(bytes);
            b->next = c->blobs;
            c->blobs = b;
            st = NB_OK;
        }
    }
    pthread_mutex_unlock(&c->lock);
    return st;
}

nb_buffer *
nb_catalog_blob(nb_catalog *c, nb_str hash)
{
    nb_buffer *bytes = NULL;

    pthread_mutex_lock(&c->lock);
    for (blob_entry *b = c->blobs; b && !bytes; b = b->next) {
        if (nb_str_equal(b->hash, hash)) {
            bytes = b->bytes;
        }
    }
    pthread_mutex_unlock(&c->lock);
    return bytes;
}

nb_pool *
nb_catalog_pool(nb_catalog *c)
{
    return c->pool;
}

/* Oldest first, so that the copy shadows in the same order. */
static nb_status
copy_views(nb_catalog *to, const nb_view_def *from)
{
    nb_status st = NB_OK;
    int n = 0;

    for (const nb_view_def *v = from; v; v = v->next) {
        n++;
    }
    while (n-- > 0 && st >= 0) {
        const nb_view_def *v = from;
        for (int i = 0; i < n; i++) {
            v = v->next;
        }
        st = link_view(to, (nb_object_name){v->database, v->name}, v->scope, v->relation,
                       v->dropped, NULL);
    }
    return st;
}

/* Those that are there; each is the newest of its name. */
static nb_status
copy_databases(nb_catalog *to, const nb_database_def *from)
{
    for (const nb_database_def *d = from; d; d = d->next) {
        if (nb_database_find(from, d->name) == d) {
            NB_TRY(nb_catalog_add_database(to, d));
        }
    }
    return NB_OK;
}

nb_status
nb_catalog_copy(nb_catalog *to, nb_catalog *from)
{
    const blob_entry *blobs;

    pthread_mutex_lock(&from->lock);
    blobs = from->blobs;
    pthread_mutex_unlock(&from->lock);
    for (const blob_entry *b = blobs; b; b = b->next) {
        nb_buffer *copy;
        NB_TRY(nb_buffer_new(to->pool, b->bytes->n_bytes, &copy));
        if (b->bytes->n_bytes) {
            memcpy(copy->data, b->bytes->data, b->bytes->n_bytes);
        }
        nb_status st = nb_catalog_add_blob(to, b->hash, copy);
        nb_buffer_release(copy);
        NB_TRY(st);
    }
    NB_TRY(copy_functions(to, from->functions));
    NB_TRY(copy_databases(to, nb_catalog_databases(from)));
    NB_TRY(nb_catalog_use_database(to, nb_catalog_current_database(from)));
    return copy_views(to, nb_catalog_views(from));
}

/* Under the lock. */
static variable_entry *
find_variable(nb_catalog *c, nb_str name)
{
    for (variable_entry *v = c->variables; v; v = v->next) {
        if (nb_str_equal_nocase(v->name, name)) {
            return v;
        }
    }
    return NULL;
}

nb_status
nb_catalog_set_variable(nb_catalog *c, nb_str name, nb_table *value, int column, nb_table *first)
{
    nb_table *old = NULL, *old_first = NULL;
    variable_entry *v;

    pthread_mutex_lock(&c->lock);
    v = find_variable(c, name);
    if (!v) {
        v = NB_ARENA_NEW(c->arena, variable_entry);
        if (v) {
            v->name = nb_arena_str(c->arena, name);
            v->next = c->variables;
        }
        if (!v || !v->name.data) {
            pthread_mutex_unlock(&c->lock);
            return NB_NOMEM;
        }
        c->variables = v;
    }
    old = v->value;
    v->value = nb_table_ref(value);
    v->column = column;
    if (first) {
        old_first = v->first;
        v->first = nb_table_ref(first);
    }
    pthread_mutex_unlock(&c->lock);
    nb_table_release(old);
    nb_table_release(old_first);
    return NB_OK;
}

nb_table *
nb_catalog_variable(nb_catalog *c, nb_str name, bool first, int *column)
{
    nb_table *table = NULL;
    const variable_entry *v;

    pthread_mutex_lock(&c->lock);
    v = find_variable(c, name);
    if (v && v->value) {
        table = nb_table_ref(first ? v->first : v->value);
        *column = first ? 0 : v->column;
    }
    pthread_mutex_unlock(&c->lock);
    return table;
}

bool
nb_catalog_drop_variable(nb_catalog *c, nb_str name)
{
    nb_table *old = NULL, *old_first = NULL;
    variable_entry *v;

    pthread_mutex_lock(&c->lock);
    v = find_variable(c, name);
    if (v) {
        old = v->value;
        old_first = v->first;
        v->value = v->first = NULL;
    }
    pthread_mutex_unlock(&c->lock);
    nb_table_release(old);
    nb_table_release(old_first);
    return old != NULL;
}

bool
nb_catalog_has_variables(nb_catalog *c)
{
    bool some;

    pthread_mutex_lock(&c->lock);
    some = c->variables != NULL;
    pthread_mutex_unlock(&c->lock);
    return some;
}

/* Under the lock. */
static nb_cached *
find_cached(nb_catalog *c, int64_t plan_id, nb_str relation)
{
    for (nb_cached *k = c->cached; k; k = k->next) {
        if (!k->dropped && k->plan_id == plan_id && nb_str_equal(k->relation, relation)) {
            return k;
        }
    }
    return NULL;
}

nb_status
nb_catalog_persist(nb_catalog *c, int64_t plan_id, nb_str relation)
{
    nb_status st = NB_OK;

    pthread_mutex_lock(&c->lock);
    if (!find_cached(c, plan_id, relation)) {
        nb_cached *k = NB_ARENA_NEW(c->arena, nb_cached);
        st = NB_NOMEM;
        if (k) {
            k->relation = nb_arena_str(c->arena, relation);
            k->plan_id = plan_id;
            if (k->relation.data) {
                k->next = c->cached;
                c->cached = k;
                c->n_cached++;
                pin_locals(c, k->relation);
                st = NB_OK;
            }
        }
    }
    pthread_mutex_unlock(&c->lock);
    return st;
}

/* Under the lock. The node stays, since running queries may point at it; its rows go. */
static void
drop_cached(nb_catalog *c, nb_cached *k)
{
    k->dropped = true;
    nb_table_release(k->table);
    k->table = NULL;
    c->n_cached--;
}

bool
nb_catalog_unpersist(nb_catalog *c, int64_t plan_id, nb_str relation)
{
    nb_cached *k;

    pthread_mutex_lock(&c->lock);
    k = find_cached(c, plan_id, relation);
    if (k) {
        drop_cached(c, k);
    }
    pthread_mutex_unlock(&c->lock);
    return k != NULL;
}

void
nb_catalog_clear_cache(nb_catalog *c)
{
    pthread_mutex_lock(&c->lock);
    for (nb_cached *k = c->cached; k; k = k->next) {
        if (!k->dropped) {
            drop_cached(c, k);
        }
    }
    pthread_mutex_unlock(&c->lock);
}

bool
nb_catalog_may_be_cached(nb_catalog *c, int64_t plan_id)
{
    bool may = false;

    pthread_mutex_lock(&c->lock);
    for (nb_cached *k = c->n_cached ? c->cached : NULL; k && !may; k = k->next) {
        may = !k->dropped && k->plan_id == plan_id;
    }
    pthread_mutex_unlock(&c->lock);
    return may;
}

nb_cached *
nb_catalog_find_cached(nb_catalog *c, int64_t plan_id, nb_str relation)
{
    nb_cached *k;

    pthread_mutex_lock(&c->lock);
    k = find_cached(c, plan_id, relation);
    pthread_mutex_unlock(&c->lock);
    return k;
}

nb_table *
nb_cached_table(nb_catalog *c, nb_cached *cached)
{
    nb_table *t;

    pthread_mutex_lock(&c->lock);
    t = cached->table ? nb_table_ref(cached->table) : NULL;
    pthread_mutex_unlock(&c->lock);
    return t;
}

void
nb_cached_fill(nb_catalog *c, nb_cached *cached, nb_table *table)
{
    pthread_mutex_lock(&c->lock);
    if (!cached->table && !cached->dropped) {
        cached->table = nb_table_ref(table);
    }
    pthread_mutex_unlock(&c->lock);
}
