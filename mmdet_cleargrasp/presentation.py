"""How detections are shown to people, wherever they are: colours, and one box a plate."""

#: Colours that people with any colour vision tell apart, by class id (Okabe and Ito, 2008).
PALETTE = ('#D55E00', '#0072B2', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#F0E442')

#: Boxes that overlap by more than this share of their union are taken for the same plate.
SAME_PLATE_IOU = 0.4
