/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_literal.c: Expression.Literal messages to literal expressions.
 *
 * A literal is a constant vector of one row. Nested literals are put together from their elements' vectors. Types follow Spark's
 * LiteralValueProtoConverter: an explicit data_type wins, else the member that is set says it.
 */
#include "plan/analyzer_internal.h"
#include "base/decimal.h"
#include "plan/type_proto.h"
#include "sql/parser.h"

/* A one-row constant of a fixed-width type with these bytes. */
static nb_status
fixed(nb_analyzer *an, nb_type_id id, const nb_type *type, const void *value, nb_expr **out)
{
    nb_vector v = {.type = type ? type : nb_type_of(id),
                   .kind = NB_VEC_CONST,
                   .n_rows = 1,
                   .data = (void *)value};

    *out = nb_expr_literal(an->arena, &v);
    return *out ? NB_OK : NB_NOMEM;
}

static nb_status
bytes(nb_analyzer *an, const nb_type *type, nb_str s, nb_expr **out)
{
    nb_view view = nb_view_make(s.data, s.len);

    return fixed(an, type->id, type, &view, out);
}

static nb_status
decimal(nb_analyzer *an, const Sc__Expression__Literal__Decimal *d, nb_expr **out, nb_error *err)
{
    nb_str text = nb_str_trim(nb_pb_str(d->value));
    const nb_type *type;
    nb_int128 value;
    int precision, scale;

    if (nb_decimal_parse_exact(text, &value, &precision, &scale) != NB_DECIMAL_OK) {
        return nb_raise(err, NB_COND_CAST_INVALID_INPUT, "expression",
                        nb_arena_printf(an->arena, "'%.*s'", (int)text.len, text.data),
                        "sourceType", "\"STRING\"", "targetType", "\"DECIMAL\"", NULL);
    }
    /* What the message declares widens what the text needs, and never narrows it. */
    if (d->has_scale && d->scale > scale) {
        if (d->scale > 38 || !nb_decimal_rescale(value, scale, d->scale, 38, &value)) {
            return nb_raise_internal(err, "decimal literal out of range");
        }
        precision += d->scale - scale;
        scale = d->scale;
    }
    precision = NB_MAX(precision, scale);
    if (d->has_precision) {
        precision = NB_MAX(precision, d->precision);
    }
    type = nb_type_decimal(precision, scale);
    if (!type) {
        return nb_raise(err, NB_COND_DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION, "precision",
                        nb_arena_printf(an->arena, "%d", precision), "maxPrecision", "38", NULL);
    }
    if (type->phys == NB_PHYS_INT64) {
        int64_t small = (int64_t)value;
        return fixed(an, NB_TYPE_DECIMAL, type, &small, out);
    }
    return fixed(an, NB_TYPE_DECIMAL, type, &value, out);
}

/* n literals as one flat vector of the given type (NULL: that of the first that is not null). */
static nb_status
elements(nb_analyzer *an, Sc__Expression__Literal *const *lits, size_t n, const nb_type *type,
         nb_vector *out, bool *has_null, nb_error *err)
{
    const nb_vector **parts = NB_ARENA_ARRAY(an->arena, const nb_vector *, n + 1);
    nb_expr **exprs = NB_ARENA_ARRAY(an->arena, nb_expr *, n + 1);

    NB_NEED(parts && exprs);
    *has_null = false;
    for (size_t i = 0; i < n; i++) {
        NB_TRY(nb_resolve_literal(an, lits[i], &exprs[i], err));
        if (!type && exprs[i]->type->id != NB_TYPE_NULL) {
            type = exprs[i]->type;
        }
    }
    type = type ? type : nb_type_of(NB_TYPE_NULL);
    for (size_t i = 0; i < n; i++) {
        if (exprs[i]->type != type) {
            nb_expr *cast;
            NB_TRY(nb_expr_cast(an->arena, exprs[i], type, NB_CAST_ANSI, &cast, err));
            NB_TRY(nb_expr_fold(an->arena, cast, an->cfg.info, &exprs[i], err));
        }
        parts[i] = exprs[i]->u.literal.value;
        *has_null |= nb_vector_is_null(parts[i], 0);
    }
    if (n == 0) {
        return nb_vector_alloc(an->arena, type, 0, out);
    }
    return nb_vector_concat(an->arena, parts, (int)n, out);
}

