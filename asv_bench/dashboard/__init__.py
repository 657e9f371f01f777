"""The page in front of asv's own: what asv measured, beside other libraries and over the commits.

`store` reads asv's files, `versus` and `trends` choose from them what a visitor asks first, `chart` places the points
of a curve, and `page` writes the HTML.
"""
