-- A coordinate that was located twice in one version of the areas would double every person registered there.
-- Returns Kommunen only.
select distinct ags
from (
    select ags
    from {{ source('geography', 'verortung') }}
    group by ags, ostwert, nordwert, valid_from
    having count(*) > 1
) as located_twice
