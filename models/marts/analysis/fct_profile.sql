with facts as (
    select * from {{ ref('fct_indicator') }}
    where boundary = 'current'
),

indicators as (
    -- Only what is better or worse, and comes with an interval, can be a strength or a weakness.
    select * from {{ ref('dim_indicator') }}
    where
        polarity in ('burden', 'strength')
        and finest_level = 'sozialraum'
        and interval_method != 'none'
),

areas as (
    select area_id from {{ ref('dim_area') }}
    where level = 'sozialraum' and valid_to is null
),

patterns as (
    select * from {{ ref('profile_patterns') }}
),

observed as (
    select
        facts.area_id,
        facts.year,
        indicators.indicator_id,
        indicators.theme_id,
        indicators.title,
        indicators.unit,
        facts.value,
        facts.value_status,
        facts.ci_lower,
        facts.ci_upper,
        facts.benchmark_kreis,
        facts.vs_kreis,
        coalesce(inhabitants.value < {{ var('profile_minimum_population') }}, false) as is_too_small,
        case
            when facts.trend = 'kein_trend' then 'stabil'
            when facts.trend = 'nicht_berechenbar' then 'unbekannt'
            when (facts.trend = 'steigend') = (indicators.polarity = 'burden') then 'verschlechternd'
            else 'verbessernd'
        end as development,
        min(case when facts.value is not null then facts.year end) over (partition by indicators.indicator_id)
            as first_year,
        lag(facts.vs_kreis) over (partition by facts.area_id, indicators.indicator_id order by facts.year)
            as previous_vs_kreis,
        -- The trend looks at five observations in a row.
        lag(facts.year, 4) over (partition by facts.area_id, indicators.indicator_id order by facts.year)
            as trend_since_year,
        lag(facts.value, 4) over (partition by facts.area_id, indicators.indicator_id order by facts.year)
            as trend_since_value
    from facts
    inner join indicators on facts.indicator_id = indicators.indicator_id
    inner join areas on facts.area_id = areas.area_id
    left join facts as inhabitants
        on
            facts.area_id = inhabitants.area_id
            and facts.year = inhabitants.year
            and inhabitants.indicator_id = 'population'
    where facts.value_status != 'not_applicable'
),

runs as (
    select
        *,
        sum(case when vs_kreis = previous_vs_kreis then 0 else 1 end)
            over (partition by area_id, indicator_id order by year rows unbounded preceding)
            as run
    from observed
),

lasting as (
    select
        *,
        row_number() over (partition by area_id, indicator_id, run order by year) as years_in_a_row
    from runs
),

matched as (
    select
        lasting.area_id,
        lasting.year,
        lasting.indicator_id,
        patterns.pattern,
        patterns.kind,
        patterns.title as pattern_title,
        patterns.sort_order as pattern_order,
        row_number() over (
            partition by lasting.area_id, lasting.year, lasting.indicator_id order by patterns.match_order
        ) as choice
    from lasting
    inner join patterns
        on
            lasting.vs_kreis = patterns.vs_kreis
            and lasting.development = coalesce(patterns.development, lasting.development)
            and lasting.years_in_a_row >= patterns.minimum_years
    where not lasting.is_too_small
),

joined as (
    select
        lasting.*,
        matched.pattern,
        matched.kind,
        matched.pattern_title,
        matched.pattern_order,
        case
            when matched.pattern is not null then 'ok'
            when lasting.is_too_small then 'not_applicable'
            when lasting.value_status = 'suppressed' then 'suppressed'
            else 'not_computable'
        end as profile_status,
        {{ german_unit('lasting.unit') }} as unit_text
    from lasting
    left join matched
        on
            lasting.area_id = matched.area_id
            and lasting.year = matched.year
            and lasting.indicator_id = matched.indicator_id
            and matched.choice = 1
    where lasting.year >= lasting.first_year
),

spoken as (
    select
        *,
        title || ': ' || cast(year as string) || ' mit '
        || {{ german_number('value') }} || unit_text
        || ' (95-%-Bereich ' || {{ german_number('ci_lower') }} || ' bis ' || {{ german_number('ci_upper') }}
        || unit_text || ') '
        || case vs_kreis
            when 'unguenstiger' then 'ungünstiger als der Kreis'
            when 'guenstiger' then 'günstiger als der Kreis'
            else 'ähnlich wie der Kreis'
        end
        || ' (' || {{ german_number('benchmark_kreis') }} || unit_text || ')'
        || case
            when years_in_a_row > 1 and vs_kreis != 'aehnlich'
                then ', zum ' || cast(years_in_a_row as string) || '. Mal in Folge'
            else ''
        end
        || case
            when development = 'stabil' then ', ohne Trend seit ' || cast(trend_since_year as string)
            when development in ('verschlechternd', 'verbessernd')
                then
                    ', seit ' || cast(trend_since_year as string) || ' von '
                    || {{ german_number('trend_since_value') }} || unit_text || ' aus '
                    || case development when 'verbessernd' then 'verbessert' else 'verschlechtert' end
            else ''
        end
        || '.' as told
    from joined
),

final as (
    select
        area_id,
        cast(year as int) as year,
        theme_id,
        indicator_id,
        profile_status as value_status,
        kind,
        pattern,
        pattern_title,
        cast(pattern_order as int) as pattern_order,
        case when pattern is not null then vs_kreis end as vs_kreis,
        case when pattern is not null then development end as development,
        case when pattern is not null then cast(years_in_a_row as int) end as years_in_a_row,
        case when pattern is not null then value end as value,
        case when pattern is not null then benchmark_kreis end as benchmark_kreis,
        case
            when pattern is not null then told
            when is_too_small
                then
                    title || ': ' || cast(year as string)
                    || ' nicht bewertet, weil hier zu wenige Menschen leben.'
            when profile_status = 'suppressed'
                then
                    title || ': ' || cast(year as string)
                    || ' nicht bewertbar, weil der Wert geheim gehalten wird.'
            when value_status in ('ok', 'zero')
                then
                    title || ': ' || cast(year as string)
                    || ' nicht bewertbar, weil ein Vergleichswert des Kreises fehlt.'
            else
                title || ': ' || cast(year as string)
                || ' nicht bewertbar, weil der Wert fehlt oder zu unsicher ist.'
        end as sentence
    from spoken
)

select * from final
order by area_id, indicator_id, year
