"""Make the stack's images when they are not there: keyed by name, inputs and the code that puts them together."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from e2e.cluster.context import ClusterError, Say
from e2e.cluster.images import archive
from e2e.cluster.images.names import IMAGES
from e2e.cluster.images.recipes import RECIPES, Inputs
from e2e.cluster.locks import file_lock

if TYPE_CHECKING:
    from collections.abc import Iterable

MAKERS = ("archive.py", "debian.py", "python_base.py", "recipes.py")


def ensure(names: Iterable[str], cache: Path, say: Say) -> dict[str, Path]:
    """Give the docker-archive of each named image, made from Debian packages, wheels and Go programs if need be.

    Raises ClusterError for an unknown name or when an input cannot be had.
    """
    return {name: _ensure(name, cache, say) for name in names}


def key(image: str, inputs: Inputs) -> str:
    """Give the cache key: 16 hex digits over the image's name, the bytes of its inputs and its makers."""
    state = hashlib.sha256(image.encode())
    for maker in MAKERS:
        state.update((Path(__file__).parent / maker).read_bytes())
    for name, path in sorted(inputs.items()):
        state.update(f"{name}={archive.digest(path)};".encode())
    return state.hexdigest()[:16]


def _ensure(name: str, cache: Path, say: Say) -> Path:
    if name not in RECIPES:
        raise ClusterError(f"no recipe makes an image called {name!r}; there are {', '.join(RECIPES)}")
    recipe, image = RECIPES[name], IMAGES[name]
    with file_lock(cache / "locks" / f"image-{name}.lock", say, f"the image {name}"):
        inputs = recipe.gather(cache, say)
        target = cache / "images" / f"{name}-{key(image, inputs)}.tar"
        if not target.exists():
            say(f"writing the image {image}")
            archive.write(recipe.compose(image, inputs), target)
    return target
