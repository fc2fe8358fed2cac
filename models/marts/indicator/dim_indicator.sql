select
    indicator_id,
    title,
    short_description,
    theme_id,
    unit,
    polarity,
    numerator_measure,
    denominator_measure,
    scale,
    cadence,
    finest_level,
    interval_method,
    source,
    caveat,
    minimum_denominator,
    is_core,
    sort_order
from {{ ref('indicators') }}
order by sort_order
