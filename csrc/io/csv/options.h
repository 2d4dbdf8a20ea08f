/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h: the options of the CSV source, read and checked as Spark reads and checks them.
 */
#ifndef NB_IO_CSV_OPTIONS_H
#define NB_IO_CSV_OPTIONS_H

#include "expr/locale.h"
#include "io/format.h"

typedef enum nb_unescaped_quotes {
    NB_QUOTES_STOP_AT_DELIMITER,
    NB_QUOTES_STOP_AT_CLOSING_QUOTE,
    NB_QUOTES_BACK_TO_DELIMITER,
    NB_QUOTES_SKIP_VALUE,
    NB_QUOTES_RAISE_ERROR,
} nb_unescaped_quotes;

typedef struct nb_csv_options {
    nb_str sep;            /* one or more characters */
    int32_t quote, escape; /* code points; 0 = none */
    int32_t
        escape_escape; /* charToEscapeQuoteEscaping; by default escape, or none when that is the quote */
    int32_t comment; /* 0 = none */
    bool header, infer_schema, enforce_schema, multi_line, prefer_date;
    bool read_trim_leading, read_trim_trailing, write_trim_leading, write_trim_trailing;
    nb_str null_value, nan_value, positive_inf, negative_inf;
    nb_str empty_read, empty_write;
    nb_str line_sep;                                            /* data NULL = \n, \r\n and \r */
    nb_str date_format, timestamp_format, timestamp_ntz_format; /* data NULL = not given */
    nb_str time_zone;                                           /* data NULL = the session's */
    const nb_locale *locale;
    nb_str extension;      /* of files written */
    nb_str corrupt_column; /* columnNameOfCorruptRecord */
    nb_parse_mode mode;
    nb_unescaped_quotes unescaped_quotes;
    int64_t max_columns, max_chars; /* max_chars -1 = no limit */
    double sampling_ratio;
    bool quote_all, escape_quotes;
    bool column_pruning;
    nb_charset charset;
    nb_codec codec; /* for writing */
    /* enableDateTimeParsingFallback; when not given, of kinds that have no pattern */
    bool fall_back_date, fall_back_timestamp;
    /* derived: */
    bool
        simple; /* sep, quote, escape, comment are ASCII, sep is one byte, default line breaks: the fast scan applies */
} nb_csv_options;

/* Strings are borrowed from the options, or live in the arena. */
nb_status nb_csv_options_read(nb_arena *arena, const nb_option *options, int n, nb_csv_options *out,
                              nb_error *err);

#endif
