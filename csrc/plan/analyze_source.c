/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_source.c: the leaves: local data, files, named views, ranges.
 */
#include "plan/analyzer_internal.h"
#include "base/config.h"
#include "column/arrow.h"
#include "plan/message_unpack.h"
#include "plan/type_json.h"
#include "sql/encoding.h"
#include "sql/parser.h"

nb_status
nb_plan_alias(nb_analyzer *an, nb_plan *child, const nb_str *name, int n_name, nb_plan **out,
              nb_error *err)
{
    nb_plan *p = nb_plan_new(an->arena, NB_PLAN_ALIAS, 1, child->n_attrs);
    nb_str *copy = NB_ARENA_ARRAY(an->arena, nb_str, n_name + 1);

    (void)err;
    NB_NEED(p && copy);
    if (n_name > 0) {
        memcpy(copy, name, sizeof(nb_str) * (size_t)n_name);
    }
    p->children[0] = child;
    p->u.alias.name = copy;
    p->u.alias.n_name = n_name;
    memcpy(p->attrs, child->attrs, sizeof(nb_attr) * (size_t)child->n_attrs);
    p->n_attrs = 0;
    for (int i = 0; i < child->n_attrs; i++) {
        if (!child->attrs[i]
                 .hidden) { /* an alias closes its relation: hidden columns cannot be named through it */
            p->attrs[p->n_attrs] = child->attrs[i];
            p->attrs[p->n_attrs].qualifier = copy;
            p->attrs[p->n_attrs].n_qualifier = n_name;
            p->n_attrs++;
        }
    }
    *out = p;
    return NB_OK;
}

/* Attributes with new ids for the fields of a struct. */
static nb_plan *
leaf(nb_analyzer *an, nb_plan_kind kind, const nb_type *schema)
{
    nb_plan *p = nb_plan_new(an->arena, kind, 0, schema->n_children);

    for (int i = 0; p && i < schema->n_children; i++) {
        const nb_field *f = &schema->children[i];
        p->attrs[i] = (nb_attr){.id = nb_attr_next_id(),
                                .name = f->name,
                                .type = f->type,
                                .nullable = f->nullable,
                                .metadata = f->metadata};
    }
    return p;
}

static int *
all_columns(nb_analyzer *an, int n)
{
    int *columns = NB_ARENA_ARRAY(an->arena, int, n + 1);

    for (int i = 0; columns && i < n; i++) {
        columns[i] = i;
    }
    return columns;
}

nb_status
nb_plan_of_table(nb_analyzer *an, nb_table *table, nb_plan **out, nb_error *err)
{
    nb_plan *p = leaf(an, NB_PLAN_TABLE, table->schema);

    (void)err;
    NB_NEED(p);
    p->u.table.columns = all_columns(an, table->schema->n_children);
    NB_NEED(p->u.table.columns);
    NB_TRY(nb_analyzer_keep_table(an, table));
    p->u.table.table = table;
    *out = p;
    return NB_OK;
}

nb_status
nb_analyzer_keep_table(nb_analyzer *an, nb_table *table)
{
    an->tables =
        nb_arena_grow(an->arena, an->tables, an->n_tables, &an->cap_tables, sizeof *an->tables);
    NB_NEED(an->tables);
    an->tables[an->n_tables++] = nb_table_ref(table);
    return NB_OK;
}

static nb_status
keep_relation(nb_analyzer *an, nb_relation *rel, const nb_read_request *req)
{
    nb_read_request own = *req;
    nb_str *paths = NB_ARENA_ARRAY(an->arena, nb_str, req->n_paths + 1);
    nb_option *options = NB_ARENA_ARRAY(an->arena, nb_option, req->n_options + 1);

    NB_NEED(paths && options);
    for (int i = 0; i < req->n_paths; i++) {
        paths[i] = nb_arena_str(an->arena, req->paths[i]);
        NB_NEED(paths[i].data);
    }
    for (int i = 0; i < req->n_options; i++) {
        options[i] = (nb_option){nb_arena_str(an->arena, req->options[i].key),
                                 nb_arena_str(an->arena, req->options[i].value)};
        NB_NEED(options[i].key.data && options[i].value.data);
    }
    own.format = nb_arena_str(an->arena, req->format);
    NB_NEED(own.format.data);
    own.paths = paths;
    own.options = options;
    an->relations = nb_arena_grow(an->arena, an->relations, an->n_relations, &an->cap_relations,
                                  sizeof *an->relations);
    NB_NEED(an->relations);
    an->relations[an->n_relations++] = (struct nb_open_relation){rel, own};
    return NB_OK;
}

