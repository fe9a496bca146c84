"""Approve: show which messages wait for a person, pause, and do what the person decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from prefect import flow
from prefect.artifacts import create_table_artifact
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from pydantic import Field

from tasks.approve import Decisions, Waiting, apply_decisions, list_waiting
from tasks.workplace import workplace

PATIENCE_S = 3 * 24 * 3600
"""How long a run waits for somebody. Then it fails, and the messages wait for the next one."""

INTRODUCTION = """\
**These messages wait until somebody has read them.** Read each one before you decide: with
`voc approval show NUMBER`, or by the link in the mail that asked you to. Its words are not shown
here, and please write none here: Prefect keeps everything in the clear.

| message | what | loop | fingerprint |
|---|---|---|---|
"""


class Decision(RunInput):
    """What a person decided. Messages that are named nowhere go on waiting."""

    approver: str = Field(
        title="Your name", min_length=1, description="Who decides. It is kept with each message."
    )
    approve: list[int] = Field(
        default=[], title="Approve", description="Numbers of the messages that may leave."
    )
    refuse: list[int] = Field(
        default=[], title="Refuse", description="Numbers of the messages that may not."
    )
    why: str = Field(
        default="",
        title="Why refused",
        max_length=500,
        description="Whoever wrote them reads this. Needed to refuse; no customer's words.",
    )
    seen: str = Field(
        default="",
        title="Shown",
        description="Leave it as it is: what was shown to you, so that nothing else is decided.",
    )


@flow(name="approve")
def approve(now: datetime | None = None) -> dict[str, int]:
    """Wait until a person has decided on the messages that need approval, and apply it.

    Args:
        now: Leave empty: it is for rehearsals.
    """
    waiting = list_waiting()
    if not waiting:
        return {"waiting": 0}
    # The process ends here; when a person resumes the run, it starts again from the top.
    form = Decision.with_initial_data(
        description=INTRODUCTION + "\n".join(map(_line, waiting)), seen=_shown(waiting)
    )
    decision = suspend_flow_run(wait_for_input=form, timeout=PATIENCE_S)
    decisions = Decisions(
        approver=decision.approver,
        approve=decision.approve,
        refuse=decision.refuse,
        why=decision.why,
        seen=_read_shown(decision.seen),
    )
    counts = apply_decisions(decisions, now or workplace().clock())
    create_table_artifact(
        key="approvals",
        table=[{"what": name.replace("_", " "), "messages": n} for name, n in counts.items()],
        description="What became of the messages that were decided on",
    )
    return counts


def _line(each: Waiting) -> str:
    return f"| {each['message']} | {each['what']} | {each['loop']} | `{each['fingerprint']}` |"


def _shown(waiting: Sequence[Waiting]) -> str:
    """What was shown, in one field that comes back with the decision: 17:0f3a 18:99b1."""
    return " ".join(f"{each['message']}:{each['fingerprint']}" for each in waiting)


def _read_shown(shown: str) -> dict[int, str]:
    pairs = (pair.partition(":") for pair in shown.split())
    return {int(number): print_ for number, _, print_ in pairs if number.isdecimal()}
