/* SPDX-License-Identifier: Apache-2.0 */
/*
 * type_proto.c: spark.connect.DataType to nb_type and back. Recursion is bounded by NB_TYPE_MAX_DEPTH.
 */
#include "plan/type_proto.h"

#include "plan/message_unpack.h"

static nb_status
invalid(nb_error *err, const char *what)
{
    return nb_raise(err, NB_COND_CONNECT_INVALID_PLAN_CANNOT_PARSE, "errorMsg", what, NULL);
}

static nb_str
str_of(bool has, ProtobufCBinaryData b)
{
    return has && b.len > 0 ? (nb_str){(const char *)b.data, b.len} : (nb_str){"", 0};
}

static nb_status
from_proto(nb_arena *arena, const Sc__DataType *m, int depth, const nb_type **out, nb_error *err);

static nb_status
struct_from_proto(nb_arena *arena, const Sc__DataType__Struct *m, int depth, const nb_type **out,
                  nb_error *err)
{
    nb_field *fields = NB_ARENA_ARRAY(arena, nb_field, m->n_fields);

    if (fields == NULL) {
        return NB_NOMEM;
    }
    for (size_t i = 0; i < m->n_fields; i++) {
        const Sc__DataType__StructField *f = m->fields[i];
        fields[i].name = str_of(f->has_name, f->name);
        fields[i].nullable = f->has_nullable && f->nullable;
        fields[i].metadata = str_of(f->has_metadata, f->metadata);
        if (nb_str_equal(fields[i].metadata, NB_STR("{}"))) {
            fields[i].metadata.len = 0;
        }
        NB_TRY(from_proto(arena, f->data_type, depth, &fields[i].type, err));
    }
    *out = nb_type_struct(fields, (int)m->n_fields);
    return NB_OK;
}

static nb_status
string_from_proto(const Sc__DataType__String *m, const nb_type **out, nb_error *err)
{
    nb_str collation = str_of(m->has_collation, m->collation);

    if (collation.len > 0 && !nb_str_equal(collation, NB_STR("UTF8_BINARY"))) {
        return nb_raise_unsupported(err, "The collation %.*s", (int)collation.len, collation.data);
    }
    *out = nb_type_of(NB_TYPE_STRING);
    return NB_OK;
}

static nb_status
udt_from_proto(nb_arena *arena, const Sc__DataType__UDT *m, int depth, const nb_type **out,
               nb_error *err)
{
    const nb_type *storage;

    NB_TRY(from_proto(arena, m->sql_type, depth, &storage, err));
    *out = nb_type_udt(str_of(m->has_jvm_class, m->jvm_class),
                       str_of(m->has_python_class, m->python_class),
                       str_of(m->has_serialized_python_class, m->serialized_python_class), storage);
    return NB_OK;
}

