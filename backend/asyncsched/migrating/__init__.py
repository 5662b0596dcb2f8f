"""The way over: schedules of other schedulers, read where a project defines them, and written as ours.

A source is a module with ``read(where) -> list[Found | LeftOut]``; `sources` has them by name. *where* says
where the definitions are, if that is not where the other scheduler itself looks: what that means is
the source's own, and said in its docstring. `naming` then gives each a name that is free, `writing`
makes the text of a ``tasks.py`` of it, and `contrasts` the table of what means something else.
Nothing here needs the other package to be installed until its source is read.
"""
