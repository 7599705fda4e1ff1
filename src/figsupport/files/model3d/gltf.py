"""glTF 2.0, as JSON with side files or as one binary GLB, from the JSON alone.

Counts come from accessors, the box from the compulsory min/max of POSITION (present also
under Draco, meshopt and quantization), texture sizes from image headers.
Source: Khronos glTF 2.0 specification, sections 3.7 (geometry) and 3.8 (materials).
"""

from figsupport.files.model3d.facts import Box, Finding, Matrix, ModelFacts, axis_aligned, damaged
from figsupport.files.model3d.facts import measured
from figsupport.files.model3d.gltf_document import Accessor, Document, Object, extensions, objects
from figsupport.files.model3d.gltf_document import pick, read_columns, text_of, whole_number
from figsupport.files.model3d.images import image_size
from figsupport.files.model3d.source import MAX_NAMES, Folder, Source

MAX_MOVED_VERTICES = 400_000
BLOCK = 32_768
NORMALISED = {"b": 127.0, "B": 255.0, "h": 32767.0, "H": 65535.0}


def read_glb(source: Source, folder: Folder) -> ModelFacts:
    """Return the facts of a GLB; raises Unreadable."""
    return _facts(Document(source, folder, binary=True), "glb", source.size)


def read_gltf(source: Source, folder: Folder) -> ModelFacts:
    """Return the facts of a glTF whose buffers and textures are in `folder`."""
    return _facts(Document(source, folder, binary=False), "gltf", source.size)


def _facts(document: Document, kind: str, size: int) -> ModelFacts:
    meshes = document.list_of("meshes")
    primitives = [objects(mesh, "primitives") for mesh in meshes]
    triangles = [sum(_triangles(document, p) for p in group) for group in primitives]
    box, exact, drawn = _measure(document, primitives, triangles)
    textures, findings = _textures(document)
    missing = tuple(document.missing + document.forbidden)[:MAX_NAMES]
    findings += [_forbidden(uri) for uri in document.forbidden[:MAX_NAMES]]
    return ModelFacts(
        format=kind,
        size=size,
        opens=not missing,
        problem=_missing(missing) if missing else None,
        triangles=sum(triangles),
        triangles_drawn=drawn,
        vertices=sum(_vertices(document, p) for group in primitives for p in group),
        meshes=len(meshes),
        draws=sum(map(len, primitives)),
        materials=len(document.list_of("materials")),
        textures=textures,
        uv_sets=max((_uv_sets(p) for group in primitives for p in group), default=0),
        animations=len(document.list_of("animations")),
        animation_seconds=_seconds(document),
        extensions=_names(document.json, "extensionsUsed"),
        extensions_required=_names(document.json, "extensionsRequired"),
        missing_files=missing,
        findings=tuple(findings),
        **measured(box, metres_per_unit=1.0, exact=exact),
    )


def _triangles(document: Document, primitive: Object) -> int:
    mode = whole_number(primitive.get("mode", 4))
    if mode < 4:
        return 0
    if "indices" in primitive:
        count = pick(document.accessors, primitive["indices"]).count
    else:
        count = _vertices(document, primitive)
    return count // 3 if mode == 4 else max(0, count - 2)


def _position(document: Document, primitive: Object) -> Accessor | None:
    attributes = primitive["attributes"]
    if "POSITION" not in attributes:
        return None
    return pick(document.accessors, attributes["POSITION"])


def _vertices(document: Document, primitive: Object) -> int:
    position = _position(document, primitive)
    return 0 if position is None else position.count


def _uv_sets(primitive: Object) -> int:
    return sum(name.startswith("TEXCOORD_") for name in primitive["attributes"])


def _measure(
    document: Document, primitives: list[list[Object]], triangles: list[int]
) -> tuple[Box, bool, int]:
    """Return the box of what the scene draws, whether it is exact, and the triangles drawn."""
    box, exact, drawn, looked_at = Box(), True, 0, 0
    for shown in document.drawn():
        drawn += triangles[shown.mesh] * shown.instances
        exact = exact and shown.instances == 1 and not shown.skinned
        for primitive in primitives[shown.mesh]:
            position = _position(document, primitive)
            if position is None or position.count == 0:
                continue
            looked_at += position.count
            if axis_aligned(shown.matrix):
                box.add_box(*_limits(position), shown.matrix)
            elif position.source is not None and looked_at <= MAX_MOVED_VERTICES:
                _add_vertices(box, position, shown.matrix)
            else:
                exact = False
                box.add_box(*_limits(position), shown.matrix)
    return box, exact, drawn


def _scale(position: Accessor) -> float:
    return NORMALISED.get(position.code, 1.0) if position.raw.get("normalized") is True else 1.0


def _limits(position: Accessor) -> tuple[list[float], list[float]]:
    scale = _scale(position)
    low, high = position.raw.get("min"), position.raw.get("max")
    if not isinstance(low, list) or not isinstance(high, list) or not len(low) == len(high) == 3:
        raise damaged("les limites de la forme manquent", "the limits of the shape are missing")
    return [float(v) / scale for v in low], [float(v) / scale for v in high]


def _add_vertices(box: Box, position: Accessor, matrix: Matrix) -> None:
    scale = _scale(position)
    for start in range(0, position.count, BLOCK):
        columns = read_columns(position, start, min(BLOCK, position.count - start))
        x, y, z = columns if scale == 1.0 else ([v / scale for v in c] for c in columns)
        box.add_moved(x, y, z, matrix)


def _textures(document: Document) -> tuple[tuple[tuple[int, int], ...], list[Finding]]:
    sizes, findings = [], []
    for index, raw in enumerate(document.list_of("images")):
        source, name = document.image(raw)
        size = None if source is None else image_size(source, name)
        if size is not None:
            sizes.append(size)
        elif source is not None:
            label = text_of(raw.get("name", "")) or name or f"n° {index + 1}"
            findings.append(_unreadable_texture(label[:100]))
    return tuple(sizes), findings[:MAX_NAMES]


def _seconds(document: Document) -> float | None:
    longest = 0.0
    for animation in document.list_of("animations"):
        for sampler in objects(animation, "samplers"):
            times = pick(document.accessors, sampler["input"]).raw.get("max")
            if isinstance(times, list) and times:
                longest = max(longest, float(times[0]))
    return longest if document.list_of("animations") else None


def _names(document: Object, key: str) -> tuple[str, ...]:
    found = document.get(key, [])
    if not isinstance(found, list):
        return ()
    return tuple(sorted(name[:100] for name in found if isinstance(name, str)))[:MAX_NAMES]


def _missing(names: tuple[str, ...]) -> Finding:
    listed = ", ".join(name[:100] for name in names[:10])
    return Finding(fr=f"il manque des fichiers : {listed}", en=f"these files are missing: {listed}")


def _forbidden(uri: str) -> Finding:
    return Finding(
        fr=f"le modèle désigne un fichier hors de l'envoi : {uri}",
        en=f"the model names a file outside of what was sent: {uri}",
    )


def _unreadable_texture(label: str) -> Finding:
    return Finding(fr=f"texture illisible : {label}", en=f"unreadable texture: {label}")
