with observations as (
    select * from {{ ref('int_indicator_value') }}
),

indicators as (
    select * from {{ ref('indicators') }}
),

goals as (
    select * from {{ ref('stg_kreis__ziele') }}
),

newest_goals as (
    select *
    from goals
    where indicator_id is not null and target_value is not null
    qualify dense_rank() over (order by year desc) = 1
),

valued as (
    select
        observations.*,
        indicators.polarity,
        -- A count of the Kreis is no yardstick for a count of one of its parts.
        indicators.denominator_measure is not null as is_comparable
    from observations
    inner join indicators on observations.indicator_id = indicators.indicator_id
),

goals_of_areas as (
    -- The area's own, else its Kommune's, else the Kreis's; of several the one that reaches furthest.
    select
        valued.boundary,
        valued.area_id,
        valued.year,
        valued.indicator_id,
        newest_goals.goal_id,
        newest_goals.target_value as benchmark_goal
    from valued
    inner join newest_goals
        on
            valued.indicator_id = newest_goals.indicator_id
            and valued.year between newest_goals.baseline_year and newest_goals.target_year
            and (
                valued.area_id = newest_goals.area_id
                or (valued.is_comparable and valued.parent_area_id = newest_goals.area_id)
                or (valued.is_comparable and newest_goals.area_id = '{{ var("kreis_id") }}')
            )
    -- A row that is kept secret stays bare: any number on it could be taken for the one that it hides.
    where valued.value_status not in ('not_applicable', 'suppressed')
    qualify
        row_number() over (
            partition by valued.boundary, valued.area_id, valued.year, valued.indicator_id
            order by
                length(newest_goals.area_id) desc,
                newest_goals.target_year desc,
                newest_goals.goal_id asc
        ) = 1
),

joined as (
    select
        valued.*,
        goals_of_areas.goal_id,
        goals_of_areas.benchmark_goal,
        case when valued.value_status != 'not_applicable' and valued.is_comparable then kreis.value end
            as benchmark_kreis,
        case when valued.value_status != 'not_applicable' and valued.is_comparable then kommune.value end
            as benchmark_kommune
    from valued
    left join valued as kreis
        on
            valued.boundary = kreis.boundary
            and valued.year = kreis.year
            and valued.indicator_id = kreis.indicator_id
            and kreis.level = 'kreis'
    left join valued as kommune
        on
            valued.boundary = kommune.boundary
            and valued.year = kommune.year
            and valued.indicator_id = kommune.indicator_id
            and valued.parent_area_id = kommune.area_id
            and kommune.level = 'kommune'
    left join goals_of_areas
        on
            valued.boundary = goals_of_areas.boundary
            and valued.area_id = goals_of_areas.area_id
            and valued.year = goals_of_areas.year
            and valued.indicator_id = goals_of_areas.indicator_id
),

final as (
    select
        boundary,
        area_id,
        year,
        indicator_id,
        benchmark_kreis,
        case when level != 'kreis' then {{ compared('benchmark_kreis') }} end as vs_kreis,
        benchmark_kommune,
        {{ compared('benchmark_kommune') }} as vs_kommune,
        goal_id,
        benchmark_goal,
        {{ compared('benchmark_goal') }} as vs_goal
    from joined
)

select * from final
order by boundary, area_id, indicator_id, year
