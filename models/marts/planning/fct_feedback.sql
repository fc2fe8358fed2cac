select
    feedback_id,
    year,
    conference,
    feedback_date,
    participant_group,
    area_id,
    theme_id,
    text,
    delivery_id
from {{ ref('stg_kreis__rueckmeldungen') }}
order by feedback_id, year
