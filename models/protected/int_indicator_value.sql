with indicators as (
    select * from {{ ref('indicators') }}
),

measure_facts as (
    select * from {{ ref('measures') }}
),

rules as (
    select
        measure_id,
        minimum_denominator
    from {{ ref('stg_control__disclosure_rule') }}
),

areas as (
    select * from {{ ref('int_area_year') }}
),

years as (
    select * from {{ ref('int_year') }}
),

measures as (
    select * from {{ ref('int_publishable_measure') }}
),

measure_years as (
    select distinct
        measure_id,
        year
    from measures
),

indicator_years as (
    select
        indicators.indicator_id,
        indicators.cadence,
        numerators.year
    from indicators
    inner join measure_years as numerators on indicators.numerator_measure = numerators.measure_id
    left join measure_years as denominators
        on
            indicators.denominator_measure = denominators.measure_id
            and numerators.year = denominators.year
    where indicators.denominator_measure is null or denominators.year is not null
),

first_years as (
    select
        indicator_id,
        min(year) as first_year
    from indicator_years
    group by indicator_id
),

last_annual_year as (
    select max(year) as last_year
    from indicator_years
    where cadence = 'annual'
),

due as (
    -- An annual indicator owes a row for every year since its first, up to the newest year of any of them.
    select
        indicators.indicator_id,
        years.year
    from indicators
    inner join first_years on indicators.indicator_id = first_years.indicator_id
    cross join last_annual_year
    inner join years on first_years.first_year <= years.year and last_annual_year.last_year >= years.year
    where indicators.cadence = 'annual'
    union
    -- A biennial one for every second year, and never for the year between.
    select
        indicators.indicator_id,
        years.year
    from indicators
    inner join first_years on indicators.indicator_id = first_years.indicator_id
    cross join last_annual_year
    inner join years on first_years.first_year <= years.year and last_annual_year.last_year >= years.year
    where indicators.cadence = 'biennial' and (years.year - first_years.first_year) % 2 = 0
    union
    select
        indicator_id,
        year
    from indicator_years
    where cadence != 'annual'
),

joined as (
    select
        areas.boundary,
        areas.area_id,
        due.year,
        due.indicator_id,
        areas.level,
        areas.parent_area_id,
        areas.is_redrawn,
        -- As counted, a figure compares with those of the same area in the same shape only.
        case when areas.boundary = 'as_counted' then '|' || cast(areas.same_since as string) end as shape,
        indicators.kind,
        indicators.scale,
        indicators.interval_method,
        case when indicators.cadence = 'biennial' then 2 else 1 end as period_years,
        numerator_facts.unit = 'years' as is_mean_of_persons,
        -- The strictest of the indicator's own and of what both feeds demand.
        greatest(
            coalesce(indicators.minimum_denominator, 0),
            coalesce(numerator_rules.minimum_denominator, 0),
            coalesce(denominator_rules.minimum_denominator, 0)
        ) as minimum_denominator,
        indicators.denominator_measure is not null as has_denominator,
        case areas.level when 'kreis' then 1 when 'kommune' then 2 else 3 end
        between case coalesce(indicators.coarsest_level, 'kreis')
            when 'kreis' then 1 when 'kommune' then 2 else 3
        end
        and case indicators.finest_level when 'kreis' then 1 when 'kommune' then 2 else 3 end
        -- Whom the register and whom the Jobcenter cannot locate are not the same persons.
        and not (areas.level = 'nicht_verortbar' and indicators.denominator_measure is not null)
            as is_applicable,
        numerators.value as numerator,
        numerators.value_status as numerator_status,
        numerators.reference_date as numerator_date,
        numerators.feed as numerator_feed,
        numerators.conversion_error as numerator_error,
        denominators.value as denominator,
        denominators.value_status as denominator_status,
        denominators.reference_date as denominator_date,
        denominators.feed as denominator_feed,
        coalesce(denominators.conversion_error, 0) as denominator_error,
        case
            when 'flaechengewichtet' in (numerators.conversion_method, denominators.conversion_method)
                then 'flaechengewichtet'
            when 'einwohnergewichtet' in (numerators.conversion_method, denominators.conversion_method)
                then 'einwohnergewichtet'
            when 'gezaehlt' in (numerators.conversion_method, denominators.conversion_method) then 'gezaehlt'
            else 'unveraendert'
        end as conversion_method,
        case
            when denominator_facts.is_population_based then denominators.reference_date
            when numerator_facts.is_population_based then numerators.reference_date
        end as basis_date
    from due
    inner join indicators on due.indicator_id = indicators.indicator_id
    inner join areas on due.year = areas.year
    inner join measure_facts as numerator_facts on indicators.numerator_measure = numerator_facts.measure_id
    left join measure_facts as denominator_facts
        on indicators.denominator_measure = denominator_facts.measure_id
    left join rules as numerator_rules on indicators.numerator_measure = numerator_rules.measure_id
    left join rules as denominator_rules on indicators.denominator_measure = denominator_rules.measure_id
    left join measures as numerators
        on
            areas.boundary = numerators.boundary
            and areas.area_id = numerators.area_id
            and due.year = numerators.year
            and indicators.numerator_measure = numerators.measure_id
    left join measures as denominators
        on
            areas.boundary = denominators.boundary
            and areas.area_id = denominators.area_id
            and due.year = denominators.year
            and indicators.denominator_measure = denominators.measure_id
),

