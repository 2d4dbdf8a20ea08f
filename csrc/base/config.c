/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.c: the table of keys, and the values of a session.
 *
 * Keys of the table have a slot each, with the parsed value; other keys are kept in an array sorted by key.
 */
#include "base/config.h"
#include "base/properties.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const nb_conf_info INFOS[] = {
#define NB_CONF(id, key, type, default_value, scope, help) \
    [NB_CONF_##id] = {key, NB_CONF_##type, default_value, NB_SCOPE_##scope, help},
#include "base/config.def"
#undef NB_CONF
};

/* Settings with a closed list of values, in the order in which Spark's message names them. */
static const char *const CHOICES[NB_N_CONFS] = {
    [NB_CONF_LEGACY_TIME_PARSER] = "EXCEPTION, LEGACY, CORRECTED",
    [NB_CONF_MAPKEY_DEDUP] = "EXCEPTION, LAST_WIN",
    [NB_CONF_PANDAS_STRUCT_MODE] = "legacy, row, dict",
    [NB_CONF_PARQUET_COMPRESSION] =
        "brotli, uncompressed, lzo, snappy, lz4_raw, none, zstd, lz4, gzip",
    [NB_CONF_PARTITION_OVERWRITE] = "STATIC, DYNAMIC",
    [NB_CONF_TIMESTAMP_TYPE] = "TIMESTAMP_NTZ, TIMESTAMP_LTZ",
};

typedef struct slot {
    char *text; /* NULL: the default holds */
    int64_t number;
    double real;
} slot;

typedef struct extra {
    char *key, *value;
} extra;

struct nb_config {
    slot slots[NB_N_CONFS];
    extra *extras; /* sorted by key */
    int n_extras, cap_extras;
};

const nb_conf_info *
nb_conf_info_get(nb_conf id)
{
    return &INFOS[id];
}

bool
nb_conf_find(nb_str key, nb_conf *id)
{
    for (int i = 0; i < NB_N_CONFS; i++) {
        if (nb_str_equal(key, nb_str_of(INFOS[i].key))) {
            *id = (nb_conf)i;
            return true;
        }
    }
    return false;
}

/* "12", "12k", "12kb" …, into bytes; unit is that of a bare number. */
static bool
parse_bytes(nb_str s, int64_t unit, int64_t *out)
{
    static const char LETTERS[] = "bkmgtp";
    size_t digits = 0;
    int64_t v;

    s = nb_str_trim(s);
    if (s.len > 0 && s.data[0] == '-') {
        digits = 1;
    }
    while (digits < s.len && s.data[digits] >= '0' && s.data[digits] <= '9') {
        digits++;
    }
    if (!nb_str_to_int64((nb_str){s.data, digits}, &v)) {
        return false;
    }
    s = (nb_str){s.data + digits, s.len - digits};
    if (s.len > 0) {
        const char *letter = strchr(LETTERS, s.data[0] | 32);

        if (letter == NULL || *letter == 0 || s.len > 2 ||
            (s.len == 2 && ((s.data[1] | 32) != 'b' || *letter == 'b'))) {
            return false;
        }
        unit = (int64_t)1 << (10 * (letter - LETTERS));
    }
    return !__builtin_mul_overflow(v, unit, out);
}

static bool
parse_value(nb_conf_type type, nb_str s, slot *out)
{
    char text[64];
    char *end;
    bool b;

    switch (type) {
    case NB_CONF_BOOL:
        if (!nb_str_to_bool(nb_str_trim(s), &b)) {
            return false;
        }
        out->number = b;
        return true;
    case NB_CONF_INT:
    case NB_CONF_COUNT:
        return nb_str_to_int64(nb_str_trim(s), &out->number) && out->number == (int32_t)out->number;
    case NB_CONF_LONG: return nb_str_to_int64(nb_str_trim(s), &out->number);
    case NB_CONF_DOUBLE:
        if (s.len == 0 || s.len >= sizeof(text)) {
            return false;
        }
        memcpy(text, s.data, s.len);
        text[s.len] = 0;
        out->real = strtod(text, &end);
        return *end == 0;
    case NB_CONF_BYTES: return parse_bytes(s, 1, &out->number);
    case NB_CONF_MIB: return parse_bytes(s, 1 << 20, &out->number);
    case NB_CONF_STRING: return true;
    }
    return false;
}

