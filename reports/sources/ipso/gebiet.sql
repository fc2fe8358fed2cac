-- One row per area of today.
select
    gebiet.area_id,
    gebiet.level,
    gebiet.name,
    gebiet.parent_area_id,
    kommune.name as kommune,
    gebiet.area_sqkm,
    gebiet.is_synthetic
from dim_area as gebiet
left join dim_area as kommune
    on gebiet.parent_area_id = kommune.area_id and kommune.level = 'kommune' and kommune.valid_to is null
where gebiet.valid_to is null
order by gebiet.area_id
