"""How good the shop's raw data is: checks, declared in one place, and the score that they give a day."""
