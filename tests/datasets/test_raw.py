"""Tables as they are in a file: numbers, text, dates, truth values and gaps."""

import gzip

import pandas as pd
import pytest

from fastmlp.datasets import raw

MIXED = "city,built,garden,rooms\nUlm,2020-02-01,True,3\nBern,,False,\n,2021-12-31,,5\n"


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_text_dates_booleans_and_gaps(tmp_path):
    frame = raw.read_frame(write(tmp_path / "houses.csv", MIXED))
    assert frame.isna().sum().tolist() == [1, 1, 1, 1]
    assert frame["built"].dt.year.tolist()[::2] == [2020, 2021]
    assert frame["garden"].tolist()[:2] == [True, False]
    assert frame["rooms"].tolist()[::2] == [3, 5]
    assert frame["city"].tolist()[:2] == ["Ulm", "Bern"]


@pytest.mark.parametrize("suffix", [".parquet", ".feather", ".arrow", ".csv.gz"])
def test_all_formats_hold_the_same(tmp_path, suffix):
    expected = raw.read_frame(write(tmp_path / "houses.csv", MIXED))
    path = tmp_path / f"houses{suffix}"
    if suffix == ".csv.gz":
        path.write_bytes(gzip.compress(MIXED.encode()))
    else:
        (expected.to_parquet if suffix == ".parquet" else expected.to_feather)(path)
    found = raw.read_frame(path)
    assert found.isna().equals(expected.isna())
    assert found.fillna({"garden": "?"}).equals(expected.fillna({"garden": "?"}))


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (["2024-03-01", "2024-03-01 12:30", "2024-03-01T12:30:15.25"], "datetime64"),
        (["2024-03-01T12:30:00Z", "2024-03-01 12:30:00+01:00", "2024-03-01 12:30+0100"], "datetime64"),
        (["2024-03-01 12:30:00Z", "2024-03-01 12:30:00"], "str"),  # some of a zone, some of none
        (["2024-03-01", "yesterday"], "str"),
        (["2024-02-30", "2024-02-01"], "str"),
        (["01.03.2024", "02.03.2024"], "str"),  # day or month first?
        (["2024", "2025"], "int64"),
    ],
)
def test_what_a_date_is(tmp_path, values, dtype):
    frame = raw.read_frame(write(tmp_path / "a.csv", "\n".join(["x", *values]) + "\n"))
    assert str(frame["x"].dtype).startswith(dtype) or (dtype == "str" and frame["x"].dtype == object)


def test_times_of_a_zone_are_those_of_utc(tmp_path):
    frame = raw.read_frame(write(tmp_path / "a.csv", "x\n2024-03-01 12:30:00+01:00\n2024-07-01T00:00:00Z\n"))
    assert [time.isoformat() for time in frame["x"]] == ["2024-03-01T11:30:00+00:00", "2024-07-01T00:00:00+00:00"]


def test_columns_that_are_text_whatever_they_look_like(tmp_path):
    path = write(tmp_path / "a.csv", "code,day\n007,2024-03-01\n,\n")
    assert raw.read_frame(path, ["code", "day"]).iloc[0].tolist() == ["007", "2024-03-01"]
    assert raw.read_frame(path, ["code", "day"]).isna().iloc[1].all()
    assert raw.read_frame(path)["code"].tolist()[0] == 7


def test_an_index_without_a_name_is_left_out(tmp_path):
    path = tmp_path / "a.csv"
    pd.DataFrame({"a": [1, 2], "b": ["x", "007"]}).to_csv(path)
    assert raw.read_frame(path).columns.tolist() == ["a", "b"]
    assert raw.text_frame(path).to_numpy().tolist() == [["1", "x"], ["2", "007"]]


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("a.csv", "a,,b\n1,2,3\n", "column 1 has no name"),
        ("a.csv", "a,a\n1,2\n", "several columns are named 'a'"),
        ("a.csv", "a,b\n", "has columns but no rows"),
        ("a.csv", "a\n1,2\n3,4\n", "the rows hold more values"),
        ("a.csv", "a;b\n1,5;2\n", "the rows hold more values"),
        ("a.csv", "a;b\n1;2\n", "expected commas between the columns, got the first line 'a;b'"),
        ("a.csv", "a\tb\n1\t2\n", "expected commas between the columns"),
        ("a.feather", "no", "expected a Feather file"),
        ("a.arrow", "no", "expected an Arrow file"),
        ("a.txt", "a\n1\n", "unknown format of a table"),
    ],
)
def test_bad_files(tmp_path, name, text, complaint):
    with pytest.raises(ValueError, match=complaint):
        raw.read_frame(write(tmp_path / name, text))