static const char *
type_name(nb_conf_type type)
{
    static const char *const NAMES[] = {"boolean", "int",           "int",          "long",
                                        "double",  "bytes in BYTE", "bytes in MiB", "string"};

    return NAMES[type];
}

static void
reset_slot(nb_config *config, int id)
{
    slot *s = &config->slots[id];

    free(s->text);
    *s = (slot){0};
    if (INFOS[id].default_value != NULL) {
        NB_ASSERT(parse_value(INFOS[id].type, nb_str_of(INFOS[id].default_value), s));
    }
}

nb_status
nb_config_take(nb_config *config, const nb_config *from, nb_conf id)
{
    const slot *of = &from->slots[id];
    char *text = of->text != NULL ? nb_str_copy(nb_str_of(of->text)) : NULL;

    if (of->text != NULL && text == NULL) {
        return NB_NOMEM;
    }
    free(config->slots[id].text);
    config->slots[id] = *of;
    config->slots[id].text = text;
    return NB_OK;
}

nb_config *
nb_config_new(void)
{
    nb_config *config = calloc(1, sizeof(*config));

    if (config != NULL) {
        for (int i = 0; i < NB_N_CONFS; i++) {
            reset_slot(config, i);
        }
    }
    return config;
}

void
nb_config_free(nb_config *config)
{
    if (config == NULL) {
        return;
    }
    for (int i = 0; i < NB_N_CONFS; i++) {
        free(config->slots[i].text);
    }
    for (int i = 0; i < config->n_extras; i++) {
        free(config->extras[i].key);
        free(config->extras[i].value);
    }
    free(config->extras);
    free(config);
}

