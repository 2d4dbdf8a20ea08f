# SPDX-License-Identifier: Apache-2.0
"""Serves the page that the NBA notebook scrapes, while the notebooks are tested.

The page is of our own making: invented players in a table built like the real one, with the header
row repeated inside it and, for traded players, a row TOT before one row per team.
"""

import http.server
import os
import random
import threading

COLUMNS = (
    "Rk Player Pos Age Tm G GS MP FG FGA FG% 3P 3PA 3P% 2P 2PA 2P% eFG% FT FTA FT% "
    "ORB DRB TRB AST STL BLK TOV PF PTS"
).split()


def player_row(rng: random.Random, rank: int, team: str, age: int) -> list[str]:
    """One line of averages that hang together a little: who plays longer scores and rebounds more."""
    minutes = round(rng.uniform(3, 38), 1)
    games = rng.randint(5, 82)
    values = {name: round(minutes * rng.uniform(0.02, 0.2), 1) for name in COLUMNS[8:]}
    values["ORB"] = round(minutes * 0.04 + rng.uniform(0, 0.8), 1)
    values["DRB"] = round(minutes * 0.13 + rng.uniform(0, 1.5), 1)
    values["PTS"] = round(minutes * rng.uniform(0.2, 0.95), 1)
    for name in COLUMNS:
        if name.endswith("%"):
            values[name] = round(rng.uniform(0.2, 0.9), 3)
    head = [rank, f"Jogador {rank}", rng.choice(["PG", "SG", "SF", "PF", "C"]), age, team, games]
    return [str(v) for v in [*head, rng.randint(0, games), minutes]] + [
        str(values[name]) for name in COLUMNS[8:]
    ]


def page() -> bytes:
    rng = random.Random(2023)
    rows: list[str] = []
    header = "".join(f"<th>{name}</th>" for name in COLUMNS)
    for rank in range(1, 121):
        if rank % 20 == 0:
            rows.append(f'<tr class="thead">{header}</tr>')
        age = rng.randint(19, 40)
        teams = ["TOT", "AAA", "BBB"] if rank % 9 == 0 else [rng.choice(["AAA", "BBB", "CCC"])]
        for team in teams:
            cells = player_row(rng, rank, team, age)
            line = f"<th>{cells[0]}</th>" + "".join(f"<td>{c}</td>" for c in cells[1:])
            rows.append(f'<tr class="full_table">{line}</tr>')
    table = f"<thead><tr>{header}</tr></thead><tbody>{''.join(rows)}</tbody>"
    html = f'<html><body><table id="per_game_stats">{table}</table></body></html>'
    return html.encode()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = page()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output to itself."""


def pytest_configure() -> None:
    if "NBASPARK_NBA_URL" in os.environ:
        return
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ["NBASPARK_NBA_URL"] = f"http://127.0.0.1:{server.server_port}/per_game.html"
