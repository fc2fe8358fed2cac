{% set feeds = {
    'sgb2': ref('stg_jobcenter__sgb2'),
    'arbeitslose': ref('stg_jobcenter__arbeitslose'),
    'kinder_sgb2': ref('stg_kreis__kinder_sgb2'),
    'wahlen': ref('stg_kreis__wahlen'),
    'wohnungen': ref('stg_it_nrw__wohnungen'),
} %}

with final as (
    {% for feed, relation in feeds.items() %}
        select
            '{{ feed }}' as feed,
            delivery_id,
            area_id,
            year,
            merkmal,
            reference_date,
            value,
            value_status,
            symbol
        from {{ relation }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select * from final
order by feed, area_id, year, merkmal, delivery_id
