select
    pattern,
    kind,
    title,
    vs_kreis,
    development,
    cast(minimum_years as int) as minimum_years,
    cast(weight as double) as weight,
    cast(sort_order as int) as sort_order
from {{ ref('profile_patterns') }}
order by sort_order
