from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from segue.messages import Catalogue, Template, from_canonical, load_messages, render, to_canonical
from segue.messages.brand import Brand
from segue.messages.template import House

BRAND = Brand(
    name="Lamp & Shade",
    url="https://shop.example",
    signature="Your lamp people",
    address="Valokatu 1",
    colours={"accent": "#b4450f"},
    links={"Shops": "https://shop.example/shops"},
)
HOUSE = House("en", "Europe/Helsinki", "EUR", BRAND.values())
ANN: dict[str, Any] = {
    "customer": {"first_name": "<Ann>"},
    "event": {
        "products": [{"name": "Lamp", "price": 60}, {"name": "Shade", "price": 5}],
        "url": "https://x.example/c?a=1&b",
    },
    "unsubscribe_url": "https://x.example/u/1",
    "preferences_url": "https://x.example/p/1",
}
MJML = """{% assign hello = "Hi" %}
<mjml>
  <mj-head><mj-title>{{ brand.name }}</mj-title><mj-style>.n { color: {{ brand.colours.muted }} }</mj-style></mj-head>
  <mj-body>
    {% if event.products %}
    <mj-section><mj-column>
      <mj-text css-class="n">{{ hello }} {{ customer.first_name }}&nbsp;<br>there</mj-text>
      <mj-table>
        {% for product in event.products %}
        <tr><td>{{ product.name }}</td><td>{{ product.price | money }}</td></tr>
        {% endfor %}
      </mj-table>
      <mj-button background-color="{{ brand.colours.accent }}" href="{{ event.url }}">Go</mj-button>
    </mj-column></mj-section>
    {% endif %}
  </mj-body>
</mjml>"""


def load(folder: Path, files: dict[str, str], house: House = HOUSE) -> Catalogue:
    for name, content in files.items():
        path = folder / "messages" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    return load_messages([folder], house)


def email(folder: Path, form: str, content: str, house: House = HOUSE) -> Template:
    catalogue = load(folder, {f"cart/email.{form}": content}, house)
    assert catalogue.problems == ()
    template = catalogue.find("cart", "email")
    assert template is not None
    return template


def problem(folder: Path, form: str, content: str) -> tuple[int, str]:
    (found,) = load(folder, {f"cart/email.{form}": content}).problems
    return found.line, found.message


def test_mjml_becomes_responsive_html_filled_in_for_the_customer(tmp_path: Path) -> None:
    parts = render(email(tmp_path, "mjml", MJML), ANN)
    html = parts["html"]
    assert "<mj-" not in html
    assert "@media" in html
    assert "Hi &lt;Ann&gt;" in html
    assert re.findall(r"<td[^>]*>(Lamp|Shade|€[^<]*)</td>", html) == ["Lamp", "€60.00", "Shade", "€5.00"]
    assert 'href="https://x.example/c?a=1&amp;b"' in html
    assert "#b4450f" in html
    assert parts["text"] == "Hi <Ann>\nthere\n\nLamp €60.00\nShade €5.00\n\nGo (https://x.example/c?a=1&b)\n"


def test_what_a_block_leaves_out_is_left_out_of_html_and_text(tmp_path: Path) -> None:
    parts = render(email(tmp_path, "mjml", MJML), {})
    assert "Hi" not in parts["html"]
    assert parts["text"].strip() == ""


def test_styles_stand_on_their_elements_and_what_cannot_stays(tmp_path: Path) -> None:
    page = (
        "<html><head><style>p { color: red } a:hover { color: blue } @media (x) { p { color: green } }</style></head>"
        '<body><p class="{{ c }}">{{ customer.first_name }}</p></body></html>'
    )
    html = render(email(tmp_path, "html", page), {**ANN, "c": '"><script>'})["html"]
    assert '<p class="&#34;&gt;&lt;script&gt;" style="color: red;">&lt;Ann&gt;</p>' in html
    assert "a:hover" in html
    assert "@media" in html


def test_no_sheet_of_styles_is_fetched_from_anywhere(tmp_path: Path) -> None:
    sheet = tmp_path / "x.css"
    sheet.write_text("p { color: pink }")
    page = f'<html><head><link rel="stylesheet" href="{sheet}"></head><body><p>x</p></body></html>'
    assert "pink" not in render(email(tmp_path, "html", page), {})["html"]


