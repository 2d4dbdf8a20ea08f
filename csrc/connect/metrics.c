/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics.c: df.observe(): what was observed goes into the result, as Spark's server sends it.
 *
 * The rows under an observation are made once and kept (what does not fit into memory in mapped files); its metrics and the rest of the plan then
 * read them. So the metrics are those of all rows, also where a limit above wants few: Spark's are then of those that happened to be
 * made. A DataFrame that occurs twice in a plan is observed once.
 */
#include "base/decimal.h"
#include "connect/query.h"
#include "plan/analyzer_internal.h"
#include "plan/type_proto.h"

/* ---- values ---------------------------------------------------------------------------------- */

typedef Sc__Expression__Literal literal;

static nb_status make_literal(nb_arena *arena, const nb_vector *v, int64_t row, literal **out);

#define IS(kind) SC__EXPRESSION__LITERAL__LITERAL_TYPE_##kind

/* Rows [from, from+n). */
static nb_status
make_list(nb_arena *arena, const nb_vector *v, int64_t from, int64_t n, literal ***out)
{
    *out = NB_ARENA_ARRAY(arena, literal *, n + 1);
    NB_NEED(*out);
    for (int64_t i = 0; i < n; i++) {
        NB_TRY(make_literal(arena, v, from + i, &(*out)[i]));
    }
    return NB_OK;
}

static nb_status
make_decimal(nb_arena *arena, const nb_vector *v, const nb_type *t, int64_t row, literal *l)
{
    char text[64];
    nb_int128 x = t->phys == NB_PHYS_INT128 ? NB_DATA(nb_int128, v)[row] : NB_DATA(int64_t, v)[row];
    nb_str s = nb_arena_str(arena, (nb_str){text, nb_decimal_format(x, t->scale, text)});

    l->decimal =
        NB_MESSAGE(arena, Sc__Expression__Literal__Decimal, sc__expression__literal__decimal);
    NB_NEED(l->decimal && s.data);
    l->decimal->has_value = l->decimal->has_precision = l->decimal->has_scale = true;
    l->decimal->value = nb_pb_bytes(s);
    l->decimal->precision = t->precision;
    l->decimal->scale = t->scale;
    l->literal_type_case = IS(DECIMAL);
    return NB_OK;
}

static nb_status
make_nested(nb_arena *arena, const nb_vector *v, const nb_type *t, int64_t row, literal *l)
{
    nb_list at = t->phys == NB_PHYS_LIST ? NB_DATA(nb_list, v)[row] : (nb_list){0, 0};

    if (t->id == NB_TYPE_ARRAY) {
        l->array =
            NB_MESSAGE(arena, Sc__Expression__Literal__Array, sc__expression__literal__array);
        NB_NEED(l->array);
        l->array->element_type = nb_type_to_proto(arena, t->children[0].type);
        NB_NEED(l->array->element_type);
        l->array->n_elements = at.len;
        l->literal_type_case = IS(ARRAY);
        return make_list(arena, &v->children[0], at.offset, at.len, &l->array->elements);
    }
    if (t->id == NB_TYPE_MAP) {
        l->map = NB_MESSAGE(arena, Sc__Expression__Literal__Map, sc__expression__literal__map);
        NB_NEED(l->map);
        l->map->key_type = nb_type_to_proto(arena, t->children[0].type);
        l->map->value_type = nb_type_to_proto(arena, t->children[1].type);
        NB_NEED(l->map->key_type && l->map->value_type);
        l->map->n_keys = l->map->n_values = at.len;
        l->literal_type_case = IS(MAP);
        NB_TRY(make_list(arena, &v->children[0], at.offset, at.len, &l->map->keys));
        return make_list(arena, &v->children[1], at.offset, at.len, &l->map->values);
    }
    l->struct_ =
        NB_MESSAGE(arena, Sc__Expression__Literal__Struct, sc__expression__literal__struct);
    NB_NEED(l->struct_);
    l->struct_->struct_type = nb_type_to_proto(arena, t);
    l->struct_->elements = NB_ARENA_ARRAY(arena, literal *, t->n_children + 1);
    NB_NEED(l->struct_->struct_type && l->struct_->elements);
    l->literal_type_case = IS(STRUCT);
    for (int i = 0; i < t->n_children; i++) {
        NB_TRY(make_literal(arena, &v->children[i], row, &l->struct_->elements[i]));
        l->struct_->n_elements++;
    }
    return NB_OK;
}

#define SCALAR(ID, KIND, field, C)       \
    case NB_TYPE_##ID:                   \
        l->literal_type_case = IS(KIND); \
        l->field = NB_DATA(C, v)[row];   \
        return NB_OK

