/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h: the options of the JSON source, read and checked as Spark reads and checks them.
 */
#ifndef NB_IO_JSON_OPTIONS_H
#define NB_IO_JSON_OPTIONS_H

#include "expr/json_columns.h"
#include "expr/json_text.h"
#include "io/csv/formats.h"
#include "io/format.h"

typedef struct nb_json_options {
    unsigned rules; /* of nb_json_rule */
    int max_depth;  /* maxNestingDepth, at most NB_JSON_DEPTH */
    nb_parse_mode mode;
    bool multi_line, primitives_as_string, prefers_decimal, infer_timestamp, drop_all_null;
    bool ignore_null_fields, ascii_only; /* for writing */
    double sampling_ratio;
    nb_str corrupt_column; /* columnNameOfCorruptRecord */
    nb_str line_sep;       /* data NULL = \n, \r\n and \r */
    nb_charset charset;
    nb_codec codec;      /* for writing */
    nb_csv_options text; /* of these the date formats, timeZone and locale only */
    nb_csv_formats *formats;
} nb_json_options;

/* Strings are borrowed from the options, or live in the arena. */
nb_status
nb_json_options_read(nb_arena *arena, const nb_option *options, int n, const nb_session_info *info,
                     bool writing, nb_json_options *out, nb_error *err);
/* How values are read, by these options. */
nb_json_reading nb_json_options_reading(const nb_json_options *o);
/* How they are written, by options that were read for writing. */
nb_json_style nb_json_options_style(const nb_json_options *o);

#endif
