"""Where runs go on that do not run in this process: one module per engine.

An executor is made by name: see ``configured``. ``handed_off`` is what those have in common that hand
a run to workers: it sends by ``delivery``, in ``threads``, and sees by ``lookout`` what becomes of it.
``order`` is what travels to another process, and ``worker`` what happens there. ``processes`` hands runs
to a ``child``, in which ``child_main`` goes on.
"""