/* v is flat. */
static nb_status
make_literal(nb_arena *arena, const nb_vector *v, int64_t row, literal **out)
{
    const nb_type *t = nb_type_storage(v->type);
    literal *l = *out = NB_MESSAGE(arena, literal, sc__expression__literal);
    const nb_view *view;
    nb_vector flat;
    nb_str text;

    NB_NEED(l);
    if (v->kind != NB_VEC_FLAT) {
        NB_TRY(nb_vector_flatten(arena, v, &flat));
        v = &flat;
    }
    if (t->id == NB_TYPE_NULL || !nb_is_valid(v->validity, row)) {
        l->literal_type_case = IS(NULL);
        l->null = nb_type_to_proto(arena, v->type);
        return l->null ? NB_OK : NB_NOMEM;
    }
    switch (t->id) {
        SCALAR(BOOL, BOOLEAN, boolean, uint8_t);
        SCALAR(INT8, BYTE, byte, int8_t);
        SCALAR(INT16, SHORT, short_, int16_t);
        SCALAR(INT32, INTEGER, integer, int32_t);
        SCALAR(INT64, LONG, long_, int64_t);
        SCALAR(FLOAT32, FLOAT, float_, float);
        SCALAR(FLOAT64, DOUBLE, double_, double);
        SCALAR(DATE, DATE, date, int32_t);
        SCALAR(TIMESTAMP, TIMESTAMP, timestamp, int64_t);
        SCALAR(TIMESTAMP_NTZ, TIMESTAMP_NTZ, timestamp_ntz, int64_t);
        SCALAR(INTERVAL_YM, YEAR_MONTH_INTERVAL, year_month_interval, int32_t);
        SCALAR(INTERVAL_DT, DAY_TIME_INTERVAL, day_time_interval, int64_t);
    case NB_TYPE_DECIMAL: return make_decimal(arena, v, t, row, l);
    case NB_TYPE_STRING:
    case NB_TYPE_CHAR:
    case NB_TYPE_VARCHAR:
    case NB_TYPE_BINARY:
        view = &NB_DATA(nb_view, v)[row];
        text = nb_arena_str(arena, (nb_str){nb_view_data(view), view->len});
        NB_NEED(text.data);
        if (t->id == NB_TYPE_BINARY) {
            l->literal_type_case = IS(BINARY);
            l->binary = nb_pb_bytes(text);
        } else {
            l->literal_type_case = IS(STRING);
            l->string = nb_pb_bytes(text);
        }
        return NB_OK;
    case NB_TYPE_TIME:
        l->time = NB_MESSAGE(arena, Sc__Expression__Literal__Time, sc__expression__literal__time);
        NB_NEED(l->time);
        l->time->has_nano = l->time->has_precision = true;
        l->time->nano = NB_DATA(int64_t, v)[row];
        l->time->precision = t->precision;
        l->literal_type_case = IS(TIME);
        return NB_OK;
    case NB_TYPE_INTERVAL: {
        const nb_interval *i = &NB_DATA(nb_interval, v)[row];

        l->calendar_interval = NB_MESSAGE(arena, Sc__Expression__Literal__CalendarInterval,
                                          sc__expression__literal__calendar_interval);
        NB_NEED(l->calendar_interval);
        l->calendar_interval->has_months = l->calendar_interval->has_days =
            l->calendar_interval->has_microseconds = true;
        l->calendar_interval->months = i->months;
        l->calendar_interval->days = i->days;
        l->calendar_interval->microseconds = i->us;
        l->literal_type_case = IS(CALENDAR_INTERVAL);
        return NB_OK;
    }
    default: return make_nested(arena, v, t, row, l);
    }
}

/* ---- observations ---------------------------------------------------------------------------- */

