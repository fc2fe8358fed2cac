-- One row per finding that did not pass.
select
    gate,
    severity,
    feed,
    deliverer,
    year,
    area_id,
    message
from meta_finding
where not passed
order by severity, gate, feed, year, deliverer, area_id, message
