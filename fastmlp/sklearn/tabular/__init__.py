"""Estimators for tables as they come: `base` has what both share, `recipe` how their networks are trained."""
