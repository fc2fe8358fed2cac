with kommunen as (
    select * from {{ ref('kommunen') }}
),

sozialraeume as (
    select * from {{ ref('stg_kreis__sozialraeume') }}
),

versions as (
    select * from {{ ref('stg_kreis__area_version') }}
),

shapes as (
    select * from {{ ref('stg_geography__area_shape') }}
),

first_versions as (
    select
        kommune_id,
        min(valid_from) as valid_from
    from versions
    group by kommune_id
),

sozialraum_areas as (
    select
        sozialraeume.area_id,
        'sozialraum' as level,
        sozialraeume.name,
        sozialraeume.name as short_name,
        sozialraeume.kommune_id as parent_area_id,
        sozialraeume.valid_from,
        versions.valid_to,
        sozialraeume.area_sqm / 1000000 as area_sqkm,
        sozialraeume.is_synthetic,
        sozialraeume.geometry_source,
        shapes.same_since,
        shapes.same_since > first_versions.valid_from as is_redrawn
    from sozialraeume
    inner join versions
        on sozialraeume.kommune_id = versions.kommune_id and sozialraeume.valid_from = versions.valid_from
    inner join shapes
        on sozialraeume.area_id = shapes.area_id and sozialraeume.valid_from = shapes.valid_from
    inner join first_versions on sozialraeume.kommune_id = first_versions.kommune_id
),

kommune_sqkm as (
    -- The newest boundaries; each version covers the Kommune once.
    select
        parent_area_id,
        sum(area_sqkm) as area_sqkm
    from sozialraum_areas
    where valid_to is null
    group by parent_area_id
),

first_boundaries as (
    select min(valid_from) as valid_from from sozialraeume
),

kommune_areas as (
    select
        kommunen.area_id,
        'kommune' as level,
        kommunen.name,
        kommunen.short_name,
        '{{ var("kreis_id") }}' as parent_area_id,
        cast('{{ var("kreis_valid_from") }}' as date) as valid_from,
        cast(null as date) as valid_to,
        kommune_sqkm.area_sqkm,
        false as is_synthetic,
        cast(null as string) as geometry_source,
        cast('{{ var("kreis_valid_from") }}' as date) as same_since,
        false as is_redrawn
    from kommunen
    left join kommune_sqkm on kommunen.area_id = kommune_sqkm.parent_area_id
),

not_locatable_areas as (
    select
        kommunen.area_id || '-00' as area_id,
        'nicht_verortbar' as level,
        kommunen.short_name || ', nicht verortbar' as name,
        'nicht verortbar' as short_name,
        kommunen.area_id as parent_area_id,
        first_boundaries.valid_from,
        cast(null as date) as valid_to,
        cast(null as double) as area_sqkm,
        false as is_synthetic,
        cast(null as string) as geometry_source,
        first_boundaries.valid_from as same_since,
        false as is_redrawn
    from kommunen
    cross join first_boundaries
    where first_boundaries.valid_from is not null
),

kreis_area as (
    select
        '{{ var("kreis_id") }}' as area_id,
        'kreis' as level,
        '{{ var("kreis_name") }}' as name,
        '{{ var("kreis_name") }}' as short_name,
        cast(null as string) as parent_area_id,
        cast('{{ var("kreis_valid_from") }}' as date) as valid_from,
        cast(null as date) as valid_to,
        sum(area_sqkm) as area_sqkm,
        false as is_synthetic,
        cast(null as string) as geometry_source,
        cast('{{ var("kreis_valid_from") }}' as date) as same_since,
        false as is_redrawn
    from kommune_areas
),

final as (
    select * from kreis_area
    union all
    select * from kommune_areas
    union all
    select * from sozialraum_areas
    union all
    select * from not_locatable_areas
)

select * from final
order by area_id, valid_from
