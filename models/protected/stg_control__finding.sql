{{ config(materialized='view') }}

select
    gate,
    delivery_id,
    feed,
    deliverer,
    cast(year as int) as year,
    area_id,
    expectation,
    column_name,
    severity,
    passed,
    message
from {{ source('control', 'finding') }}
