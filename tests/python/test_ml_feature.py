# SPDX-License-Identifier: Apache-2.0
"""Transformers of features."""

import pytest

from nbaspark.errors import IllegalArgumentException, PySparkException
from nbaspark.ml.feature import (
    MinMaxScaler,
    OneHotEncoder,
    StandardScaler,
    StringIndexer,
    StringIndexerModel,
    VectorAssembler,
)
from nbaspark.ml.linalg import DenseVector, SparseVector, Vectors


def column(df, name):
    return [row[name] for row in df.collect()]


@pytest.fixture
def gaps(spark):
    rows = [(1.0, 2, 0.0), (3.0, 4, float("nan")), (None, 5, 1.0)]
    return spark.createDataFrame(rows, ["a", "b", "c"])


def test_assembler_keeps_or_skips(gaps):
    def made(how):
        assembler = VectorAssembler(inputCols=["a", "b", "c"], outputCol="v", handleInvalid=how)
        return [str(v) for v in column(assembler.transform(gaps), "v")]

    assert made("keep") == ["[1.0,2.0,0.0]", "[3.0,4.0,nan]", "[nan,5.0,1.0]"]
    assert made("skip") == ["[1.0,2.0,0.0]"]


@pytest.mark.parametrize(("inputs", "what"), [(["a", "b"], "null"), (["b", "c"], "NaN")])
def test_assembler_refuses_gaps(gaps, inputs, what):
    with pytest.raises(PySparkException, match=f"Encountered {what} while assembling a row"):
        VectorAssembler(inputCols=inputs, outputCol="v").transform(gaps).collect()


def test_assembler_refuses_columns(spark):
    df = spark.createDataFrame([("x", 1)], ["s", "n"])
    for inputs, output, message in [
        (["zz"], "v", "FIELD_NOT_FOUND"),
        (["s"], "v", "Data type string of column s is not supported"),
        (["n"], "s", "Output column s already exists"),
    ]:
        with pytest.raises(IllegalArgumentException, match=message):
            VectorAssembler(inputCols=inputs, outputCol=output).transform(df).collect()


def test_assembler_mixes_vectors_and_numbers(spark):
    df = spark.createDataFrame([(1.5, 2, True), (0.0, 0, False)], ["a", "b", "c"])
    inner = VectorAssembler(inputCols=["a", "b"], outputCol="ab").transform(df)
    made = VectorAssembler(inputCols=["ab", "c", "a"], outputCol="v").transform(inner)
    assert column(made, "v") == [DenseVector([1.5, 2.0, 1.0, 1.5]), DenseVector([0.0] * 4)]
    assert isinstance(column(made, "v")[1], SparseVector)
    names = made.schema["v"].metadata["ml_attr"]["attrs"]["numeric"]
    assert [n["name"] for n in names] == ["ab_a", "ab_b", "c", "a"]


@pytest.fixture
def vectors(spark):
    rows = [([1.0, 10.0, 5.0],), ([2.0, 20.0, 5.0],)]
    rows = [(Vectors.dense(r[0]),) for r in rows] + [(Vectors.sparse(3, [2], [5.0]),)]
    return spark.createDataFrame(rows, ["v"])


def test_standard_scaler(vectors):
    model = StandardScaler(inputCol="v", outputCol="o").fit(vectors)
    assert model.mean == DenseVector([1.0, 10.0, 5.0])
    assert model.std == DenseVector([1.0, 10.0, 0.0])
    scaled = column(model.transform(vectors), "o")
    assert scaled[1] == DenseVector([2.0, 2.0, 0.0])
    assert isinstance(scaled[2], SparseVector)
    centred = StandardScaler(inputCol="v", outputCol="o", withMean=True).fit(vectors)
    assert column(centred.transform(vectors), "o")[2] == DenseVector([-1.0, -1.0, 0.0])


def test_min_max_scaler(vectors):
    model = MinMaxScaler(inputCol="v", outputCol="o", min=-1.0).fit(vectors)
    assert model.originalMin == DenseVector([0.0, 0.0, 5.0])
    assert model.originalMax == DenseVector([2.0, 20.0, 5.0])
    assert column(model.transform(vectors), "o") == [
        DenseVector([0.0, 0.0, 0.0]),
        DenseVector([1.0, 1.0, 0.0]),
        DenseVector([-1.0, -1.0, 0.0]),
    ]
    with pytest.raises(IllegalArgumentException, match=r"min\(2.0\) is larger or equal to max"):
        MinMaxScaler(inputCol="v", outputCol="o", min=2.0).fit(vectors)


