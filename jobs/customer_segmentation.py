# SPDX-License-Identifier: Apache-2.0
"""Finds three groups of customers: python customer_segmentation.py INPUT.csv OUTPUT_FOLDER

The input has a header and the columns idade, renda_anual and pontuação_gastos; the output is a
folder with one CSV file of the group of each customer, in the order of the input.
"""

import sys

from nbaspark.ml import Pipeline
from nbaspark.ml.clustering import KMeans
from nbaspark.ml.feature import VectorAssembler
from nbaspark.sql import SparkSession
from nbaspark.sql.functions import col
from nbaspark.sql.types import FloatType

FEATURES = ["idade", "renda_anual", "pontuação_gastos"]


def read_customers(spark, path):
    """Return the customers with their features as floats."""
    customers = spark.read.csv(path, header=True)
    return customers.select([col(name).cast(FloatType()).alias(name) for name in FEATURES])


def segment(customers, k=3, seed=1):
    """Return the customers with the column `prediction`."""
    assembler = VectorAssembler(inputCols=FEATURES, outputCol="features")
    kmeans = KMeans(featuresCol="features", k=k, seed=seed)
    model = Pipeline(stages=[assembler, kmeans]).fit(customers)
    return model.transform(customers)


def main(source, target):
    spark = SparkSession.builder.appName("CustomerSegmentation").getOrCreate()
    customers = read_customers(spark, source)
    groups = segment(customers).select("prediction")
    groups.coalesce(1).write.csv(target, header=True, mode="overwrite")
    spark.stop()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
