-- Statistische Bezirke go to the finest published level that they support, and no finer: nothing is divided.
with delivered as (
    select * from {{ ref('stg_delivered__aggregate') }}
),

bezirke as (
    select * from {{ ref('bezirke') }}
),

counts as (
    -- a rent or a share of Bezirke is none of their Kommune
    select
        delivered_measures.feed,
        delivered_measures.merkmal
    from {{ ref('delivered_measures') }} as delivered_measures
    inner join {{ ref('measures') }} as measures on delivered_measures.measure_id = measures.measure_id
    where
        measures.unit in (
            'persons', 'households', 'dwellings', 'cases', 'places', 'offers', 'clubs', 'services', 'sqm'
        )
),

of_bezirke as (
    select
        bezirk_id,
        kommune_id,
        max(sozialraum_id) as sozialraum_id,
        count(*) as n_sozialraeume,
        count(sozialraum_id) as n_whole
    from bezirke
    group by bezirk_id, kommune_id
),

shared as (
    -- a Sozialraum that is in two Bezirke is neither of them
    select sozialraum_id
    from bezirke
    where sozialraum_id is not null
    group by sozialraum_id
    having count(distinct bezirk_id) > 1
),

same_as_sozialraum as (
    select
        of_bezirke.bezirk_id,
        of_bezirke.sozialraum_id
    from of_bezirke
    left join shared on of_bezirke.sozialraum_id = shared.sozialraum_id
    where of_bezirke.n_sozialraeume = 1 and of_bezirke.n_whole = 1 and shared.sozialraum_id is null
),

due as (
    select
        kommune_id,
        count(*) as n_bezirke
    from of_bezirke
    group by kommune_id
),

kommunen_told as (
    select distinct
        delivery_id,
        area_id,
        merkmal,
        reference_date
    from delivered
),

kommune_summed as (
    select
        delivered.feed,
        delivered.delivery_id,
        delivered.year,
        of_bezirke.kommune_id as area_id,
        delivered.merkmal,
        delivered.reference_date,
        sum(delivered.value) as value,
        case
            when count(case when delivered.value_status = 'unreliable' then 1 end) > 0 then 'unreliable'
            when sum(delivered.value) = 0 then 'zero'
            else 'ok'
        end as value_status
    from delivered
    inner join of_bezirke on delivered.area_id = of_bezirke.bezirk_id
    inner join due on of_bezirke.kommune_id = due.kommune_id
    inner join counts on delivered.feed = counts.feed and delivered.merkmal = counts.merkmal
    left join kommunen_told
        on
            delivered.delivery_id = kommunen_told.delivery_id
            and of_bezirke.kommune_id = kommunen_told.area_id
            and delivered.merkmal = kommunen_told.merkmal
            and delivered.reference_date = kommunen_told.reference_date
    where kommunen_told.area_id is null
    group by
        delivered.feed,
        delivered.delivery_id,
        delivered.year,
        of_bezirke.kommune_id,
        delivered.merkmal,
        delivered.reference_date,
        due.n_bezirke
    -- a Kommune without one of its Bezirke would be a wrong number, so there is none
    having count(delivered.value) = due.n_bezirke
),

final as (
    select
        delivered.feed,
        delivered.delivery_id,
        delivered.year,
        coalesce(same_as_sozialraum.sozialraum_id, delivered.area_id) as area_id,
        delivered.merkmal,
        delivered.reference_date,
        delivered.value,
        delivered.value_status
    from delivered
    left join of_bezirke on delivered.area_id = of_bezirke.bezirk_id
    left join same_as_sozialraum on delivered.area_id = same_as_sozialraum.bezirk_id
    where of_bezirke.bezirk_id is null or same_as_sozialraum.bezirk_id is not null
    union all
    select
        feed,
        delivery_id,
        year,
        area_id,
        merkmal,
        reference_date,
        value,
        value_status
    from kommune_summed
)

select * from final
order by feed, delivery_id, area_id, merkmal, reference_date
