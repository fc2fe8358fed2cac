{{ config(materialized='view') }}

select
    area_id,
    cast(year as int) as year,
    theme_id,
    target_group,
    distance_m,
    value_status,
    nearest_service_id,
    share_500m_percent,
    share_1000m_percent,
    share_2000m_percent,
    share_status,
    method
from {{ source('control', 'access') }}
