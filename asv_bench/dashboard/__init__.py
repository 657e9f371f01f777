"""An overview page of asv's results: fastmlp beside other libraries, and a few figures over the commits.

`store` reads asv's files. `versus` and `trends` choose the figures that a visitor wants to see first. `chart` places
the points of a curve, and `page` writes the HTML.
"""
