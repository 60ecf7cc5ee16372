"""Tests of the bundle, its graph and its predictions."""
