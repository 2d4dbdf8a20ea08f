# SPDX-License-Identifier: Apache-2.0
"""Makes clientes_demo.csv: 240 invented customers in three loose groups, the same ones each time."""

import random
from pathlib import Path

# (how many, mean age, deviation, mean income, deviation, mean spending score, deviation)
GROUPS = [
    (90, 27, 5, 38_000, 6_000, 72, 9),
    (80, 44, 8, 72_000, 7_000, 45, 10),
    (70, 58, 7, 115_000, 9_000, 28, 8),
]


def main():
    rng = random.Random(2026)
    rows = []
    for n, age, age_dev, income, income_dev, score, score_dev in GROUPS:
        for _ in range(n):
            rows.append(
                (
                    min(max(round(rng.gauss(age, age_dev)), 18), 85),
                    max(100 * round(rng.gauss(income, income_dev) / 100), 12_000),
                    min(max(round(rng.gauss(score, score_dev)), 1), 100),
                )
            )
    rng.shuffle(rows)
    lines = ["idade,renda_anual,pontuação_gastos", *(",".join(map(str, row)) for row in rows)]
    path = Path(__file__).with_name("clientes_demo.csv")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
