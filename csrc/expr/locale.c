/* SPDX-License-Identifier: Apache-2.0 */
/*
 * locale.c: the table of locales, and numbers in them.
 */
#include "expr/locale.h"

#define LIST(...) {__VA_ARGS__}

static const nb_locale locales[] = {
#define NB_LOCALE(tags, point, group, months, months_short, months_alone, weekdays,   \
                  weekdays_short, halves, eras_short, eras, quarters_short, quarters) \
    {tags,                                                                            \
     point,                                                                           \
     group,                                                                           \
     LIST months,                                                                     \
     LIST months_short,                                                               \
     LIST months_alone,                                                               \
     LIST weekdays,                                                                   \
     LIST weekdays_short,                                                             \
     LIST halves,                                                                     \
     LIST eras_short,                                                                 \
     LIST eras,                                                                       \
     LIST quarters_short,                                                             \
     LIST quarters},
#include "expr/locales.def"
#undef NB_LOCALE
};

const nb_locale *
nb_locale_default(void)
{
    return &locales[1];
}

static bool
has_tag(const nb_locale *l, nb_str tag)
{
    for (const char *p = l->tags; *p; p += *p == '|') {
        size_t n = strcspn(p, "|");
        if (nb_str_equal_nocase((nb_str){p, n}, tag)) {
            return true;
        }
        p += n;
    }
    return false;
}

/* ISO 639-1, each code behind a blank. */
static const char languages[] =
    " aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy "
    "da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu "
    "hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb "
    "lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om "
    "or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw "
    "ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu ";

/* A language that somebody speaks, alone or with further parts behind a hyphen. */
static bool
is_tag(nb_str tag)
{
    char code[5] = "    ";

    if (tag.len < 2 || (tag.len > 2 && tag.data[2] != '-')) {
        return false;
    }
    code[1] = (char)(tag.data[0] | 32);
    code[2] = (char)(tag.data[1] | 32);
    return code[1] > ' ' && code[2] > ' ' && strstr(languages, code) != NULL;
}

nb_status
nb_locale_find(nb_str tag, const nb_locale **out, nb_error *err)
{
    *out = &locales[0];
    for (size_t i = 1; i < NB_COUNT_OF(locales); i++) {
        if (has_tag(&locales[i], tag)) {
            *out = &locales[i];
            return NB_OK;
        }
    }
    return is_tag(tag)
               ? nb_raise_unsupported(err, "The locale %.*s", (int)NB_MIN(tag.len, 40), tag.data)
               : NB_OK;
}

static bool
starts_with(nb_str text, size_t at, const char *word)
{
    size_t n = strlen(word);

    return text.len - at >= n && memcmp(text.data + at, word, n) == 0;
}

bool
nb_locale_decimal(const nb_locale *l, nb_str text, char *plain, size_t cap, nb_str *out)
{
    bool us = l == nb_locale_default(), point = false, open = false, exponent = false;
    int digits = 0, of_exponent = 0;
    size_t n = 0;

    for (size_t i = 0; i < text.len;) {
        char c = text.data[i], put = c;
        size_t step = 1;

        if (us && c != ' ') {
            put = c == ',' ? 0 : c;
        } else if (c >= '0' && c <= '9') {
            of_exponent += exponent;
            digits += !exponent;
            open = false;
        } else if (c == '-' && (i == 0 || (exponent && of_exponent == 0 && plain[n - 1] == 'E'))) {
            put = c;
        } else if (!point && !exponent && starts_with(text, i, l->point)) {
            put = '.';
            step = strlen(l->point);
            point = true;
        } else if (!point && !exponent && starts_with(text, i, l->group)) {
            put = 0;
            step = strlen(l->group);
            open = true; /* until a digit follows */
        } else if (c == 'E' && !exponent && digits > 0 && !open) {
            exponent = true;
        } else {
            return false;
        }
        if (n == cap) {
            return false;
        }
        if (put) {
            plain[n++] = put;
        }
        i += step;
    }
    *out = (nb_str){plain, n};
    return us || (digits > 0 && !open && (!exponent || of_exponent > 0));
}
