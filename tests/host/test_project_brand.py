from __future__ import annotations

from pathlib import Path

import pytest

from segue.host import ProjectError, load_project
from segue.messages.brand import DARK, LIGHT, Brand, contrast, in_language


def project(folder: Path, text: str) -> Brand | None:
    (folder / "segue.toml").write_text(text, "utf-8")
    return load_project(folder).brand


def test_a_project_that_says_nothing_has_no_brand(tmp_path: Path) -> None:
    assert project(tmp_path, 'zone = "UTC"') is None


def test_a_brand_is_read_with_its_colours_links_and_senders(tmp_path: Path) -> None:
    brand = project(
        tmp_path,
        '[brand]\nname = "Lamp & Shade"\nlogo = "https://shop.example/l.png"\n[brand.colours]\naccent = "#B4450F"\n'
        '[brand.colours.dark]\nsurface = "#000"\n[brand.links]\nShops = "https://shop.example/shops"\n'
        '[brand.senders]\nsms = "LampShade"\n[brand.languages.pt_br]\nsignature = "Até logo"\n',
    )
    assert brand is not None
    values = brand.values()
    assert values["name"] == "Lamp & Shade"
    assert values["colours"]["accent"] == values["colours"]["link"] == "#b4450f"
    assert values["colours"]["dark"]["surface"] == "#000"
    assert values["links"] == [{"name": "Shops", "url": "https://shop.example/shops"}]
    assert values["sender"] == {"sms": "LampShade"}
    assert "footer" not in values
    assert "signature" not in in_language(values, "fi")
    assert in_language(values, "pt-BR")["signature"] == "Até logo"
    assert in_language(values, "pt-BR")["name"] == "Lamp & Shade"


def test_the_brand_s_name_is_that_of_the_pages_unless_they_have_their_own(tmp_path: Path) -> None:
    project(tmp_path, '[brand]\nname = "Lamp"\n')
    assert load_project(tmp_path).pages.name == "Lamp"
    project(tmp_path, '[brand]\nname = "Lamp"\n[pages]\nname = "Shade"\n')
    assert load_project(tmp_path).pages.name == "Shade"


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ('colour = "red"', "did you mean colours"),
        ('logo = "logo.png"', "address such as"),
        ('url = "javascript:alert(1)"', "address such as"),
        ("logo_width = 0", "pixels"),
        ('font = "x; } body { display: none"', "names of fonts"),
        ('colours = { accent = "red" }', "colour such as"),
        ('colours = { accents = "#fff" }', "did you mean accent"),
        ('languages = { finnish_language = { name = "x" } }', "is no locale"),
        ('languages = { fi = { colour = "x" } }', "there are address, footer"),
        ('links = { Shop = "mailto:x" }', "address such as"),
    ],
)
def test_what_is_wrong_in_a_brand_is_told_with_what_to_write(tmp_path: Path, line: str, word: str) -> None:
    with pytest.raises(ProjectError, match=word):
        project(tmp_path, f"[brand]\n{line}\n")


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read_on_every_colour_that_a_brand_has_by_itself(colours: dict[str, str]) -> None:
    for text, ground in [("text", "surface"), ("text", "background"), ("muted", "surface"), ("muted", "background")]:
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


@pytest.mark.parametrize("accent", ["#b4450f", "#ffe000", "#000000", "#ffffff", "#2456d6", "#808080"])
def test_the_words_of_a_button_can_be_read_whatever_the_accent(accent: str) -> None:
    colours = Brand(colours={"accent": accent}).values()["colours"]
    assert contrast(colours["accent_text"], colours["accent"]) >= 4.5
    assert contrast(colours["link"], LIGHT["surface"]) >= 4.5
    assert contrast(colours["dark"]["accent_text"], colours["dark"]["accent"]) >= 4.5
    assert contrast(colours["dark"]["accent"], DARK["surface"]) >= 4.5
