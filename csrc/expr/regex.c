/* SPDX-License-Identifier: Apache-2.0 */
/*
 * regex.c: compiles Java patterns by PCRE2 and keeps them.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "expr/regex.h"

#include <pcre2.h>
#include <pthread.h>
#include <stdio.h>

#define TABLE_SLOTS 2048
#define TABLE_MOST  1000

struct nb_regex {
    pcre2_code *code;
    char *pattern;
    size_t len;
    int n_groups;
};

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static nb_regex *table[TABLE_SLOTS];
static int table_n;
static nb_arena *table_arena;

/* ---- Java's syntax ------------------------------------------------------------------------------------------------------------------- */

typedef struct class_name {
    const char *java, *posix;
} class_name;

static const class_name posix_classes[] = {
    {"Lower", "[:lower:]"}, {"Upper", "[:upper:]"}, {"ASCII", "\\x00-\\x7F"},
    {"Alpha", "[:alpha:]"}, {"Digit", "[:digit:]"}, {"Alnum", "[:alnum:]"},
    {"Punct", "[:punct:]"}, {"Graph", "[:graph:]"}, {"Print", "[:print:]"},
    {"Blank", "[:blank:]"}, {"Cntrl", "[:cntrl:]"}, {"XDigit", "[:xdigit:]"},
    {"Space", "[:space:]"},
};

/* \p{Name} or \P{Name}; returns how much of the pattern it takes, 0 when it is copied as it is. */
static size_t
property(nb_str p, size_t at, bool in_class, nb_strbuf *out)
{
    const char *close =
        at + 2 < p.len && p.data[at + 2] == '{' ? memchr(p.data + at, '}', p.len - at) : NULL;
    bool negated = p.data[at + 1] == 'P';

    if (close == NULL) {
        return 0;
    }
    nb_str name = {p.data + at + 3, (size_t)(close - p.data) - at - 3};
    size_t taken = (size_t)(close - p.data) - at + 1;
    for (size_t i = 0; i < NB_COUNT_OF(posix_classes); i++) {
        if (nb_str_equal(name, nb_str_of(posix_classes[i].java))) {
            if (in_class && negated && posix_classes[i].posix[0] == '[') {
                nb_strbuf_addf(out, "[:^%s", posix_classes[i].posix + 2);
            } else if (in_class) {
                nb_strbuf_adds(out, posix_classes[i].posix);
            } else {
                nb_strbuf_addf(out, "[%s%s]", negated ? "^" : "", posix_classes[i].posix);
            }
            return taken;
        }
    }
    if (nb_str_equal(name, NB_STR("IsAlphabetic")) || nb_str_equal(name, NB_STR("javaLetter"))) {
        name = NB_STR("L");
    } else if (nb_str_equal(name, NB_STR("IsDigit"))) {
        name = NB_STR("Nd");
    } else if (nb_str_equal(name, NB_STR("IsUppercase")) ||
               nb_str_equal(name, NB_STR("javaUpperCase"))) {
        name = NB_STR("Lu");
    } else if (nb_str_equal(name, NB_STR("IsLowercase")) ||
               nb_str_equal(name, NB_STR("javaLowerCase"))) {
        name = NB_STR("Ll");
    } else if (nb_str_equal(name, NB_STR("IsPunctuation"))) {
        name = NB_STR("P");
    } else if (nb_str_equal(name, NB_STR("IsWhite_Space")) ||
               nb_str_equal(name, NB_STR("javaWhitespace"))) {
        name = NB_STR("Xps");
    } else if (nb_str_starts_with(name, NB_STR("Is")) && name.len > 2) {
        name.data += 2;
        name.len -= 2;
    } else {
        return 0;
    }
    nb_strbuf_addf(out, "\\%c{%.*s}", p.data[at + 1], (int)name.len, name.data);
    return taken;
}

