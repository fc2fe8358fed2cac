with delivered as (
    select * from {{ source('delivered', 'aggregate') }}
),

accepted as (
    select
        delivery_id,
        feed
    from {{ ref('stg_control__delivery') }}
    where state = 'accepted'
),

symbols as (
    select * from {{ ref('symbols') }}
),

-- every symbol of official statistics becomes a status; an unknown one counts as missing, never as a number
final as (
    select
        accepted.feed,
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
            when coalesce(symbols.value_status, 'ok') in ('ok', 'zero') and delivered.wert is null
                then 'missing'
            when coalesce(symbols.value_status, 'ok') = 'ok' and delivered.wert = 0 then 'zero'
            else coalesce(symbols.value_status, 'ok')
        end as value_status,
        delivered.zeichen as symbol
    from delivered
    inner join accepted on delivered.delivery_id = accepted.delivery_id
    left join symbols on delivered.zeichen = symbols.zeichen
)

select * from final
