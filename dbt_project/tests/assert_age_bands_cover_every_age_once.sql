-- Each band begins where the one before ends; the first begins at 0 and only the last is open.
with bands as (
    select
        age_band,
        age_from,
        age_to,
        lag(age_to) over (order by age_from) as previous_age_to,
        lead(age_from) over (order by age_from) as next_age_from
    from {{ ref('age_bands') }}
)

select age_band
from bands
where
    (previous_age_to is null and age_from != 0)
    or (previous_age_to is not null and age_from != previous_age_to + 1)
    or (age_to is null and next_age_from is not null)
    or (age_to is not null and next_age_from is null)
