# Strong augmentation, for detectors trained on renders and used on photographs. Insert these
# transforms between loading and packing; see mmdet_cleargrasp/datasets/composition.py and
# augmentation.py.

# ----------------------------------------- settings -----------------------------------------
paste_prob = 0.5  # paste plates from other images, using their masks
pictures = []  # folders with pictures of things that are not plates, pasted beside the plates
view_size = (320, 320)  # width and height of the network input
grayscale_prob = 0.05
# ---------------------------------------------------------------------------------------------

composition = [
    dict(type='PastePlates', prob=paste_prob, max_plates=2, decoys=0.4),
    dict(type='PastePictures', folders=pictures),
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
