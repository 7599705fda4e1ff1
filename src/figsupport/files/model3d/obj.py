"""Wavefront OBJ with its material files (MTL).

Source: Wavefront "Object Files (.obj)" and "Lightwave MTL" format descriptions.
"""

from figsupport.files.model3d.facts import Box, ModelFacts, Unreadable, cut_short, measured
from figsupport.files.model3d.images import image_size
from figsupport.files.model3d.source import MAX_NAMES, MIB, Folder, Source, base_name, head
from figsupport.files.model3d.source import line_batches

MAX_MTL = 4 * MIB
TEXTURE_KEYS = frozenset(
    (b"map_Kd map_Ka map_Ks map_Ns map_d map_Bump map_bump bump disp decal refl norm "
     b"map_Pr map_Pm map_Ps map_Ke map_Kn").split()
)  # fmt: skip
OPTION_VALUES = {"-o": 3, "-s": 3, "-t": 3, "-mm": 2}


def read_obj(source: Source, folder: Folder) -> ModelFacts:
    """Return the facts of an OBJ; OBJ has no unit. Raises Unreadable."""
    box, vertices, triangles, uvs = Box(), 0, 0, False
    parts: set[bytes] = set()
    used: set[bytes] = set()
    libraries: list[str] = []
    for lines in line_batches(source):
        points = [line.split()[1:4] for line in lines if line[:2] in (b"v ", b"v\t")]
        if points:
            axes = zip(*points, strict=True)
            box.add(*([*map(float, axis)] for axis in axes))
            vertices += len(points)
        faces = [line for line in lines if line[:2] in (b"f ", b"f\t")]
        # A face of n corners is n - 2 triangles, and n + 1 words on its line.
        triangles += len(b"\n".join(faces).split()) - 3 * len(faces)
        for line in lines:
            start = line[:2]
            if start in (b"us", b"mt", b"o ", b"g "):
                _name(line, used, parts, libraries)
            elif start == b"vt":
                uvs = True
    if vertices == 0:
        raise Unreadable("le fichier ne contient aucune forme", "the file holds no shape")
    _ends_whole(source)
    materials, textures, missing = _materials(libraries, folder)
    return ModelFacts(
        format="obj",
        size=source.size,
        opens=True,
        triangles=triangles,
        triangles_drawn=triangles,
        vertices=vertices,
        meshes=max(1, len(parts)),
        draws=max(1, len(used)),
        materials=len(used) if materials is None else materials,
        textures=textures,
        uv_sets=int(uvs),
        animations=0,
        missing_files=tuple(missing),
        **measured(box, metres_per_unit=None),
    )


def _name(line: bytes, used: set[bytes], parts: set[bytes], libraries: list[str]) -> None:
    word, _, rest = line.partition(b" ")
    if word == b"usemtl":
        used.add(rest)
    elif word == b"mtllib" and len(libraries) < MAX_NAMES:
        libraries.append(rest.strip().decode("utf-8", "replace"))
    elif word == b"o":
        parts.add(rest)


def _ends_whole(source: Source) -> None:
    """Raise Unreadable for a last line that was cut inside a face or a vertex."""
    last = source.read(max(0, source.size - 200), min(200, source.size)).rsplit(b"\n", 1)[-1]
    words = last.split()
    if words and words[0] in (b"f", b"v") and len(words) < 4:
        raise cut_short()


def _materials(
    libraries: list[str], folder: Folder
) -> tuple[int | None, tuple[tuple[int, int], ...], list[str]]:
    """Return the number of materials (None without any MTL), texture sizes, missing names."""
    count: int | None = None
    sizes, missing, textures = [], dict[str, None](), dict[str, None]()
    for library in libraries:
        for name in _library_names(library, folder):
            found = folder.find(name)
            if found is None:
                missing[base_name(name)] = None
                continue
            defined, named = _mtl(found)
            count = (count or 0) + defined
            textures.update(dict.fromkeys(named))
    for name in [*textures][:MAX_NAMES]:
        picture = folder.find(name)
        size = None if picture is None else image_size(picture, name)
        if picture is None:
            missing[base_name(name)] = None
        elif size is not None:
            sizes.append(size)
    return count, tuple(sizes), [*missing][:MAX_NAMES]


def _library_names(text: str, folder: Folder) -> list[str]:
    """One `mtllib` line names one file (which may hold blanks) or several."""
    if folder.find(text) is not None:
        return [text]
    names = text.split()
    several = len(names) > 1 and all(name.lower().endswith(".mtl") for name in names)
    return names if several else [text]


def _mtl(source: Source) -> tuple[int, list[str]]:
    defined, names = 0, dict[str, None]()
    for line in head(source, MAX_MTL).splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == b"newmtl":
            defined += 1
        elif words[0] in TEXTURE_KEYS and len(words) > 1 and len(names) < MAX_NAMES:
            rest = line.strip().split(None, 1)[1].decode("utf-8", "replace").strip()
            names[_texture_name(rest)] = None
    return defined, [name for name in names if name]


def _texture_name(text: str) -> str:
    """Return the file name of a texture statement, its options left out."""
    while text.startswith("-"):
        option, *rest = text.split()
        skipped = OPTION_VALUES.get(option, 1)
        text = " ".join(rest[skipped:])
    return text