static nb_status
from_proto(nb_arena *arena, const Sc__DataType *m, int depth, const nb_type **out, nb_error *err)
{
    const nb_type *t = NULL, *value;

    if (m == NULL) {
        return invalid(err, "a data type is missing");
    }
    if (depth > NB_TYPE_MAX_DEPTH) {
        return invalid(err, "a data type is nested too deeply");
    }
    switch (m->kind_case) {
    case SC__DATA_TYPE__KIND_NULL: t = nb_type_of(NB_TYPE_NULL); break;
    case SC__DATA_TYPE__KIND_BINARY: t = nb_type_of(NB_TYPE_BINARY); break;
    case SC__DATA_TYPE__KIND_BOOLEAN: t = nb_type_of(NB_TYPE_BOOL); break;
    case SC__DATA_TYPE__KIND_BYTE: t = nb_type_of(NB_TYPE_INT8); break;
    case SC__DATA_TYPE__KIND_SHORT: t = nb_type_of(NB_TYPE_INT16); break;
    case SC__DATA_TYPE__KIND_INTEGER: t = nb_type_of(NB_TYPE_INT32); break;
    case SC__DATA_TYPE__KIND_LONG: t = nb_type_of(NB_TYPE_INT64); break;
    case SC__DATA_TYPE__KIND_FLOAT: t = nb_type_of(NB_TYPE_FLOAT32); break;
    case SC__DATA_TYPE__KIND_DOUBLE: t = nb_type_of(NB_TYPE_FLOAT64); break;
    case SC__DATA_TYPE__KIND_DECIMAL:
        t = nb_type_decimal(m->decimal->has_precision ? m->decimal->precision : 10,
                            m->decimal->has_scale ? m->decimal->scale : 0);
        break;
    case SC__DATA_TYPE__KIND_STRING: NB_TRY(string_from_proto(m->string, &t, err)); break;
    case SC__DATA_TYPE__KIND_CHAR:
        t = nb_type_char(NB_TYPE_CHAR, m->char_->has_length ? m->char_->length : 0);
        break;
    case SC__DATA_TYPE__KIND_VAR_CHAR:
        t = nb_type_char(NB_TYPE_VARCHAR, m->var_char->has_length ? m->var_char->length : 0);
        break;
    case SC__DATA_TYPE__KIND_DATE: t = nb_type_of(NB_TYPE_DATE); break;
    case SC__DATA_TYPE__KIND_TIMESTAMP: t = nb_type_of(NB_TYPE_TIMESTAMP); break;
    case SC__DATA_TYPE__KIND_TIMESTAMP_NTZ: t = nb_type_of(NB_TYPE_TIMESTAMP_NTZ); break;
    case SC__DATA_TYPE__KIND_TIME:
        t = nb_type_time(m->time->has_precision ? m->time->precision : 6);
        break;
    case SC__DATA_TYPE__KIND_CALENDAR_INTERVAL: t = nb_type_of(NB_TYPE_INTERVAL); break;
    case SC__DATA_TYPE__KIND_YEAR_MONTH_INTERVAL: {
        const Sc__DataType__YearMonthInterval *i = m->year_month_interval;
        int start = i->has_start_field ? i->start_field : 0;
        t = nb_type_interval_ym(start, i->has_end_field     ? i->end_field
                                       : i->has_start_field ? start
                                                            : 1);
        break;
    }
    case SC__DATA_TYPE__KIND_DAY_TIME_INTERVAL: {
        const Sc__DataType__DayTimeInterval *i = m->day_time_interval;
        int start = i->has_start_field ? i->start_field : 0;
        t = nb_type_interval_dt(start, i->has_end_field     ? i->end_field
                                       : i->has_start_field ? start
                                                            : 3);
        break;
    }
    case SC__DATA_TYPE__KIND_ARRAY:
        NB_TRY(from_proto(arena, m->array->element_type, depth + 1, &value, err));
        t = nb_type_array(value, m->array->has_contains_null && m->array->contains_null);
        break;
    case SC__DATA_TYPE__KIND_MAP:
        NB_TRY(from_proto(arena, m->map->key_type, depth + 1, &t, err));
        NB_TRY(from_proto(arena, m->map->value_type, depth + 1, &value, err));
        t = nb_type_map(t, value, m->map->has_value_contains_null && m->map->value_contains_null);
        break;
    case SC__DATA_TYPE__KIND_STRUCT:
        NB_TRY(struct_from_proto(arena, m->struct_, depth + 1, &t, err));
        break;
    case SC__DATA_TYPE__KIND_UDT: NB_TRY(udt_from_proto(arena, m->udt, depth + 1, &t, err)); break;
    case SC__DATA_TYPE__KIND_VARIANT: return nb_raise_unsupported(err, "The data type variant");
    case SC__DATA_TYPE__KIND_GEOMETRY:
    case SC__DATA_TYPE__KIND_GEOGRAPHY:
        return nb_raise_unsupported(err, "The data types geometry and geography");
    case SC__DATA_TYPE__KIND_UNPARSED:
        return invalid(err, "a data type in text form is not allowed here");
    default: return invalid(err, "a data type of unknown kind");
    }
    if (t == NULL) {
        return invalid(err, "a data type has parameters out of range");
    }
    *out = t;
    return NB_OK;
}

nb_status
nb_type_from_proto(nb_arena *arena, const Sc__DataType *message, const nb_type **out, nb_error *err)
{
    return from_proto(arena, message, 0, out, err);
}

nb_status
nb_type_from_bytes(nb_arena *arena, nb_str bytes, const nb_type **out, nb_error *err)
{
    ProtobufCMessage *message;

    NB_TRY(
        nb_message_unpack(arena, &sc__data_type__descriptor, bytes.data, bytes.len, &message, err));
    return nb_type_from_proto(arena, (const Sc__DataType *)message, out, err);
}

bool
nb_type_proto_is_unparsed(const Sc__DataType *message, nb_str *text)
{
    if (message == NULL || message->kind_case != SC__DATA_TYPE__KIND_UNPARSED) {
        return false;
    }
    *text = str_of(message->unparsed->has_data_type_string, message->unparsed->data_type_string);
    return true;
}

/* --- to messages ------------------------------------------------------------------------------ */

static void *
new_message(nb_arena *arena, const ProtobufCMessageDescriptor *descriptor)
{
    ProtobufCMessage *m = nb_arena_zalloc(arena, descriptor->sizeof_message);

    if (m != NULL) {
        m->descriptor =
            descriptor; /* absent fields are zero: no message of types.proto has other defaults */
    }
    return m;
}

