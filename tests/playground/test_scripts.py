import json
import re

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ift.roles import Role
from playground.scripts import PREFIX, Scripts
from playground.settings import WEB


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "lens").mkdir()
    (tmp_path / "main.js").write_text('import "./lens/grid.js";', encoding="utf-8")
    (tmp_path / "lens" / "grid.js").write_text("// é", encoding="utf-8")
    return tmp_path


def client(scripts):
    return TestClient(Starlette(routes=[scripts.route()]))


def test_a_module_is_served_as_a_script_that_a_browser_may_keep(folder):
    scripts = Scripts(folder)
    answer = client(scripts).get(f"/{scripts.address('lens/grid.js')}")
    assert answer.text == "// é"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]


def test_an_update_of_any_module_changes_the_address_of_all(folder):
    before = Scripts(folder)
    assert before.version == Scripts(folder).version
    (folder / "lens" / "grid.js").write_text("// new", encoding="utf-8")
    after = Scripts(folder)
    assert before.address("main.js") != after.address("main.js")
    assert client(before).get(f"/{before.address('lens/grid.js')}").text == "// é"  # what it started with


def test_a_renamed_module_is_an_update_too(folder):
    before = Scripts(folder)
    (folder / "lens" / "grid.js").rename(folder / "lens" / "cells.js")
    assert Scripts(folder).version != before.version


def test_nothing_else_is_served_and_no_old_address_is_kept(folder):
    (folder / "style.css").write_text("", encoding="utf-8")
    scripts = Scripts(folder)
    page = client(scripts)
    for path in ("style.css", "lens/none.js", "../main.js", "%2e%2e/main.js"):
        assert page.get(f"/{scripts.address(path)}").status_code == 404
    assert page.get(f"/{PREFIX}/older/main.js").headers["cache-control"] == "no-store"


def test_a_style_of_the_folder_for_them_is_served_as_one_and_linked(folder):
    (folder / "frame").mkdir()
    (folder / "frame" / "frame.css").write_text("body {}", encoding="utf-8")
    scripts = Scripts(folder)
    answer = client(scripts).get(f"/{scripts.address('frame/frame.css')}")
    assert (answer.text, answer.headers["content-type"].partition(";")[0]) == ("body {}", "text/css")
    assert f'<link rel="stylesheet" href="{scripts.address("frame/frame.css")}">' in scripts.head()


def test_a_library_is_served_beside_the_modules_and_fetched_only_when_it_is_wanted(folder, tmp_path_factory):
    library = tmp_path_factory.mktemp("elsewhere") / "large.min.js"
    library.write_text("large", encoding="utf-8")
    scripts = Scripts(folder, [library])
    assert client(scripts).get(f"/{scripts.address('large.min.js')}").text == "large"
    assert "large.min.js" not in scripts.head()


def test_the_head_asks_for_every_module_at_once_and_runs_the_first(folder):
    scripts = Scripts(folder)
    head = scripts.head()
    assert re.findall(r'rel="modulepreload" href="([^"]+)"', head) == [scripts.address("lens/grid.js")]
    assert re.findall(r'type="module" src="([^"]+)"', head) == [scripts.address("main.js")]


def test_the_head_says_the_roles_once_for_the_page():
    (text,) = re.findall(r'id="ift-roles">(.*?)</script>', Scripts(WEB).head())
    roles = json.loads(text)
    assert [role["label"] for role in roles] == [role.label for role in Role]
    assert len({role["letter"] for role in roles}) == len(Role)


@pytest.mark.parametrize("role", list(Role))
def test_every_role_has_its_colors_light_and_dark(role):
    style = (WEB / "style.css").read_text(encoding="utf-8")
    light, dark = style.split("\n.dark {")[:2]
    for part in (light, dark.partition("\n}")[0]):
        assert f"--role-{role.label}:" in part
        assert f"--role-{role.label}-line:" in part
    assert f".ift .role-{role.label} {{" in style


def test_what_a_module_imports_is_there():
    missing = [
        (path.name, name)
        for path in WEB.rglob("*.js")
        for name in re.findall(r'from "(\.[^"]+)"', path.read_text(encoding="utf-8"))
        if not (path.parent / name).resolve().is_file()
    ]
    assert missing == []
