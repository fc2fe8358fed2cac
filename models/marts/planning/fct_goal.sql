-- A goal starts from a figure that its conference knew: what fct_indicator keeps secret is so here.
with goals as (
    select * from {{ ref('stg_kreis__ziele') }}
),

indicators as (
    select * from {{ ref('indicators') }}
),

rules as (
    select * from {{ ref('stg_control__disclosure_rule') }}
),

hidden as (
    select distinct
        area_id,
        year,
        indicator_id
    from {{ ref('int_indicator_value') }}
    where value_status = 'suppressed'
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
            when hidden.area_id is not null then null
            when
                indicators.unit = 'count'
                and goals.baseline_value < rules.minimum
                and (goals.baseline_value > 0 or not rules.zeros_shown)
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
    left join rules on indicators.numerator_measure = rules.measure_id
    left join hidden
        on
            goals.area_id = hidden.area_id
            and goals.baseline_year = hidden.year
            and goals.indicator_id = hidden.indicator_id
)

select * from final
order by goal_id, year
