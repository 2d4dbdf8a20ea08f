/* SPDX-License-Identifier: Apache-2.0 */
/*
 * locale.h: how numbers and dates are written in a language: the `locale` option of CSV and JSON.
 *
 * Rows of locales.def. A tag is a language or a language and a country ("pt", "pt-BR"), in any case.
 */
#ifndef NB_EXPR_LOCALE_H
#define NB_EXPR_LOCALE_H

#include "base/error.h"
#include "base/str.h"

typedef struct nb_locale {
    const char *tags; /* joined by | */
    const char *point, *group;
    const char *months[12], *months_short[12], *months_alone[12];
    const char *weekdays[7], *weekdays_short[7];
    const char *halves[2], *eras_short[2], *eras[2];
    const char *quarters_short[4], *quarters[4];
} nb_locale;

/* en-US */
const nb_locale *nb_locale_default(void);
/* Raises for a tag of a locale that is not in the table. What is no tag, or of no language, means the root locale, as in Java. */
nb_status nb_locale_find(nb_str tag, const nb_locale **out, nb_error *err);
/* A number as Spark's decimal parser reads it, in plain digits (into plain, of `cap` bytes): for en-US commas are left out, elsewhere the rules are those of
 * java.text.DecimalFormat. False: it is none. */
bool nb_locale_decimal(const nb_locale *l, nb_str text, char *plain, size_t cap, nb_str *out);

#endif
