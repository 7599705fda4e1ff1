"""USD: binary (USDC) and text (USDA) layers, and the package for AR (USDZ).

Triangles follow from two array sizes: a polygon of n corners is n - 2 triangles, so a mesh
has `len(faceVertexIndices) - 2 * len(faceVertexCounts)`.
Source: OpenUSD documentation (UsdGeom, UsdSkel) and the USDZ file format specification.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from figsupport.files.model3d.archive import STORED, Archive
from figsupport.files.model3d.crate import Crate, Fields, Rep
from figsupport.files.model3d.facts import IDENTITY, Box, Finding, Matrix, ModelFacts, Unreadable
from figsupport.files.model3d.facts import measured, placement, product
from figsupport.files.model3d.images import image_size
from figsupport.files.model3d.source import MAX_NAMES, Folder, Source, base_name, head
from figsupport.files.model3d.xform import operation

LAYERS = (".usd", ".usda", ".usdc")
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tga", ".bmp", ".exr", ".avif")
CENTIMETRE = 0.01  # what a layer without metersPerUnit means
FRAMES_PER_SECOND = 24.0
MAX_MOVED = 800_000


@dataclass
class Prim:
    """A prim of a layer: its type, place in its parent, triangles and points."""

    kind: str = ""
    matrix: Matrix = IDENTITY
    resets: bool = False
    abstract: bool = False
    triangles: int = 0
    points: Sequence[Sequence[float]] | None = ((), (), ())
    uv_sets: int = 0


@dataclass
class Layer:
    """What a layer says, binary or text: prims by path, parents before children."""

    prims: dict[str, Prim] = field(default_factory=dict)
    metres: float | None = None
    start: float = 0.0
    end: float = 0.0
    rate: float = FRAMES_PER_SECOND
    animated: bool = False
    skinned: bool = False
    assets: dict[str, None] = field(default_factory=dict)


def read_usd(source: Source, folder: Folder) -> ModelFacts:
    """Return the facts of one layer, binary or text; raises Unreadable."""
    kind = "usda" if head(source, 8).startswith(b"#usda") else "usdc"
    return _facts(kind, source.size, [_layer(source)], folder, ())


def read_usdz(source: Source, folder: Folder) -> ModelFacts:
    """Return the facts of a USDZ: a zip of stored files whose first is the root layer."""
    del folder
    archive = Archive(source)
    ordered = sorted(archive.entries.values(), key=lambda entry: entry.offset)
    if not ordered or not ordered[0].name.lower().endswith(LAYERS):
        raise Unreadable(
            "ce n'est pas un USDZ : le premier fichier n'est pas une scène USD",
            "this is no USDZ: its first file is not a USD layer",
        )
    if any(entry.method != STORED for entry in ordered):
        raise Unreadable(
            "ce n'est pas un USDZ valide : son contenu est compressé",
            "this is no valid USDZ: its content is compressed",
        )
    layers = [_layer(archive.open(e)) for e in ordered if e.name.lower().endswith(LAYERS)][:50]
    pictures = [e for e in ordered if e.name.lower().endswith(PICTURES)]
    sizes = [image_size(archive.open(e), e.name) for e in pictures]
    findings = tuple(
        Finding(fr=f"texture illisible : {e.name[:100]}", en=f"unreadable texture: {e.name[:100]}")
        for e, size in zip(pictures, sizes, strict=True)
        if size is None
    )
    if any(archive.start(entry) % 64 for entry in ordered):
        findings += (_UNALIGNED,)
    facts = _facts("usdz", source.size, layers, archive, [s for s in sizes if s is not None])
    return facts.model_copy(update={"findings": facts.findings + findings})


def _layer(source: Source) -> Layer:
    if head(source, 8).startswith(b"#usda"):
        from figsupport.files.model3d.usda import read_text

        return read_text(source)
    return _from_crate(Crate(source))


def _facts(
    kind: str, size: int, layers: list[Layer], folder: Folder, textures: Iterable[tuple[int, int]]
) -> ModelFacts:
    root = layers[0]
    prims = [prim for layer in layers for prim in layer.prims.values()]
    meshes = [prim for prim in prims if prim.kind == "Mesh"]
    box = Box()
    whole = all([_measure(layer, box) for layer in layers])
    animated = any(layer.animated for layer in layers)
    missing = [name for layer in layers for name in layer.assets if folder.find(name) is None]
    textures = list(textures) or _beside(layers, folder)
    triangles = sum(prim.triangles for prim in meshes)
    exact = whole and len(layers) == 1 and not any(layer.skinned for layer in layers)
    return ModelFacts(
        format=kind,
        size=size,
        opens=True,
        triangles=triangles,
        triangles_drawn=triangles,
        vertices=sum(len(prim.points[0]) for prim in meshes if prim.points is not None),
        meshes=len(meshes),
        draws=len(meshes),
        materials=sum(prim.kind == "Material" for prim in prims),
        textures=tuple(textures),
        uv_sets=max((prim.uv_sets for prim in meshes), default=0),
        animations=int(animated),
        animation_seconds=(root.end - root.start) / (root.rate or 24.0) if animated else None,
        missing_files=tuple(dict.fromkeys(map(_shown, missing)))[:MAX_NAMES],
        findings=(_CENTIMETRES,) if root.metres is None else (),
        **measured(box, metres_per_unit=root.metres or CENTIMETRE, exact=exact),
    )


def _measure(layer: Layer, box: Box) -> bool:
    """Add every mesh of the layer to the box; return whether none was left out."""
    places: dict[str, Matrix] = {}
    moved, all_of_it = 0, True
    for path, prim in layer.prims.items():
        above = IDENTITY if prim.resets else places.get(path.rpartition("/")[0], IDENTITY)
        places[path] = matrix = product(above, prim.matrix)
        if prim.kind != "Mesh":
            continue
        moved += len(prim.points[0]) if prim.points is not None else 0
        if prim.points is None or moved > MAX_MOVED:
            all_of_it = False
        elif prim.points[0]:
            x, y, z = prim.points
            box.add_moved(x, y, z, matrix)
    return all_of_it


def _beside(layers: list[Layer], folder: Folder) -> list[tuple[int, int]]:
    sizes = []
    for layer in layers:
        for name in [*layer.assets][:MAX_NAMES]:
            picture = folder.find(name)
            size = None if picture is None else image_size(picture, name)
            if size is not None:
                sizes.append(size)
    return sizes


def _from_crate(crate: Crate) -> Layer:
    layer = Layer()
    top = crate.specs.get("/", {})
    layer.metres = crate.number(top.get("metersPerUnit"))
    layer.start = crate.number(top.get("startTimeCode")) or 0.0
    layer.end = crate.number(top.get("endTimeCode")) or 0.0
    layer.rate = crate.number(top.get("timeCodesPerSecond")) or FRAMES_PER_SECOND
    prims: dict[str, Fields] = {}
    properties: dict[str, dict[str, Fields]] = {}
    for path, fields in crate.specs.items():
        owner, dot, name = path.partition(".")
        if not dot:
            prims[path] = fields
            continue
        properties.setdefault(owner, {})[name] = fields
        layer.animated = layer.animated or "timeSamples" in fields
        asset = crate.token(fields.get("default")) if name.endswith(":file") else ""
        if asset:
            layer.assets[asset] = None
    for path in sorted(prims, key=lambda path: path.count("/")):
        if path == "/":
            continue
        own = properties.get(path, {})
        kind = crate.token(prims[path].get("typeName"))
        layer.skinned = layer.skinned or any(name.startswith("primvars:skel:") for name in own)
        layer.prims[path] = _prim(crate, kind, own)
    return layer


def _prim(crate: Crate, kind: str, own: dict[str, Fields]) -> Prim:
    def value(name: str) -> Rep | None:
        fields = own.get(name, {})
        return crate.first_sample(fields.get("timeSamples")) or fields.get("default")

    prim = Prim(kind)
    for name in crate.tokens_of(value("xformOpOrder")):
        if name == "!resetXformStack!":
            prim.resets = True
            continue
        rep = value(name.removeprefix("!invert!"))
        number = crate.number(rep)
        vector = crate.vector(rep) or ((number,) if number is not None else ())
        prim.matrix = product(prim.matrix, operation(name, vector, crate.matrix(rep)))
    if kind == "Mesh":
        corners = crate.size_of(value("faceVertexIndices"))
        prim.triangles = max(0, corners - 2 * crate.size_of(value("faceVertexCounts")))
        prim.points = crate.points(value("points"))
        prim.uv_sets = sum(n.startswith("primvars:st") and ":indices" not in n for n in own)
    return prim


def _shown(name: str) -> str:
    return name[:200] if "/" not in name and "\\" not in name else base_name(name)[:200]


_CENTIMETRES = Finding(
    fr="le fichier ne dit pas son unité : ce sont donc des centimètres",
    en="the file does not tell its unit: that means centimetres",
)
_UNALIGNED = Finding(
    fr="USDZ non aligné sur 64 octets : certains iPhone le refusent",
    en="the USDZ is not aligned to 64 bytes: some iPhones refuse it",
)
