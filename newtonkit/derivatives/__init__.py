"""Derivatives: autograd, its recorded tape, finite differences, sparse Hessians, structured parameters."""
