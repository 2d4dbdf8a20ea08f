/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c: names, defaults and checks of CSV options; errors worded as Spark's CSVOptions.
 */
#include "io/csv/options.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/utf8.h"

typedef struct opts {
    const nb_option *o;
    int n;
    nb_arena *arena;
    nb_error *err;
} opts;

static nb_str
get(const opts *o, const char *key, nb_str otherwise)
{
    nb_str v = nb_option_find(o->o, o->n, key);

    return v.data ? v : otherwise;
}

/* Decodes one UTF-8 character; its length through n. */
static int32_t
first_char(nb_str s, size_t *n)
{
    unsigned char c = (unsigned char)s.data[0];
    size_t len = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    int32_t v = c < 0x80 ? c : c < 0xE0 ? c & 31 : c < 0xF0 ? c & 15 : c & 7;

    len = NB_MIN(len, s.len);
    for (size_t i = 1; i < len; i++) {
        v = v << 6 | (s.data[i] & 63);
    }
    *n = len;
    return v;
}

static nb_status
one_char(const opts *o, const char *key, int32_t otherwise, int32_t *out)
{
    nb_str v = nb_option_find(o->o, o->n, key);
    size_t n;

    *out = otherwise;
    if (v.data == NULL) {
        return NB_OK;
    }
    if (v.len == 0) {
        *out = 0;
        return NB_OK;
    }
    *out = first_char(v, &n);
    if (n != v.len || *out > 0xFFFF) {
        return nb_raise(o->err, NB_COND_OPTION_VALUE_EXCEEDS_ONE_CHARACTER, "paramName", key,
                        "actualValue", nb_arena_printf(o->arena, "%.*s", (int)v.len, v.data), NULL);
    }
    return NB_OK;
}

/* Spark's CSVExprUtils.toDelimiterStr: "\\t", "\\u0001" and the like, piece by piece. */
static nb_status
delimiter(const opts *o, nb_str text, nb_str *out)
{
    char *plain = nb_arena_alloc(o->arena, text.len + 4);
    size_t n = 0, i = 0;

    if (plain == NULL) {
        return NB_NOMEM;
    }
    while (i < text.len) {
        if (text.data[i] != '\\') {
            plain[n++] = text.data[i++];
            continue;
        }
        if (i + 1 == text.len) { /* Spark takes two characters where only one is left */
            return nb_raise(
                o->err, NB_COND_STRING_INDEX, "message",
                nb_arena_printf(o->arena, "begin %zu, end %zu, length %zu", i, i + 2, text.len),
                NULL);
        }
        char c = text.data[i + 1];
        const char *from = "trbf\"'\\", *to = "\t\r\b\f\"'\\", *at = strchr(from, c);
        if (c == 'u' && text.len == 6 && i == 0 && memcmp(text.data, "\\u0000", 6) == 0) {
            plain[n++] = '\0';
            i += 6;
        } else if (at != NULL) {
            plain[n++] = to[at - from];
            i += 2;
        } else {
            return nb_raise(o->err, NB_COND_INVALID_DELIMITER_SPECIAL, "str",
                            nb_arena_printf(o->arena, "\\%c", c), NULL);
        }
    }
    *out = (nb_str){plain, n};
    return NB_OK;
}

static nb_status
line_sep(const opts *o, nb_str *out)
{
    nb_str v = nb_option_find(o->o, o->n, "lineSep");
    size_t n = 0, chars = 0;

    *out = v;
    if (v.data == NULL) {
        return NB_OK;
    }
    if (v.len == 0) {
        return nb_raise(o->err, NB_COND_ILLEGAL_ARGUMENT, "message",
                        "requirement failed: 'lineSep' cannot be an empty string.", NULL);
    }
    for (size_t i = 0; i < v.len; i += n, chars++) {
        first_char((nb_str){v.data + i, v.len - i}, &n);
    }
    if (chars > 2) {
        return nb_raise(o->err, NB_COND_ILLEGAL_ARGUMENT, "message",
                        "requirement failed: 'lineSep' can contain only 1 character.", NULL);
    }
    return NB_OK;
}

static nb_status
quote_handling(const opts *o, nb_unescaped_quotes *out)
{
    static const char *const NAMES[] = {"STOP_AT_DELIMITER", "STOP_AT_CLOSING_QUOTE",
                                        "BACK_TO_DELIMITER", "SKIP_VALUE", "RAISE_ERROR"};
    nb_str v = get(o, "unescapedQuoteHandling", NB_STR("STOP_AT_DELIMITER"));
    char *upper;

    for (size_t i = 0; i < NB_COUNT_OF(NAMES); i++) {
        if (nb_str_equal_nocase(v, nb_str_of(NAMES[i]))) {
            *out = (nb_unescaped_quotes)i;
            return NB_OK;
        }
    }
    upper = nb_arena_printf(
        o->arena, "No enum constant com.univocity.parsers.csv.UnescapedQuoteHandling.%.*s",
        (int)v.len, v.data);
    for (char *p = upper ? strrchr(upper, '.') : NULL; p && *p; p++) {
        *p = (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p);
    }
    return nb_raise(o->err, NB_COND_ILLEGAL_ARGUMENT, "message", upper ? upper : "", NULL);
}

