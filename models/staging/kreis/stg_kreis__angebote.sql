with records as (
    select * from {{ source('kreis', 'angebote') }}
),

accepted as (
    select delivery_id from {{ ref('stg_control__delivery') }}
    where state = 'accepted' and feed = 'angebote'
),

located as (
    select * from {{ source('geography', 'verortung') }}
),

final as (
    select
        records.delivery_id,
        cast(records.delivery_year as int) as year,
        records.angebot_id as service_id,
        records.name,
        records.traeger as provider,
        records.thema as theme_id,
        records.zielgruppe as target_group,
        records.ags as kommune_id,
        coalesce(located.sozialraum_id, records.ags || '-00') as area_id,
        records.strasse as street,
        records.hausnummer as house_number,
        records.ostwert as east_m,
        records.nordwert as north_m,
        records.seit as valid_from,
        records.bis as valid_to
    from records
    inner join accepted on records.delivery_id = accepted.delivery_id
    left join located
        on
            records.ags = located.ags
            and records.ostwert = located.ostwert
            and records.nordwert = located.nordwert
)

select * from final
