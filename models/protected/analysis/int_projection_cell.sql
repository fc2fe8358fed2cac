with cells as (
    select * from {{ ref('fct_population') }}
    where boundary = 'current'
),

kommunen as (
    select area_id from {{ ref('dim_area') }}
    where level = 'kommune' and valid_to is null
),

age_bands as (
    select * from {{ ref('age_bands') }}
),

final as (
    select
        cells.area_id,
        cells.year,
        age_bands.age_from,
        age_bands.age_to,
        cells.sex,
        case when count(cells.population) = count(*) then cast(sum(cells.population) as bigint) end
            as population,
        case
            when count(cells.population) = count(*) then 'ok'
            when max(case when cells.value_status = 'suppressed' then 1 else 0 end) = 1 then 'suppressed'
            else 'missing'
        end as value_status
    from cells
    inner join kommunen on cells.area_id = kommunen.area_id
    inner join age_bands on cells.age_band = age_bands.age_band
    group by cells.area_id, cells.year, age_bands.age_from, age_bands.age_to, cells.sex
)

select * from final
order by area_id, year, age_from, sex
