-- A goal may be about a count of persons: a small one is no more published here than in fct_indicator.
with goals as (
    select * from {{ ref('stg_kreis__ziele') }}
),

indicators as (
    select * from {{ ref('indicators') }}
),

measures as (
    select * from {{ ref('measures') }}
),

final as (
    select
        goals.goal_id,
        goals.year,
        goals.title,
        goals.goal_level,
        goals.area_id,
        goals.indicator_id,
        goals.baseline_year,
        case
            when
                indicators.unit = 'count'
                and measures.counts_persons
                and goals.baseline_value > 0
                and goals.baseline_value < {{ var("minimum_count") }}
                then null
            else goals.baseline_value
        end as baseline_value,
        goals.target_year,
        goals.target_value,
        goals.decided_by,
        goals.decided_date,
        goals.delivery_id
    from goals
    left join indicators on goals.indicator_id = indicators.indicator_id
    left join measures on indicators.numerator_measure = measures.measure_id
)

select * from final
order by goal_id, year
