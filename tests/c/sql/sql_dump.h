/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sql_dump.h: any message as one line of text, for tests of the parser: (name field=value …), without origins.
 */
#ifndef TESTS_SQL_DUMP_H
#define TESTS_SQL_DUMP_H

#include <protobuf-c/protobuf-c.h>
#include "base/str.h"

void sql_dump(const ProtobufCMessage *msg, nb_strbuf *out);

#endif
