/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line_sample.h: which lines or records of a partition schema inference looks at, with samplingRatio: those that Spark takes.
 *
 * Spark samples with the seed 1. Lines are rows of a Dataset: a line is taken when the next draw of XORShiftRandom(1 + partition) is below the ratio
 * (BernoulliCellSampler). Records and files of multiLine are elements of an RDD: the partition's seed comes from java.util.Random(1), and
 * for ratios up to 0.4 the gaps between those taken are drawn (GapSamplingIterator's geometric distribution, as in BernoulliSampler).
 */
#ifndef NB_IO_LINE_SAMPLE_H
#define NB_IO_LINE_SAMPLE_H

#include "base/random.h"
#include "io/format.h"

#define NB_SAMPLE_ALL_FROM 0.99 /* above this ratio nothing is left out */

typedef struct nb_line_sample {
    double ratio;
    bool of_records, gaps;
    nb_xorshift random;
    int64_t gap; /* elements that are left out next */
} nb_line_sample;

/* A thread that samples takes whole partitions: what is drawn for a line depends on how many lie before it. */
NB_INLINE bool
nb_split_begins_partition(const nb_file_split *splits, int64_t at)
{
    return at == 0 || splits[at - 1].partition != splits[at].partition;
}

/* of_records: of an RDD. */
void nb_line_sample_begin(nb_line_sample *s, double ratio, bool of_records, int partition);
/* Is the next one taken? To be asked once for each, in their order. */
bool nb_line_sample_takes(nb_line_sample *s);

#endif
