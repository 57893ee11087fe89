"""Level L1 of the suite: every interleaving of a pool that knows nothing of this project.

    checking = Checking("mypkg.adapters")
    print(checking.check("size=1: acquire release | acquire(1) release", "lines"))

The pool's modules are loaded once more over scheduled copies of `threading`, `queue` and `time`.
"""