static void
put_str(nb_str s, protobuf_c_boolean *has, ProtobufCBinaryData *out)
{
    *has = s.len > 0;
    out->len = s.len;
    out->data = (uint8_t *)(uintptr_t)s.data;
}

static Sc__DataType__Struct *
struct_to_proto(nb_arena *arena, const nb_type *type)
{
    Sc__DataType__Struct *m = new_message(arena, &sc__data_type__struct__descriptor);

    if (m == NULL) {
        return NULL;
    }
    m->n_fields = (size_t)type->n_children;
    m->fields = NB_ARENA_ARRAY(arena, Sc__DataType__StructField *, m->n_fields);
    if (m->fields == NULL) {
        return NULL;
    }
    for (int i = 0; i < type->n_children; i++) {
        const nb_field *from = &type->children[i];
        Sc__DataType__StructField *f = new_message(arena, &sc__data_type__struct_field__descriptor);
        if (f == NULL || (f->data_type = nb_type_to_proto(arena, from->type)) == NULL) {
            return NULL;
        }
        put_str(from->name, &f->has_name, &f->name);
        put_str(from->metadata, &f->has_metadata, &f->metadata);
        f->has_nullable = f->nullable = from->nullable;
        m->fields[i] = f;
    }
    return m;
}

static Sc__DataType__UDT *
udt_to_proto(nb_arena *arena, const nb_type *type)
{
    Sc__DataType__UDT *m = new_message(arena, &sc__data_type__udt__descriptor);

    if (m == NULL || (m->sql_type = nb_type_to_proto(arena, nb_type_storage(type))) == NULL) {
        return NULL;
    }
    put_str(NB_STR("udt"), &m->has_type, &m->type);
    put_str(type->udt_class, &m->has_jvm_class, &m->jvm_class);
    put_str(type->udt_py_class, &m->has_python_class, &m->python_class);
    put_str(type->udt_serialized, &m->has_serialized_python_class, &m->serialized_python_class);
    return m;
}

/* Members of the union that carry nothing but their presence. */
static const struct {
    Sc__DataType__KindCase kind;
    const ProtobufCMessageDescriptor *descriptor;
} plain[NB_N_TYPES] = {
    [NB_TYPE_NULL] = {SC__DATA_TYPE__KIND_NULL, &sc__data_type__null__descriptor},
    [NB_TYPE_BOOL] = {SC__DATA_TYPE__KIND_BOOLEAN, &sc__data_type__boolean__descriptor},
    [NB_TYPE_INT8] = {SC__DATA_TYPE__KIND_BYTE, &sc__data_type__byte__descriptor},
    [NB_TYPE_INT16] = {SC__DATA_TYPE__KIND_SHORT, &sc__data_type__short__descriptor},
    [NB_TYPE_INT32] = {SC__DATA_TYPE__KIND_INTEGER, &sc__data_type__integer__descriptor},
    [NB_TYPE_INT64] = {SC__DATA_TYPE__KIND_LONG, &sc__data_type__long__descriptor},
    [NB_TYPE_FLOAT32] = {SC__DATA_TYPE__KIND_FLOAT, &sc__data_type__float__descriptor},
    [NB_TYPE_FLOAT64] = {SC__DATA_TYPE__KIND_DOUBLE, &sc__data_type__double__descriptor},
    [NB_TYPE_BINARY] = {SC__DATA_TYPE__KIND_BINARY, &sc__data_type__binary__descriptor},
    [NB_TYPE_DATE] = {SC__DATA_TYPE__KIND_DATE, &sc__data_type__date__descriptor},
    [NB_TYPE_TIMESTAMP] = {SC__DATA_TYPE__KIND_TIMESTAMP, &sc__data_type__timestamp__descriptor},
    [NB_TYPE_TIMESTAMP_NTZ] = {SC__DATA_TYPE__KIND_TIMESTAMP_NTZ,
                               &sc__data_type__timestamp_ntz__descriptor},
    [NB_TYPE_INTERVAL] = {SC__DATA_TYPE__KIND_CALENDAR_INTERVAL,
                          &sc__data_type__calendar_interval__descriptor},
};

