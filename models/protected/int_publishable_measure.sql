with available as (
    select
        boundary,
        area_id,
        year,
        measure_id,
        value,
        value_status,
        reference_date,
        feed,
        conversion_method,
        cast(0 as double) as conversion_error
    from {{ ref('int_protected_measure') }}
    union all
    select
        boundary,
        area_id,
        year,
        measure_id,
        value,
        value_status,
        reference_date,
        feed,
        conversion_method,
        conversion_error
    from {{ ref('int_converted_measure') }}
),

composition as (
    select
        *,
        count(*) over (partition by measure_id) as n_parts_due
    from {{ ref('composed_measures') }}
),

gathered as (
    select
        available.boundary,
        available.area_id,
        available.year,
        composition.measure_id,
        composition.n_parts_due,
        count(*) as n_parts,
        sum(available.value * composition.factor) as value,
        max(case when available.value_status = 'suppressed' then 1 else 0 end) as any_suppressed,
        max(case when available.value is null then 1 else 0 end) as any_without_value,
        max(case when available.value_status = 'unreliable' then 1 else 0 end) as any_unreliable,
        max(available.reference_date) as reference_date,
        min(available.feed) as feed,
        -- the least exact of the parts' ways: einwohnergewichtet and flaechengewichtet divide
        coalesce(
            max(case when available.conversion_method = 'flaechengewichtet' then 'flaechengewichtet' end),
            max(case when available.conversion_method = 'einwohnergewichtet' then 'einwohnergewichtet' end),
            min(available.conversion_method)
        ) as conversion_method,
        sqrt(sum(power(available.conversion_error, 2))) as conversion_error
    from available
    inner join composition on available.measure_id = composition.part_measure
    group by
        available.boundary,
        available.area_id,
        available.year,
        composition.measure_id,
        composition.n_parts_due
),

composed as (
    select
        boundary,
        area_id,
        year,
        measure_id,
        case when any_without_value = 0 and n_parts = n_parts_due then value end as value,
        case
            when any_suppressed = 1 then 'suppressed'
            when n_parts < n_parts_due then 'missing'
            when any_unreliable = 1 then 'unreliable'
            when any_without_value = 1 then 'missing'
            when value = 0 then 'zero'
            else 'ok'
        end as value_status,
        reference_date,
        feed,
        conversion_method,
        case when any_without_value = 0 and n_parts = n_parts_due then conversion_error end
            as conversion_error
    from gathered
),

final as (
    select * from available
    union all
    select * from composed
)

select * from final
order by boundary, area_id, year, measure_id
