/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.c: counted memory.
 *
 * Counting   a pool knows `used` (bytes that its own users hold, and bytes granted to its children) and `granted` (what its
 *            parent has counted for it, always at least `used`, in steps of 64 KiB). An allocation adds to `used`
 *            without a lock and is done when that stays within the grant; else it takes the pool's lock and asks the parent for
 *            more. Locks are taken from child to parent only. A thread that races with a shrinking grant may leave `used` above
 *            `granted` by what it has just taken; the next one that takes the lock asks for the difference.
 * Memory     pieces from 128 KiB on are mapped, aligned to 2 MiB where that long, with huge pages asked for: touching new
 *            memory in 4 KiB pages runs at 2 GB/s, in huge pages at 13 GB/s and more. mremap grows them without copying.
 *            Sizes of up to 8 MiB are rounded up to one of four per power of two, and pieces that are given back are kept
 *            for the next query while all together take no more than SPARE_UP_TO: their pages are there already.
 *            When a root pool ends they go.
 */
#include "base/pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define GRANT_STEP ((size_t)64 * 1024)
#define MAP_FROM   ((size_t)128 * 1024)
#define HUGE_PAGE  ((size_t)2 * 1024 * 1024)
#define SMALL_PAGE ((size_t)4096)
/* Of pieces that nobody uses. */
#define SPARE_LONGEST ((size_t)8 * 1024 * 1024)
#define SPARES        256
/* Of all mapped pieces, used and spare: beyond, spare ones go first. */
#define SPARE_UP_TO ((size_t)160 * 1024 * 1024)
/* Pools without a parent that have held so much give spare pieces back when they end. */
#define TRIM_FROM ((size_t)4 * 1024 * 1024)

struct nb_pool {
    nb_pool *parent;
    size_t used;    /* atomic */
    size_t peak;    /* atomic */
    size_t granted; /* atomic; changed under lock */
    size_t limit;   /* 0 = none */
    long fail_nth;  /* atomic; 0 = off */
    pthread_mutex_t lock;
    char name[40];
};

/* How many pools have fail_nth set: the common allocation looks at nothing else. */
static int n_failing;

nb_pool *
nb_pool_new(nb_pool *parent, const char *name, size_t limit)
{
    nb_pool *pool = calloc(1, sizeof(*pool));

    if (pool == NULL) {
        return NULL;
    }
    pool->parent = parent;
    pool->limit = limit;
    snprintf(pool->name, sizeof(pool->name), "%s", name);
    pthread_mutex_init(&pool->lock, NULL);
    return pool;
}

static bool
over_limit(const nb_pool *pool, size_t used)
{
    return pool->limit != 0 && used > pool->limit;
}

