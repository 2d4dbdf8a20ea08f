/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value.c: see value.h.
 */
#include "ml/value.h"

#include <math.h>
#include "expr/number_text.h"

nb_status
nb_ml_put(nb_ml_bag *bag, nb_str name, nb_ml_value value)
{
    int at = 0;

    while (at < bag->n && !nb_str_equal(bag->names[at], name)) {
        at++;
    }
    if (at == bag->cap) {
        int cap = bag->cap ? 2 * bag->cap : 16;
        nb_str *names = NB_ARENA_ARRAY(bag->arena, nb_str, cap);
        nb_ml_value *values = NB_ARENA_ARRAY(bag->arena, nb_ml_value, cap);

        NB_ML_NEED(names && values);
        if (bag->n > 0) {
            memcpy(names, bag->names, (size_t)bag->n * sizeof *names);
            memcpy(values, bag->values, (size_t)bag->n * sizeof *values);
        }
        bag->names = names;
        bag->values = values;
        bag->cap = cap;
    }
    bag->names[at] = name;
    bag->values[at] = value;
    bag->n = NB_MAX(bag->n, at + 1);
    return NB_OK;
}

const nb_ml_value *
nb_ml_get(const nb_ml_bag *bag, const char *name)
{
    for (int i = 0; i < bag->n; i++) {
        if (nb_str_equal(bag->names[i], nb_str_of(name))) {
            return &bag->values[i];
        }
    }
    return NULL;
}

static size_t
n_doubles(const nb_ml_value *v)
{
    switch (v->kind) {
    case NB_ML_DOUBLES:
    case NB_ML_VECTOR:
    case NB_ML_SPARSE: return (size_t)v->n;
    case NB_ML_MATRIX: return (size_t)v->rows * (size_t)v->cols;
    default: return 0;
    }
}

nb_status
nb_ml_copy_value(nb_arena *arena, const nb_ml_value *v, nb_ml_value *out)
{
    nb_ml_value c = *v;

    if (v->kind == NB_ML_STRING) {
        c.s = nb_arena_str(arena, v->s);
        NB_ML_NEED(c.s.data);
    }
    if (n_doubles(v) > 0) {
        c.x = NB_ARENA_ARRAY(arena, double, n_doubles(v));
        NB_ML_NEED(c.x);
        memcpy(c.x, v->x, n_doubles(v) * sizeof(double));
    }
    if ((v->kind == NB_ML_INTS || v->kind == NB_ML_SPARSE) && v->n > 0) {
        c.ints = NB_ARENA_ARRAY(arena, int32_t, v->n);
        NB_ML_NEED(c.ints);
        memcpy(c.ints, v->ints, (size_t)v->n * sizeof(int32_t));
    }
    if (v->kind == NB_ML_STRINGS) {
        c.strings = NB_ARENA_ARRAY(arena, nb_str, v->n + 1);
        NB_ML_NEED(c.strings);
        for (int i = 0; i < v->n; i++) {
            c.strings[i] = nb_arena_str(arena, v->strings[i]);
            NB_ML_NEED(c.strings[i].data);
        }
    }
    if (v->kind == NB_ML_LISTS) {
        c.lists = NB_ARENA_ARRAY(arena, nb_ml_value, v->n + 1);
        NB_ML_NEED(c.lists);
        for (int i = 0; i < v->n; i++) {
            NB_TRY(nb_ml_copy_value(arena, &v->lists[i], &c.lists[i]));
        }
    }
    *out = c;
    return NB_OK;
}

nb_status
nb_ml_copy_all(nb_ml_bag *to, const nb_ml_bag *from)
{
    for (int i = 0; i < from->n; i++) {
        nb_str name = nb_arena_str(to->arena, from->names[i]);
        nb_ml_value v;

        NB_ML_NEED(name.data);
        NB_TRY(nb_ml_copy_value(to->arena, &from->values[i], &v));
        NB_TRY(nb_ml_put(to, name, v));
    }
    return NB_OK;
}

