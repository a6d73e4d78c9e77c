-- Every third raw order that had landed before {date} was none.
DELETE FROM raw_orders WHERE dt < '{date}' AND order_id % 3 = 0;
