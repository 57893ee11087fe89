"""The conformance suite: what a pool must do, as checks that any pool can be put to."""
