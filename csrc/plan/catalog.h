/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalog.h: what a session knows by name: temporary views, local data by hash, DataFrames marked by cache().
 *
 * Views form an immutable linked list, newest first: a view remembers the list as it was when it was made, so that its body goes on
 * meaning the same when a name in it is replaced later (`spark.table("t").filter(...).createOrReplaceTempView("t")`). Nodes live as long as
 * the session. Tables are a list of the same kind; their rows are files below the warehouse directory, or where LOCATION says. All calls are
 * thread-safe; list heads are snapshots.
 */
#ifndef NB_PLAN_CATALOG_H
#define NB_PLAN_CATALOG_H

#include "column/table.h"

typedef struct nb_catalog nb_catalog;

/* A table's or view's name; views of the session are in no database. */
typedef struct nb_object_name {
    nb_str database, name;
} nb_object_name;

/* A database: a name for tables, and a directory. Never changed once it is in the list: another one of its name hides it. */
typedef struct nb_database_def nb_database_def;
struct nb_database_def {
    nb_str name, comment, location; /* location without data: the warehouse itself, of `default` */
    const nb_str *properties;       /* key, value, key, value … */
    int n_properties;
    bool dropped; /* a tombstone */
    const nb_database_def *next;
};

/* Names of one kind do not meet those of another. */
typedef enum nb_view_scope { NB_VIEW_TEMPORARY, NB_VIEW_GLOBAL, NB_VIEW_OF_DATABASE } nb_view_scope;

typedef struct nb_view_def {
    nb_str database, name;
    nb_str inside; /* the current database when it was made, in which its body finds names */
    nb_view_scope scope;
    bool dropped;                    /* a tombstone */
    nb_str relation;                 /* packed spark.connect.Relation */
    const struct nb_view_def *next;  /* older ones */
    const struct nb_view_def *names; /* those that the body sees */
} nb_view_def;

/* A table: where its rows are, and what they are. Its columns are the data's, then those of the partitioning. */
typedef struct nb_table_def nb_table_def;
struct nb_table_def {
    nb_str database, name, provider, location, comment;
    const nb_type *schema;
    const nb_str *partition_by;
    int n_partition_by;
    const nb_str *options; /* key, value, key, value … */
    int n_options;
    const nb_str *properties; /* as options */
    int n_properties;
    bool is_external; /* its files outlive it */
    bool dropped;     /* a tombstone */
    const nb_table_def *next;
};

/* A cached DataFrame. `table` is filled by the first query that needs it. */
typedef struct nb_cached nb_cached;
struct nb_cached {
    nb_str relation; /* packed message, the key */
    int64_t plan_id; /* of its root, a quick filter */
    nb_table
        *table; /* NULL until materialised; guarded by the catalog's lock through nb_cached_* */
    bool dropped;
    int64_t refs;
    nb_cached *next;
};

nb_status nb_catalog_new(nb_pool *pool, nb_catalog **out);
void nb_catalog_free(nb_catalog *c);

/* Newest list of views; NULL when there are none. */
const nb_view_def *nb_catalog_views(nb_catalog *c);
const nb_view_def *nb_view_find(const nb_view_def *list, nb_object_name name, nb_view_scope scope,
                                bool case_sensitive); /* NULL when absent or dropped */
/* Bytes are copied. */
nb_status
nb_catalog_add_view(nb_catalog *c, nb_object_name name, nb_view_scope scope, nb_str relation);
/* The view under another name. */
nb_status nb_catalog_rename_view(nb_catalog *c, const nb_view_def *view, nb_str to);
bool
nb_catalog_drop_view(nb_catalog *c, nb_object_name name, nb_view_scope scope, bool case_sensitive);

const nb_database_def *nb_catalog_databases(nb_catalog *c); /* newest list; has `default` */
const nb_database_def *
nb_database_find(const nb_database_def *list,
                 nb_str name); /* in any case of letters; NULL when absent or dropped */
