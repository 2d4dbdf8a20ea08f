/* SPDX-License-Identifier: Apache-2.0 */
/*
 * requests.h: what the handlers of requests share.
 */
#ifndef NB_CONNECT_REQUESTS_H
#define NB_CONNECT_REQUESTS_H

#include "connect/query.h"

/* Gives NB_NOMEM and NB_CANCELLED an error text; other statuses pass. */
nb_status nb_status_explain(nb_status st, nb_error *err);

/* What base/config.h cannot know of a value: a time zone must be one, or no query could run with it. */
nb_status nb_setting_check(nb_str key, nb_str value, nb_error *err);

#endif
