# Augmentation for training on renders what has to work on photographs: steps of a pipeline, to be
# put between loading and resizing, and between resizing and packing. See
# mmdet_cleargrasp/datasets/composition.py and augmentation.py for what each does.

# -------------------------------------- what to change --------------------------------------
paste_prob = 0.5  # plates of other images, by their masks
mosaic_prob = 0.15  # four images in one
crop_prob = 0.5  # never through a plate
zoom_out_prob = 0.3
grayscale_prob = 0.05
# ---------------------------------------------------------------------------------------------

composition = [
    dict(type='PastePlates', prob=paste_prob, max_plates=2, decoys=0.4),
    dict(type='RandomMosaic', prob=mosaic_prob),
    dict(type='CropAroundPlates', prob=crop_prob, size=(0.35, 1.0)),
    dict(type='ZoomOut', prob=zoom_out_prob, ratio=(1.0, 2.5)),
]
appearance = [
    dict(type='PhotoMetricDistortion', hue_delta=12),
    dict(type='ColorCast', prob=0.5),
    dict(type='UnevenLight', prob=0.3),
    dict(type='RandomGrayscale', prob=grayscale_prob, keep_channels=True),
    dict(type='CameraBlur', prob=0.3),
    dict(type='SensorNoise', prob=0.3),
    dict(type='JpegArtifacts', prob=0.3),
]
