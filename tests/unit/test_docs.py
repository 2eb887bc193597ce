"""What the documents point to is there: a reviewer follows each reference."""

import re
from pathlib import Path

import pytest

from local.state import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
_FILE = re.compile(r"`((?:bench|docs|examples|lambda_src|local|policy|sql|terraform|tests)/[\w./-]+)(?:::(\w+))?`")
_LINK = re.compile(r"\]\((?!https?://)([^)#]+)?(?:#([^)]+))?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_is_there(page: Path) -> None:
    for path, test in _FILE.findall(page.read_text()):
        assert (ROOT / path).exists(), f"there is no {path}"
        assert not test or f"def {test}(" in (ROOT / path).read_text(), f"{path} has no {test}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_where_a_page_leads_is_there(page: Path) -> None:
    for path, anchor in _LINK.findall(page.read_text()):
        target = page.parent / path if path else page
        assert target.exists(), f"there is no {path}"
        assert not anchor or anchor in _anchors(target), f"{target.name} has no section {anchor}"


def _anchors(page: Path) -> set[str]:
    """The sections of a page, as a browser addresses them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
