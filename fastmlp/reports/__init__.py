"""How good a model of a table is: `scores` on held-out rows beside baselines, and a `page` that shows it.

`importance` says what each column brings. Needs the extra ``sklearn``; the page also ``experiments``.
"""