static nb_status
array_of(nb_analyzer *an, const nb_type *type, nb_vector *child, int64_t n, bool has_null,
         nb_expr **out)
{
    nb_list list = {0, (uint32_t)n};
    nb_vector v = {
        .kind = NB_VEC_CONST, .n_rows = 1, .data = &list, .children = child, .n_children = 1};

    v.type = type && type->id == NB_TYPE_ARRAY ? type : nb_type_array(child->type, has_null);
    *out = nb_expr_literal(an->arena, &v);
    return *out ? NB_OK : NB_NOMEM;
}

static nb_status
map_of(nb_analyzer *an, const Sc__Expression__Literal__Map *m, const nb_type *type, nb_expr **out,
       nb_error *err)
{
    nb_vector kids[2];
    nb_list list = {0, (uint32_t)m->n_keys};
    nb_vector v = {
        .kind = NB_VEC_CONST, .n_rows = 1, .data = &list, .children = kids, .n_children = 2};
    const nb_type *key = type ? type->children[0].type : NULL,
                  *value = type ? type->children[1].type : NULL;
    bool key_null, value_null;

    if (m->n_keys != m->n_values) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message",
                        "a map literal has different numbers of keys and values", NULL);
    }
    if (!key && m->key_type) {
        NB_TRY(nb_resolve_type(an, m->key_type, &key, err));
    }
    if (!value && m->value_type) {
        NB_TRY(nb_resolve_type(an, m->value_type, &value, err));
    }
    NB_TRY(elements(an, m->keys, m->n_keys, key, &kids[0], &key_null, err));
    NB_TRY(elements(an, m->values, m->n_values, value, &kids[1], &value_null, err));
    v.type = type ? type : nb_type_map(kids[0].type, kids[1].type, value_null);
    *out = nb_expr_literal(an->arena, &v);
    return *out ? NB_OK : NB_NOMEM;
}

static nb_status
struct_of(nb_analyzer *an, const Sc__Expression__Literal__Struct *s, const nb_type *type,
          nb_expr **out, nb_error *err)
{
    nb_vector *kids = NB_ARENA_ARRAY(an->arena, nb_vector, s->n_elements + 1);
    nb_vector v = {
        .kind = NB_VEC_CONST, .n_rows = 1, .children = kids, .n_children = (int)s->n_elements};
    bool has_null;

    NB_NEED(kids);
    if (!type && s->struct_type) {
        NB_TRY(nb_resolve_type(an, s->struct_type, &type, err));
    }
    if (!type || nb_type_storage(type)->id != NB_TYPE_STRUCT ||
        nb_type_storage(type)->n_children != (int)s->n_elements) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message",
                        "a struct literal does not fit its type", NULL);
    }
    for (size_t i = 0; i < s->n_elements; i++) {
        NB_TRY(elements(an, &s->elements[i], 1, nb_type_storage(type)->children[i].type, &kids[i],
                        &has_null, err));
    }
    v.type = type;
    *out = nb_expr_literal(an->arena, &v);
    return *out ? NB_OK : NB_NOMEM;
}

/* A list without elements has no address in a message. */
static void
copy_numbers(nb_vector *to, const void *values, size_t n_bytes)
{
    if (n_bytes > 0) {
        memcpy(to->data, values, n_bytes);
    }
}

