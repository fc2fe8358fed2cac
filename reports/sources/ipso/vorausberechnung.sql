-- One row per area of today, group and projected year: the three variants, and what the Grundsatzkonzept expected.
with variants as (
    select
        area_id,
        projected_group,
        year,
        min(value_status) as value_status,
        max(base_year) as basisjahr,
        max(base_value) as basis,
        max(value) filter (where variant = 'niedrig') as niedrig,
        max(value) filter (where variant = 'mittel') as mittel,
        max(value) filter (where variant = 'hoch') as hoch,
        max(expected_value) as erwartet,
        max(expected_from_year) as erwartet_von,
        max(expected_from_value) as erwartet_basis,
        max(expected_change_percent) as erwartet_veraenderung,
        max(expected_printed_percent) as erwartet_gedruckt,
        max(expected_source) as erwartet_quelle
    from fct_projection
    group by area_id, projected_group, year
)

select
    variants.area_id,
    areas.level,
    areas.name,
    areas.parent_area_id,
    variants.projected_group,
    case variants.projected_group
        when 'gesamt' then 'Menschen insgesamt'
        when 'unter_15' then 'unter 15 Jahre'
        when '15_bis_64' then '15 bis 64 Jahre'
        when 'ab_65' then 'ab 65 Jahre'
        when 'ab_80' then 'ab 80 Jahre'
        else 'Pflegebedürftige'
    end as gruppe,
    case variants.projected_group
        when 'gesamt' then 1 when 'unter_15' then 2 when '15_bis_64' then 3 when 'ab_65' then 4 when 'ab_80' then 5 else 6
    end as reihenfolge,
    variants.* exclude (area_id, projected_group)
from variants
inner join dim_area as areas on variants.area_id = areas.area_id and areas.valid_to is null
order by variants.area_id, reihenfolge, variants.year
