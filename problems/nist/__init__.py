"""The 27 nonlinear regression data sets of NIST's Statistical Reference Datasets, with certified values."""
