# SPDX-License-Identifier: Apache-2.0
"""df.to(schema): columns and fields of structs by name, at any depth, and what cannot be stored."""

STRUCT = "select named_struct('x', 1, 'y', 2) a, 3 b"
NESTED = (
    "select array(named_struct('x', 1, 'y', 2), null) a, array(1, null) b, "
    "map(1, named_struct('x', 1, 'y', 2)) m, map(named_struct('k', 1, 'l', 2), 3) n, "
    "cast(null as struct<p:int,q:struct<r:int,s:int>>) z"
)
PAIRS = [
    *(
        (STRUCT, schema)
        for schema in (
            "b int, a struct<y:int,x:int>",
            "a struct<y:bigint,x:string>",
            "a struct<y:int,z:int>",
            "a struct<y:int,z:int not null>",
            "a struct<Y:int>",
            "a struct<x:int not null>",
            "a int",
            "b string",
            "b boolean",
            "b date",
            "b array<int>",
            "c int",
            "c int not null",
            "B int",
            "a map<int,int>",
            "b decimal(10,2)",
            "b decimal(1,0)",
            "b tinyint",
            "b struct<x:int>",
        )
    ),
    *(
        (NESTED, schema)
        for schema in (
            "a array<struct<y:int,x:int>>",
            "a array<struct<y:int,q:int>>",
            "a array<struct<y:int not null>>",
            "a array<int>",
            "b array<bigint>",
            "b array<string>",
            "b array<date>",
            "b map<int,int>",
            "m map<int,struct<y:string,x:int>>",
            "m map<bigint,struct<y:int,x:int>>",
            "m array<int>",
            "n map<struct<l:int,k:int>,bigint>",
            "z struct<q:struct<s:int,r:int>,p:int>",
        )
    ),
    ("select 1 a, 2 A", "a int"),
    ("select named_struct('x', 1, 'X', 2) a", "a struct<x:int>"),
    ("select 300 a", "a tinyint"),
    ("select '5' a", "a int"),
    ("select 1.5D a", "a int"),
    ("select timestamp'2020-01-01' a", "a date"),
    ("select date'2020-01-01' a", "a timestamp_ntz"),
    ("select true a", "a string"),
    ("select null a", "a int"),
    ("select 1L a", "a timestamp"),
    ("select interval 1 day a", "a string"),
    ("select binary('x') a", "a string"),
    (
        "select if(id = 0, null, named_struct('x', id, 'y', named_struct('u', id, 'v', id + 1))) a "
        "from range(2)",
        "a struct<y:struct<v:int,u:string>,x:int>",
    ),
]


def _schema(s, ddl):
    return s.createDataFrame([], ddl).schema


CASES = {
    **{
        f"{query} -> {ddl}": (lambda s, F, W, q=query, d=ddl: s.sql(q).to(_schema(s, d)))
        for query, ddl in PAIRS
    },
    "no null elements": lambda s, F, W: s.sql(NESTED).to(s.sql("select array(1) b").schema),
    "no null values": lambda s, F, W: s.sql("select map(1, cast(null as int)) m").to(
        s.sql("select map(1, 2) m").schema
    ),
    "over rows": lambda s, F, W: s.createDataFrame(
        [(1, {"y": 2, "x": 3})], "i int, a struct<x:int,y:int>"
    ).to(_schema(s, "a struct<y:int,x:int>, i bigint")),
}