def test_markdown_is_set_into_the_layout_with_the_brand(tmp_path: Path) -> None:
    template = email(tmp_path, "md", "# Hi {{ customer.first_name }}\n\n**[Go]({{ event.url }})**\n")
    parts = render(template, ANN)
    assert '<html lang="en" dir="ltr"' in parts["html"]
    assert "Lamp &amp; Shade" in parts["html"]
    assert re.search(r'<td style="[^"]*#b4450f[^"]*"><a href="https://x.example/c\?a=1&amp;b"', parts["html"])
    assert parts["text"] == (
        "Lamp & Shade\n\nHi <Ann>\n\nGo (https://x.example/c?a=1&b)\n\nYour lamp people\n\nShops "
        "(https://shop.example/shops)\n\nValokatu 1\n\nUnsubscribe (https://x.example/u/1) · Choose what we write to "
        "you about (https://x.example/p/1)\n"
    )


def test_a_transactional_message_has_nothing_to_unsubscribe_from(tmp_path: Path) -> None:
    template = email(tmp_path, "md", "Your order is on its way.")
    assert "unsubscribe" not in "".join(render(template, {**ANN, "kind": "transactional"}).values()).lower()
    assert "Unsubscribe" in render(template, {**ANN, "kind": "promotional"})["html"]


def test_the_foot_says_nothing_that_the_content_says_already(tmp_path: Path) -> None:
    parts = render(email(tmp_path, "md", "[Leave]({{ unsubscribe_url }})"), ANN)
    assert parts["text"].count("https://x.example/u/1") == parts["html"].count("https://x.example/u/1") == 1
    assert "https://x.example/p/1" in parts["html"]


def test_plain_text_gets_html_where_there_is_a_brand_and_none_where_not(tmp_path: Path) -> None:
    source = "Hi {{ customer.first_name }} & <all>,\n\nsee {{ event.url }}\n"
    parts = render(email(tmp_path, "txt", source), ANN)
    assert "Hi &lt;Ann&gt; &amp; &lt;all&gt;,</p>" in parts["html"]
    assert '<a href="https://x.example/c?a=1&amp;b">' in parts["html"]
    assert "Hi <Ann> & <all>,\n\nsee https://x.example/c?a=1&b\n" in parts["text"]
    assert "Valokatu 1" in parts["text"]
    plain = email(tmp_path / "plain", "txt", source, House())
    assert render(plain, ANN) == {"text": "Hi <Ann> & <all>,\n\nsee https://x.example/c?a=1&b"}


def test_a_file_may_do_without_the_layout(tmp_path: Path) -> None:
    assert "html" not in email(tmp_path / "a", "txt", "---\nlayout: none\n---\nHi").parts
    bare = render(email(tmp_path / "b", "md", "---\nlayout: none\n---\n*Hi*"), ANN)
    assert bare["html"] == '<html lang="en" dir="ltr"><head></head><body><p><em>Hi</em></p>\n</body></html>'.join(
        ["<!DOCTYPE html>", ""]
    )
    assert bare["text"] == "Hi\n"
    assert problem(tmp_path / "c", "md", "---\nlayout: mine\n---\nHi")[0] == 2


def test_a_project_s_own_layout_takes_the_place_of_segue_s(tmp_path: Path) -> None:
    own = "<html><body><h1>{{ brand.name }}</h1>{{ content }}<p>{{ customer.first_name }}</p></body></html>"
    catalogue = load(tmp_path, {"_layout/email.html": own, "cart/email.md": "*Hi*", "cart/email.fi.md": "*Hei*"})
    assert catalogue.problems == ()
    assert catalogue.names("email") == ("cart",)
    template = catalogue.find("cart", "email", "fi")
    assert template is not None
    parts = render(template, ANN)
    assert parts["html"] == (
        '<html lang="fi" dir="ltr"><head></head><body><h1>Lamp &amp; Shade</h1><p><em>Hei</em></p>\n'
        "<p>&lt;Ann&gt;</p></body></html>"
    )
    assert parts["text"] == "Lamp & Shade\n\nHei\n\n<Ann>\n"


def test_a_layout_is_chosen_by_the_language_of_the_content_and_may_be_mjml(tmp_path: Path) -> None:
    column = "<mj-column><mj-text>fi: {{ content }}</mj-text></mj-column>"
    mjml = f"<mjml><mj-body><mj-section>{column}</mj-section></mj-body></mjml>"
    files = {"_layout/email.html": "<html><body>all: {{ content }}</body></html>", "_layout/email.fi.mjml": mjml}
    catalogue = load(tmp_path, {**files, "cart/email.txt": "Hi", "cart/email.fi.txt": "Hei"})
    assert catalogue.problems == ()
    english, finnish = catalogue.find("cart", "email"), catalogue.find("cart", "email", "fi")
    assert english is not None
    assert finnish is not None
    assert render(english, {})["text"] == "all:\n\nHi\n"
    assert render(finnish, {})["text"] == "fi:\n\nHei\n"
    assert "mj-column" in render(finnish, {})["html"]