static bool
same_request(const nb_read_request *a, const nb_read_request *b)
{
    if (!nb_str_equal(a->format, b->format) || a->n_paths != b->n_paths ||
        a->n_options != b->n_options || a->schema != b->schema) {
        return false;
    }
    for (int i = 0; i < a->n_paths; i++) {
        if (!nb_str_equal(a->paths[i], b->paths[i])) {
            return false;
        }
    }
    for (int i = 0; i < a->n_options; i++) {
        if (!nb_str_equal(a->options[i].key, b->options[i].key) ||
            !nb_str_equal(a->options[i].value, b->options[i].value)) {
            return false;
        }
    }
    return true;
}

/* Files that a query names several times are listed and looked into once; NULL: not yet. */
static nb_relation *
find_relation(const nb_analyzer *an, const nb_read_request *req)
{
    for (int i = 0; i < an->n_relations; i++) {
        if (same_request(&an->relations[i].request, req)) {
            return an->relations[i].relation;
        }
    }
    return NULL;
}

/* A schema as text: DDL or Spark's JSON. */
static nb_status
schema_text(nb_analyzer *an, nb_str text, const nb_type **out, nb_error *err)
{
    Sc__DataType *parsed;

    text = nb_str_trim(text);
    if (text.len && text.data[0] == '{') {
        return nb_type_from_json(an->arena, text, out, err);
    }
    NB_TRY(nb_sql_parse_table_schema(an->arena, text, &parsed, err));
    return nb_resolve_type(an, parsed, out, err);
}

/* Local data under a schema that the user gave: columns by position, cast where types differ. */
static nb_status
with_schema(nb_analyzer *an, nb_plan *p, const nb_type *schema, nb_plan **out, nb_error *err)
{
    nb_expr **list = NB_ARENA_ARRAY(an->arena, nb_expr *, schema->n_children + 1);

    NB_NEED(list);
    if (schema->n_children != p->n_attrs) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message",
                        "the schema has another number of columns than the local data", NULL);
    }
    for (int i = 0; i < p->n_attrs; i++) {
        nb_expr *e = nb_attr_expr(an->arena, &p->attrs[i]);
        NB_NEED(e);
        if (e->type != schema->children[i].type) {
            if (nb_type_same_ignoring_null(nb_type_storage(e->type),
                                           nb_type_storage(schema->children[i].type))) {
                nb_expr *copy =
                    nb_expr_new(an->arena, NB_EXPR_CAST, schema->children[i].type, e->nullable, 1);
                NB_NEED(copy);
                copy->args[0] = e;
                nb_expr_set_flags(copy);
                e = copy;
            } else {
                NB_TRY(nb_cast_to(an, e, schema->children[i].type, &e, err));
            }
        }
        list[i] = nb_expr_alias(an->arena, e, schema->children[i].name, nb_attr_next_id());
        NB_NEED(list[i]);
        list[i]->u.alias.metadata = schema->children[i].metadata;
    }
    NB_TRY(nb_plan_project(an, p, list, schema->n_children, out, err));
    for (int i = 0; i < schema->n_children; i++) {
        (*out)->attrs[i].nullable = schema->children[i].nullable;
    }
    return NB_OK;
}

/* Rows of an uploaded Arrow stream, made at the first use and kept by the catalog. Borrowed from the analyzer. */
static nb_status
uploaded_rows(nb_analyzer *an, nb_str hash, nb_table **out, nb_error *err)
{
    nb_catalog *catalog = an->cfg.catalog;
    nb_table *table = nb_catalog_local(catalog, hash);
    nb_buffer *bytes;
    nb_status st;

    if (!table) {
        bytes = nb_catalog_blob(catalog, hash);
        if (!bytes) {
            return nb_raise(
                err, NB_COND_NOT_FOUND_CACHED_LOCAL_RELATION, "hash",
                nb_arena_printf(an->arena, "%.*s", (int)NB_MIN(hash.len, (size_t)128), hash.data),
                NULL);
        }
        NB_TRY(nb_arrow_ipc_read(nb_catalog_pool(catalog), bytes, NULL, &table, err));
        st = nb_catalog_add_local(catalog, hash, table);
        nb_table_release(table);
        NB_TRY(st);
        table = nb_catalog_local(catalog, hash); /* another query may have been faster */
    }
    if (!table) {
        return nb_raise(err, NB_COND_NOT_FOUND_CACHED_LOCAL_RELATION, "hash", "of removed data",
                        NULL);
    }
    st = nb_analyzer_keep_table(an, table);
    nb_table_release(table);
    *out = table;
    return st;
}

