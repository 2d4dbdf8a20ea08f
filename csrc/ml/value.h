/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value.h: values of parameters and of models, by name: what goes through messages, and what is saved.
 */
#ifndef NB_ML_VALUE_H
#define NB_ML_VALUE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "spark/connect/expressions.pb-c.h"

typedef enum nb_ml_kind {
    NB_ML_NULL,
    NB_ML_BOOL,    /* i */
    NB_ML_INT,     /* i */
    NB_ML_LONG,    /* i */
    NB_ML_DOUBLE,  /* d */
    NB_ML_STRING,  /* s */
    NB_ML_STRINGS, /* n, strings */
    NB_ML_INTS,    /* n, ints */
    NB_ML_DOUBLES, /* n, x */
    NB_ML_VECTOR,  /* n, x */
    NB_ML_SPARSE,  /* size, n, ints, x */
    NB_ML_MATRIX,  /* rows, cols, x: column by column, or row by row when transposed */
    NB_ML_LISTS,   /* n lists of strings: lists[i] */
} nb_ml_kind;

typedef struct nb_ml_value nb_ml_value;
struct nb_ml_value {
    nb_ml_kind kind;
    int64_t i;
    double d;
    nb_str s;
    int n, size, rows, cols;
    bool transposed;
    double *x;
    int32_t *ints;
    nb_str *strings;
    nb_ml_value *lists; /* STRINGS each */
};

/* Values by name, in the order in which they were put. */
typedef struct nb_ml_bag {
    nb_arena *arena;
    nb_str *names;
    nb_ml_value *values;
    int n, cap;
} nb_ml_bag;

/* Name and value are kept as they are (not copied); a name already there is replaced. */
nb_status nb_ml_put(nb_ml_bag *bag, nb_str name, nb_ml_value value);
const nb_ml_value *nb_ml_get(const nb_ml_bag *bag, const char *name); /* NULL when absent */
/* Puts copies of all values of `from` into `to`. */
nb_status nb_ml_copy_all(nb_ml_bag *to, const nb_ml_bag *from);
nb_status nb_ml_copy_value(nb_arena *arena, const nb_ml_value *v, nb_ml_value *out);

nb_ml_value nb_ml_bool(bool v);
nb_ml_value nb_ml_int(int64_t v);
nb_ml_value nb_ml_long(int64_t v);
nb_ml_value nb_ml_double(double v);
nb_ml_value nb_ml_string(nb_str v);
nb_ml_value nb_ml_doubles(double *x, int n);
nb_ml_value nb_ml_vector(double *x, int n);
nb_ml_value nb_ml_matrix(double *x, int rows, int cols, bool transposed);

/* Numbers of any kind as a double; NaN when it is none. */
double nb_ml_number(const nb_ml_value *v);
/* As Java prints it. */
void nb_ml_print(nb_strbuf *out, const nb_ml_value *v);

nb_status nb_ml_from_literal(nb_arena *arena, const Sc__Expression__Literal *lit, nb_ml_value *out,
                             nb_error *err);
nb_status nb_ml_to_literal(nb_arena *arena, const nb_ml_value *v, Sc__Expression__Literal **out);
/* A zeroed message of the descriptor; NULL when out of memory. */
void *nb_ml_message(nb_arena *arena, const ProtobufCMessageDescriptor *descriptor);
#define NB_ML_MESSAGE(arena, T, name) ((T *)nb_ml_message((arena), &(name##__descriptor)))

NB_INLINE nb_str
nb_ml_text(ProtobufCBinaryData b)
{
    return (nb_str){b.data ? (const char *)b.data : "", b.len};
}
NB_INLINE ProtobufCBinaryData
nb_ml_bytes(nb_str s)
{
    return (ProtobufCBinaryData){s.len, (uint8_t *)s.data};
}

#define NB_ML_NEED(ptr)            \
    do {                           \
        if (NB_UNLIKELY(!(ptr))) { \
            return NB_NOMEM;       \
        }                          \
    } while (0)

#endif
