with register as (
    select * from {{ ref('int_register_measure') }}
),

register_areas as (
    select * from {{ ref('int_register_area') }}
),

delivered as (
    select * from {{ ref('int_delivered_measure') }}
),

services as (
    select * from {{ ref('int_service_measure') }}
),

areas as (
    select * from {{ ref('int_area_year') }}
),

registered as (
    select
        register.boundary,
        register.area_id,
        register.year,
        register.measure_id,
        register.value,
        register.value_status,
        register.reference_date,
        'einwohner' as feed,
        register_areas.level,
        register_areas.parent_area_id,
        register_areas.is_unchanged,
        0 as priority
    from register
    inner join register_areas
        on
            register.boundary = register_areas.boundary
            and register.area_id = register_areas.area_id
            and register.year = register_areas.year
),

candidates as (
    select
        area_id,
        year,
        measure_id,
        value,
        value_status,
        reference_date,
        feed,
        level,
        parent_area_id,
        priority
    from registered
    where boundary = 'as_counted'
    union all
    select
        area_id,
        year,
        measure_id,
        value,
        value_status,
        reference_date,
        feed,
        level,
        parent_area_id,
        priority
    from delivered
),

as_counted as (
    select
        area_id,
        year,
        measure_id,
        value,
        value_status,
        reference_date,
        feed,
        level,
        parent_area_id
    from candidates
    -- rank, not row_number: the same figure twice in one feed must fail the uniqueness test, not vanish.
    qualify rank() over (partition by area_id, year, measure_id order by priority) = 1
),

final as (
    select
        'as_counted' as boundary,
        'as_counted' as cell_boundary,
        'gezaehlt' as conversion_method,
        as_counted.*
    from as_counted
    union all
    -- The same figure, not a second one: it is published or kept secret in both boundaries.
    select
        'current' as boundary,
        'as_counted' as cell_boundary,
        'unveraendert' as conversion_method,
        as_counted.*
    from as_counted
    inner join areas on as_counted.area_id = areas.area_id and as_counted.year = areas.year
    where areas.boundary = 'current' and areas.is_unchanged
    {% for recounted in ['registered', 'services'] %}
        union all
        select
            'current' as boundary,
            'current' as cell_boundary,
            'gezaehlt' as conversion_method,
            area_id,
            year,
            measure_id,
            value,
            value_status,
            reference_date,
            feed,
            level,
            parent_area_id
        from {{ recounted }}
        where boundary = 'current' and not is_unchanged
    {% endfor %}
)

select * from final
order by boundary, area_id, year, measure_id