@pytest.fixture
def words(spark):
    rows = [("a",), ("b",), ("c",), ("a",), ("a",), ("c",), (None,)]
    return spark.createDataFrame(rows, ["s"])


@pytest.mark.parametrize(
    ("order", "labels"),
    [
        ("frequencyDesc", ["a", "c", "b"]),
        ("frequencyAsc", ["b", "c", "a"]),
        ("alphabetDesc", ["c", "b", "a"]),
        ("alphabetAsc", ["a", "b", "c"]),
    ],
)
def test_string_indexer_orders(words, order, labels):
    indexer = StringIndexer(inputCol="s", outputCol="i", stringOrderType=order)
    model = indexer.setHandleInvalid("keep").fit(words)
    assert list(model.labels) == labels
    expected = [float(labels.index(w)) if w else 3.0 for (w,) in words.collect()]
    assert column(model.transform(words), "i") == expected


def test_string_indexer_invalid(spark, words):
    model = StringIndexer(inputCol="s", outputCol="i").fit(words)
    with pytest.raises(PySparkException, match="StringIndexer encountered NULL value"):
        model.transform(words).collect()
    with pytest.raises(PySparkException, match="Unseen label: zz"):
        model.transform(spark.createDataFrame([("zz",)], ["s"])).collect()
    skipping = model.copy({model.handleInvalid: "skip"})
    assert column(skipping.transform(words), "i") == [0.0, 2.0, 1.0, 0.0, 0.0, 1.0]
    attr = model.transform(words).schema["i"].metadata["ml_attr"]
    assert attr["vals"] == ["a", "c", "b"] and attr["type"] == "nominal"


def test_one_hot_encoder(spark):
    df = spark.createDataFrame([(0.0, 1), (1.0, 0), (2.0, 3)], ["p", "q"])
    encoder = OneHotEncoder(inputCols=["p", "q"], outputCols=["x", "y"])
    model = encoder.fit(df)
    assert list(model.categorySizes) == [3, 4]
    assert column(model.transform(df), "x") == [
        SparseVector(2, {0: 1.0}),
        SparseVector(2, {1: 1.0}),
        SparseVector(2, {}),
    ]
    whole = encoder.copy({encoder.dropLast: False}).fit(df)
    assert column(whole.transform(df), "y")[2] == SparseVector(4, {3: 1.0})
    one = OneHotEncoder(inputCol="p", outputCol="x").fit(df)
    with pytest.raises(PySparkException, match="Unseen value: 7.0"):
        one.transform(spark.createDataFrame([(7.0,)], ["p"])).collect()


def test_string_indexer_of_labels(spark):
    frame = spark.createDataFrame([("a", "x"), ("b", "z"), ("c", "x")], ["k", "l"])
    model = StringIndexerModel.from_labels(["b", "a"], "k", "i", "keep")
    assert model.labels == ["b", "a"]
    assert model.labelsArray == [["b", "a"]]
    assert [row.i for row in model.transform(frame).orderBy("k").collect()] == [1.0, 0.0, 2.0]
    assert model.getHandleInvalid() == "keep"
    both = StringIndexerModel.from_arrays_of_labels(
        [["a", "b", "c"], ["z", "x"]], ["k", "l"], ["i", "j"]
    )
    assert both.labelsArray == [["a", "b", "c"], ["z", "x"]]
    rows = both.transform(frame).orderBy("k").collect()
    assert [(row.i, row.j) for row in rows] == [(0.0, 1.0), (1.0, 0.0), (2.0, 1.0)]
    assert both.getInputCols() == ["k", "l"]
    assert both.getHandleInvalid() == "error"


def test_string_indexer_of_labels_saved(spark, tmp_path):
    model = StringIndexerModel.from_labels(["b", "a"], inputCol="k", outputCol="i")
    model.write().overwrite().save(f"{tmp_path}/model")
    again = StringIndexerModel.load(f"{tmp_path}/model")
    assert again.labels == ["b", "a"]
    assert again.uid == model.uid
    assert again.getInputCol() == "k"
