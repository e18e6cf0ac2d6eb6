"""What a person is told when a command can't go on, as one tree, and the exit codes that it ends with: the ground floor.

    UserError                      code, message, fix, exit_code
      XeroError                    xero/errors.py: something about Xero
        ConnectNeeded              (4)  only `connect` helps: not signed in, the sign-in ended, the organisation is gone
          MissingScope             the sign-in did not ask for what this call needs
        SignInFailed               (4, or 1 where connecting again changes nothing)  `connect` itself did not work out
        TokenStoreError            the tokens of the sign-in can't be read or written
        TryLater                   (6)
          LimitReached             one of Xero's limits is used up; certainly nothing was done
          Unreachable              Xero was never reached; certainly nothing was sent
          NoAnswer                 sent, but no readable answer: Xero may have done it
            TooSlow                its answer was not whole in the time that it has
            Unreadable             one element of its answer can't be read; what else the answer holds counts
        Refused                    Xero understood and said no
          NotFound                 Xero knows no such thing
          NotAnAddress             there can be no such thing at Xero; certainly nothing was sent
      SecretStoreError             secrets/store.py: the keyring, or the file that secrets are kept in, can't be read or written
      FeedError                    caspen/feed.py: Caspen's records can't be read, or Caspen did not take a payment (1 or 6)
      StoreError                   store/errors.py: the local store, or a copy of it, can't be used (1 or 7)
      ChoiceError                  sync/setup/choices.py: what a person named is not there, or does not fit
      SettingsError                (2)  sync/setup/settings.py: a setting can't have that value
      AnotherHome                  sync/sending/other_homes.py: another home sends to the same organisation, so this one has stopped
      LinkError                    sync/sending/manual_link.py: what was named can't stand for the invoice or its payment
      SessionError                 cli/session.py: a command can't start (1, 2, 4 or 7)
      WorkspaceError               cli/workspace_folders.py: a workspace can't be used, or is not there (1 or 2)
      ScheduleError                schedules/job.py: a schedule can't be made, read or taken away (1 or 2)
      NotTaken                     cli/output.py: the result could not be written: a full disk, or nobody reads it any more
      SandboxMissing               cli/sandbox.py: the packages that only the sandbox needs are not installed
      StoryBroke                   cli/demo.py: the demo did not come out as it should

Without a number in brackets an error ends a command with 1. No message or attribute of these ever holds a token or a client secret.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Self

from caspen_xero.commands import Choice
from caspen_xero.outside_text import harmless


class ExitCode(IntEnum):
    """How a command ends, for scripts. Which of several wins is said in `cli/exit_codes.py`."""

    meaning: str

    def __new__(cls, number: int, meaning: str) -> Self:
        code = int.__new__(cls, number)
        code._value_, code.meaning = number, meaning
        return code

    ALL_WELL = 0, "all well"
    FAILED = 1, "failed"
    USAGE = 2, "wrong usage"
    PARTLY = (
        3,
        "partly: some invoices are unsynced or differ, and that is not accepted, some records were bad, or a push could not finish",
    )
    CONNECT_NEEDED = 4, "connect needed"
    NOTHING_CAN_BE_SENT = (
        5,
        "nothing could be sent: no default account, or no linked rate; and no invoice is in Xero yet",
    )
    TRY_LATER = 6, "try again later: a limit, or the network"
    ANOTHER_RUN = 7, "another run is active"
    INTERRUPTED = 130, "interrupted"


class UserError(Exception):
    """An error that a person can act on: `message` says what is wrong, `fix` the next command or step (may be empty).

    `choices`: the answers that are possible, where a person has to decide. `code` is stable, for scripts. A class whose errors end
    a command otherwise than with 1 has an `exit_code` of its own.
    """

    exit_code: int = ExitCode.FAILED
    trace: str = ""
    """Words by which somebody else's support finds what happened there; may be empty."""

    def __init__(
        self, code: str, message: str, fix: str = "", exit_code: int | None = None, choices: tuple[Choice, ...] = ()
    ) -> None:
        super().__init__(message)
        self.choices = choices
        self.code = code
        self.message = message
        self.fix = fix
        if exit_code is not None:
            self.exit_code = exit_code

    def as_json(self) -> dict[str, Any]:
        """The error as `--json` shows it."""
        return {
            "code": self.code,
            "message": harmless(self.message),
            "fix": harmless(self.fix),
            "exit_code": int(self.exit_code),
        }
