"""What is called in the place of tasks."""


def names():
    """Return what nobody can fetch here."""
    return ["shoe", "hat"]
