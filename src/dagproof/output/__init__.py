"""What leaves dagproof: text for a terminal, files, and the report of a fault of its own."""
