with cube as (
    select * from {{ ref('int_register_cube') }}
),

households as (
    select * from {{ ref('int_register_household') }}
),

measures as (
    select * from {{ ref('register_measures') }}
),

counted as (
    select
        kommune_id,
        area_id,
        current_area_id,
        year,
        'person' as unit_counted,
        age as bound,
        nationality_group,
        sum(persons) as units
    from cube
    group by kommune_id, area_id, current_area_id, year, age, nationality_group
    union all
    -- Half a year more than the completed ones, as official statistics counts.
    select
        kommune_id,
        area_id,
        current_area_id,
        year,
        'age' as unit_counted,
        age as bound,
        nationality_group,
        sum(persons) * (age + 0.5) as units
    from cube
    group by kommune_id, area_id, current_area_id, year, age, nationality_group
    union all
    select
        kommune_id,
        area_id,
        current_area_id,
        year,
        'household' as unit_counted,
        household_size as bound,
        cast(null as string) as nationality_group,
        households as units
    from households
),

final as (
    select
        counted.kommune_id,
        counted.area_id,
        counted.current_area_id,
        counted.year,
        measures.measure_id,
        cast(sum(counted.units) as double) as units
    from counted
    inner join measures
        on
            counted.unit_counted = measures.unit_counted
            and counted.bound >= measures.lower_bound
            and (measures.upper_bound is null or counted.bound <= measures.upper_bound)
            and (measures.nationality_group is null or counted.nationality_group = measures.nationality_group)
    group by counted.kommune_id, counted.area_id, counted.current_area_id, counted.year, measures.measure_id
)

select * from final
order by area_id, current_area_id, year, measure_id
