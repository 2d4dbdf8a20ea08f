/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze.c: AnalyzePlanRequest: questions about plans that run nothing.
 */
#include <stdio.h>
#include "base/hash.h"
#include "base/thread.h"
#include "connect/requests.h"
#include "plan/analyzer_internal.h"
#include "plan/message_unpack.h"
#include "plan/type_json.h"
#include "plan/type_proto.h"
#include "sql/parser.h"

typedef struct analysis {
    nb_session *session;
    nb_str request;
    nb_strbuf *response;
    nb_error *err;
    nb_status st;
} analysis;

static const Sc__Relation *
root_of(const Sc__Plan *plan)
{
    return plan && plan->op_type_case == SC__PLAN__OP_TYPE_ROOT ? plan->root : NULL;
}

static nb_status
schema_of(nb_query *q, const Sc__Relation *rel, const nb_type **out, nb_error *err)
{
    nb_plan *plan;

    if (rel && (rel->rel_type_case == SC__RELATION__REL_TYPE_SHOW_STRING ||
                rel->rel_type_case == SC__RELATION__REL_TYPE_HTML_STRING)) {
        nb_field f = {NB_STR("show_string"), nb_type_of(NB_TYPE_STRING), false, {NULL, 0}};
        *out = nb_type_struct(&f, 1);
        return *out ? NB_OK : NB_NOMEM;
    }
    if (rel && rel->rel_type_case == SC__RELATION__REL_TYPE_CATALOG &&
        rel->catalog->cat_type_case != SC__CATALOG__CAT_TYPE_CREATE_TABLE) {
        nb_table *t;
        NB_TRY(nb_query_catalog(q, rel->catalog, &t, err));
        *out = t->schema;
        nb_table_release(t);
        return NB_OK;
    }
    NB_TRY(nb_query_analyze(q, rel, &plan, err));
    *out = nb_plan_schema(q->arena, plan);
    return *out ? NB_OK : NB_NOMEM;
}

/* printSchema's tree. */
static void
tree_of(nb_strbuf *out, const nb_type *t, const char *name, int name_len, bool nullable,
        const char *prefix, const char *null_word, int level, int max_level)
{
    char deeper[512];
    nb_arena *scratch = nb_arena_new(NULL);
    const char *simple = t->id == NB_TYPE_STRUCT  ? "struct"
                         : t->id == NB_TYPE_ARRAY ? "array"
                         : t->id == NB_TYPE_MAP   ? "map"
                         : t->id == NB_TYPE_INT32 ? "integer"
                         : t->id == NB_TYPE_INT64 ? "long"
                         : t->id == NB_TYPE_INT16 ? "short"
                         : t->id == NB_TYPE_INT8  ? "byte"
                         : t->id == NB_TYPE_UDT   ? "vector"
                         : scratch                ? nb_type_simple_string(scratch, t)
                                                  : "";

    nb_strbuf_addf(out, "%s-- %.*s: %s (%s = %s)\n", prefix, name_len, name, simple, null_word,
                   nullable ? "true" : "false");
    nb_arena_free(scratch);
    if (level >= max_level || strlen(prefix) + 8 > sizeof deeper) {
        return;
    }
    snprintf(deeper, sizeof deeper, "%s    |", prefix);
    if (t->id == NB_TYPE_STRUCT) {
        for (int i = 0; i < t->n_children; i++) {
            const nb_field *f = &t->children[i];
            tree_of(out, f->type, f->name.data, (int)f->name.len, f->nullable, deeper, "nullable",
                    level + 1, max_level);
        }
    } else if (t->id == NB_TYPE_ARRAY) {
        tree_of(out, t->children[0].type, "element", 7, t->contains_null, deeper, "containsNull",
                level + 1, max_level);
    } else if (t->id == NB_TYPE_MAP) {
        const nb_type *k = t->children[0].type;
        nb_strbuf key = {0};
        tree_of(&key, k, "key", 3, false, deeper, "\1", level + 1, max_level);
        /* a key has no nullability of its own */
        for (size_t i = 0; i < key.len; i++) {
            if (key.data[i] == ' ' && i + 1 < key.len && key.data[i + 1] == '(' &&
                i + 2 < key.len && key.data[i + 2] == '\1') {
                while (i < key.len && key.data[i] != '\n') {
                    i++;
                }
                nb_strbuf_addc(out, '\n');
            } else {
                nb_strbuf_addc(out, key.data[i]);
            }
        }
        nb_strbuf_free(&key);
        tree_of(out, t->children[1].type, "value", 5, t->contains_null, deeper, "valueContainsNull",
                level + 1, max_level);
    }
}

