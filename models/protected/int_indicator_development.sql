{% set periods = [1, 2, 3, 4, 5] %}
{% set events = ['o1', 'o2', 'o3', 'o4', 'o5'] %}
{% set totals = ['n1', 'n2', 'n3', 'n4', 'n5'] %}
{% set weights = ['w1', 'w2', 'w3', 'w4', 'w5'] %}
{% set weighted = ['yw1', 'yw2', 'yw3', 'yw4', 'yw5'] %}

with observations as (
    select * from {{ ref('int_indicator_value') }}
),

-- A changed definition of numerator or denominator begins another series.
definitions as (
    select
        indicators.indicator_id,
        definition_breaks.year as first_year,
        '|' || cast(definition_breaks.year as string) as definition
    from {{ ref('definition_breaks') }} as definition_breaks
    inner join {{ ref('indicators') }} as indicators
        on
            definition_breaks.measure_id in (indicators.numerator_measure, indicators.denominator_measure)
),

observed_definitions as (
    select
        observations.indicator_id,
        observations.year,
        max(definitions.definition) as definition
    from observations
    inner join definitions
        on
            observations.indicator_id = definitions.indicator_id
            and observations.year >= definitions.first_year
    group by observations.indicator_id, observations.year
),

usable as (
    select
        observations.*,
        observations.value_status in ('ok', 'zero') as is_usable,
        observations.series_key || coalesce(observed_definitions.definition, '') as defined_key
    from observations
    left join observed_definitions
        on
            observations.indicator_id = observed_definitions.indicator_id
            and observations.year = observed_definitions.year
),

previous as (
    -- The previous observation is the last one with a published value, however long ago.
    select
        boundary,
        area_id,
        year,
        indicator_id,
        kind,
        value,
        defined_key as series_key,
        is_redrawn,
        lag(year) over (partition by boundary, area_id, indicator_id order by year) as previous_year,
        lag(value) over (partition by boundary, area_id, indicator_id order by year) as previous_value,
        lag(defined_key) over (partition by boundary, area_id, indicator_id order by year)
            as previous_series_key
    from usable
    where is_usable
),

changes as (
    select
        boundary,
        area_id,
        year,
        indicator_id,
        previous_year as change_since_year,
        -- The first figure of an area in a new shape is one too: as counted there is nothing before it.
        coalesce(previous_series_key != series_key, is_redrawn) as is_break,
        case when previous_series_key = series_key then value - previous_value end as change_absolute,
        -- A balance has no size that it could be a percentage of.
        case
            when previous_series_key = series_key and coalesce(kind, '') != 'balance'
                then 100 * (value / nullif(previous_value, 0) - 1)
        end as change_percent
    from previous
),

trend_inputs as (
    select
        boundary,
        area_id,
        year,
        indicator_id,
        interval_method,
        coalesce(period_years, 1) as period_years,
        defined_key as series_key,
        case when is_usable then numerator end as o,
        case when is_usable then denominator end as n,
        -- Inverse variance of the value; the interval is 3.92 standard errors wide.
        case when is_usable then power(3.92 / nullif(ci_upper - ci_lower, 0), 2) end as w,
        value
    from usable
),

windows as (
    select
        boundary,
        area_id,
        year,
        indicator_id,
        interval_method,
        period_years,
        {% for period in periods %}
            lag(o, {{ 5 - period }}) over five_years as o{{ period }},
            lag(n, {{ 5 - period }}) over five_years as n{{ period }},
            lag(w, {{ 5 - period }}) over five_years as w{{ period }},
            lag(value * w, {{ 5 - period }}) over five_years as yw{{ period }},
            lag(series_key, {{ 5 - period }}) over five_years as s{{ period }},
        {% endfor %}
        lag(year, 4) over five_years as first_year
    from trend_inputs
    window five_years as (partition by boundary, area_id, indicator_id order by year)
),

comparable as (
    -- Comparisons with NULL are not true: one missing or suppressed year makes the window incomparable.
    select
        *,
        coalesce(
            first_year = year - 4 * period_years
            and s1 = s5 and s2 = s5 and s3 = s5 and s4 = s5,
            false
        ) as is_comparable
    from windows
),

tested as (
    select
        boundary,
        area_id,
        year,
        indicator_id,
        case
            when
                is_comparable
                and interval_method = 'wilson'
                and o1 < n1 and o2 < n2 and o3 < n3 and o4 < n4 and o5 < n5
                then {{ trend_chi2_proportion(events, totals) }}
            when is_comparable and interval_method = 'byar'
                then {{ trend_chi2_weighted(weighted, weights) }}
        end as chi2,
        case interval_method
            when 'wilson' then sign({{ trend_slope_proportion(events, totals) }})
            else sign({{ trend_slope_weighted(weighted, weights) }})
        end as direction,
    {% for left_out in periods %}
        case interval_method
            when 'wilson' then sign({{ trend_slope_proportion(events, totals, left_out) }})
            else sign({{ trend_slope_weighted(weighted, weights, left_out) }})
        end as direction_without_{{ left_out }}{{ ',' if not loop.last }}
    {% endfor %}
    from comparable
),

trends as (
    select
        boundary,
        area_id,
        year,
        indicator_id,
        chi2,
        case
            when chi2 is null then 'nicht_berechenbar'
            when
                chi2 > {{ trend_critical_value() }}
                {% for left_out in periods %}
                    and direction_without_{{ left_out }} = direction
                {% endfor %}
                then case when direction > 0 then 'steigend' when direction < 0 then 'fallend' end
            else 'kein_trend'
        end as trend
    from tested
),

final as (
    select
        trends.boundary,
        trends.area_id,
        trends.year,
        trends.indicator_id,
        changes.change_since_year,
        coalesce(changes.is_break, false) as is_break,
        changes.change_absolute,
        changes.change_percent,
        trends.chi2,
        trends.trend
    from trends
    left join changes
        on
            trends.boundary = changes.boundary
            and trends.area_id = changes.area_id
            and trends.year = changes.year
            and trends.indicator_id = changes.indicator_id
)

select * from final
order by boundary, area_id, indicator_id, year