def test_a_layout_without_a_place_for_the_content_is_a_problem(tmp_path: Path) -> None:
    (found,) = load(tmp_path, {"_layout/email.html": "<p>x</p>", "cart/email.md": "Hi"}).problems
    assert "{{ content }}" in found.message


def test_what_is_written_from_right_to_left_says_so(tmp_path: Path) -> None:
    arabic = House("ar", "UTC", "EUR", BRAND.values())
    parts = render(
        email(
            tmp_path / "a",
            "md",
            "---\nsubject: مرحبا {{ customer.first_name }}\n---\nمرحبا {{ customer.first_name }}",
            arabic,
        ),
        {"customer": {"first_name": "Ann"}},
    )
    assert '<html lang="ar" dir="rtl"' in parts["html"]
    assert 'align="right"' in parts["html"]
    assert 'align="left"' not in parts["html"]
    assert parts["subject"] == "مرحبا \u2068Ann\u2069"
    assert "\u2068Ann\u2069" in parts["html"]
    mirrored = render(email(tmp_path / "b", "mjml", MJML, arabic), ANN)["html"]
    assert 'dir="rtl"' in mirrored
    assert "text-align:right" in mirrored
    assert "direction:ltr" not in mirrored


@pytest.mark.parametrize("address", ["javascript:alert(1)", " JAVA\tSCRIPT:alert(1)", "data:text/html,x", "vbscript:x"])
def test_an_address_of_a_customer_runs_nothing(tmp_path: Path, address: str) -> None:
    template = email(tmp_path, "md", "[x]({{ event.url }})\n\n**[y]({{ event.url }})**\n\n![z]({{ event.url }})")
    html = render(template, {"event": {"url": address}})["html"]
    assert html.count('href="#"') == 2
    assert 'src="#"' in html
    assert "alert" not in html


def test_a_pinned_template_renders_the_same_bytes_without_the_files(tmp_path: Path) -> None:
    for form, source in (
        ("mjml", MJML),
        ("md", "*Hi* {{ brand.name | upcase }}"),
        ("txt", "Hi {{ customer.first_name }}"),
    ):
        template = email(tmp_path / form, form, source)
        pinned = from_canonical(to_canonical(template))
        assert pinned.hash == template.hash
        assert render(pinned, ANN) == render(template, ANN)


def test_the_logo_leads_to_the_shop_where_its_address_is_known(tmp_path: Path) -> None:
    for url, links in (("https://shop.example", 1), ("", 0)):
        brand = Brand(name="Lamp", url=url, logo="https://x.example/l.png")
        house = House("en", "UTC", "EUR", brand.values())
        html = render(email(tmp_path / f"with {links}", "md", "Hi", house), {})["html"]
        assert len(re.findall(r'<img [^>]*src="https://x.example/l.png"', html)) == 1
        assert html.count('<a href="https://shop.example"') == links


def test_a_change_of_the_brand_is_a_change_of_the_content(tmp_path: Path) -> None:
    other = House("en", "Europe/Helsinki", "EUR", Brand(name="Other").values())
    first = email(tmp_path / "a", "md", "Hi")
    assert email(tmp_path / "b", "md", "Hi", other).hash != first.hash
    assert email(tmp_path / "c", "md", "Hi").hash == first.hash


def test_text_beside_html_is_the_author_s_own(tmp_path: Path) -> None:
    catalogue = load(tmp_path, {"cart/email.mjml": MJML, "cart/email.txt": "Own words"})
    template = catalogue.find("cart", "email")
    assert template is not None
    assert render(template, ANN)["text"] == "Own words"
    assert template.made == ("html",)


def test_two_files_for_one_body_are_a_problem(tmp_path: Path) -> None:
    (found,) = load(tmp_path, {"cart/email.mjml": MJML, "cart/email.html": "<p>Hi</p>"}).problems
    assert "also given in email.html" in found.message


