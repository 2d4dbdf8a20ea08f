/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_read.h: JSON objects into structs, by tables of their fields.
 *
 * A table names the fields that are wanted, in the order in which Spark writes them; others are checked for well-formedness and
 * skipped. A field that is null or absent leaves its member as it was. A field of another kind than the table says makes the whole
 * text no event.
 */
#ifndef NB_MONITOR_EVENT_READ_H
#define NB_MONITOR_EVENT_READ_H

#include "base/arena.h"
#include "expr/json.h"

typedef struct nb_event_reader {
    nb_json json;
    nb_arena *scratch; /* texts */
    bool no_memory;
} nb_event_reader;

typedef enum nb_event_field_kind {
    NB_FIELD_INT,    /* int64_t; fractions are cut */
    NB_FIELD_BOOL,   /* bool */
    NB_FIELD_TEXT,   /* nb_str */
    NB_FIELD_OBJECT, /* fields of the same struct, from another table */
    NB_FIELD_READ,   /* by a function */
} nb_event_field_kind;

typedef struct nb_event_field nb_event_field;
struct nb_event_field {
    const char *name; /* NULL ends a table */
    nb_event_field_kind kind;
    size_t offset; /* in the struct */
    const nb_event_field *table;
    bool (*read)(nb_event_reader *r, void *base);
};

bool nb_event_read_object(nb_event_reader *r, const nb_event_field *table, void *base);
bool nb_event_read_int(nb_event_reader *r, int64_t *out); /* not null */
bool nb_event_read_text(nb_event_reader *r, nb_str *out); /* in the scratch arena or the line */
bool nb_event_read_null(nb_event_reader *r);              /* consumes a null if there is one */
/* A name and its colon; borrowed until the next call. */
bool nb_event_read_name(nb_event_reader *r, nb_str *out);

#endif
