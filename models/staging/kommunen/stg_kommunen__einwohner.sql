-- A view: person-level rows are not stored a second time.
with delivered as (
    select
        *,
        case when ostwert is null or nordwert is null then strasse end as street_to_locate
    from {{ source('kommunen', 'einwohner') }}
),

addresses as (
    select * from {{ source('geography', 'anschrift') }}
),

-- coordinates as delivered, else those of the address
register as (
    select
        delivered.delivery_id,
        delivered.ags,
        delivered.delivery_year,
        delivered.stichtag,
        delivered.ordnungsmerkmal,
        delivered.haushalt,
        delivered.geburtsdatum,
        delivered.geschlecht,
        delivered.staatsangehoerigkeit,
        coalesce(addresses.ostwert, delivered.ostwert) as ostwert,
        coalesce(addresses.nordwert, delivered.nordwert) as nordwert
    from delivered
    left join addresses
        on
            delivered.ags = addresses.ags
            and delivered.street_to_locate = addresses.strasse
            and coalesce(delivered.hausnummer, '') = coalesce(addresses.hausnummer, '')
            and coalesce(delivered.hausnummer_zusatz, '') = coalesce(addresses.hausnummer_zusatz, '')
),

accepted as (
    select delivery_id from {{ ref('stg_control__delivery') }}
    where state = 'accepted' and feed = 'einwohner'
),

versions as (
    select * from {{ ref('stg_kreis__area_version') }}
),

located as (
    select * from {{ source('geography', 'verortung') }}
),

final as (
    select
        register.delivery_id,
        register.ags as kommune_id,
        cast(register.delivery_year as int) as year,
        register.stichtag as reference_date,
        register.haushalt as household_key,
        coalesce(located.sozialraum_id, register.ags || '-00') as area_id,
        coalesce(located_today.sozialraum_id, register.ags || '-00') as current_area_id,
        register.ostwert as east_m,
        register.nordwert as north_m,
        {{ completed_years('register.geburtsdatum', 'register.stichtag') }} as age,
        {{ published_sex('register.geschlecht', "register.ags || '|' || register.ordnungsmerkmal") }} as sex,
        case
            when register.staatsangehoerigkeit = '000' then 'deutsch'
            else 'nichtdeutsch'
        end as nationality_group
    from register
    inner join accepted on register.delivery_id = accepted.delivery_id
    left join versions as at_the_time
        on
            register.ags = at_the_time.kommune_id
            and register.stichtag >= at_the_time.valid_from
            and (at_the_time.valid_to is null or register.stichtag <= at_the_time.valid_to)
    left join versions as newest
        on register.ags = newest.kommune_id and newest.valid_to is null
    left join located
        on
            register.ags = located.ags
            and register.ostwert = located.ostwert
            and register.nordwert = located.nordwert
            and at_the_time.valid_from = located.valid_from
    left join located as located_today
        on
            register.ags = located_today.ags
            and register.ostwert = located_today.ostwert
            and register.nordwert = located_today.nordwert
            and newest.valid_from = located_today.valid_from
)

select * from final