/* The chunks of a ChunkedCachedLocalRelation as one plan, and the schema if it was uploaded. */
static nb_status
uploaded_chunks(nb_analyzer *an, const Sc__ChunkedCachedLocalRelation *c, nb_plan **out,
                const nb_type **schema, nb_error *err)
{
    nb_table **tables = NB_ARENA_ARRAY(an->arena, nb_table *, c->n_datahashes + 1);
    nb_table *joined;
    nb_buffer *text;
    nb_status st;

    NB_NEED(tables);
    if (c->n_datahashes == 0 || c->n_datahashes > INT32_MAX) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message",
                        "ChunkedCachedLocalRelation should contain data", NULL);
    }
    for (size_t i = 0; i < c->n_datahashes; i++) {
        NB_TRY(uploaded_rows(an, nb_pb_str(c->datahashes[i]), &tables[i], err));
    }
    if (c->has_schemahash && c->schemahash.len) {
        text = nb_catalog_blob(an->cfg.catalog, nb_pb_str(c->schemahash));
        if (!text) {
            return nb_raise(err, NB_COND_NOT_FOUND_CACHED_LOCAL_RELATION, "hash", "of the schema",
                            NULL);
        }
        NB_TRY(schema_text(an, (nb_str){(const char *)text->data, text->n_bytes}, schema, err));
    }
    if (c->n_datahashes == 1) {
        return nb_plan_of_table(an, tables[0], out, err);
    }
    NB_TRY(
        nb_table_join(an->cfg.pool, tables, (int)c->n_datahashes, tables[0]->schema, &joined, err));
    st = nb_plan_of_table(an, joined, out, err);
    nb_table_release(joined);
    return st;
}

nb_status
nb_analyze_local(nb_analyzer *an, const Sc__Relation *rel, nb_plan **out, nb_error *err)
{
    const nb_type *schema = NULL;
    nb_table *table = NULL;
    nb_status st;

    if (rel->rel_type_case == SC__RELATION__REL_TYPE_LOCAL_RELATION) {
        const Sc__LocalRelation *l = rel->local_relation;
        if (l->schema.len) {
            NB_TRY(schema_text(an, nb_pb_str(l->schema), &schema, err));
        }
        if (l->data.len == 0) {
            if (!schema) {
                return nb_raise(err, NB_COND_INVALID_PLAN, "message",
                                "a local relation without data and schema", NULL);
            }
            NB_TRY(nb_table_new(an->cfg.pool, schema, &table));
        } else {
            nb_buffer *bytes;
            NB_TRY(nb_buffer_new(an->cfg.pool, l->data.len, &bytes));
            memcpy(bytes->data, l->data.data, l->data.len);
            st = nb_arrow_ipc_read(an->cfg.pool, bytes, NULL, &table, err);
            nb_buffer_release(bytes);
            NB_TRY(st);
        }
        st = nb_plan_of_table(an, table, out, err);
        nb_table_release(table);
        NB_TRY(st);
    } else if (rel->rel_type_case == SC__RELATION__REL_TYPE_CACHED_REMOTE_RELATION) {
        nb_str id = nb_pb_str(rel->cached_remote_relation->relation_id);
        if (!nb_catalog_has_local(an->cfg.catalog, id)) {
            return nb_raise(err, NB_COND_INVALID_PLAN, "message",
                            nb_arena_printf(an->arena, "no DataFrame with id %.*s in the session",
                                            (int)NB_MIN(id.len, (size_t)128), id.data),
                            NULL);
        }
        NB_TRY(uploaded_rows(an, id, &table, err));
        NB_TRY(nb_plan_of_table(an, table, out, err));
    } else if (rel->rel_type_case == SC__RELATION__REL_TYPE_CHUNKED_CACHED_LOCAL_RELATION) {
        NB_TRY(uploaded_chunks(an, rel->chunked_cached_local_relation, out, &schema, err));
    } else {
        nb_str hash = nb_pb_str(rel->cached_local_relation->hash);
        nb_buffer *bytes = nb_catalog_blob(an->cfg.catalog, hash);
        if (bytes && !nb_catalog_has_local(an->cfg.catalog, hash)) { /* a packed LocalRelation */
            Sc__Relation *inner = NB_ARENA_NEW(an->arena, Sc__Relation);
            ProtobufCMessage *m;
            NB_NEED(inner);
            NB_TRY(nb_message_unpack(an->arena, &sc__local_relation__descriptor, bytes->data,
                                     bytes->n_bytes, &m, err));
            *inner = *rel;
            inner->rel_type_case = SC__RELATION__REL_TYPE_LOCAL_RELATION;
            inner->local_relation = (Sc__LocalRelation *)m;
            return nb_analyze_local(an, inner, out, err);
        }
        NB_TRY(uploaded_rows(an, hash, &table, err));
        NB_TRY(nb_plan_of_table(an, table, out, err));
    }
    if (schema && !nb_type_same_ignoring_null(schema, nb_plan_schema(an->arena, *out))) {
        return with_schema(an, *out, schema, out, err);
    }
    if (schema) {
        for (int i = 0; i < schema->n_children; i++) {
            (*out)->attrs[i].name = schema->children[i].name;
            (*out)->attrs[i].nullable = schema->children[i].nullable;
            (*out)->attrs[i].metadata = schema->children[i].metadata;
            (*out)->attrs[i].type = schema->children[i].type;
        }
    }
    return NB_OK;
}

