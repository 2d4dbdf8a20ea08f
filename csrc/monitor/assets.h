/* SPDX-License-Identifier: Apache-2.0 */
/*
 * assets.h: the static files of the pages (monitor/ui), inside the executable, so that there is nothing to install or to find.
 */
#ifndef NB_MONITOR_ASSETS_H
#define NB_MONITOR_ASSETS_H

#include "base/str.h"

typedef struct nb_asset {
    const char *path, *type;
    const char *data, *end;
} nb_asset;

/* "/app.js"; NULL when there is none. */
const nb_asset *nb_asset_find(nb_str path);

#endif
