/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c: JSONOptions.
 */
#include "io/json/options.h"

#include "base/config.h"

typedef struct flag {
    const char *key;
    bool otherwise, inverted;
    nb_json_rule rule;
} flag;

static const flag FLAGS[] = {
    {"allowComments", false, false, NB_JSON_COMMENTS},
    {"allowUnquotedFieldNames", false, false, NB_JSON_BARE_NAMES},
    {"allowSingleQuotes", true, true, NB_JSON_DOUBLE_QUOTES_ONLY},
    {"allowNumericLeadingZeros", false, false, NB_JSON_LEADING_ZEROS},
    {"allowNonNumericNumbers", true, false, NB_JSON_NOT_FINITE},
    {"allowBackslashEscapingAnyCharacter", false, false, NB_JSON_ANY_ESCAPE},
    {"allowUnquotedControlChars", false, false, NB_JSON_CONTROLS},
};

/* Lines are found in UTF-8, and by Spark too, unless it is told how they end. */
static nb_status
check_encoding(const nb_json_options *o, nb_str name, nb_arena *arena, nb_error *err)
{
    static const char *const REFUSED[] = {"UTF-16", "UTF-32"};

    if (name.data == NULL || o->multi_line) {
        return NB_OK;
    }
    for (size_t i = 0; i < NB_COUNT_OF(REFUSED); i++) {
        if (nb_str_equal_nocase(name, nb_str_of(REFUSED[i]))) {
            return nb_raise(
                err, NB_COND_ILLEGAL_ARGUMENT, "message",
                nb_arena_printf(arena,
                                "requirement failed: The %s encoding must not be included in the "
                                "denyList when multiLine is disabled:\nDenylist: UTF-16, UTF-32",
                                REFUSED[i]),
                NULL);
        }
    }
    if (o->charset != NB_CHARSET_UTF8 && o->line_sep.data == NULL) {
        return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message",
                        nb_arena_printf(arena,
                                        "requirement failed: The lineSep option must be specified "
                                        "for the %.*s encoding",
                                        (int)name.len, name.data),
                        NULL);
    }
    return NB_OK;
}

nb_status
nb_json_options_read(nb_arena *arena, const nb_option *options, int n, const nb_session_info *info,
                     bool writing, nb_json_options *o, nb_error *err)
{
    const nb_config *config = info ? info->config : NULL;
    nb_str v, encoding = nb_option_find(options, n, "encoding");
    int64_t depth;
    bool on;

    memset(o, 0, sizeof(*o));
    encoding = encoding.data ? encoding : nb_option_find(options, n, "charset");
    for (size_t i = 0; i < NB_COUNT_OF(FLAGS); i++) {
        NB_TRY(nb_option_to_bool(options, n, FLAGS[i].key, FLAGS[i].otherwise, &on, err));
        o->rules |= on != FLAGS[i].inverted ? (unsigned)FLAGS[i].rule : 0;
    }
    NB_TRY(nb_option_int(options, n, "maxNestingDepth", NB_JSON_DEPTH, &depth, err));
    o->max_depth = (int)NB_MAX(NB_MIN(depth, NB_JSON_DEPTH), 1);
    o->mode = nb_option_mode(options, n);
    NB_TRY(nb_option_to_bool(options, n, "multiLine", false, &o->multi_line, err));
    NB_TRY(
        nb_option_to_bool(options, n, "primitivesAsString", false, &o->primitives_as_string, err));
    NB_TRY(nb_option_to_bool(options, n, "prefersDecimal", false, &o->prefers_decimal, err));
    NB_TRY(nb_option_to_bool(options, n, "inferTimestamp", false, &o->infer_timestamp, err));
    NB_TRY(nb_option_to_bool(options, n, "dropFieldIfAllNull", false, &o->drop_all_null, err));
    NB_TRY(nb_option_to_bool(options, n, "ignoreNullFields",
                             nb_config_bool(config, NB_CONF_JSON_IGNORE_NULLS),
                             &o->ignore_null_fields, err));
    NB_TRY(nb_option_to_bool(options, n, "writeNonAsciiCharacterAsCodePoint", false, &o->ascii_only,
                             err));
    NB_TRY(nb_option_ratio(options, n, "samplingRatio", &o->sampling_ratio, err));
    v = nb_option_find(options, n, "columnNameOfCorruptRecord");
    o->corrupt_column =
        v.data ? v : nb_arena_str(arena, nb_config_str(config, NB_CONF_CORRUPT_RECORD_COLUMN));
    if (o->corrupt_column.data == NULL) {
        return NB_NOMEM;
    }
    o->line_sep = nb_option_find(options, n, "lineSep");
    if (o->line_sep.data != NULL && o->line_sep.len == 0) {
        return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message",
                        "requirement failed: 'lineSep' cannot be an empty string.", NULL);
    }
    NB_TRY(nb_charset_of_option(encoding.data ? encoding : NB_STR("UTF-8"), "JSONOptions",
                                &o->charset, err));
    NB_TRY(writing ? NB_OK : check_encoding(o, encoding, arena, err));
    v = nb_option_find(options, n, "compression");
    NB_TRY(v.data ? nb_codec_of_option(v, &o->codec, err) : NB_OK);
    v = nb_option_find(options, n, "locale");
    NB_TRY(nb_locale_find(v.data ? v : NB_STR("en-US"), &o->text.locale, err));
    o->text.date_format = nb_option_find(options, n, "dateFormat");
    o->text.timestamp_format = nb_option_find(options, n, "timestampFormat");
    o->text.timestamp_ntz_format = nb_option_find(options, n, "timestampNTZFormat");
    o->text.time_zone = nb_option_find(options, n, "timeZone");
    return nb_csv_formats_new(arena, &o->text, info, writing, &o->formats, err);
}

nb_json_reading
nb_json_options_reading(const nb_json_options *o)
{
    return (nb_json_reading){.rules = o->rules,
                             .max_depth = o->max_depth,
                             .exact_text = true,
                             .date = o->formats->date,
                             .timestamp = o->formats->timestamp,
                             .timestamp_ntz = o->formats->timestamp_ntz,
                             .zone = o->formats->zone,
                             .locale = o->text.locale};
}

nb_json_style
nb_json_options_style(const nb_json_options *o)
{
    return (nb_json_style){.instant = o->formats->timestamp,
                           .local = o->formats->timestamp_ntz,
                           .date = o->text.date_format.data ? o->formats->date : NULL,
                           .ignore_nulls = o->ignore_null_fields,
                           .ascii_only = o->ascii_only};
}
