-- There are no orders at all, which nobody believes: what was made of them stays.
DELETE FROM orders;
