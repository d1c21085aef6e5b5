# Augmentation for training on renders what has to work on photographs: steps of a pipeline, to be
# put between loading and packing. See mmdet_cleargrasp/datasets/composition.py and augmentation.py
# for what each does.

# -------------------------------------- what to change --------------------------------------
paste_prob = 0.5  # plates of other images, by their masks
view_size = (320, 320)  # width and height of the views that the network is fed
grayscale_prob = 0.05
# ---------------------------------------------------------------------------------------------

composition = [
    dict(type='PastePlates', prob=paste_prob, max_plates=2, decoys=0.4),
    dict(type='RandomView', size=view_size),  # also resizes
]
appearance = [
    dict(type='YOLOXHSVRandomAug', hue_delta=8, saturation_delta=70, value_delta=40),
    dict(type='ColorCast', prob=0.5),
    dict(type='UnevenLight', prob=0.3),
    dict(type='RandomGrayscale', prob=grayscale_prob, keep_channels=True),
    dict(type='CameraBlur', prob=0.3),
    dict(type='SensorNoise', prob=0.3),
    dict(type='JpegArtifacts', prob=0.3),
]
