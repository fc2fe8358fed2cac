-- The method of the Berlin Monitoring Soziale Stadtentwicklung; nothing here knows the county.
with inputs as (
    select * from {{ ref('int_index_input') }}
),

indices as (
    select * from {{ ref('indices') }}
),

-- Unweighted mean and population standard deviation over the evaluated areas; the others have no value here.
scored as (
    select
        index_id,
        comparison_area_id,
        area_id,
        year,
        area_status,
        change_status,
        weight * (value - avg(value) over areas) / nullif(stddev_pop(value) over areas, 0) as status_score,
        weight
        * (change - avg(change) over areas)
        / nullif(stddev_pop(change) over areas, 0) as dynamics_score
    from inputs
    window areas as (partition by index_id, comparison_area_id, year, indicator_id)
),

summed as (
    select
        index_id,
        comparison_area_id,
        area_id,
        year,
        area_status,
        change_status,
        case when count(status_score) = count(*) then sum(status_score) end as status_sum,
        case when count(dynamics_score) = count(*) then sum(dynamics_score) end as dynamics_sum
    from scored
    group by index_id, comparison_area_id, area_id, year, area_status, change_status
),

indexed as (
    select
        *,
        count(status_sum) over areas as n_status_areas,
        count(dynamics_sum) over areas as n_dynamics_areas,
        (status_sum - avg(status_sum) over areas)
        / nullif(stddev_pop(status_sum) over areas, 0) as status_index,
        (dynamics_sum - avg(dynamics_sum) over areas) / nullif(stddev_pop(dynamics_sum) over areas, 0)
            as dynamics_index
    from summed
    window areas as (partition by index_id, comparison_area_id, year)
),

enough as (
    select
        indexed.index_id,
        indexed.comparison_area_id,
        indexed.area_id,
        indexed.year,
        indexed.area_status,
        indexed.change_status,
        indexed.n_status_areas,
        indexed.n_dynamics_areas,
        indices.status_cut_1,
        indices.status_cut_2,
        indices.status_cut_3,
        indices.dynamics_cut_1,
        indices.dynamics_cut_2,
        case when indexed.n_status_areas >= indices.minimum_areas then indexed.status_sum end as status_sum,
        case when indexed.n_status_areas >= indices.minimum_areas then indexed.status_index end
            as status_index,
        case when indexed.n_dynamics_areas >= indices.minimum_areas then indexed.dynamics_sum end
            as dynamics_sum,
        case when indexed.n_dynamics_areas >= indices.minimum_areas then indexed.dynamics_index end
            as dynamics_index
    from indexed
    inner join indices on indexed.index_id = indices.index_id
),

classed as (
    select
        *,
        case
            when status_index < status_cut_1 then 1
            when status_index <= status_cut_2 then 2
            when status_index <= status_cut_3 then 3
            when status_index is not null then 4
        end as status_number,
        case
            when dynamics_index < dynamics_cut_1 then '+'
            when dynamics_index <= dynamics_cut_2 then '+/-'
            when dynamics_index is not null then '-'
        end as dynamics_sign
    from enough
),

final as (
    select
        index_id,
        comparison_area_id,
        area_id,
        year,
        case when status_index is not null then n_status_areas end as n_areas,
        round(status_sum, 9) as status_sum,
        round(status_index, 9) as status_index,
        case status_number
            when 1 then 'hoch' when 2 then 'mittel' when 3 then 'niedrig' when 4 then 'sehr_niedrig'
        end
            as status_class,
        case when area_status = 'ok' and status_index is null then 'not_computable' else area_status end
            as status_reason,
        round(dynamics_sum, 9) as dynamics_sum,
        round(dynamics_index, 9) as dynamics_index,
        case dynamics_sign when '+' then 'positiv' when '+/-' then 'stabil' when '-' then 'negativ' end
            as dynamics_class,
        case when change_status = 'ok' and dynamics_index is null then 'not_computable' else change_status end
            as dynamics_reason,
        cast(status_number as string) || dynamics_sign as combined_class
    from classed
)

select * from final
order by index_id, comparison_area_id, year, area_id
