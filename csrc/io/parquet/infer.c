/* SPDX-License-Identifier: Apache-2.0 */
/*
 * infer.c: the schema of a relation of Parquet files, as Spark finds it.
 *
 * The first file's; with mergeSchema (option, or spark.sql.parquet.mergeSchema) the columns of all files, in the order in which they come up. Types of a
 * name must then be equal, fields of structs are merged in turn.
 */
#include "base/config.h"
#include "io/parquet/parquet.h"
#include "io/parquet/spark_schema.h"

static nb_status
schema_of(nb_relation *rel, const nb_pq_meta *m, const nb_type **out, nb_error *err)
{
    nb_field *fields = NB_ARENA_ARRAY(rel->arena, nb_field, m->n_fields + 1);
    const nb_type *type;

    if (!fields) {
        return NB_NOMEM;
    }
    for (int i = 0; i < m->n_fields; i++) {
        const nb_pq_node *node = &m->fields[i];
        for (int c = node->leaf; c < node->leaf + node->n_leaves; c++) {
            if (!m->columns[c].type) {
                return nb_pq_refuse(&m->columns[c], err);
            }
        }
        fields[i] = (nb_field){.name = node->name, .type = node->type, .nullable = true};
    }
    type = nb_type_struct(fields, m->n_fields);
    if (!type) {
        return NB_NOMEM;
    }
    if (m->spark_schema.len) {
        return nb_pq_spark_refine(rel->arena, m->spark_schema, type, out);
    }
    *out = type;
    return NB_OK;
}

/* NB_DONE: they cannot be merged. */
static nb_status merge(nb_arena *arena, const nb_type *a, const nb_type *b, const nb_type **out);

static nb_status
merge_structs(nb_arena *arena, const nb_type *a, const nb_type *b, const nb_type **out)
{
    int n = a->n_children;
    nb_field *fields = NB_ARENA_ARRAY(arena, nb_field, n + b->n_children + 1);

    if (!fields) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        fields[i] = a->children[i];
    }
    for (int k = 0; k < b->n_children; k++) {
        const nb_field *f = &b->children[k];
        int at = 0;
        nb_status st;
        while (at < a->n_children && !nb_str_equal_nocase(fields[at].name, f->name)) {
            at++;
        }
        if (at == a->n_children) {
            fields[n++] = *f;
            continue;
        }
        st = merge(arena, fields[at].type, f->type, &fields[at].type);
        if (st != NB_OK) {
            return st;
        }
    }
    *out = nb_type_struct(fields, n);
    return *out ? NB_OK : NB_NOMEM;
}

static nb_status
merge(nb_arena *arena, const nb_type *a, const nb_type *b, const nb_type **out)
{
    const nb_type *key, *value;
    nb_status st;

    if (a == b) {
        *out = a;
        return NB_OK;
    }
    if (a->id != b->id) {
        return NB_DONE;
    }
    switch (a->id) {
    case NB_TYPE_STRUCT: return merge_structs(arena, a, b, out);
    case NB_TYPE_ARRAY:
        st = merge(arena, a->children[0].type, b->children[0].type, &value);
        if (st == NB_OK) {
            *out = nb_type_array(value, true);
        }
        break;
    case NB_TYPE_MAP:
        st = merge(arena, a->children[0].type, b->children[0].type, &key);
        if (st == NB_OK) {
            st = merge(arena, a->children[1].type, b->children[1].type, &value);
        }
        if (st == NB_OK) {
            *out = nb_type_map(key, value, true);
        }
        break;
    default: return NB_DONE;
    }
    return st != NB_OK ? st : *out ? NB_OK : NB_NOMEM;
}

static nb_status
raise_unmergeable(nb_arena *arena, const nb_type *left, const nb_type *right, nb_error *err)
{
    const char *a = nb_type_sql(arena, left), *b = nb_type_sql(arena, right);
    const char *qa = nb_arena_printf(arena, "\"%s\"", a ? a : "");
    const char *qb = nb_arena_printf(arena, "\"%s\"", b ? b : "");

    return a && b && qa && qb
               ? nb_raise(err, NB_COND_CANNOT_MERGE_SCHEMAS, "left", qa, "right", qb, NULL)
               : NB_NOMEM;
}

nb_status
nb_pq_infer(nb_relation *rel, const nb_session_info *info, const nb_type **out, nb_error *err)
{
    const nb_pq_relation *p = rel->payload;
    bool all = info->config && nb_config_bool(info->config, NB_CONF_PARQUET_MERGE_SCHEMA);
    const nb_type *schema;

    NB_TRY(nb_option_to_bool(rel->options, rel->n_options, "mergeSchema", all, &all, err));
    NB_TRY(schema_of(rel, p->metas[0], &schema, err));
    for (int f = 1; f < rel->files.n_files && all; f++) {
        const nb_type *next;
        nb_status st;
        NB_TRY(schema_of(rel, p->metas[f], &next, err));
        st = merge(rel->arena, schema, next, &next);
        if (st == NB_DONE) {
            return raise_unmergeable(rel->arena, schema, next, err);
        }
        NB_TRY(st);
        schema = next;
    }
    *out = schema;
    return NB_OK;
}
