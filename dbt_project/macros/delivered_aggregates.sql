{# One row per accepted delivery, area and merkmal of an aggregate feed: renamed, and every symbol of official
   statistics turned into a value_status. An unknown symbol counts as missing, never as a number. #}
{% macro delivered_aggregates(feed, source_relation) %}
with delivered as (
    select * from {{ source_relation }}
),

accepted as (
    select delivery_id from {{ ref('stg_control__delivery') }}
    where state = 'accepted' and feed = '{{ feed }}'
),

symbols as (
    select * from {{ ref('symbols') }}
),

final as (
    select
        delivered.delivery_id,
        delivered.deliverer,
        cast(delivered.delivery_year as int) as year,
        delivered.gebiet as area_id,
        delivered.merkmal,
        delivered.stichtag as reference_date,
        case
            when delivered.zeichen is null or symbols.keeps_value then delivered.wert
        end as value,
        case
            when delivered.zeichen is not null and symbols.zeichen is null then 'missing'
            when coalesce(symbols.value_status, 'ok') in ('ok', 'zero') and delivered.wert is null then 'missing'
            when coalesce(symbols.value_status, 'ok') = 'ok' and delivered.wert = 0 then 'zero'
            else coalesce(symbols.value_status, 'ok')
        end as value_status,
        delivered.zeichen as symbol
    from delivered
    inner join accepted on delivered.delivery_id = accepted.delivery_id
    left join symbols on delivered.zeichen = symbols.zeichen
)

select * from final
{% endmacro %}
