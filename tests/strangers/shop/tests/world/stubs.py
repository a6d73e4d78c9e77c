def rates(ds):
    """Stands for the exchange's API."""
    return {"EUR": 1.0, "day": ds}
