{{ config(materialized="incremental") }}
SELECT dt, customer, sum(amount) AS amount FROM stg_orders WHERE dt = '{{ var("ds") }}' GROUP BY dt, customer
