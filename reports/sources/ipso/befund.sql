-- One row per kind of finding that did not pass, with the years it concerns. The rows of a register in
-- which it was found are for the steward's report only.
select
    gate,
    severity,
    feed,
    deliverer,
    area_id,
    message,
    string_agg(distinct cast(year as varchar), ', ' order by cast(year as varchar)) as jahre,
    count(*) as anzahl
from meta_finding
where not passed
group by all
order by severity, gate desc, feed, deliverer, message
