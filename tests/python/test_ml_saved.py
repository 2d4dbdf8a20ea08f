# SPDX-License-Identifier: Apache-2.0
"""Models that Spark has saved, read; models that are saved, in Spark's layout."""

import json
import shutil
from pathlib import Path

import pytest

SAVED = Path(__file__).parent.parent / "data/oracle/ml_models"
RECORDED = json.loads((SAVED / "rows.json").read_text(encoding="utf-8"))


def frame(spark):
    return spark.createDataFrame([tuple(r) for r in RECORDED["rows"]], ["a", "b", "c"])


def answers(model, spark):
    return [
        [float(v) for v in r]
        for r in model.transform(frame(spark)).select("prediction", "p2").collect()
    ]


def part(folder):
    (found,) = Path(folder).glob("data/*.parquet")
    return found


def test_a_model_of_spark_predicts_what_spark_predicts(spark):
    from nbaspark.ml import PipelineModel

    model = PipelineModel.load(str(SAVED / "model"))
    assert answers(model, spark) == RECORDED["answers"]
    assert model.stages[3].labels == ["ç", "a", "b"]
    assert model.stages[5].getK() == 3 and model.stages[5].getSeed() == 1


def test_a_pipeline_of_spark_can_be_fitted(spark):
    from nbaspark.ml import Pipeline

    pipeline = Pipeline.load(str(SAVED / "pipeline"))
    assert pipeline.getStages()[6].getRegParam() == 0.1
    fitted = pipeline.fit(frame(spark))
    for ours, (_, theirs) in zip(answers(fitted, spark), RECORDED["answers"], strict=True):
        assert ours[1] == pytest.approx(theirs, abs=1e-9)


def test_what_is_saved_is_what_was_fitted(spark, tmp_path):
    from nbaspark.ml import PipelineModel

    model = PipelineModel.load(str(SAVED / "model"))
    model.write().save(str(tmp_path / "again"))
    assert answers(PipelineModel.load(str(tmp_path / "again")), spark) == RECORDED["answers"]


def test_files_have_spark_s_layout(spark, tmp_path):
    from pyarrow import parquet

    from nbaspark.ml import PipelineModel

    def rows(table):  # Spark writes centers as its partitions have them
        return sorted(table.to_pylist(), key=lambda r: r.get("clusterIdx", 0))

    PipelineModel.load(str(SAVED / "model")).write().save(str(tmp_path / "again"))
    folders = sorted((SAVED / "model/stages").iterdir())
    assert len(folders) == 7
    for theirs in folders:
        ours = tmp_path / "again/stages" / theirs.name
        (told,) = theirs.glob("metadata/part-*")
        said = json.loads(next(ours.glob("metadata/part-*")).read_text(encoding="utf-8"))
        told = json.loads(told.read_text(encoding="utf-8"))
        for of in (told, said):
            of.pop("timestamp")
        assert said == told
        if (theirs / "data").exists():
            want = parquet.read_table(theirs / "data")
            got = parquet.read_table(ours / "data")
            assert got.schema.remove_metadata() == want.schema.remove_metadata()
            row_type = b"org.apache.spark.sql.parquet.row.metadata"
            assert json.loads(got.schema.metadata[row_type]) == json.loads(
                want.schema.metadata[row_type]
            )
            assert rows(got) == rows(want)


def spoil_cut(model, other):
    whole = part(model).read_bytes()
    part(model).write_bytes(whole[: len(whole) // 2])


def spoil_swapped(model, other):
    shutil.copy(part(other), part(model))


def spoil_none(model, other):
    shutil.rmtree(model / "data")


@pytest.mark.parametrize("spoil", [spoil_cut, spoil_swapped, spoil_none])
@pytest.mark.parametrize("name", ["KMeans", "StandardScaler", "StringIndexer", "OneHotEncoder"])
def test_what_is_no_such_model_is_refused(spark, tmp_path, spoil, name):
    from nbaspark.errors import PySparkException
    from nbaspark.ml import clustering, feature

    (tmp_path / "model").mkdir()
    stages = {p.name.split("_")[1]: p for p in (SAVED / "model/stages").iterdir()}
    other = "OneHotEncoder" if name != "OneHotEncoder" else "KMeans"
    for at, from_ in (("model", name), ("other", other)):
        shutil.copytree(stages[from_], tmp_path / at, dirs_exist_ok=True)
    if name == "KMeans":  # its centers lie in two files
        (tmp_path / "model/data").joinpath(
            sorted(p.name for p in (tmp_path / "model/data").glob("*.parquet"))[0]
        ).unlink()
    if other == "KMeans":
        sorted((tmp_path / "other/data").glob("*.parquet"))[0].unlink()
    spoil(tmp_path / "model", tmp_path / "other")
    loader = getattr(clustering if name == "KMeans" else feature, f"{name}Model")
    with pytest.raises(PySparkException):
        loader.load(str(tmp_path / "model"))