/* Where key is, or where it would be put. */
static int
extra_position(const nb_config *config, nb_str key, bool *found)
{
    int low = 0, high = config->n_extras;

    *found = false;
    while (low < high) {
        int mid = (low + high) / 2;
        int c = nb_str_compare(nb_str_of(config->extras[mid].key), key);

        if (c == 0) {
            *found = true;
            return mid;
        }
        if (c < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static nb_status
set_extra(nb_config *config, nb_str key, nb_str value)
{
    bool found;
    int at = extra_position(config, key, &found);
    char *v = nb_str_copy(value), *k;

    if (v == NULL) {
        return NB_NOMEM;
    }
    if (found) {
        free(config->extras[at].value);
        config->extras[at].value = v;
        return NB_OK;
    }
    if (config->n_extras == config->cap_extras) {
        int cap = config->cap_extras ? 2 * config->cap_extras : 16;
        extra *grown = realloc(config->extras, (size_t)cap * sizeof(*grown));

        if (grown == NULL) {
            free(v);
            return NB_NOMEM;
        }
        config->extras = grown;
        config->cap_extras = cap;
    }
    k = nb_str_copy(key);
    if (k == NULL) {
        free(v);
        return NB_NOMEM;
    }
    memmove(&config->extras[at + 1], &config->extras[at],
            (size_t)(config->n_extras - at) * sizeof(extra));
    config->extras[at] = (extra){k, v};
    config->n_extras++;
    return NB_OK;
}

nb_config *
nb_config_copy(const nb_config *config)
{
    nb_config *copy = calloc(1, sizeof(*copy));

    if (copy == NULL) {
        return NULL;
    }
    for (int i = 0; i < NB_N_CONFS; i++) {
        copy->slots[i] = config->slots[i];
        if (config->slots[i].text != NULL &&
            (copy->slots[i].text = strdup(config->slots[i].text)) == NULL) {
            nb_config_free(copy);
            return NULL;
        }
    }
    for (int i = 0; i < config->n_extras; i++) {
        if (set_extra(copy, nb_str_of(config->extras[i].key), nb_str_of(config->extras[i].value)) !=
            NB_OK) {
            nb_config_free(copy);
            return NULL;
        }
    }
    return copy;
}

static nb_status
raise_value(nb_error *err, nb_condition cond, const char *key, nb_str value, const char *name,
            const char *text)
{
    char *v = nb_str_copy(value);

    nb_raise(err, cond, "confName", key, "confValue", v ? v : "", name, text, NULL);
    free(v);
    return NB_ERROR;
}

static bool
is_choice(const char *choices, nb_str value)
{
    while (*choices) {
        size_t n = strcspn(choices, ",");

        if (nb_str_equal_nocase((nb_str){choices, n}, value)) {
            return true;
        }
        choices += n;
        choices += strspn(choices, ", ");
    }
    return false;
}

nb_status
nb_config_set(nb_config *config, nb_str key, nb_str value, nb_error *err)
{
    nb_conf id;
    slot s = {0};

    if (!nb_conf_find(key, &id)) {
        return set_extra(config, key, value);
    }
    if (!parse_value(INFOS[id].type, value, &s)) {
        return raise_value(err, NB_COND_INVALID_CONF_VALUE_TYPE_MISMATCH, INFOS[id].key, value,
                           "confType", type_name(INFOS[id].type));
    }
    if (INFOS[id].type == NB_CONF_COUNT && s.number <= 0) {
        char rule[160];

        snprintf(rule, sizeof(rule), "The value of %s must be positive", INFOS[id].key);
        return raise_value(err, NB_COND_INVALID_CONF_VALUE_REQUIREMENT, INFOS[id].key, value,
                           "confRequirement", rule);
    }
    if (CHOICES[id] != NULL && !is_choice(CHOICES[id], value)) {
        return raise_value(err, NB_COND_INVALID_CONF_VALUE_OUT_OF_RANGE_OF_OPTIONS, INFOS[id].key,
                           value, "confOptions", CHOICES[id]);
    }
    s.text = nb_str_copy(value);
    if (s.text == NULL) {
        return NB_NOMEM;
    }
    free(config->slots[id].text);
    config->slots[id] = s;
    return NB_OK;
}

bool
nb_config_is_modifiable(nb_str key)
{
    nb_conf id;

    return nb_conf_find(key, &id) && INFOS[id].scope == NB_SCOPE_SESSION;
}

/* Spark lets spark.conf change start-up keys of the core (spark.master …) without effect; only static keys of SQL and Connect refuse. */
static nb_status
check_modifiable(nb_str key, nb_error *err)
{
    nb_conf id;
    char quoted[160];

    if (!nb_conf_find(key, &id) || INFOS[id].scope == NB_SCOPE_SESSION ||
        !(nb_str_starts_with(key, NB_STR("spark.sql.")) ||
          nb_str_starts_with(key, NB_STR("spark.connect.")))) {
        return NB_OK;
    }
    snprintf(quoted, sizeof(quoted), "\"%s\"", INFOS[id].key);
    return nb_raise(err, NB_COND_CANNOT_MODIFY_STATIC_CONFIG, "key", quoted, NULL);
}

nb_status
nb_config_set_runtime(nb_config *config, nb_str key, nb_str value, nb_error *err)
{
    NB_TRY(check_modifiable(key, err));
    return nb_config_set(config, key, value, err);
}

nb_status
nb_config_unset_runtime(nb_config *config, nb_str key, nb_error *err)
{
    nb_conf id;
    bool found;
    int at;

    NB_TRY(check_modifiable(key, err));
    if (nb_conf_find(key, &id)) {
        reset_slot(config, (int)id);
        return NB_OK;
    }
    at = extra_position(config, key, &found);
    if (found) {
        free(config->extras[at].key);
        free(config->extras[at].value);
        config->n_extras--;
        memmove(&config->extras[at], &config->extras[at + 1],
                (size_t)(config->n_extras - at) * sizeof(extra));
    }
    return NB_OK;
}

bool
nb_config_get(const nb_config *config, nb_str key, nb_str *value)
{
    nb_conf id;
    bool found;
    int at;

    if (nb_conf_find(key, &id)) {
        if (config->slots[id].text == NULL && INFOS[id].default_value == NULL) {
            return false;
        }
        *value = nb_config_str(config, id);
        return true;
    }
    at = extra_position(config, key, &found);
    if (found) {
        *value = nb_str_of(config->extras[at].value);
    }
    return found;
}

bool
nb_config_is_set(const nb_config *config, nb_str key)
{
    nb_conf id;
    bool found;

    if (nb_conf_find(key, &id)) {
        return config->slots[id].text != NULL;
    }
    extra_position(config, key, &found);
    return found;
}

bool
nb_config_at(const nb_config *config, int i, nb_str *key, nb_str *value)
{
    const char *last = NULL;

    /* the next larger key of both kinds, i + 1 times: the lists are short, and slots are not sorted */
    for (int round = 0; round <= i; round++) {
        const char *best = NULL, *best_value = NULL;

        for (int k = 0; k < NB_N_CONFS + config->n_extras; k++) {
            bool slotted = k < NB_N_CONFS;
            const char *name = slotted ? INFOS[k].key : config->extras[k - NB_N_CONFS].key;
            const char *text =
                slotted ? config->slots[k].text : config->extras[k - NB_N_CONFS].value;

            if (text != NULL && (last == NULL || strcmp(name, last) > 0) &&
                (best == NULL || strcmp(name, best) < 0)) {
                best = name;
                best_value = text;
            }
        }
        if (best == NULL) {
            return false;
        }
        last = best;
        *key = nb_str_of(best);
        *value = nb_str_of(best_value);
    }
    return true;
}

/* Of the table alone where there is no configuration. */
static slot
slot_of(const nb_config *config, nb_conf id)
{
    slot s = {0};

    if (config != NULL) {
        return config->slots[id];
    }
    if (INFOS[id].default_value != NULL) {
        NB_ASSERT(parse_value(INFOS[id].type, nb_str_of(INFOS[id].default_value), &s));
    }
    return s;
}

bool
nb_config_bool(const nb_config *config, nb_conf id)
{
    return slot_of(config, id).number != 0;
}

int64_t
nb_config_int(const nb_config *config, nb_conf id)
{
    return slot_of(config, id).number;
}

double
nb_config_double(const nb_config *config, nb_conf id)
{
    return slot_of(config, id).real;
}

nb_str
nb_config_str(const nb_config *config, nb_conf id)
{
    const char *text = slot_of(config, id).text;

    return nb_str_of(text ? text : INFOS[id].default_value ? INFOS[id].default_value : "");
}

int64_t
nb_config_duration_ms(const nb_config *config, const char *key, int64_t otherwise, int64_t unit)
{
    static const struct {
        const char *suffix;
        int64_t ms;
    } units[] = {{"ms", 1}, {"min", 60000}, {"m", 60000}, {"s", 1000}, {"h", 3600000}};
    nb_str v;
    int64_t n;

    if (!nb_config_get(config, nb_str_of(key), &v)) {
        return otherwise;
    }
    if (nb_str_to_int64(v, &n)) {
        return n > 0 && n < INT32_MAX / unit ? n * unit : otherwise;
    }
    for (size_t i = 0; i < NB_COUNT_OF(units); i++) {
        nb_str suffix = nb_str_of(units[i].suffix);

        if (nb_str_ends_with(v, suffix) &&
            nb_str_to_int64((nb_str){v.data, v.len - suffix.len}, &n) && n > 0 &&
            n < INT32_MAX / units[i].ms) {
            return n * units[i].ms;
        }
    }
    return otherwise;
}

int64_t
nb_config_limit_ms(const nb_config *config, const char *key, int64_t otherwise)
{
    nb_str v;

    return nb_config_get(config, nb_str_of(key), &v) && v.len > 0 && v.data[0] == '-'
               ? -1
               : nb_config_duration_ms(config, key, otherwise, 1);
}

nb_status
nb_config_load(nb_config *config, const char *path, bool keep, nb_error *err)
{
    nb_properties p = {.file = fopen(path, "re")};
    nb_str key, value;
    nb_status st = NB_OK;

    if (p.file == NULL) {
        return errno == ENOENT || errno == ENOTDIR ? NB_DONE
                                                   : nb_raise_errno(err, "open", path, errno);
    }
    while (st == NB_OK && (st = nb_properties_next(&p, &key, &value)) == NB_OK) {
        if (!keep || !nb_config_is_set(config, key)) {
            st = nb_config_set(config, key, value, err);
        }
    }
    fclose(p.file);
    nb_properties_free(&p);
    return st == NB_DONE ? NB_OK : st;
}