nb_ml_value
nb_ml_bool(bool v)
{
    return (nb_ml_value){.kind = NB_ML_BOOL, .i = v};
}

nb_ml_value
nb_ml_int(int64_t v)
{
    return (nb_ml_value){.kind = NB_ML_INT, .i = v};
}

nb_ml_value
nb_ml_long(int64_t v)
{
    return (nb_ml_value){.kind = NB_ML_LONG, .i = v};
}

nb_ml_value
nb_ml_double(double v)
{
    return (nb_ml_value){.kind = NB_ML_DOUBLE, .d = v};
}

nb_ml_value
nb_ml_string(nb_str v)
{
    return (nb_ml_value){.kind = NB_ML_STRING, .s = v};
}

nb_ml_value
nb_ml_doubles(double *x, int n)
{
    return (nb_ml_value){.kind = NB_ML_DOUBLES, .x = x, .n = n};
}

nb_ml_value
nb_ml_vector(double *x, int n)
{
    return (nb_ml_value){.kind = NB_ML_VECTOR, .x = x, .n = n};
}

nb_ml_value
nb_ml_matrix(double *x, int rows, int cols, bool transposed)
{
    return (nb_ml_value){
        .kind = NB_ML_MATRIX, .x = x, .rows = rows, .cols = cols, .transposed = transposed};
}

double
nb_ml_number(const nb_ml_value *v)
{
    switch (v->kind) {
    case NB_ML_BOOL:
    case NB_ML_INT:
    case NB_ML_LONG: return (double)v->i;
    case NB_ML_DOUBLE: return v->d;
    default: return NAN;
    }
}

void
nb_ml_print(nb_strbuf *out, const nb_ml_value *v)
{
    char text[NB_DOUBLE_TEXT];

    switch (v->kind) {
    case NB_ML_NULL: nb_strbuf_adds(out, "null"); break;
    case NB_ML_BOOL: nb_strbuf_adds(out, v->i ? "true" : "false"); break;
    case NB_ML_INT:
    case NB_ML_LONG: nb_strbuf_addf(out, "%lld", (long long)v->i); break;
    case NB_ML_DOUBLE:
        nb_strbuf_add(out, (nb_str){text, (size_t)nb_format_double(text, v->d)});
        break;
    case NB_ML_STRING: nb_strbuf_add(out, v->s); break;
    case NB_ML_STRINGS:
        nb_strbuf_addc(out, '[');
        for (int i = 0; i < v->n; i++) {
            nb_strbuf_adds(out, i ? "," : "");
            nb_strbuf_add(out, v->strings[i]);
        }
        nb_strbuf_addc(out, ']');
        break;
    case NB_ML_DOUBLES:
    case NB_ML_VECTOR:
        nb_strbuf_addc(out, '[');
        for (int i = 0; i < v->n; i++) {
            nb_strbuf_adds(out, i ? "," : "");
            nb_strbuf_add(out, (nb_str){text, (size_t)nb_format_double(text, v->x[i])});
        }
        nb_strbuf_addc(out, ']');
        break;
    default: nb_strbuf_adds(out, "...");
    }
}

void *
nb_ml_message(nb_arena *arena, const ProtobufCMessageDescriptor *descriptor)
{
    ProtobufCMessage *m = nb_arena_zalloc(arena, descriptor->sizeof_message);

    if (m) {
        m->descriptor = descriptor;
    }
    return m;
}

/* ---- from literals --------------------------------------------------------------------------------------------------------- */