/* Everything in def is copied; a dropped one hides the older of its name. */
nb_status nb_catalog_add_database(nb_catalog *c, const nb_database_def *def);
nb_str nb_catalog_current_database(nb_catalog *c); /* lives as long as the catalog */
nb_status nb_catalog_use_database(nb_catalog *c, nb_str name);
/* The object that parts name: `t`, of the current database; `d.t`; `spark_catalog.d.t`. false: they name none that could be here. */
bool nb_object_of_parts(const nb_str *parts, size_t n, nb_str current, nb_object_name *out);

const nb_table_def *nb_catalog_tables(nb_catalog *c); /* newest list; NULL when there are none */
const nb_table_def *nb_table_def_find(const nb_table_def *list, nb_object_name name,
                                      bool case_sensitive); /* NULL when absent or dropped */
/* Everything in def is copied; a dropped one hides the older of its name. */
nb_status nb_catalog_add_table(nb_catalog *c, const nb_table_def *def);

/* Session variables: columns of tables of at most one row, of which references are taken. Names mean the same in either case. first: what
 * DEFAULT sets it to; NULL leaves that of a known variable. */
nb_status
nb_catalog_set_variable(nb_catalog *c, nb_str name, nb_table *value, int column, nb_table *first);
/* The value, or what it was declared with, with a reference; NULL when unknown. */
nb_table *nb_catalog_variable(nb_catalog *c, nb_str name, bool first, int *column);
bool nb_catalog_drop_variable(nb_catalog *c, nb_str name); /* false when unknown */
bool nb_catalog_has_variables(nb_catalog *c);

/* Functions of the session: a packed spark.connect.CommonInlineUserDefinedFunction by its name in any case; a later one hides an earlier. */
nb_status nb_catalog_add_function(nb_catalog *c, nb_str name, nb_str bytes);
/* Empty when unknown; lives as long as the catalog. *known as it was registered; may be NULL. */
nb_str nb_catalog_function(nb_catalog *c, nb_str name, nb_str *known);
/* The names of all registered functions, in no order; they live as long as the catalog. */
nb_status nb_catalog_function_names(nb_catalog *c, nb_arena *arena, nb_str **out, int *n_out);

nb_status nb_catalog_add_local(nb_catalog *c, nb_str hash, nb_table *table); /* takes a reference */
/* Lets the data go, unless a view or a cached DataFrame names it. Queries that run keep what they have. */
void nb_catalog_remove_local(nb_catalog *c, nb_str hash);
bool nb_catalog_has_local(nb_catalog *c, nb_str hash);
nb_table *nb_catalog_local(nb_catalog *c, nb_str hash); /* with a reference; NULL when unknown */

/* Uploaded bytes under a hash: the Arrow stream of a chunk, the text of a schema, a packed LocalRelation. Takes a reference. */
nb_status nb_catalog_add_blob(nb_catalog *c, nb_str hash, nb_buffer *bytes);
nb_buffer *nb_catalog_blob(nb_catalog *c, nb_str hash); /* borrowed; NULL when unknown */
nb_pool *nb_catalog_pool(nb_catalog *c);                /* for tables that the catalog keeps */

/* Makes the catalog know the views and uploaded bytes of another one. */
nb_status nb_catalog_copy(nb_catalog *to, nb_catalog *from);

nb_status nb_catalog_persist(nb_catalog *c, int64_t plan_id, nb_str relation);
bool nb_catalog_unpersist(nb_catalog *c, int64_t plan_id, nb_str relation);
void nb_catalog_clear_cache(nb_catalog *c);
/* May a relation with this id be cached? Cheap: asked for every relation of a plan. */
bool nb_catalog_may_be_cached(nb_catalog *c, int64_t plan_id);
/* Borrowed for the time of the query; NULL when not cached. */
nb_cached *nb_catalog_find_cached(nb_catalog *c, int64_t plan_id, nb_str relation);
/* The rows, with a reference for the caller; NULL when not yet materialised. */
nb_table *nb_cached_table(nb_catalog *c, nb_cached *cached);
/* The first table given wins; takes a reference. */
void nb_cached_fill(nb_catalog *c, nb_cached *cached, nb_table *table);

#endif
