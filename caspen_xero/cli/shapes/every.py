"""Every command that takes `--json`, and the shapes of its documents."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from caspen_xero.cli.shapes import choices, proof, runs, scheduled, standing, workspaces
from caspen_xero.cli.shapes.words import Failed

SHAPES: dict[str, tuple[Any, ...]] = {
    "connect": (choices.Connect,),
    "disconnect": (choices.Disconnect,),
    "settings show": (choices.SettingsShow,),
    "settings accounts": (choices.Accounts, choices.SettingsShow),
    "settings set": (choices.SettingsShow,),
    "taxes list": (choices.Taxes,),
    "taxes map": (choices.Taxes,),
    "taxes unmap": (choices.Taxes,),
    "import": (runs.Import,),
    "push": (runs.Push,),
    "unsynced": (standing.Unsynced,),
    "pull": (runs.Pull,),
    "sync": (runs.Sync, workspaces.InEach),
    "adopt": (runs.Adopt,),
    "drift": (standing.Drift,),
    "reconcile": (proof.Reconcile,),
    "invoices list": (standing.InvoicesList,),
    "invoices show": (standing.InvoicesShow,),
    "invoices open": (standing.InvoicesOpen,),
    **dict.fromkeys(
        [f"invoices {what}" for what in ("skip", "unskip", "accept", "unaccept", "link", "unlink")], (standing.Done,)
    ),
    "payments list": (standing.PaymentsList,),
    "contacts list": (choices.ContactsList,),
    "contacts link": (choices.Contact,),
    "contacts unlink": (choices.Contact,),
    "status": (standing.Status, workspaces.InEach),
    "doctor": (standing.Doctor, standing.Bundle, workspaces.InEach),
    "log": (standing.Log,),
    "overview": (workspaces.Overview,),
    "setup": (workspaces.Setup,),
    "schedule show": (scheduled.ScheduleShow,),
    "schedule install": (scheduled.ScheduleInstall,),
    "schedule remove": (scheduled.ScheduleRemove,),
    "backup": (choices.Backup,),
    "restore": (choices.Restore,),
    "purge": (choices.Purge,),
    "workspaces list": (workspaces.Workspaces,),
    "workspaces add": (workspaces.Added,),
    "workspaces remove": (workspaces.Removed,),
    "version": (choices.Version,),
}
"""By command, in the order of the help, what it gives; any of them gives `Failed` where it fails."""


class _WithoutTitles(GenerateJsonSchema):
    """A field's name is its title."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


@cache
def schema_of(command: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of what a command gives with `--json`. Raises `KeyError` for one that gives nothing."""
    definitions: dict[str, Any] = {}
    either = []
    for shape in (*SHAPES[command], Failed):
        schema = TypeAdapter(shape).json_schema(schema_generator=_WithoutTitles)
        definitions |= schema.pop("$defs", {})
        definitions[shape.__name__] = schema
        either.append({"$ref": f"#/$defs/{shape.__name__}"})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"caspen-xero {command} --json",
        "description": "Fields may be added, and none is taken away: leave alone what you don't know.",
        "anyOf": either,
        "$defs": dict(sorted(definitions.items())),
    }
