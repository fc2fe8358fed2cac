with deliveries as (
    select * from {{ ref('stg_control__delivery') }}
),

releases as (
    select * from {{ ref('stg_control__release') }}
),

-- what was rejected after the newest delivery or decision that counts belongs to the next release: this one
-- must not change by it
final as (
    select
        deliveries.delivery_id,
        deliveries.feed,
        deliveries.feed_title,
        deliveries.deliverer,
        deliveries.deliverer_name,
        deliveries.year,
        deliveries.received,
        deliveries.sha256,
        deliveries.row_count,
        deliveries.state,
        deliveries.reason,
        deliveries.n_errors,
        deliveries.n_warnings
    from deliveries
    inner join releases on deliveries.received <= releases.created
)

select * from final
order by delivery_id
