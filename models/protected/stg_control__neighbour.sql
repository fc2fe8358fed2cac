{{ config(materialized='view') }}

select
    valid_from,
    valid_to,
    area_id,
    neighbour_area_id,
    border_m
from {{ source('control', 'neighbour') }}