static void
note_peak(nb_pool *pool, size_t used)
{
    size_t peak = __atomic_load_n(&pool->peak, __ATOMIC_RELAXED);

    while (used > peak && !__atomic_compare_exchange_n(&pool->peak, &peak, used, true,
                                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

static bool charge(nb_pool *pool, size_t n);
static void uncharge(nb_pool *pool, size_t n);

/* Asks the parent until the grant covers what is used. */
static bool
extend_grant(nb_pool *pool)
{
    bool ok = true;
    size_t used, granted;

    pthread_mutex_lock(&pool->lock);
    used = __atomic_load_n(&pool->used, __ATOMIC_SEQ_CST);
    granted = pool->granted;
    if (used > granted) {
        size_t need = used - granted;
        size_t step = need > SIZE_MAX / 2 ? need : NB_ALIGN_UP(need, GRANT_STEP);

        if (!charge(pool->parent, step)) {
            step = need; /* near a limit: no more than needed */
            ok = charge(pool->parent, step);
        }
        if (ok) {
            __atomic_store_n(&pool->granted, granted + step, __ATOMIC_SEQ_CST);
        }
    }
    pthread_mutex_unlock(&pool->lock);
    return ok;
}

static bool
charge(nb_pool *pool, size_t n)
{
    size_t used = __atomic_add_fetch(&pool->used, n, __ATOMIC_SEQ_CST);

    if (NB_UNLIKELY(used < n || over_limit(pool, used)) ||
        (pool->parent != NULL && used > __atomic_load_n(&pool->granted, __ATOMIC_SEQ_CST) &&
         !extend_grant(pool))) {
        __atomic_sub_fetch(&pool->used, n, __ATOMIC_SEQ_CST);
        return false;
    }
    note_peak(pool, used);
    return true;
}

static void
uncharge(nb_pool *pool, size_t n)
{
    size_t used = __atomic_sub_fetch(&pool->used, n, __ATOMIC_SEQ_CST);
    size_t granted, keep;

    if (pool->parent == NULL ||
        __atomic_load_n(&pool->granted, __ATOMIC_RELAXED) < used + 4 * GRANT_STEP) {
        return;
    }
    pthread_mutex_lock(&pool->lock);
    used = __atomic_load_n(&pool->used, __ATOMIC_SEQ_CST);
    granted = pool->granted;
    keep = NB_ALIGN_UP(used, GRANT_STEP) + GRANT_STEP;
    if (granted > keep) {
        __atomic_store_n(&pool->granted, keep, __ATOMIC_SEQ_CST);
        uncharge(pool->parent, granted - keep);
    }
    pthread_mutex_unlock(&pool->lock);
}

void
nb_pool_free(nb_pool *pool)
{
    if (pool == NULL) {
        return;
    }
#ifdef NB_DEBUG_MEM
    if (pool->used != 0) {
        fprintf(stderr, "nbaspark: pool \"%s\" freed while it holds %zu bytes\n", pool->name,
                pool->used);
        NB_ASSERT(pool->used == 0);
    }
#endif
    nb_pool_fail_nth(pool, 0);
    if (pool->parent != NULL && pool->granted != 0) {
        uncharge(pool->parent, pool->granted);
    }
    if (pool->parent == NULL &&
        pool->peak >= TRIM_FROM) { /* what held little says nothing of what is needed next */
        nb_pool_trim();
    }
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

/* Counts down in this pool and those above it; true when one says that this allocation fails. */
static NB_NOINLINE bool
must_fail(nb_pool *pool)
{
    for (; pool != NULL; pool = pool->parent) {
        if (__atomic_load_n(&pool->fail_nth, __ATOMIC_RELAXED) > 0 &&
            __atomic_sub_fetch(&pool->fail_nth, 1, __ATOMIC_RELAXED) == 0) {
            __atomic_sub_fetch(&n_failing, 1, __ATOMIC_RELAXED);
            return true;
        }
    }
    return false;
}

NB_INLINE bool
take(nb_pool *pool, size_t n)
{
    if (NB_UNLIKELY(__atomic_load_n(&n_failing, __ATOMIC_RELAXED) != 0) && must_fail(pool)) {
        return false;
    }
    return charge(pool, n);
}

/* ---- mapped pieces ---------------------------------------------------------------------------------------------- */

static size_t
map_bytes(size_t n)
{
    if (n <= SPARE_LONGEST) {
        size_t power = n > SMALL_PAGE ? (size_t)1 << (63 - __builtin_clzll(n - 1)) : SMALL_PAGE;
        n = NB_ALIGN_UP(n, NB_MAX(power / 4, SMALL_PAGE));
    }
    return NB_ALIGN_UP(n, n >= 2 * HUGE_PAGE ? HUGE_PAGE : SMALL_PAGE);
}

/* Pieces that were given back, in the order in which they came. */
static struct {
    pthread_mutex_t lock;
    size_t n_bytes; /* of these */
    size_t n_used;  /* of those that are not here */
    int n;
    struct {
        void *p;
        size_t n_bytes;
    } pieces[SPARES + 1];
} spare = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Unmaps the oldest while there are more than SPARES, or all pieces take more than the given bytes. */
static void
drop_spares(size_t up_to)
{
    int dropped = 0;

    while (dropped < spare.n &&
           (spare.n - dropped > SPARES || spare.n_bytes + spare.n_used > up_to)) {
        munmap(spare.pieces[dropped].p, spare.pieces[dropped].n_bytes);
        spare.n_bytes -= spare.pieces[dropped].n_bytes;
        dropped++;
    }
    spare.n -= dropped;
    memmove(spare.pieces, spare.pieces + dropped, sizeof(spare.pieces[0]) * (size_t)spare.n);
}

/* Counts a piece that is about to be used; a spare one of this very size, the latest, or NULL. */
static void *
take_spare(size_t bytes)
{
    void *p = NULL;

    pthread_mutex_lock(&spare.lock);
    for (int i = spare.n - 1; i >= 0 && p == NULL; i--) {
        if (spare.pieces[i].n_bytes == bytes) {
            p = spare.pieces[i].p;
            spare.n--;
            spare.n_bytes -= bytes;
            memmove(&spare.pieces[i], &spare.pieces[i + 1],
                    sizeof(spare.pieces[0]) * (size_t)(spare.n - i));
        }
    }
    spare.n_used += bytes;
    drop_spares(SPARE_UP_TO);
    pthread_mutex_unlock(&spare.lock);
    return p;
}

static void
unmap_piece(void *p, size_t bytes)
{
    bool kept = bytes <= SPARE_LONGEST;

#ifdef NB_DEBUG_MEM
    kept = false; /* a use after the end is seen */
#endif
    pthread_mutex_lock(&spare.lock);
    spare.n_used -= bytes;
    if (kept) {
        spare.pieces[spare.n].p = p;
        spare.pieces[spare.n++].n_bytes = bytes;
        spare.n_bytes += bytes;
        drop_spares(SPARE_UP_TO);
    }
    pthread_mutex_unlock(&spare.lock);
    if (!kept) {
        munmap(p, bytes);
    }
}

/* A use of `from` bytes has become one of `to`. */
static void
recount(size_t from, size_t to)
{
    pthread_mutex_lock(&spare.lock);
    spare.n_used += to - from;
    drop_spares(SPARE_UP_TO);
    pthread_mutex_unlock(&spare.lock);
}

static void *
map_new(size_t bytes)
{
    size_t room = bytes >= HUGE_PAGE ? bytes + HUGE_PAGE : bytes;
    char *p = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);

    if (p == MAP_FAILED) {
        return NULL;
    }
    if (room > bytes) {
        char *start = (char *)NB_ALIGN_UP((uintptr_t)p, HUGE_PAGE);

        if (start > p) {
            munmap(p, (size_t)(start - p));
        }
        if (start + bytes < p + room) {
            munmap(start + bytes, (size_t)(p + room - (start + bytes)));
        }
        p = start;
        madvise(p, bytes, MADV_HUGEPAGE);
    }
    return p;
}

/* Its bytes are zero when it is new. */
static void *
map_piece(size_t n, bool *is_new)
{
    size_t bytes = map_bytes(n);
    void *p = take_spare(bytes);

    *is_new = p == NULL;
    if (p == NULL && (p = map_new(bytes)) == NULL) {
        recount(bytes, 0);
    }
    return p;
}

static void *
remap_piece(void *old, size_t old_n, size_t new_n)
{
    size_t old_bytes = map_bytes(old_n), new_bytes = map_bytes(new_n);
    void *to;

    if (old_bytes == new_bytes) {
        return old;
    }
    if (new_bytes < old_bytes) {
        munmap((char *)old + new_bytes, old_bytes - new_bytes);
        recount(old_bytes, new_bytes);
        return old;
    }
    /* Copying into pages that are there costs less than making new ones. */
    to = new_bytes <= SPARE_LONGEST ? take_spare(new_bytes) : NULL;
    if (to != NULL) {
        memcpy(to, old, NB_MIN(old_n, new_n));
        unmap_piece(old, old_bytes);
        return to;
    }
    if (new_bytes <= SPARE_LONGEST) {
        recount(new_bytes, 0); /* it has been counted, and is again below */
    }
    /* onto an aligned place, so that huge pages move whole */
    to = map_new(new_bytes);
    if (to == NULL) {
        return NULL;
    }
    if (mremap(old, old_bytes, new_bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED) {
        memcpy(to, old, NB_MIN(old_n, new_n));
        munmap(old, old_bytes);
    } else if (new_bytes >= HUGE_PAGE) {
        madvise(to, new_bytes, MADV_HUGEPAGE);
    }
    recount(old_bytes, new_bytes);
    return to;
}

/* ---- pieces ----------------------------------------------------------------------------------------------------- */

static void *
alloc(nb_pool *pool, size_t n, bool zero)
{
    bool is_new = false;
    void *p;

    if (!take(pool, n)) {
        return NULL;
    }
    p = n >= MAP_FROM ? map_piece(n, &is_new) : malloc(n ? n : 1);
    if (p == NULL) {
        uncharge(pool, n);
    } else if (zero && !is_new) {
        memset(p, 0, n);
    }
    return p;
}

void *
nb_pool_alloc(nb_pool *pool, size_t n)
{
    return alloc(pool, n, false);
}

void *
nb_pool_zalloc(nb_pool *pool, size_t n)
{
    return alloc(pool, n, true);
}

static void
piece_free(void *p, size_t n)
{
    if (n >= MAP_FROM) {
        unmap_piece(p, map_bytes(n));
    } else {
        free(p);
    }
}

void *
nb_pool_realloc(nb_pool *pool, void *p, size_t old_n, size_t new_n)
{
    void *q;

    if (p == NULL) {
        return nb_pool_alloc(pool, new_n);
    }
    if (new_n > old_n && !take(pool, new_n - old_n)) {
        return NULL;
    }
    if (old_n >= MAP_FROM && new_n >= MAP_FROM) {
        q = remap_piece(p, old_n, new_n);
    } else if (old_n < MAP_FROM && new_n < MAP_FROM) {
        q = realloc(p, new_n ? new_n : 1);
    } else {
        bool is_new;
        q = new_n >= MAP_FROM ? map_piece(new_n, &is_new) : malloc(new_n ? new_n : 1);
        if (q != NULL) {
            memcpy(q, p, NB_MIN(old_n, new_n));
            piece_free(p, old_n);
        }
    }
    if (q == NULL) {
        if (new_n > old_n) {
            uncharge(pool, new_n - old_n);
        }
        return NULL;
    }
    if (new_n < old_n) {
        uncharge(pool, old_n - new_n);
    }
    return q;
}

void
nb_pool_dealloc(nb_pool *pool, void *p, size_t n)
{
    if (p == NULL) {
        return;
    }
    piece_free(p, n);
    uncharge(pool, n);
}

void *
nb_pool_alloc_aligned(nb_pool *pool, size_t n)
{
    bool is_new;
    void *p;

    if (n > SIZE_MAX / 2 || !take(pool, n)) {
        return NULL;
    }
    p = n >= MAP_FROM ? map_piece(n, &is_new)
                      : aligned_alloc(64, NB_MAX(NB_ALIGN_UP(n, 64), (size_t)64));
    if (p == NULL) {
        uncharge(pool, n);
    }
    return p;
}

void
nb_pool_dealloc_aligned(nb_pool *pool, void *p, size_t n)
{
    nb_pool_dealloc(pool, p, n);
}

/* ---- counts ----------------------------------------------------------------------------------------------------- */

nb_status
nb_pool_reserve(nb_pool *pool, size_t n)
{
    return take(pool, n) ? NB_OK : NB_NOMEM;
}

void
nb_pool_unreserve(nb_pool *pool, size_t n)
{
    uncharge(pool, n);
}

size_t
nb_pool_used(const nb_pool *pool)
{
    return __atomic_load_n(&pool->used, __ATOMIC_RELAXED);
}

size_t
nb_pool_peak(const nb_pool *pool)
{
    return __atomic_load_n(&pool->peak, __ATOMIC_RELAXED);
}

size_t
nb_pool_available(const nb_pool *pool)
{
    size_t least = SIZE_MAX;

    for (size_t spare = 0; pool != NULL; pool = pool->parent) {
        size_t used = nb_pool_used(pool);

        if (pool->limit != 0) {
            size_t left = used >= pool->limit ? 0 : pool->limit - used;
            least = NB_MIN(least, left + spare);
        }
        /* what is granted and not used need not be asked for again */
        if (pool->parent != NULL) {
            size_t granted = __atomic_load_n(&pool->granted, __ATOMIC_RELAXED);
            spare = granted > used ? granted - used : 0;
        }
    }
    return least;
}

void
nb_pool_trim(void)
{
    pthread_mutex_lock(&spare.lock);
    drop_spares(0);
    pthread_mutex_unlock(&spare.lock);
}

void
nb_pool_fail_nth(nb_pool *pool, long n)
{
    long before = __atomic_exchange_n(&pool->fail_nth, n, __ATOMIC_RELAXED);

    __atomic_add_fetch(&n_failing, (n > 0) - (before > 0), __ATOMIC_RELAXED);
}
