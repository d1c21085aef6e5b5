"""Drawing boxes and text on images."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from .fonts import find_font

#: Font size as a share of the image's shorter side, and its least value in pixels.
FONT_SHARE, LEAST_FONT = 0.03, 11
CAPTION_FONT, CAPTION_HEIGHT = 12, 18
#: Brightness, of 255, above which text is black instead of white.
LIGHT = 150


def draw_boxes(
    image: np.ndarray, boxes: np.ndarray, texts: Sequence[str], colors: Sequence[str]
) -> np.ndarray:
    """Draw boxes with labels, scaled to the image; labels do not overlap.

    Args:
        image: uint8 (H, W, 3), RGB; is not changed.
        boxes: (N, 4), left, top, right and bottom in pixels.
        texts: N labels, in any script.
        colors: N colors, as ``'#rrggbb'``.

    Returns:
        uint8 (H, W, 3), RGB.

    Example:
        >>> image = np.full((48, 64, 3), 255, np.uint8)
        >>> drawn = draw_boxes(image, np.array([[8, 20, 40, 44]]), ['dish 0.90'], ['#0072B2'])
        >>> drawn.shape, bool((drawn != image).any())
        ((48, 64, 3), True)
    """
    import supervision as sv  # imports scipy, and more, which a training rarely needs

    if not len(boxes):
        return image.copy()
    size = (image.shape[1], image.shape[0])
    thickness = sv.calculate_optimal_line_thickness(size)
    font_size = max(round(FONT_SHARE * min(size)), LEAST_FONT)
    detections = sv.Detections(np.asarray(boxes, np.float32).reshape(-1, 4))
    frames = image.copy()
    for box, color in zip(detections.xyxy.astype(int).tolist(), colors, strict=True):
        cv2.rectangle(frames, box[:2], box[2:], ImageColor.getrgb(color)[:3], thickness)
    labels = sv.RichLabelAnnotator(
        color=sv.ColorPalette.from_hex(list(colors)),
        color_lookup=sv.ColorLookup.INDEX,
        text_color=sv.ColorPalette.from_hex([_letter_color(color) for color in colors]),
        font_path=find_font(''.join(texts)),
        font_size=font_size,
        text_padding=max(font_size // 5, 2),
        smart_position=True,
    )
    return np.asarray(labels.annotate(Image.fromarray(frames), detections, labels=list(texts)))


def label_text(name: str, score: float | None = None) -> str:
    """The label of a box.

    Example:
        >>> label_text('petri_dish', 0.5634), label_text('lid')
        ('petri_dish 0.56', 'lid')
    """
    return name if score is None else f'{name} {score:.2f}'


def add_caption(image: np.ndarray, text: str) -> np.ndarray:
    """Add a line of text above an image, scaled to it.

    Args:
        image: uint8 (H, W, 3), RGB.
        text: In any script; what is wider than the image is cut off.

    Returns:
        uint8 (H + height of the line, W, 3), RGB; the line has at least CAPTION_HEIGHT pixels.
    """
    font_size = max(round(FONT_SHARE * min(image.shape[:2])), CAPTION_FONT)
    height = CAPTION_HEIGHT * font_size // CAPTION_FONT
    strip = Image.new('RGB', (image.shape[1], height), 'white')
    font = ImageFont.truetype(find_font(text), font_size)
    ImageDraw.Draw(strip).text((2, height // 2), text, 'black', font, anchor='lm')
    return np.vstack([np.asarray(strip), image])


def _letter_color(background: str) -> str:
    red, green, blue = ImageColor.getrgb(background)[:3]
    luminance = 0.299 * red + 0.587 * green + 0.114 * blue
    return '#000000' if luminance > LIGHT else '#ffffff'
