"""3MF: meshes in XML inside a zip.

Source: 3MF Core Specification 1.3, sections 3 (package), 4 (objects) and 5 (build items).
"""

from collections import defaultdict
from dataclasses import dataclass, field

from figsupport.files.model3d.archive import Archive
from figsupport.files.model3d.facts import IDENTITY, Box, Matrix, ModelFacts, Unreadable, damaged
from figsupport.files.model3d.facts import measured, product, too_large
from figsupport.files.model3d.images import image_size
from figsupport.files.model3d.source import MIB, Folder, Source, plain_name
from figsupport.files.model3d.xml import local_name, scan

MAX_XML = 48 * MIB
MAX_ELEMENTS = 1_500_000
MAX_SHOWN = 1_000
UNITS = {
    "micron": 1e-6, "millimeter": 1e-3, "centimeter": 1e-2, "inch": 0.0254,
    "foot": 0.3048, "meter": 1.0,
}  # fmt: skip


@dataclass
class _Object:
    """A mesh (columns of x, y, z) or a group of others."""

    triangles: int = 0
    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)
    z: list[float] = field(default_factory=list)
    parts: list[tuple[str, Matrix]] = field(default_factory=list)


class _Model:
    """What one `.model` file declares."""

    def __init__(self) -> None:
        self.unit = "millimeter"
        self.objects: dict[str, _Object] = defaultdict(_Object)
        self.items: list[tuple[str, Matrix]] = []
        self.materials = 0
        self.left = MAX_ELEMENTS
        self.root = ""
        self._current = _Object()

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.left -= 1
        if self.left < 0:
            raise too_large("trop d'éléments", "too many elements")
        name = local_name(name)
        current = self._current
        if name == "vertex":
            current.x.append(float(attributes["x"]))
            current.y.append(float(attributes["y"]))
            current.z.append(float(attributes["z"]))
        elif name == "triangle":
            current.triangles += 1
        elif name == "object":
            self._current = self.objects[attributes["id"]]
        elif name in ("component", "item"):
            placed = (attributes["objectid"], _matrix(attributes.get("transform", "")))
            (current.parts if name == "component" else self.items).append(placed)
        elif name in ("basematerials", "colorgroup", "texture2dgroup"):
            self.materials += name != "basematerials"
        elif name == "base":
            self.materials += 1
        elif name == "model":
            self.unit = attributes.get("unit", "millimeter")
        self.root = self.root or name


def read_3mf(source: Source, folder: Folder) -> ModelFacts:
    """Return the facts of a 3MF; raises Unreadable."""
    del folder
    archive = Archive(source)
    names = [name for name in archive.entries if name.lower().endswith(".model")]
    if not names:
        raise damaged("il n'y a pas de modèle dedans", "there is no model inside")
    model = _Model()
    for name in sorted(names, key=lambda name: not name.lower().startswith("3d/3dmodel"))[:20]:
        scan(archive.open(archive.entries[name]), MAX_XML, model.start)
    if model.root != "model" or model.unit not in UNITS:
        raise damaged("le modèle est illisible", "the model cannot be read")
    meshes = [one for one in model.objects.values() if one.triangles]
    if not meshes:
        raise Unreadable("le fichier ne contient aucune forme", "the file holds no shape")
    box = Box()
    drawn = _show(model, box)
    return ModelFacts(
        format="3mf",
        size=source.size,
        opens=True,
        triangles=sum(mesh.triangles for mesh in meshes),
        triangles_drawn=drawn,
        vertices=sum(len(mesh.x) for mesh in meshes),
        meshes=len(meshes),
        draws=len(meshes),
        materials=model.materials,
        textures=_textures(archive),
        animations=0,
        **measured(box, metres_per_unit=UNITS[model.unit]),
    )


def _show(model: _Model, box: Box) -> int:
    """Add every built item to the box and return the triangles they draw."""
    drawn, shown = 0, 0
    waiting = model.items or [(key, IDENTITY) for key in model.objects]
    waiting = list(waiting)
    while waiting:
        key, matrix = waiting.pop()
        shown += 1
        if shown > MAX_SHOWN:
            raise too_large("trop d'objets posés", "too many objects placed")
        if key not in model.objects:
            raise damaged("une référence ne mène nulle part", "a reference leads nowhere")
        one = model.objects[key]
        drawn += one.triangles
        if one.x and shown * len(one.x) < MAX_ELEMENTS:
            box.add_moved(one.x, one.y, one.z, matrix)
        elif one.x:
            low, high = map(min, (one.x, one.y, one.z)), map(max, (one.x, one.y, one.z))
            box.add_box([*low], [*high], matrix)
        waiting += [(part, product(matrix, placed)) for part, placed in one.parts]
    return drawn


def _matrix(text: str) -> Matrix:
    """Read 12 numbers, four rows of three for row vectors."""
    if not text:
        return IDENTITY
    m = [float(word) for word in text.split()]
    if len(m) != 12:
        raise damaged("une matrice est incomplète", "a matrix is incomplete")
    return tuple(m[column * 3 + row] for row in range(3) for column in range(4))


def _textures(archive: Archive) -> tuple[tuple[int, int], ...]:
    sizes = []
    for name, entry in archive.entries.items():
        lowered = (plain_name(name) or "").lower()
        if lowered.startswith("3d/") and lowered.endswith((".png", ".jpg", ".jpeg")):
            size = image_size(archive.open(entry), name)
            if size is not None:
                sizes.append(size)
    return tuple(sizes)
