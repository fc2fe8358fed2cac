-- Per feed, deliverer and year at most one delivery is accepted.
select
    feed,
    deliverer,
    year
from {{ ref('stg_control__delivery') }}
where state = 'accepted'
group by feed, deliverer, year
having count(*) > 1
