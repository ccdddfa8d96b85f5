"""The page is whole, well formed, and inert whatever stands in it."""

from html.parser import HTMLParser

import pytest

from tests.unit.privacy.world import ALICE, World, line
from touchstone.privacy.page import page_of

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}{% raw %}",
    "</td></tr></table><h1>you won</h1>",
    "javascript:alert(1)",
    "\u202ereversed\u0000<b>",
    "a&b <!-- ",
)
VOID = {"meta", "br", "hr", "img", "link", "input"}
INERT = {
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "code", "nav", "a", "div", "table", "thead", "tbody", "tr", "th", "td",
    "small", "b", "span",
}  # fmt: skip


class Outline(HTMLParser):
    """Collects tags, attributes and text, and sees whether every tag is closed in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()
        self.text: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember it."""
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links |= {value or "" for name, value in attrs if name in {"href", "src"}}
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """It closes what was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Remember it."""
        self.text.append(data)


def outline(page: str) -> Outline:
    """Read a page."""
    parser = Outline()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_producers_say_is_text_and_nothing_else(hostile: str) -> None:
    """In identifiers, attributes, names of properties, consents, types: no tag, no attribute and no link comes of it."""
    clean = hostile.replace("\x00", "").replace("\u202e", "")
    world = World(
        [
            line("a1", "11:00", "search", ALICE | {"cookie": clean}, profile={"city": hostile, clean: "x"}, properties={hostile: hostile}),
            line("a2", "11:01", clean, ALICE, context={"deep": [{hostile: [hostile]}]}, consents={clean: True}),
        ]
    )

    page = page_of(world.export(world.of("user_id", "alice-17")))

    found = outline(page)
    assert found.tags <= INERT
    assert not {name for name in found.attributes if name.startswith("on")}
    assert all(link.startswith("#") for link in found.links)
    assert clean in "".join(found.text)


def test_the_page_fetches_nothing_and_every_link_leads_somewhere_in_it() -> None:
    """It can be opened from a stick, printed, and kept."""
    world = World([line("a1", "11:00", "search", ALICE)])

    page = page_of(world.export(world.of("user_id", "alice-17")))

    found = outline(page)
    assert page.startswith("<!DOCTYPE html>")
    assert {link.removeprefix("#") for link in found.links} == set(found.ids)
    assert "http:" not in page
    assert "https:" not in page
    assert "default-src 'none'" in page
    assert "privacy@shop.example" in page
