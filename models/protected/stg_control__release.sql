{{ config(materialized='view') }}

select
    release_id,
    created,
    cast(year as int) as year,
    code_version,
    input_hash
from {{ source('control', 'release') }}
