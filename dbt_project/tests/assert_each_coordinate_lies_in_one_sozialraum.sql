-- A coordinate that was located twice would double every person registered there. Returns Kommunen only.
select distinct ags
from (
    select ags
    from {{ source('geography', 'verortung') }}
    group by ags, ostwert, nordwert
    having count(*) > 1
) as located_twice