static nb_status
scan_of(nb_analyzer *an, nb_relation *rel, nb_plan **out)
{
    *out = leaf(an, NB_PLAN_SCAN, nb_relation_schema(rel));
    NB_NEED(*out);
    (*out)->u.scan.relation = rel;
    (*out)->u.scan.limit = -1;
    (*out)->u.scan.columns = all_columns(an, (*out)->n_attrs);
    NB_NEED((*out)->u.scan.columns);
    return NB_OK;
}

static nb_status
keep_and_scan(nb_analyzer *an, nb_relation *rel, const nb_read_request *req, nb_plan **out)
{
    nb_status st = keep_relation(an, rel, req);

    if (st < 0) {
        nb_relation_release(rel);
        return st;
    }
    return scan_of(an, rel, out);
}

nb_status
nb_plan_of_relation(nb_analyzer *an, nb_relation *rel, nb_plan **out, nb_error *err)
{
    nb_read_request nobodys = {.format = NB_STR("")}; /* no other read is the same */

    (void)err;
    return keep_and_scan(an, rel, &nobodys, out);
}

static nb_status
scan_files(nb_analyzer *an, const nb_read_request *req, nb_plan **out, nb_error *err)
{
    nb_relation *rel = find_relation(an, req);

    if (rel != NULL) {
        return scan_of(an, rel, out);
    }
    NB_TRY(nb_relation_open(an->cfg.pool, req, &rel, err));
    return keep_and_scan(an, rel, req, out);
}

static nb_status
read_files(nb_analyzer *an, const Sc__Read__DataSource *d, nb_plan **out, nb_error *err)
{
    nb_read_request req = {
        .format = d->format.len ? nb_pb_str(d->format)
                                : nb_config_str(an->cfg.info->config, NB_CONF_DEFAULT_SOURCE),
        .info = an->cfg.info,
        .cancel = an->cfg.cancel,
        .n_threads = an->cfg.n_threads};
    nb_str *paths = NB_ARENA_ARRAY(an->arena, nb_str, d->n_paths + 1);
    nb_option *options = NB_ARENA_ARRAY(an->arena, nb_option, d->n_options + 1);

    NB_NEED(paths && options);
    for (size_t i = 0; i < d->n_paths; i++) {
        paths[i] = nb_pb_str(d->paths[i]);
    }
    req.n_paths = (int)d->n_paths;
    for (size_t i = 0; i < d->n_options; i++) {
        options[i] = (nb_option){nb_str_of(d->options[i]->key), nb_pb_str(d->options[i]->value)};
        if (nb_str_equal_nocase(options[i].key, NB_STR("path")) && d->n_paths == 0) {
            paths[0] = options[i].value;
            req.n_paths = 1;
        }
    }
    req.paths = paths;
    req.options = options;
    req.n_options = (int)d->n_options;
    if (d->schema.len) {
        NB_TRY(schema_text(an, nb_pb_str(d->schema), &req.schema, err));
    }
    return scan_files(an, &req, out, err);
}

