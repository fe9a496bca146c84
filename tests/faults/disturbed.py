"""One run of a flow in which one boundary call fails; then the flow is finished and judged."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

import flows.follow_up
from notifications.smtp import SmtpChannel
from tasks.workplace import workplace
from tests.faults import books, children, shop
from tests.faults.boundary import Boundary, Fault
from tests.faults.cases import FLOWS, Flow
from tests.faults.world import World
from tests.story import Story
from voc.actions import doubt
from voc.models import Message, MessageState
from voc.store.database import connect, transaction

PATIENCE_S = 60
PERSON = "tess@corner.example"
LATER_H = 2
"""By then what was not sent is tried again; nothing else falls due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one disturbed run."""

    flow: str
    fault: Fault
    nth: int
    at: str
    """The boundary call that failed; empty if the run ended before its N-th."""
    doubts: int
    """Messages that were UNKNOWN in the end."""
    wrong: Sequence[str]
    """How the promise was broken, in words."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Undisturbed:
    """A flow's run in which nothing fails."""

    names: Sequence[str]
    """Of the boundary calls, in order."""
    outcome: Outcome


@dataclass(kw_only=True)
class Bench:
    """Where one worker tries things: one at a time."""

    folder: Path
    world: World
    snapshots: Path
    """All workers share it."""
    entered: str = ""
    """The flow whose home this process has entered."""

    @property
    def home(self) -> Path:
        """The same for all: what is known of it in this process holds for the next run."""
        return self.folder / "home"

    def now(self, name: str) -> datetime:
        """The moment of the flow's run."""
        return datetime.fromisoformat((self.snapshots / f"{name}.now").read_text())

    def lay_out(self, name: str) -> None:
        """The home as it was before the flow, and nothing of the last run."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.snapshots / name, self.home)
        self.world.forget()


@dataclass(frozen=True, slots=True)
class _Ending:
    """What a child found when all was finished."""

    rows: books.End = field(default_factory=dict)
    doubts: int = 0
    wrong: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> _Ending:
        return cls(**json.loads(path.read_text()))


def prepare(bench: Bench, name: str) -> Undisturbed:
    """Make the flow's snapshot, and run it undisturbed; how that ends is kept beside it."""
    flow, snapshot = FLOWS[name], bench.snapshots / name
    told = snapshot.with_suffix(".error")

    def live() -> None:
        shop.found(snapshot, flow.policy)
        story = shop.enter(snapshot, {}, bench.world.urls[flow.posts[0]])
        flow.before(story)
        snapshot.with_suffix(".now").write_text(story.now.isoformat())

    if children.run(live, errors=told):
        raise RuntimeError(f"{name} cannot be prepared: {told.read_text()}")
    for point in flow.senders_die_in:
        _sender_dies(bench, name, point)
    outcome = disturb(bench, name, Fault.KILL, None)
    if outcome.wrong:
        raise RuntimeError(f"{name} goes wrong undisturbed: {' '.join(outcome.wrong)}")
    names: list[str] = json.loads((bench.folder / "names").read_text())
    shutil.copy(bench.folder / "end", snapshot.with_suffix(".end"))
    return Undisturbed(names=names, outcome=outcome)


def disturb(
    bench: Bench, name: str, fault: Fault, nth: int | None, run: Callable[[], int] | None = None
) -> Outcome:
    """Run the flow with its *nth* boundary call failing, finish it, and look at the books.

    Args:
        run: Another way to run it so: its exit code. It writes what failed into ``hit``.
    """
    started = time.monotonic()
    if bench.entered != name:
        _enter(bench, name)
    bench.lay_out(name)
    hit, error, end = (bench.folder / it for it in ("hit", "error", "end"))
    here = partial(children.run, partial(_run, bench, name, fault, nth), errors=error)
    code = (run or here)()
    bench.world.settle()
    wrong: list[str] = []
    if code not in (0, 1) and not (code == -signal.SIGKILL and fault is Fault.KILL):
        wrong.append(f"the run ended with {code}")
    if code and not hit.exists():
        told = error.read_text() if error.exists() else f"exit code {code}"
        wrong.append(f"the run failed undisturbed: {told}")
    if children.run(lambda: _finish(bench, name), errors=error):
        wrong.append(f"it cannot be finished: {error.read_text()}")
    ending = _Ending.read(end) if end.exists() else _Ending()
    if nth is not None and end.exists():
        calm = _Ending.read(bench.snapshots / f"{name}.end")
        wrong += books.differences(ending.rows, calm.rows)
    return Outcome(
        flow=name,
        fault=fault,
        nth=nth or 0,
        at=hit.read_text() if hit.exists() else "",
        doubts=ending.doubts,
        wrong=wrong + ending.wrong,
        seconds=time.monotonic() - started,
    )


