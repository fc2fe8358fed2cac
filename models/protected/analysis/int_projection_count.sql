with roles as (
    select * from {{ ref('projection_measures') }}
),

areas as (
    select
        area_id,
        level,
        parent_area_id
    from {{ ref('dim_area') }}
    where valid_to is null and level in ('kreis', 'kommune', 'sozialraum')
),

indicators as (
    select * from {{ ref('dim_indicator') }}
),

facts as (
    select * from {{ ref('fct_indicator') }}
    where boundary = 'current'
),

-- Of Sozialräume only what stands in the published table, above or below the line of an indicator.
shown as (
    select
        facts.area_id,
        facts.year,
        indicators.numerator_measure as measure_id,
        facts.numerator as value,
        facts.value_status
    from facts
    inner join indicators on facts.indicator_id = indicators.indicator_id
    union all
    select
        facts.area_id,
        facts.year,
        indicators.denominator_measure as measure_id,
        facts.denominator as value,
        facts.value_status
    from facts
    inner join indicators on facts.indicator_id = indicators.indicator_id
    where indicators.denominator_measure is not null
),

of_sozialraeume as (
    select
        shown.area_id,
        shown.year,
        shown.measure_id,
        max(shown.value) as value,
        case
            when max(shown.value) is not null then 'ok'
            when max(case when shown.value_status = 'suppressed' then 1 else 0 end) = 1 then 'suppressed'
            else 'missing'
        end as value_status
    from shown
    group by shown.area_id, shown.year, shown.measure_id
),

of_kommunen as (
    select
        area_id,
        year,
        measure_id,
        value,
        value_status
    from {{ ref('int_protected_measure') }}
    where boundary = 'as_counted' and level in ('kreis', 'kommune')
),

final as (
    select
        counts.area_id,
        areas.level,
        areas.parent_area_id as kommune_id,
        cast(counts.year as int) as year,
        roles.role,
        cast(counts.value as double) as value,
        counts.value_status
    from of_sozialraeume as counts
    inner join areas on counts.area_id = areas.area_id and areas.level = 'sozialraum'
    inner join roles on counts.measure_id = roles.measure_id
    union all
    select
        counts.area_id,
        areas.level,
        cast(null as string) as kommune_id,
        cast(counts.year as int) as year,
        roles.role,
        cast(counts.value as double) as value,
        counts.value_status
    from of_kommunen as counts
    inner join areas on counts.area_id = areas.area_id
    inner join roles on counts.measure_id = roles.measure_id
)

select * from final
order by area_id, year, role
