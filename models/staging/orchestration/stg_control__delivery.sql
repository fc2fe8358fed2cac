with source as (
    select * from {{ source('control', 'delivery') }}
),

final as (
    select
        delivery_id,
        feed,
        feed_title,
        deliverer,
        deliverer_name,
        cast(year as int) as year,
        received,
        sha256,
        cast(row_count as bigint) as row_count,
        state,
        public_reason as reason,
        cast(n_errors as int) as n_errors,
        cast(n_warnings as int) as n_warnings
    from source
)

select * from final
