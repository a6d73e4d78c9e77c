"""`dagproof prove`: puts a DAG to its laws, in one process or in several."""
