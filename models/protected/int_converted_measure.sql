-- Reads protected figures only: what is blank stays blank; nothing is told that is not published as counted.
with measures as (
    select * from {{ ref('int_protected_measure') }}
    where boundary = 'as_counted' and level in ('sozialraum', 'nicht_verortbar')
),

recounted as (
    select * from {{ ref('int_protected_measure') }}
    where boundary = 'current'
),

measure_facts as (
    select
        measures.measure_id,
        measures.weight_measure,
        coalesce(rules.minimum, 0) as minimum
    from {{ ref('measures') }} as measures
    left join {{ ref('stg_control__disclosure_rule') }} as rules on measures.measure_id = rules.measure_id
    where measures.weight_measure is not null
),

pairs as (
    select * from {{ ref('int_area_pair') }}
    where not is_unchanged
),

counts as (
    select * from {{ ref('int_register_count') }}
),

due as (
    -- What is there for any part of a Kommune is due for every area that is to be converted.
    select distinct
        measures.parent_area_id,
        measures.year,
        measures.measure_id,
        measures.feed,
        measure_facts.weight_measure,
        measure_facts.minimum
    from measures
    inner join measure_facts on measures.measure_id = measure_facts.measure_id
),

parts as (
    select
        pairs.year,
        pairs.area_id,
        pairs.current_area_id,
        pairs.parent_area_id,
        due.measure_id,
        due.feed,
        due.minimum,
        measures.value,
        measures.reference_date,
        pairs.area_share,
        coalesce(measures.value_status, 'missing') as value_status,
        count(*) over (partition by pairs.year, pairs.area_id, due.measure_id) > 1 as is_divided,
        -- To fives: figure, error and printed persons give the weight back, and borders move single persons.
        round(coalesce(fitting.units, 0) / 5.0) * 5 as fitting_persons,
        round(coalesce(everybody.units, 0) / 5.0) * 5 as persons
    from pairs
    inner join due on pairs.parent_area_id = due.parent_area_id and pairs.year = due.year
    left join measures
        on
            pairs.area_id = measures.area_id
            and pairs.year = measures.year
            and due.measure_id = measures.measure_id
    left join recounted
        on
            pairs.current_area_id = recounted.area_id
            and pairs.year = recounted.year
            and due.measure_id = recounted.measure_id
    left join counts as fitting
        on
            pairs.area_id = fitting.area_id
            and pairs.current_area_id = fitting.current_area_id
            and pairs.year = fitting.year
            and due.weight_measure = fitting.measure_id
    left join counts as everybody
        on
            pairs.area_id = everybody.area_id
            and pairs.current_area_id = everybody.current_area_id
            and pairs.year = everybody.year
            and everybody.measure_id = 'population'
    where recounted.area_id is null
),

weighed as (
    select
        *,
        sum(fitting_persons) over (partition by year, area_id, measure_id) as all_fitting_persons,
        sum(persons) over (partition by year, area_id, measure_id) as all_persons,
        sum(area_share) over (partition by year, area_id, measure_id) as all_area
    from parts
),

shared as (
    select
        *,
        all_persons > 0 as by_population,
        cast(
            case
                when all_fitting_persons > 0 then fitting_persons * 1.0 / all_fitting_persons
                when all_persons > 0 then persons * 1.0 / all_persons
                else area_share / nullif(all_area, 0)
            end as double
        ) as weight
    from weighed
),

floored as (
    select
        *,
        floor(value * weight + 0.000000001) as whole_part,
        round(value * weight - floor(value * weight + 0.000000001), 9) as rest
    from shared
),

-- Largest remainder, ties by id: the parts of an area sum to what was counted in it.
rounded as (
    select
        *,
        whole_part + case
            when
                row_number() over (
                    partition by year, area_id, measure_id
                    order by rest desc, current_area_id asc
                ) <= round(value - sum(whole_part) over (partition by year, area_id, measure_id))
                then 1
            else 0
        end as part
    from floored
),

summed as (
    select
        current_area_id as area_id,
        year,
        measure_id,
        feed,
        parent_area_id,
        minimum,
        max(reference_date) as reference_date,
        sum(part) as value,
        sqrt(sum(value * weight * (1 - weight))) as conversion_error,
        max(case when is_divided then 1 else 0 end) as is_divided,
        min(case when by_population then 1 else 0 end) as all_by_population,
        max(case when value_status = 'suppressed' then 1 else 0 end) as any_suppressed,
        max(case when value_status not in ('ok', 'zero') then 1 else 0 end) as any_without_value
    from rounded
    where weight > 0
    group by current_area_id, year, measure_id, feed, parent_area_id, minimum
),

judged as (
    select
        *,
        -- One or two persons are no figure to build on where the division is a guess.
        value > 0 and value < minimum as is_too_small
    from summed
),

final as (
    select
        'current' as boundary,
        area_id,
        year,
        measure_id,
        case when any_without_value = 0 and not is_too_small then value end as value,
        case
            when any_suppressed = 1 then 'suppressed'
            when any_without_value = 1 then 'missing'
            when is_too_small then 'unreliable'
            when value = 0 then 'zero'
            else 'ok'
        end as value_status,
        reference_date,
        feed,
        case when area_id like '%-00' then 'nicht_verortbar' else 'sozialraum' end as level,
        parent_area_id,
        case
            when is_divided = 0 then 'gezaehlt'
            when all_by_population = 1 then 'einwohnergewichtet'
            else 'flaechengewichtet'
        end as conversion_method,
        case when any_without_value = 0 and not is_too_small then conversion_error end as conversion_error
    from judged
)

select * from final
order by area_id, year, measure_id
