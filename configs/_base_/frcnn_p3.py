# Faster R-CNN with an FPN that starts at P3 (stride 8), for plates of at least 32 pixels, and half
# of MMDetection's channels. P2 (stride 4) takes three quarters of the time of neck and RPN, and few
# plates need it.
_base_ = './frcnn.py'

# ----------------------------------------- settings -----------------------------------------
# Anchors of 32, 45, 64, 90, 128, 181, 256 and 362 pixels: these times the strides 8 to 64.
anchor_scales = [4, 5.66]
anchor_ratios = [0.5, 1.0, 2.0]  # height over width
channels = 128  # of neck, RPN and RoIs; MMDetection has 256
# ---------------------------------------------------------------------------------------------

model = dict(
    neck=dict(start_level=1, num_outs=4, out_channels=channels),  # P3 to P6
    rpn_head=dict(
        in_channels=channels,
        feat_channels=channels,
        anchor_generator=dict(scales=anchor_scales, ratios=anchor_ratios, strides=[8, 16, 32, 64]),
    ),
    roi_head=dict(
        # RoIs below 224 pixels use P3, below 448 pixels P4, as in an FPN from P2.
        bbox_roi_extractor=dict(
            out_channels=channels, featmap_strides=[8, 16, 32], finest_scale=112
        ),
        bbox_head=dict(in_channels=channels, fc_out_channels=4 * channels),
    ),
)
