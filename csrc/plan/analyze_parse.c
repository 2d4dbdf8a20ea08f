/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_parse.c: spark.read.csv(df) and spark.read.json(df): the texts of a column, read as a file of that format.
 *
 * The column's query runs now, as Spark's does when there is no schema to go by.
 */
#include "plan/analyzer_internal.h"

#include "column/table.h"
#include "io/relation.h"

nb_status
nb_analyze_parse(nb_analyzer *an, const Sc__Parse *p, nb_plan **out, nb_error *err)
{
    nb_read_request req = {
        .info = an->cfg.info, .cancel = an->cfg.cancel, .n_threads = an->cfg.n_threads};
    nb_option *options = NB_ARENA_ARRAY(an->arena, nb_option, p->n_options + 1);
    nb_relation *rel = NULL;
    nb_table *table = NULL;
    nb_plan *input;
    nb_status st;

    NB_NEED(options);
    switch (p->format) {
    case SC__PARSE__PARSE_FORMAT__PARSE_FORMAT_CSV: req.format = NB_STR("csv"); break;
    case SC__PARSE__PARSE_FORMAT__PARSE_FORMAT_JSON: req.format = NB_STR("json"); break;
    default: return nb_raise_unsupported(err, "XML");
    }
    if (p->input == NULL || !an->cfg.run) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message", "texts to parse that are missing",
                        NULL);
    }
    for (size_t i = 0; i < p->n_options; i++) {
        options[i] = (nb_option){nb_str_of(p->options[i]->key), nb_pb_str(p->options[i]->value)};
    }
    req.options = options;
    req.n_options = (int)p->n_options;
    if (p->schema) {
        NB_TRY(nb_resolve_type(an, p->schema, &req.schema, err));
        if (req.schema->id != NB_TYPE_STRUCT) {
            return nb_raise(err, NB_COND_INVALID_PLAN, "message",
                            "the schema of texts to parse must be a struct", NULL);
        }
    }
    NB_TRY(nb_analyze_relation(an, p->input, &input, err));
    if (input->n_attrs != 1 || !nb_type_is_string(input->attrs[0].type)) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message",
                        "texts to parse must be a single column of strings", NULL);
    }
    NB_TRY(an->cfg.run(an->cfg.run_payload, input, &table, err));
    st = nb_relation_of_texts(an->cfg.pool, &req, table, &rel, err);
    nb_table_release(table);
    NB_TRY(st);
    return nb_plan_of_relation(an, rel, out, err);
}
