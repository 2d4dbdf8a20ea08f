# SPDX-License-Identifier: Apache-2.0
"""Columns of ML vectors as arrays, and back."""

from importlib import import_module


def ml(F, name):
    """Return a module of the package under test's `ml`."""
    return import_module(f"{F.__name__.split('.')[0]}.ml.{name}")


def arrays(F, *args):
    return ml(F, "functions").vector_to_array(*args)


def vectors(F, col):
    return ml(F, "functions").array_to_vector(col)


def points(s, F):
    """Return dense, sparse and empty vectors, and arrays beside them."""
    V = ml(F, "linalg").Vectors
    return s.createDataFrame(
        [
            (1, V.dense([1.5, 2.0]), [1.0, 2.5]),
            (2, V.sparse(3, [1], [2.5]), []),
            (3, V.dense([]), [float("nan"), -0.0]),
        ],
        ["i", "v", "a"],
    )


def with_null(s, F):
    V = ml(F, "linalg").Vectors
    return s.createDataFrame([(1, V.dense([1.5, 2.0])), (2, None)], ["i", "v"])


def refused(act):
    """Return class and condition alone: the message holds a name that the JVM makes up."""
    try:
        return act()
    except Exception as e:
        return type(e).__name__, e.getCondition()


CASES = {
    "to_array": lambda s, F, W: points(s, F).select(arrays(F, "v")),
    "to_array_of_floats": lambda s, F, W: points(s, F).select(arrays(F, "v", "float32")),
    "to_array_types": lambda s, F, W: points(s, F).select(
        arrays(F, "v"), arrays(F, F.col("v"), "float32").alias("x")
    ),
    "to_array_bad_type": lambda s, F, W: points(s, F).select(arrays(F, "v", "int")).collect(),
    "to_array_null": lambda s, F, W: refused(
        lambda: with_null(s, F).select(arrays(F, "v")).collect()
    ),
    "to_array_in_text": lambda s, F, W: points(s, F).selectExpr("vector_to_array(v)"),
    "to_array_filter": lambda s, F, W: (
        points(s, F).where(F.get(arrays(F, "v"), F.lit(0)) > 1).select("i")
    ),
    "to_array_group": lambda s, F, W: (
        points(s, F).groupBy(F.size(arrays(F, "v")).alias("n")).count().sort("n")
    ),
    "to_array_explode": lambda s, F, W: points(s, F).select("i", F.explode(arrays(F, "v"))),
    "to_vector": lambda s, F, W: points(s, F).select(vectors(F, "a")),
    "to_vector_integers": lambda s, F, W: points(s, F).select(
        vectors(F, F.array(F.lit(1), F.col("i").cast("int"))).alias("v")
    ),
    "to_vector_decimals": lambda s, F, W: points(s, F).select(vectors(F, F.expr("array(1.5, 2)"))),
    "to_vector_null_element": lambda s, F, W: refused(
        lambda: points(s, F).select(vectors(F, F.expr("array(1D, null)"))).collect()
    ),
    "to_vector_null": lambda s, F, W: refused(
        lambda: points(s, F).select(vectors(F, F.expr("if(i = 1, a, null)"))).collect()
    ),
    "to_vector_in_text": lambda s, F, W: points(s, F).selectExpr("array_to_vector(a)"),
    "there_and_back": lambda s, F, W: points(s, F).select(arrays(F, vectors(F, "a"))),
    "added_column": lambda s, F, W: (
        points(s, F).withColumn("p", arrays(F, "v")).drop("v", "a").sort("i")
    ),
}
