"""Collections of dask as partitions: arrays, data frames and delayed values."""

from __future__ import annotations

import math
import sys
from typing import Any, NamedTuple

from newtonkit.objectives.executors.part_structure import entries_of, rebuilt


class Computed(NamedTuple):
    """A part that dask computes."""

    delayed: Any

    def load(self) -> Any:
        """The part, computed in this process."""
        return part_of(self.delayed.compute(scheduler="synchronous"))

    @property
    def in_memory(self) -> bool:
        """False: it is computed when it is needed."""
        return False


def import_distributed() -> Any:
    """Import dask.distributed.

    Raises
    ------
    ImportError
        If it is not installed; the message names the extra.
    """
    try:
        import distributed
    except ImportError as error:
        raise ImportError("a dask cluster requires the package distributed: pip install 'newtonkit[dask]'") from error
    return distributed


def is_collection(value: Any) -> bool:
    """Whether a value, or the first entry of a tuple or dict, is a collection of dask."""
    dask = sys.modules.get("dask")
    if dask is None:  # nobody has imported dask, so that no value comes from it
        return False
    entries, _ = entries_of(value)
    return bool(entries) and bool(dask.is_dask_collection(entries[0]))


def is_delayed(value: Any) -> bool:
    """Whether a value is a delayed value of dask."""
    return is_collection(value) and type(value).__module__.startswith("dask.delayed")


def blocks_of(data: Any, chunk: int | None) -> list[Computed]:
    """The blocks of rows of a dask array, of a tuple or dict of them, or of a dask data frame.

    Raises
    ------
    TypeError, ValueError
        If entries are not dask arrays, or do not have equally many rows.
    """
    from dask import delayed

    entries, structure = entries_of(data)
    if len(entries) == 1 and hasattr(entries[0], "columns"):
        if chunk is not None:
            raise ValueError("chunk is for arrays; a data frame has partitions: frame.repartition(npartitions=…)")
        return [Computed(block) for block in entries[0].to_delayed()]
    for entry in entries:
        if not (hasattr(entry, "rechunk") and hasattr(entry, "to_delayed")):
            raise TypeError(f"a dask array cannot be cut together with {type(entry).__name__}; make all dask arrays")
    rows = entries[0].chunks[0] if chunk is None else chunk
    unknown = any(math.isnan(size) for entry in entries for size in entry.chunks[0])
    lengths = [entry.numblocks[0] if unknown else len(entry) for entry in entries]
    if len(set(lengths)) > 1:
        raise ValueError(f"dask arrays to cut into partitions must have equally many rows, got {lengths}")
    blocks = []
    for entry in entries:
        whole = dict.fromkeys(range(1, entry.ndim), -1)
        blocks.append(list(entry.rechunk(whole if unknown else {0: rows} | whole).to_delayed().ravel()))
    if structure is None:
        return [Computed(block) for block in blocks[0]]
    return [Computed(delayed(_rebuilt)(structure, *each)) for each in zip(*blocks, strict=True)]


def dask_value(recipe: Any) -> Any:
    """A recipe as a value that dask computes."""
    from dask import delayed

    return recipe.delayed if isinstance(recipe, Computed) else delayed(recipe.load)()


def part_of(value: Any) -> Any:
    """A computed value as a part: a data frame becomes a dict of its columns."""
    if hasattr(value, "columns") and hasattr(value, "to_numpy"):
        return {str(name): value[name].to_numpy() for name in value.columns}
    return value


def _rebuilt(structure: Any, *entries: Any) -> Any:
    return rebuilt(entries, structure)
