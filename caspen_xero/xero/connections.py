"""The organisations that our app is connected to at Xero, and which of them a sign-in means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import MOST, plain, said
from caspen_xero.xero.addresses import is_id, with_query
from caspen_xero.xero.answers import readable
from caspen_xero.xero.elements import Element, Id, Loose, Moment, Text
from caspen_xero.xero.errors import NoAnswer, NotAnAddress, NotFound, SignInFailed
from caspen_xero.xero.hosts import Hosts
from caspen_xero.xero.replies import accepted
from caspen_xero.xero.transport import Transport

_ORGANISATION = "ORGANISATION"
_LISTED = 10
_AT_ONCE = timedelta(seconds=2)


@dataclass(frozen=True)
class Linked:
    """One organisation that the app may work in. `connection_id` names the link, `tenant_id` the organisation."""

    connection_id: str
    tenant_id: str
    name: str
    created: datetime | None
    updated: datetime | None

    @property
    def is_new(self) -> bool:
        """Whether this very sign-in made the link: signing in again to a linked organisation only updates it."""
        if self.created is None or self.updated is None:
            return False
        return self.updated - self.created < _AT_ONCE


class _Connection(Element):
    """An element of `/connections`, which is written in another letter case than the API."""

    model_config = ConfigDict(alias_generator=to_camel)
    called, known_by = "connection", ("tenantName", "id")

    id: Id
    tenant_id: Id
    tenant_type: Text = None
    tenant_name: Annotated[Text, Loose] = None
    created_date_utc: Annotated[Moment, Loose] = None
    updated_date_utc: Annotated[Moment, Loose] = None

    def as_linked(self) -> Linked:
        """The organisation that it is of."""
        name = self.tenant_name or self.tenant_id
        return Linked(self.id, self.tenant_id, name, self.created_date_utc, self.updated_date_utc)


class Connections:
    """`/connections` with one access token. Raises what a call of the API raises."""

    def __init__(self, transport: Transport, hosts: Hosts, access_token: str) -> None:
        self._transport, self._url = transport, hosts.connections
        self._headers = {"Authorization": f"Bearer {access_token}"}

    def linked(self, auth_event_id: str | None = None) -> list[Linked]:
        """The organisations, oldest link first; `auth_event_id` narrows them to those of one sign-in."""
        params = {"authEventId": auth_event_id} if auth_event_id else None
        answer = self._transport.request("GET", with_query(self._url, params), headers=self._headers)
        rows = accepted(answer, "connections", "this sign-in").json()
        if not isinstance(rows, list):
            raise NoAnswer("its answer holds no list of connections", status=answer.status)
        connections, odd = readable(_Connection, rows)
        found = [one.as_linked() for one in connections if one.tenant_type in (None, _ORGANISATION)]
        if odd and not found:
            raise odd[0]
        return found

    def remove(self, linked_id: str) -> bool:
        """Ends one link at Xero, no other; False if it was gone already. Raises `NotAnAddress` for what is no id of a link."""
        if not is_id(linked_id):
            raise NotAnAddress(
                f"{said(linked_id, MOST)} names no connection", fix="caspen-xero disconnect --local-only"
            )
        answer = self._transport.request("DELETE", f"{self._url}/{linked_id}", headers=self._headers)
        try:
            accepted(answer, f"connections/{linked_id}", "this sign-in")
        except NotFound:
            return False
        return True


def candidates(
    fresh: Sequence[Linked], everything: Sequence[Linked], *, wanted: str | None, bound: str | None
) -> list[Linked]:
    """The organisations that a sign-in can mean: one, or several to ask a person about.

    `fresh`: those of this sign-in; `wanted`: a name or id that was asked for; `bound`: the organisation (tenant id)
    that the workspace already belongs to. Raises `SignInFailed` where there is none.
    """
    if not everything and not fresh:
        raise SignInFailed(
            "no-organisation",
            "The sign-in worked, but gives access to no organisation.",
            "Connect again, and choose an organisation on Xero's page.",
        )
    if wanted is not None:
        named = [one for one in everything if wanted in (one.tenant_id, one.connection_id)] or [
            one for one in everything if one.name.casefold() == wanted.strip().casefold()
        ]
        newest = [one for one in named if one in fresh]
        if not named:
            raise SignInFailed(
                "organisation-not-found",
                f"No organisation called {plain(wanted)} is connected. Connected: {_listing(everything)}.",
                "Connect again and choose it on Xero's page, or give --org one of these names.",
                exit_code=ExitCode.FAILED,
            )
        return newest if len(newest) == 1 else named
    possible = list(fresh) or list(everything)
    return [one for one in possible if one.tenant_id == bound] or possible


def unclear(possible: Sequence[Linked]) -> SignInFailed:
    """The error where several are possible and nobody can be asked."""
    return SignInFailed(
        "organisation-unclear",
        f"Several organisations are connected: {_listing(possible)}.",
        "Say which one, by its name, or by its id where two share a name: caspen-xero connect --org NAME",
        exit_code=ExitCode.FAILED,
    )


def _listing(linked: Sequence[Linked]) -> str:
    more = f" and {len(linked) - _LISTED} more" if len(linked) > _LISTED else ""
    return ", ".join(f"{plain(one.name)} ({plain(one.tenant_id)})" for one in linked[:_LISTED]) + more