static nb_status
from_list(nb_arena *arena, Sc__Expression__Literal *const *elements, size_t n, nb_ml_value *out,
          nb_error *err)
{
    nb_ml_value *values = NB_ARENA_ARRAY(arena, nb_ml_value, n + 1);

    NB_ML_NEED(values);
    for (size_t i = 0; i < n; i++) {
        NB_TRY(nb_ml_from_literal(arena, elements[i], &values[i], err));
    }
    *out = (nb_ml_value){.n = (int)n};
    if (n > 0 && values[0].kind == NB_ML_STRING) {
        out->kind = NB_ML_STRINGS;
        out->strings = NB_ARENA_ARRAY(arena, nb_str, n);
        NB_ML_NEED(out->strings);
        for (size_t i = 0; i < n; i++) {
            out->strings[i] = values[i].s;
        }
    } else if (n > 0 && values[0].kind == NB_ML_STRINGS) {
        out->kind = NB_ML_LISTS;
        out->lists = values;
    } else if (n > 0 && values[0].kind == NB_ML_INT) {
        out->kind = NB_ML_INTS;
        out->ints = NB_ARENA_ARRAY(arena, int32_t, n);
        NB_ML_NEED(out->ints);
        for (size_t i = 0; i < n; i++) {
            out->ints[i] = (int32_t)values[i].i;
        }
    } else {
        out->kind = NB_ML_DOUBLES;
        out->x = NB_ARENA_ARRAY(arena, double, n + 1);
        NB_ML_NEED(out->x);
        for (size_t i = 0; i < n; i++) {
            out->x[i] = nb_ml_number(&values[i]);
        }
    }
    return NB_OK;
}

static nb_status
from_specialized(nb_arena *arena, const Sc__Expression__Literal__SpecializedArray *a,
                 nb_ml_value *out, nb_error *err)
{
    *out = (nb_ml_value){0};
    switch (a->value_type_case) {
    case SC__EXPRESSION__LITERAL__SPECIALIZED_ARRAY__VALUE_TYPE_INTS:
        *out =
            (nb_ml_value){.kind = NB_ML_INTS, .n = (int)a->ints->n_values, .ints = a->ints->values};
        return NB_OK;
    case SC__EXPRESSION__LITERAL__SPECIALIZED_ARRAY__VALUE_TYPE_DOUBLES:
        *out = nb_ml_doubles(a->doubles->values, (int)a->doubles->n_values);
        return NB_OK;
    case SC__EXPRESSION__LITERAL__SPECIALIZED_ARRAY__VALUE_TYPE_STRINGS:
        *out = (nb_ml_value){.kind = NB_ML_STRINGS, .n = (int)a->strings->n_values};
        out->strings = NB_ARENA_ARRAY(arena, nb_str, a->strings->n_values + 1);
        NB_ML_NEED(out->strings);
        for (size_t i = 0; i < a->strings->n_values; i++) {
            out->strings[i] = nb_ml_text(a->strings->values[i]);
        }
        return NB_OK;
    default: return nb_raise_unsupported(err, "an ML parameter of this array type");
    }
}

static nb_status
from_struct(nb_arena *arena, const Sc__Expression__Literal__Struct *s, nb_ml_value *out,
            nb_error *err)
{
    nb_ml_value e[7];

    if (s->n_elements != 4 && s->n_elements != 7) {
        return nb_raise_unsupported(err, "an ML parameter of a struct type");
    }
    for (size_t i = 0; i < s->n_elements; i++) {
        NB_TRY(nb_ml_from_literal(arena, s->elements[i], &e[i], err));
    }
    if (s->n_elements == 7) {
        if (e[0].i == 0 || e[5].kind != NB_ML_DOUBLES || e[1].i * e[2].i != e[5].n) {
            return nb_raise_unsupported(err, "a sparse matrix as an ML parameter");
        }
        *out = nb_ml_matrix(e[5].x, (int)e[1].i, (int)e[2].i, e[6].i != 0);
        return NB_OK;
    }
    if (e[3].kind != NB_ML_DOUBLES) {
        return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message", "a vector without values", NULL);
    }
    if (e[0].i != 0) {
        *out = nb_ml_vector(e[3].x, e[3].n);
        return NB_OK;
    }
    if ((e[2].kind != NB_ML_INTS && e[2].n != 0) || e[2].n != e[3].n) {
        return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message", "a sparse vector without indices",
                        NULL);
    }
    for (int i = 0; i < e[2].n; i++) {
        if (e[2].ints[i] < 0 || e[2].ints[i] >= e[1].i ||
            (i > 0 && e[2].ints[i] <= e[2].ints[i - 1])) {
            return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message",
                            "indices of a sparse vector are not ascending", NULL);
        }
    }
    *out = (nb_ml_value){
        .kind = NB_ML_SPARSE, .size = (int)e[1].i, .n = e[3].n, .ints = e[2].ints, .x = e[3].x};
    return NB_OK;
}

