"""The colors of classes in pictures."""

#: Told apart by people with any color vision, by class id (Okabe and Ito, 2008).
CLASS_COLORS = ('#D55E00', '#0072B2', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#F0E442')
