with measures as (
    -- On today's areas only what was counted anew is complete before protection.
    select * from {{ ref('int_measure') }}
    where boundary = 'as_counted' or feed = 'einwohner'
),

rounding as (
    select
        feed,
        measure_id,
        max(rounded_to) as rounded_to
    from {{ ref('delivered_measures') }}
    group by feed, measure_id
),

parts as (
    select
        boundary,
        parent_area_id,
        year,
        measure_id,
        feed,
        sum(value) as parts,
        count(*) as n_parts,
        count(*) filter (where value is null) as n_parts_not_countable
    from measures
    where parent_area_id is not null
    group by boundary, parent_area_id, year, measure_id, feed
),

due as (
    select
        boundary,
        parent_area_id,
        year,
        count(*) as n_areas
    from {{ ref('int_area_year') }}
    where level in ('kommune', 'sozialraum')
    group by boundary, parent_area_id, year
),

final as (
    select
        measures.boundary,
        measures.area_id,
        measures.year,
        measures.measure_id,
        measures.feed,
        measures.value as whole,
        parts.parts,
        cast(parts.n_parts as int) as n_parts,
        cast(parts.n_parts_not_countable as int) as n_parts_not_countable,
        -- Whole numbers are exact; of what is rounded, the whole and each part may be half a unit off.
        case when rounding.rounded_to != 1 then rounding.rounded_to / 2 * (parts.n_parts + 1) else 0 end
            as tolerance
    from measures
    inner join parts
        on
            measures.boundary = parts.boundary
            and measures.area_id = parts.parent_area_id
            and measures.year = parts.year
            and measures.measure_id = parts.measure_id
            and measures.feed = parts.feed
    left join rounding on measures.feed = rounding.feed and measures.measure_id = rounding.measure_id
    left join due
        on
            measures.boundary = due.boundary
            and measures.area_id = due.parent_area_id
            and measures.year = due.year
    -- Not where parts were not told (one Bezirk that is a Sozialraum); but persons must never be lost.
    where measures.feed = 'einwohner' or parts.n_parts >= due.n_areas
)

select * from final
order by boundary, area_id, year, measure_id