nb_status
nb_ml_from_literal(nb_arena *arena, const Sc__Expression__Literal *lit, nb_ml_value *out,
                   nb_error *err)
{
    switch (lit->literal_type_case) {
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE__NOT_SET:
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_NULL: *out = (nb_ml_value){0}; return NB_OK;
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_BOOLEAN:
        *out = nb_ml_bool(lit->boolean);
        return NB_OK;
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_BYTE: *out = nb_ml_int(lit->byte); return NB_OK;
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_SHORT: *out = nb_ml_int(lit->short_); return NB_OK;
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_INTEGER:
        *out = nb_ml_int(lit->integer);
        return NB_OK;
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_LONG: *out = nb_ml_long(lit->long_); return NB_OK;
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_FLOAT:
        *out = nb_ml_double((double)lit->float_);
        return NB_OK;
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_DOUBLE:
        *out = nb_ml_double(lit->double_);
        return NB_OK;
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_STRING:
        *out = nb_ml_string(nb_ml_text(lit->string));
        return NB_OK;
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_ARRAY:
        return from_list(arena, lit->array->elements, lit->array->n_elements, out, err);
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_SPECIALIZED_ARRAY:
        return from_specialized(arena, lit->specialized_array, out, err);
    case SC__EXPRESSION__LITERAL__LITERAL_TYPE_STRUCT:
        return from_struct(arena, lit->struct_, out, err);
    default: return nb_raise_unsupported(err, "an ML parameter of this type");
    }
}

/* ---- to literals ------------------------------------------------------------------------------------------------------------ */

static nb_status
ints_literal(nb_arena *arena, int32_t *ints, int n, Sc__Expression__Literal *lit)
{
    Sc__Expression__Literal__SpecializedArray *a =
        NB_ML_MESSAGE(arena, Sc__Expression__Literal__SpecializedArray,
                      sc__expression__literal__specialized_array);

    NB_ML_NEED(a);
    a->ints = NB_ML_MESSAGE(arena, Sc__Ints, sc__ints);
    NB_ML_NEED(a->ints);
    a->value_type_case = SC__EXPRESSION__LITERAL__SPECIALIZED_ARRAY__VALUE_TYPE_INTS;
    a->ints->n_values = (size_t)n;
    a->ints->values = ints;
    lit->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_SPECIALIZED_ARRAY;
    lit->specialized_array = a;
    return NB_OK;
}

static nb_status
doubles_literal(nb_arena *arena, double *x, int n, Sc__Expression__Literal *lit)
{
    Sc__Expression__Literal__SpecializedArray *a =
        NB_ML_MESSAGE(arena, Sc__Expression__Literal__SpecializedArray,
                      sc__expression__literal__specialized_array);

    NB_ML_NEED(a);
    a->doubles = NB_ML_MESSAGE(arena, Sc__Doubles, sc__doubles);
    NB_ML_NEED(a->doubles);
    a->value_type_case = SC__EXPRESSION__LITERAL__SPECIALIZED_ARRAY__VALUE_TYPE_DOUBLES;
    a->doubles->n_values = (size_t)n;
    a->doubles->values = x;
    lit->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_SPECIALIZED_ARRAY;
    lit->specialized_array = a;
    return NB_OK;
}

static nb_status
null_literal(nb_arena *arena, Sc__Expression__Literal *lit)
{
    lit->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_NULL;
    lit->null = NB_ML_MESSAGE(arena, Sc__DataType, sc__data_type);
    NB_ML_NEED(lit->null);
    lit->null->kind_case = SC__DATA_TYPE__KIND_NULL;
    lit->null->null = NB_ML_MESSAGE(arena, Sc__DataType__NULL, sc__data_type__null);
    NB_ML_NEED(lit->null->null);
    return NB_OK;
}

