-- Sozialräume + nicht verortbar = Kommune, for everything counted from the register. Keys only, no counts.
select
    area_id,
    year,
    measure_id
from {{ ref('int_sum_of_parts') }}
where feed = 'einwohner' and (whole is null or parts is null or whole != parts or n_parts_not_countable > 0)
