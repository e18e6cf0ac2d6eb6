"""Before the first push of all that is due, and of anything: what it would send is announced, and a person may say no."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from caspen_xero.store import problems, todo
from caspen_xero.store.mappings import Mappings
from caspen_xero.sync.planning.plan import Plan
from caspen_xero.sync.planning.snapshot import CaspenSide
from caspen_xero.sync.planning.translations import Translations
from caspen_xero.sync.sending.push_result import Announcement, PushOptions, PushResult
from caspen_xero.sync.sending.steps import Link, specification

_JUST_NOW = timedelta(minutes=1)


@dataclass(frozen=True)
class Foreseen:
    """The plan of one slice of invoices, made at a moment (UTC), and what it was made from; `state`: the store's."""

    caspen: CaspenSide
    translations: Translations
    plan: Plan
    state: tuple[int, int]
    made_at: datetime


class Foresight:
    """The plan that was announced for the first slice, so that it need not be made again where it would be the same."""

    def __init__(self, mappings: Mappings, now: Callable[[], datetime]) -> None:
        self.mappings, self.now = mappings, now
        self._foreseen: Foreseen | None = None

    def keep(self, caspen: CaspenSide, translations: Translations, plan: Plan) -> None:
        """Keeps a plan that was just made."""
        self._foreseen = Foreseen(caspen, translations, plan, self.mappings.store.state(), self.now())

    def drop(self) -> None:
        """It is carried out by now, or no longer wanted."""
        self._foreseen = None

    def of(self, ids: Iterable[str]) -> Foreseen | None:
        """What was just foreseen of these invoices, if nothing was written since."""
        kept = self._foreseen
        is_same = (
            kept is not None
            and kept.state == self.mappings.store.state()
            and abs(self.now() - kept.made_at) < _JUST_NOW
            and tuple(kept.caspen.invoices) == tuple(ids)
        )
        return kept if is_same else None

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """No plan hangs on what is written meanwhile."""
        kept = self.of(self._foreseen.caspen.invoices) if self._foreseen else None
        yield
        self._foreseen = replace(kept, state=self.mappings.store.state()) if kept else None


def may_begin(
    mappings: Mappings,
    options: PushOptions,
    ids: Sequence[str],
    foresee: Callable[[], PushResult],
    confirm: Callable[[Announcement], bool],
    unchanged: Callable[[], AbstractContextManager[None]],
    now: Callable[[], datetime],
) -> bool:
    """Whether anything may be sent: before the first push of all that is due, and of anything, that is for a person to say.

    Where nothing can be sent there is nothing to ask: the push goes on, and says why. `foresee` tells what a dry run would of these
    invoices; `unchanged`: around what no plan hangs on.
    """
    is_all, sent = options.invoice_ids is None, todo.has_sent(mappings)
    if not todo.has_finalised(mappings, ids) or options.max_writes == 0:
        return True
    if sent and (todo.has_begun(mappings) or not is_all):
        return True
    ahead = foresee()
    kinds = {kind: each for kind, each in ahead.outlook.kinds.items() if not isinstance(specification(kind), Link)}
    if not kinds:
        return True
    stay_out, is_first = ahead.outlook.invoices_out, not todo.has_sent(mappings)
    owed = ahead.outlook.owed
    if not confirm(Announcement(kinds, stay_out, is_first=is_first, at_most=options.max_writes, owed=owed)):
        todo.decline(mappings, now())
        _note_what_stays_out(mappings, ids, ahead, now())
        return False
    if is_all:
        with unchanged():
            todo.begin(mappings)
    return True


def _note_what_stays_out(mappings: Mappings, ids: Sequence[str], ahead: PushResult, now: datetime) -> None:
    """After a no: what could not have been sent has its own problem, and is not merely not pushed yet."""
    goes, had_problems = {step.invoice_id for step in ahead.plan}, problems.with_problems(mappings)
    with mappings.store.write():
        for invoice_id in ids:
            found = ahead.problems.get(invoice_id, [])
            if invoice_id not in goes and (found or invoice_id in had_problems):
                problems.replace_problems(mappings, invoice_id, found, now)
