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

/* Sizes in bytes of an array's buffers, in ArrowArray.private_data of arrays that come from a file (release is then
 * nb_arrow_sized_release): the importer checks them. */
void nb_arrow_sized_release(struct ArrowArray *array);

#endif
