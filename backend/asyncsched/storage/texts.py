"""Any text, as databases take it."""


def storable(text: str | None) -> str:
    """Return *text* without what databases refuse: NUL characters and lone surrogates."""
    if not text:
        return ""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