/* false: a construct that PCRE2 has no equal for. */
static bool
translate(nb_str p, nb_strbuf *out)
{
    bool in_class = false;
    size_t class_start = 0;

    for (size_t i = 0; i < p.len;) {
        char c = p.data[i];
        if (c == '\\' && i + 1 < p.len) {
            char d = p.data[i + 1];
            size_t n = 2;
            if (d == 'u' && i + 5 < p.len && nb_hex_digit(p.data[i + 2]) >= 0 &&
                nb_hex_digit(p.data[i + 3]) >= 0 && nb_hex_digit(p.data[i + 4]) >= 0 &&
                nb_hex_digit(p.data[i + 5]) >= 0) {
                nb_strbuf_addf(out, "\\x{%.4s}", p.data + i + 2);
                n = 6;
            } else if ((d == 'p' || d == 'P') && (n = property(p, i, in_class, out)) > 0) {
                /* done */
            } else if (d == 'Q') {
                nb_str rest = {p.data + i, p.len - i};
                const char *end = memmem(rest.data, rest.len, "\\E", 2);
                n = end ? (size_t)(end - rest.data) + 2 : rest.len;
                nb_strbuf_add(out, (nb_str){rest.data, n});
            } else {
                nb_strbuf_add(out, (nb_str){p.data + i, 2});
                n = 2;
            }
            i += n;
            continue;
        }
        if (in_class) {
            if (c == '[' || (c == '&' && i + 1 < p.len && p.data[i + 1] == '&')) {
                return false;
            }
            if (c == ']' && i > class_start) {
                in_class = false;
            }
        } else if (c == '[') {
            in_class = true;
            class_start = i + 1 + (i + 1 < p.len && p.data[i + 1] == '^');
            if (class_start == i + 2) {
                nb_strbuf_addc(out, c);
                c = p.data[++i];
            }
        }
        nb_strbuf_addc(out, c);
        i++;
    }
    return true;
}

/* ---- compiling ----------------------------------------------------------------------------------------------------------------------- */

static nb_status
compile(nb_str pattern, nb_regex *out, nb_str function, nb_error *err)
{
    nb_strbuf text = {0};
    int code;
    PCRE2_SIZE at;
    uint32_t groups = 0;
    nb_status st = NB_OK;

    if (!translate(pattern, &text)) {
        st = nb_raise_unsupported(err, "set operations inside [ ] of a regular expression");
    } else if (text.failed) {
        st = NB_NOMEM;
    } else {
        pcre2_compile_context *context = pcre2_compile_context_create(NULL);
        if (context) {
            pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
            pcre2_set_parens_nest_limit(context, 250);
        }
        out->code = pcre2_compile((PCRE2_SPTR)nb_strbuf_str(&text).data, text.len,
                                  PCRE2_UTF | PCRE2_MATCH_INVALID_UTF, &code, &at, context);
        pcre2_compile_context_free(context);
        if (out->code == NULL) {
            nb_strbuf name = {0}, value = {0};
            nb_strbuf_addf(&name, "`%.*s`", (int)function.len, function.data);
            nb_strbuf_addf(&value, "'%.*s'", (int)NB_MIN(pattern.len, 1000), pattern.data);
            st = nb_raise(err, NB_COND_INVALID_PARAMETER_VALUE_PATTERN, "parameter", "`regexp`",
                          "functionName", name.failed ? "" : name.data, "value",
                          value.failed ? "" : value.data, NULL);
            nb_strbuf_free(&name);
            nb_strbuf_free(&value);
        } else {
            pcre2_jit_compile(out->code, PCRE2_JIT_COMPLETE); /* without it, matching interprets */
            pcre2_pattern_info(out->code, PCRE2_INFO_CAPTURECOUNT, &groups);
            out->n_groups = (int)groups;
        }
    }
    nb_strbuf_free(&text);
    return st;
}

static uint32_t
hash_of(nb_str s)
{
    uint64_t h = 14695981039346656037u;

    for (size_t i = 0; i < s.len; i++) {
        h = (h ^ (unsigned char)s.data[i]) * 1099511628211u;
    }
    return (uint32_t)(h ^ h >> 32);
}

