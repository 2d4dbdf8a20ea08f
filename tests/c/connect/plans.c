/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plans.c: see plans.h.
 */
#include "connect/plans.h"

#include <stdlib.h>
#include "spark/connect/ml.pb-c.h"

static ProtobufCBinaryData
text(const char *s)
{
    return nb_pb_bytes(nb_str_of(s));
}

static int
count(const char *const *list)
{
    int n = 0;

    while (list != NULL && list[n] != NULL) {
        n++;
    }
    return n;
}

static Sc__Relation *
relation(nb_arena *arena, Sc__Relation__RelTypeCase kind)
{
    Sc__Relation *rel = NB_MESSAGE(arena, Sc__Relation, sc__relation);

    NB_ASSERT(rel != NULL);
    rel->rel_type_case = kind;
    return rel;
}

Sc__Relation *
plan_sql(nb_arena *arena, const char *query)
{
    Sc__Relation *rel = relation(arena, SC__RELATION__REL_TYPE_SQL);

    rel->sql = NB_MESSAGE(arena, Sc__SQL, sc__sql);
    rel->sql->has_query = true;
    rel->sql->query = text(query);
    return rel;
}

Sc__Relation *
plan_read(nb_arena *arena, const char *format, const char *path, const char *schema,
          const char *const *options)
{
    Sc__Relation *rel = relation(arena, SC__RELATION__REL_TYPE_READ);
    Sc__Read__DataSource *source = NB_MESSAGE(arena, Sc__Read__DataSource, sc__read__data_source);

    rel->read = NB_MESSAGE(arena, Sc__Read, sc__read);
    rel->read->read_type_case = SC__READ__READ_TYPE_DATA_SOURCE;
    rel->read->data_source = source;
    source->has_format = true;
    source->format = text(format);
    source->has_schema = schema != NULL;
    source->schema = text(schema ? schema : "");
    source->n_paths = 1;
    source->paths = NB_ARENA_ARRAY(arena, ProtobufCBinaryData, 1);
    source->paths[0] = text(path);
    source->n_options = (size_t)count(options) / 2;
    source->options =
        NB_ARENA_ARRAY(arena, Sc__Read__DataSource__OptionsEntry *, source->n_options + 1);
    for (size_t i = 0; i < source->n_options; i++) {
        Sc__Read__DataSource__OptionsEntry *entry = NB_MESSAGE(
            arena, Sc__Read__DataSource__OptionsEntry, sc__read__data_source__options_entry);

        entry->key = (char *)options[2 * i];
        entry->has_value = true;
        entry->value = text(options[2 * i + 1]);
        source->options[i] = entry;
    }
    return rel;
}

static Sc__Expression__Literal *
literal(nb_arena *arena, Sc__Expression__Literal__LiteralTypeCase kind)
{
    Sc__Expression__Literal *lit =
        NB_MESSAGE(arena, Sc__Expression__Literal, sc__expression__literal);

    lit->literal_type_case = kind;
    return lit;
}

static Sc__Expression__Literal *
string_literal(nb_arena *arena, const char *s)
{
    Sc__Expression__Literal *lit = literal(arena, SC__EXPRESSION__LITERAL__LITERAL_TYPE_STRING);

    lit->string = text(s);
    return lit;
}

static Sc__MlParams *
params_new(nb_arena *arena, int n)
{
    Sc__MlParams *params = NB_MESSAGE(arena, Sc__MlParams, sc__ml_params);

    params->params = NB_ARENA_ARRAY(arena, Sc__MlParams__ParamsEntry *, n + 1);
    return params;
}

static void
params_add(nb_arena *arena, Sc__MlParams *params, const char *name, Sc__Expression__Literal *value)
{
    Sc__MlParams__ParamsEntry *entry =
        NB_MESSAGE(arena, Sc__MlParams__ParamsEntry, sc__ml_params__params_entry);

    entry->key = (char *)name;
    entry->value = value;
    params->params[params->n_params++] = entry;
}

static Sc__MlOperator *
operator_new(nb_arena *arena, const char *name, Sc__MlOperator__OperatorType type)
{
    Sc__MlOperator *op = NB_MESSAGE(arena, Sc__MlOperator, sc__ml_operator);

    op->has_name = op->has_uid = op->has_type = true;
    op->name = text(name);
    op->uid = text("uid");
    op->type = type;
    return op;
}

Sc__Relation *
plan_assemble(nb_arena *arena, Sc__Relation *input, const char *const *columns)
{
    Sc__Relation *rel = relation(arena, SC__RELATION__REL_TYPE_ML_RELATION);
    Sc__MlRelation__Transform *t =
        NB_MESSAGE(arena, Sc__MlRelation__Transform, sc__ml_relation__transform);
    Sc__Expression__Literal *list = literal(arena, SC__EXPRESSION__LITERAL__LITERAL_TYPE_ARRAY);
    int n = count(columns);

    list->array = NB_MESSAGE(arena, Sc__Expression__Literal__Array, sc__expression__literal__array);
    list->array->elements = NB_ARENA_ARRAY(arena, Sc__Expression__Literal *, n + 1);
    for (int i = 0; i < n; i++) {
        list->array->elements[list->array->n_elements++] = string_literal(arena, columns[i]);
    }
    t->input = input;
    t->operator_case = SC__ML_RELATION__TRANSFORM__OPERATOR_TRANSFORMER;
    t->transformer = operator_new(arena, "org.apache.spark.ml.feature.VectorAssembler",
                                  SC__ML_OPERATOR__OPERATOR_TYPE__OPERATOR_TYPE_TRANSFORMER);
    t->params = params_new(arena, 2);
    params_add(arena, t->params, "inputCols", list);
    params_add(arena, t->params, "outputCol", string_literal(arena, "features"));
    rel->ml_relation = NB_MESSAGE(arena, Sc__MlRelation, sc__ml_relation);
    rel->ml_relation->ml_type_case = SC__ML_RELATION__ML_TYPE_TRANSFORM;
    rel->ml_relation->transform = t;
    return rel;
}

