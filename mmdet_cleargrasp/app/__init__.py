"""A web page to find plates in photographs, correct the boxes and export the results."""
