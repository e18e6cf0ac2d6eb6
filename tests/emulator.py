"""A terminal's screen: what a person sees once all that was written has been carried out, bars drawn and wiped away included."""

from __future__ import annotations

import re

_PIECE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|([\r\n\b])|([^\x1b\r\n\b])")


def on_screen(written: str, columns: int) -> str:
    """The lines of a screen of that width, without the blanks at their ends; it is as high as it needs to be."""
    rows: list[list[str]] = [[]]
    row = column = 0
    for arguments, control, move, char in _PIECE.findall(written):
        times = int(arguments) if arguments.isdigit() else 1
        if control == "A":
            row = max(0, row - times)
        elif control == "B":
            row += times
        elif control == "K":
            start, end = {"": (column, columns), "1": (0, column + 1), "2": (0, columns)}.get(
                arguments, (column, columns)
            )
            rows[row][start:end] = [" "] * (min(end, len(rows[row])) - start)
        elif move == "\r":
            column = 0
        elif move == "\b":
            column = max(0, column - 1)
        elif char or move == "\n":
            if move or column == columns:
                row, column = row + 1, 0
            rows += [[] for _ in range(row + 1 - len(rows))]
            if char:
                rows[row] += " " * (column + 1 - len(rows[row]))
                rows[row][column] = char
                column += 1
    return "\n".join("".join(each).rstrip() for each in rows)
