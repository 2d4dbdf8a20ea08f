/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lexer.h: SQL text to an array of tokens.
 *
 * The whole text is cut before parsing starts: the parser looks ahead freely, and brackets know their partner, so that
 * "is this parenthesis a subquery?" is answered without trying and backing up. Letters' case does not matter, except in quoted tokens.
 */
#ifndef NB_SQL_LEXER_H
#define NB_SQL_LEXER_H

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

typedef enum nb_token_kind {
    NB_T_EOF,
    NB_T_WORD, /* unquoted; kw says which keyword, or NB_NOT_KEYWORD */
    NB_T_BACKQUOTED,
    NB_T_STRING,     /* '…', "…", r'…', r"…" */
    NB_T_INTEGER,    /* 12 */
    NB_T_DECIMAL,    /* 1.5 .5 5. */
    NB_T_EXPONENT,   /* 1e3 1.5e-3 */
    NB_T_BIGINT,     /* 1L */
    NB_T_SMALLINT,   /* 1S */
    NB_T_TINYINT,    /* 1Y */
    NB_T_FLOAT,      /* 1F */
    NB_T_DOUBLE,     /* 1D */
    NB_T_BIGDECIMAL, /* 1.5BD */
    NB_T_SEMICOLON,
    NB_T_LPAREN,
    NB_T_RPAREN,
    NB_T_COMMA,
    NB_T_DOT,
    NB_T_LBRACKET,
    NB_T_RBRACKET,
    NB_T_BANG,
    NB_T_EQ,   /* = == */
    NB_T_NSEQ, /* <=> */
    NB_T_NEQ,  /* <> */
    NB_T_NEQJ, /* != */
    NB_T_LT,
    NB_T_LTE, /* <= !> */
    NB_T_GT, /* shifts to the right are two or three of these side by side: array<array<int>> closes two types */
    NB_T_GTE, /* >= !< */
    NB_T_SHIFT_LEFT,
    NB_T_PLUS,
    NB_T_MINUS,
    NB_T_STAR,
    NB_T_SLASH,
    NB_T_PERCENT,
    NB_T_TILDE,
    NB_T_AMPERSAND,
    NB_T_PIPE,
    NB_T_CONCAT,
    NB_T_OPERATOR_PIPE, /* |> */
    NB_T_HAT,
    NB_T_COLON,
    NB_T_DOUBLE_COLON,
    NB_T_ARROW,     /* -> */
    NB_T_FAT_ARROW, /* => */
    NB_T_HINT_START,
    NB_T_HINT_END,
    NB_T_QUESTION,
    NB_T_UNKNOWN, /* a character that starts no token */
} nb_token_kind;

typedef enum nb_keyword {
    NB_NOT_KEYWORD,
#define NB_KEYWORD(id, text, class) NB_KW_##id,
#define NB_KEYWORD_ALIAS(id, text, class)
#include "sql/keywords.def"
#undef NB_KEYWORD
#undef NB_KEYWORD_ALIAS
    NB_N_KEYWORDS
} nb_keyword;

typedef struct nb_token {
    uint32_t start, len;       /* bytes in the text */
    uint32_t cp_start, cp_len; /* the same in characters, which Spark's positions count */
    uint32_t line, column;     /* line from 1, column in characters from 0 */
    uint32_t match;            /* of a ( or [ the index of its partner; 0 when there is none */
    uint16_t kind, kw;
    bool is_query; /* of a (: a query stands inside, not an expression */
} nb_token;

typedef struct nb_tokens {
    nb_str text;     /* borrowed */
    nb_token *items; /* the last is NB_T_EOF */
    size_t n;
} nb_tokens;

/* Fails on an unclosed comment and on text that is not UTF-8 or longer than 1 GiB. Everything lives in the arena; text is borrowed. */
nb_status nb_sql_lex(nb_arena *arena, nb_str text, nb_tokens *out, nb_error *err);

/* The keyword that a word is, in any case; NB_NOT_KEYWORD when it is none. */
nb_keyword nb_keyword_find(nb_str word);
const char *nb_keyword_text(nb_keyword kw); /* in capitals */
bool nb_keyword_is_strict(nb_keyword kw);   /* not the alias of a table */

#endif
