/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arrow_internal.h: what the Arrow files share.
 */
#ifndef NB_COLUMN_ARROW_INTERNAL_H
#define NB_COLUMN_ARROW_INTERNAL_H

#include "column/arrow.h"

typedef enum nb_arrow_layout {
    NB_ARROW_OFFSETS_32,
    NB_ARROW_OFFSETS_64,
    NB_ARROW_VIEWS
} nb_arrow_layout;

/* How a string column leaves: as its requested schema says, else as the options say. */
nb_arrow_layout nb_arrow_string_layout(const nb_type *type, const nb_arrow_options *options,
                                       const struct ArrowSchema *requested);
/* Child i of a requested schema of n_children children; NULL when it is not like that. */
const struct ArrowSchema *
nb_arrow_requested_child(const struct ArrowSchema *requested, int64_t n_children, int64_t i);
bool nb_arrow_parse_decimal(const char *format, int *precision, int *scale, int *bits);

/* Numbers of the union Type in Arrow's Schema.fbs. */
typedef enum nb_arrow_ipc_type {
    NB_IPC_NULL = 1,
    NB_IPC_INT,
    NB_IPC_FLOAT,
    NB_IPC_BINARY,
    NB_IPC_UTF8,
    NB_IPC_BOOL,
    NB_IPC_DECIMAL,
    NB_IPC_DATE,
    NB_IPC_TIME,
    NB_IPC_TIMESTAMP,
    NB_IPC_INTERVAL,
    NB_IPC_LIST,
    NB_IPC_STRUCT,
    NB_IPC_UNION,
    NB_IPC_FIXED_BINARY,
    NB_IPC_FIXED_LIST,
    NB_IPC_MAP,
    NB_IPC_DURATION,
    NB_IPC_LARGE_BINARY,
    NB_IPC_LARGE_UTF8,
    NB_IPC_LARGE_LIST,
    NB_IPC_RUN_END,
    NB_IPC_BINARY_VIEW,
    NB_IPC_UTF8_VIEW,
    NB_IPC_LIST_VIEW,
    NB_IPC_LARGE_LIST_VIEW,
} nb_arrow_ipc_type;

/* Sizes in bytes of an array's buffers, in ArrowArray.private_data of arrays that come from a file (release is then
 * nb_arrow_sized_release): the importer checks them. */
void nb_arrow_sized_release(struct ArrowArray *array);

#endif
