select
    release_id,
    created,
    year,
    code_version,
    input_hash,
    release_number
from {{ ref('stg_control__release') }}
order by release_id
