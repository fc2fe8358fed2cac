with classes as (
    select * from {{ ref('int_index') }}
),

certainties as (
    select * from {{ ref('int_index_certainty') }}
),

final as (
    select
        classes.index_id,
        classes.comparison_area_id,
        classes.area_id,
        cast(classes.year as int) as year,
        case
            when classes.status_reason in ('ausgenommen', 'zu_klein') then 'not_applicable' else
                classes.status_reason
        end
            as value_status,
        case when classes.status_reason in ('ausgenommen', 'zu_klein') then classes.status_reason end
            as left_out,
        classes.status_sum,
        classes.status_index,
        classes.status_class,
        certainties.status_certainty,
        case
            when classes.dynamics_reason in ('ausgenommen', 'zu_klein') then 'not_applicable'
            else classes.dynamics_reason
        end as dynamics_value_status,
        classes.dynamics_sum,
        classes.dynamics_index,
        classes.dynamics_class,
        certainties.dynamics_certainty,
        classes.combined_class,
        certainties.combined_certainty,
        cast(classes.n_areas as int) as n_areas
    from classes
    left join certainties
        on
            classes.index_id = certainties.index_id
            and classes.comparison_area_id = certainties.comparison_area_id
            and classes.area_id = certainties.area_id
            and classes.year = certainties.year
)

select * from final
order by index_id, comparison_area_id, area_id, year
