-- One row per area of today; of a Sozialraum also its ranks in the newest list of priorities of its Kommune.
with newest as (
    select max(year) as jahr from fct_priority
    where priority is not null
),

ranks as (
    select
        facts.area_id,
        string_agg(
            'Rang ' || facts.priority || ' beim Thema ' || themes.title, ', ' order by facts.priority, themes.sort_order
        ) as raenge
    from fct_priority as facts
    inner join newest on facts.year = newest.jahr
    inner join dim_theme as themes on facts.theme_id = themes.theme_id
    where facts.priority is not null
    group by facts.area_id
)

select
    gebiet.area_id,
    gebiet.level,
    gebiet.name,
    gebiet.parent_area_id,
    kommune.name as kommune,
    gebiet.area_sqkm,
    gebiet.is_synthetic,
    ranks.raenge
from dim_area as gebiet
left join dim_area as kommune
    on gebiet.parent_area_id = kommune.area_id and kommune.level = 'kommune' and kommune.valid_to is null
left join ranks on gebiet.area_id = ranks.area_id
where gebiet.valid_to is null
order by gebiet.area_id
