-- A customer cancels an order: it disappears from the source.
DELETE FROM placed_orders WHERE number = (SELECT min(number) FROM placed_orders WHERE placed_at::date = '{date}');
