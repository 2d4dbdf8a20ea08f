/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_out.h: JSON text, piece by piece; commas come by themselves.
 */
#ifndef NB_MONITOR_JSON_OUT_H
#define NB_MONITOR_JSON_OUT_H

#include "base/str.h"

typedef struct nb_json_out {
    nb_strbuf *to;
    bool comma; /* an element stands before */
} nb_json_out;

void nb_out_open(nb_json_out *o, const char *key, char bracket); /* key NULL: in a list */
void nb_out_close(nb_json_out *o, char bracket);
void nb_out_str(nb_json_out *o, const char *key, nb_str value);
void nb_out_text(nb_json_out *o, const char *key, const char *value);
void nb_out_int(nb_json_out *o, const char *key, int64_t value);
void nb_out_double(nb_json_out *o, const char *key, double value); /* with a fraction, as Jackson */
void nb_out_bool(nb_json_out *o, const char *key, bool value);
/* "2026-11-28T11:39:44.201GMT" */
void nb_out_time(nb_json_out *o, const char *key, int64_t ms);

#endif
