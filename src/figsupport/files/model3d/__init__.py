"""Looking inside 3D files with the standard library: bounded reads, nothing run, nothing trusted.

`read` never raises for what a file holds: a damaged file is a Model that does not open.
"""

import struct
import zlib
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

from figsupport.files.model3d.values import Damaged, Model, Patch, Source, Unread

#: format (as `sniff` names it) → the module here that reads it, imported when it is needed
_READERS = {
    "glb": "gltf", "gltf": "gltf", "usdz": "usd", "usdc": "usd", "usda": "usd",
    "obj": "obj", "stl": "stl", "ply": "ply", "fbx": "fbx", "3ds": "studio", "dae": "collada",
    "step": "step", "blend": "blend", "3mf": "threemf",
}  # fmt: skip
#: what the standard library raises for bytes that are not what they should be → its code
_DAMAGE: dict[type[Exception], str] = {
    struct.error: "truncated",
    EOFError: "truncated",
    zlib.error: "malformed",
    UnicodeError: "malformed",
    RecursionError: "nested",
}
_DAMAGED: tuple[type[Exception], ...] = (Damaged, *_DAMAGE)
_STOPS: tuple[type[Exception], ...] = (Unread, MemoryError, *_DAMAGED)


def read(format_name: str, source: Source) -> Model:
    """Return what a file of this format holds; of a format nobody reads, an empty Model.

    A file that is too large or too new to read is only recognised, and a note says so.
    Raises OSError when the file itself cannot be read.
    """
    if format_name not in _READERS:
        return Model()
    try:
        model: Model = _module(format_name).read(source)
    except (Unread, MemoryError) as error:
        return Model(notes=(str(error) or "too_large_to_read",))
    except _DAMAGED as error:
        codes = (code for kind, code in _DAMAGE.items() if isinstance(error, kind))
        return Model(opens=False, problem=next(codes, str(error)))
    return model


def patches(format_name: str, source: Source) -> Iterator[Patch]:
    """Yield what a thumbnail is drawn from: nothing of a format that is not drawn.

    Of a damaged file, what comes before the damage. Raises OSError.
    """
    draw = getattr(_module(format_name), "patches", None) if format_name in _READERS else None
    if draw is None:
        return
    try:
        yield from draw(source)
    except _STOPS:
        return


def _module(format_name: str) -> ModuleType:
    return import_module(f"{__name__}.{_READERS[format_name]}")