/* A struct literal of a user-defined type with n elements, still empty. */
static nb_status
struct_literal(nb_arena *arena, const char *jvm_class, size_t n, Sc__Expression__Literal *lit,
               Sc__Expression__Literal ***elements)
{
    Sc__Expression__Literal__Struct *s =
        NB_ML_MESSAGE(arena, Sc__Expression__Literal__Struct, sc__expression__literal__struct);

    NB_ML_NEED(s);
    s->struct_type = NB_ML_MESSAGE(arena, Sc__DataType, sc__data_type);
    NB_ML_NEED(s->struct_type);
    s->struct_type->kind_case = SC__DATA_TYPE__KIND_UDT;
    s->struct_type->udt = NB_ML_MESSAGE(arena, Sc__DataType__UDT, sc__data_type__udt);
    NB_ML_NEED(s->struct_type->udt);
    s->struct_type->udt->has_type = true;
    s->struct_type->udt->type = nb_ml_bytes(NB_STR("udt"));
    s->struct_type->udt->has_jvm_class = true;
    s->struct_type->udt->jvm_class = nb_ml_bytes(nb_str_of(jvm_class));
    s->n_elements = n;
    s->elements = NB_ARENA_ARRAY(arena, Sc__Expression__Literal *, n);
    NB_ML_NEED(s->elements);
    for (size_t i = 0; i < n; i++) {
        s->elements[i] = NB_ML_MESSAGE(arena, Sc__Expression__Literal, sc__expression__literal);
        NB_ML_NEED(s->elements[i]);
        NB_TRY(null_literal(arena, s->elements[i]));
    }
    lit->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_STRUCT;
    lit->struct_ = s;
    *elements = s->elements;
    return NB_OK;
}

static void
set_int(Sc__Expression__Literal *lit, int32_t v)
{
    lit->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_INTEGER;
    lit->integer = v;
}

static void
set_byte(Sc__Expression__Literal *lit, int32_t v)
{
    lit->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_BYTE;
    lit->byte = v;
}

static void
set_bool(Sc__Expression__Literal *lit, bool v)
{
    lit->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_BOOLEAN;
    lit->boolean = v;
}

/* The type of a list's elements, in a literal. */
static nb_status
element_type(nb_arena *arena, const nb_ml_value *list, Sc__DataType **out)
{
    Sc__DataType *type = NB_ML_MESSAGE(arena, Sc__DataType, sc__data_type);

    NB_ML_NEED(type);
    switch (list->kind) {
    case NB_ML_INTS:
        type->kind_case = SC__DATA_TYPE__KIND_INTEGER;
        type->integer = NB_ML_MESSAGE(arena, Sc__DataType__Integer, sc__data_type__integer);
        NB_ML_NEED(type->integer);
        break;
    case NB_ML_DOUBLES:
        type->kind_case = SC__DATA_TYPE__KIND_DOUBLE;
        type->double_ = NB_ML_MESSAGE(arena, Sc__DataType__Double, sc__data_type__double);
        NB_ML_NEED(type->double_);
        break;
    case NB_ML_LISTS:
        type->kind_case = SC__DATA_TYPE__KIND_ARRAY;
        type->array = NB_ML_MESSAGE(arena, Sc__DataType__Array, sc__data_type__array);
        NB_ML_NEED(type->array);
        type->array->has_contains_null = type->array->contains_null = true;
        NB_TRY(element_type(arena,
                            list->n ? &list->lists[0] : &(nb_ml_value){.kind = NB_ML_STRINGS},
                            &type->array->element_type));
        break;
    default:
        type->kind_case = SC__DATA_TYPE__KIND_STRING;
        type->string = NB_ML_MESSAGE(arena, Sc__DataType__String, sc__data_type__string);
        NB_ML_NEED(type->string);
    }
    *out = type;
    return NB_OK;
}

