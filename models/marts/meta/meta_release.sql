select
    release_id,
    created,
    year,
    code_version,
    input_hash
from {{ ref('stg_control__release') }}
order by release_id
