"""Colors of classes, arms and outlines in all images and charts."""

#: Distinguishable with any kind of color vision (Okabe and Ito, 2008).
VERMILLION, BLUE, GREEN, PURPLE, ORANGE, SKY_BLUE, YELLOW = (
    '#D55E00', '#0072B2', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#F0E442'
)  # fmt: skip
#: By class index.
CLASS_COLORS = (VERMILLION, BLUE, GREEN, PURPLE, ORANGE, SKY_BLUE, YELLOW)
#: Of the arms of a comparison, on white and on black, in their order.
ARM_COLORS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY_BLUE, '#8C6D31', '#7F7F7F')
#: Of annotated boxes, in images with those of arms.
TRUTH_COLOR = '#4D4D4D'
#: RGB of background, depth boundary and contact edge. ClearGrasp too draws the boundary in green
#: and the contact edge in blue.
OUTLINE_COLORS = ((0, 0, 0), (0, 255, 0), (60, 120, 255))


def class_color(label: int) -> str:
    """The color of a class; with more classes than colors they repeat.

    Example:
        >>> class_color(0), class_color(7)
        ('#D55E00', '#D55E00')
    """
    return CLASS_COLORS[label % len(CLASS_COLORS)]
