"""Drop-in modules with the names and manners of other pools, over the verified core."""
