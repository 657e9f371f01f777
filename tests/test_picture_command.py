"""README's picture: both looks, the ratios in it, and its size."""

import xml.etree.ElementTree as ElementTree

import pytest
from asv_files import COLD, ROOT, Files, benchmark, load
from asv_history import write

command = load("picture")
picture = load("dashboard.picture")
SVG = "{http://www.w3.org/2000/svg}"


def run(files, out, *options):
    return command.main(["--results", str(files.folder), "--out", str(out), *options])


def test_both_looks_have_the_same_curves_and_no_script(tmp_path):
    assert run(write(tmp_path / "results"), tmp_path) == 0
    light, dark = (ElementTree.parse(tmp_path / f"speed_{look}.svg").getroot() for look in ("light", "dark"))
    for image in (light, dark):
        assert {element.tag.removeprefix(SVG) for element in image.iter()} <= {
            "svg", "rect", "text", "tspan", "g", "line", "polygon", "polyline", "circle",
        }  # fmt: skip
    shapes = [[element.get("points") for element in image.iter(f"{SVG}polyline")] for image in (light, dark)]
    assert shapes[0] == shapes[1]
    assert len(shapes[0]) == 5
    assert all(len(points.split()) == 30 for points in shapes[0])
    assert light.find(f"{SVG}rect").get("fill") != dark.find(f"{SVG}rect").get("fill")
    texts = "".join(light.itertext())
    assert "PyTorch" in texts
    assert "30 commits from 00000000" in texts
    assert max((tmp_path / f"speed_{look}.svg").stat().st_size for look in picture.LOOKS) < 60_000


def test_a_single_commit_is_a_point(tmp_path):
    assert run(write(tmp_path / "results", commits=1), tmp_path) == 0
    image = ElementTree.parse(tmp_path / "speed_light.svg").getroot()
    assert list(image.iter(f"{SVG}polygon")) == []
    assert len(list(image.iter(f"{SVG}circle"))) == 5


def test_machine_can_be_named(tmp_path, capsys):
    files = write(tmp_path / "results")
    write(tmp_path / "results", machine="other", commits=10)
    assert run(files, tmp_path, "--machine", "other") == 0
    assert "10 commits" in (tmp_path / "speed_light.svg").read_text(encoding="utf-8")
    assert run(files, tmp_path / "no", "--machine", "nowhere") == 2
    assert "no results of other libraries on that machine" in capsys.readouterr().err


@pytest.mark.parametrize("with_results", [False, True])
def test_without_other_libraries_there_is_no_picture(tmp_path, capsys, with_results):
    files = Files(tmp_path / "results")
    if with_results:
        files.machine()
        files.list(benchmark(COLD))
        files.commit("a", 1, [(benchmark(COLD), [3])])
    assert run(files, tmp_path) == 2
    assert "picture.py: " in capsys.readouterr().err
    assert list(tmp_path.glob("*.svg")) == []


def test_readme_opens_with_the_picture_if_the_guide_has_it():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    paths = [f"fastmlp/guide/speed_{look}.svg" for look in picture.LOOKS]
    shown = "<picture>" in readme
    assert [(ROOT / path).exists() for path in paths] == [shown] * 2
    if shown:
        top = "".join(readme.splitlines()[:4])
        assert f'<source media="(prefers-color-scheme: dark)" srcset="{paths[1]}">' in top
        assert f'src="{paths[0]}"' in top
        assert all((ROOT / path).stat().st_size < 60_000 for path in paths)