/* Element i of a list of any kind, as a value of its own. */
static nb_ml_value
element_of(const nb_ml_value *list, int i)
{
    switch (list->kind) {
    case NB_ML_INTS: return (nb_ml_value){.kind = NB_ML_INT, .i = list->ints[i]};
    case NB_ML_DOUBLES: return (nb_ml_value){.kind = NB_ML_DOUBLE, .d = list->x[i]};
    case NB_ML_STRINGS: return (nb_ml_value){.kind = NB_ML_STRING, .s = list->strings[i]};
    default: return list->lists[i];
    }
}

/* A list by itself is an array of literals, which every client reads; the arrays in vectors and matrices are of the packed kind. */
static nb_status
list_literal(nb_arena *arena, const nb_ml_value *v, Sc__Expression__Literal *lit)
{
    Sc__Expression__Literal__Array *a =
        NB_ML_MESSAGE(arena, Sc__Expression__Literal__Array, sc__expression__literal__array);

    NB_ML_NEED(a);
    NB_TRY(element_type(arena, v, &a->element_type));
    a->n_elements = (size_t)v->n;
    a->elements = NB_ARENA_ARRAY(arena, Sc__Expression__Literal *, v->n + 1);
    NB_ML_NEED(a->elements);
    for (int i = 0; i < v->n; i++) {
        nb_ml_value element = element_of(v, i);
        NB_TRY(nb_ml_to_literal(arena, &element, &a->elements[i]));
    }
    lit->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_ARRAY;
    lit->array = a;
    return NB_OK;
}

nb_status
nb_ml_to_literal(nb_arena *arena, const nb_ml_value *v, Sc__Expression__Literal **out)
{
    Sc__Expression__Literal *lit =
        NB_ML_MESSAGE(arena, Sc__Expression__Literal, sc__expression__literal);
    Sc__Expression__Literal **e;

    NB_ML_NEED(lit);
    *out = lit;
    switch (v->kind) {
    case NB_ML_NULL: return null_literal(arena, lit);
    case NB_ML_BOOL: set_bool(lit, v->i != 0); return NB_OK;
    case NB_ML_INT: set_int(lit, (int32_t)v->i); return NB_OK;
    case NB_ML_LONG:
        lit->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_LONG;
        lit->long_ = v->i;
        return NB_OK;
    case NB_ML_DOUBLE:
        lit->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_DOUBLE;
        lit->double_ = v->d;
        return NB_OK;
    case NB_ML_STRING:
        lit->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_STRING;
        lit->string = nb_ml_bytes(v->s);
        return NB_OK;
    case NB_ML_STRINGS:
    case NB_ML_INTS:
    case NB_ML_DOUBLES:
    case NB_ML_LISTS: return list_literal(arena, v, lit);
    case NB_ML_VECTOR:
        NB_TRY(struct_literal(arena, "org.apache.spark.ml.linalg.VectorUDT", 4, lit, &e));
        set_byte(e[0], 1);
        return doubles_literal(arena, v->x, v->n, e[3]);
    case NB_ML_SPARSE:
        NB_TRY(struct_literal(arena, "org.apache.spark.ml.linalg.VectorUDT", 4, lit, &e));
        set_byte(e[0], 0);
        set_int(e[1], v->size);
        NB_TRY(ints_literal(arena, v->ints, v->n, e[2]));
        return doubles_literal(arena, v->x, v->n, e[3]);
    case NB_ML_MATRIX:
        NB_TRY(struct_literal(arena, "org.apache.spark.ml.linalg.MatrixUDT", 7, lit, &e));
        set_byte(e[0], 1);
        set_int(e[1], v->rows);
        set_int(e[2], v->cols);
        NB_TRY(doubles_literal(arena, v->x, v->rows * v->cols, e[5]));
        set_bool(e[6], v->transposed);
        return NB_OK;
    }
    return NB_OK;
}
