/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keywords.c: look-up of words in keywords.def, by binary search over the sorted table.
 */
#include "sql/lexer.h"

typedef struct keyword_row {
    const char *text;
    uint8_t len;
    bool strict;
    uint16_t id;
} keyword_row;

enum { FREE = 0, STRICT = 1 };

static const keyword_row rows[] = {
#define NB_KEYWORD(id, text, class)       {text, sizeof(text) - 1, class, NB_KW_##id},
#define NB_KEYWORD_ALIAS(id, text, class) {text, sizeof(text) - 1, class, NB_KW_##id},
#include "sql/keywords.def"
#undef NB_KEYWORD
#undef NB_KEYWORD_ALIAS
};

static const keyword_row by_id[] = {
#define NB_KEYWORD(id, text, class) [NB_KW_##id] = {text, sizeof(text) - 1, class, NB_KW_##id},
#define NB_KEYWORD_ALIAS(id, text, class)
#include "sql/keywords.def"
#undef NB_KEYWORD
#undef NB_KEYWORD_ALIAS
};

#define LONGEST 20 /* more than any row has */

nb_keyword
nb_keyword_find(nb_str word)
{
    char upper[LONGEST];
    size_t lo = 0, hi = NB_COUNT_OF(rows);

    if (word.len == 0 || word.len > sizeof upper) {
        return NB_NOT_KEYWORD;
    }
    for (size_t i = 0; i < word.len; i++) {
        upper[i] = nb_to_upper(word.data[i]);
    }
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const keyword_row *row = &rows[mid];
        int c = memcmp(upper, row->text, NB_MIN(word.len, row->len));
        if (c == 0) {
            c = word.len < row->len ? -1 : word.len > row->len;
        }
        if (c == 0) {
            return (nb_keyword)row->id;
        }
        if (c < 0) {
            hi = mid;
        } else {
            lo = mid + 1;
        }
    }
    return NB_NOT_KEYWORD;
}

const char *
nb_keyword_text(nb_keyword kw)
{
    return kw > NB_NOT_KEYWORD && kw < NB_N_KEYWORDS ? by_id[kw].text : "";
}

bool
nb_keyword_is_strict(nb_keyword kw)
{
    return kw > NB_NOT_KEYWORD && kw < NB_N_KEYWORDS && by_id[kw].strict;
}
