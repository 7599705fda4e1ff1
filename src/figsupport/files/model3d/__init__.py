"""Looking inside a client's 3D file with the standard library: `inspect_model`."""

import struct
import zlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path

from figsupport.errors import NotFound
from figsupport.files.model3d.facts import Finding, ModelFacts, OnlyRecognised, Unreadable
from figsupport.files.model3d.scale import with_likely_unit
from figsupport.files.model3d.source import Folder, LocalFile, SideFiles, Source

__all__ = ["READERS", "Finding", "ModelFacts", "inspect_model"]

Reader = Callable[[Source, Folder], ModelFacts]

READERS: Mapping[str, str] = {
    "glb": "gltf:read_glb",
    "gltf": "gltf:read_gltf",
    "obj": "obj:read_obj",
    "stl": "stl:read_stl",
    "ply": "ply:read_ply",
    "3ds": "three_ds:read_3ds",
    "dae": "dae:read_dae",
    "3mf": "threemf:read_3mf",
    "fbx": "fbx:read_fbx",
    "step": "step:read_step",
    "blend": "blend:read_blend",
    "usdz": "usd:read_usdz",
    "usdc": "usd:read_usd",
    "usda": "usd:read_usd",
    "usd": "usd:read_usd",
}
"""Format → where its reader is; other formats are recognised only."""

# What a reader's own code raises on bytes that contradict themselves.
_DAMAGE = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, EOFError,
    RecursionError, MemoryError, struct.error, zlib.error,
)  # fmt: skip


def inspect_model(
    path: Path,
    format: str,
    side_files: Mapping[str, Path] | None = None,  # noqa: A002
) -> ModelFacts:
    """Return what the 3D file at `path` really holds; hostile content is a `problem`.

    `format` is the kind recognised by content (`glb`, `obj` …); `side_files` are the other
    files of the request, name → path: textures and buffers are looked up there and nowhere
    else. Reads only what it needs. Raises NotFound when `path` does not exist.
    """
    if not path.exists() and not path.is_symlink():
        raise NotFound(f"no such file: {path.name}")
    size = 0
    with ExitStack() as opened:
        try:
            source = opened.enter_context(LocalFile(path))
            size = source.size
            facts = read_model(source, format, SideFiles(side_files or {}, opened))
        except OnlyRecognised as reason:
            return ModelFacts(format=format, size=size, problem=reason.finding)
        except Unreadable as reason:
            return ModelFacts(format=format, size=size, opens=False, problem=reason.finding)
    return with_likely_unit(facts)


def read_model(source: Source, format: str, folder: Folder) -> ModelFacts:  # noqa: A002
    """Return the facts of one model; raises Unreadable, and nothing else."""
    where = READERS.get(format)
    if where is None:
        raise OnlyRecognised("format reconnu, contenu non lu", "recognised only, not read")
    module, _, name = where.partition(":")
    reader: Reader = getattr(import_module(f"{__name__}.{module}"), name)
    try:
        return reader(source, folder)
    except _DAMAGE as error:
        raise Unreadable(
            "le fichier est endommagé (structure illisible)",
            "the file is damaged (its structure cannot be read)",
        ) from error
