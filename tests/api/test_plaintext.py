from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api.plaintext import plain_text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<h1>Hi</h1><p>one<br>two</p><p>three</p>", "Hi\n\none\ntwo\n\nthree"),
        ('<p>see <a href="https://x.example">this</a></p>', "see this (https://x.example)"),
        ('<a href="https://x.example">https://x.example</a> <a href="#top">top</a>', "https://x.example top"),
        ("<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>after", "- a\n- b\n  - c\n\nafter"),
        ("<ol><li>a</li><li><p>b</p></li></ol>", "1. a\n2. b"),
        ("<ol>{% for %}<li>a</li>{% endfor %}</ol>", "{% for %}\n- a{% endfor %}"),
        ("<table><tr><th>a</th><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ('<div style="display:none"><p>x</p><br></div><title>t</title>y<!-- z -->', "y"),
        ('<p>a <img src="x" alt="a lamp"> b</p>', "a a lamp b"),
        ("a<hr>b", f"a\n\n{'-' * 40}\n\nb"),
        ("a &amp;&nbsp; b", "a & b"),
        ("<pre>one\ntwo</pre>three\nfour", "one\ntwo\n\nthree four"),
        ("<style>p{}</style><script>x</script>ok</body>", "ok"),
    ],
)
def test_the_words_of_markup(markup: str, text: str) -> None:
    assert plain_text(markup) == text + "\n"


@given(st.text(alphabet='<>/ab"= lioupd', max_size=80))
def test_any_markup_has_words(markup: str) -> None:
    assert plain_text(markup).endswith("\n")
