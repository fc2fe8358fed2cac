select
    theme_id,
    title,
    description,
    sort_order
from {{ ref('themes') }}
order by sort_order
