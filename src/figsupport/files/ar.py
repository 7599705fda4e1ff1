"""Is a client's model ready for augmented reality, target by target, and what is to be fixed."""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from figsupport.core.model import Value
from figsupport.files.model3d.facts import Finding, ModelFacts

Target = Literal["web", "android", "apple", "shopify", "google"]

MB = 1_000_000


class Limits(NamedTuple):
    """What one target publishes. Textures in pixels a side, sizes in bytes, `None` = unsaid.

    A limit is blocking; what is advised is only told.
    """

    label: str
    source: str
    formats: tuple[str, ...]
    triangles: int | None = None
    vertices: int | None = None
    texture: int | None = None
    size: int | None = None
    advised_size: int | None = None
    materials: int | None = None
    draws: int | None = None
    advised_draws: int | None = None
    uv_sets: int | None = None
    seconds: float | None = None
    first_animation_only: bool = False
    refused_extensions: tuple[str, ...] = ()


TARGETS: Mapping[Target, Limits] = {
    "web": Limits(
        label="web",
        source="Khronos 3D Commerce, Asset Creation Guidelines (mobile AR and web)",
        formats=("glb", "gltf"),
        triangles=150_000,
        texture=2048,
        size=3 * MB,
        draws=500,
        advised_draws=20,
    ),
    "android": Limits(
        label="Android (Scene Viewer)",
        source="https://developers.google.com/ar/develop/scene-viewer",
        formats=("glb", "gltf"),
        vertices=30_000,
        texture=2048,
        size=10 * MB,
        materials=10,
        uv_sets=1,
        first_animation_only=True,
        refused_extensions=(
            "EXT_meshopt_compression",
            "KHR_meshopt_compression",
            "KHR_texture_basisu",
        ),
    ),
    "apple": Limits(
        label="iPhone (AR Quick Look)",
        source="https://developer.apple.com/augmented-reality/quick-look/",
        formats=("usdz",),
        triangles=100_000,
        texture=2048,
        seconds=10.0,
        refused_extensions=("KHR_draco_mesh_compression",),
    ),
    "shopify": Limits(
        label="Shopify",
        source="https://help.shopify.com/manual/products/product-media",
        formats=("glb", "usdz"),
        size=500 * MB,
        advised_size=15 * MB,
    ),
    "google": Limits(
        label="Google Merchant Center",
        source="https://support.google.com/merchants/answer/13674896",
        formats=("glb", "gltf"),
        texture=2048,
        size=15 * MB,
        advised_size=10 * MB,
    ),
}
"""The published figures, as read in November 2026."""


class Verdict(Value):
    """Whether a target takes the model as it is; None when the file could not be read."""

    ok: bool | None
    findings: tuple[Finding, ...] = ()


class Remark(NamedTuple):
    """A finding, and whether the target refuses the model for it."""

    blocking: bool
    finding: Finding


def ar_readiness(facts: ModelFacts) -> dict[Target, Verdict]:
    """Return a verdict for every target, each with what is to be fixed."""
    return {target: verdict(facts, limits) for target, limits in TARGETS.items()}


def verdict(facts: ModelFacts, limits: Limits) -> Verdict:
    """Return the verdict of one target."""
    if facts.opens is False:
        return Verdict(ok=False, findings=(facts.problem or _CANNOT_OPEN,))
    remarks = [*_remarks(facts, limits)]
    findings = tuple(remark.finding for remark in remarks)
    if any(remark.blocking for remark in remarks):
        return Verdict(ok=False, findings=findings)
    return Verdict(ok=True if facts.opens else None, findings=findings)


def _remarks(facts: ModelFacts, limits: Limits) -> Iterator[Remark]:
    if facts.format not in limits.formats:
        wanted = " / ".join(name.upper() for name in limits.formats)
        yield Remark(True, _say(f"à convertir en {wanted}", f"convert it to {wanted}"))
    yield from _weight(facts, limits)
    yield from _geometry(facts, limits)
    yield from _surface(facts, limits)
    yield from _movement(facts, limits)


def _weight(facts: ModelFacts, limits: Limits) -> Iterator[Remark]:
    size = facts.size
    for limit, blocking in ((limits.size, True), (limits.advised_size, False)):
        if limit is not None and size > limit:
            fr, en = ("au plus", "at most") if blocking else ("conseillés", "advised")
            yield Remark(
                blocking,
                _say(
                    f"fichier trop lourd : {_mb(size, ',')} Mo ({_mb(limit, ',')} Mo {fr})",
                    f"file too heavy: {_mb(size, '.')} MB ({_mb(limit, '.')} MB {en})",
                ),
            )
            return


def _geometry(facts: ModelFacts, limits: Limits) -> Iterator[Remark]:
    drawn = facts.triangles if facts.triangles_drawn is None else facts.triangles_drawn
    yield from _over(drawn, limits.triangles, "triangles", "triangles")
    yield from _over(facts.vertices, limits.vertices, "sommets", "vertices")
    yield from _over(facts.draws, limits.draws, "objets affichés", "draw calls")
    if limits.draws is None or (facts.draws or 0) <= limits.draws:
        for remark in _over(facts.draws, limits.advised_draws, "objets affichés", "draw calls"):
            yield Remark(False, remark.finding)


def _surface(facts: ModelFacts, limits: Limits) -> Iterator[Remark]:
    yield from _over(facts.materials, limits.materials, "matériaux", "materials")
    yield from _over(facts.uv_sets, limits.uv_sets, "jeux d'UV", "UV sets")
    largest = max((max(size) for size in facts.textures), default=0)
    if limits.texture is not None and largest > limits.texture:
        yield Remark(
            True,
            _say(
                f"textures à réduire : {largest} pixels de côté ({limits.texture} au plus)",
                f"textures to reduce: {largest} pixels a side ({limits.texture} at most)",
            ),
        )
    for name in limits.refused_extensions:
        if name in facts.extensions:
            yield Remark(
                True,
                _say(f"compression {name} non prise en charge", f"{name} is not supported"),
            )


def _movement(facts: ModelFacts, limits: Limits) -> Iterator[Remark]:
    if limits.first_animation_only and (facts.animations or 0) > 1:
        yield Remark(
            False,
            _say(
                f"{facts.animations} animations : seule la première sera jouée",
                f"{facts.animations} animations: only the first will be played",
            ),
        )
    seconds = facts.animation_seconds or 0.0
    if limits.seconds is not None and seconds > limits.seconds:
        yield Remark(
            True,
            _say(
                f"animation trop longue : {seconds:.0f} s ({limits.seconds:.0f} s au plus)",
                f"animation too long: {seconds:.0f} s ({limits.seconds:.0f} s at most)",
            ),
        )


def _over(value: int | None, limit: int | None, fr: str, en: str) -> Iterator[Remark]:
    if value is not None and limit is not None and value > limit:
        spaced = f"{value:,}".replace(",", " "), f"{limit:,}".replace(",", " ")
        yield Remark(
            True,
            _say(
                f"trop de {fr} : {spaced[0]} ({spaced[1]} au plus)",
                f"too many {en}: {value:,} ({limit:,} at most)",
            ),
        )


def _mb(size: int, point: str) -> str:
    value = size / MB
    return f"{value:.0f}" if value == int(value) else f"{value:.1f}".replace(".", point)


def _say(fr: str, en: str) -> Finding:
    return Finding(fr=fr, en=en)


_CANNOT_OPEN = Finding(fr="le fichier ne s'ouvre pas", en="the file does not open")
