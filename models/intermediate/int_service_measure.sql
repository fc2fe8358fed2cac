-- Where a list is in force, an area without a service has none: zero, not missing.
with services as (
    select * from {{ ref('stg_kreis__angebote') }}
),

areas as (
    select * from {{ ref('int_area_year') }}
),

lists as (
    select
        delivery_id,
        year,
        cast(cast(year as string) || '-12-31' as date) as reference_date
    from {{ ref('stg_control__delivery') }}
    where state = 'accepted' and feed = 'angebote'
),

on_offer as (
    select
        services.year,
        services.area_id,
        services.current_area_id,
        services.kommune_id
    from services
    inner join lists on services.delivery_id = lists.delivery_id
    where
        services.valid_from <= lists.reference_date
        and (services.valid_to is null or services.valid_to >= lists.reference_date)
),

at_every_level as (
    select
        'as_counted' as boundary,
        year,
        area_id
    from on_offer
    union all
    select
        'current' as boundary,
        year,
        current_area_id as area_id
    from on_offer
    {% for boundary in ['as_counted', 'current'] %}
        union all
        select
            '{{ boundary }}' as boundary,
            year,
            kommune_id as area_id
        from on_offer
        union all
        select
            '{{ boundary }}' as boundary,
            year,
            '{{ var("kreis_id") }}' as area_id
        from on_offer
    {% endfor %}
),

counted as (
    select
        boundary,
        year,
        area_id,
        count(*) as n_services
    from at_every_level
    group by boundary, year, area_id
),

final as (
    select
        areas.boundary,
        areas.area_id,
        areas.year,
        'services' as measure_id,
        'angebote' as feed,
        lists.delivery_id,
        1 as priority,
        'delivered' as kreis_from,
        areas.level,
        areas.parent_area_id,
        areas.is_unchanged,
        lists.reference_date,
        cast(coalesce(counted.n_services, 0) as double) as value,
        case when counted.n_services is null then 'zero' else 'ok' end as value_status
    from areas
    inner join lists on areas.year = lists.year
    left join counted
        on
            areas.boundary = counted.boundary
            and areas.area_id = counted.area_id
            and areas.year = counted.year
)

select * from final
order by boundary, area_id, year
