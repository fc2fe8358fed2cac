-- Places among the areas of one level, and those that their intervals leave open; by sorting, not in pairs.
with observations as (
    select * from {{ ref('int_indicator_value') }}
),

ranked as (
    select
        boundary,
        level,
        year,
        indicator_id,
        area_id,
        ci_lower,
        ci_upper,
        rank() over (partition by boundary, level, year, indicator_id order by value desc) as value_rank,
        count(*) over (partition by boundary, level, year, indicator_id) as n_ranked
    from observations
    where level in ('kommune', 'sozialraum') and ci_lower is not null and ci_upper is not null
),
{% for side, own, others, direction in [
    ('above', 'ci_upper', 'ci_lower', 'desc'), ('below', 'ci_lower', 'ci_upper', 'asc')
] %}
    edges_{{ side }} as (
        select
            boundary,
            level,
            year,
            indicator_id,
            area_id,
            {{ own }} as edge,
            0 as is_other
        from ranked
        union all
        select
            boundary,
            level,
            year,
            indicator_id,
            area_id,
            {{ others }} as edge,
            1 as is_other
        from ranked
    ),

    counted_{{ side }} as (
        -- At equal edges the intervals touch: such an area is not surely on this side.
        select
            boundary,
            level,
            year,
            indicator_id,
            area_id,
            is_other,
            sum(is_other) over (
                partition by boundary, level, year, indicator_id
                order by edge {{ direction }}, is_other asc
                rows between unbounded preceding and current row
            ) as n_surely
        from edges_{{ side }}
    ),
{% endfor %}

final as (
    select
        ranked.boundary,
        ranked.area_id,
        ranked.year,
        ranked.indicator_id,
        cast(ranked.value_rank as int) as value_rank,
        cast(1 + counted_above.n_surely as int) as value_rank_lower,
        cast(ranked.n_ranked - counted_below.n_surely as int) as value_rank_upper,
        cast(ranked.n_ranked as int) as n_ranked
    from ranked
    {% for side in ['above', 'below'] %}
        inner join counted_{{ side }}
            on
                ranked.boundary = counted_{{ side }}.boundary
                and ranked.area_id = counted_{{ side }}.area_id
                and ranked.year = counted_{{ side }}.year
                and ranked.indicator_id = counted_{{ side }}.indicator_id
                and counted_{{ side }}.is_other = 0
    {% endfor %}
)

select * from final
order by boundary, area_id, indicator_id, year
