-- Every published number can be followed back to a delivery.
select
    facts.boundary,
    facts.area_id,
    facts.year,
    facts.indicator_id
from {{ ref('fct_indicator') }} as facts
left join {{ ref('meta_lineage') }} as lineage
    on
        facts.boundary = lineage.boundary
        and facts.area_id = lineage.area_id
        and facts.year = lineage.year
        and facts.indicator_id = lineage.indicator_id
        and lineage.role = 'numerator'
where facts.value is not null and lineage.delivery_id is null
