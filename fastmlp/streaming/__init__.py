"""Data larger than memory: files that are read block by block while the engine trains.

columns (what a table holds) · files, arrays (what is read) · sources (which files) · classes (labels) · summary (the
one pass) · order (the shuffle) · filling (a chunk as a network takes it) · reader (the thread that reads ahead) ·
rows (the rows of one training) · stream (what users hold).
"""
