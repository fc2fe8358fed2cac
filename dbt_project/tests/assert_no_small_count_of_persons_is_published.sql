-- The last look before the release: no numerator or denominator of so few persons. Keys only.
select
    facts.area_id,
    facts.year,
    facts.indicator_id
from {{ ref('fct_indicator') }} as facts
inner join {{ ref('indicators') }} as indicators on facts.indicator_id = indicators.indicator_id
left join
    {{ ref('stg_control__disclosure_rule') }} as numerators
    on indicators.numerator_measure = numerators.measure_id
left join
    {{ ref('stg_control__disclosure_rule') }} as denominators
    on indicators.denominator_measure = denominators.measure_id
where
    (facts.numerator < numerators.minimum and (facts.numerator > 0 or not numerators.zeros_shown))
    or (facts.denominator < denominators.minimum and (facts.denominator > 0 or not denominators.zeros_shown))
union all
select
    area_id,
    year,
    age_band as indicator_id
from {{ ref('fct_population') }}
cross join {{ ref('stg_control__disclosure_rule') }} as rules
where
    rules.measure_id = 'population'
    and population < rules.minimum
    and (population > 0 or not rules.zeros_shown)
