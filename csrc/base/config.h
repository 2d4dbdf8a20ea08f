/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h: configuration: the keys of config.def with checked values, and any other key as text.
 *
 * A session has one nb_config. It is not locked: the session does that, and gives each query a copy, so that a query never sees a
 * change halfway. Values are kept as the user wrote them and parsed once.
 */
#ifndef NB_BASE_CONFIG_H
#define NB_BASE_CONFIG_H

#include <stdbool.h>
#include "base/error.h"
#include "base/str.h"

typedef enum nb_conf {
#define NB_CONF(id, key, type, default_value, scope, help) NB_CONF_##id,
#include "base/config.def"
#undef NB_CONF
    NB_N_CONFS
} nb_conf;

typedef enum nb_conf_type {
    NB_CONF_BOOL,
    NB_CONF_INT,   /* 32 bits */
    NB_CONF_COUNT, /* 32 bits, positive */
    NB_CONF_LONG,
    NB_CONF_DOUBLE,
    NB_CONF_BYTES, /* "128m", "1g", "64kb"; without a unit bytes */
    NB_CONF_MIB,   /* the same, without a unit MiB */
    NB_CONF_STRING
} nb_conf_type;

typedef enum nb_conf_scope {
    NB_SCOPE_SESSION, /* may be set at any time */
    NB_SCOPE_STATIC,  /* only when the session is made */
} nb_conf_scope;

typedef struct nb_conf_info {
    const char *key;
    nb_conf_type type;
    const char *default_value; /* NULL when it has none */
    nb_conf_scope scope;
    const char *help;
} nb_conf_info;

const nb_conf_info *nb_conf_info_get(nb_conf id);
bool nb_conf_find(nb_str key, nb_conf *id); /* false: not one of the table */

typedef struct nb_config nb_config;

nb_config *nb_config_new(void);                     /* all defaults; NULL when out of memory */
nb_config *nb_config_copy(const nb_config *config); /* NULL when out of memory */
void nb_config_free(nb_config *config);
/* The row becomes what it is in `from`. */
nb_status nb_config_take(nb_config *config, const nb_config *from, nb_conf id);

/* Raises INVALID_CONF_VALUE.* when the value does not fit the key. */
nb_status nb_config_set(nb_config *config, nb_str key, nb_str value, nb_error *err);
/* spark.conf.set / SET / spark.conf.unset: raise CANNOT_MODIFY_STATIC_CONFIG for static keys. */
nb_status nb_config_set_runtime(nb_config *config, nb_str key, nb_str value, nb_error *err);
nb_status nb_config_unset_runtime(nb_config *config, nb_str key, nb_error *err);
bool nb_config_is_modifiable(nb_str key);

/* What was set, else the default; false when there is neither. *value is borrowed until the next change. */
bool nb_config_get(const nb_config *config, nb_str key, nb_str *value);
bool nb_config_is_set(const nb_config *config, nb_str key);
/* All keys that were set, in byte order of the key, from i = 0 until false. */
bool nb_config_at(const nb_config *config, int i, nb_str *key, nb_str *value);

/* Typed, by row of the table. Keys without value and default give false, 0, empty. config NULL: the defaults. */
bool nb_config_bool(const nb_config *config, nb_conf id);
int64_t
nb_config_int(const nb_config *config, nb_conf id); /* INT, COUNT, LONG, BYTES, MIB (in bytes) */
double nb_config_double(const nb_config *config, nb_conf id);
nb_str nb_config_str(const nb_config *config, nb_conf id);
/* Any key: "10s", "500ms", "2min" or a number of `unit` ms; `otherwise` when it is not set, or none of these. */
int64_t
nb_config_duration_ms(const nb_config *config, const char *key, int64_t otherwise, int64_t unit);
/* The same in ms, -1 when it is negative: what it is the limit of is switched off. */
int64_t nb_config_limit_ms(const nb_config *config, const char *key, int64_t otherwise);

/* Reads key-value lines as in spark-defaults.conf ("key value", "key=value", "key: value", # comments). A file that is not there is
 * NB_DONE; keys that were set before stay as they are when `keep`. */
nb_status nb_config_load(nb_config *config, const char *path, bool keep, nb_error *err);

#endif
