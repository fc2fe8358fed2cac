with records as (
    select * from {{ source('kreis', 'rueckmeldungen') }}
),

accepted as (
    select delivery_id from {{ ref('stg_control__delivery') }}
    where state = 'accepted' and feed = 'rueckmeldungen'
),

final as (
    select
        records.delivery_id,
        cast(records.delivery_year as int) as year,
        records.rueckmeldung_id as feedback_id,
        records.konferenz as conference,
        records.datum as feedback_date,
        records.gruppe as participant_group,
        records.gebiet as area_id,
        records.thema as theme_id,
        records.text
    from records
    inner join accepted on records.delivery_id = accepted.delivery_id
)

select * from final