@pytest.mark.parametrize(
    ("source", "line", "word"),
    [
        ("<mjml>\n<mj-body>\n<mj-include path='/etc/passwd' />\n</mj-body></mjml>", 3, "mj-include is not carried out"),
        ("<mjml>\n<mj-body>\n<mj-colum></mj-colum></mj-body></mjml>", 3, "did you mean <mj-column>"),
        ("<mjml><mj-body>\n<mj-section>\n</mj-body></mjml>", 3, "where <mj-section> is still open (line 2)"),
        ("<mjml>\n<mj-body>", 2, "is not closed"),
        ("{% assign a = 1 %}\n<p>no mjml</p>", 1, "is no MJML"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]>\n<mjml><!DOCTYPE x></mjml>", 1, "doctype"),
        (
            "<mjml><mj-body><mj-section {% if a %}x{% endif %}></mj-section></mj-body></mjml>",
            1,
            "quotes of an attribute",
        ),
        ("<mjml><mj-body>" + "<mj-wrapper>" * 3_000 + "</mj-wrapper>" * 3_000 + "</mj-body></mjml>", 1, "100 deep"),
        (
            "<mjml><mj-body><mj-section><mj-column>\n<mj-spacer>{{ a }}</mj-spacer></mj-column></mj-section>"
            "</mj-body></mjml>",
            2,
            "no correct MJML here: unexpected token",
        ),
    ],
)
def test_mjml_that_is_wrong_is_told_with_its_line(tmp_path: Path, source: str, line: int, word: str) -> None:
    at, message = problem(tmp_path, "mjml", source)
    assert word in message
    assert at == line


def test_html_that_would_be_torn_apart_is_told_with_its_line(tmp_path: Path) -> None:
    at, message = problem(tmp_path, "html", "---\nsubject: x\n---\n<ul>\n{% for a in b %}<li>{% endfor %}</ul>")
    assert at == 5
    assert message.endswith("put both around whole elements, and close each element inside (line 5)")


@pytest.mark.parametrize(
    ("form", "source"),
    [
        ("html", "<html><body>" + "<b>" * 80_000),
        ("html", "<html><body>" + "<a '" * 60_000),
        ("html", "<style>" + "a b c d {x:y}" * 15_000 + "</style>"),
        ("md", "*a **b " * 30_000),
        ("md", "[" * 200_000),
        ("md", "- " * 100_000),
        ("mjml", "<mjml>" + "<mj-text>" * 20_000),
    ],
    ids=["deep", "quotes", "rules", "stars", "brackets", "lists", "open"],
)
def test_hostile_files_are_read_or_refused_soon(tmp_path: Path, form: str, source: str) -> None:
    begin = time.perf_counter()
    load(tmp_path, {f"cart/email.{form}": source})
    assert time.perf_counter() - begin < 10


def test_what_a_sheet_calls_important_leaves_room_for_the_dark(tmp_path: Path) -> None:
    sheet = ".b { color: #fff !important } @media (prefers-color-scheme: dark) { .b { color: #111 !important } }"
    page = f'<html><head><style>{sheet}</style></head><body><a class="b" href="https://a.example">Buy</a></body></html>'
    html = email(tmp_path, "html", page).parts["html"]
    assert 'style="color: #fff;"' in html
    assert "color: #111 !important" in html


def test_what_an_author_calls_important_on_the_element_stays(tmp_path: Path) -> None:
    page = '<html><body><p style="color: #fff !important">Buy</p></body></html>'
    html = email(tmp_path, "html", page).parts["html"]
    assert "#fff !important" in html


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("red", "color: red"),
        ("rgb(1, 2, 3)", "color: rgb(1, 2, 3)"),
        ("red;background:url(https://evil.example)", "color: "),
        ("red} body { display: none", "color: "),
        ("url(https://evil.example/a)", "color: "),
        ("https://shop.example/a.png?b=1&c=(d)';", "color: https://shop.example/a.png?b=1&amp;c=%28d%29%27%3B"),
    ],
)
@pytest.mark.parametrize(
    "page",
    [
        '<p style="color: {{ event.colour }}">Hi</p>',
        "<p style='padding: 0; color: {{ event.colour }}'>Hi</p>",
        "<style>p { color: {{ event.colour }} }</style><p>Hi</p>",
    ],
)
def test_a_value_among_styles_is_one_value_of_them(page: str, value: str, written: str, tmp_path: Path) -> None:
    template = email(tmp_path, "html", f"<html><body>{page}</body></html>")
    html = render(template, {"event": {"colour": value}})["html"]
    assert re.search(rf"{re.escape(written)}[;\"]", html), html
    assert "evil" not in html
    assert "display" not in html


def test_styles_that_an_author_vouches_for_stay(tmp_path: Path) -> None:
    template = email(tmp_path, "html", '<html><body><p style="{{ event.style | safe }}">Hi</p></body></html>')
    assert 'style="color: red; padding: 0"' in render(template, {"event": {"style": "color: red; padding: 0"}})["html"]
