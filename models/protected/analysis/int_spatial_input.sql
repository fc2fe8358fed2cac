with indicators as (
    select indicator_id from {{ ref('dim_indicator') }}
    where finest_level = 'sozialraum' and denominator_measure is not null
),

areas as (
    select area_id from {{ ref('dim_area') }}
    where level = 'sozialraum' and valid_to is null
),

observed as (
    select
        facts.indicator_id,
        facts.year,
        facts.area_id,
        facts.value_status,
        case when facts.value_status in ('ok', 'zero') then facts.value end as value
    from {{ ref('fct_indicator') }} as facts
    inner join indicators on facts.indicator_id = indicators.indicator_id
    inner join areas on facts.area_id = areas.area_id
    where facts.boundary = 'current'
),

final as (
    select
        *,
        count(value) over (partition by indicator_id, year) as n_values
    from observed
)

select
    indicator_id,
    year,
    area_id,
    value_status,
    value
from final
where n_values > 0
order by indicator_id, year, area_id
