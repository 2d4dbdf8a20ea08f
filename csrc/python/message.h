/* SPDX-License-Identifier: Apache-2.0 */
/* message.h: what message_pack.c and message_unpack.c share. */
#ifndef NB_PYTHON_MESSAGE_H
#define NB_PYTHON_MESSAGE_H

#include "python/module.h"

#include "plan/message_table.h"

enum { NB_MESSAGE_CACHE_SLOTS = 2048 }; /* a power of two */

/* Direct-mapped caches between field names and descriptors: names are mostly the same interned
 * objects, so that comparing pointers suffices. Guarded by the GIL; the strings are owned. */
struct nb_message_cache {
    struct {
        PyObject *name;
        const ProtobufCMessageDescriptor *descriptor;
        const ProtobufCFieldDescriptor *field;
    } by_name[NB_MESSAGE_CACHE_SLOTS];
    struct {
        PyObject *name;
        const ProtobufCFieldDescriptor *field;
    } by_field[NB_MESSAGE_CACHE_SLOTS];
};

/* The descriptor of a full message name; NULL with ValueError. */
const ProtobufCMessageDescriptor *nb_message_descriptor(PyObject *name);

#endif
