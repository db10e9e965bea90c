"""Other programs find in the exported files what is in the store."""

import csv
import json
import math
import sys

import numpy as np
import pytest

from comparisons.running.export import columns, export, stored_records, to_frame
from comparisons.running.store import Store

RECORDS = [
    {
        "problem": "beale",
        "f": 1e-17,
        "gap": "nan",
        "success": True,
        "index": 0,
        "x": [3.0, 0.5],
        "counts": {"f": 12, "g": 10},
        "options": {},
        "message": 'the gradient, "small" enough\nγ ≤ 1e-8',
        "odd": 1,
    },
    {
        "problem": "booth",
        "f": "inf",
        "gap": 2,
        "success": False,
        "index": None,
        "x": [],
        "counts": {"f": 9, "g": 9},
        "options": {"rate": 0.1},
        "message": "nan",
        "odd": "one",
        "large": 2**70,
    },
]
TRACE = {"kind": np.array(["f", "g"]), "f": np.array([1.0, np.nan]), "x": np.zeros((2, 2))}


@pytest.fixture
def rows(tmp_path):
    with Store(tmp_path / "runs.sqlite") as store:
        for record in RECORDS:
            store.append({"problem": record["problem"], "seed": 7}, record, TRACE)
        return list(store.rows())


def test_a_record_is_flattened_into_columns_of_one_type(rows):
    table = columns(stored_records(rows))
    assert table["problem"] == ["beale", "booth"]
    assert table["seed"] == [7, 7]  # what determines a run is there even where its record does not repeat it
    assert table["f"] == [1e-17, math.inf]
    assert math.isnan(table["gap"][0])
    assert [type(value) for value in table["gap"]] == [float, float]
    assert table["success"] == [True, False]
    assert table["index"] == [0, None]
    assert table["x"] == ["[3.0,0.5]", "[]"]
    assert (table["counts.f"], table["counts.g"]) == ([12, 9], [10, 9])
    assert table["options.rate"] == [None, 0.1]
    assert table["message"] == [RECORDS[0]["message"], "nan"]
    assert table["odd"] == ["1", "one"]
    assert table["large"] == [None, str(2**70)]
    assert list(table)[:4] == ["key", "created", "problem", "seed"]


def test_a_csv_file_reads_back_as_text(rows, tmp_path):
    export(rows, tmp_path / "runs.csv")
    with (tmp_path / "runs.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["message"] for row in found] == [record["message"] for record in RECORDS]
    assert [float(row["f"]) for row in found] == [1e-17, math.inf]
    assert [row["index"] for row in found] == ["0", ""]
    assert [row["counts.f"] for row in found] == ["12", "9"]


def test_json_lines_hold_the_records_as_they_were(rows, tmp_path):
    export(rows, tmp_path / "runs.jsonl")
    lines = (tmp_path / "runs.jsonl").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON")) for line in lines]
    assert [row["record"] for row in found] == RECORDS
    assert [row["identity"] for row in found] == [{"problem": record["problem"], "seed": 7} for record in RECORDS]


def test_a_data_frame_has_numbers_where_the_records_have(rows):
    pandas = pytest.importorskip("pandas")
    frame = to_frame(stored_records(rows))
    assert frame["f"].dtype == frame["gap"].dtype == "float64"
    assert frame["counts.f"].sum() == 21
    assert frame["index"].dtype == "Int64"
    assert pandas.isna(frame["index"][1])
    assert frame[frame["success"]]["problem"].tolist() == ["beale"]


def test_a_parquet_file_keeps_the_types(rows, tmp_path):
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    export(rows, tmp_path / "runs.parquet")
    table = parquet.read_table(tmp_path / "runs.parquet")
    found = table.to_pydict()
    expected = columns(stored_records(rows))
    assert repr(found) == repr(expected)  # NaN is equal to nothing, so the texts are compared
    assert str(table.schema.field("counts.f").type) == "int64"
    assert str(table.schema.field("success").type) == "bool"


@pytest.mark.parametrize(("module", "name"), [("pandas", "frame"), ("pyarrow", "runs.parquet")])
def test_what_is_not_installed_is_named_with_the_way_to_get_it(rows, tmp_path, monkeypatch, module, name):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf'requires {module}: pip install "newtonkit\[tables\]"'):
        to_frame(stored_records(rows)) if module == "pandas" else export(rows, tmp_path / name)


def test_an_unknown_format_is_answered_with_the_known_ones(rows, tmp_path):
    with pytest.raises(ValueError, match=r"must end in one of .csv, .jsonl, .parquet, got 'runs.xlsx'"):
        export(rows, tmp_path / "runs.xlsx")


@pytest.mark.parametrize("name", ["runs.csv", "runs.jsonl", "runs.parquet"])
def test_an_empty_store_is_an_empty_table(name, tmp_path):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    export([], tmp_path / name)
    assert (tmp_path / name).read_bytes() in (b"", b"\r\n") or name.endswith("parquet")
