"""The program on the guide's page of tables."""

import re

from pages import program


def test_the_program_on_the_page(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(program("tables"), "tables.md", "exec"), {})
    out = capsys.readouterr().out
    assert float(re.search(r"R²: (\S+)", out)[1]) > 0.9
    assert "'area.missing', 'district=harbour', 'district=north', 'district=south', 'garden'" in out
    assert (tmp_path / "houses.safetensors").exists()