judged as (
    select
        joined.*,
        years.population_basis,
        case
            when not is_applicable then 'not_applicable'
            when numerator_status = 'suppressed' or denominator_status = 'suppressed' then 'suppressed'
            when coalesce(numerator_status, 'missing') = 'missing' then 'missing'
            when has_denominator and coalesce(denominator_status, 'missing') = 'missing' then 'missing'
            when numerator_status = 'not_applicable' or denominator_status = 'not_applicable'
                then 'not_applicable'
            -- A share of nobody does not exist.
            when has_denominator and denominator = 0 then 'not_applicable'
            when numerator_status = 'unreliable' or denominator_status = 'unreliable' then 'unreliable'
            when has_denominator and denominator < minimum_denominator then 'unreliable'
            -- Two sources disagree about who lives here: more than all cannot be a proportion.
            when interval_method = 'wilson' and numerator > denominator then 'unreliable'
            when numerator = 0 then 'zero'
            else 'ok'
        end as value_status
    from joined
    left join years on extract(year from joined.basis_date) = years.year
),

published as (
    select
        *,
        case
            when value_status in ('suppressed', 'not_applicable') or is_mean_of_persons then null
            else numerator
        end as shown_numerator,
        case
            when value_status = 'suppressed' or not is_applicable then null
            else denominator
        end as shown_denominator,
        value_status in ('ok', 'zero')
        or (value_status = 'unreliable' and (not has_denominator or denominator >= minimum_denominator))
            as has_value
    from judged
),

final as (
    select
        boundary,
        area_id,
        year,
        indicator_id,
        level,
        parent_area_id,
        is_redrawn,
        kind,
        interval_method,
        period_years,
        scale,
        value_status,
        shown_numerator as numerator,
        shown_denominator as denominator,
        case when is_applicable then numerator_date end as numerator_date,
        case when is_applicable then denominator_date end as denominator_date,
        case
            -- To one decimal: what it says of a single person disappears in it.
            when has_value and is_mean_of_persons then round(numerator * scale / nullif(denominator, 0), 1)
            when has_value and has_denominator then numerator * scale / nullif(denominator, 0)
            when has_value then numerator * scale
        end as value,
        case
            when value_status in ('ok', 'zero') and interval_method = 'wilson'
                then {{ wilson('lower', 'numerator', 'denominator') }} * scale
            when value_status in ('ok', 'zero') and interval_method = 'byar'
                then {{ byar('lower', 'numerator') }} * scale / nullif(denominator, 0)
        end as ci_lower,
        case
            when value_status in ('ok', 'zero') and interval_method = 'wilson'
                then {{ wilson('upper', 'numerator', 'denominator') }} * scale
            when value_status in ('ok', 'zero') and interval_method = 'byar'
                then {{ byar('upper', 'numerator') }} * scale / nullif(denominator, 0)
        end as ci_upper,
        case
            when
                (has_value and numerator is not null)
                or coalesce(shown_numerator, shown_denominator) is not null
                then conversion_method
        end as conversion_method,
        -- Of numerator and denominator, as if independent; in the unit of the value.
        case
            when has_value and has_denominator
                then
                    scale / nullif(denominator, 0) * sqrt(
                        power(numerator_error, 2)
                        + power(numerator / nullif(denominator, 0) * denominator_error, 2)
                    )
            when has_value then scale * numerator_error
        end as conversion_error,
        case
            when value_status in ('ok', 'zero')
                then
                    numerator_feed
                    || '|' || coalesce(denominator_feed, '')
                    || '|' || coalesce(population_basis, '')
                    || coalesce(shape, '')
        end as series_key
    from published
)

select * from final
order by boundary, area_id, indicator_id, year
