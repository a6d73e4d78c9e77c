{{ config(materialized="view") }}
SELECT dt, customer, amount FROM raw_orders
