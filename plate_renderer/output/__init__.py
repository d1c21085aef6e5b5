"""Path tracing, ground truth and the files of a dataset."""
