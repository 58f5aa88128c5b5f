"""Pages made of templates: what is missing is an error, what is filled in is text."""

from __future__ import annotations

import base64

import jinja2
import pytest

from movlr_jax.media import pages


def shown(template: str, **data: object) -> str:
    return pages._environment().from_string(template).render(**data)


def test_a_value_is_text_wherever_it_stands() -> None:
    said = shown('<b title="{{ v }}">{{ v }}</b>{% macro m(v) %}<i>{{ v }}</i>{% endmacro %}{{ m(v) }}', v="\"'><{{ 1 }}\u202e\ud800\r\n")
    text = "&#34;&#39;&gt;&lt;{{ 1 }}\\u202e\\ud800\n"
    assert said == f'<b title="{text}">{text}</b><i>{text}</i>'
    assert shown("{{ v }}", v="x" * 70_000) == "x" * pages.LONGEST_TEXT + " … (cut)" and shown("{{ v }}", v=None) == ""


def test_embedded_files_stay_whole_however_long(tmp_path) -> None:
    film, picture = tmp_path / "clip.mp4", tmp_path / "map.png"
    for path in (film, picture):
        path.write_bytes(b"ab" * pages.LONGEST_TEXT)
    addresses = [pages.clips([(0, film, "clip.mp4")], 10**6)[0], pages.picture(picture)]
    for address in addresses:
        found = shown('{% macro m(v) %}<i src="{{ v }}">{% endmacro %}{{ m(v) }}', v=address)
        assert base64.b64decode(found.split(",")[1].removesuffix('"></i>' if found.endswith("</i>") else '">')) == film.read_bytes()


@pytest.mark.parametrize("template", ["{{ missing }}", "{{ record.missing }}", "{% if record.m %}x{% endif %}"])
def test_what_a_template_lacks_is_a_mistake(template: str) -> None:
    with pytest.raises(jinja2.UndefinedError):
        shown(template, record={"a": 0})


def test_a_line_of_steps_holds_each_value_until_the_next() -> None:
    assert pages.steps([], 3) == [] and pages.steps([(1, 2.0)], 1) == [(1, 2.0)]
    assert pages.steps([(0, 1.0), (2, 4.0)], 3) == [(0, 1.0), (2, 1.0), (2, 4.0), (3, 4.0)]
