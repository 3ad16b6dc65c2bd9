"""Tampering with the files of a published log by somebody who does not have its keys."""

from __future__ import annotations

from pathlib import Path

from tests.independent.samplelog import Signer, chain, pack_entries, publish, write_tiles
from tests.independent.tampering_kinds import Context, entries, flip, middle, records, size_of, tampering, tile
from tests.independent.verifier_merkle import leaf_hash, node_hash
from tests.independent.verifier_tiles import HASH, WIDTH


def _rebundle(path: Path, place: int, *changed: bytes) -> Path:
    """Write the bundle that holds `place` again, with `changed` instead of the two entries from there on."""
    bundle, at = tile(path, None, place)
    found = entries(path)[place - at : place - at + WIDTH]
    bundle.write_bytes(pack_entries([*found[:at], *changed, *found[at + 2 :]]))
    return bundle


@tampering("one bit of an entry flipped", "directory")
def entry_flipped(path: Path, context: Context) -> int | None:
    place = middle(path)
    bundle, at = tile(path, None, place)
    first = place - at
    flip(bundle, len(pack_entries(entries(path)[first:place])) + 40)
    return place


@tampering("first byte of the log's first entry changed", "directory")
def first_entry_flipped(path: Path, context: Context) -> int | None:
    flip(tile(path, None, 0)[0], 2)
    return 0


@tampering("one bit of the last entry flipped", "directory")
def last_entry_flipped(path: Path, context: Context) -> int | None:
    bundle, _ = tile(path, None, size_of(path) - 1)
    flip(bundle, -1)
    return size_of(path) - 1


@tampering("one bit of a leaf hash flipped", "directory")
def leaf_flipped(path: Path, context: Context) -> int | None:
    place = middle(path)
    hashes, at = tile(path, 0, place)
    flip(hashes, at * HASH)
    return place


@tampering("entry and its leaf hash changed together", "directory")
def entry_and_leaf(path: Path, context: Context) -> int | None:
    found = entries(path)
    place = middle(path)
    found[place] = found[place].replace(b'"epoch":', b'"epoch":1', 1)
    write_tiles(path, found)
    return place


@tampering("one bit of a hash above the leaves flipped", "directory")
def upper_hash_flipped(path: Path, context: Context) -> int | None:
    flip(tile(path, 1, 0)[0], HASH - 1)
    return None


@tampering("entry deleted from its bundle", "directory")
def entry_deleted(path: Path, context: Context) -> int | None:
    place = middle(path)
    _rebundle(path, place, entries(path)[place + 1])
    return place


@tampering("entry deleted, tiles made anew", "directory")
def entry_deleted_retiled(path: Path, context: Context) -> int | None:
    found = entries(path)
    place = middle(path)
    write_tiles(path, [*found[:place], *found[place + 1 :], found[-1]])
    return place


@tampering("last entry deleted, tiles made anew", "directory")
def last_deleted(path: Path, context: Context) -> int | None:
    size = size_of(path)
    write_tiles(path, entries(path)[:-1])
    return (size - 1) // WIDTH * WIDTH


@tampering("two entries reordered in their bundle", "directory")
def reordered(path: Path, context: Context) -> int | None:
    place = middle(path)
    found = entries(path)
    _rebundle(path, place, found[place + 1], found[place])
    return place


@tampering("two entries reordered, tiles made anew", "directory")
def reordered_retiled(path: Path, context: Context) -> int | None:
    place = middle(path)
    found = entries(path)
    found[place], found[place + 1] = found[place + 1], found[place]
    write_tiles(path, found)
    return place


@tampering("entry replayed at a new index, tiles made anew", "directory")
def replayed(path: Path, context: Context) -> int | None:
    place = middle(path)
    found = entries(path)
    found[place] = found[place // 2]
    write_tiles(path, found)
    return place


@tampering("suffix forged: records chained and tiled anew, no key", "directory")
def forged_suffix(path: Path, context: Context) -> int | None:
    found = records(path)
    found[-5:] = [{**record, "message": "all gates passed"} for record in found[-5:]]
    write_tiles(path, chain(found))
    return None


@tampering("suffix forged and signed with a key of the attacker under the log's name", "directory")
def forged_with_other_key(path: Path, context: Context) -> int | None:
    found = records(path)
    found[-5:] = [{**record, "message": "all gates passed"} for record in found[-5:]]
    origin = (path / "checkpoint").read_text().split("\n", 1)[0]
    forger = Signer.generate(origin)
    publish(path, chain(found), forger)
    (path / "keys.txt").write_text(forger.keys())
    return None


@tampering("interior node as leaf: entry is the two hashes below a node", "directory")
def interior_node(path: Path, context: Context) -> int | None:
    place = middle(path)
    found = entries(path)
    pair = leaf_hash(found[place]), leaf_hash(found[place + 1])
    hashes, at = tile(path, 0, place)
    _rebundle(path, place, b"".join(pair), found[place + 1])
    data = hashes.read_bytes()
    hashes.write_bytes(data[: at * HASH] + node_hash(*pair) + data[(at + 1) * HASH :])
    return place


@tampering("tile of leaf hashes missing", "directory")
def leaves_missing(path: Path, context: Context) -> int | None:
    tile(path, 0, WIDTH)[0].unlink()
    return WIDTH


@tampering("bundle of entries missing", "directory")
def bundle_missing(path: Path, context: Context) -> int | None:
    tile(path, None, WIDTH)[0].unlink()
    return WIDTH


@tampering("tile above the leaves missing", "directory")
def upper_missing(path: Path, context: Context) -> int | None:
    tile(path, 1, 0)[0].unlink()
    return None


@tampering("tile of leaf hashes with a byte too many", "directory")
def leaves_longer(path: Path, context: Context) -> int | None:
    found = tile(path, 0, WIDTH)[0]
    found.write_bytes(found.read_bytes() + b"\x00")
    return WIDTH


@tampering("tile above the leaves with a hash too many", "directory")
def upper_longer(path: Path, context: Context) -> int | None:
    found = tile(path, 1, 0)[0]
    found.write_bytes(found.read_bytes() + bytes(HASH))
    return None


@tampering("entry bundle with a length that reaches beyond its end", "directory")
def bad_length(path: Path, context: Context) -> int | None:
    bundle, _ = tile(path, None, size_of(path) - 1)
    final = entries(path)[-1]
    data = bundle.read_bytes()
    bundle.write_bytes(data[: -len(final) - 2] + (len(final) + 1).to_bytes(2, "big") + final)
    return (size_of(path) - 1) // WIDTH * WIDTH


@tampering("entry bundle cut within an entry", "directory")
def cut_bundle(path: Path, context: Context) -> int | None:
    bundle, _ = tile(path, None, size_of(path) - 1)
    bundle.write_bytes(bundle.read_bytes()[:-7])
    return (size_of(path) - 1) // WIDTH * WIDTH


@tampering("entry bundle with an entry too many", "directory")
def longer_bundle(path: Path, context: Context) -> int | None:
    bundle, _ = tile(path, None, size_of(path) - 1)
    bundle.write_bytes(bundle.read_bytes() + pack_entries([entries(path)[-1]]))
    return (size_of(path) - 1) // WIDTH * WIDTH


@tampering("partial tiles of another width", "directory")
def other_width(path: Path, context: Context) -> int | None:
    place = size_of(path) - 1
    for level in (0, None):
        found, at = tile(path, level, place)
        found.rename(found.with_name(str(at + 2)))
    return place // WIDTH * WIDTH
