with indicators as (
    select * from {{ ref('indicators') }}
),

measures as (
    select * from {{ ref('measures') }}
),

final as (
    select
        indicators.indicator_id,
        indicators.title,
        indicators.short_description,
        indicators.theme_id,
        indicators.kind,
        indicators.unit,
        indicators.polarity,
        indicators.numerator_measure,
        numerators.unit as numerator_unit,
        indicators.denominator_measure,
        denominators.unit as denominator_unit,
        indicators.scale,
        indicators.cadence,
        indicators.coarsest_level,
        indicators.finest_level,
        indicators.interval_method,
        indicators.source,
        indicators.caveat,
        indicators.minimum_denominator,
        indicators.is_core,
        indicators.sort_order
    from indicators
    inner join measures as numerators on indicators.numerator_measure = numerators.measure_id
    left join measures as denominators on indicators.denominator_measure = denominators.measure_id
)

select * from final
order by sort_order
