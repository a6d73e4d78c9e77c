"""A small model that scores transactions, the server that it runs behind, and the client of such servers."""
