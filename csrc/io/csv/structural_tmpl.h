/* SPDX-License-Identifier: Apache-2.0 */
/*
 * structural_tmpl.h: the loops of structural.c for one instruction set; included by bytes64_tmpl.h, which says what the macros are.
 */

NB_TARGET static void
NB_NAME(index_build)(nb_csv_index *ix, const char *p, size_t n, nb_csv_chars chars)
{
    uint32_t *pos = ix->pos, *line_end = ix->line_end;
    uint64_t inside = 0, after_break = 1, after_close = 0, any_odd = 0, any_high = 0;
    uint8_t escape =
        chars.escape != chars.quote ? chars.escape : 0; /* none is NUL, which then is odd too */
    size_t n_words = (n + 63) / 64;

    for (size_t w = 0; w < n_words; w++) {
        NB_BLOCK block = NB_LOAD(p + w * 64);
        uint64_t tail = w + 1 == n_words && (n & 63) ? ((uint64_t)1 << (n & 63)) - 1 : ~(uint64_t)0;
        uint64_t nl = (NB_EQ(block, '\n') | NB_EQ(block, '\r')) & tail;
        uint64_t sep = NB_EQ(block, chars.sep) & tail;
        uint64_t quote = chars.quote ? NB_EQ(block, chars.quote) & tail : 0;
        uint64_t any = sep | nl, odd = 0, m = inside, close;

        any_high |= NB_HIGH(block) & tail;
        if (quote | inside | after_close) {
            uint64_t bad;
            m = NB_PREFIX_XOR(quote) ^ inside;
            while ((bad = nl & m) !=
                   0) { /* a line break inside quotes ends the line all the same */
                odd |= bad & -bad;
                m ^= ~(bad ^ (bad - 1)) | (bad & -bad);
            }
            close = quote & ~m;
            odd |= quote & m & ~(any << 1 | after_break);
            odd |= (close << 1 | after_close) & ~any;
            odd |= NB_EQ(block, escape) & tail & m;
            after_close = close >> 63;
            inside = (uint64_t)((int64_t)m >> 63);
            sep &= ~m;
            any_odd |= odd;
        }
        after_break = any >> 63;
        ix->odd[w] = odd;

        uint64_t s = sep | nl;
        while (nl) {
            uint64_t below = (nl & -nl) - 1;
            *line_end++ = (uint32_t)(pos - ix->pos) + (uint32_t)__builtin_popcountll(s & below);
            nl &= nl - 1;
        }
        NB_POSITIONS32(s, (uint32_t)(w * 64), pos);
        pos += __builtin_popcountll(s);
    }
    ix->n_pos = (size_t)(pos - ix->pos);
    ix->n_lines = (size_t)(line_end - ix->line_end);
    ix->any_odd = any_odd != 0;
    ix->any_high = any_high != 0;
}

NB_TARGET static int64_t
NB_NAME(count_lines)(const char *p, size_t n, uint8_t comment)
{
    uint64_t after_break = 1;
    int64_t count = 0;
    size_t n_words = (n + 63) / 64;

    for (size_t w = 0; w < n_words; w++) {
        NB_BLOCK block = NB_LOAD(p + w * 64);
        uint64_t tail = w + 1 == n_words && (n & 63) ? ((uint64_t)1 << (n & 63)) - 1 : ~(uint64_t)0;
        uint64_t nl = NB_EQ(block, '\n') | NB_EQ(block, '\r');
        uint64_t text = NB_ABOVE(block, ' ');
        uint64_t start = (nl << 1 | after_break) & tail;
        uint64_t unsure = start & ~text & ~nl;

        if (comment) {
            start &= ~NB_EQ(block, comment);
        }
        count += __builtin_popcountll(start & text);
        after_break = nl >> 63;
        while (NB_UNLIKELY(unsure)) {
            count += line_has_text(p, n, w * 64 + (size_t)__builtin_ctzll(unsure));
            unsure &= unsure - 1;
        }
    }
    return count;
}
