/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest.c: crc32, md5, sha1, sha2, by zlib and nettle, a row at a time: the digest itself is all of the work.
 */
#include <nettle/md5.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <zlib.h>
#include "expr/binders.h"

#define MAX_DIGEST SHA512_DIGEST_SIZE

/* Writes the digest of s; its length, or 0 when there is no such digest. */
typedef size_t (*digest_fn)(nb_str s, int bits, uint8_t *out);

static size_t
md5_of(nb_str s, int bits, uint8_t *out)
{
    struct md5_ctx c;

    (void)bits;
    md5_init(&c);
    md5_update(&c, s.len, (const uint8_t *)s.data);
    md5_digest(&c, MD5_DIGEST_SIZE, out);
    return MD5_DIGEST_SIZE;
}

static size_t
sha1_of(nb_str s, int bits, uint8_t *out)
{
    struct sha1_ctx c;

    (void)bits;
    sha1_init(&c);
    sha1_update(&c, s.len, (const uint8_t *)s.data);
    sha1_digest(&c, SHA1_DIGEST_SIZE, out);
    return SHA1_DIGEST_SIZE;
}

static size_t
sha2_of(nb_str s, int bits, uint8_t *out)
{
    if (bits == 224 || bits == 256 || bits == 0) {
        struct sha256_ctx c;
        if (bits == 224) {
            sha224_init(&c);
        } else {
            sha256_init(&c);
        }
        sha256_update(&c, s.len, (const uint8_t *)s.data);
        if (bits == 224) {
            sha224_digest(&c, SHA224_DIGEST_SIZE, out);
            return SHA224_DIGEST_SIZE;
        }
        sha256_digest(&c, SHA256_DIGEST_SIZE, out);
        return SHA256_DIGEST_SIZE;
    }
    if (bits == 384 || bits == 512) {
        struct sha512_ctx c;
        if (bits == 384) {
            sha384_init(&c);
        } else {
            sha512_init(&c);
        }
        sha512_update(&c, s.len, (const uint8_t *)s.data);
        if (bits == 384) {
            sha384_digest(&c, SHA384_DIGEST_SIZE, out);
            return SHA384_DIGEST_SIZE;
        }
        sha512_digest(&c, SHA512_DIGEST_SIZE, out);
        return SHA512_DIGEST_SIZE;
    }
    return 0;
}

static nb_status
digest_rows(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out,
            digest_fn digest)
{
    static const char hex[] = "0123456789abcdef";

    for (int64_t i = 0; i < n; i++) {
        uint8_t bytes[MAX_DIGEST];
        int bits = n_args > 1 ? NB_DATA(int32_t, &args[1])[nb_vector_slot(&args[1], i)] : 0;
        size_t len;
        char *text;

        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        len = digest(nb_view_str(&NB_DATA(nb_view, &args[0])[nb_vector_slot(&args[0], i)]), bits,
                     bytes);
        if (len == 0) {
            NB_TRY(nb_vector_need_validity(ctx->arena, out));
            nb_bit_clear(out->validity, i);
            continue;
        }
        text = nb_arena_alloc(ctx->arena, 2 * len);
        if (text == NULL) {
            return NB_NOMEM;
        }
        for (size_t k = 0; k < len; k++) {
            text[2 * k] = hex[bytes[k] >> 4];
            text[2 * k + 1] = hex[bytes[k] & 15];
        }
        NB_DATA(nb_view, out)[i] = nb_view_make(text, 2 * len);
    }
    return NB_OK;
}

static nb_status
md5_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return digest_rows(ctx, args, n_args, n, out, md5_of);
}

static nb_status
sha1_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return digest_rows(ctx, args, n_args, n, out, sha1_of);
}

static nb_status
sha2_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return digest_rows(ctx, args, n_args, n, out, sha2_of);
}

static nb_status
crc32_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    (void)ctx;
    (void)n_args;
    for (int64_t i = 0; i < n; i++) {
        if (nb_is_valid(out->validity, i)) {
            nb_str s = nb_view_str(&NB_DATA(nb_view, &args[0])[nb_vector_slot(&args[0], i)]);
            NB_DATA(int64_t, out)[i] = (int64_t)crc32_z(0, (const Bytef *)s.data, s.len);
        }
    }
    return NB_OK;
}

/* Text counts by its UTF-8 bytes. */
static nb_status
bind_bytes(nb_bound_call *call, nb_type_id result, nb_kernel_fn kernel, nb_error *err)
{
    if (!nb_type_is_string(call->args[0]->type)) {
        NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_BINARY), err));
    }
    call->type = nb_type_of(result);
    call->kernel = kernel;
    return NB_OK;
}

nb_status
nb_bind_md5(nb_bound_call *call, nb_error *err)
{
    return bind_bytes(call, NB_TYPE_STRING, md5_kernel, err);
}

nb_status
nb_bind_sha1(nb_bound_call *call, nb_error *err)
{
    return bind_bytes(call, NB_TYPE_STRING, sha1_kernel, err);
}

nb_status
nb_bind_sha2(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_cast(call, 1, nb_type_of(NB_TYPE_INT32), err));
    return bind_bytes(call, NB_TYPE_STRING, sha2_kernel, err);
}

nb_status
nb_bind_crc32(nb_bound_call *call, nb_error *err)
{
    return bind_bytes(call, NB_TYPE_INT64, crc32_kernel, err);
}
