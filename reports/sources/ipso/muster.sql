-- One row per pattern of the Stärken-Schwächen-Analyse, worst first, with its points in the priority lists.
select
    title,
    case kind when 'schwaeche' then 'Schwäche' when 'staerke' then 'Stärke' else 'unauffällig' end as art,
    weight as punkte,
    sort_order as reihenfolge
from dim_profile_pattern
order by reihenfolge
