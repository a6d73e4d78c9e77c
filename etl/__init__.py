"""What the warehouse's tasks do: plain typed functions.

Nothing here imports Airflow, and nothing here reads the clock, a host name, a
process id or a source of randomness: the same date and the same input leave the
same bytes and the same rows, whoever runs it and whenever.
"""