/* NULL in *out: the table is full. */
static nb_status
find_or_add(nb_str pattern, nb_str function, const nb_regex **out, nb_error *err)
{
    uint32_t slot = hash_of(pattern) % TABLE_SLOTS;
    nb_status st = NB_OK;

    *out = NULL;
    pthread_mutex_lock(&table_lock);
    for (; table[slot]; slot = (slot + 1) % TABLE_SLOTS) {
        if (nb_str_equal((nb_str){table[slot]->pattern, table[slot]->len}, pattern)) {
            *out = table[slot];
            break;
        }
    }
    if (*out == NULL && table_n < TABLE_MOST && pattern.len < 10000) {
        nb_regex fresh = {0}, *kept;
        st = compile(pattern, &fresh, function, err);
        if (st == NB_OK) {
            if (table_arena == NULL) {
                table_arena = nb_arena_new(NULL);
            }
            kept = table_arena ? NB_ARENA_NEW(table_arena, nb_regex) : NULL;
            fresh.pattern = kept ? nb_arena_strdup(table_arena, pattern) : NULL;
            fresh.len = pattern.len;
            if (fresh.pattern) {
                *kept = fresh;
                table[slot] = kept;
                table_n++;
                *out = kept;
            } else {
                pcre2_code_free(fresh.code);
                st = NB_NOMEM;
            }
        }
    }
    pthread_mutex_unlock(&table_lock);
    return st;
}

static void
drop(nb_regex_use *use)
{
    if (use->own) {
        pcre2_code_free(use->own->code);
        use->own->code = NULL;
    }
    if (use->match) {
        pcre2_match_data_free(use->match);
    }
    use->match = NULL;
    use->regex = NULL;
}

nb_status
nb_regex_use_pattern(nb_regex_use *use, nb_str pattern, nb_str function, nb_error *err)
{
    static _Thread_local nb_regex temporary;

    if (use->regex && nb_str_equal(use->pattern, pattern)) {
        return NB_OK;
    }
    drop(use);
    NB_TRY(find_or_add(pattern, function, &use->regex, err));
    if (use->regex == NULL) {
        temporary = (nb_regex){0};
        NB_TRY(compile(pattern, &temporary, function, err));
        use->own = &temporary;
        use->regex = use->own;
    }
    use->pattern = pattern;
    use->n_groups = use->regex->n_groups;
    use->match = pcre2_match_data_create_from_pattern(use->regex->code, NULL);
    if (use->match == NULL) {
        return NB_NOMEM;
    }
    use->ovector = pcre2_get_ovector_pointer(use->match);
    return NB_OK;
}

nb_status
nb_regex_match(nb_regex_use *use, nb_str s, size_t from, bool *found, nb_error *err)
{
    int n;

    *found = false;
    if (from > s.len) {
        return NB_OK;
    }
    n = pcre2_match(use->regex->code, (PCRE2_SPTR)s.data, s.len, from, 0, use->match, NULL);
    if (n == PCRE2_ERROR_JIT_STACKLIMIT) {
        n = pcre2_match(use->regex->code, (PCRE2_SPTR)s.data, s.len, from, PCRE2_NO_JIT, use->match,
                        NULL);
    }
    if (n < 0 && n != PCRE2_ERROR_NOMATCH) {
        PCRE2_UCHAR text[120];
        pcre2_get_error_message(n, text, sizeof text);
        return nb_raise_unsupported(err, "a regular expression that needs this much work (%s)",
                                    (char *)text);
    }
    *found = n > 0;
    return NB_OK;
}

size_t
nb_regex_next(const nb_regex_use *use, nb_str s)
{
    size_t end = use->ovector[1];

    if (end > use->ovector[0]) {
        return end;
    }
    end++;
    while (end < s.len && ((unsigned char)s.data[end] & 0xC0) == 0x80) {
        end++;
    }
    return end;
}

int
nb_regex_group(const nb_regex_use *use, nb_str name)
{
    char text[128];

    if (name.len >= sizeof text) {
        return -1;
    }
    memcpy(text, name.data, name.len);
    text[name.len] = 0;
    int n = pcre2_substring_number_from_name(use->regex->code, (PCRE2_SPTR)text);
    return n > 0 ? n : -1;
}

void
nb_regex_done(nb_regex_use *use)
{
    drop(use);
}
