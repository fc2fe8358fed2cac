with observations as (
    select * from {{ ref('int_indicator_value') }}
),

development as (
    select * from {{ ref('int_indicator_development') }}
),

indicators as (
    select * from {{ ref('indicators') }}
),

benchmarks as (
    -- A count of the Kreis is no yardstick for a count of one of its parts.
    select
        observations.boundary,
        observations.year,
        observations.indicator_id,
        observations.value as benchmark_kreis
    from observations
    inner join indicators on observations.indicator_id = indicators.indicator_id
    where observations.level = 'kreis' and indicators.denominator_measure is not null
),

joined as (
    select
        observations.*,
        indicators.polarity,
        case when observations.value_status != 'not_applicable' then benchmarks.benchmark_kreis end
            as benchmark_kreis
    from observations
    inner join indicators on observations.indicator_id = indicators.indicator_id
    left join benchmarks
        on
            observations.boundary = benchmarks.boundary
            and observations.year = benchmarks.year
            and observations.indicator_id = benchmarks.indicator_id
),

compared as (
    select
        *,
        case
            when level = 'kreis' or benchmark_kreis is null or ci_lower is null or ci_upper is null then null
            when benchmark_kreis between ci_lower and ci_upper then 'aehnlich'
            when polarity = 'neutral' and value > benchmark_kreis then 'hoeher'
            when polarity = 'neutral' then 'niedriger'
            when polarity = 'strength' and value > benchmark_kreis then 'guenstiger'
            when polarity = 'burden' and value < benchmark_kreis then 'guenstiger'
            else 'unguenstiger'
        end as vs_kreis
    from joined
),

final as (
    select
        compared.area_id,
        cast(compared.year as int) as year,
        compared.indicator_id,
        compared.value,
        compared.value_status,
        compared.numerator,
        compared.denominator,
        compared.ci_lower,
        compared.ci_upper,
        compared.numerator_date,
        compared.denominator_date,
        compared.boundary,
        compared.conversion_method,
        compared.conversion_error,
        compared.benchmark_kreis,
        compared.vs_kreis,
        development.change_absolute,
        development.change_percent,
        cast(development.change_since_year as int) as change_since_year,
        development.is_break,
        development.trend
    from compared
    inner join development
        on
            compared.boundary = development.boundary
            and compared.area_id = development.area_id
            and compared.year = development.year
            and compared.indicator_id = development.indicator_id
)

select * from final
order by boundary, area_id, indicator_id, year
