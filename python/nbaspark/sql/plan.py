# SPDX-License-Identifier: Apache-2.0
"""Relation trees: the plan of a DataFrame.

A plan is the dictionary form of a spark.connect.Relation, such as
``{"common": {"plan_id": 3}, "limit": {"input": …, "limit": 5}}``. Like expressions, plans are
never changed once made. Every relation has an id of its own, by which a column says which
DataFrame it belongs to.
"""

from __future__ import annotations

from itertools import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ids = count()


def relation(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return a relation of this kind under a fresh id."""
    return {"common": {"plan_id": next(_ids)}, kind: body}


def with_references(plan: dict[str, Any], references: tuple) -> dict[str, Any]:
    """Return a relation together with the plans that its subqueries name."""
    if not references:
        return plan
    return relation("with_relations", {"root": plan, "references": list(references)})


def plan_id(plan: dict[str, Any]) -> int:
    """Return the id of a relation."""
    return (plan.get("common") or {}).get("plan_id", 0)
