with cube as (
    select * from {{ ref('int_register_cube') }}
),

areas as (
    select * from {{ ref('int_area_year') }}
),

delivered as (
    select
        kommune_id,
        year,
        delivery_id,
        max(reference_date) as reference_date
    from cube
    group by kommune_id, year, delivery_id
),

kommunen_due as (
    select
        year,
        count(*) as n_kommunen
    from areas
    where level = 'kommune' and boundary = 'as_counted'
    group by year
),

complete_years as (
    -- A Kreis total without one of its Kommunen would be a wrong number, so there is none.
    select
        delivered.year,
        max(delivered.reference_date) as reference_date
    from delivered
    inner join kommunen_due on delivered.year = kommunen_due.year
    group by delivered.year, kommunen_due.n_kommunen
    having count(*) = kommunen_due.n_kommunen
),

final as (
    select
        areas.boundary,
        areas.area_id,
        areas.year,
        areas.level,
        areas.parent_area_id,
        areas.is_unchanged,
        delivered.reference_date
    from areas
    inner join delivered
        on
            areas.year = delivered.year
            and case when areas.level = 'kommune' then areas.area_id else areas.parent_area_id end
            = delivered.kommune_id
    where areas.level in ('kommune', 'sozialraum', 'nicht_verortbar')
    union all
    select
        areas.boundary,
        areas.area_id,
        areas.year,
        areas.level,
        areas.parent_area_id,
        areas.is_unchanged,
        complete_years.reference_date
    from areas
    inner join complete_years on areas.year = complete_years.year
    where areas.level = 'kreis'
)

select * from final
order by boundary, area_id, year
