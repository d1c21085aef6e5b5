"""Hooks of mkdocs: pages from outside docs/, the reference, and links that fit the site."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = 'mmdet_cleargrasp'
#: Pages of the site by the file that they are made from.
PAGES = {
    'README.md': 'index.md',
    'CONTRIBUTING.md': 'contributing.md',
    'SECURITY.md': 'security.md',
    'CHANGELOG.md': 'changelog.md',
    'checkpoints/README.md': 'model_cards.md',
    'data/plates/README.md': 'data_card.md',
}
#: Packages with a page of the reference.
REFERENCE = (
    'inference', 'models', 'checkpoints', 'datasets', 'conversion', 'engine', 'evaluation',
    'visualization', 'experiments', 'pretraining',
)  # fmt: skip
LINK = re.compile(r'(!?)\[([^\]]*)\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)')
#: Roles of Sphinx, whose text mkdocs shows as it is.
ROLE = re.compile(r':(?:class|func|mod|data|meth|attr):(?=<code>)')


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are no files in docs/.

    Args:
        files: Of docs/.
        config: Of the site.
    """
    for source, page in PAGES.items():
        text = (ROOT / source).read_text(encoding='utf-8')
        files.append(File.generated(config, page, content=fitted_links(text, source)))
    for package in REFERENCE:
        page = f'reference/{package}.md'
        files.append(File.generated(config, page, content=reference(package)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fit the links of a page to the site.

    Args:
        markdown: The page.
        page: Where it is.
        config: Of the site.
        files: All of them.
    """
    generated = page.file.src_uri in PAGES.values() or page.file.src_uri.startswith('reference/')
    return markdown if generated else fitted_links(markdown, f'docs/{page.file.src_uri}')


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Show names in docstrings without their roles.

    Args:
        html: The page.
        page: Where it is.
        config: Of the site.
        files: All of them.
    """
    return re.sub(r'<code>\.(?=\w)', '<code>', ROLE.sub('', html))


def reference(package: str) -> str:
    """The page of a package: its modules one after the other.

    Args:
        package: In :data:`REFERENCE`.
    """
    folder = ROOT / PACKAGE / package
    modules = [
        file.relative_to(ROOT).with_suffix('').as_posix().replace('/', '.')
        for file in sorted(folder.rglob('*.py'))
        if not file.name.startswith('_')
    ]
    return '\n\n'.join([f'# {PACKAGE}.{package}', *(f'::: {name}' for name in modules)])


def fitted_links(text: str, source: str) -> str:
    """Point links between files of the repository to pages of the site.

    Links to files that are no pages, such as configs, become their text; what is missing stays, and
    mkdocs reports it.

    Args:
        text: Markdown.
        source: The file that it is from, relative to the repository.
    """
    here = posixpath.dirname(PAGES.get(source, source.removeprefix('docs/')))

    def fitted(link: re.Match[str]) -> str:
        image, name, target, anchor = link.groups()
        file = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        if file.startswith('docs/'):
            page = file.removeprefix('docs/')
        elif file in PAGES:
            page = PAGES[file]
        else:
            return name if (ROOT / file).exists() else link[0]
        return f'{image}[{name}]({posixpath.relpath(page, here or ".")}{anchor or ""})'

    return LINK.sub(fitted, text)