def _enter(bench: Bench, name: str) -> None:
    """Do in this process, once, what each child would do anew: read, import, compile.

    No connection stays open and no thread is started: children are forked from here.
    """
    flow = FLOWS[name]
    bench.lay_out(name)
    _open(bench, flow, bench.home)
    bench.entered = name
    if flow.opens:
        return
    story = _now(bench, name)
    shop.run_loop(story.now)
    if flow.single_threaded:
        flow.run(story)
    story.place.engine.dispose()


def _open(bench: Bench, flow: Flow, home: Path) -> None:
    shop.enter(home, flow.settings(bench.world), bench.world.urls[flow.posts[1]])


def _run(bench: Bench, name: str, fault: Fault, nth: int | None) -> None:
    """In a child: the flow, with one call that fails."""
    signal.alarm(PATIENCE_S)
    story = _now(bench, name)
    boundary = Boundary(bench.home, nth=nth, fault=fault, tell=(bench.folder / "hit").write_text)
    with boundary.around(connect(story.place.settings.database)):
        FLOWS[name].run(story)
    (bench.folder / "names").write_text(json.dumps(boundary.names))


def _finish(bench: Bench, name: str) -> None:
    """In a child: do it again, and all that follows; then look."""
    signal.alarm(PATIENCE_S)
    flow, story = FLOWS[name], _now(bench, name)
    engine, mailbox = story.place.engine, story.place.settings.mailbox
    story.wait(hours=LATER_H)
    flow.run(story)
    shop.run_loop(story.now)
    wrong = story.broken_books()
    doubts = [m for m in story.rows(Message) if m.state is MessageState.UNKNOWN]
    received = _received(bench, mailbox)
    wrong += [f"message {m.id} is in doubt, and {m.route} knows" for m in doubts if knows(m)]
    for message in doubts:
        came = books.key_of(message) in received
        with transaction(engine) as session:
            to = MessageState.SENT if came else MessageState.QUEUED
            doubt.settle(session, message.id or 0, to, now=story.now, actor=PERSON)
    story.wait(hours=LATER_H)
    shop.run_loop(story.now)
    wrong += story.broken_books()
    wrong += books.wrong_deliveries(books.all_messages(engine), _received(bench, mailbox))
    ending = _Ending(books.end_of(engine), len(doubts), wrong)
    (bench.folder / "end").write_text(json.dumps(asdict(ending)))


def knows(message: Message) -> bool:
    """Whether the way that the message took can be asked, and says what is certain."""
    return message.route == "mailbox"


def _now(bench: Bench, name: str) -> Story:
    """The workplace that this process has entered, at the moment of the run."""
    return Story(workplace(), now=bench.now(name))


def _received(bench: Bench, mailbox: Path) -> list[str]:
    return bench.world.received() + books.mailbox_ids(mailbox)


def _sender_dies(bench: Bench, name: str, point: str) -> None:
    """A sender takes the next message, and dies in the phase named *point*."""

    def live() -> None:
        _open(bench, FLOWS[name], bench.snapshots / name)
        setattr(SmtpChannel, point, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        shop.put(flows.follow_up, "recover_messages", lambda _now: {})  # another has died before
        FLOWS[name].run(_now(bench, name))

    assert children.run(live) == -signal.SIGKILL
