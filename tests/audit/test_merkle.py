"""The tree against published vectors, against the definition, and against every mutation, exhaustively up to 64 entries."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from feem.core.tlog.layout import Layout, TileNodes
from feem.core.tlog.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)
from feem.core.tlog.tile import hash_path, tile_bytes, tiles_for, unpack_entries
from feem.core.tlog.tree import Frontier, Tree

MOST = 64
REFERENCE = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
"""The entries of the reference tests of Certificate Transparency (RFC 6962)."""
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""Their roots, from no entry to all eight."""
PATHS = {
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (1, 5): (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}
"""Audit paths of the same tests, by index and size."""

LEAVES = [leaf_hash(bytes([number])) for number in range(MOST)]


def defined(leaves: Sequence[bytes]) -> bytes:
    """The root as RFC 9162 section 2.1.1 defines it."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(defined(leaves[:split]), defined(leaves[split:]))


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path as section 2.1.3.1 defines it."""
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return [*path(leaves[:split], index), defined(leaves[split:])]
    return [*path(leaves[split:], index - split), defined(leaves[:split])]


def steps(leaves: Sequence[bytes], first: int, whole: bool = True) -> list[bytes]:  # noqa: FBT001, FBT002 - as the RFC writes it
    """The consistency proof as section 2.1.4.1 defines it."""
    if first == len(leaves):
        return [] if whole else [defined(leaves)]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if first <= split:
        return [*steps(leaves[:split], first, whole), defined(leaves[split:])]
    return [*steps(leaves[split:], first - split, False), defined(leaves[:split])]


ROOT_OF = [defined(LEAVES[:size]) for size in range(MOST + 1)]
TREE = Tree(LEAVES)


def test_published_vectors() -> None:
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in REFERENCE]
    tree, frontier = Tree(), Frontier()
    for size, expected in enumerate(ROOTS):
        assert tree.root().hex() == frontier.root().hex() == expected
        if size < len(leaves):
            tree.append(leaves[size])
            frontier.append(leaves[size])
    for (index, size), expected_path in PATHS.items():
        assert [each.hex() for each in tree.inclusion(index, size)] == list(expected_path)


@pytest.mark.parametrize("size", range(MOST + 1))
def test_every_proof_is_that_of_the_definition(size: int) -> None:
    assert TREE.root(size) == root(TREE.node, size) == ROOT_OF[size]
    for index in range(size):
        assert list(inclusion_proof(TREE.node, index, size)) == path(LEAVES[:size], index)
    for first in range(1, size):
        assert list(consistency_proof(TREE.node, first, size)) == steps(LEAVES[:size], first)
    for first in (0, size):
        assert consistency_proof(TREE.node, first, size) == ()


def mutations(proof: Sequence[bytes]) -> list[tuple[bytes, ...]]:
    """Each hash with a bit flipped, left out, doubled, or exchanged with the next; one more at either end."""
    changed = []
    for place, value in enumerate(proof):
        flipped = bytes([value[0] ^ 1]) + value[1:]
        changed.append((*proof[:place], flipped, *proof[place + 1 :]))
        changed.append((*proof[:place], *proof[place + 1 :]))
        changed.append((*proof[: place + 1], value, *proof[place + 1 :]))
        if place + 1 < len(proof):
            changed.append((*proof[:place], proof[place + 1], value, *proof[place + 2 :]))
    return [each for each in (*changed, (*proof, EMPTY_ROOT), (EMPTY_ROOT, *proof)) if each != tuple(proof)]


@pytest.mark.parametrize("size", range(1, MOST + 1))
def test_no_mutation_of_an_inclusion_proof_is_accepted(size: int) -> None:
    for index in range(size):
        leaf, proof, expected = LEAVES[index], TREE.inclusion(index, size), ROOT_OF[size]
        assert verify_inclusion(leaf, index, size, proof, expected)
        assert not any(verify_inclusion(leaf, index, size, changed, expected) for changed in mutations(proof))
        assert not any(
            verify_inclusion(leaf, other, size, proof, expected) for other in range(-1, size + 2) if other != index
        )
        assert not verify_inclusion(LEAVES[(index + 1) % MOST], index, size, proof, expected)
        assert not verify_inclusion(leaf, index, size, proof, node_hash(expected, expected))
        if proof:
            assert not verify_inclusion(leaf, index, size, [proof[0][:-1], *proof[1:]], expected)
    if size > 1:
        assert not verify_inclusion(TREE.node(1, 0), 0, size, TREE.inclusion(0, size)[1:], ROOT_OF[size]), (
            "a node is no entry"
        )


@pytest.mark.parametrize("size", range(MOST + 1))
def test_no_mutation_of_a_consistency_proof_is_accepted(size: int) -> None:
    for first in range(size + 1):
        old, new, proof = ROOT_OF[first], ROOT_OF[size], TREE.consistency(first, size)
        assert verify_consistency(first, size, old, new, proof)
        assert not any(verify_consistency(first, size, old, new, changed) for changed in mutations(proof))
        wrong = node_hash(old, new)
        assert not verify_consistency(first, size, wrong, new, proof)
        if first:
            assert not verify_consistency(first, size, old, wrong, proof)
            assert not verify_consistency(first - 1, size, old, new, proof)
        if first < size:
            assert not verify_consistency(first + 1, size, old, new, proof)
            assert not verify_consistency(size, first, new, old, proof)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 513, 1100, 65_536, 65_793])
def test_tiles_hold_the_tree(size: int) -> None:
    layout, files = Layout(), dict[str, bytes]()
    for number in range(size):
        files.update(layout.add(number.to_bytes(4, "big")))
    files.update(layout.finish())
    nodes = TileNodes(files.get, size)
    assert root(nodes, size) == layout.tree.root()
    for index in sorted({0, size // 3, size - 1}):
        assert inclusion_proof(nodes, index, size) == layout.tree.inclusion(index)
        assert consistency_proof(nodes, index, size) == layout.tree.consistency(index)
    for tile in tiles_for(size):
        assert files[tile.path] == tile_bytes(layout.tree, tile)
        assert len(files[tile.path]) == 32 * tile.width
    entries = [
        entry for name, data in files.items() if name.startswith("tile/entries/") for entry in unpack_entries(data)
    ]
    assert sorted(entries) == [number.to_bytes(4, "big") for number in range(size)]


def test_tiles_are_named_as_the_specification_says() -> None:
    assert hash_path(0, 1_234_067) == "tile/0/x001/x234/067"
    rows = [[tile for tile in tiles_for(70_000) if tile.level == level] for level in range(4)]
    assert [len(row) for row in rows] == [274, 2, 1, 0]
    assert [row[-1].path for row in rows[:3]] == ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]
    assert [tile.path for tile in tiles_for(256)] == ["tile/0/000", "tile/1/000.p/1"]


def test_a_tree_has_no_more_than_it_has() -> None:
    tree = Tree(LEAVES[:5])
    for wrong in (
        lambda: tree.root(6),
        lambda: tree.inclusion(5),
        lambda: tree.consistency(6),
        lambda: tree.append(b"short"),
    ):
        with pytest.raises(ValueError, match=r"\d"):
            wrong()
    with pytest.raises(IndexError):
        tree.node(1, 2)
