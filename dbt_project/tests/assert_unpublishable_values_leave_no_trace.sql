-- Where the status says that there is no value, no other column tells it.
select
    area_id,
    year,
    indicator_id
from {{ ref('fct_indicator') }}
where
    (
        value_status in ('suppressed', 'missing', 'not_applicable')
        and (
            value is not null
            or ci_lower is not null
            or ci_upper is not null
            or vs_kreis is not null
            or vs_kommune is not null
            or vs_goal is not null
            or value_rank is not null
            or value_rank_lower is not null
            or value_rank_upper is not null
            or change_absolute is not null
            or change_percent is not null
            or trend != 'nicht_berechenbar'
        )
    )
    or (value_status in ('suppressed', 'not_applicable') and numerator is not null)
    or (value_status = 'suppressed' and denominator is not null)
    or (value_status in ('ok', 'zero') and value is null)
    or (value_status = 'zero' and value != 0)
