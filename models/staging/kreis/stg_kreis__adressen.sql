with records as (
    select * from {{ source('kreis', 'adressen') }}
),

accepted as (
    select delivery_id from {{ ref('stg_control__delivery') }}
    where state = 'accepted' and feed = 'adressen'
),

final as (
    select
        records.delivery_id,
        cast(records.delivery_year as int) as year,
        records.oid as address_id,
        records.ags as kommune_id,
        records.strasse as street,
        records.hausnummer || coalesce(records.hausnummer_zusatz, '') as house_number,
        records.ostwert as east_m,
        records.nordwert as north_m,
        records.qualitaet as quality,
        records.stand as recorded_date
    from records
    inner join accepted on records.delivery_id = accepted.delivery_id
)

select * from final
