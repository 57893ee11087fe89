"""Adapters of other pools for the conformance suite, one module each."""
