/* SPDX-License-Identifier: Apache-2.0 */
/*
 * requests.h: what the handlers of requests share.
 */
#ifndef NB_CONNECT_REQUESTS_H
#define NB_CONNECT_REQUESTS_H

#include "connect/query.h"

/* Gives NB_NOMEM and NB_CANCELLED an error text; other statuses pass. */
nb_status nb_status_explain(nb_status st, nb_error *err);

#endif
