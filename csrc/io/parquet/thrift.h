/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thrift.h: Thrift's compact protocol, as far as Parquet's metadata needs it.
 *
 * The reader walks untrusted bytes: every length is checked against what is left, nesting is bounded, and after a fault (`bad`) all calls give
 * zeroes, so that callers check once at the end. [Thrift compact protocol specification]
 */
#ifndef NB_IO_PARQUET_THRIFT_H
#define NB_IO_PARQUET_THRIFT_H

#include <stdbool.h>
#include "base/str.h"

typedef struct nb_thrift {
    const uint8_t *p, *end;
    bool bad;
    bool no_memory; /* that is why it is bad */
    int depth;
} nb_thrift;

/* Types on the wire. */
enum {
    NB_T_STOP,
    NB_T_TRUE,
    NB_T_FALSE,
    NB_T_BYTE,
    NB_T_I16,
    NB_T_I32,
    NB_T_I64,
    NB_T_DOUBLE,
    NB_T_BINARY,
    NB_T_LIST,
    NB_T_SET,
    NB_T_MAP,
    NB_T_STRUCT
};

/* The next field of a struct: its type, NB_T_STOP at the end. *id is the last field's id, 0 at first. */
int nb_thrift_field(nb_thrift *t, int *id);
int64_t nb_thrift_int(nb_thrift *t);
nb_str nb_thrift_binary(nb_thrift *t); /* borrowed from the input */
/* Number of elements; each takes at least a byte, so it is at most what is left. */
int64_t nb_thrift_list(nb_thrift *t, int *element_type);
void nb_thrift_skip(nb_thrift *t, int type);

/* Writing: appends to a buffer. *last is the id of the last field of the struct, 0 at first. */
void nb_thrift_put_field(nb_strbuf *b, int *last, int id, int type);
void nb_thrift_put_int(nb_strbuf *b, int *last, int id, int type, int64_t v); /* I16, I32, I64 */
void nb_thrift_put_binary(nb_strbuf *b, int *last, int id, nb_str s);
void nb_thrift_put_list(nb_strbuf *b, int *last, int id, int element_type, size_t n);
void nb_thrift_put_varint(nb_strbuf *b, uint64_t v);
void nb_thrift_put_zigzag(nb_strbuf *b, int64_t v);
void nb_thrift_put_stop(nb_strbuf *b);

#endif
