# SPDX-License-Identifier: Apache-2.0
"""Builds plans with pyspark-client and with nbaspark, without running either.

`normalised` makes messages of the two comparable: plan ids are renumbered in the order in which
they appear, lambda variables too, and call sites are dropped.
"""

from __future__ import annotations


class PlanOnlyChannel:
    """A channel that runs nothing; all tables have one schema. It keeps the last plan."""

    def __init__(self, schema):
        self.schema = schema
        self.plan = None

    def execute(self, plan):
        self.plan = plan
        return _NoResult()

    def analyze(self, request):
        assert list(request) == ["schema"], request
        return {"schema": {"schema": self.schema}}

    def config(self, operation):
        return {"pairs": operation.get("get_with_default", {}).get("pairs", [])}

    def close(self):
        pass


class _NoResult:
    commands = ()

    def rows(self, factory):
        return [(None,) * 7]


def our_session(ddl):
    """Return a session of nbaspark whose tables all have this schema."""
    from nbaspark.sql import SparkSession
    from nbaspark.sql.types import DataType
    from nbaspark.sql.types_proto import to_tree

    return SparkSession(channel=PlanOnlyChannel(to_tree(DataType.fromDDL(ddl))))


class _TheirClient:
    is_closed = True

    def __init__(self, schema):
        self._schema = schema
        self.plan = None

    def schema(self, plan):
        return self._schema

    def execute_command(self, command, observations=None, extra=None):
        self.plan = command
        return None, {}, None

    def _set_relation_in_plan(self, plan, relation):
        plan.root.CopyFrom(relation)

    def to_table(self, plan, observations):
        import pyarrow as pa

        self.plan = plan
        return pa.table({"a": [[0.0]], **{c: [None] for c in "bcdefg"}}), None, None

    def close(self):
        pass


def their_session(ddl):
    """Return a session of pyspark-client whose tables all have this schema."""
    from pyspark.sql.connect.session import SparkSession
    from pyspark.sql.connect.types import pb2, proto_schema_to_pyspark_data_type

    from nbaspark import _core
    from nbaspark.sql.types import DataType
    from nbaspark.sql.types_proto import to_tree

    packed = _core.message_pack("spark.connect.DataType", to_tree(DataType.fromDDL(ddl)))
    session = SparkSession.__new__(SparkSession)
    schema = proto_schema_to_pyspark_data_type(pb2.DataType.FromString(packed))
    session._client = _TheirClient(schema)
    session._session_id = "plan-only"
    session.is_mock_session = True
    return session


def our_message(tree, name):
    """Return a tree as a message of their classes, by way of the bytes that we would send."""
    import pyspark.sql.connect.proto as pb2

    from nbaspark import _core

    return getattr(pb2, name).FromString(_core.message_pack(f"spark.connect.{name}", tree))


def normalised(message):
    """Return a copy of a message with ids renumbered and call sites dropped."""
    copy = type(message)()
    copy.CopyFrom(message)
    _visit(copy, {}, {})
    return copy


def _visit(message, ids, names):
    kind = message.DESCRIPTOR.name
    if kind in ("ExpressionCommon", "RelationCommon"):
        message.ClearField("origin")
    for field, value in message.ListFields():
        if field.name == "plan_id":
            message.plan_id = ids.setdefault(value, len(ids))
        elif field.message_type is None:
            if kind == "UnresolvedNamedLambdaVariable" and field.name == "name_parts":
                for i, part in enumerate(value):
                    value[i] = names.setdefault(part, f"v{len(names)}")
        elif field.message_type.GetOptions().map_entry:
            if field.message_type.fields_by_name["value"].message_type is not None:
                for key in sorted(value):
                    _visit(value[key], ids, names)
        elif hasattr(value, "DESCRIPTOR"):
            _visit(value, ids, names)
            if field.name == "common" and not value.ListFields():
                message.ClearField("common")
        else:
            for item in value:
                _visit(item, ids, names)
