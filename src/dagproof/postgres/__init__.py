"""PostgreSQL servers for worlds, and the proxy between a DAG and them."""
