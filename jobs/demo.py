# SPDX-License-Identifier: Apache-2.0
"""The customer segmentation job on bundled data, with a picture: python jobs/demo.py [FOLDER]

Results go to FOLDER (default build/demo): the groups as CSV, and clusters_<data>.png. The file
clientes.csv of ../shared/data is segmented as well where it exists.
"""

import sys
from pathlib import Path
from time import perf_counter

import customer_segmentation as job

from nbaspark.sql import SparkSession

TOP = Path(__file__).resolve().parents[1]
COLORS = ["#1b6ca8", "#d1495b", "#3c8d53", "#8a5ea8", "#c98a1b"]


def draw(rows, title, path):
    """Write a picture of income and spending, one colour per group, size by age."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 5.5), layout="constrained")
    groups = sorted({row.prediction for row in rows})
    for group in groups:
        own = [row for row in rows if row.prediction == group]
        income = [row.renda_anual / 1000 for row in own]
        spending = [row["pontuação_gastos"] for row in own]
        color = COLORS[group % len(COLORS)]
        sizes = [10 + 1.6 * row.idade for row in own]
        label = f"grupo {group} ({len(own)} clientes)"
        axes.scatter(
            income, spending, s=sizes, c=color, alpha=0.75, edgecolors="white", label=label
        )
        center = (sum(income) / len(own), sum(spending) / len(own))
        axes.scatter(*center, marker="X", s=170, c=color, edgecolors="black", zorder=3)
    axes.set_xlabel("renda anual (milhares)")
    axes.set_ylabel("pontuação de gastos")
    axes.set_title(f"{title}: grupos de clientes (tamanho: idade; X: centro)")
    axes.grid(alpha=0.25)
    axes.legend(loc="best")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def run(spark, source, folder):
    started = perf_counter()
    customers = job.read_customers(spark, str(source))
    groups = job.segment(customers)
    target = folder / source.stem
    groups.select("prediction").coalesce(1).write.csv(str(target), header=True, mode="overwrite")
    rows = groups.drop("features").collect()
    seconds = perf_counter() - started
    print(f"{source.name}: {len(rows)} customers")
    groups.drop("features").show(10)
    groups.groupBy("prediction").count().orderBy("prediction").show()
    picture = folder / f"clusters_{source.stem}.png"
    draw(rows, source.name, picture)
    print(
        f"groups in {target}, picture in {picture}; read, fitted and written in {seconds:.3f} s\n"
    )


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else TOP / "build" / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    spark = SparkSession.builder.appName("demo").getOrCreate()
    sources = [TOP / "jobs" / "data" / "clientes_demo.csv"]
    shared = TOP.parent / "shared" / "data" / "clientes.csv"
    if shared.exists():
        sources.append(shared)
    for source in sources:
        run(spark, source, folder)
    spark.stop()


if __name__ == "__main__":
    main()
