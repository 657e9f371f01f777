"""Tables as people have them, with text, dates, truth values and gaps, made into rows that a network takes.

The modules: `frames` reads a frame or an array into the columns of `column`, `objects` those of Python objects. `dates`
makes numbers of dates, `scaling` brings numbers to one scale, `numbers` and `levels` learn the encoding of one column,
`encoder` that of a table. `target` has the target. Frames of pandas, polars and pyarrow are read by narwhals.
"""
