select
    service_id,
    year,
    name,
    provider,
    theme_id,
    target_group,
    area_id,
    kommune_id,
    street,
    house_number,
    east_m,
    north_m,
    valid_from,
    valid_to,
    delivery_id
from {{ ref('stg_kreis__angebote') }}
order by service_id, year
