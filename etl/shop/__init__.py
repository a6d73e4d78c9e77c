"""One made-up shop: its customers, products and orders, clean or with dirt, at any size."""
