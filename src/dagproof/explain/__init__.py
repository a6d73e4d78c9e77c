"""What rules and laws say of themselves: ``dagproof explain``, and their pages in docs/."""
