"""Benchmarks of the service beside other ways to build it: scripts/bench runs them."""
