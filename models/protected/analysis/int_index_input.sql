with indices as (
    select * from {{ ref('indices') }}
),

parts as (
    select
        index_indicators.index_id,
        index_indicators.indicator_id,
        index_indicators.weight * case dim_indicator.polarity when 'burden' then 1 when 'strength' then -1 end
            as weight,
        dim_indicator.interval_method,
        dim_indicator.scale,
        count(*) over (partition by index_indicators.index_id) as n_parts
    from {{ ref('index_indicators') }} as index_indicators
    inner join {{ ref('dim_indicator') }} as dim_indicator
        on index_indicators.indicator_id = dim_indicator.indicator_id
),

needed as (
    select indicator_id from parts
    union
    select 'population' as indicator_id
),

-- Few of a state's ten million figures are needed, but each four times.
facts as (
    select fct_indicator.*
    from {{ ref('fct_indicator') }} as fct_indicator
    inner join needed on fct_indicator.indicator_id = needed.indicator_id
    where fct_indicator.boundary = 'current'
),

areas as (
    select
        area_id,
        parent_area_id
    from {{ ref('dim_area') }}
    where level = 'sozialraum' and valid_to is null
),

excluded as (
    select * from {{ ref('index_excluded_areas') }}
),

-- A year has an index where each of its indicators has a published value somewhere.
index_years as (
    select
        parts.index_id,
        facts.year
    from parts
    inner join facts on parts.indicator_id = facts.indicator_id
    inner join areas on facts.area_id = areas.area_id
    where facts.value_status in ('ok', 'zero')
    group by parts.index_id, facts.year
    having count(distinct parts.indicator_id) = max(parts.n_parts)
),

observed as (
    select
        parts.index_id,
        areas.area_id,
        areas.parent_area_id,
        index_years.year,
        parts.indicator_id,
        parts.weight,
        parts.interval_method,
        parts.scale,
        indices.dynamics_years,
        indices.minimum_population,
        case when facts.value_status in ('ok', 'zero') then facts.value end as value,
        facts.numerator,
        facts.denominator,
        coalesce(facts.value_status, 'missing') as value_status,
        case when earlier.value_status in ('ok', 'zero') then earlier.value end as previous_value,
        earlier.numerator as previous_numerator,
        earlier.denominator as previous_denominator,
        coalesce(earlier.value_status, 'missing') as previous_status,
        inhabitants.value as population,
        coalesce(inhabitants.value_status, 'missing') as population_status,
        excluded.area_id is not null as is_excluded
    from index_years
    inner join indices on index_years.index_id = indices.index_id
    inner join parts on index_years.index_id = parts.index_id
    cross join areas
    left join facts
        on
            areas.area_id = facts.area_id
            and index_years.year = facts.year
            and parts.indicator_id = facts.indicator_id
    left join facts as earlier
        on
            areas.area_id = earlier.area_id
            and index_years.year - indices.dynamics_years = earlier.year
            and parts.indicator_id = earlier.indicator_id
    left join facts as inhabitants
        on
            areas.area_id = inhabitants.area_id
            and index_years.year = inhabitants.year
            and inhabitants.indicator_id = 'population'
    left join excluded
        on
            index_years.index_id = excluded.index_id
            and areas.area_id = excluded.area_id
),

broken as (
    select distinct
        observed.index_id,
        observed.area_id,
        observed.year,
        observed.indicator_id
    from observed
    inner join facts
        on
            observed.area_id = facts.area_id
            and observed.indicator_id = facts.indicator_id
            and observed.year >= facts.year
            and observed.year - observed.dynamics_years < facts.year
    where facts.is_break
),

compared as (
    select
        observed.*,
        broken.area_id is not null as is_broken,
        case when broken.area_id is null then observed.value - observed.previous_value end as change
    from observed
    left join broken
        on
            observed.index_id = broken.index_id
            and observed.area_id = broken.area_id
            and observed.year = broken.year
            and observed.indicator_id = broken.indicator_id
),

judged as (
    select
        *,
        case
            when is_excluded then 'ausgenommen'
            when population < minimum_population then 'zu_klein'
            when
                population_status = 'suppressed'
                or max(case when value_status = 'suppressed' then 1 else 0 end) over area = 1
                then 'suppressed'
            when population is null or count(value) over area < count(*) over area then 'not_computable'
            else 'ok'
        end as area_status,
        max(case when previous_status = 'suppressed' then 1 else 0 end) over area = 1 as is_past_suppressed,
        count(change) over area = count(*) over area as is_change_known
    from compared
    window area as (partition by index_id, area_id, year)
),

scoped as (
    select
        *,
        cast('{{ var("kreis_id") }}' as string) as comparison_area_id
    from judged
    union all
    select
        *,
        parent_area_id as comparison_area_id
    from judged
),

final as (
    select
        index_id,
        comparison_area_id,
        area_id,
        cast(year as int) as year,
        indicator_id,
        weight,
        interval_method,
        scale,
        case when area_status = 'ok' then value end as value,
        case when area_status = 'ok' and is_change_known then change end as change,
        case when area_status = 'ok' then numerator end as numerator,
        case when area_status = 'ok' then denominator end as denominator,
        case when area_status = 'ok' and is_change_known then previous_numerator end as previous_numerator,
        case when area_status = 'ok' and is_change_known then previous_denominator end
            as previous_denominator,
        area_status,
        case
            when area_status != 'ok' then area_status
            when is_change_known then 'ok'
            when is_past_suppressed then 'suppressed'
            else 'not_computable'
        end as change_status
    from scoped
)

select * from final
order by index_id, comparison_area_id, year, area_id, indicator_id