static nb_status
pack(nb_query *q, const nb_observation *o, const nb_table *row, nb_error *err)
{
    const nb_type *schema = row->schema;
    Sc__ExecutePlanResponse__ObservedMetrics *m =
        NB_MESSAGE(q->arena, Sc__ExecutePlanResponse__ObservedMetrics,
                   sc__execute_plan_response__observed_metrics);
    const nb_chunk *chunk = NULL;
    nb_kept_metrics *kept = NB_ARENA_NEW(q->arena, nb_kept_metrics);

    for (int i = 0; i < row->n_chunks && !chunk; i++) {
        chunk = row->chunks[i]->n_rows > 0 ? row->chunks[i] : NULL;
    }
    if (!chunk) {
        return nb_raise_internal(err, "metrics without a row");
    }
    NB_NEED(m && kept);
    m->values = NB_ARENA_ARRAY(q->arena, literal *, schema->n_children + 1);
    m->keys = NB_ARENA_ARRAY(q->arena, ProtobufCBinaryData, schema->n_children + 1);
    NB_NEED(m->values && m->keys);
    m->has_name = m->has_plan_id = true;
    m->name = nb_pb_bytes(o->name);
    m->plan_id = o->plan_id;
    for (int i = 0; i < schema->n_children; i++) {
        NB_TRY(make_literal(q->arena, &chunk->cols[i], 0, &m->values[i]));
        m->keys[m->n_keys++] = nb_pb_bytes(schema->children[i].name);
        m->n_values++;
    }
    *kept = (nb_kept_metrics){.name = o->name, .bytes = nb_message_bytes(q->arena, &m->base)};
    NB_NEED(kept->bytes.data);
    for (nb_kept_metrics **at = &q->metrics;; at = &(*at)->next) {
        if (!*at) {
            *at = kept;
            return NB_OK;
        }
        if (nb_str_equal((*at)->name, o->name)) {
            return NB_OK;
        }
    }
}

/* A leaf with the input's attributes. Who prunes its columns prunes them in place, so that each plan needs its own. */
static nb_status
make_leaf(nb_arena *arena, const nb_plan *input, nb_plan **out)
{
    nb_plan *leaf = nb_plan_new(arena, NB_PLAN_TABLE, 0, input->n_attrs);

    NB_NEED(leaf);
    memcpy(leaf->attrs, input->attrs, sizeof(nb_attr) * (size_t)input->n_attrs);
    leaf->u.table.columns = NB_ARENA_ARRAY(arena, int, input->n_attrs + 1);
    NB_NEED(leaf->u.table.columns);
    for (int i = 0; i < input->n_attrs; i++) {
        leaf->u.table.columns[i] = i;
    }
    *out = leaf;
    return NB_OK;
}

/* Makes the input's rows and keeps them as long as the query. */
static nb_status
keep_rows(nb_query *q, nb_plan *input, nb_table **out, nb_error *err)
{
    nb_plan *shown;
    nb_status st;

    NB_TRY(nb_plan_narrow(q->arena, input, input->attrs, input->n_attrs, &shown));
    for (int i = 0; i < input->n_attrs; i++) {
        shown->attrs[i].hidden = false;
    }
    NB_TRY(nb_query_run_kept(q, shown, out, err));
    st = nb_analyzer_keep_table(q->analyzer, *out);
    nb_table_release(*out);
    return st;
}

static void
put_leaf(nb_plan *p, const nb_plan *input, nb_plan *leaf)
{
    for (int i = 0; i < p->n_children; i++) {
        if (p->children[i] == input) {
            p->children[i] = leaf;
        } else {
            put_leaf(p->children[i], input, leaf);
        }
    }
}

static nb_status
observe(nb_query *q, nb_plan *p, nb_error *err)
{
    nb_observation *o = p->kind == NB_PLAN_PROJECT ? p->u.project.observed : NULL;
    nb_plan *leaf, *observed;
    nb_table *table, *row;
    nb_status st;

    for (int i = 0; i < p->n_children && p->kind != NB_PLAN_CACHED; i++) {
        NB_TRY(observe(q, p->children[i], err));
    }
    if (!o) {
        return NB_OK;
    }
    p->u.project.observed = NULL;
    NB_TRY(make_leaf(q->arena, p->children[0], &leaf));
    NB_TRY(make_leaf(q->arena, p->children[0], &observed));
    NB_TRY(keep_rows(q, p->children[0], &table, err));
    leaf->u.table.table = observed->u.table.table = table;
    put_leaf(o->metrics, o->input, observed);
    p->children[0] = leaf;
    NB_TRY(nb_query_run(q, o->metrics, &row, err));
    st = pack(q, o, row, err);
    nb_table_release(row);
    return st;
}

nb_status
nb_query_observe(nb_query *q, nb_plan *plan, nb_error *err)
{
    return q->analyzer && q->analyzer->observed ? observe(q, plan, err) : NB_OK;
}

nb_status
nb_query_take_metrics(const nb_query *q, nb_result *result)
{
    int n = 0;

    for (const nb_kept_metrics *m = q->metrics; m; m = m->next) {
        n++;
    }
    result->metrics = n ? NB_ARENA_ARRAY(result->arena, nb_str, n) : NULL;
    if (n && !result->metrics) {
        return NB_NOMEM;
    }
    for (const nb_kept_metrics *m = q->metrics; m; m = m->next) {
        result->metrics[result->n_metrics] = nb_arena_str(result->arena, m->bytes);
        NB_NEED(result->metrics[result->n_metrics].data);
        result->n_metrics++;
    }
    return NB_OK;
}
