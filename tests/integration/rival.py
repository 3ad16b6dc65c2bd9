"""One of two operators that write one log at once: appends as fast as it can, and takes the lead back whenever it is fenced.

python -m tests.integration.rival KUBECONFIG SECONDS NAME        prints what it did as JSON
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time

from feem.adapters.kubernetes.client import Client
from feem.adapters.kubernetes.records import KubernetesRecords
from feem.api.audit import Part, Subject
from feem.ports import Entry, Fenced
from feem.runtime.clock import SystemClock
from feem.runtime.ledger import RecordLedger, lowest_free_epoch

OPERATOR = "system:serviceaccount:feem-system:feem"
SUBJECT = Subject(kind="Release", namespace="rivals", name="rivals-1", uid="r")
TERM = 200
"""Acts after which it looks anew who leads, if it was not fenced before."""
BETWEEN = 0.02
"""Seconds between two acts, at most: who acts without a break is never overtaken by one that has to read first."""


async def main(kubeconfig: str, seconds: float, name: str) -> dict[str, int]:
    """Write until the time is up; returns counts. An open intent that the other one settled first counts as settled, not as an append."""
    done = {"appends": 0, "settled": 0, "terms": 0, "fenced": 0}
    end = time.monotonic() + seconds
    async with await Client.connect(kubeconfig) as client:
        records = KubernetesRecords(client)
        while time.monotonic() < end:
            done["terms"] += 1
            try:
                ledger = await RecordLedger.open(
                    records, SystemClock(), epoch=await lowest_free_epoch(records), actor=OPERATOR
                )
                for left in ledger.open_intents(SUBJECT):
                    ended = await ledger.append(
                        Entry(left.action, Part.OUTCOME, SUBJECT, "Abandoned", name, intent=left.index)
                    )
                    done["appends"] += ended.epoch == ledger.epoch
                    done["settled"] += ended.epoch != ledger.epoch
                for _ in range(TERM):
                    if time.monotonic() > end:
                        break
                    await asyncio.sleep(random.uniform(0, BETWEEN))  # noqa: S311 - a pause
                    intent = await ledger.append(
                        Entry("SetWeight", Part.INTENT, SUBJECT, "Step", name, ("set weight 10",))
                    )
                    done["appends"] += 1
                    await ledger.append(Entry("SetWeight", Part.OUTCOME, SUBJECT, "Done", name, intent=intent.index))
                    done["appends"] += 1
            except Fenced:
                done["fenced"] += 1
    return done


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], float(sys.argv[2]), sys.argv[3]))))
