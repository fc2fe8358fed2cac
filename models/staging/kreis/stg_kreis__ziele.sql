with records as (
    select * from {{ source('kreis', 'ziele') }}
),

accepted as (
    select delivery_id from {{ ref('stg_control__delivery') }}
    where state = 'accepted' and feed = 'ziele'
),

final as (
    select
        records.delivery_id,
        cast(records.delivery_year as int) as year,
        records.ziel_id as goal_id,
        records.titel as title,
        records.ebene as goal_level,
        records.gebiet as area_id,
        records.indikator_id as indicator_id,
        cast(round(records.ausgangsjahr) as int) as baseline_year,
        records.ausgangswert as baseline_value,
        cast(round(records.zieljahr) as int) as target_year,
        records.zielwert as target_value,
        records.beschlossen_von as decided_by,
        records.beschlossen_am as decided_date
    from records
    inner join accepted on records.delivery_id = accepted.delivery_id
)

select * from final
