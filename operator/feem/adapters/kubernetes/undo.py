"""Taking a promoted template back: the owner's Deployment gets the one of its earlier ReplicaSet, and then its fields back."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from feem.adapters.kubernetes.resources import DEPLOYMENTS, REPLICASETS
from feem.adapters.kubernetes.workload import PROMOTING, check_template
from feem.adapters.kubernetes.writer import Writer
from feem.core.digest import HASH_LABEL, template_digest
from feem.core.ownership import FIELD_MANAGER
from feem.core.rollout import effects as rollout
from feem.core.rollout.observe import UNDO
from feem.ports import Body, Conflict


async def undo_template(writer: Writer, effect: rollout.UndoTemplate) -> None:
    """Write the stable template, un-paused and marked, in one request; as `kubectl rollout undo` does, from the ReplicaSet.

    Raises Conflict when the Deployment carries another template by now, was written to meanwhile, or the ReplicaSet is gone.
    """
    body = writer.need(DEPLOYMENTS, effect.namespace, effect.deployment)
    annotations = body["metadata"].get("annotations") or {}
    if annotations.get(UNDO) == effect.mark and template_digest(body["spec"]["template"]) == effect.stable_digest:
        return
    check_template(body, effect.template_digest)
    patch = {
        "metadata": {"labels": {PROMOTING: "true"}, "annotations": {UNDO: effect.mark}},
        "spec": {"paused": None, "template": difference(body["spec"]["template"], _stable(writer, body, effect))},
    }
    await writer.merge(DEPLOYMENTS, body, patch)


async def end_undo(writer: Writer, effect: rollout.EndUndo) -> None:
    """Take the marks off, and give the fields that FEEM wrote to their owner: the next server-side apply meets no conflict."""
    body = await writer.read(DEPLOYMENTS, effect.namespace, effect.deployment)
    if body is None:
        return
    metadata, patch = body["metadata"], dict[str, Any]()
    if PROMOTING in (metadata.get("labels") or {}) or UNDO in (metadata.get("annotations") or {}):
        fields = given_back(metadata.get("managedFields") or ())
        patch["metadata"] = {"labels": {PROMOTING: None}, "annotations": {UNDO: None}, "managedFields": fields}
    if effect.standing and not body["spec"].get("paused"):
        patch["spec"] = {"paused": True}
    if patch:
        await writer.merge(DEPLOYMENTS, body, patch)


def difference(old: Any, new: Any) -> Any:
    """Return the JSON merge patch (RFC 7396) that makes `new` of `old`; lists are replaced whole."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return copy.deepcopy(new)
    gone = {key: None for key in old if key not in new}
    return gone | {key: difference(old.get(key), value) for key, value in new.items() if old.get(key) != value}


def given_back(entries: Sequence[Body]) -> list[Body]:
    """Return the field ownership (`managedFields`, KEP-555) without what FEEM wrote by patch; what it applied stays its own.

    Where one manager applies the template, it gets the template's fields: so what only the earlier version had goes when that
    manager applies without it, and the version that was taken back is told by its digest when it comes again.
    """
    mine = [item for item in entries if (item.get("manager"), item.get("operation")) == (FIELD_MANAGER, "Update")]
    kept = [item for item in entries if item not in mine]
    owners = [item for item in kept if item.get("operation") == "Apply" and _template_fields(item)]
    if len(owners) == 1:
        fields = owners[0]["fieldsV1"]
        for item in mine:
            fields = _union(fields, {"f:spec": {"f:template": _template_fields(item)}})
        kept = [{**item, "fieldsV1": fields} if item is owners[0] else item for item in kept]
    return kept or [{}]


def _template_fields(entry: Body) -> Body:
    fields: Body = ((entry.get("fieldsV1") or {}).get("f:spec") or {}).get("f:template") or {}
    return fields


def _union(one: Body, other: Body) -> Body:
    """Both sets of fields."""
    return one | {key: _union(one.get(key, {}), value) for key, value in other.items()}


def _stable(writer: Writer, owner: Body, effect: rollout.UndoTemplate) -> Body:
    """Return the stable template as the Deployment had it: without the label that the Deployment controller adds."""
    for replica_set in writer.owned(REPLICASETS, owner["metadata"]["uid"]):
        if template_digest(replica_set["spec"]["template"]) == effect.stable_digest:
            template: Body = copy.deepcopy(replica_set["spec"]["template"])
            template.get("metadata", {}).get("labels", {}).pop(HASH_LABEL, None)
            return template
    raise Conflict(
        f"Deployment {effect.namespace}/{effect.deployment} has no ReplicaSet with template {effect.stable_digest} any more"
    )
