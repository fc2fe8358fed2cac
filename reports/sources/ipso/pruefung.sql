-- One row per gate: how many checks ran and how they ended.
select
    gate,
    count(*) as pruefungen,
    count(*) filter (where passed) as bestanden,
    count(*) filter (where not passed and severity = 'warning') as warnungen,
    count(*) filter (where not passed and severity = 'error') as fehler
from meta_finding
group by gate
order by gate
