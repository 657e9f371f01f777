"""Networks of other libraries: one file for each of them."""
