-- The last look before the release: no numerator or denominator of so few persons. Keys only.
select
    facts.area_id,
    facts.year,
    facts.indicator_id
from {{ ref('fct_indicator') }} as facts
inner join {{ ref('indicators') }} as indicators on facts.indicator_id = indicators.indicator_id
left join {{ ref('measures') }} as numerators on indicators.numerator_measure = numerators.measure_id
left join {{ ref('measures') }} as denominators on indicators.denominator_measure = denominators.measure_id
where
    (
        numerators.counts_persons
        and facts.numerator > 0
        and facts.numerator < {{ var("minimum_count") }}
    )
    or (
        denominators.counts_persons
        and facts.denominator > 0
        and facts.denominator < {{ var("minimum_count") }}
    )
union all
select
    area_id,
    year,
    age_band as indicator_id
from {{ ref('fct_population') }}
where population > 0 and population < {{ var("minimum_count") }}
