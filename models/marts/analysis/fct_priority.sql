with entries as (
    select * from {{ ref('fct_profile') }}
),

patterns as (
    select * from {{ ref('profile_patterns') }}
),

themes as (
    select
        dim_theme.theme_id,
        dim_theme.title,
        priority_themes.weight
    from {{ ref('dim_theme') }} as dim_theme
    inner join
        {{ ref('priority_themes') }} as priority_themes
        on dim_theme.theme_id = priority_themes.theme_id
),

indicators as (
    select * from {{ ref('dim_indicator') }}
),

areas as (
    select
        area_id,
        name,
        parent_area_id
    from {{ ref('dim_area') }}
    where level = 'sozialraum' and valid_to is null
),

kommunen as (
    select
        area_id,
        short_name
    from {{ ref('dim_area') }}
    where level = 'kommune' and valid_to is null
),

weighed as (
    select
        areas.parent_area_id as kommune_id,
        entries.area_id,
        areas.name as area_name,
        entries.year,
        entries.theme_id,
        themes.title as theme,
        themes.weight as theme_weight,
        entries.value_status,
        entries.kind,
        indicators.title,
        patterns.weight,
        entries.pattern_order,
        case
            when entries.kind = 'schwaeche'
                then 100 * abs(entries.value / nullif(entries.benchmark_kreis, 0) - 1)
        end as gap_percent
    from entries
    inner join areas on entries.area_id = areas.area_id
    inner join themes on entries.theme_id = themes.theme_id
    inner join indicators on entries.indicator_id = indicators.indicator_id
    left join patterns on entries.pattern = patterns.pattern
),

summed as (
    select
        kommune_id,
        area_id,
        area_name,
        year,
        theme_id,
        theme,
        theme_weight,
        count(weight) as n_evaluated,
        count(*) as n_indicators,
        count(case when kind = 'schwaeche' then 1 end) as n_weaknesses,
        max(case when value_status = 'suppressed' then 1 else 0 end) as any_suppressed,
        min(case when value_status = 'not_applicable' then 1 else 0 end) as is_left_out,
        round(theme_weight * sum(weight) / nullif(count(weight), 0), 9) as score,
        round(avg(gap_percent), 9) as mean_gap_percent,
        {{ listed("case when kind = 'schwaeche' then title end", "pattern_order, title") }} as weaknesses
    from weighed
    group by kommune_id, area_id, area_name, year, theme_id, theme, theme_weight
),

ranked as (
    select
        *,
        case
            when score > 0
                then
                    rank() over (
                        partition by kommune_id, year
                        order by score desc nulls last, mean_gap_percent desc nulls last
                    )
        end as priority
    from summed
),

final as (
    select
        ranked.kommune_id,
        ranked.area_id,
        cast(ranked.year as int) as year,
        ranked.theme_id,
        cast(ranked.theme_weight as double) as theme_weight,
        case
            when n_evaluated > 0 then 'ok'
            when is_left_out = 1 then 'not_applicable'
            when any_suppressed = 1 then 'suppressed'
            else 'not_computable'
        end as value_status,
        ranked.score,
        case when ranked.score > 0 then ranked.mean_gap_percent end as mean_gap_percent,
        cast(ranked.priority as int) as priority,
        case when n_evaluated > 0 then cast(ranked.n_weaknesses as int) end as n_weaknesses,
        case when n_evaluated > 0 then cast(ranked.n_evaluated as int) end as n_evaluated,
        case when n_evaluated > 0 then cast(ranked.n_indicators as int) end as n_indicators,
        case
            when ranked.priority is not null
                then
                    'Rang ' || cast(ranked.priority as string) || ' in ' || kommunen.short_name || ': '
                    || ranked.area_name || ', ' || ranked.theme || ', mit '
                    || {{ german_number('ranked.score', 2) }} || ' Punkten: Schwächen bei '
                    || cast(ranked.n_weaknesses as string) || ' von '
                    || cast(ranked.n_evaluated as string) || ' bewertbaren Indikatoren'
                    || coalesce(
                        ', im Mittel ' || {{ german_number('ranked.mean_gap_percent', 0) }}
                        || ' % vom Wert des Kreises entfernt',
                        ''
                    )
                    || ' (' || ranked.weaknesses || ').'
        end as sentence
    from ranked
    inner join kommunen on ranked.kommune_id = kommunen.area_id
)

select * from final
order by kommune_id, year, area_id, theme_id
