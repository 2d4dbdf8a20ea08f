/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_index_tmpl.h: the loop of json_index.c for one instruction set; included by bytes64_tmpl.h, which says what the macros are.
 */

NB_TARGET static int
NB_NAME(json_index_build)(nb_json_index *ix, const char *p, size_t n, bool cr_ends)
{
    uint16_t *quotes = ix->quote;
    nb_json_cut *cut = ix->lines;
    uint64_t escaped_first = 0, any_odd = 0, any_high = 0;

    for (size_t at = 0; at < n; at += 64) {
        NB_BLOCK block = NB_LOAD(p + at);
        uint64_t tail = n - at < 64 ? ((uint64_t)1 << (n - at)) - 1 : ~(uint64_t)0;
        uint64_t quote = NB_EQ(block, '"') & tail;
        uint64_t backslash = NB_EQ(block, '\\') & tail;
        uint64_t control = ~NB_ABOVE(block, 0x1F) & tail;
        uint64_t odd = backslash;

        any_high |= NB_HIGH(block) & tail;
        if (NB_UNLIKELY((backslash | escaped_first) != 0)) {
            uint64_t escaped = escaped_first;

            backslash &= ~escaped_first;
            escaped_first = 0;
            while (backslash) {
                uint64_t lowest = backslash & -backslash;

                escaped |= lowest << 1;
                escaped_first = lowest >> 63;
                backslash &= ~(lowest | lowest << 1);
            }
            quote &= ~escaped;
        }
        if (control) {
            uint64_t nl = NB_EQ(block, '\n') & tail, cr = cr_ends ? NB_EQ(block, '\r') & tail : 0;

            odd |= control & ~(nl | cr);
            for (uint64_t ends = nl | cr; ends; ends &= ends - 1) {
                uint64_t lowest = ends & -ends;
                size_t end = at + (size_t)__builtin_ctzll(ends), width = 1;

                if (end < cut->next) { /* the second half of \r\n */
                    continue;
                }
                if (lowest & cr) {
                    if (end + 1 == n) { /* who knows what follows */
                        break;
                    }
                    width += p[end + 1] == '\n';
                }
                cut++;
                cut->end = (uint16_t)end;
                cut->next = (uint16_t)(end + width);
                cut->quotes =
                    (uint16_t)(quotes - ix->quote + __builtin_popcountll(quote & (lowest - 1)));
            }
        }
        ix->odd[at >> 6] = odd;
        any_odd |= odd;
        NB_POSITIONS(quote, at, quotes);
        quotes += __builtin_popcountll(quote);
    }
    ix->any_odd = any_odd != 0;
    ix->any_high = any_high != 0;
    return (int)(cut - ix->lines);
}