/* Packed lists of plain values: what clients send for NumPy arrays. */
static nb_status
specialized(nb_analyzer *an, const Sc__Expression__Literal__SpecializedArray *a,
            const nb_type *type, nb_expr **out)
{
    nb_vector child;
    size_t n = 0;

    switch (a->value_type_case) {
    case SC__EXPRESSION__LITERAL__SPECIALIZED_ARRAY__VALUE_TYPE_BOOLS:
        n = a->bools->n_values;
        NB_TRY(nb_vector_alloc(an->arena, nb_type_of(NB_TYPE_BOOL), (int64_t)n, &child));
        for (size_t i = 0; i < n; i++) {
            NB_DATA(uint8_t, &child)[i] = a->bools->values[i] != 0;
        }
        break;
    case SC__EXPRESSION__LITERAL__SPECIALIZED_ARRAY__VALUE_TYPE_INTS:
        n = a->ints->n_values;
        NB_TRY(nb_vector_alloc(an->arena, nb_type_of(NB_TYPE_INT32), (int64_t)n, &child));
        copy_numbers(&child, a->ints->values, n * 4);
        break;
    case SC__EXPRESSION__LITERAL__SPECIALIZED_ARRAY__VALUE_TYPE_LONGS:
        n = a->longs->n_values;
        NB_TRY(nb_vector_alloc(an->arena, nb_type_of(NB_TYPE_INT64), (int64_t)n, &child));
        copy_numbers(&child, a->longs->values, n * 8);
        break;
    case SC__EXPRESSION__LITERAL__SPECIALIZED_ARRAY__VALUE_TYPE_FLOATS:
        n = a->floats->n_values;
        NB_TRY(nb_vector_alloc(an->arena, nb_type_of(NB_TYPE_FLOAT32), (int64_t)n, &child));
        copy_numbers(&child, a->floats->values, n * 4);
        break;
    case SC__EXPRESSION__LITERAL__SPECIALIZED_ARRAY__VALUE_TYPE_DOUBLES:
        n = a->doubles->n_values;
        NB_TRY(nb_vector_alloc(an->arena, nb_type_of(NB_TYPE_FLOAT64), (int64_t)n, &child));
        copy_numbers(&child, a->doubles->values, n * 8);
        break;
    case SC__EXPRESSION__LITERAL__SPECIALIZED_ARRAY__VALUE_TYPE_STRINGS:
        n = a->strings->n_values;
        NB_TRY(nb_vector_alloc(an->arena, nb_type_of(NB_TYPE_STRING), (int64_t)n, &child));
        for (size_t i = 0; i < n; i++) {
            NB_DATA(nb_view, &child)
            [i] = nb_view_make((const char *)a->strings->values[i].data, a->strings->values[i].len);
        }
        break;
    default: NB_TRY(nb_vector_alloc(an->arena, nb_type_of(NB_TYPE_NULL), 0, &child)); break;
    }
    return array_of(an, type, &child, (int64_t)n, false, out);
}

nb_status
nb_resolve_type(nb_analyzer *an, const Sc__DataType *message, const nb_type **out, nb_error *err)
{
    nb_str text;

    if (nb_type_proto_is_unparsed(message, &text)) {
        Sc__DataType *parsed;
        NB_TRY(nb_sql_parse_data_type(an->arena, text, &parsed, err));
        return nb_type_from_proto(an->arena, parsed, out, err);
    }
    return nb_type_from_proto(an->arena, message, out, err);
}