/* Letters, or three characters; never out of the directory. */
static nb_status
check_extension(nb_str e, nb_error *err)
{
    bool letters = true, path = false;

    for (size_t i = 0; i < e.len; i++) {
        unsigned char c = (unsigned char)e.data[i];
        letters &= (c | 32) >= 'a' && ((c | 32) <= 'z' || c >= 0x80);
        path |= c == '/' || c == 0;
    }
    if (path || !(letters || nb_utf8_count(e.data, e.len) == 3)) {
        char text[64];

        snprintf(text, sizeof text, "%.*s", (int)NB_MIN(e.len, 60), e.data);
        return nb_raise(err, NB_COND_INVALID_PARAMETER_VALUE_EXTENSION, "invalidValue", text, NULL);
    }
    return NB_OK;
}

nb_status
nb_csv_options_read(nb_arena *arena, const nb_option *options, int n, nb_csv_options *out,
                    nb_error *err)
{
    opts o = {options, n, arena, err};
    nb_str none = {NULL, 0};
    int64_t number;

    memset(out, 0, sizeof(*out));
    NB_TRY(delimiter(&o, get(&o, "sep", get(&o, "delimiter", NB_STR(","))), &out->sep));
    out->mode = nb_option_mode(options, n);
    NB_TRY(nb_charset_of_option(get(&o, "encoding", get(&o, "charset", NB_STR("UTF-8"))),
                                "`CSVOptions`", &out->charset, err));
    NB_TRY(one_char(&o, "quote", '"', &out->quote));
    NB_TRY(one_char(&o, "escape", '\\', &out->escape));
    NB_TRY(one_char(&o, "charToEscapeQuoteEscaping", 0, &out->escape_escape));
    if (out->escape_escape == 0) {
        out->escape_escape = out->quote == out->escape ? 0 : out->escape;
    }
    NB_TRY(one_char(&o, "comment", 0, &out->comment));
    NB_TRY(nb_option_bool(options, n, "header", false, &out->header, err));
    NB_TRY(nb_option_bool(options, n, "inferSchema", false, &out->infer_schema, err));
    NB_TRY(
        nb_option_bool(options, n, "ignoreLeadingWhiteSpace", false, &out->read_trim_leading, err));
    NB_TRY(nb_option_bool(options, n, "ignoreTrailingWhiteSpace", false, &out->read_trim_trailing,
                          err));
    NB_TRY(
        nb_option_bool(options, n, "ignoreLeadingWhiteSpace", true, &out->write_trim_leading, err));
    NB_TRY(nb_option_bool(options, n, "ignoreTrailingWhiteSpace", true, &out->write_trim_trailing,
                          err));
    out->corrupt_column = get(&o, "columnNameOfCorruptRecord", NB_STR("_corrupt_record"));
    out->null_value = get(&o, "nullValue", NB_STR(""));
    out->nan_value = get(&o, "nanValue", NB_STR("NaN"));
    out->positive_inf = get(&o, "positiveInf", NB_STR("Inf"));
    out->negative_inf = get(&o, "negativeInf", NB_STR("-Inf"));
    NB_TRY(nb_codec_of_option(get(&o, "compression", get(&o, "codec", NB_STR("none"))), &out->codec,
                              err));
    out->time_zone = get(&o, "timeZone", none);
    NB_TRY(nb_locale_find(get(&o, "locale", NB_STR("en-US")), &out->locale, err));
    out->extension = get(&o, "extension", NB_STR("csv"));
    NB_TRY(check_extension(out->extension, err));
    NB_TRY(nb_option_bool(options, n, "preferDate", true, &out->prefer_date, err));
    out->date_format = get(&o, "dateFormat", none);
    out->timestamp_format = get(&o, "timestampFormat", none);
    out->timestamp_ntz_format = get(&o, "timestampNTZFormat", none);
    NB_TRY(nb_option_to_bool(options, n, "enableDateTimeParsingFallback",
                             out->date_format.data == NULL, &out->fall_back_date, err));
    NB_TRY(nb_option_to_bool(options, n, "enableDateTimeParsingFallback",
                             out->timestamp_format.data == NULL, &out->fall_back_timestamp, err));
    NB_TRY(nb_option_to_bool(options, n, "multiLine", false, &out->multi_line, err));
    NB_TRY(nb_option_int(options, n, "maxColumns", 20480, &out->max_columns, err));
    out->max_columns = NB_MAX(out->max_columns, 0);
    NB_TRY(nb_option_int(options, n, "maxCharsPerColumn", -1, &out->max_chars, err));
    NB_TRY(nb_option_bool(options, n, "escapeQuotes", true, &out->escape_quotes, err));
    NB_TRY(nb_option_bool(options, n, "quoteAll", false, &out->quote_all, err));
    NB_TRY(nb_option_ratio(options, n, "samplingRatio", &out->sampling_ratio, err));
    NB_TRY(nb_option_bool(options, n, "enforceSchema", true, &out->enforce_schema, err));
    NB_TRY(
        nb_option_bool(options, n, "columnPruning", !out->multi_line, &out->column_pruning, err));
    out->empty_read = get(&o, "emptyValue", NB_STR(""));
    out->empty_write = get(&o, "emptyValue", NB_STR("\"\""));
    NB_TRY(line_sep(&o, &out->line_sep));
    NB_TRY(nb_option_to_int(options, n, "inputBufferSize", 1048576, &number, err));
    NB_TRY(quote_handling(&o, &out->unescaped_quotes));
    out->simple = out->sep.len == 1 && (unsigned char)out->sep.data[0] < 0x80 &&
                  out->sep.data[0] != '\n' && out->sep.data[0] != '\r' && out->sep.data[0] > 0 &&
                  out->quote < 0x80 && out->escape < 0x80 && out->comment < 0x80 &&
                  out->escape_escape < 0x80 && out->line_sep.data == NULL && out->quote != '\n' &&
                  out->quote != '\r' && out->sep.data[0] != out->quote;
    return NB_OK;
}