/* A table of the catalog: its files, read with its schema. */
static nb_status
read_table(nb_analyzer *an, const nb_table_def *t, nb_plan **out, nb_error *err)
{
    nb_option *options = NB_ARENA_ARRAY(an->arena, nb_option, t->n_options + 1);
    nb_str *name = NB_ARENA_ARRAY(an->arena, nb_str, 3);
    nb_read_request req = {.format = t->provider,
                           .paths = &t->location,
                           .n_paths = 1,
                           .options = options,
                           .n_options = t->n_options,
                           .schema = t->schema,
                           .info = an->cfg.info,
                           .cancel = an->cfg.cancel,
                           .n_threads = an->cfg.n_threads};

    NB_NEED(options && name);
    for (int i = 0; i < t->n_options; i++) {
        options[i] = (nb_option){t->options[2 * i], t->options[2 * i + 1]};
    }
    NB_TRY(scan_files(an, &req, out, err));
    name[0] = NB_STR("spark_catalog");
    name[1] = t->database;
    name[2] = t->name;
    return nb_plan_alias(an, *out, name, 3, out, err);
}

static nb_status
raise_no_table(nb_analyzer *an, const nb_str *parts, size_t n, nb_error *err)
{
    nb_strbuf b = {0};
    nb_status st;

    for (size_t i = 0; i < n; i++) {
        nb_strbuf_addf(&b, "%s`%.*s`", i ? "." : "", (int)parts[i].len, parts[i].data);
    }
    if (n > 3) {
        st = nb_raise(err, NB_COND_REQUIRES_SINGLE_PART_NAMESPACE, "sessionCatalog",
                      "spark_catalog", "identifier", b.data ? b.data : "", NULL);
        nb_strbuf_free(&b);
        return st;
    }
    st = nb_raise(err, NB_COND_TABLE_OR_VIEW_NOT_FOUND, "searchPath",
                  nb_arena_printf(
                      an->arena, "[`system`.`builtin`, `system`.`session`, `spark_catalog`.`%.*s`]",
                      (int)an->database.len, an->database.data),
                  "relationName", b.data ? b.data : "", NULL);
    nb_strbuf_free(&b);
    return st;
}

/* A common table expression of that name, analysed where it stands: it sees those before it. NB_DONE when there is none. */
static nb_status
read_cte(nb_analyzer *an, nb_str name, nb_plan **out, nb_error *err)
{
    for (int i = an->n_with - 1; i >= 0; i--) {
        const Sc__WithRelations *w = an->with[i].with;
        for (size_t k = an->with[i].n_visible; k-- > 0;) {
            const Sc__Relation *r = w->references[k];
            nb_with_scope *keep = an->with;
            int keep_n = an->n_with, keep_cap = an->cap_with;
            nb_status st;
            if (r->rel_type_case != SC__RELATION__REL_TYPE_SUBQUERY_ALIAS ||
                !nb_names_equal(an, nb_pb_str(r->subquery_alias->alias), name)) {
                continue;
            }
            bool recursive = r->common && nb_str_starts_with(nb_pb_str(r->common->source_info),
                                                             NB_STR(NB_SQL_MARK_RECURSIVE));
            an->with = NB_ARENA_ARRAY(an->arena, nb_with_scope, i + 1);
            if (!an->with) {
                an->with = keep;
                return NB_NOMEM;
            }
            memcpy(an->with, keep, sizeof *keep * (size_t)(i + 1));
            an->with[i].n_visible = k;
            an->n_with = an->cap_with = i + 1;
            if (recursive) { /* each level draws anew */
                int n_cte = an->n_cte;
                an->n_cte = 0;
                st = nb_analyze_recursive(an, r, out, err);
                an->n_cte = n_cte;
            } else {
                an->n_cte++;
                st = nb_analyze_relation(an, r, out, err);
                if (st >= 0 && (*out)->kind == NB_PLAN_ALIAS) {
                    (*out)->u.alias.is_closed = true;
                }
                an->n_cte--;
            }
            an->with = keep;
            an->n_with = keep_n;
            an->cap_with = keep_cap;
            return st;
        }
    }
    return NB_DONE;
}

