with access as (
    select * from {{ ref('stg_control__access') }}
),

-- Shares of few hundred residents tell how many these are.
hidden as (
    select
        area_id,
        year
    from {{ ref('int_protected_measure') }}
    where boundary = 'as_counted' and measure_id = 'population' and value_status = 'suppressed'
),

final as (
    select
        access.area_id,
        access.year,
        access.theme_id,
        access.target_group,
        access.distance_m,
        access.value_status,
        access.nearest_service_id,
        case when hidden.area_id is null then access.share_500m_percent end as share_500m_percent,
        case when hidden.area_id is null then access.share_1000m_percent end as share_1000m_percent,
        case when hidden.area_id is null then access.share_2000m_percent end as share_2000m_percent,
        case
            when hidden.area_id is not null and access.share_status = 'ok' then 'suppressed'
            else access.share_status
        end as share_status,
        access.method
    from access
    left join hidden on access.area_id = hidden.area_id and access.year = hidden.year
)

select * from final
order by area_id, year, theme_id, target_group