void
nb_schema_tree(nb_strbuf *out, const nb_type *schema, int max_level)
{
    nb_strbuf_adds(out, "root\n");
    for (int i = 0; i < schema->n_children; i++) {
        const nb_field *f = &schema->children[i];
        tree_of(out, f->type, f->name.data, (int)f->name.len, f->nullable, " |", "nullable", 1,
                max_level <= 0 ? 1 << 20 : max_level);
    }
}

static ProtobufCBinaryData
keep_text(nb_query *q, nb_strbuf *b)
{
    return nb_pb_bytes(nb_strbuf_finish(q->arena, b));
}

/* Spark says so of what a command has answered: rows that are there, without a schema of the user's. */
static bool
is_local(const Sc__Relation *rel)
{
    return rel->rel_type_case == SC__RELATION__REL_TYPE_CACHED_LOCAL_RELATION ||
           (rel->rel_type_case == SC__RELATION__REL_TYPE_LOCAL_RELATION &&
            rel->local_relation->schema.len == 0);
}

static nb_status
input_files(nb_query *q, const nb_plan *p, ProtobufCBinaryData **list, size_t *n, size_t *cap)
{
    if (p->kind == NB_PLAN_SCAN) {
        for (int i = 0; i < nb_relation_n_files(p->u.scan.relation); i++) {
            if (*n == *cap) {
                size_t wider = *cap ? *cap * 2 : 16;
                ProtobufCBinaryData *grown = NB_ARENA_ARRAY(q->arena, ProtobufCBinaryData, wider);
                NB_NEED(grown);
                if (*n) {
                    memcpy(grown, *list, sizeof **list * *n);
                }
                *list = grown;
                *cap = wider;
            }
            (*list)[(*n)++] =
                nb_pb_bytes(nb_arena_str(q->arena, nb_relation_file(p->u.scan.relation, i)));
            NB_NEED((*list)[*n - 1].data);
        }
    }
    for (int i = 0; i < p->n_children; i++) {
        NB_TRY(input_files(q, p->children[i], list, n, cap));
    }
    return NB_OK;
}

#define ANSWER(T, field, member, name)                                                          \
    Sc__AnalyzePlanResponse__##T *a = NB_MESSAGE(q->arena, Sc__AnalyzePlanResponse__##T, name); \
    NB_NEED(a);                                                                                 \
    out->result_case = SC__ANALYZE_PLAN_RESPONSE__RESULT_##field;                               \
    out->member = a

/* Bytes of a relation without plan ids, for sameSemantics: equal bytes, equal meaning. */
static void
forget_plan_ids(ProtobufCMessage *m)
{
    const ProtobufCMessageDescriptor *d = m->descriptor;

    if (d == &sc__relation_common__descriptor) {
        ((Sc__RelationCommon *)m)->has_plan_id = 0;
    }
    if (d == &sc__expression_common__descriptor) {
        ((Sc__ExpressionCommon *)m)->origin = NULL;
    }
    for (unsigned i = 0; i < d->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &d->fields[i];
        char *at = (char *)m + f->offset;
        if (f->type != PROTOBUF_C_TYPE_MESSAGE) {
            continue;
        }
        if (f->label == PROTOBUF_C_LABEL_REPEATED) {
            size_t n = *(size_t *)((char *)m + f->quantifier_offset);
            for (size_t k = 0; k < n; k++) {
                forget_plan_ids((*(ProtobufCMessage ***)at)[k]);
            }
        } else if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
            if (*(uint32_t *)((char *)m + f->quantifier_offset) == f->id &&
                *(ProtobufCMessage **)at) {
                forget_plan_ids(*(ProtobufCMessage **)at);
            }
        } else if (*(ProtobufCMessage **)at) {
            forget_plan_ids(*(ProtobufCMessage **)at);
        }
    }
}

static nb_str
semantic_bytes(nb_query *q, const Sc__Relation *rel)
{
    forget_plan_ids((ProtobufCMessage *)&rel->base);
    return nb_message_bytes(q->arena, &rel->base);
}

static nb_status
persist(nb_query *q, const Sc__Relation *rel, bool on, nb_error *err)
{
    nb_str bytes;
    int64_t id = rel && rel->common && rel->common->has_plan_id ? rel->common->plan_id : -1;
    nb_plan *plan;

    if (!rel) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message", "a relation is missing", NULL);
    }
    bytes = nb_message_bytes(q->arena, &rel->base);
    NB_NEED(bytes.data);
    if (!on) {
        nb_catalog_unpersist(q->session->catalog, id, bytes);
        return NB_OK;
    }
    NB_TRY(nb_query_analyze(q, rel, &plan, err));
    return nb_catalog_persist(q->session->catalog, id, bytes);
}

