with records as (
    select * from {{ source('kreis', 'angebote') }}
),

accepted as (
    select delivery_id from {{ ref('stg_control__delivery') }}
    where state = 'accepted' and feed = 'angebote'
),

versions as (
    select * from {{ ref('stg_kreis__area_version') }}
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
        coalesce(located_today.sozialraum_id, records.ags || '-00') as current_area_id,
        records.strasse as street,
        records.hausnummer as house_number,
        records.ostwert as east_m,
        records.nordwert as north_m,
        records.seit as valid_from,
        records.bis as valid_to
    from records
    inner join accepted on records.delivery_id = accepted.delivery_id
    left join versions as at_the_time
        on
            records.ags = at_the_time.kommune_id
            and cast(cast(records.delivery_year as string) || '-12-31' as date) >= at_the_time.valid_from
            and (
                at_the_time.valid_to is null
                or cast(cast(records.delivery_year as string) || '-12-31' as date) <= at_the_time.valid_to
            )
    left join versions as newest
        on records.ags = newest.kommune_id and newest.valid_to is null
    left join located
        on
            records.ags = located.ags
            and records.ostwert = located.ostwert
            and records.nordwert = located.nordwert
            and at_the_time.valid_from = located.valid_from
    left join located as located_today
        on
            records.ags = located_today.ags
            and records.ostwert = located_today.ostwert
            and records.nordwert = located_today.nordwert
            and newest.valid_from = located_today.valid_from
)

select * from final
