"""Is a 3D file ready for augmented reality? One table of limits with their sources. Pure.

Sources: Khronos, Real-time Asset Creation Guidelines (3D Commerce), publishing targets; Google,
Scene Viewer, supported models, and Merchant Center, `virtual_model_link`; Apple, AR Quick Look
(WWDC 2018 session 603 and 2019 session 612); Shopify, 3D modeling checklist.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, get_args

from figsupport.core.model import Language
from figsupport.core.words import number_in_words, size_in_words

Target = Literal["web", "android", "apple", "shopify", "google"]


class Verdict(NamedTuple):
    """Whether a target shows the file well (None: not enough is known) and what to mend."""

    ok: bool | None
    findings: tuple[str, ...]


class Limit(NamedTuple):
    """The most a target shows well of something; beyond `advice` it works all the same."""

    target: Target
    what: str
    most: int
    advice: bool = False


LIMITS = (
    Limit("web", "triangles", 150_000),
    Limit("web", "texture", 2_048),
    Limit("web", "size", 3_000_000),
    Limit("web", "draws", 500),
    Limit("web", "draws", 20, advice=True),
    Limit("android", "vertices", 30_000),
    Limit("android", "texture", 2_048),
    Limit("android", "size", 10_000_000),
    Limit("android", "materials", 10),
    Limit("android", "uv_sets", 1),
    Limit("android", "animations", 1, advice=True),
    Limit("apple", "triangles", 100_000),
    Limit("apple", "texture", 2_048),
    Limit("apple", "seconds", 10),
    Limit("shopify", "size", 500_000_000),
    Limit("shopify", "size", 15_000_000, advice=True),
    Limit("google", "texture", 2_048),
    Limit("google", "size", 15_000_000),
    Limit("google", "size", 10_000_000, advice=True),
)
#: formats a target opens; the first is what other formats are converted to
FORMATS: Mapping[Target, tuple[str, ...]] = {
    "web": ("glb", "gltf"),
    "android": ("glb", "gltf"),
    "apple": ("usdz",),
    "shopify": ("glb", "usdz"),
    "google": ("glb", "gltf"),
}
#: extensions of glTF that a target cannot do: how people call them
UNREAD: Mapping[Target, Mapping[str, str]] = {
    "android": {
        "EXT_meshopt_compression": "meshopt",
        "KHR_meshopt_compression": "meshopt",
        "KHR_texture_basisu": "KTX2",
    },
    "apple": {"KHR_draco_mesh_compression": "Draco"},
}
_FINDINGS: Mapping[str, Mapping[Language, str]] = {
    "triangles": {"fr": "{} triangles : ramener à {}", "en": "{} triangles: reduce to {}"},
    "vertices": {"fr": "{} sommets : ramener à {}", "en": "{} vertices: reduce to {}"},
    "texture": {
        "fr": "texture de {} pixels : ramener à {}",
        "en": "a texture of {} pixels: reduce to {}",
    },
    "size": {"fr": "fichier de {} : alléger à {}", "en": "a file of {}: bring down to {}"},
    "draws": {
        "fr": "{} appels de dessin : regrouper en {} au plus",
        "en": "{} draw calls: merge into {} at most",
    },
    "materials": {"fr": "{} matières : réduire à {}", "en": "{} materials: reduce to {}"},
    "uv_sets": {
        "fr": "{} jeux de coordonnées UV : n'en garder que {}",
        "en": "{} UV sets: keep only {}",
    },
    "animations": {
        "fr": "{} animations : seule la première est jouée",
        "en": "{} animations: only the first is played",
    },
    "seconds": {
        "fr": "animation de {} s : ramener à {} s",
        "en": "an animation of {} s: reduce to {} s",
    },
    "format": {"fr": "format {} : convertir en {}", "en": "{} format: convert to {}"},
    "unread": {
        "fr": "compression {} : n'est pas lue, à retirer",
        "en": "{} compression: is not read, take it out",
    },
}


def verdicts(
    facts: Mapping[str, Any], size: int | None, format_name: str, language: Language = "fr"
) -> dict[Target, Verdict]:
    """Return what each target makes of a 3D file, by its facts and its size in bytes.

    Nothing of a file that does not open, or of which nothing is known.
    """
    if not facts.get("opens"):
        return {}
    values = _values(facts, size)
    targets: tuple[Target, ...] = get_args(Target)
    return {target: _verdict(target, values, facts, format_name, language) for target in targets}


def _verdict(
    target: Target,
    values: Mapping[str, float | None],
    facts: Mapping[str, Any],
    format_name: str,
    language: Language,
) -> Verdict:
    found = list(_hindrances(target, facts, format_name, language))
    hindered, unknown = bool(found), False
    told: set[str] = set()
    for limit in LIMITS:
        value = values[limit.what]
        if limit.target != target or limit.what in told:
            continue
        if value is None:
            unknown = True
        elif value > limit.most:
            told.add(limit.what)
            hindered = hindered or not limit.advice
            found.append(_said(limit.what, value, limit.most, language))
    return Verdict(False if hindered else None if unknown else True, tuple(found))


def _hindrances(
    target: Target, facts: Mapping[str, Any], format_name: str, language: Language
) -> Iterator[str]:
    """Yield what keeps a target from opening the file at all."""
    if format_name not in FORMATS[target]:
        wanted = FORMATS[target][0].upper()
        yield _FINDINGS["format"][language].format(format_name.upper(), wanted)
    unread = UNREAD.get(target, {})
    needed = {unread[name] for name in facts.get("extensions_required", ()) if name in unread}
    for name in sorted(needed):
        yield _FINDINGS["unread"][language].format(name)


def _values(facts: Mapping[str, Any], size: int | None) -> dict[str, float | None]:
    textures, animations = facts.get("textures"), facts.get("animations")
    sides = [side for texture in textures or () if texture for side in texture]
    return {
        "triangles": facts.get("triangles_drawn") or facts.get("triangles"),
        "vertices": facts.get("vertices"),
        "draws": facts.get("draws"),
        "materials": facts.get("materials"),
        "uv_sets": facts.get("uv_sets"),
        "animations": animations,
        "seconds": 0 if animations == 0 else facts.get("animation_seconds"),
        "texture": None if textures is None else max(sides, default=0),
        "size": size,
    }


def _said(what: str, value: float, most: int, language: Language) -> str:
    write = size_in_words if what == "size" else number_in_words
    return _FINDINGS[what][language].format(write(value, language), write(most, language))
