"""Links between the Markdown files of the repository lead to files and headings that are there."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

LINK = re.compile(r'\[[^\]]*\]\((?!https?:|mailto:)([^)\s]+)\)')
CODE = re.compile(r'```.*?```|`[^`\n]*`', re.DOTALL)


def markdown_files():
    listed = subprocess.run(
        ['git', 'ls-files', '--cached', '--others', '--exclude-standard', '*.md', '*.ipynb'],
        cwd=ROOT,
        capture_output=True,
        text=True,
    ).stdout.split()
    return [ROOT / name for name in listed] or [ROOT / 'README.md', *ROOT.glob('docs/**/*.md')]


def anchors(file: Path) -> set[str]:
    """Anchors of headings, as GitHub and mkdocs make them."""
    headings = re.findall(
        r'^#+ +(.+)$', re.sub(r'```.*?```', '', file.read_text(), flags=re.S), re.M
    )
    return {re.sub(r'[^\w\- ]', '', text.lower()).strip().replace(' ', '-') for text in headings}


def broken_links(file: Path) -> list[str]:
    found = []
    for link in LINK.findall(CODE.sub('', file.read_text(encoding='utf-8'))):
        target, _, anchor = link.partition('#')
        path = (file.parent / target).resolve() if target else file
        if not path.exists() or (anchor and anchor not in anchors(path)):
            found.append(link)
    return found


@pytest.mark.parametrize('file', markdown_files(), ids=lambda file: str(file.relative_to(ROOT)))
def test_links_lead_somewhere(file):
    assert not broken_links(file)


def test_broken_links_are_found(tmp_path):
    page = tmp_path / 'page.md'
    page.write_text('# My words\n[a](gone.md) [b](#my-words) [c](page.md#none) `[d](gone.md)`\n')
    assert broken_links(page) == ['gone.md', 'page.md#none']


def test_every_page_is_in_the_site():
    menu = (ROOT / 'mkdocs.yml').read_text()
    for page in (ROOT / 'docs').rglob('*.md'):
        assert f': {page.relative_to(ROOT / "docs").as_posix()}\n' in menu, page
