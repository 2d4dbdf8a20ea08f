/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_data.h: what a model has learnt as Parquet files, in the columns that Apache Spark's classes write and read.
 */
#ifndef NB_ML_MODEL_DATA_H
#define NB_ML_MODEL_DATA_H

#include "ml/model.h"

/* Writes a directory of its own; nothing must be at the path. */
nb_status nb_ml_data_write(const nb_analyzer_config *cfg, nb_arena *arena, const char *path,
                           const nb_ml_class *cls, const nb_ml_bag *values, nb_error *err);
/* Values are made in the bag's arena. Raises FAILED_READ_FILE when the files hold no such model. */
nb_status nb_ml_data_read(const nb_analyzer_config *cfg, const char *path, const nb_ml_class *cls,
                          nb_ml_bag *values, nb_error *err);

#endif
