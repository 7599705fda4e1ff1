"""GLB and glTF 2.0: what the JSON says, checked against the bytes that are there.

Only the JSON is read, the headers of pictures, and points where a turned box needs them.
"""

from collections.abc import Iterator

from figsupport.files.model3d import gltf_patches
from figsupport.files.model3d.gltf_document import (
    Document,
    member,
    numbers,
    objects,
    open_document,
    words,
)
from figsupport.files.model3d.gltf_scene import Scene
from figsupport.files.model3d.values import Model, Patch, Source


def read(source: Source) -> Model:
    """Return what a GLB or glTF holds. Raises Damaged, Unread and OSError."""
    document = open_document(source)
    scene = Scene(document)
    textures = document.image_sizes()
    drawn = scene.drawn()
    box, exact = scene.box()
    size = box.size() if box else None
    primitives = [primitive for mesh in scene.meshes for primitive in mesh]
    animations = objects(document.root, "animations")
    if any(primitive.morphed for primitive in primitives):
        document.note("morph_targets")
    if objects(document.root, "skins"):
        document.note("skinned")
    return Model(
        opens=not document.problems,
        problem=next(iter(document.problems), ""),
        triangles=sum(primitive.triangles for primitive in primitives),
        triangles_drawn=sum(
            times * sum(primitive.triangles for primitive in mesh)
            for times, mesh in zip(drawn, scene.meshes, strict=True)
        ),
        vertices=sum(primitive.vertices for primitive in primitives),
        draws=sum(times * len(mesh) for times, mesh in zip(drawn, scene.meshes, strict=True)),
        meshes=len(scene.meshes),
        materials=len(objects(document.root, "materials")),
        textures=textures,
        animations=len(animations),
        animation_seconds=_seconds(document) if animations else None,
        uv_sets=max((primitive.uv_sets for primitive in primitives), default=0),
        extensions=words(document.root, "extensionsUsed"),
        required=words(document.root, "extensionsRequired"),
        side_files=tuple(document.side_files),
        missing_files=tuple(document.missing),
        dimensions_m=size,
        dimensions_exact=exact and size is not None,
        unit="m",
        notes=tuple(document.notes),
    )


def patches(source: Source) -> Iterator[Patch]:
    """Yield what a thumbnail is drawn from. Raises Damaged, Unread and OSError."""
    yield from gltf_patches.patches(open_document(source))


def _seconds(document: Document) -> float:
    """Return how long the longest animation is: the last key of its samplers."""
    ends = [0.0]
    for animation in objects(document.root, "animations"):
        for sampler in objects(animation, "samplers"):
            keys = member(sampler, "input", document.accessors)
            ends += (numbers(keys, "max", 1) if keys else None) or ()
    return max(ends)
