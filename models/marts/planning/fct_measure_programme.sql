select
    programme_id,
    year,
    goal_id,
    title,
    provider,
    target_group,
    valid_from,
    valid_to,
    budget_eur,
    status,
    delivery_id
from {{ ref('stg_kreis__massnahmen') }}
order by programme_id, year
