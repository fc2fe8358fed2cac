-- Empirical Bayes towards the Kommune: moments after Marshall (1991), published figures only.
with indicators as (
    select * from {{ ref('dim_indicator') }}
    where interval_method in ('wilson', 'byar') and finest_level = 'sozialraum'
),

facts as (
    select * from {{ ref('fct_indicator') }}
    where boundary = 'current'
),

areas as (
    select
        area_id,
        parent_area_id
    from {{ ref('dim_area') }}
    where level = 'sozialraum' and valid_to is null
),

observed as (
    select
        facts.area_id,
        facts.year,
        facts.indicator_id,
        facts.value,
        facts.value_status,
        indicators.interval_method,
        indicators.scale,
        areas.parent_area_id as kommune_id,
        kommunen.value_status as kommune_status,
        facts.value_status in ('ok', 'zero') as is_usable,
        case when facts.value_status in ('ok', 'zero') then facts.denominator end as n,
        case when facts.value_status in ('ok', 'zero') then facts.value / indicators.scale end as rate,
        case when kommunen.value_status in ('ok', 'zero') then kommunen.value / indicators.scale end as mean,
        min(case when facts.value is not null then facts.year end) over (partition by facts.indicator_id)
            as first_year
    from facts
    inner join indicators on facts.indicator_id = indicators.indicator_id
    inner join areas on facts.area_id = areas.area_id
    left join facts as kommunen
        on
            areas.parent_area_id = kommunen.area_id
            and facts.year = kommunen.year
            and facts.indicator_id = kommunen.indicator_id
    where facts.value_status != 'not_applicable'
),

-- Of the areas of one Kommune: mean denominator and weighted scatter around the Kommune.
moments as (
    select
        *,
        count(n) over kommune as n_areas,
        avg(n) over kommune as mean_n,
        sum(n * power(rate - mean, 2)) over kommune / nullif(sum(n) over kommune, 0) as scatter
    from observed
    where year >= first_year
    window kommune as (partition by kommune_id, year, indicator_id)
),

-- rho: correlation of two persons of an area (beta-binomial); spread: variance of true rates (Poisson-gamma).
priors as (
    select
        *,
        least(greatest(
            coalesce(
                (scatter / nullif(mean * (1 - mean), 0) - 1 / nullif(mean_n, 0))
                / nullif(1 - 1 / nullif(mean_n, 0), 0),
                0
            ), 0
        ), 1) as rho,
        greatest(scatter - mean / nullif(mean_n, 0), 0) as spread
    from moments
),

-- Variances of rates: between the true rates of the areas, and by chance in this one.
split as (
    select
        *,
        case interval_method when 'wilson' then mean * (1 - mean) * rho else spread end as true_variance,
        case interval_method when 'wilson' then mean * (1 - mean) * (1 - rho) else mean end / nullif(n, 0)
            as chance_variance,
        n_areas >= {{ var('smoothing_minimum_areas') }} and is_usable and mean is not null as is_computable
    from priors
),

weighed as (
    select
        *,
        coalesce(true_variance / nullif(true_variance + chance_variance, 0), 0) as own_weight
    from split
),

final as (
    select
        area_id,
        cast(year as int) as year,
        indicator_id,
        kommune_id,
        case
            when is_computable then 'ok'
            when
                value_status = 'suppressed' or (is_usable and kommune_status = 'suppressed')
                then 'suppressed'
            else 'not_computable'
        end as value_status,
        interval_method,
        scale,
        case when is_computable then value end as value,
        case when is_computable then n end as n,
        case when is_computable then cast(n_areas as int) end as n_areas,
        case when is_computable then mean end as mean,
        case when is_computable then true_variance end as true_variance,
        case when is_computable then chance_variance end as chance_variance,
        case when is_computable then round(own_weight, 9) end as own_weight,
        case when is_computable then round(mean + own_weight * (rate - mean), 12) end as smoothed
    from weighed
)

select * from final
order by area_id, indicator_id, year