Sc__DataType *
nb_type_to_proto(nb_arena *arena, const nb_type *type)
{
    Sc__DataType *m = new_message(arena, &sc__data_type__descriptor);
    void *part = NULL;

    if (m == NULL) {
        return NULL;
    }
    switch (type->id) {
    case NB_TYPE_STRING: {
        Sc__DataType__String *s = part = new_message(arena, &sc__data_type__string__descriptor);
        if (s != NULL) {
            put_str(NB_STR("UTF8_BINARY"), &s->has_collation, &s->collation);
        }
        m->kind_case = SC__DATA_TYPE__KIND_STRING;
        break;
    }
    case NB_TYPE_DECIMAL: {
        Sc__DataType__Decimal *d = part = new_message(arena, &sc__data_type__decimal__descriptor);
        if (d != NULL) {
            d->has_precision = d->has_scale = true;
            d->precision = type->precision;
            d->scale = type->scale;
        }
        m->kind_case = SC__DATA_TYPE__KIND_DECIMAL;
        break;
    }
    case NB_TYPE_CHAR: {
        Sc__DataType__Char *c = part = new_message(arena, &sc__data_type__char__descriptor);
        if (c != NULL) {
            c->has_length = type->length != 0;
            c->length = type->length;
        }
        m->kind_case = SC__DATA_TYPE__KIND_CHAR;
        break;
    }
    case NB_TYPE_VARCHAR: {
        Sc__DataType__VarChar *c = part = new_message(arena, &sc__data_type__var_char__descriptor);
        if (c != NULL) {
            c->has_length = type->length != 0;
            c->length = type->length;
        }
        m->kind_case = SC__DATA_TYPE__KIND_VAR_CHAR;
        break;
    }
    case NB_TYPE_TIME: {
        Sc__DataType__Time *t = part = new_message(arena, &sc__data_type__time__descriptor);
        if (t != NULL) {
            t->has_precision = true;
            t->precision = type->precision;
        }
        m->kind_case = SC__DATA_TYPE__KIND_TIME;
        break;
    }
    case NB_TYPE_INTERVAL_YM: {
        Sc__DataType__YearMonthInterval *i = part =
            new_message(arena, &sc__data_type__year_month_interval__descriptor);
        if (i != NULL) {
            i->has_start_field = i->has_end_field = true;
            i->start_field = type->start_field;
            i->end_field = type->end_field;
        }
        m->kind_case = SC__DATA_TYPE__KIND_YEAR_MONTH_INTERVAL;
        break;
    }
    case NB_TYPE_INTERVAL_DT: {
        Sc__DataType__DayTimeInterval *i = part =
            new_message(arena, &sc__data_type__day_time_interval__descriptor);
        if (i != NULL) {
            i->has_start_field = i->has_end_field = true;
            i->start_field = type->start_field;
            i->end_field = type->end_field;
        }
        m->kind_case = SC__DATA_TYPE__KIND_DAY_TIME_INTERVAL;
        break;
    }
    case NB_TYPE_ARRAY: {
        Sc__DataType__Array *a = part = new_message(arena, &sc__data_type__array__descriptor);
        if (a != NULL) {
            a->element_type = nb_type_to_proto(arena, type->children[0].type);
            a->has_contains_null = a->contains_null = type->contains_null;
            part = a->element_type ? part : NULL;
        }
        m->kind_case = SC__DATA_TYPE__KIND_ARRAY;
        break;
    }
    case NB_TYPE_MAP: {
        Sc__DataType__Map *a = part = new_message(arena, &sc__data_type__map__descriptor);
        if (a != NULL) {
            a->key_type = nb_type_to_proto(arena, type->children[0].type);
            a->value_type = nb_type_to_proto(arena, type->children[1].type);
            a->has_value_contains_null = a->value_contains_null = type->contains_null;
            part = a->key_type && a->value_type ? part : NULL;
        }
        m->kind_case = SC__DATA_TYPE__KIND_MAP;
        break;
    }
    case NB_TYPE_STRUCT:
        part = struct_to_proto(arena, type);
        m->kind_case = SC__DATA_TYPE__KIND_STRUCT;
        break;
    case NB_TYPE_UDT:
        part = udt_to_proto(arena, type);
        m->kind_case = SC__DATA_TYPE__KIND_UDT;
        break;
    default:
        part = new_message(arena, plain[type->id].descriptor);
        m->kind_case = plain[type->id].kind;
    }
    m->null = part; /* all members of the union are pointers */
    return part ? m : NULL;
}

nb_str
nb_type_to_bytes(nb_arena *arena, const nb_type *type)
{
    Sc__DataType *m = nb_type_to_proto(arena, type);
    nb_str out = {NULL, 0};

    if (m != NULL) {
        size_t n = protobuf_c_message_get_packed_size(&m->base);
        uint8_t *bytes = nb_arena_alloc(arena, n);
        if (bytes != NULL) {
            protobuf_c_message_pack(&m->base, bytes);
            out = (nb_str){(const char *)bytes, n};
        }
    }
    return out;
}