nb_status
nb_resolve_literal(nb_analyzer *an, const Sc__Expression__Literal *lit, nb_expr **out,
                   nb_error *err)
{
    const nb_type *type = NULL;
    nb_vector child;
    bool has_null;

    if (lit->data_type) {
        NB_TRY(nb_resolve_type(an, lit->data_type, &type, err));
    }
    switch (lit->literal_type_case) {
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_NULL: {
        NB_TRY(nb_resolve_type(an, lit->null, &type, err));
        *out = nb_expr_null(an->arena, type);
        return *out ? NB_OK : NB_NOMEM;
    }
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_BINARY:
        return bytes(an, nb_type_of(NB_TYPE_BINARY), nb_pb_str(lit->binary), out);
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_BOOLEAN: {
        uint8_t v = lit->boolean != 0;
        return fixed(an, NB_TYPE_BOOL, NULL, &v, out);
    }
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_BYTE: {
        int8_t v = (int8_t)lit->byte;
        return fixed(an, NB_TYPE_INT8, NULL, &v, out);
    }
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_SHORT: {
        int16_t v = (int16_t)lit->short_;
        return fixed(an, NB_TYPE_INT16, NULL, &v, out);
    }
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_INTEGER:
        return fixed(an, NB_TYPE_INT32, NULL, &lit->integer, out);
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_LONG:
        return fixed(an, NB_TYPE_INT64, NULL, &lit->long_, out);
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_FLOAT:
        return fixed(an, NB_TYPE_FLOAT32, NULL, &lit->float_, out);
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_DOUBLE:
        return fixed(an, NB_TYPE_FLOAT64, NULL, &lit->double_, out);
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_DECIMAL: return decimal(an, lit->decimal, out, err);
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_STRING:
        return bytes(an, type && nb_type_is_string(type) ? type : nb_type_of(NB_TYPE_STRING),
                     nb_pb_str(lit->string), out);
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_DATE:
        return fixed(an, NB_TYPE_DATE, NULL, &lit->date, out);
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_TIMESTAMP:
        return fixed(an, NB_TYPE_TIMESTAMP, NULL, &lit->timestamp, out);
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_TIMESTAMP_NTZ:
        return fixed(an, NB_TYPE_TIMESTAMP_NTZ, NULL, &lit->timestamp_ntz, out);
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_CALENDAR_INTERVAL: {
        nb_interval v = {lit->calendar_interval->months, lit->calendar_interval->days,
                         lit->calendar_interval->microseconds};
        return fixed(an, NB_TYPE_INTERVAL, NULL, &v, out);
    }
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_YEAR_MONTH_INTERVAL:
        return fixed(an, NB_TYPE_INTERVAL_YM, type, &lit->year_month_interval, out);
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_DAY_TIME_INTERVAL:
        return fixed(an, NB_TYPE_INTERVAL_DT, type, &lit->day_time_interval, out);
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_ARRAY: {
        const nb_type *element = type ? type->children[0].type : NULL;
        if (!element && lit->array->element_type) {
            NB_TRY(nb_resolve_type(an, lit->array->element_type, &element, err));
        }
        NB_TRY(elements(an, lit->array->elements, lit->array->n_elements, element, &child,
                        &has_null, err));
        return array_of(an, type, &child, (int64_t)lit->array->n_elements, has_null, out);
    }
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_MAP: return map_of(an, lit->map, type, out, err);
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_STRUCT:
        return struct_of(an, lit->struct_, type, out, err);
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_SPECIALIZED_ARRAY:
        return specialized(an, lit->specialized_array, type, out);
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_TIME:
        return fixed(an, NB_TYPE_TIME, type, &lit->time->nano, out);
    default:
        return nb_raise(err, NB_COND_INVALID_PLAN, "message", "a literal without a value", NULL);
    }
}

Sc__Expression *
nb_literal_message(nb_analyzer *an, Sc__Expression__Literal__LiteralTypeCase kind)
{
    Sc__Expression *e = NB_ARENA_NEW(an->arena, Sc__Expression);
    Sc__Expression__Literal *l = NB_ARENA_NEW(an->arena, Sc__Expression__Literal);

    if (!e || !l) {
        return NULL;
    }
    *l = (Sc__Expression__Literal)SC__EXPRESSION__LITERAL__INIT;
    l->literal_type_case = kind;
    *e = (Sc__Expression)SC__EXPRESSION__INIT;
    e->expr_type_case = SC__EXPRESSION__EXPR_TYPE_LITERAL;
    e->literal = l;
    return e;
}
