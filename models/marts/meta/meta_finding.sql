select
    gate,
    delivery_id,
    feed,
    deliverer,
    year,
    area_id,
    expectation,
    column_name,
    severity,
    passed,
    message
from {{ ref('stg_control__finding') }}
order by gate, feed, year, deliverer, delivery_id, area_id, expectation, column_name, message
