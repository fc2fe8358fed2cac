select
    delivery_id,
    feed,
    deliverer,
    year,
    received,
    sha256,
    row_count,
    state,
    reason,
    n_errors,
    n_warnings
from {{ ref('stg_control__delivery') }}
order by delivery_id
