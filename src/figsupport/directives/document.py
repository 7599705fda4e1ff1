"""One directive file as the program reads it: lists and tables under `##` headings."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from figsupport.core.words import words
from figsupport.errors import Problem

_CAP = 500_000
_PROSE = frozenset({"Principes", "Limites"})


class Line(NamedTuple):
    """One line that the program reads: its number and its text or cells."""

    number: int
    cells: tuple[str, ...]

    @property
    def text(self) -> str:
        """The first cell."""
        return self.cells[0]


class Document:
    """One Markdown file: lists and tables under `##` headings; prose is for people."""

    def __init__(self, path: Path, problems: list[Problem]) -> None:
        self.name = path.name
        self._problems = problems
        self._sections: dict[str, list[Line]] = {}
        self._headings: dict[str, int] = {}
        self._texts: dict[str, list[str]] = {}
        section = ""
        lines = lines_of(path, path.name, problems)
        self._readable = bool(lines)
        for number, line in enumerate(lines, 1):
            if line.startswith("## "):
                section = line[3:].strip()
                if section in self._headings:
                    self.problem(number, f"the section « {section} » stands twice")
                self._headings[section] = number
                self._sections[section] = []
                self._texts[section] = []
                continue
            self._texts.setdefault(section, []).append(line)
            if section and line.lstrip().startswith(("* ", "+ ", "• ", "-\u00a0")):
                self.problem(number, f"« {line.strip()} »: a line of a list starts with « - »")
            elif section and line.startswith("- "):
                self._sections[section].append(Line(number, (line[2:].strip(),)))
            elif section and line.startswith("|") and not _is_rule(line):
                cells = tuple(cell.strip() for cell in line.strip().strip("|").split("|"))
                self._sections[section].append(Line(number, cells))

    def problem(self, number: int, message: str) -> None:
        """Add a problem of this file, unless that it cannot be read is said already."""
        if not self._readable:
            return
        self._problems.append(Problem(f"{self.name}:{number}", message))

    def opposed(self, one: str, other: str, message: str) -> None:
        """Name the lines of a section that stand in another one too."""
        said = {words(line.text) for line in self._sections.get(one, [])}
        for line in self._sections.get(other, []):
            if words(line.text) in said:
                self.problem(line.number, f"« {line.text} » {message}")

    def expect(self, names: Iterable[str]) -> None:
        """Name the sections that are missing, and those nobody reads."""
        wanted = set(names)
        for name in sorted(wanted - self._headings.keys()):
            self.problem(1, f"the section « ## {name} » is missing")
        for name, number in self._headings.items():
            if name not in wanted | _PROSE:
                known = ", ".join(f"« {one} »" for one in sorted(wanted))
                self.problem(number, f"unknown section « {name} »; expected one of {known}")

    def lines(self, section: str) -> Sequence[Line]:
        """Return the lines of a section, none when it is missing."""
        return self._sections.get(section, ())

    def phrases(self, section: str) -> tuple[str, ...]:
        """Return the list of a section; it must not be empty or say a thing twice."""
        lines = self._sections.get(section, [])
        if section in self._headings and not lines:
            self.problem(self._headings[section], f"« {section} » has no line starting with « - »")
        seen: dict[tuple[str, ...], int] = {}
        for line in lines:
            parts = words(line.text)
            if not parts:
                self.problem(line.number, f"« {line.text} » has no word")
            elif parts in seen:
                self.problem(line.number, f"« {line.text} » stands already in line {seen[parts]}")
            seen.setdefault(parts, line.number)
        return tuple(line.text for line in lines)

    def prose(self, section: str) -> str:
        """Return the whole text of a section; it must not be empty."""
        text = "\n".join(self._texts.get(section, [])).strip()
        if section in self._headings and not text:
            self.problem(self._headings[section], f"« {section} » is empty")
        return text

    def table(self, section: str, header: Sequence[str]) -> list[Line]:
        """Return the rows of a section's table, whose columns must be as named."""
        rows = self._sections.get(section, [])
        if section not in self._headings:
            return []
        if not rows or rows[0].cells != tuple(header):
            number = rows[0].number if rows else self._headings[section]
            self.problem(number, f"a table with the columns {' | '.join(header)} is expected")
            return []
        good = []
        for row in rows[1:]:
            if len(row.cells) != len(header):
                self.problem(row.number, f"{len(row.cells)} cells; expected {len(header)}")
            else:
                good.append(row)
        return good


def lines_of(path: Path, name: str, problems: list[Problem]) -> list[str]:
    try:
        if path.stat().st_size > _CAP:
            problems.append(Problem(name, f"is larger than {_CAP} bytes"))
            return []
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        if any(line.strip() for line in lines):
            return lines
        problems.append(Problem(name, "is empty"))
    except FileNotFoundError:
        problems.append(Problem(name, "is missing"))
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(name, f"cannot be read as UTF-8 text: {error}"))
    return []


def _is_rule(line: str) -> bool:
    return not line.strip("|-: \t")