static nb_status
read_named(nb_analyzer *an, nb_str text, nb_plan **out, nb_error *err)
{
    nb_str *parts, database = an->database;
    size_t n;
    const nb_view_def *view, *keep = an->views;
    const nb_table_def *table;
    ProtobufCMessage *message;
    nb_object_name name;
    bool is_global;
    int keep_with = an->n_with, keep_cap = an->cap_with;
    nb_with_scope *keep_stack = an->with;
    nb_status st;

    NB_TRY(nb_sql_parse_identifier(an->arena, text, &parts, &n, err));
    if (n == 1) {
        st = nb_read_recursion(an, parts[0], out, err);
        st = st == NB_DONE ? read_cte(an, parts[0], out, err) : st;
        if (st != NB_DONE) {
            return st;
        }
    }
    if (n == 2 && !nb_str_equal_nocase(parts[0], NB_STR("global_temp")) &&
        !nb_database_find(nb_catalog_databases(an->cfg.catalog), parts[0])) {
        /* csv.`path`: files named in the query */
        static const char *const formats[] = {"csv", "parquet", "json", "text", "orc"};
        for (size_t i = 0; i < NB_COUNT_OF(formats); i++) {
            if (nb_str_equal_nocase(parts[0], nb_str_of(formats[i]))) {
                ProtobufCBinaryData path = {parts[1].len, (uint8_t *)parts[1].data};
                Sc__Read__DataSource d = {.format = {parts[0].len, (uint8_t *)parts[0].data},
                                          .n_paths = 1,
                                          .paths = &path};
                return read_files(an, &d, out, err);
            }
        }
    }
    is_global = n == 2 && nb_str_equal_nocase(parts[0], NB_STR("global_temp"));
    if (!nb_object_of_parts(parts, n, an->database, &name)) {
        return raise_no_table(an, parts, n, err);
    }
    view = n == 1 || is_global
               ? nb_view_find(an->views, name, is_global ? NB_VIEW_GLOBAL : NB_VIEW_TEMPORARY,
                              an->case_sensitive)
               : NULL;
    view = view ? view : nb_view_find(an->views, name, NB_VIEW_OF_DATABASE, an->case_sensitive);
    if (!view) {
        table = nb_table_def_find(nb_catalog_tables(an->cfg.catalog), name, an->case_sensitive);
        return table ? read_table(an, table, out, err) : raise_no_table(an, parts, n, err);
    }
    NB_TRY(nb_message_unpack(an->arena, &sc__relation__descriptor, view->relation.data,
                             view->relation.len, &message, err));
    an->views = view->names;
    an->database = view->inside;
    if (an->n_with > 0) {       /* names of the query around mean nothing inside of a view */
        an->with += an->n_with; /* pushes go behind what is kept */
        an->cap_with -= an->n_with;
        an->n_with = 0;
    }
    st = nb_analyze_relation(an, (const Sc__Relation *)message, out, err);
    an->views = keep;
    an->database = database;
    an->with = keep_stack;
    an->cap_with = keep_cap;
    an->n_with = keep_with;
    NB_TRY(st);
    NB_TRY(nb_plan_alias(an, *out, parts, (int)n, out, err));
    (*out)->u.alias.is_closed = true;
    return NB_OK;
}

nb_status
nb_analyze_read(nb_analyzer *an, const Sc__Read *read, nb_plan **out, nb_error *err)
{
    if (read->has_is_streaming && read->is_streaming) {
        return nb_raise_unsupported(err, "Structured Streaming");
    }
    if (read->read_type_case == SC__READ__READ_TYPE_DATA_SOURCE) {
        return read_files(an, read->data_source, out, err);
    }
    if (read->read_type_case == SC__READ__READ_TYPE_NAMED_TABLE) {
        return read_named(an, nb_pb_str(read->named_table->unparsed_identifier), out, err);
    }
    return nb_raise(err, NB_COND_INVALID_PLAN, "message", "a read without a source", NULL);
}

nb_status
nb_analyze_table(nb_analyzer *an, ProtobufCBinaryData name, nb_plan **out, nb_error *err)
{
    return read_named(an, nb_pb_str(name), out, err);
}