static nb_status
answer(nb_query *q, const Sc__AnalyzePlanRequest *r, Sc__AnalyzePlanResponse *out, nb_error *err)
{
    const nb_type *type;
    nb_strbuf text = {0};
    nb_plan *plan;

    switch (r->analyze_case) {
    case SC__ANALYZE_PLAN_REQUEST__ANALYZE_SCHEMA: {
        ANSWER(Schema, SCHEMA, schema, sc__analyze_plan_response__schema);
        NB_TRY(schema_of(q, root_of(r->schema->plan), &type, err));
        a->schema = nb_type_to_proto(q->arena, type);
        NB_NEED(a->schema);
        return NB_OK;
    }
    case SC__ANALYZE_PLAN_REQUEST__ANALYZE_EXPLAIN: {
        ANSWER(Explain, EXPLAIN, explain, sc__analyze_plan_response__explain);
        nb_status st = nb_query_explain(q, root_of(r->explain->plan), (int)r->explain->explain_mode,
                                        &text, err);
        a->has_explain_string = true;
        a->explain_string = keep_text(q, &text);
        NB_NEED(a->explain_string.data);
        return st;
    }
    case SC__ANALYZE_PLAN_REQUEST__ANALYZE_TREE_STRING: {
        ANSWER(TreeString, TREE_STRING, tree_string, sc__analyze_plan_response__tree_string);
        NB_TRY(schema_of(q, root_of(r->tree_string->plan), &type, err));
        nb_schema_tree(&text, type, r->tree_string->has_level ? r->tree_string->level : 0);
        a->has_tree_string = true;
        a->tree_string = keep_text(q, &text);
        NB_NEED(a->tree_string.data);
        return NB_OK;
    }
    case SC__ANALYZE_PLAN_REQUEST__ANALYZE_IS_LOCAL: {
        ANSWER(IsLocal, IS_LOCAL, is_local, sc__analyze_plan_response__is_local);
        NB_TRY(nb_query_analyze(q, root_of(r->is_local->plan), &plan, err));
        a->has_is_local = true;
        a->is_local = is_local(root_of(r->is_local->plan));
        return NB_OK;
    }
    case SC__ANALYZE_PLAN_REQUEST__ANALYZE_IS_STREAMING: {
        ANSWER(IsStreaming, IS_STREAMING, is_streaming, sc__analyze_plan_response__is_streaming);
        a->has_is_streaming = true;
        return NB_OK;
    }
    case SC__ANALYZE_PLAN_REQUEST__ANALYZE_INPUT_FILES: {
        size_t cap = 0;
        ANSWER(InputFiles, INPUT_FILES, input_files, sc__analyze_plan_response__input_files);
        NB_TRY(nb_query_analyze(q, root_of(r->input_files->plan), &plan, err));
        return input_files(q, plan, &a->files, &a->n_files, &cap);
    }
    case SC__ANALYZE_PLAN_REQUEST__ANALYZE_SPARK_VERSION: {
        ANSWER(SparkVersion, SPARK_VERSION, spark_version,
               sc__analyze_plan_response__spark_version);
        a->has_version = true;
        a->version = nb_pb_bytes(NB_STR("4.2.0"));
        return NB_OK;
    }
    case SC__ANALYZE_PLAN_REQUEST__ANALYZE_DDL_PARSE: {
        nb_str ddl = nb_pb_str(r->ddl_parse->ddl_string);
        nb_error no_type = NB_ERROR_INIT;
        Sc__DataType *parsed;
        nb_status st;

        ANSWER(DDLParse, DDL_PARSE, ddl_parse, sc__analyze_plan_response__ddlparse);
        st = nb_sql_parse_data_type(q->arena, ddl, &parsed, &no_type);
        nb_error_clear(&no_type);
        if (st == NB_ERROR) { /* not a type: the columns of a table */
            st = nb_sql_parse_table_schema(q->arena, ddl, &parsed, err);
        }
        NB_TRY(st);
        a->parsed = parsed;
        return NB_OK;
    }
    case SC__ANALYZE_PLAN_REQUEST__ANALYZE_JSON_TO_DDL: {
        ANSWER(JsonToDDL, JSON_TO_DDL, json_to_ddl, sc__analyze_plan_response__json_to_ddl);
        NB_TRY(nb_type_from_json(q->arena, nb_pb_str(r->json_to_ddl->json_string), &type, err));
        for (int i = 0; type->id == NB_TYPE_STRUCT && i < type->n_children; i++) {
            const nb_field *f = &type->children[i];
            nb_strbuf_addf(&text, "%s%.*s %s%s", i ? "," : "", (int)f->name.len, f->name.data,
                           nb_type_sql(q->arena, f->type), f->nullable ? "" : " NOT NULL");
        }
        a->has_ddl_string = true;
        a->ddl_string = keep_text(q, &text);
        NB_NEED(a->ddl_string.data);
        return NB_OK;
    }
    case SC__ANALYZE_PLAN_REQUEST__ANALYZE_SAME_SEMANTICS: {
        const Sc__Relation *x = root_of(r->same_semantics->target_plan),
                           *y = root_of(r->same_semantics->other_plan);
        ANSWER(SameSemantics, SAME_SEMANTICS, same_semantics,
               sc__analyze_plan_response__same_semantics);
        a->has_result = true;
        a->result = x && y && nb_str_equal(semantic_bytes(q, x), semantic_bytes(q, y));
        return NB_OK;
    }
    case SC__ANALYZE_PLAN_REQUEST__ANALYZE_SEMANTIC_HASH: {
        const Sc__Relation *x = root_of(r->semantic_hash->plan);
        ANSWER(SemanticHash, SEMANTIC_HASH, semantic_hash,
               sc__analyze_plan_response__semantic_hash);
        nb_str bytes = x ? semantic_bytes(q, x) : NB_STR("");
        a->has_result = true;
        a->result = (int32_t)nb_hash_bytes(bytes.data, bytes.len);
        return NB_OK;
    }
    case SC__ANALYZE_PLAN_REQUEST__ANALYZE_PERSIST: {
        ANSWER(Persist, PERSIST, persist, sc__analyze_plan_response__persist);
        return persist(q, r->persist->relation, true, err);
    }
    case SC__ANALYZE_PLAN_REQUEST__ANALYZE_UNPERSIST: {
        ANSWER(Unpersist, UNPERSIST, unpersist, sc__analyze_plan_response__unpersist);
        return persist(q, r->unpersist->relation, false, err);
    }
    case SC__ANALYZE_PLAN_REQUEST__ANALYZE_GET_STORAGE_LEVEL: {
        const Sc__Relation *rel = r->get_storage_level->relation;
        ANSWER(GetStorageLevel, GET_STORAGE_LEVEL, get_storage_level,
               sc__analyze_plan_response__get_storage_level);
        Sc__StorageLevel *level = NB_MESSAGE(q->arena, Sc__StorageLevel, sc__storage_level);
        int64_t id = rel && rel->common && rel->common->has_plan_id ? rel->common->plan_id : -1;
        NB_NEED(level);
        if (rel && nb_catalog_may_be_cached(q->session->catalog, id)) {
            nb_str bytes = nb_message_bytes(q->arena, &rel->base);
            bool cached =
                bytes.data && nb_catalog_find_cached(q->session->catalog, id, bytes) != NULL;
            level->has_use_memory = level->has_use_disk = level->has_deserialized = true;
            level->use_memory = level->use_disk = level->deserialized = cached;
        }
        level->has_replication = true;
        level->replication = 1;
        a->storage_level = level;
        return NB_OK;
    }
    default:
        return nb_raise(err, NB_COND_INVALID_PLAN, "message", "an unknown question about a plan",
                        NULL);
    }
}

