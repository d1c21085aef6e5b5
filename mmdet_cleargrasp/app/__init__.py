"""A web page that finds plates in photographs, corrects the boxes and hands on the results."""
