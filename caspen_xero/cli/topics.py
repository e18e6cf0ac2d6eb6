"""What `caspen-xero help TOPIC` tells, as data; the manual and the documentation have their tables from here too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from caspen_xero.cli.exit_codes import WORST_FIRST
from caspen_xero.cli.pages import Block, Entry
from caspen_xero.errors import ExitCode
from caspen_xero.xero.login import REDIRECT_URIS

VARIABLES = (
    Entry("CASPEN_XERO_HOME", "The folder for all state. Default: the system's folder for programs' data."),
    Entry("CASPEN_XERO_WORKSPACE", "The workspace, as --workspace names it."),
    Entry(
        "CASPEN_XERO_DEBUG",
        "1: all that is known of a fault of caspen-xero's own goes to stderr, values of records too.",
    ),
    Entry(
        "CASPEN_XERO_COLUMNS",
        "Lays tables out as for a screen of so many columns, also in a pipe or a file, where lists are otherwise lines with tabs.",
    ),
    Entry(
        "CASPEN_XERO_LOG",
        "A file in which every run notes what it does, as --debug says it: mode 0600, of your own, no link to another's. After "
        "1 MB a new one begins, and FILE.1 to FILE.5 are kept; it is not used where a file of something else is called so.",
    ),
    Entry("XERO_CLIENT_ID", "The client id of your app at Xero, as --client-id."),
    Entry("XERO_CLIENT_SECRET", "The secret of a custom connection. Only connect reads it."),
    Entry(
        "XERO_URL",
        "One base URL instead of Xero's three hosts, for the sandbox: https://, or http:// on this machine. It is remembered "
        "with the connection, so that a token never goes to another host.",
    ),
    Entry("CASPEN_API_KEY", "The key for a Caspen source over HTTP."),
    Entry("CASPEN_API_KEY_FILE", "The file that holds that key."),
    Entry(
        "CREDENTIALS_DIRECTORY",
        "A folder (systemd's LoadCredential= makes it) whose files are read where the variable of the same name is absent: "
        "CASPEN_API_KEY, XERO_CLIENT_SECRET, HTTPS_PROXY, HTTP_PROXY, ALL_PROXY. Each holds one line of text.",
    ),
    Entry("PYTHON_KEYRING_BACKEND", "The keyring to use, where the one that is found is not the right one."),
    Entry(
        "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY",
        "The proxy on the way to Xero and Caspen: http:// or https://, and with the package socksio socks5:// or socks5h://.",
    ),
    Entry(
        "NO_PROXY",
        "Where none is used: *, names (with all below them), addresses, networks (10.0.0.0/8), each with a port if need be.",
    ),
    Entry("SSL_CERT_FILE, SSL_CERT_DIR", "The certificates to believe, instead of those that Python's certifi brings."),
    Entry("NO_COLOR", "Anything: no colours."),
    Entry("COLUMNS", "How wide a screen is, as the shell knows it, and reports in a pipe (otherwise 200)."),
    Entry("TZ", "The time zone in which people read times."),
)
"""Every variable of the environment that is read, and what it says."""


@dataclass(frozen=True)
class Topic:
    """A subject that belongs to no single command."""

    name: str
    title: str
    blocks: Sequence[Block | Sequence[Entry]]


def _say(*paragraphs: str) -> list[Block]:
    return [Block(" ".join(text.split())) for text in paragraphs]


def _example(*lines: str) -> Block:
    return Block("\n".join(f"  {line}" for line in lines), verbatim=True)


EXIT_CODES = tuple(Entry(str(int(code)), f"{code.meaning[0].upper()}{code.meaning[1:]}.") for code in ExitCode)
_SEVERAL = (
    f"If several apply, the first of these counts: {', '.join(str(int(c)) for c in WORST_FIRST if c not in (0, 2))}."
)

TOPICS = (
    Topic(
        "install",
        "To have it on this machine for good",
        [
            *_say(
                """In the folder of this program's source, one of these puts it where it stays, in an environment of its own. With
                .[sandbox] instead of . the local Xero comes along.""",
            ),
            _example("pipx install .", "uv tool install ."),
        ],
    ),
    Topic(
        "xero-app",
        "The free app at Xero through which a clinic signs in",
        [
            *_say(
                """Sign in at https://developer.xero.com/app/manage with your Xero login, choose New app, then Mobile or desktop
                app; its web site can be the clinic's. Add these redirect URIs, exactly as they are: five, because another program
                may be using one of the ports.""",
            ),
            _example(*REDIRECT_URIS),
            *_say("Save it, copy its client id, and sign in with that:"),
            _example("caspen-xero connect --client-id YOUR_APPS_CLIENT_ID"),
        ],
    ),
    Topic(
        "feed",
        "Caspen's records, and where they can come from",
        [
            *_say(
                """Caspen's tax rates, payment methods, clients, contacts, invoices, payments and credit notes are read from files
                (JSON, JSON Lines or CSV) or a server. Each field, what it means, and whether it must be there:""",
            ),
            _example("caspen-xero schema feed"),
            *_say("A CSV file of each kind with the headings in it, to be filled in:"),
            _example("caspen-xero schema feed --csv FOLDER"),
            *_say(
                """A CSV file with other headings: this proposes what they mean, in a columns file that you correct and keep
                beside it.""",
            ),
            _example("caspen-xero schema feed --columns FILE.csv"),
        ],
    ),
    Topic(
        "exit-codes",
        "How a command ends, for scripts and cron",
        [EXIT_CODES, *_say(f"{_SEVERAL} A push that names invoices goes by those. unsynced itself ends with 0.")],
    ),
    Topic("environment", "The variables that are read", [VARIABLES]),
    Topic(
        "privacy",
        "What leaves this machine, and what stays on it",
        [
            *_say(
                """Xero gets of a client what settings set --privacy says. full: name, number in Caspen, email, phone, address and
                line descriptions. name-only: no email, phone and address. generic: neither name nor number nor descriptions; all
                invoices go to one contact.""",
                """Caspen's records are kept in one file in the workspace's folder, which only you can read; tokens and keys are in
                the system's keyring, or in a file of mode 0600 if you chose that. Nobody but Xero and your own Caspen source is
                talked to.""",
            ),
            _example(
                "caspen-xero settings set --privacy name-only",
                "caspen-xero purge --older-than 400d --dry-run",
                "caspen-xero disconnect --purge",
            ),
        ],
    ),
    Topic(
        "scripts",
        "JSON, and running without a person",
        [
            *_say(
                """With --json stdout holds one JSON document and nothing else, also where a command fails: then it has
                "error", with a code that stays the same, words, the fix and the exit code. The shapes only grow, so leave
                alone what you don't know. Amounts are decimal strings, times are in UTC. caspen-xero schema COMMAND prints
                the JSON Schema of what a command gives.""",
                """Without a terminal nothing asks. With --quiet only errors are said, and by push, pull and sync what is new.""",
            ),
            _example(
                "caspen-xero unsynced --json",
                "caspen-xero schema unsynced",
                "caspen-xero sync --quiet",
                "caspen-xero status --max-age 26h --quiet",
            ),
        ],
    ),
    Topic(
        "completion",
        "Commands, options and names by the Tab key",
        [
            *_say(
                """In bash, zsh, fish and PowerShell the Tab key offers commands and options, and from the workspace's store invoice
                numbers, problem codes, accounts, tax rates, payment methods and workspaces. Install it once for the shell that you
                are in, then open a new terminal.""",
            ),
            _example("caspen-xero --install-completion"),
            *_say("To put it elsewhere yourself, see what it would install:"),
            _example("caspen-xero --show-completion"),
        ],
    ),
)
"""Every topic, in the order in which they are listed."""
