"""A web page that finds plates in photographs, lets users correct boxes, and exports results."""