Sc__Relation *
plan_transposed(nb_arena *arena, Sc__Relation *input)
{
    Sc__Relation *rel = relation(arena, SC__RELATION__REL_TYPE_TRANSPOSE);

    rel->transpose = NB_MESSAGE(arena, Sc__Transpose, sc__transpose);
    rel->transpose->input = input;
    return rel;
}

Sc__Relation *
plan_observed(nb_arena *arena, Sc__Relation *input, const char *metric)
{
    Sc__Relation *rel = relation(arena, SC__RELATION__REL_TYPE_COLLECT_METRICS);
    Sc__Expression *e = NB_MESSAGE(arena, Sc__Expression, sc__expression);

    e->expr_type_case = SC__EXPRESSION__EXPR_TYPE_EXPRESSION_STRING;
    e->expression_string =
        NB_MESSAGE(arena, Sc__Expression__ExpressionString, sc__expression__expression_string);
    e->expression_string->has_expression = true;
    e->expression_string->expression = text(metric);
    rel->collect_metrics = NB_MESSAGE(arena, Sc__CollectMetrics, sc__collect_metrics);
    rel->collect_metrics->input = input;
    rel->collect_metrics->has_name = true;
    rel->collect_metrics->name = text("seen");
    rel->collect_metrics->metrics = NB_ARENA_ARRAY(arena, Sc__Expression *, 1);
    rel->collect_metrics->metrics[rel->collect_metrics->n_metrics++] = e;
    return rel;
}

static nb_str
packed(nb_arena *arena, Sc__Plan *plan)
{
    nb_str bytes = nb_message_bytes(arena, &plan->base);

    NB_ASSERT(bytes.data != NULL);
    return bytes;
}

nb_str
plan_of_relation(nb_arena *arena, Sc__Relation *rel)
{
    Sc__Plan *plan = NB_MESSAGE(arena, Sc__Plan, sc__plan);

    plan->op_type_case = SC__PLAN__OP_TYPE_ROOT;
    plan->root = rel;
    return packed(arena, plan);
}

static nb_str
plan_of_command(nb_arena *arena, Sc__Command *command)
{
    Sc__Plan *plan = NB_MESSAGE(arena, Sc__Plan, sc__plan);

    plan->op_type_case = SC__PLAN__OP_TYPE_COMMAND;
    plan->command = command;
    return packed(arena, plan);
}

nb_str
plan_of_view(nb_arena *arena, const char *name, Sc__Relation *rel)
{
    Sc__Command *command = NB_MESSAGE(arena, Sc__Command, sc__command);
    Sc__CreateDataFrameViewCommand *view =
        NB_MESSAGE(arena, Sc__CreateDataFrameViewCommand, sc__create_data_frame_view_command);

    view->input = rel;
    view->has_name = view->has_replace = view->replace = true;
    view->name = text(name);
    command->command_type_case = SC__COMMAND__COMMAND_TYPE_CREATE_DATAFRAME_VIEW;
    command->create_dataframe_view = view;
    return plan_of_command(arena, command);
}

nb_str
plan_of_write(nb_arena *arena, Sc__Relation *rel, const char *format, const char *path, int mode,
              const char *partition_by)
{
    Sc__Command *command = NB_MESSAGE(arena, Sc__Command, sc__command);
    Sc__WriteOperation *w = NB_MESSAGE(arena, Sc__WriteOperation, sc__write_operation);

    w->input = rel;
    w->has_source = w->has_mode = true;
    w->source = text(format);
    w->save_type_case = SC__WRITE_OPERATION__SAVE_TYPE_PATH;
    w->path = text(path);
    w->mode = (Sc__WriteOperation__SaveMode)mode;
    if (partition_by != NULL) {
        w->n_partitioning_columns = 1;
        w->partitioning_columns = NB_ARENA_ARRAY(arena, ProtobufCBinaryData, 1);
        w->partitioning_columns[0] = text(partition_by);
    }
    command->command_type_case = SC__COMMAND__COMMAND_TYPE_WRITE_OPERATION;
    command->write_operation = w;
    return plan_of_command(arena, command);
}

nb_str
plan_of_fit(nb_arena *arena, const char *estimator, Sc__Relation *rel, const char *const *params)
{
    Sc__Command *command = NB_MESSAGE(arena, Sc__Command, sc__command);
    Sc__MlCommand *ml = NB_MESSAGE(arena, Sc__MlCommand, sc__ml_command);
    Sc__MlCommand__Fit *fit = NB_MESSAGE(arena, Sc__MlCommand__Fit, sc__ml_command__fit);
    int n = count(params) / 2;

    fit->estimator =
        operator_new(arena, estimator, SC__ML_OPERATOR__OPERATOR_TYPE__OPERATOR_TYPE_ESTIMATOR);
    fit->params = params_new(arena, n);
    for (int i = 0; i < n; i++) {
        Sc__Expression__Literal *value =
            literal(arena, SC__EXPRESSION__LITERAL__LITERAL_TYPE_INTEGER);

        value->integer = atoi(params[2 * i + 1]);
        params_add(arena, fit->params, params[2 * i], value);
    }
    fit->dataset = rel;
    ml->command_case = SC__ML_COMMAND__COMMAND_FIT;
    ml->fit = fit;
    command->command_type_case = SC__COMMAND__COMMAND_TYPE_ML_COMMAND;
    command->ml_command = ml;
    return plan_of_command(arena, command);
}