static void
analyze(void *payload)
{
    analysis *x = payload;
    nb_query q;
    ProtobufCMessage *m;
    Sc__AnalyzePlanResponse *out;
    nb_str packed;

    x->st = nb_query_begin(x->session, NULL, &q, x->err);
    if (x->st < 0) {
        return;
    }
    x->st = nb_message_unpack(q.arena, &sc__analyze_plan_request__descriptor, x->request.data,
                              x->request.len, &m, x->err);
    out = NB_MESSAGE(q.arena, Sc__AnalyzePlanResponse, sc__analyze_plan_response);
    if (x->st >= 0 && !out) {
        x->st = NB_NOMEM;
    }
    if (x->st >= 0) {
        x->st = answer(&q, (const Sc__AnalyzePlanRequest *)m, out, x->err);
    }
    if (x->st >= 0) {
        out->has_session_id = true;
        out->session_id = ((const Sc__AnalyzePlanRequest *)m)->session_id;
        out->has_server_side_session_id = true;
        out->server_side_session_id = nb_pb_bytes(nb_str_of(x->session->id));
        packed = nb_message_bytes(q.arena, &out->base);
        nb_strbuf_add(x->response, packed);
        x->st = packed.data && !x->response->failed ? NB_OK : NB_NOMEM;
    }
    nb_query_end(&q);
}

nb_status
nb_session_analyze(nb_session *s, nb_str request, nb_strbuf *response, nb_error *err)
{
    analysis x = {s, request, response, err, NB_NOMEM};

    nb_run_on_big_stack(NB_PLAN_STACK_BYTES, analyze, &x);
    return nb_status_explain(x.st, err);
}
