# SPDX-License-Identifier: Apache-2.0
"""Session variables, EXECUTE IMMEDIATE and IDENTIFIER(): what a list of statements leaves, told by its last one."""

TWO = ("DECLARE OR REPLACE VARIABLE va INT DEFAULT 5", "DECLARE OR REPLACE vb = 'hello'")
SEEN = "SELECT va, vb"

PROGRAMS = [
    (*TWO, SEEN),
    (*TWO, "DECLARE OR REPLACE vc DATE", "SELECT vc, session.vb, system.session.va"),
    (*TWO, "DECLARE va INT"),
    (*TWO, "SELECT va + 1 AS x WHERE vb = 'hello'"),
    (*TWO, "SELECT va FROM VALUES (1), (2) t(va) ORDER BY 1"),
    (*TWO, "SELECT id FROM range(20) WHERE id = va ORDER BY va"),
    (*TWO, "SET VAR va = 7", SEEN),
    (*TWO, "SET VARIABLE va = (SELECT max(id) FROM range(10))", SEEN),
    (*TWO, "SET VAR (va, vb) = (SELECT 1, 'z')", SEEN),
    (*TWO, "SET VAR va = 8", "SET VAR va = DEFAULT, vb = 'k'", SEEN),
    (*TWO, "SET VAR va = va + 1, vb = vb || '!'", SEEN),
    (*TWO, "SET VAR (va, vb) = (SELECT 1, 'x' WHERE false)", SEEN),
    (*TWO, "SET VAR nov = 1"),
    (*TWO, "SET VAR va = 'abc'"),
    (*TWO, "SET VAR va = 1, va = 2"),
    (*TWO, "SET VAR (va, vb) = (SELECT 1)"),
    (*TWO, "SET VAR (va, vb) = (SELECT id, 'x' FROM range(3))"),
    ("DECLARE OR REPLACE vs = named_struct('a', 1, 'b', array(1, 2))", "SELECT vs.a, vs"),
    ("SELECT session.nothere",),
    ("DECLARE a.b INT",),
    (*TWO, "DROP TEMPORARY VARIABLE va", "DROP TEMP VARIABLE IF EXISTS va", "SELECT va"),
    ("DROP TEMPORARY VARIABLE nov",),
    (*TWO, "DROP TEMPORARY VARIABLE va", "DECLARE va DEFAULT 3L", SEEN),
    ("EXECUTE IMMEDIATE 'SELECT 1 AS a'",),
    ("EXECUTE IMMEDIATE 'SELECT ? + ? AS s' USING 1, 2",),
    ("EXECUTE IMMEDIATE 'SELECT :a || :b AS s' USING 'x' AS a, 'y' AS b",),
    ("EXECUTE IMMEDIATE 'SELECT :a || :b AS s' USING ('x' AS a, 'y' AS b)",),
    ("EXECUTE IMMEDIATE 'SELECT :a || :b AS s' USING 'x' AS a, 'y'",),
    (*TWO, "EXECUTE IMMEDIATE 'SELECT ? AS s' USING va"),
    ("EXECUTE IMMEDIATE 'SELECT ' || '1' || ' AS q'",),
    (*TWO, "SET VAR vb = 'SELECT 7 AS seven'", "EXECUTE IMMEDIATE vb"),
    (*TWO, "EXECUTE IMMEDIATE 'SELECT 42' INTO vb", SEEN),
    (*TWO, "EXECUTE IMMEDIATE 'SELECT 1 WHERE false' INTO vb", SEEN),
    (*TWO, "EXECUTE IMMEDIATE 'SELECT id FROM range(3)' INTO vb"),
    (*TWO, "EXECUTE IMMEDIATE 'SELECT 1, 2' INTO vb"),
    (*TWO, "EXECUTE IMMEDIATE 'SELECT 1, ?' INTO va, vb USING 'u'", SEEN),
    ("EXECUTE IMMEDIATE 'SELEC 1'",),
    (*TWO, "EXECUTE IMMEDIATE 'SET VAR vb = ?' USING 'new'", SEEN),
    ("EXECUTE IMMEDIATE 'EXECUTE IMMEDIATE \\'SELECT 1\\''",),
    (*TWO, "EXECUTE IMMEDIATE 'SET VAR vb = 1' INTO va"),
    ("EXECUTE IMMEDIATE 5",),
    ("EXECUTE IMMEDIATE 'SELECT * FROM nothere_at_all'",),
    (
        "EXECUTE IMMEDIATE 'CREATE OR REPLACE TEMP VIEW ei_v AS SELECT 1 AS one'",
        "SELECT * FROM ei_v",
    ),
    ("SELECT * FROM IDENTIFIER('range' || '')(3)",),
    (
        "CREATE OR REPLACE TEMP VIEW IDENTIFIER('v' || '9') AS SELECT 1 AS a",
        "SELECT IDENTIFIER('v' || '9' || '.a'), IDENTIFIER('ab' || 's')(-1) FROM IDENTIFIER('v9')",
    ),
    ("SELECT * FROM IDENTIFIER(:t)",),
    (*TWO, "SET VAR vb = 'range'", "SELECT * FROM IDENTIFIER(vb)(2)"),
    ("SELECT IDENTIFIER(1)",),
    ("SELECT IDENTIFIER(CAST(NULL AS STRING))",),
    (*TWO, "SET va = 3"),
    (*TWO, "SELECT upper(vb)"),
]


def _run(statements):
    def case(s, F, W):
        for text in statements[:-1]:
            s.sql(text)
        return s.sql(statements[-1])

    return case


CASES = {"; ".join(p).replace("; ".join(TWO), "two"): _run(p) for p in PROGRAMS}
