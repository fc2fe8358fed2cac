with cube as (
    select * from {{ ref('int_register_cube') }}
),

households as (
    select * from {{ ref('int_register_household') }}
),

areas as (
    select * from {{ ref('int_register_area') }}
),

measures as (
    select * from {{ ref('register_measures') }}
),

counted as (
    select
        kommune_id,
        area_id,
        year,
        'person' as unit_counted,
        age as bound,
        nationality_group,
        sum(persons) as units
    from cube
    group by kommune_id, area_id, year, age, nationality_group
    union all
    select
        kommune_id,
        area_id,
        year,
        'household' as unit_counted,
        household_size as bound,
        cast(null as string) as nationality_group,
        households as units
    from households
),

measured as (
    select
        counted.kommune_id,
        counted.area_id,
        counted.year,
        measures.measure_id,
        sum(counted.units) as units
    from counted
    inner join measures
        on
            counted.unit_counted = measures.unit_counted
            and counted.bound >= measures.lower_bound
            and (measures.upper_bound is null or counted.bound <= measures.upper_bound)
            and (measures.nationality_group is null or counted.nationality_group = measures.nationality_group)
    group by counted.kommune_id, counted.area_id, counted.year, measures.measure_id
),

by_level as (
    select
        area_id,
        year,
        measure_id,
        units
    from measured
    union all
    select
        kommune_id as area_id,
        year,
        measure_id,
        units
    from measured
    union all
    select
        '{{ var("kreis_id") }}' as area_id,
        year,
        measure_id,
        units
    from measured
),

summed as (
    select
        area_id,
        year,
        measure_id,
        sum(units) as units
    from by_level
    group by area_id, year, measure_id
),

final as (
    select
        areas.area_id,
        areas.year,
        measures.measure_id,
        cast(coalesce(summed.units, 0) as double) as value,
        case when coalesce(summed.units, 0) = 0 then 'zero' else 'ok' end as value_status,
        areas.reference_date
    from areas
    cross join measures
    left join summed
        on
            areas.area_id = summed.area_id
            and areas.year = summed.year
            and measures.measure_id = summed.measure_id
)

select * from final
order by area_id, year, measure_id
