with observations as (
    select * from {{ ref('int_indicator_value') }}
),

development as (
    select * from {{ ref('int_indicator_development') }}
),

comparison as (
    select * from {{ ref('int_indicator_comparison') }}
),

ranks as (
    select * from {{ ref('int_indicator_rank') }}
),

final as (
    select
        observations.area_id,
        cast(observations.year as int) as year,
        observations.indicator_id,
        observations.value,
        observations.value_status,
        observations.numerator,
        observations.denominator,
        observations.ci_lower,
        observations.ci_upper,
        observations.numerator_date,
        observations.denominator_date,
        coalesce(observations.numerator_date != observations.denominator_date, false) as has_mixed_dates,
        observations.boundary,
        observations.conversion_method,
        observations.conversion_error,
        comparison.benchmark_kreis,
        comparison.vs_kreis,
        comparison.benchmark_kommune,
        comparison.vs_kommune,
        comparison.goal_id,
        comparison.benchmark_goal,
        comparison.vs_goal,
        ranks.value_rank,
        ranks.value_rank_lower,
        ranks.value_rank_upper,
        ranks.n_ranked,
        development.change_absolute,
        development.change_percent,
        cast(development.change_since_year as int) as change_since_year,
        development.is_break,
        development.trend
    from observations
    {% for other in ['development', 'comparison'] %}
        inner join {{ other }}
            on
                observations.boundary = {{ other }}.boundary
                and observations.area_id = {{ other }}.area_id
                and observations.year = {{ other }}.year
                and observations.indicator_id = {{ other }}.indicator_id
    {% endfor %}
    left join ranks
        on
            observations.boundary = ranks.boundary
            and observations.area_id = ranks.area_id
            and observations.year = ranks.year
            and observations.indicator_id = ranks.indicator_id
)

select * from final
order by boundary, area_id, indicator_id, year
