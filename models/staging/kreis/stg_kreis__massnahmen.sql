with records as (
    select * from {{ source('kreis', 'massnahmen') }}
),

accepted as (
    select delivery_id from {{ ref('stg_control__delivery') }}
    where state = 'accepted' and feed = 'massnahmen'
),

final as (
    select
        records.delivery_id,
        cast(records.delivery_year as int) as year,
        records.massnahme_id as programme_id,
        records.ziel_id as goal_id,
        records.titel as title,
        records.traeger as provider,
        records.zielgruppe as target_group,
        records.von as valid_from,
        records.bis as valid_to,
        records.budget_eur,
        records.status
    from records
    inner join accepted on records.delivery_id = accepted.delivery_id
)

select * from final
