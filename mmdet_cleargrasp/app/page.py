"""The page itself, made with gradio."""

from __future__ import annotations

import html
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..datasets.images import IMAGE_SUFFIXES
from ..inference import PlateDetector
from ..utils.errors import ConfigError
from .review import LOWEST_SCORE, Limits, Review, look_at

if TYPE_CHECKING:
    import gradio

TITLE = 'Transparent plates'
#: Columns of the table on the page, under the names of :data:`.COLUMNS`.
SHOWN_COLUMNS = ('image', 'class', 'score', 'x', 'y', 'box_width', 'box_height')

CSS = """
.gradio-container {max-width: 1200px !important; margin: auto}
#problems:not(:has(li)) {display: none}
#problems {border-left: 4px solid #d55e00; padding: 4px 12px}
"""


def prepare_gradio(folder: str | Path) -> None:
    """Settings that gradio reads when it is imported: nothing sent, files in a folder of ours.

    Args:
        folder: For what is uploaded and downloaded.

    Raises:
        ConfigError: Gradio is not installed.
    """
    os.environ['GRADIO_ANALYTICS_ENABLED'] = 'False'
    os.environ['HF_HUB_OFFLINE'] = '1'
    os.environ['GRADIO_TEMP_DIR'] = str(folder)
    try:
        import gradio  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f"the page needs gradio ({error}): pip install 'mmdet_cleargrasp[app]'"
        ) from error


def make_page(detector: PlateDetector, limits: Limits) -> gradio.Blocks:
    """The page: photographs in; boxes, a table and files out.

    The detector looks once at each photograph; the score threshold only sorts what it found.

    Args:
        detector: The detector.
        limits: What is accepted at once.
    """
    import gradio as gr

    def detect(paths: list[str] | None, score_thr: float) -> list[Any]:
        files = [(Path(path), Path(path).name) for path in paths or []]
        review = look_at(detector, files, limits)
        return [review, *show(review, score_thr)]

    def show(review: Review | None, score_thr: float) -> list[Any]:
        review = review or Review(detector.classes)
        rows = review.rows(score_thr)
        found = bool(review.photographs)
        table, coco = review.write(Path(tempfile.mkdtemp()), score_thr) if found else (None, None)
        return [
            review.pictures(score_thr),
            _summary(review, len(rows)),
            [[row[name] for name in SHOWN_COLUMNS] for row in rows],
            gr.DownloadButton(value=table and str(table), interactive=found),
            gr.DownloadButton(value=coco and str(coco), interactive=found),
            _list_problems(review.problems),
        ]

    # The names of classes come out of a checkpoint.
    classes = html.escape(', '.join(name.replace('_', ' ') for name in detector.classes))
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(600, 3600)) as page:
        gr.Markdown(
            f'# {TITLE}\nDrop photographs to find {classes}. They go no further than the machine '
            'that serves this page.'
        )
        review = gr.State(None, time_to_live=3600, delete_callback=None)
        with gr.Row():
            with gr.Column(scale=1, min_width=280):
                files = gr.File(
                    label=f'Photographs (up to {limits.files}, {limits.megabytes} MB each)',
                    file_count='multiple',
                    file_types=['image', *IMAGE_SUFFIXES],
                    height=260,
                )
                threshold = gr.Slider(
                    LOWEST_SCORE,
                    1,
                    detector.threshold.value,
                    step=0.01,
                    label='Score threshold',
                    info='Boxes below it are hidden, here and in the files. At first: '
                    f'{detector.threshold}.',
                    buttons=[],
                )
                summary = gr.Markdown(_summary(Review(), 0), elem_id='summary')
                problems = gr.HTML(elem_id='problems')
                with gr.Row():
                    csv = gr.DownloadButton('CSV', interactive=False, elem_id='csv')
                    coco = gr.DownloadButton('JSON (COCO)', interactive=False, elem_id='json')
            with gr.Column(scale=2, min_width=420):
                gallery = gr.Gallery(
                    label='Found',
                    columns=2,
                    height=560,
                    object_fit='contain',
                    format='jpeg',
                    interactive=False,
                    buttons=['fullscreen'],
                    elem_id='found',
                )
        table = gr.Dataframe(
            headers=[name.replace('_', ' ') for name in SHOWN_COLUMNS],
            label='Detections (pixels)',
            interactive=False,
            wrap=True,
            max_height=320,
            elem_id='table',
        )
        outputs = [gallery, summary, table, csv, coco, problems]
        hidden: dict[str, Any] = {'api_visibility': 'private'}
        files.change(
            detect,
            [files, threshold],
            [review, *outputs],
            show_progress_on=[gallery],
            concurrency_limit=1,
            **hidden,
        )
        threshold.change(
            show,
            [review, threshold],
            outputs,
            show_progress='hidden',
            trigger_mode='always_last',
            **hidden,
        )
    return page.queue(max_size=20)


def launch(page: gradio.Blocks, limits: Limits, host: str, port: int, block: bool = True) -> str:
    """Serve the page only: no files, no other addresses, no analytics.

    Args:
        page: Of :func:`make_page`.
        limits: As there.
        host: The address to listen at.
        port: The port.
        block: Stay until Ctrl-C.

    Returns:
        The page's address.

    Raises:
        ConfigError: The port is taken or not allowed.
    """
    import gradio as gr

    fonts = ['system-ui', 'sans-serif']  # gradio's own come from the network
    try:
        _, address, _ = page.launch(
            server_name=host,
            server_port=port,
            share=False,
            inbrowser=False,
            quiet=True,
            show_error=False,
            allowed_paths=[],
            max_file_size=limits.megabytes * 1_000_000,
            enable_monitoring=False,
            run_history=False,
            ssr_mode=False,
            mcp_server=False,
            pwa=False,
            footer_links=[],
            prevent_thread_lock=True,
            theme=gr.themes.Soft(font=fonts, font_mono=['monospace'], primary_hue='blue'),
            css=CSS,
        )
    except OSError as error:
        raise ConfigError(f'nothing can be served at {host}:{port}: {error}') from error
    print(f'the page is at {address}  (Ctrl-C ends it)', flush=True)
    if block:
        page.block_thread()
    return address


def _summary(review: Review, detections: int) -> str:
    if not review.photographs:
        return 'No photograph yet.'
    return f'**{detections}** plates in **{len(review.photographs)}** photographs'


def _list_problems(problems: list[str]) -> str:
    items = ''.join(f'<li>{html.escape(problem)}</li>' for problem in problems)
    return f'<b>Could not be used</b><ul>{items}</ul>' if items else ''
