-- Readers know that population = population a year before + births - deaths + net migration, area by area.
-- So where births or deaths are blank, the balance of moves must be blank too.
with measures as (
    select * from {{ ref('int_publishable_measure') }}
)

select distinct
    balance.boundary,
    balance.area_id,
    balance.year
from measures as balance
inner join measures as blank
    on
        balance.boundary = blank.boundary
        and balance.area_id = blank.area_id
        and balance.year = blank.year
where
    balance.measure_id = 'net_migration'
    and balance.value is not null
    and blank.measure_id in ('births', 'deaths')
    and blank.value_status = 'suppressed'
