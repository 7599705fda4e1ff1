"""A form with files, written to a folder as it comes: counted, bounded, nothing in memory."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from figsupport.core.intake import Limits
from figsupport.errors import InvalidRequest, Problem
from figsupport.server.problems import HttpProblem

#: Parts that are no files; the parser bounds their headers, `Limits.document` their texts.
_MOST_FIELDS = 40


class Form(NamedTuple):
    """The fields of a form, and its files: the names the client gave, in the order of the folder.

    The n-th file is `file_name(n)`, counted from 1.
    """

    fields: dict[str, str]
    files: tuple[str, ...]


def file_name(number: int) -> str:
    """Return the name under which the n-th file of a form lies in its folder."""
    return f"{number:02d}"


async def read_form(
    content_type: str, body: AsyncIterator[bytes], folder: Path, limits: Limits
) -> Form:
    """Read a form; its files are in the folder afterwards.

    Raises HttpProblem (413) beyond a limit, InvalidRequest when it is no whole form.
    """
    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    reader = _Reader(folder, limits)
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": reader.begin,
                "on_header_field": reader.header_name,
                "on_header_value": reader.header_value,
                "on_header_end": reader.header_end,
                "on_headers_finished": reader.headers_end,
                "on_part_data": reader.data,
                "on_part_end": reader.end,
                "on_end": reader.finish,
            },
        )
        async for chunk in body:
            parser.write(chunk)
        if not reader.whole:
            raise _malformed("it ends in the middle")
        return Form(reader.fields, tuple(reader.files))
    except (FormParserError, ValueError, KeyError) as error:
        raise _malformed(str(error)) from None
    finally:
        reader.close()


class _Reader:
    """Takes the parts of a form as the parser finds them."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.fields: dict[str, str] = {}
        self.files: list[str] = []
        self.whole = False
        self._folder, self._limits = folder, limits
        self._headers: dict[str, bytes] = {}
        self._name = self._value = self._text = b""
        self._field = ""
        self._file: BinaryIO | None = None
        self._size = self._all_text = self._parts = 0

    def begin(self) -> None:
        self._headers, self._text, self._size, self._parts = {}, b"", 0, self._parts + 1
        if self._parts > _MOST_FIELDS + self._limits.files:
            raise _malformed("it has too many parts")

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value
        self._name = self._value = b""

    def headers_end(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", b""))
        self._field = options[b"name"].decode()
        name = options.get(b"filename", b"").decode("utf-8", "replace")
        if not name:  # a text, or a field for files where none was chosen
            return
        if len(self.files) >= self._limits.files:
            raise HttpProblem(413, "too_large", f"More than {self._limits.files} files.")
        self.files.append(name)
        self._file = (self._folder / file_name(len(self.files))).open("xb")

    def data(self, data: bytes, start: int, end: int) -> None:
        self._size += end - start
        if self._file is not None:
            if self._size > self._limits.file_size:
                most = self._limits.file_size
                raise HttpProblem(413, "too_large", f"A file is larger than {most} bytes.")
            self._file.write(memoryview(data)[start:end])
            return
        self._all_text += end - start
        if self._all_text > self._limits.document:
            most = self._limits.document
            raise HttpProblem(413, "too_large", f"The texts are larger than {most} bytes.")
        self._text += data[start:end]

    def end(self) -> None:
        if self._file is None:
            self.fields[self._field] = self._text.decode()
        self.close()

    def finish(self) -> None:
        self.whole = True

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _malformed(why: str) -> InvalidRequest:
    return InvalidRequest(
        f"The body is no form (multipart/form-data): {why}",
        hint="Nothing was done. Send it as a browser does.",
        problems=[Problem("body", f"{why}; expected multipart/form-data")],
    )
